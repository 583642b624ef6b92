//! Rule 6: who is who.

use headcount::core::drift::NoteKind;
use headcount::core::edit::{Change, Edit};
use headcount::core::ids::AgentKind;
use headcount::core::join::pane_of;
use headcount::core::registry::InvalidRow;
use headcount::core::sighting::Sighting;
use headcount::core::world::{NearestRoll, ServerState};

use super::at_once;
use crate::edits::edited;
use crate::scene::{
    Pane, Scene, Server, ago, dead, name, not_there, pane, row, scene, session, silent, socket_of,
    tmux, unknown,
};

/// Says nothing: every row has its session, and every session its row.
fn is_in_order(scene: Scene) {
    assert_eq!(at_once(scene), [""; 0]);
}

#[test]
fn a_row_is_joined_by_name_as_tmux_stores_names() {
    for stored in ["app.v2:x-creator-claude", "app_v2_x-creator-claude"] {
        is_in_order(
            scene()
                .row(row("app.v2:x-creator-claude"))
                .server(tmux("default").session(session(stored).pane(pane(100).claude("c"))))
                .our_folder("/src/app"),
        );
    }
}

/// A server that answered under one of its two names only has no other sessions for that.
#[test]
fn a_session_goes_by_the_preferred_name_of_its_server_whichever_answered() {
    let found = || session("app-creator-claude").pane(pane(100).claude("c"));
    let socket = socket_of("default");
    let both = |default: Server, by_path: Server| {
        let mut scene = scene()
            .row(row("app-creator-claude"))
            .server(default)
            .server(by_path);
        scene.world.nearest_rolls.insert(
            "/src/app".to_owned(),
            Sighting::Present(NearestRoll::Another),
        );
        scene
    };
    is_in_order(both(
        tmux("default").session(found()),
        tmux(&socket).session(found()),
    ));
    is_in_order(both(silent("default"), tmux(&socket).session(found())));
    let undeclared = || {
        let mut scene = scene()
            .server(silent("default"))
            .server(tmux(&socket).session(found()))
            .our_folder("/src/app");
        scene.world.servers.rotate_left(1);
        scene.at_once().pass()
    };
    let edits = undeclared().edits();
    assert!(
        matches!(
            edits.as_slice(),
            [Edit {
                change: Change::Register { server: None, .. },
                ..
            }]
        ),
        "{edits:?}"
    );
}

#[test]
fn an_exact_name_goes_before_one_that_tmux_would_have_stored() {
    let scene = scene()
        .row(row("a.b-creator-claude"))
        .row(row("a_b-creator-claude"))
        .server(tmux("default").session(session("a_b-creator-claude").pane(pane(100).claude("c"))))
        .at_once();
    let pass = scene.pass();
    assert_eq!(pass.says(), ["note unseen a.b-creator-claude"]);
}

#[test]
fn two_rows_that_tmux_would_store_under_one_name_are_sure_of_nothing() {
    let scene = |rows: &[&str]| {
        let mut scene = scene().server(
            tmux("default").session(session("a_b-creator-claude").pane(pane(100).claude("c1"))),
        );
        for named in rows {
            scene = scene.row(row(named).null_id());
        }
        scene.on_disk(headcount::core::ids::AgentKind::Claude, "c1")
    };
    assert_eq!(
        at_once(scene(&["a.b-creator-claude", "a:b-creator-claude"])),
        [
            "id_materialized a.b-creator-claude (conversation_exists): held, doubt",
            "note unseen a:b-creator-claude"
        ]
    );
    assert_eq!(
        at_once(scene(&["a.b-creator-claude"])),
        ["id_materialized a.b-creator-claude (conversation_exists): written"]
    );
}

#[test]
fn a_renamed_session_is_joined_by_the_pid_of_its_pane() {
    let scene = scene().row(row("app-creator-claude").pid(100)).server(
        tmux("default").session(session("new-name").pane(pane(100).began(ago(3700)).claude("c"))),
    );
    assert_eq!(at_once(scene), ["note renamed app-creator-claude"]);
}

