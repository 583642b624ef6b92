//! A snapshot's folder: made for its owner alone, written once, and read within bounds.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::{Damage, Snapshot, VERSION};
use crate::roll::read::{Trouble, bytes};

/// The files of a snapshot. The second is written last: without it there is no snapshot.
const ROLL: &str = "roll.yaml";
const DOCUMENT: &str = "snapshot.json";

/// Why a snapshot is not saved, or cannot be replayed.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// There is something at the place where it should be.
    #[error("{} is not empty: name a folder that is, or a new one", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The roll cannot be saved without what people keep in it for themselves.
    #[error("{roll} cannot be recorded: {why}")]
    NotPrivate {
        /// The roll.
        roll: String,
        /// Why not.
        why: String,
    },
    /// The folder that it should be made in is not there.
    #[error("{} cannot be made: there is no folder {}; make that first, or name another", path.display(), parent.display())]
    NoParent {
        /// The folder.
        path: PathBuf,
        /// What it should be made in.
        parent: PathBuf,
    },
    /// The system refuses.
    #[error("{} cannot be written: {why}; name a folder that this user may write to", path.display())]
    Unwritable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// A file of it is missing, or cannot be read.
    #[error("{} cannot be read: {why}; name a folder that `headcount record` has written", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: String,
    },
    /// A file of it is not what was recorded.
    #[error("{} is damaged: {why}; record it again, or get another copy", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// It is of another version.
    #[error("{} has format version {found}, and this headcount replays version {VERSION}: replay it with {made_by}", path.display())]
    AnotherVersion {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: String,
        /// What recorded it.
        made_by: String,
    },
}

/// Saves a snapshot, without what is private in the roll, in a folder that is empty or not there yet. Returns the
/// files that were written.
///
/// # Errors
///
/// The folder holds something, the roll cannot be told apart from what is private in it, or the system refuses.
pub fn save(snapshot: Snapshot, folder: &Path) -> Result<[PathBuf; 2], SnapshotError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |why| SnapshotError::Unwritable { path, why }
    };
    let roll = snapshot.roll.clone();
    let snapshot = snapshot
        .without_secrets()
        .map_err(|why| SnapshotError::NotPrivate { roll, why })?;
    let files = [folder.join(ROLL), folder.join(DOCUMENT)];
    let document = snapshot
        .document()
        .map_err(|error| unwritable(&files[1])(error.into()))?;
    match fs::read_dir(folder) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                return Err(SnapshotError::NotEmpty {
                    path: folder.to_owned(),
                });
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => DirBuilder::new()
            .mode(0o700)
            .create(folder)
            .map_err(|error| match folder.parent() {
                Some(parent) if error.kind() == ErrorKind::NotFound => SnapshotError::NoParent {
                    path: folder.to_owned(),
                    parent: parent.to_owned(),
                },
                _ => unwritable(folder)(error),
            })?,
        Err(error) => return Err(unwritable(folder)(error)),
    }
    write(&files[0], &snapshot.text).map_err(unwritable(&files[0]))?;
    write(&files[1], &document).map_err(unwritable(&files[1]))?;
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(unwritable(folder))?;
    Ok(files)
}

/// Writes a file that is not there yet, for its owner alone.
fn write(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Reads a snapshot.
///
/// # Errors
///
/// It is missing, damaged, or of another version.
pub fn load(folder: &Path) -> Result<Snapshot, SnapshotError> {
    let [roll, document] = [ROLL, DOCUMENT].map(|name| folder.join(name));
    Snapshot::read(&text(&document)?, &text(&roll)?).map_err(|damage| match damage {
        Damage::Document(why) => SnapshotError::Damaged {
            path: document,
            why,
        },
        Damage::Roll(why) => SnapshotError::Damaged { path: roll, why },
        Damage::Version { found, made_by } => SnapshotError::AnotherVersion {
            path: document,
            found,
            made_by,
        },
    })
}

fn text(path: &Path) -> Result<String, SnapshotError> {
    let unreadable = |why: String| SnapshotError::Unreadable {
        path: path.to_owned(),
        why,
    };
    let (bytes, _) = bytes(path).map_err(|trouble| {
        unreadable(match trouble {
            Trouble::Missing => "there is no such file".to_owned(),
            Trouble::NotAFile(what) => format!("it is {what}"),
            Trouble::TooLarge(size) => format!("it has {size} bytes, which is too much"),
            Trouble::Io(error) => error.to_string(),
        })
    })?;
    String::from_utf8(bytes).map_err(|_| SnapshotError::Damaged {
        path: path.to_owned(),
        why: "it is not UTF-8".to_owned(),
    })
}
