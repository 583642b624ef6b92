//! tmux servers with what they list.

use headcount::core::ids::{
    AgentKind, ConversationId, Pid, ProcessId, ServerName, SessionName, Timestamp,
};
use headcount::core::sighting::{Reason, Sighting};
use headcount::core::world::{
    AgentSight, Listing, LiveRecord, PaneSight, ProcessStart, ServerId, ServerSight, ServerState,
    SessionSight,
};

use super::{NOON, UPTIME, ago, not_there, seen, unknown};

/// A server being described.
#[derive(Clone, Debug)]
pub struct Server(ServerSight);

/// A server that listed all of its sessions.
pub fn tmux(named: &str) -> Server {
    let listing = Listing {
        server: ServerId {
            pid: 10,
            start: NOON - UPTIME + 60,
        },
        sessions: Vec::new(),
    };
    server(named, ServerState::Listed(listing), seen())
}

/// A socket on which nobody listens.
pub fn refused(named: &str) -> Server {
    server(named, ServerState::Refused, not_there())
}

/// A socket that is not there.
pub fn missing(named: &str) -> Server {
    server(named, ServerState::Missing, not_there())
}

/// A server that gave no complete listing.
pub fn silent(named: &str) -> Server {
    let why = Reason::new("it did not answer in time");
    server(named, ServerState::Unknown(why), seen())
}

fn server(named: &str, state: ServerState, listener: Sighting<()>) -> Server {
    Server(ServerSight {
        name: ServerName::new(named),
        socket: socket_of(named),
        stray: false,
        state,
        listener,
    })
}

/// The socket of a server that is named as `tmux -L` or as `tmux -S` names it.
pub fn socket_of(named: &str) -> String {
    if named.starts_with('/') {
        named.to_owned()
    } else {
        format!("/tmp/tmux-1000/{named}")
    }
}

impl Server {
    pub fn session(mut self, session: Session) -> Self {
        if let ServerState::Listed(listing) = &mut self.0.state {
            let mut sight = session.0;
            if sight.id.is_empty() {
                sight.id = format!("${}", listing.sessions.len());
            }
            listing.sessions.push(sight);
        }
        self
    }

    /// Another life of the server: with this pid, begun then.
    pub fn life(mut self, pid: Pid, start: Timestamp) -> Self {
        if let ServerState::Listed(listing) = &mut self.0.state {
            listing.server = ServerId {
                pid,
                start: start.secs(),
            };
        }
        self
    }

    pub fn listener(mut self, listener: Sighting<()>) -> Self {
        self.0.listener = listener;
        self
    }

    pub fn stray(mut self) -> Self {
        self.0.stray = true;
        self
    }

    pub fn sight(self) -> ServerSight {
        self.0
    }
}

/// A session being described.
#[derive(Clone, Debug)]
pub struct Session(SessionSight);

/// A session of that name, made half an hour ago.
pub fn session(named: &str) -> Session {
    Session(SessionSight {
        id: String::new(),
        name: SessionName::new(named),
        created: ago(1800),
        panes: Vec::new(),
    })
}

impl Session {
    pub fn created(mut self, at: Timestamp) -> Self {
        self.0.created = at;
        self
    }

    /// tmux's id of it, where it is not its place in the listing.
    pub fn tmux_id(mut self, id: &str) -> Self {
        self.0.id = id.to_owned();
        self
    }

    pub fn pane(mut self, pane: Pane) -> Self {
        self.0.panes.push(pane.0);
        self
    }
}

/// A pane being described.
#[derive(Clone, Debug)]
pub struct Pane(PaneSight);

/// A pane with a shell in it, begun half an hour ago, in the folder `/src/app`.
pub fn pane(pid: Pid) -> Pane {
    Pane(PaneSight {
        id: format!("%{pid}"),
        pid,
        dead: false,
        start: Sighting::Present(ProcessStart {
            ticks: u64::from(pid) * 1000,
            at: ago(1800),
        }),
        agents: not_there(),
        cmd: Sighting::Present("bash".to_owned()),
        cwd: Sighting::Present("/src/app".to_owned()),
    })
}

impl Pane {
    /// The pane that began with another process.
    pub fn respawned(mut self, from: Pid) -> Self {
        self.0.id = format!("%{from}");
        self
    }

    /// Claude runs in it, with this conversation.
    pub fn claude(self, id: &str) -> Self {
        self.agent(AgentKind::Claude, Sighting::Present(record(id)))
    }

    /// An agent runs in it, and this is what is known of its live record.
    pub fn agent(mut self, kind: AgentKind, live: Sighting<LiveRecord>) -> Self {
        let mut agents = match self.0.agents {
            Sighting::Present(agents) => agents,
            _ => Vec::new(),
        };
        let pid = self.0.pid + 1000 * (u32::try_from(agents.len()).unwrap_or(0) + 1);
        agents.push(AgentSight {
            process: ProcessId {
                pid,
                start: u64::from(pid) * 1000,
            },
            kind,
            started_at: Sighting::Present(ago(1700)),
            cwd: self.0.cwd.clone(),
            live,
        });
        self.0.agents = Sighting::Present(agents);
        self.0.cmd = Sighting::Present(kind.name().to_owned());
        self
    }

    pub fn agents_unread(mut self) -> Self {
        self.0.agents = unknown();
        self
    }

    pub fn began(mut self, at: Timestamp) -> Self {
        self.0.start = Sighting::Present(ProcessStart {
            ticks: u64::from(self.0.pid) * 1000 + 7,
            at,
        });
        self
    }

    pub fn start_unread(mut self) -> Self {
        self.0.start = unknown();
        self
    }

    pub fn dead(mut self) -> Self {
        self.0.dead = true;
        self
    }

    pub fn cwd(mut self, cwd: Sighting<String>) -> Self {
        self.0.cwd = cwd;
        self
    }

    pub fn sight(self) -> PaneSight {
        self.0
    }
}

/// What an agent's own live record says.
pub fn record(id: &str) -> LiveRecord {
    LiveRecord {
        id: ConversationId::new(id),
        source: "its own record".to_owned(),
        activity: None,
    }
}
