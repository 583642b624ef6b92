//! Stand-in agents: real processes that have a coding agent's name and do nothing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Machine, Process, python, wait_until};

/// A process to be started, under the name of an agent (or of any other program).
///
/// It is Python behind a link of that name, so that the kernel's name for it and its first argument say
/// `claude`, as with the real program.
#[must_use]
#[derive(Clone, Debug)]
pub struct Agent {
    name: String,
    start: Start,
    runner: Option<String>,
    locks: Vec<PathBuf>,
    files: Vec<PathBuf>,
    children: Vec<Agent>,
    ignores_hangup: bool,
}

/// How an agent comes to run in its pane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Start {
    /// It is the pane's own process.
    Directly,
    /// Somebody typed its name into the shell that is the pane's process.
    Typed,
    /// A shell script, which is the pane's process, runs it.
    Script,
}

impl Agent {
    /// Claude Code's stand-in.
    pub fn claude() -> Self {
        Self::named("claude")
    }

    /// The Antigravity command line's stand-in.
    pub fn agy() -> Self {
        Self::named("agy")
    }

    /// A process of any name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            start: Start::Directly,
            runner: None,
            locks: Vec::new(),
            files: Vec::new(),
            children: Vec::new(),
            ignores_hangup: false,
        }
    }

    /// The pane's process is a shell, and somebody typed the agent's name into it. The shell stays when the
    /// agent ends.
    pub fn under_a_shell(mut self) -> Self {
        self.start = Start::Typed;
        self
    }

    /// The pane's process is a shell script that runs the agent, so that tmux names the script's shell as
    /// the pane's program. The pane ends when the agent ends.
    pub fn through_a_script(mut self) -> Self {
        self.start = Start::Script;
        self
    }

    /// The agent is a script of its name that an interpreter (`node`) runs.
    pub fn run_by(mut self, interpreter: &str) -> Self {
        self.runner = Some(interpreter.to_owned());
        self
    }

    /// It started another process, and waits for it: a tool, or a nested agent.
    pub fn with_child(mut self, child: impl Into<Self>) -> Self {
        self.children.push(child.into());
        self
    }

    /// It holds a kernel lock (`flock`) on a file, which is made where it is missing.
    pub fn holding(mut self, lock: impl Into<PathBuf>) -> Self {
        self.locks.push(lock.into());
        self
    }

    /// It keeps a file open, which is made where it is missing.
    pub fn keeping_open(mut self, file: impl Into<PathBuf>) -> Self {
        self.files.push(file.into());
        self
    }

    /// It stays alive when its terminal goes away.
    pub fn ignoring_hangup(mut self) -> Self {
        self.ignores_hangup = true;
        self
    }

    pub(super) const fn start(&self) -> Start {
        self.start
    }

    /// Writes its order on that machine, and says what to run and where it will say that it is ready.
    pub(super) fn prepare(&self, machine: &Machine) -> Prepared {
        let folder = machine.new_folder("agent");
        for file in self.locks.iter().chain(&self.files) {
            fs::create_dir_all(file.parent().expect("a file lies in a folder"))
                .expect("a folder can be made");
        }
        let children: Vec<Prepared> = self.children.iter().map(|c| c.prepare(machine)).collect();
        let (order, ready) = (folder.join("order.json"), folder.join("ready.json"));
        let content = json!({
            "ready": ready,
            "locks": self.locks,
            "files": self.files,
            "ignores_hangup": self.ignores_hangup,
            "children": children
                .iter()
                .map(|child| json!({ "argv": child.argv, "ready": child.ready }))
                .collect::<Vec<_>>(),
        });
        fs::write(&order, content.to_string()).expect("an agent's order can be written");

        let script = folder.join(match &self.runner {
            Some(_) => self.name.as_str(),
            None => "agent.py",
        });
        fs::write(&script, include_str!("agent.py")).expect("the stand-in can be written");
        let program = folder
            .join("bin")
            .join(self.runner.as_deref().unwrap_or(&self.name));
        fs::create_dir(folder.join("bin")).expect("a folder can be made");
        symlink(python(), &program).expect("a link can be made");
        let argv = [&program, &script, &order].map(|path| {
            path.to_str()
                .expect("a machine's paths are text")
                .to_owned()
        });
        Prepared {
            argv: argv.to_vec(),
            ready,
        }
    }
}

impl From<&str> for Agent {
    fn from(name: &str) -> Self {
        Self::named(name)
    }
}

/// An agent that can be started.
pub(super) struct Prepared {
    pub(super) argv: Vec<String>,
    ready: PathBuf,
}

impl Prepared {
    /// Waits until the agent runs, with its children and its locks.
    #[track_caller]
    pub(super) fn wait(&self) -> StandIn {
        let said = wait_until("a stand-in agent to be ready", || {
            fs::read_to_string(&self.ready).ok()
        });
        StandIn::read(&serde_json::from_str(&said).expect("a stand-in says JSON"))
    }
}

/// An agent that runs.
#[derive(Clone, Debug)]
pub struct StandIn {
    /// Its pid.
    pub pid: u32,
    /// Its process.
    pub process: Process,
    /// The processes it was told to start, in that order.
    pub children: Vec<StandIn>,
}

impl StandIn {
    fn read(said: &Value) -> Self {
        let pid = said["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
        let pid = pid.expect("a stand-in says its pid");
        let children = said["children"].as_array().into_iter().flatten();
        Self {
            pid,
            process: Process::find(pid).expect("a stand-in that is ready runs"),
            children: children.map(Self::read).collect(),
        }
    }

    /// It ends of its own will, and its children with it.
    #[track_caller]
    pub fn exit(&self) {
        self.process.signal(Signal::TERM);
        self.process.wait_for_end();
    }

    /// It is killed; its children stay.
    #[track_caller]
    pub fn kill(&self) {
        self.process.signal(Signal::KILL);
        self.process.wait_for_end();
    }

    /// Its working folder.
    pub fn cwd(&self) -> PathBuf {
        fs::read_link(Path::new("/proc").join(self.pid.to_string()).join("cwd"))
            .expect("a living process has a working folder")
    }
}
