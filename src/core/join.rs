//! Who is who: which live session is which row's.
//!
//! By incarnation first (what the ledger saw, then a recorded pid whose process began before the row was
//! written), then by name. Running rows choose before ended ones. Doubt works one way: what might join
//! takes away certainty, and never gives it.

use std::collections::BTreeMap;
use std::path::Path;

use super::ids::{AgentKind, Pid, SessionName};
use super::ledger::Incarnation;
use super::past::{Age, Past};
use super::policy::Policy;
use super::registry::{Registry, Row, Status};
use super::sighting::Sighting;
use super::world::{Listing, PaneSight, ServerSight, ServerState, SessionSight, World};

/// A live session with the server it is on.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'w> {
    /// The server.
    pub server: &'w ServerSight,
    /// Its listing.
    pub listing: &'w Listing,
    /// The session.
    pub session: &'w SessionSight,
}

/// How a row was joined to a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The ledger saw this very session as the row's.
    Incarnation,
    /// The recorded pid is one of its panes', and older than the row.
    Pid,
    /// The name.
    Name,
}

/// The session of a row.
#[derive(Clone, Copy, Debug)]
pub struct Here<'w> {
    /// The session.
    pub seen: Seen<'w>,
    /// How it was joined.
    pub by: By,
    /// Whether nothing else might own it, and nothing unseen might have been preferred. Only what is sure
    /// is written about.
    pub sure: bool,
}

/// Where a row's session is, as far as joining can tell.
#[derive(Clone, Debug)]
pub enum Joined<'w> {
    /// This session.
    Here(Here<'w>),
    /// No session is surely this row's, but this one might be.
    Maybe(String),
    /// None of the sessions that were listed.
    Nowhere,
}

/// The result of joining all rows with all sessions.
#[derive(Debug)]
pub struct Join<'w> {
    index: Index<'w>,
    /// All listed sessions, default server first, in a stable order.
    pub sessions: Vec<Seen<'w>>,
    /// For each of `registry.rows`, in its order.
    pub rows: Vec<Joined<'w>>,
    /// For each of `sessions`: whose it is.
    pub owners: Vec<Owner>,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's that is known.
    Nobody,
    /// The row's of this name.
    Row(SessionName),
    /// It might be a row's; why.
    Perhaps(String),
    /// It shares its panes with a session that is a row's, or comes before it in its group.
    Twin,
}

/// The servers a row's session can be on, in the order they are asked: the one it names, under all of its
/// names; else the default one and then all others.
pub fn servers_of<'w>(row: &Row, world: &'w World) -> impl Iterator<Item = &'w ServerSight> {
    let named = row.server.clone();
    let socket = named
        .as_ref()
        .and_then(|name| world.server(name))
        .map(|server| server.socket.clone());
    world
        .by_preference()
        .into_iter()
        .filter(move |server| named.is_none() || Some(&server.socket) == socket.as_ref())
}

/// Whether a row means this one of [`servers_of`] it: it names it, or names none and this is the default one.
#[must_use]
pub fn means_server(row: &Row, server: &ServerSight) -> bool {
    row.server.is_some() || server.name.is_default()
}

/// The folder of a row that tells whether a session of its name, on the server that it means, is its own; `None` where
/// that needs not be told: it records none, or the process of one of the session's panes.
#[must_use]
pub fn folder_to_compare<'r>(row: &'r Row, session: &SessionSight) -> Option<&'r str> {
    let mut panes = session.panes.iter();
    let is_recorded = row
        .pane
        .pid
        .is_some_and(|pid| panes.any(|pane| pane.pid == pid));
    row.pane.cwd.as_deref().filter(|_| !is_recorded)
}

/// Whether one of two folders is the other, or lies below it.
#[must_use]
pub fn are_in_line(one: &str, other: &str) -> bool {
    let (one, other) = (Path::new(one), Path::new(other));
    one.starts_with(other) || other.starts_with(one)
}

/// Whether it is known what sessions a server has: it listed them, or nobody listens there.
fn was_seen(server: &ServerSight) -> bool {
    match server.state {
        ServerState::Listed(_) => true,
        ServerState::Refused | ServerState::Missing => server.listener.is_absent(),
        ServerState::Unknown(_) => false,
    }
}

