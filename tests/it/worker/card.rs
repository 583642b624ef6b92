//! What a card is told, and when.

use rustix::process::Signal;

use super::{NAME, Watched, watched};
use crate::support::{Machine, dead_pid, wait_until};

#[test]
fn the_first_comment_says_how_everything_stands() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };

    let _worker = card.worker().start();

    let told = card.wait_for("**headcount** on ");
    assert!(told.contains("2 live sessions, no drift"), "{told}");
    assert_eq!(card.status(), "running");
}

#[test]
fn an_end_is_told_and_what_was_written_of_it() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let _worker = card.worker().grace(0).start();
    card.wait_for("no drift");

    session.kill();

    let told = card.wait_for("Marked terminated.");
    assert!(told.contains("1 written"), "{told}");
    assert!(told.contains(NAME), "{told}");
    assert_eq!(machine.row(NAME)["status"], "terminated");
}

#[test]
fn an_end_that_has_to_be_proven_twice_is_one_comment() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let _worker = card.worker().grace(4).start();
    card.wait_for("no drift");

    session.kill();

    card.wait_for("Marked terminated.");
    assert_eq!(card.told().len(), 2, "{:#?}", card.told());
}

#[test]
fn while_nothing_changes_the_card_is_told_once() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };

    let worker = card.worker().start();
    card.wait_for("no drift");
    worker.wait_for_passes(4);

    assert_eq!(card.told().len(), 1);
}

#[test]
fn a_sign_of_life_says_how_things_stand() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };

    let _worker = card.worker().arg("--heartbeat").arg("1").start();

    wait_until("two signs of life", || {
        let beats = card.events("heartbeat");
        let note = beats.get(1)?["payload"]["note"].as_str()?.to_owned();
        assert!(
            note.starts_with("2 alive, 0 drifts open, last at "),
            "{note}"
        );
        Some(())
    });
}

#[test]
fn a_worker_that_was_cut_off_is_followed_by_one_that_repeats_nothing() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    let mut first = card.worker().start();
    card.wait_for("no drift");
    first.signal(Signal::KILL);
    first.end();

    let second = card.worker().start();
    second.wait_for_passes(3);

    assert_eq!(card.told().len(), 1);
    assert_eq!(card.status(), "running");
    assert_eq!(card.events("claimed").len(), 1, "it was its own already");
}

#[test]
fn what_the_card_was_told_is_read_on_the_card_where_the_memory_of_it_is_lost() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let mut first = card.worker().grace(0).start();
    card.wait_for("no drift");
    session.kill();
    card.wait_for("Marked terminated.");
    first.signal(Signal::TERM);
    assert_eq!(first.end(), Some(143));
    let told = card.told();
    for roll in std::fs::read_dir(machine.state()).unwrap().flatten() {
        let _ = std::fs::remove_dir_all(roll.path().join("cursors"));
    }

    let second = card.worker().start();
    second.wait_for_passes(3);

    assert_eq!(card.told(), told);
}

#[test]
fn a_turn_leaves_the_card_as_it_is() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };

    let mut worker = card.worker().arg("--turn").arg("3").start();

    assert_eq!(worker.end(), Some(0));
    assert_eq!(card.status(), "running");
}

#[test]
fn when_its_time_is_over_the_card_is_finished() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };

    let mut worker = card.worker().arg("--max-runtime").arg("3s").start();

    assert_eq!(worker.end(), Some(0));
    let shown = card.show();
    assert_eq!(shown["task"]["status"], "done");
    let run = &shown["runs"][0];
    assert!(
        run["summary"]
            .as_str()
            .unwrap()
            .starts_with("Watched for 0 h 0 min")
    );
    assert_eq!(run["metadata"]["written"], 0);
}

#[test]
fn very_much_news_is_few_and_short_comments() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let worker = card.worker().grace(0).arg("--allow-mass-change").start();
    card.wait_for("no drift");

    let pid = dead_pid();
    for round in 0..6 {
        let mut roll = machine.roll();
        for number in 0..40 {
            roll = roll
                .row(&format!("gone-{round}-{number}-creator-claude"))
                .pid(pid);
        }
        roll.row(NAME).pane(&session).write();
        let before = worker.passes().len();
        worker.signal(Signal::HUP);
        wait_until("a pass", || (worker.passes().len() > before).then_some(()));
    }
    card.wait_for("written");

    let told = card.told();
    assert!(told.len() <= 3, "{told:#?}");
    assert!(
        told.iter().all(|comment| comment.len() <= 1536),
        "{told:#?}"
    );
}
