//! Rolls, written for a test and read back as the other writers read them: by `PyYAML`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};

use super::process::dead_pid;
use super::{Machine, Session, python};

/// A roll to be written.
#[must_use = "nothing is written before `write`"]
#[derive(Clone, Debug)]
pub struct RollBuilder {
    path: PathBuf,
    identities: Map<String, Value>,
    rows: Vec<Vec<(String, Value)>>,
    written_at: Option<SystemTime>,
}

impl RollBuilder {
    pub(super) fn at(path: PathBuf) -> Self {
        Self {
            path,
            identities: Map::new(),
            rows: Vec::new(),
            written_at: None,
        }
    }

    /// At another path. Folders are made where they are missing.
    pub fn path(mut self, path: impl Into<PathBuf>) -> Self {
        self.path = path.into();
        self
    }

    /// A new row, `running` until told otherwise. What follows is said of this row.
    pub fn row(mut self, name: &str) -> Self {
        self.rows.push(vec![
            ("name".to_owned(), json!(name)),
            ("status".to_owned(), json!("running")),
        ]);
        self
    }

    /// Its `status`.
    pub fn status(self, status: &str) -> Self {
        self.set("status", status)
    }

    /// Its `pane`, and its `tmux_server` unless that is the default one, as a skill would record them. The
    /// roll then counts as written two seconds after that session's process began: a process must have
    /// begun clearly before that for its pid to be taken for the recorded one.
    pub fn pane(mut self, session: &Session<'_>) -> Self {
        let pane = json!({
            "pid": session.pid(),
            "cmd": session.command_in_tmux(),
            "cwd": session.cwd,
        });
        if self.written_at.is_none() {
            self.written_at = Some(SystemTime::now() + Duration::from_secs(2));
        }
        let server = session.server.name();
        let row = self.set("pane", pane);
        if server == "default" {
            row
        } else {
            row.set("tmux_server", server)
        }
    }

    /// Only its pane's pid.
    pub fn pid(self, pid: u32) -> Self {
        self.set(
            "pane",
            json!({ "pid": pid, "cmd": "claude", "cwd": "/nowhere" }),
        )
    }

    /// Its pane, of a process that has ended, as a skill would have recorded it.
    pub fn ended_pane(self) -> Self {
        self.pid(dead_pid())
    }

    /// On the default server of that machine, by its socket's path: so that no server below another `TMUX_TMPDIR` can
    /// be meant, as those of other tests are, where nothing else tells where its session is.
    pub fn at_home(self, machine: &Machine) -> Self {
        let socket = machine.socket("default");
        self.server(socket.to_str().expect("a machine's paths are text"))
    }

    /// Its `tmux_server`.
    pub fn server(self, name: &str) -> Self {
        self.set("tmux_server", name)
    }

    /// Any key of it.
    #[track_caller]
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        let row = self.rows.last_mut().expect("a key belongs to a row");
        let value = value.into();
        match row.iter_mut().find(|(known, _)| known == key) {
            Some(pair) => pair.1 = value,
            None => row.push((key.to_owned(), value)),
        }
        self
    }

    /// A key that is there and null.
    #[track_caller]
    pub fn null(self, key: &str) -> Self {
        self.set(key, Value::Null)
    }

    /// What `agent_identities` says of an agent.
    pub fn identity(mut self, agent: &str, id: &str, cwd: &Path) -> Self {
        self.identities.insert(
            agent.to_owned(),
            json!({ "session_id": id, "project_cwd": cwd }),
        );
        self
    }

    /// The file's mtime, instead of now.
    pub fn written_at(mut self, time: SystemTime) -> Self {
        self.written_at = Some(time);
        self
    }

    /// The file's mtime, that long ago.
    pub fn written_ago(self, age: Duration) -> Self {
        self.written_at(SystemTime::now() - age)
    }

    /// The roll as YAML, in block style. Values are JSON, which is YAML too.
    pub fn text(&self) -> String {
        let mut text = String::new();
        if !self.identities.is_empty() {
            text.push_str("agent_identities:\n");
            for (agent, identity) in &self.identities {
                text.push_str(&format!("  {agent}: {identity}\n"));
            }
        }
        if self.rows.is_empty() {
            text.push_str("tmux_sessions: []\n");
            return text;
        }
        text.push_str("tmux_sessions:\n");
        for row in &self.rows {
            for (place, (key, value)) in row.iter().enumerate() {
                let lead = if place == 0 { "- " } else { "  " };
                text.push_str(&format!("{lead}{key}: {}\n", scalar(value)));
            }
        }
        text
    }

    /// Writes it.
    pub fn write(self) {
        fs::create_dir_all(self.path.parent().expect("a roll lies in a folder"))
            .expect("a folder can be made");
        fs::write(&self.path, self.text()).expect("the roll can be written");
        if let Some(time) = self.written_at {
            File::options()
                .write(true)
                .open(&self.path)
                .and_then(|file| file.set_modified(time))
                .expect("the roll's time can be set");
        }
    }
}

/// A value in flow style; words that are plainly text stand without quotes, as people write them.
fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        other => other.to_string(),
    }
}

fn is_plain(text: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || "-_/.".contains(c);
    let not_text = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && text.chars().all(word)
        && !not_text.contains(&text.to_ascii_lowercase().as_str())
}

/// A roll, as `PyYAML` reads it. What it takes for a time becomes `{"time": "…"}`, so that a text that
/// was written without the quotes it needs does not pass for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll(Value);

impl Roll {
    /// Reads a roll.
    #[track_caller]
    pub fn read(path: &Path) -> Self {
        let bytes = fs::read(path).expect("the roll can be read");
        let json = python::run(
            "import json, sys, yaml\n\
             json.dump(yaml.safe_load(sys.stdin.buffer), sys.stdout, default=lambda v: {'time': str(v)})",
            &[],
            &bytes,
        );
        Self(serde_json::from_str(&json).expect("python prints JSON"))
    }

    /// All documents of a file.
    #[track_caller]
    pub fn read_all(path: &Path) -> Vec<Value> {
        let bytes = fs::read(path).expect("the roll can be read");
        let json = python::run(
            "import json, sys, yaml\n\
             json.dump(list(yaml.safe_load_all(sys.stdin.buffer)), sys.stdout, default=lambda v: {'time': str(v)})",
            &[],
            &bytes,
        );
        serde_json::from_str(&json).expect("python prints JSON")
    }

    /// The whole document.
    pub const fn document(&self) -> &Value {
        &self.0
    }

    /// Its rows.
    #[track_caller]
    pub fn rows(&self) -> &[Value] {
        self.0["tmux_sessions"]
            .as_array()
            .unwrap_or_else(|| panic!("tmux_sessions is no list in {}", self.0))
    }

    /// The names of its rows, in order.
    #[track_caller]
    pub fn names(&self) -> Vec<&str> {
        self.rows()
            .iter()
            .filter_map(|row| row["name"].as_str())
            .collect()
    }

    /// The row of that name, if there is one.
    #[track_caller]
    pub fn find(&self, name: &str) -> Option<&Value> {
        self.rows().iter().find(|row| row["name"] == name)
    }

    /// The row of that name.
    #[track_caller]
    pub fn row(&self, name: &str) -> &Value {
        self.find(name)
            .unwrap_or_else(|| panic!("no row is named {name}, only {:?}", self.names()))
    }
}
