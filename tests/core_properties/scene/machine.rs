//! Processes and conversations.

use headcount::core::ids::{AgentKind, ConversationId, Pid, ProcessId, Timestamp};
use headcount::core::sighting::Sighting;
use headcount::core::world::{
    AgentSight, Ancestor, Artifact, Candidate, FolderSight, Kin, ProcessSight,
};

use super::{Scene, UID, ago, not_there, seen};

/// No process answers to the pid.
pub fn dead() -> Sighting<Vec<ProcessSight>> {
    Sighting::absent("there is no such process")
}

/// A process that answers to a pid, being described.
#[derive(Clone, Debug)]
pub struct Alive(ProcessSight);

/// A process of the user, older than the roll, below no tmux server.
pub fn process(pid: Pid) -> Alive {
    Alive(ProcessSight {
        id: ProcessId {
            pid,
            start: u64::from(pid) * 1000,
        },
        started_at: ago(5400),
        zombie: false,
        own_uid: true,
        in_container: false,
        ancestors: Sighting::Present(vec![Ancestor {
            pid: 1,
            tmux_server: false,
        }]),
    })
}

impl Alive {
    pub fn began(mut self, at: Timestamp) -> Self {
        self.0.started_at = at;
        self
    }

    pub fn zombie(mut self) -> Self {
        self.0.zombie = true;
        self
    }

    pub fn of_another_user(mut self) -> Self {
        self.0.own_uid = false;
        self
    }

    pub fn in_container(mut self) -> Self {
        self.0.in_container = true;
        self
    }

    /// Its ancestors, nearest first, up to a tmux server.
    pub fn below(mut self, ancestors: &[Pid]) -> Self {
        let mut above: Vec<Ancestor> = ancestors
            .iter()
            .map(|&pid| Ancestor {
                pid,
                tmux_server: false,
            })
            .collect();
        if let Some(last) = above.last_mut() {
            last.tmux_server = true;
        }
        self.0.ancestors = Sighting::Present(above);
        self
    }

    pub fn ancestors(mut self, ancestors: Sighting<Vec<Ancestor>>) -> Self {
        self.0.ancestors = ancestors;
        self
    }

    pub fn sight(self) -> ProcessSight {
        self.0
    }
}

impl Scene {
    pub fn process(mut self, pid: Pid, sight: Sighting<Vec<ProcessSight>>) -> Self {
        self.world.processes.insert(pid, sight);
        self
    }

    /// A process that answers to its own pid.
    pub fn alive(self, process: Alive) -> Self {
        let sight = process.sight();
        self.process(sight.id.pid, Sighting::Present(vec![sight]))
    }

    /// The conversation has a file that is not empty.
    pub fn on_disk(self, agent: AgentKind, id: &str) -> Self {
        let artifact = Artifact {
            path: format!("/home/u/.{agent}/{id}.jsonl"),
            modified: ago(60),
            in_folder: seen(),
        };
        self.artifact(agent, id, Sighting::Present(artifact))
    }

    /// The conversation has no file under any known root.
    pub fn not_on_disk(self, agent: AgentKind, id: &str) -> Self {
        self.artifact(agent, id, not_there())
    }

    pub fn artifact(mut self, agent: AgentKind, id: &str, sight: Sighting<Artifact>) -> Self {
        self.world
            .artifacts
            .insert((agent, ConversationId::new(id)), sight);
        self
    }

    /// What is needed to infer a conversation in a folder: the conversations there and the live agents.
    pub fn folder(
        mut self,
        agent: AgentKind,
        folder: &str,
        candidates: Vec<Candidate>,
        kin: Vec<AgentSight>,
    ) -> Self {
        let kin: Vec<Kin> = kin.iter().map(kin_of).collect();
        let claimed = kin
            .iter()
            .filter_map(|sight| match &sight.live {
                Sighting::Present(live) => Some(live.id.clone()),
                _ => None,
            })
            .collect();
        self.world.folders.insert(
            (agent, folder.to_owned()),
            FolderSight {
                candidates: Sighting::Present(candidates),
                kin: Sighting::Present(kin),
                claimed: Sighting::Present(claimed),
            },
        );
        self
    }
}

/// An agent of this user, as one of a folder.
pub fn kin_of(sight: &AgentSight) -> Kin {
    Kin {
        process: sight.process,
        user: Sighting::Present(UID),
        live: sight.live.clone(),
    }
}

/// A conversation of a folder, a person's own, begun then.
pub fn candidate(id: &str, began: Timestamp) -> Candidate {
    Candidate {
        id: ConversationId::new(id),
        began: Sighting::Present(began),
        modified: Sighting::Present(ago(1)),
        owner: Sighting::Present(UID),
        in_folder: seen(),
        interactive: seen(),
    }
}
