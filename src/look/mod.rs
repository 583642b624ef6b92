//! Reads the world, and never fails as a whole: what cannot be read is `Unknown`, with the reason.
//!
//! One look is: the servers are asked, all at once; meanwhile the processes and conversations that the roll
//! records are read; then what the servers listed is filled in as far as somebody needs it. Nothing here
//! decides anything, writes anything or takes a lock.

pub mod agent;
mod ask;
pub mod jobs;
pub mod locks;
mod needs;
pub mod panes;
pub mod places;
pub mod process;
mod recorded;
pub mod sockets;
pub mod tmux;
pub mod vantage;
pub mod version;
mod wide;
pub mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use self::agent::{Homes, Question};
use self::needs::Needs;
use self::panes::{Ahead, Trees};
use self::process::Processes;
use crate::clock;
use crate::core::ids::{Pid, Timestamp};
use crate::core::jobs::JobEvent;
use crate::core::ledger::Ledger;
use crate::core::policy::Policy;
use crate::core::registry::Registry;
use crate::core::sighting::Sighting;
use crate::core::world::{NearestRoll, ProcessSight, Source, SourceState, World};

/// What a look is made for.
pub struct Request<'a> {
    /// The roll: what it records is what is looked for.
    pub registry: &'a Registry,
    /// The memory: where sessions were last seen.
    pub ledger: &'a Ledger,
    /// Which names are agents' names.
    pub policy: &'a Policy,
    /// The roll's file, links followed.
    pub roll: &'a Path,
    /// Whether the roll lies on a local file system.
    pub roll_is_local: Sighting<()>,
    /// Finds the nearest roll at or above a folder.
    pub nearest_roll: &'a dyn Fn(&Path) -> io::Result<Option<PathBuf>>,
    /// Where things are.
    pub surroundings: &'a Surroundings,
    /// The records of jobs, as far as they were read before.
    pub records: &'a jobs::Records,
    /// What was heard of jobs since the last look.
    pub heard: &'a [JobEvent],
}

/// Where things are, as far as the environment says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `PATH`, to find tmux.
    pub path: Option<OsString>,
    /// `TMUX_TMPDIR`: where tmux keeps its sockets.
    pub tmux_tmpdir: Option<PathBuf>,
    /// `TMUX_SERVER_NAME`: one more server to look at.
    pub tmux_server_name: Option<String>,
    /// Where the agents keep their files.
    pub homes: Homes,
}

/// A look that has begun: the servers that can be known without the roll are answering already.
///
/// It must begin after the roll was read, and may begin before the roll is understood. A row that is in the roll
/// was written when its session was there, so a listing that is made later and lacks that session proves that it is
/// gone; a listing that was made earlier would prove nothing.
pub struct Begun {
    at: Timestamp,
    questions: ask::Questions,
    ahead: Ahead,
}

/// Begins to look, at the roll with this text.
#[must_use]
pub fn begin(surroundings: &Surroundings, text: &str) -> Begun {
    let at = clock::now();
    // First, since tmux takes longest.
    let questions = ask::Questions::start(surroundings, vantage::uid());
    Begun {
        at,
        questions,
        // What the roll records will most probably be what tmux lists.
        ahead: Ahead::begin(&surroundings.homes, needs::pids_at_a_glance(text)),
    }
}

impl Begun {
    /// Looks. It cannot fail, only see less.
    pub async fn observe(self, request: &Request<'_>) -> World {
        self.see(request).await.0
    }

    /// Looks, and goes on to what no decision needs and a person wants to see: what runs in every session, and
    /// what is on disk of every conversation. The first world is the one that [`Self::observe`] sees; the second
    /// has more in it, and nothing in it otherwise.
    pub async fn observe_all(self, request: &Request<'_>) -> (World, World) {
        let (world, mut trees) = self.see(request).await;
        let all = wide::everything(&world, &mut trees, request);
        (world, all)
    }

