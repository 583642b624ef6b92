//! Class C: the conversation id of a running row is known, or is another.

use super::{Agents, Scene, agents_in, drift_id, unless_sure};
use crate::core::drift::{Confidence, Drift, Evidence, Held, Kind, NoteKind, Wait};
use crate::core::edit::{Change, Edit, Target, Value};
use crate::core::ids::{AgentKind, ConversationId, Timestamp};
use crate::core::join::{Here, pane_of};
use crate::core::ledger::overruled;
use crate::core::registry::Row;
use crate::core::sighting::Sighting;
use crate::core::world::{AgentSight, Candidate, SessionSight};

/// tmux tells a session's creation in whole seconds, so what began within that second may be older.
const CREATION_UNIT: std::time::Duration = std::time::Duration::from_secs(1);

/// Compares the recorded conversation of a running row with the live one.
pub(super) fn find(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>) {
    let Some((agent, key)) = row
        .agent
        .and_then(|agent| agent.id_key().map(|key| (agent, key)))
    else {
        return;
    };
    let life = scene.past.life(row);
    let Ok(pane) = pane_of(Some(row), row.agent, life, here.seen.session) else {
        return;
    };
    let sight = match agents_in(pane, Some(agent)) {
        Agents::One(sight) => sight,
        Agents::None => return,
        Agents::Unknown(_) => return scene.blind(&row.name),
        Agents::Several => {
            let text = format!(
                "{}: several {agent} processes run side by side in its pane.",
                row.name
            );
            return scene.note(NoteKind::Ambiguous, row, text);
        }
    };
    match &sight.live {
        Sighting::Unknown(reason) => {
            scene.blind(&row.name);
            let text = format!(
                "{}: its conversation could not be read: {reason}.",
                row.name
            );
            scene.note(NoteKind::Unread, row, text);
        }
        Sighting::Present(live) => {
            if scene.world.shared.contains_key(&live.id) {
                let text = format!(
                    "{}: conversation {} is live in more than one process.",
                    row.name, live.id
                );
                scene.note(NoteKind::SharedId, row, text);
            }
            let said = format!("process {} has conversation {}", sight.process.pid, live.id);
            let evidence = vec![scene.evidence(live.source.clone(), said)];
            proven(scene, row, here, (agent, key), &live.id, evidence);
        }
        Sighting::Absent(_) if row.recorded_id(agent).is_none() => {
            inferred(scene, row, here, (agent, key), sight);
        }
        Sighting::Absent(_) => {}
    }
}

