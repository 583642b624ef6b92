//! Class C, and rule 7: the conversation of a running row is known, or is another. Ids have grades, and only
//! what is proven, or the only explanation left, is written.

mod inferred;

use std::fs;

use serde_json::json;

use crate::support::{Agent, Machine, Session, conversation};

const NAME: &str = "shop-creator-claude";
const KEY: &str = "claude_session_id_own";

/// A running row of Claude Code whose id is null.
fn without_id(machine: &Machine) -> Session<'_> {
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine.roll().row(NAME).pane(&session).null(KEY).write();
    session
}

/// A running row of Claude Code that records a conversation, and all that keeps it in order.
fn with_id<'m>(machine: &'m Machine, id: &str) -> Session<'m> {
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine.roll().row(NAME).pane(&session).set(KEY, id).write();
    talks(machine, &session, id);
    session
}

/// The session's agent has that conversation now, and something was said in it.
fn talks(machine: &Machine, session: &Session<'_>, id: &str) {
    machine.claude().pid_file(session).id(id).write();
    machine.claude().transcript(&session.cwd, id).write();
}

#[track_caller]
fn nothing_is_written(machine: &Machine) -> crate::support::Pass {
    let before = machine.roll_text();
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_eq!(machine.roll_text(), before);
    pass
}

// -- proven ------------------------------------------------------------------------------------------------

#[test]
fn a_null_id_is_filled_in_when_the_conversation_exists() {
    let machine = Machine::new();
    let session = without_id(&machine);
    talks(&machine, &session, &conversation(1));

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(drift["kind"], "id_materialized");
    assert_eq!(drift["reason"], "conversation_exists");
    assert_eq!(drift["confidence"], "proven");
    assert_eq!(
        drift["comment"],
        format!("{NAME}: session id materialized {}", conversation(1))
    );
    assert!(drift.has_evidence(&format!("sessions/{}.json", session.agent().pid)));
    assert!(drift.is_applied());
    let row = machine.row(NAME);
    assert_eq!(row[KEY], conversation(1));
    assert_eq!(row.get(format!("{KEY}_previous")), None);
}

#[test]
fn a_conversation_without_its_first_message_is_known_and_not_written() {
    let machine = Machine::new();
    let session = without_id(&machine);
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write();

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    let note = pass.note_of("known", NAME);
    assert!(
        note["text"].as_str().unwrap().contains(&conversation(1)),
        "{note}"
    );
}

#[test]
fn an_empty_transcript_is_none() {
    let machine = Machine::new();
    let session = without_id(&machine);
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .lines([])
        .write();

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    pass.note_of("known", NAME);
}

#[test]
fn an_id_that_is_live_is_in_order() {
    let machine = Machine::new();
    with_id(&machine, &conversation(1));

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    assert_eq!(pass.report()["notes"], json!([]));
}

#[test]
fn another_live_conversation_takes_the_place_of_the_recorded_one() {
    let machine = Machine::new();
    let session = with_id(&machine, &conversation(1));
    talks(&machine, &session, &conversation(2));

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(drift["kind"], "rotated");
    assert_eq!(drift["reason"], "another_conversation");
    assert!(drift.is_applied());
    let row = machine.row(NAME);
    assert_eq!(row[KEY], conversation(2));
    assert_eq!(row[&format!("{KEY}_previous")], json!([conversation(1)]));
}

#[test]
fn the_newest_of_the_replaced_conversations_comes_first() {
    let machine = Machine::new();
    let session = with_id(&machine, &conversation(1));
    talks(&machine, &session, &conversation(2));
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);
    talks(&machine, &session, &conversation(3));

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    let row = machine.row(NAME);
    assert_eq!(row[KEY], conversation(3));
    let previous = json!([conversation(2), conversation(1)]);
    assert_eq!(row[&format!("{KEY}_previous")], previous);
}

#[test]
fn another_conversation_without_its_first_message_takes_no_place() {
    let machine = Machine::new();
    let session = with_id(&machine, &conversation(1));
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(2))
        .write();

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    pass.note_of("known", NAME);
}

#[test]
fn a_recorded_id_that_is_live_but_has_no_file_yet_was_never_written() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .set(KEY, conversation(1))
        .write();
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write();

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    pass.note_of("never_written", NAME);
}

#[test]
fn a_record_of_an_earlier_process_of_the_same_pid_proves_nothing() {
    let machine = Machine::new();
    let session = without_id(&machine);
    let agent = session.agent();
    machine
        .claude()
        .leftover_pid_file(agent.pid, agent.process.start - 1)
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .begun_at(long_ago())
        .write();

    nothing_is_written(&machine).has_no_drifts();
}

#[test]
fn a_record_of_another_pid_namespace_proves_nothing() {
    let machine = Machine::new();
    let session = without_id(&machine);
    machine
        .claude()
        .pid_file(&session)
        .set(
            "pidDomain",
            "linux:0123456789abcdef0123456789abcdef:pid:[4026539999]",
        )
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .begun_at(long_ago())
        .write();

    nothing_is_written(&machine).has_no_drifts();
}

