//! What must stay secret is told nowhere: not printed, not logged, not remembered, not put on a card.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::{Hermes, Machine, Pass, Session};

/// The token of a job's record, as a text.
const TOKEN: &str = "kT7-token-of-a-job-4Qx";
/// The same, as a number: a reader complains of that, and must not show it.
const TOKEN_AS_A_NUMBER: u64 = 730_218_846_119;
/// The password in a job's record.
const OF_THE_RECORD: &str = "kT7-password-in-a-record-9Zb";
/// The broker's password, right or wrong.
const PASSWORD: &str = "kT7-password-of-the-broker-2Wn";
/// In the environment of an agent.
const OF_AN_AGENT: &str = "kT7-environment-of-an-agent-6Lm";
/// In the environment of headcount.
const OF_HEADCOUNT: &str = "kT7-environment-of-headcount-1Rd";

const NAME: &str = "shop-creator-claude";
const JOB: &str = "a1b2c3d4";

/// Every secret, and all that they have in common, so that a part of one is found as well.
fn secrets() -> [String; 2] {
    ["kT7-".to_owned(), TOKEN_AS_A_NUMBER.to_string()]
}

/// A machine full of secrets, with one of each drift on it.
fn with_secrets<'m>(machine: &'m Machine) -> Vec<Session<'m>> {
    let start = |name| {
        let session = machine.session(name).env("ANTHROPIC_API_KEY", OF_AN_AGENT);
        session.running("claude").start()
    };
    let sessions: Vec<_> = ["gone", NAME, "new-creator-claude"].map(start).into();
    let mut roll = machine.roll().row("gone").pane(&sessions[0]);
    for (number, row) in [NAME, "b", "c", "d", "e"].into_iter().enumerate() {
        roll = roll
            .row(row)
            .set("status", if row == NAME { "running" } else { "stopped" })
            .set("delegate_job_id", format!("{JOB}{number}"));
    }
    roll.write();
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .has_no_drift("gone");
    sessions[0].kill();

    let password = json!({ "host": "localhost", "password": OF_THE_RECORD });
    let record = |number: u32| {
        let job = machine.job(&format!("{JOB}{number}")).token(TOKEN);
        job.set("broker", password.clone())
            .set("prompt", OF_THE_RECORD)
    };
    record(0).status("completed").session(NAME).write();
    record(1).set("auth_token", TOKEN_AS_A_NUMBER).write();
    record(2).set("auth_token", json!([TOKEN])).write();
    record(3).set("schema_version", 2).write();
    let cut = record(4).write();
    let text = fs::read_to_string(&cut).unwrap();
    fs::write(cut, &text[..text.len() - 3]).unwrap();
    sessions
}

/// All that headcount may have written: the roll, what lies beside it, and the state folder.
fn written(machine: &Machine) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![machine.state(), machine.project().join(".hermes")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                files.push(path);
            } else if !path.ends_with("jobs") {
                folders.push(path);
            }
        }
    }
    files
}

#[track_caller]
fn assert_is_silent(said: &str, by: &str) {
    for secret in secrets() {
        assert!(!said.contains(&secret), "{by} tells a secret: {said}");
    }
}

#[track_caller]
fn assert_nothing_is_written(machine: &Machine) {
    let files = written(machine);
    assert!(files.len() > 4, "{files:?}");
    for file in files {
        let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).into_owned();
        assert_is_silent(&text, &file.display().to_string());
    }
}

/// Every subcommand, as the help lists them: a new one is among them by itself.
fn subcommands(machine: &Machine) -> Vec<String> {
    let help = machine.headcount(&["--help"]).exits(0).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let names: Vec<String> = list
        .lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect();
    assert!(names.iter().any(|name| name == "reconcile"), "{help}");
    names
}

fn run(machine: &Machine, arguments: &[&str]) -> Pass {
    let mut command = machine.headcount_command(arguments);
    command.env("ANTHROPIC_API_KEY", OF_HEADCOUNT);
    command.env("MQTT_USERNAME", "headcount");
    command.env("MQTT_PASSWORD", PASSWORD);
    Pass::of(command)
}

