//! Rule 1: tmux below another `TMUX_TMPDIR` is not asked, and may have the session of a row that only a name places.

use std::path::PathBuf;

use serde_json::json;

use crate::support::{Elsewhere, Machine, Pass, Session, tmux_folder_in};

const NAME: &str = "shop-creator-claude";

/// The other `TMUX_TMPDIR` of a machine.
fn other(machine: &Machine) -> PathBuf {
    machine.folder("other")
}

/// The row's session, on that server of the other folder, while one of the same name here lists another session.
fn on_the_other<'m>(machine: &'m Machine, server: &str) -> Session<'m> {
    machine.session("bystander").server(server).start();
    let socket = tmux_folder_in(&other(machine)).join(server);
    machine
        .session(NAME)
        .socket(socket)
        .running("claude")
        .start()
}

/// A server's name that no other test has: those of one name may be each other's.
fn own_name(machine: &Machine) -> String {
    let root = machine.root().file_name().unwrap();
    format!("work-{}", root.to_str().unwrap())
}

fn look(machine: &Machine) -> Pass {
    machine.reconcile().at_once().run().exits(0)
}

/// What is told of the row, which has to be as it was.
#[track_caller]
fn told_unseen(machine: &Machine, pass: &Pass) -> String {
    pass.has_no_drifts();
    assert_eq!(machine.row(NAME)["status"], "running");
    let note = pass.note_of("unseen", NAME);
    note["text"].as_str().unwrap().to_owned()
}

#[test]
fn a_row_is_not_ended_while_its_session_may_be_on_the_default_server_of_another() {
    let machine = Machine::new();
    let session = on_the_other(&machine, "default");
    machine.roll().row(NAME).write();

    let text = told_unseen(&machine, &look(&machine));

    assert!(text.contains("TMUX_TMPDIR="), "{text}");
    // Both remedies are some.
    let there = machine.reconcile().at_once().dry_run();
    let pass = there.env("TMUX_TMPDIR", other(&machine)).run().exits(0);
    assert!(pass.alive().contains(&NAME.to_owned()));
    pass.has_no_drift(NAME);
    let socket = session.server.name();
    machine.roll().row(NAME).server(&socket).write();
    let pass = look(&machine);
    assert!(pass.alive().contains(&NAME.to_owned()));
    pass.has_no_drift(NAME);
    session.kill();
    assert!(look(&machine).drift("A", NAME).is_applied());
}

#[test]
fn the_socket_of_the_other_is_named_and_without_it_the_row_ends() {
    let machine = Machine::new();
    let session = on_the_other(&machine, "default");
    machine.roll().row(NAME).write();
    let looking = || {
        let alone = Elsewhere::with_listeners_below(machine.root())?;
        Some(
            alone
                .run(&machine.reconcile().at_once().into_command())
                .exits(0),
        )
    };
    let Some(pass) = looking() else { return };

    let text = told_unseen(&machine, &pass);

    let socket = session.server.name();
    let here = machine.socket("default");
    for part in [
        format!("say `tmux_server: {socket}`"),
        format!("TMUX_TMPDIR={};", other(&machine).display()),
        format!("say `tmux_server: {}`", here.display()),
    ] {
        assert!(text.contains(&part), "{part}: {text}");
    }
    session.server.kill();
    let pass = looking().expect("it could be had before");
    assert!(pass.drift("A", NAME).is_applied());
}

#[test]
fn a_row_that_names_its_server_is_not_ended_while_one_of_that_name_is_below_another() {
    let machine = Machine::new();
    let work = own_name(&machine);
    let session = on_the_other(&machine, &work);
    machine.roll().row(NAME).server(&work).write();

    let text = told_unseen(&machine, &look(&machine));

    let socket = session.server.name();
    assert!(text.contains(&socket), "{text}");
    // Nor where only a dead socket is left here.
    machine.server(&work).kill();
    told_unseen(&machine, &look(&machine));
    session.server.kill();
    assert!(look(&machine).drift("A", NAME).is_applied());
}

#[test]
fn what_the_row_or_the_memory_tells_ends_a_row_whatever_runs_below_another() {
    let machine = Machine::new();
    on_the_other(&machine, "default");
    let seen = machine.session("seen").running("claude").start();
    let recorded = machine.session("recorded").running("claude").start();
    machine.roll().row("seen").write();
    look(&machine).has_no_drift("seen");
    let roll = machine.roll().row("seen").row("recorded");
    roll.pane(&recorded).write();
    recorded.kill();
    seen.kill();

    let pass = look(&machine);

    assert!(pass.drift("A", "seen").is_applied());
    assert!(pass.drift("A", "recorded").is_applied());
}

#[test]
fn the_path_of_the_default_server_in_a_row_means_it() {
    let machine = Machine::new();
    on_the_other(&machine, "default");
    let session = machine.session("here").running("claude").start();
    let socket = machine.socket("default");
    let path = socket.to_str().unwrap();
    let roll = machine.roll().row("here").server(path);
    roll.row("gone").server(path).write();

    let pass = look(&machine);

    pass.has_no_drift("here");
    assert!(pass.drift("A", "gone").is_applied());
    assert_eq!(machine.row("here")["tmux_server"], json!(path));
    assert!(session.agent().process.is_alive());
}
