//! Class C by proof: what the agent's own live record says.

use headcount::core::drift::{Confidence, Kind};
use headcount::core::edit::Change;
use headcount::core::ids::{AgentKind, ConversationId, ProcessId};
use headcount::core::sighting::Sighting;

use super::at_once;
use crate::edits::keys;
use crate::scene::{
    Declared, Pane, Scene, Server, not_there, pane, record, row, scene, session, tmux, unknown,
};

const CLAUDE: AgentKind = AgentKind::Claude;
const MATERIALIZED: [&str; 1] =
    ["id_materialized app-creator-claude (conversation_exists): written"];

fn live(pane: Pane) -> Server {
    tmux("default").session(session("app-creator-claude").pane(pane))
}

fn running(declared: Declared, pane: Pane) -> Scene {
    scene().row(declared).server(live(pane))
}

fn null() -> Declared {
    row("app-creator-claude").null_id()
}

#[test]
fn a_null_id_is_set_when_the_live_conversation_is_on_disk() {
    let pass = running(null(), pane(100).claude("c1"))
        .on_disk(CLAUDE, "c1")
        .pass();
    assert_eq!(pass.says(), MATERIALIZED);
    let drift = pass.drift(Kind::IdMaterialized);
    assert_eq!(drift.confidence, Confidence::Proven);
    assert_eq!(
        drift.change(),
        Some(&Change::SetId {
            agent: CLAUDE,
            id: ConversationId::new("c1"),
            replaces: None
        })
    );
}

#[test]
fn a_missing_key_is_as_good_as_a_null_one() {
    let scene = running(row("app-creator-claude"), pane(100).claude("c1")).on_disk(CLAUDE, "c1");
    assert_eq!(at_once(scene), MATERIALIZED);
}

#[test]
fn the_key_is_that_of_the_rows_own_agent() {
    for (named, agent, key) in [
        ("app-creator-agy", AgentKind::Agy, "agy_conversation_id_own"),
        (
            "app-creator-cline",
            AgentKind::Cline,
            "cline_conversation_id_own",
        ),
        (
            "app-creator-hermes",
            AgentKind::Hermes,
            "hermes_conversation_id_own",
        ),
    ] {
        let pass = scene()
            .row(row(named))
            .server(tmux("default").session(
                session(named).pane(pane(100).agent(agent, Sighting::Present(record("c1")))),
            ))
            .on_disk(agent, "c1")
            .pass();
        let edits = pass.edits();
        assert_eq!(keys(&edits[0]).into_keys().collect::<Vec<_>>(), [key]);
    }
}

#[test]
fn a_conversation_that_has_no_file_yet_is_only_known() {
    let scene = running(null(), pane(100).claude("c1")).not_on_disk(CLAUDE, "c1");
    assert_eq!(at_once(scene), ["note known app-creator-claude"]);
}

#[test]
fn a_conversation_whose_file_could_not_be_looked_for_is_not_written() {
    let scene = running(null(), pane(100).claude("c1"));
    assert_eq!(at_once(scene.clone()), [""; 0]);
    assert_eq!(at_once(scene.artifact(CLAUDE, "c1", unknown())), [""; 0]);
}

#[test]
fn a_recorded_id_that_is_live_is_in_order() {
    let scene = running(row("app-creator-claude").id("c1"), pane(100).claude("c1"));
    assert_eq!(at_once(scene.clone().on_disk(CLAUDE, "c1")), [""; 0]);
    assert_eq!(
        at_once(scene.not_on_disk(CLAUDE, "c1")),
        ["note never_written app-creator-claude"]
    );
}

#[test]
fn another_live_conversation_replaces_the_recorded_one_and_keeps_it() {
    let pass = running(row("app-creator-claude").id("c1"), pane(100).claude("c2"))
        .on_disk(CLAUDE, "c1")
        .on_disk(CLAUDE, "c2")
        .pass();
    assert_eq!(
        pass.says(),
        ["rotated app-creator-claude (another_conversation): written"]
    );
    let keys = keys(&pass.edits()[0]);
    assert_eq!(keys["claude_session_id_own"], "Text(\"c2\")");
    assert_eq!(keys["claude_session_id_own_previous[0]"], "c1");
}

