//! One loop a roll: a lock that dies with its holder.

use std::time::Duration;

use super::error::RunError;
use crate::roll::Roll;
use crate::roll::lock::{FileLock, LockError};
use crate::state::Folder;

/// The right to be the loop of a roll, given back when this is dropped or the process ends, however it ends.
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
        folder.make()?;
        let lock = FileLock::acquire(&folder.path().join("loop.lock"), Duration::ZERO).await;
        match lock {
            Ok(lock) => Ok(Self { _lock: lock }),
            Err(LockError::Busy { holder, .. }) => Err(RunError::AnotherLoop {
                path: roll.named.clone(),
                holder,
            }),
            Err(error) => Err(RunError::LoopLock(error)),
        }
    }
}
