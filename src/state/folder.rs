//! The folder of one roll within the state folder, and the lock on it.

#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::StateError;
use super::replace::{replace, to_write};
use crate::roll::find::project_of;

/// Where the memory of one roll is kept. Naming it touches nothing: a dry run reads what is there and makes
/// nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
    path: PathBuf,
    roll: PathBuf,
}

/// The lock on a [`Folder`]; dropping it lets go. What writes to the folder asks to see it.
#[derive(Debug)]
#[must_use = "the lock is let go as soon as this is dropped"]
pub struct Locked {
    _file: File,
}

/// A roll that the state folder knows of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The roll, which may be gone.
    pub roll: PathBuf,
    /// Where its memory is kept.
    pub folder: PathBuf,
}

/// The most bytes that the path of a roll has.
const LONGEST_PATH: u64 = 1 << 16;

/// All rolls that the state folder `root` keeps a memory of, by their paths; and why folders in it could not be looked
/// at. What else lies in it is left alone.
///
/// # Errors
/// When it is not the user's own, or cannot be listed.
pub fn known(root: &Path) -> Result<(Vec<Known>, Vec<StateError>), StateError> {
    let (mut rolls, mut hidden) = (Vec::new(), Vec::new());
    if own_folder(root)?.is_none() {
        return Ok((rolls, hidden));
    }
    for entry in fs::read_dir(root).map_err(StateError::io("list", root))? {
        let path = entry.map_err(StateError::io("list", root))?.path();
        match roll_of(root, &path) {
            Ok(roll) => rolls.extend(roll.map(|roll| Known { roll, folder: path })),
            Err(error) => hidden.push(error),
        }
    }
    rolls.sort_by(|a, b| a.roll.cmp(&b.roll));
    Ok((rolls, hidden))
}

/// Which roll's folder this is; `None` where it is none.
fn roll_of(root: &Path, path: &Path) -> Result<Option<PathBuf>, StateError> {
    let named = path.join("roll");
    let found = match fs::symlink_metadata(&named) {
        Ok(found) => found,
        // A first pass may just be making it.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(StateError::io("look at", &named)(error)),
    };
    // Nothing else is a file of ours; and a pipe would be waited for.
    if !found.is_file() || found.len() > LONGEST_PATH {
        return Ok(None);
    }
    let line = fs::read(&named).map_err(StateError::io("read", &named))?;
    let roll = PathBuf::from(OsStr::from_bytes(line.strip_suffix(b"\n").unwrap_or(&line)));
    // A copy of such a folder is no roll's either.
    let folder = Folder::of(root, &roll);
    Ok((folder.path == path && folder.exists()?).then_some(roll))
}

