#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::{Key, MOST, Records, key};
use crate::core::ids::{Fingerprint, Timestamp};
use crate::core::jobs::{EventKind, JobEvent, JobId, JobStatus, Jobs};
use crate::core::registry::Registry;
use crate::core::sighting::Sighting;

const NOW: Timestamp = Timestamp::from_secs(1_795_251_600);

struct Place {
    _temp: TempDir,
    roll: PathBuf,
    records: Records,
}

fn place() -> Place {
    let temp = tempfile::tempdir().unwrap();
    Place {
        roll: temp.path().join("agent-sessions.yaml"),
        records: Records::default(),
        _temp: temp,
    }
}

impl Place {
    fn jobs(&self) -> PathBuf {
        super::folder(&self.roll)
    }

    fn write(&self, id: &str, text: &str) {
        fs::create_dir_all(self.jobs()).unwrap();
        fs::write(self.jobs().join(format!("{id}.json")), text).unwrap();
    }

    fn record(&self, id: &str, more: &str) {
        self.write(
            id,
            &format!(r#"{{"schema_version":1,"job_id":"{id}"{more}}}"#),
        );
    }

    /// Looks, after an event of that job.
    fn look(&self, id: &str) -> Jobs {
        let registry = Registry {
            fingerprint: Fingerprint::new(""),
            written_at: NOW,
            rows: Vec::new(),
            invalid: Vec::new(),
            identities: Vec::new(),
        };
        let heard = JobEvent {
            job: job(id),
            seq: 1,
            kind: EventKind::Progress,
            detail: String::new(),
            heard: NOW,
            signed: false,
        };
        self.records.look(&self.roll, &registry, &[heard], NOW).0
    }

    fn sight(&self, id: &str) -> Sighting<super::JobRecord> {
        self.look(id).records.remove(&job(id)).unwrap()
    }
}

fn job(id: &str) -> JobId {
    JobId::parse(id).unwrap()
}

#[test]
fn only_an_id_that_can_be_no_path_is_one() {
    for id in ["a", "A-b_9", &"x".repeat(64)] {
        assert!(JobId::parse(id).is_some(), "{id}");
    }
    for id in ["", "a/b", "..", "a.b", "a b", "a+", "é", &"x".repeat(65)] {
        assert!(JobId::parse(id).is_none(), "{id}");
    }
}

#[test]
fn a_record_tells_its_status_its_times_and_its_session() {
    let place = place();
    place.record(
        "j1",
        r#","status":"completed","created_at":"2026-11-21T09:00:00Z","updated_at":1795251600.5,
        "agent_session":"tmux:a b","auth_token":"x","prompt":{"any":["thing",1.5]}"#,
    );
    let Sighting::Present(record) = place.sight("j1") else {
        panic!()
    };
    assert_eq!(record.status, JobStatus::Completed);
    assert_eq!(record.created.unwrap().iso(), "2026-11-21T09:00:00Z");
    assert_eq!(record.updated, Timestamp::from_millis(1_795_251_600_500));
    assert_eq!(record.session.unwrap().as_str(), "a b");
    assert!(record.needs_signature);
}

#[test]
fn a_record_without_a_time_was_updated_when_it_was_written() {
    let place = place();
    place.record("j1", r#","status":"error""#);
    let Sighting::Present(record) = place.sight("j1") else {
        panic!()
    };
    let written = fs::metadata(place.jobs().join("j1.json")).unwrap();
    assert_eq!(
        record.updated,
        crate::clock::at(written.modified().unwrap())
    );
}

#[test]
fn without_a_folder_or_a_file_there_is_no_record() {
    let place = place();
    assert!(place.sight("j1").is_absent());
    fs::create_dir(place.jobs()).unwrap();
    assert!(place.sight("j1").is_absent());
}

#[test]
fn what_is_no_record_is_unknown() {
    let place = place();
    for text in ["", "{", "[]", "null", r#"{"job_id":"j1","status":1}"#] {
        place.write("j1", text);
        assert!(place.sight("j1").is_unknown(), "{text}");
    }
    place.record("j1", r#","status":"resting""#);
    assert!(place.sight("j1").is_unknown());
    place.write("j1", &" ".repeat(super::LARGEST + 1));
    assert!(place.sight("j1").is_unknown());
    fs::remove_file(place.jobs().join("j1.json")).unwrap();
    fs::create_dir(place.jobs().join("j1.json")).unwrap();
    assert!(place.sight("j1").is_unknown());
}

#[test]
fn a_record_that_changes_is_read_again_however_it_is_written() {
    let place = place();
    let path = place.jobs().join("j1.json");
    place.record("j1", r#","status":"running""#);
    let old = SystemTime::now() - Duration::from_secs(100);
    let age = |at| {
        fs::File::options()
            .append(true)
            .open(&path)
            .unwrap()
            .set_modified(at)
            .unwrap()
    };
    age(old);
    for status in ["pending", "running", "error", "completed"] {
        place.sight("j1");
        place.record("j1", &format!(r#","status":"{status}""#));
        age(old);
        let Sighting::Present(record) = place.sight("j1") else {
            panic!()
        };
        assert_eq!(record.status.as_str(), status);
    }
}

#[test]
fn the_key_is_the_token_of_the_record() {
    let place = place();
    let key = |id: &str| key(&place.jobs(), &job(id));
    assert!(key("j1") == Key::NoRecord);
    place.record("j1", r#","status":"running","auth_token":null"#);
    assert!(key("j1") == Key::NotRequired);
    place.record("j1", r#","status":"running","auth_token":"secret""#);
    assert!(key("j1") == Key::Token("secret".to_owned()));
    place.write("j1", "{");
    assert!(matches!(key("j1"), Key::Unreadable(_)));
}

#[test]
fn of_too_many_records_none_is_taken_for_the_newest() {
    let place = place();
    for n in 0..=MOST {
        place.write(&format!("j{n}"), "");
    }
    let listing = place.records.0.lock().unwrap().list(&place.jobs()).unwrap();
    assert!(!listing.complete && listing.jobs.is_empty());
}
