//! What can make headcount blind or wrong, as far as one look tells: each with its remedy.

use std::time::Duration;

use super::ids::{AgentKind, Timestamp};
use super::sighting::Sighting;
use super::standing::{Scope, Sight, Standing};
use super::world::{Source, SourceState};

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What it is: `roll`, `tmux:default`, `clock`, …
    pub name: String,
    /// How it is.
    pub health: Health,
    /// What was found.
    pub said: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// How something is, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Health {
    /// It makes headcount blind or wrong.
    Trouble,
    /// It may, or soon will.
    Warning,
    /// All is well.
    Well,
    /// It is not in use, which is well too.
    Unused,
}

impl Health {
    /// All of them, the worst first.
    pub const ALL: [Self; 4] = [Self::Trouble, Self::Warning, Self::Well, Self::Unused];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trouble => "trouble",
            Self::Warning => "warning",
            Self::Well => "well",
            Self::Unused => "unused",
        }
    }
}

impl Check {
    /// Something that is well.
    #[must_use]
    pub fn well(name: impl Into<String>, said: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            health: Health::Well,
            said: said.into(),
            remedy: None,
        }
    }

    /// Something that is not in use.
    #[must_use]
    pub fn unused(name: impl Into<String>, said: impl Into<String>) -> Self {
        Self {
            health: Health::Unused,
            ..Self::well(name, said)
        }
    }

    /// Something that may make headcount blind or wrong, and what to do.
    #[must_use]
    pub fn warning(
        name: impl Into<String>,
        said: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            health: Health::Warning,
            remedy: Some(remedy.into()),
            ..Self::well(name, said)
        }
    }

    /// Something that makes headcount blind or wrong, and what to do.
    #[must_use]
    pub fn trouble(
        name: impl Into<String>,
        said: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            health: Health::Trouble,
            ..Self::warning(name, said, remedy)
        }
    }
}

/// How long before its end a conversation's file is told of.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

/// Clocks of one machine and its files differ by less.
const AHEAD: Duration = Duration::from_secs(120);

/// A day.
const DAY: u64 = 24 * 3600;

/// What one look tells.
#[must_use]
pub fn of_look(scope: Scope<'_>) -> Vec<Check> {
    let mut checks: Vec<Check> = scope.world.sources.iter().map(of_source).collect();
    checks.push(of_place(scope));
    checks.push(of_clock(scope));
    if scope.has_roll {
        checks.push(of_sessions(scope));
        checks.push(match &scope.policy.read_only {
            None => Check::well(
                "other writers",
                "no other program's store stands beside the roll",
            ),
            Some(why) => Check::trouble(
                "other writers",
                format!("{why}: headcount tells, and writes nothing"),
                "let the program that owns that store write, or move the store away",
            ),
        });
    }
    checks.push(of_retention(scope));
    checks
}

fn of_source(source: &Source) -> Check {
    let Source {
        name,
        state,
        reason,
        at: _,
    } = source;
    match state {
        SourceState::Present => Check::well(name, reason),
        SourceState::Absent => Check::unused(name, reason),
        SourceState::Unknown => Check::trouble(name, reason, remedy_of(name, reason)),
    }
}

fn remedy_of(name: &str, reason: &str) -> &'static str {
    if reason.contains("hidepid") {
        "until all processes can be seen no session is told to be gone: mount /proc without hidepid, or with gid= of a group of this user"
    } else if name == "processes" {
        "let headcount read /proc, or run it where there is one"
    } else if name.starts_with("tmux") {
        "put right what it says, and try `headcount doctor` again"
    } else if name == "ledger" || name == "journal" {
        "nothing is lost but memory: move the file away, and a new one is made"
    } else {
        "let headcount read it: ends and conversations that depend on it cannot be told meanwhile"
    }
}

/// Whether ends may be written from here.
fn of_place(scope: Scope<'_>) -> Check {
    let vantage = &scope.world.vantage;
    if scope.ledger.homes.contains(&vantage.place) {
        return Check::well("home", "`headcount init` made this place the roll's home");
    }
    let init = "if the sessions of this roll run here, say so once with `headcount init`";
    match (&vantage.first_pid_namespace, &vantage.roll_is_local) {
        (Sighting::Present(()), Sighting::Present(())) => Check::well(
            "home",
            "no container, and the roll lies on a local file system",
        ),
        (Sighting::Present(()), _) if !scope.has_roll => Check::well("home", "no container"),
        (Sighting::Absent(proof), _) => Check::warning(
            "home",
            format!(
                "this is a container ({proof}): processes outside of it are not seen, and ends are held back"
            ),
            init,
        ),
        (Sighting::Unknown(reason), _) => {
            Check::warning("home", format!("{reason}: ends are held back"), init)
        }
        (_, Sighting::Absent(why)) => Check::warning(
            "home",
            format!(
                "{why}: locks may not keep writers on other machines out, and ends of sessions that were never seen alive here are held back"
            ),
            init,
        ),
        (_, Sighting::Unknown(why)) => {
            Check::warning("home", format!("{why}: ends are held back"), init)
        }
    }
}

