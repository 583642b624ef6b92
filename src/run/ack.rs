//! What a person said to know of: it leaves the exit codes and the cards until it changes.

use super::error::RunError;
use super::undo::Keeping;
use crate::core::drift::{Drift, Held};
use crate::core::ledger::{Acked, OpenDrift};
use crate::core::plan::Decision;
use crate::core::report::{Outcome, Told};
use crate::state::LedgerFile;

/// Remembers that a person knows of these drifts, as a look has just found them, or (`known` is not set) that not any
/// more.
///
/// # Errors
/// When the state folder cannot be used.
pub async fn acknowledge(keeping: &Keeping, drifts: &[Told], known: bool) -> Result<(), RunError> {
    let lock = keeping.folder.lock(keeping.patience).await?;
    let (mut file, mut ledger) = LedgerFile::load(&keeping.folder)?;
    for told in drifts {
        let drift = &told.drift;
        let open = ledger
            .drifts
            .entry(drift.id.clone())
            .or_insert_with(|| opened(told));
        open.acked = known.then(|| Acked {
            reason: drift.reason.clone(),
            told_as: word(&told.outcome),
        });
    }
    Ok(file.save(&ledger, &lock)?)
}

/// What can be said to be known: what will be written is not, since it is over then.
#[must_use]
pub const fn can_be_known(told: &Told) -> bool {
    matches!(told.outcome, Outcome::Held(_) | Outcome::ToldOnly)
}

/// The word for it that the next look compares.
fn word(outcome: &Outcome) -> String {
    let decision = match outcome {
        Outcome::Held(held) => Decision::Held(Held::clone(held)),
        _ => Decision::Told,
    };
    decision.as_str().to_owned()
}

/// One that no pass has remembered yet.
fn opened(told: &Told) -> OpenDrift {
    let Drift {
        session,
        server,
        kind,
        ..
    } = &told.drift;
    OpenDrift {
        first_seen: told.first_seen,
        last_seen: told.last_seen,
        count: told.count,
        proven_since: None,
        session: session.clone(),
        server: server.clone(),
        class: kind.class().letter(),
        kind: kind.as_str().to_owned(),
        told_as: word(&told.outcome),
        undone: false,
        acked: None,
    }
}
