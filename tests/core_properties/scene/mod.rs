//! A roll, a world and a memory, said in a few words.
//!
//! A scene begins at home on an ordinary Linux machine: the roll is local, was last written an hour ago,
//! and nothing is in it. What a test does not say was not looked at.

mod machine;
mod row;
mod tmux;

use std::fmt;
use std::time::Duration;

use headcount::core::diff::{Fate, diff};
use headcount::core::drift::{Drift, Kind, Note, NoteKind};
use headcount::core::edit::Edit;
use headcount::core::ids::{BootId, Fingerprint, ServerName, SessionName, Timestamp};
use headcount::core::ledger::Ledger;
use headcount::core::plan::{Assessment, Decision, Plan, assess, plan};
use headcount::core::policy::Policy;
use headcount::core::registry::{Registry, Status};
use headcount::core::sighting::Sighting;
use headcount::core::world::{Place, ServerState, Vantage, World};

pub use machine::{Alive, candidate, dead, kin_of, process};
pub use row::{Declared, content, row};
pub use tmux::{
    Pane, Server, Session, missing, pane, record, refused, session, silent, socket_of, tmux,
};

/// When every scene plays, in seconds since the epoch.
pub const NOON: i64 = 1_800_000_000;
/// How long ago the machine was started, in seconds.
pub const UPTIME: i64 = 7200;

/// The user.
pub const UID: u32 = 1000;

/// So many seconds before noon.
pub fn ago(secs: i64) -> Timestamp {
    Timestamp::from_secs(NOON - secs)
}

pub fn name(name: &str) -> SessionName {
    SessionName::new(name)
}

pub fn this_boot() -> BootId {
    BootId::new("this boot")
}

pub fn here() -> Place {
    Place {
        machine: "here".to_owned(),
        pid_namespace: "pid:[4026531836]".to_owned(),
    }
}

pub fn seen() -> Sighting<()> {
    Sighting::Present(())
}

pub fn not_there<T>() -> Sighting<T> {
    Sighting::absent("looked, and it is not there")
}

pub fn unknown<T>() -> Sighting<T> {
    Sighting::unknown("it could not be looked at")
}

/// Everything one pass of the core is given.
#[derive(Clone, PartialEq)]
pub struct Scene {
    pub registry: Registry,
    pub world: World,
    pub ledger: Ledger,
    pub policy: Policy,
    pub now: Timestamp,
}

/// One thing a line, for whoever has to find out what a property did not hold for.
impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "now {:?}, roll written {:?}",
            self.now, self.registry.written_at
        )?;
        writeln!(f, "{:?}\n{:?}", self.policy, self.world.vantage)?;
        for row in &self.registry.rows {
            writeln!(f, "{row:?}")?;
        }
        writeln!(
            f,
            "{:?} {:?}",
            self.registry.invalid, self.registry.identities
        )?;
        for server in &self.world.servers {
            let ServerState::Listed(listing) = &server.state else {
                writeln!(f, "{server:?}")?;
                continue;
            };
            let (name, listener) = (&server.name, &server.listener);
            writeln!(
                f,
                "SERVER {name} {:?} listener {listener:?}",
                listing.server
            )?;
            for session in &listing.sessions {
                writeln!(
                    f,
                    "  SESSION {} {} {:?}",
                    session.id, session.name, session.created
                )?;
                for pane in &session.panes {
                    writeln!(f, "    {pane:?}")?;
                }
            }
        }
        for (key, sight) in &self.world.processes {
            writeln!(f, "PROCESS {key} {sight:?}")?;
        }
        for (key, sight) in &self.world.artifacts {
            writeln!(f, "ARTIFACT {key:?} {sight:?}")?;
        }
        for (key, sight) in &self.world.folders {
            writeln!(f, "FOLDER {key:?} {sight:?}")?;
        }
        writeln!(f, "strays {:?}", self.world.strays)?;
        writeln!(f, "elsewhere {:?}", self.world.elsewhere)?;
        writeln!(f, "rolls {:?}", self.world.nearest_rolls)?;
        writeln!(
            f,
            "LEDGER {:?} {:?}",
            self.ledger.homes, self.ledger.servers
        )?;
        for (key, row) in &self.ledger.rows {
            writeln!(f, "  {key:?} {row:?}")?;
        }
        for (key, agent) in &self.ledger.agents {
            writeln!(f, "  {key:?} {agent:?}")?;
        }
        for (id, drift) in &self.ledger.drifts {
            writeln!(f, "  {id:?} {drift:?}")?;
        }
        Ok(())
    }
}

pub fn scene() -> Scene {
    Scene {
        registry: Registry {
            fingerprint: Fingerprint::new("the roll"),
            written_at: ago(3600),
            rows: Vec::new(),
            invalid: Vec::new(),
            identities: Vec::new(),
        },
        world: World {
            at: ago(0),
            vantage: Vantage {
                host: "here".to_owned(),
                place: here(),
                boot: this_boot(),
                booted_at: ago(UPTIME),
                first_pid_namespace: seen(),
                uid: UID,
                roll_is_local: seen(),
            },
            servers: Vec::new(),
            strays: seen(),
            elsewhere: Sighting::Present(Vec::new()),
            processes: Default::default(),
            artifacts: Default::default(),
            folders: Default::default(),
            retention: Default::default(),
            nearest_rolls: Default::default(),
            shared: Default::default(),
            jobs: Default::default(),
            sources: Vec::new(),
        },
        ledger: Ledger::default(),
        policy: Policy::default(),
        now: ago(0),
    }
}

