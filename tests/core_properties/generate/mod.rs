//! Scenes that nobody thought of.
//!
//! Everything is drawn from small pools, so that rows, sessions, processes and memories meet each other
//! often, and miss each other narrowly. Every part has seeds of its own; zero is the most ordinary choice
//! everywhere, so that what proptest shrinks to can be read.
//!
//! The look is consistent in what one kernel guarantees: a pid means one process, a pane belongs to one
//! server, and what runs in a pane runs below that pane and its server.

pub mod jobs;
mod ledger;
mod machine;
mod roll;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headcount::core::ids::{AgentKind, ConversationId, Pid, ServerName, SessionName, Timestamp};
use headcount::core::sighting::{Reason, Sighting};
use headcount::core::world::{
    AgentSight, Listing, PaneSight, ProcessStart, ServerId, ServerSight, ServerState, SessionSight,
};
use proptest::prelude::*;

use crate::scene::{NOON, Scene, UPTIME, ago, not_there, record, scene, seen, socket_of, unknown};

const NAMES: [&str; 10] = [
    "app-creator-claude",
    "app-creator-agy",
    "lib-creator-claude",
    "a_b-creator-claude",
    "a.b-creator-claude",
    "notes",
    "a:b-creator-claude",
    "one-creator-claude",
    "two-creator-claude",
    "three",
];
const SERVERS: [&str; 5] = [
    "default",
    "work",
    "tmp",
    "/run/odd.sock",
    "/tmp/tmux-1000/default",
];
const PANE_PIDS: [Pid; 6] = [100, 101, 102, 103, 104, 105];
const OTHER_PIDS: [Pid; 2] = [200, 201];
const CONVERSATIONS: [&str; 4] = ["c1", "c2", "c3", "c4"];
const FOLDERS: [&str; 2] = ["/src/app", "/src/lib"];
const AGENTS: [AgentKind; 2] = [AgentKind::Claude, AgentKind::Agy];
/// Seconds before noon: on both sides of the graces, of the boot and of the slack between clocks.
const OFFSETS: [i64; 16] = [
    1800, 3600, 3599, 3601, 600, 60, 31, 29, 10, 1, 0, -5, 7199, 7205, 90_000, 1801,
];

/// Nothing is waited for, or long enough for some proofs to be old enough and others not.
pub const GRACES: [Duration; 2] = [Duration::ZERO, Duration::from_secs(60)];

/// How many scenes a law is tried on. What failed once is kept as a rule, not as a seed: seeds mean another
/// scene as soon as one is drawn differently.
pub fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(usual),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// What a scene is made from.
#[derive(Clone, Debug)]
pub struct Seeds {
    rows: Vec<[u8; 14]>,
    memories: Vec<[u8; 14]>,
    servers: [[u8; 5]; 5],
    sessions: Vec<[u8; 8]>,
    panes: [[u8; 12]; 6],
    processes: [[u8; 6]; 12],
    disk: [u8; 32],
    machine: [u8; 16],
    past: [u8; 48],
}

pub fn seeds() -> impl Strategy<Value = Seeds> {
    let byte = any::<u8>;
    (
        prop::collection::vec(prop::array::uniform14(byte()), 0..8),
        prop::collection::vec(prop::array::uniform14(byte()), 8),
        prop::array::uniform5(prop::array::uniform5(byte())),
        prop::collection::vec(prop::array::uniform8(byte()), 0..6),
        prop::array::uniform6(prop::array::uniform12(byte())),
        prop::array::uniform12(prop::array::uniform6(byte())),
        prop::array::uniform32(byte()),
        prop::array::uniform16(byte()),
        prop::array::uniform::<_, 48>(byte()),
    )
        .prop_map(
            |(rows, memories, servers, sessions, panes, processes, disk, machine, past)| Seeds {
                rows,
                memories,
                servers,
                sessions,
                panes,
                processes,
                disk,
                machine,
                past,
            },
        )
}

/// Any scene.
pub fn any_scene() -> impl Strategy<Value = Scene> {
    seeds().prop_map(|seeds| seeds.scene())
}

/// One part's seeds, used up from the front; what comes after the last is zero.
struct Dice<'a>(&'a [u8]);

