//! A private machine: folders, a cleared environment, and everything that was started on it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Signal, getuid};
use tempfile::TempDir;

use super::broker::{Broker, BrokerBuilder};
use super::clock::Clock;
use super::tmux::SessionBuilder;
use super::{
    Agy, Claude, Elsewhere, Footprint, JobRecord, Pass, Process, Reconcile, Roll, RollBuilder,
    Server, Skill, Watch, wait_until,
};

/// The first pid namespace of a Linux machine: what runs in it is not in a container.
const FIRST_NAMESPACE: &str = "pid:[4026531836]";

/// What every process that is started on a machine has in its environment, so that none is left behind.
const MARK: &str = "HEADCOUNT_TEST_MACHINE";

/// See the module's documentation.
#[derive(Debug)]
pub struct Machine {
    folder: TempDir,
    folders_made: Cell<u32>,
    settled: RefCell<BTreeSet<PathBuf>>,
}

impl Machine {
    /// A machine with nothing on it but an empty project.
    ///
    /// It lies in `/tmp` and has a short name, since a socket's path may have 107 bytes and no more.
    #[must_use]
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("hc-")
            .tempdir_in("/tmp")
            .expect("a folder can be made in /tmp");
        let machine = Self {
            folder,
            folders_made: Cell::new(0),
            settled: RefCell::default(),
        };
        for folder in [
            machine.home(),
            machine.tmux_folder(),
            machine.bin(),
            machine.project().join(".hermes"),
        ] {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .expect("a folder can be made");
        }
        machine
    }

    /// The folder everything of this machine is in.
    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    /// `HOME`.
    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    /// `TMUX_TMPDIR`. tmux puts its sockets in `tmux-<uid>` below it.
    pub fn tmux_folder(&self) -> PathBuf {
        self.root().join("tmux")
    }

    /// A folder that comes first in `PATH`, and is empty.
    pub fn bin(&self) -> PathBuf {
        self.root().join("bin")
    }

    fn path(&self) -> OsString {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(self.bin()).chain(std::env::split_paths(&inherited));
        std::env::join_paths(folders).expect("what was split can be joined")
    }

    /// Where `tmux -L NAME` has its socket.
    pub fn socket(&self, name: &str) -> PathBuf {
        let uid = getuid().as_raw();
        self.tmux_folder().join(format!("tmux-{uid}")).join(name)
    }

    /// `AGENT_SESSIONS_STATE_DIR`. Made by headcount, when it needs it.
    pub fn state(&self) -> PathBuf {
        self.root().join("state")
    }

    /// The folder with the roll, in which headcount and the agents run where nothing else is said.
    pub fn project(&self) -> PathBuf {
        self.root().join("project")
    }

    /// The roll's path. It is written by [`Machine::roll`] or [`Machine::write_roll`].
    pub fn roll_path(&self) -> PathBuf {
        self.project().join(".hermes/agent-sessions.yaml")
    }

    /// A folder of that name (`a/b c`), made where it is missing.
    pub fn folder(&self, name: &str) -> PathBuf {
        let path = self.root().join(name);
        fs::create_dir_all(&path).expect("a folder can be made");
        path
    }

    /// A new empty folder.
    pub fn new_folder(&self, kind: &str) -> PathBuf {
        let number = self.folders_made.get();
        self.folders_made.set(number + 1);
        self.folder(&format!("made/{kind}-{number}"))
    }

    /// A `PATH` on which `tmux` is this shell script, in which `$TMUX_ITSELF` is the real one.
    pub fn path_with_tmux(&self, script: &str) -> OsString {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let real = std::env::split_paths(&path)
            .map(|folder| folder.join("tmux"))
            .find(|file| file.is_file())
            .expect("tmux is not installed: run scripts/setup-tests");
        let folder = self.new_folder("bin");
        let text = format!("#!/bin/sh\nTMUX_ITSELF='{}'\n{script}\n", real.display());
        let program = folder.join("tmux");
        fs::write(&program, text).expect("a script can be written");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))
            .expect("a script can be made a program");
        std::env::join_paths(std::iter::once(folder).chain(std::env::split_paths(&path)))
            .expect("a machine's paths are without colons")
    }

    /// From here on tmux servers, and what runs in them, are started in these circumstances.
    pub fn run_tmux_through(&self, elsewhere: &Elsewhere) {
        let wrapped = elsewhere.command(&Command::new("tmux"));
        let words: Vec<String> = std::iter::once(wrapped.get_program())
            .chain(wrapped.get_args())
            .map(|word| format!("'{}'", word.to_string_lossy()))
            .collect();
        // This machine's own programs come first in `PATH`: the real one is behind them.
        let script = format!(
            "#!/bin/sh\nPATH=\"${{PATH#*:}}\"\nexec {} \"$@\"\n",
            words.join(" ")
        );
        let program = self.bin().join("tmux");
        fs::write(&program, script).expect("a script can be written");
        fs::set_permissions(program, fs::Permissions::from_mode(0o755))
            .expect("a script can be made a program");
    }

    /// The value of [`MARK`] by which this machine's processes are known.
    fn mark(&self) -> &str {
        self.root().to_str().expect("a machine's paths are text")
    }

    /// A program, to be run in the project with this machine's environment. Of the caller's it has only `PATH`,
    /// behind [`Machine::bin`].
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env(MARK, self.mark())
            .env("PATH", self.path())
            .env("HOME", self.home())
            .env("LANG", "C.UTF-8")
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm-256color")
            .env("TMUX_TMPDIR", self.tmux_folder())
            .env("AGENT_SESSIONS_STATE_DIR", self.state())
            .current_dir(self.project())
            .stdin(Stdio::null());
        command
    }

    /// The tmux server of that name (`tmux -L NAME`), running or not. `default` is the default one.
    pub fn server(&self, name: &str) -> Server<'_> {
        Server::named(self, name)
    }

    /// The tmux server of that socket (`tmux -S PATH`), running or not.
    pub fn server_at(&self, socket: impl Into<PathBuf>) -> Server<'_> {
        Server::at(self, socket.into())
    }

    /// A session to be started.
    pub fn session(&self, name: &str) -> SessionBuilder<'_> {
        SessionBuilder::new(self, name)
    }

    /// Claude Code's files below this machine's home.
    pub fn claude(&self) -> Claude {
        Claude::at(self.home().join(".claude"))
    }

    /// Claude Code's files below another root (`CLAUDE_CONFIG_DIR`).
    pub fn claude_at(&self, root: impl Into<PathBuf>) -> Claude {
        Claude::at(root.into())
    }

    /// agy's files below this machine's home.
    pub fn agy(&self) -> Agy {
        Agy::at(self.home().join(".gemini/antigravity-cli"))
    }

    /// agy's files below another root.
    pub fn agy_at(&self, root: impl Into<PathBuf>) -> Agy {
        Agy::at(root.into())
    }

    /// A roll to be written to [`Machine::roll_path`].
    pub fn roll(&self) -> RollBuilder {
        RollBuilder::at(self.roll_path())
    }

    /// A session of that name was on the default server, where a pass saw it as a row's, and has ended since. So
    /// it is known where it was, whatever the roll that is written next says of it. Another one has to keep the server.
    #[track_caller]
    pub fn lived(&self, name: &str) {
        let session = self.session(name).start();
        self.roll().row(name).write();
        self.reconcile().at_once().run().exits(0).has_no_drifts();
        session.kill();
    }

    /// Writes a roll, byte for byte.
    pub fn write_roll(&self, text: impl AsRef<[u8]>) {
        fs::write(self.roll_path(), text).expect("the roll can be written");
    }

    /// The roll's bytes, as text.
    pub fn roll_text(&self) -> String {
        fs::read_to_string(self.roll_path()).expect("the roll can be read")
    }

    /// The roll, as `PyYAML` reads it.
    #[track_caller]
    pub fn read_roll(&self) -> Roll {
        Roll::read(&self.roll_path())
    }

    /// One row of the roll, as `PyYAML` reads it.
    #[track_caller]
    pub fn row(&self, name: &str) -> serde_json::Value {
        self.read_roll().row(name).clone()
    }

    /// Another program that writes to the roll.
    pub fn skill(&self) -> Skill {
        Skill::writing(self.roll_path())
    }

    /// A system clock that can be set; `None`, and a loud word, where that is not possible.
    pub fn clock(&self) -> Option<Clock> {
        Clock::on(self)
    }

    /// A real Mosquitto, to be started.
    pub fn broker(&self) -> BrokerBuilder {
        Broker::on(self)
    }

    /// Waits until the end of a job is on disk that no pass has seen to.
    #[track_caller]
    pub fn wait_until_kept(&self, job: &str) {
        wait_until("an event in the inbox", || {
            let folders = fs::read_dir(self.state()).ok()?;
            folders.flatten().find(|folder| {
                fs::read_to_string(folder.path().join("inbox")).is_ok_and(|it| it.contains(job))
            })
        });
    }

    /// Whether headcount has on disk that a job has ended: in its inbox, or, once a pass has seen to it, in its
    /// ledger.
    pub fn knows_end_of(&self, job: &str) -> bool {
        let files = |name: &'static str| {
            let rolls = fs::read_dir(self.state()).into_iter().flatten().flatten();
            rolls.filter_map(move |roll| fs::read(roll.path().join(name)).ok())
        };
        // In this order: that is how it goes from one to the other.
        let in_inbox = files("inbox").any(|inbox| {
            let text = String::from_utf8_lossy(&inbox).into_owned();
            text.contains(&format!("\"{job}\""))
        });
        in_inbox
            || files("ledger.json").any(|ledger| {
                let ledger: serde_json::Value =
                    serde_json::from_slice(&ledger).expect("a ledger is replaced as a whole");
                let jobs = ledger["jobs"].as_array().expect("they are a list");
                jobs.iter()
                    .any(|known| known["id"] == job && !known["heard"].is_null())
            })
    }

    /// A job's record, `running` until told otherwise, and of no session.
    pub fn job(&self, id: &str) -> JobRecord {
        JobRecord::of(self, id)
    }

    /// Waits until headcount's memory of this machine contains a text: so a look is known to have been made,
    /// and to be kept.
    #[track_caller]
    pub fn wait_until_remembered(&self, text: &str) {
        wait_until(&format!("{text} in a ledger"), || {
            Footprint::of(&[&self.state()])
                .has("ledger.json", text)
                .then_some(())
        });
    }

    /// Everything headcount could have written to: project, home and state folder.
    pub fn footprint(&self) -> Footprint {
        Footprint::of(&[&self.project(), &self.home(), &self.state()])
    }

    /// A pass to be run: `headcount reconcile --once --emit-diff`.
    pub fn reconcile(&self) -> Reconcile<'_> {
        Reconcile::on(self)
    }

    /// A loop to be started: `headcount reconcile --emit-diff -vv`, to which `.every(SECS)` adds `--poll`.
    pub fn watch(&self) -> Watch<'_> {
        Watch::on(self)
    }

    /// A worker on a kanban card.
    pub fn worker(&self, card: &str) -> Watch<'_> {
        Watch::for_card(self, card)
    }

    /// Runs any other `headcount` command.
    pub fn headcount(&self, args: &[&str]) -> Pass {
        Pass::of(self.headcount_command(args))
    }

    /// `headcount`, with arguments, to be run on this machine.
    pub fn headcount_command(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_headcount"));
        command.args(args);
        command
    }

    /// Makes this machine the home of a roll where it is not by itself: in a container a person has to say
    /// so once, with `headcount init`. Every pass does it first, unless told otherwise.
    pub fn settle(&self, roll: &Path) {
        if !in_a_container() || !roll.is_file() || !self.settled.borrow_mut().insert(roll.into()) {
            return;
        }
        let mut init = self.headcount_command(&["init", "--registry"]);
        init.arg(roll);
        // On a roll that is broken on purpose this fails, as it should; then no row is ended anyway.
        let _ = output_within(Duration::from_secs(60), init);
    }

    /// The living processes that were started on this machine.
    pub fn processes(&self) -> Vec<Process> {
        let mark = format!("{MARK}={}", self.mark());
        Process::all()
            .into_iter()
            .filter(|process| process.was_started_with(&mark))
            .collect()
    }
}

impl Drop for Machine {
    /// Ends every process that was started here, tmux servers and what outlived them included.
    fn drop(&mut self) {
        // Twice, since a process may have started another while it was being ended.
        for _ in 0..2 {
            for process in self.processes() {
                process.signal(Signal::KILL);
            }
        }
    }
}

/// Whether these tests run in a container, where headcount is at home nowhere until it is told.
pub fn in_a_container() -> bool {
    fs::read_link("/proc/self/ns/pid").is_ok_and(|link| link != Path::new(FIRST_NAMESPACE))
}

/// Runs a program to its end, which must come in time.
#[track_caller]
pub fn output_within(limit: Duration, command: Command) -> Output {
    let shown = format!("{command:?}");
    let start = Instant::now();
    let output = assert_cmd::Command::from_std(command)
        .timeout(limit)
        .output()
        .unwrap_or_else(|error| panic!("{shown} cannot be run: {error}"));
    assert!(
        start.elapsed() < limit,
        "{shown} was still running after {} s",
        limit.as_secs()
    );
    output
}
