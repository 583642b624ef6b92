//! The second grade: the only explanation that is left. Each of its conditions, by what is not written
//! without it.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use super::{AGY, AGY_KEY, KEY, NAME, after, long_ago, nothing_is_written};
use crate::support::elsewhere::give_away;
use crate::support::{Agent, Elsewhere, Machine, Session, conversation, wait_until};

/// A running row without an id, whose agent keeps no live record, as it is when nothing of it is on disk yet.
fn silent(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).null(KEY).write();
    session
}

/// The conversation that must be its own: begun after the session, in its folder, by a person.
fn its_own(machine: &Machine, session: &Session<'_>) {
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .begun_at(after(session))
        .write();
}

#[track_caller]
fn is_inferred(machine: &Machine) {
    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);
    assert_eq!(drift["confidence"], "inferred");
    assert!(drift.is_applied());
    assert_eq!(machine.row(NAME)[KEY], conversation(1));
}

#[track_caller]
fn is_ambiguous(machine: &Machine) {
    let pass = nothing_is_written(machine);
    pass.has_no_drift(NAME);
    pass.note_of("ambiguous", NAME);
}

/// Lets an agent grow out of the age in which it may not have written its record yet.
fn grow_up(session: &Session<'_>) {
    let born = session.agent().process.start;
    wait_until("the agent to be some seconds old", || {
        let uptime = fs::read_to_string("/proc/uptime").ok()?;
        let uptime: f64 = uptime.split(' ').next()?.parse().ok()?;
        let born = Duration::from_millis(born * 10).as_secs_f64();
        (uptime - born > 3.5).then_some(())
    });
}

#[test]
fn the_only_conversation_that_began_since_in_its_folder_is_its_own() {
    let machine = Machine::new();
    let session = silent(&machine);
    its_own(&machine, &session);

    is_inferred(&machine);
}

#[test]
fn an_inferred_id_tells_its_grade() {
    let machine = Machine::new();
    let session = silent(&machine);
    its_own(&machine, &session);

    let drift = machine
        .reconcile()
        .at_once()
        .dry_run()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(drift["kind"], "id_materialized");
    assert_eq!(drift["confidence"], "inferred");
    assert!(drift.has_evidence("only conversation"));
}

#[test]
fn two_conversations_that_began_since_are_ambiguous() {
    let machine = Machine::new();
    let session = silent(&machine);
    its_own(&machine, &session);
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .begun_at(after(&session))
        .write();

    is_ambiguous(&machine);
}

#[test]
fn a_conversation_that_began_before_the_session_is_another_ones() {
    let machine = Machine::new();
    let session = silent(&machine);
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .begun_at(long_ago())
        .write();

    nothing_is_written(&machine).has_no_drifts();
}

#[test]
fn a_conversation_that_began_before_does_not_disturb_the_only_one_since() {
    let machine = Machine::new();
    let session = silent(&machine);
    its_own(&machine, &session);
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .begun_at(long_ago())
        .write();

    is_inferred(&machine);
}

#[test]
fn a_conversation_that_began_in_the_second_of_the_session_may_be_older() {
    let machine = Machine::new();
    let session = silent(&machine);
    let created =
        SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(session.created).unwrap());
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .begun_at(created + Duration::from_millis(900))
        .write();

    is_ambiguous(&machine);
}

#[test]
fn without_a_time_in_the_file_its_birth_tells_when_it_began() {
    let machine = Machine::new();
    let session = silent(&machine);
    grow_up(&session);
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .lines([serde_json::json!({
            "type": "user", "message": { "role": "user", "content": "hello" }, "isSidechain": false,
            "entrypoint": "cli", "cwd": session.cwd, "sessionId": conversation(1),
        })])
        .write();

    is_inferred(&machine);
}

#[test]
fn a_conversation_of_another_folder_is_no_candidate() {
    let machine = Machine::new();
    let session = silent(&machine);
    let elsewhere = machine.folder("elsewhere");
    machine
        .claude()
        .transcript(&elsewhere, &conversation(1))
        .begun_at(after(&session))
        .write();

    nothing_is_written(&machine).has_no_drifts();
}

#[test]
fn folders_that_claude_cannot_tell_apart_are_told_apart_by_what_the_file_says() {
    let machine = Machine::new();
    let (dotted, dashed) = (machine.folder("a.b"), machine.folder("a-b"));
    let session = machine.session(NAME).cwd(&dotted).running("claude").start();
    machine.roll().row(NAME).pane(&session).null(KEY).write();
    its_own(&machine, &session);
    let theirs = machine.claude().transcript(&dashed, &conversation(2));
    theirs.begun_at(after(&session)).write();
    assert_eq!(
        machine.claude().project_folder(&dotted),
        machine.claude().project_folder(&dashed)
    );

    is_inferred(&machine);
}

