#![allow(clippy::unwrap_used)]

use std::os::unix::fs::symlink;

use super::*;

fn roll(folder: &tempfile::TempDir, content: &[u8]) -> Roll {
    let path = folder.path().join("roll.yaml");
    fs::write(&path, content).unwrap();
    Roll::at(path)
}

fn refused(content: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let error = read(&roll(&folder, content)).unwrap_err().to_string();
    assert!(
        error.contains("roll.yaml") && !error.contains('\n'),
        "{error}"
    );
    error
}

#[test]
fn a_roll_is_read_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let text = "\u{feff}tmux_sessions: []\r\n";
    let contents = read(&roll(&folder, text.as_bytes())).unwrap();
    assert_eq!(contents.text, text);
    assert!(contents.registry().unwrap().rows.is_empty());
    assert!(contents.newer_store.is_none());
    let written = fs::metadata(folder.path().join("roll.yaml"))
        .unwrap()
        .modified();
    assert_eq!(contents.written_at, clock::at(written.unwrap()));
}

#[test]
fn its_fingerprint_is_that_of_its_bytes() {
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    assert_eq!(fingerprint(b"test").as_str(), hash);
}

#[test]
fn what_is_no_text_is_told_with_the_byte() {
    assert!(refused(b"a: \xff").contains("byte 3"));
    assert!(refused(b"a: \0").contains("byte 3 is zero"));
}

#[test]
fn nothing_but_blanks_is_empty() {
    for content in ["", " \r\n\t", "\u{feff}\n"] {
        assert!(refused(content.as_bytes()).contains("is empty"));
    }
}

#[test]
fn what_is_too_large_is_not_read() {
    let folder = tempfile::tempdir().unwrap();
    let roll = roll(&folder, b"");
    File::options()
        .write(true)
        .open(&roll.target)
        .unwrap()
        .set_len(LARGEST + 1)
        .unwrap();
    let error = read(&roll).unwrap_err();
    assert!(matches!(error, ReadError::TooLarge { size, .. } if size == LARGEST + 1));
}

#[test]
fn what_is_no_file_is_neither_read_nor_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let kind = |path: PathBuf| match read(&Roll::at(path)).unwrap_err() {
        ReadError::NotAFile { kind, .. } => kind,
        other => panic!("{other}"),
    };
    assert_eq!(kind(folder.path().to_owned()), "a folder");
    assert_eq!(kind(PathBuf::from("/dev/zero")), "a device");
    let pipe = folder.path().join("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    assert_eq!(kind(pipe.clone()), "a named pipe");
    let link = folder.path().join("link");
    symlink(&pipe, &link).unwrap();
    assert_eq!(kind(link), "a named pipe");
}

#[test]
fn a_missing_roll_is_missing_and_a_link_to_nothing_is_told_as_that() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roll.yaml");
    assert!(matches!(
        read(&Roll::at(path.clone())),
        Err(ReadError::Missing { .. })
    ));
    symlink("nowhere", &path).unwrap();
    assert!(matches!(
        read(&Roll::at(path)),
        Err(ReadError::Dangling { .. })
    ));
}

#[test]
fn a_link_that_has_become_a_file_is_read_as_that_file() {
    let folder = tempfile::tempdir().unwrap();
    let target = roll(&folder, b"tmux_sessions: []\n").target;
    let path = folder.path().join("link.yaml");
    symlink(&target, &path).unwrap();
    let roll = Roll::at(path.clone());
    // As a writer does who knows nothing of links.
    fs::write(folder.path().join("new"), "tmux_sessions: [] # new\n").unwrap();
    fs::rename(folder.path().join("new"), &path).unwrap();
    assert!(read(&roll).unwrap().text.contains("new"));
}

#[test]
fn a_newer_store_beside_the_roll_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let roll = roll(&folder, b"tmux_sessions: []\n");
    let store = folder.path().join("agent-sessions.db");
    fs::write(&store, "").unwrap();
    let store = fs::canonicalize(store).unwrap();
    let seen = read(&roll).unwrap().newer_store;
    assert_eq!(
        seen.map(|path| fs::canonicalize(path).unwrap()),
        Some(store)
    );
}
