//! Reading the roll's bytes, whatever stands at its path.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use thiserror::Error;

use super::Roll;
use super::mount;
use super::parse::{self, NotYaml};
use crate::clock;
use crate::core::ids::{Fingerprint, Timestamp};
use crate::core::registry::Registry;
use crate::core::sighting::Sighting;

/// The largest roll that is read, in bytes. A roll of ten thousand rows has four million.
pub const LARGEST: u64 = 32 * 1024 * 1024;

/// A roll as it was read.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The file's text, byte for byte, a byte order mark included.
    pub text: String,
    /// SHA-256 of its bytes.
    pub fingerprint: Fingerprint,
    /// When the file was last written.
    pub written_at: Timestamp,
    /// Whether it lies on a file system of this machine.
    pub local: Sighting<()>,
    /// The newer store of another writer that stands beside it and makes it read-only.
    pub newer_store: Option<PathBuf>,
}

/// Why a roll cannot be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// There is none.
    #[error("{path} does not exist: `headcount init` creates it, `--registry PATH` names another")]
    Missing {
        /// The path.
        path: String,
    },
    /// It is a link to nothing.
    #[error(
        "{path} is a symbolic link to {target}, where there is nothing: put the roll there, or remove the link"
    )]
    Dangling {
        /// The path.
        path: String,
        /// What the link says.
        target: String,
    },
    /// It is not a file.
    #[error("{path} is {kind}, not a file: name the roll with `--registry PATH`")]
    NotAFile {
        /// The path.
        path: String,
        /// What it is.
        kind: &'static str,
    },
    /// It cannot be opened or read.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// The path.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// It is too large to be a roll.
    #[error("{path} has {size} bytes, and a roll has at most {LARGEST}: is it the right file?")]
    TooLarge {
        /// The path.
        path: String,
        /// Its size in bytes.
        size: u64,
    },
    /// It is no UTF-8.
    #[error("{path} is not UTF-8 (byte {offset}): save it as UTF-8, or restore {path}.bak")]
    NotUtf8 {
        /// The path.
        path: String,
        /// The first byte that is wrong, counted from 0.
        offset: usize,
    },
    /// It holds a zero byte.
    #[error("{path} is no text (byte {offset} is zero): restore it, for example from {path}.bak")]
    Binary {
        /// The path.
        path: String,
        /// Where the byte is, counted from 0.
        offset: usize,
    },
    /// It holds nothing.
    #[error("{path} is empty: restore it from {path}.bak, or remove it and run `headcount init`")]
    Empty {
        /// The path.
        path: String,
    },
}

impl Contents {
    /// What it declares.
    ///
    /// # Errors
    ///
    /// The text is not a roll.
    pub fn registry(&self) -> Result<Registry, NotYaml> {
        parse::parse(&self.text, self.fingerprint.clone(), self.written_at)
    }
}

/// Reads the roll. Never waits, whatever the path names.
///
/// # Errors
///
/// There is no roll, or nothing that can be one.
pub fn read(roll: &Roll) -> Result<Contents, ReadError> {
    let roll = &roll.as_it_is();
    let path = &roll.target;
    let shown = || roll.named.display().to_string();
    let (bytes, metadata) = bytes(path).map_err(|trouble| match fs::read_link(&roll.named) {
        Ok(target) if matches!(trouble, Trouble::Missing) => ReadError::Dangling {
            path: shown(),
            target: target.display().to_string(),
        },
        _ => trouble.at(shown()),
    })?;
    let fingerprint = fingerprint(&bytes);
    if let Some(offset) = memchr::memchr(0, &bytes) {
        return Err(ReadError::Binary {
            path: shown(),
            offset,
        });
    }
    let text = String::from_utf8(bytes).map_err(|error| ReadError::NotUtf8 {
        path: shown(),
        offset: error.utf8_error().valid_up_to(),
    })?;
    if parse::without_mark(&text).trim().is_empty() {
        return Err(ReadError::Empty { path: shown() });
    }
    Ok(Contents {
        text,
        fingerprint,
        written_at: written_at(&metadata),
        local: mount::locality(path, "the roll"),
        newer_store: newer_store(roll),
    })
}

/// Whether the roll looks from outside as it did when this was read.
pub(super) fn is_unchanged(roll: &Roll, contents: &Contents) -> bool {
    fs::metadata(&roll.target).is_ok_and(|found| {
        found.len() == contents.text.len() as u64 && written_at(&found) == contents.written_at
    })
}

fn written_at(found: &fs::Metadata) -> Timestamp {
    found
        .modified()
        .map_or_else(|_| Timestamp::default(), clock::at)
}

/// SHA-256 of some bytes.
pub(crate) fn fingerprint(bytes: &[u8]) -> Fingerprint {
    let hash = Sha256::digest(bytes);
    Fingerprint::new(
        hash.iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<String>(),
    )
}

/// The newer store of another writer, if one stands beside the roll.
#[must_use]
pub fn newer_store(roll: &Roll) -> Option<PathBuf> {
    [&roll.named, &roll.target]
        .into_iter()
        .map(|path| path.with_file_name("agent-sessions.db"))
        .find(|store| fs::symlink_metadata(store).is_ok())
}

/// What is wrong with a path, before it is said of which.
pub(crate) enum Trouble {
    Missing,
    NotAFile(&'static str),
    TooLarge(u64),
    Io(io::Error),
}

impl Trouble {
    fn at(self, path: String) -> ReadError {
        match self {
            Self::Missing => ReadError::Missing { path },
            Self::NotAFile(kind) => ReadError::NotAFile { path, kind },
            Self::TooLarge(size) => ReadError::TooLarge { path, size },
            Self::Io(source) => ReadError::Unreadable { path, source },
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::Missing,
            _ => Self::Io(error),
        }
    }
}

/// The bytes of a regular file. Neither a pipe nor a device is opened, and no pipe that takes the file's place
/// meanwhile is waited for.
pub(crate) fn bytes(path: &Path) -> Result<(Vec<u8>, fs::Metadata), Trouble> {
    regular(fs::metadata(path)?.file_type())?;
    let file = open(path)?;
    let metadata = file.metadata()?;
    regular(metadata.file_type())?;
    if metadata.len() > LARGEST {
        return Err(Trouble::TooLarge(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    // It can grow while it is read.
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Trouble::TooLarge(bytes.len() as u64));
    }
    Ok((bytes, metadata))
}

fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

fn regular(kind: FileType) -> Result<(), Trouble> {
    what_else(kind).map_or(Ok(()), |kind| Err(Trouble::NotAFile(kind)))
}

/// What something is if it is no regular file.
pub(crate) fn what_else(kind: FileType) -> Option<&'static str> {
    Some(match kind {
        kind if kind.is_file() => return None,
        kind if kind.is_dir() => "a folder",
        kind if kind.is_symlink() => "a symbolic link",
        kind if kind.is_fifo() => "a named pipe",
        kind if kind.is_socket() => "a socket",
        _ => "a device",
    })
}

#[cfg(test)]
mod tests;
