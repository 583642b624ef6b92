//! The real Claude Code, version 2.1.197, in tmux: each thing a person does with it changes the report as
//! it should. It talks to a stand-in for its model API; all else is its own doing.

use std::fs;

use serde_json::json;

use crate::support::{ClaudeCode, Footprint, Machine, wait_until};

const NAME: &str = "shop-creator-claude";
const KEY: &str = "claude_session_id_own";
const PREVIOUS: &str = "claude_session_id_own_previous";

/// What headcount takes for granted of Claude Code. If this fails, Claude Code has changed; if only others
/// fail, headcount has.
#[test]
fn claude_code_leaves_on_disk_what_headcount_reads() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };

    let talk = claude.start(NAME);
    let process = talk.process();
    let started = talk.record().unwrap();
    assert_eq!(process.comm(), "claude");
    assert_eq!(talk.session.command_in_tmux(), "claude");
    assert_eq!(started.content["procStart"], process.start.to_string());
    assert_eq!(started.content["entrypoint"], "cli");
    assert_eq!(started.content["cwd"], json!(machine.project()));
    let first = started.conversation();
    assert!(
        !talk.transcript(&first).exists(),
        "a transcript before the first message"
    );

    talk.say("hello");
    assert_eq!(
        talk.conversation(),
        first,
        "the first message changes the conversation"
    );
    assert!(
        talk.transcript(&first).exists(),
        "no transcript after the first message"
    );

    let turn = talk.ask_to_run("touch made-by-claude");
    assert_eq!(
        talk.record().unwrap().content["waitingFor"],
        "permission prompt"
    );
    turn.allow();
    turn.wait_for_end();
    assert!(
        machine.project().join("made-by-claude").exists(),
        "the tool did not run"
    );

    let second = talk.clear();
    assert_ne!(second, first);
    assert_eq!(talk.process(), process, "/clear starts another process");
    assert!(
        talk.transcript(&first).exists(),
        "/clear removes the old transcript"
    );

    let go = machine.root().join("go");
    let turn = talk.ask_to_run(&format!("claude -p 'HOLD: {}'", go.display()));
    turn.allow();
    let nested = wait_until("a nested run", || talk.nested_record());
    assert_eq!(nested.content["entrypoint"], "sdk-cli");
    assert_ne!(nested.conversation(), second);
    fs::write(&go, "").unwrap();
    turn.wait_for_end();
    assert!(
        !nested.path.exists(),
        "a nested run leaves its record behind"
    );

    let crashed = talk.record().unwrap();
    talk.crash();
    assert!(crashed.path.exists(), "a crash takes the record away");
    talk.launch("claude --continue");
    assert_eq!(
        talk.conversation(),
        second,
        "--continue takes another conversation"
    );
    assert_ne!(talk.process(), process);

    let twin = claude.shell("twin");
    twin.launch(&format!("claude --resume {second}"));
    assert_eq!(
        twin.conversation(),
        second,
        "--resume takes another conversation"
    );
    assert_eq!(talk.conversation(), second);

    let left = talk.record().unwrap();
    talk.exit();
    assert!(!left.path.exists(), "/exit leaves the record behind");
    assert_eq!(machine.server("default").sessions(), [NAME, "twin"]);
}

#[test]
fn an_id_is_known_but_not_written_before_the_first_message() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .null(KEY)
        .write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drift(NAME);
    let note = pass.note_of("known", NAME);
    assert!(note.to_string().contains(&talk.conversation()), "{note:#}");
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn the_first_message_materializes_the_id() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .null(KEY)
        .write();
    talk.say("hello");

    let pass = machine.reconcile().at_once().run().exits(0);

    let drift = pass.drift("C", NAME);
    assert_eq!(drift["kind"], "id_materialized");
    assert_eq!(drift["confidence"], "proven");
    assert!(drift.is_applied(), "{drift:#?}");
    assert_eq!(machine.row(NAME)[KEY], talk.conversation());
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
}

#[test]
fn an_agent_that_waits_for_permission_is_in_order() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    talk.ask_to_run("touch made-by-claude");
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .set(KEY, talk.conversation())
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.has_no_note("agent_exited");
    assert_eq!(pass.alive(), [NAME]);
}

