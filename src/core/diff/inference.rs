//! The conversation of an agent that keeps no live record: written only if it is the one explanation left
//! (rule 7).

use super::Scene;
use crate::core::drift::Evidence;
use crate::core::ids::{AgentKind, ConversationId, Timestamp};
use crate::core::ledger::AgentKey;
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
    scene: &mut Scene<'_, '_>,
    agent: AgentKind,
    sight: &AgentSight,
    session: &SessionSight,
) -> Inference {
    match inferred(scene, agent, sight, session) {
        Ok(inference) => inference,
        Err(Doubt::ForGood(why)) => {
            scene.undecided.insert(sight.process);
            Inference::Doubtful(why)
        }
        Err(Doubt::ForNow(why)) => Inference::Doubtful(why),
    }
}

/// Why it cannot be told, as a sentence without a full stop.
enum Doubt {
    /// A later look may see more.
    ForNow(String),
    /// A later look can only see less of what made it doubtful.
    ForGood(String),
}

fn inferred(
    scene: &Scene<'_, '_>,
    agent: AgentKind,
    sight: &AgentSight,
    session: &SessionSight,
) -> Result<Inference, Doubt> {
    let Sighting::Present(folder) = &sight.cwd else {
        return Ok(Inference::Unread);
    };
    let Some(folder_sight) = scene.world.folders.get(&(agent, folder.clone())) else {
        return Ok(Inference::Unread);
    };
    let Sighting::Present(candidates) = &folder_sight.candidates else {
        return Ok(Inference::Unread);
    };
    let possible: Vec<&Candidate> = candidates
        .iter()
        .filter(|candidate| !candidate.in_folder.is_absent() && !began_before(candidate, session))
        .collect();
    let only = match possible.as_slice() {
        [] => return Ok(Inference::Nothing),
        [only] => *only,
        several => {
            return Err(Doubt::ForGood(format!(
                "{} conversations began in its folder since it was created; which is its own cannot be told",
                several.len()
            )));
        }
    };
    let but = |why: String| format!("conversation {} may be its own, but {why}", only.id);
    if let Some(doubt) = doubt_about(scene, only, folder_sight, sight, session) {
        return Err(match doubt {
            Doubt::ForNow(why) => Doubt::ForNow(but(why)),
            Doubt::ForGood(why) => Doubt::ForGood(but(why)),
        });
    }
    if let Some(why) = met_before(scene, agent, folder, only, folder_sight, sight) {
        return Err(Doubt::ForNow(but(why)));
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
    Ok(Inference::Only(only.id.clone(), evidence))
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
) -> Option<Doubt> {
    let for_now = |why: &str| Some(Doubt::ForNow(why.to_owned()));
    let for_good = |why: &str| Some(Doubt::ForGood(why.to_owned()));
    let surely_after = matches!(only.began, Sighting::Present(began) if is_after(began, session));
    if !surely_after {
        return for_now("when it began is not surely after the session was created");
    }
    // What an earlier agent of this session said is not this one's.
    match (&only.modified, &this.started_at) {
        (Sighting::Present(modified), Sighting::Present(started)) if modified >= started => {}
        _ => return for_now("it is not known to have been written to since this agent began"),
    }
    if !only.in_folder.is_present() {
        return for_now("whether it belongs to this folder could not be read");
    }
    if !only.interactive.is_present() {
        return for_now("it may have been written by a nested or scripted run");
    }
    if scene.recorded.contains(&only.id) {
        return for_good("a row records it, now or as an earlier one");
    }
    match &folder.claimed {
        Sighting::Present(claimed) if claimed.contains(&only.id) => {
            return for_good("another live agent has it");
        }
        Sighting::Present(_) => {}
        Sighting::Absent(_) | Sighting::Unknown(_) => {
            return for_now("which conversations are live could not be read");
        }
    }
    let Sighting::Present(kin) = &folder.kin else {
        return for_now("which other agents work in this folder could not be read");
    };
    kin.iter()
        .filter(|other| other.process != this.process)
        .filter(|other| !other.live.is_present() && may_have_made(only, other))
        .min_by_key(|other| other.process)
        .map(|other| {
            Doubt::ForNow(format!(
                "process {} works in this folder too, and which conversation it has is not known",
                other.process.pid
            ))
        })
}

/// What was seen before and speaks against the only candidate: this agent's own past, or another agent's
/// without a known conversation that may still have lived when this one began.
fn met_before(
    scene: &Scene<'_, '_>,
    kind: AgentKind,
    folder: &str,
    only: &Candidate,
    sight: &FolderSight,
    this: &AgentSight,
) -> Option<String> {
    let vantage = &scene.world.vantage;
    let this = vantage.agent(this.process, kind);
    if scene
        .ledger
        .agents
        .get(&this)
        .is_some_and(|known| known.undecided)
    {
        return Some("an earlier look could not tell, and saw more".to_owned());
    }
    let is_alive = |key: &AgentKey| {
        *key == vantage.agent(key.process, kind)
            && matches!(&sight.kin, Sighting::Present(kin) if kin.iter().any(|kin| kin.process == key.process))
    };
    let is_proven = |key: &AgentKey| {
        *key == vantage.agent(key.process, kind) && scene.proven.contains(&(key.process, kind))
    };
    scene
        .ledger
        .agents
        .iter()
        .filter(|(key, _)| **key != this && key.kind == kind)
        .filter(|(_, known)| known.folder.as_deref().is_none_or(|its| its == folder))
        .filter(|(_, known)| match (&only.owner, known.user) {
            (Sighting::Present(owner), Some(user)) => *owner == user,
            _ => true,
        })
        // What the living have was asked above.
        .filter(|(key, _)| !is_alive(key))
        .filter(|(key, _)| !is_proven(key))
        .find(|(key, known)| {
            let rebooted = key.place.machine == vantage.place.machine && key.boot != vantage.boot;
            let end = known.gone.or(rebooted.then_some(vantage.booted_at));
            !matches!((&only.began, end), (Sighting::Present(began), Some(end)) if *began > end)
        })
        .map(|(key, _)| {
            format!(
                "process {} worked in this folder too and may have begun it, and which conversation it had is not known",
                key.process.pid
            )
        })
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
