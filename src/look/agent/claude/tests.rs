use std::fs;
mod candidates;

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::SystemTime;

use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::super::stand_in::StandIn;
use super::*;
use crate::core::world::SourceState;
use crate::look::window;

const ID: &str = "3bd73422-0e61-4161-9102-8d1709984f18";
const OTHER: &str = "cc43d357-45b5-4df2-8bbd-dcde4b4a0e76";

/// A home folder with Claude Code's files, and a folder to work in.
struct Home {
    folder: TempDir,
}

impl Home {
    /// One in which Claude Code has run.
    fn new() -> Self {
        let home = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        fs::create_dir_all(home.config().join("projects")).expect("a folder");
        fs::create_dir_all(home.config().join("sessions")).expect("a folder");
        home
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("a folder")
    }

    fn config(&self) -> PathBuf {
        self.path().join(".claude")
    }

    /// A folder to work in, made on first use.
    fn work(&self, name: &str) -> String {
        let path = self.path().join("work").join(name);
        fs::create_dir_all(&path).expect("a folder");
        path.to_str().expect("a text").to_owned()
    }

    /// What can be read of Claude Code from here, without waiting for anybody to start.
    fn claude(&self) -> Claude {
        let mut claude = Claude::new(&Homes {
            home: Some(self.path()),
            ..Homes::default()
        });
        claude.records.starting = 0;
        claude
    }

