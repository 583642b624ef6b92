//! Recording a pass, so that it can be made again elsewhere.

use super::error::RunError;
use super::pass::{Keep, Settings, look};
use super::proposal::path_of;
use crate::snapshot::Snapshot;

/// Where things are that a replay is told of, since it may be made elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Whereabouts {
    /// The headcount that records.
    pub made_by: String,
    /// The user's home folder.
    pub home: Option<String>,
    /// Where Claude Code keeps its files if nothing else is said.
    pub claude_home: Option<String>,
}

/// Looks once, as a dry pass does, and returns all that the core was given. Nothing is written.
///
/// # Errors
///
/// Where the roll or the state folder cannot be read.
pub async fn record(settings: &Settings, at: Whereabouts) -> Result<Snapshot, RunError> {
    let look = look(settings, Keep::Shown, &mut Vec::new()).await?;
    let Whereabouts {
        made_by,
        home,
        claude_home,
    } = at;
    Ok(Snapshot {
        made_by,
        roll: settings.roll.named.display().to_string(),
        roll_path: path_of(&settings.roll.named),
        home,
        claude_home,
        text: look.text,
        all: look.all.unwrap_or_else(|| look.world.clone()),
        registry: look.registry,
        world: look.world,
        ledger: look.before,
        policy: look.policy,
    })
}
