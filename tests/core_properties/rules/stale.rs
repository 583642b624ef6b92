//! Class D: a recorded conversation has no file any more.

use std::time::Duration;

use headcount::core::drift::Kind;
use headcount::core::ids::{AgentKind, ConversationId};
use headcount::core::ledger::{Acked, KnownArtifact};
use headcount::core::registry::Identity;
use headcount::core::sighting::Sighting;
use headcount::core::world::Artifact;

use super::at_once;
use crate::scene::{Declared, Scene, ago, not_there, pane, row, scene, session, tmux, unknown};

const CLAUDE: AgentKind = AgentKind::Claude;
const MISSING: [&str; 1] = ["stale_id app-creator-claude (missing): told"];

fn stopped() -> Declared {
    row("app-creator-claude").stopped(ago(60)).id("c1")
}

/// A row whose session is not there, and whose conversation has no file.
fn without_file(declared: Declared) -> Scene {
    scene()
        .row(declared)
        .server(tmux("default"))
        .not_on_disk(CLAUDE, "c1")
}

#[test]
fn a_stale_id_is_told_and_never_written() {
    let pass = without_file(stopped()).at_once().pass();
    assert_eq!(pass.says(), MISSING);
    assert_eq!(pass.drift(Kind::StaleId).edit, None);
}

#[test]
fn rows_that_may_be_resumed_are_asked_and_others_are_not() {
    let told = |declared: Declared| {
        at_once(without_file(declared.id("c1")))
            .iter()
            .any(|line| line.starts_with("stale_id"))
    };
    let name = || row("app-creator-claude");
    assert!(told(name()));
    assert!(told(name().stopped(ago(60))));
    assert!(told(name().auto_detected(ago(60))));
    assert!(!told(name().ended("terminated", ago(60))));
    assert!(!told(name().ended("archived", ago(60))));
    assert!(!told(name().status("paused")));
}

#[test]
fn a_store_that_cannot_be_read_says_nothing() {
    let scene = || scene().row(stopped()).server(tmux("default"));
    assert_eq!(at_once(scene()), [""; 0]);
    assert_eq!(at_once(scene().artifact(CLAUDE, "c1", unknown())), [""; 0]);
}

#[test]
fn a_file_that_was_seen_and_outlived_its_agents_retention_has_expired() {
    let seen_with = |modified: i64, kept: Option<u64>| {
        let mut scene = without_file(stopped());
        let artifact = KnownArtifact {
            path: None,
            modified: ago(modified),
            seen: ago(modified),
        };
        scene
            .ledger
            .artifacts
            .insert((CLAUDE, ConversationId::new("c1")), artifact);
        let kept = kept.map_or_else(unknown, |secs| Sighting::Present(Duration::from_secs(secs)));
        scene.world.retention.insert(CLAUDE, kept);
        at_once(scene)
    };
    assert_eq!(
        seen_with(5000, Some(4000)),
        ["stale_id app-creator-claude (expired): told"]
    );
    assert_eq!(seen_with(4000, Some(4000)), MISSING);
    assert_eq!(seen_with(3000, Some(4000)), MISSING);
    assert_eq!(seen_with(5000, None), MISSING);
}

#[test]
fn a_file_that_was_never_seen_has_not_expired() {
    let mut scene = without_file(stopped());
    scene
        .world
        .retention
        .insert(CLAUDE, Sighting::Present(Duration::ZERO));
    assert_eq!(at_once(scene), MISSING);
}

#[test]
fn a_live_conversation_without_a_file_is_not_stale_yet() {
    let live = |record| {
        let running = row("app-creator-claude").id("c1");
        let server = tmux("default")
            .session(session("app-creator-claude").pane(pane(100).agent(CLAUDE, record)));
        at_once(
            scene()
                .row(running)
                .server(server)
                .not_on_disk(CLAUDE, "c1"),
        )
    };
    assert_eq!(
        live(Sighting::Present(crate::scene::record("c1"))),
        ["note never_written app-creator-claude"]
    );
    assert_eq!(live(unknown()), ["note unread app-creator-claude"]);
    assert_eq!(live(not_there()), MISSING);
}

#[test]
fn a_file_in_another_folder_than_the_rows_is_told_as_moved() {
    let elsewhere = Artifact {
        path: "/home/u/elsewhere/c1.jsonl".to_owned(),
        modified: ago(60),
        in_folder: not_there(),
    };
    let scene = scene().row(stopped()).server(tmux("default")).artifact(
        CLAUDE,
        "c1",
        Sighting::Present(elsewhere),
    );
    assert_eq!(at_once(scene), ["note moved app-creator-claude"]);
}

