//! One loop a roll: a lock that dies with its holder.

use std::path::PathBuf;
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
    lock: FileLock,
    path: PathBuf,
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

    /// Takes it again, if somebody removed the file by which it is held.
    ///
    /// # Errors
    ///
    /// Another loop has it by now, or the state folder cannot be used.
    pub(super) async fn hold(&mut self, roll: &Roll, folder: &Folder) -> Result<(), RunError> {
        if !self.lock.is_of(&self.path) {
            *self = Self::of(roll, folder).await?;
        }
        Ok(())
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
        let path = folder.path().join(name);
        match FileLock::acquire(&path, Duration::ZERO).await {
            Ok(lock) => Ok(Self { lock, path }),
            Err(LockError::Busy { holder, .. }) => Err(busy(holder)),
            Err(error) => Err(RunError::LoopLock(error)),
        }
    }
}
