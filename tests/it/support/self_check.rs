//! The machine the tests run on is what it claims to be.

use std::fs;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use serde_json::json;

use super::{Agent, Machine, Pass, Process, conversation, wait_until};

#[test]
fn a_session_runs_on_a_real_server_in_a_private_folder() {
    let machine = Machine::new();
    let session = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();

    assert_eq!(
        machine.server("default").sessions(),
        ["shop-creator-claude"]
    );
    assert!(machine.socket("default").exists());
    assert_eq!(session.name_in_tmux(), "shop-creator-claude");
    assert_eq!(session.pid(), session.agent().pid);
}

#[test]
fn a_stand_in_has_the_agents_name_wherever_it_is_looked_for() {
    let machine = Machine::new();
    let session = machine.session("s").running("claude").start();
    let process = session.agent().process;

    assert_eq!(process.comm(), "claude");
    assert!(
        process.argv()[0].ends_with("/claude"),
        "{:?}",
        process.argv()
    );
    assert_eq!(session.command_in_tmux(), "claude");
}

#[test]
fn an_agent_typed_into_a_shell_leaves_the_shell_behind() {
    let machine = Machine::new();
    let session = machine
        .session("s")
        .running(Agent::claude().under_a_shell())
        .start();
    let agent = session.agent();
    assert_eq!(agent.process.parent(), Some(session.pid()));
    assert_eq!(session.command_in_tmux(), "claude");

    agent.exit();

    assert_eq!(machine.server("default").sessions(), ["s"]);
    wait_until("the shell to have the terminal again", || {
        (session.command_in_tmux() == "sh").then_some(())
    });
}

#[test]
fn an_agent_run_by_a_script_hides_behind_the_scripts_name() {
    let machine = Machine::new();
    let session = machine
        .session("s")
        .running(Agent::claude().through_a_script())
        .start();

    assert_eq!(session.agent().process.parent(), Some(session.pid()));
    assert_eq!(session.command_in_tmux(), "sh");
}

#[test]
fn an_agent_run_by_an_interpreter_is_its_first_argument() {
    let machine = Machine::new();
    let session = machine
        .session("s")
        .running(Agent::claude().run_by("node"))
        .start();
    let process = session.agent().process;

    assert_eq!(process.comm(), "node");
    assert!(process.argv()[0].ends_with("/node"));
    assert!(process.argv()[1].ends_with("/claude"));
}

#[test]
fn an_agent_has_the_children_it_was_told_to_have() {
    let machine = Machine::new();
    let tool = Agent::named("bash").with_child("claude");
    let session = machine
        .session("s")
        .running(Agent::claude().under_a_shell().with_child(tool))
        .start();
    let outer = session.agent();

    let tool = &outer.children[0];
    let nested = &tool.children[0];
    assert_eq!(tool.process.parent(), Some(outer.pid));
    assert_eq!(nested.process.parent(), Some(tool.pid));
    assert_eq!(nested.process.comm(), "claude");

    outer.kill();
    assert!(
        tool.process.is_alive(),
        "children outlive an agent that is killed"
    );
}

#[test]
fn killing_a_session_ends_its_agent_unless_that_ignores_it() {
    let machine = Machine::new();
    let meek = machine.session("meek").running("claude").start();
    let stubborn = machine
        .session("stubborn")
        .running(Agent::claude().ignoring_hangup())
        .start();

    meek.kill();
    stubborn.kill();

    assert!(!meek.agent().process.is_alive());
    assert!(stubborn.agent().process.is_alive());
    assert_eq!(machine.server("default").sessions(), Vec::<String>::new());
}

#[test]
fn servers_of_other_names_and_paths_are_other_servers() {
    let machine = Machine::new();
    machine.session("one").server("work").start();
    machine
        .session("two")
        .socket(machine.root().join("elsewhere.sock"))
        .start();

    assert_eq!(machine.server("work").sessions(), ["one"]);
    assert_eq!(
        machine
            .server_at(machine.root().join("elsewhere.sock"))
            .sessions(),
        ["two"]
    );
    assert_eq!(machine.server("default").sessions(), Vec::<String>::new());
}

#[test]
fn killing_a_server_leaves_its_socket_file() {
    let machine = Machine::new();
    machine.session("one").start();
    machine.session("two").server("work").start();

    machine.server("default").kill();
    machine.server("work").crash();

    assert!(machine.socket("default").exists());
    assert!(machine.socket("work").exists());
    assert!(machine.server("work").sessions().is_empty());
}