#[test]
fn a_pid_alone_is_no_identity() {
    // The pane with the recorded pid began after the roll was written: the pid was used again.
    let scene = scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default").session(session("other").pane(pane(100).began(ago(60)))))
        .alive(crate::scene::process(100).began(ago(60)).below(&[10]));
    assert_eq!(at_once(scene), super::ended("session_gone", "written"));
}

#[test]
fn a_renamed_session_is_joined_by_the_life_that_the_ledger_saw() {
    let named = |it: &str| {
        scene()
            .row(row("app-creator-claude"))
            .server(tmux("default").session(session(it).pane(pane(100).claude("c"))))
    };
    let first = named("app-creator-claude").pass();
    let mut second = named("new-name").at_once();
    second.ledger = first.ledger;
    assert_eq!(second.pass().says(), ["note renamed app-creator-claude"]);
}

/// The next look after this one has written its edits, at another world.
fn after_writing(first: Scene, second: Scene) -> Scene {
    let first = first.at_once();
    let mut pass = first.pass();
    let edits = pass.edits();
    assert_eq!(edits.len(), 1);
    for edit in &edits {
        pass.ledger.note_applied(edit, None, &first.world);
    }
    let mut second = second.after(&pass, 5).at_once();
    second.registry = edited(&first.registry, &edits, first.now);
    second
}

#[test]
fn a_session_whose_row_was_just_written_is_known_again_by_the_life_that_was_seen_then() {
    let with =
        |it: &str, pane: Pane| scene().server(tmux("default").session(session(it).pane(pane)));
    let renamed =
        || with("my-work", pane(200).respawned(100).claude("c")).process(100, not_there());
    let first = || with("app-creator-claude", pane(100).claude("c")).our_folder("/src/app");
    let known = [
        "reincarnated app-creator-claude (new_pane): written",
        "note renamed app-creator-claude",
    ];
    assert_eq!(after_writing(first(), renamed()).pass().says(), known);
    let ended = row("app-creator-claude").stopped(ago(3000));
    assert_eq!(
        after_writing(first().row(ended), renamed()).pass().says(),
        known
    );
}

#[test]
fn a_session_that_is_gone_may_go_on_where_its_pane_is() {
    let here = || session("app-creator-claude").pane(pane(100).claude("c"));
    let hold = || session("hold").tmux_id("$9").pane(pane(300));
    let declared = || scene().row(row("app-creator-claude").pid(100));
    let first = declared().server(tmux("default").session(here()).session(hold()));
    let then = |hold| {
        let mut scene = declared()
            .server(tmux("default").session(hold))
            .process(100, not_there())
            .at_once();
        scene.ledger = first.pass().ledger;
        scene.pass().says()
    };
    let moved = || pane(200).respawned(100).claude("c");
    assert_eq!(then(hold().pane(moved())), super::UNSEEN);
    let gone = super::ended("session_gone", "written");
    assert_eq!(then(hold().pane(moved().dead())), gone);
    assert_eq!(then(hold()), gone);
}

#[test]
fn a_session_that_two_rows_remember_is_that_of_the_row_that_was_seen_with_it_last() {
    let with = |a: &str, b: &str| {
        scene()
            .row(row("a-creator-claude").status(a))
            .row(row("b-creator-claude").status(b))
            .server(
                tmux("default").session(session("b-creator-claude").pane(pane(100).claude("c"))),
            )
    };
    let mut first = with("stopped", "running");
    let before = scene()
        .row(row("a-creator-claude"))
        .server(tmux("default").session(session("a-creator-claude").pane(pane(100).claude("c"))))
        .pass();
    first = first.after(&before, 5);
    let second = with("running", "running").after(&first.pass(), 5).at_once();
    assert_eq!(second.pass().says(), ["note unseen a-creator-claude"]);
}

#[test]
fn a_session_of_the_old_id_in_another_life_of_the_server_is_another() {
    let life = |pid, named: &str| {
        scene().row(row("app-creator-claude")).server(
            tmux("default")
                .life(pid, ago(3000))
                .session(session(named).pane(pane(100).claude("c"))),
        )
    };
    let first = life(10, "app-creator-claude").pass();
    let mut second = life(11, "new-name").process(10, dead()).at_once();
    second.ledger = first.ledger;
    assert_eq!(
        second.pass().says(),
        super::ended("server_restarted", "written")
    );
}

