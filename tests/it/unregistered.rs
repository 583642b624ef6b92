//! Class B: a live session that no running row accounts for.

use std::fs;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::{Agent, Elsewhere, Machine, Session, conversation};

const NAME: &str = "shop-creator-claude";

/// Seconds since the epoch.
fn epoch(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

// -- unregistered ------------------------------------------------------------------------------------------

#[test]
fn a_session_that_nobody_declared_gets_a_row() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.write_roll("tmux_sessions: []\n");

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "unregistered");
    assert_eq!(drift["reason"], "not_in_roll");
    assert_eq!(drift["agent"], "claude");
    assert_eq!(
        drift["comment"],
        format!("{NAME}: tmux found but not in YAML. Auto-registered.")
    );
    assert!(drift.is_applied());
    assert_eq!(
        machine.row(NAME),
        json!({
            "name": NAME,
            "status": "running",
            "pane": { "pid": session.pid(), "cmd": "claude", "cwd": machine.project() },
            "last_visible_status": "auto-registered",
        })
    );
}

#[test]
fn a_new_row_comes_last_and_leaves_the_others_as_they_were() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    let text = "# kept\ntmux_sessions:\n- {name: 'first', status: stopped} # and this\n";
    machine.write_roll(text);

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert!(
        machine.roll_text().starts_with(text),
        "{}",
        machine.roll_text()
    );
    assert_eq!(machine.read_roll().names(), ["first", NAME]);
}

#[test]
fn a_new_row_names_its_server_unless_that_is_the_default_one() {
    let machine = Machine::new();
    machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    machine.session("home-creator-agy").running("agy").start();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.drift("B", NAME)["tmux_server"], "work");
    assert_eq!(machine.row(NAME)["tmux_server"], "work");
    assert_eq!(machine.row("home-creator-agy").get("tmux_server"), None);
}

#[test]
fn a_new_row_has_the_conversation_that_is_proven() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .write();
    machine.write_roll("tmux_sessions: []\n");

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(machine.row(NAME)["claude_session_id_own"], conversation(1));
}

#[test]
fn a_new_row_has_no_conversation_that_is_not_proven_or_cannot_be_resumed() {
    let machine = Machine::new();
    let known = machine.session(NAME).running("claude").start();
    machine
        .session("quiet-creator-claude")
        .cwd(machine.folder("quiet"))
        .running("claude")
        .start();
    machine
        .claude()
        .pid_file(&known)
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&machine.folder("quiet"), &conversation(2))
        .write();
    machine.write_roll("tmux_sessions: []\n");

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(machine.row(NAME).get("claude_session_id_own"), None);
    assert_eq!(
        machine
            .row("quiet-creator-claude")
            .get("claude_session_id_own"),
        None
    );
}

#[test]
fn a_new_row_is_in_order_from_then_on() {
    let machine = Machine::new();
    machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine.write_roll("tmux_sessions: []\n");
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert!(pass.is_confirmed());
}

#[test]
fn only_names_of_agents_sessions_are_registered() {
    let machine = Machine::new();
    for name in [
        "scratch",
        "shop-creator-vim",
        "-creator-claude",
        "shop-claude",
        "creator-claude",
    ] {
        machine.session(name).running("claude").start();
    }
    machine.write_roll("tmux_sessions: []\n");

    machine.reconcile().at_once().run().exits(0).has_no_drifts();
}

#[test]
fn of_a_session_with_several_panes_the_agents_is_recorded() {
    let machine = Machine::new();
    let session = machine.session(NAME).start();
    session.new_window(Agent::named("vim"));
    let agent = session.split(Agent::claude());
    machine.write_roll("tmux_sessions: []\n");

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(machine.row(NAME)["pane"]["pid"], agent.pid);
    assert_eq!(machine.read_roll().names(), [NAME]);
}

#[test]
fn a_second_session_on_the_same_panes_is_not_registered() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .session("twin-creator-claude")
        .beside(&session)
        .start();
    machine.roll().row(NAME).pane(&session).write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(machine.read_roll().names(), [NAME]);
}

