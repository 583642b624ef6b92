//! What is remembered of jobs, so that an old message says nothing new, and a crash forgets nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::{JobId, JobStatus};
use crate::core::ids::Timestamp;

/// How many jobs are remembered that end before any row is theirs: their rows may be written late.
pub(super) const UNTIED: usize = 256;

/// What is remembered of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownJob {
    /// The number of the last event that counted; 0 for none.
    pub last_seq: u64,
    /// What events said it came to.
    pub heard: Option<Learned>,
    /// What a later event said it came to instead.
    pub against: Option<JobStatus>,
    /// Whether its outcome was written to its row: it is not written again, whatever becomes of the row.
    pub written: bool,
    /// What the last look told of it: a change of this is news.
    pub told_as: String,
    /// When it was last heard or read of.
    pub seen: Timestamp,
}

/// What events said that a job came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Learned {
    /// How it ended.
    pub status: JobStatus,
    /// When that was heard.
    pub at: Timestamp,
    /// The worker's own words, made printable.
    pub detail: String,
    /// The number of the event.
    pub seq: u64,
    /// Whether the event had a valid signature.
    pub signed: bool,
}

impl KnownJob {
    /// A job of which nothing is known yet.
    #[must_use]
    pub const fn new(seen: Timestamp) -> Self {
        Self {
            last_seq: 0,
            heard: None,
            against: None,
            written: false,
            told_as: String::new(),
            seen,
        }
    }
}

/// The memory without what no row refers to; the last few jobs that ended before any row was theirs stay.
#[must_use]
pub fn bounded(
    mut jobs: BTreeMap<JobId, KnownJob>,
    tied: &BTreeSet<&JobId>,
) -> BTreeMap<JobId, KnownJob> {
    let mut untied: Vec<(Timestamp, JobId)> = Vec::new();
    jobs.retain(|id, job| {
        let keep = tied.contains(id);
        if !keep && job.heard.is_some() && !job.written {
            untied.push((job.seen, id.clone()));
            return true;
        }
        keep
    });
    untied.sort();
    let excess = untied.len().saturating_sub(UNTIED);
    for (_, id) in untied.into_iter().take(excess) {
        jobs.remove(&id);
    }
    jobs
}
