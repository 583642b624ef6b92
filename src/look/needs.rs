//! What has to be looked at for this roll: an ordinary pass reads nothing that nobody needs.

use std::collections::{BTreeMap, BTreeSet};

use memchr::memmem::Finder;

use super::Request;
use super::panes::Trees;
use crate::core::ids::{Pid, ProcessId, ServerName, SessionName};
use crate::core::join::{are_in_line, folder_to_compare, means_server};
use crate::core::ledger::{Incarnation, RowKey};
use crate::core::past::key_of;
use crate::core::registry::{Row, Status};
use crate::core::sighting::Sighting;
use crate::core::world::{self, ServerId, ServerSight, ServerState, SessionSight, Vantage};

/// How many pids are taken up at a glance at most: more sessions than any machine has.
const GLANCE: usize = 10_000;

/// The pids that the running rows of a roll seem to record, by a glance at its text: probably panes, and worth
/// reading ahead, before the text is understood. What is missed is read later, and what is mistaken was read in vain.
pub(super) fn pids_at_a_glance(text: &str) -> BTreeSet<Pid> {
    let (running, pid) = (Finder::new("running"), Finder::new("pid"));
    let mut pids = BTreeSet::new();
    let mut rest = text.as_bytes();
    while !rest.is_empty() && pids.len() < GLANCE {
        let (entry, behind) = rest.split_at(end_of_entry(rest));
        rest = behind;
        if running.find(entry).is_some() {
            let keys = pid.find_iter(entry);
            let recorded = keys.filter_map(|at| number_of(&entry[at + pid.needle().len()..]));
            pids.extend(recorded.take(GLANCE));
        }
    }
    pids
}

/// Where the next entry of a list of lines begins, or the end.
fn end_of_entry(text: &[u8]) -> usize {
    let is_entry = |&line_feed: &usize| {
        let line = &text[line_feed + 1..];
        let blanks = line.iter().take_while(|&&byte| byte == b' ').count();
        line[blanks..].starts_with(b"- ")
    };
    let next = memchr::memchr_iter(b'\n', text).find(is_entry);
    next.map_or(text.len(), |line_feed| line_feed + 1)
}

/// The number that stands behind a key.
fn number_of(behind: &[u8]) -> Option<Pid> {
    let behind = behind.strip_prefix(b"\"").unwrap_or(behind);
    let value = behind.strip_prefix(b":")?.trim_ascii_start();
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit());
    std::str::from_utf8(&value[..digits.count()])
        .ok()?
        .parse()
        .ok()
}

/// What the roll and the ledger point to.
pub(super) struct Needs<'a> {
    request: &'a Request<'a>,
    /// The names of rows, as tmux stores names, and the pids that rows of the name record.
    names: BTreeMap<SessionName, BTreeSet<Pid>>,
    /// The rows, by their names as tmux stores names.
    rows: BTreeMap<SessionName, Vec<&'a Row>>,
    /// The pids that any entry of the roll records.
    pids: BTreeSet<Pid>,
    /// The sessions that the ledger saw as rows', by socket and id.
    lives: BTreeSet<(&'a str, &'a str)>,
    /// The rows whose sessions the ledger saw here in this boot.
    seen: BTreeSet<&'a RowKey>,
    /// The last lives of servers that rows were seen on in this boot, by socket.
    servers: Vec<(&'a str, ServerId)>,
    /// The agents that were alive when they were last seen here in this boot, without a known conversation.
    agents: Vec<ProcessId>,
}

