//! The ledger as JSON: serialisable twins of what `core` remembers. Times are milliseconds since the epoch.

mod job;

use serde::{Deserialize, Serialize};

use self::job::Job;
use super::LARGEST;
use crate::core::ids::{
    AgentKind, BootId, ConversationId, DriftId, Fingerprint, ProcessId, ServerName, SessionName,
    Timestamp,
};
use crate::core::known_clock::KnownClock;
use crate::core::ledger as core;
use crate::core::world as core_world;

/// The version of the document. A document of another version is not read.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    version: u32,
    /// The number of the journal's last entry that this remembers.
    #[serde(default)]
    pub(super) told: u64,
    homes: Vec<Place>,
    servers: Vec<Server>,
    rows: Vec<Row>,
    artifacts: Vec<Artifact>,
    #[serde(default)]
    agents: Vec<Agent>,
    drifts: Vec<Drift>,
    #[serde(default)]
    jobs: Vec<Job>,
    #[serde(default)]
    clock: Option<Clock>,
}

/// How the clock stood at the last look.
#[derive(Serialize, Deserialize)]
struct Clock {
    place: Place,
    boot: String,
    booted_at: i64,
    was_set: bool,
}

#[derive(Serialize, Deserialize)]
struct Place {
    machine: String,
    pid_namespace: String,
}

#[derive(Serialize, Deserialize)]
struct Server {
    place: Place,
    socket: String,
    life: Life,
    boot: String,
    seen: i64,
}

/// One life of a tmux server.
#[derive(Serialize, Deserialize)]
struct Life {
    pid: u32,
    start: i64,
}

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    server: Option<String>,
    fingerprint: String,
    pid: Option<u32>,
    since: i64,
    since_boot: Boot,
    alive: Option<Alive>,
    ids: Vec<Id>,
}

/// One boot of one place.
#[derive(Serialize, Deserialize)]
struct Boot {
    place: Place,
    boot: String,
}

#[derive(Serialize, Deserialize)]
struct Alive {
    place: Place,
    at: i64,
    incarnation: Incarnation,
}

