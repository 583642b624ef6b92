//! What a pass would write, and what it would make of the roll.

use std::path::{self, Path};

use super::error::RunError;
use super::news::report;
use super::pass::{Keep, Memory, Settings, TRIES, look};
use crate::core::edit::Edit;
use crate::core::report::{Report, Written};
use crate::roll::commit::{CommitError, Preview, preview};
use crate::tell::wire::{self, PLAN, PLAN_VERSION, Plan, Planned, proposed};

/// What a pass would write.
#[derive(Debug)]
#[must_use]
pub struct Proposal {
    /// The changes, for a person to look through.
    pub plan: Plan,
    /// What the roll would become.
    pub preview: Preview,
    /// The account of the look.
    pub report: Report,
}

/// Looks once and says what a pass would write, now or when it is due. Nothing is written, not even the memory.
///
/// # Errors
///
/// Where the roll cannot be read or is saved again and again, or the state folder cannot be read.
pub async fn propose(settings: &Settings) -> Result<Proposal, RunError> {
    for _ in 0..TRIES {
        let mut nothing = Memory::default();
        let look = look(settings, Keep::Nothing(&mut nothing), &mut Vec::new()).await?;
        let edits: Vec<Edit> = proposed(&look.assessment)
            .map(|(edit, _)| edit.clone())
            .collect();
        let preview = match &settings.replay {
            Some(snapshot) => Some(Preview::of(
                &settings.roll,
                &snapshot.text,
                &look.registry,
                &edits,
            )?),
            None => preview(&settings.roll, &look.registry, &edits)?,
        };
        let Some(preview) = preview else {
            continue;
        };
        let report = report(settings, &look.before, &look, &Written::default());
        let told = wire::Report::from(&report);
        let comment = |id: &str| {
            let of_drift = told.drifts.iter().find(|drift| drift.id == id);
            let of_job = told.job_updates.iter().find(|update| update.id == id);
            of_drift
                .map(|drift| drift.comment.clone())
                .or_else(|| of_job.map(|update| update.comment.clone()))
                .unwrap_or_default()
        };
        let changes = proposed(&look.assessment)
            .filter(|(edit, _)| preview.left_out.reason(&edit.cause).is_none())
            .map(|proposed| Planned::new(proposed, comment(proposed.0.cause.as_str())))
            .collect();
        let roll = &settings.roll.named;
        let plan = Plan {
            document: PLAN.to_owned(),
            format_version: PLAN_VERSION.to_owned(),
            made_at: look.world.at.iso(),
            host: look.world.vantage.host.clone(),
            yaml_path: match &settings.replay {
                Some(snapshot) => snapshot.roll_path.clone(),
                None => path_of(roll),
            },
            registry_fingerprint: look.registry.fingerprint.to_string(),
            replayed: settings.replay.is_some(),
            changes,
        };
        return Ok(Proposal {
            plan,
            preview,
            report,
        });
    }
    Err(RunError::NotWritten(CommitError::Restless {
        path: settings.roll.named.clone(),
    }))
}

/// The path of a roll from the root on.
pub(super) fn path_of(roll: &Path) -> String {
    let path = path::absolute(roll);
    path.unwrap_or_else(|_| roll.to_owned())
        .display()
        .to_string()
}
