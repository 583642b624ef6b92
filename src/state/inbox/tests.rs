#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::{Inbox, MOST};
use crate::core::ids::Timestamp;
use crate::core::jobs::{EventKind, Ignored, JobEvent, JobId, Refusal};
use crate::state::Folder;

async fn folder() -> (TempDir, Folder) {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::of(&temp.path().join("state"), Path::new("/r/.hermes/a.yaml"));
    drop(folder.lock(Duration::ZERO).await.unwrap());
    (temp, folder)
}

fn event(job: &str, seq: u64, kind: EventKind) -> JobEvent {
    JobEvent {
        job: JobId::parse(job).unwrap(),
        seq,
        kind,
        detail: "so \"it\" is".to_owned(),
        heard: Timestamp::from_millis(1_795_251_600_123),
        signed: true,
    }
}

#[tokio::test]
async fn an_end_that_is_settled_outlives_a_crash() {
    let (_temp, folder) = folder().await;
    let end = event("j1", 3, EventKind::Completed);
    let inbox = Inbox::open(&folder).unwrap();
    inbox.hear(end.clone()).unwrap();
    assert_eq!(inbox.heard(), [], "it is not safe yet");
    inbox.settle().unwrap();
    drop(inbox);
    assert_eq!(Inbox::open(&folder).unwrap().heard(), [end]);
}

#[tokio::test]
async fn what_a_pass_has_seen_to_is_struck_out_and_what_came_meanwhile_stays() {
    let (_temp, folder) = folder().await;
    let inbox = Inbox::open(&folder).unwrap();
    inbox.hear(event("j1", 3, EventKind::Completed)).unwrap();
    inbox.settle().unwrap();
    let heard = inbox.heard();
    inbox.hear(event("j2", 1, EventKind::Error)).unwrap();
    inbox.settle().unwrap();
    inbox.forget(&heard).unwrap();
    inbox.hear(event("j3", 1, EventKind::Error)).unwrap();
    inbox.settle().unwrap();
    let left = [
        event("j2", 1, EventKind::Error),
        event("j3", 1, EventKind::Error),
    ];
    assert_eq!(inbox.heard(), left);
    drop(inbox);
    let inbox = Inbox::open(&folder).unwrap();
    assert_eq!(inbox.heard(), left);
    inbox.forget(&left).unwrap();
    drop(inbox);
    assert_eq!(Inbox::open(&folder).unwrap().heard(), []);
}

#[tokio::test]
async fn a_line_that_a_crash_cut_is_dropped_and_the_next_one_is_whole() {
    let (_temp, folder) = folder().await;
    let inbox = Inbox::open(&folder).unwrap();
    inbox.hear(event("j1", 3, EventKind::Completed)).unwrap();
    inbox.settle().unwrap();
    drop(inbox);
    let path = folder.path().join("inbox");
    let whole = fs::read(&path).unwrap();
    for cut in 0..whole.len() {
        fs::write(&path, [&whole, &whole[..cut]].concat()).unwrap();
        let inbox = Inbox::open(&folder).unwrap();
        assert_eq!(inbox.heard().len(), 1);
        inbox.hear(event("j2", 1, EventKind::Error)).unwrap();
        inbox.settle().unwrap();
        drop(inbox);
        assert_eq!(
            Inbox::open(&folder).unwrap().heard().len(),
            2,
            "cut at {cut}"
        );
        fs::write(&path, b"").unwrap();
    }
}

#[tokio::test]
async fn of_a_job_that_goes_on_only_the_last_event_is_kept() {
    let (_temp, folder) = folder().await;
    let inbox = Inbox::open(&folder).unwrap();
    for seq in [1, 3] {
        inbox.hear(event("j1", seq, EventKind::Progress)).unwrap();
    }
    let again = inbox.hear(event("j1", 2, EventKind::Progress));
    assert_eq!(again, Err(Refusal::Replayed));
    assert_eq!(inbox.heard(), [event("j1", 3, EventKind::Progress)]);
}

