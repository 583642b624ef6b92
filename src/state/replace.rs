//! Replacing a file of the state folder as a whole, so that a crash leaves the old one or the new one.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;

use super::{Locked, StateError};

/// What the name of a file ends in that is not whole yet.
pub(super) const NOT_YET: &str = ".new";

/// Writes `bytes` to `path`, which nobody but the user can read. The lock makes sure that nobody else is at
/// it, so the unfinished file can have a fixed name, and what a crash left of one does not add up.
pub(super) fn replace(path: &Path, bytes: &[u8], _lock: &Locked) -> Result<(), StateError> {
    let mut name = path.as_os_str().to_owned();
    name.push(NOT_YET);
    let unfinished = Path::new(&name);
    let written = to_write()
        .truncate(true)
        .open(unfinished)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .map_err(StateError::io("write", unfinished));
    let replaced = written
        .and_then(|()| fs::rename(unfinished, path).map_err(StateError::io("replace", path)));
    if replaced.is_err() {
        // Whoever asked may go on without it.
        let _ = fs::remove_file(unfinished);
    }
    replaced?;
    match path.parent() {
        Some(folder) => sync(folder),
        None => Ok(()),
    }
}

/// How a file of the state folder is opened to be written, and made where it is missing: for nobody else to
/// read, and through no link, which others may have planted before the folder was made private.
pub(super) fn to_write() -> OpenOptions {
    let mut options = OpenOptions::new();
    options
        .write(true)
        .create(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// Makes sure that a folder's entries outlive a crash.
pub(super) fn sync(folder: &Path) -> Result<(), StateError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(StateError::io("sync", folder))
}
