//! Rule 1: whoever looks, a session of another user's is not gone because this user's tmux does not list it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::elsewhere::give_away;
use crate::support::{Elsewhere, Machine, Pass};

const NAME: &str = "shop-creator-claude";

/// Where the other user's tmux keeps its sockets.
fn their_tmux(machine: &Machine) -> PathBuf {
    machine.folder("theirs")
}

/// A session of a user who is not root, on that user's server, in a project of that user's. Root, who looks, has a
/// server of its own, without it. Returns the pid of its pane.
fn their_session(machine: &Machine, nobody: &Elsewhere) -> String {
    machine.session("bystander").start();
    fs::set_permissions(machine.root(), fs::Permissions::from_mode(0o755)).unwrap();
    let pid = as_they(
        machine,
        nobody,
        &[
            "new-session",
            "-d",
            "-P",
            "-F",
            "#{pane_pid}",
            "-s",
            NAME,
            "sleep",
            "999",
        ],
    );
    pid.trim().to_owned()
}

/// What the other user's tmux prints.
fn as_they(machine: &Machine, nobody: &Elsewhere, args: &[&str]) -> String {
    let folder = their_tmux(machine);
    give_away(&[&folder]);
    let mut tmux: Command = machine.command("tmux");
    tmux.args(["-u", "-f", "/dev/null"]).args(args);
    tmux.env("TMUX_TMPDIR", &folder).current_dir(&folder);
    let output = nobody.command(&tmux).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// A pass on the roll, which is not taken for root's own unless it is named.
#[track_caller]
fn named(machine: &Machine) -> Pass {
    let pass = machine.reconcile().at_once();
    pass.registry(machine.roll_path()).run().exits(0)
}

/// A pass that has to leave the roll as it is.
#[track_caller]
fn left_alone(machine: &Machine) -> Pass {
    give_away(&[&machine.project()]);
    let before = machine.roll_text();
    let pass = named(machine);
    assert_eq!(machine.roll_text(), before);
    pass
}

#[test]
fn root_ends_no_row_of_a_user_whose_sessions_are_alive() {
    let Some(nobody) = Elsewhere::as_nobody() else {
        return;
    };
    let machine = Machine::new();
    let pid = their_session(&machine, &nobody);

    machine.roll().row(NAME).pid(pid.parse().unwrap()).write();
    left_alone(&machine).held("process_alive");
    machine.roll().row(NAME).write();
    left_alone(&machine).note_of("unseen", NAME);
}

#[test]
fn a_server_of_another_user_is_not_over_because_a_second_one_took_its_socket() {
    let Some(nobody) = Elsewhere::as_nobody() else {
        return;
    };
    let machine = Machine::new();
    let pid = their_session(&machine, &nobody);
    let socket = their_tmux(&machine).join("tmux-65534/default");
    let seen = machine.roll().row(NAME).pid(pid.parse().unwrap());
    seen.server(socket.to_str().unwrap()).write();
    give_away(&[&machine.project()]);
    let pass = named(&machine);
    assert!(pass.alive().contains(&NAME.to_owned()));

    fs::remove_file(&socket).unwrap();
    as_they(
        &machine,
        &nobody,
        &["new-session", "-d", "-s", "other", "sleep", "999"],
    );

    left_alone(&machine).note_of("unseen", NAME);
    assert!(Path::new("/proc").join(&pid).exists());
}
