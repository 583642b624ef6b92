//! Taking back one change of the roll: the row is put back as it stood, and the same change is not made again.

use std::time::Duration;

use thiserror::Error;

use super::error::RunError;
use super::restore::Restoring;
use crate::clock;
use crate::core::drift::Held;
use crate::core::policy::limits::LOOK_FRESH;
use crate::roll::commit::{CommitError, CommitOptions, rewrite};
use crate::roll::edit::EditError;
use crate::roll::passage::{PutBack, put_back};
use crate::roll::read::Contents;
use crate::roll::{self, Roll};
use crate::state::journal::{Entry, News, Stage, Undone};
use crate::state::{Folder, Journal, LedgerFile, Locked, Rewrite, Rewrites, StateError};
use crate::tell::wire;

/// Why nothing was taken back. The roll is as it was.
#[derive(Debug, Error)]
pub enum UndoError {
    /// There is no such entry.
    #[error(
        "the journal has no entry #{0} any more, or never had: `headcount undo` tells what can be undone"
    )]
    NoSuch(u64),
    /// The entry says nothing that was written.
    #[error("#{0} is no change of the roll: `headcount log` shows those, each with its number")]
    NoChange(u64),
    /// That was done before.
    #[error(
        "#{of} was undone already, by #{by}; `headcount undo {by}` lets the same be written again"
    )]
    Already {
        /// The change.
        of: u64,
        /// The entry that says so.
        by: u64,
    },
    /// The beginning of an undo that was carried out: its end has a number of its own.
    #[error(
        "#{seq} is only the beginning of the undo that was done as #{done}: `headcount undo {done}` lets the same be written again"
    )]
    OnlyBegun {
        /// The entry.
        seq: u64,
        /// The entry that says that it was done.
        done: u64,
    },
    /// An undo that was taken back already, or is of no effect any more.
    #[error("#{0} holds nothing back any more")]
    NotHolding(u64),
    /// How the row stood is not known.
    #[error(
        "#{0} is too old, or too large: how its row stood before is not kept any more, so change it by hand"
    )]
    Forgotten(u64),
    /// The row is not there any more.
    #[error("row {row} is not in the roll any more: there is nothing to put back")]
    Missing {
        /// Its name.
        row: String,
    },
    /// The row is another by now.
    #[error(
        "row {row} was changed since: undo what was written to it later first, or change it by hand"
    )]
    Changed {
        /// Its name.
        row: String,
        /// How headcount left it.
        left: String,
        /// How it stands.
        now: String,
    },
    /// It cannot be put back without touching something else.
    #[error("row {row} cannot be put back: {source}")]
    NotExact {
        /// Its name.
        row: String,
        /// Why not.
        source: EditError,
    },
    /// That put a row back that was pruned.
    #[error("#{0} put a row back, and `headcount prune` takes it out again")]
    PutBack(u64),
    /// A row that was pruned, and was put back before.
    #[error("#{of} was undone already, by #{by}")]
    PutBackAlready {
        /// The change.
        of: u64,
        /// The entry that says so.
        by: u64,
    },
    /// A row that was pruned is not where it was put.
    #[error(
        "row {row} is not in {archive} beside the roll any more, as it was: there is nothing to put back"
    )]
    NotArchived {
        /// Its name.
        row: String,
        /// The archive that had it.
        archive: String,
    },
    /// There is another row of the name of one that was pruned.
    #[error("the roll has a row {row} again: rename or prune that one first")]
    Taken {
        /// The name.
        row: String,
    },
    /// The roll or the state folder cannot be used.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<StateError> for UndoError {
    fn from(error: StateError) -> Self {
        Self::Run(error.into())
    }
}

impl From<CommitError> for UndoError {
    fn from(error: CommitError) -> Self {
        Self::Run(error.into())
    }
}

/// What was, or would be, taken back.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub enum TakenBack {
    /// A change: its row is as it stood before.
    Change {
        /// The sentences of what was written to the row then.
        comments: Vec<String>,
        /// The roll's text before.
        before: String,
        /// The roll's text after.
        after: String,
    },
    /// An undo: the same may be written again.
    Undo {
        /// The sentence of what may be.
        comment: String,
    },
}

