//! What one look tells of what makes headcount blind or wrong.

use std::time::Duration;

use headcount::core::checkup::{Check, Health, of_file_systems, of_look};
use headcount::core::ids::AgentKind::Claude;
use headcount::core::sighting::Sighting;
use headcount::core::standing::Scope;
use headcount::core::world::{Artifact, Source, SourceState};

use crate::scene::{Scene, ago, not_there, pane, row, scene, seen, session, silent, tmux, unknown};
use crate::standing::report;

const APP: &str = "app-creator-claude";
const DAY: u64 = 24 * 3600;

fn look(scene: &Scene, has_roll: bool) -> Vec<Check> {
    let report = report(scene);
    of_look(Scope {
        registry: &scene.registry,
        has_roll,
        world: &scene.world,
        all: &scene.world,
        ledger: &scene.ledger,
        policy: &scene.policy,
        report: &report,
    })
}

/// The check of a name.
#[track_caller]
fn check(scene: &Scene, name: &str) -> Check {
    let checks = look(scene, true);
    let found = checks.iter().find(|check| check.name == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {checks:#?}"))
        .clone()
}

#[track_caller]
fn is(check: &Check, health: Health, said: &str) {
    assert_eq!(check.health, health, "{check:#?}");
    assert!(check.said.contains(said), "{check:#?}");
    let needs_a_person = matches!(health, Health::Trouble | Health::Warning);
    assert_eq!(check.remedy.is_some(), needs_a_person, "{check:#?}");
}

fn source(name: &str, state: SourceState, reason: &str) -> Source {
    Source {
        name: name.to_owned(),
        state,
        reason: reason.to_owned(),
        at: ago(1),
    }
}

/// A row of a conversation whose file last changed so many seconds ago, and how long such files are kept.
fn talked(seconds: i64, kept: u64) -> Scene {
    let mut scene = scene().row(row(APP).id("c1")).artifact(
        Claude,
        "c1",
        Sighting::Present(Artifact {
            path: "/home/u/.claude/c1.jsonl".to_owned(),
            modified: ago(seconds),
            in_folder: seen(),
        }),
    );
    let kept = Sighting::Present(Duration::from_secs(kept));
    scene.world.retention.insert(Claude, kept);
    scene
}

#[test]
fn a_source_that_was_read_is_well_and_one_that_is_not_there_is_not_in_use() {
    let mut scene = scene();
    scene.world.sources = vec![
        source("tmux:default", SourceState::Present, "one session"),
        source("tmux:work", SourceState::Absent, "nobody answers"),
    ];
    is(&check(&scene, "tmux:default"), Health::Well, "one session");
    is(
        &check(&scene, "tmux:work"),
        Health::Unused,
        "nobody answers",
    );
}

#[test]
fn a_source_that_could_not_be_read_is_told_with_what_to_do() {
    let unread = |name: &str, reason: &str| {
        let mut scene = scene();
        scene.world.sources = vec![source(name, SourceState::Unknown, reason)];
        let check = check(&scene, name);
        is(&check, Health::Trouble, reason);
        check.remedy.expect("a remedy")
    };
    assert!(unread("processes", "mounted with hidepid=2").contains("without hidepid"));
    assert!(unread("processes", "no /proc").contains("read /proc"));
    assert!(unread("tmux:default", "it does not answer").contains("headcount doctor"));
    assert!(unread("ledger", "not JSON").contains("nothing is lost but memory"));
    assert!(unread("journal", "not JSON").contains("nothing is lost but memory"));
    assert!(unread("jobs", "not a folder").contains("let headcount read it"));
}

#[test]
fn a_place_where_ends_may_be_written_is_a_home() {
    is(&check(&scene(), "home"), Health::Well, "no container");
}

#[test]
fn a_container_is_no_home_until_a_person_says_so() {
    let mut scene = scene();
    scene.world.vantage.first_pid_namespace = not_there();
    is(&check(&scene, "home"), Health::Warning, "a container");
    scene.ledger.homes.insert(scene.world.vantage.place.clone());
    is(&check(&scene, "home"), Health::Well, "headcount init");
}

#[test]
fn where_it_cannot_be_told_whether_this_is_a_home_ends_are_held_back() {
    let mut hidden = scene();
    hidden.world.vantage.first_pid_namespace = unknown();
    is(&check(&hidden, "home"), Health::Warning, "held back");
    let mut far = scene();
    far.world.vantage.roll_is_local = not_there();
    is(&check(&far, "home"), Health::Warning, "other machines");
    let mut unread = scene();
    unread.world.vantage.roll_is_local = unknown();
    is(&check(&unread, "home"), Health::Warning, "held back");
}

#[test]
fn without_a_roll_nothing_is_said_of_where_it_lies() {
    let mut scene = scene();
    scene.world.vantage.roll_is_local = unknown();
    let checks = look(&scene, false);
    let home = checks.iter().find(|it| it.name == "home").expect("a check");
    is(home, Health::Well, "no container");
    let of_rolls = |it: &&Check| it.name == "sessions" || it.name == "other writers";
    assert_eq!(checks.iter().find(of_rolls), None);
}

#[test]
fn what_was_written_two_minutes_ahead_is_a_clock_that_is_wrong_and_not_what_was_written_sooner() {
    let written = |ahead: i64| {
        let mut scene = scene();
        scene.registry.written_at = ago(-ahead);
        check(&scene, "clock")
    };
    is(&written(0), Health::Well, "nothing was written later");
    is(&written(120), Health::Well, "nothing was written later");
    is(&written(121), Health::Warning, "the roll was last written");
}

#[test]
fn a_running_row_that_could_not_be_looked_for_is_trouble_and_an_ended_one_is_not() {
    let hidden = scene().row(row(APP)).server(silent("default"));
    is(&check(&hidden, "sessions"), Health::Trouble, APP);
    let ended = scene()
        .row(row(APP).stopped(ago(60)))
        .server(silent("default"));
    is(&check(&ended, "sessions"), Health::Well, "all 1 rows");
    let seen = tmux("default").session(session(APP).pane(pane(100)));
    let seen = scene().row(row(APP)).server(seen);
    is(&check(&seen, "sessions"), Health::Well, "all 1 rows");
}

#[test]
fn another_programs_store_is_trouble() {
    let mut scene = scene();
    is(&check(&scene, "other writers"), Health::Well, "no other");
    scene.policy.read_only = Some("agent-sessions.db is newer".to_owned());
    is(
        &check(&scene, "other writers"),
        Health::Trouble,
        "agent-sessions.db",
    );
}

#[test]
fn a_conversation_that_ends_within_a_week_is_told_by_its_row() {
    let a_week = talked(0, 7 * DAY);
    is(&check(&a_week, "retention"), Health::Warning, APP);
    let longer = talked(0, 7 * DAY + 1);
    is(&check(&longer, "retention"), Health::Well, "for 7 days");
    let older = talked(23 * 24 * 3600, 30 * DAY);
    is(&check(&older, "retention"), Health::Warning, "for 30 days");
}

#[test]
fn how_long_conversations_are_kept_may_not_be_known() {
    let mut scene = talked(0, DAY);
    scene.world.retention.insert(Claude, unknown());
    is(
        &check(&scene, "retention"),
        Health::Warning,
        "could not be read",
    );
    scene.world.retention.insert(Claude, not_there());
    is(&check(&scene, "retention"), Health::Unused, "not there");
    scene.world.retention.clear();
    is(
        &check(&scene, "retention"),
        Health::Unused,
        "no agent's files",
    );
}

#[test]
fn a_file_system_that_is_not_known_to_be_local_is_a_warning() {
    let here = Sighting::Present(());
    is(
        &of_file_systems(&[here.clone(), here.clone()]),
        Health::Well,
        "on this machine",
    );
    for (there, said) in [
        (
            Sighting::absent("the roll lies on NFS"),
            "the roll lies on NFS",
        ),
        (Sighting::unknown("nobody knows"), "nobody knows"),
    ] {
        is(
            &of_file_systems(&[here.clone(), there]),
            Health::Warning,
            said,
        );
    }
}
