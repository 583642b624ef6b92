//! Class B: a row whose session is alive again, or in another life.

use std::cmp::Ordering;

use super::{Agents, Scene, agents_in, drift_id, old_enough, pane_record, pane_value, unless_sure};
use crate::core::absence::Asked;
use crate::core::drift::{Class, Confidence, Drift, Evidence, Kind, NoteKind, Wait};
use crate::core::edit::{Change, Edit, PaneRecord, Target, Value};
use crate::core::ids::{DriftId, ServerName, Timestamp};
use crate::core::join::{By, Here, pane_of};
use crate::core::registry::Row;
use crate::core::world::PaneSight;

/// An ended row whose session is alive: revived, mistaken, or only a note. Returns the drift that would
/// make it run again.
pub(super) fn revival(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>) -> Option<DriftId> {
    let pane = pane_of(
        Some(row),
        row.agent,
        scene.past.life(row),
        here.seen.session,
    );
    if row.ended_by_headcount() && here.by == By::Incarnation {
        let restored = mistaken(scene, row, here);
        // It will run again: what else is new about it is written with that, not a pass later.
        if let Ok(pane) = pane
            && matches!(agents_in(pane, None), Agents::One(_) | Agents::Several)
        {
            recorded_elsewhere(scene, row, here, pane, Some(&restored));
        }
        return Some(restored);
    }
    let verdict = pane.and_then(|pane| is_new_life(scene, row, here, pane).map(|()| pane));
    match verdict {
        Ok(pane) => Some(revived(scene, row, here, pane)),
        Err(why) => {
            let text = format!(
                "{}: the row says {}, but its session is alive; {why}.",
                row.name,
                row.status.as_str()
            );
            scene.note(NoteKind::StillAlive, row, text);
            None
        }
    }
}

fn mistaken(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>) -> DriftId {
    let said = format!(
        "session {} is the very one that was seen before this row was ended",
        here.seen.session.id
    );
    let found = Found {
        kind: Kind::Mistaken,
        reason: "same_incarnation",
        change: Change::Restore,
        after: vec![("status".to_owned(), Value::Text("running".to_owned()))],
        evidence: vec![scene.evidence(format!("tmux:{}", here.seen.server.name), said)],
        wait: Wait::SecondLook(scene.policy.grace),
    };
    push(scene, row, here, found)
}

/// Whether the session was surely made after the row ended, and has an agent in it; else why not.
fn is_new_life(
    scene: &mut Scene<'_, '_>,
    row: &Row,
    here: &Here<'_>,
    pane: &PaneSight,
) -> Result<(), String> {
    if here.by != By::Name {
        return Err("it is the session the row records".to_owned());
    }
    match created_after_end(scene, row, here.seen.session.created) {
        Some(true) => {}
        Some(false) => return Err("it is older than the recorded end".to_owned()),
        None => {
            return Err("when the row ended is not recorded, or cannot be compared".to_owned());
        }
    }
    match agents_in(pane, row.agent) {
        Agents::One(_) | Agents::Several => Ok(()),
        Agents::None => Err("it is a new session of that name, without an agent in it".to_owned()),
        Agents::Unknown(why) => {
            scene.blind(&row.name, &[Class::B]);
            Err(format!(
                "whether an agent is in it could not be read: {why}"
            ))
        }
    }
}

fn revived(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>, pane: &PaneSight) -> DriftId {
    let session = here.seen.session;
    let record = pane_record(pane);
    let said = format!(
        "session {} was created at {}, after the row ended, and an agent runs in it",
        session.id,
        session.created.iso()
    );
    let server = other_server(scene, row, here);
    let mut after = vec![("status".to_owned(), Value::Text("running".to_owned()))];
    after.extend(pane_value(&record));
    after.extend(server_value(server.as_ref()));
    let found = Found {
        kind: Kind::Revived,
        reason: "new_session",
        after,
        change: Change::Revive {
            pane: record,
            server,
        },
        evidence: vec![scene.evidence(format!("tmux:{}", here.seen.server.name), said)],
        wait: old_enough(scene, session.created),
    };
    push(scene, row, here, found)
}

/// A running row whose session has an agent in another pane or process than the recorded one, which is gone.
pub(super) fn reincarnation(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>) {
    let session = here.seen.session;
    if here.by != By::Name && session.name.normalised() != row.name.normalised() {
        let text = format!("{}: its session is now called {}.", row.name, session.name);
        scene.note(NoteKind::Renamed, row, text);
    }
    let life = scene.past.life(row);
    let pane = match pane_of(Some(row), row.agent, life, session) {
        Ok(pane) => pane,
        Err(why) => {
            scene.blind(&row.name, &[Class::B, Class::C]);
            scene.note(NoteKind::Ambiguous, row, format!("{}: {why}.", row.name));
            return;
        }
    };
    match agents_in(pane, None) {
        Agents::Unknown(_) => scene.blind(&row.name, &[Class::B]),
        Agents::None => {
            // A process elsewhere in the session may still be the agent; then it has not exited.
            let silent = session
                .panes
                .iter()
                .all(|pane| matches!(agents_in(pane, None), Agents::None));
            if silent {
                let state = if pane.dead {
                    "its pane is dead"
                } else {
                    "no agent runs in it"
                };
                let text = format!("{}: the session lives, but {state}.", row.name);
                scene.note(NoteKind::AgentExited, row, text);
            }
        }
        Agents::One(_) | Agents::Several => recorded_elsewhere(scene, row, here, pane, None),
    }
}

