//! Class C: the conversation id of a running row is known, or is another.

use super::{Agents, Scene, agents_in, drift_id, unless_sure};
use crate::core::drift::{Class, Confidence, Drift, Evidence, Held, Kind, NoteKind, Wait};
use crate::core::edit::{Change, Edit, Target, Value};
use crate::core::ids::{AgentKind, ConversationId, Timestamp};
use crate::core::join::{Here, pane_of};
use crate::core::ledger::overruled;
use crate::core::registry::Row;
use crate::core::sighting::Sighting;
use crate::core::world::{AgentSight, Candidate, SessionSight};

/// tmux tells a session's creation in whole seconds, so what began within that second may be older.
const CREATION_UNIT: std::time::Duration = std::time::Duration::from_secs(1);

/// Whose conversation is looked for.
struct Case<'a, 'w> {
    row: &'a Row,
    here: &'a Here<'w>,
    agent: AgentKind,
    key: &'static str,
    wait: Wait,
}

impl Case<'_, '_> {
    fn recorded(&self) -> Option<&ConversationId> {
        self.row.recorded_id(self.agent)
    }
}

/// Compares the recorded conversation of a row with the live one: of a running row at once, of one that
/// will run again together with that.
pub(super) fn find(scene: &mut Scene<'_, '_>, row: &Row, here: &Here<'_>, wait: Wait) {
    let Some((agent, key)) = row
        .agent
        .and_then(|agent| agent.id_key().map(|key| (agent, key)))
    else {
        return;
    };
    let case = Case {
        row,
        here,
        agent,
        key,
        wait,
    };
    let life = scene.past.life(row);
    let Ok(pane) = pane_of(Some(row), row.agent, life, here.seen.session) else {
        return;
    };
    let sight = match agents_in(pane, Some(agent)) {
        Agents::One(sight) => sight,
        Agents::None => return,
        Agents::Unknown(_) => return scene.blind(&row.name, &[Class::C]),
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
            scene.blind(&row.name, &[Class::C]);
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
            proven(scene, case, &live.id, evidence);
        }
        Sighting::Absent(_) if case.recorded().is_none() => inferred(scene, case, sight),
        Sighting::Absent(_) => {}
    }
}

fn proven(
    scene: &mut Scene<'_, '_>,
    case: Case<'_, '_>,
    live: &ConversationId,
    mut evidence: Vec<Evidence>,
) {
    let Case { row, agent, .. } = case;
    let recorded = case.recorded();
    match (scene.artifact(agent, live), recorded) {
        (Some(Sighting::Present(_)), Some(recorded)) if recorded == live => {}
        (Some(Sighting::Present(artifact)), _) => {
            evidence
                .push(scene.evidence(artifact.path.clone(), "its file is there and is not empty"));
            let overruled = scene
                .past
                .known(row)
                .and_then(|known| overruled(known.ids.get(&agent), recorded, Some(live)));
            let person = (overruled.as_ref() == Some(live)).then_some(Held::PersonChanged);
            push(scene, case, live, evidence, Confidence::Proven, person);
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
        (Some(Sighting::Unknown(_)) | None, _) => scene.blind(&row.name, &[Class::C]),
    }
}

fn inferred(scene: &mut Scene<'_, '_>, case: Case<'_, '_>, sight: &AgentSight) {
    let Case { row, agent, .. } = case;
    let Sighting::Present(folder) = &sight.cwd else {
        return scene.blind(&row.name, &[Class::C]);
    };
    let Some(folder_sight) = scene.world.folders.get(&(agent, folder.clone())) else {
        return scene.blind(&row.name, &[Class::C]);
    };
    let Sighting::Present(candidates) = &folder_sight.candidates else {
        return scene.blind(&row.name, &[Class::C]);
    };
    let session = case.here.seen.session;
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
    if let Some(why) = doubt_about(scene, only, folder_sight, sight, session) {
        scene.blind(&row.name, &[Class::C]);
        let text = format!(
            "{}: conversation {} may be its own, but {why}.",
            row.name, only.id
        );
        return scene.note(NoteKind::Ambiguous, row, text);
    }
    let evidence = vec![
        scene.evidence(
            format!("{agent} in {folder}"),
            format!("{} is the only conversation that began after the session was created", only.id),
        ),
        scene.evidence(
            format!("process {}", sight.process.pid),
            "it keeps no live record, and every other agent in the folder has a conversation of its own",
        ),
    ];
    // The row had this id before, or would have had it, and somebody took it away.
    let taken_away = scene
        .past
        .known(row)
        .and_then(|known| known.ids.get(&agent))
        .is_some_and(|known| [&known.recorded, &known.overruled].contains(&&Some(only.id.clone())));
    let person = taken_away.then_some(Held::PersonChanged);
    push(
        scene,
        case,
        &only.id,
        evidence,
        Confidence::Inferred,
        person,
    );
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
    // What an earlier agent of this session said is not this one's.
    match (&only.modified, &this.started_at) {
        (Sighting::Present(modified), Sighting::Present(started)) if modified >= started => {}
        _ => {
            return Some(
                "it is not known to have been written to since this agent began".to_owned(),
            );
        }
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
            .filter(|other| !other.live.is_present())
            .min_by_key(|other| other.process)
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

fn push(
    scene: &mut Scene<'_, '_>,
    case: Case<'_, '_>,
    new: &ConversationId,
    evidence: Vec<Evidence>,
    confidence: Confidence,
    person: Option<Held>,
) {
    let (row, key, old) = (case.row, case.key, case.recorded());
    let (kind, reason) = match old {
        Some(_) => (Kind::Rotated, "another_conversation"),
        None => (Kind::IdMaterialized, "conversation_exists"),
    };
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
        agent: Some(case.agent),
        reason: reason.to_owned(),
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
                agent: case.agent,
                id: new.clone(),
                replaces: old.cloned(),
            },
        }),
        obstacle: unless_sure(case.here).or(person),
        wait: case.wait,
        own_cause: false,
        was: (row.pane.pid, row.pane.cmd.clone()),
    });
}
