//! One loop a roll: a lock that dies with its holder.

use std::time::Duration;

use super::error::RunError;
use crate::roll::Roll;
use crate::roll::holder::Holder;
use crate::roll::lock::{FileLock, LockError};
use crate::state::Folder;

/// The right to be the loop of a roll, or its worker, given back when this is dropped or the process ends, however it ends.
#[derive(Debug)]
#[must_use = "given back as soon as it is dropped"]
pub(super) struct Sole {
    _lock: FileLock,
}

impl Sole {
    /// Takes it.
    ///
    /// # Errors
    ///
    /// Another loop has it, or the state folder cannot be used.
    pub(super) async fn of(roll: &Roll, folder: &Folder) -> Result<Self, RunError> {
        let busy = |holder| RunError::AnotherLoop {
            path: roll.named.clone(),
            holder,
        };
        Self::take(folder, "loop.lock", busy).await
    }

    /// Takes the right to be the worker of a roll.
    ///
    /// # Errors
    ///
    /// Another worker has it, or the state folder cannot be used.
    pub(super) async fn worker(roll: &Roll, folder: &Folder) -> Result<Self, RunError> {
        let busy = |holder| RunError::AnotherWorker {
            path: roll.named.clone(),
            holder,
        };
        Self::take(folder, "worker.lock", busy).await
    }

    async fn take(
        folder: &Folder,
        name: &str,
        busy: impl FnOnce(Option<Holder>) -> RunError,
    ) -> Result<Self, RunError> {
        folder.make()?;
        match FileLock::acquire(&folder.path().join(name), Duration::ZERO).await {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err(LockError::Busy { holder, .. }) => Err(busy(holder)),
            Err(error) => Err(RunError::LoopLock(error)),
        }
    }
}
