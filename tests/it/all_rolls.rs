//! `--all-rolls`: one command for all projects on a machine.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::{Machine, Pass, Roll, Session, conversation, names};

const SHOP: &str = "shop-creator-claude";
const DOCS: &str = "docs-creator-claude";

/// The roll of another project.
fn docs_roll(machine: &Machine) -> PathBuf {
    machine.root().join("docs/.hermes/agent-sessions.yaml")
}

fn start<'m>(machine: &'m Machine, name: &str, folder: &str) -> Session<'m> {
    let folder = machine.folder(folder);
    machine.session(name).cwd(folder).running("claude").start()
}

/// Two projects, each with a roll that headcount has seen, and a session in each.
fn two_projects(machine: &Machine) -> [Session<'_>; 2] {
    let shop = start(machine, SHOP, "project");
    let docs = start(machine, DOCS, "docs");
    machine.roll().row(SHOP).pane(&shop).write();
    let of_docs = machine.roll().path(docs_roll(machine));
    of_docs.row(DOCS).pane(&docs).write();
    for roll in [machine.roll_path(), docs_roll(machine)] {
        let roll = roll.to_str().unwrap();
        let _ = machine.headcount(&["init", "--registry", roll]).exits(0);
        let pass = ["reconcile", "--once", "--registry", roll];
        let _ = machine.headcount(&pass).exits(0);
    }
    [shop, docs]
}

fn before_this_boot() -> SystemTime {
    let stat = fs::read_to_string("/proc/stat").unwrap();
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "));
    let boot = Duration::from_secs(seconds.unwrap().parse().unwrap());
    SystemTime::UNIX_EPOCH + boot - Duration::from_secs(3600)
}

/// What was printed: one document a line.
fn documents(pass: &Pass) -> Vec<Value> {
    let lines = pass.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn at_once<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let usual = ["reconcile", "--all-rolls", "--emit-diff"];
    let at_once = ["--grace", "0", "--spawn-grace", "0"];
    [&usual[..], &at_once, more].concat()
}

#[test]
fn each_roll_gets_its_pass_and_its_report_on_a_line() {
    let machine = Machine::new();
    let [shop, docs] = two_projects(&machine);
    shop.kill();
    docs.kill();

    let pass = machine.headcount(&at_once(&[])).exits(0);

    let reports = documents(&pass);
    let paths: Vec<_> = reports.iter().map(|it| it["yaml_path"].as_str()).collect();
    // The one that is found here comes first.
    let [first, second] = paths[..] else {
        panic!("not two reports: {paths:?}");
    };
    assert!(
        first
            .unwrap()
            .ends_with("project/.hermes/agent-sessions.yaml")
    );
    assert_eq!(second, docs_roll(&machine).to_str());
    assert_eq!(reports[0]["drifts"][0]["session"], SHOP);
    assert_eq!(reports[1]["drifts"][0]["session"], DOCS);
    assert_eq!(machine.row(SHOP)["status"], "terminated");
    let docs = Roll::read(&docs_roll(&machine));
    assert_eq!(docs.row(DOCS)["status"], "terminated");
}

#[test]
fn the_waits_of_all_rolls_are_one() {
    let machine = Machine::new();
    let [shop, docs] = two_projects(&machine);
    shop.kill();
    docs.kill();
    let args = ["reconcile", "--all-rolls", "--emit-diff", "--grace", "2"];

    let pass = machine.headcount(&args).exits(0);

    // Each end was first proven before any was written.
    let ended: Vec<String> = documents(&pass)
        .iter()
        .map(|report| {
            let drift = &report["drifts"][0];
            assert_eq!(drift["applied"], true, "{drift:#}");
            drift["first_seen"].as_str().unwrap().to_owned()
        })
        .collect();
    let written = machine.row(SHOP)["terminated_at"].clone();
    assert!(
        ended[1].as_str() < written.as_str().unwrap(),
        "{ended:?} {written}"
    );
}

#[test]
fn a_session_that_no_roll_is_above_is_registered_in_none_of_them() {
    let machine = Machine::new();
    two_projects(&machine);
    start(&machine, "stray-creator-claude", "elsewhere");
    start(&machine, "cart-creator-claude", "project/cart");

    let pass = machine.headcount(&at_once(&[])).exits(0);

    for report in documents(&pass) {
        let notes = report["notes"].as_array().unwrap();
        let of_no_roll = |note: &&Value| note["session"] == "stray-creator-claude";
        let note = notes.iter().find(of_no_roll).unwrap();
        assert_eq!(note["kind"], "foreign");
        let said = note["text"].as_str().unwrap();
        assert!(said.contains("its folder is that of no roll"), "{said}");
    }
    assert_eq!(machine.read_roll().names(), [SHOP, "cart-creator-claude"]);
    assert_eq!(Roll::read(&docs_roll(&machine)).names(), [DOCS]);
}

