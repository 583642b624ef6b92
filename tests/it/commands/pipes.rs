//! Standard output that is closed, full or a terminal.

use std::fs::File;
use std::process::Stdio;

use crate::support::{Machine, wait_until};

/// Commands that print something.
const PRINTING: [&[&str]; 5] = [
    &["reconcile", "--dry-run", "--emit-diff"],
    &["reconcile", "--dry-run", "--emit-diff", "--format", "table"],
    &["schema", "report"],
    &["validate"],
    &["--help"],
];

#[test]
fn a_closed_pipe_ends_quietly() {
    let machine = Machine::new();
    machine.roll().row("shop").write();
    for args in PRINTING {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = machine
            .headcount_command(args)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();

        assert_eq!(output.status.code(), Some(0), "{args:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{args:?}");
    }
}

#[test]
fn a_reader_that_wants_only_the_first_byte_gets_it() {
    let machine = Machine::new();
    machine.roll().row("shop").write();
    let mut shell = machine.command("/bin/sh");
    shell.args(["-c", "{ \"$0\" schema report; echo $? >&2; } | head -c1"]);
    shell.arg(env!("CARGO_BIN_EXE_headcount"));

    let output = shell.output().unwrap();

    assert_eq!(output.stdout, b"{");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "0\n");
}

#[test]
fn output_that_cannot_be_written_is_an_error() {
    let machine = Machine::new();
    machine.roll().row("shop").write();
    for args in PRINTING {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = machine
            .headcount_command(args)
            .stdout(full)
            .stderr(Stdio::piped())
            .output()
            .unwrap();

        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("standard output"), "{args:?}: {said}");
    }
}

#[test]
fn a_person_at_a_terminal_is_told_what_is_waited_for() {
    let machine = Machine::new();
    let [shop, docs] = ["shop", "docs"].map(|name| machine.session(name).running("claude").start());
    machine
        .roll()
        .row("shop")
        .pane(&shop)
        .row("docs")
        .pane(&docs)
        .write();
    machine.settle(&machine.roll_path());
    shop.kill();

    let terminal = machine
        .session("terminal")
        .server("work")
        .executing(&[
            env!("CARGO_BIN_EXE_headcount"),
            "reconcile",
            "--grace",
            "600",
        ])
        .start();
    let screen = wait_until("a word about what is waited for", || {
        let screen = terminal.screen();
        screen.contains("--grace 0").then_some(screen)
    });

    assert!(
        screen.contains("shop") && !screen.contains("docs"),
        "{screen}"
    );
}