    /// An agent with this home.
    fn agent(&self, environment: &[(&str, &str)]) -> StandIn {
        let path = self.path();
        let home = [("HOME", path.to_str().expect("a text"))];
        StandIn::start("claude", &path, &[&home, environment].concat())
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.config().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    fn record(&self, process: ProcessId, id: &str) -> PathBuf {
        self.put(
            &format!("sessions/{}.json", process.pid),
            record(process, id).to_string(),
        )
    }

    fn transcript(&self, cwd: &str, id: &str, lines: &[Value]) -> PathBuf {
        let [Key::Exact(key), ..] = &keys(cwd)[..] else {
            panic!("a short path");
        };
        self.put(&format!("projects/{key}/{id}.jsonl"), text(lines))
    }
}

fn record(process: ProcessId, id: &str) -> Value {
    json!({
        "pid": process.pid, "sessionId": id, "cwd": "/tmp/w", "procStart": process.start.to_string(),
        "version": "2.1.197", "kind": "interactive", "entrypoint": "cli", "status": "idle",
    })
}

fn text(lines: &[Value]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// What a person's session begins with.
fn begin(cwd: &str) -> Vec<Value> {
    vec![
        json!({"type": "mode", "mode": "normal", "sessionId": ID}),
        json!({
            "isSidechain": false, "type": "user", "timestamp": "2026-11-21T09:16:04.765Z",
            "entrypoint": "cli", "cwd": cwd,
        }),
    ]
}

fn ask(claude: &mut Claude, id: &str, folder: Option<&str>) -> Sighting<Artifact> {
    let question = Question {
        kind: AgentKind::Claude,
        id: ConversationId::new(id),
        folder: folder.map(str::to_owned),
        last_at: None,
    };
    let mut answers = claude.artifacts(&[&question]);
    assert_eq!(answers.len(), 1);
    answers.remove(0)
}

fn found(sighting: Sighting<Artifact>) -> Artifact {
    match sighting {
        Sighting::Present(artifact) => artifact,
        other => panic!("{other:?}"),
    }
}

fn candidates(claude: &mut Claude, folder: &str) -> Vec<Candidate> {
    match claude.candidates(folder, Timestamp::from_secs(0)) {
        Sighting::Present(candidates) => candidates,
        other => panic!("{other:?}"),
    }
}

fn only(mut candidates: Vec<Candidate>) -> Candidate {
    assert_eq!(candidates.len(), 1, "{candidates:?}");
    candidates.remove(0)
}

fn id_of(mind: &Mind) -> &str {
    match mind {
        Mind::Session(record) => record.id.as_str(),
        other => panic!("{other:?}"),
    }
}

// The live record.

#[test]
fn a_record_below_headcounts_own_root_needs_no_environment() {
    let home = Home::new();
    let agent = StandIn::start("claude", &home.path(), &[]);
    home.record(agent.process, ID);
    let Mind::Session(record) = home.claude().mind(agent.process) else {
        panic!("a session");
    };
    assert_eq!(record.id.as_str(), ID);
    assert_eq!(
        record.source,
        format!("sessions/{}.json", agent.process.pid)
    );
    assert_eq!(record.activity.as_deref(), Some("idle"));
}

#[test]
fn a_root_that_only_the_agents_environment_names_is_found_and_searched() {
    let (home, elsewhere) = (Home::new(), Home::new());
    let config = elsewhere.config();
    let agent = home.agent(&[("CLAUDE_CONFIG_DIR", config.to_str().expect("a text"))]);
    elsewhere.record(agent.process, ID);
    elsewhere.transcript("/w", ID, &begin("/w"));

    let mut claude = home.claude();
    assert!(ask(&mut claude, ID, None).is_absent());
    assert_eq!(id_of(&claude.mind(agent.process)), ID);
    assert!(ask(&mut claude, ID, None).is_present());
}

#[test]
fn headcount_in_another_home_finds_the_agents_root() {
    let (home, elsewhere) = (Home::new(), tempfile::tempdir().expect("a folder"));
    let agent = home.agent(&[]);
    home.record(agent.process, ID);
    let mut claude = Claude::new(&Homes {
        home: Some(elsewhere.path().to_owned()),
        ..Homes::default()
    });
    assert_eq!(id_of(&claude.mind(agent.process)), ID);
}

#[test]
fn without_a_record_where_records_are_kept_a_process_is_silent() {
    let home = Home::new();
    let agent = home.agent(&[]);
    assert!(matches!(home.claude().mind(agent.process), Mind::Silent(_)));
}

#[test]
fn where_no_records_are_kept_a_process_is_silent() {
    let home = Home::new();
    fs::remove_dir(home.config().join("sessions")).expect("an empty folder");
    let agent = home.agent(&[]);
    let mut claude = home.claude();
    claude.records.starting = STARTING;
    assert!(matches!(claude.mind(agent.process), Mind::Silent(_)));
}

#[test]
fn a_record_of_an_earlier_process_of_that_pid_counts_as_none() {
    let home = Home::new();
    let agent = home.agent(&[]);
    let earlier = ProcessId {
        start: agent.process.start - 1,
        ..agent.process
    };
    home.record(earlier, ID);
    assert!(matches!(home.claude().mind(agent.process), Mind::Silent(_)));
}

#[test]
fn a_process_that_has_just_begun_may_still_write_its_record() {
    let home = Home::new();
    let agent = home.agent(&[]);
    let mut claude = home.claude();
    claude.records.starting = 24 * 3600;
    assert!(matches!(claude.mind(agent.process), Mind::Unknown(_)));
}

#[test]
fn a_root_that_is_not_there_proves_nothing() {
    let home = Home::new();
    let agent = home.agent(&[("CLAUDE_CONFIG_DIR", "/nowhere/at/all")]);
    let mind = home.claude().mind(agent.process);
    assert!(matches!(mind, Mind::Unknown(_)), "{mind:?}");
}

#[test]
fn an_environment_that_names_no_root_proves_nothing() {
    let home = Home::new();
    for environment in [&[][..], &[("HOME", "home")], &[("HOME", "")]] {
        let agent = StandIn::start("claude", &home.path(), environment);
        let mind = home.claude().mind(agent.process);
        assert!(matches!(mind, Mind::Unknown(_)), "{mind:?}");
    }
}

#[test]
fn a_process_that_is_gone_is_not_known_to_be_silent() {
    let home = Home::new();
    let process = home.agent(&[]).process;
    let mind = home.claude().mind(process);
    assert!(matches!(mind, Mind::Unknown(_)), "{mind:?}");
}

#[test]
fn a_process_that_sees_another_world_is_not_known_to_be_silent() {
    let home = Home::new();
    let agent = home.agent(&[]);
    let mut claude = home.claude();
    claude.records.view.mounts = Some(PathBuf::from("mnt:[1]"));
    let mind = claude.mind(agent.process);
    assert!(matches!(mind, Mind::Unknown(_)), "{mind:?}");
}

#[test]
fn a_process_told_to_save_nothing_leaves_no_trace() {
    let home = Home::new();
    for (name, value) in [
        ("CLAUDE_CODE_CHILD_SESSION", "1"),
        ("CLAUDE_CODE_SKIP_PROMPT_HISTORY", "true"),
        ("CLAUDE_CODE_PROJECT_DIR_NAME", "elsewhere"),
    ] {
        let agent = home.agent(&[(name, value)]);
        let mind = home.claude().mind(agent.process);
        assert!(matches!(mind, Mind::Traceless(_)), "{name}: {mind:?}");
        assert!(mind.of_session().is_absent());
    }
}

#[test]
fn a_nested_session_told_to_save_is_like_any_other() {
    let home = Home::new();
    let agent = home.agent(&[
        ("CLAUDE_CODE_CHILD_SESSION", "1"),
        ("CLAUDE_CODE_FORCE_SESSION_PERSISTENCE", "1"),
    ]);
    assert!(matches!(home.claude().mind(agent.process), Mind::Silent(_)));
}

#[test]
fn a_scripted_run_has_a_conversation_that_is_not_the_sessions() {
    let home = Home::new();
    let agent = home.agent(&[]);
    let path = home.record(agent.process, ID);
    let mut record = record(agent.process, ID);
    record["entrypoint"] = json!("sdk-cli");
    fs::write(path, record.to_string()).expect("a file");
    let mind = home.claude().mind(agent.process);
    assert!(
        matches!(&mind, Mind::Script(record, how) if record.id.as_str() == ID && how == "sdk-cli")
    );
}

#[test]
fn a_record_that_is_damaged_or_no_file_proves_nothing() {
    let home = Home::new();
    let agent = home.agent(&[]);
    let path = home.record(agent.process, ID);
    let whole = fs::read(&path).expect("a file");
    for content in [
        &b""[..],
        &whole[..whole.len() / 2],
        b"\xff\xfe",
        b"[]",
        b"{}",
    ] {
        fs::write(&path, content).expect("a file");
        let mind = home.claude().mind(agent.process);
        assert!(matches!(mind, Mind::Unknown(_)), "{mind:?}");
    }
    fs::remove_file(&path).expect("a file");
    fs::create_dir(&path).expect("a folder");
    let mind = home.claude().mind(agent.process);
    assert!(matches!(mind, Mind::Unknown(_)), "{mind:?}");
}

#[test]
fn a_record_cannot_lead_out_of_the_store() {
    let home = Home::new();
    let agent = home.agent(&[]);
    for id in ["../../secret", "", "..", "a/b"] {
        home.record(agent.process, id);
        let mind = home.claude().mind(agent.process);
        assert!(matches!(mind, Mind::Unknown(_)), "{id:?}: {mind:?}");
    }
}

// What is on disk of a conversation.

#[test]
fn a_transcript_is_found_where_its_folder_puts_it() {
    let home = Home::new();
    let work = home.work("My_App.v2 x");
    let path = home.transcript(&work, ID, &begin(&work));
    let artifact = found(ask(&mut home.claude(), ID, Some(&work)));
    assert_eq!(artifact.path, path.to_str().expect("a text"));
    assert!(artifact.in_folder.is_present());
    let now = Timestamp::from_millis(i64::MAX);
    assert!(artifact.modified > Timestamp::from_secs(0) && artifact.modified < now);
}

#[test]
fn a_folder_that_is_a_link_is_the_folder_it_leads_to() {
    let home = Home::new();
    let work = home.work("real");
    home.transcript(&work, ID, &begin(&work));
    let link = home.path().join("link");
    symlink(&work, &link).expect("a link");
    let artifact = found(ask(&mut home.claude(), ID, link.to_str()));
    assert!(artifact.in_folder.is_present());
}

#[test]
fn a_transcript_kept_elsewhere_is_found_and_said_to_be_elsewhere() {
    let home = Home::new();
    let (work, moved) = (home.work("a"), home.work("b"));
    home.transcript(&moved, ID, &begin(&work));
    let mut claude = home.claude();
    assert!(
        found(ask(&mut claude, ID, Some(&work)))
            .in_folder
            .is_absent()
    );
    assert!(found(ask(&mut claude, ID, None)).in_folder.is_unknown());
    let gone = found(ask(&mut claude, ID, Some("/a/folder/that/is/gone")));
    assert!(gone.in_folder.is_unknown());
}

#[test]
fn a_live_conversation_is_found_where_its_record_says_that_it_is() {
    let home = Home::new();
    let agent = home.agent(&[]);
    home.record(agent.process, ID);
    home.transcript("/tmp/w", ID, &begin("/tmp/w"));
    let mut claude = home.claude();
    let question = |folder: Option<String>| Question {
        kind: AgentKind::Claude,
        id: ConversationId::new(ID),
        folder,
        last_at: None,
    };
    assert_eq!(claude.at_hand(&question(None)), None);
    let _ = claude.mind(agent.process);
    let artifact = claude.at_hand(&question(None)).expect("at hand");
    assert!(artifact.in_folder.is_unknown());
    let elsewhere = question(Some(home.work("elsewhere")));
    let artifact = claude.at_hand(&elsewhere).expect("at hand");
    assert!(artifact.in_folder.is_absent());
}

#[test]
fn a_transcript_of_a_very_long_path_is_where_its_folder_puts_it() {
    let home = Home::new();
    let work = home.work(&format!("{}/{}", "a".repeat(120), "b".repeat(120)));
    let [Key::Prefix(prefix)] = &keys(&work)[..] else {
        panic!("a long path");
    };
    home.put(
        &format!("projects/{prefix}1yb9vd/{ID}.jsonl"),
        text(&begin(&work)),
    );
    let mut claude = home.claude();
    assert!(
        found(ask(&mut claude, ID, Some(&work)))
            .in_folder
            .is_present()
    );
    assert!(only(candidates(&mut claude, &work)).in_folder.is_present());
}

#[test]
fn of_two_transcripts_of_one_id_the_newer_counts() {
    let home = Home::new();
    let old = home.transcript("/x/old", ID, &begin("/x"));
    let new = home.transcript("/x/new", ID, &begin("/x"));
    let file = fs::File::options().write(true).open(old).expect("a file");
    file.set_modified(SystemTime::UNIX_EPOCH).expect("a time");
    let artifact = found(ask(&mut home.claude(), ID, None));
    assert_eq!(artifact.path, new.to_str().expect("a text"));
}

#[test]
fn a_conversation_without_a_transcript_in_any_project_is_absent() {
    let home = Home::new();
    home.transcript("/x", OTHER, &begin("/x"));
    home.put("projects/notes.txt", "beside the projects");
    symlink("nowhere", home.config().join("projects/dangling")).expect("a link");
    let mut claude = home.claude();
    assert!(ask(&mut claude, ID, None).is_absent());
    assert!(ask(&mut claude, ID, Some("/x")).is_absent());
}

#[test]
fn an_empty_transcript_counts_as_none() {
    let home = Home::new();
    let work = home.work("a");
    home.transcript(&work, ID, &[]);
    assert!(ask(&mut home.claude(), ID, Some(&work)).is_absent());
}

#[test]
fn a_store_that_cannot_be_seen_proves_no_absence() {
    let home = Home::new();
    fs::remove_dir(home.config().join("projects")).expect("an empty folder");
    assert!(ask(&mut home.claude(), ID, None).is_unknown());

    home.put("projects", "no folder");
    assert!(ask(&mut home.claude(), ID, None).is_unknown());

    assert!(ask(&mut Claude::new(&Homes::default()), ID, None).is_unknown());
}

#[test]
fn something_that_is_no_file_proves_no_absence() {
    let home = Home::new();
    let work = home.work("a");
    let path = home.transcript(&work, ID, &[]);
    fs::remove_file(&path).expect("a file");
    fs::create_dir(&path).expect("a folder");
    assert!(ask(&mut home.claude(), ID, Some(&work)).is_unknown());
}

#[test]
fn a_live_agents_root_without_a_conversation_yet_hides_nothing() {
    let (home, fresh) = (Home::new(), Home::new());
    fs::remove_dir(fresh.config().join("projects")).expect("an empty folder");
    let agent = fresh.agent(&[]);
    fresh.record(agent.process, OTHER);
    let mut claude = home.claude();
    assert_eq!(id_of(&claude.mind(agent.process)), OTHER);
    assert!(ask(&mut claude, ID, None).is_absent());
}

#[test]
fn headcounts_own_root_without_a_conversation_yet_hides_nothing_where_an_agent_lives() {
    let fresh = Home::new();
    fs::remove_dir(fresh.config().join("projects")).expect("an empty folder");
    let agent = fresh.agent(&[]);
    fresh.record(agent.process, OTHER);
    let mut claude = fresh.claude();
    assert_eq!(id_of(&claude.mind(agent.process)), OTHER);
    assert!(ask(&mut claude, ID, None).is_absent());

    // Where conversations are said to be elsewhere, a live agent is no proof that they are not there.
    let mut claude = Claude::new(&Homes {
        home: Some(fresh.path()),
        claude_project_dir: Some(fresh.path().join("not-mounted")),
        ..Homes::default()
    });
    assert_eq!(id_of(&claude.mind(agent.process)), OTHER);
    assert!(ask(&mut claude, ID, None).is_unknown());
}

#[test]
fn an_id_that_no_file_can_have_is_absent_and_leads_nowhere() {
    let home = Home::new();
    home.put("secret.jsonl", "x");
    for id in ["../secret", "a/b", "..", &"x".repeat(300)] {
        let seen = ask(&mut home.claude(), id, Some("/x"));
        assert!(seen.is_absent(), "{id:?}: {seen:?}");
    }
}

#[test]
fn claude_project_dir_replaces_the_folder_of_projects() {
    let home = Home::new();
    home.transcript("/x", OTHER, &begin("/x"));
    let store = home.path().join("store");
    fs::create_dir_all(store.join("-x")).expect("a folder");
    fs::write(store.join(format!("-x/{ID}.jsonl")), "{}\n").expect("a file");
    let mut claude = Claude::new(&Homes {
        home: Some(home.path()),
        claude_project_dir: Some(store),
        ..Homes::default()
    });
    assert!(ask(&mut claude, ID, Some("/x")).is_present());
    assert!(ask(&mut claude, OTHER, Some("/x")).is_absent());
}

#[test]
fn before_the_first_message_on_a_machine_nothing_is_on_disk_and_that_is_known() {
    let home = Home::new();
    let work = home.work("a");
    fs::remove_dir(home.config().join("projects")).expect("an empty folder");
    let agent = home.agent(&[]);
    home.record(agent.process, ID);
    let mut claude = home.claude();
    assert!(ask(&mut claude, ID, None).is_unknown());
    let before = claude.places();
    assert_eq!(id_of(&claude.mind(agent.process)), ID);
    assert!(claude.places() > before, "it is worth asking again");
    assert!(ask(&mut claude, ID, None).is_absent());
    assert_eq!(candidates(&mut claude, &work), Vec::new());
}

#[test]
fn a_live_agent_whose_own_root_was_not_made_yet_has_said_nothing() {
    let home = Home::new();
    let work = home.work("a");
    fs::remove_dir_all(home.config()).expect("a folder");
    let agent = home.agent(&[]);
    let mut claude = home.claude();
    assert!(matches!(claude.mind(agent.process), Mind::Silent(_)));
    assert_eq!(candidates(&mut claude, &work), Vec::new());
    assert_eq!(claude.claimed(), Sighting::Present(BTreeSet::new()));
}

// What is in a folder.
