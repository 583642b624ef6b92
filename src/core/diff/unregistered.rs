//! Class B: a live session that no running row accounts for.

use super::inference::{Inference, infer};
use super::{Agents, Scene, agents_in, drift_id, old_enough, pane_record, pane_value};
use crate::core::drift::{Confidence, Drift, Evidence, Held, Kind, Note, NoteKind};
use crate::core::edit::{Change, Edit, PaneRecord, Target, Value};
use crate::core::ids::{AgentKind, ConversationId, ServerName};
use crate::core::join::{Owner, Seen, pane_of};
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
            match scene.world.nearest_roll(sight) {
                Ok(Some(NearestRoll::Ours)) => {}
                Ok(None) if !scene.policy.beside_others => {}
                Ok(nearest) => {
                    let why = match nearest {
                        Some(_) => "its folder has a roll of its own",
                        None => "its folder is that of no roll",
                    };
                    let text = format!("{name}: {why}. Not registered.");
                    scene.notes.push(note(NoteKind::Foreign, seen, text));
                    return;
                }
                Err(why) => obstacle = obstacle.or(Some(Held::Doubt(why))),
            }
            if let Some((known, by)) = conversation(scene, seen, sight, agent) {
                evidence.extend(by);
                id = Some((agent, known));
            }
        }
    }
    let drift = drift_id(
        Kind::Unregistered,
        Some(name),
        Some(&seen.server.name),
        &[&seen.session.id, &seen.listing.server.pid.to_string()],
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
        .or_else(|| {
            // The default server comes before all that might not have been found.
            let why = world
                .hides_strays()
                .filter(|_| !seen.server.name.is_default())?;
            Some(Held::Doubt(format!(
                "{why}; one may have a session of the same name"
            )))
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

/// The conversation that the new row would get as a running row: it gets it at once.
fn conversation(
    scene: &mut Scene<'_, '_>,
    seen: &Seen<'_>,
    pane: &PaneSight,
    agent: AgentKind,
) -> Option<(ConversationId, Vec<Evidence>)> {
    let Agents::One(sight) = agents_in(pane, Some(agent)) else {
        return None;
    };
    match &sight.live {
        Sighting::Present(live) => match scene.artifact(agent, &live.id) {
            Some(Sighting::Present(artifact)) => {
                let said = format!("conversation {}, kept in {}", live.id, artifact.path);
                let evidence = scene.evidence(live.source.clone(), said);
                Some((live.id.clone(), vec![evidence]))
            }
            _ => None,
        },
        Sighting::Absent(_) => match infer(scene, agent, sight, seen.session) {
            Inference::Only(id, evidence) => Some((id, evidence)),
            _ => None,
        },
        Sighting::Unknown(_) => None,
    }
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
