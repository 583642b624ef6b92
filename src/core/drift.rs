//! What a comparison finds: drifts, and notes that a person should know.

use std::time::Duration;

use super::edit::{Change, Edit, Value};
use super::ids::{AgentKind, DriftId, Pid, ServerName, SessionName, Timestamp};

/// The four classes of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The row says running; its session is gone.
    A,
    /// A live session that no running row accounts for.
    B,
    /// The conversation id is known, or is another.
    C,
    /// A recorded conversation has no file any more.
    D,
}

impl Class {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::A, Self::B, Self::C, Self::D];

    /// `A` to `D`.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
            Self::D => 'D',
        }
    }
}

/// What kind of difference it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A: the session is gone.
    TmuxGone,
    /// B: nobody declared the session.
    Unregistered,
    /// B: an ended row runs again.
    Revived,
    /// B: a running row's session is a new one of the same name.
    Reincarnated,
    /// B: headcount ended this row, and its very session lives.
    Mistaken,
    /// C: a null id has become known.
    IdMaterialized,
    /// C: the live conversation is another than the recorded one.
    Rotated,
    /// D: a recorded conversation has no file.
    StaleId,
}

impl Kind {
    /// The class it belongs to.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::TmuxGone => Class::A,
            Self::Unregistered | Self::Revived | Self::Reincarnated | Self::Mistaken => Class::B,
            Self::IdMaterialized | Self::Rotated => Class::C,
            Self::StaleId => Class::D,
        }
    }

    /// Its word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TmuxGone => "tmux_gone",
            Self::Unregistered => "unregistered",
            Self::Revived => "revived",
            Self::Reincarnated => "reincarnated",
            Self::Mistaken => "mistaken",
            Self::IdMaterialized => "id_materialized",
            Self::Rotated => "rotated",
            Self::StaleId => "stale_id",
        }
    }
}

/// How sure a drift is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// By the thing's own live record, a kernel fact or a complete listing.
    Proven,
    /// The only explanation that is left, by the rules of inference.
    Inferred,
}

impl Confidence {
    /// Its word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proven => "proven",
            Self::Inferred => "inferred",
        }
    }
}

/// One piece of what a verdict rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Where it comes from: `tmux:default`, `process 4711`, `ledger`, a file.
    pub source: String,
    /// What it said.
    pub said: String,
    /// When it was looked at.
    pub at: Timestamp,
}

/// One difference between the roll and the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// The same difference has the same id in every look; no time goes into it.
    pub id: DriftId,
    /// What it is.
    pub kind: Kind,
    /// The session it is about; `None` for an entry of `agent_identities`.
    pub session: Option<SessionName>,
    /// The server of that session, as far as the row or the session tells.
    pub server: Option<ServerName>,
    /// The agent.
    pub agent: Option<AgentKind>,
    /// Why: a word that programs can match (`session_gone`, `host_rebooted`, `missing`, …).
    pub reason: String,
    /// The row's keys that are concerned, as they are.
    pub before: Vec<(String, Value)>,
    /// The same keys, as they would be.
    pub after: Vec<(String, Value)>,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// How sure it is.
    pub confidence: Confidence,
    /// What would be written. `None` for drifts that are only told.
    pub edit: Option<Edit>,
    /// What has to be waited for.
    pub wait: Wait,
    /// What forbids writing it, however long one waits.
    pub obstacle: Option<Held>,
    /// Whether this end has a cause of its own, as the brake on mass changes asks for.
    pub own_cause: bool,
    /// What the row recorded of its pane, for the sentence on the card.
    pub was: (Option<Pid>, Option<String>),
}

impl Drift {
    /// The change it proposes.
    #[must_use]
    pub fn change(&self) -> Option<&Change> {
        self.edit.as_ref().map(|edit| &edit.change)
    }
}

/// What a drift waits for before it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Nothing.
    No,
    /// A second proof, this long after the first.
    SecondLook(Duration),
    /// The moment its session is old enough.
    Until(Timestamp),
    /// Another drift of the same row, which makes it run again: written together with that one, or not.
    With(DriftId),
}

/// Why a drift is not written although it would be due.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// This machine or pid namespace is not known to be the row's home.
    NotHome,
    /// The row's recorded process lives, or could not be asked.
    ProcessAlive(String),
    /// Something that might be this row's could not be told apart.
    Doubt(String),
    /// Too many rows at once, and this one has no cause of its own.
    MassChange,
    /// Somebody else changed this on purpose.
    PersonChanged,
    /// The roll was busy, or the row changed, whenever it was tried.
    Contended,
    /// Somebody kept the roll's lock, or that of its memory, for as long as was waited.
    Locked(String),
    /// Another program's store stands beside the roll.
    ReadOnly(String),
    /// The text of the roll cannot be changed here without touching something else.
    NotEditable(String),
    /// A plan is carried out, and this is not in it, or is otherwise in it.
    NotPlanned,
    /// It was written once, and a person took it back.
    Undone,
}

