//! The lock that all writers of the roll take. The only file that names `fs2`, by path, since the standard
//! library has methods of the same names.
//!
//! What is locked is a file beside the roll, never the roll: that one is replaced, and a lock goes with its file.
//! Nobody waits inside the kernel: a waiter that sleeps there cannot be interrupted.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::OFlags;
use thiserror::Error;

use super::Roll;
use super::holder::{self, Holder};
use super::read::what_else;
use super::remedy::remedy;

/// The first and the longest pause between two tries.
const PAUSES: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(50));

/// Why a lock was not got.
#[derive(Debug, Error)]
pub enum LockError {
    /// Somebody else has it.
    #[error("{} is {}locked{}", path.display(), still(*waited), by(holder.as_ref()))]
    Busy {
        /// The lock file.
        path: PathBuf,
        /// How long was waited for it.
        waited: Duration,
        /// Who has it, if that can be seen.
        holder: Option<Holder>,
    },
    /// Something else stands in its place.
    #[error("{} is {kind}, and a plain file is needed there for the lock: remove it", path.display())]
    NotAFile {
        /// The lock file.
        path: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// It cannot be opened or made.
    #[error("{} cannot be locked: {source}{}", path.display(), remedy(source))]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn still(waited: Duration) -> String {
    if waited.is_zero() {
        String::new()
    } else {
        format!("after {waited:?} still ")
    }
}

fn by(holder: Option<&Holder>) -> String {
    holder.map_or_else(
        || "; who holds it cannot be seen (`fuser` may tell)".to_owned(),
        |holder| {
            let hint = if holder.is_tmux_server() {
                ": it was started by `flock FILE tmux …` and keeps the lock until it ends; start it by `flock -o`"
            } else {
                ": try again when it is done"
            };
            format!(" by {holder}{hint}")
        },
    )
}

/// An exclusive lock on one file, let go when it is dropped.
#[derive(Debug)]
#[must_use = "a lock that is not kept is let go at once"]
pub struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock if nobody has it.
    ///
    /// # Errors
    ///
    /// The lock file can be neither opened nor made.
    pub fn try_acquire(path: &Path) -> Result<Option<Self>, LockError> {
        let trouble = |source| LockError::Io {
            path: path.to_owned(),
            source,
        };
        loop {
            let file = open(path)?;
            match fs2::FileExt::try_lock_exclusive(&file) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(trouble(error)),
            }
            // Somebody may have removed the file in between; then the next one would lock another.
            if identity(&file.metadata().map_err(trouble)?)
                == fs::metadata(path).ok().as_ref().and_then(identity)
            {
                return Ok(Some(Self { file }));
            }
        }
    }

    /// Whether whoever locks that path now meets this lock: not if somebody has removed the file since.
    #[must_use]
    pub fn is_of(&self, path: &Path) -> bool {
        let ours = self.file.metadata().ok().as_ref().and_then(identity);
        ours.is_some() && ours == fs::metadata(path).ok().as_ref().and_then(identity)
    }

    /// Takes the lock, or gives up after `timeout`. To drop the future is to stop waiting.
    ///
    /// # Errors
    ///
    /// Somebody else keeps the lock, or the lock file can be neither opened nor made.
    pub async fn acquire(path: &Path, timeout: Duration) -> Result<Self, LockError> {
        let poll = async {
            let mut pause = PAUSES.0;
            loop {
                if let Some(lock) = Self::try_acquire(path)? {
                    return Ok(lock);
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSES.1);
            }
        };
        match tokio::time::timeout(timeout, poll).await {
            Ok(result) => result,
            Err(_) => Err(LockError::Busy {
                path: path.to_owned(),
                waited: timeout,
                holder: holder::of(path),
            }),
        }
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Closing would do, were there not the moment between fork and exec in which a child has the file too.
        let _ = fs2::FileExt::unlock(&self.file);
    }
}

/// The locks of one roll: that of its path as named, and that of the file behind it.
#[derive(Debug)]
#[must_use = "a lock that is not kept is let go at once"]
pub struct RollLock {
    _locks: Vec<FileLock>,
}

impl RollLock {
    /// Takes both locks, or gives up after `timeout`. To drop the future is to stop waiting.
    ///
    /// # Errors
    ///
    /// Somebody else keeps one of them, or a lock file can be neither opened nor made.
    pub async fn acquire(roll: &Roll, timeout: Duration) -> Result<Self, LockError> {
        let mut paths = Vec::new();
        for path in [lock_of(&roll.named), lock_of(&roll.target)] {
            let metadata = open(&path)?.metadata().map_err(|source| LockError::Io {
                path: path.clone(),
                source,
            })?;
            paths.push((identity(&metadata), path));
        }
        // Two ways to one file are one lock, and two locks are always taken in one order, whoever takes them
        // and by whatever names: else two would wait for each other.
        paths.sort();
        paths.dedup_by(|a, b| a.0 == b.0);
        let started = crate::clock::monotonic();
        let mut locks = Vec::new();
        for (_, path) in paths {
            let left = timeout.saturating_sub(started.elapsed());
            let lock = FileLock::acquire(&path, left).await;
            locks.push(lock.map_err(|error| match error {
                LockError::Busy { path, holder, .. } => LockError::Busy {
                    path,
                    waited: timeout,
                    holder,
                },
                other => other,
            })?);
        }
        Ok(Self { _locks: locks })
    }
}

/// The lock file of a roll.
#[must_use]
pub fn lock_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn identity(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    Some((metadata.dev(), metadata.ino()))
}

/// Opens the lock file, made where it is missing. It is never removed.
fn open(path: &Path) -> Result<File, LockError> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let flags = flags.bits().cast_signed();
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags)
        .open(path)
        .or_else(|error| match error.kind() {
            // One that another made and that may only be read can be locked all the same.
            io::ErrorKind::PermissionDenied => OpenOptions::new()
                .read(true)
                .custom_flags(flags)
                .open(path)
                .map_err(|_| error),
            _ => Err(error),
        });
    let kind = match &opened {
        Ok(file) => file.metadata(),
        Err(_) => fs::symlink_metadata(path),
    };
    if let Some(kind) = kind.ok().and_then(|found| what_else(found.file_type())) {
        return Err(LockError::NotAFile {
            path: path.to_owned(),
            kind,
        });
    }
    opened.map_err(|source| LockError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests;
