//! The archive: where rows go that are taken out of the roll. It lies beside the roll, is a roll itself, and only grows.
//!
//! No two rows of a roll have the same name. So a row whose name the archive has already goes to a further file.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::atomic::{self, Replaced, WriteError};
use super::edit::EditError;
use super::graft::{Cutting, cuttings, graft};
use super::layout::Layout;
use super::passage::sessions;
use super::read::{self, LARGEST, ReadError};
use super::{Roll, leftover, parse};

/// What a new archive begins with.
const EMPTY: &str = "\
# Rows that `headcount prune` has taken out of the roll beside this file, which is a roll itself: `headcount undo`
# puts one back, `headcount status --all --registry` this file shows them.
tmux_sessions: []
";

/// For nobody else to read: rows name folders and conversations.
const PRIVATE: u32 = 0o600;

/// How many bytes an archive may have; then another is begun.
const FULL: usize = 8 << 20;

/// How many archives a roll may have.
const MOST: usize = 10_000;

/// Why rows were not archived. Then they are not taken out of the roll either.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// A file that should be an archive is none.
    #[error("{} should be an archive of rows, and {why}; nothing was changed: put that file right, or move it away, and a new one is made", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, as a clause.
        why: String,
    },
    /// Somebody saved it meanwhile.
    #[error("{} was saved by somebody else meanwhile; nothing was changed: try again", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("the archive {0}, so nothing was taken out of the roll")]
    Write(#[from] WriteError),
}

/// The archives of a roll, as they were read.
#[derive(Debug)]
pub struct Archive {
    roll: PathBuf,
    files: Vec<File>,
    /// The number of the newest.
    last: usize,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    text: String,
    rows: Vec<Held>,
}

/// A row that is in an archive.
#[derive(Debug)]
struct Held {
    name: String,
    /// What it is; nothing where it cannot be told from the rest, and so cannot be the same as any other.
    cutting: Option<Cutting>,
}

/// Rows that are to be archived, and where each is, or will be.
#[derive(Debug)]
#[must_use = "nothing is written yet"]
pub struct Shelved {
    /// For each row, in their order.
    pub places: Vec<PathBuf>,
    /// The rows that were there already, and where.
    there: Vec<(PathBuf, Cutting)>,
    write: Option<Write>,
    roll: PathBuf,
}

#[derive(Debug)]
struct Write {
    path: PathBuf,
    before: Option<String>,
    after: String,
}

/// The path of an archive of a roll; they are counted from 1.
#[must_use]
pub fn path_of(roll: &Path, number: usize) -> PathBuf {
    let stem = roll.file_stem().unwrap_or_default().to_string_lossy();
    let mut name = format!("{stem}.archive");
    if number > 1 {
        name.push_str(&format!(".{number}"));
    }
    if let Some(extension) = roll.extension() {
        name.push('.');
        name.push_str(&extension.to_string_lossy());
    }
    roll.with_file_name(name)
}

/// The roll beside which a path would be an archive, by its name; `None` where it would be none.
#[must_use]
pub fn roll_of(path: &Path) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let of = |(at, word): (usize, &str)| {
        let (stem, rest) = (&name[..at], &name[at + word.len()..]);
        let numbered = rest.strip_prefix('.').and_then(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number = rest[..digits].parse().ok()?;
            Some((number, &rest[digits..]))
        });
        let is_it = |&(number, extension): &(usize, &str)| {
            let roll = path.with_file_name(format!("{stem}{extension}"));
            (1..MOST).contains(&number) && path_of(&roll, number) == *path
        };
        let found = numbered.into_iter().chain([(1, rest)]).find(is_it);
        found.map(|(_, extension)| path.with_file_name(format!("{stem}{extension}")))
    };
    name.rmatch_indices(".archive").find_map(of)
}

impl Archive {
    /// The archives beside a roll's file.
    ///
    /// # Errors
    ///
    /// One of them is none.
    pub fn beside(roll: &Path) -> Result<Self, ArchiveError> {
        let mut files = Vec::new();
        let mut last = 0;
        for number in numbers(roll) {
            files.extend(File::at(path_of(roll, number), roll)?);
            last = number;
        }
        Ok(Self {
            roll: roll.to_owned(),
            files,
            last,
        })
    }

    /// Where these rows are to be put; those that are there already stay where they are.
    ///
    /// # Errors
    ///
    /// They cannot be added to an archive without touching something else in it.
    pub fn shelve(&self, rows: &[Cutting]) -> Result<Shelved, ArchiveError> {
        let known = |row: &Cutting| self.files.iter().find(|file| file.holds(row));
        let new: Vec<Cutting> = rows
            .iter()
            .filter(|row| known(row).is_none())
            .cloned()
            .collect();
        let last = self.files.last().filter(|file| file.takes(&new));
        let next = path_of(&self.roll, self.last + 1);
        let path = last.map_or(&next, |file| &file.path);
        let mut shelved = Shelved {
            places: rows
                .iter()
                .map(|row| known(row).map_or(path, |file| &file.path).clone())
                .collect(),
            there: rows
                .iter()
                .filter_map(|row| Some((known(row)?.path.clone(), row.clone())))
                .collect(),
            write: None,
            roll: self.roll.clone(),
        };
        if new.is_empty() {
            return Ok(shelved);
        }
        let before = last.map(|file| file.text.clone());
        let after = graft(before.as_deref().unwrap_or(EMPTY), &new)
            .map_err(|error| damaged(path, error.to_string()))?;
        shelved.write = Some(Write {
            path: path.clone(),
            before,
            after,
        });
        Ok(shelved)
    }

