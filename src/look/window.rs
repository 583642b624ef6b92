//! Bounded looks into files that belong to somebody else: the first lines of a file, or all of a small one.
//!
//! Whatever lies at the path, a look ends at once and costs no more than [`HEAD`] bytes (or the limit it was
//! given): FIFOs, devices and folders are never opened, and a file that grows, shrinks or vanishes meanwhile
//! gives what was there.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::core::ids::Timestamp;

/// How much of a file's beginning is ever read, in bytes. Claude Code's own listing reads as much.
pub const HEAD: usize = 64 * 1024;

/// How much of it is read first, in bytes: enough for the first records of nearly every transcript.
const FIRST: usize = 8 * 1024;

/// How much a file below `/proc` may hold, in bytes. The largest are environments, which the kernel bounds.
const PROC: usize = 8 * 1024 * 1024;

/// Why a file could not be looked into.
#[derive(Debug)]
pub enum Unreadable {
    /// There is nothing at this path.
    Missing,
    /// It is a folder, a FIFO, a socket or a device.
    NotAFile,
    /// It is larger than this many bytes, which is more than such a file has.
    TooLarge(usize),
    /// The system refused.
    Failed(io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            // What `/proc` says of a process that ended while it was being read.
            _ if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Self::Missing,
            _ => Self::Failed(error),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is not there"),
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::TooLarge(most) => write!(f, "it is larger than {most} bytes"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// What is known of a regular file without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Its size in bytes.
    pub size: u64,
    /// When it last changed.
    pub modified: Timestamp,
    /// When it was made, where the file system keeps that.
    pub born: Option<Timestamp>,
}

/// Looks at a regular file from outside. Symbolic links are followed.
///
/// # Errors
/// If there is no regular file at the path, or it cannot be told.
pub fn outside(path: &Path) -> Result<Outside, Unreadable> {
    let found = regular(path)?;
    Ok(Outside {
        size: found.len(),
        modified: timestamp(found.modified()?),
        born: found.created().ok().map(timestamp),
    })
}

/// Hands the complete lines of a file's first [`HEAD`] bytes, without their line feeds, to `each`, until it
/// breaks. A last line without a line feed counts as complete where the file ends with it.
///
/// # Errors
/// If there is no regular file at the path, or it cannot be read.
pub fn head_lines(
    path: &Path,
    each: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), Unreadable> {
    Ok(lines_of(&mut open(path)?.0, each)?)
}

/// The whole of a file that is small by nature.
///
/// # Errors
/// If there is no regular file at the path, it cannot be read, or it has more than `most` bytes.
pub fn whole(path: &Path, most: usize) -> Result<Vec<u8>, Unreadable> {
    let (mut file, found) = open(path)?;
    let size = usize::try_from(found.len()).unwrap_or(usize::MAX);
    if size > most {
        return Err(Unreadable::TooLarge(most));
    }
    // One byte more than it has: a read that leaves room in the buffer has met the end.
    let mut bytes = vec![0; size + 1];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
        if filled == bytes.len() && filled <= most {
            bytes.resize((filled * 2).min(most + 1), 0);
        }
    }
    if filled > most {
        return Err(Unreadable::TooLarge(most));
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The whole of a file below `/proc`, which has no size until it is read.
///
/// # Errors
/// If it is not there, may not be read, or goes on for more than [`PROC`] bytes.
pub fn all_of_proc(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let mut bytes = Vec::with_capacity(FIRST);
    File::open(path)?
        .take(PROC as u64 + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() > PROC {
        return Err(Unreadable::TooLarge(PROC));
    }
    Ok(bytes)
}

fn lines_of(
    from: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(FIRST);
    let mut done = 0;
    for goal in [FIRST, HEAD] {
        let wanted = goal - bytes.len();
        let got = from.by_ref().take(wanted as u64).read_to_end(&mut bytes)?;
        while let Some(length) = memchr::memchr(b'\n', &bytes[done..]) {
            let line = &bytes[done..done + length];
            done += length + 1;
            if each(line).is_break() {
                return Ok(());
            }
        }
        if got < wanted {
            if done < bytes.len() {
                let _last = each(&bytes[done..]);
            }
            return Ok(());
        }
    }
    Ok(())
}

/// Opens a regular file, and nothing else. It is looked at first, since opening a FIFO would wake the process
/// that waits at its other end, and looked at again, since it may have been replaced in between.
fn open(path: &Path) -> Result<(File, Metadata), Unreadable> {
    regular(path)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?;
    let file = File::from(opened);
    let found = file.metadata()?;
    if found.is_file() {
        Ok((file, found))
    } else {
        Err(Unreadable::NotAFile)
    }
}

fn regular(path: &Path) -> Result<Metadata, Unreadable> {
    let found = std::fs::metadata(path)?;
    if found.is_file() {
        Ok(found)
    } else {
        Err(Unreadable::NotAFile)
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let millis = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
        }
    };
    Timestamp::from_millis(millis)
}
