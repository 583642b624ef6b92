//! What the system says of one process that may be an agent: which life of its pid it is, what environment it
//! was born into, and whether paths and pids mean the same to it as to headcount.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use crate::core::ids::{Pid, ProcessId, StartTicks};
use crate::look::window::{Unreadable, all_of_proc};

/// The unit of `starttime` in `/proc/<pid>/stat`: USER_HZ, which is 100 on every Linux that headcount runs on.
const TICKS_PER_SECOND: u64 = 100;

/// One life of a pid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    /// When it began.
    pub(super) start: StartTicks,
    /// The pid of its parent.
    pub(super) parent: Pid,
    /// The kernel's name for it.
    pub(super) comm: Vec<u8>,
}

/// The life that a pid has now. A zombie's is over.
pub(super) fn life(pid: Pid) -> Result<Life, Unreadable> {
    let stat = all_of_proc(Path::new(&format!("/proc/{pid}/stat")))?;
    parse_stat(&stat).ok_or(Unreadable::Missing)
}

/// Whether a process began so few seconds ago; `false` where the system does not tell.
pub(super) fn is_younger_than(process: ProcessId, seconds: u64) -> bool {
    ticks_since_boot()
        .and_then(|now| now.checked_sub(process.start))
        .is_some_and(|age| age < seconds * TICKS_PER_SECOND)
}

/// The named variables of the environment that a process was started with. The rest of it, which may hold
/// secrets, is let go at once.
pub(super) fn environment(
    pid: Pid,
    names: &[&'static str],
) -> Result<BTreeMap<&'static str, OsString>, Unreadable> {
    let environment = all_of_proc(Path::new(&format!("/proc/{pid}/environ")))?;
    Ok(named(&environment, names))
}

/// What pids and paths mean here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    /// The pid namespace.
    pub(super) pids: Option<PathBuf>,
    /// The mount namespace.
    pub(super) mounts: Option<PathBuf>,
}

impl View {
    /// Headcount's own.
    pub(super) fn own() -> Self {
        Self {
            pids: std::fs::read_link("/proc/self/ns/pid").ok(),
            mounts: std::fs::read_link("/proc/self/ns/mnt").ok(),
        }
    }

    /// Why pids or paths mean something else to a process, if they do or if that cannot be told.
    pub(super) fn differs(&self, pid: Pid) -> Option<String> {
        for (file, ours, what) in [
            ("ns/pid", self.pids.as_deref(), "pid namespace"),
            ("ns/mnt", self.mounts.as_deref(), "mount namespace"),
            ("root", Some(Path::new("/")), "root folder"),
        ] {
            match std::fs::read_link(format!("/proc/{pid}/{file}")) {
                Ok(theirs) if ours == Some(theirs.as_path()) => {}
                Ok(_) => return Some(format!("process {pid} has another {what}")),
                Err(error) => {
                    return Some(format!("/proc/{pid}/{file} cannot be read: {error}"));
                }
            }
        }
        None
    }
}

/// A path that does not depend on where headcount or an agent happens to work.
pub(super) fn absolute(path: impl AsRef<OsStr>) -> Option<PathBuf> {
    let path = PathBuf::from(path.as_ref());
    path.is_absolute().then_some(path)
}

