//! Rules 8 to 10, and what a dry run promises: nothing is written when nothing changed, nothing is told
//! twice, everything has its evidence.

use std::fs;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::{Footprint, Machine, Pass, conversation};

/// A machine on which all four classes of drift can be seen.
fn in_disorder() -> Machine {
    let machine = Machine::new();
    let gone = machine
        .session("gone-creator-claude")
        .running("claude")
        .start();
    let known = machine
        .session("known-creator-claude")
        .running("claude")
        .start();
    machine.session("new-creator-agy").running("agy").start();
    machine
        .claude()
        .pid_file(&known)
        .id(&conversation(1))
        .write();
    machine
        .claude()
        .transcript(&known.cwd, &conversation(1))
        .write();
    machine
        .roll()
        .row("gone-creator-claude")
        .pane(&gone)
        .row("known-creator-claude")
        .pane(&known)
        .null("claude_session_id_own")
        .row("old-creator-claude")
        .status("stopped")
        .set("claude_session_id_own", conversation(9))
        .write();
    gone.kill();
    machine
}

#[track_caller]
fn classes(pass: &Pass) -> Vec<String> {
    let classes = pass.drifts();
    classes
        .iter()
        .map(|drift| drift["class"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_roll_that_is_in_order_keeps_its_bytes_and_its_time() {
    let machine = Machine::new();
    let session = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&session)
        .write();
    let before = Footprint::of(&[&machine.project(), &machine.home()]);

    machine.reconcile().at_once().run().exits(0).has_no_drifts();

    assert_eq!(
        Footprint::of(&[&machine.project(), &machine.home()]),
        before
    );
}

#[test]
fn a_second_pass_writes_nothing() {
    let machine = in_disorder();
    let first = machine.reconcile().at_once().run().exits(0);
    assert_eq!(classes(&first), ["A", "B", "C", "D"]);
    let before = Footprint::of(&[&machine.project(), &machine.home()]);

    let second = machine.reconcile().at_once().run().exits(0);

    assert_eq!(second.report()["actions"], json!([]));
    assert_eq!(classes(&second), ["D"], "what is only told stays true");
    assert_eq!(
        Footprint::of(&[&machine.project(), &machine.home()]),
        before
    );
}

#[test]
fn what_is_told_again_is_not_new() {
    let machine = in_disorder();
    let first = machine
        .reconcile()
        .at_once()
        .run()
        .drift("D", "old-creator-claude");

    let second = machine
        .reconcile()
        .at_once()
        .run()
        .drift("D", "old-creator-claude");

    assert_eq!((&first["new"], &first["count"]), (&json!(true), &json!(1)));
    assert_eq!(
        (&second["new"], &second["count"]),
        (&json!(false), &json!(2))
    );
    assert_eq!(second["id"], first["id"]);
    assert_eq!(second["first_seen"], first["first_seen"]);
}

#[test]
fn a_drift_that_is_over_is_told_once_as_resolved() {
    let machine = in_disorder();
    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .drift("D", "old-creator-claude");
    machine
        .claude()
        .transcript(&machine.project(), &conversation(9))
        .write();

    let resolved = |pass: Pass| pass.exits(0).report()["resolved"].clone();
    let first = resolved(machine.reconcile().at_once().run());
    let second = resolved(machine.reconcile().at_once().run());

    assert_eq!(first.as_array().unwrap().len(), 1, "{first:#}");
    assert_eq!(first[0]["id"], drift["id"]);
    assert_eq!(second, json!([]));
}

#[test]
fn what_could_not_be_looked_at_is_not_resolved() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine
        .session("new-creator-claude")
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions: []\n");
    fs::write(machine.project().join(".hermes/agent-sessions.db"), "").unwrap();
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_eq!(
        pass.drift("B", "new-creator-claude").held().as_deref(),
        Some("read_only")
    );
    let server = machine.server("default").process();
    server.signal(Signal::STOP);

    let unseeing = machine.reconcile().at_once().run().exits(0);
    server.signal(Signal::CONT);
    let again = machine.reconcile().at_once().run().exits(0);

    assert_eq!(unseeing.report()["resolved"], json!([]));
    assert_eq!(again.drift("B", "new-creator-claude")["new"], false);
}

#[test]
fn news_is_on_disk_before_it_is_acted_upon() {
    let machine = in_disorder();
    let lock = {
        let mut path = machine.roll_path().into_os_string();
        path.push(".lock");
        fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap()
    };
    lock.lock().unwrap();
    let before = machine.roll_text();
    let pass = machine.reconcile().at_once().start();

    // Killed while it waits for the roll, it has told nobody yet. The journal keeps what it was to tell.
    machine.wait_until_remembered("tmux_gone");
    let kept = Footprint::of(&[&machine.state()]);
    assert!(kept.has("journal", "gone-creator-claude: tmux gone"));
    pass.signal(Signal::KILL);
    assert_eq!(pass.finish().code, None);
    lock.unlock().unwrap();

    assert_eq!(machine.roll_text(), before);
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(
        pass.drift("A", "gone-creator-claude").is_applied(),
        "nothing was lost but time"
    );
}

#[test]
fn every_drift_has_its_evidence_with_source_and_time() {
    let machine = in_disorder();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(classes(&pass), ["A", "B", "C", "D"]);
    for drift in pass.drifts() {
        let evidence = drift["evidence"].as_array().unwrap();
        assert!(!evidence.is_empty(), "{drift:#?}");
        for piece in evidence {
            for key in ["source", "said", "at"] {
                assert_ne!(piece[key].as_str(), Some(""), "{drift:#?}");
            }
        }
    }
}

#[test]
fn everything_that_was_looked_at_is_told() {
    let machine = in_disorder();

    let report = machine.reconcile().at_once().run().exits(0).report();

    let sources: Vec<&str> = report["sources"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|source| source["name"].as_str())
        .collect();
    assert!(sources.contains(&"tmux:default"), "{sources:?}");
    assert!(
        sources.iter().any(|name| name.starts_with("claude:")),
        "{sources:?}"
    );
}

#[test]
fn a_dry_run_leaves_no_trace_at_all() {
    let machine = in_disorder();
    let before = machine.footprint();

    let pass = machine
        .reconcile()
        .at_once()
        .not_settled()
        .dry_run()
        .run()
        .exits(0);

    assert_eq!(classes(&pass), ["A", "B", "C", "D"]);
    assert_eq!(machine.footprint(), before);
    assert!(!machine.state().exists());
}

#[test]
fn a_dry_run_leaves_what_is_remembered_as_it_was() {
    let machine = in_disorder();
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", "gone-creator-claude");
    machine
        .session("newer-creator-claude")
        .running("claude")
        .start();
    let before = machine.footprint();

    let pass = machine.reconcile().at_once().dry_run().run().exits(0);

    pass.drift("B", "newer-creator-claude");
    assert_eq!(machine.footprint(), before);
}

#[test]
fn a_dry_run_tells_what_would_be_written() {
    let machine = in_disorder();

    let pass = machine.reconcile().at_once().dry_run().run().exits(0);

    let report = pass.report();
    let actions: Vec<&Value> = report["actions"].as_array().unwrap().iter().collect();
    assert_eq!(actions.len(), 3, "{actions:#?}");
    for action in actions {
        let comment = action["comment"].as_str().unwrap();
        assert!(comment.ends_with("Would be written."), "{comment}");
    }
    assert!(!pass.drifts().iter().any(|drift| drift.is_applied()));
}

#[test]
fn beside_another_programs_newer_store_everything_is_told_and_nothing_written() {
    let machine = in_disorder();
    fs::write(machine.project().join(".hermes/agent-sessions.db"), "").unwrap();
    let before = Footprint::of(&[&machine.project(), &machine.home()]);

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(classes(&pass), ["A", "B", "C", "D"]);
    assert_eq!(pass.held("read_only").len(), 3);
    let why = pass.held("read_only")[0]["held"]["why"].to_string();
    assert!(why.contains("agent-sessions.db"), "{why}");
    assert_eq!(
        Footprint::of(&[&machine.project(), &machine.home()]),
        before
    );
}
