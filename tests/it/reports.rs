//! What a report says and how: its keys, its sentences, its three formats. That every report of every test
//! is as its schema says, and begins with the original's six keys, is checked wherever one is made.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::{FIRST_KEYS, Machine, Pass, conversation, keys};

/// A machine on which much is to be told: an end, a session nobody declared, a conversation that began, one
/// that is lost, and rows that are wrong.
fn with_much_to_tell() -> Machine {
    let machine = Machine::new();
    let [shop, docs] =
        ["shop", "docs-creator-claude"].map(|name| machine.session(name).running("claude").start());
    machine
        .claude()
        .pid_file(&docs)
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&docs.cwd, &conversation(1))
        .write();
    machine
        .roll()
        .row("shop")
        .pane(&shop)
        .row("docs-creator-claude")
        .pane(&docs)
        .null("claude_session_id_own")
        .row("old")
        .status("stopped")
        .set("claude_session_id_own", conversation(2))
        .row("odd")
        .status("hibernating")
        .row("far")
        .server("never-seen")
        .write();
    machine.settle(&machine.roll_path());
    machine
        .session("news-creator-claude")
        .running("claude")
        .start();
    shop.kill();
    machine
}

/// What differs from run to run and from machine to machine, made the same.
fn redacted(machine: &Machine, text: &str) -> String {
    let host = machine.reconcile().dry_run().run().report()["host"].clone();
    let text = text
        .replace(machine.root().to_str().unwrap(), "[MACHINE]")
        .replace(host.as_str().unwrap(), "[HOST]");
    let words: Vec<String> = text.split(' ').map(without_time_and_pid).collect();
    words.join(" ")
}

fn without_time_and_pid(word: &str) -> String {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (number, rest) = word.split_at(word.find(['Z', ',', ')']).unwrap_or(word.len()));
    if is_number(number) && rest.starts_with([',', ')']) {
        return format!("[PID]{rest}");
    }
    match rest.strip_prefix('Z') {
        Some(rest)
            if chrono::NaiveDateTime::parse_from_str(number, "%Y-%m-%dT%H:%M:%S").is_ok() =>
        {
            format!("[TIME]{rest}")
        }
        _ => word.to_owned(),
    }
}

#[test]
fn its_keys_are_these_in_this_order() {
    let machine = with_much_to_tell();
    let pass = machine.reconcile().dry_run().run().exits(0);

    let keys = keys(&pass.stdout).unwrap();
    assert_eq!(keys[..6], FIRST_KEYS);
    let more = [
        "format_version",
        "host",
        "vantage",
        "registry_fingerprint",
        "sources",
        "notes",
        "job_updates",
        "held",
        "resolved",
        "counts",
    ];
    assert_eq!(keys[6..], more);
}

#[test]
fn it_is_one_line_for_programs() {
    let pass = with_much_to_tell().reconcile().dry_run().run().exits(0);

    assert_eq!(pass.stdout.lines().count(), 1);
    assert!(pass.stdout.ends_with('\n'));
    assert_eq!(pass.stderr, "");
}

#[test]
fn it_says_what_was_looked_at_and_from_where() {
    let machine = with_much_to_tell();
    let report = machine.reconcile().dry_run().run().exits(0).report();

    assert_eq!(report["yaml_path"], json!(machine.roll_path()));
    let hash: String = Sha256::digest(machine.roll_text())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(report["registry_fingerprint"], json!(hash));
    assert_eq!(
        report["vantage"]["uid"],
        json!(rustix::process::getuid().as_raw())
    );
    assert_eq!(
        report["tmux_sessions_alive"],
        json!(["docs-creator-claude", "news-creator-claude"])
    );
    assert_eq!(report["tmux_confirmed"], false);
    let sources = report["sources"].as_array().unwrap();
    let state = |name: &str| {
        let source = sources.iter().find(|source| source["name"] == name);
        source.unwrap_or_else(|| panic!("no source {name} in {sources:#?}"))["state"].clone()
    };
    assert_eq!(state("tmux:default"), "present");
    let timestamp = report["timestamp"].as_str().unwrap();
    assert!(
        chrono::DateTime::parse_from_rfc3339(timestamp).is_ok(),
        "{timestamp}"
    );
}

