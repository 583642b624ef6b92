//! Rule 5: the person wins.

use headcount::core::ids::{AgentKind, ServerName};
use headcount::core::registry::{InvalidRow, Registry};

use crate::edits::edited;
use crate::scene::{Scene, name, pane, row, scene, session, tmux, unknown};

const CLAUDE: AgentKind = AgentKind::Claude;
const OVERRULED: [&str; 1] =
    ["rotated app-creator-claude (another_conversation): held, person_changed"];
const ROTATED: [&str; 1] = ["rotated app-creator-claude (another_conversation): written"];

fn recorded(id: &str, live: &str) -> Scene {
    let all = ["c1", "c2", "c3", "hers"];
    let scene = scene().row(row("app-creator-claude").id(id)).server(
        tmux("default").session(session("app-creator-claude").pane(pane(100).claude(live))),
    );
    all.iter()
        .fold(scene, |scene, id| scene.on_disk(CLAUDE, id))
}

fn unread(id: &str) -> Scene {
    let mut scene = recorded(id, "c1");
    scene.world.servers.clear();
    scene.server(
        tmux("default")
            .session(session("app-creator-claude").pane(pane(100).agent(CLAUDE, unknown()))),
    )
}

#[test]
fn an_id_that_somebody_set_stays_while_the_same_conversation_is_live() {
    let first = recorded("c1", "c1").pass();
    let second = recorded("hers", "c1").after(&first, 1).pass();
    assert_eq!(second.says(), OVERRULED);
    let third = recorded("hers", "c1").after(&second, 1).pass();
    assert_eq!(third.says(), OVERRULED);
}

#[test]
fn an_id_that_somebody_set_is_compared_again_when_another_conversation_is_live() {
    let first = recorded("c1", "c1").pass();
    let second = recorded("hers", "c1").after(&first, 1).pass();
    let third = recorded("hers", "c2").after(&second, 1).pass();
    assert_eq!(third.says(), ROTATED);
}

#[test]
fn a_change_that_nobody_could_compare_is_still_seen_as_one_later() {
    let first = recorded("c1", "c1").pass();
    let blind = unread("hers").after(&first, 1).pass();
    let third = recorded("hers", "c1").after(&blind, 1).pass();
    assert_eq!(third.says(), OVERRULED);
}

#[test]
fn a_look_that_could_not_tell_does_not_forget_what_somebody_set() {
    let first = recorded("c1", "c1").pass();
    let second = recorded("hers", "c1").after(&first, 1).pass();
    let blind = unread("hers").after(&second, 1).pass();
    let fourth = recorded("hers", "c1").after(&blind, 1).pass();
    assert_eq!(fourth.says(), OVERRULED);
}

#[test]
fn a_row_that_was_wrong_for_a_while_is_not_forgotten() {
    let first = recorded("c1", "c1").pass();
    let second = recorded("hers", "c1").after(&first, 1).pass();
    let mut wrong = recorded("hers", "c1").after(&second, 1);
    wrong.registry.rows.clear();
    wrong.registry.invalid.push(InvalidRow {
        index: 0,
        name: Some(name("app-creator-claude")),
        pid: None,
        problem: "its name is there 2 times".to_owned(),
        line: None,
    });
    let right = recorded("hers", "c1").after(&wrong.pass(), 1).pass();
    assert_eq!(right.says(), OVERRULED);
}

#[test]
fn on_a_first_run_an_id_is_compared_as_usual() {
    assert_eq!(recorded("hers", "c1").pass().says(), ROTATED);
}

#[test]
fn a_conversation_that_changes_without_anybodys_edit_is_followed() {
    let first = recorded("c1", "c1").pass();
    assert_eq!(recorded("c1", "c2").after(&first, 1).pass().says(), ROTATED);
}

#[test]
fn our_own_edit_is_not_taken_for_a_persons() {
    let before = recorded("c1", "c2");
    let mut first = before.pass();
    assert_eq!(first.says(), ROTATED);
    for edit in first.edits() {
        first
            .ledger
            .note_applied(&edit, None::<&ServerName>, &before.world);
    }
    let registry: Registry = edited(&before.registry, &first.edits(), before.now);
    // The agent clears once more.
    let mut after = recorded("c1", "c3").after(&first, 1);
    after.registry = registry;
    assert_eq!(after.pass().says(), ROTATED);
}

#[test]
fn a_written_drift_is_no_longer_open() {
    let scene = recorded("c1", "c2");
    let mut pass = scene.pass();
    assert_eq!(pass.ledger.drifts.len(), 1);
    for edit in pass.edits() {
        pass.ledger.note_applied(&edit, None, &scene.world);
    }
    assert!(pass.ledger.drifts.is_empty());
}
