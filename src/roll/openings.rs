//! Whether anybody has opened a file since a moment: the kernel tells (inotify), and is asked at no cost.

use std::path::Path;

/// What tells of each opening of a file, under whatever name it is known by then.
#[derive(Debug)]
pub(super) struct Openings(#[cfg(target_os = "linux")] rustix::fd::OwnedFd);

#[cfg(target_os = "linux")]
impl Openings {
    /// Takes note from now on. `None` where the system gives no more of such notes.
    pub(super) fn of(path: &Path) -> Option<Self> {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
        let notes = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok()?;
        add_watch(&notes, path, WatchFlags::OPEN).ok()?;
        Some(Self(notes))
    }

    /// Whether nobody has opened it since, this process included.
    pub(super) fn are_none(&self) -> bool {
        let mut note = [0; 512];
        rustix::io::read(&self.0, &mut note) == Err(rustix::io::Errno::AGAIN)
    }
}

#[cfg(not(target_os = "linux"))]
impl Openings {
    pub(super) fn of(_: &Path) -> Option<Self> {
        None
    }

    pub(super) fn are_none(&self) -> bool {
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn each_opening_is_told_whatever_the_name() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other] = ["a", "b"].map(|name| folder.path().join(name));
        fs::write(&path, "").unwrap();
        fs::write(&other, "").unwrap();
        let openings = Openings::of(&path).unwrap();
        fs::metadata(&path).unwrap();
        File::open(&other).unwrap();
        assert!(openings.are_none());
        fs::rename(&path, &other).unwrap();
        assert!(openings.are_none());
        File::open(&other).unwrap();
        assert!(!openings.are_none());
    }
}