#[test]
fn every_drift_has_its_evidence_and_a_sentence() {
    let machine = with_much_to_tell();
    let pass = machine.reconcile().dry_run().run().exits(0);

    let drifts = pass.drifts();
    let told: Vec<(&Value, &Value)> = drifts
        .iter()
        .map(|drift| (&drift["class"], &drift["session"]))
        .collect();
    assert_eq!(
        told,
        [
            (&json!("A"), &json!("shop")),
            (&json!("B"), &json!("news-creator-claude")),
            (&json!("C"), &json!("docs-creator-claude")),
            (&json!("D"), &json!("old")),
        ]
    );
    for drift in &drifts {
        assert!(
            drift["evidence"]
                .as_array()
                .is_some_and(|all| !all.is_empty()),
            "{drift:#?}"
        );
        let start = format!("{}: ", drift["session"].as_str().unwrap());
        assert!(
            drift["comment"].as_str().unwrap().starts_with(&start),
            "{drift:#?}"
        );
    }
}

/// The sentences of a pass, by class.
fn comments(machine: &Machine, pass: &Pass) -> Vec<String> {
    pass.drifts()
        .iter()
        .map(|drift| redacted(machine, drift["comment"].as_str().unwrap()))
        .collect()
}

#[test]
fn its_sentences_say_what_would_be_written() {
    let machine = with_much_to_tell();
    let pass = machine.reconcile().dry_run().at_once().run().exits(0);

    assert_eq!(
        comments(&machine, &pass),
        [
            "shop: tmux gone (was pane [PID], cmd claude). Would be written.".to_owned(),
            "news-creator-claude: tmux found but not in YAML. Would be written.".to_owned(),
            redacted(
                &machine,
                &format!(
                    "docs-creator-claude: session id materialized {}. Would be written.",
                    conversation(1)
                )
            ),
            redacted(
                &machine,
                &format!(
                    "old: session id {} has no file on disk (missing). Not deleted.",
                    conversation(2)
                )
            ),
        ]
    );
}

#[test]
fn its_sentences_say_what_was_written() {
    let machine = with_much_to_tell();
    let pass = machine.reconcile().at_once().run().exits(0);

    let comments = comments(&machine, &pass);
    assert_eq!(
        comments[0],
        "shop: tmux gone (was pane [PID], cmd claude). Marked terminated."
    );
    assert_eq!(
        comments[1],
        "news-creator-claude: tmux found but not in YAML. Auto-registered."
    );
    let actions = pass.report()["actions"].clone();
    let told: Vec<&str> = actions
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["comment"].as_str().unwrap())
        .collect();
    let applied: Vec<_> = pass
        .drifts()
        .into_iter()
        .filter(|drift| drift.is_applied())
        .collect();
    assert_eq!(
        told,
        applied
            .iter()
            .map(|it| it["comment"].as_str().unwrap())
            .collect::<Vec<_>>()
    );
    assert_eq!(told.len(), 3);
}

#[test]
fn its_sentences_say_what_is_waited_for() {
    let machine = with_much_to_tell();
    let pass = machine.reconcile().dry_run().run().exits(0);

    let comments = comments(&machine, &pass);
    assert_eq!(
        comments[0],
        "shop: tmux gone (was pane [PID], cmd claude). Not written yet: a second look has to prove it, due [TIME]."
    );
    assert_eq!(
        comments[1],
        "news-creator-claude: tmux found but not in YAML. Not written yet: its session is less than 30 s old, due [TIME]."
    );
}

