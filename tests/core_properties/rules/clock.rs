//! A clock that is set while the machine runs ends nothing, early or at all, and puts nothing off for long.

use std::time::Duration;

use headcount::core::ids::{BootId, Timestamp};
use headcount::core::sighting::Sighting;

use super::{at_once, ended};
use crate::scene::{Pass, Scene, ago, dead, pane, process, refused, row, scene, session, tmux};

const FIVE_HOURS: i64 = 5 * 3600;

/// The same world after somebody has put the clock ahead by so many seconds, or back. What was written down by it
/// before stays as it is.
fn set(mut scene: Scene, by: i64) -> Scene {
    let to = |at: Timestamp| Timestamp::from_millis(at.millis() + by * 1000);
    scene.now = to(scene.now);
    scene.world.at = scene.now;
    scene.world.vantage.booted_at = to(scene.world.vantage.booted_at);
    for sight in scene.world.processes.values_mut() {
        if let Sighting::Present(found) = sight {
            for process in found {
                process.started_at = to(process.started_at);
            }
        }
    }
    scene
}

/// A look so many seconds after `first`, with a clock that was set meanwhile.
fn later(scene: Scene, first: &Pass, secs: u64, by: i64) -> Pass {
    set(scene.after(first, secs), by).pass()
}

fn gone() -> Scene {
    scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default"))
        .process(100, dead())
}

#[test]
fn an_end_is_written_when_its_grace_is_over_and_not_earlier_or_later() {
    let first = gone().pass();
    for by in [FIVE_HOURS, -FIVE_HOURS] {
        let early = later(gone(), &first, 9, by);
        let due = ago(0).plus(Duration::from_secs(10)).millis() + by * 1000;
        assert_eq!(early.edits(), []);
        assert_eq!(early.plan.next_due().map(Timestamp::millis), Some(due));
        let late = later(gone(), &first, 10, by);
        assert_eq!(late.says(), ended("session_gone", "written"));
    }
}

#[test]
fn a_session_that_seems_to_be_from_the_future_is_registered_when_it_was_seen_for_long_enough() {
    let young = || {
        let session = session("app-creator-claude")
            .created(ago(5))
            .pane(pane(100));
        scene()
            .server(tmux("default").session(session))
            .our_folder("/src/app")
    };
    let first = set(young(), -FIVE_HOURS).pass();
    assert_eq!(first.edits(), []);
    let mut scene = young().after(&first, 29);
    scene = set(scene, -FIVE_HOURS);
    assert_eq!(scene.pass().edits(), []);
    scene.now = scene.now.plus(Duration::from_secs(1));
    scene.world.at = scene.now;
    assert_eq!(scene.pass().edits().len(), 1);
}

/// A session that was moved to another server, where its process lives on.
fn moved() -> Scene {
    scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default"))
        .alive(process(100).below(&[55, 99]))
}

#[test]
fn a_process_does_not_become_another_because_the_clock_was_put_ahead() {
    // Met before, and met only afterwards.
    let met = moved().pass();
    let not_met = scene().server(tmux("default")).pass();
    for before in [met, not_met] {
        let scene = set(moved().after(&before, 60), FIVE_HOURS);
        assert_eq!(at_once(scene), ended("session_gone", "held, process_alive"));
    }
}

#[test]
fn a_roll_does_not_become_older_than_the_boot_because_the_clock_was_put_ahead() {
    let unseen = || {
        scene()
            .row(row("app-creator-claude").pid(100))
            .server(refused("default"))
            .alive(process(100).below(&[55, 99]))
    };
    let before = scene().server(tmux("default")).pass();
    let scene = set(unseen().after(&before, 60), FIVE_HOURS);
    let says = at_once(scene).join("\n");
    assert!(!says.contains("host_rebooted"), "{says}");
    assert!(!says.contains("written"), "{says}");
}

#[test]
fn it_is_remembered_until_the_next_boot_that_the_clock_was_set() {
    let before = scene().server(tmux("default")).pass();
    let first = set(
        scene().server(tmux("default")).after(&before, 10),
        FIVE_HOURS,
    )
    .pass();
    let scene = set(moved().after(&first, 60), FIVE_HOURS);
    assert_eq!(at_once(scene), ended("session_gone", "held, process_alive"));
}

#[test]
fn a_pid_that_was_used_again_after_a_row_was_met_is_anothers_though_the_clock_was_put_ahead() {
    let first = scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default"))
        .process(100, Sighting::unknown("it could not be looked at"))
        .pass();
    let again = scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default"))
        .alive(process(100).began(ago(-30)).below(&[10]));
    let later = set(again.after(&first, 60), FIVE_HOURS);
    assert_eq!(at_once(later), ended("session_gone", "written"));
}

#[test]
fn that_the_clock_was_set_is_forgotten_with_the_boot() {
    let before = scene().server(tmux("default")).pass();
    let first = set(
        scene().server(tmux("default")).after(&before, 10),
        FIVE_HOURS,
    )
    .pass();
    let was_set = |boot: &str| {
        let mut later = set(
            scene().server(tmux("default")).after(&first, 60),
            FIVE_HOURS,
        );
        later.world.vantage.boot = BootId::new(boot);
        later.pass().ledger.clock.expect("a clock").was_set
    };
    assert!(was_set("this boot"));
    assert!(!was_set("another boot"));
}
