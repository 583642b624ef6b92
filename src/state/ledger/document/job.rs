//! What is remembered of a delegated job.

use serde::{Deserialize, Serialize};

use crate::core::ids::Timestamp;
use crate::core::jobs as core;

#[derive(Serialize, Deserialize)]
pub(super) struct Job {
    id: String,
    last_seq: u64,
    heard: Option<Learned>,
    against: Option<String>,
    written: bool,
    told_as: String,
    seen: i64,
}

#[derive(Serialize, Deserialize)]
struct Learned {
    status: String,
    at: i64,
    detail: String,
    seq: u64,
    signed: bool,
}

impl From<(&core::JobId, &core::KnownJob)> for Job {
    fn from((id, job): (&core::JobId, &core::KnownJob)) -> Self {
        let core::KnownJob {
            last_seq,
            heard,
            against,
            written,
            told_as,
            seen,
        } = job;
        Self {
            id: id.to_string(),
            last_seq: *last_seq,
            heard: heard.as_ref().map(Learned::from),
            against: against.map(|status| status.as_str().to_owned()),
            written: *written,
            told_as: told_as.clone(),
            seen: seen.millis(),
        }
    }
}

impl Job {
    /// The job, if this version knows its words.
    pub(super) fn known(self) -> Option<(core::JobId, core::KnownJob)> {
        let heard = match self.heard {
            Some(heard) => Some(heard.known()?),
            None => None,
        };
        let against = match self.against {
            Some(word) => Some(core::JobStatus::named(&word)?),
            None => None,
        };
        Some((
            core::JobId::parse(&self.id)?,
            core::KnownJob {
                last_seq: self.last_seq,
                heard,
                against,
                written: self.written,
                told_as: self.told_as,
                seen: Timestamp::from_millis(self.seen),
            },
        ))
    }
}

impl From<&core::Learned> for Learned {
    fn from(learned: &core::Learned) -> Self {
        let core::Learned {
            status,
            at,
            detail,
            seq,
            signed,
        } = learned;
        Self {
            status: status.as_str().to_owned(),
            at: at.millis(),
            detail: detail.clone(),
            seq: *seq,
            signed: *signed,
        }
    }
}

impl Learned {
    fn known(self) -> Option<core::Learned> {
        Some(core::Learned {
            status: core::JobStatus::named(&self.status)?,
            at: Timestamp::from_millis(self.at),
            detail: self.detail,
            seq: self.seq,
            signed: self.signed,
        })
    }
}
