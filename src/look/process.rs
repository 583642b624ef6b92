//! The process table: what `/proc` says of one process, and of its relatives.
//!
//! A process that cannot be found is only then proven not to exist if this process may see all processes.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::window::{Unreadable, all_of_proc};
use crate::clock;
use crate::core::ids::{Pid, ProcessId, StartTicks, Timestamp};
use crate::core::sighting::{Reason, Sighting};
use crate::core::world::Ancestor;

/// Milliseconds in a tick of `/proc/<pid>/stat`: USER_HZ is 100 on every Linux that headcount runs on.
const TICK: i64 = 10;

/// More generations than any real process has, fewer than a loop of reused pids would make.
const GENERATIONS: usize = 256;

/// What `/proc/<pid>/stat` says of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Its name, cut to 15 bytes by the kernel.
    pub comm: Vec<u8>,
    /// `R`, `S`, … `Z`.
    pub state: u8,
    /// Its parent.
    pub parent: Pid,
    /// The foreground process group of its terminal.
    pub foreground: Option<Pid>,
    /// How many threads it has.
    pub threads: u32,
    /// When it began.
    pub start: StartTicks,
}

impl Stat {
    /// Whether it has ended and only waits to be reaped.
    #[must_use]
    pub const fn is_zombie(&self) -> bool {
        matches!(self.state, b'Z' | b'X' | b'x')
    }
}

/// What `/proc/<pid>/status` says of whose process it is, and of its pids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// The real user.
    pub uid: u32,
    /// Its pids, from this namespace inwards.
    pub pids: Vec<Pid>,
}

/// The process table as this process may see it.
#[derive(Debug)]
pub struct Processes {
    /// Why absence of a process proves nothing here, if so.
    hidden: Option<Reason>,
    booted_at: Option<Timestamp>,
    /// Children by parent, from one reading of all processes; only where the kernel does not list children.
    census: Option<BTreeMap<Pid, Vec<Pid>>>,
}

impl Processes {
    /// Gets ready to look.
    #[must_use]
    pub fn open() -> Self {
        let hidden = match fs::metadata("/proc/self/stat") {
            Err(error) => Some(Reason::new(format!("/proc cannot be read: {error}"))),
            // The first process of a namespace always exists.
            Ok(_) => fs::metadata("/proc/1").err().map(|error| {
                Reason::new(format!(
                    "/proc hides the processes of other users (hidepid?), and a session may live among them: /proc/1: {error}"
                ))
            }),
        };
        Self {
            hidden,
            booted_at: clock::booted_at(),
            census: None,
        }
    }

    /// Why the absence of a process proves nothing here, if so.
    #[must_use]
    pub const fn hidden(&self) -> Option<&Reason> {
        self.hidden.as_ref()
    }

    /// When a process began, by the wall clock as it is set now.
    #[must_use]
    pub fn started_at(&self, start: StartTicks) -> Option<Timestamp> {
        let ticks = i64::try_from(start).ok()?;
        self.booted_at.map(|boot| {
            Timestamp::from_millis(boot.millis().saturating_add(ticks.saturating_mul(TICK)))
        })
    }

    /// The vital facts of a process.
    #[must_use]
    pub fn stat(&self, pid: Pid) -> Sighting<Stat> {
        self.read(pid, "stat", parse_stat)
    }

    /// Whose it is, and what pids it has.
    #[must_use]
    pub fn status(&self, pid: Pid) -> Sighting<Status> {
        self.read(pid, "status", parse_status)
    }

    /// Its arguments, each followed by a NUL; empty for a zombie.
    #[must_use]
    pub fn cmdline(&self, pid: Pid) -> Sighting<Vec<u8>> {
        self.read(pid, "cmdline", |bytes| Some(bytes.to_vec()))
    }

    /// Its working folder.
    #[must_use]
    pub fn cwd(&self, pid: Pid) -> Sighting<String> {
        match fs::read_link(format!("/proc/{pid}/cwd")) {
            Ok(path) => folder(&path),
            Err(error) => self.failed(pid, "cwd", error.into()),
        }
    }

    /// The name of the foreground program of its terminal, as tmux tells it: the base name of `argv[0]` of
    /// the leader of the foreground process group.
    #[must_use]
    pub fn foreground(&self, pid: Pid, stat: &Stat) -> Sighting<String> {
        let leader = stat.foreground.unwrap_or(pid);
        match self.cmdline(leader) {
            Sighting::Present(cmdline) => {
                let program = cmdline.split(|&byte| byte == 0).next().unwrap_or_default();
                let name = program
                    .rsplit(|&byte| byte == b'/')
                    .next()
                    .unwrap_or_default();
                if name.is_empty() {
                    Sighting::unknown(format!("process {leader} has no command line"))
                } else {
                    Sighting::Present(String::from_utf8_lossy(name).into_owned())
                }
            }
            Sighting::Absent(_) => Sighting::unknown(format!("process {leader} ended meanwhile")),
            Sighting::Unknown(reason) => Sighting::Unknown(reason),
        }
    }

