//! What has to be looked at for this roll: an ordinary pass reads nothing that nobody needs.

use std::collections::{BTreeMap, BTreeSet};

use super::Request;
use super::panes::Trees;
use crate::core::ids::{Pid, ProcessId, SessionName};
use crate::core::ledger::Incarnation;
use crate::core::registry::{Registry, Row, Status};
use crate::core::sighting::Sighting;
use crate::core::world::{self, ServerId, ServerSight, ServerState, SessionSight, Vantage};

/// The pids that running rows record, each once: probably panes, and worth reading ahead.
pub(super) fn recorded_pids(registry: &Registry) -> BTreeSet<Pid> {
    registry
        .rows
        .iter()
        .filter(|row| row.status == Status::Running)
        .filter_map(|row| row.pane.pid)
        .collect()
}

/// What the roll and the ledger point to.
pub(super) struct Needs<'a> {
    request: &'a Request<'a>,
    /// The names of rows, as tmux stores names, and the pids that rows of the name record.
    names: BTreeMap<String, BTreeSet<Pid>>,
    /// The names of rows that name no server, as tmux stores names.
    unplaced: BTreeSet<String>,
    /// The pids that any entry of the roll records.
    pids: BTreeSet<Pid>,
    /// The sessions that the ledger saw as rows', by socket and id.
    lives: BTreeSet<(&'a str, &'a str)>,
    /// The last lives of servers that rows were seen on in this boot, by socket.
    servers: Vec<(&'a str, ServerId)>,
    /// The agents that were alive when they were last seen here in this boot, without a known conversation.
    agents: Vec<ProcessId>,
}

impl<'a> Needs<'a> {
    pub(super) fn new(request: &'a Request<'a>, vantage: &Vantage) -> Self {
        let registry = request.registry;
        let mut names: BTreeMap<String, BTreeSet<Pid>> = BTreeMap::new();
        for row in &registry.rows {
            names
                .entry(row.name.normalised())
                .or_default()
                .extend(row.pane.pid);
        }
        for invalid in &registry.invalid {
            if let Some(name) = &invalid.name {
                names
                    .entry(name.normalised())
                    .or_default()
                    .extend(invalid.pid);
            }
        }
        let rows = registry.rows.iter().filter_map(|row| row.pane.pid);
        let pids = rows
            .chain(registry.invalid.iter().filter_map(|row| row.pid))
            .collect();
        let incarnations: Vec<&Incarnation> = request
            .ledger
            .rows
            .values()
            .filter_map(|row| row.alive.as_ref())
            .filter(|alive| alive.place == vantage.place && alive.incarnation.boot == vantage.boot)
            .map(|alive| &alive.incarnation)
            .collect();
        let mut servers: Vec<(&str, ServerId)> = incarnations
            .iter()
            .map(|life| (life.socket.as_str(), life.server))
            .chain(
                request
                    .ledger
                    .servers
                    .iter()
                    .filter(|((place, _), known)| {
                        *place == vantage.place && known.boot == vantage.boot
                    })
                    .map(|((_, socket), known)| (socket.as_str(), known.id)),
            )
            .collect();
        servers.sort_unstable();
        servers.dedup();
        Self {
            request,
            names,
            unplaced: registry
                .rows
                .iter()
                .filter(|row| row.server.is_none())
                .map(|row| row.name.normalised())
                .collect(),
            pids,
            lives: incarnations
                .iter()
                .map(|life| (life.socket.as_str(), life.session.as_str()))
                .collect(),
            servers,
            agents: request
                .ledger
                .agents
                .iter()
                .filter(|(key, known)| {
                    known.gone.is_none() && **key == vantage.agent(key.process, key.kind)
                })
                .map(|(key, _)| key.process)
                .collect(),
        }
    }

