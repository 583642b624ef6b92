//! What an event does.

use rustix::process::Signal;
use serde_json::json;

use super::{JOB, NAME, heard, outcome, working};
use crate::support::Machine;

#[test]
fn the_end_of_a_job_is_written_to_its_row_at_once_and_the_session_lives_on() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    let session = working(&machine);
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);

    broker.publisher().event(JOB, 3, "completed");

    let row = outcome(&machine);
    assert_eq!(row["delegate_job_status"], "completed");
    assert_eq!(row["delegate_job_status_of"], JOB);
    assert_eq!(
        row["last_visible_note"],
        "job a1b2c3d4 completed (unsigned): as ordered"
    );
    assert_eq!(row["status"], "running");
    let report = watching.wait_for_report("the outcome", |report| {
        report["job_updates"][0]["applied"] == true
    });
    assert_eq!(report["job_updates"][0]["trust"], "unsigned");
    assert!(watching.passes().iter().any(|why| why.contains("event")));
    assert!(session.agent().process.is_alive());
}

#[test]
fn a_signed_event_counts_where_the_record_has_a_token() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    machine.job(JOB).token("a token, größer").write();
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    let mut worker = broker.publisher();

    worker.event(JOB, 100, "error");
    worker.signed(JOB, 100, "error", "another token");
    worker.signed(JOB, 3, "completed", "a token, größer");

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
    let report = watching.wait_for_report("the outcome", |report| {
        report["job_updates"][0]["applied"] == true
    });
    assert_eq!(report["job_updates"][0]["trust"], "signed");
    assert_eq!(report["counts"]["events_ignored"]["forged"], 2);
}

#[test]
fn a_job_that_waits_for_a_person_is_told_at_once_and_nothing_is_written() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    let before = machine.roll_text();

    broker.publisher().event(JOB, 1, "permission_required");

    watching.wait_for_report("what it waits for", |report| {
        report["job_updates"][0]["state"] == "permission_required"
    });
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn an_outcome_is_remembered_across_restarts() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let mut worker = broker.publisher();
    let mut watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    worker.event(JOB, 3, "completed");
    let row = outcome(&machine);
    watching.signal(Signal::TERM);
    assert_eq!(watching.end(), Some(143));

    // The same again, and an older one, and a contradiction.
    worker.event(JOB, 3, "error");
    worker.event(JOB, 2, "error");
    let watching = machine.watch().subscribe(&broker).start();
    worker.event("other", 1, "completed");
    watching.wait_for_pass("event");
    watching.wait_for_word("2 replayed");

    assert_eq!(machine.row(NAME), row);
}

#[test]
fn what_is_published_while_nobody_listens_comes_later() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let mut worker = broker.publisher();
    let mut watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    watching.signal(Signal::TERM);
    watching.end();

    worker.event(JOB, 3, "completed");
    let _watching = machine.watch().subscribe(&broker).start();

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
}

#[test]
fn an_event_that_was_acknowledged_survives_being_killed_before_it_is_seen_to() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    // While the roll is no roll, no pass sees to anything.
    let roll = machine.roll_text();
    machine.write_roll("tmux_sessions: [");
    broker.publisher().event(JOB, 3, "completed");
    machine.wait_until_kept(JOB);
    watching.signal(Signal::KILL);
    drop(watching);

    machine.write_roll(roll);
    broker.kill(); // with all that it had kept
    let _watching = machine.watch().subscribe(&broker).start();

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
}

#[test]
fn an_event_and_a_record_that_contradict_each_other_are_told_and_not_written() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    machine.job(JOB).status("error").write();

    broker.publisher().event(JOB, 3, "completed");

    let report = watching.wait_for_report("the contradiction", |report| {
        report["notes"][0]["kind"] == "job_contradiction"
    });
    assert_eq!(report["job_updates"][0]["held"]["reason"], "doubt");
    assert_eq!(machine.row(NAME).get("delegate_job_status"), None);
}

#[test]
fn the_session_is_ended_only_when_it_is_gone() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    let session = working(&machine);
    machine.session("bystander").start();
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    broker.publisher().event(JOB, 3, "completed");
    assert_eq!(outcome(&machine)["status"], "running");

    session.kill();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    let row = machine.row(NAME);
    assert_eq!(
        (&row["status"], &row["delegate_job_status"]),
        (&json!("terminated"), &json!("completed"))
    );
}

#[test]
fn an_event_that_was_acknowledged_survives_the_removal_of_the_state_folder() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    // While the roll is no roll, no pass sees to anything.
    let roll = machine.roll_text();
    machine.write_roll("tmux_sessions: [");
    watching.wait_for_word("ERROR: ");
    std::fs::remove_dir_all(machine.state()).unwrap();
    broker.publisher().event(JOB, 3, "completed");
    machine.wait_until_kept(JOB);
    watching.signal(Signal::KILL);
    drop(watching);

    machine.write_roll(roll);
    broker.kill(); // with all that it had kept
    let _watching = machine.watch().subscribe(&broker).start();

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
}