    /// Its children. `Absent`: the process is gone.
    #[must_use]
    pub fn children(&mut self, pid: Pid, stat: &Stat) -> Sighting<Vec<Pid>> {
        if let Some(census) = &self.census {
            return Sighting::Present(census.get(&pid).cloned().unwrap_or_default());
        }
        let listed = if stat.threads <= 1 {
            children_of_thread(&PathBuf::from(format!("/proc/{pid}/task/{pid}/children")))
        } else {
            children_of_threads(&PathBuf::from(format!("/proc/{pid}/task")))
        };
        match listed {
            Ok(children) => Sighting::Present(children),
            Err(Unreadable::Missing) if Path::new(&format!("/proc/{pid}/stat")).exists() => {
                // This kernel does not list children: count everybody once instead.
                match self.count_everybody() {
                    Ok(census) => {
                        let children = census.get(&pid).cloned().unwrap_or_default();
                        self.census = Some(census);
                        Sighting::Present(children)
                    }
                    Err(error) => Sighting::unknown(format!("/proc cannot be listed: {error}")),
                }
            }
            Err(error) => self.failed(pid, "children", error),
        }
    }

    /// Its ancestors, nearest first, up to the first process of the namespace.
    #[must_use]
    pub fn ancestors(&self, stat: &Stat) -> Sighting<Vec<Ancestor>> {
        let mut line = Vec::new();
        let mut parent = stat.parent;
        // A parent of 0 is the kernel, or outside of this namespace.
        while parent != 0 {
            match self.stat(parent) {
                Sighting::Present(stat) => {
                    line.push(Ancestor {
                        pid: parent,
                        tmux_server: stat.comm.starts_with(b"tmux"),
                    });
                    parent = stat.parent;
                }
                Sighting::Absent(_) => {
                    return Sighting::unknown(format!("its ancestor {parent} ended meanwhile"));
                }
                Sighting::Unknown(reason) => return Sighting::Unknown(reason),
            }
            if line.len() > GENERATIONS {
                return Sighting::unknown("its ancestors have no end");
            }
        }
        Sighting::Present(line)
    }

    /// The pids of all processes that can be seen.
    ///
    /// # Errors
    ///
    /// If `/proc` cannot be listed.
    pub fn all(&self) -> io::Result<Vec<Pid>> {
        let mut pids = Vec::new();
        for entry in fs::read_dir("/proc")? {
            if let Some(pid) = entry?
                .file_name()
                .to_str()
                .and_then(|name| name.parse().ok())
            {
                pids.push(pid);
            }
        }
        Ok(pids)
    }

    fn count_everybody(&self) -> io::Result<BTreeMap<Pid, Vec<Pid>>> {
        let mut census: BTreeMap<Pid, Vec<Pid>> = BTreeMap::new();
        for pid in self.all()? {
            if let Sighting::Present(stat) = self.stat(pid) {
                census.entry(stat.parent).or_default().push(pid);
            }
        }
        Ok(census)
    }

    fn read<T>(&self, pid: Pid, file: &str, parse: impl FnOnce(&[u8]) -> Option<T>) -> Sighting<T> {
        match all_of_proc(Path::new(&format!("/proc/{pid}/{file}"))) {
            Ok(bytes) => parse(&bytes).map_or_else(
                || Sighting::unknown(format!("/proc/{pid}/{file} is not what it should be")),
                Sighting::Present,
            ),
            Err(error) => self.failed(pid, file, error),
        }
    }

    fn failed<T>(&self, pid: Pid, file: &str, error: Unreadable) -> Sighting<T> {
        match (error, &self.hidden) {
            (Unreadable::Missing, None) => Sighting::absent(format!("there is no process {pid}")),
            (Unreadable::Missing, Some(hidden)) => Sighting::Unknown(hidden.clone()),
            (error, _) => Sighting::unknown(format!("/proc/{pid}/{file} cannot be read: {error}")),
        }
    }
}

/// One process, with what the kernel says of its life.
#[must_use]
pub const fn identity(pid: Pid, stat: &Stat) -> ProcessId {
    ProcessId {
        pid,
        start: stat.start,
    }
}

