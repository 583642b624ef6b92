//! Class B: a live session that no running row accounts for.

use super::{Agents, Scene, agents_in, drift_id, pane_record, unless_sure};
use crate::core::absence::Asked;
use crate::core::drift::{Confidence, Drift, Evidence, Held, Kind, Note, NoteKind, Wait};
use crate::core::edit::{Change, Edit, PaneRecord, Target, Value};
use crate::core::ids::{AgentKind, ConversationId, ServerName, Timestamp};
use crate::core::join::{By, Here, Owner, Seen, pane_of};
use crate::core::registry::Row;
use crate::core::sighting::Sighting;
use crate::core::world::{NearestRoll, PaneSight, ServerState, World};

/// Finds the sessions that nobody declared.
pub(super) fn find(scene: &mut Scene<'_, '_>) {
    let join = scene.join;
    for (at, seen) in join.sessions.iter().enumerate() {
        let Some(agent) = scene.policy.agent_by_name(&seen.session.name) else {
            continue;
        };
        match &join.owners[at] {
            Owner::Row(_) | Owner::Twin => {}
            Owner::Nobody => register(scene, seen, agent, None),
            Owner::Perhaps(why) => register(scene, seen, agent, Some(Held::Doubt(why.clone()))),
        }
    }
}

fn register(scene: &mut Scene<'_, '_>, seen: &Seen<'_>, agent: AgentKind, doubt: Option<Held>) {
    let name = &seen.session.name;
    let server = (!seen.server.name.is_default()).then(|| seen.server.name.clone());
    if scene.taken.contains(&name.normalised()) {
        if doubt.is_none() {
            let text = format!(
                "{name}: this session is not the one of the row of its name. Not registered."
            );
            scene.notes.push(note(NoteKind::NameTaken, seen, text));
        }
        return;
    }
    let mut obstacle = doubt.or_else(|| hidden_before(scene.world, seen));
    if obstacle.is_none() && shadowed(scene, seen) {
        let text = format!(
            "{name}: a session of this name on another tmux server comes first. Not registered."
        );
        scene.notes.push(note(NoteKind::NameTaken, seen, text));
        return;
    }
    let mut evidence = vec![scene.evidence(
        format!("tmux:{}", seen.server.name),
        format!(
            "session {} was created at {}, and no row has its name",
            seen.session.id,
            seen.session.created.iso()
        ),
    )];
    let mut pane = PaneRecord::default();
    let mut id = None;
    match pane_of(None, Some(agent), None, seen.session) {
        Err(why) => obstacle = obstacle.or(Some(Held::Doubt(why))),
        Ok(sight) => {
            pane = pane_record(sight);
            match belongs_elsewhere(scene.world, sight) {
                Ok(false) => {}
                Ok(true) => {
                    let text = format!("{name}: its folder has a roll of its own. Not registered.");
                    scene.notes.push(note(NoteKind::Foreign, seen, text));
                    return;
                }
                Err(why) => obstacle = obstacle.or(Some(Held::Doubt(why))),
            }
            if let Some((proven, by)) = proven_id(scene, sight, agent) {
                evidence.push(by);
                id = Some((agent, proven));
            }
        }
    }
    let drift = drift_id(
        Kind::Unregistered,
        Some(name),
        Some(&seen.server.name),
        &[&seen.session.id, &seen.session.created.millis().to_string()],
    );
    let mut after = vec![("status".to_owned(), Value::Text("running".to_owned()))];
    after.extend(pane_value(&pane));
    if let Some((agent, id)) = &id
        && let Some(key) = agent.id_key()
    {
        after.push((key.to_owned(), Value::Text(id.as_str().to_owned())));
    }
    scene.drifts.push(Drift {
        id: drift.clone(),
        kind: Kind::Unregistered,
        session: Some(name.clone()),
        server: server.clone(),
        agent: Some(agent),
        reason: "not_in_roll".to_owned(),
        before: Vec::new(),
        after,
        evidence,
        confidence: Confidence::Proven,
        was: (pane.pid, pane.cmd.clone()),
        edit: Some(Edit {
            cause: drift,
            target: Target::New { name: name.clone() },
            change: Change::Register { pane, server, id },
        }),
        wait: old_enough(scene, seen.session.created),
        obstacle,
        own_cause: false,
    });
}

