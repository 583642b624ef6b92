//! The roll as it was read: which sessions are declared, and what is said of them.

use std::collections::BTreeMap;

use super::ids::{AgentKind, ConversationId, Fingerprint, Pid, ServerName, SessionName, Timestamp};
use super::jobs::JobStatus;

/// The parsed roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// SHA-256 of the bytes it was read from.
    pub fingerprint: Fingerprint,
    /// When the file was last written (its mtime). It says one thing only: the latest moment at which a
    /// row unknown to the ledger can have been written.
    pub written_at: Timestamp,
    /// The rows that can be reconciled, in file order.
    pub rows: Vec<Row>,
    /// The rows that cannot, each with what is wrong.
    pub invalid: Vec<InvalidRow>,
    /// What `agent_identities` records, in file order.
    pub identities: Vec<Identity>,
}

/// One declared session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place in `tmux_sessions`, counted from 0 over all entries, invalid ones included.
    pub index: usize,
    /// Fingerprint of the row's whole content, unknown keys included; comments and layout do not count.
    pub fingerprint: Fingerprint,
    /// `name`.
    pub name: SessionName,
    /// `status`.
    pub status: Status,
    /// `tmux_server`; `None` where the row does not say (or says null or nothing).
    pub server: Option<ServerName>,
    /// `pane`, as far as it is recorded.
    pub pane: RowPane,
    /// The `*_own` keys of the row that are present, null or not.
    pub ids: BTreeMap<AgentKind, RecordedId>,
    /// The agent the row is for: by its id keys if exactly one is there, else by the suffix of its name,
    /// else by `agent`, `pane.cmd` or the first word of `start_command`.
    pub agent: Option<AgentKind>,
    /// What an ended row records of its end.
    pub end: RowEnd,
    /// `delegate_job_id`.
    pub job: Option<String>,
    /// `delegate_job_status_of`: the job whose outcome the row has.
    pub job_status_of: Option<String>,
    /// `delegate_job_status`: that outcome, if it is one.
    pub job_status: Option<JobStatus>,
}

/// `pane` of a row. Any of it may be missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowPane {
    /// `pane.pid`.
    pub pid: Option<Pid>,
    /// `pane.cmd`.
    pub cmd: Option<String>,
    /// `pane.cwd`.
    pub cwd: Option<String>,
}

/// One `*_own` key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedId {
    /// Its value; `None` for null, nothing and the empty text.
    pub value: Option<ConversationId>,
    /// `<key>_previous`, newest first.
    pub previous: Vec<ConversationId>,
}

/// The recorded end of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowEnd {
    /// The newest of what can be read of `terminated_at_epoch` and `stopped_at_epoch` (seconds), and of the text of
    /// `terminated_at`, `stopped_at` and `archived_at`.
    pub at: Option<Timestamp>,
    /// `termination_mode`.
    pub mode: Option<String>,
}

/// What a row says of its session.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// `running`
    Running,
    /// `stopped`
    Stopped,
    /// `terminated`
    Terminated,
    /// `archived`
    Archived,
    /// A status headcount does not know: kept, told, never edited.
    Other(String),
}

impl Status {
    /// The status of that word.
    #[must_use]
    pub fn named(word: &str) -> Self {
        match word {
            "running" => Self::Running,
            "stopped" => Self::Stopped,
            "terminated" => Self::Terminated,
            "archived" => Self::Archived,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The word for it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Terminated => "terminated",
            Self::Archived => "archived",
            Self::Other(word) => word,
        }
    }

    /// Whether it is one of the three ends.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        matches!(self, Self::Stopped | Self::Terminated | Self::Archived)
    }
}

/// The word headcount writes as `termination_mode`.
pub const AUTO_DETECTED: &str = "auto-detected";

impl Row {
    /// Whether headcount itself ended this row.
    #[must_use]
    pub fn ended_by_headcount(&self) -> bool {
        self.status == Status::Terminated && self.end.mode.as_deref() == Some(AUTO_DETECTED)
    }

    /// The recorded conversation id of an agent.
    #[must_use]
    pub fn recorded_id(&self, agent: AgentKind) -> Option<&ConversationId> {
        self.ids.get(&agent).and_then(|id| id.value.as_ref())
    }
}

/// An entry of `tmux_sessions` that cannot be reconciled. It is told, never edited, and its name is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidRow {
    /// Its place in `tmux_sessions`.
    pub index: usize,
    /// Its name, if it has one.
    pub name: Option<SessionName>,
    /// Its recorded pane pid, if it has one: such a pane may be this row's.
    pub pid: Option<Pid>,
    /// What is wrong, as a sentence without a full stop.
    pub problem: String,
    /// Line in the file, counted from 1, where it is known.
    pub line: Option<usize>,
}

/// One entry of `agent_identities` that records an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The key: usually an agent's name.
    pub key: String,
    /// The agent of that name.
    pub agent: Option<AgentKind>,
    /// `session_id`, else `conversation_id`.
    pub id: ConversationId,
    /// `project_cwd`.
    pub cwd: Option<String>,
}
