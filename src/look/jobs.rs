//! The records of delegated jobs: `jobs/<job_id>.json` beside the roll.
//!
//! They are read in every pass, so that an event that never came is made good. What has not changed since it
//! was read is not read again: a pass that finds nothing new costs one look at the folder, and one at each
//! record that matters.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::window::{self, Unreadable};
use crate::clock;
use crate::core::ids::{SessionName, Timestamp};
use crate::core::jobs::{JobEvent, JobId, JobRecord, JobStatus, Jobs};
use crate::core::registry::Registry;
use crate::core::sighting::Sighting;
use crate::core::world::{Source, SourceState};

/// How many records are read at most, besides those that rows name. Who has more should clear them out.
const MOST: usize = 4096;

/// How large a record may be, in bytes. It holds the job's prompt.
const LARGEST: usize = 1 << 20;

/// A file that changed less than this ago may change again without showing it.
const SETTLED: Duration = Duration::from_secs(2);

/// The version of records that is known.
const SCHEMA_VERSION: u64 = 1;

/// The records as they were last read. A loop keeps it from pass to pass.
#[derive(Clone, Debug, Default)]
pub struct Records(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    listing: Option<(Stamp, Listing)>,
    records: BTreeMap<PathBuf, (Stamp, Sighting<JobRecord>)>,
}

#[derive(Clone, Debug, Default)]
struct Listing {
    jobs: BTreeSet<JobId>,
    complete: bool,
}

