#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::{Folder, StateError, known};

const ROLL: &str = "/repo/my project/.hermes/agent-sessions.yaml";
const AT_ONCE: Duration = Duration::ZERO;
const PATIENT: Duration = Duration::from_secs(60);

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test]
async fn everything_in_it_is_private_to_the_user() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("a/state");
    let folder = Folder::of(&root, Path::new(ROLL));
    let _locked = folder.lock(AT_ONCE).await.unwrap();
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(folder.path()), 0o700);
    for file in fs::read_dir(folder.path()).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn a_folder_that_others_may_change_is_closed_to_them() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("state");
    let folder = Folder::of(&root, Path::new(ROLL));
    fs::create_dir_all(folder.path()).unwrap();
    fs::set_permissions(&root, fs::Permissions::from_mode(0o777)).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let _locked = folder.lock(AT_ONCE).await.unwrap();
    assert_eq!(mode(&root), 0o755);
    assert_eq!(mode(folder.path()), 0o700);
}

#[tokio::test]
async fn it_says_which_roll_it_is_for() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::of(temp.path(), Path::new(ROLL));
    let _locked = folder.lock(AT_ONCE).await.unwrap();
    let name = folder.path().file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("my-project-"), "{name}");
    let said = fs::read_to_string(folder.path().join("roll")).unwrap();
    assert_eq!(said, format!("{ROLL}\n"));
}

#[test]
fn two_rolls_have_two_folders_even_where_they_read_the_same() {
    let of = |roll| {
        Folder::of(Path::new("/state"), Path::new(roll))
            .path()
            .to_owned()
    };
    assert_eq!(of("/a/x/.hermes/r.yaml"), of("/a/x/.hermes/r.yaml"));
    assert_ne!(of("/a/x/.hermes/r.yaml"), of("/b/x/.hermes/r.yaml"));
    assert_ne!(of("/a/x y/.hermes/r.yaml"), of("/a/x-y/.hermes/r.yaml"));
}

#[test]
fn naming_it_and_looking_for_it_make_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("state");
    assert!(!Folder::of(&root, Path::new(ROLL)).exists().unwrap());
    assert!(!root.exists());
}

#[tokio::test]
async fn a_planted_link_is_refused_and_not_followed() {
    let temp = tempfile::tempdir().unwrap();
    let elsewhere = temp.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();

    let root = temp.path().join("state");
    symlink(&elsewhere, &root).unwrap();
    let folder = Folder::of(&root, Path::new(ROLL));
    for refused in [
        folder.exists().map(drop),
        folder.lock(AT_ONCE).await.map(drop),
    ] {
        let error = refused.unwrap_err();
        assert!(matches!(&error, StateError::NotPrivate { path, .. } if *path == root));
        assert!(error.to_string().contains("is a symbolic link"), "{error}");
    }

    fs::remove_file(&root).unwrap();
    fs::create_dir(&root).unwrap();
    symlink(&elsewhere, folder.path()).unwrap();
    let error = folder.lock(AT_ONCE).await.unwrap_err();
    assert!(matches!(&error, StateError::NotPrivate { path, .. } if path == folder.path()));
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let root = if rustix::process::geteuid().is_root() {
        chown(temp.path(), Some(65534), None).unwrap();
        temp.path()
    } else {
        Path::new("/usr")
    };
    let folder = Folder::of(root, Path::new(ROLL));
    let error = folder.lock(AT_ONCE).await.unwrap_err();
    assert!(error.to_string().contains("belongs to user"), "{error}");
    assert!(!folder.path().exists());
}

#[tokio::test]
async fn a_file_in_its_place_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("state");
    fs::write(&root, "").unwrap();
    let error = Folder::of(&root, Path::new(ROLL))
        .lock(AT_ONCE)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is not a folder"), "{error}");
}

#[tokio::test]
async fn only_one_headcount_has_the_lock_and_the_next_gets_it_after() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::of(temp.path(), Path::new(ROLL));
    let first = folder.lock(AT_ONCE).await.unwrap();
    let busy = folder.lock(AT_ONCE).await.unwrap_err();
    assert!(matches!(busy, StateError::Busy { .. }));

    let waiting = tokio::spawn(async move { folder.lock(PATIENT).await.map(drop) });
    tokio::task::yield_now().await;
    drop(first);
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn all_rolls_that_it_remembers_are_known_by_their_paths() {
    let temp = tempfile::tempdir().unwrap();
    let rolls = ["/repo/b/rôll\nof two lines", "/repo/a/roll"].map(Path::new);
    for roll in rolls {
        let _locked = Folder::of(temp.path(), roll).lock(AT_ONCE).await.unwrap();
    }
    let (known, hidden) = known(temp.path()).unwrap();
    assert!(hidden.is_empty(), "{hidden:?}");
    let found: Vec<_> = known.iter().map(|it| it.roll.as_path()).collect();
    assert_eq!(found, [rolls[1], rolls[0]]);
    assert_eq!(known[1].folder, Folder::of(temp.path(), rolls[0]).path());
}

#[tokio::test]
async fn what_else_lies_in_it_is_no_roll() {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::of(temp.path(), Path::new(ROLL));
    let _locked = folder.lock(AT_ONCE).await.unwrap();
    fs::create_dir(temp.path().join("empty")).unwrap();
    fs::write(temp.path().join("a file"), ROLL).unwrap();
    let copy = temp.path().join("my-project-copy");
    fs::create_dir(&copy).unwrap();
    fs::write(copy.join("roll"), format!("{ROLL}\n")).unwrap();
    let pipe = temp.path().join("pipe");
    fs::create_dir(&pipe).unwrap();
    let made = Command::new("mkfifo").arg(pipe.join("roll")).status();
    assert!(made.unwrap().success());
    let (known, hidden) = known(temp.path()).unwrap();
    assert!(hidden.is_empty(), "{hidden:?}");
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].folder, folder.path());
}

#[tokio::test]
async fn what_cannot_be_looked_at_hides_no_other_roll() {
    let temp = tempfile::tempdir().unwrap();
    for roll in [ROLL, "/repo/other/roll"] {
        let folder = Folder::of(temp.path(), Path::new(roll));
        let _locked = folder.lock(AT_ONCE).await.unwrap();
    }
    let planted = Folder::of(temp.path(), Path::new(ROLL));
    symlink("/etc/passwd", planted.path().join("planted")).unwrap();
    let (known, hidden) = known(temp.path()).unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!(known[0].roll, Path::new("/repo/other/roll"));
    assert!(matches!(hidden[..], [StateError::PlantedLink { .. }]));
}

#[test]
fn where_there_is_none_no_roll_is_known() {
    let temp = tempfile::tempdir().unwrap();
    assert_eq!(known(&temp.path().join("none")).unwrap().0, []);
}
