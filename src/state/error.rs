//! What can go wrong with the state folder.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why something in the state folder could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The folder could be somebody else's doing.
    #[error(
        "the state folder {} {why}: name another one with --state-dir, or put this one right",
        .path.display()
    )]
    NotPrivate {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it, to go behind its name.
        why: String,
    },
    /// Something in the folder would have been followed elsewhere.
    #[error(
        "{} is a symbolic link, and headcount follows none in its state folder: remove it, and look who put it there",
        .path.display()
    )]
    PlantedLink {
        /// The link.
        path: PathBuf,
    },
    /// Another headcount holds the lock.
    #[error(
        "another headcount is at work on this roll: {} is locked{}; try again when it is done",
        .path.display(), after(*.waited)
    )]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long it was waited for.
        waited: Duration,
    },
    /// The system refused.
    #[error(
        "cannot {action} {}: {source}; put that right, or name another state folder with --state-dir",
        .path.display()
    )]
    Io {
        /// What was tried, to go before the path.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// How long something was waited for, if it was.
fn after(waited: Duration) -> String {
    if waited.is_zero() {
        String::new()
    } else {
        format!(" after {waited:?}")
    }
}

impl StateError {
    /// Wraps what the system said.
    pub(super) fn io<'p>(
        action: &'static str,
        path: &'p Path,
    ) -> impl FnOnce(io::Error) -> Self + use<'p> {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