#[test]
fn an_unread_live_record_is_told_and_nothing_is_written() {
    let scene = running(null(), pane(100).agent(CLAUDE, unknown())).on_disk(CLAUDE, "c1");
    assert_eq!(at_once(scene), ["note unread app-creator-claude"]);
}

#[test]
fn unread_processes_say_nothing() {
    let scene = running(null(), pane(100).agents_unread()).on_disk(CLAUDE, "c1");
    assert_eq!(at_once(scene), [""; 0]);
}

#[test]
fn an_agent_of_another_kind_is_not_the_rows() {
    let scene = running(
        null(),
        pane(100).agent(AgentKind::Agy, Sighting::Present(record("c1"))),
    )
    .on_disk(AgentKind::Agy, "c1");
    assert_eq!(at_once(scene), [""; 0]);
}

#[test]
fn several_agents_side_by_side_are_ambiguous() {
    let scene = running(null(), pane(100).claude("c1").claude("c2"))
        .on_disk(CLAUDE, "c1")
        .on_disk(CLAUDE, "c2");
    assert_eq!(at_once(scene), ["note ambiguous app-creator-claude"]);
}

#[test]
fn a_conversation_in_two_processes_is_told() {
    let mut scene = running(null(), pane(100).claude("c1")).on_disk(CLAUDE, "c1");
    let holders = [1100, 1200].map(|pid| ProcessId { pid, start: 1 });
    scene
        .world
        .shared
        .insert(ConversationId::new("c1"), holders.into());
    assert_eq!(
        at_once(scene),
        [MATERIALIZED[0], "note shared_id app-creator-claude"]
    );
}

#[test]
fn only_a_running_row_gets_an_id() {
    for word in ["stopped", "terminated", "archived", "paused"] {
        let declared = null().status(word);
        let pass = running(declared, pane(100).claude("c1"))
            .on_disk(CLAUDE, "c1")
            .pass();
        assert!(pass.edits().is_empty(), "{word}");
    }
}

#[test]
fn an_agent_without_a_key_in_the_format_has_no_id_to_set() {
    let named = "app-creator-codex";
    let scene = scene()
        .row(row(named))
        .server(tmux("default").session(
            session(named).pane(pane(100).agent(AgentKind::Codex, Sighting::Present(record("c1")))),
        ))
        .on_disk(AgentKind::Codex, "c1");
    assert_eq!(at_once(scene), [""; 0]);
}

#[test]
fn in_a_session_with_several_panes_the_recorded_one_counts_then_the_remembered_then_the_agents() {
    let two = || {
        tmux("default").session(
            session("app-creator-claude")
                .pane(pane(100).claude("c1"))
                .pane(pane(101).claude("c2")),
        )
    };
    let on_disk = |scene: Scene| scene.on_disk(CLAUDE, "c1").on_disk(CLAUDE, "c2");
    let id = |scene: Scene| match scene.pass().edits().first().map(|it| it.change.clone()) {
        Some(Change::SetId { id, .. }) => id.as_str().to_owned(),
        other => panic!("{other:?}"),
    };
    let recorded = on_disk(scene().row(null().pid(101)).server(two()));
    assert_eq!(id(recorded), "c2");
    let plain = on_disk(scene().row(null()).server(two()));
    assert_eq!(id(plain.clone()), "c1");
    // The ledger saw the row when it had one pane only.
    let first = scene()
        .row(null())
        .server(live(pane(101).agent(CLAUDE, not_there())))
        .pass();
    let mut remembered = plain;
    remembered.ledger = first.ledger;
    assert_eq!(id(remembered), "c2");
}
