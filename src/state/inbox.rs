//! The events of jobs that came and that no pass has seen to yet.
//!
//! The broker is told that it may forget an event only when it is safe here. That a job has ended is safe
//! once it is on disk, as one line of JSON; how a job goes on is kept in memory alone, the last of each job.
//! What a pass has put into the ledger is struck out. Only the one loop of a roll has an inbox open.

use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tracing::{info, warn};

use super::replace::{sync, to_write};
use super::{Folder, StateError};
use crate::clock;
use crate::core::ids::Timestamp;
use crate::core::jobs::{EventKind, Ignored, JobEvent, JobId, Refusal};

/// How many events of each sort are kept until a pass sees to them. What comes beyond is made good by the
/// records of the jobs.
pub const MOST: usize = 10_000;

/// An inbox, shared by who listens and who makes the passes.
#[derive(Clone, Debug)]
pub struct Inbox(Arc<Mutex<Kept>>);

#[derive(Debug)]
struct Kept {
    folder: Folder,
    path: PathBuf,
    file: File,
    /// The ends of jobs; those that are on disk.
    ends: BTreeMap<(JobId, u64), JobEvent>,
    /// The ends that are not on disk yet.
    unsafe_ends: Vec<JobEvent>,
    /// The last of each job that goes on.
    latest: BTreeMap<JobId, JobEvent>,
    /// What was refused, since the program began.
    ignored: Ignored,
    complaints: Complaints,
}

