//! A loop that runs for long holds no more than it did at first.

use std::fs;

use rustix::process::Signal;

use crate::support::{Machine, Process, Watching, wait_until};

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
