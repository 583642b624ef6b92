//! When a session counts as gone: rules 1 and 2.
//!
//! Could not look is not gone. A listing proves absence only if it is complete; a server that does not
//! answer proves it only if the kernel knows of no listener; and where the row records a process, that
//! process is asked as well.

use std::path::Path;

use super::drift::{Evidence, Held};
use super::ids::{Pid, ServerName, SessionName};
use super::join::{Join, servers_of};
use super::past::{Another, Past};
use super::registry::{Row, Status};
use super::sighting::Sighting;
use super::world::{Listing, ServerSight, ServerState};

/// Why a session is gone, as one word: many rows with one of the last three are one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Its server lives and does not have it.
    SessionGone,
    /// Its server is not running.
    ServerGone,
    /// Another life of its server answers.
    ServerRestarted,
    /// The machine was started again since.
    HostRebooted,
}

impl Cause {
    /// Its word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SessionGone => "session_gone",
            Self::ServerGone => "server_gone",
            Self::ServerRestarted => "server_restarted",
            Self::HostRebooted => "host_rebooted",
        }
    }
}

/// The verdict of the listings alone.
#[derive(Clone, Debug)]
pub enum Listed {
    /// Proven absent.
    Gone {
        /// Why.
        cause: Cause,
        /// What proves it.
        evidence: Vec<Evidence>,
    },
    /// It could not be looked for.
    Unseen(String),
}

/// What the recorded process says (rule 2).
#[derive(Clone, Debug)]
pub enum Asked {
    /// No process is recorded: the listing decides.
    NotRecorded,
    /// It is proven dead.
    Dead(Vec<Evidence>),
    /// It lives, below no tmux server.
    Leftover(Vec<Evidence>),
    /// It is, or runs below, a pane of a session on the row's own server.
    InSession(SessionName),
    /// It lives elsewhere, or could not be asked.
    Holds(Held),
}

/// Everything the questions of this module are asked about.
#[derive(Clone, Copy)]
pub struct Inquiry<'a> {
    /// What was known before.
    pub past: Past<'a>,
    /// Who is who.
    pub join: &'a Join<'a>,
}

