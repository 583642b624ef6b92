//! Real tmux servers and sessions, all of them private to one machine.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rustix::process::Signal;

use super::agent::{Prepared, Start};
use super::{Agent, Machine, Process, StandIn, wait_until};

/// A tmux server of a machine, running or not.
#[derive(Clone)]
pub struct Server<'m> {
    machine: &'m Machine,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    /// `tmux -L`
    Name(String),
    /// `tmux -S`
    Socket(PathBuf),
}

impl fmt::Debug for Server<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.place.fmt(f)
    }
}

/// The tmux folder below a `TMUX_TMPDIR`, made as tmux makes it.
#[must_use]
pub fn tmux_folder_in(tmux_tmpdir: &Path) -> PathBuf {
    let folder = tmux_tmpdir.join(format!("tmux-{}", rustix::process::getuid().as_raw()));
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .expect("a folder can be made");
    folder
}

impl<'m> Server<'m> {
    pub(super) fn named(machine: &'m Machine, name: &str) -> Self {
        Self {
            machine,
            place: Place::Name(name.to_owned()),
        }
    }

    pub(super) fn at(machine: &'m Machine, socket: PathBuf) -> Self {
        Self {
            machine,
            place: Place::Socket(socket),
        }
    }

    /// `tmux` for this server, without a configuration, to be given a command.
    pub fn command(&self) -> Command {
        let mut command = self.machine.command("tmux");
        match &self.place {
            Place::Name(name) => command.arg("-L").arg(name),
            Place::Socket(path) => command.arg("-S").arg(path),
        };
        command.args(["-u", "-f", "/dev/null"]);
        command
    }

    /// Runs a tmux command, which may fail.
    pub fn try_run(&self, args: &[&str]) -> Output {
        self.command()
            .args(args)
            .output()
            .expect("tmux is not installed: run scripts/setup-tests")
    }

    /// Runs a tmux command and returns what it printed.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> String {
        let output = self.try_run(args);
        assert!(
            output.status.success(),
            "tmux {args:?} failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("tmux -u prints UTF-8")
    }

    /// What a row's `tmux_server` says for it.
    pub fn name(&self) -> String {
        match &self.place {
            Place::Name(name) => name.clone(),
            Place::Socket(path) => path
                .to_str()
                .expect("a machine's paths are text")
                .to_owned(),
        }
    }

    /// Its socket.
    pub fn socket(&self) -> PathBuf {
        match &self.place {
            Place::Name(name) => self.machine.socket(name),
            Place::Socket(path) => path.clone(),
        }
    }

    /// Its process. The server must run.
    #[track_caller]
    pub fn process(&self) -> Process {
        let pid = self.run(&["display-message", "-p", "#{pid}"]);
        Process::find(pid.trim().parse().expect("tmux prints a pid")).expect("the server runs")
    }

    /// The names of its sessions; none when it does not run.
    pub fn sessions(&self) -> Vec<String> {
        let output = self.try_run(&["list-sessions", "-F", "#{session_name}"]);
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// `kill-server`, and waits until it has ended. Its socket file stays.
    #[track_caller]
    pub fn kill(&self) {
        let process = self.process();
        self.run(&["kill-server"]);
        process.wait_for_end();
    }

    /// The server crashes (SIGKILL).
    #[track_caller]
    pub fn crash(&self) {
        let process = self.process();
        process.signal(Signal::KILL);
        process.wait_for_end();
    }

    /// Sets a global option (`exit-empty`, …) on the running server.
    #[track_caller]
    pub fn set_option(&self, option: &str, value: &str) {
        self.run(&["set-option", "-g", option, value]);
    }
}

/// A session to be started.
#[must_use = "nothing is started before `start`"]
pub struct SessionBuilder<'m> {
    server: Server<'m>,
    name: String,
    cwd: PathBuf,
    environment: Vec<(String, OsString)>,
    group: Option<String>,
    remains_on_exit: bool,
    agent: Option<Agent>,
    argv: Option<Vec<String>>,
}