impl<'a> Needs<'a> {
    pub(super) fn new(request: &'a Request<'a>, vantage: &Vantage) -> Self {
        let registry = request.registry;
        let mut names: BTreeMap<SessionName, BTreeSet<Pid>> = BTreeMap::new();
        let mut by_name: BTreeMap<SessionName, Vec<&Row>> = BTreeMap::new();
        for row in &registry.rows {
            let name = row.name.normalised();
            by_name.entry(name.clone()).or_default().push(row);
            names.entry(name).or_default().extend(row.pane.pid);
        }
        for invalid in &registry.invalid {
            if let Some(name) = &invalid.name {
                names
                    .entry(name.normalised())
                    .or_default()
                    .extend(invalid.pid);
            }
        }
        let rows = registry.rows.iter().filter_map(|row| row.pane.pid);
        let pids = rows
            .chain(registry.invalid.iter().filter_map(|row| row.pid))
            .collect();
        let (seen, incarnations): (BTreeSet<&RowKey>, Vec<&Incarnation>) = request
            .ledger
            .rows
            .iter()
            .filter_map(|(key, row)| Some((key, row.alive.as_ref()?)))
            .filter(|(_, alive)| {
                alive.place == vantage.place && alive.incarnation.boot == vantage.boot
            })
            .map(|(key, alive)| (key, &alive.incarnation))
            .unzip();
        let mut servers: Vec<(&str, ServerId)> = incarnations
            .iter()
            .map(|life| (life.socket.as_str(), life.server))
            .chain(
                request
                    .ledger
                    .servers
                    .iter()
                    .filter(|((place, _), known)| {
                        *place == vantage.place && known.boot == vantage.boot
                    })
                    .map(|((_, socket), known)| (socket.as_str(), known.id)),
            )
            .collect();
        servers.sort_unstable();
        servers.dedup();
        Self {
            request,
            names,
            rows: by_name,
            pids,
            lives: incarnations
                .iter()
                .map(|life| (life.socket.as_str(), life.session.as_str()))
                .collect(),
            seen,
            servers,
            agents: request
                .ledger
                .agents
                .iter()
                .filter(|(key, known)| {
                    known.gone.is_none() && **key == vantage.agent(key.process, key.kind)
                })
                .map(|(key, _)| key.process)
                .collect(),
        }
    }

    /// Fills in the panes of the sessions that somebody points to.
    pub(super) fn fill(&self, servers: &mut [ServerSight], trees: &mut Trees) {
        for server in servers {
            let ServerState::Listed(listing) = &mut server.state else {
                continue;
            };
            for session in &mut listing.sessions {
                let candidate = self.request.policy.agent_by_name(&session.name).is_some();
                if !candidate && !self.is_pointed_to(&server.socket, session) {
                    continue;
                }
                // A row that records one of these panes has nothing to learn of it.
                let recorded = session
                    .panes
                    .iter()
                    .any(|pane| self.records(&session.name, pane.pid));
                for pane in &mut session.panes {
                    trees.fill(pane, !recorded);
                }
            }
        }
    }

    fn is_pointed_to(&self, socket: &str, session: &SessionSight) -> bool {
        self.names.contains_key(&session.name.normalised())
            || self.lives.contains(&(socket, session.id.as_str()))
            || session
                .panes
                .iter()
                .any(|pane| self.pids.contains(&pane.pid))
    }

    fn records(&self, name: &SessionName, pid: Pid) -> bool {
        self.names
            .get(&name.normalised())
            .is_some_and(|pids| pids.contains(&pid))
    }

    /// The pids of processes that have to be asked: those of running rows that are not simply a pane of the
    /// session of the row's name, those of servers that do not answer any more, and those of agents whose end has to be known.
    pub(super) fn pids(&self, servers: &[ServerSight]) -> BTreeSet<Pid> {
        let listed: Vec<_> = servers
            .iter()
            .filter_map(|server| match &server.state {
                ServerState::Listed(listing) => Some((server.socket.as_str(), listing)),
                _ => None,
            })
            .collect();
        let panes: BTreeSet<(SessionName, Pid)> = listed
            .iter()
            .flat_map(|(_, listing)| &listing.sessions)
            .flat_map(|session| {
                let name = session.name.normalised();
                session
                    .panes
                    .iter()
                    .map(move |pane| (name.clone(), pane.pid))
            })
            .collect();
        let is_open = |row: &&Row| row.status == Status::Running;
        let rows = self
            .request
            .registry
            .rows
            .iter()
            .filter(is_open)
            .filter_map(|row| row.pane.pid.map(|pid| (row.name.normalised(), pid)))
            .filter(|recorded| !panes.contains(recorded))
            .map(|(_, pid)| pid);
        let gone = self
            .servers
            .iter()
            .filter(|(socket, id)| {
                !listed
                    .iter()
                    .any(|(its, listing)| its == socket && listing.server == *id)
            })
            .map(|(_, id)| id.pid);
        rows.chain(gone).chain(self.agents(servers)).collect()
    }

