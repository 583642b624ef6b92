//! Folding the journal's entries into a ledger that does not know them.
//!
//! Only what was told is in them. What a look has proven is not, so an end that waits for its second proof waits
//! for two again.

use crate::core::drift::Kind;
use crate::core::ids::Timestamp;
use crate::core::ids::{AgentKind, ConversationId, DriftId, ServerName, SessionName};
use crate::core::jobs::{JobId, KnownJob};
use crate::core::ledger::{KnownId, Ledger, OpenDrift, RowKey};
use crate::state::journal::{Entry, News, Stage, Undone};
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
        News::Undone(taken_back) => undone(ledger, &taken_back, entry.at),
        News::Pruned(pruned) => {
            if pruned.stage == Stage::Done {
                let server = pruned.tmux_server.map(ServerName::new);
                ledger.forget_row(&SessionName::new(pruned.session), server.as_ref());
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
    let open = open_drift(drift, told_as, at);
    ledger.drifts.insert(DriftId::new(drift.id.clone()), open);
}

fn open_drift(drift: &Drift, told_as: String, at: Timestamp) -> OpenDrift {
    let time = |text: &str| Timestamp::parse(text).unwrap_or(at);
    OpenDrift {
        first_seen: time(&drift.first_seen),
        last_seen: time(&drift.last_seen),
        count: drift.count,
        proven_since: None,
        session: drift.session.clone().map(SessionName::new),
        server: drift.tmux_server.clone().map(ServerName::new),
        class: drift.class,
        kind: drift.kind.clone(),
        told_as,
        undone: false,
        acked: None,
    }
}

/// What was written is not written again for the same drift, or the same outcome of a job, unless that was lifted.
fn undone(ledger: &mut Ledger, undone: &Undone, at: Timestamp) {
    if let Some(drift) = &undone.drift {
        let id = DriftId::new(drift.id.clone());
        match undone.stage {
            Stage::Begun | Stage::Done => {
                ledger.hold_undone(id, open_drift(drift, String::new(), at));
            }
            Stage::Failed => {
                ledger.drifts.remove(&id);
            }
            Stage::Lifted => {
                if let Some(open) = ledger.drifts.get_mut(&id) {
                    open.undone = false;
                    open.told_as.clear();
                }
            }
        }
        if undone.stage == Stage::Done
            && let Some(key) = row_key(drift)
        {
            let was_revived = drift.kind == Kind::Revived.as_str();
            let id = id_key(drift).map(|(agent, key)| {
                let before = drift.before.text(key).map(ConversationId::new);
                (agent, before)
            });
            let moved_to = drift.after.text("tmux_server").map(ServerName::new);
            ledger.note_put_back(&key, moved_to.as_ref(), was_revived, id);
        }
    }
    if let Some(update) = &undone.job
        && let Some(known) = JobId::parse(&update.job_id)
            .map(|id| ledger.jobs.entry(id).or_insert_with(|| KnownJob::new(at)))
    {
        known.written = undone.stage != Stage::Lifted;
        if undone.stage == Stage::Lifted {
            known.told_as.clear();
        }
    }
}

/// What [`Ledger::note_applied`] does.
fn applied(ledger: &mut Ledger, drift: &Drift) {
    ledger.drifts.remove(&DriftId::new(drift.id.clone()));
    let Some(row) = row_key(drift).and_then(|key| ledger.rows.get_mut(&key)) else {
        return;
    };
    if drift.kind == Kind::Revived.as_str() {
        row.alive = None;
    }
    if let Some((agent, key)) = id_key(drift)
        && let Some(id) = drift.after.text(key)
    {
        let ours = KnownId {
            recorded: Some(ConversationId::new(id)),
            overruled: None,
        };
        row.ids.insert(agent, ours);
    }
}

fn row_key(drift: &Drift) -> Option<RowKey> {
    Some(RowKey {
        name: SessionName::new(drift.session.clone()?),
        server: drift.tmux_server.clone().map(ServerName::new),
    })
}

/// The agent whose conversation id a drift is about, and the key that records it.
fn id_key(drift: &Drift) -> Option<(AgentKind, &'static str)> {
    let mut kinds = [Kind::IdMaterialized, Kind::Rotated].iter();
    kinds.find(|kind| drift.kind == kind.as_str())?;
    let agent = AgentKind::named(drift.agent.as_deref()?)?;
    Some((agent, agent.id_key()?))
}
