//! Which process holds which file, as the kernel tells it.
//!
//! No lock is ever tried: a probe that succeeds can make an agent's own start fail.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::window::{Unreadable, all_of_proc};
use crate::core::ids::Pid;

/// How many open files of one process are looked at.
const MOST_FILES: usize = 16 * 1024;

/// A file as `/proc/locks` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileKey {
    /// The device's major number.
    pub major: u32,
    /// The device's minor number.
    pub minor: u32,
    /// The inode.
    pub inode: u64,
}

/// All exclusive `flock(2)` locks that this pid namespace can see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locks {
    files: BTreeMap<Pid, Vec<FileKey>>,
}

impl Locks {
    /// Reads the kernel's table.
    ///
    /// # Errors
    /// If there is none (macOS), or it may not be read.
    pub fn read() -> Result<Self, Unreadable> {
        Ok(Self::parse(&all_of_proc(Path::new("/proc/locks"))?))
    }

    /// Reads the table's text: `N: FLOCK  ADVISORY  WRITE <pid> <major>:<minor>:<inode> 0 EOF`, device numbers in
    /// hex. A line with an arrow is somebody who waits. What does not look so is left out.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut locks = Self::default();
        for line in text.split(|&byte| byte == b'\n') {
            if let Some((pid, file)) = exclusive_lock(line) {
                locks.files.entry(pid).or_default().push(file);
            }
        }
        locks
    }

    /// The files that a process holds.
    #[must_use]
    pub fn held_by(&self, pid: Pid) -> &[FileKey] {
        self.files.get(&pid).map_or(&[], Vec::as_slice)
    }

    /// All files that anybody holds.
    pub fn held(&self) -> impl Iterator<Item = FileKey> + '_ {
        self.files.values().flatten().copied()
    }

    /// All files that anybody but this process holds.
    pub fn held_by_others(&self, pid: Pid) -> impl Iterator<Item = FileKey> + '_ {
        let others = self.files.iter().filter(move |(holder, _)| **holder != pid);
        others.flat_map(|(_, files)| files).copied()
    }
}

/// What a process has open, by the paths the kernel knows.
///
/// # Errors
/// If the process is gone or belongs to somebody else.
pub fn open_files(pid: Pid) -> Result<Vec<PathBuf>, Unreadable> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(format!("/proc/{pid}/fd"))? {
        if files.len() == MOST_FILES {
            return Err(io::Error::other("it has too many files open to look at all").into());
        }
        // A descriptor that was closed meanwhile is no longer open.
        if let Ok(target) = std::fs::read_link(entry?.path()) {
            files.push(target);
        }
    }
    Ok(files)
}

fn exclusive_lock(line: &[u8]) -> Option<(Pid, FileKey)> {
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace().skip(1);
    if words.next()? != "FLOCK" {
        return None;
    }
    let (_advisory, kind, pid, file) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if kind != "WRITE" {
        return None;
    }
    let mut parts = file.splitn(3, ':');
    let key = FileKey {
        major: u32::from_str_radix(parts.next()?, 16).ok()?,
        minor: u32::from_str_radix(parts.next()?, 16).ok()?,
        inode: parts.next()?.parse().ok()?,
    };
    Some((pid.parse().ok()?, key))
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn holders_are_read_and_those_who_wait_are_not() {
        let text = b"1: FLOCK  ADVISORY  WRITE 4711 fe:01:130817 0 EOF\n\
            1: -> FLOCK  ADVISORY  WRITE 4712 fe:01:130817 0 EOF\n\
            2: POSIX  ADVISORY  WRITE 4713 fe:01:9 0 EOF\n\
            3: FLOCK  ADVISORY  READ  4714 fe:01:10 0 EOF\n\
            4: OFDLCK ADVISORY  WRITE -1 00:2a:11 0 EOF\n\
            5: FLOCK  ADVISORY  WRITE 4711 103:ff:18446744073709551615 0 EOF\n";
        let locks = Locks::parse(text);
        let key = |major, minor, inode| FileKey {
            major,
            minor,
            inode,
        };
        assert_eq!(
            locks.held_by(4711),
            [key(0xfe, 1, 130_817), key(0x103, 0xff, u64::MAX)]
        );
        for pid in [4712, 4713, 4714, 1] {
            assert_eq!(locks.held_by(pid), [], "{pid}");
        }
        assert_eq!(locks.held().count(), 2);
        assert_eq!(locks.held_by_others(4711).count(), 0);
        assert_eq!(locks.held_by_others(1).count(), 2);
    }

    #[test]
    fn lines_that_are_no_locks_are_left_out() {
        for line in [
            &b""[..],
            b"1: FLOCK",
            b"1: FLOCK ADVISORY WRITE x fe:01:1 0 EOF",
            b"1: FLOCK ADVISORY WRITE 1 fe:01 0 EOF",
            b"1: FLOCK ADVISORY WRITE 1 fe:01:<none> 0 EOF",
            b"\xff\xfe: FLOCK ADVISORY WRITE 1 fe:01:1 0 EOF",
        ] {
            assert_eq!(Locks::parse(line), Locks::default());
        }
    }

    #[test]
    fn a_lock_held_here_is_in_the_kernels_table() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.lock");
        let file = File::create(&path).expect("a file");
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).expect("a lock");

        let found = file.metadata().expect("its facts");
        let held = Locks::read().expect("a table");
        let own = held.held_by(std::process::id());
        assert!(own.iter().any(|key| key.inode == found.ino()), "{own:?}");
        let open = open_files(std::process::id()).expect("own files");
        assert!(open.contains(&path), "{open:?}");
    }

    #[test]
    fn the_files_of_a_process_that_is_gone_cannot_be_listed() {
        assert!(matches!(open_files(Pid::MAX), Err(Unreadable::Missing)));
    }
}
