//! A worker beside another loop, and beside another worker.

use rustix::process::Signal;

use super::{NAME, Watched, watched};
use crate::support::Machine;

#[test]
fn beside_a_loop_it_tells_what_that_loop_finds() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let watching = machine.watch().every(1).grace(0).start();
    let worker = card.worker().start_anyway();
    card.wait_for("no drift");

    session.kill();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    card.wait_for("Marked terminated.");
    assert!(worker.passes().is_empty(), "it looks at nothing itself");
}

#[test]
fn when_that_loop_ends_it_looks_itself() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let mut watching = machine.watch().every(1).start();
    let worker = card.worker().grace(0).start_anyway();
    card.wait_for("no drift");
    watching.signal(Signal::TERM);
    watching.end();

    worker.wait_for_pass("start");
    session.kill();

    card.wait_for("Marked terminated.");
}

#[test]
fn a_second_worker_says_who_is_the_first() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    let first = card.worker().start();

    let mut second = card.worker().start_anyway();

    let pid = first.process().pid.to_string();
    second.wait_for_word(&format!("pid {pid})"));
    assert_eq!(second.end(), Some(2));
}