#[test]
fn one_session_belongs_to_at_most_one_row() {
    // Both record the pane; the one with the session's name has it.
    let scene =
        scene()
            .row(row("one-creator-claude").pid(100))
            .row(row("two-creator-claude").pid(100))
            .server(tmux("default").session(
                session("two-creator-claude").pane(pane(100).began(ago(3700)).claude("c")),
            ));
    let says = at_once(scene);
    assert!(
        !says.iter().any(|line| line.contains("two-creator-claude")),
        "{says:?}"
    );
}

#[test]
fn two_rows_with_one_pid_and_neither_name_are_sure_of_nothing() {
    let scene =
        scene()
            .row(row("one-creator-claude").pid(100))
            .row(row("two-creator-claude").pid(100))
            .server(tmux("default").session(
                session("new-creator-claude").pane(pane(100).began(ago(3700)).claude("c")),
            ))
            .our_folder("/src/app");
    assert_eq!(
        at_once(scene),
        [
            "unregistered new-creator-claude (not_in_roll): held, doubt",
            "note unseen one-creator-claude",
            "note unseen two-creator-claude",
        ]
    );
}

#[test]
fn a_pane_whose_start_is_unread_might_be_any_rows_that_records_its_pid() {
    let scene = scene()
        .row(row("app-creator-claude").pid(100))
        .server(
            tmux("default")
                .session(session("new-creator-claude").pane(pane(100).start_unread().claude("c"))),
        )
        .our_folder("/src/app");
    assert_eq!(
        at_once(scene),
        [
            "unregistered new-creator-claude (not_in_roll): held, doubt",
            "note unseen app-creator-claude",
        ]
    );
}

#[test]
fn the_pane_of_an_entry_that_cannot_be_read_is_not_free() {
    let mut scene = scene()
        .server(tmux("default").session(session("new-creator-claude").pane(pane(100).claude("c"))))
        .our_folder("/src/app");
    scene.registry.invalid.push(InvalidRow {
        index: 0,
        name: None,
        pid: Some(100),
        problem: "it has no name".to_owned(),
        line: None,
    });
    assert_eq!(
        at_once(scene),
        [
            "unregistered new-creator-claude (not_in_roll): held, doubt",
            "note invalid_row -",
        ]
    );
}

#[test]
fn a_row_without_a_server_is_found_on_any_and_on_the_default_one_first() {
    let here = || session("app-creator-claude").pane(pane(100).claude("c"));
    is_in_order(
        scene()
            .row(row("app-creator-claude"))
            .server(tmux("default"))
            .server(tmux("work").session(here()))
            .our_folder("/src/app"),
    );
    let both = scene()
        .row(row("app-creator-claude"))
        .server(tmux("default").session(here()))
        .server(tmux("work").session(session("app-creator-claude").pane(pane(200))))
        .at_once()
        .pass();
    assert!(
        both.ledger
            .rows
            .values()
            .all(|known| { known.alive.as_ref().map(|alive| alive.incarnation.pid) == Some(100) })
    );
    assert_eq!(both.says(), ["note name_taken app-creator-claude"]);
}

/// A row without a server, whose name is live on another server than the default one, in a folder of which
/// this is known.
fn by_name_elsewhere(declared: crate::scene::Declared, roll: Sighting<NearestRoll>) -> Scene {
    let mut scene = scene()
        .row(declared)
        .on_disk(AgentKind::Claude, "c1")
        .server(tmux("default"))
        .server(tmux("work").session(session("app-creator-claude").pane(pane(100).claude("c1"))))
        .process(300, dead());
    scene
        .world
        .nearest_rolls
        .insert("/src/app".to_owned(), roll);
    scene
}

