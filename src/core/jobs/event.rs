//! What a worker says of its job.

use super::{JobId, JobStatus};
use crate::core::ids::Timestamp;

/// One message of a worker, as far as it was believed when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEvent {
    /// Which job it is about.
    pub job: JobId,
    /// Its number: greater than that of every earlier event of the job.
    pub seq: u64,
    /// What happened.
    pub kind: EventKind,
    /// The worker's own words, made printable.
    pub detail: String,
    /// When it was heard. When it was sent only the sender knows, whose clock is not asked.
    pub heard: Timestamp,
    /// Whether it had a valid signature.
    pub signed: bool,
}

/// The events since the last look.
pub type Heard = Vec<JobEvent>;

/// What can happen to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// The worker began.
    Started,
    /// It waits for a person's permission.
    PermissionRequired,
    /// It goes on.
    Progress,
    /// It is done.
    Completed,
    /// It failed.
    Error,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Started,
        Self::PermissionRequired,
        Self::Progress,
        Self::Completed,
        Self::Error,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::PermissionRequired => "permission_required",
            Self::Progress => "progress",
            Self::Completed => "completed",
            Self::Error => "error",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What the job has come to, if this is its end.
    #[must_use]
    pub const fn outcome(self) -> Option<JobStatus> {
        match self {
            Self::Completed => Some(JobStatus::Completed),
            Self::Error => Some(JobStatus::Error),
            Self::Started | Self::PermissionRequired | Self::Progress => None,
        }
    }
}
