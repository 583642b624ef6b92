//! The processes that rows and the ledger recorded: which answer to a pid, here or in a container's numbering.

use std::collections::{BTreeMap, BTreeSet};

use super::process::{Processes, Stat, identity};
use crate::core::ids::Pid;
use crate::core::sighting::Sighting;
use crate::core::world::ProcessSight;

/// Looks for the processes that answer to these pids.
#[must_use]
pub(super) fn processes(
    table: &Processes,
    asked: &BTreeSet<Pid>,
    uid: u32,
) -> BTreeMap<Pid, Sighting<Vec<ProcessSight>>> {
    let mut found: BTreeMap<Pid, Sighting<Vec<ProcessSight>>> = asked
        .iter()
        .map(|&pid| (pid, here(table, pid, uid)))
        .collect();
    // A pid that means nothing here may be one of a container's: the row may have been written there.
    let missing: BTreeSet<Pid> = found
        .iter()
        .filter(|(_, sight)| may_be_elsewhere(sight))
        .map(|(&pid, _)| pid)
        .collect();
    if !missing.is_empty() {
        in_containers(table, &missing, uid, &mut found);
    }
    found
}

/// Whether what has the pid here may not be what was recorded: where it is another user's, a container may have it too.
fn may_be_elsewhere(sight: &Sighting<Vec<ProcessSight>>) -> bool {
    match sight {
        Sighting::Absent(_) => true,
        Sighting::Present(all) => all.iter().all(|process| process.zombie || !process.own_uid),
        Sighting::Unknown(_) => false,
    }
}

fn here(table: &Processes, pid: Pid, uid: u32) -> Sighting<Vec<ProcessSight>> {
    match table.stat(pid) {
        Sighting::Present(stat) => match sight(table, pid, &stat, uid, false) {
            Sighting::Present(process) => Sighting::Present(vec![process]),
            Sighting::Absent(proof) => Sighting::Absent(proof),
            Sighting::Unknown(reason) => Sighting::Unknown(reason),
        },
        Sighting::Absent(proof) => Sighting::Absent(proof),
        Sighting::Unknown(reason) => Sighting::Unknown(reason),
    }
}

fn sight(
    table: &Processes,
    pid: Pid,
    stat: &Stat,
    uid: u32,
    in_container: bool,
) -> Sighting<ProcessSight> {
    let Some(started_at) = table.started_at(stat.start) else {
        return Sighting::unknown("when this boot began could not be read");
    };
    table.status(pid).map(|status| ProcessSight {
        id: identity(pid, stat),
        started_at,
        zombie: stat.is_zombie(),
        own_uid: status.uid == uid,
        in_container,
        ancestors: table.ancestors(stat),
    })
}

fn in_containers(
    table: &Processes,
    missing: &BTreeSet<Pid>,
    uid: u32,
    found: &mut BTreeMap<Pid, Sighting<Vec<ProcessSight>>>,
) {
    let all = match table.all() {
        Ok(all) => all,
        Err(error) => {
            for pid in missing {
                let reason = format!(
                    "/proc cannot be listed, so a container may have process {pid}: {error}"
                );
                found.insert(*pid, Sighting::unknown(reason));
            }
            return;
        }
    };
    for pid in all {
        let status = match table.status(pid) {
            Sighting::Present(status) => status,
            // It ended meanwhile: then it is not the one either.
            Sighting::Absent(_) => continue,
            Sighting::Unknown(reason) => {
                for asked in missing {
                    let reason = format!("process {pid} may be {asked} in a container: {reason}");
                    found.insert(*asked, Sighting::unknown(reason));
                }
                return;
            }
        };
        for inner in status
            .pids
            .iter()
            .skip(1)
            .filter(|inner| missing.contains(inner))
        {
            let process = match table.stat(pid) {
                Sighting::Present(stat) => sight(table, pid, &stat, uid, true),
                Sighting::Absent(proof) => Sighting::Absent(proof),
                Sighting::Unknown(reason) => Sighting::Unknown(reason),
            };
            let merged = match (found.remove(inner), process) {
                (Some(Sighting::Unknown(reason)), _) | (_, Sighting::Unknown(reason)) => {
                    Sighting::Unknown(reason)
                }
                (Some(Sighting::Present(mut all)), Sighting::Present(one)) => {
                    all.push(one);
                    Sighting::Present(all)
                }
                (_, Sighting::Present(one)) => Sighting::Present(vec![one]),
                (Some(before), Sighting::Absent(_)) => before,
                (None, Sighting::Absent(proof)) => Sighting::Absent(proof),
            };
            found.insert(*inner, merged);
        }
    }
}
