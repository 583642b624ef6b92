//! The ledger on disk: one JSON document, replaced as a whole.
//!
//! The journal is written before it, and is the truth of what was told: what it has beyond the ledger, because a
//! crash came in between or the ledger was lost, is folded in when the ledger is read.

mod again;
mod document;
mod replay;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::replace::replace;
use super::{Folder, Journal, Locked, StateError};
use crate::core::ids::Timestamp;
use crate::core::ledger::Ledger;
use crate::roll::read::what_else;
use again::{Stamp, is_the_same};
use document::Document;

pub use again::Kept;

/// A ledger as JSON, for whoever keeps one elsewhere.
///
/// # Errors
/// What cannot be written as JSON.
pub fn document(ledger: &Ledger) -> serde_json::Result<serde_json::Value> {
    serde_json::from_slice(&Document::of(ledger, 0).text()?)
}

/// The ledger of such a document.
///
/// # Errors
/// What is wrong with it.
pub fn read_document(document: &serde_json::Value) -> Result<Ledger, String> {
    Document::parse(document.to_string().as_bytes()).map(Ledger::from)
}

/// A ledger larger than this is not ours: one that is full has a tenth of it.
const LARGEST: u64 = 64 << 20;

/// The file that keeps a roll's ledger.
#[derive(Debug)]
pub struct LedgerFile {
    path: PathBuf,
    journal: Journal,
    damage: Option<String>,
    /// What was read, if that is all that is remembered.
    stamp: Option<Stamp>,
    /// The number of the journal's last entry that it remembers.
    told: u64,
}

impl LedgerFile {
    /// The file in that folder, of which nothing was read: for who has just written it, under the same lock.
    #[must_use]
    pub fn of(folder: &Folder) -> Self {
        Self {
            path: folder.path().join("ledger.json"),
            journal: Journal::of(folder),
            damage: None,
            stamp: None,
            told: 0,
        }
    }

    /// Reads what is remembered of a roll. Where nothing is, or nothing that can be understood, the ledger
    /// is empty but for what the journal tells; in the latter case [`LedgerFile::damage`] says why, and the file
    /// is kept aside by the next [`LedgerFile::save`]. Changes nothing itself.
    ///
    /// # Errors
    /// When the folder is not the user's own, or the file cannot be read.
    pub fn load(folder: &Folder) -> Result<(Self, Ledger), StateError> {
        Self::load_after(folder, None)
    }

    /// The same after a look of this loop, which has left this in mind: if that is still so, it is not read again.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn load_after(folder: &Folder, kept: Option<Kept>) -> Result<(Self, Ledger), StateError> {
        let mut file = Self::of(folder);
        if !folder.exists()? {
            return Ok((file, Ledger::default()));
        }
        if let Some(kept) = kept
            && kept.told == file.journal.newest()?
            && Stamp::at(&file.path) == Some(kept.stamp)
        {
            file.stamp = Some(kept.stamp);
            file.told = kept.told;
            return Ok((file, kept.ledger));
        }
        let document = match not_a_file(&file.path) {
            Some(what) => Some(Err(format!("it is {what}, and no file"))),
            None => file.read()?.map(|text| Document::parse(&text)),
        };
        let (mut ledger, told) = match document {
            None => (Ledger::default(), 0),
            Some(Ok(document)) => {
                let told = document.told;
                (document.into(), told)
            }
            Some(Err(why)) => {
                file.damage = Some(why);
                file.stamp = None;
                (Ledger::default(), 0)
            }
        };
        file.told = told;
        // After the ledger: who looks without the lock may meet a writer, who writes the journal first.
        let newest = file.journal.newest()?;
        if newest != told {
            file.stamp = None;
            // A journal that ends before what was told is another one, and all of it is new.
            let from = if newest < told { 0 } else { told };
            for entry in file.journal.after(from)?.entries {
                replay::entry(&mut ledger, entry);
            }
        }
        Ok((file, ledger))
    }

    /// Writes the ledger of a look made `now`, unless it says only that the same was seen again as `before`, and what is
    /// on disk is not old. Returns what the next look of a loop need not read again. Whoever will not look again by
    /// himself `counts` on the disk to tell how often something was seen.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn save_news(
        &mut self,
        (before, after): (&Ledger, Ledger),
        counts: bool,
        now: Timestamp,
        lock: &Locked,
    ) -> Result<Option<Kept>, StateError> {
        let is_old_news = self.stamp.is_some_and(|stamp| stamp.is_fresh(now))
            && self.journal.newest()? == self.told
            && is_the_same(before, &after, counts);
        if !is_old_news {
            self.save(&after, lock)?;
        }
        Ok(self.stamp.map(|stamp| Kept {
            stamp,
            told: self.told,
            ledger: after,
        }))
    }

    /// What was wrong with the file when it was read.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the ledger, which remembers all that the journal has by now. A file that could not be understood is first renamed to `ledger.json.damaged`.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn save(&mut self, ledger: &Ledger, lock: &Locked) -> Result<(), StateError> {
        if self.damage.is_some() {
            let aside = self.path.with_extension("json.damaged");
            match fs::rename(&self.path, &aside) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(StateError::io("set aside", &self.path)(error));
                }
                _ => self.damage = None,
            }
        }
        self.stamp = None;
        self.told = self.journal.newest()?;
        let text = Document::of(ledger, self.told)
            .text()
            .map_err(|error| StateError::io("write", &self.path)(error.into()))?;
        replace(&self.path, &text, lock)?;
        self.stamp = Stamp::at(&self.path);
        Ok(())
    }

    fn read(&mut self) -> Result<Option<Vec<u8>>, StateError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::io("open", &self.path)(error)),
        };
        self.stamp = Stamp::of(&file);
        let mut text = Vec::new();
        // One byte more than is allowed, so that what is cut off cannot be taken for the whole.
        file.take(LARGEST + 1)
            .read_to_end(&mut text)
            .map_err(StateError::io("read", &self.path))?;
        Ok(Some(text))
    }
}

/// What stands in a file's place, if it is none. To open a pipe would wait for whoever writes into it.
fn not_a_file(path: &Path) -> Option<&'static str> {
    what_else(fs::metadata(path).ok()?.file_type())
}
