//! How every session stands: what the roll says of it, what is seen of it, and what a pass would make of the two.
//!
//! It decides nothing of its own: which session is whose, what is gone and what differs are asked of the same rules
//! that a pass goes by, with the same look.

mod near;
mod sight;

use std::collections::BTreeSet;

pub use near::near;
pub use sight::Sight;

use super::diff::{Fate, diff};
use super::drift::{Held, Kind, Note, NoteKind};
use super::ids::{AgentKind, ConversationId, Pid, ServerName, SessionName, Timestamp};
use super::jobs::{JobId, JobStatus, JobUpdate};
use super::join::{By, Join, Joined, Owner, Seen};
use super::ledger::Ledger;
use super::past::Past;
use super::policy::Policy;
use super::registry::{InvalidRow, Registry, Row, Status};
use super::report::{Outcome, Report, Told, Verdict};
use super::sighting::Sighting;
use super::world::{AgentSight, Artifact, PaneSight, Source, SourceState, World};

/// Everything that a standing is made from.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The roll; one without rows where there is none.
    pub registry: &'a Registry,
    /// Whether there is a roll.
    pub has_roll: bool,
    /// What a pass sees: every verdict comes from this.
    pub world: &'a World,
    /// The same, with everything besides that can be seen: what is shown comes from this.
    pub all: &'a World,
    /// The memory before this look.
    pub ledger: &'a Ledger,
    /// The rules' settings.
    pub policy: &'a Policy,
    /// What a pass would tell.
    pub report: &'a Report,
}

/// How the machine and all of its sessions stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// When the look began.
    pub at: Timestamp,
    /// The machine's name.
    pub host: String,
    /// The roll's path, as it was named; `None` where there is none.
    pub roll: Option<String>,
    /// The whole in one word.
    pub verdict: Verdict,
    /// What was looked at, and how that went.
    pub sources: Vec<Source>,
    /// The sessions, trouble first, then by name.
    pub sessions: Vec<Session>,
    /// Drifts that are about no session (of `agent_identities`).
    pub drifts: Vec<Told>,
    /// Notes that are about no session that is known.
    pub notes: Vec<Note>,
    /// How many drifts a person has said to know of, of sessions that are left out here too.
    pub acknowledged: usize,
}

/// How the sessions of several rolls stand: what no row of any roll declares is told once, after all of them, as of no
/// roll.
#[must_use]
pub fn side_by_side(mut standings: Vec<Standing>) -> Vec<Standing> {
    let place = |live: &Live| (live.socket.clone(), live.id.clone());
    // One that a roll is about to take up is its own.
    let is_its_own = |session: &Session| {
        !matches!(session.declared, Declared::No | Declared::Grouped) || !session.drifts.is_empty()
    };
    let mut told: BTreeSet<_> = standings
        .iter()
        .flat_map(|standing| &standing.sessions)
        .filter(|session| is_its_own(session))
        .filter_map(|session| session.live.as_ref().map(place))
        .collect();
    let mut of_no_roll = Vec::new();
    for standing in &mut standings {
        let (own, others) = standing.sessions.drain(..).partition(is_its_own);
        standing.sessions = own;
        of_no_roll.extend(others.into_iter().filter(|session: &Session| {
            let live = session.live.as_ref();
            live.is_none_or(|live| told.insert(place(live)))
        }));
    }
    if let Some(last) = standings.last().filter(|_| !of_no_roll.is_empty()) {
        standings.push(Standing {
            at: last.at,
            host: last.host.clone(),
            roll: None,
            verdict: Verdict::InOrder,
            sources: Vec::new(),
            sessions: of_no_roll,
            drifts: Vec::new(),
            notes: Vec::new(),
            acknowledged: 0,
        });
    }
    for standing in &mut standings {
        standing.acknowledged = standing.count_acknowledged();
    }
    standings
}

