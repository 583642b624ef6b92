//! Which ended rows may be taken out of the roll: those that surely nobody needs any more.

use std::collections::{BTreeMap, BTreeSet};

use headcount::core::drift::Kind;
use headcount::core::ids::{AgentKind, ConversationId, Timestamp};
use headcount::core::jobs::{JobId, JobRecord, JobStatus};
use headcount::core::prune::{Judged, KEPT, Kept, Question, judge};
use headcount::core::registry::{Identity, InvalidRow};
use headcount::core::sighting::Sighting;
use headcount::core::world::ServerState;

use crate::scene::{
    Declared, Scene, ago, dead, name, not_there, pane, process, row, scene, session, silent, tmux,
    unknown,
};
use crate::standing::{report, scope};

const APP: &str = "app-creator-claude";
const DAY: i64 = 24 * 3600;

fn old() -> Timestamp {
    ago(40 * DAY)
}

fn with(row: Declared) -> Scene {
    scene().row(row).server(tmux("default")).at_once()
}

/// Ended long ago, and its session is gone.
fn over() -> Scene {
    with(row(APP).stopped(old()))
}

/// What becomes of the rows: `-` if it goes, else the word for why it stays.
fn words_if(
    scene: &Scene,
    named: &[&str],
    mentions: &BTreeMap<usize, BTreeSet<usize>>,
) -> Vec<&'static str> {
    let word = |kept: Option<Kept>| kept.map_or("-", |kept| kept.as_str());
    let judged = judged(scene, named, mentions).into_iter();
    judged.map(|row| word(row.kept)).collect()
}

fn judged(
    scene: &Scene,
    named: &[&str],
    mentions: &BTreeMap<usize, BTreeSet<usize>>,
) -> Vec<Judged> {
    let report = report(scene);
    judge(&Question {
        scope: scope(scene, &report),
        older_than: KEPT,
        named: &named.iter().map(|it| name(it)).collect(),
        mentions,
    })
}

fn words(scene: &Scene) -> Vec<&'static str> {
    words_if(scene, &[], &BTreeMap::new())
}

#[test]
fn a_row_that_ended_long_ago_and_whose_session_is_gone_may_go() {
    for status in ["stopped", "terminated", "archived"] {
        assert_eq!(
            words(&with(row(APP).ended(status, old()))),
            ["-"],
            "{status}"
        );
    }
}

#[test]
fn what_runs_or_says_something_unknown_stays() {
    assert_eq!(words(&with(row(APP))), ["running"]);
    assert_eq!(
        words(&with(row(APP).ended("resting", old()))),
        ["unknown_status"]
    );
}

#[test]
fn what_ended_lately_or_nobody_knows_when_stays() {
    assert_eq!(words(&with(row(APP).stopped(ago(30 * DAY)))), ["-"]);
    assert_eq!(
        words(&with(row(APP).stopped(ago(30 * DAY - 1)))),
        ["recent"]
    );
    assert_eq!(words(&with(row(APP).stopped(ago(-DAY)))), ["not_yet"]);
    assert_eq!(words(&with(row(APP).status("stopped"))), ["no_end"]);
}

#[test]
fn an_entry_that_is_no_row_stays() {
    let mut scene = over();
    scene.registry.invalid.push(InvalidRow {
        index: 7,
        name: Some(name("twice")),
        pid: None,
        problem: "the name `twice` is there 2 times".to_owned(),
        line: None,
    });
    assert_eq!(words(&scene), ["-", "invalid_row"]);
}

#[test]
fn what_is_to_be_left_alone_stays() {
    let mut scene = over();
    scene.policy.ignored = vec![glob::Pattern::new("app-*").unwrap()];
    assert_eq!(words(&scene), ["ignored"]);
}

#[test]
fn a_row_whose_session_lives_stays() {
    let alive = scene()
        .row(row(APP).stopped(old()))
        .server(tmux("default").session(session(APP).pane(pane(100))))
        .at_once();
    assert_eq!(words(&alive), ["alive"]);
}

