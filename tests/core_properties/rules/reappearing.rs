//! Class B: `revived`, `reincarnated` and `mistaken`.

use headcount::core::drift::Kind;
use headcount::core::edit::Change;
use headcount::core::ids::AgentKind;
use headcount::core::ids::{BootId, Timestamp};

use super::at_once;
use crate::edits::keys;
use crate::scene::{
    Declared, NOON, Pane, Scene, ago, dead, pane, process, row, scene, session, silent, tmux,
    unknown,
};

const STILL_ALIVE: [&str; 1] = ["note still_alive app-creator-claude"];

fn alive(declared: Declared, created: Timestamp, pane: Pane) -> Scene {
    scene()
        .row(declared)
        .server(tmux("default").session(session("app-creator-claude").created(created).pane(pane)))
}

fn agent() -> Pane {
    pane(100).claude("c")
}

fn stopped() -> Declared {
    row("app-creator-claude").stopped(ago(3000))
}

#[test]
fn an_ended_row_runs_again_with_a_new_session_and_an_agent_in_it() {
    for word in ["stopped", "terminated", "archived"] {
        let declared = row("app-creator-claude").ended(word, ago(3000));
        let pass = alive(declared, ago(600), agent()).at_once().pass();
        assert_eq!(
            pass.says(),
            ["revived app-creator-claude (new_session): written"]
        );
        let keys = keys(&pass.edits()[0]);
        assert_eq!(keys["status"], "Text(\"running\")");
        assert_eq!(keys["pane.pid"], "Int(100)");
        assert!(keys.keys().any(|key| key.starts_with("previous_end <- ")));
    }
}

#[test]
fn an_ended_row_whose_session_is_older_than_its_end_is_only_told() {
    assert_eq!(at_once(alive(stopped(), ago(3600), agent())), STILL_ALIVE);
    // Within one second nobody can tell.
    assert_eq!(at_once(alive(stopped(), ago(3000), agent())), STILL_ALIVE);
}

#[test]
fn a_session_made_in_the_second_in_which_headcount_ended_the_row_is_newer() {
    let ended = || row("app-creator-claude").auto_detected(ago(3000));
    assert_eq!(
        at_once(alive(ended(), ago(3000), agent())),
        ["revived app-creator-claude (new_session): written"]
    );
    assert_eq!(at_once(alive(ended(), ago(3001), agent())), STILL_ALIVE);
}

#[test]
fn an_ended_row_without_a_recorded_end_is_only_told() {
    let declared = row("app-creator-claude").status("stopped");
    assert_eq!(at_once(alive(declared, ago(600), agent())), STILL_ALIVE);
}

#[test]
fn a_session_of_a_later_boot_is_newer_than_an_end_that_the_ledger_knew_before() {
    let scene = || alive(stopped(), ago(3600), agent()).at_once();
    let mut later = scene();
    later.ledger = scene().pass().ledger;
    for known in later.ledger.rows.values_mut() {
        known.since_boot.1 = BootId::new("another boot");
    }
    assert_eq!(
        later.pass().says(),
        ["revived app-creator-claude (new_session): written"]
    );
}

#[test]
fn a_session_is_newer_than_whatever_a_roll_from_before_the_boot_records() {
    let unrecorded = row("app-creator-claude").status("stopped");
    let scene = alive(unrecorded, ago(600), agent()).roll_written(ago(100_000));
    assert_eq!(
        at_once(scene),
        ["revived app-creator-claude (new_session): written"]
    );
}

#[test]
fn a_new_session_without_an_agent_is_only_told() {
    assert_eq!(at_once(alive(stopped(), ago(600), pane(100))), STILL_ALIVE);
    assert_eq!(
        at_once(alive(stopped(), ago(600), pane(100).agents_unread())),
        STILL_ALIVE
    );
    assert_eq!(
        at_once(alive(stopped(), ago(600), agent().dead())),
        STILL_ALIVE
    );
}

#[test]
fn an_ended_row_whose_recorded_process_lives_is_only_told() {
    let declared = stopped().pid(100);
    let scene = alive(declared, ago(600), agent().began(ago(3700)));
    assert_eq!(at_once(scene), STILL_ALIVE);
}

#[test]
fn a_revival_waits_until_the_session_is_old_enough() {
    let pass = alive(stopped(), ago(10), agent()).pass();
    assert_eq!(
        pass.says(),
        ["revived app-creator-claude (new_session): pending until noon+20"]
    );
}

#[test]
fn a_revival_is_held_where_a_preferred_server_could_not_be_seen() {
    let scene = scene().row(stopped()).server(silent("default")).server(
        tmux("work").session(
            session("app-creator-claude")
                .created(ago(600))
                .pane(agent()),
        ),
    );
    assert_eq!(
        at_once(scene),
        ["revived app-creator-claude (new_session): held, doubt"]
    );
}

