//! `headcount undo`: one change of the roll is taken back, and not made again while nothing else is seen.

use std::fs;

use serde_json::Value;

use crate::support::{Machine, Pass, conversation, python, wait_until};

const SHOP: &str = "shop-creator-claude";
const NEW: &str = "blog-creator-claude";

/// A roll with a row whose session is gone, laid out by hand.
fn ended(machine: &Machine) -> String {
    let shop = machine.session(SHOP).running("claude").start();
    machine.session("bystander").start();
    let roll = format!(
        "# ours\ntmux_sessions:\n  - name: '{SHOP}'   # the shop\n    status: \"running\"\n    # its pane\n    \
         pane: {{pid: {}, cmd: claude, cwd: /srv}}\n\n  # the end\n",
        shop.pid()
    );
    machine.roll().row(SHOP).pane(&shop).write();
    let written = fs::metadata(machine.roll_path())
        .unwrap()
        .modified()
        .unwrap();
    machine.write_roll(&roll);
    fs::File::options()
        .write(true)
        .open(machine.roll_path())
        .and_then(|file| file.set_modified(written))
        .unwrap();
    machine.settle(&machine.roll_path());
    shop.kill();
    roll
}

fn pass(machine: &Machine) -> Pass {
    machine.reconcile().at_once().run().exits(0)
}

/// The numbers that `headcount log` shows, and what happened.
fn log(machine: &Machine) -> Vec<(String, String)> {
    let log = machine.headcount(&["log"]).exits(0).stdout;
    let entries = log.lines().filter(|line| line.starts_with('#'));
    entries
        .map(|line| {
            let mut words = line.splitn(3, ' ');
            let number = words.next().unwrap().to_owned();
            let what = words.nth(1).unwrap().split(':').next().unwrap().to_owned();
            (number, what)
        })
        .collect()
}

/// The number of the last change.
fn last(machine: &Machine) -> String {
    log(machine)
        .last()
        .expect("something was written")
        .0
        .clone()
}

#[test]
fn an_end_is_taken_back_to_the_byte_and_not_written_again() {
    let machine = Machine::new();
    let roll = ended(&machine);
    assert!(pass(&machine).drift("A", SHOP).is_applied());

    let undone = machine.headcount(&["undo", &last(&machine)]).exits(0);

    assert_eq!(machine.roll_text(), roll);
    assert!(
        undone
            .stdout
            .starts_with(&format!("undone: {SHOP}: tmux gone")),
        "{undone:?}"
    );
    for _ in 0..2 {
        let again = pass(&machine);
        assert_eq!(again.drift("A", SHOP).held().as_deref(), Some("undone"));
        assert_eq!(machine.roll_text(), roll);
    }
    let status = machine.headcount(&["status"]).exits(0).stdout;
    assert!(status.contains("a person took that back"), "{status}");
    let explained = machine.headcount(&["explain", SHOP]).exits(0).stdout;
    assert!(explained.contains("undo the undo"), "{explained}");
    let plan = machine
        .headcount(&["plan", "--grace", "0"])
        .exits(0)
        .report();
    assert_eq!(plan["changes"], Value::Array(Vec::new()));
}

#[test]
fn the_log_tells_the_undo_with_a_number_of_its_own() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let change = last(&machine);

    let _ = machine.headcount(&["undo", &change]).exits(0);

    let told: Vec<String> = log(&machine).into_iter().map(|(_, what)| what).collect();
    assert_eq!(told, ["written", "undone"]);
    let text = machine.headcount(&["log"]).exits(0).stdout;
    assert!(
        text.contains("Marked terminated. Taken back by hand."),
        "{text}"
    );
}

#[test]
fn what_differs_anew_is_written_again() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);
    let _ = pass(&machine);

    let shop = machine.session(SHOP).running("claude").start();
    assert_eq!(pass(&machine).drift("B", SHOP)["kind"], "reincarnated");
    shop.kill();

    assert!(pass(&machine).drift("A", SHOP).is_applied());
    assert_eq!(machine.row(SHOP)["status"], "terminated");
}

#[test]
fn an_undo_that_is_undone_lets_the_change_be_made_again() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);
    let roll = machine.roll_text();

    let lifted = machine.headcount(&["undo", &last(&machine)]).exits(0);

    assert!(lifted.stdout.starts_with("lifted: "), "{lifted:?}");
    assert_eq!(machine.roll_text(), roll);
    assert!(pass(&machine).drift("A", SHOP).is_applied());
    assert_eq!(machine.row(SHOP)["status"], "terminated");
    // And that can be undone in turn.
    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);
    assert_eq!(machine.roll_text(), roll);
}

