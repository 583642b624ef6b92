//! The timer, and what is told.

use std::fs;

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Machine, Session, conversation, dead_pid, wait_until};

const NAME: &str = "shop-creator-claude";

fn one_of_two(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session
}

#[test]
fn it_looks_again_by_the_timer() {
    let machine = Machine::new();
    one_of_two(&machine);

    let watching = machine.watch().every(1).start();

    watching.wait_for_passes(3);
    assert!(watching.passes()[2].contains("timer"));
}

#[test]
fn while_nothing_changes_it_prints_nothing() {
    let machine = Machine::new();
    one_of_two(&machine);

    let watching = machine.watch().every(1).start();
    watching.wait_for_passes(3);

    assert_eq!(watching.printed(), [""; 0]);
}

#[test]
fn an_end_is_told_when_it_is_found_and_when_it_is_written() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let watching = machine.watch().every(1).grace(2).start();

    session.kill();

    watching.wait_for_drift("A", NAME, |drift| drift["pending"].is_object());
    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    assert_eq!(machine.row(NAME)["status"], "terminated");
    assert_eq!(watching.reports().len(), 2, "each change is told once");
}

#[test]
fn what_is_pending_is_decided_when_it_is_due_and_not_by_the_timer() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    session.kill();

    let watching = machine.watch().every(3600).grace(1).start();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    assert_eq!(watching.passes(), ["start", "due"]);
}

#[test]
fn what_is_over_is_told_once() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    session.kill();
    let watching = machine.watch().every(1).grace(3600).start();
    let open = watching.wait_for_drift("A", NAME, |_| true);

    machine.session(NAME).running("claude").start();

    let report = watching.wait_for_report("the end of it", |report| {
        report["resolved"]
            .as_array()
            .is_some_and(|resolved| resolved.iter().any(|it| it["id"] == open["id"]))
    });
    assert_eq!(report["counts"]["by_class"]["A"], 0);
    let reports = watching.reports().len();
    watching.wait_for_passes(watching.passes().len() + 2);
    assert_eq!(watching.reports().len(), reports);
}

#[test]
fn what_was_told_before_is_not_told_again_after_a_restart() {
    let machine = Machine::new();
    one_of_two(&machine).kill();
    let first = machine.watch().every(1).grace(3600).start();
    first.wait_for_drift("A", NAME, |_| true);
    // Whoever is killed while telling has not told.
    first.wait_for_passes(first.passes().len() + 1);
    drop(first);

    let second = machine.watch().every(1).grace(3600).start();
    second.wait_for_passes(2);

    assert_eq!(second.printed(), [""; 0]);
}

#[test]
fn each_report_is_one_line_even_as_a_dry_run_and_nothing_is_written() {
    let machine = Machine::new();
    one_of_two(&machine).kill();
    machine.settle(&machine.roll_path());
    let before = machine.footprint();

    let watching = machine.watch().every(1).grace(2).arg("--dry-run").start();
    watching.wait_for_drift("A", NAME, |drift| drift["pending"].is_object());
    let drift = watching.wait_for_drift("A", NAME, |drift| drift["pending"].is_null());

    assert_eq!(drift["applied"], false);
    assert!(
        drift["comment"]
            .as_str()
            .unwrap()
            .contains("Would be written")
    );
    watching.wait_for_passes(watching.passes().len() + 2);
    assert_eq!(watching.reports().len(), 2, "each change is told once");
    assert_eq!(machine.footprint(), before);
}

#[test]
fn a_roll_that_cannot_be_read_is_told_once_and_ends_nothing() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let good = machine.roll_text();
    let watching = machine.watch().every(1).at_once().start();

    machine.write_roll("tmux_sessions: [");
    watching.wait_for_word("ERROR: ");
    let passes = watching.passes().len();
    wait_until("two more passes", || {
        (watching.passes().len() >= passes + 2).then_some(())
    });
    assert_eq!(watching.says("ERROR: "), 1);
    machine.write_roll(good);
    watching.wait_for_word("Passes can be made again");
    session.kill();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
}

