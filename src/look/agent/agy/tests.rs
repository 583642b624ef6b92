use std::fs::{self, File};
use std::path::Path;

use proptest::prelude::*;
use rustix::fs::FlockOperation;
use serde_json::json;
use tempfile::TempDir;

use super::super::life::life;
use super::super::stand_in::StandIn;
use super::root::ENDINGS;
use super::*;
use crate::look::window;

const ID: &str = "3bd73422-0e61-4161-9102-8d1709984f18";
const OTHER: &str = "cc43d357-45b5-4df2-8bbd-dcde4b4a0e76";

/// A home folder with agy's files.
struct Home {
    folder: TempDir,
}

impl Home {
    /// One in which agy has run.
    fn new() -> Self {
        let home = Self {
            folder: tempfile::tempdir().expect("a folder"),
        };
        fs::create_dir_all(home.root().join("conversations")).expect("a folder");
        fs::create_dir_all(home.root().join("presence")).expect("a folder");
        home
    }

    fn path(&self) -> PathBuf {
        self.folder.path().canonicalize().expect("a folder")
    }

    fn root(&self) -> PathBuf {
        self.path().join(".gemini/antigravity-cli")
    }

    fn agy(&self) -> Agy {
        Agy::new(&Homes {
            home: Some(self.path()),
            ..Homes::default()
        })
    }

    fn put(&self, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, content).expect("a file");
        path
    }

    /// A lock file that this very process holds, for as long as it is kept.
    fn hold(&self, id: &str) -> File {
        let file = File::create(self.put(&format!("presence/{id}.lock"), "")).expect("a file");
        rustix::fs::flock(&file, FlockOperation::LockExclusive).expect("a lock");
        file
    }

    /// An agy with this home, and one of its files open.
    fn agent(&self, open: &Path) -> StandIn {
        let path = self.path();
        let home = [("HOME", path.to_str().expect("a text"))];
        StandIn::keeping_open(open, "agy", &path, &home)
    }

    fn last(&self, last: &[(&str, &str)]) {
        let map: BTreeMap<_, _> = last.iter().copied().collect();
        self.put("cache/last_conversations.json", json!(map).to_string());
    }
}

fn this_process() -> ProcessId {
    let pid = std::process::id();
    let start = life(pid).expect("it lives").start;
    ProcessId { pid, start }
}

fn nothing() -> &'static Path {
    Path::new("/dev/null")
}

fn ask(agy: &mut Agy, id: &str, folder: Option<&str>) -> Sighting<Artifact> {
    let question = Question {
        kind: AgentKind::Agy,
        id: ConversationId::new(id),
        folder: folder.map(str::to_owned),
        last_at: None,
    };
    agy.artifacts(&[&question]).remove(0)
}

fn candidate_of(agy: &mut Agy, folder: &str, id: &str) -> Candidate {
    match agy.candidates(folder, Timestamp::from_secs(0)) {
        Sighting::Present(all) => all
            .into_iter()
            .find(|it| it.id.as_str() == id)
            .expect("a candidate"),
        other => panic!("{other:?}"),
    }
}

// The live conversation.

#[test]
fn the_conversation_is_the_one_whose_lock_the_process_holds() {
    let home = Home::new();
    home.put(&format!("presence/{OTHER}.lock"), "");
    let _held = home.hold(ID);
    let Mind::Session(record) = home.agy().mind(this_process()) else {
        panic!("a session");
    };
    assert_eq!(record.id.as_str(), ID);
    assert_eq!(record.source, format!("presence/{ID}.lock"));
}

#[test]
fn who_holds_two_locks_has_no_certain_conversation() {
    let home = Home::new();
    let _held = (home.hold(ID), home.hold(OTHER));
    assert!(matches!(home.agy().mind(this_process()), Mind::Unknown(_)));
}

#[test]
fn an_open_lock_file_tells_the_conversation_where_the_kernels_table_does_not() {
    let home = Home::new();
    let lock = home.put(&format!("presence/{ID}.lock"), "");
    let agent = home.agent(&lock);
    let mind = home.agy().mind(agent.process);
    assert!(
        matches!(&mind, Mind::Session(it) if it.id.as_str() == ID),
        "{mind:?}"
    );
}