impl<'m> SessionBuilder<'m> {
    pub(super) fn new(machine: &'m Machine, name: &str) -> Self {
        Self {
            server: machine.server("default"),
            name: name.to_owned(),
            cwd: machine.project(),
            environment: Vec::new(),
            group: None,
            remains_on_exit: false,
            agent: None,
            argv: None,
        }
    }

    /// On the server of that name (`tmux -L`) instead of the default one.
    pub fn server(mut self, name: &str) -> Self {
        self.server = Server::named(self.server.machine, name);
        self
    }

    /// On the server of that socket (`tmux -S`).
    pub fn socket(mut self, path: impl Into<PathBuf>) -> Self {
        self.server = Server::at(self.server.machine, path.into());
        self
    }

    /// In that folder instead of the project.
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cwd = folder.into();
        self
    }

    /// With this in its environment.
    pub fn env(mut self, key: &str, value: impl Into<OsString>) -> Self {
        self.environment.push((key.to_owned(), value.into()));
        self
    }

    /// As a second session with the windows and panes of another (`new-session -t`).
    pub fn beside(mut self, other: &Session<'_>) -> Self {
        self.group = Some(other.id.clone());
        self
    }

    /// Its panes stay, dead, when their programs end.
    pub fn remaining_on_exit(mut self) -> Self {
        self.remains_on_exit = true;
        self
    }

    /// With this agent in its pane. Without one it runs a shell.
    pub fn running(mut self, agent: impl Into<Agent>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// With any real program as its pane's process.
    pub fn executing(mut self, argv: &[&str]) -> Self {
        self.argv = Some(argv.iter().map(|&arg| arg.to_owned()).collect());
        self
    }

    /// Starts it, and its agent, and waits until both are there.
    #[track_caller]
    pub fn start(self) -> Session<'m> {
        let launch = self
            .agent
            .as_ref()
            .map(|agent| Launch::of(self.server.machine, agent));
        let mut command = self.server.command();
        command.args([
            "new-session",
            "-d",
            "-P",
            "-F",
            PLACE,
            "-s",
            &self.name,
            "-x",
            "100",
            "-y",
            "40",
        ]);
        match &self.group {
            Some(other) => {
                command.args(["-t", other]);
            }
            None => {
                command.arg("-c").arg(&self.cwd);
                for (key, value) in &self.environment {
                    let mut pair = OsString::from(key);
                    pair.push("=");
                    pair.push(value);
                    command.arg("-e").arg(pair);
                }
                match (&launch, &self.argv) {
                    (Some(launch), _) => command.args(&launch.pane),
                    (None, Some(argv)) => command.args(argv),
                    (None, None) => command.args(SHELL),
                };
            }
        }
        if self.remains_on_exit {
            command.args([";", "set-option", "-w", "remain-on-exit", "on"]);
        }
        let output = command
            .output()
            .expect("tmux is not installed: run scripts/setup-tests");
        assert!(
            output.status.success(),
            "tmux new-session failed: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let place = String::from_utf8(output.stdout).expect("tmux -u prints UTF-8");
        let mut words = place.split_whitespace();
        let mut word = || {
            words
                .next()
                .expect("tmux prints what it was asked for")
                .to_owned()
        };
        let session = Session {
            id: word(),
            pane: Pane {
                server: self.server.clone(),
                id: word(),
                pid: number(&word()),
                agent: None,
            },
            created: word().parse().expect("tmux prints a time"),
            name: self.name,
            cwd: self.cwd,
            server: self.server,
        };
        session.with_agent(launch)
    }
}

/// What is asked of tmux about a new session or pane, all of it without blanks.
const PLACE: &str = "#{session_id} #{pane_id} #{pane_pid} #{session_created}";

/// An interactive shell. Two words, so that tmux runs it without another shell around it.
const SHELL: [&str; 2] = ["/bin/sh", "-i"];

fn number(word: &str) -> u32 {
    word.parse().expect("tmux prints a pid")
}

