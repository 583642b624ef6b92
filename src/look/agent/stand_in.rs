//! For tests: a real process that has an agent's name and does nothing.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::life::life;
use crate::core::ids::ProcessId;

/// A process that lives until it is dropped.
#[derive(Debug)]
pub(super) struct StandIn {
    child: Child,
    /// Which process it is.
    pub(super) process: ProcessId,
}

impl StandIn {
    /// Starts one of that name in a folder, with that environment and no other. It is in place when this returns:
    /// for a moment after its start a process has neither arguments nor an environment.
    pub(super) fn start(name: &str, folder: &Path, environment: &[(&str, &str)]) -> Self {
        Self::keeping_open(Path::new("/dev/null"), name, folder, environment)
    }

    /// The same, with a file open.
    pub(super) fn keeping_open(
        file: &Path,
        name: &str,
        folder: &Path,
        environment: &[(&str, &str)],
    ) -> Self {
        let mut child = Command::new("/bin/sh")
            .arg0(name)
            .args(["-c", "exec 9>>\"$0\"; echo; read line"])
            .arg(file)
            .current_dir(folder)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        let said = child.stdout.take().expect("its output is piped");
        BufReader::new(said)
            .read_line(&mut String::new())
            .expect("it says that it is there");
        let pid = child.id();
        let start = life(pid).expect("it lives").start;
        Self {
            child,
            process: ProcessId { pid, start },
        }
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