impl<'w> Join<'w> {
    /// Joins every row with at most one session, and every session with at most one row.
    #[must_use]
    pub fn new(past: Past<'_>, world: &'w World, policy: &Policy) -> Self {
        let registry = past.registry;
        let sessions = listed(world);
        let mut owners = vec![Owner::Nobody; sessions.len()];
        let mut rows: Vec<Joined<'w>> = vec![Joined::Nowhere; registry.rows.len()];
        let mut taken = vec![None; registry.rows.len()];
        let index = Index::new(&sessions);

        claim_for_invalid_rows(registry, &index, &sessions, &mut owners);
        // Running rows first, and by content rather than by place in the file, so that the order of rows
        // decides nothing.
        let mut order: Vec<usize> = (0..registry.rows.len()).collect();
        let place = |at: usize| {
            let row = &registry.rows[at];
            (row.status != Status::Running, &row.name, &row.server)
        };
        order.sort_by(|&a, &b| place(a).cmp(&place(b)));
        for running in [true, false] {
            let turn: Vec<usize> = order
                .iter()
                .copied()
                .filter(|&at| (registry.rows[at].status == Status::Running) == running)
                .collect();
            let mut claims = Claims {
                past,
                index: &index,
                sessions: &sessions,
                owners: &mut owners,
                rows: &mut rows,
                taken: &mut taken,
            };
            claims.by_incarnation(&turn);
            claims.by_pid(&turn);
            claims.by_name(&turn);
        }
        mark_twins(&index, &sessions, policy, &mut owners);
        withdraw_certainty(&mut rows, registry, &taken, &owners);
        Self {
            index,
            sessions,
            rows,
            owners,
        }
    }
}

impl<'w> Join<'w> {
    /// The sessions of a name, as tmux stores names.
    pub fn named<'j>(&'j self, name: &SessionName) -> impl Iterator<Item = &'j Seen<'w>> {
        self.index
            .with_name(name)
            .iter()
            .map(|&at| &self.sessions[at])
    }

    /// The sessions that have a pane with this first process.
    pub fn with_pid<'j>(&'j self, pid: Pid) -> impl Iterator<Item = &'j Seen<'w>> {
        self.index
            .with_pid(pid)
            .iter()
            .map(|&at| &self.sessions[at])
    }
}

fn listed(world: &World) -> Vec<Seen<'_>> {
    // A server with two names lists the same sessions under both: once is enough. It goes by the name that is
    // preferred, under whichever it answered.
    let mut named: BTreeMap<&str, &ServerSight> = BTreeMap::new();
    let mut listings: BTreeMap<&str, &Listing> = BTreeMap::new();
    for server in world.by_preference() {
        named.entry(&server.socket).or_insert(server);
        if let ServerState::Listed(listing) = &server.state {
            listings.entry(&server.socket).or_insert(listing);
        }
    }
    let mut sessions: Vec<Seen<'_>> = listings
        .into_iter()
        .map(|(socket, listing)| (named[socket], listing))
        .flat_map(|(server, listing)| {
            listing.sessions.iter().map(move |session| Seen {
                server,
                listing,
                session,
            })
        })
        .collect();
    sessions.sort_by(|a, b| order_of(a).cmp(&order_of(b)));
    sessions
}

fn order_of<'w>(seen: &Seen<'w>) -> impl Ord + use<'w> {
    (
        !seen.server.name.is_default(),
        seen.server.name.as_str(),
        seen.session.name.as_str(),
        seen.session.created,
        seen.session.id.as_str(),
    )
}

/// Where to find sessions without going through all of them.
#[derive(Debug)]
struct Index<'w> {
    by_pid: BTreeMap<Pid, Vec<usize>>,
    by_name: BTreeMap<SessionName, Vec<usize>>,
    by_id: BTreeMap<(&'w str, &'w str), usize>,
}

