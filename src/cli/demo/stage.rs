//! A private machine for the demo: a folder with a home, a tmux server, stand-ins for agents, and a roll that
//! is wrong in all four ways.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::json;

use crate::cli::environment::Environment;

/// Its row says running; somebody killed it.
const GONE: &str = "shop-api-creator-claude";
/// It runs; no row says so.
const UNDECLARED: &str = "shop-docs-creator-claude";
/// It had its first message after its row was written.
const TALKING: &str = "shop-web-creator-claude";
/// Its conversation's file was removed.
const FORGOTTEN: &str = "shop-old-creator-claude";

/// The conversation of [`TALKING`].
const CONVERSATION: &str = "7f3a1c52-0000-4000-8000-000000000001";
/// The conversation that the row of [`FORGOTTEN`] still names.
const LOST: &str = "7f3a1c52-0000-4000-8000-000000000002";

/// What a stand-in runs: it waits for a line that never comes.
const WAIT: [&str; 2] = ["-c", "read line"];

/// The private machine. Dropping it ends its tmux server and removes its folder.
#[derive(Debug)]
pub(super) struct Stage {
    root: PathBuf,
    path: Option<OsString>,
}

/// A process of a stand-in.
struct Agent {
    pid: u32,
    /// When it began, in ticks since boot.
    start: String,
}

impl Stage {
    /// Makes it, and everything on it.
    pub(super) async fn set_up(path: Option<OsString>) -> anyhow::Result<Self> {
        if !Path::new("/proc/self/stat").exists() {
            bail!("the demo needs Linux: its stand-ins tell of themselves by what /proc says")
        }
        let stage = Self {
            root: new_folder()?,
            path,
        };
        for folder in [
            stage.socket().parent(),
            Some(&*stage.home().join(".claude/sessions")),
            Some(&*stage.transcripts()),
            Some(&*stage.project().join(".hermes")),
            Some(&*stage.root.join("bin")),
        ] {
            private_folder(folder.unwrap_or(&stage.root))?;
        }
        // An agent is known by the name it is started by; what it really is does not matter here.
        symlink("/bin/sh", stage.agent()).context("cannot make a stand-in for claude")?;

        let talking = stage.start(TALKING).await?;
        stage.start(UNDECLARED).await?;
        let gone = stage.start(GONE).await?;
        stage.end(GONE, gone.pid).await?;
        stage.write_conversation(&talking)?;
        stage.write_roll(&gone, &talking)?;
        Ok(stage)
    }

    /// The folder all of it is in.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// The state folder, which is not there yet.
    pub(super) fn state(&self) -> PathBuf {
        self.root.join("state")
    }

    /// The roll.
    pub(super) fn roll(&self) -> PathBuf {
        self.project().join(".hermes/agent-sessions.yaml")
    }

    /// What the environment would say on this machine: nothing that leads out of it.
    pub(super) fn environment(&self) -> Environment {
        Environment {
            home: Some(self.home()),
            tmux_tmpdir: Some(self.tmux_folder()),
            path: self.path.clone(),
            ..Environment::default()
        }
    }

