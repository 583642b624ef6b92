//! Which tmux servers there may be, and what they answer.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::sockets::{self, Knock, Listeners};
use super::tmux::{Answer, Question, RawSession, Tmux};
use super::{Request, Surroundings};
use crate::core::ids::{ServerName, SessionName, Timestamp};
use crate::core::sighting::{Reason, Sighting};
use crate::core::world::{
    Listing, PaneSight, ServerSight, ServerState, SessionSight, Source, SourceState, Vantage,
};

/// How long a server that somebody named may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long one may take that was only found in the folder.
const PATIENCE_WITH_STRAYS: Duration = Duration::from_secs(1);

/// The questions to all servers, under way.
pub(super) struct Questions {
    tmux: Tmux,
    open: Vec<Open>,
    folder: PathBuf,
    /// Why it is not known which servers there are besides those that somebody named.
    unlisted: Option<String>,
}

struct Open {
    name: ServerName,
    socket: PathBuf,
    state: Asked,
}

enum Asked {
    Known(ServerState),
    Waiting(Question),
}

impl Questions {
    /// Knocks at every socket that can be known without the roll, and asks the servers that answer: the default
    /// one, that of the environment, and all in the user's tmux folder.
    pub(super) fn start(surroundings: &Surroundings, uid: u32) -> Self {
        let folder = sockets::folder(surroundings.tmux_tmpdir.as_deref(), uid);
        let mut questions = Self {
            tmux: Tmux::find(surroundings.path.as_deref()),
            open: Vec::new(),
            folder,
            unlisted: None,
        };
        questions.ask(ServerName::default_server());
        if let Some(name) = environment(surroundings) {
            questions.ask(name);
        }
        match sockets::sockets_in(&questions.folder) {
            Ok(found) => {
                for name in found {
                    questions.ask_found(name);
                }
            }
            Err(error) => {
                questions.unlisted = Some(format!(
                    "{} cannot be listed: {error}; only rows that name their tmux_server can be looked for",
                    questions.folder.display()
                ));
            }
        }
        questions
    }

    /// Asks the server of a socket in the user's tmux folder. One whose name is no text cannot be told of, but
    /// it may live.
    fn ask_found(&mut self, name: OsString) {
        match name.into_string() {
            Ok(name) => self.ask(ServerName::new(name)),
            Err(name) => {
                let socket = self.folder.join(name);
                if sockets::knock(&socket) != Knock::Refused {
                    let socket = socket.display();
                    self.unlisted = Some(format!("{socket} is a socket whose name is no text"));
                }
            }
        }
    }

    /// Asks a server, unless it is asked already.
    fn ask(&mut self, name: ServerName) {
        let socket = socket_of(&name, &self.folder);
        if !self.open.iter().any(|open| open.socket == socket) {
            let state = begin(&self.tmux, &socket, self.open.len());
            self.open.push(Open {
                name,
                socket,
                state,
            });
        }
    }

    /// Remarks a server that listens where no socket was found: its file was removed, and it lives.
    fn remark(&mut self, socket: PathBuf) {
        let name = socket.file_name().and_then(|name| name.to_str());
        match name.map(ServerName::new) {
            Some(name) if !self.open.iter().any(|open| open.socket == socket) => {
                let state = Asked::Known(ServerState::Missing);
                self.open.push(Open {
                    name,
                    socket,
                    state,
                });
            }
            _ => {}
        }
    }