#[test]
fn clearing_twice_rotates_the_id_twice_and_keeps_the_old_ones() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    talk.say("hello");
    let first = talk.conversation();
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .set(KEY, &*first)
        .write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();

    let second = talk.clear();
    let pass = machine.reconcile().at_once().run().exits(0);
    let drift = pass.drift("C", NAME);
    assert_eq!(drift["kind"], "rotated");
    assert!(drift.is_applied(), "{drift:#?}");
    assert_eq!(machine.row(NAME)[KEY], *second);
    assert_eq!(machine.row(NAME)[PREVIOUS], json!([first]));

    let third = talk.clear();
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_eq!(pass.drift("C", NAME)["kind"], "rotated");
    assert_eq!(machine.row(NAME)[KEY], *third);
    assert_eq!(machine.row(NAME)[PREVIOUS], json!([second, first]));
}

#[test]
fn a_nested_run_never_gives_the_row_its_id() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .null(KEY)
        .write();
    let go = machine.root().join("go");
    let turn = talk.ask_to_run(&format!("claude -p 'HOLD: {}'", go.display()));
    turn.allow();
    let nested = wait_until("a nested run with a transcript", || {
        let nested = talk.nested_record()?;
        talk.transcript(&nested.conversation())
            .exists()
            .then_some(nested)
    });

    let during = machine.reconcile().at_once().run().exits(0);
    assert!(during.drift("C", NAME).is_applied());
    assert_eq!(machine.row(NAME)[KEY], talk.conversation());
    during.has_no_note("shared_id");
    during.has_no_note("ambiguous");

    fs::write(&go, "").unwrap();
    turn.wait_for_end();
    let after = machine.reconcile().at_once().run().exits(0);
    after.has_no_drifts();
    assert!(
        talk.transcript(&nested.conversation()).exists(),
        "its transcript lies beside the other"
    );
    assert_eq!(machine.row(NAME)[KEY], talk.conversation());
}

#[test]
fn a_crashed_agent_is_noted_and_its_row_stays_running() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    talk.say("hello");
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .set(KEY, talk.conversation())
        .write();
    talk.crash();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("agent_exited", NAME);
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn continuing_a_conversation_leaves_nothing_to_write() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    talk.say("hello");
    let id = talk.conversation();
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .set(KEY, &*id)
        .write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    talk.crash();
    let crashed = machine.reconcile().at_once().run().exits(0);
    crashed.note_of("agent_exited", NAME);
    let before = Footprint::of(&[&machine.roll_path()]);

    talk.launch("claude --continue");
    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.has_no_note("agent_exited");
    assert_eq!(talk.conversation(), id);
    assert_eq!(Footprint::of(&[&machine.roll_path()]), before);
}

#[test]
fn one_conversation_in_two_sessions_is_noted() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    talk.say("hello");
    let id = talk.conversation();
    let twin = claude.shell("twin-creator-claude");
    twin.launch(&format!("claude --resume {id}"));
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .set(KEY, &*id)
        .row("twin-creator-claude")
        .pane(&twin.session)
        .set(KEY, &*id)
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    let notes = pass.notes("shared_id");
    assert!(
        !notes.is_empty(),
        "nobody is told that two write one conversation: {:#}",
        pass.report()
    );
    assert!(json!(notes).to_string().contains(&id), "{notes:#?}");
}

#[test]
fn an_agent_that_left_is_noted_and_its_killed_session_is_terminated() {
    let machine = Machine::new();
    let Some(claude) = ClaudeCode::on(&machine) else {
        return;
    };
    let talk = claude.start(NAME);
    talk.say("hello");
    let id = talk.conversation();
    machine
        .roll()
        .row(NAME)
        .pane(&talk.session)
        .set(KEY, &*id)
        .write();

    talk.exit();
    let pass = machine.reconcile().at_once().run().exits(0);
    pass.has_no_drifts();
    pass.note_of("agent_exited", NAME);

    talk.session.kill();
    let pass = machine.reconcile().at_once().run().exits(0);
    let drift = pass.drift("A", NAME);
    assert_eq!(drift["kind"], "tmux_gone");
    assert!(drift.is_applied(), "{drift:#?}");
    let row = machine.row(NAME);
    assert_eq!(row["status"], "terminated");
    assert_eq!(row["termination_mode"], "auto-detected");
    assert_eq!(row[KEY], *id, "the conversation can still be resumed");
}