#[test]
fn a_lock_file_that_another_process_holds_is_only_being_looked_at() {
    let home = Home::new();
    let _held = home.hold(ID);
    let agent = home.agent(&home.root().join(format!("presence/{ID}.lock")));
    let mind = home.agy().mind(agent.process);
    assert!(matches!(mind, Mind::Silent(_)), "{mind:?}");
}

#[test]
fn a_process_that_holds_no_lock_is_silent() {
    let home = Home::new();
    home.put(&format!("presence/{ID}.lock"), "");
    let agent = home.agent(nothing());
    let mind = home.agy().mind(agent.process);
    assert!(matches!(mind, Mind::Silent(_)), "{mind:?}");
}

#[test]
fn the_agents_own_home_counts() {
    let (home, elsewhere) = (Home::new(), Home::new());
    let lock = elsewhere.put(&format!("presence/{ID}.lock"), "");
    elsewhere.put(&format!("conversations/{ID}.db"), "x");
    let agent = elsewhere.agent(&lock);
    let mut agy = home.agy();
    assert!(ask(&mut agy, ID, None).is_absent());
    assert!(matches!(agy.mind(agent.process), Mind::Session(_)));
    assert!(ask(&mut agy, ID, None).is_present());
}

#[test]
fn what_cannot_be_read_proves_no_silence() {
    let home = Home::new();
    let gone = home.agent(nothing()).process;
    assert!(matches!(home.agy().mind(gone), Mind::Unknown(_)));

    let homeless = StandIn::start("agy", &home.path(), &[]);
    assert!(matches!(
        home.agy().mind(homeless.process),
        Mind::Unknown(_)
    ));

    let agent = home.agent(nothing());
    let mut agy = home.agy();
    agy.view.mounts = Some(PathBuf::from("mnt:[1]"));
    assert!(matches!(agy.mind(agent.process), Mind::Unknown(_)));

    fs::remove_dir(home.root().join("presence")).expect("an empty folder");
    home.put("presence", "no folder");
    assert!(matches!(home.agy().mind(agent.process), Mind::Unknown(_)));

    let nowhere = StandIn::start("agy", &home.path(), &[("HOME", "/nowhere/at/all")]);
    assert!(matches!(home.agy().mind(nowhere.process), Mind::Unknown(_)));
}

#[test]
fn a_live_agent_whose_own_root_was_not_made_yet_has_said_nothing() {
    let home = Home::new();
    fs::remove_dir_all(home.root()).expect("a folder");
    let agent = home.agent(nothing());
    let mut agy = home.agy();
    assert!(ask(&mut agy, ID, None).is_unknown());
    let before = agy.places();
    assert!(matches!(agy.mind(agent.process), Mind::Silent(_)));
    assert!(agy.places() > before, "it is worth asking again");
    assert!(ask(&mut agy, ID, None).is_absent());
    let none = agy.candidates("/srv/a", Timestamp::from_secs(0));
    assert_eq!(none, Sighting::Present(Vec::new()));
}

// What is on disk of a conversation.

#[test]
fn a_conversation_is_there_in_any_of_its_files_that_is_not_empty() {
    for ending in ENDINGS {
        let home = Home::new();
        home.put(&format!("conversations/{ID}.db"), "");
        let path = home.put(&format!("conversations/{ID}.{ending}"), "x");
        match ask(&mut home.agy(), ID, None) {
            Sighting::Present(artifact) => {
                assert_eq!(artifact.path, path.to_str().expect("a text"));
            }
            other => panic!("{ending}: {other:?}"),
        }
    }
}

#[test]
fn a_conversation_without_a_file_or_with_an_empty_one_is_absent() {
    let home = Home::new();
    home.put(&format!("conversations/{OTHER}.db"), "");
    assert!(ask(&mut home.agy(), ID, None).is_absent());
    assert!(ask(&mut home.agy(), OTHER, None).is_absent());
    assert!(ask(&mut home.agy(), "../conversations/x", None).is_absent());
}

#[test]
fn a_store_that_cannot_be_seen_proves_no_absence() {
    let home = Home::new();
    fs::remove_dir(home.root().join("conversations")).expect("an empty folder");
    assert!(ask(&mut home.agy(), ID, None).is_unknown());
    assert!(ask(&mut Agy::new(&Homes::default()), ID, None).is_unknown());

    let home = Home::new();
    fs::create_dir(home.root().join(format!("conversations/{ID}.db"))).expect("a folder");
    assert!(ask(&mut home.agy(), ID, None).is_unknown());
}

