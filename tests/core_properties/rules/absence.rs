//! Rule 1: could not look is not gone.

use headcount::core::ids::BootId;
use headcount::core::ledger::KnownServer;
use headcount::core::world::ServerId;

use super::{UNSEEN, at_once, ended};
use crate::scene::{
    NOON, Scene, Server, UPTIME, ago, dead, here, missing, not_there, pane, process, refused, row,
    scene, seen, session, silent, socket_of, this_boot, tmux, unknown,
};

/// A running row without a recorded process.
fn declared() -> Scene {
    scene().row(row("app-creator-claude"))
}

fn answered(scene: Scene, boot: BootId) -> Scene {
    let mut scene = scene;
    let known = KnownServer {
        id: ServerId {
            pid: 10,
            start: NOON - UPTIME + 60,
        },
        boot,
        seen: ago(60),
    };
    scene
        .ledger
        .servers
        .insert((here(), socket_of("default")), known);
    scene
}

#[test]
fn a_complete_listing_without_the_session_proves_it_gone() {
    let listing = tmux("default").session(session("other").pane(pane(100)));
    assert_eq!(
        at_once(declared().server(listing)),
        ended("session_gone", "written")
    );
}

#[test]
fn a_complete_listing_of_nothing_proves_it_gone() {
    assert_eq!(
        at_once(declared().server(tmux("default"))),
        ended("session_gone", "written")
    );
}

#[test]
fn a_session_that_is_listed_is_not_gone() {
    let listing =
        tmux("default").session(session("app-creator-claude").pane(pane(100).claude("c")));
    assert!(at_once(declared().server(listing)).is_empty());
}

#[test]
fn a_server_that_was_not_looked_at_proves_nothing() {
    assert_eq!(at_once(declared()), UNSEEN);
}

#[test]
fn a_server_that_gave_no_complete_listing_proves_nothing() {
    assert_eq!(at_once(declared().server(silent("default"))), UNSEEN);
}

#[test]
fn a_dead_socket_without_a_listener_proves_it_gone() {
    assert_eq!(
        at_once(declared().server(refused("default"))),
        ended("server_gone", "written")
    );
}

#[test]
fn a_dead_socket_of_a_server_that_still_listens_proves_nothing() {
    assert_eq!(
        at_once(declared().server(refused("default").listener(seen()))),
        UNSEEN
    );
}

#[test]
fn a_dead_socket_proves_nothing_where_listeners_cannot_be_read() {
    assert_eq!(
        at_once(declared().server(refused("default").listener(unknown()))),
        UNSEEN
    );
}

#[test]
fn where_listeners_cannot_be_read_the_dead_process_of_the_row_proves_it_gone() {
    let scene = scene()
        .row(row("app-creator-claude").pid(100))
        .server(refused("default").listener(unknown()));
    assert_eq!(
        at_once(scene.clone().process(100, dead())),
        ended("server_gone", "written")
    );
    assert_eq!(at_once(scene.alive(process(100))), UNSEEN);
}

#[test]
fn where_listeners_cannot_be_read_the_dead_process_of_the_server_proves_it_gone() {
    let known = answered(
        declared().server(refused("default").listener(unknown())),
        this_boot(),
    );
    assert_eq!(
        at_once(known.clone().process(10, dead())),
        ended("server_gone", "written")
    );
    // The kernel and tmux may tell its beginning three seconds apart, either way.
    const BEGAN: i64 = UPTIME - 60;
    let as_of = |secs| at_once(known.clone().alive(process(10).began(ago(secs))));
    for apart in [-3, 0, 3] {
        assert_eq!(as_of(BEGAN + apart), UNSEEN, "{apart}");
    }
    // The pid lives on, but as a process that began at another time.
    for apart in [-4, 4, 600 - BEGAN] {
        assert_eq!(
            as_of(BEGAN + apart),
            ended("server_gone", "written"),
            "{apart}"
        );
    }
}

#[test]
fn a_socket_that_is_not_there_may_be_in_another_folder() {
    assert_eq!(at_once(declared().server(missing("default"))), UNSEEN);
}

#[test]
fn a_socket_that_is_not_there_any_more_proves_it_gone_if_it_answered_in_this_boot() {
    let scene = declared().server(missing("default"));
    assert_eq!(
        at_once(answered(scene.clone(), this_boot())),
        ended("server_gone", "written")
    );
    assert_eq!(
        at_once(answered(scene, BootId::new("another boot"))),
        UNSEEN
    );
}

