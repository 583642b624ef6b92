use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::super::stand_in::StandIn;
use super::*;
use crate::core::ids::{BootId, Fingerprint, ServerName, SessionName};
use crate::core::registry::{Identity, RecordedId, RowEnd, RowPane};
use crate::core::world::{
    AgentSight, Listing, PaneSight, Place as Vicinity, ServerId, ServerSight, ServerState,
    SourceState, Vantage,
};

const ID: &str = "3bd73422-0e61-4161-9102-8d1709984f18";
const OTHER: &str = "cc43d357-45b5-4df2-8bbd-dcde4b4a0e76";

/// A home folder in which Claude Code has run.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        let home = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        for folder in ["projects", "sessions"] {
            fs::create_dir_all(home.path().join(".claude").join(folder)).expect("a folder");
        }
        home
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("a folder")
    }

    fn text(&self) -> String {
        self.path().to_str().expect("a text").to_owned()
    }

    fn work(&self, name: &str) -> PathBuf {
        let path = self.path().join(name);
        fs::create_dir_all(&path).expect("a folder");
        path
    }

    fn minds(&self) -> Minds {
        Minds::new(&Homes {
            home: Some(self.path()),
            ..Homes::default()
        })
    }

    fn agent(&self, folder: &Path) -> StandIn {
        StandIn::start("claude", folder, &[("HOME", &self.text())])
    }

    fn record(&self, process: ProcessId, id: &str, entrypoint: &str) {
        let record = json!({
            "sessionId": id, "procStart": process.start.to_string(), "entrypoint": entrypoint,
            "status": "idle",
        });
        let path = format!(".claude/sessions/{}.json", process.pid);
        fs::write(self.path().join(path), record.to_string()).expect("a file");
    }

    /// From here on Claude Code keeps no records, as its older versions.
    fn without_records(&self) {
        fs::remove_dir(self.path().join(".claude/sessions")).expect("an empty folder");
    }

    /// A conversation that somebody began in a folder.
    fn transcript(&self, folder: &Path, id: &str) {
        let folder = folder.to_str().expect("a text");
        let key = folder.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let project = self.path().join(".claude/projects").join(key);
        fs::create_dir_all(&project).expect("a folder");
        let begin = json!({
            "timestamp": "2026-11-21T09:16:04.765Z", "entrypoint": "cli", "cwd": folder,
        });
        fs::write(project.join(format!("{id}.jsonl")), format!("{begin}\n")).expect("a file");
    }
}

/// A world with one session whose panes run these agents.
fn world(session: &str, agents: Vec<AgentSight>) -> World {
    let unseen = || Sighting::unknown("not looked at");
    let panes = agents.into_iter().map(|agent| PaneSight {
        id: "%1".to_owned(),
        pid: agent.process.pid,
        dead: false,
        start: Sighting::unknown("not looked at"),
        agents: Sighting::Present(vec![agent]),
        cmd: unseen(),
        cwd: unseen(),
    });
    let session = SessionSight {
        id: "$1".to_owned(),
        name: SessionName::new(session),
        created: Timestamp::from_secs(1_000),
        panes: panes.collect(),
    };
    let server = ServerSight {
        name: ServerName::default_server(),
        socket: "/tmp/x".to_owned(),
        stray: false,
        state: ServerState::Listed(Listing {
            server: ServerId { pid: 1, start: 1 },
            sessions: vec![session],
        }),
        listener: Sighting::Present(()),
    };
    World {
        at: Timestamp::from_secs(2_000),
        vantage: Vantage {
            host: "h".to_owned(),
            place: Vicinity {
                machine: "m".to_owned(),
                pid_namespace: "-".to_owned(),
            },
            boot: BootId::new("b"),
            booted_at: Timestamp::from_secs(1),
            first_pid_namespace: Sighting::Present(()),
            uid: 0,
            roll_is_local: Sighting::Present(()),
        },
        servers: vec![server],
        processes: BTreeMap::new(),
        artifacts: BTreeMap::new(),
        folders: BTreeMap::new(),
        retention: BTreeMap::new(),
        strays: Sighting::Present(()),
        elsewhere: Sighting::Present(Vec::new()),
        nearest_rolls: BTreeMap::new(),
        shared: BTreeMap::new(),
        jobs: Default::default(),
        sources: Vec::new(),
    }
}

fn row(name: &str, status: Status, id: Option<&str>) -> Row {
    let recorded = RecordedId {
        value: id.map(ConversationId::new),
        previous: Vec::new(),
    };
    Row {
        index: 0,
        fingerprint: Fingerprint::new("f"),
        name: SessionName::new(name),
        status,
        server: None,
        pane: RowPane::default(),
        ids: BTreeMap::from([(AgentKind::Claude, recorded)]),
        agent: Some(AgentKind::Claude),
        end: RowEnd::default(),
        job: None,
        job_status_of: None,
        job_status: None,
    }
}

