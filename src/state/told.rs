//! What a loop has told of notes, which are in no ledger: so that a restart tells none of them again.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use super::replace::replace;
use super::{Folder, Locked, StateError};

/// The file that keeps which notes were told last.
#[derive(Clone, Debug)]
pub struct ToldNotes {
    path: PathBuf,
}

impl ToldNotes {
    /// The file in that folder, which may not be there yet.
    #[must_use]
    pub fn of(folder: &Folder) -> Self {
        Self {
            path: folder.path().join("told-notes.json"),
        }
    }

    /// The notes that were told last; none where nothing can be read, so that they are told again.
    #[must_use]
    pub fn load(&self) -> BTreeSet<String> {
        match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::warn!("{} cannot be read: {error}", self.path.display());
                }
                BTreeSet::new()
            }
        }
    }

    /// Remembers them.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn save(&self, notes: &BTreeSet<String>, lock: &Locked) -> Result<(), StateError> {
        let bytes = serde_json::to_vec(notes)
            .map_err(|error| StateError::io("write", &self.path)(error.into()))?;
        replace(&self.path, &bytes, lock)
    }
}