#[test]
fn a_socket_that_is_not_there_proves_it_gone_if_the_roll_is_older_than_the_boot() {
    let scene = declared().server(missing("default"));
    assert_eq!(
        at_once(scene.clone().roll_written(ago(UPTIME + 600))),
        ended("host_rebooted", "written")
    );
    assert_eq!(at_once(scene.roll_written(ago(UPTIME - 600))), UNSEEN);
}

#[test]
fn a_row_that_the_ledger_met_in_another_boot_is_older_than_this_one_whatever_the_clock_says() {
    let before = declared().server(tmux("default"));
    let mut first = before.pass();
    for known in first.ledger.rows.values_mut() {
        known.since_boot.1 = BootId::new("another boot");
    }
    let mut after = declared().server(missing("default")).at_once();
    after.ledger = first.ledger;
    assert_eq!(after.pass().says(), ended("host_rebooted", "written"));
}

#[test]
fn a_row_that_was_changed_since_the_other_boot_is_not_older_than_this_one() {
    let mut first = declared().server(tmux("default")).pass();
    for known in first.ledger.rows.values_mut() {
        known.since_boot.1 = BootId::new("another boot");
    }
    let mut after = scene()
        .row(row("app-creator-claude").cwd("/src/elsewhere"))
        .server(missing("default"))
        .at_once();
    first.ledger.servers.clear();
    after.ledger = first.ledger;
    assert_eq!(after.pass().says(), UNSEEN);
}

#[test]
fn a_session_that_was_seen_in_this_boot_did_not_end_by_the_reboot() {
    let alive = tmux("default").session(session("app-creator-claude").pane(pane(100)));
    let old = || declared().roll_written(ago(100_000));
    let first = old().server(alive).pass();
    let mut second = old().server(tmux("default")).at_once();
    second.ledger = first.ledger;
    assert_eq!(second.pass().says(), ended("session_gone", "written"));
}

#[test]
fn a_server_that_listens_without_its_socket_is_told_with_its_remedy() {
    let scene = answered(
        declared().server(missing("default").listener(seen())),
        this_boot(),
    );
    let pass = scene.at_once().pass();
    assert_eq!(pass.says(), UNSEEN);
    assert!(
        pass.notes[0].text.contains("SIGUSR1"),
        "{}",
        pass.notes[0].text
    );
}

#[test]
fn where_listeners_cannot_be_read_a_missing_socket_proves_nothing() {
    let scene = answered(
        declared().server(missing("default").listener(unknown())),
        this_boot(),
    );
    assert_eq!(at_once(scene), UNSEEN);
}

#[test]
fn another_life_of_the_server_without_the_session_is_a_restart() {
    let listing = || tmux("default").session(session("app-creator-claude").pane(pane(100)));
    let first = declared().server(listing()).at_once().pass();
    let mut second = declared()
        .server(tmux("default").life(11, ago(30)))
        .at_once();
    second.ledger = first.ledger;
    assert_eq!(
        second.clone().process(10, dead()).pass().says(),
        ended("server_restarted", "written")
    );
    // The old one may live on, without the socket that another has now.
    assert_eq!(second.clone().pass().says(), UNSEEN);
    let alive = process(10).began(ago(UPTIME - 60));
    assert_eq!(second.alive(alive).pass().says(), UNSEEN);
}

#[test]
fn a_row_without_a_server_is_gone_only_if_no_server_may_have_it() {
    let home = || declared().server(tmux("default"));
    assert_eq!(
        at_once(home().server(tmux("other").stray())),
        ended("session_gone", "written")
    );
    assert_eq!(at_once(home().server(silent("other").stray())), UNSEEN);
    assert_eq!(
        at_once(home().server(refused("other").stray())),
        ended("session_gone", "written")
    );
    // A dead socket holds nothing, even where listeners cannot be read.
    assert_eq!(
        at_once(home().server(refused("other").listener(unknown()))),
        ended("session_gone", "written")
    );
    assert_eq!(
        at_once(home().server(missing("other").listener(seen()))),
        UNSEEN
    );
    assert_eq!(
        at_once(home().server(missing("other").listener(unknown()))),
        UNSEEN
    );
}

