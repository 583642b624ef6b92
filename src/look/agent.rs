//! The coding agents: which process is one, which conversation it has, and what is on disk of it.
//!
//! Each kind of agent is one file behind the [`Agent`] trait; [`Minds`] asks them and puts what they say into
//! the world. To add a kind: write its file, name it in [`Minds::new`], and teach `kind.rs` its programs.
//! Nothing of theirs is opened for writing, no lock of theirs is taken, every read is bounded.

mod agy;
mod census;
mod claude;
mod kind;
mod life;
mod minds;
#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod stand_in;

/// What fuzzers call.
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed {
    pub(crate) use super::agy::fuzzed::last_conversations;
    pub(crate) use super::claude::fuzzed::{record, transcript};
}

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub use claude::project_folders;
pub use kind::{is_shell, kind_of, may_be_launcher};
pub use minds::{Minds, recorded, recorded_by_all};

use crate::core::ids::{AgentKind, ConversationId, ProcessId, Timestamp};
use crate::core::sighting::{Proof, Reason, Sighting};
use crate::core::world::{Artifact, Candidate, LiveRecord, Source};

/// How far a file's times may be off the clock that dates sessions.
const FILE_TIMES: Duration = Duration::from_secs(2);

/// Where headcount's own environment says that the agents keep their files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Homes {
    /// `HOME`.
    pub home: Option<PathBuf>,
    /// `CLAUDE_CONFIG_DIR`, instead of `~/.claude`.
    pub claude_config_dir: Option<PathBuf>,
    /// `CLAUDE_PROJECT_DIR`, instead of `projects` in that folder.
    pub claude_project_dir: Option<PathBuf>,
}

/// A conversation that somebody asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    /// Whose it is.
    pub kind: AgentKind,
    /// Its id, as a row or a live record has it.
    pub id: ConversationId,
    /// The folder it is said to belong to.
    pub folder: Option<String>,
    /// Where its file was when it was last seen.
    pub last_at: Option<PathBuf>,
}

/// In how many places that only the ledger remembers conversations are looked for.
const MOST_REMEMBERED: usize = 16;

/// One kind of agent, and what can be read of it.
pub trait Agent {
    /// Which kind.
    fn kind(&self) -> AgentKind;

    /// What reads its processes one by one, on any thread; nothing where a process cannot be read by itself.
    fn reader(&self) -> Option<Arc<dyn Reader>> {
        None
    }

    /// What was read of one of its processes. The folders that the process keeps its files in are remembered, and
    /// looked into by everything below.
    fn learn(&mut self, reading: Reading) -> Mind {
        reading.mind
    }

    /// What is on the mind of one of its processes: it is read, and learned.
    fn mind(&mut self, process: ProcessId) -> Mind;

    /// How much is known by now of where its files are: a number that grows with every folder of theirs that
    /// is found, and with every one that a live process is found to use.
    fn places(&self) -> usize;

    /// What is on disk of conversations, in the order asked.
    fn artifacts(&mut self, asked: &[&Question]) -> Vec<Sighting<Artifact>>;

    /// Every non-empty conversation that may belong to a folder and was written to since that time.
    fn candidates(&mut self, folder: &str, since: Timestamp) -> Sighting<Vec<Candidate>>;

    /// Every conversation that a live process of this kind claims, anywhere.
    fn claimed(&mut self) -> Sighting<BTreeSet<ConversationId>>;

    /// How long it keeps its conversations.
    fn retention(&mut self) -> Sighting<Duration>;

    /// One line for each folder that was looked into.
    fn sources(&self, at: Timestamp) -> Vec<Source>;
}

/// Reads what one process keeps, whatever is known of others. What it reads is told to [`Agent::learn`].
pub trait Reader: Send + Sync {
    /// Reads one process.
    fn read(&self, process: ProcessId) -> Reading;
}

/// The readers of all kinds of agents that have one.
pub type Readers = BTreeMap<AgentKind, Arc<dyn Reader>>;

/// What was read of one process by itself.
#[derive(Clone, Debug)]
pub struct Reading {
    /// What it has on its mind.
    pub mind: Mind,
    /// The root that it keeps its files in, if that was found.
    root: Option<PathBuf>,
    /// The folder that its conversation is of, if its record says so.
    folder: Option<String>,
}

impl Reading {
    /// One that could not be made.
    fn unclear(why: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self {
            mind: Mind::unknown(why),
            root: None,
            folder: None,
        }
    }
}

/// What a live agent process has on its mind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mind {
    /// The conversation of a person's session.
    Session(LiveRecord),
    /// The conversation of a run without a person, and what runs it. It is the process's, but never the session's.
    Script(LiveRecord, String),
    /// It is proven to keep no record, so that its conversation may be inferred from its folder.
    Silent(Proof),
    /// It is proven to keep no record, and what lies in its folder is known not to be its own.
    Traceless(Proof),
    /// It could not be read.
    Unknown(Reason),
}

impl Mind {
    /// The conversation of the session that the process is the agent of.
    #[must_use]
    pub fn of_session(&self) -> Sighting<LiveRecord> {
        match self {
            Self::Session(record) => Sighting::Present(record.clone()),
            Self::Script(record, script) => {
                Sighting::absent(format!("{} is of a scripted run ({script})", record.source))
            }
            Self::Silent(proof) | Self::Traceless(proof) => Sighting::Absent(proof.clone()),
            Self::Unknown(reason) => Sighting::Unknown(reason.clone()),
        }
    }

    /// The conversation of the process, whoever runs it.
    #[must_use]
    pub fn of_process(&self) -> Sighting<LiveRecord> {
        match self {
            Self::Script(record, _) => Sighting::Present(record.clone()),
            other => other.of_session(),
        }
    }

    fn unknown(reason: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Unknown(Reason::new(reason))
    }
}

/// Whether an id can be the name of a file at all. Nothing else is ever made into a path.
fn can_be_a_file_name(id: &str) -> bool {
    /// What file systems allow, less the longest ending that an agent adds.
    const LONGEST: usize = 240;
    !id.is_empty() && id.len() <= LONGEST && id != "." && id != ".." && !id.contains(['/', '\0'])
}

/// Whether a text has the form of a UUID.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_file_can_be_called_is_no_id() {
        for id in [
            "",
            ".",
            "..",
            "a/b",
            "../../etc/passwd",
            "a\0b",
            &"x".repeat(241),
        ] {
            assert!(!can_be_a_file_name(id), "{id:?}");
        }
        for id in [
            "3bd73422-0e61-4161-9102-8d1709984f18",
            "my session",
            "...",
            "é",
        ] {
            assert!(can_be_a_file_name(id), "{id:?}");
        }
    }

    #[test]
    fn a_uuid_is_told_by_its_form() {
        assert!(is_uuid("3bd73422-0e61-4161-9102-8d1709984f18"));
        for text in [
            "agent-3bd73422",
            "3bd73422-0e61-4161-9102-8d1709984f1",
            "3bd73422-0e61-4161-9102-8d1709984f1g",
            "3bd73422x0e61-4161-9102-8d1709984f18",
            "",
        ] {
            assert!(!is_uuid(text), "{text:?}");
        }
    }

    #[test]
    fn a_scripted_run_has_a_conversation_but_its_session_has_none() {
        let record = LiveRecord {
            id: ConversationId::new("x"),
            source: "sessions/1.json".to_owned(),
            activity: None,
        };
        let mind = Mind::Script(record.clone(), "sdk-cli".to_owned());
        assert!(mind.of_session().is_absent());
        assert_eq!(mind.of_process(), Sighting::Present(record));
    }
}