#[test]
fn an_identity_that_is_there_twice_is_one_difference() {
    let mut scene = scene().not_on_disk(CLAUDE, "c1").not_on_disk(CLAUDE, "c2");
    for id in ["c1", "c1", "c2"] {
        scene.registry.identities.push(Identity {
            key: "claude".to_owned(),
            agent: Some(CLAUDE),
            id: ConversationId::new(id),
            cwd: None,
        });
    }
    let pass = scene.pass();
    assert_eq!(pass.drifts.len(), 2, "{:#?}", pass.drifts);
    assert_ne!(pass.drifts[0].id, pass.drifts[1].id);
}

#[test]
fn agent_identities_are_asked_too() {
    let recorded = |key: &str, agent| {
        let mut scene = scene().not_on_disk(CLAUDE, "c1");
        scene.registry.identities.push(Identity {
            key: key.to_owned(),
            agent,
            id: ConversationId::new("c1"),
            cwd: None,
        });
        scene
    };
    let pass = recorded("claude", Some(CLAUDE)).pass();
    assert_eq!(pass.says(), ["stale_id - (missing): told"]);
    assert_eq!(pass.drifts[0].before[0].0, "agent_identities.claude");
    assert_eq!(at_once(recorded("someone", None)), [""; 0]);
    assert_eq!(
        at_once(recorded("claude", Some(CLAUDE)).on_disk(CLAUDE, "c1")),
        [""; 0]
    );
    assert_eq!(
        at_once(recorded("claude", Some(CLAUDE)).artifact(CLAUDE, "c1", unknown())),
        [""; 0]
    );
}

#[test]
fn an_id_is_stale_though_another_conversation_is_live_and_not_where_it_is_live_itself() {
    let live = |id: &str| {
        let session = session("app-creator-claude").pane(pane(100).claude(id));
        let scene = scene()
            .row(row("app-creator-claude").pid(100).id("c1"))
            .server(tmux("default").session(session))
            .not_on_disk(CLAUDE, "c1")
            .on_disk(CLAUDE, "c2");
        at_once(scene)
    };
    assert_eq!(
        live("c2"),
        [
            "rotated app-creator-claude (another_conversation): written",
            "stale_id app-creator-claude (missing): told",
        ]
    );
    assert_eq!(live("c1"), ["note never_written app-creator-claude"]);
}

#[test]
fn another_conversation_that_is_live_and_has_no_file_yet_is_known() {
    let session = session("app-creator-claude").pane(pane(100).claude("c2"));
    let scene = scene()
        .row(row("app-creator-claude").pid(100).id("c1"))
        .server(tmux("default").session(session))
        .on_disk(CLAUDE, "c1")
        .not_on_disk(CLAUDE, "c2");
    assert_eq!(at_once(scene), ["note known app-creator-claude"]);
}

#[test]
fn a_file_that_an_earlier_look_saw_has_expired_when_its_agent_keeps_none_so_long() {
    let seen = scene().row(stopped()).server(tmux("default"));
    let seen = seen.on_disk(CLAUDE, "c1").pass();
    let mut later = without_file(stopped()).after(&seen, 60);
    let kept = Sighting::Present(Duration::from_secs(100));
    later.world.retention.insert(CLAUDE, kept);
    assert_eq!(
        at_once(later),
        ["stale_id app-creator-claude (expired): told"]
    );
}

#[test]
fn what_a_person_said_to_know_of_is_known_while_it_is_the_same() {
    let scene = without_file(stopped());
    let id = scene.pass().drift(Kind::StaleId).id.clone();
    let is_known = |reason: &str, told_as: &str| {
        let mut later = scene.clone();
        later.ledger = scene.assess().ledger;
        let open = later.ledger.drifts.get_mut(&id).expect("it is open");
        open.acked = Some(Acked {
            reason: reason.to_owned(),
            told_as: told_as.to_owned(),
        });
        later.assess().ledger.drifts[&id].acked.is_some()
    };
    assert!(is_known("missing", "told"));
    assert!(!is_known("expired", "told"));
    assert!(!is_known("missing", "not_home"));
    assert!(!is_known("expired", "not_home"));
}
