//! Rule 1: could not look is not gone. Only a complete listing, or a socket nobody listens on, is a proof.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rustix::process::Signal;

use crate::support::{Elsewhere, Machine, Pass, Session, elsewhere::give_away, wait_until};

const NAME: &str = "shop-creator-claude";

/// A row whose session has really been killed, so that nothing but the quality of the look keeps it running.
fn killed(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session.kill();
    session
}

/// Fails unless that pass could not see the row's session, said so, and left the roll as it was.
#[track_caller]
fn saw_nothing(machine: &Machine, roll: &str, pass: &Pass) {
    pass.has_no_drift(NAME);
    pass.note_of("unseen", NAME);
    assert!(!pass.is_confirmed());
    assert_eq!(machine.roll_text(), roll);
}

#[track_caller]
fn nothing_is_ended_when_tmux_is(script: &str) {
    let machine = Machine::new();
    killed(&machine);
    let roll = machine.roll_text();
    let path = machine.path_with_tmux(script);

    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .env("PATH", path)
        .run()
        .exits(3);

    saw_nothing(&machine, &roll, &pass);
}

#[test]
fn a_tmux_that_fails_proves_nothing() {
    nothing_is_ended_when_tmux_is("echo 'lost server' >&2; exit 1");
}

#[test]
fn a_tmux_that_is_killed_proves_nothing() {
    nothing_is_ended_when_tmux_is("kill -KILL $$");
}

#[test]
fn a_tmux_that_says_nothing_proves_nothing() {
    nothing_is_ended_when_tmux_is("exit 0");
}

#[test]
fn a_tmux_that_talks_nonsense_proves_nothing() {
    nothing_is_ended_when_tmux_is("echo '%%% [37;1m ? 12 12 12'");
}

#[test]
fn a_listing_with_a_session_missing_is_not_complete() {
    nothing_is_ended_when_tmux_is(r#""$TMUX_ITSELF" "$@" | grep -v bystander"#);
}

#[test]
fn a_listing_that_breaks_off_is_not_complete() {
    nothing_is_ended_when_tmux_is(r#""$TMUX_ITSELF" "$@" | sed '$d'"#);
}

#[test]
fn a_listing_is_not_complete_when_tmux_failed_after_it() {
    nothing_is_ended_when_tmux_is(r#""$TMUX_ITSELF" "$@"; exit 1"#);
}

#[test]
fn a_server_that_hangs_is_not_gone() {
    let machine = Machine::new();
    killed(&machine);
    let roll = machine.roll_text();
    machine.server("default").process().signal(Signal::STOP);

    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .run()
        .exits(3);

    saw_nothing(&machine, &roll, &pass);
}

#[test]
fn a_server_of_another_user_is_not_gone() {
    let machine = Machine::new();
    let Some(nobody) = Elsewhere::as_nobody() else {
        return;
    };
    killed(&machine);
    let roll = machine.roll_text();
    let command = machine.reconcile().at_once().detailed_exitcode();
    let command = command.env("AGENT_SESSIONS_STATE_DIR", machine.folder("theirs/state"));
    let command = command.into_command();
    fs::set_permissions(machine.root(), fs::Permissions::from_mode(0o755)).unwrap();
    give_away(&[
        &machine.project(),
        &machine.home(),
        &machine.folder("theirs"),
    ]);

    let pass = nobody.run(&command).exits(3);

    saw_nothing(&machine, &roll, &pass);
}

#[test]
fn a_socket_that_was_never_seen_to_answer_may_be_elsewhere() {
    let machine = Machine::new();
    killed(&machine);
    let roll = machine.roll_text();
    let elsewhere = machine.folder("another-tmux-folder");

    let pass = machine
        .reconcile()
        .at_once()
        .env("TMUX_TMPDIR", elsewhere)
        .run()
        .exits(0);

    saw_nothing(&machine, &roll, &pass);
    let note = pass.note_of("unseen", NAME);
    assert!(
        note["text"].as_str().unwrap().contains("TMUX_TMPDIR"),
        "{note}"
    );
}

#[test]
fn another_tmux_folder_ends_nothing_even_after_the_right_one_was_seen() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    let roll = machine.roll_text();

    let pass = machine
        .reconcile()
        .at_once()
        .env("TMUX_TMPDIR", machine.folder("another-tmux-folder"))
        .run()
        .exits(0);

    pass.has_no_drift(NAME);
    assert_eq!(machine.roll_text(), roll);
}

#[test]
fn a_server_whose_socket_file_was_removed_is_not_gone() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    let roll = machine.roll_text();
    let server = machine.server("default").process();
    fs::remove_file(machine.socket("default")).unwrap();

    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .run()
        .exits(3);

    saw_nothing(&machine, &roll, &pass);
    let note = pass.note_of("unseen", NAME);
    assert!(note["text"].as_str().unwrap().contains("SIGUSR1"), "{note}");

    // The remedy that is told is one.
    server.signal(Signal::USR1);
    wait_until("the socket to be there again", || {
        machine.socket("default").exists().then_some(())
    });
    let pass = machine
        .reconcile()
        .at_once()
        .detailed_exitcode()
        .run()
        .exits(0);
    pass.has_no_drifts();
    assert!(pass.is_confirmed());
}

#[test]
fn a_service_with_a_tmp_and_a_network_of_its_own_proves_nothing() {
    let machine = Machine::new();
    let folder = machine.tmux_folder();
    let script = r#"mount -t tmpfs none "$1" && shift && exec unshare --net -- "$@""#;
    let Some(shut_in) = Elsewhere::in_a_mount_namespace(script, &[folder.as_path()]) else {
        return;
    };
    let session = machine.session(NAME).running("claude").start();
    // Without a process in the row that could be asked.
    machine.roll().row(NAME).write();
    let pass = machine.reconcile().at_once().run().exits(0);
    pass.has_no_drift(NAME);
    let roll = machine.roll_text();

    let pass = shut_in.run(&machine.reconcile().at_once().into_command());

    pass.has_no_drift(NAME);
    pass.note_of("unseen", NAME);
    assert_eq!(machine.roll_text(), roll);
    assert!(session.agent().process.is_alive());
}

/// Where the kernel's list of listeners cannot be read.
fn without_list_of_listeners() -> Option<Elsewhere> {
    let script = r#"mount -t tmpfs none "/proc/$$/net" && exec "$@""#;
    let none: [&Path; 0] = [];
    Elsewhere::in_a_mount_namespace(script, &none)
}

#[test]
fn a_refused_connection_alone_is_no_proof() {
    let Some(blind) = without_list_of_listeners() else {
        return;
    };
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).write();
    machine.server("default").kill();
    let roll = machine.roll_text();

    let pass = blind.run(
        &machine
            .reconcile()
            .at_once()
            .detailed_exitcode()
            .into_command(),
    );

    saw_nothing(&machine, &roll, &pass.exits(3));
}

