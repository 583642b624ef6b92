//! The processes that answer to recorded pids, and what the agents left on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headcount::core::ids::{AgentKind, ConversationId, Pid, ProcessId, Timestamp};
use headcount::core::sighting::Sighting;
use headcount::core::world::{
    AgentSight, Ancestor, Artifact, Candidate, FolderSight, NearestRoll, ProcessSight, ServerId,
    ServerState,
};

use super::{AGENTS, CONVERSATIONS, Dice, FOLDERS, Seeds, conversations, listed_panes};
use crate::scene::{Scene, UID, ago, kin_of, not_there, seen, unknown};

impl Seeds {
    /// Every pid that a row or a remembered server has is asked for.
    pub(super) fn run_processes(&self, scene: &mut Scene) {
        let asked: BTreeSet<Pid> = scene
            .registry
            .rows
            .iter()
            .filter_map(|row| row.pane.pid)
            .chain(scene.ledger.servers.values().map(|server| server.id.pid))
            .chain(
                scene
                    .ledger
                    .rows
                    .values()
                    .filter_map(|row| row.alive.as_ref())
                    .map(|alive| alive.incarnation.server.pid),
            )
            .collect();
        let in_tmux = processes_in_tmux(scene);
        for (pid, seed) in asked.into_iter().zip(&self.processes) {
            let mut dice = Dice(seed);
            if dice.rarely(24) {
                continue;
            }
            let sight = match (in_tmux.get(&pid), dice.roll(16)) {
                (_, 15) => unknown(),
                (Some(process), _) => Sighting::Present(vec![process.clone()]),
                (None, 0..=5) => not_there(),
                (None, _) => Sighting::Present(strangers(pid, &mut dice)),
            };
            scene.world.processes.insert(pid, sight);
        }
    }

    pub(super) fn fill_disk(&self, scene: &mut Scene) {
        let mut dice = Dice(&self.disk);
        for key in conversations() {
            let artifact = Artifact {
                path: format!("/home/u/{}.jsonl", key.1),
                modified: dice.time(),
                in_folder: seen(),
            };
            let sight = match dice.roll(6) {
                0..=2 => Sighting::Present(artifact),
                3 => not_there(),
                4 => unknown(),
                _ => continue,
            };
            scene.world.artifacts.insert(key, sight);
        }
        for folder in FOLDERS {
            let roll = match dice.roll(6) {
                0..=1 => Sighting::Present(NearestRoll::Ours),
                2 => not_there(),
                3 => Sighting::Present(NearestRoll::Another),
                4 => unknown(),
                _ => continue,
            };
            scene.world.nearest_rolls.insert(folder.to_owned(), roll);
        }
        for agent in AGENTS {
            for folder in FOLDERS {
                let asked = scene
                    .registry
                    .rows
                    .iter()
                    .any(|row| row.agent == Some(agent) && row.recorded_id(agent).is_none());
                if asked {
                    let sight = folder_sight(scene, agent, folder, &mut dice);
                    scene
                        .world
                        .folders
                        .insert((agent, folder.to_owned()), sight);
                }
            }
        }
        let month = dice.sighting(Duration::from_secs(30 * 24 * 3600));
        scene.world.retention.insert(AgentKind::Claude, month);
        scene.world.shared = shared(scene);
    }
}

/// The panes' first processes, and the agents below them.
fn processes_in_tmux(scene: &Scene) -> BTreeMap<Pid, ProcessSight> {
    let mut found = BTreeMap::new();
    for (_, listing, pane) in listed_panes(scene) {
        let start = match &pane.start {
            Sighting::Present(start) => *start,
            _ => headcount::core::world::ProcessStart {
                ticks: u64::from(pane.pid) * 1000,
                at: ago(1800),
            },
        };
        let server = Ancestor {
            pid: listing.server.pid,
            tmux_server: true,
        };
        let shell = Ancestor {
            pid: pane.pid,
            tmux_server: false,
        };
        found.insert(
            pane.pid,
            plain(pane.pid, start.ticks, start.at, vec![server]),
        );
        let agent = pane.pid + 1000;
        found.insert(
            agent,
            plain(agent, start.ticks + 1, start.at, vec![shell, server]),
        );
    }
    // A server that answers lives.
    for server in &scene.world.servers {
        if let ServerState::Listed(listing) = &server.state {
            let ServerId { pid, start } = listing.server;
            let start = Timestamp::from_secs(start);
            found.insert(pid, plain(pid, 1, start, Vec::new()));
        }
    }
    found
}

