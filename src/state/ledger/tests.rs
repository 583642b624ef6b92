#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use proptest::collection::{btree_map, btree_set};
use proptest::option;
use proptest::prelude::*;
use tempfile::TempDir;

use super::LedgerFile;
use super::again::is_the_same;
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

/// The ledger without when, and unless it `counts` how often, the same was seen last.
fn bare(mut ledger: Ledger, counts: bool) -> Ledger {
    let never = Timestamp::from_millis(0);
    for server in ledger.servers.values_mut() {
        server.seen = never;
    }
    let rows = ledger.rows.values_mut();
    for alive in rows.filter_map(|row| row.alive.as_mut()) {
        alive.at = never;
    }
    for artifact in ledger.artifacts.values_mut() {
        artifact.seen = never;
        artifact.modified = never;
    }
    for agent in ledger.agents.values_mut() {
        agent.seen = never;
    }
    for drift in ledger.drifts.values_mut() {
        drift.last_seen = never;
        drift.count = if counts { drift.count } else { 0 };
    }
    ledger
}

proptest! {
    #[test]
    fn seeing_the_same_again_is_no_news_and_all_else_is(a in ledger(), b in ledger(), counts: bool) {
        // Alike in all but one part, so that each part decides once.
        let mixed = [
            Ledger { homes: b.homes.clone(), ..a.clone() },
            Ledger { servers: b.servers.clone(), ..a.clone() },
            Ledger { rows: b.rows.clone(), ..a.clone() },
            Ledger { artifacts: b.artifacts.clone(), ..a.clone() },
            Ledger { agents: b.agents.clone(), ..a.clone() },
            Ledger { drifts: b.drifts.clone(), ..a.clone() },
            Ledger { jobs: b.jobs.clone(), ..a.clone() },
            Ledger { clock: b.clock.clone(), ..a.clone() },
            bare(a.clone(), counts),
        ];
        for other in mixed {
            let expected = bare(a.clone(), counts) == bare(other.clone(), counts);
            prop_assert_eq!(is_the_same(&a, &other, counts), expected);
        }
    }

    #[test]
    fn one_thing_that_is_not_the_same_is_news(ledger in ledger(), change in 0..16_usize) {
        let mut other = ledger.clone();
        prop_assume!(is_changed(&mut other, change));
        prop_assert!(!is_the_same(&ledger, &other, false));
        prop_assert!(!is_the_same(&other, &ledger, false));
    }
}

/// Changes one field of the first of its kind, if there is one.
fn is_changed(ledger: &mut Ledger, change: usize) -> bool {
    fn flip<T>(it: Option<T>, change: impl FnOnce(T)) -> bool {
        it.map(change).is_some()
    }
    let text = |text: &mut String| text.push('x');
    let moment = |time: &mut Timestamp| *time = Timestamp::from_millis(time.millis() ^ 1);
    let known = |pid: &mut Option<u32>| *pid = pid.map_or(Some(7), |_| None);
    let (servers, rows) = (ledger.servers.values_mut(), ledger.rows.values_mut());
    let (agents, drifts) = (ledger.agents.values_mut(), ledger.drifts.values_mut());
    let (mut servers, mut rows, mut agents, mut drifts) = (servers, rows, agents, drifts);
    match change {
        0 => flip(servers.next(), |it| it.id.pid ^= 1),
        1 => flip(servers.next(), |it| it.boot = BootId::new("another")),
        2 => flip(rows.next(), |it| known(&mut it.pid)),
        3 => flip(rows.next(), |it| moment(&mut it.since)),
        4 => flip(rows.next(), |it| it.since_boot.1 = BootId::new("another")),
        5 => flip(rows.find_map(|it| it.alive.as_mut()), |it| {
            text(&mut it.incarnation.session);
        }),
        6 => flip(rows.find(|it| it.alive.is_some()), |it| it.alive = None),
        7 => flip(ledger.artifacts.values_mut().next(), |it| {
            it.path = it.path.take().map_or(Some("x".to_owned()), |_| None);
        }),
        8 => flip(agents.next(), |it| known(&mut it.user)),
        9 => flip(agents.next(), |it| it.undecided ^= true),
        10 => flip(agents.find_map(|it| it.gone.as_mut()), moment),
        11 => flip(drifts.next(), |it| moment(&mut it.first_seen)),
        12 => flip(drifts.next(), |it| text(&mut it.told_as)),
        13 => flip(drifts.next(), |it| it.undone ^= true),
        14 => flip(drifts.find(|it| it.proven_since.is_some()), |it| {
            it.proven_since = None;
        }),
        _ => flip(drifts.find_map(|it| it.acked.as_mut()), |it| {
            text(&mut it.reason);
        }),
    }
}

#[tokio::test]
async fn what_a_look_of_a_loop_keeps_in_mind_is_read_again_only_after_somebody_wrote() {
    let (_temp, folder, locked) = folder().await;
    let now = Timestamp::from_secs(2_000_000_000);
    let (mut file, before) = LedgerFile::load(&folder).unwrap();
    let kept = file.save_news((&before, some_ledger()), false, now, &locked);
    let kept = kept.unwrap().unwrap();

    // What it has in mind tells that it was not read.
    let mut in_mind = kept.clone();
    in_mind.ledger.homes.clear();
    let expected = in_mind.ledger.clone();
    assert_ne!(expected, some_ledger(), "it can be told");
    let (_, ledger) = LedgerFile::load_after(&folder, Some(in_mind.clone())).unwrap();
    assert_eq!(ledger, expected);

    let (mut theirs, _) = LedgerFile::load(&folder).unwrap();
    theirs.save(&some_ledger(), &locked).unwrap();
    let (_, ledger) = LedgerFile::load_after(&folder, Some(in_mind)).unwrap();
    assert_eq!(ledger, some_ledger());
}

#[tokio::test]
async fn what_the_journal_tells_since_is_not_passed_over_for_what_was_kept_in_mind() {
    let (_temp, folder, locked) = folder().await;
    let now = Timestamp::from_secs(2_000_000_000);
    let (mut file, before) = LedgerFile::load(&folder).unwrap();
    let kept = file.save_news((&before, some_ledger()), false, now, &locked);
    let mut kept = kept.unwrap().unwrap();
    kept.ledger.homes.clear();
    kept.told += 1;
    let (_, ledger) = LedgerFile::load_after(&folder, Some(kept)).unwrap();
    assert_eq!(ledger, some_ledger());
}