#[test]
fn a_row_that_headcount_added_is_taken_out_and_stays_out() {
    let machine = Machine::new();
    let roll = "# mine\ntmux_sessions: []   # none yet\n";
    machine.write_roll(roll);
    let empty = "# mine\ntmux_sessions: []\n";
    machine.write_roll(empty);
    machine.session(NEW).running("claude").start();
    assert!(pass(&machine).drift("B", NEW).is_applied());

    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);

    assert_eq!(machine.roll_text(), empty);
    assert_eq!(
        pass(&machine).drift("B", NEW).held().as_deref(),
        Some("undone")
    );
    assert_eq!(machine.roll_text(), empty);
}

#[test]
fn one_of_several_changes_of_a_pass_is_taken_back_alone() {
    let machine = Machine::new();
    ended(&machine);
    machine.session(NEW).running("claude").start();
    let both = pass(&machine);
    assert!(both.drift("A", SHOP).is_applied() && both.drift("B", NEW).is_applied());
    let first = log(&machine)[0].0.clone();

    let _ = machine.headcount(&["undo", &first]).exits(0);

    assert_eq!(machine.row(SHOP)["status"], "running");
    assert_eq!(machine.row(NEW)["status"], "running");
    let _ = machine.headcount(&["undo", &log(&machine)[1].0]).exits(0);
    assert_eq!(machine.read_roll().names(), [SHOP]);
}

#[test]
fn a_conversation_id_is_taken_back_until_another_is_live() {
    let machine = Machine::new();
    let web = machine.session(SHOP).running("claude").start();
    machine.claude().pid_file(&web).id(&conversation(1)).write();
    machine
        .claude()
        .transcript(&web.cwd, &conversation(1))
        .write();
    machine
        .roll()
        .row(SHOP)
        .pane(&web)
        .null("claude_session_id_own")
        .write();
    let roll = machine.roll_text();
    assert!(pass(&machine).drift("C", SHOP).is_applied());

    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);

    assert_eq!(machine.roll_text(), roll);
    assert_eq!(
        pass(&machine).drift("C", SHOP).held().as_deref(),
        Some("undone")
    );
    assert_eq!(machine.roll_text(), roll);
    machine.claude().pid_file(&web).id(&conversation(2)).write();
    machine
        .claude()
        .transcript(&web.cwd, &conversation(2))
        .write();
    assert!(pass(&machine).drift("C", SHOP).is_applied());
    assert_eq!(machine.row(SHOP)["claude_session_id_own"], conversation(2));
}

#[test]
fn a_row_that_was_changed_since_is_left_alone_and_shown() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let changed = machine
        .roll_text()
        .replace("cwd: /srv}", "cwd: /elsewhere}");
    machine.write_roll(&changed);

    let refused = machine.headcount(&["undo", &last(&machine)]).exits(2);

    refused.complains_of("was changed since");
    refused.complains_of("+     pane: {pid: ");
    assert_eq!(machine.roll_text(), changed);
    assert_eq!(log(&machine).len(), 1);
    // Nothing is held for it either.
    pass(&machine).has_no_drift(SHOP);
}

#[test]
fn a_row_that_another_writer_laid_out_anew_is_put_back_all_the_same() {
    let machine = Machine::new();
    let shop = machine.session(SHOP).running("claude").start();
    machine
        .roll()
        .row(SHOP)
        .pane(&shop)
        .row("old")
        .status("stopped")
        .write();
    shop.kill();
    assert!(pass(&machine).drift("A", SHOP).is_applied());
    let dumped = python::run(
        "import sys, yaml\nyaml.safe_dump(yaml.safe_load(sys.stdin), sys.stdout, sort_keys=False)",
        &[],
        machine.roll_text().as_bytes(),
    );
    assert_ne!(dumped, machine.roll_text());
    machine.write_roll(&dumped);

    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);

    assert_eq!(machine.row(SHOP)["status"], "running");
    assert_eq!(machine.row(SHOP).get("terminated_at"), None);
    assert_eq!(machine.read_roll().names(), [SHOP, "old"]);
}

#[test]
fn what_was_undone_is_not_undone_twice() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let change = last(&machine);
    let _ = machine.headcount(&["undo", &change]).exits(0);
    let before = machine.footprint();

    let refused = machine.headcount(&["undo", &change]).exits(2);

    refused.complains_of(&format!(
        "{change} was undone already, by {}",
        last(&machine)
    ));
    assert_eq!(machine.footprint(), before);
}

