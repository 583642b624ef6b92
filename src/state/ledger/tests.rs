#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use tempfile::TempDir;

use super::LedgerFile;
use super::document::Document;
use crate::core::ids::{
    AgentKind, BootId, ConversationId, DriftId, Fingerprint, ProcessId, ServerName, SessionName,
    Timestamp,
};
use crate::core::jobs::{JobId, JobStatus, KnownJob, Learned};
use crate::core::known_clock::KnownClock;
use crate::core::ledger::{
    Acked, AgentKey, Incarnation, KnownAgent, KnownArtifact, KnownId, KnownRow, KnownServer,
    Ledger, OpenDrift, RowKey, SeenAlive,
};
use crate::core::world::{Place, ServerId};
use crate::state::{Folder, Locked};

fn time() -> impl Strategy<Value = Timestamp> {
    any::<i64>().prop_map(Timestamp::from_millis)
}

fn place() -> impl Strategy<Value = Place> {
    (".{0,8}", ".{0,8}").prop_map(|(machine, pid_namespace)| Place {
        machine,
        pid_namespace,
    })
}

fn boot() -> impl Strategy<Value = BootId> {
    ".{0,8}".prop_map(BootId::new)
}

fn life() -> impl Strategy<Value = ServerId> {
    (any::<u32>(), any::<i64>()).prop_map(|(pid, start)| ServerId { pid, start })
}

fn agent() -> impl Strategy<Value = AgentKind> {
    proptest::sample::select(AgentKind::ALL.to_vec())
}

fn conversation() -> impl Strategy<Value = ConversationId> {
    ".{0,8}".prop_map(ConversationId::new)
}

prop_compose! {
    fn alive()(
        place in place(),
        at in time(),
        boot in boot(),
        socket in ".{0,8}",
        server in life(),
        session in ".{0,8}",
        created in time(),
        pane in ".{0,8}",
        pid in any::<u32>(),
        start in option::of(any::<u64>()),
    ) -> SeenAlive {
        SeenAlive {
            place,
            at,
            incarnation: Incarnation { boot, socket, server, session, created, pane, pid, start },
        }
    }
}

prop_compose! {
    fn row()(
        fingerprint in ".{0,8}".prop_map(Fingerprint::new),
        pid in option::of(any::<u32>()),
        since in time(),
        since_boot in (place(), boot()),
        alive in option::of(alive()),
        ids in btree_map(
            agent(),
            (option::of(conversation()), option::of(conversation()))
                .prop_map(|(recorded, overruled)| KnownId { recorded, overruled }),
            0..3,
        ),
    ) -> KnownRow {
        KnownRow { fingerprint, pid, since, since_boot, alive, ids }
    }
}

prop_compose! {
    fn agent_key()(place in place(), boot in boot(), pid in any::<u32>(), start in any::<u64>(), kind in agent()) -> AgentKey {
        AgentKey { place, boot, process: ProcessId { pid, start }, kind }
    }
}

prop_compose! {
    fn known_agent()(
        folder in option::of(".{0,8}"),
        user in option::of(any::<u32>()),
        seen in time(),
        gone in option::of(time()),
        undecided in any::<bool>(),
    ) -> KnownAgent {
        KnownAgent { folder, user, seen, gone, undecided }
    }
}

prop_compose! {
    fn drift()(
        first_seen in time(),
        last_seen in time(),
        count in any::<u64>(),
        proven_since in option::of((time(), boot())),
        session in option::of(".{0,8}".prop_map(SessionName::new)),
        server in option::of(".{0,8}".prop_map(ServerName::new)),
        class in any::<char>(),
        kind in ".{0,8}",
        told_as in ".{0,8}",
        undone in any::<bool>(),
        acked in option::of((".{0,8}", ".{0,8}").prop_map(|(reason, told_as)| Acked { reason, told_as })),
    ) -> OpenDrift {
        OpenDrift { first_seen, last_seen, count, proven_since, session, server, class, kind, told_as, undone, acked }
    }
}

fn status() -> impl Strategy<Value = JobStatus> {
    prop::sample::select(JobStatus::ALL.to_vec())
}

prop_compose! {
    fn learned()(
        status in status(), at in time(), detail in ".{0,8}", seq in any::<u64>(), signed in any::<bool>(),
    ) -> Learned {
        Learned { status, at, detail, seq, signed }
    }
}

prop_compose! {
    fn job()(
        last_seq in any::<u64>(),
        heard in option::of(learned()),
        against in option::of(status()),
        written in any::<bool>(),
        told_as in ".{0,8}",
        seen in time(),
    ) -> KnownJob {
        KnownJob { last_seq, heard, against, written, told_as, seen }
    }
}

prop_compose! {
    fn clock()(
        place in place(),
        boot in boot(),
        booted_at in time(),
        was_set in any::<bool>(),
    ) -> KnownClock {
        KnownClock { place, boot, booted_at, was_set }
    }
}

prop_compose! {
    fn ledger()(
        homes in btree_set(place(), 0..3),
        servers in btree_map(
            (place(), ".{0,8}"),
            (life(), boot(), time()).prop_map(|(id, boot, seen)| KnownServer { id, boot, seen }),
            0..3,
        ),
        rows in btree_map(
            (".{0,8}".prop_map(SessionName::new), option::of(".{0,8}".prop_map(ServerName::new)))
                .prop_map(|(name, server)| RowKey { name, server }),
            row(),
            0..3,
        ),
        artifacts in btree_map(
            (agent(), conversation()),
            (option::of(".{0,8}"), time(), time())
                .prop_map(|(path, modified, seen)| KnownArtifact { path, modified, seen }),
            0..3,
        ),
        agents in btree_map(agent_key(), known_agent(), 0..3),
        drifts in btree_map(".{0,8}".prop_map(DriftId::new), drift(), 0..3),
        jobs in btree_map("[a-zA-Z0-9_-]{1,8}".prop_map(|id| JobId::parse(&id).unwrap()), job(), 0..3),
        clock in option::of(clock()),
    ) -> Ledger {
        Ledger { homes, servers, rows, artifacts, agents, drifts, jobs, clock }
    }
}