#[test]
fn one_loop_is_enough_and_the_second_says_who_the_first_is() {
    let machine = Machine::new();
    one_of_two(&machine);
    let first = machine.watch().every(3600).start();

    let mut second = machine.watch().every(3600).start_anyway();

    assert_eq!(second.end(), Some(2));
    second.wait_for_word(&format!("pid {}", first.process().pid));
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    let mut dry = machine.watch().every(3600).arg("--dry-run").start();
    dry.signal(Signal::TERM);
    assert_eq!(dry.end(), Some(143));
}

#[test]
fn a_loop_that_was_killed_leaves_its_place_to_the_next() {
    let machine = Machine::new();
    one_of_two(&machine);
    let first = machine.watch().every(3600).start();
    first.signal(Signal::KILL);
    drop(first);

    let second = machine.watch().every(3600).start();

    assert_eq!(second.reports(), [json!(null); 0]);
}

#[test]
fn a_row_that_cannot_be_edited_is_told_once_and_written_when_it_can_be() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let pid = dead_pid();
    machine.write_roll(format!(
        "one: &one {{name: {NAME}, status: running, pane: {{pid: {pid}}}}}\ntmux_sessions:\n- *one\n"
    ));
    let watching = machine.watch().every(1).at_once().start();
    let drift = watching.wait_for_drift("A", NAME, |drift| drift["held"].is_object());
    assert_eq!(drift["held"]["reason"], "not_editable");
    watching.wait_for_passes(4);
    assert_eq!(watching.reports().len(), 1);

    machine.roll().row(NAME).pid(pid).write();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    assert_eq!(watching.reports().len(), 2);
}

#[test]
fn what_was_written_and_never_told_is_told_by_the_next_loop() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let mut first = machine.watch().every(3600).start();
    first.signal(Signal::TERM);
    assert_eq!(first.end(), Some(143));
    session.kill();
    // As a loop that is killed between writing and telling.
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    let next = machine.watch().every(1).start();

    let drift = next.wait_for_drift("A", NAME, |_| true);
    assert_eq!(drift["applied"], true);
    next.wait_for_passes(3);
    assert_eq!(next.reports().len(), 1, "it is told once");
}

#[test]
fn the_first_loop_begins_with_what_is_open() {
    let machine = Machine::new();
    one_of_two(&machine);
    machine
        .roll()
        .row("old")
        .status("stopped")
        .set("claude_session_id_own", conversation(2))
        .write();
    fs::create_dir_all(machine.claude().root().join("projects")).unwrap();
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", "old");

    let watching = machine.watch().every(3600).start();

    watching.wait_for_drift("D", "old", |_| true);
}

#[test]
fn one_loop_is_enough_although_somebody_removed_the_state_folder() {
    let machine = Machine::new();
    one_of_two(&machine);
    let first = machine.watch().every(3600).start();
    // At one go: the first pass may be writing to it yet.
    fs::rename(machine.state(), machine.root().join("removed")).unwrap();
    let passes = first.passes().len();
    first.signal(Signal::HUP);
    first.wait_for_passes(passes + 1);

    let mut second = machine.watch().every(3600).start_anyway();

    assert_eq!(second.end(), Some(2));
    second.wait_for_word(&format!("pid {}", first.process().pid));
}

#[test]
fn a_note_that_is_over_prints_no_line_with_nothing_in_it() {
    let machine = Machine::new();
    one_of_two(&machine);
    let good = machine.roll_text();
    let watching = machine.watch().every(3600).start();

    machine.write_roll(format!("{good}- status: running\n"));
    watching.wait_for_report("a row without a name", |report| {
        report["notes"][0]["kind"] == "invalid_row"
    });
    let passes = watching.passes().len();
    machine.write_roll(good);
    wait_until("a pass because of that", || {
        (watching.passes().len() > passes).then_some(())
    });
    watching.signal(Signal::HUP);
    watching.wait_for_pass("hangup");
    watching.wait_for_passes(watching.passes().len());

    assert_eq!(watching.reports().len(), 1, "{:#?}", watching.printed());
}
