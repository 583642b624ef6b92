//! A broker that is killed at moments nobody chose, and a headcount that is too.
//!
//! When things happen is left to chance, and nothing that is asserted depends on it. What Mosquitto itself loses
//! when it is killed, an event that its publisher was told it has and that it had not saved yet, can be told from
//! what it has saved; only such events are published once more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use crate::support::{Broker, Chance, Machine, Publisher, Watching, wait_until, wait_until_or};

const JOBS: usize = 80;

/// How often the broker is killed.
const KILLS: usize = 10;

/// Which ends the broker was given, as far as its clients know.
type Given = Arc<Mutex<Vec<String>>>;

#[test]
fn whoever_is_killed_when_each_outcome_is_written_once_and_for_good() {
    let machine = Machine::new();
    // It saves after every change.
    let broker = machine
        .broker()
        .set("autosave_on_changes true\nautosave_interval 1")
        .start();
    let Some(broker) = broker else { return };
    let mut chance = Chance::new();
    let jobs: Vec<String> = (0..JOBS).map(|n| format!("job{n:03}")).collect();
    let mut roll = machine.roll();
    for job in &jobs {
        roll = roll
            .row(&format!("{job}-creator-claude"))
            .status("stopped")
            .set("delegate_job_id", job.as_str());
    }
    roll.write();
    let mut outcomes = Outcomes::default();
    let mut watching = Some(start(&machine, &broker));
    let given = Given::default();
    let worker = publish(&broker, jobs.clone(), Arc::clone(&given));

    for _ in 0..KILLS {
        thread::sleep(chance.while_below(600));
        match watching.take() {
            Some(loop_) if chance.one_in(3) => {
                loop_.signal(Signal::KILL);
                told_each_way_once(&loop_);
            }
            Some(loop_) => watching = Some(loop_),
            None => watching = Some(start(&machine, &broker)),
        }
        thread::sleep(chance.while_below(200));
        broker.kill();
        let lost = lost(&machine, &broker, &given);
        thread::sleep(chance.while_below(400));
        broker.start_again();
        again(&broker, &lost);
        outcomes.see(&machine);
    }
    worker.join().unwrap();
    let watching = watching.unwrap_or_else(|| start(&machine, &broker));
    broker.stop(); // which saves everything
    let lost = lost(&machine, &broker, &given);
    broker.start_again();
    again(&broker, &lost);

    let mut written = 0;
    while written < JOBS {
        // However slow the machine is: as long as there are more, it goes on.
        written = wait_until_or(
            || {
                let missing = jobs
                    .iter()
                    .filter(|job| !machine.roll_text().contains(&format!("status_of: {job}")));
                let missing: Vec<_> = missing
                    .map(|job| {
                        (
                            job,
                            broker.has_saved(&words(job)),
                            machine.knows_end_of(job),
                        )
                    })
                    .collect();
                format!(
                    "the rest (saved by the broker, known to headcount): {missing:?}; {}",
                    watching.said()
                )
            },
            || {
                let now = outcomes.see(&machine);
                (now > written || now == JOBS).then_some(now)
            },
        );
    }
    wait_until("the loop to listen again", || {
        told_each_way_once(&watching).then_some(())
    });
}

fn start(machine: &Machine, broker: &Broker) -> Watching {
    machine.watch().subscribe(broker).start()
}

/// Publishes the end of each job, and then once more how it had gone on.
fn publish(broker: &Broker, jobs: Vec<String>, given: Given) -> thread::JoinHandle<()> {
    let mut worker = broker.publisher();
    thread::spawn(move || {
        for job in jobs {
            worker.event(&job, 1, "started");
            end(&mut worker, &job);
            given.lock().unwrap().push(job.clone());
            worker.event(&job, 2, "progress");
            thread::sleep(Duration::from_millis(20));
        }
    })
}

fn end(worker: &mut Publisher, job: &str) {
    worker.send(&json!({ "publish": {
        "schema_version": 1,
        "seq": 3,
        "job_id": job,
        "event": "completed",
        "detail": words(job),
    }}));
}

/// Words by which the end of a job is known wherever it lies.
fn words(job: &str) -> String {
    format!("the end of {job}")
}

/// The ends that were lost with a broker that is dead, and that headcount never had.
fn lost(machine: &Machine, broker: &Broker, given: &Given) -> BTreeSet<String> {
    let given = given.lock().unwrap().clone();
    let lost = given.into_iter();
    let lost = lost.filter(|job| !broker.has_saved(&words(job)) && !machine.knows_end_of(job));
    lost.collect()
}

/// A worker that is asked once more.
fn again(broker: &Broker, jobs: &BTreeSet<String>) {
    if !jobs.is_empty() {
        eprintln!("lost with the broker: {jobs:?}");
        let mut worker = broker.publisher();
        for job in jobs {
            end(&mut worker, job);
        }
    }
}

/// Whether the broker is there, as far as was told. Each change is told once: never one way twice in a row.
fn told_each_way_once(watching: &Watching) -> bool {
    let logged = watching.logged();
    let told: Vec<bool> = logged
        .iter()
        .filter_map(|line| {
            let away = line.contains("cannot be listened to");
            (away || line.ends_with(" again")).then_some(!away)
        })
        .collect();
    assert!(
        told.iter()
            .enumerate()
            .all(|(n, there)| *there == (n % 2 == 1)),
        "{logged:#?}"
    );
    told.last().is_none_or(|there| *there)
}

/// What the rows have said of their jobs.
#[derive(Default)]
struct Outcomes(BTreeMap<String, [String; 2]>);

impl Outcomes {
    /// Looks at the roll, in which nothing may be otherwise that was once there, and says how many there are.
    fn see(&mut self, machine: &Machine) -> usize {
        let text = machine.roll_text();
        let mut now = BTreeMap::new();
        for row in text.split("- name: ").skip(1) {
            let of = |key: &str| {
                let mut lines = row.lines().map(str::trim);
                let mut found = lines.by_ref().filter_map(|line| line.strip_prefix(key));
                let value = found.next().map(str::to_owned);
                assert_eq!(found.next(), None, "twice: {row}");
                value
            };
            if let (Some(of_job), Some(status), Some(at)) = (
                of("delegate_job_status_of: "),
                of("delegate_job_status: "),
                of("delegate_job_finished_at: "),
            ) {
                assert_eq!(status, "completed", "{row}");
                now.insert(of_job, [status, at]);
            }
        }
        for (job, before) in &self.0 {
            assert_eq!(now.get(job), Some(before), "{job}\n{text}");
        }
        self.0 = now;
        self.0.len()
    }
}
