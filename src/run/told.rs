//! What a loop has told, so that it tells each thing once, whoever found it and however often it is restarted.

use std::collections::{BTreeMap, BTreeSet};

use super::error::RunError;
use super::pass::{Passed, Settings};
use crate::core::drift::Note;
use crate::core::report::Report;
use crate::state::journal::{self, Consumer, Entry};
use crate::state::told::ToldNotes;
use crate::state::{Folder, Journal};
use crate::tell::wire::{self, Missed};

/// The loop's name among the readers of the journal.
const NAME: &str = "loop";

/// How far the telling is.
pub(super) struct Told {
    /// Where that is remembered; nowhere for a loop that must not write.
    kept: Option<Kept>,
    notes: BTreeSet<String>,
    /// The last entry of the journal that was told; `None` before the very first.
    last: Option<u64>,
}

struct Kept {
    folder: Folder,
    journal: Journal,
    consumer: Consumer,
    file: ToldNotes,
}

/// What is to be told, and then remembered as told.
#[derive(Debug)]
#[must_use]
pub(super) struct News {
    /// Whether there is anything to be told, and not only to be remembered as known.
    pub(super) any: bool,
    /// What earlier passes did that nobody was told of.
    pub(super) missed: Missed,
    notes: BTreeSet<String>,
    last: Option<u64>,
}

impl Told {
    /// How far it was when the last loop ended.
    ///
    /// # Errors
    ///
    /// The state folder cannot be read.
    pub(super) fn load(settings: &Settings) -> Result<Self, RunError> {
        if settings.dry_run {
            return Ok(Self {
                kept: None,
                notes: BTreeSet::new(),
                last: None,
            });
        }
        let folder = Folder::of(&settings.state, &settings.roll.target);
        let kept = Kept {
            journal: Journal::of(&folder),
            consumer: Consumer::new(NAME),
            file: ToldNotes::of(&folder),
            folder,
        };
        Ok(Self {
            notes: kept.file.load(),
            last: kept.journal.told(&kept.consumer)?,
            kept: Some(kept),
        })
    }

    /// What a pass found that has not been told; also what another program's pass found meanwhile.
    ///
    /// # Errors
    ///
    /// The journal cannot be read.
    pub(super) fn news(&self, passed: &Passed) -> Result<Option<News>, RunError> {
        let notes: BTreeSet<String> = passed.report.notes.iter().map(key).collect();
        let last = match &self.kept {
            Some(kept) => Some(kept.journal.last()?),
            None => None,
        };
        let first = self.kept.is_some() && self.last.is_none();
        let missed = match (&self.kept, self.last) {
            (Some(kept), Some(told)) if last > Some(told) => {
                missed(kept.journal.after(told)?.entries, &passed.report)
            }
            _ => Missed::default(),
        };
        let any = passed.news
            || !notes.is_subset(&self.notes)
            || (first && !passed.report.drifts.is_empty())
            || missed != Missed::default();
        // That a note is over is in no report: only what is there can be told of it.
        let is_changed = first || last != self.last || notes != self.notes;
        Ok((any || is_changed).then_some(News {
            any,
            missed,
            notes,
            last,
        }))
    }

    /// It has been told.
    ///
    /// # Errors
    ///
    /// It cannot be remembered beyond this loop.
    pub(super) async fn remember(
        &mut self,
        settings: &Settings,
        news: News,
    ) -> Result<(), RunError> {
        let (notes, last) = (news.notes, news.last);
        let same_notes = notes == self.notes;
        self.notes = notes;
        self.last = last;
        let (Some(kept), Some(last)) = (&self.kept, last) else {
            return Ok(());
        };
        let lock = kept.folder.lock(settings.lock_timeout).await?;
        kept.journal.set_told(&kept.consumer, last, &lock)?;
        if !same_notes {
            kept.file.save(&self.notes, &lock)?;
        }
        Ok(())
    }
}

/// Of what the journal says, the edits and ends that a report does not tell by itself.
fn missed(entries: Vec<Entry>, report: &Report) -> Missed {
    let now: BTreeSet<String> = report
        .drifts
        .iter()
        .map(|told| told.drift.id.to_string())
        .collect();
    let over: BTreeSet<String> = report
        .resolved
        .iter()
        .map(|resolved| resolved.id.to_string())
        .collect();
    let mut drifts = BTreeMap::new();
    let mut resolved = BTreeMap::new();
    let mut jobs = BTreeMap::new();
    for entry in entries {
        match entry.news {
            // The second says what became of the first, if nothing came between.
            journal::News::Edited(drift) | journal::News::Outcome(drift) => {
                drifts.insert(drift.id.clone(), drift);
            }
            journal::News::Resolved(it) => {
                resolved.insert(it.id.clone(), it);
            }
            journal::News::JobEdited(update) | journal::News::JobOutcome(update) => {
                jobs.insert(update.id.clone(), update);
            }
            // What was taken back is told by the next look, for which it is open again.
            journal::News::Opened(_)
            | journal::News::Changed(_)
            | journal::News::Job(_)
            | journal::News::Undone(_)
            | journal::News::Pruned(_) => {}
        }
    }
    drifts.retain(|id, drift| drift.applied && !now.contains(id));
    resolved.retain(|id, _| !now.contains(id) && !over.contains(id) && !drifts.contains_key(id));
    let told: BTreeSet<String> = wire::Report::from(report)
        .job_updates
        .into_iter()
        .map(|update| update.id)
        .collect();
    jobs.retain(|id, update| update.applied && !told.contains(id));
    Missed {
        jobs: jobs.into_values().collect(),
        drifts: drifts.into_values().collect(),
        resolved: resolved.into_values().collect(),
    }
}

/// What makes a note the same one in every look.
fn key(note: &Note) -> String {
    let session = note.session.as_ref().map(ToString::to_string);
    let server = note.server.as_ref().map(ToString::to_string);
    format!(
        "{} {} {}",
        note.kind.as_str(),
        server.unwrap_or_default(),
        session.unwrap_or_default()
    )
}
