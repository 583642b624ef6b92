//! Why a session is said to stand as it does: what was looked at, what it said, which rule decided, and what would
//! change the verdict. It decides nothing: it names what the rules went by.

mod rule;

pub use rule::Rule;

use super::drift::Evidence;
use super::ids::{AgentKind, ConversationId, Timestamp};
use super::join::servers_of;
use super::past::{Past, key_of};
use super::registry::{Row, Status};
use super::resume::{Resume, of_conversation, resume};
use super::sighting::Sighting;
use super::standing::{Declared, Live, Scope, Session, holder};
use super::world::{AgentSight, PaneSight, ServerState};

/// Why a session is said to stand as it does.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// How it stands.
    pub session: Session,
    /// The rules that decided, the first one first.
    pub rules: Vec<Rule>,
    /// What was looked at and what it said: the roll, the memory, tmux, processes, files, in this order.
    pub evidence: Vec<Evidence>,
    /// What would change the verdict, each a sentence.
    pub changes: Vec<String>,
    /// How its conversation can be taken up again.
    pub resume: Resume,
    /// The conversations that it had before, as its row lists them.
    pub earlier: Vec<Earlier>,
}

/// A conversation that a session had before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// Its id.
    pub id: ConversationId,
    /// How it can be taken up again.
    pub resume: Resume,
}

/// Explains a session of a standing that was made from this scope. `claude_home` is where Claude Code keeps its files
/// if nothing else is said.
#[must_use]
pub fn explain(scope: Scope<'_>, session: &Session, claude_home: Option<&str>) -> Explanation {
    let row = row_of(scope, session);
    let mut chain = Chain {
        scope,
        evidence: Vec::new(),
    };
    chain.roll(session, row);
    chain.memory(session, row);
    chain.servers(session, row);
    chain.process(session, row);
    chain.inside(session);
    chain.conversation(session);
    chain.verdicts(session);
    Explanation {
        rules: rule::rules(session),
        changes: rule::changes(session),
        resume: resume(session, claude_home),
        earlier: earlier(scope, session, row, claude_home),
        evidence: chain.evidence,
        session: session.clone(),
    }
}

fn earlier(
    scope: Scope<'_>,
    session: &Session,
    row: Option<&Row>,
    claude_home: Option<&str>,
) -> Vec<Earlier> {
    let ids = row.into_iter().flat_map(|row| &row.ids);
    ids.flat_map(|(agent, known)| known.previous.iter().map(|id| (*agent, id)))
        .map(|(agent, id)| {
            let file = scope.all.artifacts.get(&(agent, id.clone()));
            let file = file.cloned();
            let file = file.unwrap_or_else(|| Sighting::unknown("it was not looked for"));
            let resume = match of_conversation(session, agent, id, &file, claude_home) {
                Err(why) => Resume::Not(why),
                Ok(command) => match holder(scope.all, agent, id) {
                    Some(pid) => Resume::ByAfter(command, format!("process {pid}")),
                    None => Resume::By(command),
                },
            };
            Earlier {
                id: id.clone(),
                resume,
            }
        })
        .collect()
}

fn row_of<'a>(scope: Scope<'a>, session: &Session) -> Option<&'a Row> {
    let is_declared = matches!(session.declared, Declared::Row(_));
    let mut rows = scope.registry.rows.iter();
    rows.find(|row| is_declared && row.name == session.name)
}

/// The chain of evidence, as it is put together.
struct Chain<'a> {
    scope: Scope<'a>,
    evidence: Vec<Evidence>,
}

