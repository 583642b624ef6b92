//! Folding the journal's entries into a ledger that does not know them.
//!
//! Only what was told is in them. What a look has proven is not, so an end that waits for its second proof waits
//! for two again.

use crate::core::drift::Kind;
use crate::core::ids::Timestamp;
use crate::core::ids::{AgentKind, ConversationId, DriftId, ServerName, SessionName};
use crate::core::jobs::{JobId, KnownJob};
use crate::core::ledger::{KnownId, Ledger, OpenDrift, RowKey};
use crate::state::journal::{Entry, News};
use crate::tell::wire::{Drift, JobUpdate};

/// Folds one entry in, as the pass that wrote it would have.
pub(super) fn entry(ledger: &mut Ledger, entry: Entry) {
    match entry.news {
        News::Opened(drift) | News::Changed(drift) => {
            let told_as = match (&drift.pending, &drift.held) {
                (Some(_), _) => "pending".to_owned(),
                (None, Some(held)) => held.reason.clone(),
                (None, None) => "told".to_owned(),
            };
            open(ledger, &drift, told_as, entry.at);
        }
        News::Outcome(drift) if drift.applied => applied(ledger, &drift),
        News::Edited(drift) | News::Outcome(drift) => {
            open(ledger, &drift, "write".to_owned(), entry.at);
        }
        News::Resolved(resolved) => {
            ledger.drifts.remove(&DriftId::new(resolved.id));
        }
        News::Job(update) | News::JobEdited(update) => {
            // What is meant to be written is told as written, and may not have come to that.
            job(ledger, &update, entry.at);
        }
        News::JobOutcome(update) => {
            if let Some(known) = job(ledger, &update, entry.at) {
                known.written |= update.applied;
            }
        }
    }
}

/// Only what was told of a job is known then; its outcome is in its row if it was written.
fn job<'a>(ledger: &'a mut Ledger, update: &JobUpdate, at: Timestamp) -> Option<&'a mut KnownJob> {
    let id = JobId::parse(&update.job_id)?;
    let known = ledger.jobs.entry(id).or_insert_with(|| KnownJob::new(at));
    let decision = update.held.as_ref().map_or("write", |held| &held.reason);
    known.told_as = format!("{} {decision}", update.state);
    Some(known)
}

fn open(ledger: &mut Ledger, drift: &Drift, told_as: String, at: Timestamp) {
    let time = |text: &str| Timestamp::parse(text).unwrap_or(at);
    let open = OpenDrift {
        first_seen: time(&drift.first_seen),
        last_seen: time(&drift.last_seen),
        count: drift.count,
        proven_since: None,
        session: drift.session.clone().map(SessionName::new),
        server: drift.tmux_server.clone().map(ServerName::new),
        class: drift.class,
        kind: drift.kind.clone(),
        told_as,
    };
    ledger.drifts.insert(DriftId::new(drift.id.clone()), open);
}

/// What [`Ledger::note_applied`] does.
fn applied(ledger: &mut Ledger, drift: &Drift) {
    ledger.drifts.remove(&DriftId::new(drift.id.clone()));
    let Some(name) = &drift.session else { return };
    let key = RowKey {
        name: SessionName::new(name.clone()),
        server: drift.tmux_server.clone().map(ServerName::new),
    };
    let Some(row) = ledger.rows.get_mut(&key) else {
        return;
    };
    if drift.kind == Kind::Revived.as_str() {
        row.alive = None;
    }
    let is_id = [Kind::IdMaterialized, Kind::Rotated]
        .iter()
        .any(|kind| drift.kind == kind.as_str());
    let agent = drift.agent.as_deref().and_then(AgentKind::named);
    if is_id
        && let Some(agent) = agent
        && let Some(id) = agent.id_key().and_then(|key| drift.after.text(key))
    {
        let ours = KnownId {
            recorded: Some(ConversationId::new(id)),
            overruled: None,
        };
        row.ids.insert(agent, ours);
    }
}
