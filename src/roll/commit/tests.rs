#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use super::*;
use crate::core::edit::{Change, PaneRecord};
use crate::core::ids::{SessionName, Timestamp};

const ROLL: &str = "\
# by hand
tmux_sessions:
- name: a
  status: running
- name: b
  status: running
";

struct Place {
    folder: tempfile::TempDir,
    roll: Roll,
    expected: Registry,
}

impl Place {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roll.yaml");
        fs::write(&path, text).unwrap();
        let roll = Roll::at(path);
        let expected = read::read(&roll).unwrap().registry().unwrap();
        Self {
            folder,
            roll,
            expected,
        }
    }

    fn path(&self) -> &Path {
        &self.roll.named
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).unwrap()
    }

    fn end(&self, name: &str) -> Edit {
        let row = |row: &&crate::core::registry::Row| row.name.as_str() == name;
        Edit {
            cause: DriftId::new(format!("end of {name}")),
            target: Target::Row {
                name: SessionName::new(name),
                fingerprint: self
                    .expected
                    .rows
                    .iter()
                    .find(row)
                    .unwrap()
                    .fingerprint
                    .clone(),
            },
            change: Change::Terminate {
                at: Timestamp::from_secs(1_795_251_600),
            },
        }
    }

    async fn commit(&self, edits: &[Edit]) -> Result<Committed, CommitError> {
        let options = CommitOptions {
            lock_timeout: Duration::from_millis(200),
            stale_at: clock::monotonic() + Duration::from_secs(60),
        };
        commit(&self.roll, &self.expected, edits, options).await
    }
}

fn new(name: &str) -> Edit {
    Edit {
        cause: DriftId::new(format!("new {name}")),
        target: Target::New {
            name: SessionName::new(name),
        },
        change: Change::Register {
            pane: PaneRecord::default(),
            server: None,
            id: None,
        },
    }
}

fn ids(names: &[&str]) -> Vec<DriftId> {
    names.iter().map(|name| DriftId::new(*name)).collect()
}

#[tokio::test]
async fn edits_are_written_and_what_was_there_is_kept_beside_it() {
    let place = Place::with(ROLL);
    let committed = place.commit(&[place.end("a"), new("c")]).await.unwrap();
    let text = place.text();
    assert_eq!(
        committed,
        Committed::Written {
            applied: ids(&["end of a", "new c"]),
            left_out: LeftOut::default(),
            fingerprint: read::fingerprint(text.as_bytes()),
        }
    );
    assert!(text.starts_with("# by hand\ntmux_sessions:\n- name: a\n  status: terminated\n"));
    assert!(
        text.contains("- name: b\n  status: running\n- name: c\n"),
        "{text}"
    );
    assert_eq!(
        fs::read_to_string(atomic::backup_of(place.path())).unwrap(),
        ROLL
    );
}

#[tokio::test]
async fn a_row_that_somebody_changed_meanwhile_is_theirs() {
    let place = Place::with(ROLL);
    let theirs = ROLL.replace("- name: a\n", "- name: a\n  note: mine\n");
    fs::write(place.path(), &theirs).unwrap();
    let committed = place
        .commit(&[place.end("a"), place.end("b")])
        .await
        .unwrap();
    let Committed::Written {
        applied, left_out, ..
    } = committed
    else {
        panic!("{committed:?}");
    };
    assert_eq!(applied, ids(&["end of b"]));
    assert_eq!(left_out.dropped, ids(&["end of a"]));
    let kept = "# by hand\ntmux_sessions:\n- name: a\n  note: mine\n  status: running\n- name: b\n  status: terminated\n";
    assert!(place.text().starts_with(kept), "{}", place.text());
}

#[tokio::test]
async fn another_layout_or_comment_is_no_change_of_a_row() {
    let place = Place::with(ROLL);
    fs::write(
        place.path(),
        "tmux_sessions: [{status: running, name: a}] # c\n",
    )
    .unwrap();
    let committed = place.commit(&[place.end("a")]).await.unwrap();
    assert!(matches!(committed, Committed::Written { .. }));
}

#[tokio::test]
async fn a_row_that_is_gone_or_wrong_by_now_is_left_alone() {
    for theirs in [
        "tmux_sessions: []\n",
        "tmux_sessions:\n- {name: a, status: running}\n- {name: a, status: running}\n",
        "tmux_sessions:\n- {name: a}\n",
    ] {
        let place = Place::with(ROLL);
        fs::write(place.path(), theirs).unwrap();
        let committed = place.commit(&[place.end("a")]).await.unwrap();
        let Committed::Unchanged { left_out } = committed else {
            panic!("{committed:?}");
        };
        assert_eq!(left_out.dropped, ids(&["end of a"]));
        assert_eq!(place.text(), theirs);
    }
}

