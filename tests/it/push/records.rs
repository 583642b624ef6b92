//! The records of jobs on disk, which are read in every pass.

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;

use super::{JOB, NAME, working};
use crate::support::{Machine, python};

#[test]
fn a_job_that_ended_is_written_to_its_row_and_the_session_is_left_running() {
    let machine = Machine::new();
    let session = working(&machine);
    machine.job(JOB).status("running").write();
    let status = machine.headcount(&["status", "--json"]).exits(0).report();
    assert_eq!(
        status["sessions"][0]["job"],
        json!({ "id": JOB, "state": "running" })
    );
    machine.job(JOB).status("completed").write();

    let pass = machine.reconcile().at_once().run().exits(0);

    let row = machine.row(NAME);
    assert_eq!(row["status"], "running");
    assert_eq!(row["delegate_job_status"], "completed");
    assert_eq!(row["delegate_job_status_of"], JOB);
    assert!(row["delegate_job_finished_at"].is_string());
    assert_eq!(row["last_visible_note"], "job a1b2c3d4 completed");
    let status = machine.headcount(&["status"]).exits(0).stdout;
    assert!(
        status.contains(&format!("  - job {JOB}: completed\n")),
        "{status}"
    );
    let update = &pass.report()["job_updates"][0];
    assert_eq!(
        (&update["job_id"], &update["applied"], &update["trust"]),
        (&json!(JOB), &json!(true), &json!("record"))
    );
    assert_eq!(pass.report()["actions"][0]["kind"], "job_outcome");
    assert!(session.agent().process.is_alive());
}

#[test]
fn an_outcome_is_written_once() {
    let machine = Machine::new();
    working(&machine);
    machine.job(JOB).status("error").write();
    let _ = machine.reconcile().at_once().run().exits(0);
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.report()["job_updates"], json!([]));
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_job_that_goes_on_changes_nothing() {
    let machine = Machine::new();
    working(&machine);
    machine.job(JOB).status("running").write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.report()["job_updates"], json!([]));
    assert_eq!(machine.row(NAME).get("delegate_job_status"), None);
}

#[test]
fn a_record_that_names_the_session_is_enough() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine
        .job("newer")
        .session(NAME)
        .status("completed")
        .write();
    machine
        .job("older")
        .session(NAME)
        .status("error")
        .ago(Duration::from_secs(3600))
        .write();

    let _ = machine.reconcile().at_once().run().exits(0);

    assert_eq!(machine.row(NAME)["delegate_job_status_of"], "newer");
}

#[test]
fn a_job_that_ended_before_the_session_was_created_says_nothing_of_it() {
    let machine = Machine::new();
    working(&machine);
    machine
        .job(JOB)
        .status("completed")
        .ago(Duration::from_secs(3600))
        .write();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(pass.report()["job_updates"], json!([]));
    assert_eq!(machine.row(NAME).get("delegate_job_status"), None);
}

#[test]
fn a_record_that_cannot_be_read_is_told_and_nothing_is_written() {
    for text in [
        "",
        "{",
        "[]",
        r#"{"schema_version": 2, "job_id": "a1b2c3d4", "status": "completed"}"#,
        r#"{"schema_version": 1, "job_id": "another", "status": "completed"}"#,
        r#"{"schema_version": 1, "job_id": "a1b2c3d4", "status": "done"}"#,
        r#"{"schema_version": 1, "job_id": "a1b2c3d4", "status": "completed", "status": "error"}"#,
    ] {
        let machine = Machine::new();
        working(&machine);
        fs::write(machine.job(JOB).write(), text).unwrap();
        let before = fs::read(machine.roll_path()).unwrap();

        let pass = machine
            .reconcile()
            .at_once()
            .detailed_exitcode()
            .run()
            .exits(3);

        let report = pass.report();
        let sources = report["sources"].as_array().unwrap();
        assert!(
            sources.iter().any(|source| source["state"] == "unknown"
                && source["reason"].as_str().unwrap().contains("a1b2c3d4.json")),
            "{text}: {sources:?}"
        );
        assert_eq!(fs::read(machine.roll_path()).unwrap(), before, "{text}");
    }
}

#[test]
fn nothing_secret_of_a_record_is_told_or_kept() {
    let machine = Machine::new();
    working(&machine);
    machine
        .job(JOB)
        .status("completed")
        .token("a-very-secret-token")
        .set("prompt", "a-very-secret-prompt")
        .write();

    let pass = machine.reconcile().at_once().arg("-vvv").run().exits(0);

    let mut all = vec![pass.stdout.clone(), pass.stderr.clone()];
    let mut folders = vec![machine.state()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                all.push(fs::read_to_string(path).unwrap());
            }
        }
    }
    assert!(all.iter().all(|text| !text.contains("a-very-secret")));
}

#[test]
fn a_dry_run_says_what_would_be_written() {
    let machine = Machine::new();
    working(&machine);
    machine.job(JOB).status("completed").write();
    let before = machine.footprint();

    let pass = machine.reconcile().dry_run().run().exits(0);

    assert_eq!(machine.footprint(), before);
    let update = &pass.report()["job_updates"][0];
    assert_eq!(update["applied"], false);
    assert!(
        update["comment"]
            .as_str()
            .unwrap()
            .ends_with("Would be written.")
    );
}

#[test]
fn what_was_written_is_what_pyyaml_reads() {
    let machine = Machine::new();
    working(&machine);
    machine.job(JOB).status("completed").write();
    let _ = machine.reconcile().at_once().run().exits(0);

    let said = python::run(
        "import sys, yaml\nrow = yaml.safe_load(sys.stdin)['tmux_sessions'][0]\nprint(type(row['delegate_job_finished_at']).__name__, type(row['last_visible_note']).__name__)",
        &[],
        machine.roll_text().as_bytes(),
    );
    assert_eq!(said.trim(), "str str");
}

#[test]
fn an_outcome_that_met_somebody_at_work_on_the_row_is_tried_again_soon() {
    let machine = Machine::new();
    working(&machine);
    let watching = machine
        .watch()
        .every(3600)
        .at_once()
        .arg("--lock-timeout")
        .arg("0")
        .start();
    let lock = fs::File::create(machine.roll_path().with_extension("yaml.lock")).unwrap();
    lock.lock().unwrap();
    machine.job(JOB).status("completed").write();
    watching.signal(Signal::HUP);
    watching.wait_for_report("what is held", |report| {
        report["job_updates"][0]["held"].is_object()
    });

    drop(lock);

    watching.wait_for_report("the outcome", |report| {
        report["job_updates"][0]["applied"] == true
    });
}