    /// Asks the servers that only the roll or the ledger names, and reads all answers meanwhile.
    pub(super) fn complete(mut self, request: &Request<'_>, vantage: &Vantage) -> Answers {
        let named = named(request, vantage, &self.folder);
        for name in named.keys() {
            self.ask(name.clone());
        }
        let listeners = Listeners::read();
        let listening: Vec<PathBuf> = listeners.below(&self.folder).collect();
        for socket in listening {
            self.remark(socket);
        }
        let known: BTreeSet<&PathBuf> = named.values().collect();
        self.open
            .sort_by(|a, b| (!a.name.is_default(), &a.name).cmp(&(!b.name.is_default(), &b.name)));
        let open = self.open.into_iter().map(|open| {
            let stray = !known.contains(&open.socket);
            let limit = if stray {
                PATIENCE_WITH_STRAYS
            } else {
                PATIENCE
            };
            let state = match open.state {
                Asked::Known(state) => Awaited::Known(state),
                Asked::Waiting(question) => Awaited::Task(tokio::spawn(question.answer(limit))),
            };
            Expected {
                name: open.name,
                socket: open.socket,
                stray,
                state,
            }
        });
        Answers {
            expected: open.collect(),
            listeners,
            folder: self.folder,
            unlisted: self.unlisted,
        }
    }
}

/// The answers of all servers, as they come in.
pub(super) struct Answers {
    expected: Vec<Expected>,
    listeners: Listeners,
    folder: PathBuf,
    unlisted: Option<String>,
}

struct Expected {
    name: ServerName,
    socket: PathBuf,
    stray: bool,
    state: Awaited,
}

enum Awaited {
    Known(ServerState),
    Task(tokio::task::JoinHandle<Answer>),
}

impl Answers {
    /// Waits for all answers.
    pub(super) async fn all(self, at: Timestamp) -> Answered {
        let mut servers = Vec::new();
        let mut sources = Vec::new();
        if let Some(why) = &self.unlisted {
            sources.push(Source {
                name: format!("tmux folder {}", self.folder.display()),
                state: SourceState::Unknown,
                reason: why.clone(),
                at,
            });
        }
        for open in self.expected {
            let state = match open.state {
                Awaited::Known(state) => state,
                Awaited::Task(task) => match task.await {
                    Ok(answer) => state_of(answer, &open.socket),
                    Err(error) => {
                        ServerState::Unknown(Reason::new(format!("asking it broke: {error}")))
                    }
                },
            };
            let server = ServerSight {
                name: open.name,
                socket: open.socket.to_string_lossy().into_owned(),
                stray: open.stray,
                listener: self.listeners.of(&open.socket),
                state,
            };
            sources.push(source_of(&server, at));
            servers.push(server);
        }
        let strays = match self.unlisted {
            None => Sighting::Present(()),
            Some(why) => Sighting::unknown(why),
        };
        Answered {
            servers,
            strays,
            sources,
            listeners: self.listeners,
            folder: self.folder,
        }
    }
}

/// What all servers answered.
pub(super) struct Answered {
    pub(super) servers: Vec<ServerSight>,
    /// Whether all servers of the user's tmux folder were found.
    pub(super) strays: Sighting<()>,
    pub(super) sources: Vec<Source>,
    listeners: Listeners,
    folder: PathBuf,
}

impl Answered {
    /// The sockets of these users' tmux in other folders, which are private on purpose, and were not asked.
    pub(super) fn elsewhere(&self, users: &BTreeSet<u32>) -> Sighting<Vec<String>> {
        let asked: Vec<&Path> = self
            .servers
            .iter()
            .map(|it| Path::new(&it.socket))
            .collect();
        self.listeners.elsewhere(users, &self.folder, &asked)
    }
}

/// The servers that somebody names: the default one, those of rows, of the environment, and the sockets on
/// which the ledger saw sessions in this boot, wherever `TMUX_TMPDIR` points by now.
fn named(request: &Request<'_>, vantage: &Vantage, folder: &Path) -> BTreeMap<ServerName, PathBuf> {
    let rows = request
        .registry
        .rows
        .iter()
        .filter_map(|row| row.server.clone());
    let mut named: BTreeMap<ServerName, PathBuf> = rows
        .chain(environment(request.surroundings))
        .chain([ServerName::default_server()])
        .map(|name| {
            let socket = socket_of(&name, folder);
            (name, socket)
        })
        .collect();
    for row in request.ledger.rows.values() {
        let Some(alive) = &row.alive else { continue };
        let here = alive.place == vantage.place && alive.incarnation.boot == vantage.boot;
        let socket = Path::new(&alive.incarnation.socket);
        if here && !named.values().any(|known| known == socket) && socket.parent() != Some(folder) {
            named.insert(
                ServerName::new(alive.incarnation.socket.clone()),
                socket.to_owned(),
            );
        }
    }
    named
}