fn registry(rows: Vec<Row>) -> Registry {
    Registry {
        fingerprint: Fingerprint::new("f"),
        written_at: Timestamp::from_secs(1),
        rows,
        invalid: Vec::new(),
        identities: Vec::new(),
    }
}

fn sight(minds: &mut Minds, agent: &StandIn, folder: &Path) -> AgentSight {
    AgentSight {
        process: agent.process,
        kind: AgentKind::Claude,
        started_at: Sighting::unknown("not looked at"),
        cwd: Sighting::Present(folder.to_str().expect("a text").to_owned()),
        live: minds.live(AgentKind::Claude, agent.process),
    }
}

fn claude(id: &str) -> (AgentKind, ConversationId) {
    (AgentKind::Claude, ConversationId::new(id))
}

/// The world as it is after a silent agent was seen in a session of a row with that id.
fn with_a_silent_agent(home: &Home, session: &str, rows: Vec<Row>) -> (World, StandIn) {
    home.without_records();
    let work = home.work("w");
    let agent = home.agent(&work);
    let mut minds = home.minds();
    let sight = sight(&mut minds, &agent, &work);
    assert!(sight.live.is_absent(), "{sight:?}");
    let mut world = world(session, vec![sight]);
    fill(&mut minds, &mut world, &registry(rows));
    (world, agent)
}

/// Fills in what the roll asks for, without a memory.
fn fill(minds: &mut Minds, world: &mut World, roll: &Registry) {
    let recorded = recorded(roll, &Ledger::default());
    minds.fill(world, recorded, roll, &Policy::default());
}

#[test]
fn the_conversations_of_rows_and_identities_and_live_agents_are_looked_for() {
    let home = Home::new();
    let work = home.work("w");
    let agent = home.agent(&work);
    home.record(agent.process, ID, "cli");
    let mut minds = home.minds();
    let sight = sight(&mut minds, &agent, &work);
    let mut world = world("a", vec![sight]);
    let mut roll = registry(vec![
        row("a", Status::Running, None),
        row("b", Status::Stopped, Some("stopped")),
        row("c", Status::Archived, Some("archived")),
        row("d", Status::Terminated, Some("terminated")),
    ]);
    let mut mistaken = row("e", Status::Terminated, Some("mistaken"));
    mistaken.end.mode = Some("auto-detected".to_owned());
    roll.rows.push(mistaken);
    roll.identities.push(Identity {
        key: "claude".to_owned(),
        agent: Some(AgentKind::Claude),
        id: ConversationId::new("identity"),
        cwd: None,
    });
    minds.look_ahead(&recorded(&roll, &Ledger::default()));
    fill(&mut minds, &mut world, &roll);
    let asked: Vec<_> = world.artifacts.keys().cloned().collect();
    let expected = [ID, "identity", "mistaken", "stopped"].map(claude);
    assert_eq!(asked, expected);
    assert!(world.artifacts.values().all(Sighting::is_absent));
    let days = Duration::from_secs(30 * 24 * 3600);
    let kept = BTreeMap::from([(AgentKind::Claude, Sighting::Present(days))]);
    assert_eq!(world.retention, kept);
    assert_eq!(world.sources.len(), 1);
    assert_eq!(world.sources[0].state, SourceState::Present);
}

#[test]
fn what_was_missed_ahead_is_looked_for_in_the_roots_of_live_agents() {
    let (home, elsewhere) = (Home::new(), Home::new());
    let work = elsewhere.work("w");
    elsewhere.transcript(&work, ID);
    let agent = elsewhere.agent(&work);
    elsewhere.record(agent.process, OTHER, "cli");
    let roll = registry(vec![row("a", Status::Running, Some(ID))]);
    let mut minds = home.minds();
    minds.look_ahead(&recorded(&roll, &Ledger::default()));
    let sight = sight(&mut minds, &agent, &work);
    let mut world = world("a", vec![sight]);
    fill(&mut minds, &mut world, &roll);
    assert!(world.artifacts[&claude(ID)].is_present());
}

#[test]
fn agents_nobody_can_read_yet_are_unknown() {
    let home = Home::new();
    let mut minds = home.minds();
    let process = ProcessId { pid: 1, start: 1 };
    assert!(minds.live(AgentKind::Codex, process).is_unknown());

    let mut cline = row("a", Status::Running, None);
    let recorded = RecordedId {
        value: Some(ConversationId::new("x")),
        previous: Vec::new(),
    };
    cline.ids = BTreeMap::from([(AgentKind::Cline, recorded)]);
    let mut world = world("a", Vec::new());
    fill(&mut minds, &mut world, &registry(vec![cline]));
    let key = (AgentKind::Cline, ConversationId::new("x"));
    assert!(world.artifacts[&key].is_unknown());
}

