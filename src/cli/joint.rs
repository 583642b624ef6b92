//! Where the command line meets the parts that do the work.

use super::{Failure, init, reconcile, validate};
use crate::core::ids::Timestamp;
use crate::core::report::Report;
use crate::exit::Exit;

/// What a single pass waits for.
#[allow(dead_code, reason = "made where the parts are joined")]
pub(super) struct Waiting {
    /// Until when.
    pub(super) until: Timestamp,
    /// From when.
    pub(super) since: Timestamp,
    /// The sessions whose drifts are not due yet.
    pub(super) sessions: Vec<String>,
}

pub(super) async fn reconcile(
    _settings: reconcile::Settings,
    _on_wait: impl FnOnce(&Waiting),
) -> Result<Report, Failure> {
    Err(not_joined())
}

pub(super) async fn init(_settings: init::Settings) -> Result<init::Made, Failure> {
    Err(not_joined())
}

pub(super) fn validate(_settings: validate::Settings) -> Result<validate::Findings, Failure> {
    Err(not_joined())
}

fn not_joined() -> Failure {
    Failure {
        exit: Exit::Failed,
        why: "this build has no pass: its parts are not joined yet".to_owned(),
    }
}
