//! How what a reboot or the end of a tmux server cut off is taken up again, as programs read it; `schemas/recovery.schema.json` is made
//! from these types.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::explanation::Resume;
use crate::core::interrupted;
use crate::core::standing::Standing;

#[cfg(test)]
use super::SECONDS;

/// The version of the format. It changes only when a reader of the old one would go wrong.
const VERSION: &str = "1";

/// What the document is.
const DOCUMENT: &str = "recovery";

/// What this boot or the end of a tmux server cut off and does not run now, and how each conversation is taken up again.
///
/// Readers should ignore keys they do not know, and refuse a `format_version` they do not know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Recovery {
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
    /// The path of the roll, as it was named.
    pub yaml_path: Option<String>,
    /// The sessions, by tmux server and name.
    pub sessions: Vec<Interrupted>,
}

/// A session that was cut off.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Interrupted {
    /// Its name.
    pub name: String,
    /// Its tmux server.
    pub tmux_server: String,
    /// Its agent.
    pub agent: Option<String>,
    /// Its folder.
    pub folder: Option<String>,
    /// What its row says now.
    pub status: String,
    /// How its conversation is taken up again.
    pub resume: Resume,
    /// The command that does so in a new tmux session of its name; null where there is none.
    pub in_tmux: Option<String>,
}

impl Recovery {
    /// The document.
    #[must_use]
    pub fn new(standing: &Standing, sessions: &[interrupted::Interrupted]) -> Self {
        Self {
            document: DOCUMENT.to_owned(),
            format_version: VERSION.to_owned(),
            timestamp: standing.at.iso(),
            host: standing.host.clone(),
            yaml_path: standing.roll.clone(),
            sessions: sessions.iter().map(Interrupted::from).collect(),
        }
    }
}

impl From<&interrupted::Interrupted> for Interrupted {
    fn from(session: &interrupted::Interrupted) -> Self {
        let interrupted::Interrupted {
            name,
            server,
            agent,
            folder,
            status,
            resume,
            in_tmux,
        } = session;
        Self {
            name: name.to_string(),
            tmux_server: server.to_string(),
            agent: agent.map(|agent| agent.name().to_owned()),
            folder: folder.clone(),
            status: status.as_str().to_owned(),
            resume: Resume::from(resume),
            in_tmux: in_tmux.clone(),
        }
    }
}
