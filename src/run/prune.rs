//! Taking rows out of the roll that ended long ago. They are archived first: whatever happens between, no row is lost.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::error::RunError;
use super::pass::{Settings, TRIES};
use super::survey::survey;
use super::undo::remember;
use crate::clock;
use crate::core::ids::{Fingerprint, SessionName};
use crate::core::policy::limits::LOOK_FRESH;
use crate::core::prune::{Gone, Judged, Kept, Pruning, Question, judge, keep_needed};
use crate::core::registry::Status;
use crate::look;
use crate::roll::archive::{Archive, Shelved};
use crate::roll::commit::{CommitError, CommitOptions, Rewritten, rewrite};
use crate::roll::graft::{Cutting, cuttings, mentions};
use crate::roll::passage::without;
use crate::roll::{self, Roll};
use crate::state::journal::{News, Pruned, Stage};
use crate::state::{Folder, Journal, StateError};

/// What is to be taken out.
#[derive(Clone, Debug)]
pub struct Order {
    /// These rows only; all that ended long ago if there is none.
    pub named: BTreeSet<SessionName>,
    /// How long ago they must have ended.
    pub older_than: Duration,
    /// Only say what would be.
    pub dry_run: bool,
}

/// What came of a prune, and what went wrong when that was to be remembered.
#[derive(Debug)]
#[must_use]
pub struct Done {
    /// What came of it.
    pub pruning: Pruning,
    /// Why it is not remembered, if it is not.
    pub trouble: Option<RunError>,
}

/// Looks once, and takes the rows out that may go. `settings.dry_run` says how a look is made, and has to be set.
///
/// # Errors
///
/// Where the roll or the state folder cannot be used, or the archive cannot be written. Then the roll is as it was.
pub async fn prune(settings: &Settings, order: &Order) -> Result<Done, RunError> {
    for _ in 0..TRIES {
        if let Some(path) = roll::read::newer_store(&settings.roll) {
            return Err(CommitError::NewerStore { path }.into());
        }
        if let Some(done) = attempt(settings, order).await? {
            return Ok(done);
        }
    }
    Err(RunError::Contended {
        path: settings.roll.named.clone(),
    })
}

/// One look, and what follows from it. `None`: the roll was saved or locked by others meanwhile.
async fn attempt(settings: &Settings, order: &Order) -> Result<Option<Done>, RunError> {
    let mut survey = survey(settings).await?;
    let stale_at = clock::monotonic() + LOOK_FRESH;
    let contents = roll::read::read(&settings.roll)?;
    if contents.fingerprint != survey.registry.fingerprint {
        return Ok(None);
    }
    let ended = survey
        .registry
        .rows
        .iter()
        .filter(|row| row.status.is_ended());
    let pids = ended.filter_map(|row| row.pane.pid).collect();
    survey.world.processes.extend(look::processes(&pids));
    let mentions = mentions(&contents.text);
    let mut judged = judge(&Question {
        scope: survey.scope(),
        older_than: order.older_than,
        named: &order.named,
        mentions: &mentions,
    });
    let cut = loop {
        let cut = cut(&settings.roll, &contents.text, &mut judged)?;
        keep_needed(&mut judged, &survey.registry, &mentions);
        if going(&judged).count() == cut.rows.len() {
            break cut;
        }
    };
    let has = |name: &&SessionName| !judged.iter().any(|row| row.name.as_ref() == Some(*name));
    let mut pruning = Pruning {
        at: survey.report.at,
        host: survey.report.vantage.host.clone(),
        roll: survey.report.roll.clone(),
        dry_run: order.dry_run,
        older_than: order.older_than,
        gone: Vec::new(),
        kept: Vec::new(),
        unknown: order.named.iter().filter(has).cloned().collect(),
    };
    if cut.rows.is_empty() {
        pruning.kept = judged;
        return Ok(Some(Done::well(pruning)));
    }
    let archive = Archive::beside(&settings.roll.target).map_err(CommitError::from)?;
    let shelved = archive.shelve(&cut.rows).map_err(CommitError::from)?;
    let (gone, kept) = judged.into_iter().partition(|row| row.kept.is_none());
    pruning.kept = kept;
    pruning.gone = shelve(gone, &shelved.places);
    if order.dry_run {
        return Ok(Some(Done::well(pruning)));
    }
    let deed = Deed {
        settings,
        expected: contents.fingerprint,
        text: cut.text,
        shelved,
        stale_at,
    };
    let done = deed.carry_out(&mut pruning.gone).await?;
    Ok(done.map(|trouble| Done { pruning, trouble }))
}

impl Done {
    const fn well(pruning: Pruning) -> Self {
        Self {
            pruning,
            trouble: None,
        }
    }
}

/// What is cut out of the roll.
struct Cut {
    /// The roll's text without them.
    text: String,
    /// The rows, in the order of the judged ones that go.
    rows: Vec<Cutting>,
}

