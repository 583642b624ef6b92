//! Notes, and what is over: told, never written.

use headcount::core::registry::InvalidRow;

use super::at_once;
use crate::scene::{Scene, ago, name, pane, row, scene, session, silent, tmux, unknown};

fn alone(pane: crate::scene::Pane) -> Scene {
    scene()
        .row(row("app-creator-claude"))
        .server(tmux("default").session(session("app-creator-claude").pane(pane)))
}

#[test]
fn a_session_without_its_agent_is_told() {
    let exited = ["note agent_exited app-creator-claude"];
    assert_eq!(at_once(alone(pane(100))), exited);
    assert_eq!(at_once(alone(pane(100).claude("c").dead())), exited);
    assert_eq!(at_once(alone(pane(100).claude("c"))), [""; 0]);
    assert_eq!(at_once(alone(pane(100).agents_unread())), [""; 0]);
}

#[test]
fn an_agent_in_another_pane_of_the_session_has_not_exited() {
    let scene = scene().row(row("app-creator-claude").pid(100)).server(
        tmux("default").session(
            session("app-creator-claude")
                .pane(pane(100).began(ago(3700)))
                .pane(pane(101).claude("c")),
        ),
    );
    assert_eq!(at_once(scene), [""; 0]);
}

#[test]
fn a_row_that_cannot_be_read_is_told_and_left_alone() {
    let mut scene = scene().server(tmux("default"));
    scene.registry.invalid.push(InvalidRow {
        index: 3,
        name: Some(name("broken")),
        pid: None,
        problem: "the status is missing".to_owned(),
        line: Some(17),
    });
    let pass = scene.at_once().pass();
    assert_eq!(pass.says(), ["note invalid_row broken"]);
    let text = &pass.notes[0].text;
    assert!(
        text.contains("line 17") && text.contains("the status is missing"),
        "{text}"
    );
}

#[test]
fn a_status_nobody_knows_is_told_and_left_alone() {
    let gone = scene()
        .row(row("app-creator-claude").status("paused"))
        .server(tmux("default"));
    let alive = {
        let mut scene = alone(pane(100).claude("c"));
        scene.registry.rows.clear();
        scene.row(row("app-creator-claude").status("paused"))
    };
    for scene in [gone, alive] {
        assert_eq!(at_once(scene), ["note unknown_status app-creator-claude"]);
    }
}

#[test]
fn an_ended_row_whose_session_is_gone_is_in_order() {
    for word in ["stopped", "terminated", "archived"] {
        let scene = scene()
            .row(row("app-creator-claude").ended(word, ago(60)))
            .server(tmux("default"));
        assert_eq!(at_once(scene), [""; 0]);
    }
}

#[test]
fn a_pass_is_confirmed_if_every_running_row_was_seen_or_is_proven_gone() {
    let confirmed = |scene: Scene| scene.pass().confirmed;
    assert!(confirmed(scene().server(silent("default"))));
    assert!(confirmed(alone(pane(100))));
    assert!(confirmed(scene().row(row("a")).server(tmux("default"))));
    assert!(!confirmed(scene().row(row("a")).server(silent("default"))));
    assert!(confirmed(
        scene()
            .row(row("a").stopped(ago(60)))
            .server(silent("default"))
    ));
    // Something that may be its session was seen: that is not its session.
    assert!(!confirmed(scene().row(row("a").pid(100)).server(
        tmux("default").session(session("b").pane(pane(100).start_unread()))
    )));
}

#[test]
fn a_drift_is_counted_until_a_look_proves_it_over() {
    let gone = || {
        scene()
            .row(row("app-creator-claude"))
            .server(tmux("default"))
    };
    let first = gone().pass();
    let second = gone().after(&first, 1).pass();
    let (id, open) = second.ledger.drifts.iter().next().unwrap();
    assert_eq!(
        (open.count, open.first_seen, open.last_seen),
        (2, ago(0), ago(-1))
    );
    // A look that could not tell keeps it open.
    let hidden = scene()
        .row(row("app-creator-claude"))
        .server(silent("default"))
        .after(&second, 1)
        .pass();
    assert!(hidden.ledger.drifts.contains_key(id));
    assert!(second.ledger.resolved_since(&hidden.ledger).is_empty());
    // One that saw the session closes it.
    let back = alone(pane(100).claude("c")).after(&hidden, 1).pass();
    let over = hidden.ledger.resolved_since(&back.ledger);
    assert_eq!(over.len(), 1);
    assert_eq!(over[0].0, *id);
}

#[test]
fn an_undeclared_session_is_over_when_its_server_was_listed_without_it() {
    let young =
        || tmux("default").session(session("b-creator-claude").created(ago(1)).pane(pane(100)));
    let first = scene().server(young()).our_folder("/src/app").pass();
    let open = |server| {
        scene()
            .server(server)
            .after(&first, 1)
            .pass()
            .ledger
            .drifts
            .len()
    };
    assert_eq!(open(silent("default")), 1);
    assert_eq!(open(tmux("default")), 0);
}

#[test]
fn what_a_look_could_not_read_is_not_forgotten() {
    let with = |cwd| {
        scene()
            .server(tmux("default").session(session("b-creator-claude").pane(pane(100).cwd(cwd))))
            .our_folder("/src/app")
    };
    let first = with(crate::scene::pane(1).sight().cwd).pass();
    let second = with(unknown()).after(&first, 1).pass();
    assert_eq!(
        first.ledger.drifts.keys().collect::<Vec<_>>(),
        second.ledger.drifts.keys().collect::<Vec<_>>()
    );
}
