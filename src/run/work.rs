//! Keeping watch for a kanban card: the loop, and beside it the keeper of the card.

use std::path::Path;
use std::pin::pin;
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use super::error::RunError;
use super::pass::{self, Settings, reconcile};
use super::service::Manager;
use super::shutdown::{Stop, asked_to_end};
use super::sole::Sole;
use super::watch::{Sources, Teller, watch as keep_watch};
use crate::clock;
use crate::core::report::Report;
use crate::kanban::{Board, Duty, Ending, Keeper, Numbers, StopRequest};
use crate::roll::read::fingerprint;
use crate::state::{Folder, Journal, LedgerFile};
use crate::tell::markdown;
use crate::tell::wire::Missed;

/// How often the journal of another loop is looked at.
const FOLLOW: Duration = Duration::from_secs(2);

/// How long the roll is not watched while the board has not said yet that the card may be kept. It mostly takes a
/// quarter of a second.
const FIRST_ANSWER: Duration = Duration::from_secs(5);

/// What a worker is to do.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The card.
    pub card: String,
    /// The time from one pass of the timer to the next, and from one look at the card to the next.
    pub interval: Duration,
    /// How often a sign of life is given.
    pub heartbeat: Duration,
    /// Whether the card is claimed, and for how long at a time.
    pub claim: Option<Duration>,
    /// After how long the card is finished; nothing for never.
    pub max_runtime: Option<Duration>,
    /// After how long this turn ends, which leaves the card as it is; nothing for never.
    pub turn: Option<Duration>,
}

/// Why a worker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By a signal; a claimed card was given back.
    Stopped(Stop),
    /// A person asked for it; the card is blocked.
    Asked(StopRequest),
    /// The card is not running any more, but this.
    Left(String),
    /// Somebody else has the card now.
    Taken,
    /// The turn is over.
    Turn,
    /// Its time is over; the card is finished.
    Finished,
}

/// Works on a card until there is a reason not to.
///
/// # Errors
///
/// There is no roll, another worker keeps it, the card cannot be kept, or the state folder cannot be used.
pub async fn work(
    settings: &Settings,
    assignment: Assignment,
    board: Board,
    manager: Option<&Manager>,
) -> Result<Ended, RunError> {
    pass::must_be_there(settings)?;
    let folder = Folder::of(&settings.state, &settings.roll.target);
    let _sole = Sole::worker(&settings.roll, &folder).await?;
    let (tell, numbers) = watch::channel(None);
    let Assignment {
        card,
        interval,
        heartbeat,
        claim,
        max_runtime,
        turn,
    } = assignment;
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    let duty = Duty {
        card,
        roll: mark(&host, &settings.roll.target),
        host,
        home: settings
            .surroundings
            .homes
            .home
            .as_ref()
            .and_then(|home| Some(home.to_str()?.to_owned())),
        interval,
        heartbeat,
        claim,
    };
    let mut keeper = Keeper::new(board, duty, folder.clone(), numbers);
    let mut informant = Informant {
        tell,
        journal: Journal::of(&folder),
    };
    let begun = Notify::new();
    let watch = async {
        // Who may not keep the card should have written nothing; but a board may take minutes to say so, or for ever.
        let _ = timeout(FIRST_ANSWER, begun.notified()).await;
        keep_watch_or_follow(settings, interval, &mut informant, manager).await
    };
    let keep = async {
        keeper.begin().await?;
        begun.notify_one();
        Ok(keeper.keep().await)
    };
    let ending = tokio::select! {
        stop = watch => Over::Stopped(stop?),
        ending = keep => Over::Card(ending.map_err(RunError::NotKept)?),
        () = over(turn) => Over::Turn,
        () = over(max_runtime) => Over::Time,
    };
    finish(ending, &mut keeper).await
}

/// What ended first.
enum Over {
    Stopped(Stop),
    Card(Ending),
    Time,
    Turn,
}

async fn finish(ending: Over, keeper: &mut Keeper) -> Result<Ended, RunError> {
    keeper.hurry(matches!(ending, Over::Stopped(_)));
    let (done, ended) = match ending {
        Over::Stopped(stop) => (keeper.hand_back().await, Ended::Stopped(stop)),
        Over::Time => (keeper.complete().await, Ended::Finished),
        Over::Turn => {
            keeper.leave().await;
            (Ok(()), Ended::Turn)
        }
        Over::Card(Ending::Asked(request)) => (keeper.block(&request).await, Ended::Asked(request)),
        Over::Card(Ending::Left(status)) => (Ok(()), Ended::Left(status)),
        Over::Card(Ending::Taken) => (Ok(()), Ended::Taken),
    };
    match done {
        Ok(()) => Ok(ended),
        // Whoever ended it with a signal is told by the log, and by the code that he expects.
        Err(why) if matches!(ended, Ended::Stopped(_)) => {
            warn!("the card could not be given back: {why}");
            Ok(ended)
        }
        Err(why) => Err(RunError::NotKept(why)),
    }
}

