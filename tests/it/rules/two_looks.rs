//! Rule 3: two looks. An end is proven twice, and a session is let grow old enough, before anything is
//! written.

use std::fs;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::{Elsewhere, Machine, Pass, Running, Session, wait_until};

const NAME: &str = "shop-creator-claude";

fn killed(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session.kill();
    session
}

/// Starts a pass, and returns when its first look is remembered and it waits for the second.
#[track_caller]
fn waiting_pass(machine: &Machine, grace: u32, spawn_grace: u32, drift: &str) -> Running {
    let running = machine
        .reconcile()
        .grace(grace)
        .spawn_grace(spawn_grace)
        .start();
    wait_until_noted(machine, drift);
    running
}

/// The same, but it stands still until [`finish`], so that its second look is after whatever happens now,
/// however long that takes.
#[track_caller]
fn paused_pass(machine: &Machine, grace: u32, spawn_grace: u32, drift: &str) -> Running {
    let running = waiting_pass(machine, grace, spawn_grace, drift);
    running.signal(Signal::STOP);
    running
}

/// Lets a pass that was paused go on to its end.
#[track_caller]
fn finish(pass: Running) -> Pass {
    pass.signal(Signal::CONT);
    pass.finish().exits(0)
}

/// Makes one look that is remembered, and none after it.
#[track_caller]
fn one_look(machine: &Machine, drift: &str) {
    let running = waiting_pass(machine, 3600, 3600, drift);
    running.signal(Signal::TERM);
    assert_ne!(running.finish().code, Some(0), "it was to wait");
}

/// Waits until the ledger, which is what the next look knows, contains a word.
#[track_caller]
fn wait_until_noted(machine: &Machine, word: &str) {
    wait_until(&format!("{word} in the ledger"), || {
        let rolls = fs::read_dir(machine.state()).ok()?;
        rolls
            .flatten()
            .filter_map(|roll| fs::read_to_string(roll.path().join("ledger.json")).ok())
            .any(|ledger| ledger.contains(word))
            .then_some(())
    });
}

/// Lets time pass on the clock, since what is tested is what it does.
fn let_pass(time: Duration) {
    let until = SystemTime::now() + time;
    wait_until("time to pass", || (SystemTime::now() > until).then_some(()));
}

fn seconds(time: &serde_json::Value) -> i64 {
    chrono::DateTime::parse_from_rfc3339(time.as_str().unwrap())
        .unwrap()
        .timestamp()
}

#[test]
fn an_end_is_not_written_by_the_look_that_finds_it() {
    let machine = Machine::new();
    killed(&machine);

    let drift = machine
        .reconcile()
        .dry_run()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert!(drift.is_pending());
    let waited = seconds(&drift["pending"]["due"]) - seconds(&drift["first_seen"]);
    assert!((10..=11).contains(&waited), "due after {waited} s");
    let comment = drift["comment"].as_str().unwrap();
    assert!(comment.contains("Not written yet:"), "{comment}");
    assert!(
        comment.contains(drift["pending"]["due"].as_str().unwrap()),
        "{comment}"
    );
}

#[test]
fn one_pass_waits_for_the_second_look_and_writes_what_it_proves_again() {
    let machine = Machine::new();
    killed(&machine);

    let drift = machine.reconcile().grace(1).run().exits(0).drift("A", NAME);

    assert!(drift.is_applied());
    assert_eq!(drift["count"], 2, "two looks");
    assert_eq!(machine.row(NAME)["status"], "terminated");
}