/// An ended row whose session is alive: revived, mistaken, or only a note.
pub(super) fn revival(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>) {
    let session = here.seen.session;
    let life = scene.past.life(row);
    let source = format!("tmux:{}", here.seen.server.name);
    if row.ended_by_headcount() && here.by == By::Incarnation {
        let said = format!(
            "session {} is the very one that was seen before this row was ended",
            session.id
        );
        let evidence = vec![scene.evidence(source, said)];
        let wait = Wait::SecondLook(scene.policy.grace);
        let found = Found {
            kind: Kind::Mistaken,
            reason: "same_incarnation",
            change: Change::Restore,
            after: vec![("status".to_owned(), Value::Text("running".to_owned()))],
            evidence,
            wait,
        };
        push(scene, row, here, found, unless_sure(here));
        return;
    }
    let pane = match pane_of(Some(row), row.agent, life, session) {
        Ok(pane) => pane,
        Err(why) => return still_alive(scene, row, &why),
    };
    if here.by != By::Name {
        return still_alive(scene, row, "it is the session the row records");
    }
    match created_after_end(scene, row, session.created) {
        None => {
            return still_alive(
                scene,
                row,
                "when the row ended is not recorded, or cannot be compared",
            );
        }
        Some(false) => return still_alive(scene, row, "it is older than the recorded end"),
        Some(true) => {}
    }
    match agents_in(pane, row.agent) {
        Agents::None => still_alive(
            scene,
            row,
            "it is a new session of that name, without an agent in it",
        ),
        Agents::Unknown(why) => {
            scene.blind(&row.name);
            still_alive(
                scene,
                row,
                &format!("whether an agent is in it could not be read: {why}"),
            );
        }
        Agents::One(_) | Agents::Several => {
            let record = pane_record(pane);
            let said = format!(
                "session {} was created at {}, after the row ended, and an agent runs in it",
                session.id,
                session.created.iso()
            );
            let evidence = vec![scene.evidence(source, said)];
            let mut after = vec![("status".to_owned(), Value::Text("running".to_owned()))];
            after.extend(pane_value(&record));
            let wait = old_enough(scene, session.created);
            let found = Found {
                kind: Kind::Revived,
                reason: "new_session",
                change: Change::Revive { pane: record },
                after,
                evidence,
                wait,
            };
            push(scene, row, here, found, unless_sure(here));
        }
    }
}

/// A running row whose session is a new one of the same name.
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
            scene.blind(&row.name);
            scene.note(NoteKind::Ambiguous, row, format!("{}: {why}.", row.name));
            return;
        }
    };
    match agents_in(pane, None) {
        Agents::Unknown(_) => scene.blind(&row.name),
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
        Agents::One(_) | Agents::Several => recorded_elsewhere(scene, row, here, pane),
    }
}

fn recorded_elsewhere(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>, pane: &PaneSight) {
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
            scene.blind(&row.name);
            return;
        }
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
    let wait = old_enough(scene, session.created);
    let found = Found {
        kind: Kind::Reincarnated,
        reason: "new_pane",
        after: pane_value(&record),
        change: Change::Reincarnate { pane: record },
        evidence,
        wait,
    };
    push(scene, row, here, found, unless_sure(here));
}

struct Found {
    kind: Kind,
    reason: &'static str,
    change: Change,
    after: Vec<(String, Value)>,
    evidence: Vec<Evidence>,
    wait: Wait,
}

fn push(
    scene: &mut Scene<'_, '_>,
    row: &Row,
    here: &Here<'_>,
    found: Found,
    obstacle: Option<Held>,
) {
    let session = here.seen.session;
    let id = drift_id(
        found.kind,
        Some(&row.name),
        Some(&here.seen.server.name),
        &[&session.id, &session.created.millis().to_string()],
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
            cause: id,
            target: Target::Row {
                name: row.name.clone(),
                fingerprint: row.fingerprint.clone(),
            },
            change: found.change,
        }),
        wait: found.wait,
        obstacle,
        own_cause: false,
        was: (row.pane.pid, row.pane.cmd.clone()),
    });
}

fn still_alive(scene: &mut Scene<'_, '_>, row: &Row, why: &str) {
    let text = format!(
        "{}: the row says {}, but its session is alive; {why}.",
        row.name,
        row.status.as_str()
    );
    scene.note(NoteKind::StillAlive, row, text);
}

