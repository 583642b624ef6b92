//! One difference, as programs read it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::value::Pairs;
use crate::core::drift as core_drift;
use crate::core::report::{Outcome, Resolved as CoreResolved, Told};
use crate::tell::sentence;

#[cfg(test)]
use super::SECONDS;

/// One difference between the roll and the world, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Drift {
    /// The same difference has the same id in every report.
    pub id: String,
    /// The class: A gone, B not declared, C conversation id, D conversation file missing.
    #[cfg_attr(test, schemars(extend("enum" = super::CLASSES)))]
    pub class: char,
    /// The kind within the class.
    #[cfg_attr(test, schemars(extend("enum" = kinds())))]
    pub kind: String,
    /// The session; null for an entry of `agent_identities`.
    pub session: Option<String>,
    /// The tmux server of that session, as far as the row or the session tells.
    pub tmux_server: Option<String>,
    /// The agent: `claude`, `agy`, …
    pub agent: Option<String>,
    /// Why, as a word: `session_gone`, `host_rebooted`, `missing`, …
    pub reason: String,
    /// The row's keys that are concerned, as they are.
    pub before: Pairs,
    /// The same keys, as they would be.
    pub after: Pairs,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// How sure it is.
    #[cfg_attr(test, schemars(extend("enum" = confidences())))]
    pub confidence: String,
    /// Whether it was written.
    pub applied: bool,
    /// What it waits for, if it is not due yet.
    pub pending: Option<Pending>,
    /// Why it is not written, if it is due.
    pub held: Option<Held>,
    /// Whether no earlier look has seen it.
    pub new: bool,
    /// When it was first seen.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub first_seen: String,
    /// When it was last seen.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub last_seen: String,
    /// In how many looks it was seen.
    pub count: u64,
    /// Whether a person said to know of it (`headcount ack`), and it is still as it was then.
    #[serde(default)]
    pub acknowledged: bool,
    /// The sentence for a card.
    pub comment: String,
}

/// One piece of what a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Evidence {
    /// Where it comes from: `tmux:default`, `process 4711`, `ledger`, a file.
    pub source: String,
    /// What it said.
    pub said: String,
    /// When it was looked at, to the millisecond.
    #[cfg_attr(test, schemars(regex(pattern = MILLIS)))]
    pub at: String,
}

/// What a drift waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Pending {
    /// Why it waits.
    pub reason: String,
    /// When it will be due.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub due: String,
}

/// Why a drift that is due is not written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Held {
    /// Why, as a word: `not_home`, `process_alive`, `doubt`, `mass_change`, `person_changed`, `contended`,
    /// `locked`, `read_only`, `not_editable`, `not_planned`, `undone`.
    pub reason: String,
    /// Why, for a person.
    pub why: String,
    /// What a person can do about it.
    pub remedy: String,
}

/// A drift that was open and is no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Resolved {
    /// The drift's id.
    pub id: String,
    /// Its session; null for an entry of `agent_identities`.
    pub session: Option<String>,
    /// Its class.
    #[cfg_attr(test, schemars(extend("enum" = super::CLASSES)))]
    pub class: char,
    /// Its kind.
    pub kind: String,
    /// When it was first seen.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub first_seen: String,
    /// In how many looks it was seen.
    pub count: u64,
    /// The sentence for a card.
    pub comment: String,
}

impl From<&Told> for Drift {
    fn from(told: &Told) -> Self {
        let Told {
            drift,
            outcome,
            new,
            first_seen,
            last_seen,
            count,
            acked,
        } = told;
        let (pending, held) = match outcome {
            Outcome::Pending { why, due } => (
                Some(Pending {
                    reason: why.clone(),
                    due: due.iso(),
                }),
                None,
            ),
            Outcome::Held(held) => (None, Some(Held::from(held))),
            Outcome::Applied | Outcome::WouldApply | Outcome::ToldOnly => (None, None),
        };
        Self {
            id: drift.id.to_string(),
            class: drift.kind.class().letter(),
            kind: drift.kind.as_str().to_owned(),
            session: drift.session.as_ref().map(ToString::to_string),
            tmux_server: drift.server.as_ref().map(ToString::to_string),
            agent: drift.agent.map(|agent| agent.to_string()),
            reason: drift.reason.clone(),
            before: Pairs::from(drift.before.as_slice()),
            after: Pairs::from(drift.after.as_slice()),
            evidence: drift.evidence.iter().map(Evidence::from).collect(),
            confidence: drift.confidence.as_str().to_owned(),
            applied: *outcome == Outcome::Applied,
            pending,
            held,
            new: *new,
            first_seen: first_seen.iso(),
            last_seen: last_seen.iso(),
            count: *count,
            acknowledged: *acked,
            comment: sentence::comment(drift, outcome),
        }
    }
}

impl From<&core_drift::Evidence> for Evidence {
    fn from(evidence: &core_drift::Evidence) -> Self {
        Self {
            source: evidence.source.clone(),
            said: evidence.said.clone(),
            at: evidence.at.iso_millis(),
        }
    }
}

impl From<&core_drift::Held> for Held {
    fn from(held: &core_drift::Held) -> Self {
        Self {
            reason: held.as_str().to_owned(),
            why: held.why(),
            remedy: held.remedy().to_owned(),
        }
    }
}

impl From<&CoreResolved> for Resolved {
    fn from(resolved: &CoreResolved) -> Self {
        Self {
            id: resolved.id.to_string(),
            session: resolved.session.as_ref().map(ToString::to_string),
            class: resolved.class,
            kind: resolved.kind.clone(),
            first_seen: resolved.first_seen.iso(),
            count: resolved.count,
            comment: sentence::settled(resolved),
        }
    }
}

/// `2026-11-21T09:00:00.123Z`, as a pattern for the schema.
#[cfg(test)]
const MILLIS: &str = r"^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$";

#[cfg(test)]
fn kinds() -> [&'static str; 8] {
    use core_drift::Kind;
    [
        Kind::TmuxGone,
        Kind::Unregistered,
        Kind::Revived,
        Kind::Reincarnated,
        Kind::Mistaken,
        Kind::IdMaterialized,
        Kind::Rotated,
        Kind::StaleId,
    ]
    .map(Kind::as_str)
}

#[cfg(test)]
fn confidences() -> [&'static str; 2] {
    use core_drift::Confidence;
    [Confidence::Proven, Confidence::Inferred].map(Confidence::as_str)
}
