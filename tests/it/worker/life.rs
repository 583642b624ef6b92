//! The whole life of a card.

use rustix::process::Signal;

use super::{NAME, Watched, watched};
use crate::support::{Elsewhere, Machine, conversation, wait_until};

#[test]
fn what_a_worker_wrote_when_it_was_killed_is_told_once_as_written_and_counted() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let Some(killed) = Elsewhere::killed_when_it_removes_a_file() else {
        return;
    };
    let mut first = card.worker().grace(0).elsewhere(&killed).start();
    card.wait_for("no drift");
    session.kill();
    assert_eq!(first.end(), None, "it was killed");
    assert_eq!(machine.row(NAME)["status"], "terminated");
    assert_eq!(card.told().len(), 1, "{:#?}", card.told());

    let mut second = card.worker().grace(0).arg("--max-runtime").arg("4").start();

    assert_eq!(second.end(), Some(0));
    let told = card.told();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[1].contains("1 written"), "{told:#?}");
    assert!(told[1].contains("Marked terminated."), "{told:#?}");
    let run = &card.show()["runs"][0];
    assert_eq!(run["metadata"]["written"], 1, "{run:#}");
    assert_eq!(run["metadata"]["resolved"], 0, "{run:#}");
}

#[test]
fn a_card_from_its_making_to_its_end() {
    const OTHER: &str = "docs-creator-claude";
    const IDLE: &str = "idle-creator-claude";
    const OLD: &str = "old-creator-claude";
    let machine = Machine::new();
    let Some(Watched {
        hermes, session, ..
    }) = watched(&machine)
    else {
        return;
    };
    let id = "claude_session_id_own";
    let idle = machine.session(IDLE).running("claude").start();
    let claude = machine.claude();
    let kept = claude
        .transcript(&machine.project(), &conversation(2))
        .write();
    let roll = machine.roll().row(NAME).pane(&session);
    let roll = roll.row(IDLE).pane(&idle).null(id);
    roll.row(OLD)
        .status("stopped")
        .set(id, conversation(2))
        .write();
    let made = machine.headcount(&["dispatch", "--create"]).exits(0);
    let card = hermes.card_with(made.stdout.trim());
    let times = |sentence: &str| card.told().join("\n").matches(sentence).count();

    // A and B, told as they happen.
    let mut first = card.worker().at_once().arg("--heartbeat").arg("1").start();
    card.wait_for("no drift");
    session.kill();
    card.wait_for("Marked terminated.");
    let _other = machine.session(OTHER).running("claude").start();
    first.signal(Signal::HUP);
    card.wait_for("Auto-registered.");
    wait_until("a sign of life", || card.events("heartbeat").pop());
    first.signal(Signal::KILL);
    first.end();

    // C and D, while nobody watches: the next worker goes on with the same run.
    claude.transcript(&idle.cwd, &conversation(1)).write();
    claude.pid_file(&idle).id(&conversation(1)).write();
    std::fs::remove_file(kept).expect("a file can be removed");
    let mut second = card.worker().at_once().start();
    machine.wait_until_remembered(&conversation(1));
    card.comment("ann", "stop");
    assert_eq!(second.end(), Some(0));
    assert_eq!(card.status(), "blocked");
    assert_eq!(card.events("claimed").len(), 1);

    // Unblocked, it is watched again; nothing is new; its time is over.
    card.kanban("unblock", &[]);
    let mut third = card
        .worker()
        .at_once()
        .arg("--max-runtime")
        .arg("3")
        .start();
    assert_eq!(third.end(), Some(0));

    assert_eq!(card.status(), "done");
    for sentence in [
        "no drift",
        "Marked terminated.",
        "Auto-registered.",
        "session id materialized",
        "Not deleted.",
    ] {
        assert_eq!(times(sentence), 1, "{sentence}: {:#?}", card.told());
    }
    let runs = card.show()["runs"].clone();
    assert_eq!(runs.as_array().expect("runs").len(), 2, "{runs:#}");
    assert_eq!(runs[0]["outcome"], "blocked");
    assert_eq!(runs[1]["metadata"]["written"], 0, "{runs:#}");
}
