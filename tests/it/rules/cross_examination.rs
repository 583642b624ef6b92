//! Rule 2: absence is cross-examined. Whatever the listing said, the process that the row recorded is asked
//! as well.

use std::fs;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::{Agent, Machine, Process, skip, wait_until};

const NAME: &str = "shop-creator-claude";

#[test]
fn a_session_whose_process_runs_in_another_session_of_its_server_was_renamed() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    // Some skills record the agent's own pid and not the pane's, so that no pane has this pid.
    machine
        .roll()
        .row(NAME)
        .pid(session.agent().pid)
        .written_at(SystemTime::now() + Duration::from_secs(2))
        .write();
    session.rename("market-creator-agy");

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drift(NAME);
    pass.note_of("renamed", NAME);
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_process_that_is_no_more_agrees_with_the_listing() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session.kill();
    // Under a first process that reaps late, it stays a zombie for a while, which is as dead.
    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert!(drift.is_applied());
    assert!(drift.has_evidence(&format!("process {}", session.pid())));
}

#[test]
fn a_zombie_is_dead() {
    let machine = Machine::new();
    let parent = machine
        .session("bystander")
        .running(Agent::named("bash").with_child("claude"))
        .start();
    let child = &parent.agent().children[0];
    machine
        .roll()
        .row(NAME)
        .pid(child.pid)
        .written_at(SystemTime::now() + Duration::from_secs(2))
        .write();
    child.process.signal(Signal::KILL);
    wait_until("a zombie", || {
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.pid)).ok()?;
        stat.contains(") Z ").then_some(())
    });

    let pass = machine.reconcile().at_once().run().exits(0);

    // Alive it would be a process below a session of the same server, and the session but renamed.
    assert!(pass.drift("A", NAME).is_applied());
    pass.has_no_note("renamed");
}

#[test]
fn a_process_that_has_become_another_users_is_the_recorded_one_all_the_same() {
    let machine = Machine::new();
    if !rustix::process::geteuid().is_root() {
        return skip("only root can start another user's process");
    }
    machine.session("bystander").start();
    let theirs = machine
        .session("theirs")
        .server("work")
        .executing(&[
            "setpriv",
            "--reuid=65534",
            "--clear-groups",
            "sleep",
            "3600",
        ])
        .start();
    wait_until("another user's process", || {
        let status = fs::read_to_string(format!("/proc/{}/status", theirs.pid())).ok()?;
        status.contains("\nUid:\t65534\t65534").then_some(())
    });
    machine
        .roll()
        .row(NAME)
        .server("default")
        .pid(theirs.pid())
        .written_at(SystemTime::now() + Duration::from_secs(2))
        .write();

    let before = machine.roll_text();

    // It lives below another tmux server than the row's, whoever it has become (`sudo`, `setpriv`).
    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert_eq!(drift.held().as_deref(), Some("process_alive"));
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_process_that_began_after_the_roll_was_written_is_not_the_recorded_one() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let other = machine.session("other").server("work").start();
    machine
        .roll()
        .row(NAME)
        .server("default")
        .pid(other.pid())
        .written_ago(Duration::from_secs(60))
        .write();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert!(drift.is_applied());
    assert!(drift.has_evidence("the pid was used again"));
}

#[test]
fn a_process_that_outlived_its_server_does_not_keep_the_row_running() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().ignoring_hangup())
        .start();
    machine.roll().row(NAME).pane(&session).write();
    machine.server("default").kill();
    assert!(session.agent().process.is_alive());

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", NAME).is_applied());
    let note = pass.note_of("leftover_process", NAME);
    let pid = session.pid().to_string();
    assert!(note["text"].as_str().unwrap().contains(&pid), "{note}");
}

#[test]
fn a_process_that_outlived_its_session_still_lives_below_a_tmux_server() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running(Agent::claude().ignoring_hangup())
        .start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session.kill();
    assert!(session.agent().process.is_alive());

    let pass = machine.reconcile().at_once().run().exits(0);
    assert_eq!(pass.held("process_alive")[0]["session"], NAME);
    assert_eq!(machine.row(NAME)["status"], "running");

    session.agent().kill();
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(pass.drift("A", NAME).is_applied());
}

