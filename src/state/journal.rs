//! The journal: everything told and done about one roll, in order, so that no reader misses any of it and
//! none is told twice.
//!
//! It is a file of JSON lines, each with its number. When it has grown to [`ROTATE_AT`] it becomes
//! `journal.1`, replacing the one before, and the numbers go on. A reader (a loop, a card, a notifier) keeps
//! the number of the last entry it has told. Whatever a crash leaves of a last line has no newline: it is
//! never read, and cut off before the next entry is written.

mod cursor;
mod entry;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::replace::{sync, to_write};
use super::{Folder, Locked, StateError};
use crate::core::ids::Timestamp;
use cursor::Cursors;

pub use cursor::Consumer;
pub use entry::{Entry, News, Pruned, Stage, Undone};

/// How large the file may become before it is put aside, in bytes.
pub const ROTATE_AT: u64 = 4 << 20;

/// What every entry begins with.
const BEGINNING: &[u8] = b"{\"seq\":";

/// The journal of one roll.
#[derive(Clone, Debug)]
pub struct Journal {
    now: PathBuf,
    before: PathBuf,
    cursors: Cursors,
}

/// What a reader has not told yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unread {
    /// The entries, oldest first.
    pub entries: Vec<Entry>,
    /// How many more there were that are not kept any more.
    pub missed: u64,
}

impl Journal {
    /// The journal in that folder, which may not be there yet.
    #[must_use]
    pub fn of(folder: &Folder) -> Self {
        Self {
            now: folder.path().join("journal"),
            before: folder.path().join("journal.1"),
            cursors: Cursors::of(folder),
        }
    }

    /// Writes down what happened at a moment, and returns the numbers it got; `None` where nothing did. When
    /// this returns, a crash cannot lose it any more.
    ///
    /// # Errors
    /// When the system refuses. What was written by then is cut off by the next call, or is whole.
    pub fn append(
        &self,
        at: Timestamp,
        news: Vec<News>,
        _lock: &Locked,
    ) -> Result<Option<RangeInclusive<u64>>, StateError> {
        self.set_garbage_aside()?;
        let Some(more) = (news.len() as u64).checked_sub(1) else {
            return Ok(None);
        };
        let first = self.last()?.saturating_add(1);
        let mut lines = Vec::new();
        for (seq, news) in (first..).zip(news) {
            let line = Entry { seq, at, news }
                .line()
                .map_err(|error| StateError::io("write", &self.now)(error.into()))?;
            lines.extend(line);
        }
        self.write(&lines)?;
        Ok(Some(first..=first.saturating_add(more)))
    }

