//! Whose card it is.

use std::fs;

use rustix::process::Signal;

use super::{ITSELF, Watched, watched, watched_by_proxy};
use crate::support::{Machine, wait_until};

#[test]
fn a_signal_gives_a_claimed_card_back() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    let mut worker = card.worker().start();
    card.wait_for_status("running");

    worker.signal(Signal::TERM);

    assert_eq!(worker.end(), Some(143));
    assert_eq!(card.status(), "ready");
}

#[test]
fn a_claim_is_renewed_before_it_runs_out() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let mut worker = card.worker().grace(0).arg("--claim-ttl").arg("12").start();
    card.wait_for("no drift");

    wait_until("a second claim", || {
        (card.events("claimed").len() >= 2).then_some(())
    });
    card.wait_for_status("running");
    session.kill();
    let told = card.wait_for("Marked terminated.");
    assert!(!told.contains("not kept any more"), "{told}");
    worker.signal(Signal::TERM);
    assert_eq!(worker.end(), Some(143));
}

#[test]
fn a_card_that_somebody_else_works_on_is_left_alone() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    card.kanban("claim", &[]);

    let mut worker = card.worker().start_anyway();

    worker.wait_for_word("somebody else");
    assert_eq!(worker.end(), Some(2));
    assert!(card.told().is_empty());
}

#[test]
fn a_card_that_was_given_is_not_claimed() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    card.kanban("claim", &[]);

    let _worker = machine.worker(&card.id).start();

    card.wait_for("no drift");
    assert_eq!(card.events("claimed").len(), 1);
}

#[test]
fn a_card_that_could_not_be_asked_for_at_the_start_is_claimed_when_the_board_is_back() {
    let machine = Machine::new();
    let Some(Watched { hermes, card, .. }) = watched_by_proxy(&machine) else {
        return;
    };
    hermes.behind("exit 1");
    let mut worker = card.worker().start();
    worker.wait_for_word("the roll is watched all the same");

    hermes.behind(ITSELF);

    card.wait_for("no drift");
    assert_eq!(card.status(), "running");
    worker.signal(Signal::TERM);
    assert_eq!(worker.end(), Some(143));
    assert_eq!(card.status(), "ready");
}

#[test]
fn a_card_that_somebody_else_took_while_the_board_was_away_stays_theirs() {
    let machine = Machine::new();
    let Some(Watched { hermes, card, .. }) = watched_by_proxy(&machine) else {
        return;
    };
    hermes.behind("exit 1");
    let mut worker = card.worker().start();
    worker.wait_for_word("the roll is watched all the same");

    card.kanban("claim", &[]);
    hermes.behind(ITSELF);

    assert_eq!(worker.end(), Some(0));
    assert!(worker.says("somebody else") > 0);
    assert_eq!(card.status(), "running");
    assert!(card.told().is_empty(), "{:#?}", card.told());
}

#[test]
fn a_claim_that_could_not_be_renewed_at_once_is_made_again() {
    let machine = Machine::new();
    let Some(Watched { hermes, card, .. }) = watched_by_proxy(&machine) else {
        return;
    };
    hermes.behind(ITSELF);
    let mut worker = card.worker().arg("--claim-ttl").arg("6").start();
    card.wait_for("no drift");
    hermes.behind("case \"$2\" in claim) exit 1 ;; esac; exec \"$HERMES\" \"$@\"");
    card.wait_for_status("ready");
    worker.wait_for_word("the roll is watched all the same");

    hermes.behind(ITSELF);

    card.wait_for_status("running");
    worker.signal(Signal::TERM);
    assert_eq!(worker.end(), Some(143));
    assert_eq!(card.status(), "ready");
}

#[test]
fn a_card_that_somebody_else_took_in_the_last_moment_is_not_given_back() {
    let machine = Machine::new();
    let Some(Watched { hermes, card, .. }) = watched_by_proxy(&machine) else {
        return;
    };
    let (held, waits) = (machine.root().join("held"), machine.root().join("waits"));
    hermes.behind(&format!(
        "while [ -e {} ]; do : > {}; sleep 0.1; done; exec \"$HERMES\" \"$@\"",
        held.display(),
        waits.display()
    ));
    let mut worker = card.worker().start();
    card.wait_for("no drift");
    fs::write(&held, "").expect("a file can be written");
    wait_until("a question to the board", || waits.exists().then_some(()));
    card.kanban("reclaim", &[]);
    card.kanban("claim", &[]);

    worker.signal(Signal::TERM);
    fs::remove_file(&held).expect("a file can be removed");

    worker.end();
    assert_eq!(card.status(), "running");
}

#[test]
fn a_claim_is_known_again_though_the_worker_was_cut_off_before_it_heard_of_it() {
    let machine = Machine::new();
    let Some(Watched { hermes, card, .. }) = watched_by_proxy(&machine) else {
        return;
    };
    hermes.behind("\"$HERMES\" \"$@\"; case \"$2\" in claim) kill -9 $PPID ;; esac");
    let mut first = card.worker().start_anyway();
    first.end();
    assert_eq!(card.status(), "running");
    hermes.behind(ITSELF);

    let mut second = card.worker().start();
    card.wait_for("no drift");

    assert_eq!(card.events("claimed").len(), 1, "it was its own already");
    second.signal(Signal::TERM);
    assert_eq!(second.end(), Some(143));
    assert_eq!(card.status(), "ready");
}

#[test]
fn a_claim_that_went_through_though_nobody_said_so_is_not_made_again() {
    let machine = Machine::new();
    let Some(Watched { hermes, card, .. }) = watched_by_proxy(&machine) else {
        return;
    };
    hermes.behind(
        "case \"$2\" in claim) \"$HERMES\" \"$@\" >/dev/null; exit 1 ;; esac; exec \"$HERMES\" \"$@\"",
    );

    let worker = card.worker().start();
    card.wait_for("no drift");

    worker.wait_for_word("the board answers again");
    assert_eq!(card.events("claimed").len(), 1);
}

#[test]
fn a_claim_by_somebody_else_is_not_taken_for_one_that_was_about_to_be_made() {
    let machine = Machine::new();
    let Some(Watched { hermes, card, .. }) = watched_by_proxy(&machine) else {
        return;
    };
    hermes.behind("case \"$2\" in claim) kill -9 $PPID; exit 1 ;; esac; exec \"$HERMES\" \"$@\"");
    card.worker().start_anyway().end();
    hermes.behind(ITSELF);
    card.kanban("claim", &[]);

    let mut worker = card.worker().start_anyway();

    worker.wait_for_word("somebody else");
    assert_eq!(worker.end(), Some(2));
    assert_eq!(card.status(), "running");
    assert!(card.told().is_empty());
}

#[test]
fn of_two_workers_that_want_one_card_one_gets_it_and_the_other_says_so() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    let mut workers = ["here", "there"].map(|place| {
        let memory = machine.root().join(place);
        let worker = card.worker().env("AGENT_SESSIONS_STATE_DIR", memory);
        worker.start_anyway()
    });

    let left = wait_until("one of them to leave", || {
        workers.iter_mut().position(|worker| !worker.is_running())
    });
    card.wait_for("no drift");

    assert_eq!(workers[left].end(), Some(2));
    workers[left].wait_for_word("is being worked on by somebody else");
    assert!(workers[1 - left].is_running());
    assert_eq!(card.events("claimed").len(), 1);
    assert_eq!(card.told().len(), 1, "{:#?}", card.told());
}
