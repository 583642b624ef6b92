//! The rows as they stood before and after headcount wrote them, so that a person can have one of them put back.
//!
//! It is noted before the roll is written: what is noted may not have come to be, and the journal says what did. What
//! is lost here can only not be undone any more.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::replace::replace;
use super::{Folder, Locked, StateError};
use crate::core::ids::Fingerprint;
use crate::roll::commit::Rewriting;
use crate::roll::passage::Passage;

/// How many are kept at most; beyond that the oldest are forgotten.
pub const MOST: usize = 300;

/// How many bytes of text all of them may have.
pub const LARGEST: usize = 512 << 10;

/// The file that keeps them.
#[derive(Clone, Debug)]
pub struct Rewrites {
    path: PathBuf,
}

/// One row that was written, or was about to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewrite {
    /// The number of the journal's last entry before the row was written.
    pub follows: u64,
    /// The row's name.
    pub row: String,
    /// What caused it: the ids of drifts, or of outcomes of jobs.
    pub causes: Vec<String>,
    before: Option<Text>,
    after: Text,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Text {
    text: String,
    fingerprint: String,
}

impl Rewrites {
    /// The file in that folder, which may not be there yet.
    #[must_use]
    pub fn of(folder: &Folder) -> Self {
        Self {
            path: folder.path().join("rewrites.json"),
        }
    }

    /// What is kept, oldest first; nothing where it cannot be read or understood.
    #[must_use]
    pub fn load(&self) -> Vec<Rewrite> {
        let read = match fs::read(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
            Err(error) => Err(error.to_string()),
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
        };
        read.unwrap_or_else(|why| {
            tracing::warn!(
                "{} cannot be understood ({why}): what was written before cannot be undone",
                self.path.display()
            );
            Vec::new()
        })
    }

    /// Notes rows that are about to be written, after the journal's entry of that number.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn add(&self, rows: Vec<Rewriting>, follows: u64, lock: &Locked) -> Result<(), StateError> {
        let mut all = self.load();
        all.extend(rows.into_iter().map(|row| Rewrite::of(row, follows)));
        let mut left = LARGEST;
        let mut kept = 0;
        for rewrite in all.iter().rev().take(MOST) {
            let Some(rest) = left.checked_sub(rewrite.size()) else {
                break;
            };
            left = rest;
            kept += 1;
        }
        all.drain(..all.len() - kept);
        let bytes = serde_json::to_vec(&all)
            .map_err(|error| StateError::io("write", &self.path)(error.into()))?;
        replace(&self.path, &bytes, lock)
    }
}

impl Rewrite {
    fn of(row: Rewriting, follows: u64) -> Self {
        let Rewriting {
            name,
            causes,
            before,
            after,
        } = row;
        Self {
            follows,
            row: name,
            causes: causes.iter().map(ToString::to_string).collect(),
            before: before.map(Text::from),
            after: after.into(),
        }
    }

    /// The row as it stood; `None` where there was none.
    #[must_use]
    pub fn before(&self) -> Option<Passage> {
        self.before.as_ref().map(Passage::from)
    }

    /// The row as it was written.
    #[must_use]
    pub fn after(&self) -> Passage {
        Passage::from(&self.after)
    }

    fn size(&self) -> usize {
        let texts = self.before.iter().chain([&self.after]);
        texts.map(|it| it.text.len()).sum()
    }
}

impl From<Passage> for Text {
    fn from(passage: Passage) -> Self {
        Self {
            text: passage.text,
            fingerprint: passage.fingerprint.to_string(),
        }
    }
}

impl From<&Text> for Passage {
    fn from(text: &Text) -> Self {
        Self {
            text: text.text.clone(),
            fingerprint: Fingerprint::new(text.fingerprint.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