impl<'w> Index<'w> {
    fn new(sessions: &[Seen<'w>]) -> Self {
        let mut index = Self {
            by_pid: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_id: BTreeMap::new(),
        };
        for (at, seen) in sessions.iter().enumerate() {
            for pane in &seen.session.panes {
                let at_pid = index.by_pid.entry(pane.pid).or_default();
                if at_pid.last() != Some(&at) {
                    at_pid.push(at);
                }
            }
            index
                .by_name
                .entry(seen.session.name.normalised())
                .or_default()
                .push(at);
            index
                .by_id
                .insert((&seen.server.socket, &seen.session.id), at);
        }
        index
    }

    fn with_pid(&self, pid: Pid) -> &[usize] {
        self.by_pid.get(&pid).map_or(&[], Vec::as_slice)
    }

    fn with_name(&self, name: &SessionName) -> &[usize] {
        self.by_name
            .get(&name.normalised())
            .map_or(&[], Vec::as_slice)
    }
}

/// A pane that an invalid row records is not free for others, and never a reason to write.
fn claim_for_invalid_rows(
    registry: &Registry,
    index: &Index<'_>,
    sessions: &[Seen<'_>],
    owners: &mut [Owner],
) {
    for invalid in &registry.invalid {
        let by_pid = invalid.pid.map_or(&[][..], |pid| index.with_pid(pid));
        let by_name = invalid
            .name
            .as_ref()
            .map_or(&[][..], |name| index.with_name(name));
        for &at in by_pid.iter().chain(by_name) {
            owners[at] = Owner::Perhaps(format!(
                "session {} may belong to entry {} of the roll, which cannot be read as a row",
                sessions[at].session.name, invalid.index
            ));
        }
    }
}

struct Claims<'a, 'w> {
    past: Past<'a>,
    index: &'a Index<'w>,
    sessions: &'a [Seen<'w>],
    owners: &'a mut Vec<Owner>,
    rows: &'a mut Vec<Joined<'w>>,
    /// Which session each row has taken.
    taken: &'a mut Vec<Option<usize>>,
}

impl<'w> Claims<'_, 'w> {
    fn take(&mut self, row: usize, session: usize, by: By, sure: bool) {
        let name = self.past.registry.rows[row].name.clone();
        let doubted = matches!(self.owners[session], Owner::Perhaps(_));
        if !doubted {
            self.owners[session] = Owner::Row(name);
        }
        self.taken[row] = Some(session);
        self.rows[row] = Joined::Here(Here {
            seen: self.sessions[session],
            by,
            sure: sure && !doubted,
        });
    }

    fn is_free(&self, session: usize) -> bool {
        !matches!(self.owners[session], Owner::Row(_))
    }

    fn is_joined(&self, row: usize) -> bool {
        !matches!(self.rows[row], Joined::Nowhere)
    }

    fn is_surely_joined(&self, row: usize) -> bool {
        matches!(&self.rows[row], Joined::Here(here) if here.sure)
    }

    fn by_incarnation(&mut self, turn: &[usize]) {
        // A session that two rows remember is the one's that was seen with it last.
        let mut turn = turn.to_vec();
        turn.sort_by_key(|&at| {
            let row = &self.past.registry.rows[at];
            let alive = self.past.known(row).and_then(|known| known.alive.as_ref());
            std::cmp::Reverse(alive.map(|alive| alive.at))
        });
        for at in turn {
            let row = &self.past.registry.rows[at];
            let Some(life) = self.past.life(row) else {
                continue;
            };
            let key = (life.socket.as_str(), life.session.as_str());
            let Some(&session) = self.index.by_id.get(&key) else {
                continue;
            };
            let seen = &self.sessions[session];
            let same = seen.listing.server == life.server && seen.session.created == life.created;
            if same && self.is_free(session) {
                self.take(at, session, By::Incarnation, true);
            } else if same {
                self.give_way(at, session);
            }
        }
    }

