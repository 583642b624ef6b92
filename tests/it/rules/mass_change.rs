//! Rule 4: a mass change needs a cause. When most rows would end together, each end needs a cause of its own.

use std::time::{Duration, SystemTime};

use crate::support::{Machine, RollBuilder};

/// A machine with a living server, so that every row without a session is listed as gone.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine
}

/// The roll with more rows, whose sessions are gone, and which record no process to be asked.
fn gone(machine: &Machine, roll: RollBuilder, names: &[&str]) -> RollBuilder {
    let row = |roll: RollBuilder, name: &&str| roll.row(name).at_home(machine);
    names.iter().fold(roll, row)
}

/// The roll with more rows, whose sessions live.
fn alive(machine: &Machine, roll: RollBuilder, names: &[&str]) -> RollBuilder {
    names.iter().fold(roll, |roll, name| {
        machine.session(name).start();
        roll.row(name).at_home(machine)
    })
}

/// A row that was ended by headcount.
fn ended(machine: &Machine, roll: RollBuilder, name: &str, ago: Duration) -> RollBuilder {
    let at = SystemTime::now() - ago;
    let epoch = at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    roll.row(name)
        .at_home(machine)
        .status("terminated")
        .set("terminated_at_epoch", epoch)
        .set("termination_mode", "auto-detected")
}

#[track_caller]
fn statuses(machine: &Machine, names: &[&str]) -> Vec<String> {
    let roll = machine.read_roll();
    names
        .iter()
        .map(|name| roll.row(name)["status"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn three_ends_that_are_most_of_all_rows_are_held() {
    let machine = machine();
    let roll = gone(&machine, machine.roll(), &["a", "b", "c"]);
    alive(&machine, roll, &["d", "e"]).write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.held("mass_change").len(), 3);
    assert_eq!(machine.roll_text(), before);
    let remedy = pass.report()["held"][0]["remedy"].to_string();
    assert!(remedy.contains("--allow-mass-change"), "{remedy}");
}

#[test]
fn a_person_can_allow_it() {
    let machine = machine();
    gone(&machine, machine.roll(), &["a", "b", "c"]).write();

    let pass = machine
        .reconcile()
        .at_once()
        .allow_mass_change()
        .run()
        .exits(0);

    assert!(pass.drifts().iter().all(|drift| drift.is_applied()));
    assert_eq!(statuses(&machine, &["a", "b", "c"]), ["terminated"; 3]);
}

#[test]
fn two_ends_are_no_mass() {
    let machine = machine();
    gone(&machine, machine.roll(), &["a", "b"]).write();

    machine.reconcile().at_once().run().exits(0).drift("A", "a");

    assert_eq!(statuses(&machine, &["a", "b"]), ["terminated"; 2]);
}

#[test]
fn half_of_the_rows_are_no_mass() {
    let machine = machine();
    let roll = gone(&machine, machine.roll(), &["a", "b", "c"]);
    alive(&machine, roll, &["d", "e", "f"]).write();

    machine.reconcile().at_once().run().exits(0).drift("A", "a");

    assert_eq!(statuses(&machine, &["a", "b", "c"]), ["terminated"; 3]);
}

#[test]
fn a_dead_process_is_cause_enough_and_only_for_its_own_row() {
    let machine = machine();
    gone(&machine, machine.roll(), &["a", "b"])
        .row("c")
        .at_home(&machine)
        .ended_pane()
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", "c").is_applied());
    assert_eq!(pass.held("mass_change").len(), 2);
    assert_eq!(
        statuses(&machine, &["a", "b", "c"]),
        ["running", "running", "terminated"]
    );
}

#[test]
fn the_death_of_the_server_that_was_known_is_cause_enough() {
    let machine = machine();
    alive(&machine, machine.roll(), &["a", "b", "c"]).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.server("default").kill();

    machine.reconcile().at_once().run().exits(0).drift("A", "a");

    assert_eq!(statuses(&machine, &["a", "b", "c"]), ["terminated"; 3]);
}

#[test]
fn a_server_that_nobody_knew_is_no_cause() {
    let machine = machine();
    alive(&machine, machine.roll(), &["a", "b", "c"]).write();
    machine.server("default").kill();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.held("mass_change").len(), 3);
    assert_eq!(statuses(&machine, &["a", "b", "c"]), ["running"; 3]);
}

#[test]
fn a_reboot_is_cause_enough() {
    let machine = Machine::new();
    gone(&machine, machine.roll(), &["a", "b", "c"])
        .written_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.drift("A", "a")["reason"], "host_rebooted");
    assert_eq!(statuses(&machine, &["a", "b", "c"]), ["terminated"; 3]);
}

#[test]
fn a_mass_cannot_be_ended_row_by_row() {
    let machine = machine();
    let roll = gone(&machine, machine.roll(), &["a"]);
    let roll = ended(&machine, roll, "b", Duration::from_secs(60));
    let roll = ended(&machine, roll, "c", Duration::from_secs(540));
    alive(&machine, roll, &["d"]).write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.held("mass_change").len(), 1);
    assert_eq!(machine.row("a")["status"], "running");
}

#[test]
fn what_ended_long_ago_is_no_part_of_a_mass() {
    let machine = machine();
    let roll = gone(&machine, machine.roll(), &["a"]);
    let roll = ended(&machine, roll, "b", Duration::from_secs(660));
    let roll = ended(&machine, roll, "c", Duration::from_secs(86_400));
    alive(&machine, roll, &["d"]).write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", "a").is_applied());
}

#[test]
fn rows_that_could_not_be_seen_are_part_of_the_mass() {
    let machine = machine();
    gone(&machine, machine.roll(), &["a"])
        .row("b")
        .server("never-seen")
        .row("c")
        .server("never-seen")
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.held("mass_change").len(), 1);
    assert_eq!(machine.row("a")["status"], "running");
}

#[test]
fn the_rows_of_one_server_can_be_a_mass_of_their_own() {
    let machine = machine();
    let work = machine.socket("work");
    machine.session("bystander").socket(&work).start();
    let mut roll = alive(&machine, machine.roll(), &["d", "e", "f", "g", "h"]);
    for name in ["a", "b", "c"] {
        roll = roll.row(name).server(work.to_str().unwrap());
    }
    roll.row("i").at_home(&machine).write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.held("mass_change").len(), 3);
    assert_eq!(statuses(&machine, &["a", "b", "c"]), ["running"; 3]);
    assert_eq!(
        statuses(&machine, &["i"]),
        ["terminated"],
        "its server is another"
    );
}

#[test]
fn many_ends_of_one_cause_are_told_as_one() {
    let machine = machine();
    alive(&machine, machine.roll(), &["a", "b", "c"]).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.server("default").kill();

    let pass = machine.reconcile().at_once().run().exits(0);

    let actions = pass.report()["actions"].clone();
    assert_eq!(actions.as_array().unwrap().len(), 1, "{actions:#}");
    assert_eq!(actions[0]["sessions"], serde_json::json!(["a", "b", "c"]));
    let expected = "a, b, c: tmux gone (server gone). Marked terminated.";
    assert_eq!(actions[0]["comment"], expected);
    assert_eq!(pass.drifts().len(), 3, "and each is a drift of its own");
}
