//! A command that is told of something: started in a process group of its own, given a text, and ended in time with all
//! that it started.

use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long it may take.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// What is for headcount alone: its broker's password, and its service manager.
const NOT_FOR_IT: [&str; 13] = [
    "MQTT_BROKER",
    "MQTT_PORT",
    "MQTT_TLS",
    "MQTT_USERNAME",
    "MQTT_PASSWORD",
    "MQTT_CA_CERTS",
    "MQTT_CERTFILE",
    "MQTT_KEYFILE",
    "MQTT_CLIENT_ID_PREFIX",
    "NOTIFY_SOCKET",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "LISTEN_FDS",
];

/// Runs it by `sh -c`, with these variables besides the inherited ones. What it prints is not seen by anybody.
///
/// # Errors
///
/// What went wrong, as a clause.
pub(super) async fn run(
    command: &str,
    input: &[u8],
    variables: &[(&str, &str)],
) -> Result<(), String> {
    let mut shell = Command::new("/bin/sh");
    shell.arg("-c").arg(command);
    for name in NOT_FOR_IT {
        shell.env_remove(name);
    }
    let mut child = shell
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let group = Group::of(child.id());
    let stdin = child.stdin.take();
    let ended = timeout(LIMIT, async {
        if let Some(mut stdin) = stdin {
            // Who does not read what he is told has ended, or closed it: his end says the rest.
            let _ = stdin.write_all(input).await;
        }
        child.wait().await
    })
    .await;
    match ended {
        Ok(Ok(status)) => {
            group.let_go();
            if status.success() {
                Ok(())
            } else {
                Err(format!("it ended with {status}"))
            }
        }
        Ok(Err(error)) => Err(format!("its end cannot be waited for: {error}")),
        Err(_) => {
            drop(group);
            // It has been killed, and leaves nothing behind.
            let _ = child.wait().await;
            Err(format!(
                "it did not end within {} s, and was ended with all that it had started",
                LIMIT.as_secs()
            ))
        }
    }
}

/// The processes of a command. They are killed when this is dropped, whatever it is dropped for.
struct Group(Option<Pid>);

impl Group {
    fn of(leader: Option<u32>) -> Self {
        let raw = leader.and_then(|pid| i32::try_from(pid).ok());
        Self(raw.and_then(Pid::from_raw))
    }

    /// The command has ended by itself: what it left running is its own affair.
    fn let_go(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Nobody may be left to be killed.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