/// The roll, and where what is known of it is kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The roll.
    pub roll: Roll,
    /// The state folder's own folder for it.
    pub folder: Folder,
    /// How long to wait for each lock.
    pub patience: Duration,
}

/// A change, and all that is known of it.
struct Case {
    /// What was written to the row at once, each with its entry.
    entries: Vec<Entry>,
    rewrite: Rewrite,
}

/// The changes that can be taken back as the roll stands now, oldest first. It only looks.
///
/// # Errors
/// When the roll or the state folder cannot be read.
pub fn undoable(keeping: &Keeping) -> Result<Vec<Entry>, UndoError> {
    if !keeping.folder.exists()? {
        return Ok(Vec::new());
    }
    let contents = roll::read::read(&keeping.roll).map_err(RunError::from)?;
    let entries = Journal::of(&keeping.folder).after(0)?.entries;
    let rewrites = Rewrites::of(&keeping.folder).load();
    let can_be = |entry: &&Entry| match Restoring::of(keeping, &entries, entry.seq) {
        Ok(Some(restoring)) => restoring.put_back(&contents).is_ok(),
        Ok(None) => case(&entries, &rewrites, entry.seq)
            .is_ok_and(|case| case.put_back(&contents.text).is_ok()),
        Err(_) => false,
    };
    Ok(entries.iter().filter(can_be).cloned().collect())
}

/// The last undo that holds something back, if any does: to undo that one lets the same be written again.
///
/// # Errors
/// When the state folder cannot be read.
pub fn last_undo(keeping: &Keeping) -> Result<Option<u64>, UndoError> {
    if !keeping.folder.exists()? {
        return Ok(None);
    }
    let entries = Journal::of(&keeping.folder).after(0)?.entries;
    let mut newest = entries.iter().rev().map(|entry| entry.seq);
    Ok(newest.find(|&seq| matches!(undo_of(&entries, seq), Ok(Some(_)))))
}

/// Takes back the change of that number of the journal; with `dry_run` it only says what would come of it.
///
/// # Errors
/// Where that cannot be done: the roll is then as it was.
pub async fn undo(keeping: &Keeping, seq: u64, dry_run: bool) -> Result<TakenBack, UndoError> {
    let journal = Journal::of(&keeping.folder);
    if keeping.folder.exists()?
        && let Some(row) = Restoring::of(keeping, &journal.after(0)?.entries, seq)?
    {
        return row.carry_out(keeping, dry_run).await;
    }
    if dry_run {
        let there = keeping.folder.exists()?;
        let entries = if there {
            journal.after(0)?.entries
        } else {
            Vec::new()
        };
        if let Some(undone) = undo_of(&entries, seq)? {
            return Ok(lifted(undone));
        }
        let rewrites = Rewrites::of(&keeping.folder).load();
        let case = case(&entries, &rewrites, seq)?;
        let before = roll::read::read(&keeping.roll)
            .map_err(RunError::from)?
            .text;
        let after = case.put_back(&before)?;
        return Ok(case.taken_back(before, after));
    }
    let lock = keeping.folder.lock(keeping.patience).await?;
    let entries = journal.after(0)?.entries;
    if let Some(undone) = undo_of(&entries, seq)? {
        let lift = Undone {
            stage: Stage::Lifted,
            of: seq,
            ..told(undone, Stage::Lifted)
        };
        journal.append(clock::now(), vec![News::Undone(Box::new(lift))], &lock)?;
        remember(&keeping.folder, &lock)?;
        return Ok(lifted(undone));
    }
    let rewrites = Rewrites::of(&keeping.folder).load();
    let case = case(&entries, &rewrites, seq)?;
    // Refused here, it leaves no trace.
    case.put_back(
        &roll::read::read(&keeping.roll)
            .map_err(RunError::from)?
            .text,
    )?;
    let say = |stage: Stage| {
        journal.append(clock::now(), case.news(stage), &lock)?;
        // Before the roll is written the ledger knows that the same is not to be written again.
        remember(&keeping.folder, &lock)
    };
    say(Stage::Begun).map_err(RunError::not_noted("nothing was taken back"))?;
    match replace(keeping, |contents| case.put_back(&contents.text)).await {
        Ok((before, after)) => {
            let done = format!(
                "row {} is as it stood before, but that this is done could not be noted",
                case.rewrite.row
            );
            say(Stage::Done).map_err(RunError::not_noted(done))?;
            Ok(case.taken_back(before, after))
        }
        Err(error) => {
            // What stopped it matters more than that this is not remembered.
            let _ = say(Stage::Failed);
            Err(error)
        }
    }
}

