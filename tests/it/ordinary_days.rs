//! The ordinary days of a machine with coding agents on it, walked literally: each by a headcount that has
//! never run before, and again by one that looked while all was well.

mod beginnings;
mod conversations;
mod editors;
mod ends;
mod places;
mod reboots;

use std::fs::File;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::{Machine, Pass, Session};

/// What headcount knows when the day begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    /// Nothing: this is its first run ever.
    None,
    /// What it saw while all was well.
    OfABetterTime,
}

impl Memory {
    /// The moment at which all is well. A headcount that has run before looks now, and finds nothing to do.
    #[track_caller]
    fn of(self, machine: &Machine) {
        if self == Self::OfABetterTime {
            let pass = machine.reconcile().at_once().run().exits(0);
            pass.has_no_drifts();
        }
    }
}

/// Makes two tests of each walk.
macro_rules! walked_both_ways {
    ($($walk:ident,)+) => {$(
        mod $walk {
            use crate::ordinary_days::Memory;

            #[test]
            fn on_the_first_run_ever() {
                super::$walk(Memory::None);
            }

            #[test]
            fn with_a_ledger() {
                super::$walk(Memory::OfABetterTime);
            }
        }
    )+};
}
use walked_both_ways;

/// Sessions of these names on the default server, each with Claude Code in it.
fn agents<'m, const N: usize>(machine: &'m Machine, names: [&str; N]) -> [Session<'m>; N] {
    names.map(|name| machine.session(name).running("claude").start())
}

/// A roll on which these sessions are running, each with its pane.
fn enrol(machine: &Machine, sessions: &[Session<'_>]) {
    sessions
        .iter()
        .fold(machine.roll(), |roll, session| {
            roll.row(&session.name).pane(session)
        })
        .write();
}

/// A roll on which these sessions are running, and nothing more is said of them than on which socket.
fn enrol_by_name(machine: &Machine, sessions: &[Session<'_>]) {
    sessions
        .iter()
        .fold(machine.roll(), |roll, session| {
            roll.row(&session.name).at_home(machine)
        })
        .write();
}

/// Fails the test unless that session's end was written for that reason, and reads as it should.
#[track_caller]
fn assert_ended(machine: &Machine, pass: &Pass, session: &Session<'_>, reason: &str) {
    let drift = pass.drift("A", &session.name);
    assert_eq!(drift["reason"], reason, "{drift:#?}");
    assert!(drift.is_applied(), "{drift:#?}");
    let row = machine.row(&session.name);
    assert_eq!(row["status"], "terminated");
    assert_eq!(row["termination_mode"], "auto-detected");
    for key in ["terminated_at", "terminated_at_epoch"] {
        assert_eq!(row[key], drift["after"][key]);
    }
    assert!(row["terminated_at"].is_string() && row["terminated_at_epoch"].is_i64());
}

/// Fails the test unless the row says that its session is running, and nothing of an end.
#[track_caller]
fn assert_running(machine: &Machine, name: &str) {
    let row = machine.row(name);
    assert_eq!(row["status"], "running");
    assert_eq!(row.get("terminated_at"), None, "{row:#}");
}

/// The pane of a session, as a row should record it.
fn pane_of(session: &Session<'_>) -> Value {
    json!({ "pid": session.pid(), "cmd": session.command_in_tmux(), "cwd": session.cwd })
}

/// When the kernel says that this boot began.
fn boot_time() -> SystemTime {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "));
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unwrap().parse().unwrap())
}

/// The roll was last written before this machine was last started.
fn write_before_the_boot(machine: &Machine) {
    File::options()
        .write(true)
        .open(machine.roll_path())
        .and_then(|file| file.set_modified(boot_time() - Duration::from_secs(3600)))
        .unwrap();
}
