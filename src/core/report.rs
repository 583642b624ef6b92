//! What one pass tells: everything found, what was done about it, and what was not, and why.

use super::drift::{Drift, Held, Note};
use super::ids::{DriftId, Fingerprint, SessionName, Timestamp};
use super::world::{Source, Vantage};

/// The account of one pass. `tell` turns it into JSON, a table or Markdown.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a pass that is not told might as well not have been made"]
pub struct Report {
    /// When the look began that it rests on.
    pub at: Timestamp,
    /// The roll's path, as it was named.
    pub roll: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The roll's fingerprint when it was read.
    pub fingerprint: Fingerprint,
    /// The names of all live sessions.
    pub alive: Vec<SessionName>,
    /// Whether every running row's session was seen, or proven absent.
    pub confirmed: bool,
    /// Where the look was made from.
    pub vantage: Vantage,
    /// What was looked at.
    pub sources: Vec<Source>,
    /// All drifts, in a stable order, each with what became of it.
    pub drifts: Vec<Told>,
    /// The drifts that were open and are no more.
    pub resolved: Vec<Resolved>,
    /// What a person should know besides.
    pub notes: Vec<Note>,
}

/// A drift and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The drift.
    pub drift: Drift,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether no earlier look has seen it.
    pub new: bool,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// In how many looks it was seen.
    pub count: u64,
}

/// What became of a drift. Every drift ends in exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was written.
    Applied,
    /// It would have been written, had this not been a dry run.
    WouldApply,
    /// It is not due yet.
    Pending {
        /// Why.
        why: String,
        /// When it will be due.
        due: Timestamp,
    },
    /// It is due and yet not written.
    Held(Held),
    /// It is never written.
    ToldOnly,
}

/// A drift that was open and is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The drift's id.
    pub id: DriftId,
    /// Its session.
    pub session: Option<SessionName>,
    /// Its class letter.
    pub class: char,
    /// Its kind.
    pub kind: String,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// In how many looks it was seen.
    pub count: u64,
}
