//! What is seen of a session, in the words of a person.

use super::may_live;
use crate::core::absence::{Asked, Inquiry, Listed};
use crate::core::diff::Fate;
use crate::core::drift::{Evidence, Held};
use crate::core::ids::AgentKind;
use crate::core::join::{Join, Joined};
use crate::core::past::Past;
use crate::core::registry::{Row, Status};
use crate::core::sighting::Sighting;
use crate::core::world::{AgentSight, PaneSight, SessionSight};

/// What is seen of a session. Only [`Sight::Gone`] says that it is gone, and that is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It lives, and its agent in it, which says of itself what it does (`idle`, `busy`, `waiting`) if it does.
    Agent(Option<String>),
    /// It lives, and so do several of its agents in one pane.
    Several,
    /// It lives, and no agent is in it.
    NoAgent,
    /// It lives, and its program has ended.
    DeadPane,
    /// It lives, and what runs in it could not be read; why.
    Unread(String),
    /// Its process lives in another session, which has this name.
    Moved,
    /// It is proven to be gone.
    Gone(Vec<Evidence>),
    /// It is not among what was listed, and may live all the same; why.
    Doubtful(String),
    /// It is not here, and here is not where it is known to have been.
    NotHere,
    /// It could not be looked for; why.
    Unseen(String),
}

impl Sight {
    /// A word or two for it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Agent(Some(activity)) => activity,
            Self::Agent(None) => "alive",
            Self::Several => "several",
            Self::NoAgent => "no agent",
            Self::DeadPane => "dead pane",
            Self::Unread(_) => "alive?",
            Self::Moved => "moved",
            Self::Gone(_) => "gone",
            Self::Doubtful(_) => "gone?",
            Self::NotHere => "not here",
            Self::Unseen(_) => "unseen",
        }
    }

    /// The word that programs match: it does not depend on what agents say.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Agent(_) => "agent",
            Self::Several => "several_agents",
            Self::NoAgent => "no_agent",
            Self::DeadPane => "dead_pane",
            Self::Unread(_) => "unread",
            Self::Moved => "moved",
            Self::Gone(_) => "gone",
            Self::Doubtful(_) => "doubtful",
            Self::NotHere => "not_here",
            Self::Unseen(_) => "unseen",
        }
    }

    /// All words that programs may meet.
    pub const WORDS: [&'static str; 10] = [
        "agent",
        "several_agents",
        "no_agent",
        "dead_pane",
        "unread",
        "moved",
        "gone",
        "doubtful",
        "not_here",
        "unseen",
    ];

    /// Whether the session was seen alive.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        matches!(
            self,
            Self::Agent(_) | Self::Several | Self::NoAgent | Self::DeadPane | Self::Unread(_)
        )
    }

    /// Why nothing better can be said, where there is more to say than the word.
    #[must_use]
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Unread(why) | Self::Doubtful(why) | Self::Unseen(why) => Some(why),
            Self::NotHere => Some("this machine or container is not known to be its home"),
            _ => None,
        }
    }
}

/// What is seen of a session that lives.
pub(super) fn present(
    session: &SessionSight,
    pane: Option<&PaneSight>,
    kind: Option<AgentKind>,
) -> Sight {
    let Some(pane) = pane else {
        return Sight::Unread("which of its panes is meant could not be told".to_owned());
    };
    let is_of_kind = |agent: &&AgentSight| kind.is_none_or(|kind| kind == agent.kind);
    match &pane.agents {
        Sighting::Unknown(reason) => Sight::Unread(reason.to_string()),
        Sighting::Present(agents) => {
            let mut of_kind = agents.iter().filter(is_of_kind);
            match (of_kind.next(), of_kind.next()) {
                (Some(agent), None) => Sight::Agent(activity(agent)),
                (Some(_), Some(_)) => Sight::Several,
                // Another agent than the row's is an agent all the same.
                (None, _) => Sight::Agent(None),
            }
        }
        Sighting::Absent(_) => {
            let mut others = session.panes.iter().filter(|other| other.id != pane.id);
            let lives = others.clone().any(|other| other.agents.is_present());
            let unread = others.any(|other| other.agents.is_unknown());
            match (lives, unread, pane.dead) {
                (true, _, _) => Sight::Agent(None),
                (false, true, _) => {
                    Sight::Unread("what runs in another of its panes could not be read".to_owned())
                }
                (false, false, true) => Sight::DeadPane,
                (false, false, false) => Sight::NoAgent,
            }
        }
    }
}

fn activity(agent: &AgentSight) -> Option<String> {
    match &agent.live {
        Sighting::Present(record) => record.activity.clone(),
        Sighting::Absent(_) | Sighting::Unknown(_) => None,
    }
}

/// What is said of a row that joined no session: by the rules of absence, whatever its status is.
pub(super) fn absent(
    past: Past<'_>,
    join: &Join<'_>,
    row: &Row,
    fate: &Fate<'_>,
    joined: &Joined<'_>,
    held: Option<&Held>,
) -> Sight {
    if let Joined::Maybe(why) = joined {
        return Sight::Unseen(why.clone());
    }
    if matches!(fate, Fate::Elsewhere) {
        return Sight::Moved;
    }
    let inquiry = Inquiry { past, join };
    match inquiry.listings(row) {
        Listed::Unseen(why) => Sight::Unseen(why),
        Listed::Gone { .. } if held.is_some_and(may_live) => {
            Sight::Doubtful(held.map(Held::why).unwrap_or_default())
        }
        Listed::Gone { .. } if !inquiry.at_home(row) => Sight::NotHere,
        // Of rows that ended, nobody asks the process.
        Listed::Gone { evidence, .. } if row.status != Status::Running => Sight::Gone(evidence),
        Listed::Gone { mut evidence, .. } => match inquiry.process(row) {
            Asked::Holds(held) => Sight::Doubtful(held.why()),
            Asked::InSession(_) => Sight::Moved,
            Asked::Dead(said) | Asked::Leftover(said) => {
                evidence.extend(said);
                Sight::Gone(evidence)
            }
            Asked::NotRecorded => Sight::Gone(evidence),
        },
    }
}