async fn over(after: Option<Duration>) {
    match after {
        Some(after) => sleep(after).await,
        None => std::future::pending().await,
    }
}

/// Keeps watch. Where another loop does so already, its journal is followed for as long as it lives.
async fn keep_watch_or_follow(
    settings: &Settings,
    every: Duration,
    informant: &mut Informant,
    manager: Option<&Manager>,
) -> Result<Stop, RunError> {
    loop {
        match keep_watch(settings, Sources::new(every), manager, informant).await {
            Err(RunError::AnotherLoop { path, holder }) => {
                let who = holder.map_or_else(String::new, |holder| format!(" ({holder})"));
                info!(
                    "another loop{who} keeps watch over {}: what it finds is told",
                    path.display()
                );
                if let Some(stop) = follow(settings, informant, manager).await? {
                    return Ok(stop);
                }
            }
            ended => return ended,
        }
    }
}

/// Looks at what another loop writes down, until that loop ends (nothing) or this one is asked to.
async fn follow(
    settings: &Settings,
    informant: &mut Informant,
    manager: Option<&Manager>,
) -> Result<Option<Stop>, RunError> {
    let folder = &Folder::of(&settings.state, &settings.roll.target);
    let mut asked = pin!(asked_to_end());
    let mut standing = String::new();
    loop {
        if standing.is_empty() {
            let only_look = Settings {
                dry_run: true,
                ..settings.clone()
            };
            match reconcile(&only_look, |_| ()).await {
                Ok(reconciled) => standing = text(&reconciled.report),
                Err(error) => warn!("{error}"),
            }
        }
        informant.followed(folder, &standing)?;
        if let Some(manager) = manager {
            manager.ready("tells what another loop finds");
        }
        tokio::select! {
            stop = &mut asked => return Ok(Some(stop)),
            () = sleep(FOLLOW) => {}
        }
        if Sole::of(&settings.roll, folder).await.is_ok() {
            return Ok(None);
        }
    }
}

/// Tells the keeper of a card how things stand.
struct Informant {
    tell: watch::Sender<Option<Numbers>>,
    journal: Journal,
}

impl Informant {
    fn followed(&mut self, folder: &Folder, standing: &str) -> Result<(), RunError> {
        let seq = self.journal.last()?;
        let (_, ledger) = LedgerFile::load(folder)?;
        let looked = std::fs::metadata(folder.path().join("ledger.json"))
            .and_then(|found| found.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH);
        self.tell.send_replace(Some(Numbers {
            alive: None,
            open: ledger.drifts.len(),
            at: clock::at(looked),
            standing: standing.to_owned(),
            seq,
        }));
        Ok(())
    }
}

impl Teller for Informant {
    fn news(&mut self, _: &Report, _: &Missed) -> Result<(), Stop> {
        // It is in the journal, which is where the card's keeper reads it.
        Ok(())
    }

    fn passed(&mut self, passed: Result<&Report, &RunError>) {
        let (Ok(report), Ok(seq)) = (passed, self.journal.last()) else {
            return;
        };
        let applied = |told: &&crate::core::report::Told| {
            matches!(told.outcome, crate::core::report::Outcome::Applied)
        };
        let written = report.drifts.iter().filter(applied).count();
        self.tell.send_replace(Some(Numbers {
            alive: Some(report.alive.len()),
            open: report.drifts.len() - written,
            at: report.at,
            standing: text(report),
            seq,
        }));
    }

    fn failing(&mut self, error: &RunError) {
        warn!("no pass can be made: {error}");
    }

    fn healed(&mut self) {
        warn!("passes can be made again");
    }
}

/// A report as a comment.
fn text(report: &Report) -> String {
    let mut text = Vec::new();
    // Writing to memory cannot fail.
    let _ = markdown::write(report, &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// What tells this roll on this machine from all others, on a card that several watch.
fn mark(host: &str, roll: &Path) -> String {
    let whole = format!("{host}\0{}", roll.display());
    fingerprint(whole.as_bytes())
        .as_str()
        .chars()
        .take(8)
        .collect()
}
