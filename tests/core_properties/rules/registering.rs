//! Class B, `unregistered`: a session that nobody declared.

use headcount::core::drift::Kind;
use headcount::core::edit::{Change, Target, Value};
use headcount::core::ids::{AgentKind, ConversationId};
use headcount::core::registry::InvalidRow;
use headcount::core::sighting::Sighting;
use headcount::core::world::NearestRoll;

use super::at_once;
use crate::edits::keys;
use crate::scene::{
    Pane, Scene, Server, ago, candidate, name, not_there, pane, row, scene, session, silent, tmux,
    unknown,
};

const HELD: [&str; 1] = ["unregistered app-creator-claude (not_in_roll): held, doubt"];
const WRITTEN: [&str; 1] = ["unregistered app-creator-claude (not_in_roll): written"];

fn undeclared(pane: Pane) -> Server {
    tmux("default").session(session("app-creator-claude").pane(pane))
}

fn found(server: Server) -> Scene {
    scene().server(server).our_folder("/src/app")
}

#[test]
fn a_live_agent_session_that_no_row_has_is_registered() {
    let pass = found(undeclared(pane(100).claude("c1")))
        .on_disk(AgentKind::Claude, "c1")
        .at_once()
        .pass();
    assert_eq!(pass.says(), WRITTEN);
    let edits = pass.edits();
    assert_eq!(
        edits[0].target,
        Target::New {
            name: name("app-creator-claude")
        }
    );
    let written: Vec<String> = keys(&edits[0])
        .into_iter()
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    assert_eq!(
        written,
        [
            "claude_session_id_own: Text(\"c1\")",
            "last_visible_status: Text(\"auto-registered\")",
            "name: Text(\"app-creator-claude\")",
            "pane.cmd: Text(\"claude\")",
            "pane.cwd: Text(\"/src/app\")",
            "pane.pid: Int(100)",
            "status: Text(\"running\")",
        ]
    );
}

#[test]
fn its_server_is_recorded_unless_it_is_the_default_one() {
    let work = tmux("work").session(session("app-creator-claude").pane(pane(100)));
    let pass = found(work).server(tmux("default")).at_once().pass();
    let server = |change: &Change| match change {
        Change::Register { server, .. } => server.clone(),
        other => panic!("{other:?}"),
    };
    let edits = pass.edits();
    assert_eq!(
        server(&edits[0].change).map(|it| it.as_str().to_owned()),
        Some("work".to_owned())
    );
    let pass = found(undeclared(pane(100))).at_once().pass();
    assert_eq!(server(&pass.edits()[0].change), None);
}

#[test]
fn its_conversation_is_recorded_only_if_it_is_known_and_on_disk() {
    let id = |scene: Scene| {
        let pass = scene.at_once().pass();
        assert_eq!(pass.says()[..1], WRITTEN);
        match &pass.drift(Kind::Unregistered).change() {
            Some(Change::Register { id, .. }) => id.clone(),
            other => panic!("{other:?}"),
        }
    };
    let proven = Some((AgentKind::Claude, ConversationId::new("c1")));
    let claude = || found(undeclared(pane(100).claude("c1")));
    assert_eq!(id(claude().on_disk(AgentKind::Claude, "c1")), proven);
    assert_eq!(id(claude().not_on_disk(AgentKind::Claude, "c1")), None);
    assert_eq!(id(claude()), None);
    let unread = found(undeclared(pane(100).agent(AgentKind::Claude, unknown())));
    assert_eq!(id(unread), None);
    // What would be inferred for a running row a pass later is inferred now.
    let unrecorded = pane(100).agent(AgentKind::Claude, not_there());
    let Sighting::Present(agents) = unrecorded.clone().sight().agents else {
        panic!("an agent runs in it");
    };
    let only = vec![candidate("c1", ago(1700))];
    let inferred =
        found(undeclared(unrecorded)).folder(AgentKind::Claude, "/src/app", only, agents);
    assert_eq!(id(inferred), proven);
    let another = found(undeclared(pane(100).agent(
        AgentKind::Agy,
        Sighting::Present(crate::scene::record("c1")),
    )));
    assert_eq!(id(another.on_disk(AgentKind::Agy, "c1")), None);
}

