//! `headcount ack`: what a person knows of leaves exit codes, trouble and cards until it changes.

use crate::support::{Machine, Pass, conversation};

const OLD: &str = "old-creator-claude";

/// A stopped row whose conversation has no file any more.
fn stale(machine: &Machine, number: u32) {
    std::fs::create_dir_all(machine.home().join(".claude/projects")).unwrap();
    machine
        .roll()
        .row(OLD)
        .status("stopped")
        .set("claude_session_id_own", conversation(number))
        .write();
    machine.settle(&machine.roll_path());
}

fn pass(machine: &Machine) -> Pass {
    machine.reconcile().at_once().detailed_exitcode().run()
}

/// The id of the only drift.
fn id(pass: &Pass) -> String {
    let drifts = pass.drifts();
    assert_eq!(drifts.len(), 1, "{drifts:#?}");
    drifts[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_is_known_leaves_the_exit_code_and_the_trouble_and_is_still_reported() {
    let machine = Machine::new();
    stale(&machine, 1);
    let id = id(&pass(&machine).exits(2));

    let told = machine.headcount(&["ack", &id]).exits(0).stdout;

    assert!(
        told.starts_with(&format!("acknowledged: {id} {OLD}: ")),
        "{told}"
    );
    let after = pass(&machine).exits(0);
    assert_eq!(after.drift("D", OLD)["acknowledged"], true);
    let status = machine
        .headcount(&["status", "--detailed-exitcode"])
        .exits(0)
        .stdout;
    assert!(
        status.starts_with("in order: ") && !status.contains(OLD),
        "{status}"
    );
    let all = machine.headcount(&["status", "--all"]).exits(0).stdout;
    assert!(all.contains("Acknowledged."), "{all}");
    // Both count the same, whatever they show.
    for text in [&status, &all] {
        let first = text.lines().next().unwrap();
        assert!(first.ends_with("no drift, 1 acknowledged"), "{first}");
    }
    let json = machine.headcount(&["status", "--json"]).exits(0).report();
    assert_eq!(json["acknowledged"], 1);
    let card = machine
        .reconcile()
        .dry_run()
        .format("markdown")
        .run()
        .exits(0)
        .stdout;
    assert!(!card.contains(OLD), "{card}");
}

#[test]
fn it_counts_again_when_it_is_about_another_value() {
    let machine = Machine::new();
    stale(&machine, 1);
    let _ = machine.headcount(&["ack", OLD]).exits(0);
    let _ = pass(&machine).exits(0);

    stale(&machine, 2);

    assert_eq!(
        pass(&machine).exits(2).drift("D", OLD)["acknowledged"],
        false
    );
}

#[test]
fn what_will_be_written_cannot_be_acknowledged_and_is_written() {
    let machine = Machine::new();
    let shop = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine.session("bystander").start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&shop)
        .write();
    machine.settle(&machine.roll_path());
    shop.kill();

    let refused = machine.headcount(&["ack", "shop-creator-claude"]).exits(2);

    refused.complains_of("will be written");
    let written = pass(&machine).exits(2);
    assert!(written.drift("A", "shop-creator-claude").is_applied());
}

#[test]
fn what_was_undone_can_be_acknowledged_until_something_else_is_seen() {
    let machine = Machine::new();
    let name = "shop-creator-claude";
    let shop = machine.session(name).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(name).pane(&shop).write();
    shop.kill();
    let _ = pass(&machine).exits(2);
    let list = machine.headcount(&["undo"]).exits(0).stdout;
    let _ = machine
        .headcount(&["undo", list.split(' ').next().unwrap()])
        .exits(0);
    let _ = machine.headcount(&["ack", name]).exits(0);
    let _ = pass(&machine).exits(0);

    let shop = machine.session(name).running("claude").start();
    assert!(pass(&machine).exits(2).drift("B", name).is_applied());
    shop.kill();

    assert!(pass(&machine).exits(2).drift("A", name).is_applied());
}

#[test]
fn what_is_not_acknowledged_cannot_be_taken_back() {
    let machine = Machine::new();
    stale(&machine, 1);
    let before = machine.footprint();

    let refused = machine.headcount(&["ack", "--remove", OLD]).exits(2);

    refused.complains_of(&format!("nothing about {OLD} is acknowledged"));
    assert_eq!(refused.stdout, "");
    assert_eq!(machine.footprint(), before);
}

#[test]
fn what_is_acknowledged_is_listed_and_taken_back() {
    let machine = Machine::new();
    stale(&machine, 1);
    let before = machine.footprint();
    let can_be = machine.headcount(&["ack"]).exits(0).stdout;
    assert!(can_be.contains(OLD), "{can_be}");
    let none = machine.headcount(&["ack", "--list"]).exits(0);
    assert_eq!(none.stdout, "");
    assert_eq!(machine.footprint(), before);
    let _ = machine.headcount(&["ack", OLD]).exits(0);

    assert_eq!(machine.headcount(&["ack"]).exits(0).stdout, "");
    assert_eq!(
        machine.headcount(&["ack", "--list"]).exits(0).stdout,
        can_be
    );
    let _ = machine.headcount(&["ack", "--remove", OLD]).exits(0);
    let _ = pass(&machine).exits(2);
    let unknown = machine.headcount(&["ack", "nobody"]).exits(2);
    unknown.complains_of("`headcount ack` tells what can be acknowledged");
}