#[test]
fn a_row_stays_while_a_session_of_its_name_lives_anywhere() {
    let elsewhere = scene()
        .row(row(APP).on("work").stopped(old()))
        .server(tmux("default").session(session(APP).pane(pane(100))))
        .server(tmux("work"))
        .at_once();
    assert_eq!(words(&elsewhere), ["alive"]);
    let hung = scene()
        .row(row(APP).on("work").stopped(old()))
        .server(silent("default"))
        .server(tmux("work"));
    assert_eq!(words(&hung), ["unseen"]);
}

#[test]
fn could_not_look_is_not_gone() {
    let hung = scene()
        .row(row(APP).stopped(old()))
        .server(silent("default"));
    assert_eq!(words(&hung), ["unseen"]);
    let unasked = scene()
        .row(row(APP).on("work").stopped(old()))
        .server(tmux("default"));
    assert_eq!(words(&unasked), ["unseen"]);
    // It names no server, and may be on any.
    let other_hung = over().server(silent("work"));
    assert_eq!(words(&other_hung), ["unseen"]);
}

#[test]
fn a_row_stays_where_it_may_not_be_at_home() {
    let mut scene = over();
    scene.world.vantage.roll_is_local = not_there();
    assert_eq!(words(&scene), ["not_home"]);
}

#[test]
fn the_process_that_it_records_is_asked_as_well() {
    let pid = || with(row(APP).pid(100).stopped(old()));
    assert_eq!(words(&pid()), ["unseen"], "nobody asked it");
    assert_eq!(words(&pid().process(100, unknown())), ["unseen"]);
    assert_eq!(words(&pid().process(100, dead())), ["-"]);
    // The scene is of a machine that was started after the row ended.
    let mut older = pid().alive(process(100).began(ago(41 * DAY)));
    older.world.vantage.booted_at = ago(50 * DAY);
    assert_eq!(words(&older), ["alive"]);
    let mut younger = pid().alive(process(100).began(ago(39 * DAY)));
    younger.world.vantage.booted_at = ago(50 * DAY);
    assert_eq!(words(&younger), ["-"], "the pid was used again");
}

#[test]
fn a_difference_that_was_never_told_keeps_a_row_and_one_that_was_does_not() {
    let stale = with(row(APP).id("c1").stopped(old())).not_on_disk(AgentKind::Claude, "c1");
    assert_eq!(words(&stale), ["drift"]);
    let told = stale.pass();
    assert_eq!(told.drift(Kind::StaleId).session, Some(name(APP)));
    assert_eq!(words(&stale.after(&told, 60)), ["-"]);
}

#[test]
fn a_row_whose_conversation_could_not_be_looked_for_stays() {
    let on_disk = || with(row(APP).id("c1").stopped(old()));
    assert_eq!(words(&on_disk().on_disk(AgentKind::Claude, "c1")), ["-"]);
    assert_eq!(words(&on_disk()), ["unseen"]);
}

#[test]
fn a_row_stays_until_it_has_the_end_of_its_job() {
    let scene = || with(row(APP).job("j1").stopped(old()));
    let record = |status| {
        Sighting::Present(JobRecord {
            status,
            created: Some(old()),
            updated: old(),
            session: None,
            needs_signature: false,
        })
    };
    for (sight, word) in [
        (record(JobStatus::Completed), "job"),
        (record(JobStatus::Running), "job"),
        (unknown(), "unseen"),
        (not_there(), "-"),
    ] {
        let mut scene = scene();
        let id = JobId::parse("j1").unwrap();
        scene.world.jobs.records.insert(id, sight);
        assert_eq!(words(&scene), [word]);
    }
    assert_eq!(words(&scene()), ["unseen"]);
}

