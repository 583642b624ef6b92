//! All agents together: what the live ones have on their minds, and what is on disk of the conversations that
//! anybody speaks of.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::agy::Agy;
use super::census::{self, Counted, Place};
use super::claude::Claude;
use super::{Agent, Homes, Mind, Question, Readers, Reading};
use crate::core::ids::{AgentKind, ConversationId, ProcessId, SessionName, Timestamp};
use crate::core::ledger::Ledger;
use crate::core::policy::Policy;
use crate::core::registry::{Registry, Row, Status};
use crate::core::sighting::Sighting;
use crate::core::world::{Artifact, FolderSight, Kin, LiveRecord, SessionSight, World};

/// What can be seen of the agents in one look. What was read once is not read again.
pub struct Minds {
    agents: Vec<Box<dyn Agent + Send>>,
    minds: BTreeMap<(AgentKind, ProcessId), Mind>,
    found: BTreeMap<(AgentKind, ConversationId), Sighting<Artifact>>,
    /// In how many places what is in `found` was looked for.
    looked_into: BTreeMap<AgentKind, usize>,
}

impl Minds {
    /// Makes ready for one look. Nothing of theirs is read yet.
    #[must_use]
    pub fn new(homes: &Homes) -> Self {
        Self {
            agents: vec![Box::new(Claude::new(homes)), Box::new(Agy::new(homes))],
            minds: BTreeMap::new(),
            found: BTreeMap::new(),
            looked_into: BTreeMap::new(),
        }
    }

    /// Looks for conversations that will be asked for. It needs nothing of tmux, so it may be done while tmux is
    /// still answering; [`Self::fill`] looks again only for what was not found.
    pub fn look_ahead(&mut self, asked: &[Question]) {
        self.look_for(&asked.iter().collect::<Vec<_>>());
    }

    /// What reads processes one by one, on any thread.
    #[must_use]
    pub fn readers(&self) -> Readers {
        let readers = self.agents.iter();
        readers
            .filter_map(|agent| Some((agent.kind(), agent.reader()?)))
            .collect()
    }

    /// Takes up what was read of a live process, or reads it now, if neither was done yet.
    pub fn learn(&mut self, kind: AgentKind, process: ProcessId, reading: Option<Reading>) {
        let Some(reading) = reading else {
            self.mind(kind, process);
            return;
        };
        if let (Some(agent), Entry::Vacant(unread)) = (
            self.agents.iter_mut().find(|agent| agent.kind() == kind),
            self.minds.entry((kind, process)),
        ) {
            unread.insert(agent.learn(reading));
        }
    }

    /// The conversation of the session that a live process is the agent of. All agents of the world have to be
    /// asked about before [`Self::fill`].
    pub fn live(&mut self, kind: AgentKind, process: ProcessId) -> Sighting<LiveRecord> {
        self.mind(kind, process).of_session()
    }

    /// Fills in what a world lacks once its agents are in it: the artifacts of what is [`recorded`] and of what is
    /// live, folders, retention, shared conversations, and a line for each folder of theirs that was looked into.
    pub fn fill(
        &mut self,
        world: &mut World,
        recorded: Vec<Question>,
        registry: &Registry,
        policy: &Policy,
    ) {
        world.artifacts = self.artifacts(world, recorded);
        world.folders = self.folders(world, &Lacking::of(registry, policy));
        world.retention = self.retention(&world.artifacts);
        world.shared = self.shared();
        let sources = self.agents.iter().flat_map(|agent| agent.sources(world.at));
        world.sources.extend(sources);
    }

    /// Adds to a world that [`Self::fill`] has filled: the conversations that were not asked for yet, who works in
    /// their folders, in tmux or outside of it, and how long each agent keeps what it wrote.
    pub fn fill_in(&mut self, world: &mut World, recorded: Vec<Question>) {
        let folders: BTreeSet<(AgentKind, String)> = recorded
            .iter()
            .filter_map(|it| Some((it.kind, it.folder.clone()?)))
            .collect();
        let open: BTreeMap<_, Question> = live(world)
            .chain(recorded)
            .map(|question| ((question.kind, question.id.clone()), question))
            .filter(|(key, _)| !world.artifacts.contains_key(key))
            .collect();
        self.look_for(&open.values().collect::<Vec<_>>());
        world.artifacts.append(&mut self.found);
        self.count_kin(world, folders);
        let agents = self.agents.iter_mut();
        world.retention = agents
            .map(|agent| (agent.kind(), agent.retention()))
            .collect();
    }