/// How one session stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Session {
    /// Its name, as its row has it, else as tmux has it.
    pub name: SessionName,
    /// Its tmux server: the one it was seen on, else the one its row names.
    pub server: Option<ServerName>,
    /// What the roll says of it.
    pub declared: Declared,
    /// Whether it is to be left alone.
    pub ignored: bool,
    /// The agent that it is for, or that was seen in it.
    pub agent: Option<AgentKind>,
    /// What is seen of it.
    pub sight: Sight,
    /// What tmux knows of it, if it lives.
    pub live: Option<Live>,
    /// Its conversation.
    pub conversation: Option<Conversation>,
    /// Its folder, as seen, else as recorded.
    pub folder: Option<String>,
    /// When its recorded end was.
    pub ended_at: Option<Timestamp>,
    /// When a pass last saw it alive.
    pub last_seen_alive: Option<Timestamp>,
    /// The job that was delegated to it.
    pub job: Option<Job>,
    /// Its drifts.
    pub drifts: Vec<Told>,
    /// What a person should know besides.
    pub notes: Vec<Note>,
}

/// A delegated job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id, as the row has it.
    pub id: String,
    /// What it came to, or the last it said, if that is known.
    pub state: Option<&'static str>,
}

/// What the roll says of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Declared {
    /// It has a row, with this status.
    Row(Status),
    /// Its row is wrong; how.
    Invalid(String),
    /// Nothing, and it shows the panes of another session that comes before it in its group.
    Grouped,
    /// Nothing.
    No,
}

/// A session that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// tmux's id of it.
    pub id: String,
    /// Its name in tmux.
    pub name: SessionName,
    /// Its server's socket.
    pub socket: String,
    /// When it was made.
    pub created: Timestamp,
    /// The pane that it is about, and the first process of that, if that can be told.
    pub pane: Option<(String, Pid)>,
    /// The agent's process, if there is just one.
    pub process: Option<Pid>,
    /// How it was found to be its row's, and whether that is sure.
    pub joined: Option<(By, bool)>,
}

/// A conversation, and what is on disk of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Whose it is.
    pub agent: AgentKind,
    /// Its id; `None` where none is known.
    pub id: Option<ConversationId>,
    /// Whether the live agent was seen to have it, and what said so.
    pub live: Option<String>,
    /// A process that was seen to have it, in this session or another one.
    pub held_by: Option<Pid>,
    /// Its file.
    pub file: Sighting<Artifact>,
}

/// How much a session wants a person, the most first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// It could not be seen.
    Unseen,
    /// It differs, and that will not be written.
    Stuck,
    /// It differs.
    Drift,
    /// There is something to know.
    Note,
    /// It runs, and all is in order.
    Fine,
    /// It runs, and no row and no agent is in it.
    Bystander,
    /// It ended, and all is in order.
    Ended,
}

impl Concern {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unseen => "unseen",
            Self::Stuck => "stuck",
            Self::Drift => "drift",
            Self::Note => "note",
            Self::Fine => "fine",
            Self::Bystander => "bystander",
            Self::Ended => "ended",
        }
    }

    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Unseen,
        Self::Stuck,
        Self::Drift,
        Self::Note,
        Self::Fine,
        Self::Bystander,
        Self::Ended,
    ];
}

impl Declared {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Row(status) => status.as_str(),
            Self::Invalid(_) => "wrong row",
            Self::Grouped => "grouped",
            Self::No => "no row",
        }
    }
}

impl Session {
    /// How much it wants a person.
    #[must_use]
    pub fn concern(&self) -> Concern {
        let is_stuck = |told: &Told| matches!(told.outcome, Outcome::Held(_) | Outcome::ToldOnly);
        let runs = matches!(self.declared, Declared::Row(Status::Running));
        if self.ignored && !self.is_ended() {
            Concern::Bystander
        } else if runs && matches!(self.sight, Sight::Unseen(_)) {
            Concern::Unseen
        } else if self.unknown_drifts().any(is_stuck) {
            Concern::Stuck
        } else if self.unknown_drifts().next().is_some() {
            Concern::Drift
        } else if !self.notes.is_empty() {
            Concern::Note
        } else if self.is_ended() {
            Concern::Ended
        } else if self.declared == Declared::Grouped
            || (self.declared == Declared::No
                && !matches!(self.sight, Sight::Agent(_) | Sight::Several))
        {
            Concern::Bystander
        } else {
            Concern::Fine
        }
    }

