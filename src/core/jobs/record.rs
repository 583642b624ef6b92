//! What the record of a job says: `jobs/<job_id>.json` beside the roll.

use crate::core::ids::{SessionName, Timestamp};

/// A job's record, as far as it matters here. Its prompt and its secrets stay on the disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
    /// `status`
    pub status: JobStatus,
    /// `created_at`, if that can be read.
    pub created: Option<Timestamp>,
    /// `updated_at`, else when the file was last written.
    pub updated: Timestamp,
    /// The session that `agent_session` names (`tmux:<name>`).
    pub session: Option<SessionName>,
    /// Whether it has an `auth_token`: then only what is signed with it counts.
    pub needs_signature: bool,
}

/// How a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum JobStatus {
    /// It has not begun.
    Pending,
    /// It is being worked on.
    Running,
    /// It is done.
    Completed,
    /// It failed.
    Error,
    /// Somebody called it off.
    Cancelled,
}

impl JobStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Completed,
        Self::Error,
        Self::Cancelled,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more is to come.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Error | Self::Cancelled)
    }
}
