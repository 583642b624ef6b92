//! Whether a roll could be written: what stands in the way, without writing anything.

use std::path::{Path, PathBuf};

use rustix::fs::{Access, access, statvfs};

use super::holder::{self, Holder};
use super::lock::{FileLock, lock_of};
use super::{Roll, mount};
use crate::core::sighting::Sighting;

/// How the lock of a roll is.
#[derive(Debug)]
pub enum Lock {
    /// It works, and nobody has it.
    Free(PathBuf),
    /// There is no lock file yet: the first writer makes it.
    NotMade(PathBuf),
    /// Somebody has it.
    Held(PathBuf, Option<Holder>),
    /// It does not work; why.
    Broken(String),
}

/// Looks at the lock. To know whether the file system can lock at all, it is taken for an instant, if nobody has it;
/// no file is made.
#[must_use]
pub fn lock(roll: &Roll) -> Lock {
    let path = lock_of(&roll.named);
    if !path.exists() {
        return Lock::NotMade(path);
    }
    match FileLock::try_acquire(&path) {
        Ok(Some(_)) => Lock::Free(path),
        Ok(None) => {
            let holder = holder::of(&path);
            Lock::Held(path, holder)
        }
        Err(error) => Lock::Broken(error.to_string()),
    }
}

/// Whether what lies at a path is on a file system of this machine; `what` that is, in words.
#[must_use]
pub fn locality(path: &Path, what: &str) -> Sighting<()> {
    mount::locality(path, what)
}

/// Whether this user may read and write a path, or, of a folder, make files in it. `None` where it may; else why not.
#[must_use]
pub fn may_write(path: &Path) -> Option<String> {
    access(path, Access::READ_OK | Access::WRITE_OK)
        .err()
        .map(|error| format!("{}: {error}", path.display()))
}

/// What a pass needs at the least, in bytes: a copy of the roll, and what is remembered of it.
const NEEDED: u64 = 1 << 20;

/// What is left on the file system of a path, where that is too little to write there. `None` where there is enough,
/// or where the file system does not say.
#[must_use]
pub fn lacks_room(path: &Path) -> Option<String> {
    let stat = statvfs(path).ok()?;
    let blocks = if rustix::process::geteuid().is_root() {
        stat.f_bfree
    } else {
        stat.f_bavail
    };
    let bytes = blocks.saturating_mul(stat.f_frsize);
    let at = path.display();
    // Some have no count of the one or of the other, and say 0 of 0.
    if stat.f_blocks > 0 && bytes < NEEDED {
        Some(format!(
            "on the file system of {at} {} KiB are left",
            bytes / 1024
        ))
    } else if stat.f_files > 0 && stat.f_ffree == 0 {
        Some(format!(
            "the file system of {at} can take no further file (no inodes are left)"
        ))
    } else {
        None
    }
}
