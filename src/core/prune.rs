//! Which rows may be taken out of the roll, since they ended long ago, and why the others may not.
//!
//! As with an end, could not look is not gone: a row stays unless this look proves that nothing lives, or waits, that
//! needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::absence::{Asked, Inquiry, Listed};
use super::diff::{Findings, diff};
use super::drift::{Class, Held};
use super::ids::{AgentKind, ConversationId, Fingerprint, ServerName, SessionName, Timestamp};
use super::jobs::JobId;
use super::join::{Join, Joined};
use super::past::Past;
use super::policy::limits::{CLOCK_SLACK, MASS_WINDOW};
use super::registry::{InvalidRow, Registry, Row, Status};
use super::report::Outcome;
use super::sighting::Sighting;
use super::standing::Scope;
use super::world::{PaneSight, ServerState, SessionSight};

/// How long an ended row is kept if nobody says anything else.
pub const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// The roll, and the look. Its `world` has to have the processes that ended rows record, too.
    pub scope: Scope<'a>,
    /// How long ago a row must have ended.
    pub older_than: Duration,
    /// The rows that are asked about; all if there is none.
    pub named: &'a BTreeSet<SessionName>,
    /// For each entry of `tmux_sessions` that others name: the entries that do.
    pub mentions: &'a BTreeMap<usize, BTreeSet<usize>>,
}

/// What is to become of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its place in `tmux_sessions`.
    pub index: usize,
    /// Its name, if it has one.
    pub name: Option<SessionName>,
    /// Its server, if it names one.
    pub server: Option<ServerName>,
    /// What it says of its session; nothing where it is no row.
    pub status: Option<Status>,
    /// When it ended, if that is recorded.
    pub ended: Option<Timestamp>,
    /// Its content, if it is a row.
    pub fingerprint: Option<Fingerprint>,
    /// Why it stays; `None` where it may go.
    pub kept: Option<Kept>,
}

/// What came of a prune, or in a dry run would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruning {
    /// When the look began.
    pub at: Timestamp,
    /// The name of the machine.
    pub host: String,
    /// The roll's path, as it was named.
    pub roll: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// How long ago a row must have ended.
    pub older_than: Duration,
    /// The rows that went, or would.
    pub gone: Vec<Gone>,
    /// The rows that stay.
    pub kept: Vec<Judged>,
    /// The names that no row has.
    pub unknown: Vec<SessionName>,
}

/// A row that went, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// The row.
    pub row: Judged,
    /// The path of the archive that has it.
    pub archive: String,
    /// The number of the journal's entry that tells of it, if it went.
    pub number: Option<u64>,
}

/// Why a row stays in the roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It says running.
    Running,
    /// It says something that headcount does not know.
    UnknownStatus(String),
    /// It cannot be understood; how.
    Invalid(String),
    /// It is to be left alone.
    Ignored,
    /// When it ended is not recorded, or cannot be read.
    NoEnd,
    /// It is to have ended at a time that has not come.
    NotYet(Timestamp),
    /// It ended too recently.
    Recent(Timestamp),
    /// Its session, or its process, is alive; how.
    Alive(String),
    /// Something could not be seen that has to be; what.
    Unseen(String),
    /// Another machine or container may be its home.
    NotHome,
    /// A difference about it is still to be written, or was never told; its kind.
    Drift(&'static str),
    /// The end of its job is not in it yet; which job.
    Job(String),
    /// Something else in the roll needs it; what.
    Needed(String),
    /// It cannot be taken out without touching something else; why.
    Stuck(String),
}

