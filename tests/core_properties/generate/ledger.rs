//! What earlier looks may have left behind: true, outdated, or of another machine.

use headcount::core::ids::{AgentKind, BootId, ConversationId, Fingerprint, ProcessId, Timestamp};
use headcount::core::ledger::{
    AgentKey, Incarnation, KnownAgent, KnownArtifact, KnownId, KnownRow, KnownServer, SeenAlive,
};
use headcount::core::past::key_of;
use headcount::core::registry::Row;
use headcount::core::sighting::Sighting;
use headcount::core::world::{Place, ServerId, ServerState};

use super::{CONVERSATIONS, Dice, FOLDERS, Seeds, conversations};
use crate::scene::{NOON, Scene, ago, here, this_boot};

impl Seeds {
    pub(super) fn remember(&self, scene: &mut Scene) {
        let mut dice = Dice(&self.past);
        if dice.rarely(4) {
            scene.ledger.homes.insert(here());
        }
        for (at, server) in scene.world.servers.clone().into_iter().enumerate() {
            let now = match &server.state {
                ServerState::Listed(listing) => listing.server,
                _ => ServerId {
                    pid: 10,
                    start: NOON - 7100,
                },
            };
            let id = match dice.roll(4) {
                0 => continue,
                1 => ServerId {
                    pid: 20 + u32::try_from(at).unwrap_or(0),
                    start: NOON - 7000,
                },
                _ => now,
            };
            let known = KnownServer {
                id,
                boot: any_boot(&mut dice),
                seen: dice.time(),
            };
            scene
                .ledger
                .servers
                .insert((any_place(&mut dice), server.socket), known);
        }
        for (row, seed) in scene.registry.rows.clone().iter().zip(&self.memories) {
            let mut dice = Dice(seed);
            if dice.roll(3) == 0 {
                continue;
            }
            let known = any_memory(scene, row, &mut dice);
            // What was changed since the ledger saw it was written since.
            let is_new = known.pid != row.pane.pid;
            if let (Some(alive), true) = (&known.alive, is_new) {
                scene.registry.written_at = scene.registry.written_at.max(alive.at);
            }
            scene.ledger.rows.insert(key_of(row), known);
        }
        for (process, kind) in [
            (1100, AgentKind::Claude),
            (1200, AgentKind::Claude),
            (1101, AgentKind::Agy),
        ] {
            if dice.roll(4) != 1 {
                continue;
            }
            let key = AgentKey {
                place: any_place(&mut dice),
                boot: any_boot(&mut dice),
                process: ProcessId {
                    pid: process,
                    start: u64::from(process) * 1000,
                },
                kind,
            };
            let known = KnownAgent {
                folder: Some(dice.pick(&FOLDERS).to_owned()).filter(|_| !dice.rarely(4)),
                user: None,
                seen: ago(1),
                gone: Some(dice.time()).filter(|_| dice.rarely(2)),
                undecided: dice.rarely(4),
            };
            scene.ledger.agents.insert(key, known);
        }
        for key in conversations().take(3) {
            let modified = dice.time();
            if dice.rarely(3) {
                let seen = dice.time();
                scene.ledger.artifacts.insert(
                    key,
                    KnownArtifact {
                        path: None,
                        modified,
                        seen,
                    },
                );
            }
        }
    }

    /// Some of the drifts that this look will find were found before, and proven then or not.
    pub(super) fn open_drifts(&self, scene: &mut Scene) {
        let mut dice = Dice(&self.past[24..]);
        let mut drifts = scene.pass().ledger.drifts;
        drifts.retain(|_, open| {
            let since = dice.time();
            open.first_seen = since;
            open.proven_since = match dice.roll(6) {
                4 => None,
                5 => Some((since, BootId::new("another boot"))),
                _ => Some((since, this_boot())),
            };
            open.undone = dice.rarely(8);
            !dice.rarely(4)
        });
        scene.ledger.drifts = drifts;
    }
}

fn any_boot(dice: &mut Dice<'_>) -> BootId {
    if dice.rarely(6) {
        BootId::new("another boot")
    } else {
        this_boot()
    }
}

fn any_place(dice: &mut Dice<'_>) -> Place {
    let mut place = here();
    match dice.roll(10) {
        8 => place.pid_namespace = "pid:[4026532000]".to_owned(),
        9 => place.machine = "elsewhere".to_owned(),
        _ => {}
    }
    place
}

fn any_memory(scene: &Scene, row: &Row, dice: &mut Dice<'_>) -> KnownRow {
    let fingerprint = if dice.rarely(4) {
        Fingerprint::new("other content")
    } else {
        row.fingerprint.clone()
    };
    let ids = row
        .agent
        .into_iter()
        .filter_map(|agent| Some((agent, any_known_id(row, agent, dice)?)))
        .collect();
    let since = dice.time();
    let since_boot = (any_place(dice), any_boot(dice));
    let alive = any_life(scene, dice);
    // Nobody records a process before it begins, or before its boot.
    let recorded = alive
        .as_ref()
        .filter(|alive| Some(alive.incarnation.pid) == row.pane.pid);
    let began = recorded.map_or(since, |alive| alive.at);
    let since_boot = match recorded {
        Some(alive) if alive.incarnation.boot == this_boot() => (since_boot.0, this_boot()),
        _ => since_boot,
    };
    KnownRow {
        fingerprint,
        pid: row.pane.pid.filter(|_| !dice.rarely(6)),
        since: since.max(began),
        since_boot,
        alive,
        ids,
    }
}

fn any_known_id(row: &Row, agent: AgentKind, dice: &mut Dice<'_>) -> Option<KnownId> {
    let recorded = row.recorded_id(agent).cloned();
    let other = ConversationId::new(dice.pick(&CONVERSATIONS));
    match dice.roll(6) {
        0 => None,
        1 => Some(KnownId {
            recorded: Some(other),
            overruled: None,
        }),
        2 => Some(KnownId {
            recorded,
            overruled: Some(other),
        }),
        _ => Some(KnownId {
            recorded,
            overruled: None,
        }),
    }
}

/// A life of some session that is listed now, seen well or with one thing that is no longer so.
fn any_life(scene: &Scene, dice: &mut Dice<'_>) -> Option<SeenAlive> {
    let lives: Vec<(Timestamp, Incarnation)> = scene
        .world
        .servers
        .iter()
        .filter_map(|server| match &server.state {
            ServerState::Listed(listing) => Some((server, listing)),
            _ => None,
        })
        .flat_map(|(server, listing)| {
            listing.sessions.iter().filter_map(move |session| {
                let pane = session.panes.first()?;
                let began = match &pane.start {
                    Sighting::Present(start) => start.at,
                    _ => session.created,
                };
                let life = Incarnation {
                    boot: this_boot(),
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
                };
                Some((began.max(session.created), life))
            })
        })
        .collect();
    let (began, mut incarnation) = lives.get(dice.roll(lives.len() + 1))?.clone();
    match dice.roll(12) {
        5 => incarnation.created = Timestamp::from_secs(NOON - 6000),
        6 => incarnation.server.pid = 20,
        7 => incarnation.boot = BootId::new("another boot"),
        8 => incarnation.start = incarnation.start.map(|ticks| ticks + 1),
        9 => incarnation.session = "$9".to_owned(),
        10 => incarnation.pane = "%99".to_owned(),
        11 => incarnation.socket = "/tmp/tmux-1000/gone".to_owned(),
        _ => {}
    }
    Some(SeenAlive {
        place: any_place(dice),
        at: dice.time().max(began).min(ago(1)),
        incarnation,
    })
}
