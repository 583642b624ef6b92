//! Delegated jobs: their records beside the roll.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::Machine;

/// A job's record to be written, as the program that delegates jobs writes it.
#[must_use = "nothing is written before `write`"]
#[derive(Clone, Debug)]
pub struct JobRecord {
    path: PathBuf,
    record: Map<String, Value>,
}

impl JobRecord {
    pub(super) fn of(machine: &Machine, id: &str) -> Self {
        let Value::Object(record) = json!({
            "schema_version": 1,
            "job_id": id,
            "status": "running",
            "created_at": at(Duration::ZERO),
            "updated_at": at(Duration::ZERO),
            "prompt": "Do something.",
            "agent": "claude-code",
            "agent_session": null,
            "broker": { "host": "localhost", "port": 1883, "tls": false, "username": null, "password": null },
            "topic_prefix": format!("python/mqtt/jobs/{id}"),
            "timeout_sec": 3600,
            "idle_timeout_sec": 120,
            "expected_artifacts": [],
            "last_seq": 0,
            "auth_token": null,
        }) else {
            unreachable!("it is an object")
        };
        let folder = machine.project().join(".hermes/jobs");
        Self {
            path: folder.join(format!("{id}.json")),
            record,
        }
    }

    /// Its `status`.
    pub fn status(self, status: &str) -> Self {
        self.set("status", status)
    }

    /// `agent_session: tmux:<name>`
    pub fn session(self, name: &str) -> Self {
        self.set("agent_session", format!("tmux:{name}"))
    }

    /// `auth_token`
    pub fn token(self, token: &str) -> Self {
        self.set("auth_token", token)
    }

    /// Created and updated that long ago.
    pub fn ago(self, age: Duration) -> Self {
        self.set("created_at", at(age)).set("updated_at", at(age))
    }

    /// Any key of it.
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.record.insert(key.to_owned(), value.into());
        self
    }

    /// Writes it, in the place of an older one.
    pub fn write(self) -> PathBuf {
        let folder = self.path.parent().expect("it lies in a folder");
        fs::create_dir_all(folder).expect("a folder can be made");
        let unfinished = self.path.with_extension("tmp");
        let text = serde_json::to_string_pretty(&self.record).expect("it is JSON");
        fs::write(&unfinished, text).expect("a record can be written");
        fs::set_permissions(&unfinished, fs::Permissions::from_mode(0o600))
            .expect("a record can be made private");
        fs::rename(&unfinished, &self.path).expect("a record can be replaced");
        self.path
    }
}

fn at(age: Duration) -> String {
    let at = chrono::Utc::now() - age;
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
