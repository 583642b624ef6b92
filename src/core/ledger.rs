//! The memory between looks: what was seen when, from where, and which drifts are open.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::{
    AgentKind, BootId, ConversationId, DriftId, Fingerprint, Pid, ServerName, SessionName,
    StartTicks, Timestamp,
};
use super::world::{Place, ServerId};

/// Everything remembered about one roll. Folding a look into it is pure; the state folder keeps it on disk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// The places that `headcount init` made a home of this roll.
    pub homes: BTreeSet<Place>,
    /// The last life of each tmux server that answered, by place and socket.
    pub servers: BTreeMap<(Place, String), KnownServer>,
    /// What is known of each row.
    pub rows: BTreeMap<RowKey, KnownRow>,
    /// The conversations whose files were seen.
    pub artifacts: BTreeMap<(AgentKind, ConversationId), KnownArtifact>,
    /// The drifts that are open.
    pub drifts: BTreeMap<DriftId, OpenDrift>,
}

/// Which row: its name, and its server if it names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// `name`
    pub name: SessionName,
    /// `tmux_server`
    pub server: Option<ServerName>,
}

/// A tmux server that answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownServer {
    /// Which life of it.
    pub id: ServerId,
    /// In which boot.
    pub boot: BootId,
    /// When last.
    pub seen: Timestamp,
}

/// A row that was in the roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRow {
    /// Its content.
    pub fingerprint: Fingerprint,
    /// When a look first met this content.
    pub since: Timestamp,
    /// In which boot a look last met this content, and where: a row unchanged since another boot of the
    /// same machine is older than this one.
    pub seen_in: (Place, BootId),
    /// When and how its session was last seen alive.
    pub alive: Option<SeenAlive>,
    /// What was known of its conversation ids.
    pub ids: BTreeMap<AgentKind, KnownId>,
}

/// A session that was surely this row's, alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenAlive {
    /// From where.
    pub place: Place,
    /// When.
    pub at: Timestamp,
    /// Which life of the session.
    pub incarnation: Incarnation,
}

/// Which life of a session: no two lives agree in all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incarnation {
    /// The boot.
    pub boot: BootId,
    /// The socket of its server.
    pub socket: String,
    /// Which life of the server.
    pub server: ServerId,
    /// tmux's id of the session.
    pub session: String,
    /// When the session was created.
    pub created: Timestamp,
    /// tmux's id of the pane.
    pub pane: String,
    /// The pane's first process.
    pub pid: Pid,
    /// When that process began, if it was read.
    pub start: Option<StartTicks>,
}

/// What is known of one conversation id of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownId {
    /// What the row recorded when it was last read.
    pub recorded: Option<ConversationId>,
    /// Somebody else changed the recorded id while this conversation was live: theirs stays until another
    /// conversation is live.
    pub overruled: Option<ConversationId>,
}

/// A conversation whose file was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownArtifact {
    /// When the file had last changed.
    pub modified: Timestamp,
    /// When it was last seen.
    pub seen: Timestamp,
}

/// A drift that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenDrift {
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// In how many looks.
    pub count: u64,
    /// Since when every look has proven it, and in which boot; `None` while the last look did not.
    pub proven_since: Option<(Timestamp, BootId)>,
    /// The sentence that tells it, for the news that it is resolved.
    pub session: Option<SessionName>,
    /// Its class letter.
    pub class: char,
    /// Its kind.
    pub kind: String,
}