#[test]
fn a_process_that_lives_below_another_tmux_server_holds_the_end() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let session = machine
        .session(NAME)
        .server("work")
        .running("claude")
        .start();
    let pid = session.pid();
    machine
        .roll()
        .row(NAME)
        .server("default")
        .pid(pid)
        .written_at(SystemTime::now() + Duration::from_secs(2))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    let held = pass.held("process_alive");
    assert_eq!(held[0]["session"], NAME);
    assert!(held[0]["comment"].to_string().contains(&pid.to_string()));
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_process_below_a_tmux_server_nobody_can_find_holds_the_end() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let hidden = machine
        .session(NAME)
        .socket(machine.root().join("hidden.sock"))
        .running("claude")
        .start();
    machine
        .roll()
        .row(NAME)
        .pid(hidden.pid())
        .written_at(SystemTime::now() + Duration::from_secs(2))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.held("process_alive");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_socket_file_that_another_server_took_over_does_not_end_the_first_ones_rows() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    let first = machine.server("default").process();
    fs::remove_file(machine.socket("default")).unwrap();
    machine.session("bystander").start();
    assert_ne!(machine.server("default").process(), first);

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.held("process_alive");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_process_that_may_be_the_recorded_one_holds_the_end() {
    let machine = Machine::new();
    machine.session("bystander").start();
    // Below no tmux server: were it the recorded one, it would be a leftover; were it another, no witness.
    let mut sleep = machine.command("sleep").arg("3600").spawn().unwrap();
    let process = Process::find(sleep.id()).unwrap();
    machine
        .roll()
        .row(NAME)
        .pid(process.pid)
        // It began half a second after the roll was written, which is closer than clocks can tell.
        .written_at(began(process) - Duration::from_millis(500))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);
    sleep.kill().unwrap();
    sleep.wait().unwrap();

    pass.held("process_alive");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn a_process_that_carries_the_pid_in_a_container_is_asked_as_well() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let Some(inner) = in_a_container_below(&machine) else {
        return;
    };
    machine
        .roll()
        .row(NAME)
        .server("default")
        .pid(inner)
        .written_at(SystemTime::now() + Duration::from_secs(2))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.held("process_alive");
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn the_age_of_a_row_is_what_was_seen_and_not_when_the_file_was_last_saved() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let pid = u32::try_from(UNUSED_PID).unwrap();
    machine
        .roll()
        .row(NAME)
        .server("nowhere")
        .pid(pid)
        .written_ago(Duration::from_secs(60))
        .write();
    machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .has_no_drift(NAME);
    // After that look the pid is used by a process below some tmux server, and somebody saves the roll.
    if in_a_container_below(&machine) != Some(pid) {
        return;
    }
    machine.session("other").server("nowhere").start();
    machine.skill().writes("d['saved'] = 'again'");
    let saved = fs::File::options().write(true).open(machine.roll_path());
    let later = SystemTime::now() + Duration::from_secs(5);
    saved.and_then(|roll| roll.set_modified(later)).unwrap();

    let drift = machine
        .reconcile()
        .at_once()
        .run()
        .exits(0)
        .drift("A", NAME);

    assert!(drift.is_applied());
    assert!(drift.has_evidence("the pid was used again"));
}

/// A pid that nothing outside of the container has, as long as the machine has not been up for long.
const UNUSED_PID: i32 = 32_123;

/// Starts a process below a tmux server, in a container in which its pid is [`UNUSED_PID`].
fn in_a_container_below(machine: &Machine) -> Option<u32> {
    if !rustix::process::geteuid().is_root() {
        skip("only root can make a container");
        return None;
    }
    if Process::find(u32::try_from(UNUSED_PID).unwrap()).is_some() {
        skip("the pid that was to be used in the container is in use outside of it");
        return None;
    }
    let ready = machine.new_folder("container").join("pid");
    let script = format!(
        "echo {} >/proc/sys/kernel/ns_last_pid; sleep 3600 & echo $! >'{}.new'; mv '{1}.new' '{1}'; wait",
        UNUSED_PID - 1,
        ready.display(),
    );
    machine
        .session("container")
        .server("below")
        .executing(&[
            "unshare",
            "--pid",
            "--fork",
            "--mount-proc",
            "sh",
            "-c",
            &script,
        ])
        .start();
    let inner = wait_until("a process in a container", || {
        fs::read_to_string(&ready).ok()
    });
    let inner: u32 = inner.trim().parse().unwrap();
    if i32::try_from(inner) != Ok(UNUSED_PID) {
        skip("this kernel does not let root choose a pid in a container");
        return None;
    }
    Some(inner)
}

/// When a process began, as exactly as the kernel tells.
fn began(process: Process) -> SystemTime {
    let uptime = fs::read_to_string("/proc/uptime").unwrap();
    let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    let boot = SystemTime::now() - Duration::from_secs_f64(uptime);
    boot + Duration::from_millis(process.start * 10)
}