    fn mind(&mut self, kind: AgentKind, process: ProcessId) -> &Mind {
        let agents = &mut self.agents;
        self.minds.entry((kind, process)).or_insert_with(|| {
            match agents.iter_mut().find(|agent| agent.kind() == kind) {
                Some(agent) => agent.mind(process),
                None => Mind::unknown(unread(kind)),
            }
        })
    }

    fn artifacts(
        &mut self,
        world: &World,
        recorded: Vec<Question>,
    ) -> BTreeMap<(AgentKind, ConversationId), Sighting<Artifact>> {
        let mut asked: BTreeMap<_, _> = recorded
            .into_iter()
            .map(|question| ((question.kind, question.id.clone()), question))
            .collect();
        for question in live(world) {
            asked
                .entry((question.kind, question.id.clone()))
                .or_insert(question);
        }
        let open: Vec<&Question> = asked
            .iter()
            .filter(|(key, _)| !self.is_settled(key))
            .map(|(_, question)| question)
            .collect();
        self.look_for(&open);
        std::mem::take(&mut self.found)
    }

    /// Whether a conversation was found, or looked for in vain in all the places that are known by now. What
    /// could not be seen before a live agent told where it lives may be seen now.
    fn is_settled(&self, key: &(AgentKind, ConversationId)) -> bool {
        self.found.get(key).is_some_and(|found| match found {
            Sighting::Present(_) => true,
            Sighting::Absent(_) => self.looked_into.get(&key.0) == Some(&self.places(key.0)),
            Sighting::Unknown(_) => false,
        })
    }

    fn places(&self, kind: AgentKind) -> usize {
        let agent = self.agents.iter().find(|agent| agent.kind() == kind);
        agent.map_or(0, |agent| agent.places())
    }

    fn look_for(&mut self, asked: &[&Question]) {
        for agent in &mut self.agents {
            let kind = agent.kind();
            let own: Vec<&Question> = asked
                .iter()
                .filter(|question| question.kind == kind)
                .copied()
                .collect();
            if own.is_empty() {
                continue;
            }
            let answers = agent.artifacts(&own);
            self.looked_into.insert(kind, agent.places());
            let keys = own.iter().map(|question| (kind, question.id.clone()));
            self.found.extend(keys.zip(answers));
        }
        for question in asked {
            self.found
                .entry((question.kind, question.id.clone()))
                .or_insert_with(|| Sighting::unknown(unread(question.kind)));
        }
    }

    /// What is needed to infer the conversations of silent agents, for those that a row may lack.
    fn folders(
        &mut self,
        world: &World,
        rows: &Lacking<'_>,
    ) -> BTreeMap<(AgentKind, String), FolderSight> {
        let wanted = self.silent(world, rows);
        let known: Vec<usize> = self.agents.iter().map(|agent| agent.places()).collect();
        let mut folders: BTreeMap<(AgentKind, String), FolderSight> = wanted
            .iter()
            .filter_map(|((kind, folder), since)| {
                let unasked = "not looked at, since nothing was said in this folder";
                let sight = FolderSight {
                    candidates: self.agent(*kind)?.candidates(folder, *since),
                    kin: Sighting::unknown(unasked),
                    claimed: Sighting::unknown(unasked),
                };
                Some(((*kind, folder.clone()), sight))
            })
            .collect();
        // To count everybody costs more than all the rest.
        let is_empty = |sight: &FolderSight| sight.candidates == Sighting::Present(Vec::new());
        if folders.values().all(is_empty) {
            return folders;
        }
        let places: BTreeMap<String, Option<Place>> = wanted
            .keys()
            .map(|(_, folder)| (folder.clone(), census::place(Path::new(folder))))
            .collect();
        let census = census::take(&places.values().flatten().copied().collect());
        for ((kind, folder), sight) in &mut folders {
            sight.kin = match &census {
                Ok(all) => Sighting::Present(self.kin(*kind, places[folder], all)),
                Err(why) => Sighting::unknown(why.clone()),
            };
        }
        for (agent, known) in self.agents.iter_mut().zip(known) {
            let kind = agent.kind();
            let own = folders.iter_mut().filter(|((of, _), _)| *of == kind);
            let mut claimed = None;
            for (key, sight) in own {
                let claimed = claimed.get_or_insert_with(|| agent.claimed());
                sight.claimed = claimed.clone();
                // Somebody in these folders keeps files elsewhere, and some of theirs may be of these folders.
                if agent.places() > known {
                    sight.candidates = agent.candidates(&key.1, wanted[key]);
                }
            }
        }
        folders
    }

