//! What a loop listens to between two looks: the folders in which files come and go as agents and their
//! conversations do, and the processes whose end changes what a look sees.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::agent::{Homes, project_folders};
use crate::core::ids::{AgentKind, Pid, StartTicks};
use crate::core::registry::{Registry, Status};
use crate::core::sighting::Sighting;
use crate::core::world::{Listing, PaneSight, ServerState, World};

/// What is kept in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kept {
    /// Claude Code's records of its processes, each written to again and again.
    Records,
    /// The folders of Claude Code's projects.
    Projects,
    /// Claude Code's transcripts of one project.
    Transcripts,
    /// agy's conversations, and its locks on them.
    Conversations,
    /// What a loop remembers of a roll.
    Memory,
}

impl Kept {
    /// Whether a file of that name is one of those, and not some agent's scratch.
    #[must_use]
    pub fn heeds(self, name: &str) -> bool {
        match self {
            Self::Records => name.ends_with(".json"),
            Self::Projects => !name.starts_with('.'),
            // The agents that an agent starts write transcripts as well, which are nobody's session.
            Self::Transcripts => name.ends_with(".jsonl") && !name.starts_with("agent-"),
            Self::Conversations => [".db", ".pb", ".lock", ".json"]
                .iter()
                .any(|ending| name.ends_with(ending)),
            Self::Memory => name == "ledger.json",
        }
    }
}

/// Where to listen, by what a look saw.
#[must_use]
pub fn places(world: &World, registry: &Registry, homes: &Homes) -> BTreeMap<PathBuf, Kept> {
    let mut places = BTreeMap::new();
    let mut projects = Vec::new();
    let named = |name: &'static str| {
        let sources = world.sources.iter();
        sources.filter_map(move |source| Some(Path::new(source.name.strip_prefix(name)?)))
    };
    let own = homes
        .claude_config_dir
        .clone()
        .or_else(|| homes.home.as_ref().map(|home| home.join(".claude")));
    for root in own.iter().map(PathBuf::as_path).chain(named("claude:")) {
        places.insert(root.join("sessions"), Kept::Records);
        projects.push(root.join("projects"));
    }
    projects.extend(homes.claude_project_dir.clone());
    for root in named("agy:") {
        for folder in ["conversations", "presence", "cache"] {
            places.insert(root.join(folder), Kept::Conversations);
        }
    }
    for folder in working_folders(world, registry) {
        for projects in &projects {
            for project in project_folders(projects, folder) {
                places.insert(project, Kept::Transcripts);
            }
        }
    }
    for ((kind, _), artifact) in &world.artifacts {
        if let (AgentKind::Claude, Sighting::Present(artifact)) = (kind, artifact)
            && let Some(folder) = Path::new(&artifact.path).parent()
        {
            places.insert(folder.to_owned(), Kept::Transcripts);
        }
    }
    places.extend(projects.into_iter().map(|folder| (folder, Kept::Projects)));
    places
}

/// The processes whose end changes what a look sees: agents, then tmux servers, then what runs in the panes. With
/// when they began, in ticks, where that was looked at.
#[must_use]
pub fn processes(world: &World) -> Vec<(Pid, Option<StartTicks>)> {
    let mut agents = Vec::new();
    let mut firsts = Vec::new();
    for pane in panes(world).filter(|pane| !pane.dead) {
        if let Sighting::Present(found) = &pane.agents {
            agents.extend(
                found
                    .iter()
                    .map(|it| (it.process.pid, Some(it.process.start))),
            );
        }
        let start = match &pane.start {
            Sighting::Present(start) => Some(start.ticks),
            _ => None,
        };
        firsts.push((pane.pid, start));
    }
    agents.extend(listings(world).map(|listing| (listing.server.pid, None)));
    agents.extend(firsts);
    agents
}

fn listings(world: &World) -> impl Iterator<Item = &Listing> {
    world
        .servers
        .iter()
        .filter_map(|server| match &server.state {
            ServerState::Listed(listing) => Some(listing),
            _ => None,
        })
}

fn panes(world: &World) -> impl Iterator<Item = &PaneSight> {
    listings(world)
        .flat_map(|listing| &listing.sessions)
        .flat_map(|session| &session.panes)
}

/// The folders in which Claude Code works, by the roll and by what runs.
fn working_folders<'a>(world: &'a World, registry: &'a Registry) -> impl Iterator<Item = &'a str> {
    let running = registry
        .rows
        .iter()
        .filter(|row| row.status == Status::Running && row.agent == Some(AgentKind::Claude));
    let recorded = running.filter_map(|row| row.pane.cwd.as_deref());
    let agents = panes(world).filter_map(|pane| match &pane.agents {
        Sighting::Present(agents) => Some(agents),
        _ => None,
    });
    let live = agents.flatten().filter_map(|agent| match &agent.cwd {
        Sighting::Present(cwd) if agent.kind == AgentKind::Claude => Some(cwd.as_str()),
        _ => None,
    });
    recorded.chain(live)
}
