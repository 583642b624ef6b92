//! What an explanation says that depends on more than one thing; the words themselves are in the gallery.

use headcount::core::explain::{Explanation, explain};
use headcount::core::ids::AgentKind::Claude;
use headcount::core::sighting::Sighting;
use headcount::core::standing::Standing;

use crate::scene::{
    Declared, Scene, ago, candidate, dead, not_there, pane, process, row, scene, session, silent,
    tmux,
};
use crate::standing::{report, scope};

const APP: &str = "app-creator-claude";

/// Of the session of that name.
#[track_caller]
fn explained(scene: &Scene, name: &str) -> Explanation {
    let report = report(scene);
    let scope = scope(scene, &report);
    let standing = Standing::new(scope);
    let mut sessions = standing.sessions.iter();
    let session = sessions.find(|it| it.name.as_str() == name).unwrap();
    explain(scope, session, None)
}

/// What would change what is said of the first session.
#[track_caller]
fn change(scene: &Scene) -> String {
    let changes = explained(scene, APP).changes;
    assert_eq!(changes.len(), 1, "{changes:?}");
    changes.concat()
}

#[test]
fn an_id_that_is_inferred_is_said_to_be() {
    let agent = pane(100).agent(Claude, not_there());
    let Sighting::Present(kin) = agent.clone().sight().agents else {
        panic!("no agent in {agent:?}")
    };
    let scene = scene()
        .row(row(APP).null_id())
        .server(tmux("default").session(session(APP).pane(agent)))
        .folder(Claude, "/src/app", vec![candidate("c1", ago(1700))], kin);
    let rules = explained(&scene, APP).rules;
    let names: Vec<_> = rules.iter().map(|rule| rule.name).collect();
    assert!(names.contains(&"inferred_id"), "{names:?}");
}

#[test]
fn a_join_that_is_not_sure_is_said_to_be() {
    let doubt = "so nothing is written";
    let joined = |scene: Scene| {
        let rule = explained(&scene, "a.b-creator-claude").rules.remove(0);
        assert_eq!(rule.name, "joined_by_name");
        rule.text.contains(doubt)
    };
    let exact = || {
        scene().row(row("a.b-creator-claude")).server(
            tmux("default").session(session("a_b-creator-claude").pane(pane(100).claude("c1"))),
        )
    };
    assert!(!joined(exact()));
    assert!(joined(exact().server(silent("zz"))));
}

#[test]
fn the_panes_that_are_told_of_are_those_of_its_own_server() {
    let scene = scene()
        .row(row(APP).on("work").pid(100))
        .server(tmux("default").session(session("other").pane(pane(300))))
        .server(tmux("work").session(session(APP).pane(pane(100).claude("c1"))));
    let evidence = explained(&scene, APP).evidence;
    assert!(
        evidence.iter().any(|it| it.source == "pane %100"),
        "{evidence:?}"
    );
}

fn gone(row: Declared) -> Scene {
    scene()
        .row(row)
        .server(tmux("default"))
        .process(100, dead())
}

#[test]
fn an_end_that_was_seen_once_waits_for_its_second_look() {
    let first = gone(row(APP).pid(100));
    let second = first.clone().after(&first.pass(), 5);
    let told = change(&second);
    assert!(told.starts_with("If a look at or after"), "{told}");
}

#[test]
fn what_would_change_the_word_on_a_session_without_a_drift_depends_on_how_it_is_seen() {
    let ended = row(APP).pid(100).stopped(ago(900));
    let told = change(&gone(ended.clone()));
    assert!(told.starts_with("A new session of its name"), "{told}");
    let mut far = gone(ended.clone());
    far.world.vantage.roll_is_local = not_there();
    let told = change(&far);
    assert!(told.contains("headcount init"), "{told}");
    let told = change(&scene().row(ended).server(silent("default")));
    assert!(told.starts_with("Seeing it"), "{told}");
    // Of a row that is left alone no drift is told, however its session stands.
    let mut left = gone(row(APP).pid(100)).alive(process(100).began(ago(3700)).below(&[55, 99]));
    left.policy.ignored = vec!["app-*".parse().expect("a pattern")];
    let told = change(&left);
    assert!(told.starts_with("The end of its process"), "{told}");
}