    /// Its drifts that nobody has said to know of.
    pub fn unknown_drifts(&self) -> impl Iterator<Item = &Told> {
        self.drifts.iter().filter(|told| !told.acked)
    }

    /// Whether its row says that it ended.
    #[must_use]
    pub const fn is_ended(&self) -> bool {
        matches!(&self.declared, Declared::Row(status) if status.is_ended())
    }

    /// When its conversation's file was last written to.
    #[must_use]
    pub fn last_activity(&self) -> Option<Timestamp> {
        match &self.conversation.as_ref()?.file {
            Sighting::Present(artifact) => Some(artifact.modified),
            Sighting::Absent(_) | Sighting::Unknown(_) => None,
        }
    }
}

impl Standing {
    /// Sorts what was seen and found by session.
    #[must_use]
    pub fn new(scope: Scope<'_>) -> Self {
        let Scope {
            registry,
            world,
            ledger,
            policy,
            report,
            ..
        } = scope;
        let findings = diff(registry, world, ledger, policy, world.at);
        let past = Past {
            registry,
            world,
            ledger,
        };
        let join = Join::new(past, world, policy);
        let desk = Desk {
            scope,
            past,
            join: &join,
        };
        let mut taken: BTreeSet<(String, String)> = BTreeSet::new();
        let mut sessions = Vec::new();
        for ((row, fate), joined) in registry.rows.iter().zip(&findings.fates).zip(&join.rows) {
            if let Joined::Here(here) = joined {
                taken.insert(key_of(&here.seen));
            }
            sessions.push(desk.declared(row, fate, joined));
        }
        for invalid in &registry.invalid {
            if let Some(name) = &invalid.name {
                let theirs = |seen: &&Seen<'_>| {
                    seen.session.name.means(name) && !taken.contains(&key_of(seen))
                };
                let seen = join.sessions.iter().find(theirs).copied();
                taken.extend(seen.as_ref().map(key_of));
                sessions.push(desk.wrong(invalid, name, seen));
            }
        }
        for (seen, owner) in join.sessions.iter().zip(&join.owners) {
            if taken.insert(key_of(seen)) {
                let declared = match owner {
                    Owner::Twin => Declared::Grouped,
                    Owner::Nobody | Owner::Perhaps(_) | Owner::Row(_) => Declared::No,
                };
                sessions.push(desk.undeclared(seen, declared));
            }
        }
        let mut drifts = Vec::new();
        for told in &report.drifts {
            let is_of_row = told.drift.kind != Kind::Unregistered;
            let (name, server) = (told.drift.session.as_ref(), told.drift.server.as_ref());
            match subject(&mut sessions, is_of_row, name, server) {
                Some(session) => session.drifts.push(told.clone()),
                None => drifts.push(told.clone()),
            }
        }
        let mut notes = Vec::new();
        for note in &report.notes {
            let is_of_row = !matches!(note.kind, NoteKind::Foreign | NoteKind::NameTaken);
            let (name, server) = (note.session.as_ref(), note.server.as_ref());
            match subject(&mut sessions, is_of_row, name, server) {
                Some(session) => session.notes.push(note.clone()),
                None => notes.push(note.clone()),
            }
        }
        for session in &mut sessions {
            session.ignored = policy.ignores(&session.name);
        }
        sessions.sort_by(|a, b| {
            (a.concern(), &a.name, &a.server).cmp(&(b.concern(), &b.name, &b.server))
        });
        let mut standing = Self {
            at: report.at,
            host: report.vantage.host.clone(),
            roll: scope.has_roll.then(|| report.roll.clone()),
            verdict: report.verdict(),
            sources: report.sources.clone(),
            sessions,
            drifts,
            notes,
            acknowledged: 0,
        };
        standing.acknowledged = standing.count_acknowledged();
        standing
    }

    /// The same with these sessions only; what is said of the whole is then said of them.
    #[must_use]
    pub fn of(mut self, wanted: impl Fn(&Session) -> bool) -> Self {
        self.sessions.retain(wanted);
        self.drifts.clear();
        self.notes.clear();
        self.acknowledged = self.count_acknowledged();
        let is = |concern| self.sessions.iter().any(|it| it.concern() == concern);
        self.verdict = if is(Concern::Unseen) {
            Verdict::Blind
        } else if self
            .sessions
            .iter()
            .any(|it| it.unknown_drifts().next().is_some())
        {
            Verdict::Drifted
        } else {
            Verdict::InOrder
        };
        self
    }

    fn count_acknowledged(&self) -> usize {
        let of_sessions = self.sessions.iter().flat_map(|session| &session.drifts);
        let all = of_sessions.chain(&self.drifts);
        all.filter(|told| told.acked).count()
    }

    /// What could not be seen.
    pub fn unseen(&self) -> impl Iterator<Item = &Source> {
        self.sources
            .iter()
            .filter(|source| source.state == SourceState::Unknown)
    }
}