#[test]
fn of_two_undeclared_sessions_on_the_same_panes_the_first_is_registered() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .session("another-creator-claude")
        .beside(&session)
        .start();
    machine.write_roll("tmux_sessions: []\n");

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(machine.read_roll().names(), [NAME]);
}

#[test]
fn a_name_that_any_row_has_is_never_registered_again() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    machine.roll().row(NAME).server("default").write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    let note = pass.note_of("name_taken", NAME);
    assert_eq!(note["tmux_server"], "work");
    assert_eq!(machine.read_roll().names(), [NAME]);
}

#[test]
fn a_name_is_taken_by_a_row_that_cannot_be_read() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    let text = format!("tmux_sessions:\n- name: {NAME}\n");
    machine.write_roll(&text);

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(!pass.drifts().iter().any(|drift| drift.is_applied()));
    assert_eq!(machine.roll_text(), text);
}

#[test]
fn a_name_is_taken_by_a_row_whose_status_nobody_knows() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).status("paused").write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn of_one_name_on_two_servers_only_the_default_ones_is_registered() {
    let machine = Machine::new();
    let first = machine.session(NAME).running("claude").start();
    machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.note_of("name_taken", NAME)["tmux_server"], "work");
    assert_eq!(machine.read_roll().names(), [NAME]);
    assert_eq!(machine.row(NAME)["pane"]["pid"], first.pid());
}

#[test]
fn a_session_in_a_folder_with_a_roll_of_its_own_is_foreign() {
    let machine = Machine::new();
    let theirs = machine.folder("project/theirs");
    machine
        .roll()
        .path(theirs.join(".hermes/agent-sessions.yaml"))
        .write();
    machine
        .session(NAME)
        .cwd(machine.folder("project/theirs/deep/inside"))
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("foreign", NAME);
    assert!(machine.read_roll().rows().is_empty());
}

#[test]
fn a_session_deeper_in_the_project_or_in_no_project_at_all_is_not_foreign() {
    let machine = Machine::new();
    let deep = machine.folder("project/src/deep");
    machine.session(NAME).cwd(deep).running("claude").start();
    let nowhere = machine.folder("elsewhere");
    machine
        .session("docs-creator-agy")
        .cwd(nowhere)
        .running("agy")
        .start();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("B", NAME).is_applied());
    assert!(pass.drift("B", "docs-creator-agy").is_applied());
    pass.has_no_note("foreign");
}

#[test]
fn a_session_whose_folder_is_gone_cannot_be_told_from_a_foreign_one() {
    let machine = Machine::new();
    let folder = machine.folder("short-lived");
    machine.session(NAME).cwd(&folder).running("claude").start();
    fs::remove_dir(folder).unwrap();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.drift("B", NAME).held().as_deref(), Some("doubt"));
    assert!(machine.read_roll().rows().is_empty());
}

#[test]
fn the_only_conversation_that_is_left_is_in_the_new_row_at_once() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    let begun = SystemTime::UNIX_EPOCH + Duration::from_secs(session.created.unsigned_abs() + 2);
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .begun_at(begun)
        .write();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("B", NAME).is_applied());
    assert_eq!(machine.row(NAME)["claude_session_id_own"], conversation(1));
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
}

// -- revived -----------------------------------------------------------------------------------------------

/// A machine with a session that has an agent in it, and that was created after the row of its name ended.
fn back_again(machine: &Machine) -> Session<'_> {
    machine.session(NAME).running("claude").start()
}