/// The server that the environment names.
fn environment(surroundings: &Surroundings) -> Option<ServerName> {
    let name = surroundings.tmux_server_name.as_deref();
    name.map(ServerName::new)
}

fn socket_of(name: &ServerName, folder: &Path) -> PathBuf {
    if name.is_path() {
        PathBuf::from(name.as_str())
    } else {
        folder.join(name.as_str())
    }
}

fn begin(tmux: &Tmux, socket: &Path, number: usize) -> Asked {
    if let Some(missing) = tmux.missing() {
        return Asked::Known(ServerState::Unknown(missing.clone()));
    }
    match sockets::knock(socket) {
        Knock::Refused => Asked::Known(ServerState::Refused),
        Knock::Missing => Asked::Known(ServerState::Missing),
        Knock::Failed(why) => Asked::Known(ServerState::Unknown(Reason::new(why))),
        Knock::Answered => match tmux.ask(socket, nonce(number)) {
            Ok(question) => Asked::Waiting(question),
            Err(reason) => Asked::Known(ServerState::Unknown(reason)),
        },
    }
}

/// A word that no session's name can be expected to begin a line with.
fn nonce(number: usize) -> String {
    let now = crate::clock::now().millis();
    format!("hc{:x}-{:x}-{number:x}", std::process::id(), now)
}

fn state_of(answer: Answer, socket: &Path) -> ServerState {
    match answer {
        Answer::Unknown(reason) => ServerState::Unknown(reason),
        // It was there a moment ago; only a second knock says what it is now.
        Answer::NoServer(said) => match sockets::knock(socket) {
            Knock::Refused => ServerState::Refused,
            Knock::Missing => ServerState::Missing,
            Knock::Answered | Knock::Failed(_) => ServerState::Unknown(Reason::new(format!(
                "it came or went while it was asked: {said}"
            ))),
        },
        Answer::Listing(server, sessions) => ServerState::Listed(Listing {
            server,
            sessions: sessions.into_iter().map(session).collect(),
        }),
    }
}

fn session(raw: RawSession) -> SessionSight {
    SessionSight {
        id: raw.id,
        name: SessionName::new(raw.name),
        created: Timestamp::from_secs(raw.created),
        panes: raw
            .panes
            .into_iter()
            .map(|pane| PaneSight {
                id: pane.id,
                pid: pane.pid,
                dead: pane.dead,
                start: Sighting::unknown(NOT_LOOKED_AT),
                agents: Sighting::unknown(NOT_LOOKED_AT),
                cmd: Sighting::unknown(NOT_LOOKED_AT),
                cwd: Sighting::unknown(NOT_LOOKED_AT),
            })
            .collect(),
    }
}

/// Nobody needs to know.
const NOT_LOOKED_AT: &str = "not looked at";

fn source_of(server: &ServerSight, at: Timestamp) -> Source {
    let removed = || {
        format!(
            "socket_removed: a server listens on {}, but the file is gone or another; send its process SIGUSR1 to make it again",
            server.socket
        )
    };
    let (state, reason) = match (&server.state, &server.listener) {
        (ServerState::Listed(listing), _) => (
            SourceState::Present,
            format!(
                "server {} has {} sessions",
                listing.server.pid,
                listing.sessions.len()
            ),
        ),
        (ServerState::Unknown(reason), _) => (SourceState::Unknown, reason.to_string()),
        (ServerState::Refused | ServerState::Missing, Sighting::Present(())) => {
            (SourceState::Unknown, removed())
        }
        (ServerState::Refused, _) => (
            SourceState::Absent,
            format!("nobody answers on {}", server.socket),
        ),
        (ServerState::Missing, _) => (
            SourceState::Absent,
            format!("there is no {}", server.socket),
        ),
    };
    Source {
        name: format!("tmux:{}", server.name),
        state,
        reason,
        at,
    }
}
