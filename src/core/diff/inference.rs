//! The conversation of an agent that keeps no live record: written only if it is the one explanation left
//! (rule 7).

use super::Scene;
use crate::core::drift::Evidence;
use crate::core::ids::{AgentKind, ConversationId, Timestamp};
use crate::core::sighting::Sighting;
use crate::core::world::{AgentSight, Candidate, FolderSight, Kin, SessionSight};

/// tmux tells a session's creation in whole seconds, so what began within that second may be older.
const CREATION_UNIT: std::time::Duration = std::time::Duration::from_secs(1);

/// What can be inferred.
pub(super) enum Inference {
    /// No conversation of the folder began since the session was created.
    Nothing,
    /// Something that has to be known could not be read.
    Unread,
    /// It cannot be told; why, as a sentence without a full stop.
    Doubtful(String),
    /// This is the only one that is left, and what that rests on.
    Only(ConversationId, Vec<Evidence>),
}

/// Looks for the one conversation that can be this agent's, which is proven to keep no live record.
pub(super) fn infer(
    scene: &Scene<'_, '_>,
    agent: AgentKind,
    sight: &AgentSight,
    session: &SessionSight,
) -> Inference {
    let Sighting::Present(folder) = &sight.cwd else {
        return Inference::Unread;
    };
    let Some(folder_sight) = scene.world.folders.get(&(agent, folder.clone())) else {
        return Inference::Unread;
    };
    let Sighting::Present(candidates) = &folder_sight.candidates else {
        return Inference::Unread;
    };
    let possible: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| !candidate.in_folder.is_absent() && !began_before(candidate, session))
        .collect();
    let only = match possible.as_slice() {
        [] => return Inference::Nothing,
        [only] => *only,
        several => {
            return Inference::Doubtful(format!(
                "{} conversations began in its folder since it was created; which is its own cannot be told",
                several.len()
            ));
        }
    };
    if let Some(why) = doubt_about(scene, only, folder_sight, sight, session) {
        return Inference::Doubtful(format!(
            "conversation {} may be its own, but {why}",
            only.id
        ));
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
    Inference::Only(only.id.clone(), evidence)
}

fn began_before(candidate: &Candidate, session: &SessionSight) -> bool {
    matches!(candidate.began, Sighting::Present(began) if began < session.created)
}

/// Why the only candidate may still not be the one.
fn doubt_about(
    scene: &Scene<'_, '_>,
    only: &Candidate,
    folder: &FolderSight,
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
    if scene.recorded.contains(&only.id) {
        return Some("a row records it, now or as an earlier one".to_owned());
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
            .filter(|other| !other.live.is_present() && may_have_made(only, other))
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

/// Whether an agent's process runs as the user whose file the conversation is, or may do so.
fn may_have_made(conversation: &Candidate, agent: &Kin) -> bool {
    match (&conversation.owner, &agent.user) {
        (Sighting::Present(owner), Sighting::Present(user)) => owner == user,
        _ => true,
    }
}

fn is_after(began: Timestamp, session: &SessionSight) -> bool {
    began >= session.created.plus(CREATION_UNIT)
}