    /// A row whose best match is another's. Only an ended row, and only one whose match is surely the
    /// other's, is free to look further.
    fn give_way(&mut self, row: usize, session: usize) {
        let surely_theirs = self
            .rows
            .iter()
            .zip(self.taken.iter())
            .any(|(joined, taken)| {
                *taken == Some(session) && matches!(joined, Joined::Here(here) if here.sure)
            });
        let is_over = self.past.registry.rows[row].status.is_ended() && surely_theirs;
        if !is_over && !self.is_joined(row) {
            self.rows[row] = Joined::Maybe(format!(
                "session {} may be its own, or another row's",
                self.sessions[session].session.name
            ));
        }
    }

    fn by_pid(&mut self, turn: &[usize]) {
        // First find all claims, so that two rows with one pid are seen as what they are.
        let mut claims: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for &at in turn {
            let row = &self.past.registry.rows[at];
            let Some(pid) = row.pane.pid else { continue };
            let mut own = Vec::new();
            for &session in self.index.with_pid(pid) {
                let socket = &self.sessions[session].server.socket;
                if !servers_of(row, self.past.world).any(|server| server.socket == *socket) {
                    continue;
                }
                match self.recorded_pane(session, pid, row) {
                    Age::Older => own.push(session),
                    Age::Newer => {}
                    Age::TooClose => self.doubt(session, at),
                }
            }
            if self.is_joined(at) {
                // What it has is perhaps another row's: then this one would be its own.
                if !self.is_surely_joined(at) {
                    own.retain(|&session| self.taken[at] != Some(session));
                    for session in own {
                        self.doubt(session, at);
                    }
                }
                continue;
            }
            // Grouped sessions share panes: the one of the row's name, else the first.
            let best = own
                .iter()
                .copied()
                .find(|&session| self.sessions[session].session.name.means(&row.name))
                .or_else(|| own.first().copied());
            match best {
                Some(session) if self.is_free(session) => {
                    claims.entry(session).or_default().push(at);
                }
                Some(session) => self.give_way(at, session),
                None => {}
            }
        }
        for (session, rows) in claims {
            let named: Vec<usize> = rows
                .iter()
                .copied()
                .filter(|&at| {
                    self.past.registry.rows[at].name == self.sessions[session].session.name
                })
                .collect();
            match (rows.as_slice(), named.as_slice()) {
                ([one], _) | (_, [one]) => {
                    let sure = self.life_was_seen(&self.past.registry.rows[*one]);
                    self.take(*one, session, By::Pid, sure);
                }
                _ => {
                    for &at in &rows {
                        self.doubt(session, at);
                    }
                }
            }
        }
    }

    /// Whether the pane of that pid is the one the row recorded.
    fn recorded_pane(&self, session: usize, pid: Pid, row: &Row) -> Age {
        let panes = &self.sessions[session].session.panes;
        let Some(pane) = panes.iter().find(|pane| pane.pid == pid) else {
            return Age::Newer;
        };
        match &pane.start {
            Sighting::Present(start) => self.past.age(row, start.ticks, start.at),
            _ if self.past.is_recorded_dead(row, pid) => Age::Newer,
            Sighting::Absent(_) | Sighting::Unknown(_) => Age::TooClose,
        }
    }

    fn doubt(&mut self, session: usize, row: usize) {
        let why = format!(
            "session {} may be the one that row {} records, by the pid of its pane",
            self.sessions[session].session.name, self.past.registry.rows[row].name
        );
        if self.is_free(session) {
            self.owners[session] = Owner::Perhaps(why.clone());
        }
        if !self.is_joined(row) {
            self.rows[row] = Joined::Maybe(why);
        }
    }

    fn by_name(&mut self, turn: &[usize]) {
        let mut rows: BTreeMap<SessionName, Vec<usize>> = BTreeMap::new();
        for &at in turn {
            let name = self.past.registry.rows[at].name.normalised();
            rows.entry(name).or_default().push(at);
        }
        // Exact names before names that tmux would have stored differently.
        for exact in [true, false] {
            for &at in turn {
                let row = &self.past.registry.rows[at];
                if matches!(self.rows[at], Joined::Here(_)) {
                    continue;
                }
                let Some(session) = self.first_of_name(row, exact) else {
                    continue;
                };
                let foreign = self.is_foreign(row, session);
                if foreign == Ok(true) {
                    self.rows[at] = Joined::Maybe(self.foreign(row, session));
                } else if self.is_free(session) {
                    let sure = foreign.is_ok()
                        && !matches!(self.rows[at], Joined::Maybe(_))
                        && self.is_first_choice(row, session, exact)
                        && (exact || !self.contested(&rows, at, session))
                        && !self.was_there_beside(row, session);
                    self.take(at, session, By::Name, sure);
                } else {
                    self.rows[at] = Joined::Maybe(format!(
                        "a session of this name is live, but it is another row's ({})",
                        match &self.owners[session] {
                            Owner::Row(name) => name.as_str(),
                            _ => "unknown",
                        }
                    ));
                }
            }
        }
    }

