//! What the exit code says, with and without `--detailed-exitcode`.

use crate::support::{Machine, Reconcile, RollBuilder, conversation};

/// Fails the test unless a dry run ends with these codes, without and with the flag.
#[track_caller]
fn assert_codes(machine: &Machine, plain: i32, detailed: i32) {
    assert_codes_of(|| machine.reconcile().dry_run(), plain, detailed);
}

#[track_caller]
fn assert_codes_of<'m>(pass: impl Fn() -> Reconcile<'m>, plain: i32, detailed: i32) {
    let _ = pass().run().exits(plain);
    let _ = pass().detailed_exitcode().run().exits(detailed);
    // Whether it is told on standard output makes no difference.
    let _ = pass().quiet().run().exits(plain);
    let _ = pass().quiet().detailed_exitcode().run().exits(detailed);
}

/// A machine with one session that is as its row says.
fn in_order() -> Machine {
    let machine = Machine::new();
    let docs = machine.session("docs").running("claude").start();
    machine.roll().row("docs").pane(&docs).write();
    drop(docs);
    machine.settle(&machine.roll_path());
    machine
}

#[test]
fn everything_in_order_is_0() {
    assert_codes(&in_order(), 0, 0);
}

#[test]
fn drift_is_0_or_2_whatever_becomes_of_it() {
    let machine = in_order();
    machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    // Pending, and what would be written.
    assert_codes(&machine, 0, 2);
    assert_codes_of(|| machine.reconcile().dry_run().spawn_grace(0), 0, 2);
    // Written.
    let _ = machine
        .reconcile()
        .spawn_grace(0)
        .detailed_exitcode()
        .run()
        .exits(2);
    assert_codes(&machine, 0, 0);
}

#[test]
fn drift_that_is_only_told_is_drift() {
    let machine = Machine::new();
    let docs = machine.session("docs").running("claude").start();
    machine
        .roll()
        .row("docs")
        .pane(&docs)
        .identity("claude", &conversation(1), &machine.project())
        .write();
    machine.settle(&machine.roll_path());
    machine
        .claude()
        .transcript(&machine.project(), &conversation(2))
        .write();

    assert_codes(&machine, 0, 2);
}

#[test]
fn drift_that_is_held_is_drift() {
    let machine = Machine::new();
    let sessions = ["one", "two", "three"].map(|name| machine.session(name).start());
    let at_home = |roll: RollBuilder, name: &str| roll.row(name).at_home(&machine);
    ["one", "two", "three"]
        .into_iter()
        .fold(machine.roll(), at_home)
        .write();
    machine.settle(&machine.roll_path());
    drop(sessions);
    machine.server("default").kill();

    assert_codes(&machine, 0, 2);
}

#[test]
fn what_could_not_be_seen_is_0_or_3() {
    let machine = in_order();
    let text = machine.roll_text();
    machine.write_roll(format!(
        "{text}- name: far\n  status: running\n  tmux_server: never-seen\n"
    ));

    assert_codes(&machine, 0, 3);
}

#[test]
fn what_could_not_be_seen_beats_drift() {
    let machine = in_order();
    machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    let text = machine.roll_text();
    machine.write_roll(format!(
        "{text}- name: far\n  status: running\n  tmux_server: never-seen\n"
    ));

    assert_codes(&machine, 0, 3);
}

#[test]
fn notes_change_nothing() {
    let machine = in_order();
    let text = machine.roll_text();
    machine.write_roll(format!(
        "{text}- name: odd\n  status: hibernating\n- status: running\n"
    ));
    let pass = machine.reconcile().dry_run().run().exits(0);
    assert_eq!(
        pass.notes("invalid_row").len() + pass.notes("unknown_status").len(),
        2
    );

    assert_codes(&machine, 0, 0);
}

#[test]
fn a_missing_or_unreadable_roll_is_1() {
    let machine = Machine::new();
    assert_codes(&machine, 1, 1);
    machine.write_roll("tmux_sessions: [\n");
    assert_codes(&machine, 1, 1);
}

#[test]
fn wrong_usage_is_2_or_1() {
    let machine = in_order();
    assert_codes_of(|| machine.reconcile().arg("--wrong"), 2, 1);
}

#[test]
fn any_other_error_is_2_or_1() {
    let machine = in_order();
    std::fs::write(machine.state(), "no folder").unwrap();
    assert_codes_of(|| machine.reconcile(), 2, 1);
}
