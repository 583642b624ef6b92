//! Every moment of a scene, so that all can be moved at once.

use headcount::core::ids::Timestamp;
use headcount::core::ledger::Ledger;
use headcount::core::sighting::Sighting;
use headcount::core::world::{AgentSight, ServerId, ServerState};

use crate::scene::Scene;

type Move<'a> = &'a mut dyn FnMut(Timestamp) -> Timestamp;

/// The same scene with every moment in it moved, the clocks of the servers included.
pub fn with_times(scene: &Scene, to: Move<'_>) -> Scene {
    let mut scene = scene.clone();
    scene.now = to(scene.now);
    scene.registry.written_at = to(scene.registry.written_at);
    for row in &mut scene.registry.rows {
        row.end.at = row.end.at.map(&mut *to);
    }
    let world = &mut scene.world;
    world.at = to(world.at);
    world.vantage.booted_at = to(world.vantage.booted_at);
    for server in &mut world.servers {
        let ServerState::Listed(listing) = &mut server.state else {
            continue;
        };
        move_server(&mut listing.server, to);
        for session in &mut listing.sessions {
            session.created = to(session.created);
            for pane in &mut session.panes {
                if let Sighting::Present(start) = &mut pane.start {
                    start.at = to(start.at);
                }
                move_agents(&mut pane.agents, to);
            }
        }
    }
    for sight in world.processes.values_mut() {
        if let Sighting::Present(found) = sight {
            for process in found {
                process.started_at = to(process.started_at);
            }
        }
    }
    for sight in world.artifacts.values_mut() {
        if let Sighting::Present(artifact) = sight {
            artifact.modified = to(artifact.modified);
        }
    }
    for folder in world.folders.values_mut() {
        if let Sighting::Present(candidates) = &mut folder.candidates {
            for candidate in candidates {
                move_sighting(&mut candidate.began, to);
                move_sighting(&mut candidate.modified, to);
            }
        }
    }
    scene.ledger = with_times_of_ledger(&scene.ledger, to);
    scene
}

pub fn with_times_of_ledger(ledger: &Ledger, to: Move<'_>) -> Ledger {
    let mut ledger = ledger.clone();
    if let Some(clock) = &mut ledger.clock {
        clock.booted_at = to(clock.booted_at);
    }
    for server in ledger.servers.values_mut() {
        move_server(&mut server.id, to);
        server.seen = to(server.seen);
    }
    for row in ledger.rows.values_mut() {
        row.since = to(row.since);
        if let Some(alive) = &mut row.alive {
            alive.at = to(alive.at);
            let life = &mut alive.incarnation;
            move_server(&mut life.server, to);
            life.created = to(life.created);
        }
    }
    for artifact in ledger.artifacts.values_mut() {
        artifact.modified = to(artifact.modified);
        artifact.seen = to(artifact.seen);
    }
    for agent in ledger.agents.values_mut() {
        agent.seen = to(agent.seen);
        agent.gone = agent.gone.map(&mut *to);
    }
    for drift in ledger.drifts.values_mut() {
        drift.first_seen = to(drift.first_seen);
        drift.last_seen = to(drift.last_seen);
        if let Some((since, _)) = &mut drift.proven_since {
            *since = to(*since);
        }
    }
    ledger
}

fn move_sighting(sight: &mut Sighting<Timestamp>, to: Move<'_>) {
    if let Sighting::Present(at) = sight {
        *at = to(*at);
    }
}

fn move_agents(agents: &mut Sighting<Vec<AgentSight>>, to: Move<'_>) {
    if let Sighting::Present(agents) = agents {
        for agent in agents {
            move_sighting(&mut agent.started_at, to);
        }
    }
}

fn move_server(server: &mut ServerId, to: Move<'_>) {
    server.start = to(Timestamp::from_secs(server.start)).secs();
}
