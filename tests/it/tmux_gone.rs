//! Class A: the row says running, and its session is proven to be gone.
//!
//! What counts as a proof, and what keeps even a proven end from being written, is in `rules`.

use std::fs;
use std::time::Duration;

use crate::support::{Agent, Elsewhere, Machine, Session};

const NAME: &str = "shop-creator-claude";

/// A machine with one row, whose session runs beside another one, so that its server outlives it.
fn one_of_two(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session
}

#[test]
fn a_session_that_its_living_server_no_longer_lists_is_gone() {
    let machine = Machine::new();
    one_of_two(&machine).kill();

    let pass = machine.reconcile().at_once().run().exits(0);

    let drift = pass.drift("A", NAME);
    assert_eq!(drift["kind"], "tmux_gone");
    assert_eq!(drift["reason"], "session_gone");
    assert_eq!(drift["confidence"], "proven");
    assert!(drift.is_applied());
    assert!(pass.is_confirmed());
}

#[test]
fn an_end_is_written_with_its_time_in_two_forms_and_with_its_finder() {
    let machine = Machine::new();
    one_of_two(&machine).kill();

    let pass = machine.reconcile().at_once().run().exits(0);

    let row = machine.row(NAME);
    let at = pass.report()["timestamp"].clone();
    assert_eq!(row["status"], "terminated");
    assert_eq!(row["terminated_at"], at, "a text, and the time of the look");
    let epoch = chrono::DateTime::from_timestamp(row["terminated_at_epoch"].as_i64().unwrap(), 0);
    assert_eq!(
        epoch
            .unwrap()
            .to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        at.as_str().unwrap()
    );
    assert_eq!(row["termination_mode"], "auto-detected");
}

#[test]
fn an_end_keeps_everything_else_the_row_says() {
    let machine = Machine::new();
    let gone = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&gone)
        .set("role", "creator")
        .set("nested", serde_json::json!({ "kept": [1, "two", null] }))
        .write();
    let mut expected = machine.row(NAME);
    gone.kill();

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    let row = machine.row(NAME);
    for key in [
        "status",
        "terminated_at",
        "terminated_at_epoch",
        "termination_mode",
    ] {
        expected[key] = row[key].clone();
    }
    assert_eq!(row, expected);
}

#[test]
fn an_end_is_told_with_the_pane_that_was() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    session.kill();

    let drift = machine.reconcile().at_once().run().drift("A", NAME);

    let expected = format!(
        "{NAME}: tmux gone (was pane {}, cmd claude). Marked terminated.",
        session.pid()
    );
    assert_eq!(drift["comment"], expected);
}

#[test]
fn a_session_is_gone_with_its_server() {
    let machine = Machine::new();
    one_of_two(&machine);
    machine.server("default").kill();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift["reason"], "server_gone");
    assert!(drift.is_applied());
    assert_eq!(machine.row(NAME)["status"], "terminated");
}

#[test]
fn a_session_is_gone_with_a_server_that_was_killed_outright() {
    let machine = Machine::new();
    one_of_two(&machine);
    machine.server("default").crash();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift["reason"], "server_gone");
    assert!(drift.is_applied());
}

#[test]
fn a_server_ends_with_its_last_session() {
    let machine = Machine::new();
    let only = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&only).write();
    only.kill();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift["reason"], "server_gone");
    assert_eq!(machine.row(NAME)["status"], "terminated");
}

#[test]
fn a_server_whose_socket_vanished_after_it_had_answered_is_gone() {
    let machine = Machine::new();
    one_of_two(&machine);
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.server("default").kill();
    fs::remove_file(machine.socket("default")).unwrap();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift["reason"], "server_gone");
    assert!(drift.is_applied());
}

#[test]
fn a_session_is_gone_when_its_server_was_started_anew_without_it() {
    let machine = Machine::new();
    one_of_two(&machine);
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.server("default").kill();
    machine.session("bystander").start();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift["reason"], "server_restarted");
    assert!(drift.is_applied());
}