    /// The names of its live sessions.
    pub(super) fn sessions(&self) -> anyhow::Result<Vec<String>> {
        let names = self.tmux(&["list-sessions", "-F", "#{session_name}"])?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    fn tmux_folder(&self) -> PathBuf {
        self.root.join("tmux")
    }

    /// Where tmux itself would have the default socket on this machine.
    fn socket(&self) -> PathBuf {
        let uid = rustix::process::getuid().as_raw();
        self.tmux_folder().join(format!("tmux-{uid}/default"))
    }

    fn project(&self) -> PathBuf {
        self.root.join("shop")
    }

    fn agent(&self) -> PathBuf {
        self.root.join("bin/claude")
    }

    /// Where Claude Code keeps the transcripts of the project.
    fn transcripts(&self) -> PathBuf {
        let project = self.project().to_string_lossy().into_owned();
        let key = project.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        self.home().join(".claude/projects").join(key)
    }

    /// Starts a stand-in in a session of its own.
    async fn start(&self, session: &str) -> anyhow::Result<Agent> {
        let (project, agent) = (self.project(), self.agent());
        let (project, agent) = (project.to_string_lossy(), agent.to_string_lossy());
        let shown = self.tmux(&[
            "new-session",
            "-d",
            "-P",
            "-F",
            "#{pane_pid}",
            "-s",
            session,
            "-c",
            &project,
            &agent,
            WAIT[0],
            WAIT[1],
        ])?;
        let pid = shown.trim().parse().context("tmux told no pane's pid")?;
        let start = until(|| start_of(pid, "claude")).await;
        let start = start.with_context(|| format!("the stand-in of {session} did not start"))?;
        Ok(Agent { pid, start })
    }

    /// Ends a session, and waits until its process has ended too.
    async fn end(&self, session: &str, pid: u32) -> anyhow::Result<()> {
        self.tmux(&["kill-session", "-t", &format!("={session}")])?;
        let process = PathBuf::from(format!("/proc/{pid}"));
        let ended = until(|| (!process.exists()).then_some(())).await;
        ended.with_context(|| format!("the stand-in of {session} did not end"))
    }

    /// What Claude Code writes of itself when a conversation has begun.
    fn write_conversation(&self, agent: &Agent) -> anyhow::Result<()> {
        let project = self.project();
        let record = json!({
            "pid": agent.pid,
            "sessionId": CONVERSATION,
            "cwd": project,
            "procStart": agent.start,
            "kind": "interactive",
            "entrypoint": "cli",
            "status": "idle",
        });
        let message = json!({
            "type": "user",
            "sessionId": CONVERSATION,
            "cwd": project,
            "entrypoint": "cli",
            "message": {"role": "user", "content": "Build the shop's front page"},
        });
        let sessions = self.home().join(".claude/sessions");
        write(
            &sessions.join(format!("{}.json", agent.pid)),
            &record.to_string(),
        )?;
        let transcript = self.transcripts().join(format!("{CONVERSATION}.jsonl"));
        write(&transcript, &format!("{message}\n"))
    }

    fn write_roll(&self, gone: &Agent, talking: &Agent) -> anyhow::Result<()> {
        let (gone, talking) = (gone.pid, talking.pid);
        let cwd = self.project();
        let cwd = cwd.display();
        let text = format!(
            "# Which agent sessions should run here.\n\
             tmux_sessions:\n\
             - name: {GONE}  # somebody killed it\n  \
               status: running\n  \
               pane: {{pid: {gone}, cmd: claude, cwd: \"{cwd}\"}}\n\
             - name: {TALKING}  # has had its first message since\n  \
               status: running\n  \
               pane: {{pid: {talking}, cmd: claude, cwd: \"{cwd}\"}}\n  \
               claude_session_id_own: null\n\
             - name: {FORGOTTEN}  # the file of its conversation was removed\n  \
               status: stopped\n  \
               pane: {{cwd: \"{cwd}\"}}\n  \
               claude_session_id_own: \"{LOST}\"\n"
        );
        write(&self.roll(), &text)
    }

    /// Runs tmux on this machine's own server and returns what it printed.
    fn tmux(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new("tmux");
        command
            .env_clear()
            .env("HOME", self.home())
            .env("TERM", "screen")
            .args(["-u", "-f", "/dev/null", "-S"])
            .arg(self.socket())
            .args(arguments)
            .stdin(Stdio::null());
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        let output = match command.output() {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bail!("tmux is not installed, and the demo needs it (Debian: apt-get install tmux)")
            }
            Err(error) => return Err(error).context("cannot run tmux"),
        };
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("tmux could not {}: {}", arguments.join(" "), said.trim());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if self.socket().exists()
            && let Err(error) = self.tmux(&["kill-server"])
        {
            tracing::debug!("{error:#}");
        }
        if let Err(error) = fs::remove_dir_all(&self.root) {
            tracing::warn!("cannot remove {}: {error}", self.root.display());
        }
    }
}

/// Makes a new folder. A socket's path may have some hundred bytes and no more, so it lies in /tmp and has a
/// short name.
fn new_folder() -> anyhow::Result<PathBuf> {
    let pid = std::process::id();
    for attempt in 0..100 {
        let folder = PathBuf::from(format!("/tmp/headcount-demo-{pid}-{attempt}"));
        match DirBuilder::new().mode(0o700).create(&folder) {
            // Where /tmp is a link, programs are told the folder by its real name.
            Ok(()) => return folder.canonicalize().context("cannot find the new folder"),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).context("cannot make a folder in /tmp"),
        }
    }
    bail!("cannot make a folder in /tmp: too many demos have left theirs")
}

fn private_folder(path: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make {}", path.display()))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// When a process of that name began, in ticks since boot, as the kernel and Claude Code both have it.
fn start_of(pid: u32, name: &str) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (before, after) = stat.rsplit_once(") ")?;
    let (_, called) = before.split_once('(')?;
    // The twenty-second field; the name is the second.
    let start = after.split(' ').nth(19)?;
    (called == name).then(|| start.to_owned())
}

/// Asks again and again, for a few seconds.
async fn until<T>(mut what: impl FnMut() -> Option<T>) -> Option<T> {
    for _ in 0..250 {
        if let Some(found) = what() {
            return Some(found);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    None
}