#[test]
fn no_command_tells_a_secret_however_much_it_is_asked_to_tell() {
    let machine = Machine::new();
    let _sessions = with_secrets(&machine);
    let mut calls: Vec<Vec<String>> = Vec::new();
    for command in subcommands(&machine) {
        // Neither watches for ever.
        match command.as_str() {
            "worker" => calls.push(
                ["worker", "--task", "t_1", "--turn", "1"]
                    .map(str::to_owned)
                    .into(),
            ),
            _ => calls.push(vec![command.clone()]),
        }
        calls.push(vec![command, "--help".to_owned()]);
    }
    for format in ["json", "table", "markdown"] {
        for more in ["--dry-run", "--emit-diff"] {
            let words = [
                "reconcile",
                "--once",
                "--emit-diff",
                "--format",
                format,
                "--grace",
                "0",
            ];
            let mut words: Vec<String> = words.map(str::to_owned).into();
            if more == "--dry-run" {
                words.push(more.to_owned());
            }
            calls.push(words);
        }
    }
    let watch = ["reconcile", "--poll", "1", "--timeout", "2", "--emit-diff"];
    calls.push(watch.map(str::to_owned).into());

    for call in calls {
        for talk in ["--quiet", "-vvv"] {
            let mut words: Vec<&str> = call.iter().map(String::as_str).collect();
            words.push(talk);
            let pass = run(&machine, &words);
            assert_is_silent(&pass.stdout, &words.join(" "));
            assert_is_silent(&pass.stderr, &words.join(" "));
        }
    }
    assert_nothing_is_written(&machine);
}

#[test]
fn a_secret_in_a_wrong_place_of_the_command_line_is_not_repeated() {
    let machine = Machine::new();
    machine.roll().write();
    let address = format!("mqtt://headcount:{PASSWORD}@localhost:1883");
    let without_a_scheme = format!("headcount:{PASSWORD}@localhost");
    for address in [&address, &without_a_scheme] {
        let subscribe = ["reconcile", "--subscribe", "--timeout", "1", "-vvv"];
        let mut named = machine.headcount_command(&subscribe);
        named.arg("--broker").arg(address);
        let mut told = machine.headcount_command(&subscribe);
        told.env("MQTT_BROKER", address);
        for command in [named, told] {
            let pass = Pass::of(command).exits(2);
            pass.complains_of("MQTT_PASSWORD");
            assert_is_silent(&pass.stderr, address);
        }
    }
    let argument = format!("--password={PASSWORD}");
    let pass = machine
        .headcount(&["reconcile", "--subscribe", &argument])
        .exits(2);
    pass.complains_of("--password");
    assert_is_silent(&pass.stderr, &argument);
}

#[test]
fn listening_tells_no_password_and_no_token() {
    let machine = Machine::new();
    let users = [("headcount", PASSWORD), ("worker", "another")];
    let Some(broker) = machine.broker().users(&users).start() else {
        return;
    };
    let _sessions = with_secrets(&machine);
    let listen = |password: &str| {
        let watching = machine.watch().subscribe(&broker).arg("-v");
        let watching = watching.env("MQTT_USERNAME", "headcount");
        watching.env("MQTT_PASSWORD", password).start()
    };

    let refused = listen(&format!("{PASSWORD} but wrong"));
    refused.wait_for_word("it refuses the user or the password");
    for line in refused.logged().into_iter().chain(refused.printed()) {
        assert_is_silent(&line, "a loop without a broker");
    }
    drop(refused);

    let watching = listen(PASSWORD);
    watching.wait_for_pass("connected");
    let mut worker = broker.publisher_with(json!({ "user": "worker", "password": "another" }));
    for number in 0..5 {
        let job = format!("{JOB}{number}");
        worker.event(&job, 1, "error");
        worker.signed(&job, 2, "error", "not the token");
        worker.signed(&job, 3, "permission_required", TOKEN);
    }
    // The one event that is rightly signed.
    watching.wait_for_pass("event");
    watching.wait_for_word(" forged");
    for line in watching.logged().into_iter().chain(watching.printed()) {
        assert_is_silent(&line, "a loop with a broker");
    }
    drop(watching);
    assert_nothing_is_written(&machine);
}

#[test]
fn a_card_is_told_no_secret() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    let sessions = with_secrets(&machine);
    let card = hermes.card();

    let worker = card
        .worker()
        .grace(0)
        .arg("--spawn-grace")
        .arg("0")
        .arg("-v");
    let worker = worker.env("MQTT_PASSWORD", PASSWORD).start();
    card.wait_for("**headcount** on ");
    sessions[1].kill();
    card.wait_for("Marked terminated.");

    assert_is_silent(&card.show().to_string(), "a card");
    for line in worker.logged().into_iter().chain(worker.printed()) {
        assert_is_silent(&line, "a worker");
    }
    drop(worker);
    assert_nothing_is_written(&machine);
}

/// The greps above would find what they are for.
#[test]
fn a_secret_that_is_told_is_found() {
    let said = format!("{TOKEN} {OF_THE_RECORD} {PASSWORD} {OF_AN_AGENT} {OF_HEADCOUNT}");
    for word in said.split(' ') {
        assert!(word.contains(&secrets()[0]), "{word}");
    }
    let machine = Machine::new();
    let _sessions = with_secrets(&machine);
    let records = machine.project().join(".hermes/jobs");
    let holds = |path: &Path| fs::read_to_string(path).unwrap().contains(TOKEN);
    assert!(holds(&records.join(format!("{JOB}0.json"))));
    assert!(!written(&machine).is_empty());
}
