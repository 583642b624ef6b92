//! Very many events at once.

use rustix::process::Signal;
use serde_json::json;

use super::heard;
use crate::support::{Machine, Watching, wait_until_or};

const ENDS: usize = 1000;

fn jobs() -> Vec<String> {
    (0..ENDS).map(|n| format!("job{n:04}")).collect()
}

/// A roll whose rows each name a job.
fn roll_of(machine: &Machine, jobs: &[String]) {
    let mut roll = machine.roll();
    for job in jobs {
        roll = roll
            .row(&format!("{job}-creator-claude"))
            .status("stopped")
            .set("delegate_job_id", job.as_str());
    }
    roll.write();
}

#[track_caller]
fn wait_until_all_are_written(machine: &Machine, watching: &Watching) {
    let mut written = 0;
    while written < ENDS {
        // However slow the machine is: as long as there are more, it goes on.
        written = wait_until_or(
            || {
                let logged = watching.logged();
                let events = logged.iter().filter(|line| line.contains("DEBUG job "));
                let others: Vec<_> = logged
                    .iter()
                    .filter(|line| !line.contains("DEBUG job "))
                    .collect();
                format!("more than {written}; {} heard; {others:#?}", events.count())
            },
            || {
                let now = machine
                    .roll_text()
                    .matches("delegate_job_status_of")
                    .count();
                (now > written).then_some(now)
            },
        );
    }
}

#[test]
fn of_100_000_events_the_1000_that_matter_are_all_written_in_bounded_memory() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    let jobs = jobs();
    roll_of(&machine, &jobs);
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    let before = watching.process().resident();

    broker
        .publisher()
        .send(&json!({ "burst": 100_000, "ends": jobs }));

    wait_until_all_are_written(&machine, &watching);
    let grown = watching.process().resident().saturating_sub(before);
    assert!(grown < 64 << 20, "{grown} bytes more");
}

#[test]
fn what_the_broker_dropped_while_nobody_listened_is_made_good_by_the_records() {
    let machine = Machine::new();
    // As Mosquitto does it: the first 1000 are kept, the rest is dropped.
    let Some(broker) = machine.broker().set("max_queued_messages 1000").start() else {
        return;
    };
    let jobs = jobs();
    roll_of(&machine, &jobs);
    let mut watching = machine.watch().subscribe(&broker).start();
    heard(&watching);
    watching.signal(Signal::TERM);
    watching.end();

    for job in &jobs {
        machine.job(job).status("completed").write();
    }
    broker
        .publisher()
        .send(&json!({ "burst": 100_000, "ends": jobs }));
    let watching = machine.watch().subscribe(&broker).start();

    wait_until_all_are_written(&machine, &watching);
}
