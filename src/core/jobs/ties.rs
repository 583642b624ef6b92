//! Whose job is whose: which job is a row's, and which row a job belongs to.

use std::collections::{BTreeMap, BTreeSet};

use super::{JobId, JobRecord, Jobs};
use crate::core::ids::SessionName;
use crate::core::registry::{Registry, Row};
use crate::core::sighting::Sighting;

/// The jobs of all rows.
pub(super) struct Ties {
    /// For each of `registry.rows`: its job.
    rows: Vec<Option<JobId>>,
    /// The same, to be asked by job.
    owned: BTreeSet<JobId>,
    /// The jobs that several rows name.
    shared: BTreeSet<JobId>,
    /// The jobs that were a row's, whose row has another one now.
    superseded: BTreeSet<JobId>,
}

/// Whose a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// A row's.
    Row,
    /// A row's that has another one now.
    Superseded,
    /// No row's that is known.
    Nobody,
}

impl Ties {
    /// By `delegate_job_id`; a row without one has the newest job whose record names its session.
    pub(super) fn new(registry: &Registry, jobs: &Jobs) -> Self {
        let named: Vec<Option<JobId>> = registry
            .rows
            .iter()
            .map(|row| row.job.as_deref().and_then(JobId::parse))
            .collect();
        let mut times: BTreeMap<&JobId, usize> = BTreeMap::new();
        for job in named.iter().flatten() {
            *times.entry(job).or_default() += 1;
        }
        let shared = times
            .iter()
            .filter(|(_, times)| **times > 1)
            .map(|(&job, _)| job.clone())
            .collect();
        let free: Vec<(&JobId, &Sighting<JobRecord>)> = jobs
            .records
            .iter()
            .filter(|(job, _)| !times.contains_key(*job))
            .collect();
        // A record that cannot be read may be the newest of any session.
        let all_seen = jobs.complete && free.iter().all(|(_, record)| !record.is_unknown());
        let mut by_session: BTreeMap<SessionName, Vec<(&JobId, &JobRecord)>> = BTreeMap::new();
        for &(job, sight) in &free {
            if let Sighting::Present(record) = sight
                && let Some(session) = &record.session
            {
                let of_session = by_session.entry(session.normalised()).or_default();
                of_session.push((job, record));
            }
        }
        let of = |row: &Row| by_session.get(&row.name.normalised());
        let mut superseded = BTreeSet::new();
        let rows = registry
            .rows
            .iter()
            .zip(&named)
            .map(|(row, named)| {
                let theirs = of(row).map_or(&[][..], Vec::as_slice);
                let own = match (&row.job, named) {
                    (None, _) if all_seen => newest(theirs),
                    (_, named) => named.as_ref(),
                };
                if own.is_some() {
                    let others = theirs.iter().map(|(job, _)| *job);
                    superseded.extend(others.filter(|job| Some(*job) != own).cloned());
                }
                own.cloned()
            })
            .collect::<Vec<Option<JobId>>>();
        Self {
            owned: rows.iter().flatten().cloned().collect(),
            rows,
            shared,
            superseded,
        }
    }

    /// Each row that has a job, with it.
    pub(super) fn rows(&self) -> impl Iterator<Item = (usize, &JobId)> {
        self.rows
            .iter()
            .enumerate()
            .filter_map(|(at, job)| Some((at, job.as_ref()?)))
    }

    /// Whether several rows name it.
    pub(super) fn is_shared(&self, job: &JobId) -> bool {
        self.shared.contains(job)
    }

    /// Whose it is.
    pub(super) fn owner(&self, job: &JobId) -> Owner {
        if self.owned.contains(job) {
            Owner::Row
        } else if self.superseded.contains(job) {
            Owner::Superseded
        } else {
            Owner::Nobody
        }
    }
}

/// The job that was recorded last; none where that cannot be told.
fn newest<'a>(records: &[(&'a JobId, &JobRecord)]) -> Option<&'a JobId> {
    if let [(only, _)] = records {
        return Some(only);
    }
    let mut dated = records
        .iter()
        .map(|(job, record)| Some((record.created?, *job)))
        .collect::<Option<Vec<_>>>()?;
    dated.sort();
    match dated.as_slice() {
        [.., (before, _), (last, job)] if before < last => Some(job),
        _ => None,
    }
}