#[test]
fn a_session_may_have_more_windows_and_panes_and_a_twin() {
    let machine = Machine::new();
    let session = machine.session("one").running("claude").start();
    let window = session.new_window(Agent::named("vim"));
    let pane = session.split(Agent::agy());
    let twin = machine.session("twin").beside(&session).start();
    session.rename("first");

    assert_eq!(window.agent().process.comm(), "vim");
    assert_eq!(pane.agent().process.comm(), "agy");
    assert_eq!(twin.pid(), session.pid());
    assert_eq!(machine.server("default").sessions(), ["first", "twin"]);
}

#[test]
fn a_pane_that_remains_on_exit_is_dead_and_still_has_its_pid() {
    let machine = Machine::new();
    let session = machine
        .session("one")
        .running("claude")
        .remaining_on_exit()
        .start();

    session.agent().exit();
    session.pane.wait_until_dead();

    assert_eq!(
        session.pane.format("#{pane_pid}"),
        session.pid().to_string()
    );
}

#[test]
fn a_session_has_the_folder_and_the_environment_it_was_given() {
    let machine = Machine::new();
    let folder = machine.folder("a b/\"ü\" 🦀");
    let session = machine
        .session("s")
        .cwd(&folder)
        .env("CLAUDE_CONFIG_DIR", machine.root().join("config"))
        .running("claude")
        .start();

    assert_eq!(session.agent().cwd(), folder);
    let setting = format!(
        "CLAUDE_CONFIG_DIR={}",
        machine.root().join("config").display()
    );
    assert!(session.agent().process.was_started_with(&setting));
}

#[test]
fn a_live_record_names_its_process_as_the_kernel_does() {
    let machine = Machine::new();
    let session = machine.session("s").running("claude").start();

    let path = machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write();

    let record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", session.agent().pid)).unwrap();
    assert_eq!(
        path.file_stem().unwrap().to_str(),
        Some(&*session.agent().pid.to_string())
    );
    assert_eq!(record["procStart"].as_str(), stat.split(' ').nth(21));
    assert_eq!(record["sessionId"], conversation(1));
    assert_eq!(record["cwd"], json!(machine.project()));
}

#[test]
fn a_transcript_lies_where_claude_would_look_for_it() {
    let machine = Machine::new();
    let folder = machine.folder("My_App.v2 x🦀");

    let path = machine
        .claude()
        .transcript(&folder, &conversation(1))
        .write();

    let root = machine
        .root()
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .replace('_', "-");
    let expected = format!(
        ".claude/projects/-tmp-{root}-My-App-v2-x--/{}.jsonl",
        conversation(1)
    );
    assert_eq!(path, machine.home().join(expected));
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.lines()
            .all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok())
    );
}

#[test]
fn agys_lock_is_held_by_agys_process() {
    let machine = Machine::new();
    let lock = machine.agy().lock_path(&conversation(1));
    let session = machine
        .session("s")
        .running(Agent::agy().holding(&lock))
        .start();

    let inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(&lock).unwrap());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    let held = locks
        .lines()
        .find(|line| line.contains(&format!(":{inode} ")))
        .unwrap();
    assert!(held.contains("FLOCK") && held.contains("WRITE"), "{held}");
    assert!(
        held.contains(&format!(" {} ", session.agent().pid)),
        "{held}"
    );
}

#[test]
fn agys_conversation_is_a_database_whose_end_is_in_the_log() {
    let machine = Machine::new();

    let path = machine
        .agy()
        .conversation(&conversation(1), &machine.project());

    let log = path.with_extension("db-wal");
    assert!(
        fs::metadata(&log).unwrap().len() > 0,
        "{} is empty",
        log.display()
    );
    let read = super::python::run(
        "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('select cascade_id from trajectory_meta').fetchone()[0])",
        &[path.to_str().unwrap()],
        b"",
    );
    assert_eq!(read.trim(), conversation(1));
}

#[test]
fn a_roll_reads_back_through_pyyaml_as_it_was_meant() {
    let machine = Machine::new();
    let session = machine
        .session("s")
        .server("work")
        .running("claude")
        .start();
    machine
        .roll()
        .identity("claude", &conversation(1), &machine.project())
        .row("no")
        .pane(&session)
        .null("claude_session_id_own")
        .row("a: #b \"ü\" 🦀")
        .status("stopped")
        .set("stopped_at", "2026-11-21T09:00:00Z")
        .set("resumable", true)
        .write();

    let roll = machine.read_roll();

    assert_eq!(roll.names(), ["no", "a: #b \"ü\" 🦀"]);
    let pane = json!({ "pid": session.pid(), "cmd": "claude", "cwd": machine.project() });
    assert_eq!(
        *roll.row("no"),
        json!({
            "name": "no", "status": "running", "pane": pane, "tmux_server": "work",
            "claude_session_id_own": null,
        })
    );
    assert_eq!(
        roll.row("a: #b \"ü\" 🦀")["stopped_at"],
        "2026-11-21T09:00:00Z"
    );
    assert_eq!(
        roll.document()["agent_identities"]["claude"]["session_id"],
        conversation(1)
    );
}

