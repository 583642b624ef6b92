//! Rows of the roll.

use std::hash::{DefaultHasher, Hash, Hasher};

use headcount::core::ids::{AgentKind, ConversationId, Fingerprint, Pid, ServerName, Timestamp};
use headcount::core::policy::Policy;
use headcount::core::registry::{AUTO_DETECTED, RecordedId, Row, RowEnd, RowPane, Status};

use super::name;

/// A row being written.
#[derive(Clone, Debug)]
pub struct Declared(Row);

/// A running row of that name, for the agent that the name tells, else for Claude.
pub fn row(named: &str) -> Declared {
    let agent = Policy::default().agent_by_name(&name(named));
    Declared(Row {
        index: 0,
        fingerprint: Fingerprint::new(""),
        name: name(named),
        status: Status::Running,
        server: None,
        pane: RowPane::default(),
        ids: Default::default(),
        agent: agent.or(Some(AgentKind::Claude)),
        end: RowEnd::default(),
        job: None,
        job_status_of: None,
        job_status: None,
    })
}

impl Declared {
    pub fn on(mut self, server: &str) -> Self {
        self.0.server = Some(ServerName::new(server));
        self
    }

    pub fn job(mut self, id: &str) -> Self {
        self.0.job = Some(id.to_owned());
        self
    }

    pub fn pid(mut self, pid: Pid) -> Self {
        self.0.pane.pid = Some(pid);
        self
    }

    pub fn cwd(mut self, cwd: &str) -> Self {
        self.0.pane.cwd = Some(cwd.to_owned());
        self
    }

    /// The id of the row's own agent.
    pub fn id(self, id: &str) -> Self {
        self.recorded(Some(id))
    }

    /// The key of the id is there, and null.
    pub fn null_id(self) -> Self {
        self.recorded(None)
    }

    fn recorded(mut self, id: Option<&str>) -> Self {
        let agent = self.0.agent.unwrap_or(AgentKind::Claude);
        self.0.ids.insert(
            agent,
            RecordedId {
                value: id.map(ConversationId::new),
                previous: Vec::new(),
            },
        );
        self
    }

    pub fn status(mut self, word: &str) -> Self {
        self.0.status = Status::named(word);
        self
    }

    pub fn ended(mut self, word: &str, at: Timestamp) -> Self {
        self.0.status = Status::named(word);
        self.0.end.at = Some(at);
        self
    }

    /// Ended by a person or a skill.
    pub fn stopped(self, at: Timestamp) -> Self {
        self.ended("stopped", at)
    }

    /// Ended by headcount itself.
    pub fn auto_detected(self, at: Timestamp) -> Self {
        let mut ended = self.ended("terminated", at);
        ended.0.end.mode = Some(AUTO_DETECTED.to_owned());
        ended
    }

    /// The row, as the one at that place of the roll.
    pub fn at(self, index: usize) -> Row {
        let mut row = self.0;
        row.index = index;
        row.fingerprint = content(&row);
        row
    }
}

/// Stands for the hash of a row's content: where it lies in the file does not count.
pub fn content(row: &Row) -> Fingerprint {
    let mut bare = row.clone();
    bare.index = 0;
    bare.fingerprint = Fingerprint::new("");
    let mut hash = DefaultHasher::new();
    format!("{bare:?}").hash(&mut hash);
    Fingerprint::new(format!("{:016x}", hash.finish()))
}
