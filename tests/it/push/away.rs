//! A broker that is away, for whatever reason, makes nobody blind.

use std::io::Read as _;
use std::net::TcpListener;
use std::thread;

use super::{JOB, NAME, heard, outcome, working};
use crate::support::{Machine, wait_until};

#[test]
fn without_a_broker_it_looks_by_the_timer() {
    let machine = Machine::new();
    working(&machine);
    let watching = machine
        .watch()
        .arg("--subscribe")
        .at_once()
        .env("MQTT_PORT", "1")
        .env("RECONCILE_POLL_INTERVAL", "1")
        .start();
    watching.wait_for_word("Connection refused");

    machine.job(JOB).status("completed").write();

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
    watching.wait_for_passes(4);
    assert_eq!(watching.says("cannot be listened to"), 1, "told once");
}

#[test]
fn a_broker_that_comes_back_is_listened_to_again() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);

    broker.kill();
    watching.wait_for_word("cannot be listened to");
    let passes = watching.passes().len();
    watching.wait_for_passes(passes + 2);
    broker.start_again();
    watching.wait_for_word("again");
    broker.publisher().event(JOB, 1, "completed");

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
    assert_eq!(watching.says("cannot be listened to"), 1);
    assert_eq!(
        watching.says("listening to mqtt://localhost"),
        2,
        "-vv tells of the first"
    );
}

#[test]
fn a_broker_that_is_restarted_again_and_again_loses_no_end() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    let jobs: Vec<String> = (0..6).map(|n| format!("job{n}")).collect();
    let mut roll = machine.roll();
    for job in &jobs {
        roll = roll
            .row(&format!("{job}-creator-claude"))
            .status("stopped")
            .set("delegate_job_id", job.as_str());
    }
    roll.write();
    let watching = machine.watch().subscribe(&broker).start();
    heard(&watching);

    for (n, job) in jobs.iter().enumerate() {
        let mut worker = broker.publisher();
        worker.event(job, 1, "started");
        if n % 2 == 0 {
            worker.event(job, 2, "completed");
            broker.stop();
        } else {
            broker.stop();
            broker.start_again();
            broker.publisher().event(job, 2, "completed");
            broker.stop();
        }
        drop(worker);
        broker.start_again();
    }

    for job in &jobs {
        let name = format!("{job}-creator-claude");
        wait_until("every outcome", || {
            (machine.row(&name)["delegate_job_status_of"] == job.as_str()).then_some(())
        });
    }
}

#[test]
fn a_broker_that_accepts_and_says_nothing_is_given_up() {
    let machine = Machine::new();
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = silent.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut open = Vec::new();
        while let Ok((mut stream, _)) = silent.accept() {
            let mut some = [0; 64];
            let _ = stream.read(&mut some);
            open.push(stream);
        }
    });
    working(&machine);
    let watching = machine
        .watch()
        .arg("--subscribe")
        .at_once()
        .env("MQTT_PORT", port.to_string())
        .env("RECONCILE_POLL_INTERVAL", "1")
        .start();

    watching.wait_for_word("it does not answer");
    machine.job(JOB).status("completed").write();

    assert_eq!(outcome(&machine)["delegate_job_status"], "completed");
}

#[test]
fn it_ends_when_its_time_is_over_or_nothing_is_heard() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    for flag in ["--timeout", "--idle-timeout"] {
        let mut watching = machine
            .watch()
            .subscribe(&broker)
            .arg(flag)
            .arg("1")
            .start();
        assert_eq!(watching.end(), Some(0), "{flag}");
        let is_idle = flag == "--idle-timeout";
        assert_eq!(
            watching.says("Nothing was heard"),
            usize::from(is_idle),
            "it says why, where nobody asked for it"
        );
    }
    broker.kill();
    let mut watching = machine
        .watch()
        .subscribe(&broker)
        .arg("--idle-timeout")
        .arg("1")
        .start();
    watching.wait_for_passes(4);
    assert!(watching.is_running(), "the idle clock stands still");
    broker.start_again();
    assert_eq!(watching.end(), Some(0));
}

#[test]
fn it_looks_by_the_timer_while_the_broker_is_there_too() {
    let machine = Machine::new();
    let Some(broker) = machine.broker().start() else {
        return;
    };
    working(&machine);
    let watching = machine
        .watch()
        .subscribe(&broker)
        .env("RECONCILE_POLL_INTERVAL", "3600")
        .arg("--resync")
        .arg("1")
        .start();
    heard(&watching);

    machine.job(JOB).status("completed").write();

    assert_eq!(outcome(&machine)["delegate_job_status_of"], JOB);
    assert!(machine.row(NAME)["delegate_job_finished_at"].is_string());
}