#[test]
fn a_running_row_whose_session_is_a_new_one_gets_its_pane() {
    let scene = alive(row("app-creator-claude").pid(300), ago(600), agent())
        .process(300, dead())
        .at_once();
    let pass = scene.pass();
    assert_eq!(
        pass.says(),
        ["reincarnated app-creator-claude (new_pane): written"]
    );
    assert_eq!(
        keys(&pass.edits()[0]).into_keys().collect::<Vec<_>>(),
        ["pane.cmd", "pane.cwd", "pane.pid"]
    );
}

#[test]
fn a_running_row_keeps_its_pane_while_its_process_lives_or_is_unknown() {
    let scene = || alive(row("app-creator-claude").pid(300), ago(600), agent());
    let kept: [(&str, Scene); 3] = [
        ("unknown", scene().process(300, unknown())),
        ("not asked", scene()),
        // Rows may record the agent's own pid.
        (
            "below the pane",
            scene().alive(process(300).below(&[100, 10])),
        ),
    ];
    for (case, scene) in kept {
        assert_eq!(at_once(scene), [""; 0], "{case}");
    }
}

#[test]
fn a_running_row_that_records_no_process_is_left_alone() {
    let scene = alive(row("app-creator-claude"), ago(600), agent());
    assert_eq!(at_once(scene), [""; 0]);
}

#[test]
fn a_running_row_whose_new_session_has_no_agent_is_only_told() {
    let scene = alive(row("app-creator-claude").pid(300), ago(600), pane(100)).process(300, dead());
    assert_eq!(at_once(scene), ["note agent_exited app-creator-claude"]);
}

#[test]
fn a_new_session_of_a_running_row_has_to_be_old_enough() {
    let pass = alive(row("app-creator-claude").pid(300), ago(10), agent())
        .process(300, dead())
        .pass();
    assert_eq!(
        pass.says(),
        ["reincarnated app-creator-claude (new_pane): pending until noon+20"]
    );
}

/// A row that headcount ended, and a ledger that saw its session before.
fn mistaken() -> Scene {
    let before = alive(row("app-creator-claude"), ago(1800), agent()).pass();
    let mut after = alive(
        row("app-creator-claude").auto_detected(ago(60)),
        ago(1800),
        agent(),
    );
    after.ledger = before.ledger;
    after
}

#[test]
fn our_own_error_heals_after_two_looks() {
    let first = mistaken().pass();
    assert_eq!(
        first.says(),
        ["mistaken app-creator-claude (same_incarnation): pending until noon+10"]
    );
    let second = mistaken().after(&first, 10).pass();
    assert_eq!(
        second.says(),
        ["mistaken app-creator-claude (same_incarnation): written"]
    );
    assert_eq!(
        second.drift(Kind::Mistaken).change(),
        Some(&Change::Restore)
    );
}

#[test]
fn an_end_that_a_person_set_is_no_error_of_ours() {
    let mut scene = mistaken();
    scene.registry.rows[0].end.mode = Some("manual".to_owned());
    assert_eq!(at_once(scene), STILL_ALIVE);
}

#[test]
fn only_the_very_session_that_was_seen_is_restored() {
    let mut scene = mistaken();
    let known = scene.ledger.rows.values_mut().next().unwrap();
    known.alive.as_mut().unwrap().incarnation.created = ago(1801);
    assert_eq!(at_once(scene), STILL_ALIVE);
}

/// The clock of its server may have been ahead.
#[test]
fn a_restored_row_gets_its_new_pane_in_the_same_pass_even_if_its_session_seems_to_be_from_the_future()
 {
    for created in [ago(1800), ago(-5)] {
        let before = alive(row("app-creator-claude").pid(300), created, agent()).pass();
        let mut after = alive(
            row("app-creator-claude").pid(300).auto_detected(ago(60)),
            created,
            agent(),
        )
        .process(300, dead());
        after.ledger = before.ledger;
        assert_eq!(
            at_once(after),
            [
                "reincarnated app-creator-claude (new_pane): written",
                "mistaken app-creator-claude (same_incarnation): written",
            ],
            "{created:?}"
        );
    }
}

#[test]
fn a_restored_or_revived_row_gets_its_conversation_in_the_same_pass() {
    let revived = alive(stopped().null_id(), ago(600), pane(100).claude("c1"))
        .on_disk(AgentKind::Claude, "c1");
    assert_eq!(
        at_once(revived.clone()),
        [
            "revived app-creator-claude (new_session): written",
            "id_materialized app-creator-claude (conversation_exists): written"
        ]
    );
    // But never before it runs again.
    let mut young = revived;
    young.policy.spawn_grace = std::time::Duration::from_secs(1000);
    let pass = young.pass();
    assert!(pass.edits().is_empty(), "{:?}", pass.says());
    assert_eq!(pass.plan.last_due().map(|due| due.secs()), Some(NOON + 400));
}
