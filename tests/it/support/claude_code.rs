//! The real Claude Code in a real tmux session, talking to a stand-in for its model API.

use std::cell::Cell;
use std::env;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Machine, Process, Session, cache, python, skip, wait_until, wait_until_or};

/// The key that Claude Code is told to have, and to have been approved.
const KEY: &str = "sk-test-000";

/// How long a key press may go without an effect before it is pressed again: a program that has just
/// drawn its screen may not read its keyboard yet.
const PATIENCE: Duration = Duration::from_secs(5);

/// Claude Code as it is installed, ready to be started on one machine.
pub struct ClaudeCode<'m> {
    machine: &'m Machine,
    api: Child,
    port: u16,
}

impl<'m> ClaudeCode<'m> {
    /// Makes everything ready for it on a machine: the model API, and a home in which it asks nothing before
    /// the first prompt. `None`, loudly, where it is not installed.
    #[must_use]
    pub fn on(machine: &'m Machine) -> Option<Self> {
        let Some(program) = cache::claude_code() else {
            let is_required = env::var("HEADCOUNT_REQUIRE_CLAUDE").is_ok_and(|value| value != "0");
            assert!(
                !is_required,
                "Claude Code is required, and not installed: run scripts/setup-tests"
            );
            skip("Claude Code is not installed; run scripts/setup-tests");
            return None;
        };
        symlink(program, machine.bin().join("claude")).expect("a link can be made");
        let mut api = machine
            .command(python())
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/claude_api/server.py"
            ))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let mut port = String::new();
        BufReader::new(api.stdout.take().expect("its output is a pipe"))
            .read_line(&mut port)
            .expect("the API says its port");
        let port = port.trim().parse().expect("the API says its port");

        let settings = json!({
            "hasCompletedOnboarding": true,
            "theme": "dark",
            "customApiKeyResponses": { "approved": [KEY], "rejected": [] },
            "projects": { machine.project().to_str().unwrap(): { "hasTrustDialogAccepted": true } },
        });
        fs::write(machine.home().join(".claude.json"), settings.to_string())
            .expect("its settings can be written");
        Some(Self { machine, api, port })
    }

    /// A session with a shell in it, in which `claude` can be typed.
    #[track_caller]
    pub fn shell(&self, name: &str) -> Talk<'m> {
        let session = self
            .machine
            .session(name)
            .env(
                "ANTHROPIC_BASE_URL",
                format!("http://127.0.0.1:{}", self.port),
            )
            .env("ANTHROPIC_API_KEY", KEY)
            .env("DISABLE_TELEMETRY", "1")
            .env("DISABLE_ERROR_REPORTING", "1")
            .env("DISABLE_AUTOUPDATER", "1")
            .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1")
            .start();
        Talk {
            machine: self.machine,
            session,
        }
    }

    /// A session in which somebody typed `claude`, and nothing else yet.
    #[track_caller]
    pub fn start(&self, name: &str) -> Talk<'m> {
        let talk = self.shell(name);
        talk.launch("claude");
        talk
    }
}

impl Drop for ClaudeCode<'_> {
    fn drop(&mut self) {
        // It ends with its input anyway; this only does not leave a zombie.
        let _ = self.api.kill();
        let _ = self.api.wait();
    }
}

/// A session with Claude Code in it, and somebody who types.
pub struct Talk<'m> {
    machine: &'m Machine,
    /// Its session. The pane's process is a shell.
    pub session: Session<'m>,
}

/// What Claude Code says of itself in `sessions/<pid>.json`.
#[derive(Clone, Debug)]
pub struct Record {
    /// The file.
    pub path: PathBuf,
    /// Its content.
    pub content: Value,
}

impl Record {
    /// The conversation that is live.
    #[track_caller]
    pub fn conversation(&self) -> String {
        self.content["sessionId"]
            .as_str()
            .expect("a record names its conversation")
            .to_owned()
    }

    /// `idle`, `busy`, `waiting`; nothing in its first moments.
    pub fn status(&self) -> &str {
        self.content["status"].as_str().unwrap_or_default()
    }

    /// The process it speaks of, if that still runs.
    pub fn process(&self) -> Option<Process> {
        let pid = u32::try_from(self.content["pid"].as_u64()?).ok()?;
        Process::find(pid)
    }
}

