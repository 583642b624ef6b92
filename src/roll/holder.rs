//! Which process holds a lock, or has a file open for writing.

use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, DirEntry};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use crate::core::ids::Pid;

/// A process that holds a lock, or writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its pid.
    pub pid: Pid,
    /// Its name, if it can be seen.
    pub program: Option<String>,
}

impl Holder {
    fn seen(pid: Pid) -> Self {
        let name = fs::read_to_string(format!("/proc/{pid}/comm"));
        let program = name.ok().map(|name| name.trim_end().to_owned());
        Self { pid, program }
    }

    /// Whether it is a tmux server, which inherits the lock under which it was started.
    #[must_use]
    pub fn is_tmux_server(&self) -> bool {
        self.program.as_deref() == Some("tmux: server")
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.program {
            Some(program) => write!(f, "`{program}` (pid {})", self.pid),
            None => write!(f, "the process with pid {}", self.pid),
        }
    }
}

/// The process that holds the lock on a file. A lock outlives the process that took it in whoever inherited the
/// open file, so the open files are asked first; the kernel's list of locks names the taker only.
pub(super) fn of(path: &Path) -> Option<Holder> {
    let pid = by_open_files(path, is_locked).or_else(|| by_locks(path))?;
    Some(Holder::seen(pid))
}

/// Another process that has a file open for writing, so that what is in it may change at any moment. It is found
/// whatever name the file has by now, but not behind another machine, in the processes of another user who is not to be
/// seen, or where the system has no `/proc`.
pub(super) fn writer_of(path: &Path) -> Option<Holder> {
    by_open_files(path, is_for_writing).map(Holder::seen)
}

/// The first process with a file open that is at `path` and is `it`.
fn by_open_files(path: &Path, is_it: fn(Pid, &DirEntry) -> bool) -> Option<Pid> {
    let path = fs::canonicalize(path).ok()?;
    let found = fs::metadata(&path).ok()?;
    let wanted = (path.file_name()?, found.dev(), found.ino());
    let pids = fs::read_dir("/proc").ok()?;
    pids.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(|pid| has_open(*pid, wanted, is_it))
}

/// Whether a process has the file of that name, device and inode open. Its folder may have another path there.
fn has_open(pid: Pid, wanted: (&OsStr, u64, u64), is_it: fn(Pid, &DirEntry) -> bool) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    let (name, device, inode) = wanted;
    files.flatten().any(|file| {
        let link = file.path();
        // Only what has the name is asked for more: another's file may be on a disk that does not answer.
        fs::read_link(&link).is_ok_and(|target| target.file_name() == Some(name))
            && fs::metadata(&link).is_ok_and(|it| (it.dev(), it.ino()) == (device, inode))
            && is_it(pid, &file)
    })
}

fn is_locked(pid: Pid, file: &DirEntry) -> bool {
    let number = file.file_name();
    let info = format!("/proc/{pid}/fdinfo/{}", number.to_string_lossy());
    fs::read_to_string(info).is_ok_and(|info| info.contains("lock:"))
}

/// The kernel shows by the rights on its link what a file was opened for.
fn is_for_writing(pid: Pid, file: &DirEntry) -> bool {
    const WRITE: u32 = 0o200;
    let link = file.path().symlink_metadata();
    pid != std::process::id() && link.is_ok_and(|link| link.permissions().mode() & WRITE != 0)
}

fn by_locks(path: &Path) -> Option<Pid> {
    let inode = fs::metadata(path).ok()?.ino().to_string();
    let locks = fs::read_to_string("/proc/locks").ok()?;
    locks.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "FLOCK");
        let pid = words.nth(3)?.parse().ok().filter(|pid| *pid > 0)?;
        (words.next()?.rsplit(':').next()? == inode).then_some(pid)
    })
}