impl Dice<'_> {
    fn roll(&mut self, sides: usize) -> usize {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(first) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len())]
    }

    /// Once in so many rolls, and never for a zero.
    fn rarely(&mut self, sides: usize) -> bool {
        self.roll(sides) == 1
    }

    fn time(&mut self) -> Timestamp {
        let offset = self.pick(&OFFSETS);
        ago(offset)
    }

    /// The kernel counts in ticks since the boot, so that no process ever began before that or in the future.
    fn past(&mut self) -> Timestamp {
        self.time().clamp(ago(UPTIME), ago(0))
    }

    fn sighting<T>(&mut self, thing: T) -> Sighting<T> {
        match self.roll(8) {
            6 => not_there(),
            7 => unknown(),
            _ => Sighting::Present(thing),
        }
    }
}

impl Seeds {
    pub fn scene(&self) -> Scene {
        let mut scene = scene();
        let mut dice = Dice(&self.machine);
        scene.registry.written_at = dice.time();
        scene.world.vantage.first_pid_namespace = dice.sighting(());
        scene.world.vantage.roll_is_local = dice.sighting(());
        scene.policy.allow_mass_change = dice.rarely(4);
        scene.policy.read_only = dice
            .rarely(16)
            .then(|| "another program's store".to_owned());
        if dice.rarely(12) {
            scene.world.strays = unknown();
        }
        // One that might be any row's, and one that is only a named server's.
        scene.world.elsewhere = match dice.roll(8) {
            4 => Sighting::Present(vec!["/srv/tmux-1000/default".to_owned()]),
            5 => Sighting::Present(vec!["/srv/tmux-1000/work".to_owned()]),
            6 => not_there(),
            7 => unknown(),
            _ => Sighting::Present(Vec::new()),
        };
        scene.world.servers = self.listings();
        self.declare(&mut scene);
        self.remember(&mut scene);
        self.run_processes(&mut scene);
        self.fill_disk(&mut scene);
        self.open_drifts(&mut scene);
        scene
    }

    fn listings(&self) -> Vec<ServerSight> {
        let panes: BTreeMap<Pid, PaneSight> = PANE_PIDS
            .iter()
            .zip(&self.panes)
            .map(|(&pid, seed)| (pid, any_pane(pid, &mut Dice(seed))))
            .collect();
        let mut servers = Vec::new();
        for (at, (&named, seed)) in SERVERS.iter().zip(&self.servers).enumerate() {
            let mut dice = Dice(seed);
            // Most machines have one server, some have two.
            if at > 0 && dice.roll(at + 1) == 0 {
                continue;
            }
            let id = ServerId {
                pid: 10 + Pid::try_from(at % 4).unwrap_or(0),
                start: NOON - dice.pick(&[7100, 7100, 500]),
            };
            let state = match dice.roll(10) {
                7 => ServerState::Refused,
                8 => ServerState::Missing,
                9 => ServerState::Unknown(Reason::new("it did not answer")),
                _ => ServerState::Listed(Listing {
                    server: id,
                    sessions: Vec::new(),
                }),
            };
            let listener = match (&state, dice.roll(8)) {
                (_, 7) => unknown(),
                (ServerState::Refused | ServerState::Missing, 0..=5) => not_there(),
                _ => seen(),
            };
            servers.push(ServerSight {
                name: ServerName::new(named),
                socket: socket_of(named),
                stray: named == "tmp",
                state,
                listener,
            });
        }
        self.fill_servers(&mut servers, &panes);
        servers.sort_by_key(|server| (!server.name.is_default(), server.name.clone()));
        servers
    }

    fn fill_servers(&self, servers: &mut [ServerSight], panes: &BTreeMap<Pid, PaneSight>) {
        let mut homes: BTreeMap<Pid, String> = BTreeMap::new();
        for seed in &self.sessions {
            let mut dice = Dice(seed);
            let count = servers.len();
            let Some(server) = servers.get_mut(dice.roll(count.max(1))) else {
                continue;
            };
            let socket = server.socket.clone();
            let ServerState::Listed(listing) = &mut server.state else {
                continue;
            };
            let name = SessionName::new(dice.pick(&NAMES));
            if listing.sessions.iter().any(|session| session.name == name) {
                continue;
            }
            let mut session = SessionSight {
                id: format!("${}", listing.sessions.len()),
                name,
                created: dice.time(),
                panes: Vec::new(),
            };
            for _ in 0..dice.pick(&[1, 1, 1, 2, 3]) {
                let pid = dice.pick(&PANE_PIDS);
                let home = homes.entry(pid).or_insert_with(|| socket.clone());
                if *home == socket && session.panes.iter().all(|pane| pane.pid != pid) {
                    session.panes.push(panes[&pid].clone());
                }
            }
            listing.sessions.push(session);
        }
        // One server under two names shows the same under both.
        let listed = |servers: &[ServerSight], named: &str| {
            servers
                .iter()
                .find(|server| server.name.as_str() == named)
                .map(|server| (server.state.clone(), server.listener.clone()))
        };
        if let Some((state, listener)) = listed(servers, "default")
            && let Some(alias) = servers
                .iter_mut()
                .find(|server| server.name.as_str() == "/tmp/tmux-1000/default")
        {
            alias.state = state;
            alias.listener = listener;
        }
    }
}

