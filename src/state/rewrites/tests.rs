#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::{LARGEST, MOST, Rewrites};
use crate::core::ids::{DriftId, Fingerprint};
use crate::roll::commit::Rewriting;
use crate::roll::passage::Passage;
use crate::state::Folder;

fn row(name: &str, length: usize) -> Rewriting {
    Rewriting {
        name: name.to_owned(),
        causes: vec![DriftId::new(format!("a-{name}"))],
        before: None,
        after: Passage {
            text: "x".repeat(length),
            fingerprint: Fingerprint::new("f"),
        },
    }
}

fn names(rewrites: &Rewrites) -> Vec<String> {
    rewrites.load().into_iter().map(|it| it.row).collect()
}

#[tokio::test]
async fn what_was_noted_is_read_back_by_nobody_else_and_the_oldest_is_forgotten() {
    let home = tempfile::tempdir().unwrap();
    let folder = Folder::of(&home.path().join("state"), Path::new("/srv/roll.yaml"));
    let lock = folder.lock(Duration::from_secs(1)).await.unwrap();
    let rewrites = Rewrites::of(&folder);
    assert_eq!(names(&rewrites), [""; 0]);

    for n in 0..=MOST {
        let rows = vec![row(&n.to_string(), 3)];
        rewrites.add(rows, n as u64, &lock).unwrap();
    }
    let kept = rewrites.load();
    assert_eq!(kept.len(), MOST);
    assert_eq!((kept[0].row.as_str(), kept[0].follows), ("1", 1));
    assert_eq!(kept[0].causes, ["a-1"]);
    assert_eq!(
        (kept[0].before(), kept[0].after()),
        (None, row("1", 3).after)
    );
    let mode = fs::metadata(&rewrites.path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let rows = vec![row("a", LARGEST / 2), row("b", LARGEST / 2)];
    rewrites.add(rows, 9, &lock).unwrap();
    assert_eq!(names(&rewrites), ["a", "b"]);
    rewrites
        .add(vec![row("huge", LARGEST + 1)], 9, &lock)
        .unwrap();
    assert_eq!(names(&rewrites), [""; 0]);
}

#[tokio::test]
async fn a_file_that_cannot_be_understood_holds_nothing_and_is_written_anew() {
    let home = tempfile::tempdir().unwrap();
    let folder = Folder::of(&home.path().join("state"), Path::new("/srv/roll.yaml"));
    let lock = folder.lock(Duration::from_secs(1)).await.unwrap();
    let rewrites = Rewrites::of(&folder);
    fs::write(&rewrites.path, "[{").unwrap();
    assert_eq!(names(&rewrites), [""; 0]);
    rewrites.add(vec![row("a", 1)], 1, &lock).unwrap();
    assert_eq!(names(&rewrites), ["a"]);
}
