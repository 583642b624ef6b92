//! Which tmux servers are looked at, how, and what they may be called and contain.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Agent, Elsewhere, Footprint, Machine, Pass};

const NAME: &str = "shop-creator-claude";

/// What the report says of looking at a server.
#[track_caller]
fn source(pass: &Pass, server: &str) -> Value {
    let name = format!("tmux:{server}");
    let report = pass.report();
    let found = report["sources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|source| source["name"] == name.as_str());
    found
        .unwrap_or_else(|| panic!("no source {name} in {report:#}"))
        .clone()
}

// -- which servers -----------------------------------------------------------------------------------------

#[test]
fn the_default_server_is_looked_at() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.alive(), [NAME]);
    assert_eq!(source(&pass, "default")["state"], "present");
    assert!(pass.is_confirmed());
}

#[test]
fn a_server_that_a_row_names_is_looked_at() {
    let machine = Machine::new();
    let socket = machine.root().join("elsewhere.sock");
    let by_name = machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    let by_path = machine
        .session("docs-creator-agy")
        .socket(&socket)
        .running("agy")
        .start();
    machine
        .roll()
        .row(NAME)
        .pane(&by_name)
        .row("docs-creator-agy")
        .pane(&by_path)
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert!(pass.is_confirmed());
    assert_eq!(pass.alive(), ["docs-creator-agy", NAME]);
    assert_eq!(source(&pass, "work")["state"], "present");
    assert_eq!(source(&pass, socket.to_str().unwrap())["state"], "present");
}

#[test]
fn a_server_that_a_row_names_by_its_path_can_end_it() {
    let machine = Machine::new();
    let socket = machine.root().join("elsewhere.sock");
    let session = machine
        .session(NAME)
        .socket(&socket)
        .running("claude")
        .start();
    machine.session("bystander").socket(&socket).start();
    machine.roll().row(NAME).pane(&session).write();
    session.kill();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift["tmux_server"], socket.to_str().unwrap());
    assert!(drift.is_applied());
}

#[test]
fn a_server_in_the_users_folder_may_be_named_by_its_path() {
    let machine = Machine::new();
    let alive = machine.session(NAME).server("work").running("claude");
    let alive = alive.start();
    let gone = machine
        .session("gone-creator-claude")
        .server("work")
        .start();
    let pid = gone.pid();
    gone.kill();
    let path = machine.socket("work");
    let doubled = path.display().to_string().replace("/work", "//work");
    for path in [path.to_str().unwrap(), &doubled] {
        machine
            .roll()
            .row(NAME)
            .pane(&alive)
            .set("tmux_server", path)
            .row("gone-creator-claude")
            .set("tmux_server", path)
            .set("pane", serde_json::json!({"pid": pid}))
            .write();

        let pass = machine.reconcile().at_once().run().exits(0);

        assert!(pass.is_confirmed(), "{pass:?}");
        assert!(pass.drift("A", "gone-creator-claude").is_applied());
        assert_eq!(pass.drifts().len(), 1, "{pass:?}");
        assert_eq!(pass.report()["notes"], serde_json::json!([]));
        assert_eq!(machine.row(NAME)["tmux_server"], path);
        assert_eq!(machine.row(NAME)["status"], "running");
    }
}

#[test]
fn a_server_that_the_environment_names_is_looked_at() {
    let machine = Machine::new();
    let socket = machine.root().join("elsewhere.sock");
    machine
        .session(NAME)
        .socket(&socket)
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions: []\n");

    let unnamed = machine.reconcile().at_once().dry_run().run().exits(0);
    let pass = machine
        .reconcile()
        .at_once()
        .env("TMUX_SERVER_NAME", &socket)
        .run()
        .exits(0);

    assert!(unnamed.alive().is_empty(), "nothing else tells of it");
    assert_eq!(pass.alive(), [NAME]);
    assert_eq!(machine.row(NAME)["tmux_server"], socket.to_str().unwrap());
}