/// How an agent is brought into a pane: what the pane runs, and what is typed into it.
struct Launch {
    pane: Vec<String>,
    typed: Option<String>,
    agent: Prepared,
}

impl Launch {
    fn of(machine: &Machine, agent: &Agent) -> Self {
        let prepared = agent.prepare(machine);
        let (pane, typed) = match agent.start() {
            Start::Directly => (prepared.argv.clone(), None),
            Start::Typed => (
                SHELL.map(str::to_owned).to_vec(),
                Some(prepared.argv.join(" ")),
            ),
            Start::Script => {
                let script = machine.new_folder("script").join("start.sh");
                let text = format!("#!/bin/sh\n{}\n:\n", prepared.argv.join(" "));
                std::fs::write(&script, text).expect("a script can be written");
                let script = script
                    .to_str()
                    .expect("a machine's paths are text")
                    .to_owned();
                (vec!["/bin/sh".to_owned(), script], None)
            }
        };
        Self {
            pane,
            typed,
            agent: prepared,
        }
    }

    #[track_caller]
    fn finish(self, pane: &Pane<'_>) -> StandIn {
        if let Some(line) = &self.typed {
            pane.type_line(line);
        }
        self.agent.wait()
    }
}

/// A session that was started.
#[derive(Clone, Debug)]
pub struct Session<'m> {
    /// The name it was asked to have. tmux may have changed it: see [`Session::name_in_tmux`].
    pub name: String,
    /// `$0`, …
    pub id: String,
    /// When tmux made it, in seconds since the epoch.
    pub created: i64,
    /// Its first pane.
    pub pane: Pane<'m>,
    /// The folder it was started in.
    pub cwd: PathBuf,
    /// Its server.
    pub server: Server<'m>,
}

/// A pane of a session.
#[derive(Clone, Debug)]
pub struct Pane<'m> {
    server: Server<'m>,
    /// `%0`, …
    pub id: String,
    /// The pid of its first process.
    pub pid: u32,
    agent: Option<StandIn>,
}

impl<'m> Session<'m> {
    #[track_caller]
    fn with_agent(mut self, launch: Option<Launch>) -> Self {
        self.pane.agent = launch.map(|launch| launch.finish(&self.pane));
        self
    }

    /// The agent it was started with.
    #[track_caller]
    pub fn agent(&self) -> &StandIn {
        self.pane.agent()
    }

    /// The pid of its first pane's first process.
    pub fn pid(&self) -> u32 {
        self.pane.pid
    }

    /// The name tmux gave it.
    #[track_caller]
    pub fn name_in_tmux(&self) -> String {
        let name = self
            .server
            .run(&["display-message", "-p", "-t", &self.id, "#{session_name}"]);
        name.trim_end_matches('\n').to_owned()
    }

    /// What tmux calls its pane's program.
    #[track_caller]
    pub fn command_in_tmux(&self) -> String {
        self.pane.format("#{pane_current_command}")
    }

    /// `kill-session`, and waits until the processes of its panes have ended, all but those that ignore it.
    #[track_caller]
    pub fn kill(&self) {
        let pids = self
            .server
            .run(&["list-panes", "-s", "-t", &self.id, "-F", "#{pane_pid}"]);
        let processes: Vec<Process> = pids.lines().map(number).filter_map(Process::find).collect();
        self.server.run(&["kill-session", "-t", &self.id]);
        for process in processes {
            if !ignores_hangup(process) {
                process.wait_for_end();
            }
        }
    }

    /// `rename-session`.
    #[track_caller]
    pub fn rename(&self, name: &str) {
        self.server.run(&["rename-session", "-t", &self.id, name]);
    }