    fn agent(&mut self, kind: AgentKind) -> Option<&mut Box<dyn Agent + Send>> {
        self.agents.iter_mut().find(|agent| agent.kind() == kind)
    }

    /// The folders of the agents whose conversation may have to be inferred, each with the creation of the
    /// oldest session of one of them.
    fn silent(
        &self,
        world: &World,
        rows: &Lacking<'_>,
    ) -> BTreeMap<(AgentKind, String), Timestamp> {
        let mut wanted = BTreeMap::new();
        for (session, agent) in world.agents() {
            let mind = self.minds.get(&(agent.kind, agent.process));
            if matches!(mind, Some(Mind::Silent(_)))
                && rows.may_have(world, session, agent.kind)
                && let Sighting::Present(folder) = &agent.cwd
            {
                wanted
                    .entry((agent.kind, folder.clone()))
                    .and_modify(|since: &mut Timestamp| *since = session.created.min(*since))
                    .or_insert(session.created);
            }
        }
        wanted
    }

    /// Counts who works in these folders, where that was not done yet.
    fn count_kin(&mut self, world: &mut World, folders: BTreeSet<(AgentKind, String)>) {
        let uncounted = |key: &(AgentKind, String)| {
            let known = world.folders.get(key);
            known.is_none_or(|sight| sight.kin.is_unknown())
        };
        let open: BTreeMap<(AgentKind, String), Place> = folders
            .into_iter()
            .filter(uncounted)
            .filter_map(|key| Some((census::place(Path::new(&key.1))?, key)))
            .map(|(place, key)| (key, place))
            .collect();
        if open.is_empty() {
            return;
        }
        let census = census::take(&open.values().copied().collect());
        for (key, place) in open {
            let kin = match &census {
                Ok(all) => Sighting::Present(self.kin(key.0, Some(place), all)),
                Err(why) => Sighting::unknown(why.clone()),
            };
            let unasked = "not looked at, since nothing has to be inferred here";
            let blank = || FolderSight {
                candidates: Sighting::unknown(unasked),
                kin: Sighting::unknown(unasked),
                claimed: Sighting::unknown(unasked),
            };
            world.folders.entry(key).or_insert_with(blank).kin = kin;
        }
    }

    fn kin(&mut self, kind: AgentKind, place: Option<Place>, all: &[Counted]) -> Vec<Kin> {
        all.iter()
            .filter(|it| it.kind.is_none_or(|its| its == kind))
            .filter(|it| it.place.is_none() || place.is_none() || it.place == place)
            .map(|it| Kin {
                process: it.process,
                user: it.user.map_or_else(
                    || Sighting::unknown("whose process it is could not be read"),
                    Sighting::Present,
                ),
                live: self.mind(kind, it.process).of_process(),
            })
            .collect()
    }

    /// How long the agents keep what was not found.
    fn retention(
        &mut self,
        artifacts: &BTreeMap<(AgentKind, ConversationId), Sighting<Artifact>>,
    ) -> BTreeMap<AgentKind, Sighting<Duration>> {
        let gone: BTreeSet<AgentKind> = artifacts
            .iter()
            .filter(|(_, artifact)| artifact.is_absent())
            .map(|((kind, _), _)| *kind)
            .collect();
        self.agents
            .iter_mut()
            .filter(|agent| gone.contains(&agent.kind()))
            .map(|agent| (agent.kind(), agent.retention()))
            .collect()
    }

    /// The conversations that more than one live process has, of those that were asked.
    fn shared(&self) -> BTreeMap<ConversationId, BTreeSet<ProcessId>> {
        let mut holders: BTreeMap<ConversationId, BTreeSet<ProcessId>> = BTreeMap::new();
        for (&(_, process), mind) in &self.minds {
            if let Sighting::Present(record) = mind.of_process() {
                holders.entry(record.id).or_default().insert(process);
            }
        }
        holders.retain(|_, processes| processes.len() > 1);
        holders
    }
}

/// The conversations that the roll records and that should still be there. One that is recorded more than once
/// is asked for where the first record that names a folder puts it.
#[must_use]
pub fn recorded(registry: &Registry, ledger: &Ledger) -> Vec<Question> {
    recorded_by(registry, ledger, keeps_its_ids, false)
}

