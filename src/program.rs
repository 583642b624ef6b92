//! Finding other programs.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// The program of that name in the first folder of `path` (the value of `PATH`) that has it. Folders that depend on
/// where headcount happens to work are left out.
#[must_use]
pub fn find(name: &str, path: Option<&OsStr>) -> Option<PathBuf> {
    path.into_iter()
        .flat_map(std::env::split_paths)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|program| is_program(program))
}

/// This program: the name by which the `PATH` has it, where it does, and where it is in full. What the `PATH` says
/// stays right when a newer one is installed, which the file's own place may not.
#[must_use]
pub fn this(path: Option<&OsStr>) -> (PathBuf, PathBuf) {
    const NAME: &str = "headcount";
    let itself = std::env::current_exe().unwrap_or_else(|_| PathBuf::from(NAME));
    let is_itself = |found: &PathBuf| {
        let (found, itself) = (found.canonicalize(), itself.canonicalize());
        found.is_ok_and(|found| itself.is_ok_and(|itself| itself == found))
    };
    match find(NAME, path).filter(is_itself) {
        Some(found) => (PathBuf::from(NAME), found),
        None => (itself.clone(), itself),
    }
}

/// Whether there is a file at a path that can be run.
#[must_use]
pub fn is_program(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_run_is_found_and_only_in_folders_that_stay_where_they_are() {
        let shell = find("sh", Some(OsStr::new("bin:/nowhere:/usr/bin:/bin")));
        assert!(shell.is_some_and(|shell| shell.is_absolute()));
        assert_eq!(find("passwd", Some(OsStr::new("/etc"))), None);
        assert_eq!(find("bin", Some(OsStr::new("/"))), None);
        assert_eq!(find("sh", None), None);
    }
}
