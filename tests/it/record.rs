//! A pass is recorded once and made again anywhere.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use jsonschema::validator_for;
use serde_json::Value;

use crate::support::{Footprint, Machine, Pass, Session, conversation};

const GONE: &str = "shop-creator-claude";
const NEW: &str = "blog-creator-claude";
const WEB: &str = "web-creator-claude";
const OLD: &str = "old-creator-claude";
/// What all that is planted has in common.
const SECRET: &str = "kT7-";

/// A machine with a drift of each class on it.
fn drifted(machine: &Machine) -> Vec<Session<'_>> {
    let gone = machine.session(GONE).running("claude").start();
    let new = machine.session(NEW).running("claude").start();
    let web = machine.session(WEB).cwd(machine.folder("web"));
    let web = web.running("claude").start();
    machine.claude().pid_file(&web).id(&conversation(1)).write();
    machine
        .claude()
        .transcript(&web.cwd, &conversation(1))
        .write();
    let roll = machine.roll();
    roll.row(GONE)
        .pane(&gone)
        .row(WEB)
        .pane(&web)
        .null("claude_session_id_own")
        .row(OLD)
        .status("stopped")
        .set("claude_session_id_own", conversation(2))
        .write();
    gone.kill();
    // However slow the machine is, nothing becomes due between two looks.
    let toml = machine.roll_path().with_file_name("headcount.toml");
    fs::write(toml, "grace = 80000\nspawn_grace = 80000\n").unwrap();
    machine.settle(&machine.roll_path());
    vec![new, web]
}

fn record(machine: &Machine, folder: &Path) -> Pass {
    machine.headcount(&["record", folder.to_str().unwrap()])
}

/// A snapshot of the machine.
fn recorded(machine: &Machine) -> PathBuf {
    let folder = machine.root().join("snapshot");
    let _ = record(machine, &folder).exits(0);
    folder
}

/// What is told of a look, by all commands and in all forms that have the same to say whenever it is made.
const TOLD: [&[&str]; 9] = [
    &["reconcile", "--dry-run", "--emit-diff"],
    &["reconcile", "--dry-run", "--emit-diff", "--format", "table"],
    &[
        "reconcile",
        "--dry-run",
        "--emit-diff",
        "--format",
        "markdown",
    ],
    &[
        "reconcile",
        "--dry-run",
        "--emit-diff",
        "--detailed-exitcode",
    ],
    &["explain", GONE, "--json"],
    &["explain", WEB],
    &["resume"],
    &["plan"],
    &["diff"],
];

/// The same with every time left out: `2026-11-21T09:00:00Z`, with milliseconds or without, and seconds since the epoch.
fn timeless(text: &str) -> String {
    let mut said = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let shape: String = rest
            .chars()
            .take(24)
            .map(|c| if c.is_ascii_digit() { '0' } else { c })
            .collect();
        let stamp = ["0000-00-00T00:00:00Z", "0000-00-00T00:00:00.000Z"]
            .into_iter()
            .find(|stamp| shape.starts_with(stamp));
        let epoch = (said.ends_with("_epoch: ") || said.ends_with("_epoch\":"))
            .then(|| shape.chars().take_while(|c| *c == '0').count());
        let (shown, length) = match (stamp, epoch) {
            (Some(stamp), _) => ("<time>", stamp.len()),
            (None, Some(digits)) if digits > 0 => ("0", digits),
            _ => {
                let length = rest.chars().next().map_or(1, char::len_utf8);
                (&rest[..length], length)
            }
        };
        said.push_str(shown);
        rest = &rest[length..];
    }
    said
}

fn replay(machine: &Machine, words: &[&str], folder: &Path) -> Pass {
    let replay = ["--from-snapshot", folder.to_str().unwrap()];
    machine.headcount(&[words, &replay].concat())
}

