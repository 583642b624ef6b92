//! headcount keeping watch: what it prints and logs, while it runs.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::Signal;
use serde_json::Value;

use super::document::check_reports;
use super::{Broker, Clock, Elsewhere, Machine, Process, wait_until, wait_until_or};

/// What `-vv` logs of each pass.
const A_PASS: &str = "a pass, because of: ";

/// A loop to be started.
#[must_use = "nothing is run before `start`"]
pub struct Watch<'m> {
    machine: &'m Machine,
    command: Command,
}

impl<'m> Watch<'m> {
    pub(super) fn on(machine: &'m Machine) -> Self {
        Self {
            machine,
            command: machine.headcount_command(&["reconcile", "--emit-diff", "-vv"]),
        }
    }

    pub(super) fn for_card(machine: &'m Machine, card: &str) -> Self {
        let arguments = ["worker", "--task", card, "--interval", "1", "-vv"];
        Self {
            machine,
            command: machine.headcount_command(&arguments),
        }
    }

    /// `--poll`, in seconds.
    pub fn every(self, secs: u32) -> Self {
        self.arg("--poll").arg(secs.to_string())
    }

    /// `--subscribe`, to this broker, without either grace.
    pub fn subscribe(self, broker: &Broker) -> Self {
        let port = broker.port().to_string();
        self.arg("--subscribe")
            .at_once()
            .env("MQTT_PORT", port)
            .env("RECONCILE_POLL_INTERVAL", "1")
    }

    /// `--grace`, in seconds.
    pub fn grace(self, secs: u32) -> Self {
        self.arg("--grace").arg(secs.to_string())
    }

    /// Without either grace: what one look proves is written.
    pub fn at_once(self) -> Self {
        self.grace(0).arg("--spawn-grace").arg("0")
    }

    /// Any other argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// With this in its environment.
    pub fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Going by that clock.
    pub fn by(mut self, clock: &Clock) -> Self {
        self.command.envs(clock.environment());
        self
    }

    /// In these circumstances. To be called last.
    pub fn elsewhere(mut self, elsewhere: &Elsewhere) -> Self {
        self.command = elsewhere.command(&self.command);
        self
    }

    /// Starts it, and waits until it listens: its first pass is made.
    #[track_caller]
    pub fn start(self) -> Watching {
        let watching = self.start_anyway();
        watching.wait_for_passes(1);
        watching
    }

    /// Starts it, and waits for nothing.
    #[track_caller]
    pub fn start_anyway(self) -> Watching {
        self.machine.settle(&self.machine.roll_path());
        Watching::of(self.command)
    }
}

type Lines = Arc<Mutex<Vec<String>>>;

fn lines_of(from: impl Read + Send + 'static) -> Lines {
    let lines = Lines::default();
    let into = Arc::clone(&lines);
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            into.lock().expect("nobody panics with it").push(line);
        }
    });
    lines
}

/// A loop that runs. It is killed when this is dropped.
pub struct Watching {
    child: Child,
    stdout: Lines,
    stderr: Lines,
}

impl Watching {
    /// Starts any command.
    #[track_caller]
    pub fn of(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
        let stdout = lines_of(child.stdout.take().expect("it was piped"));
        let stderr = lines_of(child.stderr.take().expect("it was piped"));
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Its process.
    #[track_caller]
    pub fn process(&self) -> Process {
        Process::find(self.child.id()).expect("it still runs")
    }

    /// Sends it a signal.
    #[track_caller]
    pub fn signal(&self, signal: Signal) {
        self.process().signal(signal);
    }

    /// What it has printed, line by line.
    pub fn printed(&self) -> Vec<String> {
        self.stdout.lock().expect("nobody panics with it").clone()
    }

    /// What it has logged, line by line.
    pub fn logged(&self) -> Vec<String> {
        self.stderr.lock().expect("nobody panics with it").clone()
    }

    /// The reports it has printed.
    #[track_caller]
    pub fn reports(&self) -> Vec<Value> {
        self.printed()
            .iter()
            .map(|line| {
                check_reports(line);
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
            })
            .collect()
    }

    /// Why each pass that has begun was made.
    pub fn passes(&self) -> Vec<String> {
        self.logged()
            .iter()
            .filter_map(|line| line.split_once(A_PASS))
            .map(|(_, why)| why.to_owned())
            .collect()
    }

    /// Waits until that many passes are done.
    #[track_caller]
    pub fn wait_for_passes(&self, many: usize) {
        wait_until_or(
            || format!("{many} passes; {}", self.said()),
            || {
                let done = |line: &&String| line.contains("looked");
                (self.logged().iter().filter(done).count() >= many).then_some(())
            },
        );
    }

    /// Waits until a pass has been made for a reason, and returns how many have begun by then.
    #[track_caller]
    pub fn wait_for_pass(&self, why: &str) -> usize {
        wait_until_or(
            || format!("a pass because of `{why}`; {}", self.said()),
            || {
                let passes = self.passes();
                passes
                    .iter()
                    .any(|pass| pass.contains(why))
                    .then_some(passes.len())
            },
        )
    }

    /// Waits until a report is printed that is as wanted, and returns it.
    #[track_caller]
    pub fn wait_for_report(&self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        wait_until_or(
            || format!("a report of {what}; {}", self.said()),
            || self.reports().into_iter().find(|report| wanted(report)),
        )
    }

    /// Waits until a report tells of a drift of a class about a session, and returns the drift.
    #[track_caller]
    pub fn wait_for_drift(
        &self,
        class: &str,
        session: &str,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let find = |report: &Value| {
            let drifts = report["drifts"].as_array()?;
            drifts
                .iter()
                .find(|d| d["class"] == class && d["session"] == session && wanted(d))
                .cloned()
        };
        let report = self.wait_for_report(&format!("{class} of {session}"), |r| find(r).is_some());
        find(&report).expect("it was just found")
    }

    /// Waits until it has logged something.
    #[track_caller]
    pub fn wait_for_word(&self, word: &str) {
        wait_until_or(
            || format!("`{word}`; {}", self.said()),
            || {
                self.logged()
                    .iter()
                    .any(|line| line.contains(word))
                    .then_some(())
            },
        );
    }

    /// How often it has logged something.
    pub fn says(&self, word: &str) -> usize {
        let logged = self.logged();
        logged.iter().filter(|line| line.contains(word)).count()
    }

    /// Waits for its end, and returns its code.
    #[track_caller]
    pub fn end(&mut self) -> Option<i32> {
        wait_until("the end of a loop", || {
            self.child.try_wait().expect("it can be waited for")
        })
        .code()
    }

    /// Whether it still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("it can be asked").is_none()
    }

    /// All that it has said, for whoever has to find out what went wrong.
    pub fn said(&self) -> String {
        format!(
            "standard output:\n{}\nstandard error:\n{}",
            self.printed().join("\n"),
            self.logged().join("\n")
        )
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
