//! Rule 3: some things are looked at twice, and some sessions have to be old enough.

use headcount::core::ids::BootId;

use super::ended;
use crate::scene::{
    NOON, Scene, ago, dead, missing, pane, process, row, scene, session, silent, this_boot, tmux,
    unknown,
};

fn gone() -> Scene {
    scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default"))
        .process(100, dead())
}

#[test]
fn an_end_waits_for_a_second_look_and_says_when_it_is_due() {
    assert_eq!(
        gone().pass().says(),
        ended("session_gone", "pending until noon+10")
    );
}

#[test]
fn an_end_is_written_when_the_second_look_proves_it_again() {
    let first = gone().pass();
    let early = gone().after(&first, 9).pass();
    assert_eq!(early.says(), ended("session_gone", "pending until noon+10"));
    assert_eq!(
        gone().after(&first, 10).pass().says(),
        ended("session_gone", "written")
    );
    // A look between that says the same changes nothing.
    let mut last = gone().after(&first, 10);
    last.ledger = early.ledger;
    assert_eq!(last.pass().says(), ended("session_gone", "written"));
}

#[test]
fn a_look_between_that_could_not_tell_begins_the_wait_anew() {
    let doubtful: [(&str, Scene); 2] = [
        ("no listing", {
            let mut scene = gone();
            scene.world.servers.clear();
            scene.server(silent("default"))
        }),
        ("no process", gone().process(100, unknown())),
    ];
    for (case, scene) in doubtful {
        let first = gone().pass();
        let between = scene.after(&first, 5).pass();
        let mut last = gone().after(&first, 10);
        last.ledger = between.ledger;
        assert_eq!(
            last.pass().says(),
            ended("session_gone", "pending until noon+20"),
            "{case}"
        );
    }
}

#[test]
fn a_look_between_that_saw_the_session_begins_the_wait_anew() {
    let first = gone().pass();
    let alive = scene()
        .row(row("app-creator-claude").pid(100))
        .server(tmux("default").session(session("app-creator-claude").pane(pane(100))))
        .after(&first, 5)
        .pass();
    let mut last = gone().after(&first, 10);
    last.ledger = alive.ledger;
    assert_eq!(
        last.pass().says(),
        ended("session_gone", "pending until noon+20")
    );
}

#[test]
fn an_end_by_a_reboot_is_proven_again_by_the_second_look_of_the_first_run_ever() {
    let after_reboot = || {
        scene()
            .row(row("app-creator-claude").pid(100))
            .roll_written(ago(100_000))
            .server(missing("default"))
            .alive(process(100))
    };
    let first = after_reboot().pass();
    assert_eq!(
        first.says(),
        ended("host_rebooted", "pending until noon+10")
    );
    let second = after_reboot().after(&first, 10).pass();
    assert_eq!(second.says(), ended("host_rebooted", "written"));
}

#[test]
fn a_proof_from_another_boot_or_from_the_future_is_worthless() {
    let proven = |since: i64, boot: BootId| {
        let mut scene = gone();
        scene.ledger = gone().pass().ledger;
        for open in scene.ledger.drifts.values_mut() {
            open.proven_since = Some((ago(since), boot.clone()));
        }
        scene.pass().says()
    };
    assert_eq!(proven(60, this_boot()), ended("session_gone", "written"));
    let anew = ended("session_gone", "pending until noon+10");
    assert_eq!(proven(60, BootId::new("another boot")), anew);
    assert_eq!(proven(-60, this_boot()), anew);
}

#[test]
fn an_undeclared_session_waits_until_it_is_old_enough() {
    let made = |secs: i64| {
        scene()
            .server(
                tmux("default").session(
                    session("app-creator-claude")
                        .created(ago(secs))
                        .pane(pane(100)),
                ),
            )
            .our_folder("/src/app")
            .pass()
            .says()
    };
    let registered = |outcome: &str| {
        [format!(
            "unregistered app-creator-claude (not_in_roll): {outcome}"
        )]
    };
    assert_eq!(made(10), registered("pending until noon+20"));
    assert_eq!(made(29), registered("pending until noon+1"));
    assert_eq!(made(30), registered("written"));
    // A session from the future is as young as can be.
    assert_eq!(made(-500), registered("pending until noon+30"));
}

#[test]
fn a_plan_knows_when_the_first_and_the_last_thing_is_due() {
    let plan = gone()
        .server(tmux("other").session(session("b-creator-claude").created(ago(10)).pane(pane(200))))
        .our_folder("/src/app")
        .pass()
        .plan;
    assert_eq!(plan.next_due().map(|due| due.secs()), Some(NOON + 10));
    assert_eq!(plan.last_due().map(|due| due.secs()), Some(NOON + 20));
    assert_eq!(gone().at_once().pass().plan.next_due(), None);
}
