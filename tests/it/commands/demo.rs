//! `headcount demo`

use std::fs;
use std::process::Command;

use rustix::process::Signal;

use crate::support::{Machine, Process, Running, wait_until};

/// A machine with a tmux server and a roll of its own, as whoever tries the demo has them.
fn in_use() -> Machine {
    let machine = Machine::new();
    let session = machine
        .session("mine-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("gone")
        .row("mine-creator-agy")
        .pane(&session)
        .write();
    machine
}

/// A demo that was started on a machine.
struct Demo {
    running: Running,
    /// What its folder's path begins with.
    folder: String,
}

impl Demo {
    fn on(machine: &Machine) -> Self {
        Self::of(machine.headcount_command(&["demo"]))
    }

    fn of(command: Command) -> Self {
        let running = Running::of(command);
        let folder = format!("/tmp/headcount-demo-{}-", running.process().pid);
        Self { running, folder }
    }
}

/// The processes that have something to do with a demo's folder.
fn processes(folder: &str) -> Vec<Process> {
    let mut all = Process::all();
    all.retain(|process| process.argv().iter().any(|arg| arg.contains(folder)));
    all
}

/// Fails the test unless a demo has taken everything with it.
#[track_caller]
fn assert_gone(folder: &str) {
    wait_until("the demo's processes to end", || {
        processes(folder).is_empty().then_some(())
    });
    let left: Vec<_> = fs::read_dir("/tmp")
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().is_some_and(|path| path.starts_with(folder)))
        .collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn it_shows_all_four_drifts_and_cleans_up() {
    let machine = in_use();

    let Demo { running, folder } = Demo::on(&machine);
    let pass = running.finish().exits(0);

    for word in ["tmux_gone", "unregistered", "id_materialized", "stale_id"] {
        assert!(
            pass.stdout.contains(word),
            "{word} is not in:\n{}",
            pass.stdout
        );
    }
    assert_eq!(pass.stderr, "");
    assert_gone(&folder);
}

#[test]
fn nothing_of_the_users_is_touched_or_seen() {
    let machine = in_use();
    let server = machine.server("default").process();
    let before = machine.footprint();

    let pass = Demo::on(&machine).running.finish().exits(0);

    assert!(!pass.stdout.contains("mine-creator"), "{}", pass.stdout);
    assert_eq!(machine.footprint(), before);
    assert_eq!(machine.server("default").process(), server);
    assert_eq!(
        machine.server("default").sessions(),
        ["mine-creator-claude"]
    );
}

#[test]
fn an_interrupt_leaves_nothing_behind_either() {
    let machine = in_use();

    // Whole it takes a third of a second, which is soon over.
    let slow = r#"case "$*" in *list-panes*) sleep 3 ;; esac; exec "$TMUX_ITSELF" "$@""#;
    let mut command = machine.headcount_command(&["demo"]);
    command.env("PATH", machine.path_with_tmux(slow));
    let Demo { running, folder } = Demo::of(command);
    wait_until("the demo's tmux server", || {
        (!processes(&folder).is_empty()).then_some(())
    });
    running.signal(Signal::INT);
    let _ = running.finish().exits(130);

    assert_gone(&folder);
}
