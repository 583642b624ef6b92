//! The memory between looks: what was seen when, from where, and which drifts are open.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::{Fate, Findings};
use super::drift::{Class, Held};
use super::edit::{Change, Edit, PaneRecord};
use super::ids::{
    AgentKind, BootId, ConversationId, DriftId, Fingerprint, Pid, ProcessId, ServerName,
    SessionName, StartTicks, Timestamp,
};
use super::jobs::{JobId, KnownJob};
use super::join::pane_of;
use super::known_clock::KnownClock;
use super::past::{Past, is_before_boot, key_of};
use super::registry::{Registry, Row, Status};
use super::sighting::Sighting;
use super::world::{
    Listing, PaneSight, Place, ServerId, ServerSight, ServerState, SessionSight, World,
};

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
    /// The agents whose conversations were not proven when they were last seen.
    pub agents: BTreeMap<AgentKey, KnownAgent>,
    /// The drifts that are open.
    pub drifts: BTreeMap<DriftId, OpenDrift>,
    /// What is known of delegated jobs.
    pub jobs: BTreeMap<JobId, KnownJob>,
    /// The clock that the times in all this were read from.
    pub clock: Option<KnownClock>,
}

/// Which row: its name, and its server if it names one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// `name`
    pub name: SessionName,
    /// `tmux_server`
    pub server: Option<ServerName>,
}

/// Which agent process: no two are the same in all of it. A process that becomes another program stays the
/// same process, and is another agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentKey {
    // In this order: most keys are of one place and boot, and comparing them should not take long.
    /// The process.
    pub process: ProcessId,
    /// Which agent it is.
    pub kind: AgentKind,
    /// Where it was seen.
    pub place: Place,
    /// In which boot.
    pub boot: BootId,
}

/// An agent that may have a conversation of which nobody but itself knows: whatever began in its folder
/// while it lived may be its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownAgent {
    /// The folder it works in; `None` where it may be any.
    pub folder: Option<String>,
    /// The user it runs as, if that was read.
    pub user: Option<u32>,
    /// When it was last seen alive.
    pub seen: Timestamp,
    /// By when it had ended, if that is proven.
    pub gone: Option<Timestamp>,
    /// Several conversations may have been its own once, or the only one was another's. Which is its own
    /// cannot be told any more by what is left.
    pub undecided: bool,
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
    /// The process it records.
    pub pid: Option<Pid>,
    /// When a look first met the row with that process: whatever else is written into the row later, by
    /// headcount or by others, makes the record no younger.
    pub since: Timestamp,
    /// Where, and in which boot, a look first met this content: a row unchanged since another boot of the
    /// same machine is older than this one.
    pub since_boot: (Place, BootId),
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownArtifact {
    /// Where, if that was kept: the agent whose environment named the place may have ended since.
    pub path: Option<String>,
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
    /// The session it is about.
    pub session: Option<SessionName>,
    /// The server of that session.
    pub server: Option<ServerName>,
    /// Its class letter.
    pub class: char,
    /// Its kind.
    pub kind: String,
    /// What the last look made of it: a change of this is news.
    pub told_as: String,
    /// Whether it was written once and a person took that back: then it is held for as long as it is open.
    pub undone: bool,
    /// That a person knows of it, as it was told then.
    pub acked: Option<Acked>,
}

/// What a person said to know of: the same difference, for the same reason, of which the same was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acked {
    /// The drift's reason.
    pub reason: String,
    /// What was made of it.
    pub told_as: String,
}

/// The live conversation that somebody overruled by setting the row's id to another one, if that still
/// holds: theirs stays until another conversation is live.
#[must_use]
pub fn overruled(
    before: Option<&KnownId>,
    recorded: Option<&ConversationId>,
    live: Option<&ConversationId>,
) -> Option<ConversationId> {
    let before = before?;
    let (Some(live), true) = (live, live != recorded) else {
        return None;
    };
    let changed = before.recorded.as_ref() != recorded;
    (changed || before.overruled.as_ref() == Some(live)).then(|| live.clone())
}

