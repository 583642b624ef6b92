//! `headcount doctor`: everything that can make it blind or wrong, each with what to do.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::elsewhere::give_away;
use crate::support::{Elsewhere, Machine, Pass, conversation, in_a_container};

/// A machine on which all is well.
fn healthy() -> Machine {
    let machine = Machine::new();
    let web = machine
        .session("web-creator-claude")
        .running("claude")
        .start();
    machine.claude().pid_file(&web).id(&conversation(1)).write();
    machine
        .claude()
        .transcript(&web.cwd, &conversation(1))
        .write();
    machine
        .roll()
        .row("web-creator-claude")
        .pane(&web)
        .set("claude_session_id_own", conversation(1))
        .write();
    machine.settle(&machine.roll_path());
    machine
}

/// `doctor --json`, to be run.
fn doctor(machine: &Machine) -> Command {
    let mut command = machine.headcount_command(&["doctor", "--json"]);
    // What is installed for other tests is none of its business.
    command.env("MQTT_BROKER", "");
    command
}

/// The check of that name, after a checkup that ends with that code.
#[track_caller]
fn check(command: Command, code: i32, name: &str) -> Value {
    let document = Pass::of(command).exits(code).report();
    let checks = document["checks"].as_array().unwrap();
    let found = checks.iter().find(|check| check["name"] == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {document:#}"))
        .clone()
}

#[track_caller]
fn assert_is(check: &Value, health: &str, said: &str) {
    assert_eq!(check["health"], health, "{check:#}");
    assert!(check["said"].as_str().unwrap().contains(said), "{check:#}");
    let is_told = matches!(health, "trouble" | "warning");
    assert_eq!(check["remedy"].is_string(), is_told, "{check:#}");
}

#[test]
fn where_all_is_well_it_says_so_and_ends_with_0() {
    let machine = healthy();
    let before = machine.footprint();

    let document = Pass::of(doctor(&machine)).exits(0).report();

    assert_ne!(document["health"], "trouble", "{document:#}");
    let checks = document["checks"].as_array().unwrap();
    for name in [
        "roll",
        "lock",
        "permissions",
        "state folder",
        "room",
        "file systems",
        "tmux",
        "tmux:default",
        "processes",
        "clock",
        "locale",
        "home",
        "sessions",
        "other writers",
        "retention",
        "broker",
        "hermes",
    ] {
        assert!(
            checks.iter().any(|check| check["name"] == name),
            "no {name} in {document:#}"
        );
    }
    let text = machine.headcount(&["doctor"]).exits(0).stdout;
    assert!(text.starts_with("well"), "{text}");
    assert_eq!(machine.footprint(), before);
}

#[test]
fn a_missing_tmux_is_trouble_and_the_remedy_is_named() {
    let machine = healthy();
    let mut command = doctor(&machine);
    command.env("PATH", machine.new_folder("empty"));
    let tmux = check(command, 1, "tmux");
    assert_is(&tmux, "trouble", "not installed");
    assert!(
        tmux["remedy"].as_str().unwrap().contains("install tmux"),
        "{tmux:#}"
    );

    let mut command = machine.headcount_command(&["doctor"]);
    command.env("PATH", machine.new_folder("empty"));
    let text = Pass::of(command).exits(1).stdout;
    assert!(text.starts_with("trouble: "), "{text}");
    assert!(text.contains(" -> install tmux"), "{text}");
}

#[test]
fn a_server_that_cannot_be_asked_is_trouble() {
    let machine = healthy();
    let mut command = doctor(&machine);
    command.env(
        "PATH",
        machine.path_with_tmux("[ $1 = -V ] && exec \"$TMUX_ITSELF\" -V; echo denied >&2; exit 1"),
    );
    assert_is(&check(command, 1, "tmux:default"), "trouble", "denied");
}

#[test]
fn an_old_tmux_is_a_warning() {
    let machine = healthy();
    let mut command = doctor(&machine);
    command.env(
        "PATH",
        machine.path_with_tmux(
            "[ $1 = -V ] && { echo tmux 2.9a; exit; }; exec \"$TMUX_ITSELF\" \"$@\"",
        ),
    );
    assert_is(&check(command, 0, "tmux"), "warning", "tmux 2.9a");
}

#[test]
fn a_roll_that_cannot_be_read_is_trouble_with_its_line() {
    let machine = healthy();
    machine.write_roll("tmux_sessions:\n- {name: shop, status: [}\n");
    let roll = check(doctor(&machine), 1, "roll");
    assert_is(&roll, "trouble", "agent-sessions.yaml:2:");
    // What does not depend on it is checked all the same.
    assert_is(
        &check(doctor(&machine), 1, "tmux:default"),
        "well",
        "sessions",
    );
}

#[test]
fn without_a_roll_the_rest_is_checked() {
    let machine = Machine::new();
    assert_is(
        &check(doctor(&machine), 0, "roll"),
        "warning",
        "there is none",
    );
}

#[test]
fn a_lock_that_somebody_keeps_is_told_with_who_keeps_it() {
    let machine = healthy();
    assert_is(&check(doctor(&machine), 0, "lock"), "well", ".lock");
    let lock = machine.roll_path().with_extension("yaml.lock");
    let holder =
        machine
            .session("holder")
            .executing(&["flock", lock.to_str().unwrap(), "sleep", "1000"]);
    let holder = holder.start();
    let held = crate::support::wait_until("a lock that is held", || {
        let lock = check(doctor(&machine), 0, "lock");
        (lock["health"] == "warning").then_some(lock)
    });
    assert_is(&held, "warning", "is held by");
    drop(holder);
}

#[test]
fn another_programs_store_is_trouble() {
    let machine = healthy();
    fs::write(machine.project().join(".hermes/agent-sessions.db"), "").unwrap();
    assert_is(
        &check(doctor(&machine), 1, "other writers"),
        "trouble",
        "agent-sessions.db",
    );
}

#[test]
fn a_row_that_cannot_be_looked_for_is_trouble() {
    let machine = Machine::new();
    machine
        .roll()
        .row("web-creator-claude")
        .server("never-seen")
        .write();
    assert_is(
        &check(doctor(&machine), 1, "sessions"),
        "trouble",
        "web-creator-claude",
    );
}

#[test]
fn conversations_that_will_be_deleted_within_a_week_are_named() {
    let machine = healthy();
    assert_is(&check(doctor(&machine), 0, "retention"), "well", "30 days");
    let transcript = machine
        .claude()
        .transcript_path(&machine.project(), &conversation(1));
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    let file = fs::File::options().append(true).open(transcript).unwrap();
    file.set_modified(SystemTime::now() - days(26)).unwrap();
    assert_is(
        &check(doctor(&machine), 0, "retention"),
        "warning",
        "web-creator-claude",
    );

    fs::write(
        machine.claude().root().join("settings.json"),
        json!({"cleanupPeriodDays": 90}).to_string(),
    )
    .unwrap();
    assert_is(&check(doctor(&machine), 0, "retention"), "well", "90 days");
}

#[test]
fn where_nothing_says_how_long_conversations_are_kept_it_is_the_usual_time() {
    let machine = Machine::new();
    machine.roll().write();
    let claude = machine.claude().root().to_owned();
    let _ = fs::remove_dir_all(&claude);
    assert_is(
        &check(doctor(&machine), 0, "retention"),
        "unused",
        "there is no",
    );
    fs::create_dir_all(&claude).unwrap();
    assert_is(&check(doctor(&machine), 0, "retention"), "well", "30 days");
    fs::write(claude.join("settings.json"), "{").unwrap();
    assert_is(
        &check(doctor(&machine), 0, "retention"),
        "warning",
        "settings.json",
    );
}

#[test]
fn a_state_folder_that_may_be_on_another_machine_is_a_warning() {
    let machine = healthy();
    assert_is(&check(doctor(&machine), 0, "file systems"), "well", "");
    let mut command = doctor(&machine);
    // Of this one nobody says that it is local.
    command.args(["--state-dir", "/sys/kernel/headcount"]);
    let document = Pass::of(command).report();
    let checks = document["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["name"] == "file systems");
    assert_is(found.unwrap(), "warning", "the state folder lies on");
}

#[test]
fn a_full_disk_below_the_state_folder_is_trouble() {
    let machine = healthy();
    fs::create_dir_all(machine.state()).unwrap();
    let script = r#"
mount -t tmpfs -o size=64k,mode=700 none "$1" && shift || exit 99
dd if=/dev/zero of="$AGENT_SESSIONS_STATE_DIR/filler" bs=1k 2>/dev/null
exec "$@""#;
    let Some(full) = Elsewhere::in_a_mount_namespace(script, &[&machine.state()]) else {
        return;
    };

    let document = full.run(&doctor(&machine)).exits(1).report();

    let checks = document["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["name"] == "room").unwrap();
    assert_is(found, "trouble", "state 0 KiB are left");
}

#[test]
fn processes_of_others_that_are_hidden_are_trouble_and_it_says_what_that_means() {
    let Some(nobody) = Elsewhere::as_nobody() else {
        return;
    };
    let hidden = Elsewhere::in_a_mount_namespace(
        r#"mount -o remount,hidepid=2 /proc 2>/dev/null || mount -t proc -o hidepid=2 proc /proc; exec "$@""#,
        &[] as &[&Path; 0],
    );
    let Some(hidden) = hidden else {
        return;
    };
    let machine = Machine::new();
    machine.roll().row("old").status("stopped").write();
    fs::set_permissions(machine.root(), fs::Permissions::from_mode(0o755)).unwrap();
    give_away(&[&machine.project(), &machine.home()]);

    let processes = check(
        hidden.command(&nobody.command(&doctor(&machine))),
        1,
        "processes",
    );

    assert_is(
        &processes,
        "trouble",
        "hides the processes of other users (hidepid?)",
    );
    let remedy = processes["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("no session is told to be gone") && remedy.contains("gid="),
        "{remedy}"
    );
}

#[test]
fn a_time_in_the_future_is_told() {
    let machine = healthy();
    let roll = fs::File::options()
        .append(true)
        .open(machine.roll_path())
        .unwrap();
    roll.set_modified(SystemTime::now() + Duration::from_secs(3600))
        .unwrap();
    assert_is(
        &check(doctor(&machine), 0, "clock"),
        "warning",
        "the roll was last written at",
    );
}

#[test]
fn a_broker_that_is_named_has_to_answer() {
    let machine = healthy();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let asked = |port: &str| {
        let mut command = doctor(&machine);
        command
            .env("MQTT_BROKER", "127.0.0.1")
            .env("MQTT_PORT", port);
        command
    };
    assert_is(&check(asked(&port), 0, "broker"), "well", &port);
    drop(listener);
    assert_is(
        &check(asked(&port), 0, "broker"),
        "warning",
        "nobody answers",
    );
    assert_is(&check(asked("many"), 1, "broker"), "trouble", "MQTT_PORT");
    assert_is(
        &check(doctor(&machine), 0, "broker"),
        "unused",
        "MQTT_BROKER is not set",
    );
}

#[test]
fn what_hermes_says_of_itself_is_told() {
    let machine = healthy();
    let program = machine.bin().join("hermes");
    fs::write(&program, "#!/bin/sh\necho Hermes Agent v9.9\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    assert_is(&check(doctor(&machine), 0, "hermes"), "well", "v9.9");
}

#[test]
fn a_container_is_told_until_it_is_a_home() {
    let machine = Machine::new();
    machine.roll().row("old").status("stopped").write();
    let home = check(doctor(&machine), 0, "home");
    if in_a_container() {
        assert_is(&home, "warning", "this is a container");
    }
    let _ = machine.headcount(&["init"]).exits(0);
    assert_is(
        &check(doctor(&machine), 0, "home"),
        "well",
        "headcount init",
    );
}