fn any_pane(pid: Pid, dice: &mut Dice<'_>) -> PaneSight {
    let cwd = dice.pick(&FOLDERS).to_owned();
    let start = ProcessStart {
        ticks: u64::from(pid) * 1000,
        at: dice.past(),
    };
    let agents = match dice.roll(10) {
        0..=5 => Sighting::Present(vec![any_agent(pid, &cwd, 0, dice)]),
        6 => Sighting::Present(vec![
            any_agent(pid, &cwd, 0, dice),
            any_agent(pid, &cwd, 1, dice),
        ]),
        9 => unknown(),
        _ => not_there(),
    };
    PaneSight {
        id: format!("%{}", pid - 97),
        pid,
        dead: dice.rarely(12),
        start: match dice.roll(6) {
            5 => unknown(),
            _ => Sighting::Present(start),
        },
        agents,
        cmd: dice.sighting("claude".to_owned()),
        cwd: dice.sighting(cwd),
    }
}

fn any_agent(pane: Pid, cwd: &str, nth: u32, dice: &mut Dice<'_>) -> AgentSight {
    let pid = pane + 1000 + nth * 1000;
    AgentSight {
        process: headcount::core::ids::ProcessId {
            pid,
            start: u64::from(pid) * 1000,
        },
        kind: dice.pick(&[AgentKind::Claude, AgentKind::Claude, AgentKind::Agy]),
        started_at: dice.sighting(ago(1700)),
        cwd: if dice.rarely(8) {
            unknown()
        } else {
            Sighting::Present(cwd.to_owned())
        },
        live: match dice.roll(7) {
            0..=3 => Sighting::Present(record(dice.pick(&CONVERSATIONS))),
            6 => unknown(),
            _ => not_there(),
        },
    }
}

fn conversations() -> impl Iterator<Item = (AgentKind, ConversationId)> {
    AGENTS.into_iter().flat_map(|agent| {
        CONVERSATIONS
            .iter()
            .map(move |id| (agent, ConversationId::new(*id)))
    })
}

/// All panes that are listed, each once.
fn listed_panes(scene: &Scene) -> Vec<(&ServerSight, &Listing, &PaneSight)> {
    let mut met = BTreeSet::new();
    let mut panes = Vec::new();
    for server in &scene.world.servers {
        let ServerState::Listed(listing) = &server.state else {
            continue;
        };
        for pane in listing.sessions.iter().flat_map(|session| &session.panes) {
            if met.insert(pane.pid) {
                panes.push((server, listing, pane));
            }
        }
    }
    panes
}

/// The laws are only worth something if every kind of verdict is met.
#[test]
fn the_generated_scenes_have_everything_in_them() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..3000 {
        let scene = any_scene().new_tree(&mut runner).unwrap().current();
        for line in scene.at_once().pass().says() {
            let mut words = line.split(' ');
            let first = words.next().unwrap_or_default();
            let what = match first {
                "note" => format!("note {}", words.next().unwrap_or_default()),
                kind => format!("{kind}:{}", line.rsplit_once(':').unwrap_or_default().1),
            };
            *met.entry(what).or_default() += 1;
        }
    }
    let edits = [
        "tmux_gone",
        "unregistered",
        "revived",
        "reincarnated",
        "mistaken",
        "id_materialized",
        "rotated",
    ];
    let written = edits.map(|kind| format!("{kind}: written"));
    let held = [
        "tmux_gone: held, mass_change",
        "tmux_gone: held, not_home",
        "tmux_gone: held, process_alive",
        "unregistered: held, doubt",
        "rotated: held, person_changed",
        "stale_id: told",
        "note renamed",
        "note unseen",
        "note leftover_process",
        "note ambiguous",
        "note known",
        "note still_alive",
        "note agent_exited",
        "note name_taken",
        "note foreign",
        "note shared_id",
    ];
    for what in written.iter().map(String::as_str).chain(held) {
        let times = met.get(what).copied().unwrap_or(0);
        assert!(times > 0, "{what} was never met: {met:#?}");
    }
}