impl SeenAlive {
    /// What is remembered of a pane that a look saw alive.
    fn of(
        world: &World,
        server: &ServerSight,
        listing: &Listing,
        session: &SessionSight,
        pane: &PaneSight,
    ) -> Self {
        Self {
            place: world.vantage.place.clone(),
            at: world.at,
            incarnation: Incarnation {
                boot: world.vantage.boot.clone(),
                socket: server.socket.clone(),
                server: listing.server,
                session: session.id.clone(),
                created: session.created,
                pane: pane.id.clone(),
                pid: pane.pid,
                start: match &pane.start {
                    Sighting::Present(start) => Some(start.ticks),
                    _ => None,
                },
            },
        }
    }

    /// The session of that name in which a look saw the pane that is recorded.
    fn recorded(world: &World, name: &SessionName, pane: &PaneRecord) -> Option<Self> {
        let pid = pane.pid?;
        world.servers.iter().find_map(|server| {
            let ServerState::Listed(listing) = &server.state else {
                return None;
            };
            let mut sessions = listing.sessions.iter();
            sessions.find_map(|session| {
                let mut panes = session.panes.iter();
                let pane = panes.find(|pane| pane.pid == pid && !pane.dead)?;
                let is_it = session.name.means(name);
                is_it.then(|| Self::of(world, server, listing, session, pane))
            })
        })
    }
}

impl Ledger {
    /// This memory with one more look in it. Looking is not being seen: only what was surely seen counts.
    #[must_use]
    pub fn with_look(
        &self,
        registry: &Registry,
        world: &World,
        findings: &Findings<'_>,
        now: Timestamp,
    ) -> Self {
        Self {
            homes: self.homes.clone(),
            servers: self.fold_servers(world),
            rows: self.fold_rows(registry, world, findings, now),
            artifacts: self.fold_artifacts(world),
            agents: self.fold_agents(world, findings),
            drifts: self.fold_drifts(registry, world, findings, now),
            jobs: self.jobs.clone(),
            clock: Some(KnownClock::now(&world.vantage, self.clock.as_ref())),
        }
    }

    fn fold_servers(&self, world: &World) -> BTreeMap<(Place, String), KnownServer> {
        let mut servers = self.servers.clone();
        for server in &world.servers {
            if let ServerState::Listed(listing) = &server.state {
                servers.insert(
                    (world.vantage.place.clone(), server.socket.clone()),
                    KnownServer {
                        id: listing.server,
                        boot: world.vantage.boot.clone(),
                        seen: world.at,
                    },
                );
            }
        }
        servers
    }

    fn fold_rows(
        &self,
        registry: &Registry,
        world: &World,
        findings: &Findings<'_>,
        now: Timestamp,
    ) -> BTreeMap<RowKey, KnownRow> {
        let past = Past {
            registry,
            world,
            ledger: self,
        };
        // A row that is wrong at the moment may be put right again: what was known of it is still so.
        let wrong = self.rows.iter().filter(|(key, _)| {
            let mut invalid = registry.invalid.iter();
            invalid.any(|invalid| invalid.name.as_ref() == Some(&key.name))
        });
        let rows = registry
            .rows
            .iter()
            .zip(&findings.fates)
            .map(|(row, fate)| {
                let before = past.known(row);
                let same = before.filter(|before| before.fingerprint == row.fingerprint);
                let here = match fate {
                    Fate::Alive(here) if here.sure && row.status == Status::Running => Some(here),
                    _ => None,
                };
                let life = past.life(row);
                let pane = here
                    .and_then(|here| pane_of(Some(row), row.agent, life, here.seen.session).ok());
                let alive = match (here, pane) {
                    (Some(here), Some(pane)) => Some(SeenAlive::of(
                        world,
                        here.seen.server,
                        here.seen.listing,
                        here.seen.session,
                        pane,
                    )),
                    _ => before.and_then(|before| before.alive.clone()),
                };
                let entry = KnownRow {
                    fingerprint: row.fingerprint.clone(),
                    pid: row.pane.pid,
                    since: before
                        .filter(|before| before.pid == row.pane.pid)
                        .map_or_else(|| registry.written_at.min(now), |it| it.since),
                    since_boot: same
                        .map_or_else(|| first_met(registry, world), |it| it.since_boot.clone()),
                    ids: fold_ids(row, before, pane),
                    alive,
                };
                (key_of(row), entry)
            });
        wrong
            .map(|(key, known)| (key.clone(), known.clone()))
            .chain(rows)
            .collect()
    }