/// A folder, locked.
async fn folder() -> (TempDir, Folder, Locked) {
    let temp = tempfile::tempdir().unwrap();
    let folder = Folder::of(&temp.path().join("state"), Path::new("/r/.hermes/a.yaml"));
    let locked = folder.lock(Duration::ZERO).await.unwrap();
    (temp, folder, locked)
}

fn some_ledger() -> Ledger {
    let mut ledger = Ledger::default();
    ledger.homes.insert(Place {
        machine: "m".to_owned(),
        pid_namespace: "pid:[1]".to_owned(),
    });
    ledger
}

proptest! {
    #[test]
    fn every_ledger_reads_back_the_same(ledger in ledger()) {
        let text = Document::of(&ledger, 0).text().unwrap();
        prop_assert_eq!(Ledger::from(Document::parse(&text).unwrap()), ledger);
    }

    #[test]
    fn no_bytes_make_reading_fail_otherwise_than_by_saying_why(bytes in any::<Vec<u8>>()) {
        let _ = Document::parse(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_document_cut_at_any_byte_is_the_whole_or_nothing(ledger in ledger()) {
        let text = Document::of(&ledger, 0).text().unwrap();
        for end in 0..text.len() {
            if let Ok(document) = Document::parse(&text[..end]) {
                // Only the final newline is missing.
                prop_assert_eq!(end, text.len() - 1);
                prop_assert_eq!(Ledger::from(document), ledger.clone());
            }
        }
    }
}

#[tokio::test]
async fn what_was_saved_is_loaded() {
    let (_temp, folder, locked) = folder().await;
    let (mut file, empty) = LedgerFile::load(&folder).unwrap();
    assert_eq!(empty, Ledger::default());
    file.save(&some_ledger(), &locked).unwrap();
    let (file, loaded) = LedgerFile::load(&folder).unwrap();
    assert_eq!(loaded, some_ledger());
    assert_eq!(file.damage(), None);
}

#[test]
fn where_there_is_no_folder_nothing_is_remembered_and_nothing_is_made() {
    let temp = tempfile::tempdir().unwrap();
    let root = temp.path().join("state");
    let folder = Folder::of(&root, Path::new("/r/.hermes/a.yaml"));
    let (_, ledger) = LedgerFile::load(&folder).unwrap();
    assert_eq!(ledger, Ledger::default());
    assert!(!root.exists());
}

#[tokio::test]
async fn a_damaged_file_is_an_empty_ledger_and_is_kept_aside() {
    for damaged in [
        "",
        "{",
        "\0\0\0\0",
        "[]",
        "{\"version\":2}",
        "{\"version\":1}",
    ] {
        let (_temp, folder, locked) = folder().await;
        let path = folder.path().join("ledger.json");
        fs::write(&path, damaged).unwrap();

        let (mut file, ledger) = LedgerFile::load(&folder).unwrap();
        assert_eq!(ledger, Ledger::default(), "{damaged}");
        assert!(file.damage().is_some(), "{damaged}");
        let untouched = fs::read_to_string(&path).unwrap();
        assert_eq!(untouched, damaged, "a dry run only reads");

        file.save(&some_ledger(), &locked).unwrap();
        let aside = fs::read_to_string(folder.path().join("ledger.json.damaged")).unwrap();
        assert_eq!(aside, damaged);
        assert_eq!(LedgerFile::load(&folder).unwrap().1, some_ledger());
    }
}

#[tokio::test]
async fn a_pipe_in_its_place_is_not_waited_for_and_is_kept_aside() {
    let (_temp, folder, locked) = folder().await;
    let path = folder.path().join("ledger.json");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &path,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let (mut file, ledger) = LedgerFile::load(&folder).unwrap();
    assert_eq!(ledger, Ledger::default());
    assert!(file.damage().is_some());
    file.save(&some_ledger(), &locked).unwrap();
    assert_eq!(LedgerFile::load(&folder).unwrap().1, some_ledger());
}

#[tokio::test]
async fn what_a_crash_left_of_the_next_ledger_is_no_ledger() {
    let (_temp, folder, locked) = folder().await;
    let (mut file, _) = LedgerFile::load(&folder).unwrap();
    file.save(&some_ledger(), &locked).unwrap();
    fs::write(folder.path().join("ledger.json.new"), "{\"vers").unwrap();
    let (mut file, ledger) = LedgerFile::load(&folder).unwrap();
    assert_eq!(ledger, some_ledger());
    file.save(&Ledger::default(), &locked).unwrap();
    assert_eq!(LedgerFile::load(&folder).unwrap().1, Ledger::default());
}

#[tokio::test]
async fn a_folder_in_the_ledgers_place_is_told_as_one_and_set_aside() {
    let (_temp, folder, locked) = folder().await;
    let path = folder.path().join("ledger.json");
    fs::create_dir(&path).unwrap();
    let (mut file, ledger) = LedgerFile::load(&folder).unwrap();
    assert_eq!(ledger, Ledger::default());
    assert_eq!(file.damage(), Some("it is a folder, and no file"));
    file.save(&some_ledger(), &locked).unwrap();
    assert_eq!(LedgerFile::load(&folder).unwrap().1, some_ledger());
    assert!(path.with_extension("json.damaged").is_dir());
}