#[tokio::test]
async fn it_holds_so_many_and_says_no_to_more() {
    let (_temp, folder) = folder().await;
    let inbox = Inbox::open(&folder).unwrap();
    for n in 0..MOST {
        let id = format!("j{n}");
        inbox.hear(event(&id, 1, EventKind::Progress)).unwrap();
        inbox.hear(event(&id, 2, EventKind::Completed)).unwrap();
    }
    inbox.settle().unwrap();
    for kind in [EventKind::Progress, EventKind::Completed] {
        let more = inbox.hear(event("more", 1, kind));
        assert_eq!(more, Err(Refusal::Overflow));
    }
    assert_eq!(inbox.heard().len(), 2 * MOST);
}

#[tokio::test]
async fn what_was_refused_is_counted_since_the_beginning() {
    let (_temp, folder) = folder().await;
    let inbox = Inbox::open(&folder).unwrap();
    inbox.refuse(Refusal::Forged);
    let mut more = Ignored::default();
    more.count(Refusal::Late);
    let _ = inbox.ignored_with(&more);
    let all: Vec<_> = inbox.ignored_with(&more).iter().collect();
    assert_eq!(all, [(Refusal::Forged, 1), (Refusal::Late, 2)]);
}

#[test]
fn a_reason_is_said_at_most_once_a_minute_with_how_many_there_were() {
    let mut complaints = super::Complaints::default();
    let now = crate::clock::monotonic();
    let mut due = |why, after| complaints.due(why, 1, now + Duration::from_secs(after));
    assert_eq!(due(Refusal::Forged, 0), Some(1));
    assert_eq!(due(Refusal::Forged, 59), None);
    assert_eq!(due(Refusal::Late, 59), Some(1));
    assert_eq!(due(Refusal::Forged, 61), Some(2));
}

#[tokio::test]
async fn what_is_settled_after_the_folder_was_removed_is_safe_with_all_before_it() {
    let (temp, folder) = folder().await;
    let inbox = Inbox::open(&folder).unwrap();
    inbox.hear(event("j1", 3, EventKind::Completed)).unwrap();
    inbox.settle().unwrap();
    fs::remove_dir_all(temp.path().join("state")).unwrap();
    inbox.hear(event("j2", 1, EventKind::Error)).unwrap();
    inbox.settle().unwrap();
    drop(inbox);
    let both = [
        event("j1", 3, EventKind::Completed),
        event("j2", 1, EventKind::Error),
    ];
    assert_eq!(Inbox::open(&folder).unwrap().heard(), both);
}

#[tokio::test]
async fn what_a_pass_has_seen_to_is_struck_out_although_the_file_was_removed() {
    let (_temp, folder) = folder().await;
    let inbox = Inbox::open(&folder).unwrap();
    for job in ["j1", "j2"] {
        inbox.hear(event(job, 3, EventKind::Completed)).unwrap();
    }
    inbox.settle().unwrap();
    fs::remove_file(folder.path().join("inbox")).unwrap();
    inbox
        .forget(&[event("j1", 3, EventKind::Completed)])
        .unwrap();
    drop(inbox);
    let left = [event("j2", 3, EventKind::Completed)];
    assert_eq!(Inbox::open(&folder).unwrap().heard(), left);
}

#[tokio::test]
async fn where_the_file_cannot_be_made_anew_nothing_is_safe() {
    let (temp, folder) = folder().await;
    let inbox = Inbox::open(&folder).unwrap();
    let root = temp.path().join("state");
    fs::remove_dir_all(&root).unwrap();
    fs::write(&root, "in the way").unwrap();
    inbox.hear(event("j1", 3, EventKind::Completed)).unwrap();
    inbox.settle().unwrap_err();
    assert_eq!(inbox.heard(), []);
}