    /// The number of the newest entry there has been; 0 where there has been none.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn last(&self) -> Result<u64, StateError> {
        let newest = self.newest()?;
        // Should the files have been lost, the numbers still go on where the readers stand: numbers that
        // began again would be taken for news already told.
        Ok(newest.max(self.cursors.furthest()?))
    }

    /// The number of the newest entry that is kept; 0 where none is.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn newest(&self) -> Result<u64, StateError> {
        Ok(match last_in(&self.now)? {
            Some(seq) => seq,
            None => last_in(&self.before)?.unwrap_or(0),
        })
    }

    /// What is wrong with the file, if nothing in it can be understood. The next [`Journal::append`] keeps such a
    /// file aside, as `journal.damaged`. The beginning of a first entry is not wrong: a crash leaves one.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn damage(&self) -> Result<Option<String>, StateError> {
        let Some(file) = open(&self.now)? else {
            let stands = self.now.symlink_metadata().is_ok();
            return Ok(stands.then(|| "it is not a file".to_owned()));
        };
        let mut start = Vec::new();
        file.take(BEGINNING.len() as u64)
            .read_to_end(&mut start)
            .map_err(StateError::io("read", &self.now))?;
        let sound = BEGINNING.starts_with(&start) || last_in(&self.now)?.is_some();
        Ok((!sound).then(|| "no line of it is an entry".to_owned()))
    }

    fn set_garbage_aside(&self) -> Result<(), StateError> {
        if self.damage()?.is_none() {
            return Ok(());
        }
        let aside = self.now.with_extension("damaged");
        fs::rename(&self.now, &aside).map_err(StateError::io("set aside", &self.now))
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.now
    }

    /// Everything after the entry of that number; 0 for all that is kept.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn after(&self, seq: u64) -> Result<Unread, StateError> {
        // The newer file is opened first: if it is put aside between the two, it is read twice rather than
        // not at all, and what is read twice is dropped below.
        let now = open(&self.now)?;
        let before = open(&self.before)?;
        let mut unread = Unread::default();
        let mut last = seq;
        for (file, path) in [(before, &self.before), (now, &self.now)] {
            let Some(mut file) = file else { continue };
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)
                .map_err(StateError::io("read", path))?;
            for entry in whole_lines(&bytes).filter_map(Entry::parse) {
                if entry.seq > last {
                    unread.missed += entry.seq - last - 1;
                    last = entry.seq;
                    unread.entries.push(entry);
                }
            }
        }
        if seq == 0 {
            // Who begins at the beginning of what is kept has missed nothing he was to tell.
            unread.missed = 0;
        }
        Ok(unread)
    }

    /// The number of the last entry that a reader has told; `None` for one that never read.
    ///
    /// # Errors
    /// When the cursor cannot be read. One that cannot be understood counts as none, with a warning.
    pub fn told(&self, consumer: &Consumer) -> Result<Option<u64>, StateError> {
        self.cursors.read(consumer)
    }

    /// Remembers that a reader has told everything up to that number.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn set_told(&self, consumer: &Consumer, seq: u64, lock: &Locked) -> Result<(), StateError> {
        self.cursors.write(consumer, seq, lock)
    }

    /// Forgets a reader that will not come back.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn forget(&self, consumer: &Consumer, _lock: &Locked) -> Result<(), StateError> {
        self.cursors.remove(consumer)
    }

    fn write(&self, lines: &[u8]) -> Result<(), StateError> {
        let mut file = to_write()
            .read(true)
            .truncate(false)
            .open(&self.now)
            .map_err(StateError::io("open", &self.now))?;
        let end = cut_torn_line(&mut file).map_err(StateError::io("repair", &self.now))?;
        if end > 0 && end.saturating_add(lines.len() as u64) > ROTATE_AT {
            drop(file);
            fs::rename(&self.now, &self.before).map_err(StateError::io("put aside", &self.now))?;
            return self.write(lines);
        }
        file.seek(SeekFrom::Start(end))
            .and_then(|_| file.write_all(lines))
            .and_then(|()| file.sync_all())
            .map_err(StateError::io("write", &self.now))?;
        if end == 0
            && let Some(folder) = self.now.parent()
        {
            sync(folder)?; // the file is new, and so is its name
        }
        Ok(())
    }
}

/// Cuts off what a crash left of a last line, and returns where the next line begins.
fn cut_torn_line(file: &mut File) -> io::Result<u64> {
    let length = file.seek(SeekFrom::End(0))?;
    let mut end = length;
    let mut piece = [0; 4096];
    while end > 0 {
        let start = end.saturating_sub(piece.len() as u64);
        let piece = &mut piece[..usize::try_from(end - start).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(piece)?;
        if let Some(newline) = memchr::memrchr(b'\n', piece) {
            end = start + newline as u64 + 1;
            break;
        }
        end = start;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(end)
}

/// The number of the last whole line that can be understood, read from the end of the file.
fn last_in(path: &Path) -> Result<Option<u64>, StateError> {
    let Some(mut file) = open(path)? else {
        return Ok(None);
    };
    let failed = |error| StateError::io("read", path)(error);
    let length = file.seek(SeekFrom::End(0)).map_err(failed)?;
    let mut window = 64 << 10;
    loop {
        let start = length.saturating_sub(window);
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(start))
            .and_then(|_| file.read_to_end(&mut bytes))
            .map_err(failed)?;
        let last = whole_lines(&bytes)
            .collect::<Vec<_>>()
            .into_iter()
            .rev()
            // What the window's edge cut in two is no line any more and cannot be understood.
            .find_map(Entry::parse);
        if last.is_some() || start == 0 {
            return Ok(last.map(|entry| entry.seq));
        }
        window *= 8;
    }
}

/// Opens what is there, if it is a file.
fn open(path: &Path) -> Result<Option<File>, StateError> {
    if fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(None);
    }
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StateError::io("open", path)(error)),
    }
}

/// The lines that have their newline.
fn whole_lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let end = memchr::memrchr(b'\n', bytes).unwrap_or(0);
    bytes
        .get(..end)
        .unwrap_or_default()
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
}
