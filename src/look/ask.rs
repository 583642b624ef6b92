//! Which tmux servers there may be, and what they answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Request;
use super::sockets::{self, Knock, Listeners};
use super::tmux::{Answer, Question, RawSession, Tmux};
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
    open: Vec<Open>,
    listeners: Listeners,
    folder: Result<(), String>,
    folder_path: PathBuf,
}

struct Open {
    name: ServerName,
    socket: PathBuf,
    stray: bool,
    state: Asked,
}

enum Asked {
    Known(ServerState),
    Waiting(tokio::task::JoinHandle<Answer>),
}

impl Questions {
    /// Knocks at every socket, and asks the servers that answer.
    pub(super) fn start(request: &Request<'_>, vantage: &Vantage) -> Self {
        let folder_path = sockets::folder(request.surroundings.tmux_tmpdir.as_deref(), vantage.uid);
        let tmux = Tmux::find(request.surroundings.path.as_deref());
        let mut folder = Ok(());
        let named = named(request, vantage, &folder_path);
        let mut all: Vec<(ServerName, PathBuf, bool)> = named
            .into_iter()
            .map(|(name, socket)| (name, socket, false))
            .collect();
        match sockets::sockets_in(&folder_path) {
            Ok(found) => {
                for name in found {
                    let socket = folder_path.join(&name);
                    if !all.iter().any(|(_, known, _)| *known == socket) {
                        all.push((ServerName::new(name), socket, true));
                    }
                }
            }
            Err(error) => {
                folder = Err(format!(
                    "{} cannot be listed: {error}",
                    folder_path.display()
                ))
            }
        }
        all.sort_by(|a, b| (!a.0.is_default(), &a.0).cmp(&(!b.0.is_default(), &b.0)));
        let open = all
            .into_iter()
            .enumerate()
            .map(|(number, (name, socket, stray))| {
                let state = begin(&tmux, &socket, stray, number);
                Open {
                    name,
                    socket,
                    stray,
                    state,
                }
            })
            .collect();
        Self {
            open,
            listeners: Listeners::read(),
            folder,
            folder_path,
        }
    }

    /// Waits for all answers.
    pub(super) async fn answers(self, at: Timestamp) -> (Vec<ServerSight>, Vec<Source>) {
        let mut servers = Vec::new();
        let mut sources = Vec::new();
        if let Err(why) = &self.folder {
            sources.push(Source {
                name: format!("tmux folder {}", self.folder_path.display()),
                state: SourceState::Unknown,
                reason: why.clone(),
                at,
            });
        }
        for open in self.open {
            let mut state = match open.state {
                Asked::Known(state) => state,
                Asked::Waiting(task) => match task.await {
                    Ok(answer) => state_of(answer, &open.socket),
                    Err(error) => {
                        ServerState::Unknown(Reason::new(format!("asking it broke: {error}")))
                    }
                },
            };
            // Whether the folder's servers are all known matters to rows that name none.
            if let (ServerState::Missing, Err(why), true) =
                (&state, &self.folder, open.name.is_default())
            {
                state = ServerState::Unknown(Reason::new(why.clone()));
            }
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
        (servers, sources)
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
    let environment = request
        .surroundings
        .tmux_server_name
        .as_deref()
        .map(ServerName::new);
    let mut named: BTreeMap<ServerName, PathBuf> = rows
        .chain(environment)
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

fn socket_of(name: &ServerName, folder: &Path) -> PathBuf {
    if name.as_str().contains('/') {
        PathBuf::from(name.as_str())
    } else {
        folder.join(name.as_str())
    }
}

fn begin(tmux: &Tmux, socket: &Path, stray: bool, number: usize) -> Asked {
    if let Some(missing) = tmux.missing() {
        return Asked::Known(ServerState::Unknown(missing.clone()));
    }
    match sockets::knock(socket) {
        Knock::Refused => Asked::Known(ServerState::Refused),
        Knock::Missing => Asked::Known(ServerState::Missing),
        Knock::Failed(why) => Asked::Known(ServerState::Unknown(Reason::new(why))),
        Knock::Answered => {
            let limit = if stray {
                PATIENCE_WITH_STRAYS
            } else {
                PATIENCE
            };
            match tmux.ask(socket, nonce(number), limit) {
                Ok(question) => Asked::Waiting(tokio::spawn(Question::answer(question))),
                Err(reason) => Asked::Known(ServerState::Unknown(reason)),
            }
        }
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
