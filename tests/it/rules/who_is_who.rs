//! Rule 6: who is who. Rows join sessions by incarnation first, then by name; and doubt works one way.

use std::ffi::OsString;
use std::fs;
use std::time::{Duration, SystemTime};

use crate::support::{Agent, Machine, Process, conversation};

const NAME: &str = "shop-creator-claude";
const OTHER: &str = "market-creator-claude";

#[test]
fn a_session_that_was_seen_is_known_again_under_another_name() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    // Nothing but what was seen tells that it is the same one.
    machine.roll().row(NAME).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    session.rename(OTHER);

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("renamed", NAME);
    assert!(pass.is_confirmed());
}

#[test]
fn a_session_is_known_by_the_name_it_was_asked_to_have_whatever_tmux_makes_of_that() {
    let machine = Machine::new();
    let names = [
        "a.b:c-creator-claude",
        r"a\b-creator-claude",
        r"a\\n-creator-claude",
        "a$b-creator-claude",
        "a${b}-creator-claude",
        "tab\there-creator-claude",
        "escape\u{1b}-creator-claude",
        "delete\u{7f}-creator-claude",
        "next\u{85}line-creator-claude",
        "new\u{1fae8}face-creator-claude",
        "Łódź-creator-claude",
    ];
    let mut rows = String::from("tmux_sessions:\n");
    for name in names {
        machine.session(name).running("claude").start();
        let name = serde_json::to_string(name).unwrap();
        // To YAML the one is no text, and the other a line break.
        let name = name.replace('\u{7f}', r"\x7f").replace('\u{85}', r"\N");
        rows.push_str(&format!("- {{name: {name}, status: running}}\n"));
    }
    machine.write_roll(rows);
    let before = machine.roll_text();

    let pass = machine
        .reconcile()
        .at_once()
        .allow_mass_change()
        .run()
        .exits(0);

    pass.has_no_drifts();
    assert!(pass.is_confirmed());
    assert_eq!(pass.alive().len(), names.len());
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_session_that_was_just_registered_is_known_again_under_another_name_and_with_another_process() {
    let machine = Machine::new();
    machine.write_roll("tmux_sessions: []\n");
    let session = machine.session(NAME).running("claude").start();
    let registering = machine.reconcile().at_once().run().exits(0);
    assert!(registering.drift("B", NAME).is_applied());
    // No pass looks between the one that registered it and all of this.
    session.rename(OTHER);
    let respawned = session.pane.respawned("claude");

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.note_of("renamed", NAME);
    assert_eq!(pass.drift("B", NAME)["kind"], "reincarnated");
    let row = machine.row(NAME);
    assert_eq!(row["status"], "running");
    assert_eq!(row["pane"]["pid"], respawned.pid);
}

#[test]
fn a_pane_that_was_moved_to_another_session_and_respawned_is_not_gone() {
    let machine = Machine::new();
    let host = machine.session("host").start();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    session.pane.join(&host);
    session.pane.respawned("claude");
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drift(NAME);
    pass.note_of("unseen", NAME);
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_pane_that_was_moved_to_another_session_ends_with_that_session() {
    let machine = Machine::new();
    let host = machine.session("host").start();
    machine.session("bystander").start();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    session.pane.join(&host);
    session.pane.respawned("claude");
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .note_of("unseen", NAME);
    host.kill();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", NAME).is_applied());
}

#[test]
fn a_session_that_takes_an_old_name_is_not_the_one_that_had_it() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    session.rename(OTHER);
    machine.session(NAME).running("claude").start();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("renamed", NAME);
    pass.note_of("name_taken", NAME);
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn on_a_first_run_a_renamed_session_is_known_by_its_pane() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    session.rename(OTHER);

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("renamed", NAME);
}

#[test]
fn a_pid_alone_is_no_identity() {
    let machine = Machine::new();
    let stranger = machine.session(OTHER).running("claude").start();
    // The pane has the pid that the row recorded, but began long after the row was written.
    machine
        .roll()
        .row(NAME)
        .pid(stranger.pid())
        .written_ago(Duration::from_secs(3600))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", NAME).is_applied());
    assert_eq!(pass.drift("B", OTHER)["kind"], "unregistered");
    assert!(pass.drift("B", OTHER).is_applied());
    pass.has_no_note("renamed");
}

#[test]
fn a_pane_that_may_be_a_rows_stops_both_its_end_and_a_new_row() {
    let machine = Machine::new();
    let session = machine.session(OTHER).running("claude").start();
    let process = Process::find(session.pid()).unwrap();
    machine
        .roll()
        .row(NAME)
        .pid(session.pid())
        // Closer than clocks can tell apart.
        .written_at(began(process) - Duration::from_millis(500))
        .write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drift(NAME);
    pass.note_of("unseen", NAME);
    assert_eq!(pass.drift("B", OTHER).held().as_deref(), Some("doubt"));
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_row_that_cannot_be_read_may_have_a_pane_all_the_same() {
    let machine = Machine::new();
    let session = machine.session(OTHER).running("claude").start();
    machine.write_roll(format!(
        "tmux_sessions:\n- name: {NAME}\n  pane: {{ pid: {} }}\n",
        session.pid()
    ));

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.note_of("invalid_row", NAME);
    assert_eq!(pass.drift("B", OTHER).held().as_deref(), Some("doubt"));
}

#[test]
fn a_pane_belongs_to_one_row_and_the_other_is_left_alone() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .row(OTHER)
        .pane(&session)
        .write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn two_rows_that_record_one_pane_under_other_names_are_both_left_alone() {
    let machine = Machine::new();
    let session = machine
        .session("third-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .row(OTHER)
        .pane(&session)
        .write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drift(NAME);
    pass.has_no_drift(OTHER);
    pass.note_of("unseen", NAME);
    pass.note_of("unseen", OTHER);
    assert!(!pass.drifts().iter().any(|drift| drift.is_applied()));
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn names_are_compared_as_tmux_keeps_them() {
    let machine = Machine::new();
    for name in ["shop.v2-creator-claude", "shop:v3-creator-claude"] {
        let session = machine.session(name).running("claude").start();
        assert_ne!(
            session.name_in_tmux(),
            name,
            "tmux is the one that changes it"
        );
    }
    machine
        .roll()
        .row("shop.v2-creator-claude")
        .row("shop:v3-creator-claude")
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.has_no_note("renamed");
    assert!(pass.is_confirmed());
}

#[test]
fn two_rows_whose_names_tmux_cannot_tell_apart_are_no_reason_to_write() {
    let machine = Machine::new();
    let session = machine
        .session("shop.v2-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop.v2-creator-claude")
        .row("shop:v2-creator-claude")
        .write();
    let id = conversation(1);
    machine.claude().pid_file(&session).id(&id).write();
    machine.claude().transcript(&session.cwd, &id).write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(!pass.drifts().iter().any(|drift| drift.is_applied()));
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_row_without_a_server_finds_its_session_on_any_of_them() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    machine.roll().row(NAME).write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert!(pass.is_confirmed());
}

#[test]
fn a_row_without_a_server_means_the_default_one_where_several_have_its_name() {
    let machine = Machine::new();
    let mine = machine.session(NAME).running("claude").start();
    let theirs = machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    let (id, other) = (conversation(1), conversation(2));
    machine.claude().pid_file(&mine).id(&id).write();
    machine.claude().pid_file(&theirs).id(&other).write();
    machine.claude().transcript(&mine.cwd, &id).write();
    machine.claude().transcript(&mine.cwd, &other).write();
    machine
        .roll()
        .row(NAME)
        .null("claude_session_id_own")
        .write();

    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("C", NAME);

    assert_eq!(machine.row(NAME)["claude_session_id_own"], id);
}

/// A `PATH` on which tmux cannot list the default server.
fn without_the_default_server(machine: &Machine) -> OsString {
    machine.path_with_tmux(
        r#"case "$*" in */default*) echo 'server is busy' >&2; exit 1 ;; esac
           exec "$TMUX_ITSELF" "$@""#,
    )
}

#[test]
fn a_session_is_not_surely_a_rows_while_its_preferred_server_cannot_be_seen() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let session = machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    let id = conversation(1);
    machine.claude().pid_file(&session).id(&id).write();
    machine.claude().transcript(&session.cwd, &id).write();
    machine.roll().row(NAME).write();
    let before = machine.roll_text();

    let pass = machine
        .reconcile()
        .at_once()
        .env("PATH", without_the_default_server(&machine))
        .run()
        .exits(0);

    assert_eq!(pass.drift("C", NAME).held().as_deref(), Some("doubt"));
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_session_is_not_registered_while_one_of_its_name_may_come_before_it() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine
        .reconcile()
        .at_once()
        .env("PATH", without_the_default_server(&machine))
        .run()
        .exits(0);

    assert_eq!(pass.drift("B", NAME).held().as_deref(), Some("doubt"));
    assert!(machine.read_roll().rows().is_empty());
}

#[test]
fn a_running_row_has_a_claim_to_a_session_before_an_ended_one() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine
        .roll()
        .row(OTHER)
        .status("stopped")
        .pane(&session)
        .row(NAME)
        .pane(&session)
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.has_no_note("still_alive");
    assert!(pass.is_confirmed());
}

/// When a process began, as exactly as the kernel tells.
fn began(process: Process) -> SystemTime {
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let boot = SystemTime::now() - Duration::from_secs_f64(uptime);
    boot + Duration::from_millis(process.start * 10)
}

#[test]
fn a_session_of_another_roll_on_another_server_is_no_rows_because_of_its_name() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let theirs = machine.folder("project/theirs");
    let other_roll = theirs.join(".hermes/agent-sessions.yaml");
    machine.roll().path(other_roll).write();
    let session = machine.session(NAME).server("work").cwd(theirs);
    let session = session.running("claude").start();
    let id = conversation(1);
    machine.claude().pid_file(&session).id(&id).write();
    machine.claude().transcript(&session.cwd, &id).write();
    machine
        .roll()
        .row(NAME)
        .null("claude_session_id_own")
        .write();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drift(NAME);
    let note = pass.note_of("unseen", NAME);
    let text = note["text"].as_str().unwrap();
    assert!(text.contains("tmux_server: work"), "{note}");
    assert!(!pass.is_confirmed());
    assert_eq!(machine.roll_text(), before);

    // The remedy that is told is one.
    machine
        .roll()
        .row(NAME)
        .server("work")
        .null("claude_session_id_own")
        .write();
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(pass.drift("C", NAME).is_applied());
}

#[test]
fn a_row_whose_session_is_made_anew_on_another_server_says_where() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let old = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&old).write();
    old.kill();
    let new = machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();

    let pass = machine.reconcile().at_once().run().exits(0);

    let drift = pass.drift("B", NAME);
    assert_eq!(drift["kind"], "reincarnated");
    assert_eq!(drift["after"]["tmux_server"], "work");
    let row = machine.row(NAME);
    assert_eq!(row["tmux_server"], "work");
    assert_eq!(row["pane"]["pid"], new.pid());
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
}

