//! Poorer worlds: the same look, with some of what it saw replaced by "could not be seen".

use headcount::core::sighting::{Reason, Sighting};
use headcount::core::world::{AgentSight, ProcessSight, ServerState, World};

/// This look with less in it. `hides` is asked once for every sighting, in a fixed order.
pub fn blurred(world: &World, hides: &mut dyn FnMut() -> bool) -> World {
    let mut world = world.clone();
    hide(&mut world.vantage.first_pid_namespace, hides);
    hide(&mut world.vantage.roll_is_local, hides);
    hide(&mut world.strays, hides);
    hide(&mut world.elsewhere, hides);
    for server in &mut world.servers {
        hide(&mut server.listener, hides);
        if let ServerState::Listed(listing) = &mut server.state {
            for pane in listing
                .sessions
                .iter_mut()
                .flat_map(|session| &mut session.panes)
            {
                hide(&mut pane.start, hides);
                hide(&mut pane.cmd, hides);
                hide(&mut pane.cwd, hides);
                blur_agents(&mut pane.agents, hides);
            }
        }
        if hides() {
            server.state = ServerState::Unknown(Reason::new("hidden"));
        }
    }
    world.processes.retain(|_, sight| {
        blur_processes(sight, hides);
        !hides()
    });
    world.artifacts.retain(|_, sight| {
        if let Sighting::Present(artifact) = sight {
            hide(&mut artifact.in_folder, hides);
        }
        hide(sight, hides);
        !hides()
    });
    world.folders.retain(|_, folder| {
        if let Sighting::Present(candidates) = &mut folder.candidates {
            for candidate in candidates {
                hide(&mut candidate.began, hides);
                hide(&mut candidate.modified, hides);
                hide(&mut candidate.owner, hides);
                hide(&mut candidate.in_folder, hides);
                hide(&mut candidate.interactive, hides);
            }
        }
        hide(&mut folder.candidates, hides);
        if let Sighting::Present(kin) = &mut folder.kin {
            for other in kin {
                hide(&mut other.user, hides);
                hide(&mut other.live, hides);
            }
        }
        hide(&mut folder.kin, hides);
        hide(&mut folder.claimed, hides);
        !hides()
    });
    world.retention.retain(|_, sight| {
        hide(sight, hides);
        !hides()
    });
    world.nearest_rolls.retain(|_, sight| {
        hide(sight, hides);
        !hides()
    });
    world.shared.retain(|_, _| !hides());
    world.jobs.complete &= !hides();
    for sight in world.jobs.records.values_mut() {
        hide(sight, hides);
    }
    world
}

fn hide<T>(sight: &mut Sighting<T>, hides: &mut dyn FnMut() -> bool) {
    if hides() {
        *sight = Sighting::unknown("hidden");
    }
}

fn blur_agents(agents: &mut Sighting<Vec<AgentSight>>, hides: &mut dyn FnMut() -> bool) {
    if let Sighting::Present(agents) = agents {
        for agent in agents {
            hide(&mut agent.started_at, hides);
            hide(&mut agent.cwd, hides);
            hide(&mut agent.live, hides);
        }
    }
    hide(agents, hides);
}

fn blur_processes(processes: &mut Sighting<Vec<ProcessSight>>, hides: &mut dyn FnMut() -> bool) {
    if let Sighting::Present(processes) = processes {
        for process in processes {
            hide(&mut process.ancestors, hides);
        }
    }
    hide(processes, hides);
}
