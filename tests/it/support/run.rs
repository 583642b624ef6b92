//! Running headcount, and asking what it said.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;

use super::document::check_reports;
use super::machine::output_within;
use super::{Clock, Machine, Process};

/// No pass takes this long; one that does hangs.
const LIMIT: Duration = Duration::from_secs(120);

/// A pass to be run.
#[must_use = "nothing is run before `run`"]
pub struct Reconcile<'m> {
    machine: &'m Machine,
    command: Command,
    emits: bool,
    settles: Option<PathBuf>,
}

impl<'m> Reconcile<'m> {
    pub(super) fn on(machine: &'m Machine) -> Self {
        Self {
            machine,
            command: machine.headcount_command(&["reconcile", "--once"]),
            emits: true,
            settles: Some(machine.roll_path()),
        }
    }

    /// `--grace`, in seconds.
    pub fn grace(self, secs: u32) -> Self {
        self.arg("--grace").arg(secs.to_string())
    }

    /// `--spawn-grace`, in seconds.
    pub fn spawn_grace(self, secs: u32) -> Self {
        self.arg("--spawn-grace").arg(secs.to_string())
    }

    /// Without either grace: what one look proves is written.
    pub fn at_once(self) -> Self {
        self.grace(0).spawn_grace(0)
    }

    /// `--dry-run`
    pub fn dry_run(self) -> Self {
        self.arg("--dry-run")
    }

    /// `--detailed-exitcode`
    pub fn detailed_exitcode(self) -> Self {
        self.arg("--detailed-exitcode")
    }

    /// `--allow-mass-change`
    pub fn allow_mass_change(self) -> Self {
        self.arg("--allow-mass-change")
    }

    /// `--registry`
    pub fn registry(mut self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        self.settles = self.settles.map(|_| path.to_owned());
        self.arg("--registry").arg(path)
    }

    /// `--format`
    pub fn format(self, format: &str) -> Self {
        self.arg("--format").arg(format)
    }