    /// Whether a session that only shares its name with a row belongs to another roll: on a server that the row
    /// does not mean, or in a folder that it does not mean.
    fn is_foreign(&self, row: &Row, session: usize) -> Result<bool, String> {
        let seen = &self.sessions[session];
        let pane = || pane_of(Some(row), row.agent, self.past.life(row), seen.session);
        if means_server(row, seen.server) {
            let Some(folder) = folder_to_compare(row, seen.session) else {
                return Ok(false);
            };
            // A session that has moved up or down in its project is where it was.
            if let Sighting::Present(its) = &pane()?.cwd
                && are_in_line(folder, its)
            {
                return Ok(false);
            }
        }
        self.past.world.belongs_elsewhere(pane()?)
    }

    /// What is said of a row for which there is only a session that belongs to another roll.
    fn foreign(&self, row: &Row, session: usize) -> String {
        let server = self.sessions[session].server;
        let name = &server.name;
        let found = format!(
            "a session of this name is live on tmux server {name}, in a folder with a roll of its own"
        );
        if means_server(row, server) {
            let folder = row.pane.cwd.as_deref().unwrap_or_default();
            format!(
                "{found}, and the row says {folder}; if it is this row's, correct `pane.cwd` in the row, else give one of the two another name or server"
            )
        } else {
            format!(
                "{found}; if it is this row's, the row should say `tmux_server: {name}`, else where its own is"
            )
        }
    }

    /// The session of a row's name on the first of its servers that has one.
    fn first_of_name(&self, row: &Row, exact: bool) -> Option<usize> {
        servers_of(row, self.past.world).find_map(|server| {
            self.index
                .with_name(&row.name)
                .iter()
                .copied()
                .find(|&session| {
                    let seen = &self.sessions[session];
                    seen.server.socket == server.socket && (!exact || seen.session.name == row.name)
                })
        })
    }

    /// Whether no server that could not be listed may have a session that the row would rather be joined
    /// with.
    fn is_first_choice(&self, row: &Row, session: usize, exact: bool) -> bool {
        let chosen = &self.sessions[session].server.name;
        // A recorded process that may live is looked for on all servers, and so is an exact name.
        let pid_is_over = row
            .pane
            .pid
            .is_none_or(|pid| self.past.is_recorded_dead(row, pid));
        let by_name_alone = exact && pid_is_over;
        let none_is_hidden = self.past.world.strays.is_present()
            || row.server.is_some()
            || (by_name_alone && chosen.is_default());
        servers_of(row, self.past.world)
            .take_while(|server| !by_name_alone || server.name != *chosen)
            .all(was_seen)
            && none_is_hidden
            && self.life_was_seen(row)
    }

    /// Whether the session that the ledger remembers as the row's was listed, or is over.
    fn life_was_seen(&self, row: &Row) -> bool {
        self.past.life(row).is_none_or(|life| {
            self.past.has_ended(life.server)
                || self
                    .past
                    .world
                    .servers
                    .iter()
                    .any(|server| server.socket == life.socket && was_seen(server))
        })
    }

    /// Whether a session of another server was there already when the row was last seen alive in its own: two
    /// sessions of one name on two servers are no two lives of one session.
    fn was_there_beside(&self, row: &Row, session: usize) -> bool {
        let seen = &self.sessions[session];
        self.past.last_alive(row).is_some_and(|alive| {
            alive.incarnation.socket != seen.server.socket && seen.session.created <= alive.at
        })
    }

