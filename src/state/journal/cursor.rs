//! How far each reader of the journal is: a small file for each, replaced as a whole.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::state::folder::file_name;
use crate::state::replace::{NOT_YET, replace};
use crate::state::{Folder, Locked, StateError};

/// The name of a reader: `loop`, `card t_1a2b3c4d`, …
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Consumer(String);

impl Consumer {
    /// Any text names a reader, and no two texts name the same.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }
}

/// The cursors of all readers.
#[derive(Clone, Debug)]
pub(super) struct Cursors {
    folder: PathBuf,
}

impl Cursors {
    pub(super) fn of(folder: &Folder) -> Self {
        Self {
            folder: folder.path().join("cursors"),
        }
    }

    pub(super) fn read(&self, consumer: &Consumer) -> Result<Option<u64>, StateError> {
        read(&self.path(consumer))
    }

    pub(super) fn write(
        &self,
        consumer: &Consumer,
        seq: u64,
        lock: &Locked,
    ) -> Result<(), StateError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)
            .map_err(StateError::io("make", &self.folder))?;
        replace(&self.path(consumer), format!("{seq}\n").as_bytes(), lock)
    }

    pub(super) fn remove(&self, consumer: &Consumer) -> Result<(), StateError> {
        let path = self.path(consumer);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(StateError::io("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// The number the furthest reader has told; 0 where there is none.
    pub(super) fn furthest(&self) -> Result<u64, StateError> {
        let listing = match fs::read_dir(&self.folder) {
            Ok(listing) => listing,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(StateError::io("list", &self.folder)(error)),
        };
        let mut furthest = 0;
        for file in listing {
            let file = file.map_err(StateError::io("list", &self.folder))?;
            if !file.file_name().as_bytes().ends_with(NOT_YET.as_bytes()) {
                furthest = furthest.max(read(&file.path())?.unwrap_or(0));
            }
        }
        Ok(furthest)
    }

    fn path(&self, consumer: &Consumer) -> PathBuf {
        self.folder
            .join(file_name(&consumer.0, consumer.0.as_bytes()))
    }
}

fn read(path: &Path) -> Result<Option<u64>, StateError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StateError::io("read", path)(error)),
    };
    // Without its newline a number may be only the beginning of one.
    let number = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| text.strip_suffix('\n'))
        .and_then(|text| text.parse().ok());
    if number.is_none() {
        tracing::warn!(
            "{} cannot be understood: its reader begins anew",
            path.display()
        );
    }
    Ok(number)
}
