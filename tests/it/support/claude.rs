//! Claude Code's files, in the shapes of version 2.1.197.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde_json::{Map, Value, json};

use super::{Process, Session, StandIn};

/// A conversation id like the real ones, the same for the same number.
#[must_use]
pub fn conversation(number: u32) -> String {
    format!("0fe1c0de-0000-4000-8000-{number:012x}")
}

/// A root of Claude Code's files: `~/.claude`, or what `CLAUDE_CONFIG_DIR` names.
#[derive(Clone, Debug)]
pub struct Claude {
    root: PathBuf,
}

impl Claude {
    pub(super) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The root itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the live record of a process is.
    pub fn pid_file_path(&self, pid: u32) -> PathBuf {
        self.root.join(format!("sessions/{pid}.json"))
    }

    /// The folder of the transcripts of everything that ran in `cwd`: every UTF-16 unit of its path that is
    /// no ASCII letter or digit becomes a hyphen.
    pub fn project_folder(&self, cwd: &Path) -> PathBuf {
        let cwd = fs::canonicalize(cwd).unwrap_or_else(|_| cwd.to_owned());
        let key: String = cwd
            .to_str()
            .expect("a machine's paths are text")
            .encode_utf16()
            .map(|unit| match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii_alphanumeric() => char::from(byte),
                _ => '-',
            })
            .collect();
        self.root.join("projects").join(key)
    }

    /// Where the transcript of a conversation that began in `cwd` is.
    pub fn transcript_path(&self, cwd: &Path, id: &str) -> PathBuf {
        self.project_folder(cwd).join(format!("{id}.jsonl"))
    }

    /// The live record of an agent, to be written.
    pub fn pid_file(&self, agent: impl Into<StandIn>) -> PidFile {
        let agent = agent.into();
        let now = millis();
        let record = json!({
            "pid": agent.pid,
            "sessionId": conversation(0),
            "cwd": agent.cwd(),
            "startedAt": now,
            "procStart": agent.process.start.to_string(),
            "pidDomain": pid_domain(),
            "version": "2.1.197",
            "peerProtocol": 1,
            "kind": "interactive",
            "entrypoint": "cli",
            "status": "idle",
            "statusUpdatedAt": now,
            "updatedAt": now,
        });
        let Value::Object(record) = record else {
            unreachable!("it is an object")
        };
        PidFile {
            path: self.pid_file_path(agent.pid),
            record,
        }
    }

    /// The live record of a process that is gone, as `kill -9` leaves it.
    pub fn leftover_pid_file(&self, pid: u32, start: u64) -> PidFile {
        let mut file = self.pid_file(StandIn {
            pid: std::process::id(),
            process: Process { pid, start },
            children: Vec::new(),
        });
        file.path = self.pid_file_path(pid);
        file.set("pid", pid)
    }

    /// A conversation of somebody who asked one thing and got an answer, to be written.
    pub fn transcript(&self, cwd: &Path, id: &str) -> Transcript {
        Transcript {
            path: self.transcript_path(cwd, id),
            id: id.to_owned(),
            cwd: cwd.to_owned(),
            at: SystemTime::now(),
            entrypoint: "cli",
            lines: None,
        }
    }
}

/// `sessions/<pid>.json`, to be written.
#[must_use = "nothing is written before `write`"]
#[derive(Clone, Debug)]
pub struct PidFile {
    path: PathBuf,
    record: Map<String, Value>,
}

impl PidFile {
    /// The conversation that is live.
    pub fn id(self, id: &str) -> Self {
        self.set("sessionId", id)
    }

    /// `idle`, `busy`, `waiting` or `shell`.
    pub fn status(self, status: &str) -> Self {
        self.set("status", status)
    }

    /// `cli` for one that a person talks to; `sdk-cli` for `claude -p`.
    pub fn entrypoint(self, entrypoint: &str) -> Self {
        self.set("entrypoint", entrypoint)
    }

    /// Where it says that it runs.
    pub fn cwd(self, cwd: &Path) -> Self {
        self.set("cwd", cwd.to_str().expect("a machine's paths are text"))
    }

    /// Any key of it.
    pub fn set(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.record.insert(key.to_owned(), value.into());
        self
    }

    /// Without a key.
    pub fn without(mut self, key: &str) -> Self {
        self.record.remove(key);
        self
    }