impl Talk<'_> {
    /// All records there are, of the living and of the dead.
    pub fn records(&self) -> Vec<Record> {
        let folder = self.machine.claude().root().join("sessions");
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "json")
            })
            // Written in place: one that cannot be parsed is being written, and is looked at again.
            .filter_map(|path| {
                let content = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
                Some(Record { path, content })
            })
            .collect()
    }

    /// The record of the Claude Code that was typed into this session's shell, if it runs.
    pub fn record(&self) -> Option<Record> {
        self.records()
            .into_iter()
            .find(|record| record.process().and_then(Process::parent) == Some(self.session.pid()))
    }

    /// The record of the `claude -p` that this one runs as a tool, if it does.
    pub fn nested_record(&self) -> Option<Record> {
        let outer = self.record()?.process()?;
        self.records().into_iter().find(|record| {
            let above = |process: Process| process.parent().and_then(Process::find);
            let ancestors = std::iter::successors(record.process().and_then(above), |&p| above(p));
            ancestors.into_iter().any(|ancestor| ancestor == outer)
        })
    }

    /// Its process. It must run.
    #[track_caller]
    pub fn process(&self) -> Process {
        let record = self.record().expect("Claude Code runs in this session");
        record.process().expect("a record is of a living process")
    }

    /// The conversation that is live. It must run.
    #[track_caller]
    pub fn conversation(&self) -> String {
        self.record()
            .expect("Claude Code runs in this session")
            .conversation()
    }

    /// The transcript of a conversation of this machine's project, whether it is there or not.
    pub fn transcript(&self, conversation: &str) -> PathBuf {
        self.machine
            .claude()
            .transcript_path(&self.machine.project(), conversation)
    }

    /// Types a command line into the shell that starts Claude Code, and waits for its prompt.
    #[track_caller]
    pub fn launch(&self, line: &str) {
        // A crash leaves the terminal as it was, and then Enter does not end the shell's line, but this does.
        self.session.pane.type_text(line);
        self.session.pane.press("C-j");
        self.wait("Claude Code to be ready", || self.has_status("idle"));
    }

    /// Types something that Claude Code answers, and waits for the end of its turn.
    #[track_caller]
    pub fn say(&self, text: &str) {
        let before = self.turns_ended();
        self.submit(text, || self.turns_ended() > before);
    }

    /// Has it run a command with its Bash tool, and waits for the dialog in which it asks whether it may.
    #[track_caller]
    pub fn ask_to_run(&self, command: &str) -> Turn<'_> {
        let turn = Turn {
            talk: self,
            ended_before: self.turns_ended(),
        };
        self.submit(&format!("RUN: {command}"), || self.has_status("waiting"));
        turn
    }

    /// `/clear`. Returns the new conversation, whose transcript exists.
    #[track_caller]
    pub fn clear(&self) -> String {
        let before = self.conversation();
        let is_other = || {
            self.record()
                .is_some_and(|record| record.conversation() != before)
        };
        self.submit("/clear", is_other);
        let new = self.conversation();
        wait_until("the transcript of a cleared conversation", || {
            let meta = fs::metadata(self.transcript(&new)).ok()?;
            (meta.len() > 0).then_some(())
        });
        new
    }

    /// `/exit`, and waits until it has gone.
    #[track_caller]
    pub fn exit(&self) {
        let process = self.process();
        self.submit("/exit", || !process.is_alive());
    }

    /// `kill -9`
    #[track_caller]
    pub fn crash(&self) {
        let process = self.process();
        process.signal(Signal::KILL);
        process.wait_for_end();
    }

    fn has_status(&self, status: &str) -> bool {
        self.record()
            .is_some_and(|record| record.status() == status)
    }

    /// Why each answer of the live conversation stopped where it did, as its transcript has it. A turn can be
    /// too short to show in the record's status.
    fn stop_reasons(&self) -> Vec<String> {
        let path = self
            .record()
            .map(|record| self.transcript(&record.conversation()));
        let text = path
            .and_then(|path| fs::read_to_string(path).ok())
            .unwrap_or_default();
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines
            .filter(|line| line["type"] == "assistant")
            .filter_map(|line| line["message"]["stop_reason"].as_str().map(str::to_owned))
            .collect()
    }

    fn turns_ended(&self) -> usize {
        self.stop_reasons()
            .iter()
            .filter(|reason| *reason == "end_turn")
            .count()
    }

    #[track_caller]
    fn wait_for(&self, what: &str, is_so: impl Fn(&Record) -> bool) {
        self.wait(what, || self.record().is_some_and(|record| is_so(&record)));
    }

    /// Types a text, waits until the prompt shows it, and sends it off.
    #[track_caller]
    fn submit(&self, text: &str, is_done: impl Fn() -> bool) {
        self.session.pane.type_text(text);
        self.wait(&format!("the prompt to show {text}"), || {
            let screen = self.session.screen();
            let prompt = screen.lines().rev().find(|line| line.starts_with('❯'));
            prompt.is_some_and(|prompt| prompt.contains(text))
        });
        self.press_until("Enter", &format!("an effect of {text}"), is_done);
    }

    #[track_caller]
    fn press_until(&self, key: &str, what: &str, is_done: impl Fn() -> bool) {
        let pressed: Cell<Option<Instant>> = Cell::new(None);
        self.wait(what, || {
            if is_done() {
                return true;
            }
            if pressed.get().is_none_or(|at| at.elapsed() > PATIENCE) {
                self.session.pane.press(key);
                pressed.set(Some(Instant::now()));
            }
            false
        });
    }

    #[track_caller]
    fn wait(&self, what: &str, is_so: impl Fn() -> bool) {
        let tell = || format!("{what}. {:#?}\n{}", self.records(), self.session.screen());
        wait_until_or(tell, || is_so().then_some(()));
    }
}

/// A turn in which Claude Code wants to call a tool.
pub struct Turn<'t> {
    talk: &'t Talk<'t>,
    ended_before: usize,
}

impl Turn<'_> {
    /// Answers yes to the question whether it may, and waits until the dialog is gone.
    #[track_caller]
    pub fn allow(&self) {
        let talk = self.talk;
        talk.press_until("Enter", "the dialog to close", || {
            !talk.has_status("waiting")
        });
    }

    /// Waits until it has said what came of it.
    #[track_caller]
    pub fn wait_for_end(&self) {
        let talk = self.talk;
        talk.wait("the end of a turn", || {
            talk.turns_ended() > self.ended_before
        });
    }
}
