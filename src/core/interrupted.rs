//! What was running when the machine or its tmux server went down, and does not run now.
//!
//! A row is of these if it says running, or was ended by headcount since the machine was started; if that boot put an end
//! to its session, or the end of its server did; and if no agent is in its session now. What a person has ended, before
//! or since, is not taken up again.
//!
//! A boot did if the session was last seen alive in an earlier one, or the row is older than this one. The end of a server
//! did if it is proven and the session was there in the last look that saw the server: one that ended by itself before was
//! not. Whoever closes the last session of a server ends the server with it, and leaves what `tmux kill-server`, a logout
//! and a crash leave, too: a socket file on which nobody listens. That cannot be told apart, so it is listed. Of a socket
//! only the last server counts that ended: what came before that was left by whoever used the next.

use std::collections::BTreeMap;

use super::absence::Cause;
use super::drift::Kind;
use super::ids::{AgentKind, ServerName, SessionName, Timestamp};
use super::ledger::SeenAlive;
use super::past::Past;
use super::policy::limits::CLOCK_SLACK;
use super::registry::{Row, Status};
use super::report::Told;
use super::resume::{Resume, in_tmux, resume};
use super::standing::{Declared, Scope, Session, Sight, Standing};
use super::world::{ServerId, ServerState};

/// A session that the end of the last boot, or of its tmux server, put an end to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interrupted {
    /// Its name.
    pub name: SessionName,
    /// Its tmux server.
    pub server: ServerName,
    /// Its agent.
    pub agent: Option<AgentKind>,
    /// Its folder.
    pub folder: Option<String>,
    /// What its row says now.
    pub status: Status,
    /// How its conversation is taken up again.
    pub resume: Resume,
    /// The command that does so in a new session of its name; `None` where there is none, or one of its name lives.
    pub in_tmux: Option<String>,
}

/// All of them, by server and name. `claude_home` is where Claude Code keeps its files if nothing else is said.
#[must_use]
pub fn interrupted(
    scope: Scope<'_>,
    standing: &Standing,
    claude_home: Option<&str>,
) -> Vec<Interrupted> {
    let past = Past {
        registry: scope.registry,
        world: scope.world,
        ledger: scope.ledger,
    };
    let last = last_ends(past);
    let mut found: Vec<Interrupted> = scope
        .registry
        .rows
        .iter()
        .filter_map(|row| {
            let mut sessions = standing.sessions.iter();
            let session = sessions.find(|it| is_of(it, row))?;
            let is_wanted = !session.ignored && !runs(&session.sight);
            let was_cut_off = ran_before(past, row) || ended_with_server(past, &last, session, row);
            (is_wanted && was_cut_off).then(|| entry(session, row, claude_home))
        })
        .collect();
    found.sort_by(|a, b| (&a.server, &a.name).cmp(&(&b.server, &b.name)));
    found
}

fn entry(session: &Session, row: &Row, claude_home: Option<&str>) -> Interrupted {
    let named = row.server.clone().or_else(|| session.server.clone());
    let server = named.unwrap_or_else(ServerName::default_server);
    let resume = match &session.sight {
        // A pass has proven its end since, whatever cannot be seen now.
        Sight::Unseen(_) if row.status.is_ended() => resume(session, claude_home),
        // Two at once would mix the conversation up.
        Sight::Unseen(why) | Sight::Doubtful(why) | Sight::Unread(why) => {
            Resume::Not(format!("it may still run: {why}"))
        }
        Sight::NotHere => Resume::Not("it ran on another machine or in a container".to_owned()),
        _ => resume(session, claude_home),
    };
    let in_tmux = match &resume {
        Resume::By(command) if session.live.is_none() => {
            in_tmux(&server, &row.name, session.folder.as_deref(), command)
        }
        _ => None,
    };
    Interrupted {
        name: row.name.clone(),
        server,
        agent: session.agent,
        folder: session.folder.clone(),
        status: row.status.clone(),
        resume,
        in_tmux,
    }
}

fn is_of(session: &Session, row: &Row) -> bool {
    session.name == row.name && matches!(session.declared, Declared::Row(_))
}

/// Whether an agent is in it.
const fn runs(sight: &Sight) -> bool {
    matches!(sight, Sight::Agent(_) | Sight::Several | Sight::Moved)
}

/// Whether a row was running when this boot began.
fn ran_before(past: Past<'_>, row: &Row) -> bool {
    let vantage = &past.world.vantage;
    let known = past.known(row);
    let before = match known.and_then(|known| known.alive.as_ref()) {
        Some(alive) => {
            alive.place.machine == vantage.place.machine && alive.incarnation.boot != vantage.boot
        }
        None if row.status == Status::Running => past.is_before_boot(row),
        None => known.is_some_and(|known| known.since.plus(CLOCK_SLACK) < vantage.booted_at),
    };
    before && (row.status == Status::Running || ended_since(past, row))
}

/// Whether headcount ended a row in this boot.
fn ended_since(past: Past<'_>, row: &Row) -> bool {
    let ended = row.end.at.filter(|_| row.ended_by_headcount());
    ended.is_some_and(|at| at.plus(CLOCK_SLACK) >= past.world.vantage.booted_at)
}

/// The last server of each socket that ended in this boot, and when it was last seen.
type LastEnds<'a> = BTreeMap<&'a str, (Timestamp, ServerId)>;

fn last_ends(past: Past<'_>) -> LastEnds<'_> {
    let vantage = &past.world.vantage;
    let of_rows = past.ledger.rows.values().filter_map(|known| {
        let alive = known.alive.as_ref()?;
        let life = &alive.incarnation;
        let here = alive.place == vantage.place && life.boot == vantage.boot;
        here.then_some((life.socket.as_str(), (alive.at, life.server)))
    });
    let servers = past.ledger.servers.iter();
    let of_servers = servers
        .filter(|((place, _), known)| *place == vantage.place && known.boot == vantage.boot)
        .map(|((_, socket), known)| (socket.as_str(), (known.seen, known.id)));
    let mut last = LastEnds::new();
    for (socket, (at, server)) in of_rows.chain(of_servers) {
        if has_ended(past, socket, server) {
            let known = last.entry(socket).or_insert((at, server));
            *known = (*known).max((at, server));
        }
    }
    last
}

/// Whether a server that was seen on a socket is proven to be over.
fn has_ended(past: Past<'_>, socket: &str, server: ServerId) -> bool {
    let mut servers = past.world.servers.iter();
    let now = servers.find(|it| it.socket == socket).map(|it| &it.state);
    let answers = matches!(now, Some(ServerState::Listed(listing)) if listing.server == server);
    !answers && past.has_ended(server)
}

/// Whether the end of a row's server put an end to its session.
fn ended_with_server(past: Past<'_>, last: &LastEnds<'_>, session: &Session, row: &Row) -> bool {
    if row.status == Status::Running {
        let causes = [Cause::ServerGone, Cause::ServerRestarted].map(Cause::as_str);
        let ended = |told: &Told| {
            told.drift.kind == Kind::TmuxGone && causes.contains(&told.drift.reason.as_str())
        };
        // A server of another machine did not end because there is none of its name here.
        return session.sight != Sight::NotHere && session.drifts.iter().any(ended);
    }
    let was_there = |alive: &SeenAlive| {
        let life = &alive.incarnation;
        last.get(life.socket.as_str()) == Some(&(alive.at, life.server))
    };
    ended_since(past, row) && past.last_alive(row).is_some_and(was_there)
}
