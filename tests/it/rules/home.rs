//! Rule 1: an end is written only where the row is at home. What one container or machine cannot see,
//! another can.

use std::process::Command;

use crate::support::{Elsewhere, Machine, Session, in_a_container, skip};

const NAME: &str = "shop-creator-claude";

fn one_of_two(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session
}

/// A shell script in which `$headcount` is the program.
fn script(machine: &Machine, text: &str) -> Command {
    let mut command = machine.command("/bin/sh");
    command
        .args(["-e", "-c", text])
        .env("headcount", env!("CARGO_BIN_EXE_headcount"));
    command
}

#[test]
fn a_container_does_not_end_what_was_seen_alive_outside_of_it() {
    let machine = Machine::new();
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };
    let session = one_of_two(&machine);
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    session.kill();

    let pass = container.run(&machine.reconcile().at_once().into_command());

    let held = pass.exits(0).held("not_home");
    assert_eq!(held[0]["session"], NAME);
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_container_ends_nothing_on_a_first_run() {
    let machine = Machine::new();
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };
    one_of_two(&machine).kill();

    let pass = container.run(&machine.reconcile().at_once().not_settled().into_command());

    pass.exits(0).held("not_home");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn whoever_is_not_at_home_is_told_how_to_be() {
    let machine = Machine::new();
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };
    one_of_two(&machine).kill();

    let pass = container.run(&machine.reconcile().at_once().not_settled().into_command());

    let held = &pass.report()["held"][0];
    assert_eq!(held["reason"], "not_home");
    let remedy = held["remedy"].as_str().unwrap();
    assert!(remedy.contains("headcount init"), "{remedy}");
    let comment = pass.drift("A", NAME)["comment"].to_string();
    assert!(comment.contains("Not written:"), "{comment}");
    assert!(comment.contains("headcount init"), "{comment}");
}

#[test]
fn a_container_that_was_made_the_home_ends_its_rows() {
    let machine = Machine::new();
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };
    one_of_two(&machine).kill();

    let pass = container.run(&script(
        &machine,
        r#""$headcount" init >/dev/null
           "$headcount" reconcile --emit-diff --grace 0 --spawn-grace 0"#,
    ));

    assert!(pass.exits(0).drift("A", NAME).is_applied());
    assert_eq!(machine.row(NAME)["status"], "terminated");
}

#[test]
fn a_container_ends_what_it_saw_alive_itself() {
    let machine = Machine::new();
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };
    machine.roll().row(NAME).write();

    let pass = container.run(&script(
        &machine,
        &format!(
            r#"tmux -f /dev/null new-session -d -s '{NAME}' /bin/sh -i
               "$headcount" reconcile --grace 0 --spawn-grace 0
               tmux new-session -d -s bystander /bin/sh -i
               tmux kill-session -t '={NAME}'
               "$headcount" reconcile --emit-diff --grace 0 --spawn-grace 0"#,
        ),
    ));

    assert!(pass.exits(0).drift("A", NAME).is_applied());
}

#[test]
fn another_machine_does_not_end_what_was_seen_alive_on_this_one() {
    let machine = Machine::new();
    let Some(other) = Elsewhere::on_another_machine(&machine) else {
        return;
    };
    let session = one_of_two(&machine);
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    session.kill();

    let pass = other.run(&machine.reconcile().at_once().into_command());

    pass.exits(0).held("not_home");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn to_allow_a_mass_change_is_not_to_be_at_home() {
    let machine = Machine::new();
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };
    one_of_two(&machine).kill();
    let pass = machine.reconcile().at_once().not_settled();

    let pass = container.run(&pass.allow_mass_change().into_command());

    pass.exits(0).held("not_home");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn outside_of_containers_a_local_roll_is_at_home_by_itself() {
    if in_a_container() {
        skip("this machine is a container");
        return;
    }
    let machine = Machine::new();
    one_of_two(&machine).kill();

    let pass = machine.reconcile().at_once().not_settled().run().exits(0);

    assert!(pass.drift("A", NAME).is_applied());
}
