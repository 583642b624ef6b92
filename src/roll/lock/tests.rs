#![allow(clippy::unwrap_used)]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};

use super::*;

const SOON: Duration = Duration::from_millis(200);
const LATE: Duration = Duration::from_secs(30);

/// A program of another make that holds the lock until it is dropped.
struct Other(Child);

impl Other {
    fn holding(path: &Path) -> Self {
        let mut child = Command::new("flock")
            .arg(path)
            .args(["sh", "-c", "echo locked; read line"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = child.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        assert_eq!(line, "locked\n");
        Self(child)
    }

    fn lets_go(mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn roll(folder: &Path) -> Roll {
    let path = folder.join("roll.yaml");
    fs::write(&path, "tmux_sessions: []\n").unwrap();
    Roll::at(path)
}

#[test]
fn one_at_a_time_has_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = FileLock::try_acquire(&path).unwrap();
    assert!(first.is_some());
    assert!(FileLock::try_acquire(&path).unwrap().is_none());
    drop(first);
    assert!(FileLock::try_acquire(&path).unwrap().is_some());
    assert!(path.exists());
}

#[tokio::test]
async fn a_lock_that_another_program_keeps_is_told_with_its_holder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let other = Other::holding(&path);
    let error = FileLock::acquire(&path, SOON)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
    // Both flock(1) and the shell it started have it.
    assert!(
        error.contains("pid ") && (error.contains("`sh`") || error.contains("`flock`")),
        "{error}"
    );
    other.lets_go();
    assert!(FileLock::try_acquire(&path).unwrap().is_some());
}

#[tokio::test]
async fn a_lock_that_is_let_go_is_got() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = FileLock::try_acquire(&path).unwrap();
    let waiter = FileLock::acquire(&path, LATE);
    let release = async {
        tokio::time::sleep(PAUSES.0).await;
        drop(first);
    };
    let (got, ()) = tokio::join!(waiter, release);
    assert!(got.is_ok());
}

#[test]
fn a_tmux_server_that_inherited_the_lock_is_told_as_such() {
    let holder = Holder {
        pid: 7,
        program: Some("tmux: server".to_owned()),
    };
    let told = by(Some(&holder));
    assert!(
        told.contains("`tmux: server` (pid 7)") && told.contains("flock -o"),
        "{told}"
    );
}

#[test]
fn what_is_no_plain_file_is_not_locked() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let refused = |what| {
        let error = FileLock::try_acquire(&path).unwrap_err();
        assert!(
            matches!(error, LockError::NotAFile { kind, .. } if kind == what),
            "{error}"
        );
    };
    fs::create_dir(&path).unwrap();
    refused("a folder");
    fs::remove_dir(&path).unwrap();
    symlink(folder.path().join("elsewhere"), &path).unwrap();
    refused("a symbolic link");
    fs::remove_file(&path).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    refused("a named pipe");
}

#[test]
fn a_lock_that_was_removed_is_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let first = FileLock::try_acquire(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(FileLock::try_acquire(&path).unwrap().is_some());
    drop(first);
}

#[tokio::test]
async fn a_linked_roll_is_locked_by_both_its_names() {
    let folder = tempfile::tempdir().unwrap();
    let target = roll(folder.path()).target;
    let link = folder.path().join("link.yaml");
    symlink(&target, &link).unwrap();
    let lock = RollLock::acquire(&Roll::at(link.clone()), SOON)
        .await
        .unwrap();
    for path in [&link, &target] {
        assert!(FileLock::try_acquire(&lock_of(path)).unwrap().is_none());
    }
    drop(lock);
    for path in [&link, &target] {
        assert!(FileLock::try_acquire(&lock_of(path)).unwrap().is_some());
    }
}

#[tokio::test]
async fn two_ways_to_one_folder_are_one_lock() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    roll(&inner);
    let way = folder.path().join("way");
    symlink(&inner, &way).unwrap();
    let roll = Roll::at(way.join("roll.yaml"));
    assert_ne!(roll.named, roll.target);
    assert!(RollLock::acquire(&roll, SOON).await.is_ok());
}
