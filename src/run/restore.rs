//! Putting a row back into the roll that was taken out of it. The archive keeps it, too: it only grows.

use super::error::RunError;
use super::undo::{Keeping, TakenBack, UndoError, remember, replace};
use crate::clock;
use crate::core::ids::SessionName;
use crate::roll::archive::Archive;
use crate::roll::commit::CommitError;
use crate::roll::graft::{Cutting, graft};
use crate::roll::read::{Contents, read};
use crate::state::Journal;
use crate::state::journal::{Entry, News, Pruned, Stage};

/// A row that can be put back.
pub(super) struct Restoring {
    seq: u64,
    pruned: Pruned,
    row: Cutting,
}

impl Restoring {
    /// The row that the entry of that number says was taken out; `None` if it says something else.
    ///
    /// # Errors
    /// When it cannot be put back.
    pub(super) fn of(
        keeping: &Keeping,
        entries: &[Entry],
        seq: u64,
    ) -> Result<Option<Self>, UndoError> {
        let entry = entries.iter().find(|entry| entry.seq == seq);
        let Some(News::Pruned(pruned)) = entry.map(|entry| &entry.news) else {
            return Ok(None);
        };
        if pruned.puts_back.is_some() {
            return Err(UndoError::PutBack(seq));
        }
        let later = entries.iter().filter(|later| later.seq > seq);
        let mut later = later.filter_map(|entry| match &entry.news {
            News::Pruned(later) if later.id == pruned.id => Some((entry.seq, later)),
            _ => None,
        });
        let is_over = match pruned.stage {
            Stage::Done => false,
            // One that was cut off may have come to be.
            Stage::Begun => later.clone().any(|(_, it)| it.puts_back.is_none()),
            Stage::Failed | Stage::Lifted => true,
        };
        if is_over {
            return Err(UndoError::NoChange(seq));
        }
        let back = later.find(|(_, it)| it.puts_back == Some(seq) && it.stage == Stage::Done);
        if let Some((by, _)) = back {
            return Err(UndoError::PutBackAlready { of: seq, by });
        }
        let archive = Archive::beside(&keeping.roll.target).map_err(CommitError::from)?;
        let row = archive.find(&pruned.session, &pruned.row_fingerprint);
        let row = row.ok_or_else(|| UndoError::NotArchived {
            row: pruned.session.clone(),
            archive: pruned.archive.clone(),
        })?;
        Ok(Some(Self {
            seq,
            row: row.clone(),
            pruned: Pruned::clone(pruned),
        }))
    }

    /// The text of the roll with the row in it again.
    pub(super) fn put_back(&self, contents: &Contents) -> Result<String, UndoError> {
        let name = SessionName::new(self.pruned.session.clone());
        let row = || self.pruned.session.clone();
        let registry = contents.registry().map_err(|source| UndoError::NotExact {
            row: row(),
            source: source.into(),
        })?;
        let rows = registry.rows.iter().map(|row| &row.name);
        let mut names = rows.chain(registry.invalid.iter().filter_map(|row| row.name.as_ref()));
        // Beside one that tmux only stores alike it may have stood before.
        if names.any(|other| *other == name) {
            return Err(UndoError::Taken { row: row() });
        }
        graft(&contents.text, std::slice::from_ref(&self.row))
            .map_err(|source| UndoError::NotExact { row: row(), source })
    }

    /// Puts it back; with `dry_run` it only says what would come of it.
    pub(super) async fn carry_out(
        &self,
        keeping: &Keeping,
        dry_run: bool,
    ) -> Result<TakenBack, UndoError> {
        let contents = read(&keeping.roll).map_err(RunError::from)?;
        // Refused here, it leaves no trace.
        let after = self.put_back(&contents)?;
        if dry_run {
            return Ok(self.taken_back(contents.text, after));
        }
        let lock = keeping.folder.lock(keeping.patience).await?;
        let journal = Journal::of(&keeping.folder);
        let say = |stage: Stage| {
            let news = News::Pruned(Box::new(self.told(stage)));
            journal.append(clock::now(), vec![news], &lock)?;
            remember(&keeping.folder, &lock)
        };
        say(Stage::Begun).map_err(RunError::not_noted("nothing was put back into the roll"))?;
        match replace(keeping, |contents| self.put_back(contents)).await {
            Ok((before, after)) => {
                let done = format!(
                    "row {} was put back into the roll, but that this is done could not be noted",
                    self.pruned.session
                );
                say(Stage::Done).map_err(RunError::not_noted(done))?;
                Ok(self.taken_back(before, after))
            }
            Err(error) => {
                // What stopped it matters more than that this is not remembered.
                let _ = say(Stage::Failed);
                Err(error)
            }
        }
    }

    fn taken_back(&self, before: String, after: String) -> TakenBack {
        TakenBack::Change {
            comments: vec![self.told(Stage::Done).comment],
            before,
            after,
        }
    }

    /// How it is told at that stage.
    fn told(&self, stage: Stage) -> Pruned {
        let Pruned {
            session, archive, ..
        } = &self.pruned;
        let deed = match stage {
            Stage::Begun => "being put back into",
            Stage::Failed => "could not be put back into",
            Stage::Done | Stage::Lifted => "put back into",
        };
        Pruned {
            puts_back: Some(self.seq),
            stage,
            comment: format!("{session}: {deed} the roll from {archive} by hand."),
            ..self.pruned.clone()
        }
    }
}
