//! Rule 2: absence is cross-examined.

use headcount::core::drift::Kind;
use headcount::core::sighting::Sighting;
use headcount::core::world::Ancestor;

use super::{GONE, at_once, ended};
use crate::scene::{Alive, Scene, ago, dead, pane, process, row, scene, session, tmux, unknown};

/// A row with a recorded process, and a complete listing without its session.
fn gone() -> Scene {
    scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default").session(session("other").tmux_id("$7").pane(pane(300))))
}

#[test]
fn a_dead_process_confirms_the_end() {
    let dead_ones: [(&str, Scene); 3] = [
        ("no such pid", gone().process(100, dead())),
        ("a zombie", gone().alive(process(100).zombie())),
        (
            "begun after the roll was written",
            gone().alive(process(100).began(ago(60))),
        ),
    ];
    for (case, scene) in dead_ones {
        assert_eq!(at_once(scene), ended("session_gone", "written"), "{case}");
    }
}

#[test]
fn a_process_below_no_tmux_server_is_told_as_left_over_and_the_row_ends() {
    assert_eq!(
        at_once(gone().alive(process(100))),
        [
            format!("{GONE} (session_gone): written"),
            "note leftover_process app-creator-claude".to_owned()
        ]
    );
}

#[test]
fn a_process_that_lives_below_tmux_or_cannot_be_asked_holds_the_end() {
    let living: [(&str, Scene); 6] = [
        (
            "another user's (sudo), below another server",
            gone().alive(process(100).of_another_user().below(&[55, 99])),
        ),
        (
            "below another server",
            gone().alive(process(100).below(&[55, 99])),
        ),
        ("could not be asked", gone().process(100, unknown())),
        ("was not asked", gone()),
        (
            "too close to tell",
            gone().alive(process(100).began(ago(3600 - 1))),
        ),
        (
            "ancestors unread",
            gone().alive(process(100).ancestors(unknown())),
        ),
    ];
    for (case, scene) in living {
        assert_eq!(
            at_once(scene),
            ended("session_gone", "held, process_alive"),
            "{case}"
        );
    }
}

#[test]
fn a_process_in_another_session_of_the_same_server_means_that_it_was_renamed() {
    let above: &[(&str, Alive)] = &[("the pane's own", process(300).below(&[10]))];
    for (case, alive) in above {
        let scene = scene()
            .row(row("app-creator-claude").pid(300))
            .server(tmux("default").session(session("other").pane(pane(300))))
            .alive(alive.clone());
        assert_eq!(
            at_once(scene),
            ["note renamed app-creator-claude"],
            "{case}"
        );
    }
    let below = gone().alive(process(100).below(&[300, 10]));
    assert_eq!(at_once(below), ["note renamed app-creator-claude"]);
}

#[test]
fn a_process_in_a_session_of_another_server_than_the_row_names_holds_the_end() {
    let scene = scene()
        .row(row("app-creator-claude").on("work").pid(100))
        .server(tmux("work"))
        .server(tmux("default").session(session("other").pane(pane(300))))
        .alive(process(100).below(&[300, 10]));
    assert_eq!(at_once(scene), ended("session_gone", "held, process_alive"));
}

#[test]
fn a_process_in_a_container_is_asked_whoever_owns_it_there() {
    let in_container = || process(100).in_container().of_another_user();
    let above = Sighting::Present(vec![Ancestor {
        pid: 55,
        tmux_server: true,
    }]);
    assert_eq!(
        at_once(gone().alive(in_container().ancestors(above))),
        ended("session_gone", "held, process_alive")
    );
    assert_eq!(
        at_once(gone().alive(in_container().began(ago(60)))),
        ended("session_gone", "written")
    );
}

#[test]
fn one_living_process_among_all_that_answer_to_the_pid_is_enough_to_hold() {
    let both = vec![
        process(100).began(ago(60)).sight(),
        process(100).in_container().below(&[55, 99]).sight(),
    ];
    assert_eq!(
        at_once(gone().process(100, Sighting::Present(both))),
        ended("session_gone", "held, process_alive")
    );
}

#[test]
fn a_process_is_younger_than_a_row_from_before_the_boot_whatever_the_clocks_say() {
    let scene = gone()
        .roll_written(ago(100_000))
        .alive(process(100).began(ago(200_000)).below(&[55, 99]));
    assert_eq!(at_once(scene), ended("host_rebooted", "written"));
}

#[test]
fn a_process_that_the_ledger_saw_begin_at_another_time_is_another() {
    let first = scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default").session(session("app-creator-claude").pane(pane(100))))
        .at_once()
        .pass();
    let mut second = gone().at_once();
    second.ledger = first.ledger;
    // The clock alone would say that it is the recorded one.
    let mut reused = process(100).below(&[55, 99]).sight();
    reused.id.start += 1;
    let same = process(100).below(&[55, 99]).sight();
    let asked = |sight| {
        second
            .clone()
            .process(100, Sighting::Present(vec![sight]))
            .pass()
            .says()
    };
    assert_eq!(asked(reused), ended("session_gone", "written"));
    assert_eq!(asked(same), ended("session_gone", "held, process_alive"));
}

#[test]
fn what_else_is_written_into_a_row_does_not_make_its_recorded_process_younger() {
    // The pid was used again ten minutes ago; now somebody writes another key of the row.
    let reused = || process(100).began(ago(600)).below(&[55, 99]);
    let first = gone().alive(reused()).pass();
    let mut second = scene()
        .row(row("app-creator-claude").pid(100).cwd("/src/elsewhere"))
        .server(tmux("default"))
        .roll_written(ago(0))
        .alive(reused())
        .at_once();
    second.ledger = first.ledger;
    assert_eq!(second.pass().says(), ended("session_gone", "written"));
}

#[test]
fn a_row_without_a_recorded_process_is_decided_by_its_listing() {
    let scene = scene()
        .row(row("app-creator-claude"))
        .server(tmux("default"));
    assert_eq!(at_once(scene), ended("session_gone", "written"));
}

#[test]
fn why_the_recorded_process_is_no_more_is_told_as_what_it_is() {
    let why = |written: i64, process: Alive| {
        let scene = scene()
            .row(row("app-creator-claude").pid(100))
            .roll_written(ago(written))
            .server(tmux("default"))
            .alive(process)
            .at_once();
        let pass = scene.pass();
        let evidence = &pass.drift(Kind::TmuxGone).evidence;
        let said: Vec<&str> = evidence.iter().map(|it| it.said.as_str()).collect();
        said.join("; ")
    };
    let young = || process(100).began(ago(60)).below(&[10]);
    let told = [
        (why(3600, young().zombie()), "waits to be reaped"),
        (why(3600, young()), "the pid was used again"),
        (why(9000, young()), "the row is older than this boot"),
    ];
    for (said, expected) in told {
        assert!(said.contains(expected), "{said} does not say: {expected}");
    }
}
