//! Rule 6, where several rolls declare one name: a session in a folder of another roll is not surely a row's that names
//! its own folder.

use headcount::core::ids::AgentKind;
use headcount::core::sighting::Sighting;
use headcount::core::world::NearestRoll;

use super::{UNSEEN, at_once};
use crate::scene::{Declared, Scene, ago, dead, pane, row, scene, session, tmux, unknown};

const WRITTEN: [&str; 1] = ["id_materialized app-creator-claude (conversation_exists): written"];
const DOUBTED: [&str; 1] =
    ["id_materialized app-creator-claude (conversation_exists): held, doubt"];

fn plain() -> Declared {
    row("app-creator-claude").null_id()
}

/// A session of the row's name is live in `/src/app`, on that server, and this is known of the rolls above that folder.
fn live(on: &str, declared: Declared, roll: Sighting<NearestRoll>) -> Scene {
    let mut scene = scene()
        .row(declared)
        .on_disk(AgentKind::Claude, "c1")
        .server(tmux(on).session(session("app-creator-claude").pane(pane(100).claude("c1"))))
        .process(300, dead());
    scene
        .world
        .nearest_rolls
        .insert("/src/app".to_owned(), roll);
    scene
}

fn theirs() -> Sighting<NearestRoll> {
    Sighting::Present(NearestRoll::Another)
}

#[test]
fn a_session_in_the_folder_of_another_roll_is_not_that_of_a_row_that_names_its_own_folder() {
    let of = |declared| at_once(live("default", declared, theirs()));
    // A name that a row has is not registered again, whosever it is.
    let told = ["note name_taken app-creator-claude", UNSEEN[0]];
    assert_eq!(of(plain().cwd("/src/lib")), told);
    assert_eq!(of(plain().cwd("/src/app2")), told);
    // The end of its own is not proven by it either.
    assert_eq!(of(plain().cwd("/src/lib").pid(300)), told);
    assert_eq!(
        of(row("app-creator-claude").stopped(ago(3000)).cwd("/src/lib")),
        told[..1]
    );
    let text = live("default", plain().cwd("/src/lib"), theirs())
        .at_once()
        .pass()
        .notes
        .remove(1)
        .text;
    for part in ["a roll of its own", "/src/lib", "`pane.cwd`"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_row_that_names_its_folder_has_the_session_that_works_there_whatever_rolls_there_are() {
    for folder in ["/src/app", "/src/app/", "/src", "/src/app/deep"] {
        let scene = live("default", plain().cwd(folder), theirs());
        assert_eq!(at_once(scene), WRITTEN, "{folder}");
    }
}

#[test]
fn a_session_in_another_folder_is_still_a_rows_where_that_has_no_other_roll() {
    for roll in [
        Sighting::Present(NearestRoll::Ours),
        Sighting::absent("no roll above it"),
    ] {
        let scene = live("default", plain().cwd("/src/lib"), roll);
        assert_eq!(at_once(scene), WRITTEN);
    }
}

#[test]
fn a_row_that_names_no_folder_is_joined_by_its_name() {
    assert_eq!(at_once(live("default", plain(), theirs())), WRITTEN);
}

#[test]
fn a_row_that_names_the_server_is_no_surer_of_its_folder() {
    let of = |folder| at_once(live("work", plain().on("work").cwd(folder), theirs()));
    assert_eq!(
        of("/src/lib"),
        ["note name_taken app-creator-claude", UNSEEN[0]]
    );
    assert_eq!(of("/src/app"), WRITTEN);
}

#[test]
fn a_row_that_records_the_process_of_a_pane_is_not_asked_for_its_folder() {
    let scene = live("default", plain().cwd("/src/lib").pid(100), theirs());
    assert_eq!(at_once(scene), WRITTEN);
}

#[test]
fn what_cannot_be_known_of_the_folder_makes_it_unsure() {
    let scene = || live("default", plain().cwd("/src/lib"), unknown());
    assert_eq!(at_once(scene()), DOUBTED);
    let mut unasked = scene();
    unasked.world.nearest_rolls.clear();
    assert_eq!(at_once(unasked), DOUBTED);
    let unread = crate::scene::scene()
        .row(plain().cwd("/src/lib"))
        .on_disk(AgentKind::Claude, "c1")
        .server(
            tmux("default")
                .session(session("app-creator-claude").pane(pane(100).claude("c1").cwd(unknown()))),
        );
    assert_eq!(at_once(unread), DOUBTED);
}

#[test]
fn a_session_that_was_seen_as_the_rows_stays_so_wherever_it_goes() {
    let first = live(
        "default",
        plain().cwd("/src/lib"),
        Sighting::Present(NearestRoll::Ours),
    );
    let second = live("default", plain().cwd("/src/lib"), theirs()).after(&first.pass(), 5);
    assert_eq!(at_once(second), WRITTEN);
}

#[test]
fn a_row_that_names_the_path_of_the_default_server_means_it() {
    let named = || plain().on("/tmp/tmux-1000/default");
    let alive = live("default", named(), Sighting::Present(NearestRoll::Ours));
    assert_eq!(at_once(alive.clone()), WRITTEN);
    let gone = scene().row(named()).server(tmux("default"));
    assert_eq!(at_once(gone), super::ended("session_gone", "written"));
    // It is not told to name another server than it does.
    let again = live(
        "default",
        row("app-creator-claude")
            .on("/tmp/tmux-1000/default")
            .pid(300)
            .id("c1"),
        Sighting::Present(NearestRoll::Ours),
    );
    let edits = again.at_once().pass().edits();
    assert_eq!(edits.len(), 1);
    assert!(!crate::edits::keys(&edits[0]).contains_key("tmux_server"));
}
