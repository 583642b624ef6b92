//! The `hermes` command line: the only file that starts it.
//!
//! Arguments are passed as arguments and never through a shell. Whether it did what it was asked is read from what
//! it says: release 0.19 ends with 0 even where it failed, later ones with 1.

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::AUTHOR;
use super::card::Card;
use crate::program;

/// How long it may take. One call takes about a quarter of a second; a board that is locked, up to two minutes.
const PATIENCE: Duration = Duration::from_secs(150);

/// More than any card has: a thousand comments of a megabyte would not be shown either.
const LARGEST: u64 = 64 << 20;

/// What it says of one failure is a few lines.
const LONGEST_COMPLAINT: u64 = 64 << 10;

/// What headcount asks of it: the actions, and their options.
const NEEDED: [(&str, &[&str]); 7] = [
    ("show", &["--json"]),
    ("comment", &["--author"]),
    ("heartbeat", &["--note"]),
    ("claim", &["--ttl"]),
    ("reclaim", &["--reason"]),
    ("block", &[]),
    ("complete", &["--summary", "--metadata"]),
];

/// The `hermes` program, and the board it is asked about.
#[derive(Clone, Debug)]
pub struct Hermes {
    program: PathBuf,
    board: Option<String>,
    patience: Duration,
}

/// Why `hermes` did not do what it was asked to.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such program.
    #[error("hermes is not installed, or not on the PATH: install it, or name it with --hermes")]
    NotInstalled,
    /// The one that was named is no program.
    #[error(
        "{0} is no program that can be run: name hermes with --hermes, or leave it to the PATH"
    )]
    NotThere(String),
    /// It could not be started.
    #[error("{program} cannot be started: {why}")]
    NotStarted {
        /// The program.
        program: String,
        /// What the system said.
        why: String,
    },
    /// It was told apart from an answer by how long it took.
    #[error("hermes did not answer within {0:?}: is its database locked?")]
    TooSlow(Duration),
    /// It says that there is no such card, or no such board.
    #[error("hermes knows no such card or board: {0}")]
    Unknown(String),
    /// It says that the card is not running, or that somebody else has it.
    #[error("hermes refused: {0}")]
    NotNow(String),
    /// It does not understand what it was asked.
    #[error(
        "this hermes does not take `kanban {action}` as headcount calls it, which release 0.19 does: {said}"
    )]
    Unfit {
        /// What it was asked to do.
        action: &'static str,
        /// What it said.
        said: String,
    },
    /// It says something else, or nothing.
    #[error("hermes {action} failed ({status}): {said}")]
    Failed {
        /// What it was asked to do.
        action: &'static str,
        /// How it ended.
        status: String,
        /// What it said.
        said: String,
    },
}

/// What came out of one call.
struct Said {
    status: ExitStatus,
    out: String,
    err: String,
}

