//! How all sessions stand, as programs read it; `schemas/status.schema.json` is made from these types.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::{Drift, Note, Source};
use crate::core::ids::Timestamp;
use crate::core::sighting::Sighting;
use crate::core::standing::{self, Standing};

#[cfg(test)]
use super::{SECONDS, SIGHTINGS};

/// The version of the format. It changes only when a reader of the old one would go wrong.
const VERSION: &str = "1";

/// What the document is.
const DOCUMENT: &str = "status";

/// How the sessions of a machine stand.
///
/// Readers should ignore keys they do not know, and refuse a `format_version` they do not know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Status {
    /// What this document is.
    #[cfg_attr(test, schemars(extend("const" = DOCUMENT)))]
    pub document: String,
    /// The version of this format.
    #[cfg_attr(test, schemars(extend("const" = VERSION)))]
    pub format_version: String,
    /// When the look began, in UTC.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub timestamp: String,
    /// The name of the machine.
    pub host: String,
    /// The path of the roll, as it was named; null where there is none.
    pub yaml_path: Option<String>,
    /// The whole in one word: of all sessions, or of those that were asked for.
    #[cfg_attr(test, schemars(extend("enum" = verdicts())))]
    pub verdict: String,
    /// Everything that was looked at, and how that went.
    pub sources: Vec<Source>,
    /// The sessions, trouble first.
    pub sessions: Vec<Session>,
    /// How many more there are that ended and are in order: `--all` tells them too.
    pub left_out: usize,
    /// How many drifts a person has said to know of, those of what is left out too.
    pub acknowledged: usize,
    /// Drifts that are about no session.
    pub drifts: Vec<Drift>,
    /// Notes that are about none of the sessions.
    pub notes: Vec<Note>,
}

/// How one session stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Session {
    /// Its name, as its row has it, else as tmux has it.
    pub name: String,
    /// Its tmux server: the one it was seen on, else the one its row names.
    pub tmux_server: Option<String>,
    /// The agent that it is for, or that was seen in it.
    pub agent: Option<String>,
    /// Whether it has a row.
    pub declared: bool,
    /// Whether it is to be left alone.
    pub ignored: bool,
    /// What the row says; null where there is no row, or a wrong one.
    pub status: Option<String>,
    /// What is seen of it. Only `gone` says that it is gone, and that is proven.
    #[cfg_attr(test, schemars(extend("enum" = standing::Sight::WORDS)))]
    pub seen: String,
    /// Why nothing better can be said of it.
    pub seen_why: Option<String>,
    /// What its agent says that it does: `idle`, `busy`, `waiting`.
    pub activity: Option<String>,
    /// How much it wants a person.
    #[cfg_attr(test, schemars(extend("enum" = concerns())))]
    pub concern: String,
    /// What tmux knows of it, if it lives.
    pub tmux: Option<Tmux>,
    /// Its conversation.
    pub conversation: Option<Conversation>,
    /// Its folder, as seen, else as recorded.
    pub folder: Option<String>,
    /// When its session was made.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub created_at: Option<String>,
    /// When its recorded end was.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub ended_at: Option<String>,
    /// When its conversation was last written to.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub last_activity: Option<String>,
    /// When a pass last saw it alive.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub last_seen_alive: Option<String>,
    /// The job that was delegated to it, if its row names one.
    pub job: Option<Job>,
    /// How it differs from the roll.
    pub drifts: Vec<Drift>,
    /// What a person should know besides.
    pub notes: Vec<Note>,
}

/// A delegated job.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it came to (`completed`, `error`, `cancelled`), or the last it said; null where nothing is known of it.
    pub state: Option<String>,
}

/// What tmux knows of a live session.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Tmux {
    /// Its name there.
    pub name: String,
    /// Its id there, `$3`.
    pub id: String,
    /// The socket of its server.
    pub socket: String,
    /// The pane that it is about, `%5`.
    pub pane: Option<String>,
    /// The first process of that pane.
    pub pid: Option<u32>,
    /// The agent's process, if there is just one.
    pub agent_pid: Option<u32>,
}

