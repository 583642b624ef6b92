//! What a person took back is not written again while the same difference stays.

use headcount::core::ids::AgentKind;
use headcount::core::ledger::Acked;

use super::GONE;
use crate::edits::edited;
use crate::scene::{Pass, Scene, pane, row, scene, session, silent, tmux};

const CLAUDE: AgentKind = AgentKind::Claude;

/// The memory of a pass after which all that it wrote was taken back.
fn undone(mut pass: Pass) -> Pass {
    for drift in pass.drifts.clone() {
        let open = pass.ledger.drifts[&drift.id].clone();
        pass.ledger.hold_undone(drift.id, open);
    }
    pass
}

fn gone() -> Scene {
    scene()
        .row(row("app-creator-claude"))
        .server(tmux("default"))
        .at_once()
}

fn alive(id: &str) -> Scene {
    scene()
        .row(row("app-creator-claude"))
        .server(tmux("default").session(session("app-creator-claude").pane(pane(100).claude(id))))
        .at_once()
}

fn held() -> [String; 1] {
    [format!("{GONE} (session_gone): held, undone")]
}

#[test]
fn an_end_that_was_taken_back_is_held() {
    let first = undone(gone().pass());
    let second = gone().after(&first, 1).pass();
    assert_eq!(second.says(), held());
    assert_eq!(gone().after(&second, 9999).pass().says(), held());
}

#[test]
fn not_seeing_does_not_make_it_another_difference() {
    let first = undone(gone().pass());
    let blind = scene()
        .row(row("app-creator-claude"))
        .server(silent("default"))
        .at_once()
        .after(&first, 1)
        .pass();
    assert_eq!(gone().after(&blind, 1).pass().says(), held());
}

#[test]
fn an_end_after_the_session_was_seen_again_is_another_one() {
    let first = undone(gone().pass());
    let seen = alive("c1").after(&first, 1).pass();
    let third = gone().after(&seen, 1).pass();
    assert_eq!(third.says(), [format!("{GONE} (session_gone): written")]);
}

#[test]
fn a_session_that_was_taken_out_of_the_roll_stays_out_and_another_of_its_name_does_not() {
    let stray = |id: &str| {
        let session = session("app-creator-claude")
            .tmux_id(id)
            .pane(pane(100).claude("c1"));
        scene()
            .server(tmux("default").session(session))
            .our_folder("/src/app")
            .at_once()
    };
    let first = undone(stray("$1").pass());
    let second = stray("$1").after(&first, 1).pass();
    assert_eq!(
        second.says(),
        ["unregistered app-creator-claude (not_in_roll): held, undone"]
    );
    let third = stray("$2").after(&second, 1).pass();
    assert_eq!(
        third.says(),
        ["unregistered app-creator-claude (not_in_roll): written"]
    );
}

#[test]
fn an_id_that_was_taken_back_stays_so_until_another_conversation_is_live() {
    let at = |live: &str| {
        let row = row("app-creator-claude").id("c1");
        let pane = pane(100).claude(live);
        let scene = scene()
            .row(row)
            .server(tmux("default").session(session("app-creator-claude").pane(pane)));
        ["c1", "c2", "c3"]
            .iter()
            .fold(scene, |scene, id| scene.on_disk(CLAUDE, id))
    };
    let first = undone(at("c2").pass());
    let second = at("c2").after(&first, 1).pass();
    let rotated = "rotated app-creator-claude (another_conversation)";
    assert_eq!(second.says(), [format!("{rotated}: held, undone")]);
    let third = at("c3").after(&second, 1).pass();
    assert_eq!(third.says(), [format!("{rotated}: written")]);
}

#[test]
fn once_that_is_lifted_it_is_written_again() {
    let mut first = undone(gone().pass());
    for open in first.ledger.drifts.values_mut() {
        open.undone = false;
    }
    let before = gone().after(&first, 1);
    let second = before.pass();
    assert_eq!(second.says(), [format!("{GONE} (session_gone): written")]);
    let roll = edited(&before.registry, &second.edits(), before.now);
    assert!(roll.rows[0].ended_by_headcount());
}

#[test]
fn what_was_taken_back_is_open_anew_and_nobody_has_told_or_proven_it_yet() {
    let pass = gone().pass();
    let id = pass.drifts[0].id.clone();
    let mut open = pass.ledger.drifts[&id].clone();
    open.told_as = "write".to_owned();
    open.acked = Some(Acked {
        reason: "session_gone".to_owned(),
        told_as: "write".to_owned(),
    });
    assert!(open.proven_since.is_some());
    let mut ledger = pass.ledger.clone();
    ledger.hold_undone(id.clone(), open.clone());
    let held = &ledger.drifts[&id];
    assert!(held.undone);
    assert_eq!((&held.acked, &held.proven_since), (&None, &None));
    assert_eq!(held.told_as, "");
    assert_eq!(held.first_seen, open.first_seen);
}
