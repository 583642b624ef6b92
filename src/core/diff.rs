//! Compares the roll with the world: every difference, named, with what it rests on.

mod id_materialized;
mod inference;
mod reappeared;
mod stale_id;
mod tmux_gone;
mod unregistered;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::absence::Inquiry;
use super::drift::{Class, Drift, Evidence, Held, Kind, Note, NoteKind, Wait};
use super::edit::{PaneRecord, Value};
use super::ids::{
    AgentKind, ConversationId, DriftId, ProcessId, ServerName, SessionName, Timestamp,
};
use super::join::{Here, Join, Joined};
use super::ledger::{Ledger, agents_of};
use super::past::Past;
use super::policy::Policy;
use super::registry::{Registry, Row, Status};
use super::sighting::Sighting;
use super::world::{AgentSight, PaneSight, World};

/// Everything a comparison finds.
#[derive(Debug)]
pub struct Findings<'w> {
    /// The differences, sorted by class, session and id.
    pub drifts: Vec<Drift>,
    /// What a person should know besides, sorted.
    pub notes: Vec<Note>,
    /// For each of `registry.rows`: what became of it.
    pub fates: Vec<Fate<'w>>,
    /// The agents whose conversation cannot be told any more by what is left.
    pub undecided: BTreeSet<ProcessId>,
    /// The sessions about which this look cannot say that a drift of that class is over.
    pub blind: BTreeSet<(Option<SessionName>, Class)>,
}

/// What a look says of one row's session.
#[derive(Clone, Debug)]
pub enum Fate<'w> {
    /// It is alive.
    Alive(Here<'w>),
    /// It is proven gone, or would be if nothing stood in the way.
    Gone,
    /// Its process lives in another session of its server.
    Elsewhere,
    /// It could not be looked for, or something that may be it was seen.
    Unseen,
}

/// Compares. Pure and total: the same arguments give the same findings, in the same order.
#[must_use]
pub fn diff<'w>(
    registry: &Registry,
    world: &'w World,
    ledger: &Ledger,
    policy: &Policy,
    now: Timestamp,
) -> Findings<'w> {
    let past = Past {
        registry,
        world,
        ledger,
    };
    let join = Join::new(past, world, policy);
    let mut scene = Scene {
        past,
        registry,
        world,
        ledger,
        policy,
        now,
        join: &join,
        taken: taken_names(registry),
        recorded: recorded_ids(registry),
        proven: proven_agents(world),
        drifts: Vec::new(),
        notes: Vec::new(),
        undecided: BTreeSet::new(),
        blind: BTreeSet::new(),
    };
    scene.tell_invalid_rows();
    let fates: Vec<Fate<'w>> = registry
        .rows
        .iter()
        .zip(&join.rows)
        .map(|(row, joined)| scene.row(row, joined))
        .collect();
    unregistered::find(&mut scene);
    stale_id::find_in_identities(&mut scene);

    let Scene {
        mut drifts,
        mut notes,
        undecided,
        blind,
        ..
    } = scene;
    let is_ours = |session: &Option<SessionName>| {
        session
            .as_ref()
            .is_none_or(|session| !policy.ignores(session))
    };
    drifts.retain(|drift| is_ours(&drift.session));
    notes.retain(|note| is_ours(&note.session));
    drifts.sort_by(|a, b| {
        (a.kind.class(), &a.session, a.kind, &a.id).cmp(&(
            b.kind.class(),
            &b.session,
            b.kind,
            &b.id,
        ))
    });
    notes.sort_by(|a, b| (a.kind, &a.session, &a.text).cmp(&(b.kind, &b.session, &b.text)));
    notes.dedup();
    Findings {
        drifts,
        notes,
        fates,
        undecided,
        blind,
    }
}