impl Scene {
    pub fn row(mut self, row: Declared) -> Self {
        self.registry.rows.push(row.at(self.registry.rows.len()));
        self
    }

    pub fn server(mut self, server: Server) -> Self {
        self.world.servers.push(server.sight());
        self.world
            .servers
            .sort_by_key(|server| (!server.name.is_default(), server.name.clone()));
        self
    }

    /// Somebody listens on this socket, below another `TMUX_TMPDIR`, and was not asked.
    pub fn listener_elsewhere(mut self, socket: &str) -> Self {
        let mut found = match self.world.elsewhere {
            Sighting::Present(found) => found,
            _ => Vec::new(),
        };
        found.push(socket.to_owned());
        found.sort();
        self.world.elsewhere = Sighting::Present(found);
        self
    }

    /// Whether anybody does could not be looked for.
    pub fn elsewhere_unread(mut self) -> Self {
        self.world.elsewhere = unknown();
        self
    }

    /// Nothing is waited for.
    pub fn at_once(mut self) -> Self {
        self.policy.grace = Duration::ZERO;
        self.policy.spawn_grace = Duration::ZERO;
        self
    }

    pub fn roll_written(mut self, at: Timestamp) -> Self {
        self.registry.written_at = at;
        self
    }

    /// The folder of the sessions belongs to this roll.
    pub fn our_folder(mut self, folder: &str) -> Self {
        self.world.nearest_rolls.insert(
            folder.to_owned(),
            Sighting::Present(headcount::core::world::NearestRoll::Ours),
        );
        self
    }

    /// The whole core, once.
    pub fn pass(&self) -> Pass {
        let before = self.ledger.by_the_clock_of(&self.world.vantage);
        let findings = diff(&self.registry, &self.world, &before, &self.policy, self.now);
        let ledger = before.with_look(&self.registry, &self.world, &findings, self.now);
        let plan = plan(&self.registry, &findings, &ledger, &self.policy, self.now);
        let confirmed = self
            .registry
            .rows
            .iter()
            .zip(&findings.fates)
            .all(|(row, fate)| row.status != Status::Running || !matches!(fate, Fate::Unseen));
        Pass {
            drifts: findings.drifts,
            notes: findings.notes,
            confirmed,
            plan,
            ledger,
        }
    }

    /// The whole core, once, as a pass calls it.
    pub fn assess(&self) -> Assessment {
        assess(
            &self.registry,
            &self.world,
            &self.ledger,
            &self.policy,
            self.now,
        )
    }

    /// The same roll and world, so many seconds after `pass`.
    pub fn after(mut self, pass: &Pass, secs: u64) -> Self {
        self.ledger = pass.ledger.clone();
        self.now = self.now.plus(Duration::from_secs(secs));
        self.world.at = self.now;
        self
    }
}

/// What one pass of the core comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Pass {
    pub drifts: Vec<Drift>,
    pub notes: Vec<Note>,
    pub confirmed: bool,
    pub plan: Plan,
    pub ledger: Ledger,
}

impl Pass {
    pub fn edits(&self) -> Vec<Edit> {
        self.plan.edits()
    }

    pub fn drift(&self, kind: Kind) -> &Drift {
        self.drifts
            .iter()
            .find(|drift| drift.kind == kind)
            .unwrap_or_else(|| panic!("no {} in {:#?}", kind.as_str(), self.says()))
    }

    pub fn has_note(&self, kind: NoteKind) -> bool {
        self.notes.iter().any(|note| note.kind == kind)
    }

    /// All drifts and notes, each as a line: `tmux_gone NAME (REASON): written`, `note renamed NAME`.
    pub fn says(&self) -> Vec<String> {
        let drifts = self.drifts.iter().map(|drift| {
            format!(
                "{} {} ({}): {}",
                drift.kind.as_str(),
                drift.session.as_ref().map_or("-", SessionName::as_str),
                drift.reason,
                self.outcome(drift)
            )
        });
        let notes = self.notes.iter().map(|note| {
            format!(
                "note {} {}",
                note.kind.as_str(),
                note.session.as_ref().map_or("-", SessionName::as_str)
            )
        });
        drifts.chain(notes).collect()
    }

    fn outcome(&self, drift: &Drift) -> String {
        match self.plan.fates.get(&drift.id) {
            None => "lost".to_owned(),
            Some(Decision::Write(_)) => "written".to_owned(),
            Some(Decision::Told) => "told".to_owned(),
            Some(Decision::Held(held)) => format!("held, {}", held.as_str()),
            Some(Decision::Pending { due, .. }) => {
                format!("pending until noon{:+}", due.secs() - NOON)
            }
        }
    }
}

pub fn server_name(name: &str) -> ServerName {
    ServerName::new(name)
}