#[test]
fn a_row_that_another_names_stays_unless_both_go() {
    let two = over().row(row("web-creator-claude").stopped(old()));
    let by_the_other: BTreeMap<_, _> = [(0, BTreeSet::from([1]))].into();
    assert_eq!(words_if(&two, &[], &by_the_other), ["-", "-"]);
    assert_eq!(words_if(&two, &[APP], &by_the_other), ["needed"]);
    let in_turn: BTreeMap<_, _> = [(0, BTreeSet::from([1])), (1, BTreeSet::from([2]))].into();
    let three = two.row(row("docs-creator-claude"));
    assert_eq!(
        words_if(&three, &[], &in_turn),
        ["needed", "needed", "running"]
    );
    let why: Vec<_> = judged(&three, &[], &in_turn)
        .into_iter()
        .filter_map(|row| row.kept.map(|kept| kept.why()))
        .collect();
    assert_eq!(why[0], "row web-creator-claude names it");
    assert_eq!(why[1], "row docs-creator-claude names it");
}

#[test]
fn a_row_whose_conversation_an_identity_has_stays() {
    let mut scene = with(row(APP).id("c1").stopped(old())).on_disk(AgentKind::Claude, "c1");
    scene.registry.identities.push(Identity {
        key: "claude".to_owned(),
        agent: Some(AgentKind::Claude),
        id: ConversationId::new("c1"),
        cwd: None,
    });
    assert_eq!(words(&scene), ["needed"]);
}

#[test]
fn a_conversation_is_not_set_free_for_an_agent_that_may_be_taken_to_have_it() {
    let beside = |agent: crate::scene::Pane, created: Timestamp| {
        scene()
            .row(row(APP).id("c1").stopped(old()))
            .on_disk(AgentKind::Claude, "c1")
            .server(tmux("default").session(session("older").created(created).pane(agent)))
            .at_once()
    };
    let unproven = || pane(100).agent(AgentKind::Claude, not_there());
    let started = |at: Timestamp, mut scene: Scene| {
        for server in &mut scene.world.servers {
            let ServerState::Listed(listing) = &mut server.state else {
                continue;
            };
            let sessions = listing.sessions.iter_mut();
            for pane in sessions.flat_map(|session| &mut session.panes) {
                if let Sighting::Present(agents) = &mut pane.agents {
                    agents[0].started_at = Sighting::Present(at);
                }
            }
        }
        scene
    };
    let before = ago(41 * DAY);
    assert_eq!(
        words(&started(before, beside(unproven(), before))),
        ["needed"]
    );
    assert_eq!(
        words(&beside(pane(100).agents_unread(), before)),
        ["needed"]
    );
    // One that began later cannot have had it then, nor one in a session that did; one that has another is known.
    assert_eq!(words(&beside(unproven(), before)), ["-"]);
    assert_eq!(words(&started(before, beside(unproven(), ago(DAY)))), ["-"]);
    assert_eq!(
        words(&started(before, beside(pane(100).claude("c2"), before))),
        ["-"]
    );
    assert_eq!(
        words(&started(
            before,
            beside(pane(100).agent(AgentKind::Agy, not_there()), before)
        )),
        ["-"]
    );
}

#[test]
fn what_is_gone_from_the_roll_is_not_registered_again() {
    let mut scene = over();
    scene.ledger = scene.pass().ledger;
    scene.registry.rows.clear();
    let pass = scene.pass();
    assert!(pass.says().is_empty(), "{:?}", pass.says());
    assert!(pass.ledger.rows.is_empty());
}

#[test]
fn a_new_session_of_the_name_is_a_new_one() {
    let mut scene = over();
    scene.ledger = scene.pass().ledger;
    scene.registry.rows.clear();
    scene.world.servers.clear();
    let mut scene = scene
        .server(tmux("default").session(session(APP).pane(pane(100).claude("c9"))))
        .our_folder("/src/app");
    assert_eq!(
        scene.pass().says(),
        [format!("unregistered {APP} (not_in_roll): written")]
    );
    // Once it is registered, it is as any row, whatever was known of the one before.
    scene.registry.rows.push(row(APP).pid(100).at(0));
    scene.ledger.forget_row(&name(APP), None);
    assert!(
        scene
            .pass()
            .says()
            .iter()
            .all(|it| !it.contains("tmux_gone"))
    );
    assert!(scene.ledger.rows.is_empty());
}
