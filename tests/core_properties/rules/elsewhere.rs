//! Rule 1, of servers that are not asked: of a row that only a name places, a listing below one `TMUX_TMPDIR` says
//! nothing where tmux runs below another.

use super::{UNSEEN, at_once, ended};
use crate::scene::{
    Declared, Scene, UPTIME, ago, dead, missing, not_there, pane, process, refused, row, scene,
    session, tmux,
};
use headcount::core::ids::BootId;

const THEIRS: &str = "/srv/tmux-1000/default";
const WORK: &str = "/srv/tmux-1000/work";

fn plain() -> Declared {
    row("app-creator-claude")
}

/// The row's own servers are listed whole, without it.
fn listed(declared: Declared) -> Scene {
    scene()
        .row(declared)
        .server(tmux("default"))
        .server(tmux("work"))
}

fn written() -> [String; 1] {
    ended("session_gone", "written")
}

#[test]
fn a_row_that_only_its_name_places_may_be_below_another_tmux_folder() {
    assert_eq!(at_once(listed(plain())), written());
    assert_eq!(at_once(listed(plain()).listener_elsewhere(THEIRS)), UNSEEN);
    // It need not be on the default one there.
    assert_eq!(at_once(listed(plain()).listener_elsewhere(WORK)), UNSEEN);
}

#[test]
fn a_row_that_names_its_server_may_be_on_one_of_that_name_below_another_tmux_folder() {
    let named = || listed(plain().on("work"));
    assert_eq!(at_once(named().listener_elsewhere(WORK)), UNSEEN);
    assert_eq!(at_once(named().listener_elsewhere(THEIRS)), written());
    let default = || listed(plain().on("default"));
    assert_eq!(at_once(default().listener_elsewhere(THEIRS)), UNSEEN);
    assert_eq!(at_once(default().listener_elsewhere(WORK)), written());
    // Here nobody listens on it.
    let dead_here = scene().row(plain().on("work")).server(refused("work"));
    assert_eq!(at_once(dead_here.clone()), ended("server_gone", "written"));
    assert_eq!(at_once(dead_here.listener_elsewhere(WORK)), UNSEEN);
}

#[test]
fn a_row_that_names_a_path_is_on_that_server_and_on_no_other() {
    let scene = || {
        scene()
            .row(plain().on("/run/odd.sock"))
            .server(tmux("/run/odd.sock"))
    };
    for socket in [THEIRS, "/srv/tmux-1000/odd.sock"] {
        assert_eq!(at_once(scene().listener_elsewhere(socket)), written());
    }
    assert_eq!(at_once(scene().elsewhere_unread()), written());
    assert_eq!(at_once(listed(plain().on("/run/odd.sock"))), UNSEEN);
}

#[test]
fn where_it_cannot_be_known_what_listens_elsewhere_a_session_may_be_there() {
    assert_eq!(at_once(listed(plain()).elsewhere_unread()), UNSEEN);
    assert_eq!(
        at_once(listed(plain().on("work")).elsewhere_unread()),
        UNSEEN
    );
    let mut proven = listed(plain());
    proven.world.elsewhere = not_there();
    assert_eq!(at_once(proven), written());
}

#[test]
fn a_row_that_records_a_process_is_decided_by_it() {
    let recorded = || listed(plain().pid(100)).listener_elsewhere(THEIRS);
    assert_eq!(at_once(recorded().process(100, dead())), written());
    assert_eq!(
        at_once(recorded().alive(process(100).below(&[90]))),
        ended("session_gone", "held, process_alive")
    );
    assert_eq!(
        at_once(recorded().elsewhere_unread().process(100, dead())),
        written()
    );
}

#[test]
fn a_row_that_was_seen_is_decided_by_the_socket_it_was_seen_on() {
    let alive = tmux("default").session(session("app-creator-claude").pane(pane(100)));
    let first = scene().row(plain()).server(alive).pass();
    let mut second = listed(plain()).listener_elsewhere(THEIRS).at_once();
    second.ledger = first.ledger.clone();
    assert_eq!(second.pass().says(), written());
    second = second.elsewhere_unread();
    assert_eq!(second.pass().says(), written());

    // In another place it was seen on another socket of that path.
    for known in second.ledger.rows.values_mut() {
        let alive = known.alive.as_mut().unwrap();
        alive.place.pid_namespace = "pid:[4026532000]".to_owned();
    }
    assert_eq!(second.pass().says(), UNSEEN);
}

/// The row was seen in another boot, on this socket.
fn seen_before_the_reboot(socket: &str) -> Scene {
    let alive = tmux("default").session(session("app-creator-claude").pane(pane(100)));
    let first = scene().row(plain()).server(alive).pass();
    let mut after = listed(plain()).listener_elsewhere(THEIRS).at_once();
    after.ledger = first.ledger;
    for known in after.ledger.rows.values_mut() {
        known.since_boot.1 = BootId::new("another boot");
        let alive = known.alive.as_mut().unwrap();
        alive.incarnation.boot = BootId::new("another boot");
        alive.incarnation.socket = socket.to_owned();
    }
    after
}

#[test]
fn a_reboot_ends_what_was_seen_and_says_nothing_of_where_another_was_made_again() {
    let here = seen_before_the_reboot(&crate::scene::socket_of("default"));
    assert_eq!(here.pass().says(), ended("host_rebooted", "written"));
    // It was made below the other folder, and may have been made there again.
    assert_eq!(seen_before_the_reboot(THEIRS).pass().says(), UNSEEN);
    // No pass saw it: the roll is older than the boot.
    let old = || {
        scene()
            .row(plain())
            .server(missing("default"))
            .roll_written(ago(UPTIME + 600))
    };
    assert_eq!(at_once(old()), ended("host_rebooted", "written"));
    assert_eq!(at_once(old().listener_elsewhere(THEIRS)), UNSEEN);
}

#[test]
fn the_sockets_that_were_not_asked_are_told_with_what_to_do() {
    let scene = listed(plain()).listener_elsewhere(THEIRS).at_once();
    let text = scene.pass().notes.remove(0).text;
    for part in [
        THEIRS,
        "`tmux_server: /srv/tmux-1000/default`",
        "TMUX_TMPDIR=/srv",
        "`tmux_server: /tmp/tmux-1000/default`",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let many = (0..5).fold(scene, |scene, at| {
        scene.listener_elsewhere(&format!("/srv/{at}/tmux-1000/default"))
    });
    let text = many.pass().notes.remove(0).text;
    assert!(text.contains("and 3 more"), "{text}");
}