impl Folder {
    /// The folder of a roll within the state folder `root`. Two names of one roll must have been made one
    /// (`Path::canonicalize`) before.
    #[must_use]
    pub fn of(root: &Path, roll: &Path) -> Self {
        Self {
            root: root.to_owned(),
            path: root.join(file_name(&stem(roll), roll.as_os_str().as_bytes())),
            roll: roll.to_owned(),
        }
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it is there. Changes nothing.
    ///
    /// # Errors
    /// When it or the state folder is not the user's own, holds a symbolic link, or cannot be looked at.
    pub fn exists(&self) -> Result<bool, StateError> {
        let exists = own_folder(&self.root)?.is_some() && own_folder(&self.path)?.is_some();
        if exists {
            refuse_links(&self.path)?;
        }
        Ok(exists)
    }

    /// Makes it where it is missing, and keeps others out.
    ///
    /// # Errors
    /// When it or the state folder is not the user's own, holds a symbolic link, or cannot be made.
    pub fn make(&self) -> Result<(), StateError> {
        // Others may look into a folder that a person has chosen, but what they could rename or replace
        // in it would not be private.
        make_private(&self.root, 0o022)?;
        make_private(&self.path, 0o077)?;
        refuse_links(&self.path)
    }

    /// Locks it, so that no other headcount writes to it meanwhile. It is made where it is missing, and
    /// others are kept out.
    ///
    /// # Errors
    /// When it or the state folder is not the user's own, holds a symbolic link, or cannot be made;
    /// [`StateError::Busy`] when the lock was not to be had within `patience`.
    pub async fn lock(&self, patience: Duration) -> Result<Locked, StateError> {
        self.make()?;
        let locked = lock(&self.path.join("lock"), patience).await?;
        let name = self.path.join("roll");
        if !name.exists() {
            let mut line = self.roll.as_os_str().as_bytes().to_vec();
            line.push(b'\n');
            replace(&name, &line, &locked)?;
        }
        Ok(locked)
    }
}

/// Locks a file that is never deleted, since a lock on a deleted file would exclude nobody.
async fn lock(path: &Path, patience: Duration) -> Result<Locked, StateError> {
    let file = to_write()
        .read(true)
        .truncate(false)
        .open(path)
        .map_err(StateError::io("open", path))?;
    let locked = tokio::time::timeout(patience, async {
        let mut pause = Duration::from_millis(2);
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(()),
                Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    })
    .await;
    match locked {
        Ok(Ok(())) => Ok(Locked { _file: file }),
        Ok(Err(error)) => Err(StateError::io("lock", path)(error)),
        Err(_) => Err(StateError::Busy {
            path: path.to_owned(),
            waited: patience,
        }),
    }
}

/// The folder's mode, or `None` where there is none.
fn own_folder(path: &Path) -> Result<Option<u32>, StateError> {
    let refuse = |why: String| {
        Err(StateError::NotPrivate {
            path: path.to_owned(),
            why,
        })
    };
    // Not followed: whoever planted a link would decide where the memory is kept.
    let found = match fs::symlink_metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::io("look at", path)(error)),
    };
    let me = rustix::process::geteuid().as_raw();
    if found.is_symlink() {
        refuse("is a symbolic link".to_owned())
    } else if !found.is_dir() {
        refuse("is not a folder".to_owned())
    } else if found.uid() != me {
        refuse(format!(
            "belongs to user {}, not to you ({me})",
            found.uid()
        ))
    } else {
        Ok(Some(found.mode()))
    }
}

/// Makes the folder where it is missing, and takes the permissions in `denied` from it.
fn make_private(path: &Path, denied: u32) -> Result<(), StateError> {
    if own_folder(path)?.is_none() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(StateError::io("make the state folder", path))?;
    }
    // Looked at again: between the look and the making somebody may have made it.
    match own_folder(path)? {
        Some(mode) if mode & denied != 0 => {
            fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o7777 & !denied))
                .map_err(StateError::io("make private", path))
        }
        Some(_) => Ok(()),
        None => Err(StateError::NotPrivate {
            path: path.to_owned(),
            why: "vanished while it was being made".to_owned(),
        }),
    }
}

/// Refuses a folder that has a symbolic link in it, or in a folder of it. Headcount makes none, and once the
/// folder is private nobody else can: it was planted, so that its own files are read or written elsewhere.
fn refuse_links(folder: &Path) -> Result<(), StateError> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(StateError::io("list", &folder))? {
            let entry = entry.map_err(StateError::io("list", &folder))?;
            let path = entry.path();
            let kind = entry.file_type();
            let kind = kind.map_err(StateError::io("look at", &path))?;
            if kind.is_symlink() {
                return Err(StateError::PlantedLink { path });
            }
            if kind.is_dir() {
                folders.push(path);
            }
        }
    }
    Ok(())
}

/// What a person would call the roll: the folder of the project it lies in.
fn stem(roll: &Path) -> String {
    project_of(roll).file_name().map_or_else(
        || "roll".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    )
}

/// A file name that a person can read and that no other `whole` has.
pub(super) fn file_name(readable: &str, whole: &[u8]) -> String {
    let readable: String = readable
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '_' {
                c
            } else {
                '-'
            }
        })
        .take(40)
        .collect();
    let hash = Sha256::digest(whole);
    let hash: String = hash
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{readable}-{hash}")
}
