//! Bad input: each gets a clear error that names the file and what to do, the right exit code, and loses
//! nothing.

mod agent_files;
mod roll;
mod rows;
mod writing;

use std::path::Path;

use crate::support::{Machine, Pass, Session};

/// A machine with a roll of two running sessions, the first of which is gone: so there is something to write.
fn with_something_to_write(machine: &Machine) -> [Session<'_>; 2] {
    let sessions = ["shop", "docs"].map(|name| machine.session(name).running("claude").start());
    machine
        .roll()
        .row("shop")
        .pane(&sessions[0])
        .row("docs")
        .pane(&sessions[1])
        .write();
    machine.settle(&machine.roll_path());
    sessions[0].kill();
    sessions
}

/// Fails the test unless headcount refused: with that exit code, without a report, and with one line that
/// names the file and contains all of `hints`.
#[track_caller]
fn assert_refused(pass: &Pass, code: i32, file: &Path, hints: &[&str]) {
    let said = format!(
        "exit code {:?}, standard error:\n{}",
        pass.code, pass.stderr
    );
    assert_eq!(pass.code, Some(code), "{said}");
    assert_eq!(pass.stdout, "", "{said}");
    assert_eq!(pass.stderr.lines().count(), 1, "{said}");
    for hint in hints.iter().copied().chain(file.to_str()) {
        assert!(pass.stderr.contains(hint), "`{hint}` is not in the {said}");
    }
}
