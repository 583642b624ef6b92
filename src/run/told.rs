//! What a loop has told, so that it tells each thing once, whoever found it and however often it is restarted.

use std::collections::BTreeSet;

use super::error::RunError;
use super::pass::{Passed, Settings};
use crate::core::drift::Note;
use crate::state::journal::Consumer;
use crate::state::told::ToldNotes;
use crate::state::{Folder, Journal};

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
        let first = self.kept.is_some() && self.last.is_none() && !passed.report.drifts.is_empty();
        let moved = self.last.is_some() && last != self.last;
        let any = passed.news || first || moved || notes != self.notes;
        Ok(any.then_some(News { notes, last }))
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