#[tokio::test]
async fn a_name_that_is_taken_by_now_is_not_registered() {
    for theirs in [
        "tmux_sessions:\n- {name: c.d, status: running}\n",
        "tmux_sessions:\n- {name: 'c:d'}\n",
    ] {
        let place = Place::with(ROLL);
        fs::write(place.path(), theirs).unwrap();
        let committed = place.commit(&[new("c_d")]).await.unwrap();
        assert!(matches!(committed, Committed::Unchanged { .. }));
        assert_eq!(place.text(), theirs);
    }
}

#[tokio::test]
async fn where_nothing_changes_nothing_is_written() {
    let place = Place::with(ROLL);
    let inode = |path: &Path| fs::metadata(path).unwrap().ino();
    let before = inode(place.path());
    assert!(matches!(
        place.commit(&[]).await.unwrap(),
        Committed::Unchanged { .. }
    ));
    // Not even a lock is taken for no edits.
    assert_eq!(fs::read_dir(place.folder.path()).unwrap().count(), 1);
    let mut same = place.end("a");
    same.change = Change::Reincarnate {
        pane: PaneRecord::default(),
        server: None,
    };
    assert!(matches!(
        place.commit(&[same]).await.unwrap(),
        Committed::Unchanged { .. }
    ));
    assert_eq!((place.text().as_str(), inode(place.path())), (ROLL, before));
    assert!(!atomic::backup_of(place.path()).exists());
}

#[tokio::test]
async fn a_look_that_is_too_old_writes_nothing() {
    let place = Place::with(ROLL);
    let now = clock::monotonic();
    let options = CommitOptions {
        lock_timeout: Duration::from_secs(1),
        stale_at: now.checked_sub(Duration::from_millis(1)).unwrap_or(now),
    };
    let committed = commit(&place.roll, &place.expected, &[place.end("a")], options).await;
    assert_eq!(committed.unwrap(), Committed::Stale);
    assert_eq!(place.text(), ROLL);
}

#[tokio::test]
async fn beside_a_newer_store_nothing_is_written() {
    let place = Place::with(ROLL);
    fs::write(place.folder.path().join("agent-sessions.db"), "").unwrap();
    let error = place.commit(&[place.end("a")]).await.unwrap_err();
    assert!(matches!(error, CommitError::NewerStore { .. }));
    assert_eq!(place.text(), ROLL);
}

#[tokio::test]
async fn what_one_row_refuses_does_not_stop_the_others() {
    let text = "one: &one {name: a, status: running}\ntmux_sessions:\n- *one\n- {name: b, status: running}\n";
    let place = Place::with(text);
    let committed = place
        .commit(&[place.end("a"), place.end("b"), new("c")])
        .await
        .unwrap();
    let Committed::Written {
        applied, left_out, ..
    } = committed
    else {
        panic!("{committed:?}");
    };
    assert_eq!(applied, ids(&["end of b", "new c"]));
    let [(refused, why)] = left_out.refused.as_slice() else {
        panic!("{left_out:?}");
    };
    assert_eq!(refused.as_str(), "end of a");
    assert!(why.contains("alias"), "{why}");
    assert!(place.text().starts_with("one: &one {name: a, status: running}\ntmux_sessions:\n- *one\n- {name: b, status: terminated"));
}

#[tokio::test]
async fn several_documents_are_left_alone_with_a_reason() {
    let text = "x: 1\n---\ntmux_sessions: [{name: a, status: running}]\n";
    let place = Place::with(text);
    let error = place
        .commit(&[place.end("a")])
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("roll.yaml") && error.contains("2 YAML documents"),
        "{error}"
    );
    assert_eq!(place.text(), text);
}

#[tokio::test]
async fn a_roll_behind_a_link_is_written_where_it_lies() {
    let place = Place::with(ROLL);
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.yaml");
    symlink(place.path(), &link).unwrap();
    let linked = Place {
        folder: elsewhere,
        roll: Roll::at(link.clone()),
        expected: place.expected.clone(),
    };
    assert!(matches!(
        linked.commit(&[place.end("a")]).await.unwrap(),
        Committed::Written { .. }
    ));
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(place.text().contains("terminated"));
}

#[tokio::test]
async fn a_roll_that_cannot_be_read_any_more_is_not_written() {
    let place = Place::with(ROLL);
    fs::write(place.path(), "tmux_sessions: [").unwrap();
    assert!(place.commit(&[place.end("a")]).await.is_err());
    assert_eq!(place.text(), "tmux_sessions: [");
    fs::remove_file(place.path()).unwrap();
    let error = place.commit(&[place.end("a")]).await.unwrap_err();
    assert!(matches!(
        error,
        CommitError::Read(ReadError::Missing { .. })
    ));
}

#[tokio::test]
async fn the_first_of_two_new_rows_of_one_name_is_the_one() {
    let place = Place::with(ROLL);
    let committed = place.commit(&[new("c.d"), new("c_d")]).await.unwrap();
    let Committed::Written {
        applied, left_out, ..
    } = committed
    else {
        panic!("{committed:?}");
    };
    assert_eq!(
        (applied, left_out.dropped),
        (ids(&["new c.d"]), ids(&["new c_d"]))
    );
}
