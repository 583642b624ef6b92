//! What was running when the machine went down, and does not run now.
//!
//! A row is of these if it says running, or was ended by headcount since the machine was started; if its session was
//! last seen alive in an earlier boot, or it is older than this boot; and if no agent is in its session now. What a
//! person has ended, before or since, is not taken up again.

use super::ids::{AgentKind, ServerName, SessionName};
use super::past::Past;
use super::policy::limits::CLOCK_SLACK;
use super::registry::{Row, Status};
use super::resume::{Resume, in_tmux, resume};
use super::standing::{Declared, Scope, Session, Sight, Standing};

/// A session that the end of the last boot put an end to.
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
    let mut found: Vec<Interrupted> = scope
        .registry
        .rows
        .iter()
        .filter(|row| ran_before(past, row))
        .filter_map(|row| {
            let mut sessions = standing.sessions.iter();
            let session = sessions.find(|it| is_of(it, row))?;
            (!session.ignored && !runs(&session.sight)).then(|| entry(session, row, claude_home))
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
    session.name == row.name && session.declared == Declared::Row(row.status.clone())
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
    let ended_since = || {
        let ended = row.end.at.filter(|_| row.ended_by_headcount());
        ended.is_some_and(|at| at.plus(CLOCK_SLACK) >= vantage.booted_at)
    };
    before && (row.status == Status::Running || ended_since())
}