#[test]
fn a_conversation_is_of_the_folder_whose_last_one_it_is() {
    let home = Home::new();
    home.put(&format!("conversations/{ID}.db"), "x");
    home.last(&[("/srv/a", ID)]);
    let of = |folder| match ask(&mut home.agy(), ID, folder) {
        Sighting::Present(artifact) => artifact.in_folder,
        other => panic!("{other:?}"),
    };
    assert!(of(Some("/srv/a")).is_present());
    assert!(of(Some("/srv/b")).is_unknown());
    assert!(of(None).is_unknown());
}

// What is in a folder.

#[test]
fn the_last_conversation_of_a_folder_is_a_persons_and_of_that_folder() {
    let home = Home::new();
    let path = home.put(&format!("conversations/{ID}.db"), "x");
    home.put(&format!("conversations/{OTHER}.pb"), "x");
    home.last(&[("/srv/a", ID), ("/srv/b", OTHER)]);
    let mut agy = home.agy();

    let own = candidate_of(&mut agy, "/srv/a", ID);
    assert!(own.in_folder.is_present());
    assert!(own.interactive.is_present());
    match window::outside(&path).expect("a file").born {
        Some(born) => assert_eq!(own.began, Sighting::Present(born)),
        None => assert!(own.began.is_unknown()),
    }
    let other = candidate_of(&mut agy, "/srv/a", OTHER);
    assert!(other.in_folder.is_absent());
}

#[test]
fn a_conversation_that_is_no_folders_last_one_may_be_of_any() {
    let home = Home::new();
    home.put(&format!("conversations/{ID}.db-wal"), "x");
    let unlisted = candidate_of(&mut home.agy(), "/srv/a", ID);
    assert!(unlisted.in_folder.is_unknown());
    assert!(unlisted.interactive.is_unknown());

    home.put("cache/last_conversations.json", "{\"/srv/a\": 5");
    let unreadable = candidate_of(&mut home.agy(), "/srv/a", ID);
    assert!(unreadable.in_folder.is_unknown());
}

#[test]
fn what_is_no_conversation_or_empty_or_older_is_no_candidate() {
    let home = Home::new();
    home.put("conversations/notes.db", "x");
    home.put(&format!("conversations/{OTHER}.db"), "");
    let old = home.put(&format!("conversations/{ID}.db"), "x");
    let file = File::options().write(true).open(old).expect("a file");
    let at = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
    file.set_modified(at).expect("a time");
    let mut agy = home.agy();
    let mut since = |time: Timestamp| match agy.candidates("/srv/a", time) {
        Sighting::Present(all) => all.len(),
        other => panic!("{other:?}"),
    };
    let last = Timestamp::from_secs(1_000).plus(FILE_TIMES);
    assert_eq!(since(last), 1);
    assert_eq!(since(last.plus(Duration::from_millis(1))), 0);
}

#[test]
fn candidates_of_a_store_that_cannot_be_seen_are_unknown() {
    let home = Home::new();
    fs::remove_dir(home.root().join("conversations")).expect("an empty folder");
    let start = Timestamp::from_secs(0);
    assert!(home.agy().candidates("/srv/a", start).is_unknown());
    let mut homeless = Agy::new(&Homes::default());
    assert!(homeless.candidates("/srv/a", start).is_unknown());
}

#[test]
fn held_locks_claim_their_conversations_and_left_ones_do_not() {
    let home = Home::new();
    let _held = home.hold(ID);
    home.put(&format!("presence/{OTHER}.lock"), "");
    let expected = BTreeSet::from([ConversationId::new(ID)]);
    assert_eq!(home.agy().claimed(), Sighting::Present(expected));
}

#[test]
fn how_long_conversations_are_kept_is_not_known() {
    assert!(Home::new().agy().retention().is_unknown());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_list_of_any_bytes_proves_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let home = Home::new();
        home.put(&format!("conversations/{ID}.db"), "x");
        home.put("cache/last_conversations.json", bytes);
        let candidate = candidate_of(&mut home.agy(), "/srv/a", ID);
        prop_assert!(candidate.in_folder.is_unknown());
    }
}
