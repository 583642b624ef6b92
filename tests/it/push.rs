//! Delegated jobs: what their records and their events do to a row. The broker is a real Mosquitto, and the
//! worker a real `paho-mqtt`.

mod arguments;
mod away;
mod bursts;
mod events;
mod ignored;
mod records;
mod restarts;
mod secured;

use crate::support::{Machine, Session, Watching, wait_until};

const NAME: &str = "shop-creator-claude";
const JOB: &str = "a1b2c3d4";

/// A session whose row names a job.
fn working(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine
        .roll()
        .row(NAME)
        .pane(&session)
        .set("delegate_job_id", JOB)
        .write();
    session
}

/// Waits until the row has its job's outcome, and returns the row.
#[track_caller]
fn outcome(machine: &Machine) -> serde_json::Value {
    wait_until("the outcome of a job in its row", || {
        let row = machine.row(NAME);
        row.get("delegate_job_status").is_some().then_some(row)
    })
}

/// Waits until what is published is heard, and the pass is over that is made for that.
#[track_caller]
fn heard(watching: &Watching) {
    let begun = watching.wait_for_pass("connected");
    watching.wait_for_passes(begun);
}