#[test]
fn a_session_of_another_roll_that_has_a_rows_name_is_not_the_rows() {
    let of = |declared, roll| at_once(by_name_elsewhere(declared, roll));
    let declared = || row("app-creator-claude").null_id();
    let ours = ["id_materialized app-creator-claude (conversation_exists): written"];
    assert_eq!(of(declared(), Sighting::Present(NearestRoll::Ours)), ours);
    assert_eq!(of(declared(), Sighting::absent("no roll above it")), ours);
    // It is neither the row's life nor its end.
    let theirs = || Sighting::Present(NearestRoll::Another);
    let unseen = [
        "note name_taken app-creator-claude",
        "note unseen app-creator-claude",
    ];
    assert_eq!(of(declared(), theirs()), unseen);
    assert_eq!(of(declared().pid(300), theirs()), unseen);
    assert!(!by_name_elsewhere(declared(), theirs()).pass().confirmed);
    assert_eq!(
        of(declared(), unknown()),
        ["id_materialized app-creator-claude (conversation_exists): held, doubt"]
    );
    // An ended row does not run again as somebody else's session.
    let stopped = || row("app-creator-claude").stopped(ago(3000));
    assert_eq!(
        of(stopped(), theirs()),
        ["note name_taken app-creator-claude"]
    );
    assert_eq!(
        of(stopped(), unknown())[0],
        "revived app-creator-claude (new_session): held, doubt"
    );
    // Who names the server means its session.
    let named = declared().on("work");
    assert_eq!(of(named, theirs()), ours);
}

#[test]
fn a_row_whose_session_goes_on_elsewhere_names_the_server() {
    let ours = || Sighting::Present(NearestRoll::Ours);
    for declared in [
        row("app-creator-claude").pid(300).id("c1"),
        row("app-creator-claude").stopped(ago(3000)).id("c1"),
    ] {
        let scene = by_name_elsewhere(declared, ours()).at_once();
        let pass = scene.pass();
        let edits = pass.edits();
        let keys: Vec<_> = edits.iter().map(crate::edits::keys).collect();
        assert_eq!(keys.len(), 1, "{:?}", pass.says());
        assert_eq!(keys[0]["tmux_server"], "Text(\"work\")");
        let told = pass.drifts.iter().flat_map(|drift| &drift.after);
        assert_eq!(told.filter(|(key, _)| key == "tmux_server").count(), 1);
    }
    // A row that means the server already needs no such key.
    let mut named = by_name_elsewhere(
        row("app-creator-claude").on("work").pid(300).id("c1"),
        ours(),
    );
    named = named.at_once();
    let edits = named.pass().edits();
    assert!(!crate::edits::keys(&edits[0]).contains_key("tmux_server"));
}

#[test]
fn a_row_with_a_server_is_not_looked_for_on_another() {
    let scene = scene()
        .row(row("app-creator-claude").on("work"))
        .server(tmux("work"))
        .server(tmux("default").session(session("app-creator-claude").pane(pane(100).claude("c"))));
    assert_eq!(
        at_once(scene),
        [
            "tmux_gone app-creator-claude (session_gone): written",
            "note name_taken app-creator-claude"
        ]
    );
}

#[test]
fn grouped_sessions_are_one() {
    let scene = scene()
        .row(row("app-creator-claude").pid(100))
        .server(
            tmux("default")
                .session(session("app-creator-claude").pane(pane(100).began(ago(3700)).claude("c")))
                .session(
                    session("view-creator-claude").pane(pane(100).began(ago(3700)).claude("c")),
                ),
        )
        .our_folder("/src/app");
    is_in_order(scene);
}

#[test]
fn an_agents_session_whose_window_is_linked_into_an_older_one_of_a_person_is_registered() {
    let scene = scene()
        .server(
            tmux("default")
                .session(
                    session("overview")
                        .created(ago(500))
                        .pane(pane(50))
                        .pane(pane(100).claude("c")),
                )
                .session(
                    session("a-creator-claude")
                        .created(ago(400))
                        .pane(pane(100).claude("c")),
                ),
        )
        .our_folder("/src/app");
    assert_eq!(
        at_once(scene),
        ["unregistered a-creator-claude (not_in_roll): written"]
    );
}

#[test]
fn of_undeclared_grouped_sessions_the_first_is_registered() {
    let scene = scene()
        .server(
            tmux("default")
                .session(
                    session("b-creator-claude")
                        .created(ago(500))
                        .pane(pane(100).claude("c")),
                )
                .session(
                    session("a-creator-claude")
                        .created(ago(400))
                        .pane(pane(100).claude("c")),
                ),
        )
        .our_folder("/src/app");
    assert_eq!(
        at_once(scene),
        ["unregistered b-creator-claude (not_in_roll): written"]
    );
}