#[test]
fn a_difference_has_one_name_in_every_report_until_it_is_resolved() {
    let machine = with_much_to_tell();
    let waiting = || machine.reconcile().quiet().grace(0).spawn_grace(0);
    let first = machine.reconcile().dry_run().run().exits(0);
    let second = machine.reconcile().dry_run().run().exits(0);
    let ids = |pass: &Pass| {
        pass.drifts()
            .iter()
            .map(|drift| drift["id"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), ids(&second));
    // A dry run remembers nothing, so all is new to the next.
    assert!(
        second
            .drifts()
            .iter()
            .all(|drift| drift["new"] == true && drift["count"] == 1)
    );

    let _ = waiting().run().exits(0);
    let later = machine.reconcile().run().exits(0);
    let lost = later.drift("D", "old");
    assert_eq!(lost["id"], first.drift("D", "old")["id"]);
    assert_eq!(lost["new"], false);
    assert_eq!(lost["count"], 2);

    machine
        .claude()
        .transcript(&machine.project(), &conversation(2))
        .write();
    let found = machine.reconcile().run().exits(0);
    found.has_no_drift("old");
    let resolved = found.report()["resolved"].clone();
    assert_eq!(resolved[0]["id"], lost["id"]);
    assert_eq!(
        resolved[0]["comment"],
        "old: in order again (was stale id)."
    );
    assert_eq!(
        machine.reconcile().run().exits(0).report()["resolved"],
        json!([])
    );
}

/// A pid that no kernel gives to any process.
const NO_PID: u32 = 9_999_999;

/// Much to tell, in words that are as long on every machine, since a table breaks its lines by that.
fn to_be_agreed_on(format: &str) -> String {
    let machine = Machine::new();
    let [shop, docs] =
        ["shop", "docs-creator-claude"].map(|name| machine.session(name).running("claude").start());
    machine
        .claude()
        .pid_file(&docs)
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&docs.cwd, &conversation(1))
        .write();
    machine
        .roll()
        .row("shop")
        .pid(NO_PID)
        .row("docs-creator-claude")
        .pane(&docs)
        .null("claude_session_id_own")
        .row("old")
        .status("stopped")
        .set("claude_session_id_own", conversation(2))
        .row("odd")
        .status("hibernating")
        .write();
    machine.settle(&machine.roll_path());
    machine
        .session("news-creator-claude")
        .running("claude")
        .start();
    shop.kill();
    let pass = machine.reconcile().dry_run().format(format).run().exits(0);
    redacted(&machine, &pass.stdout)
}

#[test]
fn the_table_is_what_was_last_agreed_on() {
    let table = to_be_agreed_on("table");

    // Its first line breaks where the host's name ends.
    let (_, table) = table.split_once("2 live sessions").unwrap();
    insta::assert_snapshot!("table", table);
}

#[test]
fn the_card_is_what_was_last_agreed_on() {
    insta::assert_snapshot!("card", to_be_agreed_on("markdown"));
}

#[test]
fn a_quiet_pass_prints_nothing_and_still_reconciles() {
    let machine = with_much_to_tell();
    let pass = machine.reconcile().quiet().at_once().run().exits(0);

    assert_eq!((pass.stdout.as_str(), pass.stderr.as_str()), ("", ""));
    assert_eq!(machine.row("shop")["status"], "terminated");
}

#[test]
fn without_a_word_about_when_it_makes_one_pass() {
    let machine = with_much_to_tell();
    let args = [
        "reconcile",
        "--emit-diff",
        "--grace",
        "0",
        "--spawn-grace",
        "0",
    ];

    let pass = machine.headcount(&args).exits(0);

    assert!(pass.drift("A", "shop").is_applied());
    assert_eq!(machine.row("shop")["status"], "terminated");
}

#[test]
fn names_that_a_terminal_would_obey_are_written_out() {
    let machine = Machine::new();
    machine.session("docs").start();
    machine.write_roll(
        "tmux_sessions:\n- name: \"evil\\e[2J\\u202E\"\n  status: \"\\a\\x9b31m\"\n- name: \"gone\\e]0;x\\a\"\n  status: running\n",
    );
    for format in ["json", "table", "markdown"] {
        let pass = machine.reconcile().dry_run().format(format).run().exits(0);

        let obeyed = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!pass.stdout.contains(obeyed), "{:?}", pass.stdout);
        assert!(pass.stdout.contains("evil"), "{:?}", pass.stdout);
    }
}