#[test]
fn other_sessions_are_nobodys_business() {
    for other in [
        "notes",
        "app-claude",
        "-creator-claude",
        "app-creator-someone",
    ] {
        let scene = found(tmux("default").session(session(other).pane(pane(100).claude("c"))));
        assert_eq!(at_once(scene), [""; 0], "{other}");
    }
}

#[test]
fn the_pattern_of_agent_sessions_can_be_set() {
    let mut scene = found(tmux("default").session(session("app-run-agy").pane(pane(100))));
    scene.policy.agent_infixes = vec!["-run-".to_owned()];
    assert_eq!(
        at_once(scene),
        ["unregistered app-run-agy (not_in_roll): written"]
    );
}

#[test]
fn a_session_whose_folder_has_a_roll_of_its_own_is_foreign() {
    let mut scene = found(undeclared(pane(100)));
    scene.world.nearest_rolls.insert(
        "/src/app".to_owned(),
        Sighting::Present(NearestRoll::Another),
    );
    assert_eq!(at_once(scene), ["note foreign app-creator-claude"]);
}

#[test]
fn a_session_whose_folder_has_no_roll_at_all_is_ours() {
    let mut scene = found(undeclared(pane(100)));
    scene
        .world
        .nearest_rolls
        .insert("/src/app".to_owned(), not_there());
    assert_eq!(at_once(scene), WRITTEN);
}

#[test]
fn a_session_whose_folder_has_no_roll_at_all_is_nobodys_beside_other_rolls() {
    let mut scene = found(undeclared(pane(100)));
    scene.policy.beside_others = true;
    scene
        .world
        .nearest_rolls
        .insert("/src/app".to_owned(), not_there());
    assert_eq!(at_once(scene), ["note foreign app-creator-claude"]);
}

#[test]
fn a_session_of_ours_is_registered_beside_other_rolls() {
    let mut scene = found(undeclared(pane(100)));
    scene.policy.beside_others = true;
    scene
        .world
        .nearest_rolls
        .insert("/src/app".to_owned(), Sighting::Present(NearestRoll::Ours));
    assert_eq!(at_once(scene), WRITTEN);
}

#[test]
fn a_session_whose_folder_could_not_be_judged_is_held() {
    let folder_unread = found(undeclared(pane(100).cwd(unknown())));
    let folder_gone = found(undeclared(pane(100).cwd(not_there())));
    let not_asked = scene().server(undeclared(pane(100)));
    let mut unread = scene().server(undeclared(pane(100)));
    unread
        .world
        .nearest_rolls
        .insert("/src/app".to_owned(), unknown());
    for scene in [folder_unread, folder_gone, not_asked, unread] {
        assert_eq!(at_once(scene), HELD);
    }
}

#[test]
fn a_name_that_any_row_has_is_never_inserted_again() {
    let elsewhere = found(undeclared(pane(100)))
        .row(row("app-creator-claude").on("work"))
        .server(silent("work"));
    assert_eq!(
        at_once(elsewhere),
        [
            "note name_taken app-creator-claude",
            "note unseen app-creator-claude",
        ]
    );
    let mut invalid = found(undeclared(pane(100)));
    invalid.registry.invalid.push(InvalidRow {
        index: 0,
        name: Some(name("app-creator-claude")),
        pid: None,
        problem: "it has no status".to_owned(),
        line: None,
    });
    assert_eq!(at_once(invalid), ["note invalid_row app-creator-claude"]);
}