#[test]
fn running_rows_choose_before_ended_ones() {
    let scene = scene()
        .row(row("a-creator-claude").stopped(ago(5000)).pid(100))
        .row(row("b-creator-claude").pid(100))
        .server(tmux("default").session(session("c").pane(pane(100).began(ago(3700)).claude("c"))));
    assert_eq!(at_once(scene), ["note renamed b-creator-claude"]);
}

#[test]
fn a_session_that_hides_on_a_silent_server_makes_the_others_of_its_name_unsure() {
    use headcount::core::ids::AgentKind::Claude;
    let base = || {
        scene()
            .on_disk(Claude, "c1")
            .server(
                tmux("work").session(session("app-creator-claude").pane(pane(100).claude("c1"))),
            )
            .our_folder("/src/app")
    };
    let held = ["id_materialized app-creator-claude (conversation_exists): held, doubt"];
    let written = ["id_materialized app-creator-claude (conversation_exists): written"];
    let plain = || row("app-creator-claude").null_id();
    // The default server comes first, and was not listed.
    assert_eq!(at_once(base().row(plain()).server(silent("default"))), held);
    assert_eq!(
        at_once(base().row(plain()).server(tmux("default"))),
        written
    );
    // One that comes later can only have what is preferred to a name: the recorded process.
    assert_eq!(at_once(base().row(plain()).server(silent("zz"))), written);
    let recorded = || base().row(plain().pid(300)).server(silent("zz"));
    assert_eq!(at_once(recorded().process(300, unknown())), held);
    assert_eq!(
        at_once(recorded().process(300, crate::scene::dead()))[1..],
        written
    );
}

#[test]
fn a_server_that_was_not_found_comes_after_the_default_one_and_before_all_others() {
    let on = |server: &str, declared: crate::scene::Declared| {
        let live = session("app-creator-claude").pane(pane(100).claude("c1"));
        let mut scene = scene()
            .row(declared)
            .on_disk(AgentKind::Claude, "c1")
            .server(tmux(server).session(live))
            .our_folder("/src/app");
        scene.world.strays = unknown();
        if server != "default" {
            scene = scene.server(tmux("default"));
        }
        at_once(scene).pop().unwrap()
    };
    let plain = || row("app-creator-claude").null_id();
    let says =
        |outcome| format!("id_materialized app-creator-claude (conversation_exists): {outcome}");
    assert_eq!(on("default", plain()), says("written"));
    assert_eq!(on("work", plain()), says("held, doubt"));
    assert_eq!(on("work", plain().on("work")), says("written"));
}

#[test]
fn where_the_ledger_saw_a_row_on_a_server_that_is_silent_now_its_name_elsewhere_is_not_sure() {
    use headcount::core::ids::AgentKind::Claude;
    let work = || tmux("work").session(session("app-creator-claude").pane(pane(100).claude("c1")));
    let first = scene()
        .row(row("app-creator-claude").id("c1"))
        .on_disk(Claude, "c1")
        .server(tmux("default"))
        .server(work())
        .our_folder("/src/app")
        .pass();
    let mut second = scene()
        .row(row("app-creator-claude").id("c1"))
        .on_disk(Claude, "c2")
        .on_disk(Claude, "c1")
        .server(tmux("default").session(session("app-creator-claude").pane(pane(200).claude("c2"))))
        .server(silent("work"))
        .at_once();
    second.ledger = first.ledger;
    assert_eq!(
        second.pass().says(),
        ["rotated app-creator-claude (another_conversation): held, doubt"]
    );
}

#[test]
fn a_row_is_known_again_only_under_its_own_name_and_server() {
    let pass = scene()
        .row(row("app-creator-claude"))
        .server(tmux("default").session(session("app-creator-claude").pane(pane(100))))
        .pass();
    assert!(pass.has_note(NoteKind::AgentExited));
    assert_eq!(
        pass.ledger
            .rows
            .keys()
            .map(|key| key.name.clone())
            .collect::<Vec<_>>(),
        [name("app-creator-claude")]
    );
}