    /// Whether another row without an exact match might have this session: one that has none, or one that is
    /// perhaps not its own.
    fn contested(
        &self,
        rows: &BTreeMap<SessionName, Vec<usize>>,
        row: usize,
        session: usize,
    ) -> bool {
        let name = self.sessions[session].session.name.normalised();
        rows.get(&name).into_iter().flatten().any(|&other| {
            other != row
                && self.past.registry.rows[other].server == self.past.registry.rows[row].server
                && !self.is_surely_joined(other)
        })
    }
}

/// Sessions of one group, or with a linked window, show the same panes. Only one of them is a session to declare: that
/// of a row, else one that is an agent's by its name, else the oldest.
fn mark_twins(index: &Index<'_>, sessions: &[Seen<'_>], policy: &Policy, owners: &mut [Owner]) {
    let place = |seen: &Seen<'_>| {
        let is_agents = policy.agent_by_name(&seen.session.name).is_some();
        (!is_agents, seen.session.created, seen.session.id.clone())
    };
    for at in 0..sessions.len() {
        if owners[at] != Owner::Nobody {
            continue;
        }
        let twin = sessions[at].session.panes.iter().any(|pane| {
            index.with_pid(pane.pid).iter().any(|&other| {
                other != at
                    && sessions[other].server.socket == sessions[at].server.socket
                    && sessions[other]
                        .session
                        .panes
                        .iter()
                        .any(|its| its.id == pane.id)
                    && (matches!(owners[other], Owner::Row(_) | Owner::Perhaps(_))
                        || place(&sessions[other]) < place(&sessions[at]))
            })
        });
        if twin {
            owners[at] = Owner::Twin;
        }
    }
}

/// A session that any other row's recorded pid might also mean is nobody's surely.
fn withdraw_certainty(
    rows: &mut [Joined<'_>],
    registry: &Registry,
    taken: &[Option<usize>],
    owners: &[Owner],
) {
    for ((joined, row), session) in rows.iter_mut().zip(&registry.rows).zip(taken) {
        if let (Joined::Here(here), Some(session)) = (joined, session)
            && owners[*session] != Owner::Row(row.name.clone())
        {
            here.sure = false;
        }
    }
}

/// The pane of a session that a row's record is about.
///
/// # Errors
///
/// Says what could not be told apart where several panes could be meant.
pub fn pane_of<'w>(
    row: Option<&Row>,
    agent: Option<AgentKind>,
    life: Option<&Incarnation>,
    session: &'w SessionSight,
) -> Result<&'w PaneSight, String> {
    let recorded = row
        .and_then(|row| row.pane.pid)
        .and_then(|pid| session.panes.iter().find(|pane| pane.pid == pid));
    let remembered = life
        .filter(|life| life.session == session.id && life.created == session.created)
        .and_then(|life| session.panes.iter().find(|pane| pane.id == life.pane));
    if let Some(pane) = recorded.or(remembered) {
        return Ok(pane);
    }
    let panes = by_age(&session.panes);
    let [oldest, rest @ ..] = panes.as_slice() else {
        return Err("tmux lists no pane of it".to_owned());
    };
    if rest.is_empty() {
        return Ok(oldest);
    }
    if panes.iter().any(|pane| pane.agents.is_unknown()) {
        return Err("it has several panes, and the processes of one could not be read".to_owned());
    }
    let with_agent = panes.iter().copied().find(|pane| match &pane.agents {
        Sighting::Present(agents) => agents
            .iter()
            .any(|sight| agent.is_none_or(|kind| kind == sight.kind)),
        _ => false,
    });
    Ok(with_agent.unwrap_or(oldest))
}

/// The panes, oldest first: tmux numbers them as it makes them, while their order on the screen is the
/// user's to change.
fn by_age(panes: &[PaneSight]) -> Vec<&PaneSight> {
    let mut panes: Vec<&PaneSight> = panes.iter().collect();
    panes.sort_by_key(|pane| {
        let number = pane.id.trim_start_matches('%').parse::<u64>();
        (number.unwrap_or(u64::MAX), &pane.id)
    });
    panes
}
