//! The rules by their names, and what would change what they say.

use crate::core::drift::{Confidence, Held, Kind, NoteKind, Wait};
use crate::core::join::By;
use crate::core::registry::Status;
use crate::core::report::{Outcome, Told};
use crate::core::standing::{Declared, Session, Sight};

/// A rule that decided something, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name, which programs can match.
    pub name: &'static str,
    /// What it says.
    pub text: String,
}

fn rule(name: &'static str, text: impl Into<String>) -> Rule {
    Rule {
        name,
        text: text.into(),
    }
}

/// The rules that decided how a session is said to stand.
pub(super) fn rules(session: &Session) -> Vec<Rule> {
    let mut rules = of_sight(session);
    rules.extend(session.drifts.iter().flat_map(of_drift));
    let mut seen = Vec::new();
    rules.retain(|rule| {
        let is_new = !seen.contains(&rule.name);
        seen.push(rule.name);
        is_new
    });
    rules
}

fn of_sight(session: &Session) -> Vec<Rule> {
    match &session.sight {
        Sight::Unseen(_) => vec![rule(
            "could_not_look",
            "What could not be looked at is not gone: nothing is concluded from it, and nothing is written.",
        )],
        Sight::NotHere => vec![rule(
            "not_home",
            "A session is said to be gone only where it is at home: on the machine, and in the pid namespace, in which it \
             was seen alive, or which `headcount init` has named.",
        )],
        Sight::Doubtful(_) => vec![rule(
            "cross_examination",
            "A session that its server does not list may live all the same: its process is asked too, and many ends at \
             once need a cause.",
        )],
        Sight::Gone(_) => vec![rule(
            "proven_absence",
            "A session is gone if its server lists all that it has without it, or if nobody listens on the server's \
             socket any more; and its recorded process says nothing else.",
        )],
        Sight::Moved => vec![rule(
            "renamed",
            "A row whose recorded process runs in another session of its server is not ended: that session was renamed.",
        )],
        Sight::Agent(_) | Sight::Several | Sight::NoAgent | Sight::DeadPane | Sight::Unread(_) => {
            joined(session).into_iter().collect()
        }
    }
}

fn joined(session: &Session) -> Option<Rule> {
    let live = session.live.as_ref()?;
    let (name, text) = match live.joined {
        Some((By::Incarnation, _)) => (
            "joined_by_incarnation",
            "It is the very session that an earlier look has seen as this row's: same server, same id, made at the same \
             time.",
        ),
        Some((By::Pid, _)) => (
            "joined_by_pid",
            "One of its panes runs the process that the row records, and that process is older than the record.",
        ),
        Some((By::Name, _)) => ("joined_by_name", "It has the name that the row has."),
        None => ("undeclared", "No row of the roll has it."),
    };
    let doubt = match live.joined {
        Some((_, false)) => {
            " It may be another row's as well, or another session may be meant: so nothing is written."
        }
        _ => "",
    };
    Some(rule(name, format!("{text}{doubt}")))
}

fn of_drift(told: &Told) -> Vec<Rule> {
    let drift = &told.drift;
    let mut rules = Vec::new();
    rules.push(match drift.kind {
        Kind::TmuxGone => rule("tmux_gone", "A row that says running, and whose session is proven to be gone, is ended."),
        Kind::Unregistered => rule(
            "unregistered",
            "A live session whose name says that it is an agent's (*-creator-AGENT) gets a row, unless one has its name or \
             its folder has a roll of its own.",
        ),
        Kind::Revived => rule(
            "revived",
            "An ended row runs again if a session of its name was made after its end, with an agent in it.",
        ),
        Kind::Reincarnated => rule(
            "reincarnated",
            "A running row whose recorded process is gone, and whose session has an agent in another pane, gets that pane.",
        ),
        Kind::Mistaken => rule(
            "mistaken",
            "A row that headcount has ended runs again if the very session is seen alive.",
        ),
        Kind::IdMaterialized | Kind::Rotated if drift.confidence == Confidence::Inferred => rule(
            "inferred_id",
            "The agent keeps no record of its conversation, and this is the only one of its folder that can be its own.",
        ),
        Kind::IdMaterialized | Kind::Rotated => rule(
            "proven_id",
            "The agent's own live record names its conversation, and the conversation has a file.",
        ),
        Kind::StaleId => rule(
            "stale_id",
            "A recorded conversation without a file is told, and never deleted from the roll.",
        ),
    });
    match (&told.outcome, &drift.wait) {
        (Outcome::Pending { .. }, Wait::SecondLook(_)) => rules.push(rule(
            "two_looks",
            "An end has to be proven by a second look, since whoever stops a session on purpose may say so a little later.",
        )),
        (Outcome::Pending { .. }, _) => rules.push(rule(
            "time_for_its_maker",
            "A new session is left alone for a while, since whoever made it may write its row late.",
        )),
        (Outcome::Held(held), _) => rules.push(rule(held.as_str(), sentence(&held.why()))),
        _ => {}
    }
    rules
}