impl Kept {
    /// Its word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::UnknownStatus(_) => "unknown_status",
            Self::Invalid(_) => "invalid_row",
            Self::Ignored => "ignored",
            Self::NoEnd => "no_end",
            Self::NotYet(_) => "not_yet",
            Self::Recent(_) => "recent",
            Self::Alive(_) => "alive",
            Self::Unseen(_) => "unseen",
            Self::NotHome => "not_home",
            Self::Drift(_) => "drift",
            Self::Job(_) => "job",
            Self::Needed(_) => "needed",
            Self::Stuck(_) => "stuck",
        }
    }

    /// Why, for a person, without a full stop.
    #[must_use]
    pub fn why(&self) -> String {
        match self {
            Self::Running => "it says running".to_owned(),
            Self::UnknownStatus(word) => {
                format!("its status {word:?} is not one headcount knows")
            }
            Self::Invalid(what) => format!("it cannot be read as a row: {what}"),
            Self::Ignored => "headcount.toml says to leave it alone".to_owned(),
            Self::NoEnd => "when it ended is not recorded, or cannot be read".to_owned(),
            Self::NotYet(at) => format!("it says that it ended at {}, which is not yet", at.iso()),
            Self::Recent(at) => format!("it ended at {}, which is not long enough ago", at.iso()),
            Self::Alive(how) => how.clone(),
            Self::Unseen(what) => format!("it could not be looked for: {what}"),
            Self::NotHome => format!(
                "{}: if it is, say so once with `headcount init`",
                Held::NotHome.why()
            ),
            Self::Drift(kind) => format!(
                "a difference about it ({kind}) is open, and `headcount reconcile` has yet to write or tell it"
            ),
            Self::Job(job) => format!("the end of its job {job} is not in it yet"),
            Self::Needed(what) => what.clone(),
            Self::Stuck(why) => format!("it cannot be taken out: {why}"),
        }
    }

    /// All of their words, in the order in which they are counted.
    pub const WORDS: [&'static str; 14] = [
        "running",
        "recent",
        "alive",
        "unseen",
        "not_home",
        "no_end",
        "not_yet",
        "drift",
        "job",
        "needed",
        "ignored",
        "invalid_row",
        "unknown_status",
        "stuck",
    ];
}

/// Judges the rows that are asked about, in their order.
#[must_use]
pub fn judge(question: &Question<'_>) -> Vec<Judged> {
    let Scope {
        registry,
        world,
        ledger,
        policy,
        report,
        ..
    } = question.scope;
    let past = Past {
        registry,
        world,
        ledger,
    };
    let join = Join::new(past, world, policy);
    let bench = Bench {
        question,
        findings: &diff(registry, world, ledger, policy, report.at),
        past,
        join: &join,
    };
    let rows = registry.rows.iter().zip(&join.rows);
    let mut judged: Vec<Judged> = rows
        .map(|(row, joined)| bench.judged(row, joined))
        .chain(registry.invalid.iter().map(no_row))
        .collect();
    judged.sort_by_key(|row| row.index);
    judged.retain(|row| {
        let named = row.name.as_ref();
        question.named.is_empty() || named.is_some_and(|name| question.named.contains(name))
    });
    keep_needed(&mut judged, registry, question.mentions);
    judged
}

/// Keeps what a row names that stays. What only rows name that go as well is needed by nobody.
pub fn keep_needed(
    judged: &mut [Judged],
    registry: &Registry,
    mentions: &BTreeMap<usize, BTreeSet<usize>>,
) {
    let going = judged.iter().filter(|row| row.kept.is_none());
    let mut goes: BTreeSet<usize> = going.map(|row| row.index).collect();
    while let Some((index, by)) = first_needed(&goes, mentions) {
        goes.remove(&index);
        let by_row = registry.rows.iter().find(|row| row.index == by);
        let by = by_row.map_or_else(
            || format!("entry {by} of the roll"),
            |row| format!("row {}", row.name),
        );
        if let Some(row) = judged.iter_mut().find(|row| row.index == index) {
            row.kept = Some(Kept::Needed(format!("{by} names it")));
        }
    }
}

/// The first row that is to go, and one that names it and stays.
fn first_needed(
    goes: &BTreeSet<usize>,
    mentions: &BTreeMap<usize, BTreeSet<usize>>,
) -> Option<(usize, usize)> {
    goes.iter().find_map(|index| {
        let mut by = mentions.get(index)?.iter();
        Some((*index, *by.find(|by| !goes.contains(by))?))
    })
}

fn no_row(invalid: &InvalidRow) -> Judged {
    Judged {
        index: invalid.index,
        name: invalid.name.clone(),
        server: None,
        status: None,
        ended: None,
        fingerprint: None,
        kept: Some(Kept::Invalid(invalid.problem.clone())),
    }
}

