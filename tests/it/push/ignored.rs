//! What changes nothing.

use serde_json::json;

use super::{JOB, NAME, heard, outcome, working};
use crate::support::Machine;

const TOPIC: &str = "python/mqtt/jobs/a1b2c3d4/events";

#[test]
fn whatever_may_not_count_changes_nothing_and_is_counted() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let mut worker = broker.publisher();
    worker.send(&json!({
        "publish": { "schema_version": 1, "seq": 50, "job_id": JOB, "event": "error" },
        "retain": true,
    }));
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);

    for text in ["", "{", "[]", "\u{0}", r#"{"schema_version": 1}"#] {
        worker.raw(TOPIC, text);
    }
    let foreign = r#"{"schema_version": 2, "seq": 60, "job_id": "a1b2c3d4", "event": "error"}"#;
    worker.raw(TOPIC, foreign);
    let of_another = r#"{"schema_version": 1, "seq": 60, "job_id": "a1b2c3d4", "event": "error"}"#;
    worker.raw("python/mqtt/jobs/other/events", of_another);
    worker.raw(TOPIC, &"x".repeat(70 * 1024));
    worker.raw(TOPIC, &"x".repeat(1024 * 1024));
    worker.event(JOB, 2, "completed");

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
    let report = watching.wait_for_report("the outcome", |report| {
        report["job_updates"][0]["applied"] == true
    });
    assert_eq!(
        report["counts"]["events_ignored"],
        json!({ "foreign_schema": 1, "malformed": 6, "oversized": 2, "retained": 1 })
    );
    assert_eq!(watching.says("malformed"), 1, "said once a minute");
}

#[test]
fn a_message_that_is_larger_than_can_be_read_past_stops_nothing() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let mut worker = broker.publisher();
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);

    worker.raw(TOPIC, &"x".repeat(6 * 1024 * 1024));
    watching.wait_for_word("a message of 6291");
    watching.wait_for_word("again");
    worker.event(JOB, 2, "completed");

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
    assert_eq!(watching.says("cannot be listened to"), 1);
}

#[test]
fn every_event_must_be_signed_if_that_is_asked_for() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let watching = machine
        .watch()
        .subscribe(&broker)
        .arg("--require-signature")
        .start();
    heard(&watching);
    let mut worker = broker.publisher();

    worker.event(JOB, 2, "completed");
    watching.wait_for_word("1 unsigned");
    assert_eq!(machine.row(NAME).get("delegate_job_status"), None);

    machine.job(JOB).token("secret").write();
    worker.signed(JOB, 3, "error", "secret");
    assert_eq!(outcome(&machine)["delegate_job_status"], "error");
}

#[test]
fn other_topics_can_be_listened_to() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let watching = machine
        .watch()
        .subscribe(&broker)
        .arg("--topic")
        .arg("site/+/events")
        .start();
    heard(&watching);
    let mut worker = broker.publisher();

    worker.event(JOB, 2, "error");
    worker.send(&json!({
        "publish": { "schema_version": 1, "seq": 1, "job_id": JOB, "event": "completed" },
        "topic": format!("site/{JOB}/events"),
    }));

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
}