#[test]
fn a_session_of_the_same_name_on_another_server_that_was_there_before_is_not_the_rows_next_life() {
    let beside = || {
        let session = session("app-creator-claude").created(ago(600));
        tmux("other").session(session.pane(pane(200).claude("theirs")))
    };
    let declared = || row("app-creator-claude").pid(100).id("ours");
    let own = session("app-creator-claude").created(ago(500));
    let before = scene()
        .row(declared())
        .server(tmux("default").session(own.pane(pane(100).claude("ours"))))
        .server(beside())
        .on_disk(AgentKind::Claude, "ours")
        .our_folder("/src/app")
        .at_once()
        .pass();
    let after = scene()
        .row(declared())
        .server(tmux("default"))
        .server(beside())
        .process(100, dead())
        .on_disk(AgentKind::Claude, "ours")
        .on_disk(AgentKind::Claude, "theirs")
        .our_folder("/src/app")
        .at_once()
        .after(&before, 60)
        .pass();
    assert_eq!(after.edits(), []);
}

#[test]
fn a_row_whose_name_another_rows_session_was_given_is_not_ended() {
    // The session of row `b` was given the name of row `a`.
    let scene = scene()
        .row(row("a-creator-claude"))
        .row(row("b-creator-claude").pid(100))
        .server(
            tmux("default")
                .session(session("a-creator-claude").pane(pane(100).began(ago(3700)).claude("c"))),
        );
    assert_eq!(
        at_once(scene),
        [
            "note renamed b-creator-claude",
            "note unseen a-creator-claude"
        ]
    );
}

/// A row that was seen alive on a server that is not among those of this look, and a session of its name on another.
fn seen_on_a_server_that_was_not_looked_at() -> Scene {
    let declared = || row("app-creator-claude").pid(100).id("ours");
    let own = session("app-creator-claude").pane(pane(100).claude("ours"));
    let before = scene()
        .row(declared())
        .server(tmux("work").life(55, ago(3600)).session(own))
        .on_disk(AgentKind::Claude, "ours")
        .our_folder("/src/app")
        .pass();
    let here = session("app-creator-claude").created(ago(-30));
    scene()
        .row(declared())
        .server(tmux("default").session(here.pane(pane(200).claude("theirs"))))
        .process(100, dead())
        .on_disk(AgentKind::Claude, "ours")
        .on_disk(AgentKind::Claude, "theirs")
        .our_folder("/src/app")
        .at_once()
        .after(&before, 60)
}

#[test]
fn a_session_is_a_rows_next_life_only_if_its_last_one_was_looked_for() {
    let scene = seen_on_a_server_that_was_not_looked_at();
    assert_eq!(
        scene.pass().says(),
        [
            "reincarnated app-creator-claude (new_pane): held, doubt",
            "rotated app-creator-claude (another_conversation): held, doubt",
        ]
    );
    assert_eq!(scene.process(55, dead()).pass().edits().len(), 2);
}

#[test]
fn names_mean_the_same_session_where_tmux_would_store_them_alike() {
    let means = |one: &str, other: &str| name(one).means(&name(other));
    assert!(means("a", "a") && means("a.b", "a_b") && means("a_b", "a.b"));
    assert!(!means("a", "b") && !means("a.b", "a:b_") && !means("ab", "a_b"));
}

#[test]
fn a_pane_is_remembered_only_of_the_very_session_that_had_it() {
    let server = |id: &str, created: i64| {
        let session = session("app-creator-claude").tmux_id(id);
        tmux("default").session(
            session
                .created(ago(created))
                .pane(pane(101).claude("c1"))
                .pane(pane(102)),
        )
    };
    let before = scene()
        .row(row("app-creator-claude").pid(102))
        .server(server("$1", 1800))
        .pass();
    let row = before.ledger.rows.values().next().unwrap();
    let life = &row.alive.as_ref().unwrap().incarnation;
    let pane = |id: &str, created: i64| {
        let ServerState::Listed(listing) = server(id, created).sight().state else {
            panic!("it is listed");
        };
        let pane = pane_of(None, None, Some(life), &listing.sessions[0]);
        pane.unwrap().pid
    };
    assert_eq!(pane("$1", 1800), 102);
    // Of another session the one with the agent is meant.
    assert_eq!(pane("$1", 900), 101);
    assert_eq!(pane("$2", 1800), 101);
}