#[test]
fn what_is_no_change_or_not_known_any_more_is_refused() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let change = last(&machine);
    let numbers: Vec<String> = machine
        .headcount(&["log", "--all"])
        .exits(0)
        .stdout
        .lines()
        .filter(|line| line.starts_with('#') && !line.contains(" written: "))
        .map(|line| line.split(' ').next().unwrap().to_owned())
        .collect();
    for number in &numbers {
        let refused = machine.headcount(&["undo", number]).exits(2);
        refused.complains_of("is no change of the roll");
    }
    assert!(!numbers.is_empty());
    let unknown = machine.headcount(&["undo", "4711"]).exits(2);
    unknown.complains_of("the journal has no entry #4711");
    let wrong = machine.headcount(&["undo", "yesterday"]).exits(2);
    wrong.complains_of("not a number of a change");

    let kept = fs::read_dir(machine.state()).unwrap();
    for folder in kept.map(|entry| entry.unwrap().path()) {
        let _ = fs::remove_file(folder.join("rewrites.json"));
    }
    let refused = machine.headcount(&["undo", &change]).exits(2);
    refused.complains_of("is not kept any more");
}

#[test]
fn without_a_number_it_tells_what_can_be_undone_now() {
    let machine = Machine::new();
    ended(&machine);
    machine.session(NEW).running("claude").start();
    let nothing = machine.headcount(&["undo"]).exits(0);
    assert_eq!(nothing.stdout, "");
    let _ = pass(&machine);
    let before = machine.footprint();

    let both = machine.headcount(&["undo"]).exits(0).stdout;

    assert_eq!(machine.footprint(), before);
    assert_eq!(both.lines().count(), 2, "{both}");
    let _ = machine.headcount(&["undo", &log(&machine)[0].0]).exits(0);
    let one = machine.headcount(&["undo"]).exits(0).stdout;
    assert!(one.lines().count() == 1 && one.contains(NEW), "{one}");
}

#[test]
fn where_only_an_undo_is_left_to_undo_it_is_named() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);

    let none = machine.headcount(&["undo"]).exits(0);

    assert_eq!(none.stdout, "");
    let undo = last(&machine);
    none.complains_of(&format!(
        "`headcount undo {}`",
        undo.trim_start_matches('#')
    ));
    let _ = machine.headcount(&["undo", &undo]).exits(0);
    machine
        .headcount(&["undo"])
        .exits(0)
        .complains_of("can be undone now");
}

#[test]
fn the_beginning_of_an_undo_names_its_end() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);
    let done = last(&machine);
    let number: u64 = done.trim_start_matches('#').parse().unwrap();
    let before = machine.footprint();

    let refused = machine
        .headcount(&["undo", &(number - 1).to_string()])
        .exits(2);

    refused.complains_of(&format!("done as {done}: `headcount undo {number}`"));
    assert_eq!(machine.footprint(), before);
}

#[test]
fn a_dry_run_shows_what_would_become_of_the_roll() {
    let machine = Machine::new();
    let roll = ended(&machine);
    let _ = pass(&machine);
    let before = machine.footprint();

    let diff = machine
        .headcount(&["undo", &last(&machine), "--dry-run"])
        .exits(0)
        .stdout;

    assert_eq!(machine.footprint(), before);
    assert!(
        diff.contains("\n-    status: \"terminated\"\n+    status: \"running\"\n"),
        "{diff}"
    );
    assert_ne!(machine.roll_text(), roll);
}

#[test]
fn an_undo_that_was_cut_off_before_it_wrote_leaves_the_roll_in_order() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let roll = machine.roll_text();
    let number = last(&machine);
    let lock = machine.roll_path().with_extension("yaml.lock");
    let held = fs::File::options().append(true).open(lock).unwrap();
    held.lock().unwrap();

    let mut undo = machine
        .headcount_command(&["undo", &number])
        .spawn()
        .unwrap();
    wait_until("the undo to be announced", || {
        let log = machine.headcount(&["log", "--json"]).exits(0).stdout;
        log.contains("\"stage\":\"begun\"").then_some(())
    });
    undo.kill().unwrap();
    undo.wait().unwrap();
    drop(held);

    let after = pass(&machine);
    after.has_no_drift(SHOP);
    assert_eq!(machine.roll_text(), roll);
    let _ = machine.headcount(&["undo", &number]).exits(0);
    assert_eq!(machine.row(SHOP)["status"], "running");
    assert_eq!(
        pass(&machine).drift("A", SHOP).held().as_deref(),
        Some("undone")
    );
}

#[test]
fn a_loop_tells_that_it_was_undone_once() {
    let machine = Machine::new();
    ended(&machine);
    let _ = pass(&machine);
    let watch = machine.watch().at_once().every(60).start();
    watch.wait_for_passes(1);
    let _ = machine.headcount(&["undo", &last(&machine)]).exits(0);

    watch.wait_for_drift("A", SHOP, |drift| drift["held"]["reason"] == "undone");

    assert_eq!(machine.row(SHOP)["status"], "running");
}