#[test]
fn an_ended_row_whose_session_is_new_runs_again() {
    let machine = Machine::new();
    let session = back_again(&machine);
    machine
        .roll()
        .row(NAME)
        .status("stopped")
        .pid(4_000_000)
        .set("stopped_at", "2020-01-01T00:00:00Z")
        .set("stopped_at_epoch", session.created - 60)
        .set("stop_reason", "done")
        .write();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "revived");
    assert_eq!(drift["reason"], "new_session");
    assert!(drift.is_applied());
    let row = machine.row(NAME);
    assert_eq!(row["status"], "running");
    let pane = json!({ "pid": session.pid(), "cmd": "claude", "cwd": machine.project() });
    assert_eq!(row["pane"], pane);
    assert_eq!(
        row["previous_end"],
        json!({
            "stopped_at": "2020-01-01T00:00:00Z",
            "stopped_at_epoch": session.created - 60,
            "stop_reason": "done",
        })
    );
    for key in ["stopped_at", "stopped_at_epoch", "stop_reason"] {
        assert_eq!(row.get(key), None, "{key} has moved");
    }
}

#[track_caller]
fn runs_again_after(status: &str, key: &str, end: impl Into<Value>) {
    let machine = Machine::new();
    back_again(&machine);
    machine
        .roll()
        .row(NAME)
        .status(status)
        .set(key, end)
        .write();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "revived", "after {status} by {key}");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn any_recorded_end_is_compared() {
    let hour_ago = SystemTime::now() - Duration::from_secs(3600);
    let text = chrono::DateTime::<chrono::Utc>::from(hour_ago).to_rfc3339();
    runs_again_after("terminated", "terminated_at_epoch", epoch(hour_ago));
    runs_again_after("terminated", "terminated_at", text.clone());
    runs_again_after("stopped", "stopped_at", text.clone());
    runs_again_after("archived", "archived_at", text);
}

#[test]
fn what_headcount_ended_runs_again_as_well() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session.kill();
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);
    let ended = machine.row(NAME)["terminated_at_epoch"].clone();
    crate::support::wait_until("another second", || {
        (epoch(SystemTime::now()) > ended.as_i64().unwrap()).then_some(())
    });
    let again = machine.session(NAME).running("claude").start();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "revived");
    let row = machine.row(NAME);
    assert_eq!(row["pane"]["pid"], again.pid());
    assert_eq!(row["previous_end"]["terminated_at_epoch"], ended);
    assert_eq!(row["previous_end"]["termination_mode"], "auto-detected");
}

#[test]
fn a_later_boot_is_after_any_recorded_end() {
    let machine = Machine::new();
    let Some(reboot) = Elsewhere::after_a_reboot(&machine) else {
        return;
    };
    machine.session("bystander").start();
    let tomorrow = SystemTime::now() + Duration::from_secs(86_400);
    machine
        .roll()
        .row(NAME)
        .status("stopped")
        // The clock was wrong, as it is until a machine has found its time server.
        .set("stopped_at_epoch", epoch(tomorrow))
        .write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    back_again(&machine);

    let pass = reboot.run(&machine.reconcile().at_once().into_command());

    assert_eq!(pass.exits(0).drift("B", NAME)["kind"], "revived");
}