#[test]
fn a_row_without_a_server_may_be_on_one_that_was_not_found() {
    let hidden = |declared| {
        let mut scene = scene().row(declared).server(tmux("default"));
        scene.world.strays = unknown();
        at_once(scene)
    };
    assert_eq!(hidden(row("app-creator-claude")), UNSEEN);
    assert_eq!(
        hidden(row("app-creator-claude").on("default")),
        ended("session_gone", "written")
    );
}

#[test]
fn a_row_with_a_server_is_gone_if_that_one_does_not_have_it() {
    let scene = scene()
        .row(row("app-creator-claude").on("work"))
        .server(silent("default"))
        .server(tmux("work"));
    assert_eq!(at_once(scene), ended("session_gone", "written"));
}

#[test]
fn a_row_without_a_server_is_gone_where_it_was_last_seen_too() {
    let work = || tmux("work").session(session("app-creator-claude").pane(pane(100)));
    let first = declared()
        .server(tmux("default"))
        .server(work())
        .our_folder("/src/app")
        .at_once()
        .pass();
    let again = |server| {
        let mut scene = declared().server(tmux("default")).at_once();
        scene.ledger = first.ledger.clone();
        match server {
            Some(server) => scene.server(server),
            None => scene,
        }
    };
    assert_eq!(
        again(Some(tmux("work"))).pass().says(),
        ended("session_gone", "written")
    );
    assert_eq!(again(Some(silent("work"))).pass().says(), UNSEEN);
    assert_eq!(
        again(Some(missing("work"))).pass().says(),
        ended("server_gone", "written")
    );
    // Nobody looked there: then only the end of that server's process tells.
    assert_eq!(again(None).pass().says(), UNSEEN);
    assert_eq!(
        again(None).process(10, dead()).pass().says(),
        ended("session_gone", "written")
    );
}

#[test]
fn a_row_is_not_gone_from_a_server_that_it_names_and_nobody_looked_at() {
    let named = || row("app-creator-claude").on("elsewhere").pid(100);
    let first = scene()
        .row(named())
        .server(tmux("elsewhere").session(session("app-creator-claude").pane(pane(100))))
        .pass();
    let mut second = scene().row(named()).server(tmux("work")).at_once();
    second.ledger = first.ledger;
    for known in second.ledger.rows.values_mut() {
        known.alive.as_mut().unwrap().incarnation.socket = socket_of("work");
    }
    assert_eq!(second.process(100, dead()).pass().says(), UNSEEN);
}

#[test]
fn a_server_named_by_its_socket_is_the_server_of_that_socket() {
    let scene = scene()
        .row(row("app-creator-claude").on("/tmp/tmux-1000/default"))
        .server(silent("/tmp/tmux-1000/default"))
        .server(tmux("default").session(session("app-creator-claude").pane(pane(100).claude("c"))));
    assert!(at_once(scene).is_empty());
}

#[test]
fn a_row_is_gone_only_if_the_server_it_was_last_seen_on_is_without_it_too() {
    let named = || row("app-creator-claude").on("work");
    let first = scene()
        .row(named())
        .server(tmux("work").session(session("app-creator-claude").pane(pane(100))))
        .pass();
    let says = |old: Server| {
        let mut second = scene()
            .row(named())
            .server(tmux("work"))
            .server(old)
            .at_once();
        second.ledger = first.ledger.clone();
        for known in second.ledger.rows.values_mut() {
            known.alive.as_mut().unwrap().incarnation.socket = socket_of("/old/work");
        }
        second.pass().says()
    };
    assert_eq!(says(silent("/old/work")), UNSEEN);
    assert_eq!(says(tmux("/old/work")), ended("session_gone", "written"));
    // Another session of its name there may be its own.
    let again = session("app-creator-claude")
        .created(ago(10))
        .pane(pane(300));
    assert_eq!(
        says(tmux("/old/work").session(again)),
        ["note name_taken app-creator-claude", UNSEEN[0]]
    );
}

#[test]
fn a_roll_is_older_than_the_boot_only_if_it_is_clearly_older() {
    let written = |before_the_boot: i64| {
        let scene = scene()
            .row(row("app-creator-claude"))
            .server(missing("default").listener(not_there()))
            .roll_written(ago(UPTIME + before_the_boot));
        at_once(scene)
    };
    assert_eq!(written(1), UNSEEN);
    assert_eq!(written(2), ended("host_rebooted", "written"));
}