#[test]
fn status_tells_each_roll_and_what_is_in_none_of_them_once() {
    let machine = Machine::new();
    two_projects(&machine);
    start(&machine, "stray-creator-claude", "elsewhere");

    let pass = machine.headcount(&["status", "--all-rolls", "--json"]);

    let told = documents(&pass.exits(0));
    let told: Vec<Vec<&str>> = told.iter().map(names).collect();
    assert_eq!(told, [[SHOP], [DOCS], ["stray-creator-claude"]]);
    let table = machine
        .headcount(&["status", "--all-rolls"])
        .exits(0)
        .stdout;
    assert!(
        table.contains("docs/.hermes/agent-sessions.yaml"),
        "{table}"
    );
    assert!(table.contains("in none of these rolls"), "{table}");
    assert_eq!(table.matches(SHOP).count(), 1, "{table}");
}

#[test]
fn status_of_a_session_finds_it_in_whichever_roll_it_is() {
    let machine = Machine::new();
    two_projects(&machine);

    let pass = machine.headcount(&["status", "--all-rolls", "--json", DOCS]);

    let told = documents(&pass.exits(0));
    assert_eq!(told.iter().map(names).collect::<Vec<_>>(), [[DOCS]]);
    let nobody = machine.headcount(&["status", "--all-rolls", "dogs-creator-claude"]);
    nobody.exits(2).complains_of(DOCS);
}

#[test]
fn the_exit_code_is_that_of_the_worst() {
    let machine = Machine::new();
    let [_, docs] = two_projects(&machine);
    let args = ["status", "--all-rolls", "--detailed-exitcode"];
    let _ = machine.headcount(&args).exits(0);

    docs.kill();

    let _ = machine.headcount(&args).exits(2);
    let dry = at_once(&["--dry-run", "--detailed-exitcode"]);
    let _ = machine.headcount(&dry).exits(2);
}

#[test]
fn a_roll_that_cannot_be_read_keeps_none_of_the_others_waiting() {
    let machine = Machine::new();
    let [shop, _] = two_projects(&machine);
    shop.kill();
    fs::write(docs_roll(&machine), "tmux_sessions: [\n").unwrap();

    let pass = machine.headcount(&at_once(&[])).exits(1);

    pass.complains_of("docs/.hermes/agent-sessions.yaml");
    assert_eq!(documents(&pass).len(), 1);
    assert_eq!(machine.row(SHOP)["status"], "terminated");
}

#[test]
fn a_roll_that_is_gone_is_told_with_what_is_left_of_it() {
    let machine = Machine::new();
    let [_, docs] = two_projects(&machine);
    docs.kill();
    fs::remove_dir_all(machine.root().join("docs")).unwrap();

    let pass = machine
        .headcount(&["status", "--all-rolls", "--json"])
        .exits(0);

    pass.complains_of("docs/.hermes/agent-sessions.yaml is not there any more");
    pass.complains_of(machine.state().join("docs-").to_str().unwrap());
    assert_eq!(names(&documents(&pass)[0]), [SHOP]);
}

#[test]
fn where_no_roll_is_known_it_is_said_and_what_to_do() {
    let machine = Machine::new();

    let pass = machine.headcount(&["status", "--all-rolls"]).exits(1);

    pass.complains_of("no roll is known yet");
    pass.complains_of("headcount init");
}

#[test]
fn a_loop_keeps_watch_over_one_roll() {
    let machine = Machine::new();
    two_projects(&machine);

    let pass = machine.headcount(&["reconcile", "--all-rolls", "--poll", "1"]);

    pass.exits(2).complains_of("one roll");
}

#[test]
fn what_ran_before_a_reboot_is_one_list() {
    let machine = Machine::new();
    let shop = start(&machine, SHOP, "project");
    let docs = start(&machine, DOCS, "docs");
    let rolls = [machine.roll_path(), docs_roll(&machine)];
    for (number, (session, roll)) in (1..).zip([&shop, &docs].into_iter().zip(&rolls)) {
        let id = conversation(number);
        machine.claude().pid_file(session).id(&id).write();
        machine.claude().transcript(&session.cwd, &id).write();
        let row = machine.roll().path(roll).row(&session.name).pane(session);
        let row = row.set("claude_session_id_own", id);
        row.written_at(before_this_boot()).write();
        let init = ["init", "--registry", roll.to_str().unwrap()];
        let _ = machine.headcount(&init).exits(0);
    }
    machine.server("default").kill();
    let _ = fs::remove_file(machine.socket("default"));

    let told = machine
        .headcount(&["resume", "--all-rolls"])
        .exits(0)
        .stdout;

    let lines: Vec<&str> = told.lines().filter(|line| line.contains("docs")).collect();
    assert!(
        lines[0].starts_with('#') && lines[0].contains("docs/.hermes"),
        "{told}"
    );
    for number in [1, 2] {
        assert!(told.contains(&conversation(number)), "{told}");
    }
    let args = ["resume", "--all-rolls", "--json"];
    assert_eq!(documents(&machine.headcount(&args).exits(0)).len(), 2);
}
