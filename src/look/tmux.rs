//! Asking a tmux server for everything it has: one start of tmux, whatever the number of sessions.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod parse;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

pub use parse::{RawPane, RawSession, Reply};

use crate::core::sighting::Reason;
use crate::core::world::ServerId;
use crate::program;

/// More than the listing of any real server: a hundred thousand panes.
const LARGEST_LISTING: u64 = 64 * 1024 * 1024;

/// What tmux says on standard error is a sentence or two.
const LARGEST_COMPLAINT: u64 = 64 * 1024;

/// The tmux program.
#[derive(Clone, Debug)]
pub struct Tmux(Result<PathBuf, Reason>);

/// A question to one server that is under way.
#[derive(Debug)]
pub struct Question {
    nonce: String,
    child: Child,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A complete listing.
    Listing(ServerId, Vec<RawSession>),
    /// tmux says that no server is there.
    NoServer(String),
    /// Anything else.
    Unknown(Reason),
}

impl Tmux {
    /// Finds tmux on the `PATH`.
    #[must_use]
    pub fn find(path: Option<&OsStr>) -> Self {
        let found = program::find("tmux", path);
        Self(found.ok_or_else(|| {
            Reason::new(format!(
                "tmux is not installed, or not on the PATH ({}): install it, or name its folder in PATH",
                path.map_or_else(|| "which is not set".into(), OsStr::to_string_lossy)
            ))
        }))
    }

    /// Why no server can be asked, if so.
    #[must_use]
    pub fn missing(&self) -> Option<&Reason> {
        self.0.as_ref().err()
    }

    /// Starts asking the server on a socket. The answer is waited for with [`Question::answer`].
    ///
    /// # Errors
    ///
    /// Why it could not be asked.
    pub fn ask(&self, socket: &Path, nonce: String) -> Result<Question, Reason> {
        let program = self.0.as_ref().map_err(Clone::clone)?;
        let child = Command::new(program)
            // UTF-8 whatever the locale says: otherwise tmux prints `_` for every tab and letter beyond ASCII.
            .args([OsStr::new("-u"), OsStr::new("-S"), socket.as_os_str()])
            .args(arguments(&nonce))
            // Inside a pane, these would lead to that pane's own server.
            .env_remove("TMUX")
            .env_remove("TMUX_PANE")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Reason::new(format!("{} cannot be started: {error}", program.display()))
            })?;
        Ok(Question { nonce, child })
    }
}

impl Question {
    /// Waits for the answer, but not for longer than the limit.
    pub async fn answer(mut self, limit: Duration) -> Answer {
        let (Some(out), Some(err)) = (self.child.stdout.take(), self.child.stderr.take()) else {
            return Answer::Unknown(Reason::new("tmux was started without its outputs"));
        };
        let whole = async {
            let (mut listing, mut complaint) = (Vec::new(), Vec::new());
            let (mut out, mut err) = (out.take(LARGEST_LISTING), err.take(LARGEST_COMPLAINT));
            let (listed, complained) = tokio::join!(
                out.read_to_end(&mut listing),
                err.read_to_end(&mut complaint)
            );
            listed?;
            complained?;
            if out.limit() == 0 {
                return Ok(None);
            }
            let status = self.child.wait().await?;
            Ok::<_, std::io::Error>(Some((status, listing, complaint)))
        };
        match tokio::time::timeout(limit, whole).await {
            Err(_) => Answer::Unknown(Reason::new(format!(
                "the server accepts connections, but did not answer within {} s: look at its process, it may be stopped",
                limit.as_secs()
            ))),
            Ok(Err(error)) => {
                Answer::Unknown(Reason::new(format!("tmux could not be read: {error}")))
            }
            Ok(Ok(None)) => Answer::Unknown(Reason::new(format!(
                "tmux listed more than {LARGEST_LISTING} bytes"
            ))),
            Ok(Ok(Some((status, listing, complaint)))) => judge(
                status,
                parse::parse(&self.nonce, &listing),
                &String::from_utf8_lossy(&complaint),
            ),
        }
    }
}

fn judge(status: std::process::ExitStatus, reply: Reply, complaint: &str) -> Answer {
    let complaint = complaint.trim();
    match reply {
        Reply::Complete { server, sessions } if status.success() => {
            Answer::Listing(server, sessions)
        }
        // A server without sessions lists its panes with an error.
        Reply::Empty { server } if complaint == "no current target" => {
            Answer::Listing(server, Vec::new())
        }
        Reply::Nothing if says_no_server(complaint) => Answer::NoServer(complaint.to_owned()),
        reply => {
            let what = match &reply {
                Reply::Nothing => "tmux listed nothing",
                Reply::Empty { .. } | Reply::Complete { .. } => {
                    "tmux listed its sessions and failed"
                }
                Reply::Broken(why) => why.as_str(),
            };
            let complaint = complaint.lines().next().unwrap_or_default();
            let said = if complaint.is_empty() {
                String::new()
            } else {
                format!(", and said: {complaint}")
            };
            Answer::Unknown(Reason::new(format!("{what} ({status}){said}")))
        }
    }
}

fn says_no_server(complaint: &str) -> bool {
    complaint.starts_with("no server running on ")
        || (complaint.starts_with("error connecting to ")
            && (complaint.ends_with("(No such file or directory)")
                || complaint.ends_with("(Connection refused)")))
}

/// One call that checks itself: the server counts its sessions before and after it lists their panes.
fn arguments(nonce: &str) -> Vec<OsString> {
    let count = format!("{nonce}\tCOUNT\t#{{pid}}\t#{{start_time}}\t#{{S:x}}");
    // The name comes last. What tmux would have to ask the kernel for (commands, folders) is not asked for
    // here: that would make it read every process's files, one after the other.
    let pane = format!(
        "{nonce}\tPANE\t#{{session_id}}\t#{{pane_id}}\t#{{pane_pid}}\t#{{pane_dead}}\t#{{session_created}}\t#{{session_name}}"
    );
    [
        "display-message",
        "-p",
        &count,
        ";",
        "list-panes",
        "-a",
        "-F",
        &pane,
        ";",
        "display-message",
        "-p",
        &count,
    ]
    .iter()
    .map(OsString::from)
    .collect()
}
