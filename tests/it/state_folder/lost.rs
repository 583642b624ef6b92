//! The memory when some of it is lost: nothing is told twice, nothing is edited that the journal does not
//! have, and what is lost is said.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{folder, with_an_end};
use crate::support::{Machine, Pass, conversation};

/// The entries of the journal, as JSON.
fn journal(machine: &Machine) -> Vec<Value> {
    let text = fs::read_to_string(folder(machine).join("journal")).unwrap_or_default();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// How often the journal tells an event of a session.
fn told(machine: &Machine, event: &str, session: &str) -> usize {
    journal(machine)
        .iter()
        .filter(|entry| entry["event"] == event && entry["told"]["session"] == session)
        .count()
}

/// A pass that is killed after it told its news and before it remembered that: the ledger is the older one.
fn pass_without_its_ledger(machine: &Machine) -> Pass {
    let ledger = folder(machine).join("ledger.json");
    let before = fs::read(&ledger).unwrap();
    let pass = machine.reconcile().run();
    fs::write(&ledger, before).unwrap();
    pass
}

/// A machine that has looked once, with a row whose conversation has lost its file since: that is told and
/// never written.
fn with_a_stale_id(machine: &Machine) {
    machine.session("bystander").start();
    machine
        .claude()
        .transcript(&machine.project(), &conversation(9))
        .write();
    machine.roll().row("docs").status("stopped").write();
    let _ = machine.reconcile().run().exits(0);
    machine.skill().writes(&format!(
        "row('docs')['claude_session_id_own'] = '{}'",
        conversation(1)
    ));
}

#[test]
fn what_the_journal_has_told_is_not_told_again_when_the_ledger_does_not_know_it() {
    let machine = Machine::new();
    with_a_stale_id(&machine);

    let first = pass_without_its_ledger(&machine).exits(0);
    let second = machine.reconcile().run().exits(0);

    assert_eq!(first.drift("D", "docs")["new"], true);
    assert_eq!(second.drift("D", "docs")["new"], false);
    assert_eq!(
        second.drift("D", "docs")["first_seen"],
        first.drift("D", "docs")["first_seen"]
    );
    assert_eq!(told(&machine, "opened", "docs"), 1);
}

#[test]
fn what_the_journal_has_told_as_over_is_not_told_again_when_the_ledger_does_not_know_it() {
    let machine = Machine::new();
    with_a_stale_id(&machine);
    let _ = machine.reconcile().run().exits(0);
    machine
        .skill()
        .writes("row('docs')['claude_session_id_own'] = None");

    let first = pass_without_its_ledger(&machine).exits(0);
    let second = machine.reconcile().run().exits(0);

    assert_eq!(first.report()["resolved"].as_array().unwrap().len(), 1);
    assert_eq!(second.report()["resolved"].as_array().unwrap().len(), 0);
    assert_eq!(told(&machine, "resolved", "docs"), 1);
}

#[test]
fn a_lost_ledger_does_not_make_old_news_new() {
    let machine = Machine::new();
    with_a_stale_id(&machine);
    let _ = machine.reconcile().run().exits(0);
    fs::remove_file(folder(&machine).join("ledger.json")).unwrap();

    let pass = machine.reconcile().run().exits(0);

    assert_eq!(pass.drift("D", "docs")["new"], false);
    assert_eq!(told(&machine, "opened", "docs"), 1);
}

#[test]
fn an_end_that_only_the_journal_knows_of_still_needs_its_second_proof() {
    let machine = Machine::new();
    with_an_end(&machine);
    let ledger = folder(&machine).join("ledger.json");
    let before = fs::read(&ledger).unwrap();
    let roll = machine.roll_text();

    // Killed while it waits for the second look.
    let waiting = machine.reconcile().grace(600).start();
    machine.wait_until_remembered("tmux_gone");
    waiting.signal(rustix::process::Signal::KILL);
    let _ = waiting.finish();
    fs::write(&ledger, before).unwrap();
    let again = machine.reconcile().grace(600).start();
    machine.wait_until_remembered("tmux_gone");
    again.signal(rustix::process::Signal::KILL);
    let _ = again.finish();

    assert_eq!(told(&machine, "opened", "shop"), 1);
    assert_eq!(machine.roll_text(), roll);
}

#[test]
fn a_state_folder_that_is_removed_while_a_pass_waits_is_made_again_before_anything_is_written() {
    let machine = Machine::new();
    let docs = machine.session("docs").running("claude").start();
    machine.roll().row("docs").pane(&docs).write();
    let _ = machine.reconcile().run().exits(0);
    machine
        .session("new-creator-claude")
        .running("claude")
        .start();

    let waiting = machine.reconcile().spawn_grace(4).start();
    machine.wait_until_remembered("unregistered");
    fs::remove_dir_all(machine.state()).unwrap();
    let pass = waiting.finish().exits(0);

    assert!(pass.drift("B", "new-creator-claude").is_applied());
    assert_eq!(told(&machine, "edited", "new-creator-claude"), 1);
    assert_eq!(told(&machine, "outcome", "new-creator-claude"), 1);
    pass.complains_of(machine.state().to_str().unwrap());
    assert_says_what_was_lost(&pass, "ledger");
}

#[test]
fn a_journal_that_is_garbage_is_kept_aside_and_said() {
    for garbage in [
        &b"\0\0\0\0"[..],
        b"garbage\n",
        b"{}\n[1, 2\n",
        &[b'x'; 200_000],
    ] {
        let machine = Machine::new();
        with_a_stale_id(&machine);
        let journal = folder(&machine).join("journal");
        fs::write(&journal, garbage).unwrap();

        let pass = machine.reconcile().run().exits(0);

        pass.complains_of(journal.to_str().unwrap());
        assert_says_what_was_lost(&pass, "journal");
        let aside = journal.with_extension("damaged");
        assert!(fs::read(&aside).unwrap() == garbage);
        assert_eq!(told(&machine, "opened", "docs"), 1);
        // It has a journal again, and nothing to say about it.
        let pass = machine.reconcile().run().exits(0);
        assert_eq!(pass.stderr, "");
        assert_eq!(files(&folder(&machine), "damaged"), 1);
    }
}

#[test]
fn a_ledger_that_is_garbage_is_said_in_the_report() {
    let machine = Machine::new();
    with_an_end(&machine);
    fs::write(folder(&machine).join("ledger.json"), "garbage").unwrap();

    let pass = machine.reconcile().dry_run().run().exits(0);
    assert_says_what_was_lost(&pass, "ledger");

    // Also where the look that met it was not the last.
    let pass = machine.reconcile().grace(1).run().exits(0);
    assert_says_what_was_lost(&pass, "ledger");
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(!pass.report()["sources"].to_string().contains("ledger"));
}

#[track_caller]
fn assert_says_what_was_lost(pass: &Pass, what: &str) {
    let sources = pass.report()["sources"].clone();
    let told = sources
        .as_array()
        .unwrap()
        .iter()
        .any(|source| source["name"] == what && source["state"] == "unknown");
    assert!(told, "{what} is not in {sources:#}");
}

/// How many files of a folder end in that.
fn files(folder: &Path, ending: &str) -> usize {
    fs::read_dir(folder)
        .unwrap()
        .filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().ends_with(ending)
        })
        .count()
}

#[test]
fn the_outcome_of_a_job_that_a_kill_kept_from_the_roll_is_written_by_the_next_pass() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine
        .roll()
        .row("docs")
        .status("stopped")
        .set("delegate_job_id", "a1b2c3d4")
        .write();
    let _ = machine.reconcile().run().exits(0);
    machine.job("a1b2c3d4").status("completed").write();
    let roll = machine.roll_text();

    // Killed when its intention is in the journal, and nothing else is done.
    let _ = pass_without_its_ledger(&machine).exits(0);
    machine.write_roll(roll);
    let path = folder(&machine).join("journal");
    let text = fs::read_to_string(&path).unwrap();
    let (intention, rest) = text.split_at(text.trim_end().rfind('\n').unwrap() + 1);
    assert!(rest.contains("job_outcome"), "{text}");
    fs::write(&path, intention).unwrap();
    let _ = machine.reconcile().run().exits(0);

    assert_eq!(machine.row("docs")["delegate_job_status"], "completed");
}