#[derive(Serialize, Deserialize)]
struct Incarnation {
    boot: String,
    socket: String,
    server: Life,
    session: String,
    created: i64,
    pane: String,
    pid: u32,
    start: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct Id {
    agent: String,
    recorded: Option<String>,
    overruled: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Artifact {
    agent: String,
    id: String,
    #[serde(default)]
    path: Option<String>,
    modified: i64,
    seen: i64,
}

#[derive(Serialize, Deserialize)]
struct Agent {
    place: Place,
    boot: String,
    pid: u32,
    start: u64,
    agent: String,
    folder: Option<String>,
    user: Option<u32>,
    seen: i64,
    gone: Option<i64>,
    undecided: bool,
}

#[derive(Serialize, Deserialize)]
struct Drift {
    id: String,
    first_seen: i64,
    last_seen: i64,
    count: u64,
    proven_since: Option<Proven>,
    session: Option<String>,
    server: Option<String>,
    class: char,
    kind: String,
    told_as: String,
    #[serde(default)]
    undone: bool,
    #[serde(default)]
    acked: Option<Acked>,
}

/// What a person said to know of.
#[derive(Serialize, Deserialize)]
struct Acked {
    reason: String,
    told_as: String,
}

/// A moment of a boot.
#[derive(Serialize, Deserialize)]
struct Proven {
    at: i64,
    boot: String,
}

impl Document {
    /// Reads a document; the error says what is wrong with it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }

        if text.is_empty() {
            return Err("it is empty".to_owned());
        }
        if u64::try_from(text.len()).is_ok_and(|length| length > LARGEST) {
            return Err(format!("it is larger than {LARGEST} bytes"));
        }
        let Head { version } = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        if version != VERSION {
            return Err(format!("it has version {version}, not {VERSION}"));
        }
        serde_json::from_slice(text).map_err(|e| e.to_string())
    }

    /// The document as bytes, with a final newline.
    pub(super) fn text(&self) -> serde_json::Result<Vec<u8>> {
        let mut text = serde_json::to_vec(self)?;
        text.push(b'\n');
        Ok(text)
    }
}

impl Document {
    /// The document of a ledger that remembers the journal up to that entry.
    pub(super) fn of(ledger: &core::Ledger, told: u64) -> Self {
        // Taken apart without `..` here and below, so that nothing new can be forgotten.
        let core::Ledger {
            homes,
            servers,
            rows,
            artifacts,
            agents,
            drifts,
            jobs,
            clock,
        } = ledger;
        Self {
            version: VERSION,
            told,
            homes: homes.iter().map(Place::from).collect(),
            servers: servers.iter().map(Server::from).collect(),
            rows: rows.iter().map(Row::from).collect(),
            artifacts: artifacts.iter().map(Artifact::from).collect(),
            agents: agents.iter().map(Agent::from).collect(),
            drifts: drifts.iter().map(Drift::from).collect(),
            jobs: jobs.iter().map(Job::from).collect(),
            clock: clock.as_ref().map(Clock::from),
        }
    }
}

impl From<Document> for core::Ledger {
    /// What is about an agent this version does not know is left out.
    fn from(document: Document) -> Self {
        Self {
            homes: document.homes.into_iter().map(Place::into).collect(),
            servers: document.servers.into_iter().map(Server::into).collect(),
            rows: document.rows.into_iter().map(Row::into).collect(),
            artifacts: document
                .artifacts
                .into_iter()
                .filter_map(Artifact::known)
                .collect(),
            agents: document
                .agents
                .into_iter()
                .filter_map(Agent::known)
                .collect(),
            drifts: document.drifts.into_iter().map(Drift::into).collect(),
            clock: document.clock.map(Clock::into),
            jobs: document.jobs.into_iter().filter_map(Job::known).collect(),
        }
    }
}

impl From<&core_world::Place> for Place {
    fn from(place: &core_world::Place) -> Self {
        let core_world::Place {
            machine,
            pid_namespace,
        } = place;
        Self {
            machine: machine.clone(),
            pid_namespace: pid_namespace.clone(),
        }
    }
}

impl From<&KnownClock> for Clock {
    fn from(clock: &KnownClock) -> Self {
        let KnownClock {
            place,
            boot,
            booted_at,
            was_set,
        } = clock;
        Self {
            place: place.into(),
            boot: boot.to_string(),
            booted_at: booted_at.millis(),
            was_set: *was_set,
        }
    }
}

impl From<Clock> for KnownClock {
    fn from(clock: Clock) -> Self {
        Self {
            place: clock.place.into(),
            boot: BootId::new(clock.boot),
            booted_at: Timestamp::from_millis(clock.booted_at),
            was_set: clock.was_set,
        }
    }
}

impl From<Place> for core_world::Place {
    fn from(place: Place) -> Self {
        Self {
            machine: place.machine,
            pid_namespace: place.pid_namespace,
        }
    }
}

impl From<&core_world::ServerId> for Life {
    fn from(life: &core_world::ServerId) -> Self {
        let core_world::ServerId { pid, start } = *life;
        Self { pid, start }
    }
}

impl From<Life> for core_world::ServerId {
    fn from(life: Life) -> Self {
        Self {
            pid: life.pid,
            start: life.start,
        }
    }
}

type ServerEntry = ((core_world::Place, String), core::KnownServer);

impl From<(&(core_world::Place, String), &core::KnownServer)> for Server {
    fn from(((place, socket), server): (&(core_world::Place, String), &core::KnownServer)) -> Self {
        let core::KnownServer { id, boot, seen } = server;
        Self {
            place: place.into(),
            socket: socket.clone(),
            life: id.into(),
            boot: boot.to_string(),
            seen: seen.millis(),
        }
    }
}

impl From<Server> for ServerEntry {
    fn from(server: Server) -> Self {
        (
            (server.place.into(), server.socket),
            core::KnownServer {
                id: server.life.into(),
                boot: BootId::new(server.boot),
                seen: Timestamp::from_millis(server.seen),
            },
        )
    }
}

impl From<(&core::RowKey, &core::KnownRow)> for Row {
    fn from((key, row): (&core::RowKey, &core::KnownRow)) -> Self {
        let core::RowKey { name, server } = key;
        let core::KnownRow {
            fingerprint,
            pid,
            since,
            since_boot: (place, boot),
            alive,
            ids,
        } = row;
        Self {
            name: name.to_string(),
            server: server.as_ref().map(ToString::to_string),
            fingerprint: fingerprint.to_string(),
            pid: *pid,
            since: since.millis(),
            since_boot: Boot {
                place: place.into(),
                boot: boot.to_string(),
            },
            alive: alive.as_ref().map(Alive::from),
            ids: ids.iter().map(Id::from).collect(),
        }
    }
}

impl From<Row> for (core::RowKey, core::KnownRow) {
    fn from(row: Row) -> Self {
        (
            core::RowKey {
                name: SessionName::new(row.name),
                server: row.server.map(ServerName::new),
            },
            core::KnownRow {
                fingerprint: Fingerprint::new(row.fingerprint),
                pid: row.pid,
                since: Timestamp::from_millis(row.since),
                since_boot: (
                    row.since_boot.place.into(),
                    BootId::new(row.since_boot.boot),
                ),
                alive: row.alive.map(Alive::into),
                ids: row.ids.into_iter().filter_map(Id::known).collect(),
            },
        )
    }
}

impl From<&core::SeenAlive> for Alive {
    fn from(alive: &core::SeenAlive) -> Self {
        let core::SeenAlive {
            place,
            at,
            incarnation,
        } = alive;
        Self {
            place: place.into(),
            at: at.millis(),
            incarnation: incarnation.into(),
        }
    }
}

impl From<Alive> for core::SeenAlive {
    fn from(alive: Alive) -> Self {
        Self {
            place: alive.place.into(),
            at: Timestamp::from_millis(alive.at),
            incarnation: alive.incarnation.into(),
        }
    }
}

impl From<&core::Incarnation> for Incarnation {
    fn from(incarnation: &core::Incarnation) -> Self {
        let core::Incarnation {
            boot,
            socket,
            server,
            session,
            created,
            pane,
            pid,
            start,
        } = incarnation;
        Self {
            boot: boot.to_string(),
            socket: socket.clone(),
            server: server.into(),
            session: session.clone(),
            created: created.millis(),
            pane: pane.clone(),
            pid: *pid,
            start: *start,
        }
    }
}

impl From<Incarnation> for core::Incarnation {
    fn from(incarnation: Incarnation) -> Self {
        Self {
            boot: BootId::new(incarnation.boot),
            socket: incarnation.socket,
            server: incarnation.server.into(),
            session: incarnation.session,
            created: Timestamp::from_millis(incarnation.created),
            pane: incarnation.pane,
            pid: incarnation.pid,
            start: incarnation.start,
        }
    }
}

impl From<(&AgentKind, &core::KnownId)> for Id {
    fn from((agent, id): (&AgentKind, &core::KnownId)) -> Self {
        let core::KnownId {
            recorded,
            overruled,
        } = id;
        Self {
            agent: agent.name().to_owned(),
            recorded: recorded.as_ref().map(ToString::to_string),
            overruled: overruled.as_ref().map(ToString::to_string),
        }
    }
}

impl Id {
    fn known(self) -> Option<(AgentKind, core::KnownId)> {
        Some((
            AgentKind::named(&self.agent)?,
            core::KnownId {
                recorded: self.recorded.map(ConversationId::new),
                overruled: self.overruled.map(ConversationId::new),
            },
        ))
    }
}

type ArtifactEntry = ((AgentKind, ConversationId), core::KnownArtifact);

impl From<(&(AgentKind, ConversationId), &core::KnownArtifact)> for Artifact {
    fn from(((agent, id), artifact): (&(AgentKind, ConversationId), &core::KnownArtifact)) -> Self {
        let core::KnownArtifact {
            path,
            modified,
            seen,
        } = artifact;
        Self {
            agent: agent.name().to_owned(),
            id: id.to_string(),
            path: path.clone(),
            modified: modified.millis(),
            seen: seen.millis(),
        }
    }
}

impl Artifact {
    fn known(self) -> Option<ArtifactEntry> {
        Some((
            (AgentKind::named(&self.agent)?, ConversationId::new(self.id)),
            core::KnownArtifact {
                path: self.path,
                modified: Timestamp::from_millis(self.modified),
                seen: Timestamp::from_millis(self.seen),
            },
        ))
    }
}

impl From<(&core::AgentKey, &core::KnownAgent)> for Agent {
    fn from((key, known): (&core::AgentKey, &core::KnownAgent)) -> Self {
        let core::AgentKey {
            place,
            boot,
            process: ProcessId { pid, start },
            kind,
        } = key;
        let core::KnownAgent {
            folder,
            user,
            seen,
            gone,
            undecided,
        } = known;
        Self {
            place: place.into(),
            boot: boot.to_string(),
            pid: *pid,
            start: *start,
            agent: kind.name().to_owned(),
            folder: folder.clone(),
            user: *user,
            seen: seen.millis(),
            gone: gone.map(Timestamp::millis),
            undecided: *undecided,
        }
    }
}

impl Agent {
    fn known(self) -> Option<(core::AgentKey, core::KnownAgent)> {
        Some((
            core::AgentKey {
                place: self.place.into(),
                boot: BootId::new(self.boot),
                process: ProcessId {
                    pid: self.pid,
                    start: self.start,
                },
                kind: AgentKind::named(&self.agent)?,
            },
            core::KnownAgent {
                folder: self.folder,
                user: self.user,
                seen: Timestamp::from_millis(self.seen),
                gone: self.gone.map(Timestamp::from_millis),
                undecided: self.undecided,
            },
        ))
    }
}

impl From<(&DriftId, &core::OpenDrift)> for Drift {
    fn from((id, drift): (&DriftId, &core::OpenDrift)) -> Self {
        let core::OpenDrift {
            first_seen,
            last_seen,
            count,
            proven_since,
            session,
            server,
            class,
            kind,
            told_as,
            undone,
            acked,
        } = drift;
        Self {
            id: id.to_string(),
            first_seen: first_seen.millis(),
            last_seen: last_seen.millis(),
            count: *count,
            proven_since: proven_since.as_ref().map(|(at, boot)| Proven {
                at: at.millis(),
                boot: boot.to_string(),
            }),
            session: session.as_ref().map(ToString::to_string),
            server: server.as_ref().map(ToString::to_string),
            class: *class,
            kind: kind.clone(),
            told_as: told_as.clone(),
            undone: *undone,
            acked: acked.as_ref().map(|acked| {
                let core::Acked { reason, told_as } = acked.clone();
                Acked { reason, told_as }
            }),
        }
    }
}

impl From<Drift> for (DriftId, core::OpenDrift) {
    fn from(drift: Drift) -> Self {
        (
            DriftId::new(drift.id),
            core::OpenDrift {
                first_seen: Timestamp::from_millis(drift.first_seen),
                last_seen: Timestamp::from_millis(drift.last_seen),
                count: drift.count,
                proven_since: drift
                    .proven_since
                    .map(|proven| (Timestamp::from_millis(proven.at), BootId::new(proven.boot))),
                session: drift.session.map(SessionName::new),
                server: drift.server.map(ServerName::new),
                class: drift.class,
                kind: drift.kind,
                told_as: drift.told_as,
                undone: drift.undone,
                acked: drift
                    .acked
                    .map(|Acked { reason, told_as }| core::Acked { reason, told_as }),
            },
        )
    }
}