#[test]
fn a_replay_says_what_a_pass_says_of_all_four_classes() {
    let machine = Machine::new();
    let _sessions = drifted(&machine);
    let folder = recorded(&machine);

    for words in TOLD {
        let (live, again) = (machine.headcount(words), replay(&machine, words, &folder));
        assert_eq!(again.code, live.code, "{words:?}");
        // A plan says that it is only to be looked at.
        let said = again
            .stdout
            .replace("\"replayed\": true", "\"replayed\": false");
        assert_eq!(timeless(&said), timeless(&live.stdout), "{words:?}");
        assert_eq!(timeless(&again.stderr), timeless(&live.stderr), "{words:?}");
    }
    let report = replay(&machine, TOLD[0], &folder);
    for (class, session) in [("A", GONE), ("B", NEW), ("C", WEB), ("D", OLD)] {
        let _ = report.drift(class, session);
    }
    assert_eq!(replay(&machine, TOLD[3], &folder).code, Some(2));
}

#[test]
fn a_replay_says_the_same_where_nothing_of_it_is_left() {
    let machine = Machine::new();
    let sessions = drifted(&machine);
    let folder = recorded(&machine);
    let status: [&[&str]; 2] = [&["status", "--all"], &["status", "--json"]];
    let all = || TOLD.into_iter().chain(status);
    let here: Vec<String> = all()
        .map(|words| replay(&machine, words, &folder).stdout)
        .collect();
    for session in sessions {
        session.kill();
    }
    fs::remove_dir_all(machine.project().join(".hermes")).unwrap();
    let _ = fs::remove_dir_all(machine.state());

    let elsewhere = Machine::new();
    elsewhere.roll().row("other").write();
    let before = elsewhere.footprint();
    for (words, here) in all().zip(here) {
        let mut command = elsewhere.headcount_command(words);
        command
            .arg("--from-snapshot")
            .arg(&folder)
            .env("PATH", "/nonexistent")
            .env("HOME", "/another/home")
            .env("AGENT_SESSIONS_YAML", "/no/roll.yaml")
            .env("TMUX_SERVER_NAME", "other");
        assert_eq!(Pass::of(command).stdout, here, "{words:?}");
    }
    assert_eq!(elsewhere.footprint(), before);
}

