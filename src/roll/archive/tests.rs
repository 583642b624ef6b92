#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Archive, ArchiveError, path_of, roll_of};
use crate::roll::graft::{Cutting, cuttings};

fn rows(text: &str, wanted: &[usize]) -> Vec<Cutting> {
    let all = cuttings(text, wanted).unwrap();
    all.into_iter().map(Result::unwrap).collect()
}

fn put(roll: &Path, text: &str, wanted: &[usize]) -> Vec<PathBuf> {
    let shelved = Archive::beside(roll)
        .unwrap()
        .shelve(&rows(text, wanted))
        .unwrap();
    shelved.write().unwrap();
    shelved.places
}

const ROLL: &str = "tmux_sessions:\n- {name: a, x: 1}\n# of b\n- name: b\n";

#[test]
fn archives_lie_beside_the_roll_and_are_named_after_it() {
    let name = |roll: &str, number| path_of(Path::new(roll), number).display().to_string();
    assert_eq!(
        name("/p/agent-sessions.yaml", 1),
        "/p/agent-sessions.archive.yaml"
    );
    assert_eq!(
        name("/p/agent-sessions.yaml", 2),
        "/p/agent-sessions.archive.2.yaml"
    );
    assert_eq!(name("/p/roll", 1), "/p/roll.archive");
}

#[test]
fn rows_are_added_at_the_end_and_the_same_row_only_once() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("roll.yaml");
    let archive = path_of(&roll, 1);

    assert_eq!(put(&roll, ROLL, &[1]), std::slice::from_ref(&archive));
    let first = fs::read_to_string(&archive).unwrap();
    assert!(
        first.ends_with("tmux_sessions:\n# of b\n- name: b\n"),
        "{first}"
    );
    let mode = fs::metadata(&archive).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    assert_eq!(
        put(&roll, ROLL, &[0, 1]),
        [archive.clone(), archive.clone()]
    );
    let both = format!("{first}- {{name: a, x: 1}}\n");
    assert_eq!(fs::read_to_string(&archive).unwrap(), both);
    let _ = put(&roll, ROLL, &[0, 1]);
    assert_eq!(fs::read_to_string(&archive).unwrap(), both);
    assert!(!path_of(&roll, 2).exists());
}

#[test]
fn another_row_of_the_same_name_goes_to_another_file() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("roll.yaml");
    let _ = put(&roll, ROLL, &[0, 1]);
    let before = fs::read_to_string(path_of(&roll, 1)).unwrap();

    let again = "tmux_sessions:\n- {name: a, x: 2}\n# of b\n- name: b\n";
    let places = put(&roll, again, &[0, 1]);

    assert_eq!(places, [path_of(&roll, 2), path_of(&roll, 1)]);
    assert_eq!(fs::read_to_string(path_of(&roll, 1)).unwrap(), before);
    let read = Archive::beside(&roll).unwrap();
    let of = |row: &Cutting| {
        read.find("a", row.fingerprint.as_str())
            .unwrap()
            .text
            .clone()
    };
    assert_eq!(of(&rows(ROLL, &[0])[0]), "- {name: a, x: 1}\n");
    assert_eq!(of(&rows(again, &[0])[0]), "- {name: a, x: 2}\n");
}

#[test]
fn what_is_no_archive_is_never_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("roll.yaml");
    for text in [
        "",
        "not: a roll\n",
        "tmux_sessions: 7\n",
        "tmux_sessions: [\n",
        "a: 1\n---\nb: 2\n",
    ] {
        fs::write(path_of(&roll, 1), text).unwrap();
        let error = Archive::beside(&roll).unwrap_err();
        assert!(
            matches!(error, ArchiveError::Damaged { .. }),
            "{text}: {error}"
        );
        assert!(error.to_string().contains("move it away"), "{error}");
    }
}

#[test]
fn what_somebody_saves_meanwhile_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("roll.yaml");
    let _ = put(&roll, ROLL, &[0]);
    let shelved = Archive::beside(&roll)
        .unwrap()
        .shelve(&rows(ROLL, &[1]))
        .unwrap();
    fs::write(path_of(&roll, 1), "tmux_sessions: []\n").unwrap();

    let error = shelved.write().unwrap_err();

    assert!(matches!(error, ArchiveError::Busy { .. }), "{error}");
    assert_eq!(
        fs::read_to_string(path_of(&roll, 1)).unwrap(),
        "tmux_sessions: []\n"
    );
}

#[test]
fn an_archive_that_leads_to_the_roll_or_its_backup_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("roll.yaml");
    fs::write(&roll, ROLL).unwrap();
    fs::write(folder.path().join("roll.yaml.bak"), ROLL).unwrap();
    for (target, what) in [("roll.yaml", "the roll"), ("roll.yaml.bak", "its backup")] {
        let archive = path_of(&roll, 1);
        std::os::unix::fs::symlink(target, &archive).unwrap();
        let error = Archive::beside(&roll).unwrap_err().to_string();
        assert!(error.contains(&format!("it is {what}")), "{error}");
        fs::remove_file(&archive).unwrap();
        fs::hard_link(folder.path().join(target), &archive).unwrap();
        Archive::beside(&roll).unwrap_err();
        fs::remove_file(&archive).unwrap();
    }
}

#[test]
fn a_row_that_was_there_already_has_to_be_there_still() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("roll.yaml");
    let [archive] = &put(&roll, ROLL, &[0])[..] else {
        panic!("one place for one row");
    };
    let again = |wanted: &[usize]| {
        let archive = Archive::beside(&roll).unwrap();
        archive.shelve(&rows(ROLL, wanted)).unwrap()
    };
    let (alone, beside) = (again(&[0]), again(&[0, 1]));
    alone.write().unwrap();
    fs::write(archive, "tmux_sessions: []\n").unwrap();
    for shelved in [&alone, &beside] {
        assert!(matches!(shelved.write(), Err(ArchiveError::Busy { .. })));
    }
    fs::remove_file(archive).unwrap();
    assert!(matches!(alone.write(), Err(ArchiveError::Busy { .. })));
}

#[test]
fn the_other_archives_are_known_where_one_was_moved_away() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("roll.yaml");
    put(&roll, ROLL, &[0]);
    put(&roll, "tmux_sessions:\n- {name: a, x: 2}\n", &[0]);
    fs::remove_file(path_of(&roll, 1)).unwrap();
    let row = &rows("tmux_sessions:\n- {name: a, x: 2}\n", &[0])[0];
    let archive = Archive::beside(&roll).unwrap();
    assert!(archive.find("a", row.fingerprint.as_str()).is_some());
    assert_eq!(put(&roll, ROLL, &[0]), [path_of(&roll, 3)]);
}

#[test]
fn an_archive_is_known_by_its_name() {
    for roll in [
        "agent-sessions.yaml",
        "roll",
        "a.b.yml",
        "a.archive.yaml",
        "my.archives.yaml",
    ] {
        let roll = Path::new("/srv/.hermes").join(roll);
        for number in [1, 2, 17] {
            let archive = path_of(&roll, number);
            assert_eq!(roll_of(&archive), Some(roll.clone()), "{archive:?}");
        }
    }
    for other in [
        "/srv/agent-sessions.yaml",
        "/srv/agent-sessions.archive.yaml.bak",
        "/srv/agent-sessions.archived.yaml",
        "/srv/agent-sessions.archive.02.yaml",
        "/srv/agent-sessions.archive.1.yaml",
        "/srv/archive.yaml",
        "/srv/.archive",
        "/",
    ] {
        assert_eq!(roll_of(Path::new(other)), None, "{other}");
    }
}