fn plain(pid: Pid, start: u64, started_at: Timestamp, ancestors: Vec<Ancestor>) -> ProcessSight {
    ProcessSight {
        id: ProcessId { pid, start },
        started_at,
        zombie: false,
        own_uid: true,
        in_container: false,
        ancestors: Sighting::Present(ancestors),
    }
}

/// Processes that have a recorded pid and run in no listed pane.
fn strangers(pid: Pid, dice: &mut Dice<'_>) -> Vec<ProcessSight> {
    (0..dice.pick(&[1, 1, 1, 2]))
        .map(|nth| {
            let mut process = plain(pid, u64::from(pid) * 1000 + nth, dice.past(), Vec::new());
            match dice.roll(8) {
                0..=1 => {}
                2 => process.zombie = true,
                3 => process.own_uid = false,
                4 => process.in_container = true,
                5 => process.ancestors = unknown(),
                _ => {
                    process.ancestors = Sighting::Present(vec![Ancestor {
                        pid: 99,
                        tmux_server: true,
                    }]);
                }
            }
            process
        })
        .collect()
}

fn agents(scene: &Scene) -> impl Iterator<Item = &AgentSight> {
    listed_panes(scene)
        .into_iter()
        .filter_map(|(_, _, pane)| match &pane.agents {
            Sighting::Present(agents) => Some(agents),
            _ => None,
        })
        .flatten()
}

fn folder_sight(scene: &Scene, kind: AgentKind, folder: &str, dice: &mut Dice<'_>) -> FolderSight {
    let candidates = (0..dice.pick(&[1, 0, 2]))
        .map(|_| {
            let began = ago(dice.pick(&[5, 1800, 1799, 4000]));
            let modified = dice.pick(&[1, 1, 4, 3000]);
            Candidate {
                id: ConversationId::new(dice.pick(&CONVERSATIONS)),
                began: dice.sighting(began),
                modified: dice.sighting(ago(modified)),
                owner: if dice.rarely(8) {
                    unknown()
                } else {
                    Sighting::Present(UID)
                },
                in_folder: dice.sighting(()),
                interactive: dice.sighting(()),
            }
        })
        .collect();
    let all: Vec<&AgentSight> = agents(scene).filter(|agent| agent.kind == kind).collect();
    let kin = all
        .iter()
        .filter(|agent| match &agent.cwd {
            Sighting::Present(cwd) => cwd == folder,
            _ => true,
        })
        .map(|&agent| {
            let mut kin = kin_of(agent);
            match dice.roll(8) {
                6 => kin.user = unknown(),
                7 => kin.user = Sighting::Present(UID + 1),
                _ => {}
            }
            kin
        })
        .collect();
    let claimed = if all.iter().any(|agent| agent.live.is_unknown()) {
        unknown()
    } else {
        Sighting::Present(all.iter().filter_map(|agent| live(agent)).collect())
    };
    FolderSight {
        candidates: Sighting::Present(candidates),
        kin: Sighting::Present(kin),
        claimed,
    }
}

fn live(agent: &AgentSight) -> Option<ConversationId> {
    match &agent.live {
        Sighting::Present(live) => Some(live.id.clone()),
        _ => None,
    }
}

fn shared(scene: &Scene) -> BTreeMap<ConversationId, BTreeSet<ProcessId>> {
    let mut holders: BTreeMap<ConversationId, BTreeSet<ProcessId>> = BTreeMap::new();
    for agent in agents(scene) {
        if let Some(id) = live(agent) {
            holders.entry(id).or_default().insert(agent.process);
        }
    }
    holders.retain(|_, holders| holders.len() > 1);
    holders
}
