//! The same folder, seen from another place: a container, or a second host that shares it.

use super::{Memory, agents, assert_ended, enrol, enrol_by_name, walked_both_ways};
use crate::support::{Elsewhere, Machine, RollBuilder, Session};

walked_both_ways! {
    sessions_end_and_a_container_looks_first,
    a_container_with_a_tmux_folder_of_its_own_looks,
}

fn sessions_end_and_a_container_looks_first(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    memory.of(&machine);
    let before = machine.roll_text();
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };

    sessions[0].kill();
    let looking = machine.reconcile().at_once().not_settled().into_command();
    let pass = container.run(&looking).exits(0);

    // In there every process looks dead, so an end is told and not written.
    assert_eq!(pass.held("not_home").len(), 1);
    let drift = pass.drift("A", "shop");
    assert_eq!(drift.held().as_deref(), Some("not_home"));
    let remedy = drift["held"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("headcount init"), "{remedy}");
    pass.has_no_drift("docs");
    assert_eq!(machine.roll_text(), before);

    // Outside it is written.
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_ended(&machine, &pass, &sessions[0], "session_gone");
}

fn a_container_with_a_tmux_folder_of_its_own_looks(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    memory.of(&machine);
    let before = machine.roll_text();
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };

    let mut looking = machine.reconcile().at_once().not_settled();
    looking = looking.env("TMUX_TMPDIR", machine.folder("another"));
    let pass = container.run(&looking.into_command()).exits(0);

    assert!(pass.drifts().iter().all(|drift| !drift.is_applied()));
    assert!(!pass.is_confirmed());
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_container_that_was_told_to_be_the_home_writes_ends() {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs"]);
    enrol_by_name(&machine, &sessions);
    let Some(container) = Elsewhere::in_a_container() else {
        return;
    };
    sessions[0].kill();
    // Each container has a pid namespace of its own, so both have to happen in one.
    let looking = machine.reconcile().at_once().not_settled().into_command();
    let mut script = machine.command("/bin/sh");
    script.args(["-c", "\"$1\" init >&2 && exec \"$@\"", "sh"]);
    script.arg(looking.get_program()).args(looking.get_args());
    let pass = container.run(&script).exits(0);

    assert_ended(&machine, &pass, &sessions[0], "session_gone");
}

#[test]
fn sessions_end_and_a_second_host_that_shares_the_home_looks_first() {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    Memory::OfABetterTime.of(&machine);
    let before = machine.roll_text();
    let Some(host) = Elsewhere::on_another_machine(&machine) else {
        return;
    };

    sessions[0].kill();
    let looking = machine.reconcile().at_once().not_settled().into_command();
    let pass = host.run(&looking).exits(0);

    assert_eq!(pass.drift("A", "shop").held().as_deref(), Some("not_home"));
    assert_eq!(machine.roll_text(), before);
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_ended(&machine, &pass, &sessions[0], "session_gone");
}

#[test]
fn a_second_host_without_these_sessions_leaves_all_rows_alone() {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    // By name: the processes of a real second host could not be seen from here.
    let by_name = |roll: RollBuilder, session: &Session<'_>| roll.row(&session.name);
    sessions.iter().fold(machine.roll(), by_name).write();
    Memory::OfABetterTime.of(&machine);
    let before = machine.roll_text();
    let Some(host) = Elsewhere::on_another_machine(&machine) else {
        return;
    };

    // Its own tmux server runs, with none of these sessions.
    let folder = machine.folder("another");
    let mut other = machine.command("tmux");
    other.env("TMUX_TMPDIR", &folder).args([
        "-f",
        "/dev/null",
        "new-session",
        "-d",
        "-s",
        "elsewhere",
        "sleep",
        "600",
    ]);
    assert!(other.status().unwrap().success());
    let looking = machine
        .reconcile()
        .at_once()
        .not_settled()
        .env("TMUX_TMPDIR", &folder);
    // Nor does its kernel know of any server but that.
    let Some(alone) = Elsewhere::with_listeners_below(&folder) else {
        return;
    };
    let looking = alone.command(&looking.into_command());
    let pass = host.run(&looking).exits(0);

    assert_eq!(pass.held("not_home").len(), 3);
    assert_eq!(pass.alive(), ["elsewhere"]);
    assert_eq!(machine.roll_text(), before);
}
