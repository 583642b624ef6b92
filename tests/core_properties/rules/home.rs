//! Rule 1: a row is ended only where it is at home.

use super::{at_once, ended};
use crate::scene::{Scene, here, not_there, pane, row, scene, session, tmux, unknown};

fn gone() -> Scene {
    scene()
        .row(row("app-creator-claude"))
        .server(tmux("default"))
}

/// The same, with a memory of its session alive.
fn seen_alive() -> Scene {
    let first = scene()
        .row(row("app-creator-claude"))
        .server(tmux("default").session(session("app-creator-claude").pane(pane(100))))
        .pass();
    let mut second = gone();
    second.ledger = first.ledger;
    second
}

fn in_a_container(mut scene: Scene) -> Scene {
    scene.world.vantage.place.pid_namespace = "pid:[4026532000]".to_owned();
    scene.world.vantage.first_pid_namespace = not_there();
    scene
}

#[test]
fn an_unknown_row_is_at_home_on_a_local_disk_in_the_first_namespace() {
    assert_eq!(at_once(gone()), ended("session_gone", "written"));
}

#[test]
fn an_unknown_row_is_not_at_home_elsewhere() {
    let mut scenes = vec![in_a_container(gone())];
    for sight in [not_there(), unknown()] {
        let mut remote = gone();
        remote.world.vantage.roll_is_local = sight.clone();
        let mut nested = gone();
        nested.world.vantage.first_pid_namespace = sight;
        scenes.extend([remote, nested]);
    }
    for scene in scenes {
        assert_eq!(at_once(scene), ended("session_gone", "held, not_home"));
    }
}

#[test]
fn a_row_is_at_home_where_it_was_seen_alive() {
    let mut remote = seen_alive();
    remote.world.vantage.roll_is_local = not_there();
    assert_eq!(at_once(remote), ended("session_gone", "written"));
}

#[test]
fn a_row_is_not_at_home_in_a_container_or_on_another_machine_than_where_it_was_seen_alive() {
    assert_eq!(
        at_once(in_a_container(seen_alive())),
        ended("session_gone", "held, not_home")
    );
    let mut moved = seen_alive();
    moved.world.vantage.place.machine = "another".to_owned();
    assert_eq!(at_once(moved), ended("session_gone", "held, not_home"));
}

#[test]
fn a_place_that_was_made_home_is_home() {
    let mut scene = in_a_container(seen_alive());
    let mut place = here();
    place.pid_namespace = "pid:[4026532000]".to_owned();
    scene.ledger.homes.insert(place);
    assert_eq!(at_once(scene), ended("session_gone", "written"));
}