    /// Whether it has to be known what listens below another `TMUX_TMPDIR`: for running rows of which only a name says
    /// where their session is, where none of their name is listed.
    pub(super) fn elsewhere(&self, servers: &[ServerSight]) -> bool {
        let listed: BTreeSet<(&ServerName, SessionName)> = servers
            .iter()
            .filter_map(|server| match &server.state {
                ServerState::Listed(listing) => Some((&server.name, &listing.sessions)),
                _ => None,
            })
            .flat_map(|(server, sessions)| {
                let names = sessions.iter().map(|session| session.name.normalised());
                names.map(move |name| (server, name))
            })
            .collect();
        let names: BTreeSet<&str> = listed.iter().map(|(_, name)| name.as_str()).collect();
        let is_listed = |row: &Row| {
            let name = row.name.normalised();
            match &row.server {
                Some(server) => listed.contains(&(server, name)),
                None => names.contains(name.as_str()),
            }
        };
        self.request.registry.rows.iter().any(|row| {
            row.status == Status::Running
                && row.pane.pid.is_none()
                && !row.server.as_ref().is_some_and(ServerName::is_path)
                && !self.seen.contains(&key_of(row))
                && !is_listed(row)
        })
    }

    /// The pids of the agents whose end has to be known, as far as they were not met again.
    fn agents(&self, servers: &[ServerSight]) -> impl Iterator<Item = Pid> {
        let met: BTreeSet<ProcessId> = world::agents_in(servers)
            .map(|(_, agent)| agent.process)
            .collect();
        let open = self
            .agents
            .iter()
            .filter(move |process| !met.contains(process));
        open.map(|process| process.pid)
            .collect::<Vec<_>>()
            .into_iter()
    }

    /// The folders of the sessions that may have to be registered, and of those that only their name may make
    /// a row's.
    pub(super) fn folders(&self, servers: &[ServerSight]) -> Vec<String> {
        let listed = servers.iter().filter_map(|server| match &server.state {
            ServerState::Listed(listing) => Some((server, listing)),
            _ => None,
        });
        let mut folders = BTreeSet::new();
        for (server, listing) in listed {
            for session in &listing.sessions {
                let cwds = session.panes.iter().filter_map(|pane| match &pane.cwd {
                    Sighting::Present(folder) => Some(folder),
                    Sighting::Absent(_) | Sighting::Unknown(_) => None,
                });
                folders.extend(cwds.filter(|cwd| self.asks_for_roll(server, session, cwd)));
            }
        }
        folders.into_iter().cloned().collect()
    }

    /// Whether it has to be known which roll is the nearest to this folder of a session.
    fn asks_for_roll(&self, server: &ServerSight, session: &SessionSight, cwd: &str) -> bool {
        let Some(rows) = self.rows.get(&session.name.normalised()) else {
            let is_claimed = self.names.contains_key(&session.name.normalised());
            return !is_claimed && self.request.policy.agent_by_name(&session.name).is_some();
        };
        rows.iter().any(|row| {
            let compared = folder_to_compare(row, session);
            !means_server(row, server) || compared.is_some_and(|folder| !are_in_line(folder, cwd))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Vec<Pid> {
        pids_at_a_glance(text).into_iter().collect()
    }

    #[test]
    fn the_pids_of_running_rows_are_seen_however_they_are_written() {
        assert_eq!(
            seen(
                "tmux_sessions:\n- name: a\n  status: running\n  pane:\n    pid: 12\n- name: b\n  status: running\n  pane: {pid: 7}\n"
            ),
            [7, 12]
        );
        assert_eq!(
            seen(
                r#"{"tmux_sessions": [{"status": "running", "pane": {"pid": 12, "cmd": "x"}}, {"pane":{"pid":7}}]}"#
            ),
            [7, 12]
        );
        assert_eq!(
            seen("  - pid: 3\r\n    status: 'running'\r\n  - pid: 4\r\n    status: stopped\r\n"),
            [3]
        );
    }

    #[test]
    fn what_is_no_pid_is_none() {
        for text in [
            "",
            "pid",
            "running pid",
            "running pid:",
            "running pid: x",
            "running pid: 99999999999999999999",
            "running\n\n\n   \n- pid",
            "- \n- \n-",
        ] {
            assert!(seen(text).is_empty(), "{text}");
        }
    }
}
