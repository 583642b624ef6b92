//! Class D: a recorded conversation has no file any more. Told, never written, never deleted.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::{Agent, Elsewhere, Machine, RollBuilder, conversation, elsewhere::give_away};

const NAME: &str = "shop-creator-claude";
const KEY: &str = "claude_session_id_own";
const DAY: Duration = Duration::from_secs(86_400);

/// A machine on which Claude Code has kept a conversation, so that there is a place to look for others.
fn machine() -> Machine {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine
        .claude()
        .transcript(&machine.project(), &conversation(9))
        .write();
    machine
}

/// The roll with a row that was stopped and records a conversation.
fn stopped(machine: &Machine, id: &str) -> RollBuilder {
    machine.roll().row(NAME).status("stopped").set(KEY, id)
}

#[track_caller]
fn has_no_stale_id(machine: &Machine) {
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(
        !pass.drifts().iter().any(|drift| drift["class"] == "D"),
        "{:#}",
        pass.report()
    );
}

#[test]
fn a_conversation_without_a_file_is_told_and_stays_as_it_is() {
    let machine = machine();
    stopped(&machine, &conversation(1)).write();
    let before = machine.roll_text();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", NAME);

    assert_eq!(drift["kind"], "stale_id");
    assert_eq!(drift["reason"], "missing");
    assert_eq!(drift["before"], json!({ KEY: conversation(1) }));
    assert_eq!(drift["after"], drift["before"]);
    assert!(!drift.is_applied() && !drift.is_pending() && drift.held().is_none());
    let comment = drift["comment"].as_str().unwrap();
    assert!(comment.contains(&conversation(1)), "{comment}");
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_conversation_with_its_file_is_in_order() {
    let machine = machine();
    machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .write();
    stopped(&machine, &conversation(1)).write();

    machine.reconcile().at_once().run().exits(0).has_no_drifts();
}

#[test]
fn an_empty_file_is_none() {
    let machine = machine();
    machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .lines([])
        .write();
    stopped(&machine, &conversation(1)).write();

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", NAME);
}

#[test]
fn a_running_row_is_asked_as_well() {
    let machine = machine();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .set(KEY, conversation(1))
        .write();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", NAME);

    assert_eq!(drift["reason"], "missing");
}

#[test]
fn a_row_that_headcount_ended_is_asked_as_well() {
    let machine = machine();
    machine
        .roll()
        .row(NAME)
        .status("terminated")
        .set("termination_mode", "auto-detected")
        .set(KEY, conversation(1))
        .write();

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", NAME);
}

#[test]
fn rows_that_somebody_put_away_for_good_are_not_asked() {
    let machine = machine();
    machine
        .roll()
        .row("a-creator-claude")
        .status("terminated")
        .set(KEY, conversation(1))
        .row("b-creator-claude")
        .status("archived")
        .set(KEY, conversation(2))
        .row("c-creator-claude")
        .status("paused")
        .set(KEY, conversation(3))
        .write();

    has_no_stale_id(&machine);
}

#[test]
fn a_row_that_was_put_away_is_not_asked_even_where_another_one_is() {
    let machine = machine();
    machine
        .roll()
        .row("a-creator-claude")
        .status("archived")
        .set(KEY, conversation(1))
        .row(NAME)
        .status("stopped")
        .set(KEY, conversation(1))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.drift("D", NAME)["reason"], "missing");
    pass.has_no_drift("a-creator-claude");
}

#[test]
fn a_row_without_an_id_has_none_to_lose() {
    let machine = machine();
    machine
        .roll()
        .row("a-creator-claude")
        .status("stopped")
        .null(KEY)
        .row("b-creator-claude")
        .status("stopped")
        .set(KEY, "")
        .write();

    has_no_stale_id(&machine);
}

