//! What can be written to the roll: a closed list, so that execution has no choices left.

use super::ids::{
    AgentKind, ConversationId, DriftId, Fingerprint, Pid, ServerName, SessionName, Timestamp,
};
use super::jobs::{JobId, JobStatus};
use super::registry::AUTO_DETECTED;

/// One change to one row, caused by one drift or one job outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What caused it.
    pub cause: DriftId,
    /// The row it changes.
    pub target: Target,
    /// The change.
    pub change: Change,
}

/// Which row an edit is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A row that the look was compared with. If its content is another under the lock, the edit is dropped.
    Row {
        /// Its name.
        name: SessionName,
        /// Its content when it was read.
        fingerprint: Fingerprint,
    },
    /// A row that is not there yet. If one of that name has appeared under the lock, the edit is dropped.
    New {
        /// The name it will have.
        name: SessionName,
    },
}

impl Target {
    /// The name of the row.
    #[must_use]
    pub const fn name(&self) -> &SessionName {
        match self {
            Self::Row { name, .. } | Self::New { name } => name,
        }
    }
}

/// The pane of a session, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PaneRecord {
    /// The pid of the pane's first process.
    pub pid: Option<Pid>,
    /// The name of its foreground program.
    pub cmd: Option<String>,
    /// Its working folder.
    pub cwd: Option<String>,
}

/// A change to a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Class A: the session is gone.
    Terminate {
        /// The time of the look.
        at: Timestamp,
    },
    /// Class B: a session nobody declared gets a row.
    Register {
        /// Its pane.
        pane: PaneRecord,
        /// Its server, unless it is the default one.
        server: Option<ServerName>,
        /// The agent its name tells, and the conversation if that is proven or the only one left.
        id: Option<(AgentKind, ConversationId)>,
    },
    /// Class B: an ended row runs again. Its end moves to `previous_end`.
    Revive {
        /// The pane it has now.
        pane: PaneRecord,
        /// The server it is on, where the row says otherwise.
        server: Option<ServerName>,
    },
    /// Class B: a running row's session is a new one of the same name.
    Reincarnate {
        /// The pane it has now.
        pane: PaneRecord,
        /// The server it is on, where the row says otherwise.
        server: Option<ServerName>,
    },
    /// Class B: headcount ended this row and was wrong.
    Restore,
    /// Class C: the conversation id is known, or is another.
    SetId {
        /// Whose id.
        agent: AgentKind,
        /// The id.
        id: ConversationId,
        /// The id it replaces, which goes to the head of `<key>_previous`.
        replaces: Option<ConversationId>,
    },
    /// No drift: the row's job has ended. What the session is doing is not touched.
    JobOutcome {
        /// The job.
        job: JobId,
        /// What it came to.
        status: JobStatus,
        /// When, as far as is known here.
        finished: Timestamp,
        /// A line for people, at most 200 printable characters.
        note: String,
    },
}

/// The keys that record a row's end, in the order they are moved to `previous_end`.
pub const END_KEYS: [&str; 8] = [
    "terminated_at",
    "terminated_at_epoch",
    "termination_mode",
    "stopped_at",
    "stopped_at_epoch",
    "stop_reason",
    "resumable",
    "archived_at",
];

/// A value an edit writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `null`
    Null,
    /// A whole number.
    Int(i64),
    /// A text: written so that every YAML reader gets a text back.
    Text(String),
    /// A mapping, in this order.
    Map(Vec<(String, Value)>),
}

/// One step of an edit on a row's mapping. The text of the roll and its model are changed by the same
/// steps, and the two results are compared before anything is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Sets `row[path[0]][path[1]]…`; mappings on the way are made where they are missing.
    Set {
        /// The keys, outermost first; one or two of them.
        path: Vec<String>,
        /// The value.
        value: Value,
    },
    /// Moves those of `keys` that are present, with their values, into a new mapping `row[under]`. What
    /// `row[under]` held is replaced. Does nothing when none is present.
    Gather {
        /// The keys.
        keys: Vec<String>,
        /// The mapping they go to.
        under: String,
    },
    /// Puts a text at the head of the list `row[key]`, which is made where it is missing or null.
    Prepend {
        /// The list's key.
        key: String,
        /// The text.
        text: String,
    },
    /// Appends a row to `tmux_sessions`.
    Append {
        /// The whole row.
        row: Vec<(String, Value)>,
    },
}

