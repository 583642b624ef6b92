//! What was learned of one delegated job, as programs read it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Held;
use crate::core::report::{Outcome, ToldJob};
use crate::tell::sentence;

#[cfg(test)]
use super::SECONDS;
#[cfg(test)]
use crate::core::jobs::{EventKind, JobStatus, Trust};

/// What was learned of one delegated job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct JobUpdate {
    /// The same outcome of the same job has the same id in every report.
    pub id: String,
    /// The job.
    pub job_id: String,
    /// The session whose job it is.
    pub session: String,
    /// The tmux server of that session, if its row says.
    pub tmux_server: Option<String>,
    /// What it came to (`completed`, `error`, `cancelled`), or the last it said.
    #[cfg_attr(test, schemars(extend("enum" = states())))]
    pub state: String,
    /// When that was heard, or recorded.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub at: String,
    /// The worker's own words, at most 200 printable characters.
    pub detail: String,
    /// What it rests on: a `signed` event, one without a signature where none is asked for (`not_required`)
    /// or where there is no record (`unsigned`), or the job's `record`.
    #[cfg_attr(test, schemars(extend("enum" = trusts())))]
    pub trust: String,
    /// Whether it was written to the row.
    pub applied: bool,
    /// Why an outcome is not written.
    pub held: Option<Held>,
    /// Whether it was not told so by the look before.
    pub new: bool,
    /// The sentence for a card.
    pub comment: String,
}

impl From<&ToldJob> for JobUpdate {
    fn from(told: &ToldJob) -> Self {
        let ToldJob { update, outcome } = told;
        Self {
            id: update.cause.to_string(),
            job_id: update.job.to_string(),
            session: update.session.to_string(),
            tmux_server: update.server.as_ref().map(ToString::to_string),
            state: update.state.to_owned(),
            at: update.at.iso(),
            detail: update.detail.clone(),
            trust: update.trust.as_str().to_owned(),
            applied: *outcome == Outcome::Applied,
            held: match outcome {
                Outcome::Held(held) => Some(Held::from(held)),
                _ => None,
            },
            new: update.news,
            comment: sentence::of_job(told),
        }
    }
}

#[cfg(test)]
fn states() -> Vec<&'static str> {
    let events = EventKind::ALL.iter().map(|kind| kind.as_str());
    events.chain([JobStatus::Cancelled.as_str()]).collect()
}

#[cfg(test)]
fn trusts() -> [&'static str; 4] {
    Trust::ALL.map(Trust::as_str)
}