/// What differs after a file or folder was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// Of something that has not been changed for a while.
    fn of(found: &Metadata) -> Option<Self> {
        let modified = clock::at(found.modified().ok()?);
        (modified.plus(SETTLED) < clock::now()).then(|| Self {
            inode: found.ino(),
            size: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// The folder that has the records of a roll's jobs.
#[must_use]
pub fn folder(roll: &Path) -> PathBuf {
    roll.with_file_name("jobs")
}

impl Records {
    /// Reads what can be known of the jobs of a roll, and of those that something was heard of.
    #[must_use]
    pub fn look(
        &self,
        roll: &Path,
        registry: &Registry,
        heard: &[JobEvent],
        at: Timestamp,
    ) -> (Jobs, Option<Source>) {
        let mut shelf = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = folder(roll);
        let wanted = wanted(registry, heard);
        let mut jobs = Jobs {
            complete: true,
            heard: heard.to_vec(),
            ..Jobs::default()
        };
        let mut troubles = Vec::new();
        let mut ids = wanted;
        match shelf.list(&folder) {
            Ok(listing) => {
                // Only a row that names no job can be somebody's by the record alone.
                if registry.rows.iter().any(|row| row.job.is_none()) {
                    ids.extend(listing.jobs);
                    jobs.complete = listing.complete;
                    if !listing.complete {
                        troubles.push(format!(
                            "it has more than {MOST} records: only those that rows name are read; clear out old ones"
                        ));
                    }
                }
            }
            Err(error) if is_missing(&error) => {
                let none = |id| (id, Sighting::absent("there is no folder of jobs"));
                jobs.records = ids.into_iter().map(none).collect();
                return (jobs, None);
            }
            Err(error) => {
                jobs.complete = false;
                troubles.push(error.to_string());
            }
        }
        shelf.forget_all_but(&folder, &ids);
        for id in ids {
            let sight = shelf.read(&folder, &id);
            if let Sighting::Unknown(why) = &sight {
                troubles.push(format!("{id}.json: {why}"));
            }
            jobs.records.insert(id, sight);
        }
        let source = Source {
            name: format!("jobs:{}", folder.display()),
            state: if troubles.is_empty() {
                SourceState::Present
            } else {
                SourceState::Unknown
            },
            reason: summary(&troubles, jobs.records.len()),
            at,
        };
        (jobs, Some(source))
    }
}

/// The jobs whose outcome a row does not have yet, and those that something was heard of.
fn wanted(registry: &Registry, heard: &[JobEvent]) -> BTreeSet<JobId> {
    let of_rows = registry
        .rows
        .iter()
        .filter(|row| row.job != row.job_status_of)
        .filter_map(|row| JobId::parse(row.job.as_deref()?));
    let of_events = heard.iter().map(|event| event.job.clone());
    of_rows.chain(of_events).collect()
}

fn summary(troubles: &[String], read: usize) -> String {
    const TOLD: usize = 3;
    if troubles.is_empty() {
        return format!("{read} looked for");
    }
    let mut said = troubles.iter().take(TOLD).cloned().collect::<Vec<_>>();
    if let Some(more @ 1..) = troubles.len().checked_sub(TOLD) {
        said.push(format!("and {more} more"));
    }
    said.join("; ")
}

fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

impl Shelf {
    fn list(&mut self, folder: &Path) -> io::Result<Listing> {
        let stamp = Stamp::of(&fs::metadata(folder)?);
        if let (Some(now), Some((before, listing))) = (stamp, &self.listing)
            && now == *before
        {
            return Ok(listing.clone());
        }
        let mut listing = Listing {
            complete: true,
            ..Listing::default()
        };
        for entry in fs::read_dir(folder)? {
            let name = entry?.file_name();
            let Some(id) = name.to_str().and_then(job_of_file) else {
                continue;
            };
            if listing.jobs.len() == MOST {
                // Which ones are left out must not depend on the order in which the system tells them.
                listing.jobs.clear();
                listing.complete = false;
                break;
            }
            listing.jobs.insert(id);
        }
        self.listing = stamp.map(|stamp| (stamp, listing.clone()));
        Ok(listing)
    }

    fn read(&mut self, folder: &Path, id: &JobId) -> Sighting<JobRecord> {
        let path = folder.join(format!("{id}.json"));
        let stamp = fs::metadata(&path).ok().as_ref().and_then(Stamp::of);
        if let (Some(now), Some((before, sight))) = (stamp, self.records.get(&path))
            && now == *before
        {
            return sight.clone();
        }
        let sight = match Document::read(folder, id) {
            Ok(document) => document.record(&path),
            Err(NoRecord::Missing) => Sighting::absent("it has no record"),
            Err(NoRecord::Unreadable(why)) => Sighting::unknown(why),
        };
        match stamp {
            Some(stamp) => self.records.insert(path, (stamp, sight.clone())),
            None => self.records.remove(&path),
        };
        sight
    }

    fn forget_all_but(&mut self, folder: &Path, ids: &BTreeSet<JobId>) {
        self.records.retain(|path, _| {
            path.parent() == Some(folder)
                && path
                    .file_name()
                    .and_then(|name| job_of_file(name.to_str()?))
                    .is_some_and(|id| ids.contains(&id))
        });
    }
}

fn job_of_file(name: &str) -> Option<JobId> {
    JobId::parse(name.strip_suffix(".json")?)
}

/// What the events of a job have to be signed with.
#[derive(Clone, PartialEq, Eq)]
pub enum Key {
    /// With this token.
    Token(String),
    /// With nothing: its record has no token.
    NotRequired,
    /// That is not known, since it has no record.
    NoRecord,
    /// That cannot be told, since its record cannot be read; why.
    Unreadable(String),
}

/// The key to a job's events, read from its record now.
#[must_use]
pub fn key(folder: &Path, job: &JobId) -> Key {
    match Document::read(folder, job) {
        Ok(document) => document.auth_token.map_or(Key::NotRequired, Key::Token),
        Err(NoRecord::Missing) => Key::NoRecord,
        Err(NoRecord::Unreadable(why)) => Key::Unreadable(why),
    }
}

enum NoRecord {
    Missing,
    Unreadable(String),
}

/// The keys of a record that matter here.
#[derive(Deserialize)]
struct Document {
    schema_version: Option<u64>,
    job_id: String,
    status: String,
    created_at: Option<Value>,
    updated_at: Option<Value>,
    agent_session: Option<String>,
    #[serde(default, deserialize_with = "token")]
    auth_token: Option<String>,
}

/// A text. What else it is, is not said: the reader's own message would repeat it.
fn token<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Option::<Value>::deserialize(from)? {
        None => Ok(None),
        Some(Value::String(token)) => Ok(Some(token)),
        Some(_) => Err(D::Error::custom("`auth_token` is no text")),
    }
}

impl Document {
    fn read(folder: &Path, job: &JobId) -> Result<Self, NoRecord> {
        let path = folder.join(format!("{job}.json"));
        let text = window::whole(&path, LARGEST).map_err(|error| match error {
            Unreadable::Missing => NoRecord::Missing,
            other => NoRecord::Unreadable(other.to_string()),
        })?;
        let unreadable = |why: String| Err(NoRecord::Unreadable(why));
        let document: Self = match serde_json::from_slice(&text) {
            Ok(document) => document,
            Err(error) => return unreadable(format!("it is no record of a job: {error}")),
        };
        match document.schema_version {
            None | Some(SCHEMA_VERSION) => {}
            Some(other) => return unreadable(format!("it has schema_version {other}, not 1")),
        }
        if document.job_id != job.as_str() {
            return unreadable(format!("it is the record of job {:?}", document.job_id));
        }
        Ok(document)
    }

    fn record(self, path: &Path) -> Sighting<JobRecord> {
        let Some(status) = JobStatus::named(&self.status) else {
            return Sighting::unknown(format!("its status {:?} is not known", self.status));
        };
        let updated = self.updated_at.as_ref().and_then(time).or_else(|| {
            let written = fs::metadata(path).and_then(|found| found.modified());
            written.ok().map(clock::at)
        });
        let Some(updated) = updated else {
            return Sighting::unknown("when it was updated cannot be told");
        };
        let session = self.agent_session.as_deref();
        Sighting::Present(JobRecord {
            status,
            created: self.created_at.as_ref().and_then(time),
            updated,
            session: session
                .and_then(|session| session.strip_prefix("tmux:"))
                .filter(|name| !name.is_empty())
                .map(SessionName::new),
            needs_signature: self.auth_token.is_some(),
        })
    }
}

/// A time as text, or as seconds since the epoch.
fn time(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => Timestamp::parse(text),
        Value::Number(secs) => match secs.as_i64() {
            Some(secs) => Some(Timestamp::from_secs(secs)),
            #[expect(
                clippy::cast_possible_truncation,
                reason = "a time beyond the range of i64 is cut to it"
            )]
            None => secs
                .as_f64()
                .filter(|secs| secs.is_finite())
                .map(|secs| Timestamp::from_millis((secs * 1000.0) as i64)),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests;
