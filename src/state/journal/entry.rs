//! One line of the journal.

use serde::{Deserialize, Serialize};

use crate::core::ids::Timestamp;
use crate::tell::wire::{Drift, JobUpdate, Resolved};

/// One thing that was told or done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Its number: greater than that of every entry before.
    pub seq: u64,
    /// When it happened.
    #[serde(with = "time")]
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub news: News,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", content = "told", rename_all = "snake_case")]
pub enum News {
    /// A drift was seen that was not open.
    Opened(Drift),
    /// An open drift is told otherwise than before.
    Changed(Drift),
    /// An open drift is no more.
    Resolved(Resolved),
    /// The roll is about to be edited for this drift.
    Edited(Drift),
    /// What became of that edit.
    Outcome(Drift),
    /// Something was learnt of a delegated job.
    Job(JobUpdate),
    /// The roll is about to be given the outcome of a job.
    JobEdited(JobUpdate),
    /// What became of that edit.
    JobOutcome(JobUpdate),
    /// A person takes back what was written.
    Undone(Box<Undone>),
    /// A person takes a row out of the roll that ended long ago, or puts one back.
    Pruned(Box<Pruned>),
}

/// That a person takes a row out of the roll, and into an archive, or puts it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// Stands for it where a drift's id stands for a drift.
    pub id: String,
    /// The row's name.
    pub session: String,
    /// The server that it names.
    pub tmux_server: Option<String>,
    /// The row's content.
    pub row_fingerprint: String,
    /// The name of the archive, which lies beside the roll.
    pub archive: String,
    /// The number of the entry that says that it was taken out, where it is put back.
    pub puts_back: Option<u64>,
    /// How far that is.
    pub stage: Stage,
    /// The sentence for a person.
    pub comment: String,
}

/// That a person takes back what was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Undone {
    /// The number of the entry that says that it was written.
    pub of: u64,
    /// How far that is.
    pub stage: Stage,
    /// The drift for which it was written, as it is held from now on.
    pub drift: Option<Drift>,
    /// The job whose outcome it was, else.
    pub job: Option<JobUpdate>,
}

/// How far the taking back is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The roll is about to be written.
    Begun,
    /// It was written.
    Done,
    /// It was not written.
    Failed,
    /// The person took this back in turn: from now on the same may be written again.
    Lifted,
}

impl Undone {
    fn id(&self) -> &str {
        let drift = self.drift.as_ref().map(|drift| drift.id.as_str());
        let job = || self.job.as_ref().map(|job| job.id.as_str());
        drift.or_else(job).unwrap_or_default()
    }

    fn comment(&self) -> &str {
        let drift = self.drift.as_ref().map(|drift| drift.comment.as_str());
        let job = || self.job.as_ref().map(|job| job.comment.as_str());
        drift.or_else(job).unwrap_or_default()
    }

    /// The session that it is about.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        let drift = self
            .drift
            .as_ref()
            .and_then(|drift| drift.session.as_deref());
        drift.or_else(|| self.job.as_ref().map(|job| job.session.as_str()))
    }
}

impl News {
    /// What it is about: the id of the drift or of the job's outcome.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Opened(drift)
            | Self::Changed(drift)
            | Self::Edited(drift)
            | Self::Outcome(drift) => &drift.id,
            Self::Resolved(resolved) => &resolved.id,
            Self::Job(update) | Self::JobEdited(update) | Self::JobOutcome(update) => &update.id,
            Self::Undone(undone) => undone.id(),
            Self::Pruned(pruned) => &pruned.id,
        }
    }

    /// The sentence for a card.
    #[must_use]
    pub fn comment(&self) -> &str {
        match self {
            Self::Opened(drift)
            | Self::Changed(drift)
            | Self::Edited(drift)
            | Self::Outcome(drift) => &drift.comment,
            Self::Resolved(resolved) => &resolved.comment,
            Self::Job(update) | Self::JobEdited(update) | Self::JobOutcome(update) => {
                &update.comment
            }
            Self::Undone(undone) => undone.comment(),
            Self::Pruned(pruned) => &pruned.comment,
        }
    }
}

impl Entry {
    /// The entry as a line, newline included.
    pub(super) fn line(&self) -> serde_json::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }

    /// The entry of a line without its newline; `None` if it cannot be understood.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok()
    }
}

/// Times as people read them, to the millisecond.
mod time {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::core::ids::Timestamp;

    pub(super) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&at.iso_millis())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        Timestamp::parse(&text).ok_or_else(|| de::Error::custom("not a time"))
    }
}
