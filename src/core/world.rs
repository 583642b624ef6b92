//! One look at the machine: tmux servers, their sessions and panes, processes, conversations.
//!
//! Everything that can fail to be seen is a [`Sighting`]. A map without an entry means that nobody asked,
//! and is read like `Unknown`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use super::ids::{
    AgentKind, BootId, ConversationId, Pid, ProcessId, ServerName, SessionName, StartTicks,
    Timestamp,
};
use super::jobs::Jobs;
use super::ledger::AgentKey;
use super::sighting::{Reason, Sighting};

/// What one look saw.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// When the look began.
    pub at: Timestamp,
    /// Where it was made from.
    pub vantage: Vantage,
    /// The tmux servers looked at, default first, then by name.
    pub servers: Vec<ServerSight>,
    /// Whether every server of the user's tmux folder is among them: one that was not found may have any
    /// session.
    pub strays: Sighting<()>,
    /// The sockets on which somebody listens in a tmux folder of the user's below another `TMUX_TMPDIR`, and which were
    /// not asked, sorted. Not looked at where no row's session could be there.
    pub elsewhere: Sighting<Vec<String>>,
    /// For each pid that was asked for (of rows and of servers the ledger knows): the processes that
    /// answer to it, here or in a container's numbering. `Absent` means proven that there is none.
    pub processes: BTreeMap<Pid, Sighting<Vec<ProcessSight>>>,
    /// For each conversation id that was asked for: what is on disk of it.
    pub artifacts: BTreeMap<(AgentKind, ConversationId), Sighting<Artifact>>,
    /// For each agent and folder with a running row whose id is null, or a session that may get a row: what is
    /// needed to infer the conversation.
    pub folders: BTreeMap<(AgentKind, String), FolderSight>,
    /// How long each agent keeps its transcripts.
    pub retention: BTreeMap<AgentKind, Sighting<Duration>>,
    /// For each folder of a session nobody declared: the nearest roll at or above it. `Absent` means that
    /// there is none.
    pub nearest_rolls: BTreeMap<String, Sighting<NearestRoll>>,
    /// Live conversations claimed by more than one process.
    pub shared: BTreeMap<ConversationId, BTreeSet<ProcessId>>,
    /// What was read and heard of delegated jobs.
    pub jobs: Jobs,
    /// One line for each thing that was looked at, for the report.
    pub sources: Vec<Source>,
}

/// The roll that a folder belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NearestRoll {
    /// The one being reconciled.
    Ours,
    /// Another one.
    Another,
}

/// Where a look was made from. What one vantage cannot see, another may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vantage {
    /// The host's name, for people.
    pub host: String,
    /// The machine and pid namespace.
    pub place: Place,
    /// This boot.
    pub boot: BootId,
    /// When this boot began.
    pub booted_at: Timestamp,
    /// Whether headcount runs in the machine's first pid namespace.
    pub first_pid_namespace: Sighting<()>,
    /// The user.
    pub uid: u32,
    /// Whether the roll lies on a local file system.
    pub roll_is_local: Sighting<()>,
}

impl Vantage {
    /// A process of here and now, as the ledger knows it.
    #[must_use]
    pub fn agent(&self, process: ProcessId, kind: AgentKind) -> AgentKey {
        AgentKey {
            place: self.place.clone(),
            boot: self.boot.clone(),
            process,
            kind,
        }
    }
}

/// A machine and a pid namespace on it: what must be the same for pids and sockets to mean the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The machine's id (`/etc/machine-id`, else the host's name).
    pub machine: String,
    /// The pid namespace, as `/proc/self/ns/pid` names it; `-` where the system has none.
    pub pid_namespace: String,
}

/// A tmux server that a row, the environment or the user's tmux folder names.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerSight {
    /// Its name: `default`, a name in the user's tmux folder, or a socket path.
    pub name: ServerName,
    /// Its socket's path.
    pub socket: String,
    /// Whether it was only found in the folder: named by no row and not by the environment.
    pub stray: bool,
    /// What it answered.
    pub state: ServerState,
    /// Whether the kernel lists a listener of that path (`/proc/net/unix`).
    pub listener: Sighting<()>,
}

impl ServerSight {
    /// Whether a name means this server: its name, or the path of its socket.
    #[must_use]
    pub fn is_called(&self, name: &ServerName) -> bool {
        self.name == *name
            || (name.is_path() && Path::new(name.as_str()) == Path::new(&self.socket))
    }
}

/// What a tmux server answered.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerState {
    /// A complete listing: counted before and after by one and the same server.
    Listed(Listing),
    /// Nobody listens on the socket (`no server running on …`, ECONNREFUSED).
    Refused,
    /// There is no such socket (ENOENT).
    Missing,
    /// Anything else.
    Unknown(Reason),
}