#[test]
fn a_server_that_is_only_found_in_the_folder_is_looked_at() {
    let machine = Machine::new();
    machine
        .session(NAME)
        .server("stray")
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.alive(), [NAME]);
    assert!(pass.drift("B", NAME).is_applied());
    assert_eq!(machine.row(NAME)["tmux_server"], "stray");
}

#[test]
fn the_server_that_tmux_says_one_is_in_is_never_followed() {
    let machine = Machine::new();
    let socket = machine.root().join("elsewhere.sock");
    machine
        .session(NAME)
        .socket(&socket)
        .running("claude")
        .start();
    machine.session("bystander").start();
    machine
        .roll()
        .row(NAME)
        .server("default")
        .ended_pane()
        .write();

    let pass = machine
        .reconcile()
        .at_once()
        .env("TMUX", format!("{},1,0", socket.display()))
        .env("TMUX_PANE", "%0")
        .run()
        .exits(0);

    assert_eq!(pass.alive(), ["bystander"]);
    assert!(pass.drift("A", NAME).is_applied());
}

#[test]
fn looking_starts_no_server() {
    let machine = Machine::new();
    machine.roll().row(NAME).row("b").server("work").write();

    machine.reconcile().at_once().run().exits(0).has_no_drifts();

    assert!(!machine.socket("default").exists());
    assert!(!machine.socket("work").exists());
    assert!(machine.processes().is_empty());
}

#[test]
fn one_call_lists_a_server_however_many_sessions_it_has() {
    let machine = Machine::new();
    for number in 0..20 {
        machine.session(&format!("s{number}")).start();
    }
    machine.roll().row("s0").write();
    let log = machine.root().join("calls");
    let script = format!("echo x >>'{}'\nexec \"$TMUX_ITSELF\" \"$@\"", log.display());
    let path = machine.path_with_tmux(&script);

    let pass = machine
        .reconcile()
        .at_once()
        .env("PATH", path)
        .run()
        .exits(0);

    assert_eq!(pass.alive().len(), 20);
    assert_eq!(fs::read_to_string(log).unwrap().lines().count(), 1);
}

// -- strays ------------------------------------------------------------------------------------------------

/// A machine with a row without a server whose session was killed, beside a stray server.
fn beside_a_stray() -> Machine {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine.session("stranger").server("stray").start();
    machine.roll().row(NAME).ended_pane().write();
    machine
}