/// The pane of a row whose recorded process is not in its session any more: written by itself, or together
/// with the drift that makes the row run again.
fn recorded_elsewhere(
    scene: &mut Scene<'_, '_>,
    row: &Row,
    here: &Here<'_>,
    pane: &PaneSight,
    restored: Option<&DriftId>,
) {
    let session = here.seen.session;
    let Some(recorded) = row.pane.pid else { return };
    if session.panes.iter().any(|pane| pane.pid == recorded) {
        return;
    }
    let proof = match scene.inquiry().process(row) {
        Asked::Dead(said) | Asked::Leftover(said) => said,
        // Rows may record the agent's own pid: then it runs below the pane, and all is well.
        Asked::InSession(_) | Asked::NotRecorded => return,
        Asked::Holds(_) => {
            return scene.blind(&row.name, &[Class::B]);
        }
    };
    let wait = match (old_enough(scene, session.created), restored) {
        (Wait::No, Some(restored)) => Wait::With(restored.clone()),
        (_, Some(_)) => return,
        (wait, None) => wait,
    };
    let mut evidence = vec![scene.evidence(
        format!("tmux:{}", here.seen.server.name),
        format!(
            "session {} has pane {} with process {}",
            session.id, pane.id, pane.pid
        ),
    )];
    evidence.extend(proof);
    let record = pane_record(pane);
    let server = other_server(scene, row, here);
    let found = Found {
        kind: Kind::Reincarnated,
        reason: "new_pane",
        after: pane_value(&record)
            .into_iter()
            .chain(server_value(server.as_ref()))
            .collect(),
        change: Change::Reincarnate {
            pane: record,
            server,
        },
        evidence,
        wait,
    };
    push(scene, row, here, found);
}

/// The server that a row's session is on, where it is not the one that the row means.
fn other_server(scene: &Scene<'_, '_>, row: &Row, here: &Here<'_>) -> Option<ServerName> {
    let means = row
        .server
        .clone()
        .unwrap_or_else(ServerName::default_server);
    // A server may have several names: the first is written, whichever answered.
    let mut names = scene.world.by_preference();
    names.retain(|server| server.socket == here.seen.server.socket);
    if names.iter().any(|server| server.is_called(&means)) {
        return None;
    }
    names.first().map(|server| server.name.clone())
}

fn server_value(server: Option<&ServerName>) -> Option<(String, Value)> {
    let server = server?;
    Some((
        "tmux_server".to_owned(),
        Value::Text(server.as_str().to_owned()),
    ))
}

struct Found {
    kind: Kind,
    reason: &'static str,
    change: Change,
    after: Vec<(String, Value)>,
    evidence: Vec<Evidence>,
    wait: Wait,
}

fn push(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>, found: Found) -> DriftId {
    let session = here.seen.session;
    let id = drift_id(
        found.kind,
        Some(&row.name),
        Some(&here.seen.server.name),
        &[&session.id, &here.seen.listing.server.pid.to_string()],
    );
    scene.drifts.push(Drift {
        id: id.clone(),
        kind: found.kind,
        session: Some(row.name.clone()),
        server: row.server.clone(),
        agent: row.agent,
        reason: found.reason.to_owned(),
        before: vec![(
            "status".to_owned(),
            Value::Text(row.status.as_str().to_owned()),
        )]
        .into_iter()
        .chain(pane_value(&PaneRecord {
            pid: row.pane.pid,
            cmd: row.pane.cmd.clone(),
            cwd: row.pane.cwd.clone(),
        }))
        .collect(),
        after: found.after,
        evidence: found.evidence,
        confidence: Confidence::Proven,
        edit: Some(Edit {
            cause: id.clone(),
            target: Target::Row {
                name: row.name.clone(),
                fingerprint: row.fingerprint.clone(),
            },
            change: found.change,
        }),
        wait: found.wait,
        obstacle: unless_sure(here),
        own_cause: false,
        was: (row.pane.pid, row.pane.cmd.clone()),
    });
    id
}

/// `None` where the two moments cannot be compared. Order by boot first, since clocks jump.
fn created_after_end(scene: &Scene<'_, '_>, row: &Row, created: Timestamp) -> Option<bool> {
    if scene.past.is_before_boot(row) {
        return Some(true);
    }
    // tmux tells the second. A row that headcount ended in it had no session of its name in the look that ended it.
    match created.secs().cmp(&row.end.at?.secs()) {
        Ordering::Equal => row.ended_by_headcount().then_some(true),
        order => Some(order == Ordering::Greater),
    }
}