#[test]
fn a_refused_connection_is_a_proof_with_the_rows_process_dead() {
    let Some(blind) = without_list_of_listeners() else {
        return;
    };
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.server("default").kill();

    let pass = blind.run(&machine.reconcile().at_once().into_command());

    let drift = pass.exits(0).drift("A", NAME);
    assert_eq!(drift["reason"], "server_gone");
    assert!(drift.is_applied());
}

#[test]
fn a_refused_connection_is_a_proof_with_the_server_dead_that_was_known() {
    let Some(blind) = without_list_of_listeners() else {
        return;
    };
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    machine.server("default").kill();

    let pass = blind.run(&machine.reconcile().at_once().into_command());

    let drift = pass.exits(0).drift("A", NAME);
    assert_eq!(drift["reason"], "server_gone");
    assert!(drift.is_applied());
}

#[test]
fn without_the_list_of_listeners_a_missing_socket_is_no_proof_at_all() {
    let Some(blind) = without_list_of_listeners() else {
        return;
    };
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    let roll = machine.roll_text();
    machine.server("default").kill();
    fs::remove_file(machine.socket("default")).unwrap();

    let pass = blind.run(
        &machine
            .reconcile()
            .at_once()
            .detailed_exitcode()
            .into_command(),
    );

    saw_nothing(&machine, &roll, &pass.exits(3));
}

#[test]
fn a_server_that_nobody_named_and_whose_socket_is_removed_may_have_any_session() {
    let machine = Machine::new();
    machine.session("bystander").start();
    let session = machine
        .session(NAME)
        .server("side")
        .running("claude")
        .start();
    machine.roll().row(NAME).write();
    let roll = machine.roll_text();
    let side = machine.server("side").process();
    fs::remove_file(machine.socket("side")).unwrap();

    let pass = machine.reconcile().at_once().run();

    saw_nothing(&machine, &roll, &pass);
    let note = pass.note_of("unseen", NAME).to_string();
    assert!(note.contains("SIGUSR1"), "{note}");
    // Without its socket nothing else ends it.
    side.signal(Signal::KILL);
    drop(session);
}

#[test]
fn a_server_that_lives_on_where_another_has_taken_its_socket_may_have_its_sessions() {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).write();
    let seen = machine.reconcile().at_once().run().exits(0);
    assert!(seen.is_confirmed());
    let old = machine.server("default").process();
    fs::remove_file(machine.socket("default")).unwrap();
    machine.session("bystander").start();
    let roll = machine.roll_text();

    let pass = machine.reconcile().at_once().run();

    saw_nothing(&machine, &roll, &pass);
    // Without its socket nothing else ends it.
    old.signal(Signal::KILL);
    drop(session);
}
