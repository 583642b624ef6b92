//! Rule 6: doubt works one way. What might join stops an end and a new row; only what surely joins is written
//! about. Each of these once let a poorer look write more than a richer one.

use headcount::core::ids::AgentKind::Claude;

use super::{UNSEEN, at_once, ended};
use crate::scene::{
    Declared, Session, ago, dead, pane, process, refused, row, scene, seen, session, silent, tmux,
    unknown,
};

const HELD: &str = "id_materialized a.b-creator-claude (conversation_exists): held, doubt";
const WRITTEN: &str = "id_materialized a.b-creator-claude (conversation_exists): written";

fn null(named: &str) -> Declared {
    row(named).null_id()
}

#[test]
fn a_name_that_is_not_exact_gives_way_to_an_exact_one_on_any_server() {
    let base = || {
        scene()
            .row(null("a.b-creator-claude"))
            .on_disk(Claude, "c1")
            .server(
                tmux("default").session(session("a_b-creator-claude").pane(pane(100).claude("c1"))),
            )
    };
    assert_eq!(at_once(base()), [WRITTEN]);
    assert_eq!(at_once(base().server(silent("zz"))), [HELD]);
}

#[test]
fn a_row_that_is_doubtful_itself_still_contests_a_name() {
    let contested = |start_is_known: bool| {
        let other = if start_is_known {
            pane(300).began(ago(60))
        } else {
            pane(300).start_unread()
        };
        scene()
            .row(null("a.b-creator-claude"))
            .row(null("a:b-creator-claude").pid(300))
            .on_disk(Claude, "c1")
            .server(
                tmux("default")
                    .session(session("a_b-creator-claude").pane(pane(100).claude("c1")))
                    .session(session("other").pane(other)),
            )
            .alive(process(300).began(ago(60)).below(&[10]))
    };
    assert_eq!(at_once(contested(true))[0], HELD);
    assert!(!at_once(contested(false)).contains(&WRITTEN.to_owned()));
}

#[test]
fn a_row_that_surely_has_its_session_contests_no_name() {
    let scene = scene()
        .row(null("a.b-creator-claude"))
        .row(row("a:b-creator-claude").pid(300))
        .on_disk(Claude, "c1")
        .server(
            tmux("default")
                .session(session("a_b-creator-claude").pane(pane(100).claude("c1")))
                .session(session("other").pane(pane(300).began(ago(3700)).claude("c2"))),
        );
    assert_eq!(at_once(scene)[0], WRITTEN);
}

#[test]
fn where_one_copy_of_a_shared_pane_is_unread_no_copy_is_sure() {
    // Row `l` records the pane that two sessions show; the name of the first is another row's.
    let scene = scene()
        .row(row("a-creator-claude").pid(200))
        .row(row("l-creator-claude").pid(103))
        .process(200, dead())
        .server(
            tmux("default")
                .session(session("a-creator-claude").pane(pane(103).began(ago(3700)).claude("c1")))
                .session(
                    session("notes")
                        .pane(pane(100))
                        .pane(pane(103).start_unread().claude("c1")),
                ),
        );
    assert_eq!(
        at_once(scene),
        [
            "reincarnated a-creator-claude (new_pane): held, doubt",
            "note unseen l-creator-claude"
        ]
    );
}

#[test]
fn an_unread_pane_is_no_doubt_where_its_process_is_proven_to_be_another() {
    let scene = scene()
        .row(row("app-creator-claude").pid(300))
        .server(
            tmux("default")
                .session(session("app-creator-claude").pane(pane(100).claude("c1")))
                .session(session("other").pane(pane(300).start_unread())),
        )
        .alive(process(300).began(ago(60)).below(&[10]));
    assert_eq!(
        at_once(scene),
        ["reincarnated app-creator-claude (new_pane): written"]
    );
}

#[test]
fn a_row_whose_remembered_session_is_taken_without_certainty_is_not_sure_elsewhere() {
    // `b` ended; its session of old is taken by name by `a`, whose own server cannot be seen.
    let old = || {
        session("a-creator-claude")
            .tmux_id("$1")
            .pane(pane(100).claude("c1"))
    };
    let first = scene()
        .row(row("b-creator-claude"))
        .server(
            tmux("default").session(
                session("b-creator-claude")
                    .tmux_id("$1")
                    .pane(pane(100).claude("c1")),
            ),
        )
        .pass();
    let mut second = scene()
        .row(row("a-creator-claude").pid(900))
        .row(row("b-creator-claude").stopped(ago(3000)))
        .process(900, unknown())
        .server(silent("zz"))
        .server(
            tmux("default").session(old()).session(
                session("b-creator-claude")
                    .tmux_id("$2")
                    .created(ago(600))
                    .pane(pane(101).claude("c2")),
            ),
        )
        .at_once();
    second.ledger = first.ledger;
    assert_eq!(
        second.pass().says(),
        ["revived b-creator-claude (new_session): held, doubt"]
    );
}