    fn fold_artifacts(
        &self,
        world: &World,
    ) -> BTreeMap<(AgentKind, ConversationId), KnownArtifact> {
        let mut artifacts = self.artifacts.clone();
        for (key, sight) in &world.artifacts {
            if let Sighting::Present(artifact) = sight {
                let modified = artifact.modified;
                artifacts.insert(
                    key.clone(),
                    KnownArtifact {
                        path: Some(artifact.path.clone()),
                        modified,
                        seen: world.at,
                    },
                );
            }
        }
        artifacts
    }

    fn fold_agents(
        &self,
        world: &World,
        findings: &Findings<'_>,
    ) -> BTreeMap<AgentKey, KnownAgent> {
        let mut agents = self.agents.clone();
        let seen_now = agents_of(world);
        for ((process, kind), seen) in &seen_now {
            let key = world.vantage.agent(*process, *kind);
            let Some(seen) = seen else {
                agents.remove(&key);
                continue;
            };
            let before = agents.get(&key);
            let undecided = before.is_some_and(|before| before.undecided)
                || findings.undecided.contains(process);
            agents.insert(
                key,
                KnownAgent {
                    undecided,
                    ..seen.clone()
                },
            );
        }
        for (key, known) in &mut agents {
            let is_here = key.place == world.vantage.place && key.boot == world.vantage.boot;
            let has_ended = world.has_ended(key.process) || became_another(key, &seen_now);
            if is_here && known.gone.is_none() && has_ended {
                known.gone = Some(world.at);
            }
        }
        agents
    }

    fn fold_drifts(
        &self,
        registry: &Registry,
        world: &World,
        findings: &Findings<'_>,
        now: Timestamp,
    ) -> BTreeMap<DriftId, OpenDrift> {
        let boot = &world.vantage.boot;
        let mut open: BTreeMap<DriftId, OpenDrift> = findings
            .drifts
            .iter()
            .map(|drift| {
                let before = self.drifts.get(&drift.id);
                // A clock that went back, or another boot, makes earlier proof worthless.
                let since = before
                    .and_then(|before| before.proven_since.clone())
                    .filter(|(at, in_boot)| *at <= now && in_boot == boot)
                    .unwrap_or_else(|| (now, boot.clone()));
                let shaken = matches!(drift.obstacle, Some(Held::Doubt(_) | Held::ProcessAlive(_)));
                let entry = OpenDrift {
                    first_seen: before.map_or(now, |before| before.first_seen),
                    last_seen: now,
                    count: before.map_or(0, |before| before.count).saturating_add(1),
                    proven_since: (!shaken).then_some(since),
                    session: drift.session.clone(),
                    server: drift.server.clone(),
                    class: drift.kind.class().letter(),
                    kind: drift.kind.as_str().to_owned(),
                    told_as: before.map_or_else(String::new, |before| before.told_as.clone()),
                    undone: before.is_some_and(|before| before.undone),
                    acked: before.and_then(|before| before.acked.clone()),
                };
                (drift.id.clone(), entry)
            })
            .collect();
        for (id, before) in &self.drifts {
            if !open.contains_key(id) && !is_over(before, registry, world, findings) {
                let mut kept = before.clone();
                kept.proven_since = None;
                open.insert(id.clone(), kept);
            }
        }
        open
    }

    /// The drifts that were open and that this look proves to be over.
    #[must_use]
    pub fn resolved_since(&self, after: &Self) -> Vec<(DriftId, OpenDrift)> {
        self.drifts
            .iter()
            .filter(|(id, _)| !after.drifts.contains_key(*id))
            .map(|(id, drift)| (id.clone(), drift.clone()))
            .collect()
    }

    /// Whether a person took back what was written for this drift, which is open still.
    #[must_use]
    pub fn is_undone(&self, id: &DriftId) -> bool {
        self.drifts.get(id).is_some_and(|open| open.undone)
    }

