//! The transaction, [`rewrite`]: the only function of the program that writes the roll.
//!
//! A result that has lost a row, or anything else, cannot get here: an edited text reads as the old one with
//! the steps of the edits carried out, or it is none, and no step takes a row away. What a person asks for, to put a
//! row back or to archive one, is read again as well, and has to say just that; what is archived is on the disk before.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use thiserror::Error;

use super::Roll;
use super::archive::ArchiveError;
use super::atomic::{self, Replaced, WriteError};
use super::edit::{self, EditError};
use super::holder::{self, Holder};
use super::leftover;
use super::lock::{LockError, RollLock};
use super::openings::Openings;
use super::parse::NotYaml;
use super::passage::{Passage, passages};
use super::read::{self, Contents, ReadError};
use crate::clock;
use crate::core::edit::{Edit, Target};
use crate::core::ids::{DriftId, Fingerprint, SessionName};
use crate::core::registry::Registry;

/// How often a write is tried while somebody saves the roll without taking the lock, and the pause between.
const TRIES: usize = 5;
const PAUSE: Duration = Duration::from_millis(50);

/// How long to wait for a program that has the roll open for writing, and no lock on it.
const SAVING: Duration = Duration::from_secs(1);

/// How to commit.
#[derive(Clone, Copy, Debug)]
pub struct CommitOptions {
    /// How long to wait for the roll's locks.
    pub lock_timeout: Duration,
    /// When the look that the edits rest on is too old.
    pub stale_at: Instant,
}

/// What became of the edits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Committed {
    /// No edit was left to be made: nothing was written.
    Unchanged {
        /// What became of the edits.
        left_out: LeftOut,
    },
    /// The look was too old when the lock was got: nothing was written.
    Stale,
    /// The roll was written.
    Written {
        /// The drifts whose edits were made.
        applied: Vec<DriftId>,
        /// What became of the others.
        left_out: LeftOut,
        /// SHA-256 of what was written.
        fingerprint: Fingerprint,
    },
}

/// The edits that were not made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Because the row was changed, taken away or made by somebody else meanwhile.
    pub dropped: Vec<DriftId>,
    /// Because they cannot be made without touching something else, each with the sentence that says so.
    pub refused: Vec<(DriftId, String)>,
}

impl LeftOut {
    /// Why the edit of this drift would not be made; `None` if it would.
    #[must_use]
    pub fn reason(&self, cause: &DriftId) -> Option<&str> {
        let refused = self.refused.iter().find(|(other, _)| other == cause);
        let dropped = self.dropped.contains(cause);
        refused
            .map(|(_, why)| why.as_str())
            .or_else(|| dropped.then_some("somebody else is at work on its row"))
    }
}