    /// Writes it, and returns its path.
    pub fn write(self) -> PathBuf {
        put(
            &self.path,
            Value::Object(self.record).to_string().as_bytes(),
        );
        self.path
    }

    /// Writes only its first half, as a reader may find it while it is being written.
    pub fn write_half(self) -> PathBuf {
        let text = Value::Object(self.record).to_string();
        put(&self.path, &text.as_bytes()[..text.len() / 2]);
        self.path
    }
}

/// `projects/<key>/<id>.jsonl`, to be written.
#[must_use = "nothing is written before `write`"]
#[derive(Clone, Debug)]
pub struct Transcript {
    path: PathBuf,
    id: String,
    cwd: PathBuf,
    at: SystemTime,
    entrypoint: &'static str,
    lines: Option<Vec<Value>>,
}

impl Transcript {
    /// Begun at that time instead of now. The file's own times are now, whatever it says.
    pub fn begun_at(mut self, at: SystemTime) -> Self {
        self.at = at;
        self
    }

    /// Written by `claude -p`, not by somebody at a terminal.
    pub fn scripted(mut self) -> Self {
        self.entrypoint = "sdk-cli";
        self
    }

    /// With these lines instead.
    pub fn lines(mut self, lines: impl IntoIterator<Item = Value>) -> Self {
        self.lines = Some(lines.into_iter().collect());
        self
    }

    /// In another project's folder, as after a move of the file.
    pub fn in_folder(mut self, folder: &Path) -> Self {
        self.path = folder.join(format!("{}.jsonl", self.id));
        self
    }

    /// Writes it, and returns its path.
    pub fn write(self) -> PathBuf {
        let mut text = String::new();
        for line in self.lines.clone().unwrap_or_else(|| self.conversation()) {
            text.push_str(&line.to_string());
            text.push('\n');
        }
        put(&self.path, text.as_bytes());
        self.path
    }

    /// One question and one answer, with the side lines that the real one puts before them.
    fn conversation(&self) -> Vec<Value> {
        let at = chrono::DateTime::<chrono::Utc>::from(self.at)
            .to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let opening = if self.entrypoint == "cli" {
            json!({ "type": "mode", "mode": "normal", "sessionId": self.id })
        } else {
            json!({ "type": "queue-operation", "operation": "enqueue", "timestamp": at, "sessionId": self.id })
        };
        let record = |number: u32, parent: Value, kind: &str, message: Value| {
            json!({
                "parentUuid": parent,
                "isSidechain": false,
                "type": kind,
                "message": message,
                "uuid": conversation(0xfeed_0000 + number),
                "timestamp": at,
                "userType": "external",
                "entrypoint": self.entrypoint,
                "cwd": self.cwd,
                "sessionId": self.id,
                "version": "2.1.197",
            })
        };
        let question = record(
            1,
            Value::Null,
            "user",
            json!({ "role": "user", "content": "hello" }),
        );
        let answer = json!({
            "model": "claude-test", "id": "msg_1", "type": "message", "role": "assistant",
            "content": [{ "type": "text", "text": "Hello." }], "stop_reason": "end_turn",
        });
        let answer = record(2, question["uuid"].clone(), "assistant", answer);
        let snapshot = json!({
            "type": "file-history-snapshot", "messageId": question["uuid"],
            "snapshot": { "messageId": question["uuid"], "trackedFileBackups": {}, "timestamp": at },
            "isSnapshotUpdate": false,
        });
        vec![opening, snapshot, question, answer]
    }
}

impl From<&Session<'_>> for StandIn {
    fn from(session: &Session<'_>) -> Self {
        session.agent().clone()
    }
}

impl From<&StandIn> for StandIn {
    fn from(agent: &StandIn) -> Self {
        agent.clone()
    }
}

/// Which pids a record speaks of: of which machine, and of which pid namespace.
fn pid_domain() -> String {
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
    format!("linux:{}:{}", machine.trim(), namespace.display())
}

fn millis() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.ok()
        .and_then(|now| u64::try_from(now.as_millis()).ok())
        .expect("it is after 1970")
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a file lies in a folder"))
        .expect("a folder can be made");
    let mut file = fs::File::create(path).expect("an agent's file can be made");
    file.write_all(bytes)
        .expect("an agent's file can be written");
}
