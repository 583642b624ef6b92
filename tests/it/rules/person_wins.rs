//! Rule 5: the person wins. A row that was changed since it was looked at drops its edit.

use std::fs::{self, File};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Machine, Running, Session, wait_until};

const NAME: &str = "shop-creator-claude";

fn killed(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session.kill();
    session
}

/// The lock every writer of the roll takes, held by this test.
struct Held(File);

impl Held {
    fn lock(machine: &Machine) -> Self {
        let mut path = machine.roll_path().into_os_string();
        path.push(".lock");
        let file = File::options()
            .create(true)
            .append(true)
            .open(path)
            .unwrap();
        file.lock().unwrap();
        Self(file)
    }

    fn release(self) {
        self.0.unlock().unwrap();
    }
}

/// Starts a pass that decides at once, and returns when it has told its journal what it is about to write.
#[track_caller]
fn deciding_pass(machine: &Machine, drift: &str) -> Running {
    let running = machine.reconcile().at_once().start();
    machine.wait_until_remembered(drift);
    running
}

/// Starts a pass, and stops it between its two looks until it is told to go on.
#[track_caller]
fn paused_between_looks(machine: &Machine) -> Running {
    let running = machine.reconcile().grace(2).spawn_grace(0).start();
    machine.wait_until_remembered("proven_since");
    running.signal(Signal::STOP);
    running
}

/// What somebody does who holds the lock, or has the file open in an editor.
#[track_caller]
fn replace_in_roll(machine: &Machine, old: &str, new: &str) {
    let text = machine.roll_text();
    assert!(text.contains(old), "{text}");
    fs::write(machine.roll_path(), text.replace(old, new)).unwrap();
}

#[test]
fn a_row_that_was_stopped_between_the_looks_stays_stopped() {
    let machine = Machine::new();
    killed(&machine);
    let pass = paused_between_looks(&machine);
    machine.skill().writes(&format!(
        "row('{NAME}').update(status='stopped', stop_reason='done')"
    ));

    pass.signal(Signal::CONT);
    pass.finish().exits(0).has_no_drift(NAME);

    let row = machine.row(NAME);
    assert_eq!(row["status"], "stopped");
    assert_eq!(row.get("termination_mode"), None);
}

#[test]
fn what_was_said_of_a_row_between_the_looks_is_kept() {
    let machine = Machine::new();
    killed(&machine);
    let pass = paused_between_looks(&machine);
    machine
        .skill()
        .writes(&format!("row('{NAME}')['note'] = 'mind the gap'"));

    pass.signal(Signal::CONT);
    pass.finish().exits(0).drift("A", NAME);

    assert_eq!(machine.row(NAME)["note"], "mind the gap");
    assert_eq!(machine.row(NAME)["status"], "terminated");
}

#[test]
fn a_row_that_was_changed_by_the_holder_of_the_lock_is_left_alone() {
    let machine = Machine::new();
    killed(&machine);
    let lock = Held::lock(&machine);
    let pass = deciding_pass(&machine, "tmux_gone");
    replace_in_roll(&machine, "status: running", "status: stopped");
    let theirs = machine.roll_text();
    lock.release();

    let pass = pass.finish().exits(0);

    assert!(!pass.drifts().iter().any(|drift| drift.is_applied()));
    assert_eq!(machine.roll_text(), theirs);
}

#[test]
fn a_change_to_one_row_does_not_stop_the_edit_of_another() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine
        .roll()
        .row("other")
        .status("stopped")
        .row(NAME)
        .pane(&session)
        .write();
    session.kill();
    let lock = Held::lock(&machine);
    let pass = deciding_pass(&machine, "tmux_gone");
    replace_in_roll(&machine, "status: stopped", "status: archived");
    lock.release();

    pass.finish().exits(0).drift("A", NAME);

    assert_eq!(machine.row("other")["status"], "archived");
    assert_eq!(machine.row(NAME)["status"], "terminated");
}

#[test]
fn a_session_that_was_declared_by_the_holder_of_the_lock_is_not_declared_again() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine.write_roll("tmux_sessions:\n- name: other\n  status: stopped\n");
    let lock = Held::lock(&machine);
    let pass = deciding_pass(&machine, "unregistered");
    machine.write_roll(format!(
        "tmux_sessions:\n- name: other\n  status: stopped\n- name: {NAME}\n  status: running\n"
    ));
    lock.release();

    pass.finish().exits(0).has_no_note("name_taken");

    assert_eq!(machine.read_roll().names(), ["other", NAME]);
    assert_eq!(machine.row(NAME).get("last_visible_status"), None);
}

#[test]
fn a_look_that_grew_old_while_the_roll_was_locked_is_made_again() {
    let machine = Machine::new();
    killed(&machine);
    let lock = Held::lock(&machine);
    let pass = deciding_pass(&machine, "tmux_gone");
    // What it saw is no longer true, and nothing in the roll says so.
    machine.session(NAME).running("claude").start();
    let start = Instant::now();
    wait_until("the look to be too old", || {
        (start.elapsed() > Duration::from_millis(2100)).then_some(())
    });
    lock.release();

    let pass = pass.finish().exits(0);

    assert!(!pass.drifts().iter().any(|drift| drift["class"] == "A"));
    assert_eq!(machine.row(NAME)["status"], "running");
}

#[test]
fn after_three_looks_that_grew_old_the_edits_are_held_but_not_what_jobs_came_to() {
    let machine = Machine::new();
    killed(&machine);
    let docs = "- name: docs\n  status: stopped\n  delegate_job_id: a1b2c3d4\n";
    machine.write_roll(machine.roll_text() + docs);
    machine.job("a1b2c3d4").status("completed").write();
    let looks = machine.root().join("looks");
    let script = format!(
        "echo x >>'{}'\nsleep 0.5\nexec \"$TMUX_ITSELF\" \"$@\"",
        looks.display()
    );
    let path = machine.path_with_tmux(&script);
    let mut lock = Held::lock(&machine);
    let pass = machine.reconcile().at_once().env("PATH", path).start();

    let made = || fs::read_to_string(&looks).map_or(0, |looks| looks.lines().count());
    let after =
        |start: Instant, time| (start.elapsed() > Duration::from_millis(time)).then_some(());

    for look in 1..=3 {
        wait_until(&format!("look {look}"), || (made() >= look).then_some(()));
        let start = Instant::now();
        wait_until("the look to be too old", || after(start, 3100));
        // Free for less time than a look takes, so that only this one can get it, and often enough.
        while look < 3 && made() == look {
            assert!(pass.process().is_alive(), "it gave up after {look} looks");
            lock.release();
            std::thread::sleep(Duration::from_millis(400));
            lock = Held::lock(&machine);
            let start = Instant::now();
            wait_until("another look, or in vain", || {
                after(start, 4000).or((made() > look).then_some(()))
            });
        }
    }
    lock.release();

    let pass = pass.finish().exits(0);
    assert_eq!(pass.held("contended")[0]["session"], NAME);
    assert_eq!(machine.row(NAME)["status"], "running");
    assert_eq!(machine.row("docs")["delegate_job_status"], "completed");
}

#[test]
fn a_row_is_never_older_or_newer_than_it_was_seen_to_be() {
    // Its opposite, that saving the file makes no row newer, is in `cross_examination`.
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    session.rename("market-creator-claude");
    // Somebody restores the file with the time it had an hour ago.
    let roll = File::options()
        .write(true)
        .open(machine.roll_path())
        .unwrap();
    roll.set_modified(std::time::SystemTime::now() - Duration::from_secs(3600))
        .unwrap();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    pass.note_of("renamed", NAME);
}