/// Whether a lock keeps everybody out who writes to the same files, by what is known of where they lie.
#[must_use]
pub fn of_file_systems(lie: &[Sighting<()>]) -> Check {
    let name = "file systems";
    let said: Vec<String> = lie
        .iter()
        .filter_map(|it| match it {
            Sighting::Present(()) => None,
            Sighting::Absent(proof) => Some(proof.to_string()),
            Sighting::Unknown(reason) => Some(reason.to_string()),
        })
        .collect();
    if said.is_empty() {
        return Check::well(name, "the roll and the state folder are on this machine");
    }
    Check::warning(
        name,
        format!(
            "{}: a lock may not keep programs on other machines out",
            said.join(", and ")
        ),
        "keep the state folder on a local disk (--state-dir), and let one machine write to the roll at a time",
    )
}

/// Whether anything was written in the future.
fn of_clock(scope: Scope<'_>) -> Check {
    let now = scope.world.at;
    let rows = scope.ledger.rows.values();
    let alive = rows
        .filter_map(|row| row.alive.as_ref())
        .map(|alive| (alive.at, "the memory"));
    let drifts = scope
        .ledger
        .drifts
        .values()
        .map(|open| (open.last_seen, "the memory"));
    let servers = scope
        .ledger
        .servers
        .values()
        .map(|server| (server.seen, "the memory"));
    let roll = scope
        .has_roll
        .then_some((scope.registry.written_at, "the roll"));
    let latest = alive.chain(drifts).chain(servers).chain(roll).max();
    match latest {
        Some((at, what)) if at > now.plus(AHEAD) => Check::warning(
            "clock",
            format!(
                "{what} was last written at {at}, and now it is {now}: a clock was set back, or is wrong"
            ),
            "set the clock right; until then what began when may be told wrongly, and is held back where it matters",
        ),
        _ => Check::well(
            "clock",
            format!("it is {now}, and nothing was written later"),
        ),
    }
}

/// Whether every running row could be looked for.
fn of_sessions(scope: Scope<'_>) -> Check {
    let standing = Standing::new(scope);
    let unseen: Vec<String> = standing
        .sessions
        .iter()
        .filter(|it| matches!(it.sight, Sight::Unseen(_)) && !it.is_ended())
        .map(|it| it.name.to_string())
        .collect();
    if unseen.is_empty() {
        return Check::well(
            "sessions",
            format!("all {} rows could be looked for", scope.registry.rows.len()),
        );
    }
    Check::trouble(
        "sessions",
        format!("could not be looked for: {}", unseen.join(", ")),
        "`headcount explain SESSION` tells what was in the way",
    )
}

/// What the agents will delete soon of what the roll records.
fn of_retention(scope: Scope<'_>) -> Check {
    let now = scope.world.at;
    let name = "retention";
    let kept = match scope.all.retention.get(&AgentKind::Claude) {
        Some(Sighting::Present(kept)) => *kept,
        Some(Sighting::Absent(proof)) => return Check::unused(name, proof.to_string()),
        Some(Sighting::Unknown(reason)) => {
            return Check::warning(
                name,
                format!("how long Claude Code keeps transcripts could not be read: {reason}"),
                "put its settings.json right; what is missing is told as `missing`, not as `expired`, meanwhile",
            );
        }
        None => return Check::unused(name, "no agent's files were looked at"),
    };
    let mut soon: Vec<(Timestamp, String)> = Vec::new();
    for row in &scope.registry.rows {
        let Some(id) = row.recorded_id(AgentKind::Claude) else {
            continue;
        };
        if let Some(Sighting::Present(artifact)) =
            scope.all.artifacts.get(&(AgentKind::Claude, id.clone()))
        {
            let ends = artifact.modified.plus(kept);
            if ends <= now.plus(SOON) {
                soon.push((ends, row.name.to_string()));
            }
        }
    }
    soon.sort();
    let days = kept.as_secs() / DAY;
    if soon.is_empty() {
        return Check::well(
            name,
            format!(
                "Claude Code keeps transcripts for {days} days; none that the roll records ends within a week"
            ),
        );
    }
    let soon: Vec<String> = soon
        .iter()
        .map(|(ends, name)| format!("{name} ({ends})"))
        .collect();
    Check::warning(
        name,
        format!(
            "Claude Code keeps transcripts for {days} days, and will delete soon: {}",
            soon.join(", ")
        ),
        "a larger cleanupPeriodDays in Claude Code's settings.json keeps them, and so does going on with them",
    )
}
