//! Who holds a lock, for the error that says that somebody does.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use crate::core::ids::Pid;

/// A process that holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its pid.
    pub pid: Pid,
    /// Its name, if it can be seen.
    pub program: Option<String>,
}

impl Holder {
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
    let pid = by_open_files(path).or_else(|| by_locks(path))?;
    let program = fs::read_to_string(format!("/proc/{pid}/comm"))
        .ok()
        .map(|name| name.trim_end().to_owned());
    Some(Holder { pid, program })
}

fn by_open_files(path: &Path) -> Option<Pid> {
    let path = fs::canonicalize(path).ok()?;
    let pids = fs::read_dir("/proc").ok()?;
    pids.flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .find(|pid| holds(*pid, &path))
}

fn holds(pid: Pid, path: &Path) -> bool {
    let Ok(files) = fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    files.flatten().any(|file| {
        let locked = || {
            let number = file.file_name();
            let info = format!("/proc/{pid}/fdinfo/{}", number.to_string_lossy());
            fs::read_to_string(info).is_ok_and(|info| info.contains("lock:"))
        };
        fs::read_link(file.path()).is_ok_and(|target| target == path) && locked()
    })
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