/// What would change what is said of a session, each a sentence.
pub(super) fn changes(session: &Session) -> Vec<String> {
    let mut changes: Vec<String> = session.drifts.iter().map(of_outcome).collect();
    for note in &session.notes {
        changes.extend(of_note(note.kind).map(str::to_owned));
    }
    if changes.is_empty() {
        changes.extend(of_what_is_seen(session).map(str::to_owned));
    }
    changes.dedup();
    changes
}

fn of_outcome(told: &Told) -> String {
    let kind = told.drift.kind.as_str();
    match &told.outcome {
        Outcome::Pending { .. } if told.new && matches!(told.drift.wait, Wait::SecondLook(_)) => {
            "No pass has remarked it yet: `headcount reconcile` looks twice, and writes it if both looks prove it.".to_owned()
        }
        Outcome::Pending { due, .. } if told.drift.kind == Kind::TmuxGone => format!(
            "If a look at or after {due} proves it again, the row is marked terminated. If the session is seen again, \
             it is not; if it cannot be looked for, the proof begins anew."
        ),
        Outcome::Pending { due, .. } => format!(
            "{kind} is written by the first pass at or after {due}, if it still is so then."
        ),
        Outcome::WouldApply | Outcome::Applied => format!(
            "`headcount reconcile` writes {kind}, if it still is so then."
        ),
        Outcome::Held(held) => format!("{kind} is held back. {}", held.remedy()),
        Outcome::ToldOnly => {
            "The conversation's file coming back, or somebody taking the id out of the row, ends this. headcount writes \
             nothing about it."
                .to_owned()
        }
    }
}

const fn of_note(kind: NoteKind) -> Option<&'static str> {
    match kind {
        NoteKind::Unseen => {
            Some("Seeing it: put right what kept this look from seeing it, as told above.")
        }
        NoteKind::AgentExited => {
            Some("An agent that is started in the session, or the end of the session.")
        }
        NoteKind::LeftoverProcess => {
            Some("The end of the process that was left behind; it is no session any more.")
        }
        NoteKind::Renamed => Some(
            "The row's name, if somebody writes the new one into the roll; headcount does not rename rows.",
        ),
        NoteKind::Foreign => {
            Some("Nothing here: the roll that its folder belongs to is the one to declare it.")
        }
        NoteKind::Ambiguous => Some(
            "Fewer that can be the one: an end of the others, or a record that says which it is.",
        ),
        NoteKind::SharedId => {
            Some("The end of one of the two processes that have the same conversation.")
        }
        NoteKind::StillAlive => Some(
            "Status running in the row if it goes on, or the end of the session if it does not.",
        ),
        NoteKind::Known | NoteKind::NeverWritten => {
            Some("The first message of the conversation: only then it has a file.")
        }
        NoteKind::InvalidRow => {
            Some("A correction of the row: `headcount validate` tells where and how.")
        }
        NoteKind::UnknownStatus => {
            Some("A status that headcount knows: running, stopped, terminated or archived.")
        }
        NoteKind::NameTaken => {
            Some("Another name for the session, or the end of the row that has its name.")
        }
        NoteKind::Unread => Some("Being able to read which conversation its agent has."),
        NoteKind::Moved | NoteKind::JobContradiction => None,
    }
}

const fn of_what_is_seen(session: &Session) -> Option<&'static str> {
    match (&session.sight, &session.declared) {
        (Sight::Gone(_), _) => {
            Some("A new session of its name, with an agent in it: the row runs again then.")
        }
        (Sight::NotHere, _) => Some(Held::NotHome.remedy()),
        (Sight::Unseen(_), _) => {
            Some("Seeing it: put right what kept this look from seeing it, as told above.")
        }
        (Sight::Doubtful(_), _) => Some("The end of its process, or seeing where that runs."),
        (_, Declared::No | Declared::Grouped) => {
            Some("A row in the roll, or a name that says that it is an agent's (*-creator-AGENT).")
        }
        (_, Declared::Row(Status::Running)) => Some(
            "The end of the session or of its agent, another conversation in it, or another word in the row.",
        ),
        _ => None,
    }
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut chars = clause.chars();
    match chars.next() {
        Some(first) => format!("{}{}.", first.to_uppercase(), chars.as_str()),
        None => String::new(),
    }
}
