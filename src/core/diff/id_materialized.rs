//! Class C: the conversation id of a running row is known, or is another.

use super::inference::{Inference, infer};
use super::{Agents, Scene, agents_in, drift_id, unless_sure};
use crate::core::drift::{Class, Confidence, Drift, Evidence, Held, Kind, NoteKind, Wait};
use crate::core::edit::{Change, Edit, Target, Value};
use crate::core::ids::{AgentKind, ConversationId};
use crate::core::join::{Here, pane_of};
use crate::core::ledger::overruled;
use crate::core::registry::Row;
use crate::core::sighting::Sighting;
use crate::core::world::AgentSight;

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
    let row = case.row;
    match infer(scene, case.agent, sight, case.here.seen.session) {
        Inference::Nothing => {}
        Inference::Unread => scene.blind(&row.name, &[Class::C]),
        Inference::Doubtful(why) => {
            scene.blind(&row.name, &[Class::C]);
            scene.note(NoteKind::Ambiguous, row, format!("{}: {why}.", row.name));
        }
        Inference::Only(id, evidence) => {
            // The row had this id before, or would have had it, and somebody took it away.
            let taken_away = scene
                .past
                .known(row)
                .and_then(|known| known.ids.get(&case.agent))
                .is_some_and(|known| {
                    [&known.recorded, &known.overruled].contains(&&Some(id.clone()))
                });
            let person = taken_away.then_some(Held::PersonChanged);
            push(scene, case, &id, evidence, Confidence::Inferred, person);
        }
    }
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
    // Not by its server: a row that another edit moves to another one is the same row still.
    let id = drift_id(
        kind,
        Some(&row.name),
        None,
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
