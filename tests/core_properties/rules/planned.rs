//! Where a person has looked through a plan, only what the plan holds is written.

use std::collections::BTreeSet;

use headcount::core::drift::Kind;
use headcount::core::ids::{AgentKind, DriftId};
use headcount::core::ledger::Ledger;

use crate::scene::{Scene, ago, pane, row, scene, session, tmux};

const CLAUDE: AgentKind = AgentKind::Claude;
const APP: &str = "app-creator-claude";

/// A row that runs again with another conversation, and one that has ended.
fn scene_of_three() -> Scene {
    scene()
        .row(row(APP).stopped(ago(3000)).id("c1"))
        .row(row("docs-creator-claude"))
        .server(tmux("default").session(session(APP).pane(pane(100).claude("c2"))))
        .on_disk(CLAUDE, "c1")
        .on_disk(CLAUDE, "c2")
        .at_once()
}

fn id(kind: Kind) -> DriftId {
    scene_of_three().pass().drift(kind).id.clone()
}

/// What a pass says that carries out a plan of these.
fn planned(kinds: &[Kind]) -> Vec<String> {
    let mut scene = scene_of_three();
    let ids: BTreeSet<DriftId> = kinds.iter().map(|kind| id(*kind)).collect();
    scene.policy.only = Some(ids);
    scene.pass().says()
}

fn says(revived: &str, rotated: &str, gone: &str) -> [String; 3] {
    [
        format!("tmux_gone docs-creator-claude (session_gone): {gone}"),
        format!("revived {APP} (new_session): {revived}"),
        format!("rotated {APP} (another_conversation): {rotated}"),
    ]
}

const OUT: &str = "held, not_planned";

#[test]
fn what_the_plan_holds_is_written_and_nothing_else() {
    let all = [Kind::Revived, Kind::Rotated, Kind::TmuxGone];
    assert_eq!(planned(&all), says("written", "written", "written"));
    let causes: BTreeSet<DriftId> = scene_of_three()
        .pass()
        .edits()
        .into_iter()
        .map(|edit| edit.cause)
        .collect();
    assert_eq!(causes, all.map(id).into());
    assert_eq!(planned(&[Kind::TmuxGone]), says(OUT, OUT, "written"));
    assert_eq!(planned(&[]), says(OUT, OUT, OUT));
}

#[test]
fn what_is_written_together_with_another_is_written_only_if_both_are_planned() {
    assert_eq!(planned(&[Kind::Revived]), says("written", OUT, OUT));
    assert_eq!(planned(&[Kind::Rotated]), says(OUT, OUT, OUT));
}

/// What the memory says of the end after a pass.
fn told_as(ledger: &Ledger) -> &str {
    &ledger.drifts[&id(Kind::TmuxGone)].told_as
}

#[test]
fn what_a_plan_leaves_out_is_for_the_next_pass_what_it_was_for_the_last() {
    let mut scene = scene_of_three();
    scene.policy.grace = std::time::Duration::from_secs(10);
    let first = scene.assess();
    assert_eq!(told_as(&first.ledger), "pending");
    scene.ledger = first.ledger;
    scene.policy.only = Some(BTreeSet::new());
    assert_eq!(told_as(&scene.assess().ledger), "pending");
}

#[test]
fn what_a_person_took_back_is_not_written_together_with_another() {
    let mut scene = scene_of_three();
    let rotated = id(Kind::Rotated);
    let open = scene.pass().ledger.drifts[&rotated].clone();
    scene.ledger.hold_undone(rotated, open);
    assert_eq!(
        scene.pass().says(),
        says("written", "held, undone", "written")
    );
}