/// All that the four rules look at, and where they put what they find.
struct Scene<'a, 'w> {
    past: Past<'a>,
    registry: &'a Registry,
    world: &'w World,
    ledger: &'a Ledger,
    policy: &'a Policy,
    now: Timestamp,
    join: &'a Join<'w>,
    /// The names that rows have, as tmux stores names.
    taken: BTreeSet<SessionName>,
    /// The conversations that rows record, now or as earlier ones.
    recorded: BTreeSet<&'a ConversationId>,
    /// The agents whose conversation this look proves.
    proven: BTreeSet<(ProcessId, AgentKind)>,
    drifts: Vec<Drift>,
    notes: Vec<Note>,
    undecided: BTreeSet<ProcessId>,
    blind: BTreeSet<(Option<SessionName>, Class)>,
}

impl<'a, 'w> Scene<'a, 'w> {
    const fn inquiry(&self) -> Inquiry<'a>
    where
        'w: 'a,
    {
        Inquiry {
            past: self.past,
            join: self.join,
        }
    }

    fn row(&mut self, row: &Row, joined: &Joined<'w>) -> Fate<'w> {
        if let Status::Other(word) = &row.status {
            self.note(
                NoteKind::UnknownStatus,
                row,
                format!(
                    "{}: status {word:?} is not one headcount knows. Left alone.",
                    row.name
                ),
            );
        }
        let fate = match (joined, &row.status) {
            (Joined::Here(here), Status::Running) => {
                reappeared::reincarnation(self, row, here);
                id_materialized::find(self, row, here, Wait::No);
                Fate::Alive(*here)
            }
            (Joined::Here(here), status) => {
                if status.is_ended()
                    && let Some(revival) = reappeared::revival(self, row, here)
                {
                    id_materialized::find(self, row, here, Wait::With(revival));
                }
                Fate::Alive(*here)
            }
            (Joined::Maybe(why), Status::Running) => {
                self.blind(&row.name, &Class::ALL);
                self.note(
                    NoteKind::Unseen,
                    row,
                    format!("{}: {why}. Nothing is written.", row.name),
                );
                Fate::Unseen
            }
            (Joined::Nowhere, Status::Running) => tmux_gone::find(self, row),
            (Joined::Maybe(_) | Joined::Nowhere, _) => Fate::Gone,
        };
        stale_id::find(self, row, joined);
        fate
    }

    fn tell_invalid_rows(&mut self) {
        for invalid in &self.registry.invalid {
            let place = invalid
                .line
                .map_or_else(String::new, |line| format!(" (line {line})"));
            let name = invalid
                .name
                .as_ref()
                .map_or("a row without a name", SessionName::as_str);
            self.notes.push(Note {
                kind: NoteKind::InvalidRow,
                session: invalid.name.clone(),
                server: None,
                text: format!(
                    "tmux_sessions[{}]{place}, {name}: {}. Left alone.",
                    invalid.index, invalid.problem
                ),
                evidence: Vec::new(),
            });
        }
    }

    fn blind(&mut self, name: &SessionName, classes: &[Class]) {
        for &class in classes {
            self.blind.insert((Some(name.clone()), class));
        }
    }

    fn note(&mut self, kind: NoteKind, row: &Row, text: String) {
        self.note_with(kind, row, text, Vec::new());
    }

    fn note_with(&mut self, kind: NoteKind, row: &Row, text: String, evidence: Vec<Evidence>) {
        self.notes.push(Note {
            kind,
            session: Some(row.name.clone()),
            server: row.server.clone(),
            text,
            evidence,
        });
    }

    fn evidence(&self, source: impl Into<String>, said: impl Into<String>) -> Evidence {
        Evidence {
            source: source.into(),
            said: said.into(),
            at: self.world.at,
        }
    }

    fn artifact(
        &self,
        agent: AgentKind,
        id: &ConversationId,
    ) -> Option<&'w Sighting<super::world::Artifact>> {
        self.world.artifacts.get(&(agent, id.clone()))
    }
}

/// The outermost agents of one kind in a pane.
enum Agents<'w> {
    /// Just this one.
    One(&'w AgentSight),
    /// None.
    None,
    /// Several side by side.
    Several,
    /// The processes of the pane could not be read.
    Unknown(String),
}