#[test]
fn a_session_that_is_back_at_the_second_look_is_not_ended() {
    let machine = Machine::new();
    killed(&machine);
    let pass = paused_pass(&machine, 2, 0, "tmux_gone");
    assert_eq!(
        machine.row(NAME)["status"],
        "running",
        "nothing is written while it waits"
    );
    machine.session(NAME).running("claude").start();

    let pass = finish(pass);

    assert!(!pass.drifts().iter().any(|drift| drift["class"] == "A"));
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn the_two_looks_may_be_of_two_passes() {
    let machine = Machine::new();
    killed(&machine);
    one_look(&machine, "tmux_gone");
    let_pass(Duration::from_secs(1));

    let drift = machine.reconcile().grace(1).run().exits(0).drift("A", NAME);

    assert!(drift.is_applied());
    assert_eq!(drift["count"], 2, "no third look was needed");
}

#[test]
fn a_look_that_could_not_see_makes_the_first_proof_worthless() {
    let machine = Machine::new();
    killed(&machine);
    one_look(&machine, "tmux_gone");
    let server = machine.server("default").process();
    server.signal(Signal::STOP);
    machine
        .reconcile()
        .grace(1)
        .run()
        .exits(0)
        .has_no_drift(NAME);
    server.signal(Signal::CONT);

    let drift = machine
        .reconcile()
        .grace(1)
        .dry_run()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert!(drift.is_pending());
    assert_eq!(drift["new"], false);
}

#[test]
fn a_proof_from_before_a_reboot_is_not_the_first_of_two() {
    let machine = Machine::new();
    let Some(reboot) = Elsewhere::after_a_reboot(&machine) else {
        return;
    };
    killed(&machine);
    one_look(&machine, "tmux_gone");
    let_pass(Duration::from_secs(1));

    let pass = reboot.run(&machine.reconcile().grace(1).dry_run().into_command());

    assert!(pass.exits(0).drift("A", NAME).is_pending());
}

#[test]
fn without_a_grace_one_look_is_enough() {
    let machine = Machine::new();
    killed(&machine);

    let drift = machine.reconcile().grace(0).run().exits(0).drift("A", NAME);

    assert!(drift.is_applied());
    assert_eq!(drift["count"], 1);
}

#[test]
fn a_mistake_is_undone_only_after_a_second_look() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.skill().writes(&format!(
        "row('{NAME}').update(status='terminated', termination_mode='auto-detected')"
    ));

    let drift = machine
        .reconcile()
        .dry_run()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "mistaken");
    assert!(drift.is_pending());
}

#[test]
fn a_young_session_is_not_registered_yet() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().write();

    let drift = machine
        .reconcile()
        .dry_run()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "unregistered");
    assert!(drift.is_pending());
    assert_eq!(seconds(&drift["pending"]["due"]), session.created + 30);
}

#[test]
fn one_pass_waits_until_a_session_is_old_enough() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine.roll().write();

    let drift = machine
        .reconcile()
        .grace(0)
        .spawn_grace(2)
        .run()
        .exits(0)
        .drift("B", NAME);

    assert!(drift.is_applied());
    assert_eq!(machine.read_roll().names(), [NAME]);
}

#[test]
fn a_row_that_its_maker_writes_late_is_not_written_twice() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().write();
    let pass = paused_pass(&machine, 0, 3, "unregistered");
    machine.skill().writes(&format!(
        "d['tmux_sessions'].append(dict(name='{NAME}', status='running', pane=dict(pid={})))",
        session.pid()
    ));

    finish(pass).has_no_drift(NAME);

    assert_eq!(machine.read_roll().names(), [NAME]);
    assert_eq!(machine.row(NAME).get("last_visible_status"), None);
}

#[test]
fn a_session_that_ends_young_is_never_registered() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().write();
    let pass = paused_pass(&machine, 0, 3, "unregistered");
    session.kill();

    finish(pass).has_no_drift(NAME);

    assert!(machine.read_roll().rows().is_empty());
}

#[test]
fn an_ended_row_is_not_revived_by_a_young_session() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .status("stopped")
        .set("stopped_at_epoch", session.created - 60)
        .write();

    let drift = machine
        .reconcile()
        .dry_run()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "revived");
    assert!(drift.is_pending());
}

#[test]
fn a_row_does_not_get_the_pane_of_a_young_session() {
    let machine = Machine::new();
    let old = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&old).write();
    old.kill();
    machine.session(NAME).running("claude").start();

    let drift = machine
        .reconcile()
        .dry_run()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "reincarnated");
    assert!(drift.is_pending());
}