#[test]
fn a_session_that_was_seen_before_a_reboot_is_gone_after_it() {
    let machine = Machine::new();
    let Some(reboot) = Elsewhere::after_a_reboot(&machine) else {
        return;
    };
    one_of_two(&machine);
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.server("default").kill();
    fs::remove_file(machine.socket("default")).unwrap();

    let pass = reboot.run(&machine.reconcile().at_once().into_command());

    let drift = pass.exits(0).drift("A", NAME);
    assert_eq!(drift["reason"], "host_rebooted");
    assert!(drift.is_applied());
}

#[test]
fn after_a_reboot_a_server_that_was_started_since_is_no_reason_to_doubt() {
    let machine = Machine::new();
    let Some(reboot) = Elsewhere::after_a_reboot(&machine) else {
        return;
    };
    one_of_two(&machine);
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.server("default").kill();
    machine.session("bystander").start();

    let pass = reboot.run(&machine.reconcile().at_once().into_command());

    let drift = pass.exits(0).drift("A", NAME);
    assert_eq!(drift["reason"], "host_rebooted");
    assert!(drift.is_applied());
}

#[test]
fn on_a_first_run_a_roll_that_is_older_than_the_boot_tells_of_the_reboot() {
    let machine = Machine::new();
    machine
        .roll()
        .row(NAME)
        .pid(1)
        .written_ago(uptime() + Duration::from_secs(3600))
        .write();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift["reason"], "host_rebooted");
    assert!(drift.is_applied());
}

#[test]
fn a_row_that_was_changed_after_it_was_seen_is_not_taken_to_be_older_than_the_boot() {
    let machine = Machine::new();
    let Some(reboot) = Elsewhere::after_a_reboot(&machine) else {
        return;
    };
    one_of_two(&machine);
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine
        .skill()
        .writes(&format!("row('{NAME}')['note'] = 'written since'"));
    machine.server("default").kill();
    fs::remove_file(machine.socket("default")).unwrap();

    let pass = reboot.run(&machine.reconcile().at_once().into_command());

    pass.exits(0).has_no_drift(NAME);
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_session_is_looked_for_on_the_server_its_row_names() {
    let machine = Machine::new();
    let gone = machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    machine.session("bystander").server("work").start();
    // The name alone is no proof of life: on the server that is asked, it is not there.
    machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&gone).write();
    gone.kill();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift["tmux_server"], "work");
    assert_eq!(drift["reason"], "session_gone");
    assert!(drift.has_evidence("tmux:work"));
    assert!(drift.is_applied());
}

#[test]
fn a_row_is_ended_even_where_it_records_no_process() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine.roll().row(NAME).at_home(&machine).write();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert!(drift.is_applied());
    assert_eq!(
        drift["comment"],
        format!("{NAME}: tmux gone. Marked terminated.")
    );
}

#[test]
fn a_session_that_lives_is_no_drift() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    machine
        .session("docs-creator-agy")
        .running(Agent::agy().under_a_shell())
        .start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .row("docs-creator-agy")
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(pass.report()["actions"], serde_json::json!([]));
}

#[test]
fn rows_that_say_they_ended_are_in_order_when_their_sessions_are_gone() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine
        .roll()
        .row("a-creator-claude")
        .status("terminated")
        .row("b-creator-claude")
        .status("stopped")
        .row("c-creator-claude")
        .status("archived")
        .write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert!(pass.is_confirmed());
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn ended_once_is_ended_for_good() {
    let machine = Machine::new();
    one_of_two(&machine).kill();
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), before);
}

/// How long this machine has been up.
fn uptime() -> Duration {
    let text = fs::read_to_string("/proc/uptime").unwrap();
    let seconds: f64 = text.split(' ').next().unwrap().parse().unwrap();
    Duration::from_secs_f64(seconds)
}
