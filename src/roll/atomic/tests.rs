#![allow(clippy::unwrap_used)]

use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};

use super::*;

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn file(&self, content: &str) -> PathBuf {
        let path = self.folder.path().join("roll.yaml");
        fs::write(&path, content).unwrap();
        path
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(self.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_replaced_file_keeps_its_mode_and_leaves_a_copy_of_the_same_mode() {
    let place = Place::new();
    let path = place.file("old");
    fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
    assert_eq!(replace(&path, b"old", b"new").unwrap(), Replaced::Done);
    assert_eq!((text(&path).as_str(), mode(&path)), ("new", 0o640));
    let copy = backup_of(&path);
    assert_eq!((text(&copy).as_str(), mode(&copy)), ("old", 0o640));
    assert_eq!(place.names(), ["roll.yaml", "roll.yaml.bak"]);
}

#[test]
fn what_somebody_saved_meanwhile_stays() {
    let place = Place::new();
    let path = place.file("saved by hand");
    assert_eq!(replace(&path, b"old", b"new").unwrap(), Replaced::Displaced);
    assert_eq!(text(&path), "saved by hand");
    assert_eq!(place.names(), ["roll.yaml", "roll.yaml.bak"]);
}

#[test]
fn what_is_saved_while_another_content_goes_back_is_the_newest() {
    let place = Place::new();
    // The temporary file holds what was displaced; what is at the path is neither that nor ours.
    let path = place.file("newest");
    let temp = place.folder.path().join("temp");
    fs::write(&temp, "displaced").unwrap();
    let replaced = keep_or_put_back(&temp, &path, b"old", b"ours", None).unwrap();
    assert_eq!(replaced, Replaced::Displaced);
    assert_eq!(text(&path), "newest");
}

/// A shell that has a file open to append to it, until its input ends.
fn appends_to(path: &Path) -> Child {
    let mut shell = Command::new("sh")
        .args(["-c", "exec 3>>\"$1\"; echo open; read line", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = [0; 4];
    shell
        .stdout
        .as_mut()
        .unwrap()
        .read_exact(&mut said)
        .unwrap();
    shell
}

fn lets_go(mut shell: Child) {
    drop(shell.stdin.take());
    shell.wait().unwrap();
}

#[test]
fn what_is_still_open_for_writing_goes_back_though_it_is_what_was_read() {
    let place = Place::new();
    let path = place.file("ours");
    let temp = place.folder.path().join("temp");
    fs::write(&temp, "old").unwrap();
    let writer = appends_to(&temp);
    let replaced = keep_or_put_back(&temp, &path, b"old", b"ours", None).unwrap();
    assert_eq!(replaced, Replaced::Displaced);
    assert_eq!(text(&path), "old");
    lets_go(writer);
    assert_eq!(replace(&path, b"old", b"new").unwrap(), Replaced::Done);
}

#[test]
fn what_was_opened_since_it_was_asked_who_writes_goes_back() {
    let place = Place::new();
    let path = place.file("old");
    let since = Openings::of(&path);
    let writer = appends_to(&path);
    let replaced = replace_unless_opened(&path, b"old", b"new", since.as_ref()).unwrap();
    assert_eq!(replaced, Replaced::Displaced);
    assert_eq!(text(&path), "old");
    lets_go(writer);
    let since = Openings::of(&path);
    let replaced = replace_unless_opened(&path, b"old", b"new", since.as_ref()).unwrap();
    assert_eq!(replaced, Replaced::Done);
}

#[test]
fn what_two_have_open_for_writing_is_kept() {
    let place = Place::new();
    let path = place.file("ours");
    let temp = place.folder.path().join("temp");
    fs::write(&temp, "old").unwrap();
    let writers = [appends_to(&temp), appends_to(&path)];
    let error = keep_or_put_back(&temp, &path, b"old", b"ours", None).unwrap_err();
    assert!(error.to_string().contains("again and again"), "{error}");
    let mut both = [text(&path), text(&temp)];
    both.sort();
    assert_eq!(both, ["old", "ours"]);
    writers.into_iter().for_each(lets_go);
}

#[test]
fn a_file_that_is_gone_or_is_another_thing_is_not_written() {
    let place = Place::new();
    let path = place.folder.path().join("roll.yaml");
    assert_eq!(replace(&path, b"old", b"new").unwrap(), Replaced::Displaced);
    symlink("elsewhere", &path).unwrap();
    assert_eq!(replace(&path, b"old", b"new").unwrap(), Replaced::Displaced);
    assert_eq!(place.names(), ["roll.yaml"]);
}

#[test]
fn without_a_copy_nothing_is_replaced() {
    let place = Place::new();
    let path = place.file("old");
    fs::create_dir(backup_of(&path)).unwrap();
    let error = replace(&path, b"old", b"new").unwrap_err().to_string();
    assert!(
        error.contains("roll.yaml.bak") && error.contains("nothing was changed"),
        "{error}"
    );
    assert_eq!(text(&path), "old");
    assert_eq!(place.names(), ["roll.yaml", "roll.yaml.bak"]);
}

#[test]
fn a_file_is_written_whole_with_its_mode() {
    let place = Place::new();
    let path = place.file("old");
    write_atomic(&path, b"new", 0o600).unwrap();
    assert_eq!((text(&path).as_str(), mode(&path)), ("new", 0o600));
    assert_eq!(place.names(), ["roll.yaml"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    let path = place.folder.path().join("none/roll.yaml");
    let error = write_atomic(&path, b"new", 0o600).unwrap_err().to_string();
    assert!(error.contains("none/roll.yaml"), "{error}");
}

#[test]
fn what_is_there_is_not_created() {
    let place = Place::new();
    let path = place.file("old");
    assert!(!create(&path, b"new", 0o644).unwrap());
    assert_eq!(text(&path), "old");
    fs::remove_file(&path).unwrap();
    assert!(create(&path, b"new", 0o644).unwrap());
    assert_eq!((text(&path).as_str(), mode(&path)), ("new", 0o644));
    assert_eq!(place.names(), ["roll.yaml"]);
}
