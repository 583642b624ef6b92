//! Every agent process on the machine that works in one of some folders, or may do so.
//!
//! It takes a look at every process there is, so it is made only when a conversation has to be inferred.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::kind::{kind_of, may_be_launcher};
use super::life::life;
use crate::core::ids::{AgentKind, Pid, ProcessId};
use crate::look::window::{Unreadable, all_of_proc};

/// A folder, whatever path leads to it.
pub(super) type Place = (u64, u64);

/// An agent that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// The process.
    pub(super) process: ProcessId,
    /// Which agent it is; `None` where another user's process could not be asked.
    pub(super) kind: Option<AgentKind>,
    /// The user it runs as, if that can be told.
    pub(super) user: Option<u32>,
    /// Its working folder, if it can be told.
    pub(super) place: Option<Place>,
    parent: Pid,
    may_be_launcher: bool,
}

/// The folder that a path leads to.
pub(super) fn place(path: &Path) -> Option<Place> {
    path.metadata().ok().map(|found| (found.dev(), found.ino()))
}

/// Counts the agents that work in these folders, and those of which that cannot be told.
///
/// # Errors
/// If the processes cannot be listed.
pub(super) fn take(folders: &BTreeSet<Place>) -> Result<Vec<Counted>, String> {
    let mut found = Vec::new();
    let own = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))? {
        let entry = entry.map_err(|error| format!("/proc: {error}"))?;
        let name = entry.file_name();
        if let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) {
            found.extend(agent(pid, own, folders)?);
        }
    }
    Ok(without_launchers(found))
}

/// An agent's process, if it is one and may work there. One that ends meanwhile is none.
fn agent(pid: Pid, own: u32, folders: &BTreeSet<Place>) -> Result<Option<Counted>, String> {
    // Most processes work elsewhere, and this is the cheapest question of all.
    let place = place(Path::new(&format!("/proc/{pid}/cwd")));
    if place.is_some_and(|place| !folders.contains(&place)) {
        return Ok(None);
    }
    // The folder of a process belongs to the user it runs as, whatever else of it can be read.
    let user = || {
        let folder = Path::new("/proc").join(pid.to_string());
        folder.metadata().ok().map(|found| found.uid())
    };
    let is_anothers = || user().is_some_and(|user| user != own);
    let cmdline = match all_of_proc(Path::new(&format!("/proc/{pid}/cmdline"))) {
        Ok(cmdline) if cmdline.is_empty() => return Ok(None),
        Ok(cmdline) => cmdline,
        Err(Unreadable::Missing) => return Ok(None),
        Err(_) if is_anothers() => return Ok(Some(unread(pid, user()))),
        Err(error) => return Err(format!("/proc/{pid}/cmdline: {error}")),
    };
    let life = match life(pid) {
        Ok(life) => life,
        Err(Unreadable::Missing) => return Ok(None),
        Err(_) if is_anothers() => return Ok(Some(unread(pid, user()))),
        Err(error) => return Err(format!("/proc/{pid}/stat: {error}")),
    };
    let Some(kind) = kind_of(&cmdline, &life.comm) else {
        return Ok(None);
    };
    Ok(Some(Counted {
        process: ProcessId {
            pid,
            start: life.start,
        },
        kind: Some(kind),
        user: user(),
        place,
        parent: life.parent,
        may_be_launcher: may_be_launcher(&cmdline),
    }))
}

/// A process of another user of which nothing can be read: it may be anything.
const fn unread(pid: Pid, user: Option<u32>) -> Counted {
    Counted {
        process: ProcessId { pid, start: 0 },
        kind: None,
        user,
        place: None,
        parent: 0,
        may_be_launcher: false,
    }
}

/// Leaves out the scripts that only started another of them and wait for it.
fn without_launchers(found: Vec<Counted>) -> Vec<Counted> {
    let started: BTreeSet<(Pid, Option<AgentKind>)> =
        found.iter().map(|it| (it.parent, it.kind)).collect();
    found
        .into_iter()
        .filter(|it| !(it.may_be_launcher && started.contains(&(it.process.pid, it.kind))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(pid: Pid, parent: Pid, may_be_launcher: bool) -> Counted {
        Counted {
            process: ProcessId { pid, start: 1 },
            kind: Some(AgentKind::Claude),
            user: None,
            place: None,
            parent,
            may_be_launcher,
        }
    }

    #[test]
    fn a_launcher_is_left_out_and_an_agent_with_a_nested_one_is_not() {
        let launcher = counted(2, 1, true);
        let launched = counted(3, 2, false);
        let nested = counted(4, 3, false);
        let alone = counted(5, 1, true);
        let found = vec![launcher, launched.clone(), nested.clone(), alone.clone()];
        assert_eq!(without_launchers(found), [launched, nested, alone]);
    }
}