    /// This memory once a person takes back what was written for a drift: it is open again, and held for as long as
    /// it is. That it is held was not told before.
    pub fn hold_undone(&mut self, id: DriftId, open: OpenDrift) {
        let held = OpenDrift {
            undone: true,
            acked: None,
            proven_since: None,
            told_as: String::new(),
            ..open
        };
        self.drifts.insert(id, held);
    }

    /// This memory after a row was put back as it was before such an edit. A row that the edit had moved to another
    /// server is the same row still. That its conversation id is the old one again is our own doing, and a row that
    /// was revived has no life again. `id` is that old one, for an edit of the id.
    pub fn note_put_back(
        &mut self,
        key: &RowKey,
        moved_to: Option<&ServerName>,
        was_revived: bool,
        id: Option<(AgentKind, Option<ConversationId>)>,
    ) {
        let elsewhere = RowKey {
            name: key.name.clone(),
            server: moved_to.cloned(),
        };
        if moved_to.is_some()
            && let Some(known) = self.rows.remove(&elsewhere)
        {
            self.rows.insert(key.clone(), known);
        }
        let Some(row) = self.rows.get_mut(key) else {
            return;
        };
        if was_revived {
            row.alive = None;
        }
        if let Some((agent, recorded)) = id {
            let ours = KnownId {
                recorded,
                overruled: None,
            };
            row.ids.insert(agent, ours);
        }
    }

    /// This memory after a row was taken out of the roll: should there be one of its name again, it is another row.
    pub fn forget_row(&mut self, name: &SessionName, server: Option<&ServerName>) {
        self.rows.remove(&RowKey {
            name: name.clone(),
            server: server.cloned(),
        });
    }

    /// This memory after an edit was written that the look at `world` has led to: the drift is closed, the id is our
    /// own doing, and a row that is new, or was revived, has the life that was seen. The next look may come after its
    /// session got another name and its pane another process.
    pub fn note_applied(&mut self, edit: &Edit, server: Option<&ServerName>, world: &World) {
        self.drifts.remove(&edit.cause);
        if let Change::JobOutcome { job, .. } = &edit.change
            && let Some(known) = self.jobs.get_mut(job)
        {
            known.written = true;
        }
        let mut key = RowKey {
            name: edit.target.name().clone(),
            server: server.cloned(),
        };
        // A row that names another server now is the same row.
        if let Change::Revive {
            server: Some(server),
            ..
        }
        | Change::Reincarnate {
            server: Some(server),
            ..
        } = &edit.change
            && let Some(known) = self.rows.remove(&key)
        {
            key.server = Some(server.clone());
            self.rows.insert(key.clone(), known);
        }
        if let Change::Register { pane, server, id } = &edit.change {
            key.server.clone_from(server);
            let ours = id.iter().map(|(agent, id)| {
                let ours = KnownId {
                    recorded: Some(id.clone()),
                    overruled: None,
                };
                (*agent, ours)
            });
            let known = KnownRow {
                // What it reads as is known once it is read.
                fingerprint: Fingerprint::new(""),
                pid: pane.pid,
                since: world.at,
                since_boot: (world.vantage.place.clone(), world.vantage.boot.clone()),
                ids: ours.collect(),
                alive: SeenAlive::recorded(world, &key.name, pane),
            };
            self.rows.insert(key, known);
            return;
        }
        let Some(row) = self.rows.get_mut(&key) else {
            return;
        };
        match &edit.change {
            Change::SetId { agent, id, .. } => {
                let ours = KnownId {
                    recorded: Some(id.clone()),
                    overruled: None,
                };
                row.ids.insert(*agent, ours);
            }
            Change::Revive { pane, .. } => {
                row.alive = SeenAlive::recorded(world, &key.name, pane);
            }
            Change::Terminate { .. }
            | Change::Register { .. }
            | Change::Reincarnate { .. }
            | Change::Restore
            | Change::JobOutcome { .. } => {}
        }
    }
}

/// What is to be remembered of each agent that a look saw; nothing, where its conversation is proven.
pub(super) type SeenAgents = BTreeMap<(ProcessId, AgentKind), Option<KnownAgent>>;