/// Where one row after the other is judged.
struct Bench<'a> {
    question: &'a Question<'a>,
    findings: &'a Findings<'a>,
    past: Past<'a>,
    join: &'a Join<'a>,
}

impl Bench<'_> {
    fn judged(&self, row: &Row, joined: &Joined<'_>) -> Judged {
        Judged {
            index: row.index,
            name: Some(row.name.clone()),
            server: row.server.clone(),
            status: Some(row.status.clone()),
            ended: row.end.at.filter(|_| row.status.is_ended()),
            fingerprint: Some(row.fingerprint.clone()),
            kept: self.may_go(row, joined).err(),
        }
    }

    fn may_go(&self, row: &Row, joined: &Joined<'_>) -> Result<(), Kept> {
        if self.question.scope.policy.ignores(&row.name) {
            return Err(Kept::Ignored);
        }
        match &row.status {
            Status::Running => return Err(Kept::Running),
            Status::Other(word) => return Err(Kept::UnknownStatus(word.clone())),
            Status::Stopped | Status::Terminated | Status::Archived => {}
        }
        let ended = row.end.at.ok_or(Kept::NoEnd)?;
        let now = self.question.scope.report.at;
        if ended > now {
            return Err(Kept::NotYet(ended));
        }
        // What ended a moment ago still counts where many rows end at once.
        let age = now.since(ended);
        if age < self.question.older_than || age <= MASS_WINDOW {
            return Err(Kept::Recent(ended));
        }
        self.is_gone(row, ended, joined)?;
        self.is_told(row)?;
        self.is_done(row)?;
        self.is_nobodys(row, ended)
    }

    /// Whether its session is proven gone, as that of a row that is ended is.
    fn is_gone(&self, row: &Row, ended: Timestamp, joined: &Joined<'_>) -> Result<(), Kept> {
        match joined {
            Joined::Here(here) => {
                return Err(Kept::Alive(format!(
                    "its session is alive, on tmux server {}",
                    here.seen.server.name
                )));
            }
            Joined::Maybe(why) => return Err(Kept::Unseen(why.clone())),
            Joined::Nowhere => {}
        }
        let inquiry = Inquiry {
            past: self.past,
            join: self.join,
        };
        if let Listed::Unseen(why) = inquiry.listings(row) {
            return Err(Kept::Unseen(why));
        }
        // One of its name elsewhere would be registered, were it not for the row.
        if let Some(seen) = self.join.named(&row.name).next() {
            return Err(Kept::Alive(format!(
                "a session of its name is alive, on tmux server {}",
                seen.server.name
            )));
        }
        self.is_all_seen()?;
        if !inquiry.at_home(row) {
            return Err(Kept::NotHome);
        }
        if self.began_later(row, ended) {
            return Ok(());
        }
        match inquiry.process(row) {
            Asked::NotRecorded | Asked::Dead(_) => Ok(()),
            Asked::Leftover(_) => Err(Kept::Alive(format!(
                "its process{} still runs, below no tmux server",
                row.pane
                    .pid
                    .map_or_else(String::new, |pid| format!(" {pid}"))
            ))),
            Asked::InSession(name) => {
                Err(Kept::Alive(format!("its process runs in session {name}")))
            }
            Asked::Holds(held) => Err(Kept::Unseen(held.why())),
        }
    }

    /// Whether every tmux server that there may be said what sessions it has, or is none.
    fn is_all_seen(&self) -> Result<(), Kept> {
        let world = self.past.world;
        let silent = world.servers.iter().find(|server| match server.state {
            ServerState::Listed(_) => false,
            ServerState::Refused | ServerState::Missing => !server.listener.is_absent(),
            ServerState::Unknown(_) => true,
        });
        let silent = silent.map(|server| {
            let name = &server.name;
            format!(
                "tmux server {name} did not say what sessions it has, and may have one of its name"
            )
        });
        match silent.or_else(|| world.hides_strays()) {
            Some(why) => Err(Kept::Unseen(why)),
            None => Ok(()),
        }
    }

    /// Whether every process that answers to the recorded pid began when the row had ended: it is another's.
    fn began_later(&self, row: &Row, ended: Timestamp) -> bool {
        let found = row
            .pane
            .pid
            .and_then(|pid| self.past.world.processes.get(&pid));
        let Some(Sighting::Present(found)) = found else {
            return false;
        };
        let later = ended.plus(CLOCK_SLACK);
        !self.past.clock_was_set() && found.iter().all(|process| process.started_at > later)
    }

    /// Whether all that differs about it was told before, and will not be written.
    fn is_told(&self, row: &Row) -> Result<(), Kept> {
        let mut drifts = self.question.scope.report.drifts.iter();
        let open = drifts.find(|told| {
            let is_told = told.acked || (!told.new && told.outcome == Outcome::ToldOnly);
            told.drift.session.as_ref() == Some(&row.name) && !is_told
        });
        if let Some(told) = open {
            return Err(Kept::Drift(told.drift.kind.as_str()));
        }
        let is_blind = |class| {
            let about = (Some(row.name.clone()), class);
            self.findings.blind.contains(&about)
        };
        if Class::ALL.into_iter().any(is_blind) {
            return Err(Kept::Unseen(
                "whether its conversation has a file; `headcount doctor` says why".to_owned(),
            ));
        }
        Ok(())
    }

    /// Whether the row has what came of its job.
    fn is_done(&self, row: &Row) -> Result<(), Kept> {
        let Some(job) = row
            .job
            .as_ref()
            .filter(|job| row.job_status_of.as_ref() != Some(*job))
        else {
            return Ok(());
        };
        // No record can have such a name.
        let Some(id) = JobId::parse(job) else {
            return Ok(());
        };
        match self.past.world.jobs.records.get(&id) {
            Some(Sighting::Absent(_)) => Ok(()),
            Some(Sighting::Present(_)) => Err(Kept::Job(job.clone())),
            Some(Sighting::Unknown(why)) => {
                Err(Kept::Unseen(format!("the record of its job {job}: {why}")))
            }
            None => Err(Kept::Unseen(format!(
                "the record of its job {job} was not read"
            ))),
        }
    }

    /// Whether nobody needs to know that its conversations are its own.
    fn is_nobodys(&self, row: &Row, ended: Timestamp) -> Result<(), Kept> {
        let has = |id: &ConversationId| {
            let mut ids = row.ids.values();
            ids.any(|own| own.value.as_ref() == Some(id) || own.previous.contains(id))
        };
        let registry = self.past.registry;
        if let Some(identity) = registry.identities.iter().find(|it| has(&it.id)) {
            return Err(Kept::Needed(format!(
                "`agent_identities` has its conversation, for {}",
                identity.key
            )));
        }
        let kinds: BTreeSet<AgentKind> = row
            .ids
            .iter()
            .filter(|(_, id)| id.value.is_some() || !id.previous.is_empty())
            .map(|(kind, _)| *kind)
            .collect();
        if kinds.is_empty() {
            return Ok(());
        }
        // An agent of that time, of whose conversation nothing is known, might be taken for the one that had it.
        for server in &self.question.scope.all.servers {
            let ServerState::Listed(listing) = &server.state else {
                continue;
            };
            for session in &listing.sessions {
                let mut panes = session.panes.iter();
                if panes.any(|pane| might_have_had(pane, session, &kinds, ended)) {
                    return Err(Kept::Needed(format!(
                        "session {} is older than its end, and without it might be taken to have its conversation",
                        session.name
                    )));
                }
            }
        }
        Ok(())
    }
}

/// Whether an agent in that pane may have had a conversation of such a kind before then.
fn might_have_had(
    pane: &PaneSight,
    session: &SessionSight,
    kinds: &BTreeSet<AgentKind>,
    then: Timestamp,
) -> bool {
    if session.created > then {
        return false;
    }
    match &pane.agents {
        Sighting::Absent(_) => false,
        Sighting::Unknown(_) => true,
        Sighting::Present(agents) => agents.iter().any(|agent| {
            let began_later =
                matches!(&agent.started_at, Sighting::Present(started) if *started > then);
            kinds.contains(&agent.kind) && !agent.live.is_present() && !began_later
        }),
    }
}