#[test]
fn a_conversation_that_names_no_folder_may_be_another_folders() {
    let machine = Machine::new();
    let session = silent(&machine);
    let began = chrono::DateTime::<chrono::Utc>::from(after(&session)).to_rfc3339();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .lines([serde_json::json!({
            "type": "user", "message": { "role": "user", "content": "hello" }, "isSidechain": false,
            "entrypoint": "cli", "timestamp": began, "sessionId": conversation(1),
        })])
        .write();

    is_ambiguous(&machine);
}

#[test]
fn an_empty_conversation_is_no_candidate() {
    let machine = Machine::new();
    let session = silent(&machine);
    its_own(&machine, &session);
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .lines([])
        .write();

    is_inferred(&machine);
}

#[test]
fn a_conversation_that_another_row_records_is_not_free() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .null(KEY)
        .row("other-creator-claude")
        .status("stopped")
        .set(KEY, conversation(1))
        .write();
    its_own(&machine, &session);

    is_ambiguous(&machine);
}

#[test]
fn a_conversation_that_a_live_agent_claims_is_not_free() {
    let machine = Machine::new();
    let session = silent(&machine);
    let elsewhere = machine.folder("elsewhere");
    let claimant = machine
        .session("claimant")
        .cwd(elsewhere)
        .running("claude")
        .start();
    machine
        .claude()
        .pid_file(&claimant)
        .id(&conversation(1))
        .write();
    its_own(&machine, &session);
    grow_up(&claimant);

    is_ambiguous(&machine);
}

#[test]
fn a_conversation_of_a_scripted_run_is_nobodys() {
    let machine = Machine::new();
    let session = silent(&machine);
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .begun_at(after(&session))
        .scripted()
        .write();

    nothing_is_written(&machine).has_no_drift(NAME);
}

#[test]
fn another_agent_in_the_folder_without_a_conversation_of_its_own_leaves_doubt() {
    let machine = Machine::new();
    let session = silent(&machine);
    machine.session("other").running("claude").start();
    its_own(&machine, &session);

    is_ambiguous(&machine);
}

#[test]
fn another_agent_in_the_folder_with_a_conversation_of_its_own_leaves_none() {
    let machine = Machine::new();
    let session = silent(&machine);
    let other = machine.session("other").running("claude").start();
    machine
        .claude()
        .pid_file(&other)
        .id(&conversation(2))
        .write();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .begun_at(long_ago())
        .write();
    its_own(&machine, &session);
    grow_up(&other);

    is_inferred(&machine);
}

#[test]
fn an_agent_of_another_kind_in_the_folder_leaves_no_doubt() {
    let machine = Machine::new();
    let session = silent(&machine);
    machine.session("other").running("agy").start();
    its_own(&machine, &session);

    is_inferred(&machine);
}

#[test]
fn an_agent_of_another_folder_leaves_no_doubt() {
    let machine = Machine::new();
    let session = silent(&machine);
    let elsewhere = machine.folder("elsewhere");
    machine
        .session("other")
        .cwd(elsewhere)
        .running("claude")
        .start();
    its_own(&machine, &session);

    is_inferred(&machine);
}

#[test]
fn a_young_agent_may_not_have_written_its_record_yet() {
    let machine = Machine::new();
    // Records are kept here, so that one is to be expected.
    let older = machine
        .session("older")
        .cwd(machine.folder("elsewhere"))
        .running("claude")
        .start();
    machine
        .claude()
        .pid_file(&older)
        .id(&conversation(9))
        .write();
    grow_up(&older);
    let session = silent(&machine);
    its_own(&machine, &session);

    // Now it is too young to be told from one that will have a record in a moment.
    let young = machine.reconcile().at_once().dry_run().run().exits(0);
    grow_up(&session);
    is_inferred(&machine);

    young.has_no_drift(NAME);
}

#[test]
fn a_recorded_id_is_never_replaced_by_an_inferred_one() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .set(KEY, conversation(2))
        .write();
    machine
        .claude()
        .transcript(&session.cwd, &conversation(2))
        .begun_at(long_ago())
        .write();
    its_own(&machine, &session);

    nothing_is_written(&machine).has_no_drifts();
}

// -- agy ---------------------------------------------------------------------------------------------------

fn silent_agy(machine: &Machine) -> Session<'_> {
    let session = machine.session(AGY).running("agy").start();
    machine.roll().row(AGY).pane(&session).null(AGY_KEY).write();
    // What says when agy's conversation began is the birth of its file.
    grow_up(&session);
    session
}