#[test]
fn a_stray_that_hangs_may_have_the_session_of_a_row_without_a_server() {
    let machine = beside_a_stray();
    machine.server("stray").process().signal(Signal::STOP);

    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .run()
        .exits(3);

    pass.has_no_drifts();
    let note = pass.note_of("unseen", NAME);
    assert!(note["text"].as_str().unwrap().contains("stray"), "{note}");
    let source = source(&pass, "stray");
    assert_eq!(source["state"], "unknown");
    assert!(!source["reason"].as_str().unwrap().is_empty());
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_stray_that_hangs_holds_no_row_that_names_its_server() {
    let machine = beside_a_stray();
    machine
        .roll()
        .row(NAME)
        .server("default")
        .ended_pane()
        .write();
    machine.server("stray").process().signal(Signal::STOP);

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", NAME).is_applied());
}

#[test]
fn many_strays_that_hang_are_waited_for_side_by_side() {
    let machine = beside_a_stray();
    for number in 0..6 {
        let name = format!("stray{number}");
        machine.session("stranger").server(&name).start();
        machine.server(&name).process().signal(Signal::STOP);
    }

    let start = std::time::Instant::now();
    let pass = machine.reconcile().at_once().run().exits(0);

    // One after the other they would take six seconds and more.
    assert!(
        start.elapsed() < std::time::Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
    pass.note_of("unseen", NAME);
}

#[test]
fn where_the_tmux_folder_cannot_be_listed_a_row_without_a_server_is_not_gone() {
    let Some(bound) = Elsewhere::bound_by_permissions() else {
        return;
    };
    let machine = beside_a_stray();
    machine
        .roll()
        .row(NAME)
        .ended_pane()
        .row("docs-creator-claude")
        .server("default")
        .ended_pane()
        .write();
    let folder = machine.socket("default").parent().unwrap().to_owned();
    let allow = |mode| fs::set_permissions(&folder, fs::Permissions::from_mode(mode)).unwrap();
    let look = || machine.reconcile().at_once().detailed_exitcode();

    allow(0o300);
    let pass = bound.run(&look().into_command()).exits(3);

    let note = pass.note_of("unseen", NAME);
    let text = note["text"].as_str().unwrap();
    assert!(text.contains(folder.to_str().unwrap()), "{note}");
    assert_eq!(machine.row(NAME)["status"], "running");
    assert_eq!(machine.row("docs-creator-claude")["status"], "terminated");

    allow(0o700);
    let pass = bound.run(&look().into_command()).exits(2);
    assert!(pass.drift("A", NAME).is_applied());
}

#[test]
fn a_live_socket_whose_name_is_no_text_may_have_the_session_of_a_row_without_a_server() {
    let machine = beside_a_stray();
    let folder = machine.socket("default").parent().unwrap().to_owned();
    let socket = folder.join(OsStr::from_bytes(b"stray-\xff"));

    let listener = UnixListener::bind(&socket).unwrap();
    let pass = machine.reconcile().at_once().run().exits(0);
    pass.note_of("unseen", NAME);
    pass.has_no_drifts();

    drop(listener);
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(pass.drift("A", NAME).is_applied());
}

#[test]
fn a_dead_stray_holds_nothing() {
    let machine = beside_a_stray();
    machine.server("stray").kill();
    assert!(machine.socket("stray").exists());

    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .run()
        .exits(2);

    assert!(pass.drift("A", NAME).is_applied());
    assert!(pass.is_confirmed());
}

#[test]
fn what_is_no_socket_in_the_folder_holds_nothing() {
    let machine = beside_a_stray();
    fs::write(machine.socket("notes.txt"), "not a socket").unwrap();
    fs::create_dir(machine.socket("folder")).unwrap();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", NAME).is_applied());
}

#[test]
fn a_socket_that_is_not_tmuxs_may_be_one_that_hangs() {
    let machine = beside_a_stray();
    // It accepts, and never says anything.
    let _listener = std::os::unix::net::UnixListener::bind(machine.socket("silent")).unwrap();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.note_of("unseen", NAME);
    assert_eq!(source(&pass, "silent")["state"], "unknown");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_named_server_that_hangs_keeps_nothing_else_from_being_written() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let hung = machine
        .session("docs-creator-agy")
        .server("work")
        .running("agy")
        .start();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row("docs-creator-agy")
        .pane(&hung)
        .row(NAME)
        .pane(&session)
        .server("default")
        .write();
    session.kill();
    machine.server("work").process().signal(Signal::STOP);

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.note_of("unseen", "docs-creator-agy");
    assert!(pass.drift("A", NAME).is_applied());
    assert_eq!(machine.row("docs-creator-agy")["status"], "running");
}

// -- no tmux -----------------------------------------------------------------------------------------------

#[track_caller]
fn nothing_is_known_without_tmux(machine: &Machine) {
    let before = Footprint::of(&[&machine.project(), &machine.home()]);
    let empty = machine.new_folder("empty");

    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .env("PATH", empty)
        .run()
        .exits(3);

    pass.has_no_drifts();
    assert!(!pass.is_confirmed());
    let source = source(&pass, "default");
    assert_eq!(source["state"], "unknown");
    let reason = source["reason"].as_str().unwrap();
    assert!(
        reason.contains("install") && reason.contains("tmux"),
        "{reason}"
    );
    assert_eq!(
        Footprint::of(&[&machine.project(), &machine.home()]),
        before
    );
}

#[test]
fn without_tmux_nothing_is_known_of_a_server_that_runs() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine.roll().row(NAME).write();

    nothing_is_known_without_tmux(&machine);
}

#[test]
fn without_tmux_nothing_is_known_of_a_server_that_does_not_run() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).write();
    machine.server("default").kill();

    nothing_is_known_without_tmux(&machine);
}

// -- options -----------------------------------------------------------------------------------------------

