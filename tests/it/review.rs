//! Changes under review: what a pass would write is planned and looked through before it is written.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::{Machine, Pass};

const GONE: &str = "shop-creator-claude";
const NEW: &str = "blog-creator-claude";

/// A row whose session is gone, and a session that nobody declared.
fn drifted(machine: &Machine) {
    let gone = machine.session(GONE).running("claude").start();
    machine.session(NEW).running("claude").start();
    machine.roll().row(GONE).pane(&gone).write();
    gone.kill();
    machine.settle(&machine.roll_path());
}

/// `headcount <verb> …`, deciding by one look.
fn at_once(machine: &Machine, verb: &[&str]) -> Pass {
    machine.headcount(&[verb, &["--grace", "0", "--spawn-grace", "0"]].concat())
}

fn plan(machine: &Machine) -> Value {
    serde_json::from_str(&at_once(machine, &["plan"]).exits(0).stdout).unwrap()
}

/// Writes a plan to a file, and carries it out.
fn apply(machine: &Machine, plan: &Value) -> Pass {
    let file = machine.root().join("plan.json");
    fs::write(&file, plan.to_string()).unwrap();
    at_once(machine, &["apply", file.to_str().unwrap()])
}

/// The roll with a patch applied by the program that everybody has for that.
fn patched(machine: &Machine, diff: &str) -> String {
    let copy = machine.root().join("copy.yaml");
    fs::copy(machine.roll_path(), &copy).unwrap();
    let mut child = machine
        .command("patch")
        .arg("--quiet")
        .arg(&copy)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(diff.as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
    fs::read_to_string(copy).unwrap()
}

fn ids(plan: &Value) -> Vec<&str> {
    plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["session"].as_str().unwrap())
        .collect()
}

#[test]
fn a_plan_holds_what_a_pass_would_write_and_writes_nothing() {
    let machine = Machine::new();
    drifted(&machine);
    let before = machine.footprint();

    let plan = plan(&machine);

    assert_eq!(ids(&plan), [GONE, NEW]);
    assert_eq!(plan["changes"][0]["change"]["type"], "terminate");
    assert_eq!(plan["changes"][0]["due"], Value::Null);
    assert_eq!(plan["changes"][1]["row_fingerprint"], Value::Null);
    assert_eq!(plan["yaml_path"], json!(machine.roll_path()));
    assert_eq!(machine.footprint(), before);
}

#[test]
fn a_plan_holds_what_is_not_due_yet_with_the_time_when_it_will_be() {
    let machine = Machine::new();
    drifted(&machine);

    let printed = machine
        .headcount(&["plan", "--grace", "60"])
        .exits(0)
        .stdout;
    let plan: Value = serde_json::from_str(&printed).unwrap();

    assert_eq!(plan["changes"][0]["session"], GONE);
    assert!(plan["changes"][0]["due"].is_string(), "{plan}");
}

#[test]
fn what_is_planned_is_written() {
    let machine = Machine::new();
    drifted(&machine);
    let plan = plan(&machine);

    let applied = apply(&machine, &plan).exits(0);

    assert_eq!(
        applied.stdout.matches("written: ").count(),
        2,
        "{applied:?}"
    );
    assert!(
        applied.stdout.contains(". Marked terminated.\n"),
        "{applied:?}"
    );
    assert!(
        applied.stdout.contains(". Auto-registered.\n"),
        "{applied:?}"
    );
    assert!(!applied.stdout.contains("ould be written"), "{applied:?}");
    assert!(!applied.stdout.contains("ot written"), "{applied:?}");
    assert_eq!(machine.row(GONE)["status"], "terminated");
    assert_eq!(machine.row(NEW)["status"], "running");
}

#[test]
fn a_plan_for_another_roll_than_is_named_is_refused() {
    let machine = Machine::new();
    drifted(&machine);
    let plan = plan(&machine);
    let file = machine.root().join("plan.json");
    fs::write(&file, plan.to_string()).unwrap();
    let other = Machine::new();
    other.roll().row("other").write();
    let named = other.roll_path();
    let before = (machine.roll_text(), other.roll_text());
    let words = ["apply", file.to_str().unwrap()];

    let by_flag =
        machine.headcount(&[&words[..], &["--registry", named.to_str().unwrap()]].concat());
    let mut by_environment = machine.headcount_command(&words);
    by_environment.env("AGENT_SESSIONS_YAML", &named);

    let complaint = |who: &str| format!("{who} names {}", named.display());
    by_flag.exits(2).complains_of(&complaint("--registry"));
    Pass::of(by_environment)
        .exits(2)
        .complains_of(&complaint("AGENT_SESSIONS_YAML"));
    assert_eq!((machine.roll_text(), other.roll_text()), before);
    // Its own may be named.
    let own = machine.roll_path();
    let _ = at_once(
        &machine,
        &[&words[..], &["--registry", own.to_str().unwrap()]].concat(),
    )
    .exits(0);
}

