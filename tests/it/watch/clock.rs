//! A system clock that is set by hours while headcount waits. How long it waits is counted by the clock that
//! nobody sets.

use rustix::process::Signal;

use crate::support::{Clock, Machine, Session, Watching, wait_until};

const NAME: &str = "shop-creator-claude";

/// Longer than any test.
const LONG: u32 = 3600;

/// Further than anything is waited for here.
const FIVE_HOURS: i64 = 5 * 3600;

fn one_of_two(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session
}

/// A loop whose timer stands still, with a session that has just ended.
#[track_caller]
fn waits_for_an_end(machine: &Machine, clock: &Clock, grace: u32) -> Watching {
    let session = one_of_two(machine);
    let watching = machine.watch().every(LONG).grace(grace).by(clock).start();
    session.kill();
    watching.wait_for_drift("A", NAME, |drift| drift["pending"].is_object());
    watching
}

/// Makes passes that only a hangup asks for, and waits until they are over.
#[track_caller]
fn look_again(watching: &Watching, times: usize) {
    for _ in 0..times {
        let passes = watching.passes().len();
        watching.signal(Signal::HUP);
        watching.wait_for_passes(passes + 1);
    }
}

#[test]
fn no_row_ends_early_because_the_clock_was_put_forward() {
    let machine = Machine::new();
    let Some(clock) = machine.clock() else { return };
    let watching = waits_for_an_end(&machine, &clock, LONG);

    clock.is_off_by(FIVE_HOURS);
    look_again(&watching, 3);

    assert_eq!(machine.row(NAME)["status"], "running");
    let drift = watching.wait_for_drift("A", NAME, |_| true);
    assert_eq!(drift["applied"], false);
}

#[test]
fn an_end_is_written_when_it_is_due_although_the_clock_was_put_forward() {
    let machine = Machine::new();
    let Some(clock) = machine.clock() else { return };
    let watching = waits_for_an_end(&machine, &clock, 3);

    clock.is_off_by(FIVE_HOURS);

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
}

#[test]
fn an_end_is_written_when_it_is_due_although_the_clock_was_put_back() {
    let machine = Machine::new();
    let Some(clock) = machine.clock() else { return };
    let watching = waits_for_an_end(&machine, &clock, 3);

    clock.is_off_by(-FIVE_HOURS);

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    let whys = watching.passes().into_iter().skip(1);
    assert!(
        whys.into_iter()
            .all(|why| why == "due" || why.contains("process ended")),
        "the timer is not needed, and nothing is looked at again and again: {:?}",
        watching.passes()
    );
}

#[test]
fn a_session_from_the_future_is_registered_when_it_was_seen_for_long_enough() {
    let machine = Machine::new();
    let Some(clock) = machine.clock() else { return };
    machine.session(NAME).running("claude").start();
    machine.roll().row("other").status("stopped").write();
    clock.is_off_by(-FIVE_HOURS);

    let watching = machine
        .watch()
        .every(LONG)
        .arg("--spawn-grace")
        .arg("3")
        .by(&clock)
        .start();

    watching.wait_for_drift("B", NAME, |drift| drift["pending"].is_object());
    watching.wait_for_drift("B", NAME, |drift| drift["applied"] == true);
}

#[test]
fn a_single_pass_waits_no_longer_because_the_clock_was_put_back() {
    let machine = Machine::new();
    let Some(clock) = machine.clock() else { return };
    one_of_two(&machine).kill();
    let pass = machine
        .reconcile()
        .grace(3)
        .spawn_grace(0)
        .by(&clock)
        .start();
    machine.wait_until_remembered("tmux_gone");

    clock.is_off_by(-FIVE_HOURS);

    pass.finish().exits(0).drift("A", NAME);
    assert_eq!(machine.row(NAME)["status"], "terminated");
}

#[test]
fn a_single_pass_decides_nothing_early_because_the_clock_was_put_forward() {
    let machine = Machine::new();
    let Some(clock) = machine.clock() else { return };
    one_of_two(&machine).kill();
    let pass = machine
        .reconcile()
        .grace(LONG)
        .spawn_grace(0)
        .by(&clock)
        .start();
    machine.wait_until_remembered("tmux_gone");

    clock.is_off_by(FIVE_HOURS);
    // It asks every few seconds how late it is.
    let process = pass.process();
    let before = process.waits();
    wait_until("it to wake up a few times", || {
        (process.waits() >= before + 2).then_some(())
    });

    assert_eq!(machine.row(NAME)["status"], "running");
    assert!(process.is_alive());
    pass.signal(Signal::TERM);
    assert_ne!(pass.finish().code, Some(0));
}

#[test]
fn events_are_written_and_the_loop_goes_on_however_the_clock_is_set() {
    let machine = Machine::new();
    let Some(clock) = machine.clock() else { return };
    let Some(broker) = machine.broker().start() else {
        return;
    };
    let jobs = ["ahead", "behind", "right"];
    let mut roll = machine.roll();
    for job in jobs {
        roll = roll
            .row(&format!("{job}-creator-claude"))
            .status("stopped")
            .set("delegate_job_id", job);
    }
    roll.write();
    let mut watching = machine
        .watch()
        .subscribe(&broker)
        .arg("--timeout")
        .arg("7200")
        .by(&clock)
        .start();
    let begun = watching.wait_for_pass("connected");
    watching.wait_for_passes(begun);
    let mut worker = broker.publisher();

    for (job, offset) in jobs.into_iter().zip([FIVE_HOURS, -FIVE_HOURS, 0]) {
        clock.is_off_by(offset);
        worker.event(job, 1, "completed");
        wait_until("the outcome of a job", || {
            (machine.row(&format!("{job}-creator-claude"))["delegate_job_status_of"] == job)
                .then_some(())
        });
    }

    assert!(
        watching.is_running(),
        "neither its time nor its patience is over"
    );
    assert_eq!(watching.says("cannot be listened to"), 0);
    let passes = watching.passes();
    assert!(
        passes.len() < 20,
        "it does not look again and again: {passes:?}"
    );
}
