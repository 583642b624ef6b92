//! What can be wrong with the flags of a loop.

use crate::support::Machine;

#[track_caller]
fn assert_refused(arguments: &[&str], named: &str) {
    let machine = Machine::new();
    machine.roll().write();
    let before = machine.footprint();

    let refused = machine
        .headcount(&[&["reconcile"], arguments].concat())
        .exits(2);

    assert!(refused.stderr.starts_with("ERROR: "), "{}", refused.stderr);
    refused.complains_of(named);
    assert_eq!(machine.footprint(), before);
}

#[test]
fn an_interval_is_a_whole_number_of_seconds_of_at_least_one() {
    for wrong in ["0", "-1", "0.5", "soon", "86401", "99999999999999999999"] {
        assert_refused(&["--poll", wrong], "--poll");
    }
}

#[test]
fn a_timeout_is_a_whole_number_of_seconds() {
    for wrong in ["-1", "1.5", "never", "99999999999999999999"] {
        assert_refused(&["--poll", "--timeout", wrong], "--timeout");
    }
}

#[test]
fn once_and_again_and_again_contradict_each_other() {
    assert_refused(&["--once", "--poll"], "--once");
}

#[test]
fn a_single_pass_has_no_timeout() {
    assert_refused(&["--timeout", "5"], "--poll");
}

#[test]
fn without_a_roll_there_is_nothing_to_watch() {
    let machine = Machine::new();

    let pass = machine.headcount(&["reconcile", "--poll", "1"]).exits(1);

    pass.complains_of("headcount init");
}