impl Edit {
    /// The steps that carry this edit out, in order.
    #[must_use]
    pub fn ops(&self) -> Vec<Op> {
        match &self.change {
            Change::Terminate { at } => vec![
                set("status", text("terminated")),
                set("terminated_at", Value::Text(at.iso())),
                set("terminated_at_epoch", Value::Int(at.secs())),
                set("termination_mode", text(AUTO_DETECTED)),
            ],
            Change::Register { pane, server, id } => {
                let mut row = vec![
                    ("name".to_owned(), text(self.target.name().as_str())),
                    ("status".to_owned(), text("running")),
                    ("pane".to_owned(), Value::Map(pane_pairs(pane))),
                ];
                if let Some(server) = server {
                    row.push(("tmux_server".to_owned(), text(server.as_str())));
                }
                row.push(("last_visible_status".to_owned(), text("auto-registered")));
                if let Some((agent, id)) = id
                    && let Some(key) = agent.id_key()
                {
                    row.push((key.to_owned(), text(id.as_str())));
                }
                vec![Op::Append { row }]
            }
            Change::Revive { pane, server } => {
                let mut ops = vec![set("status", text("running")), gather_end()];
                ops.extend(pane_ops(pane));
                ops.extend(server_op(server.as_ref()));
                ops
            }
            Change::Reincarnate { pane, server } => {
                let mut ops = pane_ops(pane);
                ops.extend(server_op(server.as_ref()));
                ops
            }
            Change::Restore => vec![set("status", text("running")), gather_end()],
            Change::SetId {
                agent,
                id,
                replaces,
            } => {
                let Some(key) = agent.id_key() else {
                    return Vec::new();
                };
                let mut ops = vec![set(key, text(id.as_str()))];
                if let Some(old) = replaces {
                    ops.push(Op::Prepend {
                        key: format!("{key}_previous"),
                        text: old.as_str().to_owned(),
                    });
                }
                ops
            }
            Change::JobOutcome {
                job,
                status,
                finished,
                note,
            } => vec![
                set("delegate_job_status", text(status.as_str())),
                set("delegate_job_status_of", text(job.as_str())),
                set("delegate_job_finished_at", Value::Text(finished.iso())),
                set("last_visible_note", text(note)),
            ],
        }
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn set(key: &str, value: Value) -> Op {
    Op::Set {
        path: vec![key.to_owned()],
        value,
    }
}

fn server_op(server: Option<&ServerName>) -> Option<Op> {
    server.map(|server| set("tmux_server", text(server.as_str())))
}

fn gather_end() -> Op {
    Op::Gather {
        keys: END_KEYS.iter().map(|&key| key.to_owned()).collect(),
        under: "previous_end".to_owned(),
    }
}

fn pane_pairs(pane: &PaneRecord) -> Vec<(String, Value)> {
    let mut pairs = Vec::new();
    if let Some(pid) = pane.pid {
        pairs.push(("pid".to_owned(), Value::Int(i64::from(pid))));
    }
    if let Some(cmd) = &pane.cmd {
        pairs.push(("cmd".to_owned(), text(cmd)));
    }
    if let Some(cwd) = &pane.cwd {
        pairs.push(("cwd".to_owned(), text(cwd)));
    }
    pairs
}

fn pane_ops(pane: &PaneRecord) -> Vec<Op> {
    pane_pairs(pane)
        .into_iter()
        .map(|(key, value)| Op::Set {
            path: vec!["pane".to_owned(), key],
            value,
        })
        .collect()
}
