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
            "version": "2.1.197",
            "peerProtocol": 1,
            "kind": "interactive",
            "entrypoint": "cli",
            "name": "project-00",
            "nameSource": "derived",
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

    /// With what later versions say: of which machine and which pid namespace its pid is.
    pub fn in_domain(self, machine: &str, pid_namespace: &str) -> Self {
        self.set("pidDomain", format!("linux:{machine}:{pid_namespace}"))
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

    /// One question and one answer, between the side lines that the real one puts around them.
    fn conversation(&self) -> Vec<Value> {
        let at = chrono::DateTime::<chrono::Utc>::from(self.at)
            .to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let id = &self.id;
        let record = |number: u32, own: Value| {
            let parent = number
                .checked_sub(1)
                .map(|parent| conversation(0xfeed_0000 + parent));
            let mut record = json!({
                "parentUuid": parent, "isSidechain": false,
                "uuid": conversation(0xfeed_0000 + number), "timestamp": at,
                "userType": "external", "entrypoint": self.entrypoint, "cwd": self.cwd,
                "sessionId": id, "version": "2.1.197", "gitBranch": "HEAD",
            });
            for (key, value) in own.as_object().into_iter().flatten() {
                record[key] = value.clone();
            }
            record
        };
        let opening = if self.entrypoint == "cli" {
            vec![
                json!({ "type": "mode", "mode": "normal", "sessionId": id }),
                json!({ "type": "permission-mode", "permissionMode": "default", "sessionId": id }),
                json!({
                    "type": "file-history-snapshot", "messageId": conversation(0xfeed_0000),
                    "snapshot": {
                        "messageId": conversation(0xfeed_0000), "trackedFileBackups": {}, "timestamp": at,
                    },
                    "isSnapshotUpdate": false,
                }),
            ]
        } else {
            let line = |operation| {
                json!({
                    "type": "queue-operation", "operation": operation, "timestamp": at, "sessionId": id,
                })
            };
            vec![line("enqueue"), line("dequeue")]
        };
        let question = json!({ "type": "user", "message": { "role": "user", "content": "hello" } });
        let listing = json!({ "type": "attachment", "attachment": { "type": "skill_listing" } });
        let answer = json!({
            "type": "assistant",
            "message": {
                "id": "msg_1", "type": "message", "role": "assistant", "model": "stand-in",
                "content": [{ "type": "text", "text": "Hello." }], "stop_reason": "end_turn",
            },
        });
        let end = json!({ "type": "system", "subtype": "turn_duration", "durationMs": 53 });
        let turn = [question, listing, answer, end];
        opening
            .into_iter()
            .chain((0..).zip(turn).map(|(number, own)| record(number, own)))
            .collect()
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
