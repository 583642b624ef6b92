//! Finding the roll: the one that is named, else the nearest one at or above a folder.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::Roll;

/// The folders that a roll can lie in, and its name there.
const PLACES: [&str; 2] = [".hermes/agent-sessions.yaml", ".mam/agent-sessions.yaml"];

/// A `.git` file or a `commondir` holds one path.
const LARGEST_LINK: u64 = 64 * 1024;

/// Why no roll was found.
#[derive(Debug, Error)]
pub enum FindError {
    /// There is none at or above the folder.
    #[error(
        "no .hermes/agent-sessions.yaml at or above {}: `headcount init` creates one, `--registry PATH` names one",
        folder.display()
    )]
    None {
        /// The folder.
        folder: PathBuf,
    },
    /// There are two, and nothing says which.
    #[error(
        "{} has both {} and {}: name one of them with --registry PATH",
        folder.display(), PLACES[0], PLACES[1]
    )]
    Two {
        /// The folder that has both.
        folder: PathBuf,
    },
    /// It is another user's.
    #[error("{} belongs to user {owner}: name it with --registry PATH if it is meant", path.display())]
    Foreign {
        /// The roll.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// It could not be looked for.
    #[error("{} cannot be looked into: {source}; name the roll with --registry PATH", path.display())]
    Failed {
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The folder of the project that a roll is of: the one above `.hermes` or `.mam`, else the roll's own.
#[must_use]
pub fn project_of(roll: &Path) -> &Path {
    let folder = roll.parent().unwrap_or(roll);
    let is_a_rolls = PLACES
        .iter()
        .any(|place| Path::new(place).parent().map(Path::as_os_str) == folder.file_name());
    if is_a_rolls {
        folder.parent().unwrap_or(folder)
    } else {
        folder
    }
}

/// The roll for a working folder: the nearest one at or above it, if this user owns it. In a linked git
/// worktree it is the main checkout's, since a worktree's own copy would be another roll.
///
/// # Errors
///
/// There is none, there are two, it is another user's, or it could not be looked for.
pub fn locate(folder: &Path, uid: u32) -> Result<Roll, FindError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| FindError::Failed { path, source }
    };
    let folder = fs::canonicalize(folder).map_err(failed(folder))?;
    let start = main_checkout(&folder).map_err(failed(&folder))?;
    for place in start.as_deref().into_iter().chain([folder.as_path()]) {
        for above in place.ancestors() {
            let rolls = rolls_in(above).map_err(failed(above))?;
            match rolls.as_slice() {
                [] => {}
                [path] => {
                    // A link to nothing is told when it is read.
                    let owner = fs::metadata(path)
                        .or_else(|_| fs::symlink_metadata(path))
                        .map_err(failed(path))?
                        .uid();
                    if owner != uid {
                        return Err(FindError::Foreign {
                            path: path.clone(),
                            owner,
                        });
                    }
                    return Ok(Roll::at(path.clone()));
                }
                _ => {
                    return Err(FindError::Two {
                        folder: above.to_owned(),
                    });
                }
            }
        }
    }
    Err(FindError::None { folder })
}