/// `None` where the two moments cannot be compared. Order by boot first, since clocks jump.
fn created_after_end(scene: &Scene<'_, '_>, row: &Row, created: Timestamp) -> Option<bool> {
    if scene.past.is_before_boot(row) && scene.past.known(row).is_some() {
        return Some(true);
    }
    let end = row.end.at?;
    Some(created.secs() > end.secs())
}

fn old_enough(scene: &Scene<'_, '_>, created: Timestamp) -> Wait {
    // A session from the future is the clock's doing: then it is as young as it can be.
    let due = created.min(scene.now).plus(scene.policy.spawn_grace);
    if due <= scene.now {
        Wait::No
    } else {
        Wait::Until(due)
    }
}

/// A server that is preferred to this session's, and could not be listed: it may have the name too.
fn hidden_before(world: &World, seen: &Seen<'_>) -> Option<Held> {
    world
        .by_preference()
        .into_iter()
        .take_while(|server| server.name != seen.server.name)
        .find(|server| match &server.state {
            ServerState::Listed(_) | ServerState::Refused | ServerState::Missing => false,
            ServerState::Unknown(_) => true,
        })
        .map(|server| {
            Held::Doubt(format!(
                "tmux server {} could not be listed, and may have a session of the same name",
                server.name
            ))
        })
}

/// Whether a preferred server has a session of this name.
fn shadowed(scene: &Scene<'_, '_>, seen: &Seen<'_>) -> bool {
    scene
        .world
        .by_preference()
        .into_iter()
        .take_while(|server| server.name != seen.server.name)
        .any(|server| {
            scene
                .join
                .named(&seen.session.name)
                .any(|other| other.server.name == server.name)
        })
}

/// Whether the session's folder has a nearer roll of its own.
fn belongs_elsewhere(world: &World, pane: &PaneSight) -> Result<bool, String> {
    let folder = match &pane.cwd {
        Sighting::Present(folder) => folder,
        Sighting::Absent(proof) => return Err(format!("its folder is gone: {proof}")),
        Sighting::Unknown(reason) => return Err(format!("its folder could not be read: {reason}")),
    };
    match world.nearest_rolls.get(folder) {
        Some(Sighting::Present(NearestRoll::Ours) | Sighting::Absent(_)) => Ok(false),
        Some(Sighting::Present(NearestRoll::Another)) => Ok(true),
        Some(Sighting::Unknown(reason)) => Err(format!(
            "whether its folder has a roll of its own could not be read: {reason}"
        )),
        None => Err("whether its folder has a roll of its own was not looked at".to_owned()),
    }
}

fn proven_id(
    scene: &Scene<'_, '_>,
    pane: &PaneSight,
    agent: AgentKind,
) -> Option<(ConversationId, Evidence)> {
    let Agents::One(sight) = agents_in(pane, Some(agent)) else {
        return None;
    };
    let Sighting::Present(live) = &sight.live else {
        return None;
    };
    let Some(Sighting::Present(artifact)) = scene.artifact(agent, &live.id) else {
        return None;
    };
    let said = format!("conversation {}, kept in {}", live.id, artifact.path);
    Some((live.id.clone(), scene.evidence(live.source.clone(), said)))
}

fn pane_value(pane: &PaneRecord) -> Vec<(String, Value)> {
    let mut keys = Vec::new();
    if let Some(pid) = pane.pid {
        keys.push(("pid".to_owned(), Value::Int(i64::from(pid))));
    }
    if let Some(cmd) = &pane.cmd {
        keys.push(("cmd".to_owned(), Value::Text(cmd.clone())));
    }
    if let Some(cwd) = &pane.cwd {
        keys.push(("cwd".to_owned(), Value::Text(cwd.clone())));
    }
    if keys.is_empty() {
        return Vec::new();
    }
    vec![("pane".to_owned(), Value::Map(keys))]
}

fn note(kind: NoteKind, seen: &Seen<'_>, text: String) -> Note {
    let server: &ServerName = &seen.server.name;
    Note {
        kind,
        session: Some(seen.session.name.clone()),
        server: (!server.is_default()).then(|| server.clone()),
        text,
        evidence: Vec::new(),
    }
}