/// Reads `<pid> (<name>) <state> <parent> …`; the name may hold anything, brackets and blanks included.
fn parse_stat(stat: &[u8]) -> Option<Life> {
    let name = memchr::memchr(b'(', stat)? + 1..memchr::memrchr(b')', stat)?;
    let text = std::str::from_utf8(stat.get(name.end + 1..)?).ok()?;
    let mut fields = text.split_ascii_whitespace();
    if matches!(fields.next()?, "Z" | "X" | "x") {
        return None;
    }
    let parent = fields.next()?.parse().ok()?;
    // `starttime` is field 22; the parent was field 4.
    let start = fields.nth(17)?.parse().ok()?;
    Some(Life {
        start,
        parent,
        comm: stat.get(name)?.to_vec(),
    })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn ticks_since_boot() -> Option<StartTicks> {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    let seconds = u64::try_from(spent.tv_sec).ok()?;
    let ticks = u64::try_from(spent.tv_nsec).ok()? / (1_000_000_000 / TICKS_PER_SECOND);
    seconds.checked_mul(TICKS_PER_SECOND)?.checked_add(ticks)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn ticks_since_boot() -> Option<StartTicks> {
    None
}

fn named(environment: &[u8], names: &[&'static str]) -> BTreeMap<&'static str, OsString> {
    let mut found = BTreeMap::new();
    let mut begin = 0;
    let ends = memchr::memchr_iter(0, environment).chain([environment.len()]);
    for end in ends {
        let variable = &environment[begin..end];
        begin = end + 1;
        // Most variables are nobody's: their first letter says so.
        let value_of = |name: &str| variable.strip_prefix(name.as_bytes())?.strip_prefix(b"=");
        let wanted = names.iter().find_map(|&name| Some((name, value_of(name)?)));
        if let Some((name, value)) = wanted {
            // Of two of one name, programs get the first.
            found
                .entry(name)
                .or_insert_with(|| OsString::from_vec(value.to_vec()));
        }
    }
    found
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests {
    use super::super::stand_in::StandIn;
    use super::*;

    fn own() -> ProcessId {
        let pid = std::process::id();
        let start = life(pid).expect("this process lives").start;
        ProcessId { pid, start }
    }

    #[test]
    fn a_name_with_brackets_hides_nothing() {
        let stat = b"7 (a) b ) Z) S 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 139564 9 9";
        let life = parse_stat(stat);
        let expected = Life {
            start: 139_564,
            parent: 3,
            comm: b"a) b ) Z".to_vec(),
        };
        assert_eq!(life, Some(expected));
    }

    #[test]
    fn a_zombie_has_no_life() {
        let stat = b"7 (claude) Z 3 7 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 139564 9 9";
        assert_eq!(parse_stat(stat), None);
    }

    #[test]
    fn odd_texts_are_no_lives() {
        for stat in [
            &b""[..],
            b"7 (x",
            b"7 (x) S 3",
            b"7 (x) S y 1",
            b"\xff\xff)",
        ] {
            assert_eq!(parse_stat(stat), None);
        }
    }

    #[test]
    fn only_named_variables_are_kept_and_the_first_of_a_name_counts() {
        let found = named(
            b"HOME=/h\0SECRET=x\0HOMER=/o\0HOME=/other\0odd\0=\0A=1=2\0",
            &["HOME", "A"],
        );
        let expected = [("HOME", OsString::from("/h")), ("A", OsString::from("1=2"))];
        assert_eq!(found, BTreeMap::from(expected));
    }

    #[test]
    fn the_environment_of_a_process_can_be_read_as_long_as_it_lives() {
        let child = StandIn::start("x", Path::new("/"), &[("HOME", "/a/home")]);
        let pid = child.process.pid;
        let found = environment(pid, &["HOME"]).expect("an environment");
        assert_eq!(found["HOME"], "/a/home");

        drop(child);
        assert!(matches!(
            environment(pid, &["HOME"]),
            Err(Unreadable::Missing)
        ));
    }

    #[test]
    fn this_process_lives_here_and_is_itself() {
        assert_eq!(View::own().differs(std::process::id()), None);
        assert!(is_younger_than(own(), 24 * 3600));
        assert!(!is_younger_than(own(), 0));
    }

    #[test]
    fn a_process_that_seems_to_begin_in_the_future_is_not_young() {
        let later = ProcessId {
            pid: 1,
            start: StartTicks::MAX,
        };
        assert!(!is_younger_than(later, 5));
    }

    #[test]
    fn a_process_that_is_gone_or_elsewhere_is_said_to_see_another_world() {
        assert!(View::own().differs(Pid::MAX).is_some());
        let elsewhere = View {
            mounts: Some(PathBuf::from("mnt:[1]")),
            ..View::own()
        };
        assert!(elsewhere.differs(std::process::id()).is_some());
        assert!(View::default().differs(std::process::id()).is_some());
    }
}
