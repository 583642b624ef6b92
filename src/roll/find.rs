//! Which file is the roll.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use thiserror::Error;

use super::Roll;

/// Where a roll may stand in a folder.
pub const PLACES: [&str; 2] = [".hermes/agent-sessions.yaml", ".mam/agent-sessions.yaml"];

/// Why there is no telling which file is the roll.
#[derive(Debug, Error)]
pub enum FindError {
    /// There is none.
    #[error(
        "no {} or {} at or above {}{}: `headcount init` creates one, `--registry PATH` names one",
        PLACES[0], PLACES[1], folder.display(), passed_by(foreign.as_deref())
    )]
    Nowhere {
        /// Where the search began.
        folder: PathBuf,
        /// A roll that was passed by, since it belongs to another user.
        foreign: Option<PathBuf>,
    },
    /// There are two in one place.
    #[error("{} and {} stand side by side: name one with `--registry PATH`", one.display(), other.display())]
    Two {
        /// The one.
        one: PathBuf,
        /// The other.
        other: PathBuf,
    },
    /// A folder cannot be looked into.
    #[error("{} cannot be looked for: {source}; `--registry PATH` names the roll", path.display())]
    Blocked {
        /// What was looked for.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

fn passed_by(foreign: Option<&Path>) -> String {
    foreign.map_or_else(String::new, |path| {
        format!(" ({} belongs to another user)", path.display())
    })
}

/// Finds the roll: the one that was named, else the one the environment names, else the nearest one at or above
/// the folder `cwd` that belongs to this user. What is named need not exist.
///
/// # Errors
///
/// Nothing was named, and there is no roll, or there are two in one place, or a folder cannot be looked into.
pub fn find(explicit: Option<&Path>, env: Option<&OsStr>, cwd: &Path) -> Result<Roll, FindError> {
    let named = explicit.or_else(|| env.filter(|env| !env.is_empty()).map(Path::new));
    if let Some(named) = named {
        return Ok(Roll::at(cwd.join(named)));
    }
    let mut foreign = None;
    let mut two = None;
    let found = climb(cwd, main_checkout, |folder| {
        let [one, other] = look_into(folder)?;
        for found in [&one, &other] {
            if let Found::Foreign(path) = found {
                foreign.get_or_insert_with(|| path.clone());
            }
        }
        if let (Found::Own(one), Found::Own(other)) = (&one, &other) {
            two = Some((one.clone(), other.clone()));
        }
        Ok(one.own().or_else(|| other.own()))
    })?;
    match (two, found) {
        (Some((one, other)), _) => Err(FindError::Two { one, other }),
        (None, Some(path)) => Ok(Roll::at(path)),
        (None, None) => Err(FindError::Nowhere {
            folder: cwd.to_owned(),
            foreign,
        }),
    }
}

/// The nearest rolls of many folders. What was seen of a folder is remembered, since sessions share their parents.
#[derive(Debug, Default)]
pub struct Neighbourhood {
    rolls: HashMap<PathBuf, Option<PathBuf>>,
    checkouts: HashMap<PathBuf, Option<PathBuf>>,
}

impl Neighbourhood {
    /// The nearest roll at or above a folder, symlinks followed, as [`find`] would find it from there.
    ///
    /// # Errors
    ///
    /// A folder on the way cannot be looked into: there may or may not be a nearer roll.
    pub fn nearest_roll(&mut self, folder: &Path) -> io::Result<Option<PathBuf>> {
        let Self { rolls, checkouts } = self;
        let checkout = |folder: &Path| match checkouts.get(folder) {
            Some(known) => known.clone(),
            None => {
                let main = main_checkout(folder);
                checkouts.insert(folder.to_owned(), main.clone());
                main
            }
        };
        climb(folder, checkout, |folder| {
            if let Some(known) = rolls.get(folder) {
                return Ok(known.clone());
            }
            let [one, other] = look_into(folder)?;
            let roll = one.own().or_else(|| other.own());
            let roll = roll.map(fs::canonicalize).transpose();
            let roll = roll.map_err(|source| FindError::Blocked {
                path: folder.to_owned(),
                source,
            })?;
            rolls.insert(folder.to_owned(), roll.clone());
            Ok(roll)
        })
        .map_err(|error| match error {
            FindError::Blocked { source, .. } => source,
            other => io::Error::other(other),
        })
    }
}

/// The nearest roll at or above one folder: see [`Neighbourhood::nearest_roll`].
///
/// # Errors
///
/// A folder on the way cannot be looked into.
pub fn nearest_roll(folder: &Path) -> io::Result<Option<PathBuf>> {
    Neighbourhood::default().nearest_roll(folder)
}

/// Asks a folder and those above it, the nearest first, until one answers. For the folders of a linked git
/// worktree, those of the main checkout are asked first: the roll is one for all worktrees of a repository, and
/// where it is checked in, every worktree has a copy that nobody writes.
fn climb<T>(
    from: &Path,
    mut main_checkout: impl FnMut(&Path) -> Option<PathBuf>,
    mut ask: impl FnMut(&Path) -> Result<Option<T>, FindError>,
) -> Result<Option<T>, FindError> {
    let from = plain(from);
    let worktree = from
        .ancestors()
        .find_map(|folder| Some((folder, main_checkout(folder)?)));
    if let Some((worktree, main)) = worktree {
        let inside = from.strip_prefix(worktree).unwrap_or(Path::new(""));
        for folder in inside.ancestors() {
            if let Some(answer) = ask(&main.join(folder))? {
                return Ok(Some(answer));
            }
        }
    }
    for folder in from.ancestors() {
        if let Some(answer) = ask(folder)? {
            return Ok(Some(answer));
        }
    }
    Ok(None)
}

/// A path without `.` and without a slash at its end.
fn plain(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| !matches!(part, Component::CurDir))
        .collect()
}

/// The main checkout of the repository, if this folder is one of its linked worktrees: its `.git` is a file that
/// names a folder with a `commondir`.
fn main_checkout(folder: &Path) -> Option<PathBuf> {
    let link = small_file(&folder.join(".git"))?;
    let own = folder.join(link.trim_end().strip_prefix("gitdir:")?.trim());
    let common = own.join(small_file(&own.join("commondir"))?.trim_end());
    let common = fs::canonicalize(common).ok()?;
    // A bare repository has no checkout.
    (common.file_name()? == ".git").then(|| common.parent().map(Path::to_owned))?
}

/// The text of a file that has no business to be long.
fn small_file(path: &Path) -> Option<String> {
    const LONGEST: u64 = 8 * 1024;
    let metadata = fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > LONGEST {
        return None;
    }
    fs::read_to_string(path).ok()
}

/// What stands in a place for a roll.
enum Found {
    Own(PathBuf),
    Foreign(PathBuf),
    Nothing,
}

impl Found {
    fn own(self) -> Option<PathBuf> {
        match self {
            Self::Own(path) => Some(path),
            Self::Foreign(_) | Self::Nothing => None,
        }
    }
}

fn look_into(folder: &Path) -> Result<[Found; 2], FindError> {
    let [one, other] = PLACES.map(|place| look_at(folder.join(place)));
    Ok([one?, other?])
}

fn look_at(path: PathBuf) -> Result<Found, FindError> {
    match fs::metadata(&path) {
        Ok(metadata) if metadata.uid() == rustix::process::getuid().as_raw() => {
            Ok(Found::Own(path))
        }
        Ok(_) => Ok(Found::Foreign(path)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            Ok(Found::Nothing)
        }
        Err(source) => Err(FindError::Blocked { path, source }),
    }
}
