//! Brokers that do not let everybody in.

use serde_json::json;

use super::{JOB, heard, outcome, working};
use crate::support::Machine;

#[test]
fn a_user_with_a_password_is_let_in() {
    let machine = Machine::new();
    let users = [("headcount", "a password"), ("worker", "another")];
    let Some(broker) = machine.broker().users(&users).start() else {
        return;
    };
    working(&machine);
    let watching = machine
        .watch()
        .subscribe(&broker)
        .env("MQTT_USERNAME", "headcount")
        .env("MQTT_PASSWORD", "a password")
        .start();
    heard(&watching);

    broker
        .publisher_with(json!({ "user": "worker", "password": "another" }))
        .event(JOB, 1, "completed");

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
}

#[test]
fn a_wrong_password_is_told_once_and_the_timer_goes_on() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().users(&[("headcount", "right")]).start() else {
        return;
    };
    working(&machine);
    machine.job(JOB).status("running").write();
    let watching = machine
        .watch()
        .subscribe(&broker)
        .arg("--user")
        .arg("headcount")
        .env("MQTT_PASSWORD", "wrong")
        .start();
    watching.wait_for_word("it refuses the user or the password");

    machine.job(JOB).status("completed").write();

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
    assert_eq!(watching.says("cannot be listened to"), 1);
    assert_eq!(watching.says("wrong"), 0, "a password is not told");
}

#[test]
fn with_tls_only_a_broker_that_the_authority_vouches_for_is_listened_to() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().tls().start() else {
        return;
    };
    working(&machine);
    let watching = machine
        .watch()
        .subscribe(&broker)
        .env("MQTT_TLS", "1")
        .env("MQTT_CA_CERTS", broker.file("ca.crt"))
        .start();
    heard(&watching);
    broker.publisher().event(JOB, 1, "completed");
    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
    drop(watching);

    // Another authority, and another name.
    let other = Machine::new();
    let Some(another) = other.broker().tls().start() else {
        return;
    };
    for (ca, host) in [
        (another.file("ca.crt"), "localhost"),
        (broker.file("ca.crt"), "127.0.0.1"),
    ] {
        let watching = machine
            .watch()
            .subscribe(&broker)
            .env("MQTT_BROKER", host)
            .env("MQTT_CA_CERTS", ca)
            .start();
        watching.wait_for_word("invalid peer certificate");
        assert_eq!(watching.says("connected"), 0);
    }
}

#[test]
fn whoever_talks_otherwise_than_the_broker_is_told_so() {
    let machine = Machine::new();
    let Some(talks_tls) = machine.broker().tls().start() else {
        return;
    };
    let Some(talks_plainly) = machine.broker().start() else {
        return;
    };
    working(&machine);

    let plain = machine.watch().subscribe(&talks_tls).start();
    plain.wait_for_word("it may talk only TLS on this port (--tls)");
    drop(plain);
    let secret = machine
        .watch()
        .subscribe(&talks_plainly)
        .arg("--ca-certs")
        .arg(talks_tls.file("ca.crt"))
        .start();

    secret.wait_for_word("it may not talk TLS on this port");
}

#[test]
fn with_a_client_certificate_and_rights_of_its_own() {
    let machine = Machine::new();
    let rights = "user worker\ntopic write python/mqtt/jobs/+/events\nuser headcount\ntopic read python/mqtt/jobs/+/events\n";
    let broker = machine.broker().tls().client_certificates().rights(rights);
    let Some(broker) = broker.start() else {
        return;
    };
    working(&machine);
    let watching = machine
        .watch()
        .subscribe(&broker)
        .arg("--ca-certs")
        .arg(broker.file("ca.crt"))
        .arg("--cert")
        .arg(broker.file("headcount.crt"))
        .arg("--key")
        .arg(broker.file("headcount.key"))
        .start();
    heard(&watching);

    let worker = json!({ "cert": broker.file("worker.crt"), "key": broker.file("worker.key") });
    broker.publisher_with(worker).event(JOB, 1, "completed");
    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
    drop(watching);

    let nobody = machine
        .watch()
        .subscribe(&broker)
        .arg("--ca-certs")
        .arg(broker.file("ca.crt"))
        .start();
    nobody.wait_for_word("cannot be listened to");
}
