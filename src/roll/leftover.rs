//! What a crash in the middle of a write leaves beside the roll, and how the next write tidies it.
//!
//! What is being written has a name that ends in `.tmp`, and has never stood in the roll's place: whoever has the
//! roll's lock may remove it. When it is whole, its name tells the hash of its content, and by that name it changes
//! places with the roll. From then on the name holds what was displaced, and that can be what somebody saved without
//! the lock: it is put back if headcount was killed before it could do so, and never removed.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::atomic::{backup_of, exchange, folder};
use super::{holder, read};

/// What the names have in common, behind that of the file that is written.
const OURS: &str = ".headcount-";

/// What the name of a file ends in that is being written.
pub(super) const UNFINISHED: &str = ".tmp";

/// What the name of a file that is being written begins with.
pub(super) fn prefix(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}{OURS}")
}

/// Where a content waits, whole, to change places with the file at `path`.
pub(super) fn whole(path: &Path, content: &[u8]) -> PathBuf {
    let name = format!("{}{}", prefix(path), hash(content));
    folder(path).join(name)
}

/// Tidies what writes of a roll have left that were killed. The roll's lock must be held. What cannot be tidied is
/// no reason not to write.
pub(super) fn tidy(roll: &Path) {
    let Ok(listing) = fs::read_dir(folder(roll)) else {
        return;
    };
    let owner = fs::metadata(roll).ok().map(|found| found.uid());
    let me = rustix::process::geteuid().as_raw();
    let prefixes = [prefix(roll), prefix(&backup_of(roll))];
    for entry in listing.flatten() {
        let name = entry.file_name();
        let Some(rest) = name
            .to_str()
            .and_then(|name| prefixes.iter().find_map(|prefix| name.strip_prefix(prefix)))
        else {
            continue;
        };
        // The entry's own kind and owner: no link is followed.
        let is_ours = entry.metadata().is_ok_and(|found| {
            found.is_file() && (found.uid() == me || Some(found.uid()) == owner)
        });
        if !is_ours {
            continue;
        }
        let path = entry.path();
        let trouble = if rest.ends_with(UNFINISHED) {
            fs::remove_file(&path).err()
        } else {
            settle(&path, rest, roll).err()
        };
        if let Some(error) = trouble {
            tracing::warn!(
                "{} is left over and cannot be tidied: {error}",
                path.display()
            );
        }
    }
}

/// Tidies a file that was whole.
fn settle(left: &Path, told_hash: &str, roll: &Path) -> io::Result<()> {
    if holder::writer_of(left).is_some() {
        // What it will be is not known yet; the next write tidies it.
        return Ok(());
    }
    let content = |path: &Path| read::bytes(path).ok().map(|(bytes, _)| bytes);
    let Some(found) = content(left) else {
        return Ok(());
    };
    let current = content(roll);
    let never_exchanged = hash(&found) == told_hash;
    if never_exchanged
        || found.is_empty()
        || current.as_ref() == Some(&found)
        || content(&backup_of(roll)).as_ref() == Some(&found)
    {
        return fs::remove_file(left);
    }
    if current.is_some_and(|current| hash(&current) == told_hash) {
        // The roll is still what was exchanged for this: the exchange is taken back, as it would have been.
        exchange(left, roll)?;
        tracing::warn!(
            "{}: put back what was saved while a headcount wrote that was killed",
            roll.display()
        );
        return settle(left, told_hash, roll);
    }
    let mut name = roll.as_os_str().to_owned();
    name.push(format!(".displaced-{}", hash(&found)));
    let aside = PathBuf::from(name);
    fs::rename(left, &aside)?;
    tracing::warn!(
        "{} is what somebody saved while a headcount wrote that was killed: take from it what is missing in {}",
        aside.display(),
        roll.display()
    );
    Ok(())
}

/// Enough of a content's hash to tell contents apart.
fn hash(content: &[u8]) -> String {
    let mut hash = read::fingerprint(content).to_string();
    hash.truncate(16);
    hash
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A roll that says `roll`, with a copy that says `bak`.
    struct Place {
        folder: tempfile::TempDir,
        roll: PathBuf,
    }

    impl Place {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let roll = folder.path().join("roll.yaml");
            fs::write(&roll, "roll").unwrap();
            fs::write(backup_of(&roll), "bak").unwrap();
            Self { folder, roll }
        }

        fn put(&self, name: &str, content: &str) {
            fs::write(self.folder.path().join(name), content).unwrap();
        }

        /// What a write of `after` had displaced when it was killed.
        fn displaced(&self, after: &str, content: &str) {
            fs::write(whole(&self.roll, after.as_bytes()), content).unwrap();
        }

        /// The names in the folder besides those of the roll and its copy, after tidying.
        fn tidied(&self) -> Vec<String> {
            tidy(&self.roll);
            let mut names: Vec<String> = fs::read_dir(self.folder.path())
                .unwrap()
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .filter(|name| !["roll.yaml", "roll.yaml.bak"].contains(&name.as_str()))
                .collect();
            names.sort();
            names
        }

        fn text(&self) -> String {
            fs::read_to_string(&self.roll).unwrap()
        }
    }

    #[test]
    fn what_was_never_whole_is_removed() {
        let place = Place::new();
        place.put(".roll.yaml.headcount-a1B2c3.tmp", "half");
        place.put(".roll.yaml.bak.headcount-a1B2c3.tmp", "half");
        assert!(place.tidied().is_empty());
    }

    #[test]
    fn what_was_whole_and_never_exchanged_is_removed() {
        let place = Place::new();
        place.displaced("new", "new");
        assert!(place.tidied().is_empty());
        assert_eq!(place.text(), "roll");
    }

    #[test]
    fn what_was_displaced_and_is_kept_elsewhere_is_removed() {
        for kept in ["roll", "bak", ""] {
            let place = Place::new();
            place.displaced("roll", kept);
            assert!(place.tidied().is_empty(), "{kept}");
            assert_eq!(place.text(), "roll");
        }
    }

    #[test]
    fn what_a_person_saved_meanwhile_is_put_back() {
        let place = Place::new();
        place.displaced("roll", "by hand");
        assert!(place.tidied().is_empty());
        assert_eq!(place.text(), "by hand");
    }

    #[test]
    fn what_a_person_saved_is_kept_where_the_roll_has_changed_since() {
        let place = Place::new();
        place.displaced("another", "by hand");
        let [kept] = place.tidied().try_into().unwrap();
        assert!(kept.starts_with("roll.yaml.displaced-"), "{kept}");
        assert_eq!(
            fs::read_to_string(place.folder.path().join(kept)).unwrap(),
            "by hand"
        );
        assert_eq!(place.text(), "roll");
        assert_eq!(place.tidied().len(), 1);
    }

    #[test]
    fn nothing_else_is_touched() {
        let place = Place::new();
        let others = [
            ".other.yaml.headcount-a1B2c3.tmp",
            ".roll.yaml.a1B2c3.tmp",
            ".roll.yaml.swp",
            "roll.yaml.headcount-a1B2c3.tmp",
        ];
        for name in others {
            place.put(name, "roll");
        }
        let link = place.folder.path().join(".roll.yaml.headcount-a1B2c3.tmp");
        symlink(&place.roll, link).unwrap();
        assert_eq!(place.tidied().len(), others.len() + 1);
    }
}