/// The stopped row `a_b` was last seen as session `$1`, which now shows the pane that running row `two` records.
/// `$0` is a new session.
fn an_old_session_that_another_row_may_have(
    start_is_known: bool,
    rows: [Declared; 2],
    new: Session,
) -> Vec<String> {
    let first = scene()
        .row(row("a_b-creator-claude"))
        .server(
            tmux("default").session(
                session("a_b-creator-claude")
                    .tmux_id("$1")
                    .pane(pane(104).began(ago(3700))),
            ),
        )
        .pass();
    let theirs = if start_is_known {
        pane(104).began(ago(3700))
    } else {
        pane(104).start_unread()
    };
    let [one, other] = rows;
    let mut second = scene()
        .row(row("two-creator-claude").pid(104))
        .row(one)
        .row(other)
        .roll_written(ago(300))
        .server(
            tmux("default")
                .session(
                    session("two-creator-claude")
                        .tmux_id("$1")
                        .pane(theirs.claude("c1")),
                )
                .session(new.tmux_id("$0").created(ago(600))),
        )
        .at_once();
    second.ledger = first.ledger;
    second.pass().says()
}

#[test]
fn a_row_that_has_another_session_without_certainty_still_contests_its_own_name() {
    let says = |start_is_known| {
        an_old_session_that_another_row_may_have(
            start_is_known,
            [
                row("a_b-creator-claude").stopped(ago(3000)),
                row("a.b-creator-claude").stopped(ago(3000)),
            ],
            session("a_b-creator-claude").pane(pane(101).claude("c2")),
        )
    };
    assert_eq!(
        says(true),
        ["revived a_b-creator-claude (new_session): written"]
    );
    assert_eq!(
        says(false),
        [
            "revived a.b-creator-claude (new_session): held, doubt",
            "note still_alive a_b-creator-claude"
        ]
    );
}

#[test]
fn a_row_that_has_another_session_without_certainty_still_claims_the_pane_it_records() {
    let says = |start_is_known| {
        an_old_session_that_another_row_may_have(
            start_is_known,
            [
                row("a_b-creator-claude").pid(101).stopped(ago(500)),
                row("c-creator-claude").stopped(ago(3000)),
            ],
            session("c-creator-claude").pane(pane(101).began(ago(600)).claude("c2")),
        )
    };
    assert_eq!(says(true), ["note still_alive a_b-creator-claude"]);
    assert_eq!(
        says(false),
        [
            "revived c-creator-claude (new_session): held, doubt",
            "note still_alive a_b-creator-claude"
        ]
    );
}

#[test]
fn a_listener_that_is_known_counts_for_no_less_than_one_that_is_not() {
    let scene = |listener| {
        scene()
            .row(row("app-creator-claude").pid(100))
            .server(refused("default").listener(listener))
            .process(100, dead())
    };
    assert_eq!(at_once(scene(unknown())), ended("server_gone", "written"));
    assert_eq!(at_once(scene(seen())), ended("server_gone", "written"));
}

#[test]
fn a_session_that_is_listed_under_two_names_of_its_server_is_registered_once() {
    let here = || session("app-creator-claude").pane(pane(100));
    let scene = scene()
        .server(tmux("default").session(here()))
        .server(tmux("/tmp/tmux-1000/default").session(here()))
        .our_folder("/src/app");
    let pass = scene.at_once().pass();
    assert_eq!(
        pass.says(),
        ["unregistered app-creator-claude (not_in_roll): written"]
    );
    assert_eq!(pass.drifts[0].server, None);
}

#[test]
fn a_row_is_not_gone_while_the_session_it_was_seen_as_is_listed_as_anothers() {
    let with = |rows: [Declared; 2], named: &str| {
        let [a, b] = rows;
        scene()
            .row(a)
            .row(b)
            .server(tmux("default").session(session(named).pane(pane(100).claude("c"))))
    };
    let first = with(
        [
            row("a-creator-claude"),
            row("b-creator-claude").stopped(ago(60)),
        ],
        "a-creator-claude",
    )
    .pass();
    // Renamed, and declared again under its new name; then somebody sets the old row running.
    let second = with(
        [
            row("a-creator-claude").stopped(ago(60)),
            row("b-creator-claude"),
        ],
        "b-creator-claude",
    )
    .after(&first, 5)
    .pass();
    let third = with(
        [row("a-creator-claude"), row("b-creator-claude")],
        "b-creator-claude",
    )
    .after(&second, 5)
    .at_once()
    .pass();
    assert_eq!(third.says(), ["note unseen a-creator-claude"]);
    assert_eq!(UNSEEN.len(), 1);
}
