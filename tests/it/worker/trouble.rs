//! A board that cannot be reached, or does not say what it should: the watch goes on.

use std::fs;

use rustix::process::Signal;
use serde_json::Value;

use super::{NAME, one_of_two};
use crate::support::{Hermes, Machine, wait_until};

#[test]
fn without_hermes_it_prints_what_it_would_have_told() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let worker = machine.worker("t_1a2b3c4d").grace(0).start();
    session.kill();

    wait_until("the end of the session", || {
        let lines: Vec<Value> = worker
            .printed()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let comments: Vec<&Value> = lines
            .iter()
            .filter(|line| line["relay"] == "comment")
            .collect();
        let told = |line: &&Value| {
            line["text"]
                .as_str()
                .unwrap()
                .contains("Marked terminated.")
        };
        comments.iter().copied().find(told)?;
        assert!(lines.iter().all(|line| line["task"] == "t_1a2b3c4d"));
        lines.iter().find(|line| line["relay"] == "heartbeat")?;
        Some(())
    });
    worker.wait_for_word("hermes is not on the PATH");
}

#[test]
fn without_a_card_there_is_nothing_to_tell() {
    let machine = Machine::new();
    machine.roll().write();

    machine
        .headcount(&["worker"])
        .exits(2)
        .complains_of("--task");
}

#[test]
fn a_card_that_hermes_does_not_know_stops_no_watch() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    let session = one_of_two(&machine);
    let worker = hermes.card_with("t_00000000").worker().grace(0).start();

    session.kill();

    wait_until("the roll to be corrected", || {
        (machine.row(NAME)["status"] == "terminated").then_some(())
    });
    worker.wait_for_word("hermes knows no such card: no such task: t_00000000");
}

#[test]
fn what_could_not_be_told_is_told_in_order_when_the_board_is_back() {
    for broken in [
        "exit 1",
        "echo '{\"task\": 1'; exit 0",
        "kill -9 $$",
        "exit 0",
    ] {
        let machine = Machine::new();
        let Some(hermes) = Hermes::beside(&machine) else {
            return;
        };
        let session = one_of_two(&machine);
        let card = hermes.card();
        hermes.behind("exec \"$HERMES\" \"$@\"");
        let worker = card.worker().grace(0).start();
        card.wait_for("no drift");
        hermes.behind(broken);
        worker.wait_for_word("the roll is watched all the same");

        session.kill();
        wait_until("the roll to be corrected", || {
            (machine.row(NAME)["status"] == "terminated").then_some(())
        });
        hermes.behind("exec \"$HERMES\" \"$@\"");

        card.wait_for("Marked terminated.");
        assert_eq!(card.told().len(), 2, "{broken}: {:#?}", card.told());
    }
}

#[test]
fn a_comment_that_arrived_though_nobody_said_so_is_not_posted_again() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::beside(&machine) else {
        return;
    };
    one_of_two(&machine);
    let card = hermes.card();
    hermes.behind(
        "case \"$2\" in comment) \"$HERMES\" \"$@\" >/dev/null; kill -9 $$ ;; esac; exec \"$HERMES\" \"$@\"",
    );

    let worker = card.worker().start();
    card.wait_for("no drift");
    worker.wait_for_word("the board answers again");
    let done = worker.passes().len();
    worker.wait_for_passes(done + 3);

    assert_eq!(card.told().len(), 1, "{:#?}", card.told());
}

#[test]
fn texts_of_any_size_and_script_on_the_card_are_no_trouble() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    one_of_two(&machine);
    let card = hermes.card();
    card.comment("ann", &"stop that \u{7}\u{1b}[31m 日本 👩‍🚀 ".repeat(3000));
    let mut worker = card.worker().start();
    card.wait_for("no drift");

    card.comment("ann", "stop");

    assert_eq!(worker.end(), Some(0));
    assert_eq!(card.status(), "blocked");
}

#[test]
fn a_card_that_could_not_be_asked_for_at_the_start_is_claimed_when_the_board_is_back() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::beside(&machine) else {
        return;
    };
    one_of_two(&machine);
    let card = hermes.card();
    hermes.behind("exit 1");
    let mut worker = card.worker().start();
    worker.wait_for_word("the roll is watched all the same");

    hermes.behind("exec \"$HERMES\" \"$@\"");

    card.wait_for("no drift");
    assert_eq!(card.status(), "running");
    worker.signal(Signal::TERM);
    assert_eq!(worker.end(), Some(143));
    assert_eq!(card.status(), "ready");
}

#[test]
fn a_card_that_somebody_else_took_while_the_board_was_away_stays_theirs() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::beside(&machine) else {
        return;
    };
    one_of_two(&machine);
    let card = hermes.card();
    hermes.behind("exit 1");
    let mut worker = card.worker().start();
    worker.wait_for_word("the roll is watched all the same");

    card.kanban("claim", &[]);
    hermes.behind("exec \"$HERMES\" \"$@\"");

    assert_eq!(worker.end(), Some(0));
    assert!(worker.says("somebody else") > 0);
    assert_eq!(card.status(), "running");
    assert!(card.told().is_empty(), "{:#?}", card.told());
}

#[test]
fn a_claim_that_could_not_be_renewed_at_once_is_made_again() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::beside(&machine) else {
        return;
    };
    one_of_two(&machine);
    let card = hermes.card();
    hermes.behind("exec \"$HERMES\" \"$@\"");
    let mut worker = card.worker().arg("--claim-ttl").arg("6").start();
    card.wait_for("no drift");
    hermes.behind("case \"$2\" in claim) exit 1 ;; esac; exec \"$HERMES\" \"$@\"");
    card.wait_for_status("ready");
    worker.wait_for_word("the roll is watched all the same");

    hermes.behind("exec \"$HERMES\" \"$@\"");

    card.wait_for_status("running");
    worker.signal(Signal::TERM);
    assert_eq!(worker.end(), Some(143));
    assert_eq!(card.status(), "ready");
}

#[test]
fn a_card_that_somebody_else_took_in_the_last_moment_is_not_given_back() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::beside(&machine) else {
        return;
    };
    one_of_two(&machine);
    let card = hermes.card();
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
