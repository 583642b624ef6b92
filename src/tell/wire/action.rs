//! What was written to the roll, or in a dry run would be.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::core::drift::Kind;
use crate::core::edit as core_edit;
use crate::core::ids::{ServerName, SessionName};
use crate::core::report::{Outcome, Told, ToldJob};
use crate::tell::sentence;

#[cfg(test)]
use super::SECONDS;

/// One thing that was written to the roll, or in a dry run would be. Several ends of one cause are one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Action {
    /// The ids of the drifts that it answers: one, or as many as ended by one cause; or of the job update.
    pub drifts: Vec<String>,
    /// The sessions whose rows it changes, in the order of `drifts`.
    pub sessions: Vec<String>,
    /// The kind of those drifts; `job_outcome` for a job's.
    pub kind: String,
    /// The change to each of those rows.
    pub change: Change,
    /// The sentence for a card.
    pub comment: String,
}

/// A change to a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Change {
    /// The row is marked terminated.
    Terminate {
        /// The time of the look that proved the end.
        #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
        at: String,
    },
    /// The session gets a row.
    Register {
        /// Its pane.
        pane: Pane,
        /// Its tmux server, unless it is the default one.
        tmux_server: Option<String>,
        /// The agent its name tells, if its conversation is known.
        agent: Option<String>,
        /// Its conversation, if that is proven.
        id: Option<String>,
    },
    /// An ended row runs again; its end moves to `previous_end`.
    Revive {
        /// The pane it has now.
        pane: Pane,
        /// The tmux server it is on, where the row said otherwise.
        tmux_server: Option<String>,
    },
    /// A running row gets the pane of its new session.
    Reincarnate {
        /// The pane it has now.
        pane: Pane,
        /// The tmux server it is on, where the row said otherwise.
        tmux_server: Option<String>,
    },
    /// A row that was ended by mistake runs again.
    Restore,
    /// The row gets a conversation id.
    SetId {
        /// Whose id it is.
        agent: String,
        /// The id.
        id: String,
        /// The id it replaces, which goes to the head of `<key>_previous`.
        replaces: Option<String>,
    },
    /// The row gets the outcome of its delegated job. Its status stays.
    JobOutcome {
        /// The job.
        job_id: String,
        /// What it came to.
        status: String,
        /// When.
        #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
        finished_at: String,
        /// The line for people that the row gets.
        note: String,
    },
}

/// The pane of a session, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Pane {
    /// The pid of its first process.
    pub pid: Option<u32>,
    /// The name of its foreground program.
    pub cmd: Option<String>,
    /// Its working folder.
    pub cwd: Option<String>,
}

/// The actions that a pass took or, in a dry run, would take, in the order of their first drifts.
pub(super) fn of(told: &[Told], jobs: &[ToldJob]) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut told_already = Vec::new();
    for one in told {
        let Some(edit) = written(one) else { continue };
        let Some(cause) = Cause::of(one) else {
            actions.push(Action {
                drifts: vec![one.drift.id.to_string()],
                sessions: vec![edit.target.name().to_string()],
                kind: one.drift.kind.as_str().to_owned(),
                change: Change::from(&edit.change),
                comment: sentence::comment(&one.drift, &one.outcome),
            });
            continue;
        };
        if told_already.contains(&cause) {
            continue;
        }
        actions.push(ends_by(&cause, one, edit, told));
        told_already.push(cause);
    }
    actions.extend(jobs.iter().filter_map(outcome_of));
    actions
}

/// The action that writes a job's outcome, if it was written or would be.
fn outcome_of(told: &ToldJob) -> Option<Action> {
    let edit = match told.outcome {
        Outcome::Applied | Outcome::WouldApply => told.update.decision.edit()?,
        Outcome::Pending { .. } | Outcome::Held(_) | Outcome::ToldOnly => return None,
    };
    Some(Action {
        drifts: vec![told.update.cause.to_string()],
        sessions: vec![edit.target.name().to_string()],
        kind: "job_outcome".to_owned(),
        change: Change::from(&edit.change),
        comment: sentence::of_job(told),
    })
}

