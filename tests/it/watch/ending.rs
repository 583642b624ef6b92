//! How a loop ends.

use std::fs;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::Signal;

use crate::support::{Machine, Process, Session, Watching, wait_until};

const NAME: &str = "shop-creator-claude";

fn machine() -> Machine {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine
}

#[track_caller]
fn assert_ends(signal: Signal, code: i32) {
    let machine = machine();
    let mut watching = machine.watch().every(3600).start();

    watching.signal(signal);

    assert_eq!(watching.end(), Some(code));
}

#[test]
fn an_interrupt_ends_it_with_130() {
    assert_ends(Signal::INT, 130);
}

#[test]
fn a_request_to_end_ends_it_with_143() {
    assert_ends(Signal::TERM, 143);
}

#[test]
fn it_ends_even_while_a_pass_waits_for_a_lock() {
    let machine = machine();
    let mut watching = machine.watch().every(3600).start();
    let lock = wait_until("the lock of the memory", || {
        let rolls = std::fs::read_dir(machine.state()).ok()?;
        rolls.flatten().map(|roll| roll.path().join("lock")).next()
    });
    let held = std::fs::File::options().write(true).open(lock).unwrap();
    held.lock().unwrap();
    watching.signal(Signal::HUP);
    watching.wait_for_pass("hangup");

    watching.signal(Signal::TERM);
    watching.signal(Signal::TERM);

    assert_eq!(watching.end(), Some(143));
}

#[test]
fn a_hangup_without_a_terminal_wakes_a_pass() {
    let machine = machine();
    let watching = machine.watch().every(3600).start();

    watching.signal(Signal::HUP);

    watching.wait_for_pass("hangup");
    watching.wait_for_passes(2);
}

#[test]
fn it_ends_by_itself_when_its_time_is_over() {
    let machine = machine();
    let mut watching = machine.watch().every(1).arg("--timeout").arg("2").start();

    assert_eq!(watching.end(), Some(0));
    assert!(watching.passes().len() >= 2);
}

#[test]
fn its_end_says_with_the_detailed_codes_how_things_stood() {
    let machine = machine();
    machine.session("bystander").start();
    machine
        .roll()
        .row("gone-creator-claude")
        .ended_pane()
        .write();
    let ended = |watching: &mut Watching| watching.end();
    let mut watching = machine
        .watch()
        .every(1)
        .grace(3600)
        .arg("--timeout")
        .arg("1")
        .arg("--detailed-exitcode")
        .start();

    assert_eq!(ended(&mut watching), Some(2), "there is drift");
}

#[test]
fn it_ends_quietly_when_nobody_reads_it_any_more() {
    let machine = machine();
    machine.session("bystander").start();
    machine.settle(&machine.roll_path());
    let (reader, writer) = std::io::pipe().unwrap();
    let mut child = machine
        .headcount_command(&["reconcile", "--poll", "1", "--emit-diff"])
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();

    drop(reader);
    machine.roll().row("gone-creator-claude").write();
    let status = wait_until("its end", || child.try_wait().unwrap());

    assert_eq!(status.code(), Some(0));
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut said).unwrap();
    assert_eq!(said, "");
}

/// A loop at a terminal, and the file in which its exit code will be.
fn at_a_terminal<'m>(machine: &'m Machine, trap: &str) -> (Session<'m>, Process, PathBuf) {
    let code = machine.root().join("code");
    let script = format!(
        "(trap {trap} HUP; '{}' reconcile --poll 3600 -vv 2>'{}'; echo $? >'{}'); true",
        env!("CARGO_BIN_EXE_headcount"),
        machine.root().join("log").display(),
        code.display()
    );
    let terminal = machine
        .session("terminal")
        .server("work")
        .executing(&["/bin/sh", "-c", &script])
        .start();
    machine.wait_until_remembered(NAME);
    let program = wait_until("the loop", || {
        let mut processes = machine.processes().into_iter();
        processes.find(|process| process.comm() == "headcount")
    });
    (terminal, program, code)
}

#[test]
fn a_terminal_that_is_closed_ends_it_with_129() {
    let machine = machine();
    let (terminal, program, code) = at_a_terminal(&machine, ":");

    terminal.kill();

    program.wait_for_end();
    let code = wait_until("its code", || {
        let code = fs::read_to_string(&code).ok()?;
        (!code.is_empty()).then_some(code)
    });
    assert_eq!(code.trim(), "129");
}

#[test]
fn a_hangup_at_a_terminal_that_stays_wakes_a_pass() {
    let machine = machine();
    let (_terminal, program, code) = at_a_terminal(&machine, ":");

    program.signal(Signal::HUP);

    wait_until("a pass because of it", || {
        let log = fs::read_to_string(machine.root().join("log")).unwrap();
        log.contains("because of: hangup").then_some(())
    });
    assert!(program.is_alive());
    assert!(!code.exists());
}

#[test]
fn one_that_was_started_by_nohup_outlives_its_terminal() {
    let machine = machine();
    let (terminal, program, code) = at_a_terminal(&machine, "''");
    let shell = Process::find(terminal.pid()).unwrap();

    terminal.kill();
    shell.wait_for_end();

    let status = fs::read_to_string(format!("/proc/{}/status", program.pid)).unwrap();
    let caught = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = u64::from_str_radix(caught.unwrap().trim(), 16).unwrap();
    assert_eq!(ignored & 1, 1, "it still ignores hangups");
    program.signal(Signal::TERM);
    let code = wait_until("its code", || {
        let code = fs::read_to_string(&code).ok()?;
        (!code.is_empty()).then_some(code)
    });
    assert_eq!(code.trim(), "143");
}