#[test]
fn what_was_remembered_is_replayed_too() {
    let machine = Machine::new();
    let _sessions = drifted(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    let folder = recorded(&machine);

    let drift = replay(&machine, TOLD[0], &folder).drift("D", OLD);

    assert_eq!(drift["new"], false);
    assert_eq!(drift["count"], 2);
}

#[test]
fn recording_and_replaying_write_nothing_but_the_snapshot() {
    let machine = Machine::new();
    let _sessions = drifted(&machine);
    let before = machine.footprint();
    let folder = recorded(&machine);
    let snapshot = Footprint::of(&[&folder]);
    for words in TOLD {
        let _ = replay(&machine, words, &folder);
    }
    assert_eq!(Footprint::of(&[&folder]), snapshot);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    for file in ["roll.yaml", "snapshot.json"] {
        assert_eq!(mode(&folder.join(file)), 0o600, "{file}");
    }
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(machine.footprint(), before);
}

#[test]
fn a_folder_that_holds_anything_is_left_alone() {
    let machine = Machine::new();
    machine.roll().write();
    let folder = machine.folder("mine");
    let empty = record(&machine, &folder).exits(0);
    assert!(empty.stdout.contains("snapshot.json"), "{empty:?}");
    let before = Footprint::of(&[&folder]);
    record(&machine, &folder)
        .exits(2)
        .complains_of("is not empty");
    assert_eq!(Footprint::of(&[&folder]), before);

    let deep = machine.root().join("none/at/all");
    let missing = record(&machine, &deep).exits(2);
    missing.complains_of("none/at/all cannot be made: there is no folder");
    missing.complains_of("make that first");

    let file = machine.root().join("file");
    fs::write(&file, "mine").unwrap();
    let twice = record(&machine, &file).exits(2).stderr;
    assert_eq!(twice.matches("os error").count(), 1, "{twice}");
    record(&machine, &file).exits(2).complains_of("file");
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn no_secret_is_recorded() {
    let machine = Machine::new();
    let planted = |what: &str| format!("{SECRET}{what}");
    let session = machine
        .session(WEB)
        .env("ANTHROPIC_API_KEY", planted("environment"))
        .running("claude")
        .start();
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write();
    let transcript = machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .write();
    let mut lines = fs::read_to_string(&transcript).unwrap();
    lines.push_str(&format!(
        "{{\"type\":\"user\",\"message\":\"{}\"}}\n",
        planted("words")
    ));
    fs::write(&transcript, lines).unwrap();
    machine
        .job("a1b2c3d4")
        .token(&planted("token"))
        .set("prompt", planted("prompt"))
        .status("completed")
        .session(WEB)
        .write();
    machine
        .roll()
        .row(WEB)
        .pane(&session)
        .set("delegate_job_id", "a1b2c3d4")
        .set("api_key", planted("value"))
        .set(
            "start_command",
            format!("claude --token {}", planted("argument")),
        )
        .set("note", planted("of\nmany lines"))
        .write();
    let roll = machine.roll_path();
    let text = fs::read_to_string(&roll).unwrap();
    let text = format!(
        "# {}\n{text}secrets: [{}]\n",
        planted("comment"),
        planted("item")
    );
    fs::write(&roll, text).unwrap();
    machine.settle(&roll);
    let mut command = machine.headcount_command(&["record", "snapshot", "-vvv"]);
    command.env("MQTT_PASSWORD", planted("password"));

    let said = Pass::of(command).exits(0);

    let folder = machine.project().join("snapshot");
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        assert!(!text.contains(SECRET), "{text}");
        files += 1;
    }
    assert_eq!(files, 2);
    assert!(!said.stdout.contains(SECRET) && !said.stderr.contains(SECRET));
    let recorded = fs::read_to_string(folder.join("roll.yaml")).unwrap();
    assert!(
        recorded.contains(WEB) && recorded.contains("removed"),
        "{recorded}"
    );
    // Only the roll's fingerprint is another.
    let report = |pass: Pass| {
        let mut report: Value = serde_json::from_str(&timeless(&pass.stdout)).unwrap();
        report["registry_fingerprint"] = Value::Null;
        report
    };
    let again = report(replay(&machine, TOLD[0], &folder));
    assert_eq!(again, report(machine.headcount(TOLD[0])));
    assert_eq!(again["job_updates"][0]["job_id"], "a1b2c3d4", "{again:#}");
}

#[test]
fn what_a_row_says_besides_what_is_read_of_it_is_not_recorded() {
    let machine = Machine::new();
    let session = machine.session(WEB).running("claude").start();
    machine.roll().row(WEB).pane(&session).write();
    let roll = machine.roll_path();
    let mut text = fs::read_to_string(&roll).unwrap();
    for (name, cmd) in [
        ("a", "claude --api-key kT7-key"),
        ("b", "TOKEN=kT7-token claude"),
        ("c", "claude --password kT7-word --continue"),
        ("d", "curl https://user:kT7-pass@localhost/"),
    ] {
        text.push_str(&format!(
            "- name: {name}-creator-claude\n  status: stopped\n  kT7-key: 1\n  pane: {{cmd: '{cmd}', kT7-key: 2}}\n  claude_session_id_own: the kT7-one of {name}\n"
        ));
    }
    fs::write(&roll, text).unwrap();
    machine.settle(&roll);
    let _ = machine.reconcile().at_once().run().exits(0);

    let folder = recorded(&machine);

    for file in ["roll.yaml", "snapshot.json"] {
        let text = fs::read_to_string(folder.join(file)).unwrap();
        assert!(!text.contains(SECRET), "{text}");
    }
    let report = replay(&machine, TOLD[0], &folder);
    let live = machine.headcount(TOLD[0]);
    for name in ["a", "b", "c", "d"] {
        let name = format!("{name}-creator-claude");
        let reason = |pass: &Pass| pass.drift("D", &name)["reason"].clone();
        assert_eq!(reason(&report), reason(&live), "{name}");
    }
}

#[test]
fn a_snapshot_is_as_its_schema_says() {
    let machine = Machine::new();
    let _sessions = drifted(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    let folder = recorded(&machine);
    let schema = machine.headcount(&["schema", "snapshot"]).exits(0).stdout;
    let schema = validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let text = fs::read_to_string(folder.join("snapshot.json")).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let faults: Vec<String> = schema
        .iter_errors(&document)
        .map(|it| it.to_string())
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    for part in ["servers", "artifacts", "sources"] {
        let seen = document["world"][part].as_array().unwrap();
        assert!(!seen.is_empty(), "{part}");
    }
}

#[test]
fn what_cannot_be_replayed_is_told() {
    let machine = Machine::new();
    machine.roll().row("a").status("stopped").write();
    let folder = recorded(&machine);
    let status = ["status"];
    let document = folder.join("snapshot.json");
    let good = fs::read_to_string(&document).unwrap();
    for (text, complaint) in [
        (String::new(), "is damaged"),
        (good[..good.len() / 2].to_owned(), "is damaged"),
        ("[]".to_owned(), "is no snapshot"),
        (good.replace("\"servers\"", "\"serves\""), "world.servers"),
        (
            good.replace("\"format_version\": \"1\"", "\"format_version\": \"2\""),
            "has format version 2",
        ),
    ] {
        fs::write(&document, text).unwrap();
        let told = replay(&machine, &status, &folder).exits(2);
        told.complains_of(complaint);
        told.complains_of("snapshot.json");
    }
    fs::write(&document, good).unwrap();
    let roll = folder.join("roll.yaml");
    let text = fs::read_to_string(&roll).unwrap();
    fs::write(&roll, text.replace("stopped", "running")).unwrap();
    replay(&machine, &status, &folder)
        .exits(2)
        .complains_of("it is not the text that was recorded");
    fs::remove_file(&roll).unwrap();
    assert!(
        machine
            .command("mkfifo")
            .arg(&roll)
            .status()
            .unwrap()
            .success()
    );
    replay(&machine, &status, &folder)
        .exits(2)
        .complains_of("it is a named pipe");
    replay(&machine, &status, &machine.root().join("none"))
        .exits(2)
        .complains_of("there is no such file");
}

#[test]
fn a_snapshot_is_replayed_as_it_was_recorded_or_not_at_all() {
    let machine = Machine::new();
    machine.roll().write();
    let folder = recorded(&machine);
    for (words, complaint) in [
        (&["reconcile"][..], "say --dry-run"),
        (&["reconcile", "--dry-run", "--poll"], "neither --poll"),
        (
            &["reconcile", "--dry-run", "--grace", "0"],
            "leave them out here",
        ),
        (&["plan", "--allow-mass-change"], "leave them out here"),
        (&["status", "--registry", "x"], "--registry"),
    ] {
        replay(&machine, words, &folder)
            .exits(2)
            .complains_of(complaint);
    }
}

#[test]
fn the_terms_of_a_recording_are_those_of_its_replay() {
    let machine = Machine::new();
    let _sessions = drifted(&machine);
    let folder = machine.root().join("at-once");
    let words = [
        "record",
        folder.to_str().unwrap(),
        "--grace",
        "0",
        "--spawn-grace",
        "0",
    ];
    let _ = machine.headcount(&words).exits(0);
    let report = replay(&machine, TOLD[0], &folder);
    assert!(!report.drift("A", GONE).is_pending());
    let diff = replay(&machine, &["diff"], &folder).exits(0).stdout;
    assert!(diff.contains("+  status: terminated"), "{diff}");
}