#[test]
fn a_scripted_run_in_the_pane_is_not_the_rows_conversation() {
    let machine = Machine::new();
    let session = without_id(&machine);
    talks(&machine, &session, &conversation(1));
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .entrypoint("sdk-cli")
        .write();

    nothing_is_written(&machine).has_no_drift(NAME);
}

#[test]
fn a_record_that_is_half_written_is_unread_and_not_absent() {
    let machine = Machine::new();
    let session = without_id(&machine);
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write_half();
    // By inference it would be this one.
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .begun_at(after(&session))
        .write();

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    pass.note_of("unread", NAME);
}

#[test]
fn an_agent_below_another_agent_never_counts() {
    let machine = Machine::new();
    let tool = Agent::named("bash").with_child("claude");
    let session = machine
        .session(NAME)
        .running(Agent::claude().with_child(tool))
        .start();
    machine.roll().row(NAME).pane(&session).null(KEY).write();
    let nested = &session.agent().children[0].children[0];
    talks(&machine, &session, &conversation(1));
    machine
        .claude()
        .pid_file(nested)
        .id(&conversation(2))
        .write();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .write();

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(machine.row(NAME)[KEY], conversation(1));
}

#[test]
fn an_agent_below_another_agent_is_not_asked_when_that_says_nothing() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().with_child("claude"))
        .start();
    machine.roll().row(NAME).pane(&session).null(KEY).write();
    let nested = &session.agent().children[0];
    machine
        .claude()
        .pid_file(nested)
        .id(&conversation(2))
        .write();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .write();

    nothing_is_written(&machine).has_no_drifts();
}

#[test]
fn an_agent_behind_a_script_or_an_interpreter_is_found() {
    for agent in [
        Agent::claude().through_a_script(),
        Agent::claude().run_by("node"),
    ] {
        let machine = Machine::new();
        let session = machine.session(NAME).running(agent).start();
        machine.roll().row(NAME).pane(&session).null(KEY).write();
        talks(&machine, &session, &conversation(1));

        machine
            .reconcile()
            .at_once()
            .run()
            .exits(0)
            .drift("C", NAME);

        assert_eq!(machine.row(NAME)[KEY], conversation(1));
    }
}

#[test]
fn files_are_looked_for_where_the_agents_own_environment_says() {
    let machine = Machine::new();
    let root = machine.folder("moved/claude");
    let session = machine
        .session(NAME)
        .env("CLAUDE_CONFIG_DIR", &root)
        .running("claude")
        .start();
    machine.roll().row(NAME).pane(&session).null(KEY).write();
    let files = machine.claude_at(&root);
    files.pid_file(&session).id(&conversation(1)).write();
    files.transcript(&session.cwd, &conversation(1)).write();

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(machine.row(NAME)[KEY], conversation(1));
}

#[test]
fn the_file_of_a_conversation_may_lie_in_any_projects_folder() {
    let machine = Machine::new();
    let session = without_id(&machine);
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&machine.folder("worktree"), &conversation(1))
        .write();

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(machine.row(NAME)[KEY], conversation(1));
}

#[test]
fn two_agents_side_by_side_in_one_pane_are_ambiguous() {
    let machine = Machine::new();
    let shell = Agent::named("bash")
        .with_child("claude")
        .with_child("claude");
    let session = machine.session(NAME).running(shell).start();
    machine.roll().row(NAME).pane(&session).null(KEY).write();
    for (number, agent) in (1..).zip(&session.agent().children) {
        machine
            .claude()
            .pid_file(agent)
            .id(&conversation(number))
            .write();
        machine
            .claude()
            .transcript(&session.cwd, &conversation(number))
            .write();
    }

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    pass.note_of("ambiguous", NAME);
}

#[test]
fn one_conversation_in_two_processes_is_told() {
    let machine = Machine::new();
    let first = with_id(&machine, &conversation(1));
    let second = machine.session("second").running("claude").start();
    machine
        .claude()
        .pid_file(&second)
        .id(&conversation(1))
        .write();
    machine
        .roll()
        .row(NAME)
        .pane(&first)
        .set(KEY, conversation(1))
        .row("second")
        .pane(&second)
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    let note = pass.note_of("shared_id", NAME);
    assert!(
        note["text"].as_str().unwrap().contains(&conversation(1)),
        "{note}"
    );
}

#[test]
fn an_ended_row_gets_no_id() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).status("stopped").null(KEY).write();
    talks(&machine, &session, &conversation(1));

    nothing_is_written(&machine).has_no_drifts();
}

#[test]
fn a_row_may_lack_the_key_altogether() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    talks(&machine, &session, &conversation(1));

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(machine.row(NAME)[KEY], conversation(1));
}

// -- the person's id ---------------------------------------------------------------------------------------

