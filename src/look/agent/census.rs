//! Every agent process on the machine that works in one of some folders, or may do so.
//!
//! It takes a look at every process there is, so it is made only when a conversation has to be inferred.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::kind::{kind_of, may_be_launcher};
use super::life::life;
use crate::core::ids::{AgentKind, Pid, ProcessId};
use crate::core::sighting::Sighting;
use crate::look::window::{Unreadable, all_of_proc};

/// A folder, whatever path leads to it.
pub(super) type Place = (u64, u64);

/// An agent that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    /// The process.
    pub(super) process: ProcessId,
    /// Which agent it is.
    pub(super) kind: AgentKind,
    /// Its working folder.
    pub(super) cwd: Sighting<String>,
    /// The same, if it can be told.
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
    for entry in std::fs::read_dir("/proc").map_err(|error| format!("/proc: {error}"))? {
        let entry = entry.map_err(|error| format!("/proc: {error}"))?;
        let name = entry.file_name();
        if let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) {
            found.extend(agent(pid, folders)?);
        }
    }
    Ok(without_launchers(found))
}

/// An agent's process, if it is one and may work there. One that ends meanwhile is none.
fn agent(pid: Pid, folders: &BTreeSet<Place>) -> Result<Option<Counted>, String> {
    let link = format!("/proc/{pid}/cwd");
    // Most processes work elsewhere, and this is the cheapest question of all.
    let place = place(Path::new(&link));
    if place.is_some_and(|place| !folders.contains(&place)) {
        return Ok(None);
    }
    let cmdline = match all_of_proc(Path::new(&format!("/proc/{pid}/cmdline"))) {
        Ok(cmdline) if cmdline.is_empty() => return Ok(None),
        Ok(cmdline) => cmdline,
        Err(Unreadable::Missing) => return Ok(None),
        Err(error) => return Err(format!("/proc/{pid}/cmdline: {error}")),
    };
    let life = match life(pid) {
        Ok(life) => life,
        Err(Unreadable::Missing) => return Ok(None),
        Err(error) => return Err(format!("/proc/{pid}/stat: {error}")),
    };
    let Some(kind) = kind_of(&cmdline, &life.comm) else {
        return Ok(None);
    };
    let cwd = std::fs::read_link(&link).map(|path| path.into_os_string().into_string());
    Ok(Some(Counted {
        process: ProcessId {
            pid,
            start: life.start,
        },
        kind,
        cwd: match cwd {
            Ok(Ok(path)) => Sighting::Present(path),
            Ok(Err(_)) => Sighting::unknown("its path is not UTF-8"),
            Err(error) => Sighting::unknown(error.to_string()),
        },
        place,
        parent: life.parent,
        may_be_launcher: may_be_launcher(&cmdline),
    }))
}

/// Leaves out the scripts that only started another of them and wait for it.
fn without_launchers(found: Vec<Counted>) -> Vec<Counted> {
    let started: BTreeSet<(Pid, AgentKind)> = found.iter().map(|it| (it.parent, it.kind)).collect();
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
            kind: AgentKind::Claude,
            cwd: Sighting::unknown("not looked at"),
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