/// Replaces the roll's text by what `put_back` makes of it, and returns it before and after.
pub(super) async fn replace(
    keeping: &Keeping,
    put_back: impl Fn(&Contents) -> Result<String, UndoError>,
) -> Result<(String, String), UndoError> {
    let options = CommitOptions {
        lock_timeout: keeping.patience,
        stale_at: clock::monotonic() + keeping.patience + LOOK_FRESH,
    };
    let rewritten = rewrite(&keeping.roll, options, |_, contents| {
        let put_back = put_back(contents);
        let after = put_back
            .as_ref()
            .map_or_else(|_| contents.text.clone(), Clone::clone);
        let said = put_back.map(|after| (contents.text.clone(), after));
        Ok((after, said))
    })
    .await?;
    // So long can a lock be waited for that nothing was tried.
    rewritten
        .ok_or(CommitError::Restless {
            path: keeping.roll.named.clone(),
        })?
        .said
}

/// The ledger with what the journal says by now.
pub(super) fn remember(folder: &Folder, lock: &Locked) -> Result<(), StateError> {
    let (mut file, ledger) = LedgerFile::load(folder)?;
    file.save(&ledger, lock)
}

/// The undo of that number, if it is one, and still holds something back. One that was cut off does, too.
fn undo_of(entries: &[Entry], seq: u64) -> Result<Option<&Undone>, UndoError> {
    let entry = entry_of(entries, seq)?;
    let News::Undone(undone) = &entry.news else {
        return Ok(None);
    };
    let id = entry.news.id();
    let mut later = entries
        .iter()
        .filter(|later| later.seq > seq && later.news.id() == id);
    let over = later.find(|later| match &later.news {
        News::Undone(it) => it.stage != Stage::Begun,
        News::Resolved(_) | News::Outcome(_) | News::JobOutcome(_) => true,
        _ => false,
    });
    match over {
        _ if matches!(undone.stage, Stage::Failed | Stage::Lifted) => {
            Err(UndoError::NotHolding(seq))
        }
        None => Ok(Some(undone)),
        Some(end) => Err(match &end.news {
            News::Undone(it)
                if undone.stage == Stage::Begun
                    && it.stage == Stage::Done
                    && it.of == undone.of
                    && undo_of(entries, end.seq).is_ok() =>
            {
                UndoError::OnlyBegun { seq, done: end.seq }
            }
            _ => UndoError::NotHolding(seq),
        }),
    }
}

fn lifted(undone: &Undone) -> TakenBack {
    let comment = told(undone, Stage::Lifted);
    let of_job = comment.job.map(|job| job.comment);
    let comment = comment.drift.map(|drift| drift.comment).or(of_job);
    TakenBack::Undo {
        comment: comment.unwrap_or_default(),
    }
}

fn entry_of(entries: &[Entry], seq: u64) -> Result<&Entry, UndoError> {
    let mut all = entries.iter();
    all.find(|entry| entry.seq == seq)
        .ok_or(UndoError::NoSuch(seq))
}

/// Whether an entry says that the roll was written.
const fn is_written(news: &News) -> bool {
    match news {
        News::Outcome(drift) => drift.applied,
        News::JobOutcome(update) => update.applied,
        _ => false,
    }
}