/// Where one session after the other is put together.
struct Desk<'a> {
    scope: Scope<'a>,
    past: Past<'a>,
    join: &'a Join<'a>,
}

impl<'a> Desk<'a> {
    fn declared(&self, row: &Row, fate: &Fate<'_>, joined: &Joined<'a>) -> Session {
        let mut session = blank(&row.name, Declared::Row(row.status.clone()));
        session.server.clone_from(&row.server);
        session.agent = row.agent;
        session.folder.clone_from(&row.pane.cwd);
        session.ended_at = row.end.at.filter(|_| row.status.is_ended());
        let known = self.past.known(row);
        session.last_seen_alive = known.and_then(|it| it.alive.as_ref()).map(|it| it.at);
        session.job = self.job(row);
        match joined {
            Joined::Here(here) => {
                let life = self.past.life(row);
                let seen = self.in_full(&here.seen);
                let pane = super::join::pane_of(Some(row), row.agent, life, seen.session);
                self.alive(&mut session, &seen, pane, Some((here.by, here.sure)));
            }
            Joined::Maybe(_) | Joined::Nowhere => {
                let why_held = self.scope.report.drifts.iter().find_map(|told| {
                    let is_its = told.drift.session.as_ref() == Some(&row.name);
                    match &told.outcome {
                        Outcome::Held(held) if is_its && told.drift.kind == Kind::TmuxGone => {
                            Some(held)
                        }
                        _ => None,
                    }
                });
                session.sight = sight::absent(self.past, self.join, row, fate, joined, why_held);
            }
        }
        session.conversation = self.conversation(&session, row.agent, |agent| {
            row.ids.get(&agent).map(|id| id.value.clone())
        });
        session
    }

    /// The job of a row: its outcome as the row has it, else as it was heard of, else as its record has it.
    fn job(&self, row: &Row) -> Option<Job> {
        let id = row.job.as_ref().or(row.job_status_of.as_ref())?;
        let written = row
            .job_status
            .filter(|_| row.job_status_of.as_ref() == Some(id))
            .map(JobStatus::as_str);
        let heard = || {
            let mut told = self.scope.report.jobs.iter().map(|told| &told.update);
            let is_its = |update: &&JobUpdate| {
                update.job.as_str() == id
                    && update.session == row.name
                    && update.server == row.server
            };
            told.find(is_its).map(|update| update.state)
        };
        let recorded = || match self.scope.world.jobs.records.get(&JobId::parse(id)?)? {
            Sighting::Present(record) => Some(record.status.as_str()),
            Sighting::Absent(_) | Sighting::Unknown(_) => None,
        };
        Some(Job {
            id: id.clone(),
            state: written.or_else(heard).or_else(recorded),
        })
    }

