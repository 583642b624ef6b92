//! What people read of a report, one thing after the other, trouble first.

use super::sentence;
use super::visible::{readable, readable_name};
use crate::core::drift::Note;
use crate::core::report::{Outcome, Report, Resolved, Told, ToldJob};
use crate::core::world::{Source, SourceState};

/// One thing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// How it stands.
    pub state: State,
    /// The class letter of a drift.
    pub class: Option<char>,
    /// The kind of the drift or note; nothing for a source.
    pub kind: String,
    /// What it is about: a session, a source.
    pub subject: String,
    /// The tmux server of that session, unless it is the default one.
    pub server: Option<String>,
    /// The sentences.
    pub statement: String,
}

/// How a thing stands, in the order of how much it wants a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// A source that could not be seen.
    Unseen,
    /// A drift that is due and yet not written.
    Held,
    /// A drift that is never written.
    Told,
    /// A note.
    Note,
    /// A drift that is not due yet.
    Pending,
    /// A drift that would be written, were this not a dry run.
    ToWrite,
    /// A drift that was written.
    Written,
    /// A drift that is no more.
    Resolved,
}

impl State {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Held => "held",
            Self::Told => "told",
            Self::Note => "note",
            Self::Pending => "pending",
            Self::ToWrite => "to write",
            Self::Written => "written",
            Self::Resolved => "resolved",
        }
    }
}

impl From<&Outcome> for State {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Applied => Self::Written,
            Outcome::WouldApply => Self::ToWrite,
            Outcome::Pending { .. } => Self::Pending,
            Outcome::Held(_) => Self::Held,
            Outcome::ToldOnly => Self::Told,
        }
    }
}

/// Everything in a report that a person should read, trouble first; within that, in the report's order.
#[must_use]
pub fn of(report: &Report) -> Vec<Item> {
    let unseen = report
        .sources
        .iter()
        .filter(|source| source.state == SourceState::Unknown)
        .map(Item::from);
    let drifts = report.drifts.iter().map(Item::from);
    let notes = report.notes.iter().map(Item::from);
    let jobs = report.jobs.iter().map(Item::from);
    let resolved = report.resolved.iter().map(Item::from);
    let mut items: Vec<Item> = unseen
        .chain(drifts)
        .chain(jobs)
        .chain(notes)
        .chain(resolved)
        .collect();
    items.sort_by_key(|item| item.state);
    // What is told of a source is not told again of every row that it hides.
    let told: Vec<(String, String)> = items
        .iter()
        .filter(|item| item.state == State::Unseen)
        .map(|item| (item.statement.clone(), format!("see {}", item.subject)))
        .collect();
    for item in items.iter_mut().filter(|item| item.state != State::Unseen) {
        for (statement, reference) in &told {
            if statement.len() > reference.len() {
                item.statement = item.statement.replace(statement, reference);
            }
        }
    }
    for item in &mut items {
        item.subject = readable_name(&item.subject);
        item.statement = readable(&item.statement);
    }
    items
}

impl From<&Source> for Item {
    fn from(source: &Source) -> Self {
        Self {
            state: State::Unseen,
            class: None,
            kind: String::new(),
            subject: source.name.clone(),
            server: None,
            statement: source.reason.clone(),
        }
    }
}

impl From<&Told> for Item {
    fn from(told: &Told) -> Self {
        Self {
            state: State::from(&told.outcome),
            class: Some(told.drift.kind.class().letter()),
            kind: told.drift.kind.as_str().to_owned(),
            subject: sentence::subject(&told.drift),
            server: told
                .drift
                .server
                .as_ref()
                .filter(|server| !server.is_default())
                .map(ToString::to_string),
            statement: match (sentence::statement(&told.drift, &told.outcome), told.acked) {
                (statement, false) => statement,
                (statement, true) => format!("{statement} Acknowledged."),
            },
        }
    }
}

impl From<&ToldJob> for Item {
    fn from(told: &ToldJob) -> Self {
        Self {
            state: State::from(&told.outcome),
            class: None,
            kind: format!("job_{}", told.update.state),
            subject: told.update.session.to_string(),
            server: told
                .update
                .server
                .as_ref()
                .filter(|server| !server.is_default())
                .map(ToString::to_string),
            statement: sentence::of_job_alone(told),
        }
    }
}

impl From<&Note> for Item {
    fn from(note: &Note) -> Self {
        let subject = note
            .session
            .as_ref()
            .map_or_else(|| "the roll".to_owned(), ToString::to_string);
        // Most notes begin with the name that is told apart here.
        let statement = note.text.strip_prefix(&format!("{subject}: "));
        Self {
            state: State::Note,
            class: None,
            kind: note.kind.as_str().to_owned(),
            server: note
                .server
                .as_ref()
                .filter(|server| !server.is_default())
                .map(ToString::to_string),
            statement: statement.unwrap_or(&note.text).to_owned(),
            subject,
        }
    }
}

impl From<&Resolved> for Item {
    fn from(resolved: &Resolved) -> Self {
        Self {
            state: State::Resolved,
            class: Some(resolved.class),
            kind: resolved.kind.clone(),
            subject: resolved
                .session
                .as_ref()
                .map_or_else(|| "agent_identities".to_owned(), ToString::to_string),
            server: None,
            statement: format!("In order again. First seen {}.", resolved.first_seen),
        }
    }
}