/// A complete listing of one server.
#[derive(Clone, Debug, PartialEq)]
pub struct Listing {
    /// Which life of the server answered.
    pub server: ServerId,
    /// All of its sessions, in tmux's order.
    pub sessions: Vec<SessionSight>,
}

/// One life of a tmux server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId {
    /// Its pid.
    pub pid: Pid,
    /// When it says it began, in seconds since the epoch.
    pub start: i64,
}

/// One live session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionSight {
    /// tmux's id, `$3`.
    pub id: String,
    /// Its name.
    pub name: SessionName,
    /// When it was created (whole seconds).
    pub created: Timestamp,
    /// Its panes, each once, in tmux's order.
    pub panes: Vec<PaneSight>,
}

/// One pane of a live session.
#[derive(Clone, Debug, PartialEq)]
pub struct PaneSight {
    /// tmux's id, `%5`.
    pub id: String,
    /// The pid of its first process.
    pub pid: Pid,
    /// Whether its program has ended and tmux keeps the pane.
    pub dead: bool,
    /// When its first process began. Not looked at where nobody needs it.
    pub start: Sighting<ProcessStart>,
    /// The outermost agents at and below its first process; usually one. `Absent`: the whole tree was
    /// read and none is there.
    pub agents: Sighting<Vec<AgentSight>>,
    /// The name of its foreground program, for a row to record.
    pub cmd: Sighting<String>,
    /// The working folder of its first process.
    pub cwd: Sighting<String>,
}

/// When a process began, in both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessStart {
    /// In ticks since boot: exact, and good for telling two processes of one pid apart.
    pub ticks: StartTicks,
    /// In wall time: good to about a second.
    pub at: Timestamp,
}

/// A live agent process.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentSight {
    /// The process.
    pub process: ProcessId,
    /// Which agent it is.
    pub kind: AgentKind,
    /// When it began, in wall time. Not looked at where nobody needs it.
    pub started_at: Sighting<Timestamp>,
    /// Its working folder.
    pub cwd: Sighting<String>,
    /// The conversation it has now, by its own live record or a kernel lock or open file it holds.
    /// `Absent`: it is proven to have no such record.
    pub live: Sighting<LiveRecord>,
}

/// What an agent's own live record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveRecord {
    /// The conversation.
    pub id: ConversationId,
    /// What said so: `sessions/4711.json`, `presence/….lock`.
    pub source: String,
    /// The agent's own word for what it does (`idle`, `busy`, `waiting`), where it has one.
    pub activity: Option<String>,
}

/// A process that answers to a recorded pid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessSight {
    /// The process, with the pid it has where headcount runs.
    pub id: ProcessId,
    /// When it began, in wall time.
    pub started_at: Timestamp,
    /// Whether it has ended and only waits to be reaped.
    pub zombie: bool,
    /// Whether it belongs to the user headcount runs as. Nothing rests on it: agents run as other users, too.
    pub own_uid: bool,
    /// Whether it carries the pid only in a container's numbering.
    pub in_container: bool,
    /// Its ancestors, nearest first, up to the first process.
    pub ancestors: Sighting<Vec<Ancestor>>,
}

/// An ancestor of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ancestor {
    /// Its pid.
    pub pid: Pid,
    /// Whether it is a tmux server.
    pub tmux_server: bool,
}

/// A conversation's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Artifact {
    /// Where it is.
    pub path: String,
    /// When it last changed.
    pub modified: Timestamp,
    /// Whether it lies where the folder that the row names would put it; `Unknown` where no folder is named.
    pub in_folder: Sighting<()>,
}

/// What is needed to infer the conversation of an agent that keeps no live record.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderSight {
    /// Every non-empty conversation that may belong to this folder.
    pub candidates: Sighting<Vec<Candidate>>,
    /// Every live process of this agent on the machine that works in this folder or may do so.
    pub kin: Sighting<Vec<Kin>>,
    /// Every conversation that a live record of this agent claims, anywhere.
    pub claimed: Sighting<BTreeSet<ConversationId>>,
}

/// A live process that may have begun a conversation of a folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Kin {
    /// The process.
    pub process: ProcessId,
    /// The user it runs as.
    pub user: Sighting<u32>,
    /// The conversation it has now, whoever runs it.
    pub live: Sighting<LiveRecord>,
}