/// The edit of a drift that was written or would be.
fn written(told: &Told) -> Option<&core_edit::Edit> {
    match told.outcome {
        Outcome::Applied | Outcome::WouldApply => told.drift.edit.as_ref(),
        Outcome::Pending { .. } | Outcome::Held(_) | Outcome::ToldOnly => None,
    }
}

/// All ends of one cause, as one action.
fn ends_by(cause: &Cause<'_>, first: &Told, edit: &core_edit::Edit, told: &[Told]) -> Action {
    let together: Vec<(&Told, &SessionName)> = told
        .iter()
        .filter(|one| Cause::of(one).as_ref() == Some(cause))
        .filter_map(|one| Some((one, written(one)?.target.name())))
        .collect();
    let sessions: Vec<&SessionName> = together.iter().map(|&(_, name)| name).collect();
    Action {
        drifts: together
            .iter()
            .map(|(one, _)| one.drift.id.to_string())
            .collect(),
        sessions: sessions.iter().map(ToString::to_string).collect(),
        kind: Kind::TmuxGone.as_str().to_owned(),
        change: Change::from(&edit.change),
        comment: if sessions.len() == 1 {
            sentence::comment(&first.drift, &first.outcome)
        } else {
            sentence::common_end(&sessions, &first.drift.reason, &first.outcome)
        },
    }
}

/// A cause that can end many sessions at once. Servers are told apart, machines need not be: one report is
/// of one machine.
#[derive(PartialEq, Eq)]
struct Cause<'a> {
    reason: &'a str,
    server: Option<&'a ServerName>,
    applied: bool,
}

impl<'a> Cause<'a> {
    fn of(told: &'a Told) -> Option<Self> {
        if told.drift.kind != Kind::TmuxGone {
            return None;
        }
        let server = match told.drift.reason.as_str() {
            "host_rebooted" => None,
            "server_restarted" | "server_gone" => told.drift.server.as_ref(),
            _ => return None,
        };
        Some(Self {
            reason: &told.drift.reason,
            server,
            applied: told.outcome == Outcome::Applied,
        })
    }
}

impl From<&core_edit::Change> for Change {
    fn from(change: &core_edit::Change) -> Self {
        match change {
            core_edit::Change::Terminate { at } => Self::Terminate { at: at.iso() },
            core_edit::Change::Register { pane, server, id } => Self::Register {
                pane: Pane::from(pane),
                tmux_server: server.as_ref().map(ToString::to_string),
                agent: id.as_ref().map(|(agent, _)| agent.to_string()),
                id: id.as_ref().map(|(_, id)| id.to_string()),
            },
            core_edit::Change::Revive { pane, server } => Self::Revive {
                pane: Pane::from(pane),
                tmux_server: server.as_ref().map(ToString::to_string),
            },
            core_edit::Change::Reincarnate { pane, server } => Self::Reincarnate {
                pane: Pane::from(pane),
                tmux_server: server.as_ref().map(ToString::to_string),
            },
            core_edit::Change::Restore => Self::Restore,
            core_edit::Change::SetId {
                agent,
                id,
                replaces,
            } => Self::SetId {
                agent: agent.to_string(),
                id: id.to_string(),
                replaces: replaces.as_ref().map(ToString::to_string),
            },
            core_edit::Change::JobOutcome {
                job,
                status,
                finished,
                note,
            } => Self::JobOutcome {
                job_id: job.to_string(),
                status: status.as_str().to_owned(),
                finished_at: finished.iso(),
                note: note.clone(),
            },
        }
    }
}

impl From<&core_edit::PaneRecord> for Pane {
    fn from(pane: &core_edit::PaneRecord) -> Self {
        let core_edit::PaneRecord { pid, cmd, cwd } = pane;
        Self {
            pid: *pid,
            cmd: cmd.clone(),
            cwd: cwd.clone(),
        }
    }
}
