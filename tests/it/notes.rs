//! Notes: what a person should know that is no drift and is never written. Those that belong to a class of
//! drift are shown there.

use crate::support::{Agent, Machine, dead_pid};

const NAME: &str = "shop-creator-claude";

#[test]
fn an_agent_that_left_its_shell_behind_has_exited() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine.roll().row(NAME).pane(&session).write();
    session.agent().exit();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("agent_exited", NAME);
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn an_agent_that_was_killed_has_exited_whatever_its_record_says() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine.roll().row(NAME).pane(&session).write();
    machine
        .claude()
        .pid_file(&session)
        .id(&crate::support::conversation(1))
        .write();
    session.agent().kill();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("agent_exited", NAME);
}

#[test]
fn an_agent_in_another_pane_of_its_session_has_not_exited() {
    let machine = Machine::new();
    let session = machine.session(NAME).start();
    machine.roll().row(NAME).pane(&session).write();
    session.split("claude");

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .has_no_note("agent_exited");
}

#[test]
fn an_agent_that_lives_has_not_exited() {
    for agent in [
        Agent::claude(),
        Agent::claude().under_a_shell(),
        Agent::claude().through_a_script(),
        Agent::claude().run_by("node"),
    ] {
        let machine = Machine::new();
        let session = machine.session(NAME).running(agent).start();
        machine.roll().row(NAME).pane(&session).write();

        let pass = machine.reconcile().at_once().run().exits(0);

        pass.has_no_note("agent_exited");
    }
}

#[test]
fn a_row_that_could_not_be_looked_for_is_told_with_the_reason() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine.roll().row(NAME).server("never-seen").write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    let note = pass.note_of("unseen", NAME);
    assert!(
        note["text"].as_str().unwrap().contains("never-seen"),
        "{note}"
    );
    assert!(!pass.is_confirmed());
}

#[test]
fn a_status_that_nobody_knows_is_told_and_kept() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine.roll().row(NAME).status("paused").write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    let note = pass.note_of("unknown_status", NAME);
    assert!(note["text"].as_str().unwrap().contains("paused"), "{note}");
    assert_eq!(machine.roll_text(), before);
}

/// A roll with one wrong entry and one right row, whose session is gone: only that is corrected.
#[track_caller]
fn is_told_and_left_alone(wrong: &str, problem: &str) {
    let machine = Machine::new();
    machine.session("bystander").start();
    let good = format!(
        "- name: {NAME}\n  status: running\n  pane: {{pid: {}}}\n",
        dead_pid()
    );
    machine.write_roll(format!("tmux_sessions:\n{wrong}\n{good}"));

    let pass = machine.reconcile().at_once().run().exits(0);

    let note = pass.note("invalid_row");
    let text = note["text"].as_str().unwrap();
    assert!(text.contains(problem), "{text}");
    assert!(text.contains("tmux_sessions[0]"), "{text}");
    assert!(pass.drift("A", NAME).is_applied());
    let roll = machine.roll_text();
    assert!(
        roll.starts_with(&format!("tmux_sessions:\n{wrong}\n")),
        "{roll}"
    );
    assert!(roll.contains("status: terminated"), "{roll}");
}

#[test]
fn a_row_without_a_name_is_told_and_left_alone() {
    is_told_and_left_alone("- status: running # whose?", "name");
}

#[test]
fn a_row_without_a_status_is_told_and_left_alone() {
    is_told_and_left_alone("- name: unsure", "status");
}

#[test]
fn a_row_of_the_wrong_type_is_told_and_left_alone() {
    is_told_and_left_alone("- just a text", "");
}

#[test]
fn a_key_of_the_wrong_type_is_told_and_its_row_left_alone() {
    is_told_and_left_alone("- {name: [a, list], status: running}", "name");
}

#[test]
fn of_two_rows_of_one_name_neither_is_touched() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let twins = "- name: twin\n  status: running\n- name: twin\n  status: running\n";
    machine.write_roll(format!(
        "tmux_sessions:\n{twins}- name: {NAME}\n  status: running\n  pane: {{pid: {}}}\n",
        dead_pid()
    ));

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(!pass.notes("invalid_row").is_empty());
    assert!(pass.drift("A", NAME).is_applied());
    let roll = machine.roll_text();
    assert!(roll.contains(twins), "{roll}");
}

#[test]
fn notes_never_change_the_exit_code() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .row("odd")
        .status("paused")
        .write();
    session.agent().exit();

    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .run()
        .exits(0);

    pass.note("agent_exited");
    pass.note("unknown_status");
}

#[test]
fn a_session_is_told_to_be_renamed_with_its_new_name() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    session.rename("market-creator-claude");

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    let note = pass.note_of("renamed", NAME);
    assert!(
        note["text"]
            .as_str()
            .unwrap()
            .contains("market-creator-claude"),
        "{note}"
    );
}