#[test]
fn of_two_sessions_of_one_name_only_that_of_the_preferred_server_is_registered() {
    let other = || tmux("work").session(session("app-creator-claude").pane(pane(200)));
    assert_eq!(
        at_once(found(undeclared(pane(100))).server(other())),
        [WRITTEN[0], "note name_taken app-creator-claude"]
    );
    // The preferred server may have one that could not be seen.
    assert_eq!(at_once(found(other()).server(silent("default"))), HELD);
}

#[test]
fn a_session_with_several_panes_is_registered_with_the_oldest_that_has_its_agent() {
    let pid = |panes: Vec<Pane>| {
        let mut it = session("app-creator-claude");
        for pane in panes {
            it = it.pane(pane);
        }
        let pass = found(tmux("default").session(it)).at_once().pass();
        pass.drift(Kind::Unregistered).was.0
    };
    let shell = || pane(100);
    let agent = |pid| pane(pid).claude("c");
    assert_eq!(pid(vec![shell(), agent(101), agent(102)]), Some(101));
    assert_eq!(pid(vec![agent(102), shell(), agent(101)]), Some(101));
    assert_eq!(pid(vec![pane(101), shell()]), Some(100));
}

#[test]
fn a_session_with_several_panes_is_held_if_one_could_not_be_read() {
    let scene = found(
        tmux("default").session(
            session("app-creator-claude")
                .pane(pane(100).claude("c"))
                .pane(pane(101).agents_unread()),
        ),
    );
    assert_eq!(at_once(scene), HELD);
}

#[test]
fn beside_another_programs_store_everything_is_told_and_nothing_written() {
    let mut scene = found(undeclared(pane(100)))
        .row(row("gone-creator-claude"))
        .row(row("ended-creator-claude").stopped(ago(60)));
    scene.policy.read_only = Some("agent-sessions.db is newer".to_owned());
    assert_eq!(
        at_once(scene),
        [
            "tmux_gone gone-creator-claude (session_gone): held, read_only",
            "unregistered app-creator-claude (not_in_roll): held, read_only",
        ]
    );
}

#[test]
fn where_not_all_servers_are_known_only_a_session_of_the_default_one_is_surely_the_first_of_its_name()
 {
    let on = |server: &str| {
        let session = session("app-creator-claude").pane(pane(100).claude("c"));
        let mut scene = found(tmux(server).session(session));
        scene.world.strays = unknown();
        at_once(scene)
    };
    assert_eq!(on("default"), WRITTEN);
    assert_eq!(on("work"), HELD);
}

#[test]
fn panes_of_one_id_on_two_servers_are_two() {
    let on = |server: &str, named: &str, created: i64, conversation: &str| {
        let session = session(named).created(ago(created));
        tmux(server).session(session.pane(pane(100).claude(conversation)))
    };
    let scene = found(on("default", "app-creator-claude", 1800, "c1"));
    assert_eq!(
        at_once(scene.server(on("work", "docs-creator-claude", 900, "c2"))),
        [
            "unregistered app-creator-claude (not_in_roll): written",
            "unregistered docs-creator-claude (not_in_roll): written",
        ]
    );
}

#[test]
fn of_two_sessions_with_a_pane_each_none_is_a_view_of_the_other() {
    let server = tmux("default")
        .session(session("app-creator-claude").pane(pane(100).claude("c1")))
        .session(session("docs-creator-claude").pane(pane(200).claude("c2")));
    assert_eq!(at_once(found(server)).len(), 2);
}

#[test]
fn a_registration_tells_the_row_that_it_makes() {
    let pass = found(undeclared(pane(100).claude("c1")))
        .on_disk(AgentKind::Claude, "c1")
        .at_once()
        .pass();
    let after = &pass.drift(Kind::Unregistered).after;
    let keys: Vec<&str> = after.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(keys, ["status", "pane", "claude_session_id_own"]);
    let pane = Value::Map(vec![
        ("pid".to_owned(), Value::Int(100)),
        ("cmd".to_owned(), Value::Text("claude".to_owned())),
        ("cwd".to_owned(), Value::Text("/src/app".to_owned())),
    ]);
    assert_eq!(after[1].1, pane);
}
