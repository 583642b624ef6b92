//! Replacing a file so that every reader sees the old or the new one, whole. The only file that names `tempfile`.

use std::fs::{self, File, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use tempfile::{NamedTempFile, TempPath};
use thiserror::Error;

use super::openings::Openings;
use super::remedy::remedy;
use super::{holder, leftover, read};

/// How often what stood in the file's place is put back while somebody else keeps replacing it.
const PUT_BACKS: usize = 8;

/// A file could not be written. What was there is still there.
#[derive(Debug, Error)]
#[error("{} cannot be {what}: {source}{}; {}", path.display(), remedy(source), whereabouts(saved.as_deref()))]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// What was to be done with it.
    pub what: &'static str,
    /// What the system said.
    pub source: io::Error,
    /// Where to find what somebody saved meanwhile, if it could not be put back in its place.
    pub saved: Option<PathBuf>,
}

fn whereabouts(saved: Option<&Path>) -> String {
    saved.map_or_else(
        || "nothing was changed".to_owned(),
        |saved| {
            format!(
                "what was saved meanwhile is in {}: put it back",
                saved.display()
            )
        },
    )
}

/// What became of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Replaced {
    /// The file has the new content.
    Done,
    /// Somebody had saved another content meanwhile. It is in its place again.
    Displaced,
}

/// Replaces the content of a file that is known to be `before`, after a copy of that to `<path>.bak`. Mode and
/// owner stay. `path` is no symlink.
///
/// # Errors
///
/// The folder or the disk does not take it.
pub fn replace(path: &Path, before: &[u8], after: &[u8]) -> Result<Replaced, WriteError> {
    replace_unless_opened(path, before, after, None)
}

/// The same of a file that nobody had open for writing since when its openings were noted.
///
/// # Errors
///
/// As of [`replace`].
pub(super) fn replace_unless_opened(
    path: &Path,
    before: &[u8],
    after: &[u8],
    since: Option<&Openings>,
) -> Result<Replaced, WriteError> {
    let failed = |what| {
        move |source| WriteError {
            path: path.to_owned(),
            what,
            source,
            saved: None,
        }
    };
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => metadata,
        Ok(_) => return Ok(Replaced::Displaced),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Replaced::Displaced),
        Err(error) => return Err(failed("looked at")(error)),
    };
    let like = |file: &File| keep_owner_and_mode(file, &metadata);
    let copy = backup_of(path);
    temporary(&copy, before, like)
        .and_then(|temp| temp.persist(&copy).map_err(|error| error.error))
        .map_err(|source| WriteError {
            path: copy.clone(),
            what: "written",
            source,
            saved: None,
        })?;
    let temp = temporary(path, after, like)
        .and_then(|temp| whole(temp, path, after))
        .map_err(failed("written"))?;
    let replaced = match exchange(&temp, path) {
        Ok(()) => match keep_or_put_back(&temp, path, before, after, since) {
            Ok(replaced) => replaced,
            Err(source) => {
                let saved = temp.keep().ok();
                return Err(WriteError {
                    saved,
                    ..failed("put back")(source)
                });
            }
        },
        Err(Errno::NOENT) => Replaced::Displaced,
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
            // The file system knows no exchange: what remains is to look once more, and to be quick.
            if is(path, before) {
                temp.persist(path)
                    .map_err(|error| failed("replaced")(error.error))?;
                Replaced::Done
            } else {
                Replaced::Displaced
            }
        }
        Err(error) => return Err(failed("replaced")(error.into())),
    };
    sync_folder(path);
    Ok(replaced)
}

/// Writes a file whole, whatever was there. `mode` are its permission bits.
///
/// # Errors
///
/// The folder or the disk does not take it.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> Result<(), WriteError> {
    let permit = |file: &File| file.set_permissions(Permissions::from_mode(mode));
    temporary(path, bytes, permit)
        .and_then(|temp| temp.persist(path).map_err(|error| error.error))
        .map_err(|source| WriteError {
            path: path.to_owned(),
            what: "written",
            source,
            saved: None,
        })?;
    sync_folder(path);
    Ok(())
}