    /// A row of that name and content.
    #[must_use]
    pub fn find(&self, name: &str, fingerprint: &str) -> Option<&Cutting> {
        let rows = self.files.iter().rev().flat_map(|file| &file.rows);
        let mut cuttings = rows.filter_map(|row| row.cutting.as_ref());
        cuttings.find(|row| row.name == name && row.fingerprint.as_str() == fingerprint)
    }
}

impl Shelved {
    /// Writes the archive. When this returns, the rows are on the disk.
    ///
    /// # Errors
    ///
    /// The folder or the disk does not take it, or somebody saved it meanwhile.
    pub fn write(&self) -> Result<(), ArchiveError> {
        for (path, row) in &self.there {
            // Somebody may have taken it out since.
            let file = File::at(path.clone(), &self.roll)?;
            if !file.is_some_and(|file| file.holds(row)) {
                return Err(ArchiveError::Busy { path: path.clone() });
            }
        }
        let Some(Write {
            path,
            before,
            after,
        }) = &self.write
        else {
            return Ok(());
        };
        // What a link leads to is what is written.
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        leftover::tidy(&target);
        let is_written = match before {
            None => atomic::create(&target, after.as_bytes(), PRIVATE)?,
            Some(before) => {
                let replaced = atomic::replace(&target, before.as_bytes(), after.as_bytes())?;
                replaced == Replaced::Done
            }
        };
        // It may be asked for again, when the roll was not written after all.
        let is_there = || read::bytes(&target).is_ok_and(|(bytes, _)| bytes == after.as_bytes());
        if is_written || is_there() {
            return Ok(());
        }
        Err(ArchiveError::Busy { path: path.clone() })
    }
}

impl File {
    fn at(path: PathBuf, roll: &Path) -> Result<Option<Self>, ArchiveError> {
        let mut backup = roll.as_os_str().to_owned();
        backup.push(".bak");
        for (other, what) in [(roll, "the roll"), (Path::new(&backup), "its backup")] {
            if is_one_file(&path, other) {
                return Err(damaged(&path, format!("it is {what} under another name")));
            }
        }
        let text = match read::read(&Roll::at(path.clone())) {
            Ok(contents) => contents.text,
            Err(ReadError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(damaged(&path, unread(&error))),
        };
        let rows = rows_of(&text).map_err(|why| damaged(&path, why))?;
        Ok(Some(Self { path, text, rows }))
    }

    /// Whether it has this very row.
    fn holds(&self, row: &Cutting) -> bool {
        let mut cuttings = self.rows.iter().filter_map(|held| held.cutting.as_ref());
        cuttings.any(|held| held.is(row))
    }

    /// Whether these rows can be added and it is a roll still.
    fn takes(&self, new: &[Cutting]) -> bool {
        let is_taken = |row: &Cutting| self.rows.iter().any(|held| held.name == row.name);
        self.text.len() < FULL && !new.iter().any(is_taken)
    }
}

/// The numbers of the archives that are there, in their order.
fn numbers(roll: &Path) -> Vec<usize> {
    let folder = roll.parent().unwrap_or(roll);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names: BTreeSet<OsString> = entries.map(|entry| entry.file_name()).collect();
    let is_there = |number: &usize| {
        let path = path_of(roll, *number);
        path.file_name().is_some_and(|name| names.contains(name))
    };
    // One may have been moved away from between two others.
    (1..MOST).filter(is_there).collect()
}

/// Whether two paths lead to the same file.
fn is_one_file(one: &Path, other: &Path) -> bool {
    let id = |path: &Path| {
        let found = fs::metadata(path).ok()?;
        Some((found.dev(), found.ino()))
    };
    id(one).is_some_and(|one| id(other) == Some(one))
}

fn rows_of(text: &str) -> Result<Vec<Held>, String> {
    let document = parse::document(text).map_err(|error| error.to_string())?;
    if document.documents > 1 {
        return Err(EditError::ManyDocuments {
            count: document.documents,
        }
        .to_string());
    }
    let layout = Layout::of(parse::without_mark(text))?;
    let Some((_, list)) = sessions(&layout) else {
        return match document.root.get("tmux_sessions") {
            Some(super::datum::Datum::Null) => Ok(Vec::new()),
            _ => Err("it has no list `tmux_sessions`".to_owned()),
        };
    };
    let all: Vec<usize> = (0..list.items.len()).collect();
    let cuttings = cuttings(text, &all).map_err(|error| error.to_string())?;
    let rows = all.into_iter().zip(cuttings).map(|(index, cutting)| {
        let name = super::passage::row(&document.root, index);
        let name = name
            .and_then(|row| row.get("name"))
            .and_then(|name| name.text());
        Held {
            name: name.unwrap_or_default().to_owned(),
            cutting: cutting.ok(),
        }
    });
    Ok(rows.collect())
}

/// Why an archive cannot be read, as a clause: what to do about a roll is not to be done about an archive.
fn unread(error: &ReadError) -> String {
    match error {
        ReadError::Missing { .. } => "it does not exist".to_owned(),
        ReadError::Dangling { target, .. } => {
            format!("it is a symbolic link to {target}, where there is nothing")
        }
        ReadError::NotAFile { kind, .. } => format!("it is {kind}, not a file"),
        ReadError::Unreadable { source, .. } => format!("it cannot be read: {source}"),
        ReadError::TooLarge { size, .. } => {
            format!("it has {size} bytes, where {LARGEST} is the most that is read")
        }
        ReadError::NotUtf8 { offset, .. } => format!("it is not UTF-8 (byte {offset})"),
        ReadError::Binary { offset, .. } => format!("it is no text (byte {offset} is zero)"),
        ReadError::Empty { .. } => "it is empty".to_owned(),
    }
}

fn damaged(path: &Path, why: String) -> ArchiveError {
    ArchiveError::Damaged {
        path: path.to_owned(),
        why,
    }
}

#[cfg(test)]
mod tests;