/// A conversation, and what is on disk of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Conversation {
    /// Whose it is.
    pub agent: String,
    /// Its id; null where none is known.
    pub id: Option<String>,
    /// Whether the live agent was seen to have it; otherwise the row records it.
    pub live: bool,
    /// `present`: its file was seen; `absent`: it is proven not to be there; `unknown`: it could not be seen.
    #[cfg_attr(test, schemars(extend("enum" = SIGHTINGS)))]
    pub file: String,
    /// Where the file is.
    pub path: Option<String>,
    /// Why it was not seen.
    pub reason: Option<String>,
}

impl Status {
    /// The document, with how many sessions it leaves out.
    #[must_use]
    pub fn new(standing: &Standing, left_out: usize) -> Self {
        Self {
            document: DOCUMENT.to_owned(),
            format_version: VERSION.to_owned(),
            timestamp: standing.at.iso(),
            host: standing.host.clone(),
            yaml_path: standing.roll.clone(),
            verdict: standing.verdict.as_str().to_owned(),
            sources: standing.sources.iter().map(Source::from).collect(),
            sessions: standing.sessions.iter().map(Session::from).collect(),
            left_out,
            acknowledged: standing.acknowledged,
            drifts: standing.drifts.iter().map(Drift::from).collect(),
            notes: standing.notes.iter().map(Note::from).collect(),
        }
    }
}

impl From<&standing::Session> for Session {
    fn from(session: &standing::Session) -> Self {
        let time = |at: Option<Timestamp>| at.map(Timestamp::iso);
        let (declared, status) = match &session.declared {
            standing::Declared::Row(status) => (true, Some(status.as_str().to_owned())),
            standing::Declared::Invalid(_) => (true, None),
            standing::Declared::Grouped | standing::Declared::No => (false, None),
        };
        Self {
            name: session.name.to_string(),
            tmux_server: session.server.as_ref().map(ToString::to_string),
            agent: session.agent.map(|agent| agent.to_string()),
            declared,
            ignored: session.ignored,
            status,
            seen: session.sight.as_str().to_owned(),
            seen_why: session.sight.why().map(str::to_owned),
            activity: match &session.sight {
                standing::Sight::Agent(activity) => activity.clone(),
                _ => None,
            },
            concern: session.concern().as_str().to_owned(),
            tmux: session.live.as_ref().map(Tmux::from),
            conversation: session.conversation.as_ref().map(Conversation::from),
            folder: session.folder.clone(),
            created_at: time(session.live.as_ref().map(|live| live.created)),
            ended_at: time(session.ended_at),
            last_activity: time(session.last_activity()),
            last_seen_alive: time(session.last_seen_alive),
            job: session.job.as_ref().map(Job::from),
            drifts: session.drifts.iter().map(Drift::from).collect(),
            notes: session.notes.iter().map(Note::from).collect(),
        }
    }
}

impl From<&standing::Job> for Job {
    fn from(job: &standing::Job) -> Self {
        let standing::Job { id, state } = job;
        Self {
            id: id.clone(),
            state: state.map(str::to_owned),
        }
    }
}

impl From<&standing::Live> for Tmux {
    fn from(live: &standing::Live) -> Self {
        Self {
            name: live.name.to_string(),
            id: live.id.clone(),
            socket: live.socket.clone(),
            pane: live.pane.as_ref().map(|(id, _)| id.clone()),
            pid: live.pane.as_ref().map(|(_, pid)| *pid),
            agent_pid: live.process,
        }
    }
}

impl From<&standing::Conversation> for Conversation {
    fn from(conversation: &standing::Conversation) -> Self {
        let standing::Conversation {
            agent,
            id,
            live,
            // Told by what has to end before the conversation is taken up again.
            held_by: _,
            file,
        } = conversation;
        let (path, reason) = match file {
            Sighting::Present(artifact) => (Some(artifact.path.clone()), None),
            Sighting::Absent(proof) => (None, Some(proof.to_string())),
            Sighting::Unknown(reason) => (None, Some(reason.to_string())),
        };
        Self {
            agent: agent.to_string(),
            id: id.as_ref().map(ToString::to_string),
            live: live.is_some(),
            file: super::sighting(file).to_owned(),
            path,
            reason,
        }
    }
}

#[cfg(test)]
fn verdicts() -> [&'static str; 3] {
    crate::core::report::Verdict::ALL.map(crate::core::report::Verdict::as_str)
}

#[cfg(test)]
fn concerns() -> [&'static str; 7] {
    standing::Concern::ALL.map(standing::Concern::as_str)
}