impl Hermes {
    /// Finds it: the program that was named, else `hermes` on the `PATH`.
    ///
    /// # Errors
    /// [`Refusal::NotInstalled`], or [`Refusal::NotThere`] where it was named.
    pub fn find(
        named: Option<&Path>,
        path: Option<&OsStr>,
        board: Option<&str>,
    ) -> Result<Self, Refusal> {
        let found = match named {
            Some(named) => Some(named.to_owned()),
            None => program::find("hermes", path),
        };
        let program = found.ok_or(Refusal::NotInstalled)?;
        if !program::is_program(&program) {
            return Err(Refusal::NotThere(program.display().to_string()));
        }
        Ok(Self {
            program,
            board: board.map(str::to_owned),
            patience: PATIENCE,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The same, but less patient.
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Which of the actions and options it does not know that headcount needs, in the order of [`NEEDED`]. Releases
    /// differ, and some say nothing of what they do not understand.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn lacks(&self) -> Result<Vec<String>, Refusal> {
        let mut asked = tokio::task::JoinSet::new();
        for (place, (action, _)) in NEEDED.into_iter().enumerate() {
            let hermes = self.clone();
            asked.spawn(async move { (place, hermes.say(action, ["--help"]).await) });
        }
        let mut answers = asked.join_all().await;
        answers.sort_by_key(|(place, _)| *place);
        let mut lacking = Vec::new();
        for ((action, options), (_, said)) in NEEDED.into_iter().zip(answers) {
            let said = said?;
            if said.status.success() && said.out.contains("usage:") {
                let missing = options.iter().filter(|option| !said.out.contains(*option));
                lacking.extend(missing.map(|option| format!("`kanban {action} {option}`")));
            } else {
                lacking.push(format!("`kanban {action}`"));
            }
        }
        Ok(lacking)
    }

    /// What stands on a card.
    ///
    /// # Errors
    /// When it does not say.
    pub async fn show(&self, card: &str) -> Result<Card, Refusal> {
        let said = self.say("show", [card, "--json"]).await?;
        serde_json::from_str::<Card>(&said.out)
            .ok()
            .filter(|shown| said.status.success() && shown.task.id == card)
            .ok_or_else(|| said.refusal("show"))
    }

    /// Adds a comment of headcount's own.
    ///
    /// # Errors
    /// When it does not say that it was added.
    pub async fn comment(&self, card: &str, text: &str) -> Result<(), Refusal> {
        // Whatever the text begins with, it is no option.
        let arguments = ["--author", AUTHOR, "--", card, text];
        self.done("comment", arguments, "Comment added").await
    }

    /// Gives a sign of life.
    ///
    /// # Errors
    /// When it does not say that it was recorded.
    pub async fn heartbeat(&self, card: &str, note: &str) -> Result<(), Refusal> {
        let arguments = [card, "--note", note];
        self.done("heartbeat", arguments, "Heartbeat recorded")
            .await
    }

    /// Takes a card for so long.
    ///
    /// # Errors
    /// When it does not say that it is claimed.
    pub async fn claim(&self, card: &str, ttl: Duration) -> Result<(), Refusal> {
        let seconds = ttl.as_secs().to_string();
        self.done("claim", [card, "--ttl", &seconds], "Claimed")
            .await
    }

    /// Gives a card back, so that it can be claimed again.
    ///
    /// # Errors
    /// When it does not say that it is given back.
    pub async fn reclaim(&self, card: &str, reason: &str) -> Result<(), Refusal> {
        let arguments = [card, "--reason", reason];
        self.done("reclaim", arguments, "Reclaimed").await
    }

    /// Blocks a card.
    ///
    /// # Errors
    /// When it does not say that it is blocked.
    pub async fn block(&self, card: &str, reason: &str) -> Result<(), Refusal> {
        self.done("block", [card, reason], "Blocked").await
    }

    /// Finishes a card. `metadata` is a JSON object.
    ///
    /// # Errors
    /// When it does not say that it is completed.
    pub async fn complete(&self, card: &str, summary: &str, metadata: &str) -> Result<(), Refusal> {
        let arguments = [card, "--summary", summary, "--metadata", metadata];
        self.done("complete", arguments, "Completed").await
    }

    /// Creates a card, or finds the one that the same idempotency key made, and returns it as JSON.
    ///
    /// # Errors
    /// When it does not print a card.
    pub async fn create(&self, arguments: &[OsString]) -> Result<serde_json::Value, Refusal> {
        let said = self.say("create", arguments).await?;
        serde_json::from_str::<serde_json::Value>(&said.out)
            .ok()
            .filter(|card| said.status.success() && card.get("id").is_some())
            .ok_or_else(|| said.refusal("create"))
    }

    async fn done<'a>(
        &self,
        action: &'static str,
        arguments: impl IntoIterator<Item = &'a str>,
        success: &str,
    ) -> Result<(), Refusal> {
        let said = self.say(action, arguments).await?;
        // Its words may change from release to release; that it complains of nothing will not.
        let says_so =
            said.out.contains(success) || said.err.trim().is_empty() && !said.out.trim().is_empty();
        if said.status.success() && says_so {
            Ok(())
        } else {
            Err(said.refusal(action))
        }
    }

    /// `hermes kanban [--board B] ACTION …`
    async fn say(
        &self,
        action: &'static str,
        arguments: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Said, Refusal> {
        let mut command = Command::new(&self.program);
        command.arg("kanban");
        if let Some(board) = &self.board {
            command.args(["--board", board]);
        }
        let mut child = command
            .arg(action)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| Refusal::NotStarted {
                program: self.program.display().to_string(),
                why: error.to_string(),
            })?;
        let mut group = Group(child.id());
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let whole = async {
            let (out, err) = tokio::join!(all(out, LARGEST), all(err, LONGEST_COMPLAINT));
            (child.wait().await, out, err)
        };
        match tokio::time::timeout(self.patience, whole).await {
            Ok((Ok(status), out, err)) => {
                group.0 = None;
                Ok(Said { status, out, err })
            }
            Ok((Err(error), ..)) => Err(Refusal::Failed {
                action,
                status: "not known".to_owned(),
                said: error.to_string(),
            }),
            Err(_) => Err(Refusal::TooSlow(self.patience)),
        }
    }
}

impl Said {
    fn refusal(&self, action: &'static str) -> Refusal {
        let complaint = self.err.trim();
        let text = if complaint.is_empty() {
            self.out.trim()
        } else {
            complaint
        };
        // A usage error is many lines, of which the last says what is wrong.
        let line = text.lines().last().unwrap_or("it said nothing");
        let said: String = crate::tell::visible::visible(line)
            .chars()
            .take(300)
            .collect();
        let knows_not = [
            "no such task",
            "unknown task",
            "unknown id",
            "does not exist",
            "no such board",
        ];
        if complaint.starts_with("usage:") {
            Refusal::Unfit { action, said }
        } else if knows_not.iter().any(|words| said.contains(words)) {
            Refusal::Unknown(said)
        } else if said.contains("not running") || said.contains("status=") {
            Refusal::NotNow(said)
        } else {
            Refusal::Failed {
                action,
                status: self.status.to_string(),
                said,
            }
        }
    }
}

/// All that a pipe gives, as text; what is more than `most` bytes is let go.
async fn all(pipe: Option<impl AsyncRead + Unpin>, most: u64) -> String {
    let mut bytes = Vec::new();
    if let Some(pipe) = pipe {
        let mut pipe = pipe.take(most);
        let _ = pipe.read_to_end(&mut bytes).await;
        // Read on, or the writer would wait for ever.
        let mut rest = pipe.into_inner();
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A process that was started, and what it has started: ended as soon as nobody waits for it any more.
struct Group(Option<u32>);

impl Drop for Group {
    fn drop(&mut self) {
        let group = self
            .0
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(rustix::process::Pid::from_raw);
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn one_that_hangs_is_given_up_with_all_that_it_has_started() {
        let temp = tempfile::tempdir().unwrap();
        let (program, child) = (temp.path().join("hermes"), temp.path().join("child"));
        let script = format!(
            "#!/bin/sh\nsleep 600 &\necho $! > {}\nwait\n",
            child.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let hermes = Hermes::find(Some(&program), None, None).unwrap();
        let patience = Duration::from_secs(2);

        let refused = hermes.with_patience(patience).show("t_1").await;

        assert_eq!(refused, Err(Refusal::TooSlow(patience)));
        let pid = fs::read_to_string(child).unwrap();
        let stat = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
        let runs = || fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
        while runs() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
