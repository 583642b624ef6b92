//! Rule 4: mass change needs a cause.

use super::at_once;
use crate::scene::{Declared, Scene, ago, dead, pane, row, scene, session, silent, tmux};

fn numbered(nth: u32) -> Declared {
    row(&format!("{nth}-creator-claude"))
}

/// So many rows that are gone, and so many that live, all on the default server.
fn crowd(gone: u32, alive: u32) -> Scene {
    let mut server = tmux("default");
    let mut crowd = scene();
    for nth in 0..gone {
        crowd = crowd.row(numbered(nth));
    }
    for nth in 100..100 + alive {
        crowd = crowd.row(numbered(nth));
        let name = format!("{nth}-creator-claude");
        server = server.session(session(&name).pane(pane(nth).claude("c")));
    }
    crowd.server(server)
}

fn written(says: &[String]) -> usize {
    says.iter()
        .filter(|line| line.ends_with(": written"))
        .count()
}

fn braked(says: &[String]) -> usize {
    says.iter()
        .filter(|line| line.ends_with("held, mass_change"))
        .count()
}

#[test]
fn three_ends_of_more_than_half_are_a_mass_change() {
    let table = [
        // gone, alive, braked
        (2, 0, 0),
        (3, 0, 3),
        (3, 2, 3),
        (3, 3, 0),
        (4, 3, 4),
        (4, 4, 0),
    ];
    for (gone, alive, expected) in table {
        let says = at_once(crowd(gone, alive));
        assert_eq!(braked(&says), expected, "{gone} gone, {alive} alive");
        assert_eq!(
            written(&says),
            usize::try_from(gone).unwrap() - expected,
            "{gone} gone, {alive} alive"
        );
    }
}

#[test]
fn an_end_with_a_dead_process_of_its_own_is_not_braked() {
    let scene = crowd(3, 0)
        .row(row("own-creator-claude").pid(900))
        .process(900, dead());
    let says = at_once(scene);
    assert_eq!((written(&says), braked(&says)), (1, 3));
}

#[test]
fn ends_whose_server_is_proven_dead_are_not_braked() {
    let before = crowd(0, 3).pass();
    let after = |answers: bool| {
        let mut scene = crowd(0, 3);
        scene.world.servers.clear();
        let mut scene = scene.server(tmux("default").life(11, ago(20)));
        scene.ledger = before.ledger.clone();
        if answers {
            scene
        } else {
            scene.process(10, dead())
        }
    };
    assert_eq!(written(&at_once(after(false))), 3);
    // Of a server that may live on, nothing is concluded at all.
    let unseen: Vec<String> = (100..103)
        .map(|nth| format!("note unseen {nth}-creator-claude"))
        .collect();
    assert_eq!(at_once(after(true)), unseen);
}

#[test]
fn ends_by_a_reboot_are_not_braked() {
    let says = at_once(crowd(3, 0).roll_written(ago(100_000)));
    assert_eq!(written(&says), 3);
}

#[test]
fn a_person_may_lift_the_brake_and_nothing_else() {
    let mut allowed = crowd(3, 0);
    allowed.policy.allow_mass_change = true;
    assert_eq!(written(&at_once(allowed.clone())), 3);
    allowed.world.vantage.roll_is_local = crate::scene::not_there();
    assert_eq!(written(&at_once(allowed)), 0);
}

#[test]
fn rows_that_could_not_be_seen_count_as_if_they_ended() {
    let scene = crowd(2, 0)
        .row(row("hidden-creator-claude").on("work"))
        .server(silent("work"));
    // The silent server would hide rows that name none: these name theirs.
    let named = |scene: Scene| {
        let mut scene = scene;
        for row in &mut scene.registry.rows {
            if row.server.is_none() {
                row.server = Some(crate::scene::server_name("default"));
            }
        }
        scene
    };
    let says = at_once(named(scene));
    assert_eq!((written(&says), braked(&says)), (0, 2));
    assert_eq!(written(&at_once(named(crowd(2, 0)))), 2);
}

#[test]
fn a_row_that_may_be_another_session_counts_as_unseen() {
    // The third row's recorded pid is that of a pane whose start could not be read.
    let scene = scene()
        .row(numbered(1))
        .row(numbered(2))
        .row(numbered(3).pid(300))
        .server(tmux("default").session(session("other").pane(pane(300).start_unread())));
    let says = at_once(scene);
    assert_eq!((written(&says), braked(&says)), (0, 2), "{says:?}");
}

#[test]
fn rows_that_were_ended_a_short_while_ago_count_too() {
    let with = |earlier: Declared| {
        let says = at_once(crowd(2, 0).row(earlier));
        (written(&says), braked(&says))
    };
    assert_eq!(with(numbered(50).auto_detected(ago(590))), (0, 2));
    assert_eq!(with(numbered(50).auto_detected(ago(610))), (2, 0));
    // What a person ended says nothing about what headcount sees.
    assert_eq!(with(numbered(50).stopped(ago(60))), (2, 0));
}

#[test]
fn the_brake_is_pulled_for_one_server_too() {
    // Three of nine rows of the roll, but all three of their server.
    let mut scene = crowd(0, 6);
    for nth in 0..3 {
        scene = scene.row(numbered(nth).on("work"));
    }
    let says = at_once(scene.server(tmux("work")));
    assert_eq!(braked(&says), 3);
}

#[test]
fn many_ends_with_one_cause_bear_its_name() {
    let rebooted = crowd(3, 0).roll_written(ago(100_000)).at_once().pass();
    assert!(
        rebooted
            .drifts
            .iter()
            .all(|drift| drift.reason == "host_rebooted")
    );
}