/// A conversation that may be the one.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// Its id.
    pub id: ConversationId,
    /// When it began: the first time in the file, else the file's birth.
    pub began: Sighting<Timestamp>,
    /// When it was last written to.
    pub modified: Sighting<Timestamp>,
    /// The user whose file it is: nobody else's agent made it.
    pub owner: Sighting<u32>,
    /// Whether it belongs to this folder: `Present` yes, `Absent` no.
    pub in_folder: Sighting<()>,
    /// Whether a person's own session wrote it: `Absent` where a nested or scripted run did.
    pub interactive: Sighting<()>,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// `tmux:default`, `processes`, `claude:/home/u/.claude`, …
    pub name: String,
    /// How it went.
    pub state: SourceState,
    /// What it said, or why it could not be seen, and what to do about it.
    pub reason: String,
    /// When it was looked at.
    pub at: Timestamp,
}

/// How looking at a source went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SourceState {
    /// It was seen.
    Present,
    /// It is proven not to be there.
    Absent,
    /// It could not be seen.
    Unknown,
}

impl World {
    /// The server of that name, which may be the path of its socket.
    #[must_use]
    pub fn server(&self, name: &ServerName) -> Option<&ServerSight> {
        let mut servers = self.servers.iter();
        let of_name = servers.find(|server| &server.name == name);
        of_name.or_else(|| self.servers.iter().find(|server| server.is_called(name)))
    }

    /// The servers, in the order in which a session is looked for on them: the default one, then by name.
    #[must_use]
    pub fn by_preference(&self) -> Vec<&ServerSight> {
        let mut servers: Vec<&ServerSight> = self.servers.iter().collect();
        servers.sort_by_key(|server| (!server.name.is_default(), &server.name));
        servers
    }

    /// Why there may be servers that nobody asked, as the end of a sentence.
    #[must_use]
    pub fn hides_strays(&self) -> Option<String> {
        match &self.strays {
            Sighting::Present(()) => None,
            Sighting::Absent(why) => Some(format!("not all tmux servers are known: {why}")),
            Sighting::Unknown(why) => Some(format!("not all tmux servers are known: {why}")),
        }
    }

    /// Which roll is the nearest to the folder of a session's pane, if any is.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn nearest_roll(&self, pane: &PaneSight) -> Result<Option<NearestRoll>, String> {
        let folder = match &pane.cwd {
            Sighting::Present(folder) => folder,
            Sighting::Absent(proof) => return Err(format!("its folder is gone: {proof}")),
            Sighting::Unknown(reason) => {
                return Err(format!("its folder could not be read: {reason}"));
            }
        };
        match self.nearest_rolls.get(folder) {
            Some(Sighting::Present(nearest)) => Ok(Some(*nearest)),
            Some(Sighting::Absent(_)) => Ok(None),
            Some(Sighting::Unknown(reason)) => Err(format!(
                "whether its folder has a roll of its own could not be read: {reason}"
            )),
            None => Err("whether its folder has a roll of its own was not looked at".to_owned()),
        }
    }

    /// Whether the folder of a session's pane has a nearer roll of its own.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn belongs_elsewhere(&self, pane: &PaneSight) -> Result<bool, String> {
        Ok(self.nearest_roll(pane)? == Some(NearestRoll::Another))
    }

    /// All agents that were seen in sessions, each with its session.
    pub fn agents(&self) -> impl Iterator<Item = (&SessionSight, &AgentSight)> {
        agents_in(&self.servers)
    }

    /// Whether a process of this place and boot is proven to have ended.
    #[must_use]
    pub fn has_ended(&self, process: ProcessId) -> bool {
        match self.processes.get(&process.pid) {
            Some(Sighting::Absent(_)) => true,
            Some(Sighting::Present(found)) => found
                .iter()
                .all(|other| other.id != process || other.zombie),
            Some(Sighting::Unknown(_)) | None => false,
        }
    }

    /// The names of all live sessions, sorted, each once.
    #[must_use]
    pub fn alive(&self) -> Vec<SessionName> {
        let names: BTreeSet<_> = self
            .servers
            .iter()
            .filter_map(|server| match &server.state {
                ServerState::Listed(listing) => Some(&listing.sessions),
                _ => None,
            })
            .flatten()
            .map(|session| session.name.clone())
            .collect();
        names.into_iter().collect()
    }
}

/// All agents that were seen in the sessions of some servers, each with its session.
pub fn agents_in(servers: &[ServerSight]) -> impl Iterator<Item = (&SessionSight, &AgentSight)> {
    let listings = servers.iter().filter_map(|server| match &server.state {
        ServerState::Listed(listing) => Some(listing),
        _ => None,
    });
    let sessions = listings.flat_map(|listing| &listing.sessions);
    sessions.flat_map(|session| {
        let agents = session.panes.iter().filter_map(|pane| match &pane.agents {
            Sighting::Present(agents) => Some(agents),
            Sighting::Absent(_) | Sighting::Unknown(_) => None,
        });
        agents.flatten().map(move |agent| (session, agent))
    })
}
