//! How a person, or the board, ends the watch.

use super::{Watched, watched};
use crate::support::Machine;

#[test]
fn a_person_who_comments_stop_ends_it_and_the_card_is_blocked() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    let mut worker = card.worker().start();

    card.comment("ann", "Thanks, that will do.\n\nStop monitoring.");

    assert_eq!(worker.end(), Some(0));
    let shown = card.show();
    assert_eq!(shown["task"]["status"], "blocked");
    let blocked = card.events("blocked");
    let reason = blocked[0]["payload"]["reason"].as_str().unwrap();
    assert!(reason.starts_with("stop-requested by ann at 2"), "{reason}");
}

#[test]
fn who_only_talks_of_stopping_is_not_obeyed() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    let worker = card.worker().start();
    card.wait_for("no drift");

    for text in ["don't stop", "> stop", "BLOCKED: stop", "```\nstop\n```"] {
        card.comment("ann", text);
    }
    card.comment("headcount", "stop");
    let done = worker.passes().len();
    worker.wait_for_passes(done + 4);

    assert_eq!(card.status(), "running");
}

#[test]
fn a_request_that_was_written_while_nobody_watched_counts() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    card.comment("ann", "stop");

    let mut worker = card.worker().start_anyway();

    assert_eq!(worker.end(), Some(0));
    assert_eq!(card.status(), "blocked");
}

#[test]
fn a_request_that_was_answered_does_not_end_the_next_watch() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    card.comment("ann", "stop");
    let mut first = card.worker().start_anyway();
    assert_eq!(first.end(), Some(0));
    card.kanban("unblock", &[]);

    let second = card.worker().start();
    second.wait_for_passes(4);

    assert_eq!(card.status(), "running");
}

#[test]
fn a_card_that_is_not_running_any_more_ends_it() {
    for (action, status) in [("archive", "archived"), ("complete", "done")] {
        let machine = Machine::new();
        let Some(Watched { card, .. }) = watched(&machine) else {
            return;
        };
        let mut worker = card.worker().start();
        card.wait_for("no drift");

        card.kanban(action, &[]);

        worker.wait_for_word(&format!("is {status} now"));
        assert_eq!(worker.end(), Some(0), "{action}");
    }
}

#[test]
fn a_card_that_somebody_else_has_taken_ends_it() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    let mut worker = card.worker().start();
    card.wait_for("no drift");

    card.kanban("reclaim", &[]);
    card.kanban("claim", &[]);

    assert_eq!(worker.end(), Some(0));
    assert_eq!(card.status(), "running", "it is somebody else's");
}