#[test]
fn a_conversation_in_two_processes_is_shared() {
    let home = Home::new();
    let work = home.work("w");
    let (one, two, three) = (home.agent(&work), home.agent(&work), home.agent(&work));
    home.record(one.process, ID, "cli");
    home.record(two.process, ID, "sdk-cli");
    home.record(three.process, OTHER, "cli");
    let mut minds = home.minds();
    let sights = [&one, &two, &three].map(|agent| sight(&mut minds, agent, &work));
    let mut world = world("a", sights.into());
    fill(&mut minds, &mut world, &registry(Vec::new()));
    let both = BTreeSet::from([one.process, two.process]);
    let expected = BTreeMap::from([(ConversationId::new(ID), both)]);
    assert_eq!(world.shared, expected);
}

#[test]
fn the_folder_of_a_silent_agent_is_looked_into_where_its_row_lacks_the_id() {
    let home = Home::new();
    home.transcript(&home.work("w"), ID);
    let (world, agent) = with_a_silent_agent(&home, "a", vec![row("a", Status::Running, None)]);
    let key = (AgentKind::Claude, format!("{}/w", home.text()));
    let folder = &world.folders[&key];
    assert!(
        matches!(&folder.candidates, Sighting::Present(all) if all.len() == 1 && all[0].id.as_str() == ID)
    );
    assert_eq!(folder.claimed, Sighting::Present(BTreeSet::new()));
    let Sighting::Present(kin) = &folder.kin else {
        panic!("{folder:?}");
    };
    let own = kin.iter().find(|it| it.process == agent.process);
    let user = rustix::process::geteuid().as_raw();
    assert_eq!(own.map(|it| it.user.clone()), Some(Sighting::Present(user)));
}

#[test]
fn a_folder_in_which_nothing_was_said_needs_no_count_of_everybody() {
    let home = Home::new();
    let rows = vec![row("a", Status::Running, None)];
    let (world, _agent) = with_a_silent_agent(&home, "a", rows);
    let folder = world.folders.values().next().expect("a folder");
    assert_eq!(folder.candidates, Sighting::Present(Vec::new()));
    assert!(folder.kin.is_unknown());
}

#[test]
fn what_kin_with_a_root_of_their_own_said_in_the_folder_is_a_candidate_too() {
    let (home, elsewhere) = (Home::new(), Home::new());
    home.without_records();
    let work = home.work("w");
    home.transcript(&work, ID);
    elsewhere.transcript(&work, OTHER);
    let (silent, kin) = (home.agent(&work), elsewhere.agent(&work));
    elsewhere.record(kin.process, OTHER, "cli");
    let mut minds = home.minds();
    let sight = sight(&mut minds, &silent, &work);
    let mut world = world("a", vec![sight]);
    fill(
        &mut minds,
        &mut world,
        &registry(vec![row("a", Status::Running, None)]),
    );
    let folder = world.folders.values().next().expect("a folder");
    let Sighting::Present(candidates) = &folder.candidates else {
        panic!("{folder:?}");
    };
    let ids: Vec<&str> = candidates.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, [ID, OTHER]);
    let claimed = BTreeSet::from([ConversationId::new(OTHER)]);
    assert_eq!(folder.claimed, Sighting::Present(claimed));
}

#[test]
fn no_folder_is_looked_into_where_every_row_has_its_id() {
    let home = Home::new();
    let rows = vec![
        row("a", Status::Running, Some(ID)),
        row("b", Status::Running, None),
    ];
    let (world, _agent) = with_a_silent_agent(&home, "a", rows);
    assert_eq!(world.folders, BTreeMap::new());

    let home = Home::new();
    let rows = vec![row("b", Status::Stopped, None)];
    let (world, _agent) = with_a_silent_agent(&home, "nobodys", rows);
    assert_eq!(world.folders, BTreeMap::new());
}

#[test]
fn a_session_of_another_name_may_be_a_renamed_one() {
    let home = Home::new();
    let rows = vec![row("b", Status::Running, None)];
    let (world, _agent) = with_a_silent_agent(&home, "renamed", rows);
    assert_eq!(world.folders.len(), 1);
}

#[test]
fn everybody_in_the_folder_is_kin_and_nobody_elsewhere_is() {
    let home = Home::new();
    let (work, link) = (home.work("w"), home.path().join("link"));
    std::os::unix::fs::symlink(&work, &link).expect("a link");
    let script = home.agent(&work);
    home.record(script.process, OTHER, "sdk-cli");
    let (elsewhere, through_a_link) = (home.agent(&home.work("x")), home.agent(&link));
    let _other_program = StandIn::start("vim", &work, &[]);

    let mut minds = home.minds();
    let place = census::place(&work).expect("a folder");
    let all = census::take(&BTreeSet::from([place])).expect("processes");
    let kin = minds.kin(AgentKind::Claude, Some(place), &all);
    let of = |agent: &StandIn| kin.iter().find(|it| it.process == agent.process);
    let script = of(&script).expect("kin");
    assert!(
        matches!(&script.live, Sighting::Present(it) if it.id.as_str() == OTHER),
        "a scripted run's conversation is its own: {script:?}"
    );
    assert!(of(&through_a_link).is_some());
    assert!(of(&elsewhere).is_none());
    assert!(minds.kin(AgentKind::Agy, Some(place), &all).is_empty());
}