#[track_caller]
fn is_only_noted_as_alive(machine: &Machine) {
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("still_alive", NAME);
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn without_an_agent_in_its_session_an_ended_row_stays_ended() {
    let machine = Machine::new();
    let session = machine.session(NAME).start();
    machine
        .roll()
        .row(NAME)
        .status("stopped")
        .set("stopped_at_epoch", session.created - 60)
        .write();

    is_only_noted_as_alive(&machine);
}

#[test]
fn without_a_recorded_end_an_ended_row_stays_ended() {
    let machine = Machine::new();
    back_again(&machine);
    machine.roll().row(NAME).status("terminated").write();

    is_only_noted_as_alive(&machine);
}

#[test]
fn an_end_that_cannot_be_compared_keeps_a_row_ended() {
    let machine = Machine::new();
    back_again(&machine);
    machine
        .roll()
        .row(NAME)
        .status("stopped")
        .set("stopped_at", "last Tuesday")
        .write();

    is_only_noted_as_alive(&machine);
}

#[test]
fn a_session_that_is_older_than_the_end_of_its_row_does_not_revive_it() {
    let machine = Machine::new();
    let session = back_again(&machine);
    machine
        .roll()
        .row(NAME)
        .status("stopped")
        .set("stopped_at_epoch", session.created + 1)
        .write();

    is_only_noted_as_alive(&machine);
}

#[test]
fn the_very_session_a_person_stopped_does_not_revive_its_row() {
    let machine = Machine::new();
    let session = back_again(&machine);
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.skill().writes(&format!(
        "row('{NAME}').update(status='stopped', stopped_at_epoch={})",
        session.created + 1
    ));

    is_only_noted_as_alive(&machine);
}

// -- mistaken ----------------------------------------------------------------------------------------------

/// Ends a row as headcount does, while its session lives on: the error that must heal.
fn ended_by_mistake(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.skill().writes(&format!(
        "row('{NAME}').update(status='terminated', terminated_at_epoch={}, termination_mode='auto-detected')",
        session.created + 1
    ));
    session
}

#[test]
fn an_end_that_was_a_mistake_is_undone() {
    let machine = Machine::new();
    let session = ended_by_mistake(&machine);
    let pane = machine.row(NAME)["pane"].clone();

    let drift = machine.reconcile().grace(1).run().exits(0).drift("B", NAME);

    assert_eq!(drift["kind"], "mistaken");
    assert_eq!(drift["reason"], "same_incarnation");
    assert!(drift.is_applied());
    let row = machine.row(NAME);
    assert_eq!(row["status"], "running");
    assert_eq!(row["pane"], pane);
    assert_eq!(row["previous_end"]["termination_mode"], "auto-detected");
    assert_eq!(
        row["previous_end"]["terminated_at_epoch"],
        session.created + 1
    );
    assert_eq!(row.get("termination_mode"), None);
}

#[test]
fn only_the_very_session_that_was_seen_proves_a_mistake() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .status("terminated")
        .set("terminated_at_epoch", session.created + 1)
        .set("termination_mode", "auto-detected")
        .write();

    is_only_noted_as_alive(&machine);
}

// -- reincarnated ------------------------------------------------------------------------------------------

/// A running row whose pane is gone, and a new session of its name.
fn replaced<'m>(machine: &'m Machine, agent: Option<Agent>) -> Session<'m> {
    let old = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&old).write();
    old.kill();
    let new = machine.session(NAME);
    match agent {
        Some(agent) => new.running(agent).start(),
        None => new.start(),
    }
}

#[test]
fn a_new_session_of_a_running_rows_name_gives_it_a_new_pane() {
    let machine = Machine::new();
    let new = replaced(&machine, Some(Agent::claude().under_a_shell()));

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("B", NAME);

    assert_eq!(drift["kind"], "reincarnated");
    assert_eq!(drift["reason"], "new_pane");
    assert!(drift.is_applied());
    let row = machine.row(NAME);
    assert_eq!(row["status"], "running");
    assert_eq!(row["pane"]["pid"], new.pid());
}

#[test]
fn a_new_session_without_an_agent_gives_a_row_nothing() {
    let machine = Machine::new();
    replaced(&machine, None);
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("agent_exited", NAME);
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_row_that_records_the_agents_own_pid_keeps_it() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine
        .roll()
        .row(NAME)
        .pid(session.agent().pid)
        .written_at(SystemTime::now() + Duration::from_secs(2))
        .write();
    let before = machine.roll_text();

    machine.reconcile().at_once().run().exits(0).has_no_drifts();

    assert_eq!(machine.roll_text(), before);
}

#[test]
fn after_a_reboot_a_restored_session_of_the_same_name_is_a_new_one() {
    let machine = Machine::new();
    let Some(reboot) = Elsewhere::after_a_reboot(&machine) else {
        return;
    };
    let old = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&old).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.server("default").kill();
    let new = machine.session(NAME).running("claude").start();

    let pass = reboot.run(&machine.reconcile().at_once().into_command());

    assert_eq!(pass.exits(0).drift("B", NAME)["kind"], "reincarnated");
    assert_eq!(machine.row(NAME)["pane"]["pid"], new.pid());
}