/// Whether the process of an agent was seen, and is no longer this agent.
fn became_another(agent: &AgentKey, seen: &SeenAgents) -> bool {
    !seen.contains_key(&(agent.process, agent.kind))
        && seen.keys().any(|(process, _)| *process == agent.process)
}

/// The agents that a look saw, in sessions and beside them.
pub(super) fn agents_of(world: &World) -> SeenAgents {
    let unproven = |folder, user| KnownAgent {
        folder,
        user,
        seen: world.at,
        gone: None,
        undecided: false,
    };
    let mut found = SeenAgents::new();
    for (_, sight) in world.agents() {
        let folder = match &sight.cwd {
            Sighting::Present(folder) => Some(folder.clone()),
            Sighting::Absent(_) | Sighting::Unknown(_) => None,
        };
        let known = (!sight.live.is_present()).then(|| unproven(folder, None));
        found.insert((sight.process, sight.kind), known);
    }
    for ((kind, folder), sight) in &world.folders {
        let Sighting::Present(kin) = &sight.kin else {
            continue;
        };
        for other in kin {
            let user = match &other.user {
                Sighting::Present(user) => Some(*user),
                Sighting::Absent(_) | Sighting::Unknown(_) => None,
            };
            let known = (!other.live.is_present()).then(|| unproven(Some(folder.clone()), user));
            let agent = (other.process, *kind);
            match (found.get_mut(&agent), known) {
                (Some(Some(met)), Some(known)) => {
                    met.user = known.user;
                    // It may work in either.
                    if met.folder != known.folder {
                        met.folder = None;
                    }
                }
                (_, known) => drop(found.insert(agent, known)),
            }
        }
    }
    found
}

/// Where, and in which boot, a row has its content from that no look met before.
fn first_met(registry: &Registry, world: &World) -> (Place, BootId) {
    let vantage = &world.vantage;
    let boot = if is_before_boot(registry, world) {
        BootId::earlier()
    } else {
        vantage.boot.clone()
    };
    (vantage.place.clone(), boot)
}

fn fold_ids(
    row: &Row,
    before: Option<&KnownRow>,
    pane: Option<&PaneSight>,
) -> BTreeMap<AgentKind, KnownId> {
    let live_of = |kind: AgentKind| match pane.map(|pane| &pane.agents) {
        Some(Sighting::Present(agents)) => agents
            .iter()
            .filter(|sight| sight.kind == kind)
            .find_map(|sight| match &sight.live {
                Sighting::Present(live) => Some(&live.id),
                _ => None,
            }),
        _ => None,
    };
    let kinds = row.ids.keys().copied().chain(row.agent).chain(
        before
            .into_iter()
            .flat_map(|before| before.ids.keys().copied()),
    );
    kinds
        .map(|kind| {
            let recorded = row.recorded_id(kind);
            let memory = before.and_then(|before| before.ids.get(&kind));
            let live = live_of(kind);
            // Nobody could see what is live: keep what was known, so that a change is still seen as one,
            // and one that was seen is not forgotten.
            if let (Some(memory), None) = (memory, live) {
                return (kind, memory.clone());
            }
            let entry = KnownId {
                recorded: recorded.cloned(),
                overruled: overruled(memory, recorded, live),
            };
            (kind, entry)
        })
        .collect()
}

/// Whether a look that did not find an open drift again proves that it is over.
fn is_over(
    before: &OpenDrift,
    registry: &Registry,
    world: &World,
    findings: &Findings<'_>,
) -> bool {
    let blind = |class: Class| {
        class.letter() == before.class && findings.blind.contains(&(before.session.clone(), class))
    };
    if Class::ALL.into_iter().any(blind) {
        return false;
    }
    let declared = before
        .session
        .as_ref()
        .is_some_and(|name| registry.rows.iter().any(|row| row.name == *name));
    if declared || before.session.is_none() {
        return true;
    }
    // A session nobody declared is over when its server was listed without it, or is not running.
    let server = before
        .server
        .clone()
        .unwrap_or_else(ServerName::default_server);
    world
        .server(&server)
        .is_some_and(|server| !matches!(server.state, ServerState::Unknown(_)))
}