    async fn see(self, request: &Request<'_>) -> (World, Trees) {
        let at = self.at;
        let vantage = vantage::vantage(request.roll_is_local.clone());
        let answers = self.questions.complete(request, &vantage);

        // While tmux answers.
        let (mut trees, recorded) = read_ahead(self.ahead, request).await;
        let (jobs, jobs_source) =
            request
                .records
                .look(request.roll, request.registry, request.heard, at);
        let answered = answers.all(at).await;

        let needs = Needs::new(request, &vantage);
        let elsewhere = if needs.elsewhere(&answered.servers) {
            // Root may look after somebody else's roll, whose sessions are on that user's servers.
            let owner = fs::metadata(request.roll).map(|found| found.uid());
            answered.elsewhere(&owner.into_iter().chain([vantage.uid]).collect())
        } else {
            Sighting::unknown("not looked at")
        };
        let (mut servers, strays) = (answered.servers, answered.strays);
        let mut sources = answered.sources;
        needs.fill(&mut servers, &mut trees);
        let asked = needs.pids(&servers);
        let processes = recorded::processes(trees.processes(), &asked, vantage.uid);
        sources.push(source_of(trees.processes(), at));
        sources.extend(jobs_source);
        let nearest_rolls = nearest_rolls(request, needs.folders(&servers));

        let mut world = World {
            at,
            vantage,
            servers,
            strays,
            elsewhere,
            processes,
            artifacts: BTreeMap::new(),
            folders: BTreeMap::new(),
            retention: BTreeMap::new(),
            nearest_rolls,
            shared: BTreeMap::new(),
            jobs,
            sources,
        };
        let minds = trees.minds();
        minds.fill(&mut world, recorded, request.registry, request.policy);
        (world, trees)
    }
}

/// Reads what the roll records, on threads of their own, so that tmux's answers are read meanwhile. Returns the
/// conversations that it records, too.
async fn read_ahead(ahead: Ahead, request: &Request<'_>) -> (Trees, Vec<Question>) {
    let recorded = agent::recorded(request.registry, request.ledger);
    tokio::task::spawn_blocking(move || (ahead.end(&recorded), recorded))
        .await
        .unwrap_or_else(|_| {
            // The thread broke: everything is read in order instead.
            let ahead = Ahead::begin(&request.surroundings.homes, BTreeSet::new());
            let recorded = agent::recorded(request.registry, request.ledger);
            (ahead.end(&[]), recorded)
        })
}

/// Looks for the processes that answer to these pids: those that ended rows record, of which no pass needs to know.
#[must_use]
pub fn processes(pids: &BTreeSet<Pid>) -> BTreeMap<Pid, Sighting<Vec<ProcessSight>>> {
    recorded::processes(&Processes::open(), pids, vantage::uid())
}

fn source_of(processes: &Processes, at: Timestamp) -> Source {
    let (state, reason) = match processes.hidden() {
        None => (
            SourceState::Present,
            "the process table can be read".to_owned(),
        ),
        Some(hidden) => (SourceState::Unknown, hidden.to_string()),
    };
    Source {
        name: "processes".to_owned(),
        state,
        reason,
        at,
    }
}

fn nearest_rolls(
    request: &Request<'_>,
    folders: Vec<String>,
) -> BTreeMap<String, Sighting<NearestRoll>> {
    folders
        .into_iter()
        .map(|folder| {
            let sight = match (request.nearest_roll)(Path::new(&folder)) {
                Ok(None) => Sighting::absent("no folder above it has a roll"),
                Ok(Some(nearest)) => match fs::canonicalize(&nearest) {
                    Ok(path) if path == request.roll => Sighting::Present(NearestRoll::Ours),
                    Ok(_) => Sighting::Present(NearestRoll::Another),
                    Err(error) => Sighting::unknown(format!("{}: {error}", nearest.display())),
                },
                Err(error) => Sighting::unknown(format!("{folder}: {error}")),
            };
            (folder, sight)
        })
        .collect()
}