/// Cuts out the rows that go. What cannot be cut out stays.
fn cut(roll: &Roll, text: &str, judged: &mut [Judged]) -> Result<Cut, RunError> {
    let wanted: Vec<usize> = going(judged).collect();
    let not_editable = |source| CommitError::NotEditable {
        path: roll.named.clone(),
        source,
    };
    let mut rows = Vec::new();
    let mut left = Vec::new();
    let stay = |judged: &mut [Judged], index: usize, why: String| {
        let row = judged.iter_mut().find(|row| row.index == index);
        if let Some(row) = row {
            row.kept = Some(Kept::Stuck(why));
        }
    };
    for (index, cutting) in wanted
        .iter()
        .zip(cuttings(text, &wanted).map_err(not_editable)?)
    {
        match cutting {
            Ok(cutting) => {
                rows.push(cutting);
                left.push(*index);
            }
            Err(why) => stay(judged, *index, why),
        }
    }
    if let Ok(text) = without(text, &left) {
        return Ok(Cut { text, rows });
    }
    // What one row refuses must not stop the others.
    let alone: Vec<_> = left
        .iter()
        .map(|index| without(text, &[*index]).err())
        .collect();
    let mut stays = alone.iter();
    rows.retain(|_| stays.next().is_some_and(Option::is_none));
    for (index, error) in left.iter().zip(&alone) {
        if let Some(error) = error {
            stay(judged, *index, error.to_string());
        }
    }
    let left: Vec<usize> = going(judged).collect();
    let text = without(text, &left).map_err(not_editable)?;
    Ok(Cut { text, rows })
}

/// The places of the rows that go.
fn going(judged: &[Judged]) -> impl Iterator<Item = usize> {
    let going = judged.iter().filter(|row| row.kept.is_none());
    going.map(|row| row.index)
}

fn shelve(rows: Vec<Judged>, places: &[PathBuf]) -> Vec<Gone> {
    let rows = rows.into_iter().zip(places);
    rows.map(|(row, place)| Gone {
        row,
        archive: place.display().to_string(),
        number: None,
    })
    .collect()
}

/// What is about to be done.
struct Deed<'a> {
    settings: &'a Settings,
    /// The roll that was looked at.
    expected: Fingerprint,
    /// Its text without the rows.
    text: String,
    shelved: Shelved,
    /// When the look is too old.
    stale_at: Instant,
}

impl Deed<'_> {
    /// Archives the rows and takes them out. `None` if others were at the roll; else why that could not be remembered,
    /// if it could not.
    async fn carry_out(&self, gone: &mut [Gone]) -> Result<Option<Option<RunError>>, RunError> {
        let settings = self.settings;
        let folder = Folder::of(&settings.state, &settings.roll.target);
        let nothing = || RunError::not_noted("nothing was taken out of the roll");
        let lock = folder.lock(settings.lock_timeout).await;
        let lock = lock.map_err(nothing())?;
        if clock::monotonic() > self.stale_at {
            return Ok(None);
        }
        let journal = Journal::of(&folder);
        let say = |gone: &[Gone], stage: Stage| {
            let news = gone
                .iter()
                .map(|gone| News::Pruned(Box::new(told(gone, stage))));
            let numbers = journal.append(clock::now(), news.collect(), &lock)?;
            remember(&folder, &lock)?;
            Ok::<_, StateError>(numbers)
        };
        say(gone, Stage::Begun).map_err(nothing())?;
        let options = CommitOptions {
            lock_timeout: settings.lock_timeout,
            stale_at: self.stale_at,
        };
        let rewritten = rewrite(&settings.roll, options, |_, contents| {
            if contents.fingerprint != self.expected {
                return Ok((contents.text.clone(), ()));
            }
            self.shelved.write()?;
            Ok((self.text.clone(), ()))
        })
        .await;
        let is_written = matches!(
            &rewritten,
            Ok(Some(Rewritten {
                fingerprint: Some(_),
                ..
            }))
        );
        if !is_written {
            let said = say(gone, Stage::Failed).map_err(nothing());
            // What stopped it matters more than that this is not remembered.
            rewritten?;
            return said.map(|_| None);
        }
        let numbers = match say(gone, Stage::Done) {
            Ok(numbers) => numbers,
            Err(error) => return Ok(Some(Some(RunError::not_noted(moved(gone))(error)))),
        };
        for (gone, number) in gone.iter_mut().zip(numbers.into_iter().flatten()) {
            gone.number = Some(number);
        }
        Ok(Some(None))
    }
}

/// What was done, though it is not remembered.
fn moved(gone: &[Gone]) -> String {
    let archives: BTreeSet<&str> = gone.iter().map(|gone| gone.archive.as_str()).collect();
    let archives: Vec<&str> = archives.into_iter().collect();
    let rows = match gone.len() {
        1 => "1 row was".to_owned(),
        rows => format!("{rows} rows were"),
    };
    format!(
        "{rows} moved from the roll to {}, but that this is done could not be noted",
        archives.join(" and ")
    )
}

/// How it is told at that stage.
fn told(gone: &Gone, stage: Stage) -> Pruned {
    let Gone { row, archive, .. } = gone;
    let session = row.name.as_ref().map_or("", SessionName::as_str);
    let fingerprint = row.fingerprint.as_ref().map_or("", Fingerprint::as_str);
    let status = row.status.as_ref().map_or("ended", Status::as_str);
    let since = row
        .ended
        .map_or_else(String::new, |at| format!(" since {}", at.iso()));
    let archive = archive.rsplit('/').next().unwrap_or(archive);
    let deed = match stage {
        Stage::Begun => "Being moved from the roll",
        Stage::Failed => "Could not be moved from the roll",
        Stage::Done | Stage::Lifted => "Moved from the roll",
    };
    Pruned {
        id: format!("prune-{fingerprint}"),
        session: session.to_owned(),
        tmux_server: row.server.as_ref().map(ToString::to_string),
        row_fingerprint: fingerprint.to_owned(),
        archive: archive.to_owned(),
        puts_back: None,
        stage,
        comment: format!("{session}: {status}{since}. {deed} to {archive} by hand."),
    }
}