#[test]
fn an_identity_is_asked_as_well() {
    let machine = machine();
    machine
        .roll()
        .identity("claude", &conversation(1), &machine.project())
        .write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    let drifts = pass.drifts();
    assert_eq!(drifts.len(), 1);
    assert_eq!(drifts[0]["class"], "D");
    assert_eq!(drifts[0]["session"], Value::Null);
    assert_eq!(drifts[0]["agent"], "claude");
    assert!(
        drifts[0]["comment"]
            .as_str()
            .unwrap()
            .starts_with("agent_identities.claude: ")
    );
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn an_identity_with_its_file_is_in_order() {
    let machine = machine();
    machine
        .roll()
        .identity("claude", &conversation(9), &machine.project())
        .write();

    machine.reconcile().at_once().run().exits(0).has_no_drifts();
}

/// Makes Claude Code keep conversations for so many days.
fn keep_for(machine: &Machine, days: u32) {
    let settings = machine.claude().root().join("settings.json");
    fs::write(settings, json!({ "cleanupPeriodDays": days }).to_string()).unwrap();
}

/// A row whose conversation was seen, last changed so long ago, and is deleted then.
fn seen_and_deleted(machine: &Machine, changed: Duration) {
    let path = machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .write();
    let file = File::options().write(true).open(&path).unwrap();
    file.set_modified(SystemTime::now() - changed).unwrap();
    stopped(machine, &conversation(1)).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    fs::remove_file(path).unwrap();
}

#[test]
fn a_file_that_was_kept_as_long_as_its_agent_keeps_files_has_expired() {
    let machine = machine();
    keep_for(&machine, 2);
    seen_and_deleted(&machine, 3 * DAY);

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", NAME);

    assert_eq!(drift["reason"], "expired");
    assert!(drift.has_evidence("2 days"));
}

#[test]
fn without_a_setting_thirty_days_are_what_claude_code_keeps_files() {
    let machine = machine();
    seen_and_deleted(&machine, 31 * DAY);

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", NAME);

    assert_eq!(drift["reason"], "expired");
}

#[test]
fn a_file_that_should_have_been_kept_is_missing() {
    let machine = machine();
    seen_and_deleted(&machine, 29 * DAY);

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", NAME);

    assert_eq!(drift["reason"], "missing");
}

#[test]
fn a_file_that_was_never_seen_is_missing_and_not_expired() {
    let machine = machine();
    keep_for(&machine, 1);
    stopped(&machine, &conversation(1)).write();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("D", NAME);

    assert_eq!(drift["reason"], "missing");
}

#[test]
fn a_file_in_another_folder_than_the_rows_is_moved_and_not_missing() {
    let machine = machine();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .set(KEY, conversation(1))
        .write();
    let elsewhere = machine.claude().root().join("projects/-somewhere-else");
    machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .in_folder(&elsewhere)
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drift(NAME);
    let note = pass.note_of("moved", NAME);
    assert!(
        note["text"].as_str().unwrap().contains("-somewhere-else"),
        "{note}"
    );
}

#[test]
fn a_conversation_that_is_live_and_not_yet_written_is_not_missing() {
    let machine = machine();
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

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("never_written", NAME);
}

#[test]
fn a_conversation_is_looked_for_under_every_root_that_is_known() {
    let machine = machine();
    let root = machine.folder("moved/claude");
    machine
        .claude_at(&root)
        .transcript(&machine.project(), &conversation(1))
        .write();
    stopped(&machine, &conversation(1)).write();

    machine
        .reconcile()
        .at_once()
        .env("CLAUDE_CONFIG_DIR", &root)
        .run()
        .exits(0)
        .has_no_drifts();
}

#[test]
fn a_root_that_only_a_live_agent_names_is_looked_into_as_well() {
    let machine = machine();
    let root = machine.folder("moved/claude");
    machine
        .claude_at(&root)
        .transcript(&machine.project(), &conversation(1))
        .write();
    machine
        .session("other-creator-claude")
        .env("CLAUDE_CONFIG_DIR", &root)
        .running("claude")
        .start();
    machine
        .roll()
        .row("other-creator-claude")
        .row(NAME)
        .status("stopped")
        .set(KEY, conversation(1))
        .write();

    has_no_stale_id(&machine);
}

/// A row whose agent kept its conversation in a folder that only its own environment named, was seen there
/// and has ended since. Says where that folder is.
fn ended_with_a_root_of_its_own(machine: &Machine) -> PathBuf {
    let root = machine.folder("moved/claude");
    let transcripts = machine.claude_at(&root);
    transcripts
        .transcript(&machine.project(), &conversation(1))
        .write();
    let session = machine
        .session(NAME)
        .env("CLAUDE_CONFIG_DIR", &root)
        .running("claude")
        .start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .set(KEY, conversation(1))
        .write();
    has_no_stale_id(machine);
    session.kill();
    root
}

#[test]
fn a_root_that_only_an_agent_that_has_ended_named_is_looked_into_again() {
    let machine = machine();
    let root = ended_with_a_root_of_its_own(&machine);
    has_no_stale_id(&machine);

    // It is there somewhere, though not where it was.
    let project = machine.claude_at(&root).project_folder(&machine.project());
    fs::rename(&project, project.with_file_name("-elsewhere")).unwrap();
    has_no_stale_id(&machine);

    fs::remove_dir_all(project.with_file_name("-elsewhere")).unwrap();
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_eq!(pass.drift("D", NAME)["reason"], "missing");
}

#[test]
fn a_root_that_was_seen_before_and_cannot_be_read_any_more_proves_nothing() {
    let machine = machine();
    let root = ended_with_a_root_of_its_own(&machine);
    fs::remove_dir_all(&root).unwrap();

    has_no_stale_id(&machine);

    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .run()
        .exits(3);
    let report = pass.report();
    let told = report["sources"].as_array().unwrap().iter().any(|source| {
        source["state"] == "unknown" && source["name"].as_str().unwrap().contains("moved/claude")
    });
    assert!(told, "{report:#}");
}

#[test]
fn agys_root_that_only_an_agent_that_has_ended_named_is_looked_into_again() {
    let machine = machine();
    let home = machine.folder("another-home");
    let agy = machine.agy_at(home.join(".gemini/antigravity-cli"));
    let file = agy.conversation(&conversation(1), &machine.project());
    let session = machine
        .session(NAME)
        .env("HOME", &home)
        .running("agy")
        .start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .set("agy_conversation_id_own", conversation(1))
        .write();
    machine
        .agy()
        .conversation(&conversation(2), &machine.project());
    has_no_stale_id(&machine);

    session.kill();
    has_no_stale_id(&machine);

    for kept in fs::read_dir(file.parent().unwrap()).unwrap() {
        fs::remove_file(kept.unwrap().path()).unwrap();
    }
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_eq!(pass.drift("D", NAME)["reason"], "missing");
}

#[test]
fn a_root_that_cannot_be_read_proves_nothing() {
    let machine = machine();
    let Some(nobody) = Elsewhere::as_nobody() else {
        return;
    };
    stopped(&machine, &conversation(1)).write();
    let command = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .env("AGENT_SESSIONS_STATE_DIR", machine.folder("theirs/state"))
        .into_command();
    machine.server("default").kill();
    fs::set_permissions(machine.root(), fs::Permissions::from_mode(0o755)).unwrap();
    give_away(&[
        &machine.project(),
        &machine.home(),
        &machine.folder("theirs"),
        &machine.tmux_folder(),
    ]);
    let projects = machine.claude().root().join("projects");
    fs::set_permissions(&projects, fs::Permissions::from_mode(0o000)).unwrap();

    let pass = nobody.run(&command).exits(3);

    pass.has_no_drifts();
    let report = pass.report();
    let unseen = report["sources"].as_array().unwrap().iter().any(|source| {
        source["state"] == "unknown" && source["name"].as_str().unwrap().starts_with("claude:")
    });
    assert!(unseen, "{report:#}");
}

#[test]
fn a_root_that_is_not_there_proves_nothing() {
    let machine = Machine::new();
    machine.session("bystander").start();
    stopped(&machine, &conversation(1)).write();

    has_no_stale_id(&machine);
}

#[test]
fn agys_conversations_are_looked_for_as_well() {
    let machine = machine();
    machine
        .agy()
        .conversation(&conversation(2), &machine.project());
    machine
        .roll()
        .row("a-creator-agy")
        .status("stopped")
        .set("agy_conversation_id_own", conversation(1))
        .row("b-creator-agy")
        .status("stopped")
        .set("agy_conversation_id_own", conversation(2))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.drift("D", "a-creator-agy")["agent"], "agy");
    pass.has_no_drift("b-creator-agy");
}

#[test]
fn what_agy_has_open_is_not_missing() {
    let machine = machine();
    machine
        .agy()
        .conversation(&conversation(2), &machine.project());
    let lock = machine.agy().lock_path(&conversation(1));
    let session = machine
        .session("a-creator-agy")
        .running(Agent::agy().holding(lock))
        .start();
    machine
        .roll()
        .row("a-creator-agy")
        .pane(&session)
        .set("agy_conversation_id_own", conversation(1))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("never_written", "a-creator-agy");
}

#[test]
fn an_id_that_is_no_file_name_is_never_made_into_a_path() {
    let machine = machine();
    let outside = machine.claude().root().join("projects/secret.jsonl");
    fs::write(outside, "{}\n").unwrap();
    stopped(&machine, "../secret").write();

    let pass = machine.reconcile().at_once().run().exits(0);

    // Whatever is said of it, it was not found.
    for drift in pass.drifts() {
        assert_eq!(drift["class"], "D");
    }
    pass.has_no_note("moved");
}