#[test]
fn an_id_that_somebody_set_stays_until_another_conversation_is_live() {
    let machine = Machine::new();
    let session = with_id(&machine, &conversation(1));
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .write();
    machine
        .skill()
        .writes(&format!("row('{NAME}')['{KEY}'] = '{}'", conversation(2)));

    for _ in 0..2 {
        let pass = nothing_is_written(&machine);
        assert_eq!(
            pass.drift("C", NAME).held().as_deref(),
            Some("person_changed")
        );
    }

    talks(&machine, &session, &conversation(3));
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);
    let row = machine.row(NAME);
    assert_eq!(row[KEY], conversation(3));
    assert_eq!(row[&format!("{KEY}_previous")], json!([conversation(2)]));
}

#[test]
fn an_id_that_was_never_seen_before_is_compared_as_usual() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .write();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .set(KEY, conversation(2))
        .write();
    talks(&machine, &session, &conversation(1));

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(drift["kind"], "rotated");
    assert!(drift.is_applied());
}

#[test]
fn headcounts_own_ids_are_nobodys_wish() {
    let machine = Machine::new();
    let session = without_id(&machine);
    talks(&machine, &session, &conversation(1));
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);
    talks(&machine, &session, &conversation(2));

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert!(drift.is_applied());
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
}

// -- agy ---------------------------------------------------------------------------------------------------

const AGY: &str = "shop-creator-agy";
const AGY_KEY: &str = "agy_conversation_id_own";

#[test]
fn the_conversation_whose_lock_agy_holds_is_its_own() {
    let machine = Machine::new();
    let lock = machine.agy().lock_path(&conversation(1));
    let session = machine
        .session(AGY)
        .running(Agent::agy().holding(lock).under_a_shell())
        .start();
    machine.roll().row(AGY).pane(&session).null(AGY_KEY).write();
    machine
        .agy()
        .conversation(&conversation(1), &machine.project());

    let drift = machine.reconcile().at_once().run().exits(0).drift("C", AGY);

    assert_eq!(drift["agent"], "agy");
    assert_eq!(drift["confidence"], "proven");
    assert!(drift.has_evidence("presence/"));
    assert_eq!(machine.row(AGY)[AGY_KEY], conversation(1));
}

#[test]
fn a_lock_file_without_a_lock_on_it_proves_nothing() {
    let machine = Machine::new();
    let session = machine.session(AGY).running("agy").start();
    machine.roll().row(AGY).pane(&session).null(AGY_KEY).write();
    machine.agy().leftover_lock(&conversation(1));
    machine
        .agy()
        .conversation(&conversation(1), &machine.folder("elsewhere"));

    nothing_is_written(&machine).has_no_drifts();
}

#[test]
fn agys_conversation_is_known_before_it_is_written() {
    let machine = Machine::new();
    let lock = machine.agy().lock_path(&conversation(1));
    let session = machine
        .session(AGY)
        .running(Agent::agy().holding(lock))
        .start();
    machine.roll().row(AGY).pane(&session).null(AGY_KEY).write();
    // Another one, so that the folder of conversations is there to be looked into.
    machine
        .agy()
        .conversation(&conversation(2), &machine.folder("elsewhere"));

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    pass.note_of("known", AGY);
}

#[test]
fn agys_conversations_of_the_old_kind_count_as_well() {
    let machine = Machine::new();
    let lock = machine.agy().lock_path(&conversation(1));
    let session = machine
        .session(AGY)
        .running(Agent::agy().holding(lock))
        .start();
    machine.roll().row(AGY).pane(&session).null(AGY_KEY).write();
    machine.agy().legacy_conversation(&conversation(1));

    machine.reconcile().at_once().run().exits(0).drift("C", AGY);

    assert_eq!(machine.row(AGY)[AGY_KEY], conversation(1));
}

#[test]
fn agys_files_are_neither_locked_nor_changed() {
    let machine = Machine::new();
    let lock = machine.agy().lock_path(&conversation(1));
    let session = machine
        .session(AGY)
        .running(Agent::agy().holding(lock))
        .start();
    machine.roll().row(AGY).pane(&session).null(AGY_KEY).write();
    machine
        .agy()
        .conversation(&conversation(1), &machine.project());
    machine.agy().leftover_lock(&conversation(2));
    let before = crate::support::Footprint::of(&[machine.agy().root()]);

    machine.reconcile().at_once().run().exits(0).drift("C", AGY);

    assert_eq!(
        crate::support::Footprint::of(&[machine.agy().root()]),
        before
    );
}

#[test]
fn claudes_files_are_not_changed() {
    let machine = Machine::new();
    let session = without_id(&machine);
    talks(&machine, &session, &conversation(1));
    let before = crate::support::Footprint::of(&[machine.claude().root()]);

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(
        crate::support::Footprint::of(&[machine.claude().root()]),
        before
    );
    assert!(fs::metadata(machine.claude().root()).is_ok());
}

fn long_ago() -> std::time::SystemTime {
    std::time::SystemTime::now() - std::time::Duration::from_secs(86_400)
}

/// A moment that is clearly after a session was created.
fn after(session: &Session<'_>) -> std::time::SystemTime {
    let created = u64::try_from(session.created).unwrap();
    std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(created + 2)
}