impl Inquiry<'_> {
    /// Whether headcount may end this row from here.
    #[must_use]
    pub fn at_home(&self, row: &Row) -> bool {
        let vantage = &self.past.world.vantage;
        let seen_alive = self.past.known(row).and_then(|known| known.alive.as_ref());
        if self.past.ledger.homes.contains(&vantage.place) {
            return true;
        }
        match seen_alive {
            Some(alive) => alive.place == vantage.place,
            None => vantage.roll_is_local.is_present() && vantage.first_pid_namespace.is_present(),
        }
    }

    /// The servers that must be proven not to have a row's session: the one it names, the one it was last
    /// seen on, else the default one.
    #[must_use]
    pub fn own_servers(&self, row: &Row) -> Vec<&ServerSight> {
        let life = self.past.life(row);
        let remembered = life.and_then(|life| {
            self.past
                .world
                .servers
                .iter()
                .find(|server| server.socket == life.socket)
        });
        let named = row.server.clone().or_else(|| {
            // Where the ledger knows better than the default, the default is one of the others.
            remembered.is_none().then(ServerName::default_server)
        });
        let mut own: Vec<&ServerSight> = Vec::new();
        own.extend(named.and_then(|name| self.past.world.server(&name)));
        own.extend(remembered.filter(|it| !own.iter().any(|has| has.socket == it.socket)));
        own
    }

    /// What the listings say of a row that joined none of the listed sessions.
    #[must_use]
    pub fn listings(&self, row: &Row) -> Listed {
        let life = self.past.life(row);
        let own = self.own_servers(row);
        // A server that nobody asked cannot have it if its process is proven dead.
        if life.is_some_and(|life| {
            !own.iter().any(|server| server.socket == life.socket)
                && !self.past.has_ended(life.server)
        }) {
            return Listed::Unseen("the server it was last seen on was not looked at".to_owned());
        }
        let unasked = |name| self.past.world.server(name).is_none();
        if own.is_empty() || row.server.as_ref().is_some_and(unasked) {
            return Listed::Unseen("its tmux server was not looked at".to_owned());
        }
        let mut evidence = Vec::new();
        let mut cause = None;
        for server in &own {
            match self.absent_on(row, server) {
                Ok((why, proof)) => {
                    cause = cause.max(Some(why));
                    evidence.push(proof);
                }
                Err(why) => return Listed::Unseen(why),
            }
        }
        // The others must not be able to have it: a dead socket cannot, one that answers badly can.
        for server in servers_of(row, self.past.world) {
            if own.iter().any(|has| has.socket == server.socket) {
                continue;
            }
            if let Some(why) = might_hide(server) {
                return Listed::Unseen(why);
            }
        }
        if let (None, Some(why)) = (&row.server, self.past.world.hides_strays()) {
            return Listed::Unseen(format!("the row names no tmux server, and {why}"));
        }
        // Of a row that ended nobody claims more than its listing says.
        if row.status == Status::Running
            && let Some(why) = self.may_be_elsewhere(row)
        {
            return Listed::Unseen(why);
        }
        match cause {
            Some(cause) => Listed::Gone { cause, evidence },
            None => Listed::Unseen("its tmux server was not looked at".to_owned()),
        }
    }

    /// Why the session of a row may be below another `TMUX_TMPDIR`, on a server that nobody asked. Where a process
    /// of it is recorded, that one tells; where it was ever seen here, the socket that it was seen on.
    fn may_be_elsewhere(&self, row: &Row) -> Option<String> {
        if !self.is_placed_by_name_alone(row) {
            return None;
        }
        let named = row.server.as_ref().map(ServerName::as_str);
        let is_meant =
            |socket: &&str| named.is_none_or(|named| socket.rsplit('/').next() == Some(named));
        let (found, socket, folder) = match &self.past.world.elsewhere {
            Sighting::Absent(_) => return None,
            Sighting::Present(all) => {
                let sockets: Vec<&str> = all.iter().map(String::as_str).filter(is_meant).collect();
                let socket = *sockets.first()?;
                let folder = Path::new(socket).ancestors().nth(2);
                let folder = folder.map_or_else(|| "/".into(), Path::to_string_lossy);
                (some_of(&sockets), socket, folder)
            }
            Sighting::Unknown(why) => {
                let found = format!("whether any listens there cannot be told: {why}");
                (found, "<socket>", "<folder>".into())
            }
        };
        let own = self.own_servers(row);
        let own = own
            .first()
            .map_or("<socket>", |server| server.socket.as_str());
        Some(format!(
            "no pass has seen it and the row records no process, so it may be on a tmux server below another TMUX_TMPDIR, \
             which is not asked ({found}); if it is there, say `tmux_server: {socket}` in the row or run headcount with \
             TMUX_TMPDIR={folder}; if it was here, say `tmux_server: {own}`"
        ))
    }

    /// Whether nothing but the name of its server, or that it names none, tells where a row's session is.
    fn is_placed_by_name_alone(&self, row: &Row) -> bool {
        let by_path = row.server.as_ref().is_some_and(ServerName::is_path);
        !by_path && row.pane.pid.is_none() && !self.was_seen_here(row)
    }

    /// Whether a row was ever seen alive here: in this boot, or in an earlier one on a server that it would be on again.
    fn was_seen_here(&self, row: &Row) -> bool {
        if self.past.life(row).is_some() {
            return true;
        }
        let seen = self.past.known(row).and_then(|known| known.alive.as_ref());
        seen.is_some_and(|alive| {
            alive.place == self.past.world.vantage.place
                && self
                    .own_servers(row)
                    .iter()
                    .any(|server| server.socket == alive.incarnation.socket)
        })
    }

    /// Why the session of a row that is not listed may go on in another one: the pane that it had is there, whatever
    /// runs in it now. No other pane of this life of the server is ever called as it is.
    fn has_moved(&self, row: &Row, server: &ServerSight, listing: &Listing) -> Option<String> {
        let life = self.past.life(row)?;
        if life.socket != server.socket || life.server != listing.server {
            return None;
        }
        let sessions = listing.sessions.iter().filter(|session| {
            let mut panes = session.panes.iter();
            panes.any(|pane| pane.id == life.pane && !pane.dead)
        });
        let session = sessions.min_by_key(|session| &session.name)?;
        Some(format!(
            "its pane {} is in session {} now",
            life.pane, session.name
        ))
    }

    fn absent_on(&self, row: &Row, server: &ServerSight) -> Result<(Cause, Evidence), String> {
        let rebooted = self.past.ended_by_reboot(row);
        let evidence = |said: String| Evidence {
            source: format!("tmux:{}", server.name),
            said,
            at: self.past.world.at,
        };
        match &server.state {
            ServerState::Listed(_)
                if self
                    .join
                    .named(&row.name)
                    .any(|seen| seen.server.socket == server.socket) =>
            {
                Err("a session of its name is live there, and may be its own".to_owned())
            }
            ServerState::Listed(listing) => {
                let before = self
                    .past
                    .life(row)
                    .filter(|life| life.socket == server.socket && life.server != listing.server);
                // Another server can have taken its place while it lives on without its socket.
                if let Some(life) = before.filter(|life| !self.past.has_ended(life.server)) {
                    return Err(format!(
                        "its session was last seen on tmux server process {}, which is not proven dead, and another \
                         server answers on {} now",
                        life.server.pid, server.socket
                    ));
                }
                if row.status == Status::Running
                    && let Some(why) = self.has_moved(row, server, listing)
                {
                    return Err(why);
                }
                let restarted = before.is_some();
                let cause = if rebooted {
                    Cause::HostRebooted
                } else if restarted {
                    Cause::ServerRestarted
                } else {
                    Cause::SessionGone
                };
                Ok((
                    cause,
                    evidence(format!(
                        "server {} lists all of its {} sessions, and this is none of them",
                        listing.server.pid,
                        listing.sessions.len()
                    )),
                ))
            }
            ServerState::Refused => {
                let cause = if rebooted {
                    Cause::HostRebooted
                } else {
                    Cause::ServerGone
                };
                // Asked first, so that a listener that is known counts for no less than one that is not.
                let dead =
                    matches!(self.process(row), Asked::Dead(_)) || self.server_dead(row, server);
                match &server.listener {
                    Sighting::Absent(_) => Ok((
                        cause,
                        evidence(format!("nobody listens on {}", server.socket)),
                    )),
                    Sighting::Present(()) | Sighting::Unknown(_) if dead => Ok((
                        cause,
                        evidence(format!(
                            "{} refuses connections, and the process behind it is dead",
                            server.socket
                        )),
                    )),
                    Sighting::Present(()) => Err(socket_removed(server)),
                    Sighting::Unknown(reason) => Err(format!(
                        "{} refuses connections, but {reason}",
                        server.socket
                    )),
                }
            }
            ServerState::Missing => match &server.listener {
                Sighting::Absent(_) if rebooted => Ok((
                    Cause::HostRebooted,
                    evidence(format!(
                        "there is no {}, nobody listens on it, and the row is older than this boot",
                        server.socket
                    )),
                )),
                Sighting::Absent(_) if self.answered_in_this_boot(server) => Ok((
                    Cause::ServerGone,
                    evidence(format!(
                        "there is no {} any more, and nobody listens on it; it answered earlier in this boot",
                        server.socket
                    )),
                )),
                Sighting::Absent(_) => Err(format!(
                    "there is no socket {}; perhaps TMUX_TMPDIR is another here than where the session was made",
                    server.socket
                )),
                Sighting::Present(()) => Err(socket_removed(server)),
                Sighting::Unknown(reason) => Err(format!(
                    "there is no socket {}, but {reason}",
                    server.socket
                )),
            },
            ServerState::Unknown(reason) => Err(format!("tmux server {}: {reason}", server.name)),
        }
    }

    fn answered_in_this_boot(&self, server: &ServerSight) -> bool {
        let vantage = &self.past.world.vantage;
        self.past
            .ledger
            .servers
            .get(&(vantage.place.clone(), server.socket.clone()))
            .is_some_and(|known| known.boot == vantage.boot)
    }

    /// Whether the life of the server that this row was last seen on is proven dead.
    #[must_use]
    pub fn server_dead(&self, row: &Row, server: &ServerSight) -> bool {
        let vantage = &self.past.world.vantage;
        let life = self
            .past
            .life(row)
            .filter(|life| life.socket == server.socket)
            .map(|life| life.server);
        let known = || {
            self.past
                .ledger
                .servers
                .get(&(vantage.place.clone(), server.socket.clone()))
                .filter(|known| known.boot == vantage.boot)
                .map(|known| known.id)
        };
        life.or_else(known)
            .is_some_and(|id| self.past.has_ended(id))
    }

    /// What the process says that the row records.
    #[must_use]
    pub fn process(&self, row: &Row) -> Asked {
        let Some(pid) = row.pane.pid else {
            return Asked::NotRecorded;
        };
        let evidence = |said: String| Evidence {
            source: format!("process {pid}"),
            said,
            at: self.past.world.at,
        };
        let found = match self.past.world.processes.get(&pid) {
            None => {
                return Asked::Holds(Held::ProcessAlive(format!(
                    "process {pid} was not looked for"
                )));
            }
            Some(Sighting::Unknown(reason)) => {
                return Asked::Holds(Held::ProcessAlive(format!(
                    "process {pid} could not be asked: {reason}"
                )));
            }
            Some(Sighting::Absent(proof)) => return Asked::Dead(vec![evidence(proof.to_string())]),
            Some(Sighting::Present(found)) => found,
        };
        let mut said = Vec::new();
        let mut alive = Vec::new();
        for process in found {
            match self.past.is_recorded(row, process) {
                Ok(()) => alive.push(process),
                Err(Another::Proven(why)) => said.push(evidence(why)),
                Err(Another::Perhaps) => {
                    return Asked::Holds(Held::ProcessAlive(format!(
                        "process {pid} began within a second of the row being written: it may be the recorded one"
                    )));
                }
            }
        }
        for process in &alive {
            let above = match &process.ancestors {
                Sighting::Present(above) => above,
                Sighting::Absent(_) => &Vec::new(),
                Sighting::Unknown(reason) => {
                    return Asked::Holds(Held::ProcessAlive(format!(
                        "process {pid} lives, and what it runs below could not be read: {reason}"
                    )));
                }
            };
            let line = || above.iter().map(|ancestor| ancestor.pid);
            if let Some(name) = self.session_of(row, process.id.pid, line()) {
                return Asked::InSession(name);
            }
            if above.iter().any(|ancestor| ancestor.tmux_server) {
                return Asked::Holds(Held::ProcessAlive(format!(
                    "process {pid} lives below another tmux server"
                )));
            }
            said.push(evidence("it lives, but below no tmux server".to_owned()));
        }
        if alive.is_empty() {
            Asked::Dead(said)
        } else {
            Asked::Leftover(said)
        }
    }

    fn session_of(
        &self,
        row: &Row,
        pid: Pid,
        above: impl Iterator<Item = Pid>,
    ) -> Option<SessionName> {
        let own = self.own_servers(row);
        std::iter::once(pid)
            .chain(above)
            .flat_map(|pid| self.join.with_pid(pid))
            .find(|seen| {
                row.server.is_none() || own.iter().any(|server| server.socket == seen.server.socket)
            })
            .map(|seen| seen.session.name.clone())
    }
}

/// The first of some sockets, and how many more there are.
fn some_of(sockets: &[&str]) -> String {
    const TOLD: usize = 3;
    let told = sockets[..sockets.len().min(TOLD)].join(", ");
    match sockets.len().saturating_sub(TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

fn might_hide(server: &ServerSight) -> Option<String> {
    match (&server.state, &server.listener) {
        // A socket that refuses holds nothing, even where the kernel's list cannot be read.
        (ServerState::Listed(_) | ServerState::Refused, _)
        | (ServerState::Missing, Sighting::Absent(_)) => None,
        (ServerState::Missing, Sighting::Present(())) => Some(socket_removed(server)),
        (ServerState::Missing, Sighting::Unknown(reason)) => Some(format!(
            "tmux server {}: there is no socket, but {reason}",
            server.name
        )),
        (ServerState::Unknown(reason), _) => Some(format!(
            "the row names no tmux server, and it may be on server {}: {reason}",
            server.name
        )),
    }
}

fn socket_removed(server: &ServerSight) -> String {
    format!(
        "socket_removed: a tmux server listens on {}, but the socket file is gone or another; send its process SIGUSR1 to make the file again",
        server.socket
    )
}
