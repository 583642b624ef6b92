//! The ends of processes. The only file that opens pidfds: a pidfd is of one process for ever, and the kernel
//! says at once when that one ends.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{PidfdFlags, Resource, Rlimit, getrlimit, pidfd_open, setrlimit};
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::readable::readable;
use crate::core::ids::{Pid, StartTicks};
use crate::core::sighting::Sighting;
use crate::look::process::Processes;
use crate::run::wake::{Wake, Waker};

/// How many open files are left to the passes: tmux's pipes, the roll, the agents' files.
const LEFT_TO_PASSES: u64 = 64;

/// How many open files are enough for any machine.
const ENOUGH: u64 = 1 << 16;

/// Follows processes until they end.
pub(in crate::run) struct Exits {
    waker: Waker,
    /// Those followed, and those whose end is known already.
    followed: BTreeMap<(Pid, StartTicks), Option<Listening>>,
    told: bool,
}

/// A task that waits for one end; it is stopped when this is dropped.
struct Listening(JoinHandle<()>);

impl Drop for Listening {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Exits {
    pub(in crate::run) fn new(waker: Waker) -> Self {
        raise();
        Self {
            waker,
            followed: BTreeMap::new(),
            told: false,
        }
    }

    /// Follows these from now on, the first ones first, and no others.
    pub(in crate::run) fn follow(&mut self, wanted: &[(Pid, Option<StartTicks>)]) {
        let most = usize::try_from(most()).unwrap_or(usize::MAX);
        let known: BTreeMap<Pid, StartTicks> = self.followed.keys().copied().collect();
        let mut kept = BTreeSet::new();
        let mut new = BTreeSet::new();
        for &(pid, start) in wanted {
            match known.get(&pid) {
                Some(&known) if start.is_none_or(|start| start == known) => {
                    kept.insert((pid, known));
                }
                _ => {
                    new.insert((pid, start));
                }
            }
        }
        // A pid that is wanted twice, once with its start, is one process.
        new.retain(|&(pid, start)| {
            start.is_some()
                || !wanted
                    .iter()
                    .any(|other| other.0 == pid && other.1.is_some())
        });
        self.followed.retain(|process, _| kept.contains(process));
        let processes = Processes::open();
        let mut without = 0;
        for &(pid, start) in wanted {
            if !new.remove(&(pid, start)) {
                continue;
            }
            let open = self.followed.values().flatten().count();
            if open >= most || self.begin(&processes, pid, start).is_err() {
                without += 1;
            }
        }
        if without > 0 && !self.told {
            self.told = true;
            warn!(
                "{without} processes are more than this program may have open files for: that they end is noticed by the timer only (`ulimit -Hn` tells the limit)"
            );
        } else if without == 0 {
            self.told = false;
        }
        debug!(
            processes = self.followed.len(),
            without, "the ends of processes are listened for"
        );
    }

    /// Begins to follow one.
    fn begin(
        &mut self,
        processes: &Processes,
        pid: Pid,
        start: Option<StartTicks>,
    ) -> Result<(), Errno> {
        let opened = open(pid);
        // Only now: the pid can have become another process's, but what is open stays what it is.
        let stat = processes.stat(pid);
        let found = match &stat {
            Sighting::Present(stat) if !stat.is_zombie() => Some(stat.start),
            _ => None,
        };
        let is_the_one = found.is_some() && start.is_none_or(|start| Some(start) == found);
        let listening = match opened {
            Ok(file) if is_the_one => Some(listen(file, self.waker.clone())?),
            Ok(_) | Err(Errno::SRCH | Errno::INVAL) => {
                self.waker.wake(Wake::ProcessEnded);
                None
            }
            Err(error) => return Err(error),
        };
        let start = start.or(found).unwrap_or_default();
        self.followed.insert((pid, start), listening);
        Ok(())
    }
}

fn open(pid: Pid) -> Result<OwnedFd, Errno> {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    pidfd_open(pid.ok_or(Errno::SRCH)?, PidfdFlags::NONBLOCK)
}

fn listen(file: OwnedFd, waker: Waker) -> Result<Listening, Errno> {
    let file =
        readable(file).map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::MFILE))?;
    Ok(Listening(tokio::spawn(async move {
        let ended = file.readable().await.is_ok();
        drop(file);
        if ended {
            waker.wake(Wake::ProcessEnded);
        }
    })))
}

/// Asks for as many open files as the system lets anybody ask for; programs that cannot use so many are why it gives
/// fewer to those who do not.
fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(ENOUGH).min(ENOUGH);
    if limit.current.is_some_and(|current| current < most) {
        let raised = Rlimit {
            current: Some(most),
            ..limit
        };
        if let Err(error) = setrlimit(Resource::Nofile, raised) {
            debug!("no more open files are to be had: {error}");
        }
    }
}

/// How many processes may be followed.
fn most() -> u64 {
    let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    limit.saturating_sub(LEFT_TO_PASSES)
}
