//! What a look tells that the one before it did not.

use super::pass::{Look, Settings};
use crate::core::drift::Held;
use crate::core::ids::DriftId;
use crate::core::ledger::Ledger;
use crate::core::plan::Decision;
use crate::core::report::{Account, Report, Written};
use crate::state::journal::News;
use crate::tell::wire;

/// What [`Decision::as_str`] says of an edit.
pub(super) const WRITE: &str = "write";

/// Whether this is told by every look until it succeeds: what could not be written is tried again by every
/// pass, and told as new by the first only.
pub(super) fn is_repeated(look: &Look, news: &News) -> bool {
    match news {
        News::Edited(drift) => {
            let before = look.before.drifts.get(&DriftId::new(drift.id.clone()));
            before.is_some_and(|open| open.told_as == WRITE)
        }
        _ => false,
    }
}

/// Whether the text of the roll did not allow this edit the last time either. That is told once, and tried again.
pub(super) fn was_refused(look: &Look, id: &DriftId) -> bool {
    let refused = Held::NotEditable(String::new());
    let before = look.before.drifts.get(id);
    before.is_some_and(|open| open.told_as == refused.as_str())
}

/// What this look tells that the one before did not. Edits are told as they are meant to end; what became
/// of them follows when it is known.
pub(super) fn of(settings: &Settings, look: &Look) -> Vec<News> {
    let meant = Written {
        applied: look
            .assessment
            .plan
            .edits()
            .into_iter()
            .chain(
                look.assessment
                    .job_updates
                    .iter()
                    .filter_map(|update| update.decision.edit().cloned()),
            )
            .map(|edit| edit.cause)
            .collect(),
        ..Written::default()
    };
    let told = report(settings, &look.before, look, &meant);
    let as_before = |id: &DriftId| {
        let now = look
            .assessment
            .ledger
            .drifts
            .get(id)
            .map(|open| &open.told_as);
        look.before.drifts.get(id).map(|open| &open.told_as) == now
    };
    let drifts = told.drifts.iter().filter_map(|told| {
        let id = &told.drift.id;
        let drift = || wire::Drift::from(told);
        match look.assessment.plan.fates.get(id) {
            Some(Decision::Write(_)) if !settings.dry_run => {
                (!was_refused(look, id)).then(|| News::Edited(drift()))
            }
            _ if told.new => Some(News::Opened(drift())),
            _ if !as_before(id) => Some(News::Changed(drift())),
            _ => None,
        }
    });
    let resolved = told
        .resolved
        .iter()
        .map(|resolved| News::Resolved(wire::Resolved::from(resolved)));
    let jobs = told
        .jobs
        .iter()
        .filter(|told| told.update.news)
        .map(|told| {
            let update = wire::JobUpdate::from(told);
            match told.update.decision {
                Decision::Write(_) if !settings.dry_run => News::JobEdited(update),
                _ => News::Job(update),
            }
        });
    drifts.chain(resolved).chain(jobs).collect()
}

/// The account of a look, and of what was written after it.
pub(super) fn report(
    settings: &Settings,
    before: &Ledger,
    look: &Look,
    written: &Written,
) -> Report {
    Report::new(Account {
        roll: &settings.roll.named.display().to_string(),
        dry_run: settings.dry_run,
        registry: &look.registry,
        world: &look.world,
        before,
        assessment: &look.assessment,
        written,
    })
}