    /// A second window, with an agent in it.
    #[track_caller]
    pub fn new_window(&self, agent: impl Into<Agent>) -> Pane<'m> {
        self.add("new-window", &agent.into())
    }

    /// A second pane in its window, with an agent in it.
    #[track_caller]
    pub fn split(&self, agent: impl Into<Agent>) -> Pane<'m> {
        self.add("split-window", &agent.into())
    }

    #[track_caller]
    fn add(&self, what: &str, agent: &Agent) -> Pane<'m> {
        let launch = Launch::of(self.server.machine, agent);
        let cwd = self.cwd.to_str().expect("a machine's paths are text");
        let target = format!("{}:", self.id);
        let mut args = vec![what, "-d", "-P", "-F", PLACE, "-t", &target, "-c", cwd];
        args.extend(launch.pane.iter().map(String::as_str));
        let place = self.server.run(&args);
        let words: Vec<&str> = place.split_whitespace().collect();
        let mut pane = Pane {
            server: self.server.clone(),
            id: words[1].to_owned(),
            pid: number(words[2]),
            agent: None,
        };
        pane.agent = Some(launch.finish(&pane));
        pane
    }

    /// Types a line into its first pane, with Enter.
    #[track_caller]
    pub fn type_line(&self, line: &str) {
        self.pane.type_line(line);
    }

    /// What its first pane shows.
    #[track_caller]
    pub fn screen(&self) -> String {
        self.pane.screen()
    }
}

impl<'m> Pane<'m> {
    /// `respawn-pane -k`: the same pane, with another agent in a new process.
    #[track_caller]
    pub fn respawned(&self, agent: impl Into<Agent>) -> Pane<'m> {
        let launch = Launch::of(self.server.machine, &agent.into());
        let before = Process::find(self.pid);
        let mut args = vec!["respawn-pane", "-k", "-t", &self.id];
        args.extend(launch.pane.iter().map(String::as_str));
        self.server.run(&args);
        if let Some(before) = before {
            before.wait_for_end();
        }
        let mut pane = Pane {
            server: self.server.clone(),
            id: self.id.clone(),
            pid: number(&self.format("#{pane_pid}")),
            agent: None,
        };
        pane.agent = Some(launch.finish(&pane));
        pane
    }

    /// `join-pane`: moves it into a session's first window. A session whose only pane it was ends by that.
    #[track_caller]
    pub fn join(&self, other: &Session<'_>) {
        let target = format!("{}:", other.id);
        self.server
            .run(&["join-pane", "-d", "-s", &self.id, "-t", &target]);
    }

    /// The agent it was started with.
    #[track_caller]
    pub fn agent(&self) -> &StandIn {
        self.agent
            .as_ref()
            .expect("this pane was started with an agent")
    }

    /// A tmux format, expanded for it.
    #[track_caller]
    pub fn format(&self, format: &str) -> String {
        let text = self
            .server
            .run(&["display-message", "-p", "-t", &self.id, format]);
        text.trim_end_matches('\n').to_owned()
    }

    /// Types a text into it.
    #[track_caller]
    pub fn type_text(&self, text: &str) {
        self.server.run(&["send-keys", "-t", &self.id, "-l", text]);
    }

    /// Types a line into it, with Enter.
    #[track_caller]
    pub fn type_line(&self, line: &str) {
        self.type_text(line);
        self.press("Enter");
    }

    /// Presses a key of tmux's naming (`Enter`, `Escape`, `C-c`).
    #[track_caller]
    pub fn press(&self, key: &str) {
        self.server.run(&["send-keys", "-t", &self.id, key]);
    }

    /// What it shows.
    #[track_caller]
    pub fn screen(&self) -> String {
        self.server.run(&["capture-pane", "-p", "-t", &self.id])
    }

    /// Waits until its program has ended and tmux has seen it: for panes that remain on exit.
    #[track_caller]
    pub fn wait_until_dead(&self) {
        wait_until("a dead pane", || {
            (self.format("#{pane_dead}") == "1").then_some(())
        });
    }
}

/// Whether a process ignores SIGHUP, by the mask the kernel shows.
fn ignores_hangup(process: Process) -> bool {
    let path = Path::new("/proc")
        .join(process.pid.to_string())
        .join("status");
    std::fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}