impl Inbox {
    /// Opens the inbox of a roll, with what is left in it from before.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn open(folder: &Folder) -> Result<Self, StateError> {
        let path = folder.path().join("inbox");
        let mut file = open(folder, &path)?;
        let mut text = Vec::new();
        file.read_to_end(&mut text)
            .map_err(StateError::io("read", &path))?;
        // What a crash left of a last line has no newline: it was never acknowledged and comes again.
        let whole = memchr::memrchr(b'\n', &text).map_or(0, |end| end + 1);
        file.set_len(whole as u64)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(StateError::io("repair", &path))?;
        let ends = text[..whole]
            .split(|&byte| byte == b'\n')
            .filter_map(|line| serde_json::from_slice::<Line>(line).ok()?.event())
            .map(|event| ((event.job.clone(), event.seq), event))
            .collect();
        Ok(Self(Arc::new(Mutex::new(Kept {
            folder: folder.clone(),
            path,
            file,
            ends,
            unsafe_ends: Vec::new(),
            latest: BTreeMap::new(),
            ignored: Ignored::default(),
            complaints: Complaints::default(),
        }))))
    }

    /// Takes in one event. It is safe after the next [`Inbox::settle`].
    ///
    /// # Errors
    /// When there is no more room.
    pub fn hear(&self, event: JobEvent) -> Result<(), Refusal> {
        let mut kept = self.kept();
        if event.kind.outcome().is_some() {
            let key = (event.job.clone(), event.seq);
            if kept.ends.contains_key(&key) {
                return Err(Refusal::Replayed);
            }
            if kept.ends.len() + kept.unsafe_ends.len() >= MOST {
                return Err(Refusal::Overflow);
            }
            kept.unsafe_ends.push(event);
            return Ok(());
        }
        let room = kept.latest.len() < MOST;
        match kept.latest.get_mut(&event.job) {
            Some(last) if last.seq >= event.seq => Err(Refusal::Replayed),
            Some(last) => {
                *last = event;
                Ok(())
            }
            None if room => {
                kept.latest.insert(event.job.clone(), event);
                Ok(())
            }
            None => Err(Refusal::Overflow),
        }
    }

    /// Counts an event that was refused.
    pub fn refuse(&self, why: Refusal) {
        let mut kept = self.kept();
        kept.ignored.count(why);
        kept.complaints.add(why, 1, clock::monotonic());
    }

    /// Makes safe what came since the last call.
    ///
    /// # Errors
    /// When the system refuses. Then nothing of it may be acknowledged.
    pub fn settle(&self) -> Result<(), StateError> {
        let mut kept = self.kept();
        if kept.unsafe_ends.is_empty() {
            return Ok(());
        }
        let events = std::mem::take(&mut kept.unsafe_ends);
        kept.come_back()?;
        let mut lines = Vec::new();
        for event in &events {
            serde_json::to_writer(&mut lines, &Line::from(event))
                .map_err(|error| StateError::io("write", &kept.path)(error.into()))?;
            lines.push(b'\n');
        }
        let written = kept.append(&lines);
        written.map_err(StateError::io("write", &kept.path))?;
        for event in events {
            kept.ends.insert((event.job.clone(), event.seq), event);
        }
        Ok(())
    }

    /// All that no pass has seen to yet and that is safe.
    #[must_use]
    pub fn heard(&self) -> Vec<JobEvent> {
        let kept = self.kept();
        kept.ends
            .values()
            .chain(kept.latest.values())
            .cloned()
            .collect()
    }

    /// Strikes out what a pass has seen to.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn forget(&self, events: &[JobEvent]) -> Result<(), StateError> {
        let mut kept = self.kept();
        let mut ended = false;
        for event in events {
            ended |= kept.ends.remove(&(event.job.clone(), event.seq)).is_some();
            if kept.latest.get(&event.job) == Some(event) {
                kept.latest.remove(&event.job);
            }
        }
        if !ended {
            return Ok(());
        }
        if kept.come_back()? {
            return Ok(());
        }
        let rest = kept.text()?;
        let written = kept.rewrite(&rest);
        written.map_err(StateError::io("write", &kept.path))
    }

    /// What was refused since the program began, with these.
    #[must_use]
    pub fn ignored_with(&self, more: &Ignored) -> Ignored {
        let mut kept = self.kept();
        kept.ignored.add(more);
        for (why, count) in more.iter() {
            kept.complaints.add(why, count, clock::monotonic());
        }
        kept.ignored.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens the file, made where it is missing, whose name outlives a crash.
fn open(folder: &Folder, path: &Path) -> Result<File, StateError> {
    let file = to_write()
        .read(true)
        .truncate(false)
        .open(path)
        .map_err(StateError::io("open", path))?;
    sync(folder.path())?;
    Ok(file)
}

impl Kept {
    /// Makes the file anew if somebody removed it, or the folder that it is in: what is written to the old one
    /// is gone with it. Whether that was needed; then all that is known is in it.
    fn come_back(&mut self) -> Result<bool, StateError> {
        let identity = |found: Metadata| (found.dev(), found.ino());
        let ours = self.file.metadata().map(identity).ok();
        let there = fs::symlink_metadata(&self.path).map(identity).ok();
        if ours.is_some() && ours == there {
            return Ok(false);
        }
        self.folder.make()?;
        if let Some(root) = self.folder.path().parent() {
            sync(root)?;
        }
        let mut file = open(&self.folder, &self.path)?;
        let all = self.text()?;
        file.set_len(0)
            .and_then(|()| file.write_all(&all))
            .and_then(|()| file.sync_all())
            .map_err(StateError::io("write", &self.path))?;
        self.file = file;
        warn!(
            "{} was removed: it was made anew, with what it held",
            self.path.display()
        );
        Ok(true)
    }

    /// The ends that are known, as lines.
    fn text(&self) -> Result<Vec<u8>, StateError> {
        let mut text = Vec::new();
        for event in self.ends.values() {
            serde_json::to_writer(&mut text, &Line::from(event))
                .map_err(|error| StateError::io("write", &self.path)(error.into()))?;
            text.push(b'\n');
        }
        Ok(text)
    }

    fn append(&mut self, lines: &[u8]) -> std::io::Result<()> {
        let begin = self.file.seek(SeekFrom::End(0))?;
        let written = self
            .file
            .write_all(lines)
            .and_then(|()| self.file.sync_data());
        if written.is_err() {
            // Half a line would swallow the next one.
            let _ = self.file.set_len(begin);
        }
        written
    }

    /// Puts `rest` in the place of everything, so that a crash leaves the old or the new.
    fn rewrite(&mut self, rest: &[u8]) -> std::io::Result<()> {
        if rest.is_empty() {
            return self.file.set_len(0);
        }
        let unfinished = self.path.with_extension("new");
        let mut file = to_write().read(true).truncate(true).open(&unfinished)?;
        file.write_all(rest)?;
        file.sync_all()?;
        fs::rename(&unfinished, &self.path)?;
        self.file = file;
        match self.path.parent().map(File::open) {
            Some(Ok(folder)) => folder.sync_all(),
            Some(Err(error)) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// What is logged of events that are refused: each reason at most once a minute.
#[derive(Debug, Default)]
struct Complaints(BTreeMap<Refusal, (Instant, u64)>);

/// How long a reason is not repeated.
const QUIET: Duration = Duration::from_secs(60);

impl Complaints {
    fn add(&mut self, why: Refusal, count: u64, now: Instant) {
        if let Some(count) = self.due(why, count, now) {
            let message = format!("events that changed nothing: {count} {}", why.as_str());
            match why {
                // That is what a broker does after every broken connection.
                Refusal::Replayed | Refusal::Late => info!("{message}"),
                _ => warn!("{message}"),
            }
        }
    }

    /// How many there were since the last time it was said, if it is to be said now.
    fn due(&mut self, why: Refusal, count: u64, now: Instant) -> Option<u64> {
        match self.0.get_mut(&why) {
            Some((said, unsaid)) if now.saturating_duration_since(*said) < QUIET => {
                *unsaid = unsaid.saturating_add(count);
                None
            }
            Some((said, unsaid)) => {
                let all = unsaid.saturating_add(count);
                (*said, *unsaid) = (now, 0);
                Some(all)
            }
            None => {
                self.0.insert(why, (now, 0));
                Some(count)
            }
        }
    }
}

/// An event as a line.
#[derive(Serialize, Deserialize)]
struct Line {
    job: String,
    seq: u64,
    event: String,
    detail: String,
    heard: i64,
    signed: bool,
}

impl From<&JobEvent> for Line {
    fn from(event: &JobEvent) -> Self {
        let JobEvent {
            job,
            seq,
            kind,
            detail,
            heard,
            signed,
        } = event;
        Self {
            job: job.to_string(),
            seq: *seq,
            event: kind.as_str().to_owned(),
            detail: detail.clone(),
            heard: heard.millis(),
            signed: *signed,
        }
    }
}

impl Line {
    fn event(self) -> Option<JobEvent> {
        Some(JobEvent {
            job: JobId::parse(&self.job)?,
            seq: self.seq,
            kind: EventKind::named(&self.event)?,
            detail: self.detail,
            heard: Timestamp::from_millis(self.heard),
            signed: self.signed,
        })
    }
}

#[cfg(test)]
mod tests;