    /// Any other argument.
    pub fn arg(mut self, arg: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    /// With this in its environment.
    pub fn env(mut self, key: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// Going by that clock.
    pub fn by(mut self, clock: &Clock) -> Self {
        self.command.envs(clock.environment());
        self
    }

    /// From another folder than the project.
    pub fn cwd(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Without `--emit-diff`.
    pub fn quiet(mut self) -> Self {
        self.emits = false;
        self
    }

    /// Without telling headcount first, in a container, that this is the roll's home.
    pub fn not_settled(mut self) -> Self {
        self.settles = None;
        self
    }

    /// The command that `run` would run.
    pub fn into_command(mut self) -> Command {
        if let Some(roll) = &self.settles {
            self.machine.settle(roll);
        }
        if self.emits {
            self.command.arg("--emit-diff");
        }
        self.command
    }

    /// Runs it.
    #[track_caller]
    pub fn run(self) -> Pass {
        Pass::of(self.into_command())
    }

    /// Starts it, so that something can happen while it runs.
    #[track_caller]
    pub fn start(self) -> Running {
        Running::of(self.into_command())
    }
}

/// A run of headcount that has not ended yet.
#[must_use = "it is still running: `finish` it"]
pub struct Running {
    child: Child,
}

impl Running {
    /// Starts any command.
    #[track_caller]
    pub fn of(mut command: Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} cannot be run: {error}"));
        Self { child }
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

    /// Waits for its end, and takes what it said.
    #[track_caller]
    pub fn finish(self) -> Pass {
        let output = self
            .child
            .wait_with_output()
            .expect("its output can be read");
        Pass::from(output)
    }
}

/// What a run of headcount said and returned.
#[must_use = "say what is expected of it, if only `.exits(0)`"]
#[derive(Debug)]
pub struct Pass {
    /// Its exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it logged.
    pub stderr: String,
}

impl Pass {
    /// Runs any command.
    #[track_caller]
    pub fn of(command: Command) -> Self {
        Self::from(output_within(LIMIT, command))
    }

    /// What was printed, after checking every report in it.
    #[track_caller]
    fn from(output: Output) -> Self {
        let stdout = String::from_utf8(output.stdout).expect("headcount prints UTF-8");
        check_reports(&stdout);
        Self {
            code: output.status.code(),
            stdout,
            stderr: String::from_utf8(output.stderr).expect("headcount logs UTF-8"),
        }
    }

    /// Fails the test unless it ended with that code.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "headcount ended otherwise.\n{}",
            self.said()
        );
        self
    }

    fn said(&self) -> String {
        format!(
            "standard output:\n{}\nstandard error:\n{}",
            self.stdout, self.stderr
        )
    }

    /// The report.
    #[track_caller]
    pub fn report(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no report ({error}).\n{}", self.said()))
    }

    #[track_caller]
    fn list(&self, key: &str) -> Vec<Value> {
        let report = self.report();
        let list = report[key].as_array();
        list.unwrap_or_else(|| panic!("`{key}` is no list in {report:#}"))
            .clone()
    }

    /// All drifts.
    #[track_caller]
    pub fn drifts(&self) -> Vec<Drift> {
        self.list("drifts").into_iter().map(Drift).collect()
    }

    /// The drift of a class (`A` to `D`) that is about a session.
    #[track_caller]
    pub fn drift(&self, class: &str, session: &str) -> Drift {
        let drifts = self.drifts();
        let mut found = drifts
            .iter()
            .filter(|d| d["class"] == class && d["session"] == session);
        let (first, more) = (found.next(), found.next());
        assert!(
            more.is_none(),
            "more than one drift {class} of {session} in {:#}",
            self.report()
        );
        first
            .unwrap_or_else(|| panic!("no drift {class} of {session} in {:#}", self.report()))
            .clone()
    }

    /// Fails the test if any drift is about that session.
    #[track_caller]
    pub fn has_no_drift(&self, session: &str) {
        let found: Vec<Drift> = self
            .drifts()
            .into_iter()
            .filter(|drift| drift["session"] == session)
            .collect();
        assert!(
            found.is_empty(),
            "a drift of {session}, where none was expected: {found:#?}"
        );
    }

    /// Fails the test if there is any drift.
    #[track_caller]
    pub fn has_no_drifts(&self) {
        let found = self.drifts();
        assert!(
            found.is_empty(),
            "drifts, where none were expected: {found:#?}"
        );
    }

    /// The notes of a kind.
    #[track_caller]
    pub fn notes(&self, kind: &str) -> Vec<Value> {
        self.list("notes")
            .into_iter()
            .filter(|note| note["kind"] == kind)
            .collect()
    }

    /// The only note of a kind.
    #[track_caller]
    pub fn note(&self, kind: &str) -> Value {
        let mut notes = self.notes(kind);
        assert_eq!(
            notes.len(),
            1,
            "not exactly one note `{kind}` in {:#}",
            self.report()
        );
        notes.remove(0)
    }

    /// The note of a kind about a session.
    #[track_caller]
    pub fn note_of(&self, kind: &str, session: &str) -> Value {
        let mut notes = self.notes(kind);
        notes.retain(|note| note["session"] == session);
        assert_eq!(
            notes.len(),
            1,
            "not exactly one note `{kind}` of {session} in {:#}",
            self.report()
        );
        notes.remove(0)
    }

    /// Fails the test if there is a note of that kind.
    #[track_caller]
    pub fn has_no_note(&self, kind: &str) {
        let found = self.notes(kind);
        assert!(
            found.is_empty(),
            "notes `{kind}`, where none were expected: {found:#?}"
        );
    }

    /// The drifts that are held for a reason (`not_home`, `mass_change`, …); at least one.
    #[track_caller]
    pub fn held(&self, reason: &str) -> Vec<Drift> {
        let mut drifts = self.drifts();
        drifts.retain(|drift| drift.held().as_deref() == Some(reason));
        assert!(
            !drifts.is_empty(),
            "nothing is held for `{reason}` in {:#}",
            self.report()
        );
        drifts
    }

    /// Whether every running row's session was seen or proven absent.
    #[track_caller]
    pub fn is_confirmed(&self) -> bool {
        self.report()["tmux_confirmed"] == true
    }

    /// The names of the live sessions.
    #[track_caller]
    pub fn alive(&self) -> Vec<String> {
        let names = self.list("tmux_sessions_alive");
        names
            .iter()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect()
    }

    /// Fails the test unless what was logged contains this.
    #[track_caller]
    pub fn complains_of(&self, text: &str) {
        assert!(
            self.stderr.contains(text),
            "nothing is said of `{text}`.\n{}",
            self.said()
        );
    }
}

/// One drift of a report. `drift["reason"]` is a key of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drift(Value);

impl Drift {
    /// Whether it was written.
    pub fn is_applied(&self) -> bool {
        self.0["applied"] == true
    }

    /// Whether it waits for its time.
    pub fn is_pending(&self) -> bool {
        self.0["pending"].is_object()
    }

    /// Why it is held, if it is: the word that programs match.
    pub fn held(&self) -> Option<String> {
        self.0["held"]["reason"].as_str().map(str::to_owned)
    }

    /// Whether any of its evidence contains that text.
    pub fn has_evidence(&self, text: &str) -> bool {
        self.0["evidence"].to_string().contains(text)
    }
}

impl Deref for Drift {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}