/// A conversation of agy's, which was the last one in its folder.
fn last(machine: &Machine, folder: &Path, id: &str) {
    machine.agy().conversation(id, folder);
    machine.agy().last_conversations(&[(folder, id)]);
}

#[test]
fn agys_only_conversation_of_the_folder_is_its_own() {
    let machine = Machine::new();
    let session = silent_agy(&machine);
    last(&machine, &session.cwd, &conversation(1));

    let drift = machine.reconcile().at_once().run().exits(0).drift("C", AGY);

    assert_eq!(drift["confidence"], "inferred");
    assert_eq!(machine.row(AGY)[AGY_KEY], conversation(1));
}

#[test]
fn agys_conversation_that_agy_does_not_give_to_the_folder_is_ambiguous() {
    let machine = Machine::new();
    let session = silent_agy(&machine);
    machine.agy().conversation(&conversation(1), &session.cwd);

    let pass = nothing_is_written(&machine);

    pass.has_no_drifts();
    pass.note_of("ambiguous", AGY);
}

#[test]
fn agys_conversation_of_another_folder_is_not_its_own() {
    let machine = Machine::new();
    silent_agy(&machine);
    last(&machine, &machine.folder("elsewhere"), &conversation(1));

    nothing_is_written(&machine).has_no_drifts();
}

#[test]
fn agys_conversation_that_another_agy_has_locked_is_not_its_own() {
    let machine = Machine::new();
    let session = silent_agy(&machine);
    last(&machine, &session.cwd, &conversation(1));
    let lock = machine.agy().lock_path(&conversation(1));
    machine
        .session("other")
        .cwd(machine.folder("elsewhere"))
        .running(Agent::agy().holding(lock))
        .start();

    nothing_is_written(&machine).has_no_drift(AGY);
}

#[test]
fn two_of_agys_conversations_are_ambiguous() {
    let machine = Machine::new();
    let session = silent_agy(&machine);
    last(&machine, &session.cwd, &conversation(1));
    machine.agy().conversation(&conversation(2), &session.cwd);

    let pass = nothing_is_written(&machine);

    pass.has_no_drift(AGY);
    pass.note_of("ambiguous", AGY);
}

#[test]
fn an_agent_of_another_user_that_cannot_be_asked_did_not_begin_it() {
    let Some(nobody) = Elsewhere::as_nobody() else {
        return;
    };
    let machine = Machine::new();
    fs::set_permissions(machine.root(), fs::Permissions::from_mode(0o755)).unwrap();
    give_away(&[machine.root()]);
    machine.run_tmux_through(&nobody);
    let program = machine.new_folder("agent").join("claude");
    fs::copy("/bin/sh", &program).unwrap();
    let says_so = ["-c", "echo; sleep 3600; :"];
    let session = machine
        .session(NAME)
        .socket(machine.root().join("theirs.sock"))
        .executing(&[&[program.to_str().unwrap()][..], &says_so[..]].concat())
        .start();
    machine.roll().row(NAME).pane(&session).null(KEY).write();
    its_own(&machine, &session);
    // Root's, of which the other user cannot read where it works.
    let mut roots = machine.command(&program);
    roots.args(says_so).stdout(Stdio::piped());
    let mut roots = roots.spawn().unwrap();
    let started = roots.stdout.as_mut().unwrap().read_exact(&mut [0]);
    started.expect("root's agent runs");

    fs::remove_file(machine.bin().join("tmux")).unwrap();
    let look = machine.reconcile().at_once().into_command();
    give_away(&[machine.root()]);
    let pass = nobody.run(&look).exits(0);

    let drift = pass.drift("C", NAME);
    assert_eq!(drift["confidence"], "inferred");
    assert!(drift.is_applied());
    roots.kill().unwrap();
    roots.wait().unwrap();
}

#[test]
fn what_was_ambiguous_stays_so_when_the_other_agent_has_ended() {
    let machine = Machine::new();
    let session = silent(&machine);
    let other = machine.session("other").running("claude").start();
    its_own(&machine, &session);
    wait_until("the conversation to have begun", || {
        (SystemTime::now() > after(&session)).then_some(())
    });
    is_ambiguous(&machine);

    other.kill();

    is_ambiguous(&machine);
    is_ambiguous(&machine);
}

#[test]
fn what_an_agent_that_has_ended_may_have_begun_is_ambiguous() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    let other = machine.session("other").running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .null(KEY)
        .row("other")
        .pane(&other)
        .write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();

    other.kill();
    its_own(&machine, &session);

    let pass = machine.reconcile().at_once().run().exits(0);
    pass.has_no_drift(NAME);
    pass.note_of("ambiguous", NAME);
    assert!(pass.drift("A", "other").is_applied());
}
