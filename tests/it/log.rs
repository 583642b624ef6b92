//! What headcount has done to the roll, told from its journal.

use serde_json::Value;

use crate::support::{Machine, Pass, dead_pid};

const GONE: &str = "shop-creator-claude";
const NEW: &str = "blog-creator-claude";

/// A pass that ended one row and wrote another.
fn reconciled(machine: &Machine) -> Pass {
    let gone = machine.session(GONE).running("claude").start();
    machine.session(NEW).running("claude").start();
    machine.roll().row(GONE).pane(&gone).write();
    gone.kill();
    machine.reconcile().at_once().run().exits(0)
}

#[test]
fn what_was_written_is_told_with_what_the_row_said_and_says() {
    let machine = Machine::new();
    let pass = reconciled(&machine);

    let log = machine.headcount(&["log"]).exits(0).stdout;

    let comment = pass.drift("A", GONE)["comment"].clone();
    assert!(
        log.contains(&format!(" written: {}\n", comment.as_str().unwrap())),
        "{log}"
    );
    assert!(
        log.contains("\n    status: running -> terminated\n"),
        "{log}"
    );
    assert_eq!(log.matches(" written: ").count(), 2, "{log}");
}

#[test]
fn only_what_is_about_the_named_sessions_is_told() {
    let machine = Machine::new();
    let _ = reconciled(&machine);

    let log = machine.headcount(&["log", NEW]).exits(0).stdout;

    assert!(log.contains(NEW) && !log.contains(GONE), "{log}");
}

#[test]
fn the_last_ones_are_told_in_their_order() {
    let machine = Machine::new();
    let _ = reconciled(&machine);

    let all = machine.headcount(&["log", "--json"]).exits(0).stdout;
    let last = machine
        .headcount(&["log", "--json", "-n", "1"])
        .exits(0)
        .stdout;

    assert_eq!(all.lines().last().unwrap(), last.trim_end());
    let entry: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(entry["event"], "outcome");
}

#[test]
fn what_was_only_seen_is_told_if_it_is_asked_for() {
    let machine = Machine::new();
    let gone = machine.session(GONE).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(GONE).pane(&gone).write();
    machine.settle(&machine.roll_path());
    gone.kill();
    let _ = machine
        .reconcile()
        .allow_mass_change()
        .grace(1)
        .run()
        .exits(0);

    let told = machine.headcount(&["log", "--all"]).exits(0).stdout;
    let done = machine.headcount(&["log"]).exits(0).stdout;

    assert!(
        told.contains(" seen: ") && told.contains(" written: "),
        "{told}"
    );
    assert!(!done.contains(" seen: "), "{done}");
}

#[test]
fn a_roll_of_which_nothing_was_ever_told_is_no_error() {
    let machine = Machine::new();
    machine.write_roll("tmux_sessions: []\n");
    let before = machine.footprint();

    let log = machine.headcount(&["log"]).exits(0);

    assert_eq!(log.stdout, "");
    assert!(
        log.stderr
            .contains("Nothing is in the journal of this roll: nothing was told of it yet")
    );
    assert_eq!(machine.footprint(), before);
}

#[test]
fn no_name_of_a_session_reaches_a_terminal_raw() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine.write_roll(format!(
        "tmux_sessions:\n- {{name: \"evil\\e]0;x\\a\", status: running, pane: {{pid: {}}}}}\n",
        dead_pid()
    ));
    machine.settle(&machine.roll_path());
    let _ = machine.reconcile().at_once().run().exits(0);

    let log = machine.headcount(&["log", "--all"]).exits(0).stdout;

    assert!(log.contains("evil"), "{log}");
    assert!(!log.contains('\u{1b}'), "{log}");
}
