//! Class D: a recorded conversation has no file any more. Told, never written, never deleted.

use std::collections::BTreeSet;

use super::{Agents, Scene, agents_in, drift_id};
use crate::core::drift::{Class, Confidence, Drift, Evidence, Kind, NoteKind, Wait};
use crate::core::edit::Value;
use crate::core::ids::{AgentKind, ConversationId, SessionName};
use crate::core::join::Joined;
use crate::core::registry::{Row, Status};
use crate::core::sighting::Sighting;

/// Looks for the files of the conversations a row records.
pub(super) fn find(scene: &mut Scene<'_, '_>, row: &Row, joined: &Joined<'_>) {
    let asks = matches!(row.status, Status::Running | Status::Stopped) || row.ended_by_headcount();
    if !asks {
        return;
    }
    for (&agent, recorded) in &row.ids {
        let (Some(id), Some(key)) = (&recorded.value, agent.id_key()) else {
            continue;
        };
        match scene.artifact(agent, id) {
            Some(Sighting::Present(artifact)) => {
                if artifact.in_folder.is_absent() {
                    let text = format!(
                        "{}: conversation {id} is kept in {}, not where the row's folder would put it.",
                        row.name, artifact.path
                    );
                    scene.note(NoteKind::Moved, row, text);
                }
            }
            Some(Sighting::Absent(proof)) => match is_live(joined, agent, id) {
                // Before its first message a conversation has no file; `proven` has told that already.
                Live::Yes => {}
                Live::Unknown => scene.blind(&row.name, &[Class::D]),
                Live::No => {
                    let evidence =
                        vec![scene.evidence(format!("{agent} conversations"), proof.to_string())];
                    push(scene, Subject::Row(row), key, Some(agent), id, evidence);
                }
            },
            Some(Sighting::Unknown(_)) | None => scene.blind(&row.name, &[Class::D]),
        }
    }
}

/// Looks for the files of the conversations that `agent_identities` records.
pub(super) fn find_in_identities(scene: &mut Scene<'_, '_>) {
    let registry = scene.registry;
    let mut known = BTreeSet::new();
    for identity in &registry.identities {
        let Some(agent) = identity.agent else {
            continue;
        };
        // What is written there twice is one difference.
        if !known.insert((&identity.key, &identity.id)) {
            continue;
        }
        match scene.artifact(agent, &identity.id) {
            Some(Sighting::Present(_)) => {}
            Some(Sighting::Absent(proof)) => {
                let evidence =
                    vec![scene.evidence(format!("{agent} conversations"), proof.to_string())];
                let key = format!("agent_identities.{}", identity.key);
                push(
                    scene,
                    Subject::Identity,
                    &key,
                    Some(agent),
                    &identity.id,
                    evidence,
                );
            }
            Some(Sighting::Unknown(_)) | None => {
                scene.blind.insert((None, Class::D));
            }
        }
    }
}

enum Live {
    Yes,
    No,
    Unknown,
}

fn is_live(joined: &Joined<'_>, agent: AgentKind, id: &ConversationId) -> Live {
    let Joined::Here(here) = joined else {
        return Live::No;
    };
    let mut verdict = Live::No;
    for pane in &here.seen.session.panes {
        match agents_in(pane, Some(agent)) {
            Agents::One(sight) => match &sight.live {
                Sighting::Present(live) if live.id == *id => return Live::Yes,
                Sighting::Unknown(_) => verdict = Live::Unknown,
                Sighting::Present(_) | Sighting::Absent(_) => {}
            },
            Agents::None => {}
            Agents::Several | Agents::Unknown(_) => verdict = Live::Unknown,
        }
    }
    verdict
}

enum Subject<'r> {
    Row(&'r Row),
    Identity,
}

fn push(
    scene: &mut Scene<'_, '_>,
    subject: Subject<'_>,
    key: &str,
    agent: Option<AgentKind>,
    id: &ConversationId,
    mut evidence: Vec<Evidence>,
) {
    let row = match subject {
        Subject::Row(row) => Some(row),
        Subject::Identity => None,
    };
    let seen = agent.and_then(|agent| scene.ledger.artifacts.get(&(agent, id.clone())));
    let kept = agent.and_then(|agent| scene.world.retention.get(&agent));
    let mut reason = "missing";
    if let (Some(seen), Some(Sighting::Present(kept))) = (seen, kept)
        && seen.modified.plus(*kept) < scene.now
    {
        reason = "expired";
        evidence.push(scene.evidence(
            "ledger",
            format!(
                "its file was last changed at {}, and the agent keeps such files for {} days",
                seen.modified.iso(),
                kept.as_secs() / 86_400
            ),
        ));
    }
    let session: Option<SessionName> = row.map(|row| row.name.clone());
    let server = row.and_then(|row| row.server.clone());
    scene.drifts.push(Drift {
        id: drift_id(
            Kind::StaleId,
            session.as_ref(),
            server.as_ref(),
            &[key, id.as_str()],
        ),
        kind: Kind::StaleId,
        session,
        server,
        agent,
        reason: reason.to_owned(),
        before: vec![(key.to_owned(), Value::Text(id.as_str().to_owned()))],
        after: vec![(key.to_owned(), Value::Text(id.as_str().to_owned()))],
        evidence,
        confidence: Confidence::Proven,
        edit: None,
        wait: Wait::No,
        obstacle: None,
        own_cause: false,
        was: row.map_or((None, None), |row| (row.pane.pid, row.pane.cmd.clone())),
    });
}