/// All conversations that the roll records, those included of rows that ended long ago, and those that a session had
/// before.
#[must_use]
pub fn recorded_by_all(registry: &Registry, ledger: &Ledger) -> Vec<Question> {
    recorded_by(registry, ledger, |_| true, true)
}

fn recorded_by(
    registry: &Registry,
    ledger: &Ledger,
    is_asked_for: impl Fn(&Row) -> bool,
    with_earlier: bool,
) -> Vec<Question> {
    let last_at = |kind: AgentKind, id: &ConversationId| {
        let known = ledger.artifacts.get(&(kind, id.clone()))?;
        known.path.as_ref().map(PathBuf::from)
    };
    let of_rows = registry.rows.iter().filter(|row| is_asked_for(row));
    let of_rows = of_rows.flat_map(|row| {
        row.ids.iter().flat_map(move |(&kind, recorded)| {
            let earlier = recorded.previous.iter().filter(move |_| with_earlier);
            let ids = recorded.value.iter().chain(earlier);
            ids.map(move |id| Question {
                kind,
                last_at: last_at(kind, id),
                id: id.clone(),
                folder: row.pane.cwd.clone(),
            })
        })
    });
    let of_identities = registry.identities.iter().filter_map(|identity| {
        Some(Question {
            kind: identity.agent?,
            id: identity.id.clone(),
            folder: identity.cwd.clone(),
            last_at: last_at(identity.agent?, &identity.id),
        })
    });
    let mut questions: BTreeMap<_, Question> = BTreeMap::new();
    for question in of_rows.chain(of_identities) {
        let known = questions
            .entry((question.kind, question.id.clone()))
            .or_insert_with(|| question.clone());
        if known.folder.is_none() {
            known.folder = question.folder;
        }
    }
    questions.into_values().collect()
}

fn keeps_its_ids(row: &Row) -> bool {
    matches!(row.status, Status::Running | Status::Stopped) || row.ended_by_headcount()
}

/// The conversations that live agents have.
fn live(world: &World) -> impl Iterator<Item = Question> + '_ {
    world.agents().filter_map(|(_, agent)| match &agent.live {
        Sighting::Present(record) => Some(Question {
            kind: agent.kind,
            id: record.id.clone(),
            folder: match &agent.cwd {
                Sighting::Present(folder) => Some(folder.clone()),
                Sighting::Absent(_) | Sighting::Unknown(_) => None,
            },
            last_at: None,
        }),
        Sighting::Absent(_) | Sighting::Unknown(_) => None,
    })
}

/// The running rows, of which some record no conversation of an agent, and the names that get a row.
struct Lacking<'r> {
    policy: &'r Policy,
    rows: Vec<&'r Row>,
    named: BTreeMap<SessionName, Vec<&'r Row>>,
}

impl<'r> Lacking<'r> {
    fn of(registry: &'r Registry, policy: &'r Policy) -> Self {
        let mut named: BTreeMap<SessionName, Vec<&Row>> = BTreeMap::new();
        for row in &registry.rows {
            named.entry(row.name.normalised()).or_default().push(row);
        }
        let running = registry.rows.iter();
        Self {
            policy,
            rows: running
                .filter(|row| row.status == Status::Running)
                .collect(),
            named,
        }
    }

    /// Whether a session may be that of one of them, or may get a row. By name where it can be, since a look behind
    /// every folder costs much; a session of another name may have been renamed.
    fn may_have(&self, world: &World, session: &SessionSight, kind: AgentKind) -> bool {
        let lacks = |row: &&Row| row.status == Status::Running && row.recorded_id(kind).is_none();
        match self.named.get(&session.name.normalised()) {
            Some(rows) => rows.iter().any(lacks),
            None => self.rows.iter().any(lacks) || self.is_to_get_a_row(world, session, kind),
        }
    }

    fn is_to_get_a_row(&self, world: &World, session: &SessionSight, kind: AgentKind) -> bool {
        let mut panes = session.panes.iter();
        self.policy.agent_by_name(&session.name) == Some(kind)
            && !panes.any(|pane| world.belongs_elsewhere(pane) == Ok(true))
    }
}

fn unread(kind: AgentKind) -> String {
    format!("headcount cannot read the conversations of {kind} yet")
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests;