/// Writes a file that must not be there yet. Returns whether it was not.
///
/// # Errors
///
/// The folder or the disk does not take it.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> Result<bool, WriteError> {
    let failed = |source| WriteError {
        path: path.to_owned(),
        what: "created",
        source,
        saved: None,
    };
    let permit = |file: &File| file.set_permissions(Permissions::from_mode(mode));
    let temp = temporary(path, bytes, permit).map_err(failed)?;
    match temp.persist_noclobber(path) {
        Ok(_) => {
            sync_folder(path);
            Ok(true)
        }
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(failed(error.error)),
    }
}

/// Where the last content of a roll is kept.
#[must_use]
pub fn backup_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".bak");
    PathBuf::from(name)
}

/// A file beside `path` with its bytes on the disk. It is removed when it is dropped.
fn temporary(
    path: &Path,
    bytes: &[u8],
    dress: impl Fn(&File) -> io::Result<()>,
) -> io::Result<NamedTempFile> {
    let mut temp = tempfile::Builder::new()
        .prefix(&leftover::prefix(path))
        .suffix(leftover::UNFINISHED)
        .tempfile_in(folder(path))?;
    temp.write_all(bytes)?;
    dress(temp.as_file())?;
    temp.as_file().sync_all()?;
    Ok(temp)
}

/// Gives a file that is written the name by which it changes places with `path`: see [`leftover`].
fn whole(temp: NamedTempFile, path: &Path, bytes: &[u8]) -> io::Result<TempPath> {
    let named = leftover::whole(path, bytes);
    temp.into_temp_path().persist_noclobber(&named)?;
    TempPath::try_from_path(named)
}

pub(super) fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn keep_owner_and_mode(file: &File, of: &fs::Metadata) -> io::Result<()> {
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (of.uid(), of.gid()) {
        fchown(file, Some(of.uid()), Some(of.gid()))?;
    }
    // After the owner: to change that one clears bits of the mode.
    file.set_permissions(of.permissions())
}

pub(super) fn exchange(one: &Path, other: &Path) -> Result<(), Errno> {
    renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
}

/// After an exchange: `temp` is what was displaced. If that is not what was read, or is being written to, it goes back.
fn keep_or_put_back(
    temp: &Path,
    path: &Path,
    before: &[u8],
    after: &[u8],
    since: Option<&Openings>,
) -> io::Result<Replaced> {
    // First: to compare is to open it.
    let is_closed = since.is_some_and(Openings::are_none);
    if is_closed && is(temp, before) || !is_closed && is_still(temp, before) {
        return Ok(Replaced::Done);
    }
    let mut in_its_place = Some(after.to_owned());
    for _ in 0..PUT_BACKS {
        let goes_back = read::bytes(temp).ok().map(|(bytes, _)| bytes);
        exchange(temp, path)?;
        // If this is not what stood there, somebody saved once more: that is the newest, and goes back as well.
        if in_its_place.is_some_and(|stood| is_still(temp, &stood)) {
            return Ok(Replaced::Displaced);
        }
        in_its_place = goes_back;
    }
    Err(io::Error::other("others save it again and again"))
}

/// Whether a file has that content and will keep it: who has opened it for writing, by whatever name, may not have
/// written yet. By its name of now nobody opens it. To look for writers takes a while, and until another's save is back in
/// its place whoever reads the roll misses it; so what can be seen at once is seen first, and again at last.
fn is_still(path: &Path, content: &[u8]) -> bool {
    is(path, content) && holder::writer_of(path).is_none() && is(path, content)
}

/// Whether a file has that content.
fn is(path: &Path, content: &[u8]) -> bool {
    read::bytes(path).is_ok_and(|(bytes, _)| bytes == content)
}

/// Makes the names in a folder last. Not every file system can, and the content is in place by now.
fn sync_folder(path: &Path) {
    if let Ok(folder) = File::open(folder(path)) {
        let _ = folder.sync_all();
    }
}

#[cfg(test)]
mod tests;