#[test]
fn a_server_may_live_on_without_a_session() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.server("default").set_option("exit-empty", "off");
    session.kill();

    let pass = machine.reconcile().at_once().run().exits(0);

    let drift = pass.drift("A", NAME);
    assert_eq!(drift["reason"], "session_gone");
    assert!(drift.is_applied());
    assert!(pass.alive().is_empty());
}

#[test]
fn a_dead_pane_that_remains_is_a_session_without_an_agent() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running("claude")
        .remaining_on_exit()
        .start();
    machine.roll().row(NAME).pane(&session).write();
    session.agent().exit();
    session.pane.wait_until_dead();
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    let note = pass.note_of("agent_exited", NAME);
    assert!(note["text"].as_str().unwrap().contains("dead"), "{note}");
    assert_eq!(machine.roll_text(), before);
}

// -- odd names ---------------------------------------------------------------------------------------------

const ODD_NAMES: [&str; 9] = [
    "two words-creator-claude",
    "it's-creator-claude",
    "\"quoted\"-creator-claude",
    "tab\tbed-creator-claude",
    "line\nbreak-creator-claude",
    "🦀 Größe-creator-claude",
    "#{pid} $(id) `id`-creator-claude",
    "a|b,c;d\\-creator-claude",
    "null: [-creator-claude",
];

#[test]
fn sessions_of_any_name_are_declared_by_that_name() {
    let machine = Machine::new();
    let sessions: Vec<_> = ODD_NAMES
        .iter()
        .map(|name| machine.session(name).running("claude").start())
        .collect();
    machine.write_roll("tmux_sessions: []\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.alive().len(), ODD_NAMES.len());
    let roll = machine.read_roll();
    for session in &sessions {
        let row = roll.row(&session.name_in_tmux());
        assert_eq!(row["pane"]["pid"], session.pid());
    }
    let pass = machine.reconcile().at_once().run().exits(0);
    pass.has_no_drifts();
    assert!(pass.is_confirmed());
}

#[test]
fn a_locale_without_utf_8_changes_no_name() {
    let machine = Machine::new();
    let folder = machine.folder("Größe 🦀\tand\nmore");
    let session = machine
        .session(ODD_NAMES[5])
        .cwd(&folder)
        .running("claude")
        .start();
    machine
        .roll()
        .row(ODD_NAMES[5])
        .row("gone-creator-claude")
        .ended_pane()
        .write();

    let pass = machine
        .reconcile()
        .at_once()
        .env("LANG", "C")
        .env("LC_ALL", "C")
        .run()
        .exits(0);

    pass.has_no_drift(ODD_NAMES[5]);
    assert_eq!(pass.alive(), [session.name_in_tmux()]);
    assert!(pass.drift("A", "gone-creator-claude").is_applied());
}

#[test]
fn folders_of_any_name_are_recorded_by_that_name() {
    for name in [
        "two words",
        "ta\tb",
        "new\nline",
        "\"'",
        "🦀 Größe",
        "#1 %2|3;4",
    ] {
        let machine = Machine::new();
        let folder = machine.folder(name);
        machine.session(NAME).cwd(&folder).running("claude").start();
        machine.write_roll("tmux_sessions: []\n");

        machine
            .reconcile()
            .at_once()
            .run()
            .exits(0)
            .drift("B", NAME);

        assert_eq!(machine.row(NAME)["pane"]["cwd"], json!(folder));
    }
}

#[test]
fn a_server_may_have_any_name() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .server("my work's 🦀")
        .running("claude")
        .start();
    machine.roll().row(NAME).pane(&session).write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert!(pass.is_confirmed());
}

#[test]
fn windows_and_panes_do_not_multiply_a_session() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    session.new_window(Agent::named("vim"));
    session.split(Agent::named("top"));
    machine.session("twin").beside(&session).start();
    machine.roll().row(NAME).pane(&session).write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(pass.alive(), [NAME, "twin"]);
    for kind in ["ambiguous", "agent_exited", "name_taken"] {
        pass.has_no_note(kind);
    }
}
