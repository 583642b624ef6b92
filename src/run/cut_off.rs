//! What became of edits that an earlier pass began and did not live to tell the end of.
//!
//! An edit is in the journal before it is made, and what became of it afterwards. Whoever is killed in between leaves
//! the first without the second, and maybe a row that is as it was to be: then the next look sees no drift any more,
//! and would tell that it went away by itself.

use super::news::WRITE;
use crate::core::ids::{AgentKind, ConversationId, DriftId, Timestamp};
use crate::core::ledger::Ledger;
use crate::core::registry::{Registry, Row};
use crate::state::journal::{Entry, News};
use crate::tell::wire::{Drift, Value};

/// The drifts that were to be written when the pass before was cut off, and are no more.
pub(super) fn left_by(before: &Ledger, now: &Ledger) -> Vec<DriftId> {
    let open = before.drifts.iter();
    open.filter(|(id, open)| open.told_as == WRITE && !now.drifts.contains_key(id))
        .map(|(id, _)| id.clone())
        .collect()
}

/// Puts right what a look tells of such drifts: they were written, if an edit was begun and the row is as it was to
/// leave it, and did not go away by themselves. Where that was told, only the memory of it is missing.
pub(super) fn put_right(
    news: &mut Vec<News>,
    ended: &[DriftId],
    journal: &[Entry],
    registry: &Registry,
) {
    for id in ended {
        let last = journal
            .iter()
            .rev()
            .find(|entry| entry.news.id() == id.as_str());
        let outcome = match last.map(|entry| &entry.news) {
            Some(News::Edited(drift)) if is_written(drift, registry) => {
                Some(News::Outcome(drift.clone()))
            }
            Some(News::Outcome(drift)) if drift.applied && is_written(drift, registry) => None,
            _ => continue,
        };
        news.retain(|it| it.id() != id.as_str());
        news.extend(outcome);
    }
}

/// Whether there is a row as an edit was to leave it, as far as rows are understood.
fn is_written(drift: &Drift, registry: &Registry) -> bool {
    let mut rows = registry.rows.iter();
    rows.any(|row| drift.session.as_deref() == Some(row.name.as_str()) && is_as(drift, row))
}

fn is_as(drift: &Drift, row: &Row) -> bool {
    drift
        .after
        .0
        .iter()
        .all(|(key, value)| match (key.as_str(), value) {
            ("status", Value::Text(status)) => row.status.as_str() == status,
            ("terminated_at", Value::Text(at)) => row.end.at == Timestamp::parse(at),
            ("termination_mode", Value::Text(mode)) => row.end.mode.as_ref() == Some(mode),
            ("tmux_server", Value::Text(server)) => {
                row.server.as_ref().is_some_and(|it| it.as_str() == server)
            }
            ("pane", Value::Map(pane)) => pane.0.iter().all(|(key, value)| match value {
                Value::Int(pid) if key == "pid" => {
                    row.pane.pid.is_some_and(|it| i64::from(it) == *pid)
                }
                _ => true,
            }),
            (key, Value::Text(id)) => {
                let mut agents = AgentKind::ALL.into_iter();
                agents
                    .find(|agent| agent.id_key() == Some(key))
                    .is_none_or(|agent| {
                        row.recorded_id(agent).map(ConversationId::as_str) == Some(id)
                    })
            }
            _ => true,
        })
}