fn case(entries: &[Entry], rewrites: &[Rewrite], seq: u64) -> Result<Case, UndoError> {
    let entry = entry_of(entries, seq)?;
    if !is_written(&entry.news) {
        return Err(UndoError::NoChange(seq));
    }
    for later in entries.iter().filter(|later| later.seq > seq) {
        if let News::Undone(undone) = &later.news
            && undone.of == seq
            && undone.stage == Stage::Done
        {
            return Err(UndoError::Already {
                of: seq,
                by: later.seq,
            });
        }
    }
    let id = entry.news.id();
    let mut of_it = rewrites
        .iter()
        .filter(|it| it.follows < seq && it.causes.iter().any(|cause| cause == id));
    let rewrite = of_it.next_back().ok_or(UndoError::Forgotten(seq))?;
    // What was written to one row at once is taken back at once.
    let together = rewrite.causes.iter().filter_map(|cause| {
        let mut later = entries.iter().filter(|it| it.seq > rewrite.follows);
        later.find(|it| it.news.id() == cause && is_written(&it.news))
    });
    Ok(Case {
        entries: together.cloned().collect(),
        rewrite: rewrite.clone(),
    })
}

impl Case {
    /// The text of the roll with the row put back.
    fn put_back(&self, text: &str) -> Result<String, UndoError> {
        let row = || self.rewrite.row.clone();
        let (before, after) = (self.rewrite.before(), self.rewrite.after());
        let done = put_back(text, &self.rewrite.row, before.as_ref(), &after);
        match done.map_err(|source| UndoError::NotExact { row: row(), source })? {
            PutBack::Done(text) => Ok(text),
            PutBack::Missing => Err(UndoError::Missing { row: row() }),
            PutBack::Changed(now) => Err(UndoError::Changed {
                row: row(),
                left: after.text,
                now,
            }),
        }
    }

    fn news(&self, stage: Stage) -> Vec<News> {
        self.entries
            .iter()
            .map(|entry| {
                let (drift, job) = match &entry.news {
                    News::Outcome(drift) => (Some(drift.clone()), None),
                    News::JobOutcome(update) => (None, Some(update.clone())),
                    _ => (None, None),
                };
                let undone = Undone {
                    of: entry.seq,
                    stage,
                    drift,
                    job,
                };
                News::Undone(Box::new(told(&undone, stage)))
            })
            .collect()
    }

    fn taken_back(&self, before: String, after: String) -> TakenBack {
        let comments = self.entries.iter().map(|entry| entry.news.comment());
        TakenBack::Change {
            comments: comments.map(str::to_owned).collect(),
            before,
            after,
        }
    }
}

/// How it is told at that stage.
fn told(undone: &Undone, stage: Stage) -> Undone {
    let said = match stage {
        Stage::Begun => "Being taken back by hand.",
        Stage::Done => "Taken back by hand.",
        Stage::Failed => "It was to be taken back by hand, and could not be.",
        Stage::Lifted => "It may be written again.",
    };
    let applied = stage == Stage::Failed;
    let held = matches!(stage, Stage::Begun | Stage::Done).then(|| wire::Held::from(&Held::Undone));
    let comment = |comment: &str| {
        let stages = ["Being taken back by hand.", "Taken back by hand."];
        let mut written = comment.trim_end();
        for stage in stages {
            written = written.strip_suffix(stage).unwrap_or(written).trim_end();
        }
        let stop = if written.ends_with(['.', '…']) {
            ""
        } else {
            "."
        };
        format!("{written}{stop} {said}")
    };
    let mut undone = undone.clone();
    undone.stage = stage;
    if let Some(drift) = &mut undone.drift {
        drift.applied = applied;
        drift.held.clone_from(&held);
        drift.new = false;
        drift.comment = comment(&drift.comment);
    }
    if let Some(job) = &mut undone.job {
        job.applied = applied;
        job.held = held;
        job.new = false;
        job.comment = comment(&job.comment);
    }
    undone
}