/// Why the roll was not written.
#[derive(Debug, Error)]
pub enum CommitError {
    /// The lock was not got.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The roll cannot be read any more.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The roll is no YAML any more.
    #[error("{}: {source}", path.display())]
    NotYaml {
        /// The roll.
        path: PathBuf,
        /// What is wrong with it.
        source: NotYaml,
    },
    /// The roll as a whole cannot be edited.
    #[error("{} is not edited: {source}", path.display())]
    NotEditable {
        /// The roll.
        path: PathBuf,
        /// Why not.
        source: EditError,
    },
    /// Another writer's newer store stands beside it.
    #[error("{} stands beside the roll and is another program's newer store, so the roll is only read: let that program write, or move the store away", path.display())]
    NewerStore {
        /// That store.
        path: PathBuf,
    },
    /// Somebody has it open for writing without its lock.
    #[error("{} is open for writing in {writer}, which has not taken its lock, so nothing is written: try again when that has closed it", path.display())]
    Open {
        /// The roll.
        path: PathBuf,
        /// Which process it is.
        writer: Holder,
    },
    /// Somebody keeps saving the roll without its lock.
    #[error("{} is being saved again and again without its lock: try again when that has ended", path.display())]
    Restless {
        /// The roll.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The rows that were to be taken out of it were not archived.
    #[error(transparent)]
    NotArchived(#[from] ArchiveError),
}

/// A row that is about to be written: as it stands, and as it will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewriting {
    /// Its name.
    pub name: String,
    /// What causes it: one edit or several.
    pub causes: Vec<DriftId>,
    /// As it stands; `None` for a new one.
    pub before: Option<Passage>,
    /// As it will.
    pub after: Passage,
}

/// Makes edits. Under the lock the roll is read again; an edit whose row is not as it was in `expected` is
/// dropped, all others are made in one replacement of the file, or none is.
///
/// # Errors
///
/// The lock is not got, the roll cannot be read, or it cannot be written. Then it is as it was.
pub async fn commit(
    roll: &Roll,
    expected: &Registry,
    edits: &[Edit],
    options: CommitOptions,
) -> Result<Committed, CommitError> {
    commit_noted(roll, expected, edits, options, |_| ()).await
}

/// The same. Right before the roll is written, `note` is told what of it: it may yet not come to that.
///
/// # Errors
///
/// As of [`commit`].
pub async fn commit_noted(
    roll: &Roll,
    expected: &Registry,
    edits: &[Edit],
    options: CommitOptions,
    mut note: impl FnMut(Vec<Rewriting>),
) -> Result<Committed, CommitError> {
    if edits.is_empty() {
        return Ok(Committed::Unchanged {
            left_out: LeftOut::default(),
        });
    }
    let make = |roll: &Roll, contents: &Contents| {
        let current = if contents.fingerprint == expected.fingerprint {
            Cow::Borrowed(expected)
        } else {
            Cow::Owned(registry(roll, contents)?)
        };
        let (mut fitting, dropped) = fit(&current, edits);
        let (text, refused) = edit_all(roll, &contents.text, &fitting)?;
        fitting.retain(|edit| !refused.iter().any(|(cause, _)| *cause == edit.cause));
        let rows = if text == contents.text {
            Vec::new()
        } else {
            rewriting(&contents.text, &text, &fitting)
        };
        let applied: Vec<DriftId> = fitting.into_iter().map(|edit| edit.cause).collect();
        Ok((text, (applied, LeftOut { dropped, refused }, rows)))
    };
    let announce = |said: &mut (_, _, Vec<Rewriting>)| note(std::mem::take(&mut said.2));
    let rewritten = rewrite_noted(roll, options, make, announce).await?;
    Ok(match rewritten {
        None => Committed::Stale,
        Some(Rewritten {
            said: (_, left_out, _),
            fingerprint: None,
        }) => Committed::Unchanged { left_out },
        Some(Rewritten {
            said: (applied, left_out, _),
            fingerprint: Some(fingerprint),
        }) => Committed::Written {
            applied,
            left_out,
            fingerprint,
        },
    })
}

/// The rows that these edits have changed.
fn rewriting(before: &str, after: &str, edits: &[Edit]) -> Vec<Rewriting> {
    let mut causes: BTreeMap<&str, Vec<DriftId>> = BTreeMap::new();
    for edit in edits {
        let name = edit.target.name().as_str();
        causes.entry(name).or_default().push(edit.cause.clone());
    }
    let names: Vec<&str> = causes.keys().copied().collect();
    let mut before = passages(before, &names);
    let mut after = passages(after, &names);
    causes
        .into_iter()
        .filter_map(|(name, causes)| {
            Some(Rewriting {
                name: name.to_owned(),
                causes,
                before: before.remove(name),
                after: after.remove(name)?,
            })
        })
        .collect()
}

/// What came of [`rewrite`].
#[derive(Debug)]
#[must_use]
pub struct Rewritten<T> {
    /// What was said with the new text.
    pub said: T,
    /// SHA-256 of what was written; `None` if it was the same, and nothing was.
    pub fingerprint: Option<Fingerprint>,
}

/// Replaces the text of the roll by what `make` makes of it, under the lock, and as a whole or not at all. `make` is
/// asked again where somebody saved the roll meanwhile. `None`: too late.
///
/// # Errors
///
/// The lock is not got, the roll cannot be read or written, or `make` refuses. Then it is as it was.
pub async fn rewrite<T>(
    roll: &Roll,
    options: CommitOptions,
    make: impl FnMut(&Roll, &Contents) -> Result<(String, T), CommitError>,
) -> Result<Option<Rewritten<T>>, CommitError> {
    rewrite_noted(roll, options, make, |_| ()).await
}

/// The same. `announce` hears what was said right before the roll is written, once nothing is known to be in the way.
async fn rewrite_noted<T>(
    roll: &Roll,
    options: CommitOptions,
    mut make: impl FnMut(&Roll, &Contents) -> Result<(String, T), CommitError>,
    mut announce: impl FnMut(&mut T),
) -> Result<Option<Rewritten<T>>, CommitError> {
    let roll = &roll.as_it_is();
    let _lock = RollLock::acquire(roll, options.lock_timeout).await?;
    leftover::tidy(&roll.target);
    let closed_by = clock::monotonic() + options.lock_timeout.min(SAVING);
    let mut trouble = None;
    for _ in 0..TRIES {
        if clock::monotonic() > options.stale_at {
            return Ok(None);
        }
        trouble = match attempt(roll, &mut make, &mut announce) {
            Ok(Some(rewritten)) => return Ok(Some(rewritten)),
            Ok(None) => None,
            Err(error @ CommitError::Open { .. }) => {
                while holder::writer_of(&roll.target).is_some() {
                    if clock::monotonic() > closed_by {
                        return Err(error);
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                Some(error)
            }
            // Whoever saves it in place passes through an empty file.
            Err(
                error @ (CommitError::Read(ReadError::Empty { .. }) | CommitError::NotYaml { .. }),
            ) => Some(error),
            Err(error) => return Err(error),
        };
        tokio::time::sleep(PAUSE).await;
    }
    Err(trouble.unwrap_or_else(|| CommitError::Restless {
        path: roll.named.clone(),
    }))
}

/// What a roll would become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// Its text now.
    pub before: String,
    /// Its text with the edits made.
    pub after: String,
    /// The edits that would not be made.
    pub left_out: LeftOut,
}

/// What the roll would become if these edits were made now. Nothing is written and nothing locked; `None` where
/// the roll is another than was `expected`.
///
/// # Errors
///
/// The roll cannot be read, or cannot be edited as a whole.
pub fn preview(
    roll: &Roll,
    expected: &Registry,
    edits: &[Edit],
) -> Result<Option<Preview>, CommitError> {
    let contents = read::read(roll)?;
    if contents.fingerprint != expected.fingerprint {
        return Ok(None);
    }
    Preview::of(roll, &contents.text, expected, edits).map(Some)
}

impl Preview {
    /// What a text that declares this would become.
    ///
    /// # Errors
    ///
    /// It cannot be edited as a whole.
    pub fn of(
        roll: &Roll,
        text: &str,
        declared: &Registry,
        edits: &[Edit],
    ) -> Result<Self, CommitError> {
        let (fitting, dropped) = fit(declared, edits);
        let (after, refused) = edit_all(roll, text, &fitting)?;
        Ok(Self {
            before: text.to_owned(),
            after,
            left_out: LeftOut { dropped, refused },
        })
    }
}

/// One try under the lock; `None` if somebody saved the roll meanwhile.
fn attempt<T>(
    roll: &Roll,
    make: &mut impl FnMut(&Roll, &Contents) -> Result<(String, T), CommitError>,
    announce: &mut impl FnMut(&mut T),
) -> Result<Option<Rewritten<T>>, CommitError> {
    if roll.as_it_is() != *roll {
        // It has become another file, whose lock is another one.
        return Ok(None);
    }
    if let Some(path) = read::newer_store(roll) {
        return Err(CommitError::NewerStore { path });
    }
    let contents = read::read(roll)?;
    let since = Openings::of(&roll.target);
    // Whoever saves it in place may be half done. To look for such a one takes about as long as the edits.
    let (made, writer) = beside(|| make(roll, &contents), || holder::writer_of(&roll.target));
    let (text, mut said) = made?;
    if text == contents.text {
        return Ok(Some(Rewritten {
            said,
            fingerprint: None,
        }));
    }
    if let Some(writer) = writer {
        return Err(CommitError::Open {
            path: roll.named.clone(),
            writer,
        });
    }
    if !read::is_unchanged(roll, &contents) {
        return Ok(None);
    }
    announce(&mut said);
    let replaced = atomic::replace_unless_opened(
        &roll.target,
        contents.text.as_bytes(),
        text.as_bytes(),
        since.as_ref(),
    )?;
    Ok(match replaced {
        Replaced::Done => Some(Rewritten {
            said,
            fingerprint: Some(read::fingerprint(text.as_bytes())),
        }),
        Replaced::Displaced => None,
    })
}

/// Does one thing, and another at the same time on a thread of its own, where the system gives one.
fn beside<T, U: Send>(one: impl FnOnce() -> T, other: impl Fn() -> U + Sync) -> (T, U) {
    thread::scope(|scope| {
        let begun = thread::Builder::new().spawn_scoped(scope, &other).ok();
        let one = one();
        let done = begun.and_then(|begun| begun.join().ok());
        (one, done.unwrap_or_else(&other))
    })
}

fn registry(roll: &Roll, contents: &Contents) -> Result<Registry, CommitError> {
    contents.registry().map_err(|source| CommitError::NotYaml {
        path: roll.named.clone(),
        source,
    })
}

/// The edits whose rows are as they were, and the causes of the others.
fn fit(current: &Registry, edits: &[Edit]) -> (Vec<Edit>, Vec<DriftId>) {
    let rows: HashMap<_, _> = current
        .rows
        .iter()
        .map(|row| (&row.name, &row.fingerprint))
        .collect();
    let mut taken: HashSet<SessionName> = rows.keys().map(|name| name.normalised()).collect();
    taken.extend(
        current
            .invalid
            .iter()
            .filter_map(|row| Some(row.name.as_ref()?.normalised())),
    );
    let mut fitting = Vec::new();
    let mut dropped = Vec::new();
    for edit in edits {
        let fits = match &edit.target {
            Target::Row { name, fingerprint } => rows.get(name) == Some(&fingerprint),
            Target::New { name } => taken.insert(name.normalised()),
        };
        if fits {
            fitting.push(edit.clone());
        } else {
            dropped.push(edit.cause.clone());
        }
    }
    (fitting, dropped)
}

/// The text with the edits made, and those that were not, each with why.
fn edit_all(
    roll: &Roll,
    text: &str,
    edits: &[Edit],
) -> Result<(String, Vec<(DriftId, String)>), CommitError> {
    edit_what_can_be(text, edits).map_err(|source| CommitError::NotEditable {
        path: roll.named.clone(),
        source,
    })
}

/// Makes all edits that can be made: what one row refuses must not stop the others.
fn edit_what_can_be(
    text: &str,
    edits: &[Edit],
) -> Result<(String, Vec<(DriftId, String)>), EditError> {
    match (edit::apply(text, edits), edits) {
        (Ok(text), _) => Ok((text, Vec::new())),
        (Err(error @ (EditError::NotYaml(_) | EditError::ManyDocuments { .. })), _) => Err(error),
        (Err(error), [only]) => Ok((
            text.to_owned(),
            vec![(only.cause.clone(), error.to_string())],
        )),
        (Err(_), several) => {
            let (first, second) = several.split_at(several.len() / 2);
            let (text, mut refused) = edit_what_can_be(text, first)?;
            let (text, more) = edit_what_can_be(&text, second)?;
            refused.extend(more);
            Ok((text, refused))
        }
    }
}

#[cfg(test)]
mod tests;
