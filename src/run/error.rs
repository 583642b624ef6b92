//! What can stop a pass.

use std::path::PathBuf;

use thiserror::Error;

use crate::roll::Roll;
use crate::roll::atomic::WriteError;
use crate::roll::commit::CommitError;
use crate::roll::holder::Holder;
use crate::roll::lock::LockError;
use crate::roll::parse::NotYaml;
use crate::roll::read::ReadError;
use crate::state::StateError;

/// Why there was no pass, or not a whole one.
#[derive(Debug, Error)]
pub enum RunError {
    /// The roll's bytes could not be read.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// The roll's text could not be understood.
    #[error("{}: {source}; put it right: `headcount validate` tells when it is", path.display())]
    NotYaml {
        /// The roll.
        path: PathBuf,
        /// What is wrong with it.
        source: NotYaml,
    },
    /// The roll could not be written. It is as it was.
    #[error(transparent)]
    NotWritten(#[from] CommitError),
    /// The roll could not be created.
    #[error(transparent)]
    NotCreated(#[from] WriteError),
    /// The state folder could not be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// The state folder could not be used any more when something was about to be done, or was done.
    #[error("{what}: {source}")]
    NotNoted {
        /// What is so in the roll now, as a sentence without a full stop.
        what: String,
        /// Why that is not remembered.
        source: StateError,
    },
    /// Others kept the roll, or its lock, for too long after each look.
    #[error("{} was saved or locked by others after each of several looks, so nothing was written: try again when that has ended", path.display())]
    Contended {
        /// The roll.
        path: PathBuf,
    },
    /// Another loop keeps watch over the same roll.
    #[error("another loop keeps watch over {}{}; one is enough, and `--once` works beside it", path.display(), by(holder.as_ref()))]
    AnotherLoop {
        /// The roll.
        path: PathBuf,
        /// Which process it is, if that can be seen.
        holder: Option<Holder>,
    },
    /// Another worker keeps a card for the same roll.
    #[error("another worker reports on {}{}; one is enough", path.display(), by(holder.as_ref()))]
    AnotherWorker {
        /// The roll.
        path: PathBuf,
        /// Which process it is, if that can be seen.
        holder: Option<Holder>,
    },
    /// A card cannot be kept. Why, in words.
    #[error("{0}")]
    NotKept(String),
    /// The lock that a loop holds cannot be used.
    #[error(transparent)]
    LoopLock(LockError),
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(String::new, |holder| format!(": {holder}"))
}

impl RunError {
    /// Who keeps a lock that was not got, as a clause.
    pub(super) fn who_locks(&self) -> String {
        match self {
            Self::NotWritten(CommitError::Lock(LockError::Busy { path, holder, .. })) => {
                let holder = holder.as_ref().map_or_else(
                    || "a process that cannot be seen".to_owned(),
                    ToString::to_string,
                );
                format!("{} is locked by {holder}", path.display())
            }
            Self::NotWritten(CommitError::Open { path, writer }) => {
                format!("{} is open for writing in {writer}", path.display())
            }
            Self::State(StateError::Busy { .. }) => {
                "another headcount is at work on this roll".to_owned()
            }
            other => other.to_string(),
        }
    }

    /// Says what is so in the roll, where that could not be remembered.
    pub(super) fn not_noted(what: impl Into<String>) -> impl FnOnce(StateError) -> Self {
        let what = what.into();
        |source| Self::NotNoted { what, source }
    }

    /// Says which roll could not be understood.
    pub(super) fn not_yaml(roll: &Roll) -> impl FnOnce(NotYaml) -> Self + use<'_> {
        |source| Self::NotYaml {
            path: roll.named.clone(),
            source,
        }
    }
}
