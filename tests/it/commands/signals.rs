//! Signals that come while something is waited for.

use std::fs;

use rustix::process::Signal;

use crate::support::Machine;

/// Fails the test unless that signal ends a wait with that code, with nothing written and nothing left behind.
#[track_caller]
fn assert_ends(signal: Signal, code: i32) {
    let machine = Machine::new();
    let [shop, docs] = ["shop", "docs"].map(|name| machine.session(name).running("claude").start());
    machine
        .roll()
        .row("shop")
        .pane(&shop)
        .row("docs")
        .pane(&docs)
        .write();
    machine.settle(&machine.roll_path());
    let before = machine.roll_text();
    shop.kill();

    let waiting = machine.reconcile().grace(600).start();
    machine.wait_until_remembered("tmux_gone");
    waiting.signal(signal);
    let pass = waiting.finish().exits(code);

    assert_eq!(pass.stdout, "");
    assert_eq!(machine.roll_text(), before);
    let names: Vec<_> = fs::read_dir(machine.roll_path().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "agent-sessions.yaml.lock")
        .collect();
    assert_eq!(names, ["agent-sessions.yaml"]);
    // The next pass goes on where this one was ended.
    let pass = machine.reconcile().grace(0).run().exits(0);
    assert!(pass.drift("A", "shop").is_applied());
}

#[test]
fn an_interrupt_ends_with_130() {
    assert_ends(Signal::INT, 130);
}

#[test]
fn a_request_to_end_ends_with_143() {
    assert_ends(Signal::TERM, 143);
}

#[test]
fn a_closed_terminal_ends_with_129() {
    assert_ends(Signal::HUP, 129);
}

#[test]
fn being_killed_loses_nothing_either() {
    let machine = Machine::new();
    let [shop, docs] = ["shop", "docs"].map(|name| machine.session(name).running("claude").start());
    machine
        .roll()
        .row("shop")
        .pane(&shop)
        .row("docs")
        .pane(&docs)
        .write();
    machine.settle(&machine.roll_path());
    shop.kill();

    let waiting = machine.reconcile().grace(600).start();
    machine.wait_until_remembered("tmux_gone");
    waiting.signal(Signal::KILL);
    assert_eq!(waiting.finish().code, None);

    let pass = machine.reconcile().grace(0).run().exits(0);
    assert!(pass.drift("A", "shop").is_applied());
    assert_eq!(pass.drift("A", "shop")["count"], 2);
}