impl Held {
    /// Its word in reports.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NotHome => "not_home",
            Self::ProcessAlive(_) => "process_alive",
            Self::Doubt(_) => "doubt",
            Self::MassChange => "mass_change",
            Self::PersonChanged => "person_changed",
            Self::Contended => "contended",
            Self::Locked(_) => "locked",
            Self::ReadOnly(_) => "read_only",
            Self::NotEditable(_) => "not_editable",
            Self::NotPlanned => "not_planned",
            Self::Undone => "undone",
        }
    }

    /// Why, for a person, without a full stop.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::NotHome => "this machine or container is not known to be the home of this row".to_owned(),
            Self::ProcessAlive(what)
            | Self::Doubt(what)
            | Self::Locked(what)
            | Self::ReadOnly(what)
            | Self::NotEditable(what) => what.clone(),
            Self::MassChange => {
                "more than half of the running rows would end at once, and this one has no cause of its own"
                    .to_owned()
            }
            Self::PersonChanged => "somebody else set this id while another conversation was live".to_owned(),
            Self::NotPlanned => "the plan that is carried out does not hold this change".to_owned(),
            Self::Undone => "it was written before, and a person took that back by `headcount undo`".to_owned(),
            Self::Contended => "the row was changed, or the roll kept busy, by others meanwhile".to_owned(),
        }
    }

    /// What a person can do about it: a sentence.
    #[must_use]
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::NotHome => {
                "If the sessions of this roll run here, say so once with `headcount init`."
            }
            Self::ProcessAlive(_) => {
                "Look at that process; if it is not this session's, end the row by hand."
            }
            Self::Doubt(_) => "Make it visible to headcount, or correct the roll by hand.",
            Self::MassChange => "If it is true, run again with --allow-mass-change.",
            Self::PersonChanged => {
                "Nothing to do: it is compared again when another conversation is live."
            }
            Self::Contended => "Nothing to do: the next pass tries again.",
            Self::Locked(_) => {
                "Run again when it is let go; for a lock, --lock-timeout SECONDS waits longer."
            }
            Self::NotEditable(_) => {
                "Change the roll as this says, or make the change itself by hand."
            }
            Self::NotPlanned => "Make a new plan if it should be written.",
            Self::Undone => {
                "It stays so until something else is seen; to have it written after all, undo the undo, by its number in `headcount log`."
            }
            Self::ReadOnly(_) => {
                "Let the program that owns that store write, or move the store away."
            }
        }
    }
}

/// Something a person should know that is no drift and is never written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What kind of note.
    pub kind: NoteKind,
    /// The session it is about.
    pub session: Option<SessionName>,
    /// Its server.
    pub server: Option<ServerName>,
    /// The sentence.
    pub text: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}

/// The kinds of notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoteKind {
    /// The row says running, its session lives, but no agent does.
    AgentExited,
    /// The session is gone but its process lives on, below no tmux server.
    LeftoverProcess,
    /// The row's session lives under another name.
    Renamed,
    /// An undeclared session's folder has a roll of its own.
    Foreign,
    /// Several conversations or agents could be the one.
    Ambiguous,
    /// One conversation is live in two processes.
    SharedId,
    /// An ended row's session is alive.
    StillAlive,
    /// The conversation's id is known, but nothing is on disk of it yet.
    Known,
    /// The conversation's file lies in another folder than the row's.
    Moved,
    /// The recorded conversation is live and has not been written to yet.
    NeverWritten,
    /// A row that cannot be reconciled.
    InvalidRow,
    /// A row with a status headcount does not know.
    UnknownStatus,
    /// A live session's name is taken by a row that is not its own.
    NameTaken,
    /// A running row whose session could not be looked for.
    Unseen,
    /// A running row whose live conversation could not be read.
    Unread,
    /// Two who should know say different things of what a job came to.
    JobContradiction,
}

impl NoteKind {
    /// Its word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentExited => "agent_exited",
            Self::LeftoverProcess => "leftover_process",
            Self::Renamed => "renamed",
            Self::Foreign => "foreign",
            Self::Ambiguous => "ambiguous",
            Self::SharedId => "shared_id",
            Self::StillAlive => "still_alive",
            Self::Known => "known",
            Self::Moved => "moved",
            Self::NeverWritten => "never_written",
            Self::InvalidRow => "invalid_row",
            Self::UnknownStatus => "unknown_status",
            Self::NameTaken => "name_taken",
            Self::Unseen => "unseen",
            Self::Unread => "unread",
            Self::JobContradiction => "job_contradiction",
        }
    }
}
