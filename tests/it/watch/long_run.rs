//! A loop that runs for long holds no more than it did at first.

use std::fs;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::{Footprint, Machine, Process, Watching, conversation, wait_until};

const NAME: &str = "shop-creator-claude";

fn open_files(process: Process) -> usize {
    let files = fs::read_dir(format!("/proc/{}/fd", process.pid));
    files.unwrap().count()
}

/// Resident memory in kibibytes.
fn memory(process: Process) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", process.pid)).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let words: Vec<&str> = line.unwrap().split_whitespace().collect();
    words[1].parse().unwrap()
}

#[track_caller]
fn more_passes(watching: &Watching, many: usize) {
    for _ in 0..many {
        let passes = watching.passes().len();
        watching.signal(Signal::HUP);
        wait_until("one more pass", || {
            (watching.passes().len() > passes).then_some(())
        });
    }
    watching.wait_for_passes(watching.passes().len());
}

#[test]
fn files_memory_and_words_do_not_grow_with_the_number_of_passes() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    let watching = machine.watch().every(3600).start();
    more_passes(&watching, 50);
    let files = open_files(watching.process());
    let before = memory(watching.process());
    let journal = fs::read_dir(machine.state()).unwrap().next().unwrap();
    let journal = journal.unwrap().path().join("journal");
    let told = fs::read(&journal).unwrap_or_default();

    more_passes(&watching, 300);

    assert!(open_files(watching.process()) <= files + 2);
    let after = memory(watching.process());
    assert!(after < before + 2048, "{before} KiB became {after} KiB");
    assert_eq!(fs::read(&journal).unwrap_or_default(), told);
    assert_eq!(watching.printed(), [""; 0]);
}

#[test]
fn sessions_that_come_and_go_leave_no_open_file_behind() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine.roll().write();
    let watching = machine.watch().every(3600).start();
    let files = open_files(watching.process());

    for number in 0..20 {
        let session = machine
            .session(&format!("s{number}-creator-claude"))
            .running("claude")
            .start();
        more_passes(&watching, 1);
        session.kill();
    }
    more_passes(&watching, 2);

    wait_until("the files to be closed", || {
        (open_files(watching.process()) <= files + 2).then_some(())
    });
}

fn ledger(machine: &Machine) -> PathBuf {
    let rolls = fs::read_dir(machine.state()).unwrap();
    rolls.flatten().next().unwrap().path().join("ledger.json")
}

/// A machine in order but for a conversation that has no file: that is told and stays.
fn with_a_stale_id(machine: &Machine) {
    machine.session("bystander").start();
    fs::create_dir_all(machine.claude().root().join("projects")).unwrap();
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .row("old")
        .status("stopped")
        .set("claude_session_id_own", conversation(2))
        .write();
}

#[test]
fn passes_that_see_the_same_again_write_nothing() {
    let machine = Machine::new();
    with_a_stale_id(&machine);
    let watching = machine.watch().every(3600).start();
    more_passes(&watching, 3);
    let before = Footprint::of(&[&machine.state(), &machine.project()]);

    more_passes(&watching, 10);

    assert_eq!(
        Footprint::of(&[&machine.state(), &machine.project()]),
        before
    );
}

#[test]
fn what_was_written_long_ago_is_written_again_although_nothing_changed() {
    let machine = Machine::new();
    with_a_stale_id(&machine);
    let watching = machine.watch().every(3600).start();
    more_passes(&watching, 3);
    let long_ago = SystemTime::now() - Duration::from_secs(600);
    let file = fs::File::options().write(true).open(ledger(&machine));
    file.unwrap().set_modified(long_ago).unwrap();

    more_passes(&watching, 1);

    let written = || fs::metadata(ledger(&machine)).unwrap().modified().unwrap();
    wait_until("a new ledger", || (written() > long_ago).then_some(()));
}

#[test]
fn what_is_not_written_down_is_counted_all_the_same() {
    let machine = Machine::new();
    with_a_stale_id(&machine);
    let watching = machine.watch().every(3600).at_once().start();
    more_passes(&watching, 5);

    machine.server("default").kill();

    let report = watching.wait_for_report("the end", |report| report["drifts"][0]["class"] == "A");
    let drifts = report["drifts"].as_array().unwrap();
    let stale = drifts.iter().find(|drift| drift["class"] == "D").unwrap();
    assert!(stale["count"].as_u64().unwrap() > 5, "{stale}");
}
