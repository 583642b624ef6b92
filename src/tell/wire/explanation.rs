//! Why sessions are said to stand as they do, as programs read it; `schemas/explanation.schema.json` is made from these
//! types.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::Evidence;
use super::status::Session;
use crate::core::explain;
use crate::core::resume;
use crate::core::standing::Standing;

#[cfg(test)]
use super::SECONDS;

/// The version of the format. It changes only when a reader of the old one would go wrong.
const VERSION: &str = "1";

/// What the document is.
const DOCUMENT: &str = "explanation";

/// Why the sessions of a name are said to stand as they do.
///
/// Readers should ignore keys they do not know, and refuse a `format_version` they do not know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Explanations {
    /// What this document is.
    #[cfg_attr(test, schemars(extend("const" = DOCUMENT)))]
    pub document: String,
    /// The version of this format.
    #[cfg_attr(test, schemars(extend("const" = VERSION)))]
    pub format_version: String,
    /// When the look began, in UTC.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub timestamp: String,
    /// The name of the machine.
    pub host: String,
    /// The path of the roll, as it was named; null where there is none.
    pub yaml_path: Option<String>,
    /// One for each session of the name: there may be several, on several tmux servers.
    pub explanations: Vec<Explanation>,
}

/// Why one session is said to stand as it does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Explanation {
    /// How it stands.
    pub session: Session,
    /// The rules that decided, the first one first.
    pub rules: Vec<Rule>,
    /// What was looked at, what it said, and when.
    pub evidence: Vec<Evidence>,
    /// What would change the verdict, each a sentence.
    pub would_change: Vec<String>,
    /// How its conversation can be taken up again.
    pub resume: Resume,
    /// The conversations that it had before, as its row lists them.
    pub earlier: Vec<Earlier>,
}

/// A conversation that a session had before.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Earlier {
    /// Its id.
    pub id: String,
    /// How it can be taken up again.
    pub resume: Resume,
}

/// A rule that decided something.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Rule {
    /// Its name: `proven_absence`, `could_not_look`, `two_looks`, …
    pub name: String,
    /// What it says.
    pub text: String,
}

/// How a conversation can be taken up again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Resume {
    /// The command, for a shell; null where it is not possible.
    pub command: Option<String>,
    /// Who has to end before: two at once would mix the conversation up.
    pub after: Option<String>,
    /// Why it is not possible.
    pub why_not: Option<String>,
}

impl Explanations {
    /// The document.
    #[must_use]
    pub fn new(standing: &Standing, explanations: &[explain::Explanation]) -> Self {
        Self {
            document: DOCUMENT.to_owned(),
            format_version: VERSION.to_owned(),
            timestamp: standing.at.iso(),
            host: standing.host.clone(),
            yaml_path: standing.roll.clone(),
            explanations: explanations.iter().map(Explanation::from).collect(),
        }
    }
}

impl From<&explain::Explanation> for Explanation {
    fn from(explanation: &explain::Explanation) -> Self {
        let explain::Explanation {
            session,
            rules,
            evidence,
            changes,
            resume,
            earlier,
        } = explanation;
        Self {
            session: Session::from(session),
            rules: rules
                .iter()
                .map(|rule| Rule {
                    name: rule.name.to_owned(),
                    text: rule.text.clone(),
                })
                .collect(),
            evidence: evidence.iter().map(Evidence::from).collect(),
            would_change: changes.clone(),
            resume: Resume::from(resume),
            earlier: earlier
                .iter()
                .map(|it| Earlier {
                    id: it.id.to_string(),
                    resume: Resume::from(&it.resume),
                })
                .collect(),
        }
    }
}

impl From<&resume::Resume> for Resume {
    fn from(resume: &resume::Resume) -> Self {
        let (command, after, why_not) = match resume {
            resume::Resume::By(command) => (Some(command.clone()), None, None),
            resume::Resume::ByAfter(command, who) => {
                (Some(command.clone()), Some(who.clone()), None)
            }
            resume::Resume::Not(why) => (None, None, Some(why.clone())),
        };
        Self {
            command,
            after,
            why_not,
        }
    }
}