    fn wrong(&self, invalid: &InvalidRow, name: &SessionName, seen: Option<Seen<'a>>) -> Session {
        let mut session = blank(name, Declared::Invalid(invalid.problem.clone()));
        match seen {
            Some(seen) => self.by_itself(&mut session, &seen),
            None => {
                session.sight =
                    Sight::Unseen("its row cannot be read, so it was not looked for".to_owned());
            }
        }
        session
    }

    fn undeclared(&self, seen: &Seen<'a>, declared: Declared) -> Session {
        let mut session = blank(&seen.session.name, declared);
        self.by_itself(&mut session, seen);
        session
    }

    fn by_itself(&self, session: &mut Session, seen: &Seen<'a>) {
        let agent = self.scope.policy.agent_by_name(&seen.session.name);
        let seen = self.in_full(seen);
        let pane = super::join::pane_of(None, agent, None, seen.session);
        session.agent = agent;
        self.alive(session, &seen, pane, None);
        session.conversation = self.conversation(session, session.agent, |_| None);
    }

    /// The same session with everything that can be seen of it.
    fn in_full(&self, seen: &Seen<'a>) -> Seen<'a> {
        let mut all = self
            .scope
            .all
            .servers
            .iter()
            .filter_map(|server| match &server.state {
                super::world::ServerState::Listed(listing)
                    if server.socket == seen.server.socket =>
                {
                    Some((server, listing))
                }
                _ => None,
            });
        all.find_map(|(server, listing)| {
            let mut sessions = listing.sessions.iter();
            let session = sessions.find(|it| it.id == seen.session.id)?;
            Some(Seen {
                server,
                listing,
                session,
            })
        })
        .unwrap_or(*seen)
    }

    fn alive(
        &self,
        session: &mut Session,
        seen: &Seen<'a>,
        pane: Result<&'a PaneSight, String>,
        joined: Option<(By, bool)>,
    ) {
        session.server = Some(seen.server.name.clone());
        session.sight = sight::present(seen.session, pane.as_ref().ok().copied(), session.agent);
        let agent = pane
            .as_ref()
            .ok()
            .and_then(|pane| agent_of(pane, session.agent));
        session.agent = session.agent.or(agent.map(|agent| agent.kind));
        let seen_folder = agent
            .map(|agent| &agent.cwd)
            .into_iter()
            .chain(pane.as_ref().ok().map(|pane| &pane.cwd))
            .find_map(|cwd| match cwd {
                Sighting::Present(folder) => Some(folder.clone()),
                Sighting::Absent(_) | Sighting::Unknown(_) => None,
            });
        session.folder = seen_folder.or_else(|| session.folder.take());
        session.live = Some(Live {
            id: seen.session.id.clone(),
            name: seen.session.name.clone(),
            socket: seen.server.socket.clone(),
            created: seen.session.created,
            pane: pane.ok().map(|pane| (pane.id.clone(), pane.pid)),
            process: agent.map(|agent| agent.process.pid),
            joined,
        });
    }

    /// The conversation that the live agent has, else the recorded one.
    fn conversation(
        &self,
        session: &Session,
        agent: Option<AgentKind>,
        recorded: impl Fn(AgentKind) -> Option<Option<ConversationId>>,
    ) -> Option<Conversation> {
        let agent = agent?;
        let has = self.record(session, agent);
        let recorded = recorded(agent);
        let (id, live) = match (has, recorded) {
            (Some((id, source)), _) => (Some(id), Some(source)),
            (None, Some(recorded)) => (recorded, None),
            // An agent whose conversations nobody records has none to show.
            (None, None) => (agent.id_key().map(|_| None)?, None),
        };
        let file = match &id {
            None => Sighting::unknown("no conversation of it is known"),
            Some(id) => {
                let known = self.scope.all.artifacts.get(&(agent, id.clone()));
                known
                    .cloned()
                    .unwrap_or_else(|| Sighting::unknown("it was not looked for"))
            }
        };
        let held_by = id.as_ref().and_then(|id| holder(self.scope.all, agent, id));
        Some(Conversation {
            agent,
            id,
            live,
            held_by,
            file,
        })
    }

    /// What the live agent says of its conversation.
    fn record(&self, session: &Session, agent: AgentKind) -> Option<(ConversationId, String)> {
        let live = session.live.as_ref()?;
        let mut agents = self.scope.all.agents();
        agents.find_map(|(_, sight)| match &sight.live {
            Sighting::Present(record)
                if sight.kind == agent && Some(sight.process.pid) == live.process =>
            {
                Some((record.id.clone(), record.source.clone()))
            }
            _ => None,
        })
    }
}

/// A process that says that it has a conversation, in a session or outside of tmux.
pub(super) fn holder(all: &World, kind: AgentKind, id: &ConversationId) -> Option<Pid> {
    let agents = all.agents().map(|(_, sight)| sight);
    let agents = agents.map(|sight| (sight.kind, sight.process, &sight.live));
    let elsewhere = all.folders.iter().flat_map(|((of, _), sight)| {
        let kin = match &sight.kin {
            Sighting::Present(kin) => kin.as_slice(),
            Sighting::Absent(_) | Sighting::Unknown(_) => &[],
        };
        kin.iter().map(|kin| (*of, kin.process, &kin.live))
    });
    agents
        .chain(elsewhere)
        .find_map(|(of, process, live)| match live {
            Sighting::Present(record) if of == kind && record.id == *id => Some(process.pid),
            _ => None,
        })
}

fn blank(name: &SessionName, declared: Declared) -> Session {
    Session {
        name: name.clone(),
        server: None,
        declared,
        ignored: false,
        agent: None,
        sight: Sight::Unseen("it was not looked for".to_owned()),
        live: None,
        conversation: None,
        folder: None,
        ended_at: None,
        last_seen_alive: None,
        job: None,
        drifts: Vec::new(),
        notes: Vec::new(),
    }
}

fn key_of(seen: &Seen<'_>) -> (String, String) {
    (seen.server.socket.clone(), seen.session.id.clone())
}

/// The agent of a pane, if there is just one of the kind.
fn agent_of(pane: &PaneSight, kind: Option<AgentKind>) -> Option<&AgentSight> {
    let Sighting::Present(agents) = &pane.agents else {
        return None;
    };
    let mut of_kind = agents
        .iter()
        .filter(|agent| kind.is_none_or(|kind| kind == agent.kind));
    of_kind.next().filter(|_| of_kind.next().is_none())
}

/// The session that a drift or note of that name and server is about: the row's, or the live one if no row is.
fn subject<'s>(
    sessions: &'s mut [Session],
    is_of_row: bool,
    name: Option<&SessionName>,
    server: Option<&ServerName>,
) -> Option<&'s mut Session> {
    let name = name?;
    let is_there = |its: &ServerName| server.map_or_else(|| its.is_default(), |named| its == named);
    sessions.iter_mut().find(|session| {
        if is_of_row {
            let is_declared = matches!(session.declared, Declared::Row(_) | Declared::Invalid(_));
            return session.name == *name && is_declared;
        }
        // Where a row took the session, but not surely, what is told of the session is told with the row.
        session.live.as_ref().is_some_and(|live| live.name == *name)
            && session.server.as_ref().is_some_and(is_there)
    })
}

/// Whether what holds an end says that the session may live after all.
const fn may_live(held: &Held) -> bool {
    matches!(
        held,
        Held::ProcessAlive(_) | Held::Doubt(_) | Held::MassChange
    )
}