    /// Fills in the panes of the sessions that somebody points to.
    pub(super) fn fill(&self, servers: &mut [ServerSight], trees: &mut Trees) {
        for server in servers {
            let ServerState::Listed(listing) = &mut server.state else {
                continue;
            };
            for session in &mut listing.sessions {
                let candidate = self.request.policy.agent_by_name(&session.name).is_some();
                if !candidate && !self.is_pointed_to(&server.socket, session) {
                    continue;
                }
                // A row that records one of these panes has nothing to learn of it.
                let recorded = session
                    .panes
                    .iter()
                    .any(|pane| self.records(&session.name, pane.pid));
                for pane in &mut session.panes {
                    trees.fill(pane, !recorded);
                }
            }
        }
    }

    fn is_pointed_to(&self, socket: &str, session: &SessionSight) -> bool {
        self.names.contains_key(&session.name.normalised())
            || self.lives.contains(&(socket, session.id.as_str()))
            || session
                .panes
                .iter()
                .any(|pane| self.pids.contains(&pane.pid))
    }

    fn records(&self, name: &SessionName, pid: Pid) -> bool {
        self.names
            .get(&name.normalised())
            .is_some_and(|pids| pids.contains(&pid))
    }

    /// The pids of processes that have to be asked: those of running rows that are not simply a pane of the
    /// session of the row's name, those of servers that do not answer any more, and those of agents whose end has to be known.
    pub(super) fn pids(&self, servers: &[ServerSight]) -> BTreeSet<Pid> {
        let listed: Vec<_> = servers
            .iter()
            .filter_map(|server| match &server.state {
                ServerState::Listed(listing) => Some((server.socket.as_str(), listing)),
                _ => None,
            })
            .collect();
        let panes: BTreeSet<(String, Pid)> = listed
            .iter()
            .flat_map(|(_, listing)| &listing.sessions)
            .flat_map(|session| {
                let name = session.name.normalised();
                session
                    .panes
                    .iter()
                    .map(move |pane| (name.clone(), pane.pid))
            })
            .collect();
        let is_open = |row: &&Row| row.status == Status::Running;
        let rows = self
            .request
            .registry
            .rows
            .iter()
            .filter(is_open)
            .filter_map(|row| row.pane.pid.map(|pid| (row.name.normalised(), pid)))
            .filter(|recorded| !panes.contains(recorded))
            .map(|(_, pid)| pid);
        let gone = self
            .servers
            .iter()
            .filter(|(socket, id)| {
                !listed
                    .iter()
                    .any(|(its, listing)| its == socket && listing.server == *id)
            })
            .map(|(_, id)| id.pid);
        rows.chain(gone).chain(self.agents(servers)).collect()
    }

    /// The pids of the agents whose end has to be known, as far as they were not met again.
    fn agents(&self, servers: &[ServerSight]) -> impl Iterator<Item = Pid> {
        let met: BTreeSet<ProcessId> = world::agents_in(servers)
            .map(|(_, agent)| agent.process)
            .collect();
        let open = self
            .agents
            .iter()
            .filter(move |process| !met.contains(process));
        open.map(|process| process.pid)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The folders of the sessions that may have to be registered, and of those that only their name may make
    /// a row's.
    pub(super) fn folders(&self, servers: &[ServerSight]) -> Vec<String> {
        let listed = servers.iter().filter_map(|server| match &server.state {
            ServerState::Listed(listing) => Some((server, listing)),
            _ => None,
        });
        let folders: BTreeSet<String> = listed
            .flat_map(|(server, listing)| {
                let sessions = listing.sessions.iter();
                sessions.map(|session| (server.name.is_default(), session))
            })
            .filter(|(by_default, session)| {
                let name = session.name.normalised();
                if self.names.contains_key(&name) {
                    !by_default && self.unplaced.contains(&name)
                } else {
                    self.request.policy.agent_by_name(&session.name).is_some()
                }
            })
            .map(|(_, session)| session)
            .flat_map(|session| &session.panes)
            .filter_map(|pane| match &pane.cwd {
                Sighting::Present(folder) => Some(folder.clone()),
                Sighting::Absent(_) | Sighting::Unknown(_) => None,
            })
            .collect();
        folders.into_iter().collect()
    }
}