impl Chain<'_> {
    fn say(&mut self, source: impl Into<String>, said: impl Into<String>, at: Timestamp) {
        let evidence = Evidence {
            source: source.into(),
            said: said.into(),
            at,
        };
        let mut known = self.evidence.iter();
        if !known.any(|it| it.source == evidence.source && it.said == evidence.said) {
            self.evidence.push(evidence);
        }
    }

    fn seen(&mut self, source: impl Into<String>, said: impl Into<String>) {
        self.say(source, said, self.scope.world.at);
    }

    fn roll(&mut self, session: &Session, row: Option<&Row>) {
        let roll = self.scope.report.roll.clone();
        if !self.scope.has_roll {
            return self.seen("the roll", "there is none, so nothing is declared");
        }
        match (row, &session.declared) {
            (Some(row), _) => {
                self.seen(roll.clone(), record(row));
                let written = self.scope.registry.written_at;
                self.say(roll, "the file was last written then", written);
            }
            (None, Declared::Invalid(problem)) => {
                self.seen(
                    roll,
                    format!("its entry cannot be read as a row: {problem}"),
                );
            }
            (None, _) => self.seen(roll, "no row has this name"),
        }
    }

    fn memory(&mut self, session: &Session, row: Option<&Row>) {
        let known = row.and_then(|row| self.scope.ledger.rows.get(&key_of(row)));
        if let Some(alive) = known.and_then(|known| known.alive.as_ref()) {
            let life = &alive.incarnation;
            let here = if alive.place == self.scope.world.vantage.place {
                ""
            } else {
                ", on another machine or in another container"
            };
            let said = format!(
                "a pass last saw it alive then, as session {} of server {} on {}{here}",
                life.session, life.server.pid, life.socket
            );
            self.say("memory", said, alive.at);
        } else if known.is_some() {
            self.seen("memory", "no pass has seen the session of this row alive");
        } else if row.is_some() {
            self.seen("memory", "no pass has looked since this row was written");
        }
        for told in &session.drifts {
            let Some(open) = self.scope.ledger.drifts.get(&told.drift.id) else {
                continue;
            };
            let said = format!(
                "{} was first seen then; looks that saw it: {}",
                told.drift.kind.as_str(),
                open.count
            );
            self.say("memory", said, open.first_seen);
        }
    }

    /// What every server said that it can be on.
    fn servers(&mut self, session: &Session, row: Option<&Row>) {
        let world = self.scope.world;
        let servers: Vec<String> = match (row, &session.live) {
            (_, Some(_)) => session.server.iter().map(ToString::to_string).collect(),
            (Some(row), None) => servers_of(row, world)
                .map(|it| it.name.to_string())
                .collect(),
            (None, None) => Vec::new(),
        };
        for name in servers {
            let name = format!("tmux:{name}");
            if let Some(source) = world.sources.iter().find(|source| source.name == name) {
                self.say(name, source.reason.clone(), source.at);
            }
        }
        if row.is_some_and(|row| row.server.is_none())
            && let (None, Some(why)) = (&session.live, world.hides_strays())
        {
            self.seen("tmux", why);
        }
        if let Some(live) = &session.live {
            let source = session
                .server
                .as_ref()
                .map_or_else(|| "tmux".to_owned(), |it| format!("tmux:{it}"));
            let called = if live.name == session.name {
                String::new()
            } else {
                format!(", called {}", live.name)
            };
            let said = format!("session {} was made at {}{called}", live.id, live.created);
            self.seen(source, said);
        }
    }

    /// The process that the row records, where it was asked.
    fn process(&mut self, session: &Session, row: Option<&Row>) {
        let Some(pid) = row.and_then(|row| row.pane.pid) else {
            return;
        };
        let source = format!("process {pid}");
        let pane = session.live.as_ref().and_then(|live| live.pane.as_ref());
        match self.scope.world.processes.get(&pid) {
            _ if pane.is_some_and(|(_, its)| *its == pid) => {
                self.seen(
                    source,
                    "it is the first process of the session's pane, as the row records",
                );
            }
            None => {}
            Some(Sighting::Absent(proof)) => self.seen(source, proof.to_string()),
            Some(Sighting::Unknown(reason)) => {
                self.seen(source, format!("it could not be asked: {reason}"));
            }
            Some(Sighting::Present(found)) => {
                let past = Past {
                    registry: self.scope.registry,
                    world: self.scope.world,
                    ledger: self.scope.ledger,
                };
                for process in found {
                    let whose = row.map_or(Ok(()), |row| past.is_recorded(row, process));
                    let said = match whose {
                        Ok(()) => "it lives, and is the one that the row records".to_owned(),
                        Err(super::past::Another::Proven(why)) => why,
                        Err(super::past::Another::Perhaps) => {
                            "one of that number lives, and may be the one that the row records"
                                .to_owned()
                        }
                    };
                    self.seen(source.clone(), said);
                }
            }
        }
    }

    /// What runs in the session: in the pane that it is about, and in others that have an agent.
    fn inside(&mut self, session: &Session) {
        let Some(live) = &session.live else { return };
        let about = live.pane.as_ref().map(|(id, _)| id.as_str());
        for pane in self.panes(live) {
            let is_about = Some(pane.id.as_str()) == about;
            if is_about || !pane.agents.is_absent() {
                self.in_pane(&pane);
            }
        }
    }

    fn in_pane(&mut self, pane: &PaneSight) {
        let source = format!("pane {}", pane.id);
        let agents = match &pane.agents {
            _ if pane.dead => {
                return self.seen(source, "its program has ended, and tmux keeps the pane");
            }
            Sighting::Unknown(reason) => {
                return self.seen(
                    source,
                    format!("what runs in it could not be read: {reason}"),
                );
            }
            Sighting::Absent(proof) => return self.seen(source, proof.to_string()),
            Sighting::Present(agents) => agents,
        };
        for agent in agents {
            let said = format!(
                "{} runs in it, as process {}",
                agent.kind, agent.process.pid
            );
            self.seen(source.clone(), said);
            self.record_of(agent);
        }
    }

    fn record_of(&mut self, agent: &AgentSight) {
        let process = agent.process.pid;
        match &agent.live {
            Sighting::Present(record) => {
                let does = record.activity.as_ref();
                let does = does.map_or_else(String::new, |does| format!(", and that it is {does}"));
                let said = format!(
                    "process {process} says that it has conversation {}{does}",
                    record.id
                );
                self.seen(record.source.clone(), said);
            }
            Sighting::Absent(proof) => self.seen(format!("process {process}"), proof.to_string()),
            Sighting::Unknown(reason) => {
                let said = format!("which conversation it has could not be read: {reason}");
                self.seen(format!("process {process}"), said);
            }
        }
    }

    fn panes(&self, live: &Live) -> Vec<PaneSight> {
        let mut servers = self.scope.all.servers.iter();
        let found = servers.find_map(|server| match &server.state {
            ServerState::Listed(listing) if server.socket == live.socket => {
                listing.sessions.iter().find(|it| it.id == live.id)
            }
            _ => None,
        });
        found.map_or_else(Vec::new, |session| session.panes.clone())
    }

    fn conversation(&mut self, session: &Session) {
        let Some(conversation) = &session.conversation else {
            return;
        };
        let Some(id) = &conversation.id else {
            return;
        };
        let source = format!("{} conversations", conversation.agent);
        match &conversation.file {
            Sighting::Present(artifact) => {
                let said = format!("it holds conversation {id}, and was last written to then");
                self.say(artifact.path.clone(), said, artifact.modified);
            }
            Sighting::Absent(proof) => self.seen(source, proof.to_string()),
            Sighting::Unknown(reason) => self.seen(source, format!("{id}: {reason}")),
        }
    }

    /// What the verdicts themselves rest on, where it was not told yet.
    fn verdicts(&mut self, session: &Session) {
        let of_sight = match &session.sight {
            super::standing::Sight::Gone(evidence) => evidence.clone(),
            _ => Vec::new(),
        };
        let of_drifts = session.drifts.iter().flat_map(|told| &told.drift.evidence);
        let of_notes = session.notes.iter().flat_map(|note| &note.evidence);
        let all: Vec<Evidence> = of_sight
            .into_iter()
            .chain(of_drifts.cloned())
            .chain(of_notes.cloned())
            .collect();
        for evidence in all {
            self.say(evidence.source, evidence.said, evidence.at);
        }
        if let Some(why) = session.sight.why() {
            self.seen("this look", why.to_owned());
        }
    }
}

/// What a row says, as far as it decides anything.
fn record(row: &Row) -> String {
    let mut said = vec![format!(
        "tmux_sessions[{}] says {}",
        row.index,
        row.status.as_str()
    )];
    if let Some(server) = &row.server {
        said.push(format!("on tmux server {server}"));
    }
    if let Some(pid) = row.pane.pid {
        said.push(format!("with pane process {pid}"));
    }
    if row.status != Status::Running
        && let Some(end) = row.end.at
    {
        said.push(format!("ended at {end}"));
    }
    if let Some(mode) = &row.end.mode {
        said.push(format!("({mode})"));
    }
    for (agent, id) in &row.ids {
        let key = agent.id_key().unwrap_or_else(|| AgentKind::name(*agent));
        said.push(match &id.value {
            Some(id) => format!("{key} {id}"),
            None => format!("{key} null"),
        });
    }
    said.join(", ")
}