#[test]
fn of_three_projects_with_one_name_only_the_one_whose_folder_it_works_in_has_the_session() {
    let machine = Machine::new();
    let roll = |project: &str| machine.folder(project).join(".hermes/agent-sessions.yaml");
    let projects = ["a", "b", "c"];
    for project in projects {
        let of_project = machine.roll().path(roll(project));
        let pane = serde_json::json!({ "cwd": machine.folder(project) });
        let row = of_project.row(NAME).set("pane", pane);
        row.null("claude_session_id_own").write();
    }
    let deep = machine.folder("b/deep");
    let session = machine.session(NAME).cwd(deep).running("claude").start();
    let id = conversation(1);
    machine.claude().transcript(&session.cwd, &id).write();
    machine.claude().pid_file(&session).id(&id).write();
    let text = |project: &str| fs::read_to_string(roll(project)).unwrap();
    let before = projects.map(text);

    let passes = projects.map(|project| {
        let look = machine.reconcile().at_once().registry(roll(project));
        look.run().exits(0)
    });

    for (at, project) in [(0, "a"), (2, "c")] {
        passes[at].has_no_drifts();
        let note = passes[at].note_of("unseen", NAME);
        let told = note["text"].as_str().unwrap();
        assert!(told.contains("a roll of its own"), "{told}");
        assert_eq!(text(project), before[at]);
    }
    assert!(passes[1].drift("C", NAME).is_applied());
    assert!(text("b").contains(&id));
}

#[test]
fn a_session_in_a_worktree_of_a_rows_project_is_the_rows() {
    let machine = Machine::new();
    let tree = machine.folder("tree");
    let private = machine.folder("project/.git/worktrees/tree");
    fs::write(private.join("commondir"), "../..\n").unwrap();
    let link = format!("gitdir: {}\n", private.display());
    fs::write(tree.join(".git"), link).unwrap();
    // A roll that is checked out there is not read by anybody.
    machine
        .roll()
        .path(tree.join(".hermes/agent-sessions.yaml"))
        .write();
    let session = machine.session(NAME).cwd(&tree).running("claude").start();
    let id = conversation(1);
    machine.claude().transcript(&session.cwd, &id).write();
    machine.claude().pid_file(&session).id(&id).write();
    let pane = serde_json::json!({ "cwd": machine.project() });
    let row = machine.roll().row(NAME).set("pane", pane);
    row.null("claude_session_id_own").write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("C", NAME).is_applied());
    assert_eq!(machine.row(NAME)["claude_session_id_own"], id);
}