#[test]
fn a_plan_made_from_a_snapshot_is_not_carried_out() {
    let machine = Machine::new();
    drifted(&machine);
    let _ = at_once(&machine, &["record", "snapshot"]).exits(0);
    let made = machine
        .headcount(&["plan", "--from-snapshot", "snapshot"])
        .exits(0);
    let plan: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!(plan["changes"].as_array().unwrap().len(), 2);
    let before = machine.roll_text();

    let refused = apply(&machine, &plan).exits(2);

    refused.complains_of("the plan was made from a snapshot");
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn what_was_taken_out_of_a_plan_is_not_written() {
    let machine = Machine::new();
    drifted(&machine);
    let mut plan = plan(&machine);
    plan["changes"].as_array_mut().unwrap().remove(1);

    let _ = apply(&machine, &plan).exits(0);

    assert_eq!(machine.row(GONE)["status"], "terminated");
    assert_eq!(machine.read_roll().names(), [GONE]);
    // It is still to be done, and not told as if it had been held.
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(pass.drift("B", NEW).is_applied());
}

#[test]
fn a_plan_is_carried_out_with_as_many_looks_as_a_pass_makes() {
    let machine = Machine::new();
    drifted(&machine);
    let plan = plan(&machine);
    let file = machine.root().join("plan.json");
    fs::write(&file, plan.to_string()).unwrap();

    let _ = machine
        .headcount(&[
            "apply",
            file.to_str().unwrap(),
            "--grace",
            "1",
            "--spawn-grace",
            "0",
        ])
        .exits(0);

    assert_eq!(machine.row(GONE)["status"], "terminated");
}

#[test]
fn what_is_not_so_any_more_is_not_written_and_told() {
    let machine = Machine::new();
    drifted(&machine);
    let plan = plan(&machine);
    machine.session(GONE).running("claude").start();
    let before = machine.row(GONE)["status"].clone();

    let applied = apply(&machine, &plan).exits(2);

    assert_eq!(machine.row(GONE)["status"], before);
    assert_eq!(machine.row(NEW)["status"], "running");
    assert!(applied.stdout.contains("not written: "), "{applied:?}");
    assert!(
        applied.stderr.contains("1 of 2 changes were not written"),
        "{applied:?}"
    );
}

#[test]
fn a_row_that_was_changed_since_it_was_planned_is_left_alone() {
    let machine = Machine::new();
    drifted(&machine);
    let plan = plan(&machine);
    let changed = machine.roll_text().replace(
        &format!("name: {GONE}\n"),
        &format!("name: {GONE}\n  mine: 1\n"),
    );
    assert_ne!(changed, machine.roll_text());
    machine.write_roll(&changed);

    let applied = apply(&machine, &plan).exits(2);

    assert_eq!(machine.row(GONE)["status"], "running");
    assert_eq!(machine.row(NEW)["status"], "running");
    assert!(
        applied
            .stdout
            .contains("the plan that is carried out does not hold this change"),
        "{applied:?}"
    );
}

#[test]
fn a_change_that_a_person_made_up_is_not_written() {
    let machine = Machine::new();
    drifted(&machine);
    let mut plan = plan(&machine);
    plan["changes"][1]["change"]["pane"]["pid"] = json!(1);

    let _ = apply(&machine, &plan).exits(2);

    assert_eq!(machine.read_roll().names(), [GONE]);
}

#[test]
fn a_plan_is_read_from_standard_input_too() {
    let machine = Machine::new();
    drifted(&machine);
    let plan = plan(&machine);

    let mut child = machine
        .headcount_command(&["apply", "-", "--grace", "0", "--spawn-grace", "0"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(plan.to_string().as_bytes()).unwrap();
    drop(input);

    assert!(child.wait_with_output().unwrap().status.success());
    assert_eq!(machine.row(GONE)["status"], "terminated");
}

#[test]
fn what_is_no_plan_is_refused_before_anything_is_looked_at() {
    let machine = Machine::new();
    drifted(&machine);
    let before = machine.footprint();
    let mut newer = plan(&machine);
    newer["format_version"] = json!("2");
    let mut other = plan(&machine);
    other["document"] = json!("status");
    for (text, says) in [
        ("", "is no plan"),
        (&*other.to_string(), "it says that it is a status"),
        ("{}", "missing field"),
        ("[1]", "is no plan"),
        (&*newer.to_string(), "format version \"2\""),
    ] {
        let file = machine.root().join("plan.json");
        fs::write(&file, text).unwrap();
        let refused = machine
            .headcount(&["apply", file.to_str().unwrap()])
            .exits(2);
        assert!(refused.stderr.contains(says), "{refused:?}");
        fs::remove_file(file).unwrap();
    }
    let missing = machine.headcount(&["apply", "nowhere.json"]).exits(2);
    assert!(missing.stderr.contains("cannot read the plan nowhere.json"));
    assert_eq!(machine.footprint(), before);
}

#[test]
fn a_diff_is_a_patch_that_makes_the_roll_what_a_pass_would() {
    let machine = Machine::new();
    drifted(&machine);
    let before = machine.roll_text();

    let diff = at_once(&machine, &["diff"]).exits(0).stdout;

    assert!(diff.contains("\n+  status: terminated\n"), "{diff}");
    assert_eq!(machine.roll_text(), before);
    let patched = patched(&machine, &diff);
    machine.write_roll(&patched);
    assert_eq!(at_once(&machine, &["diff"]).exits(0).stdout, "");
    assert!(patched.contains(&format!("name: {NEW}")), "{patched}");
    assert!(patched.contains("termination_mode: auto-detected"));
}

#[test]
fn where_nothing_is_to_be_written_the_diff_is_empty() {
    let machine = Machine::new();
    let session = machine.session(GONE).running("claude").start();
    machine.roll().row(GONE).pane(&session).write();

    assert_eq!(at_once(&machine, &["diff"]).exits(0).stdout, "");
    assert_eq!(plan(&machine)["changes"], json!([]));
}