/// The nearest roll at or above a folder, as a session that works there would find it.
///
/// # Errors
///
/// It could not be looked for: that says nothing of whether there is one.
pub fn nearest_roll(folder: &Path) -> io::Result<Option<PathBuf>> {
    let folder = fs::canonicalize(folder)?;
    let start = main_checkout(&folder)?;
    for place in start.as_deref().into_iter().chain([folder.as_path()]) {
        for above in place.ancestors() {
            if let Some(path) = rolls_in(above)?.into_iter().next() {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

/// Whatever stands at a roll's place counts: a FIFO there is a roll that cannot be read, and no reason to
/// take one further up.
fn rolls_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for place in PLACES {
        let path = folder.join(place);
        match fs::symlink_metadata(&path) {
            Ok(_) => found.push(path),
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// The main checkout of the linked git worktree that a folder lies in. `None` where it lies in none.
fn main_checkout(folder: &Path) -> io::Result<Option<PathBuf>> {
    for above in folder.ancestors() {
        let git = above.join(".git");
        match fs::symlink_metadata(&git) {
            Ok(meta) if meta.is_file() => return of_worktree(above, &git),
            // The main checkout itself.
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Follows `.git` → `…/.git/worktrees/NAME` → `commondir` → the main checkout. A submodule has a `.git` file
/// too, but no `commondir`.
fn of_worktree(top: &Path, git: &Path) -> io::Result<Option<PathBuf>> {
    let Some(link) = read_link_file(git)? else {
        return Ok(None);
    };
    let Some(private) = link.strip_prefix("gitdir:").map(str::trim) else {
        return Ok(None);
    };
    let private = top.join(private);
    let Some(common) = read_link_file(&private.join("commondir"))? else {
        return Ok(None);
    };
    let common = fs::canonicalize(private.join(common.trim()))?;
    Ok(match common.file_name() {
        Some(name) if name == ".git" => common.parent().map(Path::to_owned),
        // A bare repository has no main checkout.
        _ => None,
    })
}

fn read_link_file(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_file() && meta.len() <= LARGEST_LINK => {
            Ok(String::from_utf8(fs::read(path)?).ok())
        }
        Ok(_) => Ok(None),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_roll_is_of_the_project_above_the_folder_that_rolls_lie_in() {
        for (roll, project) in [
            ("/src/shop/.hermes/agent-sessions.yaml", "/src/shop"),
            ("/src/shop/.mam/agent-sessions.yaml", "/src/shop"),
            ("/src/shop/.hermes/other.yaml", "/src/shop"),
            ("/src/shop/roll.yaml", "/src/shop"),
            ("/.hermes/agent-sessions.yaml", "/"),
            ("/roll.yaml", "/"),
        ] {
            assert_eq!(project_of(Path::new(roll)), Path::new(project), "{roll}");
        }
    }

    fn put(path: PathBuf, text: &str) -> PathBuf {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn uid() -> u32 {
        rustix::process::getuid().as_raw()
    }

    #[test]
    fn the_nearest_roll_above_is_the_one() {
        let top = tempfile::tempdir().unwrap();
        put(top.path().join(PLACES[0]), "");
        let near = put(top.path().join("a").join(PLACES[1]), "");
        let folder = top.path().join("a/b/c");
        fs::create_dir_all(&folder).unwrap();
        let found = locate(&folder, uid()).unwrap();
        assert_eq!(found.target, fs::canonicalize(&near).unwrap());
        assert_eq!(nearest_roll(&folder).unwrap(), Some(found.named));
    }

    #[test]
    fn two_in_one_folder_are_refused_until_one_is_named() {
        let top = tempfile::tempdir().unwrap();
        put(top.path().join(PLACES[0]), "");
        put(top.path().join(PLACES[1]), "");
        assert!(matches!(
            locate(top.path(), uid()),
            Err(FindError::Two { .. })
        ));
    }

    #[test]
    fn another_users_roll_is_refused() {
        let top = tempfile::tempdir().unwrap();
        put(top.path().join(PLACES[0]), "");
        assert!(matches!(
            locate(top.path(), uid() + 1),
            Err(FindError::Foreign { .. })
        ));
    }

    #[test]
    fn a_linked_worktree_has_the_roll_of_its_main_checkout() {
        let top = tempfile::tempdir().unwrap();
        let main = put(top.path().join("main").join(PLACES[0]), "");
        put(top.path().join("tree").join(PLACES[0]), "");
        put(
            top.path().join("main/.git/worktrees/tree/commondir"),
            "../..\n",
        );
        put(
            top.path().join("tree/.git"),
            "gitdir: ../main/.git/worktrees/tree\n",
        );
        let found = locate(&top.path().join("tree"), uid()).unwrap();
        assert_eq!(found.target, fs::canonicalize(main).unwrap());
    }

    #[test]
    fn a_submodule_is_not_a_worktree() {
        let top = tempfile::tempdir().unwrap();
        let own = put(top.path().join("sub").join(PLACES[0]), "");
        fs::create_dir_all(top.path().join(".git/modules/sub")).unwrap();
        put(top.path().join("sub/.git"), "gitdir: ../.git/modules/sub\n");
        let found = locate(&top.path().join("sub"), uid()).unwrap();
        assert_eq!(found.target, fs::canonicalize(own).unwrap());
    }
}