/// A folder as a text; one that was deleted, or that is no text, cannot be named.
fn folder(path: &Path) -> Sighting<String> {
    match path.to_str() {
        Some(text) if text.ends_with(" (deleted)") && !path.exists() => {
            Sighting::absent(format!("its folder was deleted: {text}"))
        }
        Some(text) => Sighting::Present(text.to_owned()),
        None => Sighting::unknown("its folder's name is not UTF-8"),
    }
}

fn children_of_thread(list: &Path) -> Result<Vec<Pid>, Unreadable> {
    let bytes = all_of_proc(list)?;
    Ok(bytes
        .split(u8::is_ascii_whitespace)
        .filter_map(|number| std::str::from_utf8(number).ok()?.parse().ok())
        .collect())
}

/// A child belongs to the thread that made it.
fn children_of_threads(tasks: &Path) -> Result<Vec<Pid>, Unreadable> {
    let mut children = Vec::new();
    for task in fs::read_dir(tasks).map_err(Unreadable::from)? {
        let list = task.map_err(Unreadable::from)?.path().join("children");
        match children_of_thread(&list) {
            Ok(more) => children.extend(more),
            // A thread that ended meanwhile has handed its children on; the next look finds them.
            Err(Unreadable::Missing) if list.parent().is_some_and(|thread| !thread.exists()) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(children)
}

/// Reads `<pid> (<name>) <state> <parent> …`; the name may hold anything, brackets and blanks included.
fn parse_stat(bytes: &[u8]) -> Option<Stat> {
    let open = memchr::memchr(b'(', bytes)?;
    let close = memchr::memrchr(b')', bytes)?;
    let comm = bytes.get(open + 1..close)?.to_vec();
    let rest = std::str::from_utf8(bytes.get(close + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    // Counted from 1, the state is field 3 of the file; each step goes on behind the one before it.
    Some(Stat {
        comm,
        state: *fields.next()?.as_bytes().first()?,
        parent: fields.next()?.parse().ok()?,
        // Field 8.
        foreground: fields.nth(3)?.parse().ok(),
        // Field 20.
        threads: fields.nth(11)?.parse().ok()?,
        // Field 22.
        start: fields.nth(1)?.parse().ok()?,
    })
}

fn parse_status(bytes: &[u8]) -> Option<Status> {
    let text = String::from_utf8_lossy(bytes);
    let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let pids = line("NSpid:").map_or_else(Vec::new, |list| {
        list.split_ascii_whitespace()
            .filter_map(|pid| pid.parse().ok())
            .collect()
    });
    Some(Status {
        uid: line("Uid:")?
            .split_ascii_whitespace()
            .next()?
            .parse()
            .ok()?,
        pids,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_and_blanks_hides_nothing() {
        let stat =
            parse_stat(b"7 (a) b ) Z) S 3 7 7 34816 9 4194560 1 2 3 4 5 6 7 8 20 0 4 0 139564 9 9");
        let expected = Stat {
            comm: b"a) b ) Z".to_vec(),
            state: b'S',
            parent: 3,
            foreground: Some(9),
            threads: 4,
            start: 139_564,
        };
        assert_eq!(stat, Some(expected));
    }

    #[test]
    fn a_process_without_a_terminal_has_no_foreground() {
        let stat = parse_stat(b"7 (x) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 139564 9 9");
        assert_eq!(stat.map(|stat| stat.foreground), Some(None));
    }

    #[test]
    fn cut_off_anywhere_it_is_no_process() {
        let whole = b"7 (x) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 139564";
        for end in 0..whole.len() - 6 {
            assert_eq!(parse_stat(&whole[..end]), None, "{end}");
        }
    }

    #[test]
    fn the_pids_of_a_container_are_read_from_outside_in() {
        let status = parse_status(b"Name:\tx\nUid:\t1000\t1000\t1000\t1000\nNSpid:\t4711\t42\n");
        let expected = Status {
            uid: 1000,
            pids: vec![4711, 42],
        };
        assert_eq!(status, Some(expected));
    }

    #[test]
    fn this_process_is_below_its_parent() {
        let mut processes = Processes::open();
        let pid = std::process::id();
        let Sighting::Present(stat) = processes.stat(pid) else {
            panic!("this process can see itself");
        };
        let Sighting::Present(parent) = processes.stat(stat.parent) else {
            panic!("this process can see its parent");
        };
        let Sighting::Present(children) = processes.children(stat.parent, &parent) else {
            panic!("children can be listed");
        };
        assert!(children.contains(&pid));
        let Sighting::Present(line) = processes.ancestors(&stat) else {
            panic!("ancestors can be listed");
        };
        assert_eq!(line[0].pid, stat.parent);
    }

    #[test]
    fn a_pid_that_nobody_has_is_absent() {
        let processes = Processes::open();
        assert!(processes.stat(4_194_305).is_absent());
    }
}
