//! What is told of one job.

use std::collections::BTreeMap;

use super::{JobId, JobStatus};
use crate::core::ids::{DriftId, ServerName, SessionName, Timestamp};
use crate::core::plan::Decision;

/// What a look learnt of one job of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobUpdate {
    /// Stands for it where a drift's id stands for a drift: the cause of its edit.
    pub cause: DriftId,
    /// The job.
    pub job: JobId,
    /// The session whose job it is.
    pub session: SessionName,
    /// The server of that session, if its row says.
    pub server: Option<ServerName>,
    /// How it stands: a status, or what an event was called.
    pub state: &'static str,
    /// What it came to, if it ended.
    pub outcome: Option<JobStatus>,
    /// When it was heard, or when its record was last updated.
    pub at: Timestamp,
    /// The worker's own words, made printable.
    pub detail: String,
    /// What it rests on.
    pub trust: Trust,
    /// What becomes of it. Only an outcome is written.
    pub decision: Decision,
    /// Whether it was not told so by the look before.
    pub news: bool,
}

/// What a job's state rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trust {
    /// An event with a valid signature.
    Signed,
    /// An event without one, of a job whose record asks for none.
    NotRequired,
    /// An event without one, of a job that has no record.
    Unsigned,
    /// The job's record on this disk.
    Record,
}

impl Trust {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Signed,
        Self::NotRequired,
        Self::Unsigned,
        Self::Record,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::NotRequired => "not_required",
            Self::Unsigned => "unsigned",
            Self::Record => "record",
        }
    }
}

/// Why an event changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// Its signature is missing or wrong, or the record with the key to it cannot be read.
    Forged,
    /// It has no signature, and all events must have one (`--require-signature`).
    Unsigned,
    /// Its number is not above the last one.
    Replayed,
    /// Its job is not, or no longer, that of the session.
    Late,
    /// It is larger than an event may be.
    Oversized,
    /// The broker kept it for whoever subscribes.
    Retained,
    /// It is no event.
    Malformed,
    /// It is of another `schema_version`.
    ForeignSchema,
    /// More came than can be kept until a pass is made.
    Overflow,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Forged,
        Self::Unsigned,
        Self::Replayed,
        Self::Late,
        Self::Oversized,
        Self::Retained,
        Self::Malformed,
        Self::ForeignSchema,
        Self::Overflow,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Unsigned => "unsigned",
            Self::Replayed => "replayed",
            Self::Late => "late",
            Self::Oversized => "oversized",
            Self::Retained => "retained",
            Self::Malformed => "malformed",
            Self::ForeignSchema => "foreign_schema",
            Self::Overflow => "overflow",
        }
    }
}

/// How many events changed nothing, by why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored(BTreeMap<Refusal, u64>);

impl Ignored {
    /// One more.
    pub fn count(&mut self, why: Refusal) {
        let count = self.0.entry(why).or_default();
        *count = count.saturating_add(1);
    }

    /// All of those as well.
    pub fn add(&mut self, others: &Self) {
        for (&why, more) in &others.0 {
            let count = self.0.entry(why).or_default();
            *count = count.saturating_add(*more);
        }
    }

    /// How many of each, those of which there were none left out.
    pub fn iter(&self) -> impl Iterator<Item = (Refusal, u64)> {
        self.0.iter().map(|(&why, &count)| (why, count))
    }
}
