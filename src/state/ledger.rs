//! The ledger on disk: one JSON document, replaced as a whole.

mod document;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;

use super::replace::replace;
use super::{Folder, Locked, StateError};
use crate::core::ledger::Ledger;
use document::Document;

/// A ledger larger than this is not ours: one that is full has a tenth of it.
const LARGEST: u64 = 64 << 20;

/// The file that keeps a roll's ledger.
#[derive(Debug)]
pub struct LedgerFile {
    path: PathBuf,
    damage: Option<String>,
}

impl LedgerFile {
    /// Reads what is remembered of a roll. Where nothing is, or nothing that can be understood, the ledger
    /// is empty; in the latter case a warning is logged, and the file is kept aside by the next
    /// [`LedgerFile::save`]. Changes nothing itself.
    ///
    /// # Errors
    /// When the folder is not the user's own, or the file cannot be read.
    pub fn load(folder: &Folder) -> Result<(Self, Ledger), StateError> {
        let mut file = Self {
            path: folder.path().join("ledger.json"),
            damage: None,
        };
        if !folder.exists()? {
            return Ok((file, Ledger::default()));
        }
        let Some(text) = file.read()? else {
            return Ok((file, Ledger::default()));
        };
        match Document::parse(&text) {
            Ok(document) => Ok((file, document.into())),
            Err(why) => {
                tracing::warn!(
                    "{} cannot be understood ({why}): going on without what it remembered",
                    file.path.display()
                );
                file.damage = Some(why);
                Ok((file, Ledger::default()))
            }
        }
    }

    /// What was wrong with the file when it was read.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.damage.as_deref()
    }

    /// Writes the ledger. A file that could not be understood is first renamed to `ledger.json.damaged`.
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
        let text = Document::from(ledger)
            .text()
            .map_err(|error| StateError::io("write", &self.path)(error.into()))?;
        replace(&self.path, &text, lock)
    }

    fn read(&self) -> Result<Option<Vec<u8>>, StateError> {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StateError::io("open", &self.path)(error)),
        };
        let mut text = Vec::new();
        // One byte more than is allowed, so that what is cut off cannot be taken for the whole.
        file.take(LARGEST + 1)
            .read_to_end(&mut text)
            .map_err(StateError::io("read", &self.path))?;
        Ok(Some(text))
    }
}