fn agents_in(pane: &PaneSight, kind: Option<AgentKind>) -> Agents<'_> {
    if pane.dead {
        return Agents::None;
    }
    match &pane.agents {
        Sighting::Unknown(reason) => Agents::Unknown(reason.to_string()),
        Sighting::Absent(_) => Agents::None,
        Sighting::Present(all) => {
            let mut of_kind = all
                .iter()
                .filter(|sight| kind.is_none_or(|kind| kind == sight.kind));
            match (of_kind.next(), of_kind.next()) {
                (None, _) => Agents::None,
                (Some(one), None) => Agents::One(one),
                (Some(_), Some(_)) => Agents::Several,
            }
        }
    }
}

fn pane_record(pane: &PaneSight) -> PaneRecord {
    let seen = |sight: &Sighting<String>| match sight {
        Sighting::Present(text) => Some(text.clone()),
        Sighting::Absent(_) | Sighting::Unknown(_) => None,
    };
    PaneRecord {
        pid: Some(pane.pid),
        cmd: seen(&pane.cmd),
        cwd: seen(&pane.cwd),
    }
}

/// The pane, as the keys of a row.
fn pane_value(pane: &PaneRecord) -> Vec<(String, Value)> {
    let mut keys = Vec::new();
    if let Some(pid) = pane.pid {
        keys.push(("pid".to_owned(), Value::Int(i64::from(pid))));
    }
    if let Some(cmd) = &pane.cmd {
        keys.push(("cmd".to_owned(), Value::Text(cmd.clone())));
    }
    if let Some(cwd) = &pane.cwd {
        keys.push(("cwd".to_owned(), Value::Text(cwd.clone())));
    }
    if keys.is_empty() {
        return Vec::new();
    }
    vec![("pane".to_owned(), Value::Map(keys))]
}

/// Sessions that were made a moment ago have time to get their row from whoever made them.
fn old_enough(scene: &Scene<'_, '_>, created: Timestamp) -> Wait {
    let due = created.plus(scene.policy.spawn_grace);
    if due <= scene.now || scene.policy.spawn_grace.is_zero() {
        Wait::No
    } else if created > scene.now {
        // From the future, which is the clock's doing: it is as old as it was seen for.
        Wait::SecondLook(scene.policy.spawn_grace)
    } else {
        Wait::Until(due)
    }
}

/// The stable id of a drift. No time goes into it, and nothing that differs between two looks at one
/// and the same difference.
fn drift_id(
    kind: Kind,
    session: Option<&SessionName>,
    server: Option<&ServerName>,
    what: &[&str],
) -> DriftId {
    let mut hash = Sha256::new();
    let parts = [
        kind.as_str(),
        session.map_or("", SessionName::as_str),
        server.map_or("", ServerName::as_str),
    ];
    for part in parts.iter().chain(what) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hex: String = hash
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    DriftId::new(format!(
        "{}-{hex}",
        kind.class().letter().to_ascii_lowercase()
    ))
}

/// What stands in the way of an edit about a session that is joined, but not surely.
fn unless_sure(here: &Here<'_>) -> Option<Held> {
    (!here.sure).then(|| {
        Held::Doubt(format!(
            "session {} may also be another row's, or was there beside the row's own, or a preferred one could not be seen",
            here.seen.session.name
        ))
    })
}

fn taken_names(registry: &Registry) -> BTreeSet<SessionName> {
    let rows = registry.rows.iter().map(|row| &row.name);
    let invalid = registry
        .invalid
        .iter()
        .filter_map(|invalid| invalid.name.as_ref());
    rows.chain(invalid).map(SessionName::normalised).collect()
}

/// Every conversation that some row records as its own, or as one that it had before.
fn proven_agents(world: &World) -> BTreeSet<(ProcessId, AgentKind)> {
    agents_of(world)
        .into_iter()
        .filter(|(_, to_remember)| to_remember.is_none())
        .map(|(agent, _)| agent)
        .collect()
}

fn recorded_ids(registry: &Registry) -> BTreeSet<&ConversationId> {
    registry
        .rows
        .iter()
        .flat_map(|row| row.ids.values())
        .flat_map(|id| id.value.iter().chain(&id.previous))
        .collect()
}