fn proven(
    scene: &mut Scene<'_, '_>,
    row: &Row,
    here: &Here<'_>,
    (agent, key): (AgentKind, &'static str),
    live: &ConversationId,
    mut evidence: Vec<Evidence>,
) {
    let recorded = row.recorded_id(agent);
    match (scene.artifact(agent, live), recorded) {
        (Some(Sighting::Present(_)), Some(recorded)) if recorded == live => {}
        (Some(Sighting::Present(artifact)), _) => {
            evidence
                .push(scene.evidence(artifact.path.clone(), "its file is there and is not empty"));
            let kind = if recorded.is_some() {
                Kind::Rotated
            } else {
                Kind::IdMaterialized
            };
            let overruled = scene
                .past
                .known(row)
                .and_then(|known| overruled(known.ids.get(&agent), recorded, Some(live)));
            let person = overruled.as_ref() == Some(live);
            let obstacle = unless_sure(here).or_else(|| person.then_some(Held::PersonChanged));
            push(
                scene,
                row,
                (agent, key),
                kind,
                live,
                evidence,
                Confidence::Proven,
                obstacle,
            );
        }
        (Some(Sighting::Absent(_)), Some(recorded)) if recorded == live => {
            let text = format!(
                "{}: conversation {live} is live and nothing was said in it yet.",
                row.name
            );
            scene.note_with(NoteKind::NeverWritten, row, text, evidence);
        }
        (Some(Sighting::Absent(_)), _) => {
            let text = format!(
                "{}: its conversation will be {live}; it cannot be resumed before its first message.",
                row.name
            );
            scene.note_with(NoteKind::Known, row, text, evidence);
        }
        (Some(Sighting::Unknown(_)) | None, _) => scene.blind(&row.name),
    }
}

fn inferred(
    scene: &mut Scene<'_, '_>,
    row: &Row,
    here: &Here<'_>,
    keys: (AgentKind, &'static str),
    sight: &AgentSight,
) {
    let Sighting::Present(folder) = &sight.cwd else {
        return scene.blind(&row.name);
    };
    let Some(folder_sight) = scene.world.folders.get(&(keys.0, folder.clone())) else {
        return scene.blind(&row.name);
    };
    let Sighting::Present(candidates) = &folder_sight.candidates else {
        return scene.blind(&row.name);
    };
    let session = here.seen.session;
    let possible: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| !candidate.in_folder.is_absent() && !began_before(candidate, session))
        .collect();
    let only = match possible.as_slice() {
        [] => return,
        [only] => *only,
        several => {
            let text = format!(
                "{}: {} conversations began in its folder since it was created; which is its own cannot be told.",
                row.name,
                several.len()
            );
            return scene.note(NoteKind::Ambiguous, row, text);
        }
    };
    match doubt_about(scene, only, folder_sight, sight, session) {
        Some(why) => {
            scene.blind(&row.name);
            let text = format!(
                "{}: conversation {} may be its own, but {why}.",
                row.name, only.id
            );
            scene.note(NoteKind::Ambiguous, row, text);
        }
        None => {
            let evidence = vec![
                scene.evidence(
                    format!("{} in {folder}", keys.0),
                    format!("{} is the only conversation that began after the session was created", only.id),
                ),
                scene.evidence(
                    format!("process {}", sight.process.pid),
                    "it keeps no live record, and every other agent in the folder has a conversation of its own",
                ),
            ];
            let obstacle = unless_sure(here);
            let kind = Kind::IdMaterialized;
            push(
                scene,
                row,
                keys,
                kind,
                &only.id,
                evidence,
                Confidence::Inferred,
                obstacle,
            );
        }
    }
}

fn began_before(candidate: &Candidate, session: &SessionSight) -> bool {
    matches!(candidate.began, Sighting::Present(began) if began < session.created)
}

/// Why the only candidate may still not be the one.
fn doubt_about(
    scene: &Scene<'_, '_>,
    only: &Candidate,
    folder: &crate::core::world::FolderSight,
    this: &AgentSight,
    session: &SessionSight,
) -> Option<String> {
    let surely_after = matches!(only.began, Sighting::Present(began) if is_after(began, session));
    if !surely_after {
        return Some("when it began is not surely after the session was created".to_owned());
    }
    if !only.in_folder.is_present() {
        return Some("whether it belongs to this folder could not be read".to_owned());
    }
    if !only.interactive.is_present() {
        return Some("it may have been written by a nested or scripted run".to_owned());
    }
    if scene.recorded.contains_key(&only.id) {
        return Some("another row records it".to_owned());
    }
    match &folder.claimed {
        Sighting::Present(claimed) if claimed.contains(&only.id) => {
            return Some("another live agent has it".to_owned());
        }
        Sighting::Present(_) => {}
        Sighting::Absent(_) | Sighting::Unknown(_) => {
            return Some("which conversations are live could not be read".to_owned());
        }
    }
    match &folder.kin {
        Sighting::Present(kin) => kin
            .iter()
            .filter(|other| other.process != this.process)
            .find(|other| !other.live.is_present())
            .map(|other| {
                format!(
                    "process {} works in this folder too, and which conversation it has is not known",
                    other.process.pid
                )
            }),
        Sighting::Absent(_) | Sighting::Unknown(_) => {
            Some("which other agents work in this folder could not be read".to_owned())
        }
    }
}

fn is_after(began: Timestamp, session: &SessionSight) -> bool {
    began >= session.created.plus(CREATION_UNIT)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the parts of one drift, put together in one place"
)]
fn push(
    scene: &mut Scene<'_, '_>,
    row: &Row,
    (agent, key): (AgentKind, &'static str),
    kind: Kind,
    new: &ConversationId,
    evidence: Vec<Evidence>,
    confidence: Confidence,
    obstacle: Option<Held>,
) {
    let old = row.recorded_id(agent);
    let id = drift_id(
        kind,
        Some(&row.name),
        row.server.as_ref(),
        &[key, new.as_str(), old.map_or("", ConversationId::as_str)],
    );
    let before = old.map_or(Value::Null, |old| Value::Text(old.as_str().to_owned()));
    scene.drifts.push(Drift {
        id: id.clone(),
        kind,
        session: Some(row.name.clone()),
        server: row.server.clone(),
        agent: Some(agent),
        reason: if old.is_some() {
            "another_conversation"
        } else {
            "conversation_exists"
        }
        .to_owned(),
        before: vec![(key.to_owned(), before)],
        after: vec![(key.to_owned(), Value::Text(new.as_str().to_owned()))],
        evidence,
        confidence,
        edit: Some(Edit {
            cause: id,
            target: Target::Row {
                name: row.name.clone(),
                fingerprint: row.fingerprint.clone(),
            },
            change: Change::SetId {
                agent,
                id: new.clone(),
                replaces: old.cloned(),
            },
        }),
        wait: Wait::No,
        obstacle,
        own_cause: false,
        was: (row.pane.pid, row.pane.cmd.clone()),
    });
}