#[test]
fn a_time_that_was_written_without_quotes_does_not_pass_for_a_text() {
    let machine = Machine::new();
    machine.write_roll(
        "tmux_sessions:\n- name: s\n  status: stopped\n  stopped_at: 2026-11-21T09:00:00Z\n",
    );

    assert_eq!(
        machine.row("s")["stopped_at"],
        json!({ "time": "2026-11-21 09:00:00+00:00" })
    );
}

#[test]
fn a_roll_can_be_older_than_it_is() {
    let machine = Machine::new();
    machine
        .roll()
        .row("s")
        .written_ago(Duration::from_secs(3600))
        .write();

    let written = fs::metadata(machine.roll_path())
        .unwrap()
        .modified()
        .unwrap();
    assert!(SystemTime::now().duration_since(written).unwrap() >= Duration::from_secs(3600));
}

#[test]
fn a_footprint_sees_what_was_written_even_if_it_was_the_same() {
    let machine = Machine::new();
    machine.roll().row("s").write();
    let before = machine.footprint();
    assert_eq!(machine.footprint(), before);

    machine
        .roll()
        .row("s")
        .written_ago(Duration::from_secs(1))
        .write();

    assert_ne!(machine.footprint(), before);
}

#[test]
fn a_machine_takes_everything_with_it_when_it_goes() {
    let machine = Machine::new();
    let root = machine.root().to_owned();
    let stubborn = Agent::claude().ignoring_hangup().with_child("bash");
    let session = machine.session("one").running(stubborn).start();
    machine.session("two").server("work").start();
    let hanging = machine.server("work").process();
    hanging.signal(Signal::STOP);
    session.kill();
    let processes: Vec<Process> = machine.processes();
    assert!(processes.len() >= 4, "{processes:?}");

    drop(machine);

    for process in processes {
        process.wait_for_end();
    }
    assert!(!root.exists());
}

/// A run that reported a drift A of `gone`, a held drift A of `kept` and a note about `kept`.
fn pass() -> Pass {
    let report = json!({
        "tmux_sessions_alive": ["kept"],
        "tmux_confirmed": true,
        "drifts": [
            { "class": "A", "session": "gone", "applied": true, "pending": null, "held": null },
            { "class": "A", "session": "kept", "applied": false, "pending": null,
              "held": { "reason": "not_home" } },
        ],
        "notes": [{ "kind": "renamed", "session": "kept" }],
    });
    Pass {
        code: Some(0),
        stdout: report.to_string(),
        stderr: "a warning".to_owned(),
    }
}

#[test]
fn what_a_report_says_can_be_asked_for() {
    let pass = pass().exits(0);

    assert!(pass.drift("A", "gone").is_applied());
    assert!(!pass.drift("A", "kept").is_applied());
    assert_eq!(pass.held("not_home")[0]["session"], "kept");
    assert_eq!(pass.note_of("renamed", "kept"), pass.note("renamed"));
    assert_eq!(pass.alive(), ["kept"]);
    assert!(pass.is_confirmed());
    pass.has_no_drift("another");
    pass.has_no_note("known");
    pass.complains_of("warning");
}

#[test]
fn what_a_report_does_not_say_fails_the_test_that_asks_for_it() {
    type Question = (&'static str, fn(&Pass));
    let questions: [Question; 9] = [
        ("a drift of another class", |pass| {
            drop(pass.drift("B", "gone"))
        }),
        ("a drift of another session", |pass| {
            drop(pass.drift("A", "another"))
        }),
        ("no drift of a session that has one", |pass| {
            pass.has_no_drift("gone")
        }),
        ("no drifts at all", Pass::has_no_drifts),
        ("another reason to hold", |pass| {
            drop(pass.held("mass_change"))
        }),
        ("another note", |pass| drop(pass.note("known"))),
        ("a note of another session", |pass| {
            drop(pass.note_of("renamed", "gone"))
        }),
        ("no note of a kind that is there", |pass| {
            pass.has_no_note("renamed")
        }),
        ("another complaint", |pass| pass.complains_of("an error")),
    ];
    for (what, question) in questions {
        let pass = pass();
        let asked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| question(&pass)));
        assert!(asked.is_err(), "{what} is found where it is not");
    }
}
