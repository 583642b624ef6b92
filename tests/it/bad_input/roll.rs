//! Rolls that cannot be read.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use super::{assert_refused, with_something_to_write};
use crate::support::elsewhere::give_away;
use crate::support::{Elsewhere, Machine};

#[test]
fn a_missing_roll_is_not_made() {
    let machine = Machine::new();
    let before = machine.footprint();

    let pass = machine.reconcile().registry(machine.roll_path()).run();

    assert_refused(&pass, 1, &machine.roll_path(), &["headcount init"]);
    assert_eq!(machine.footprint(), before);
}

#[test]
fn without_any_roll_the_place_where_it_was_looked_for_is_named() {
    let machine = Machine::new();

    let pass = machine.reconcile().run();

    assert_refused(
        &pass,
        1,
        &machine.project(),
        &["agent-sessions.yaml", "headcount init"],
    );
}

/// Fails the test unless a roll with these bytes is refused as unreadable, and left as it is.
#[track_caller]
fn assert_unreadable(content: &[u8], hints: &[&str]) {
    let machine = Machine::new();
    with_something_to_write(&machine);
    machine.write_roll(content);
    let roll = machine.roll_path();
    let modified = fs::metadata(&roll).unwrap().modified().unwrap();

    let pass = machine.reconcile().at_once().run();

    assert_refused(&pass, 1, &roll, hints);
    assert!(fs::read(&roll).unwrap() == content, "the roll was changed");
    assert_eq!(fs::metadata(&roll).unwrap().modified().unwrap(), modified);
    let beside: Vec<_> = fs::read_dir(roll.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name != "agent-sessions.yaml" && name != "agent-sessions.yaml.lock")
        .collect();
    assert!(beside.is_empty(), "left behind: {beside:?}");
}

#[test]
fn an_empty_roll_is_refused() {
    assert_unreadable(b"", &["empty"]);
}

#[test]
fn a_roll_of_nothing_but_blanks_and_comments_is_refused() {
    assert_unreadable(b"\n# nothing here yet\n\n", &["tmux_sessions"]);
}

#[test]
fn invalid_yaml_is_refused_with_line_and_column() {
    assert_unreadable(
        b"tmux_sessions:\n- name: shop\n  status: [running\n- name: docs\n",
        &["line 4, column "],
    );
}

#[test]
fn a_tab_as_indent_is_refused_with_line_and_column() {
    assert_unreadable(
        b"tmux_sessions:\n- name: shop\n\tstatus: running\n",
        &["line 3, column 1"],
    );
}

#[test]
fn a_control_character_is_refused_with_line_and_column() {
    assert_unreadable(
        "tmux_sessions:\n- name: Łódź\u{1}\n  status: running\n".as_bytes(),
        &["line 2, column 13", "control characters"],
    );
}

#[test]
fn a_roll_that_is_cut_in_the_middle_of_a_text_is_refused() {
    assert_unreadable(b"tmux_sessions:\n- name: \"sho", &["line 2, column "]);
}

#[test]
fn two_lists_of_sessions_are_refused() {
    assert_unreadable(
        b"tmux_sessions:\n- name: shop\n  status: running\ntmux_sessions: []\n",
        &["tmux_sessions", "twice"],
    );
}

#[test]
fn a_document_that_is_no_mapping_is_refused() {
    assert_unreadable(b"- name: shop\n  status: running\n", &["tmux_sessions"]);
    assert_unreadable(b"just a sentence\n", &["tmux_sessions"]);
}

#[test]
fn sessions_that_are_no_list_are_refused() {
    assert_unreadable(
        b"tmux_sessions:\n  shop: running\n",
        &["tmux_sessions", "list"],
    );
}

#[test]
fn binary_is_refused() {
    let content: Vec<u8> = (0..=255_u8).cycle().take(70_000).collect();
    assert_unreadable(&content, &[]);
    assert_unreadable(&[0; 4096], &[]);
}

#[test]
fn a_roll_that_is_not_utf_8_is_refused() {
    assert_unreadable(
        b"tmux_sessions:\n- name: caf\xe9\n  status: running\n",
        &["UTF-8"],
    );
    let utf16: Vec<u8> = "tmux_sessions: []\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_unreadable(&[b"\xff\xfe".as_slice(), &utf16].concat(), &[".bak"]);
}

#[test]
fn a_hundred_megabytes_are_refused() {
    let line = b"# nothing but this line, again and again, and again\n";
    let content: Vec<u8> = line.iter().copied().cycle().take(100 << 20).collect();
    assert_unreadable(&content, &["bytes"]);
}

#[test]
fn aliases_that_multiply_without_bound_are_refused() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..30 {
        let before = format!("*a{}, ", level - 1).repeat(9);
        text.push_str(&format!(
            "a{level}: &a{level} [{}]\n",
            before.trim_end_matches(", ")
        ));
    }
    text.push_str("tmux_sessions: []\n");
    assert_unreadable(text.as_bytes(), &[]);
}

#[test]
fn nesting_without_bound_is_refused() {
    let text = format!("tmux_sessions: {}", "[".repeat(200_000));
    assert_unreadable(text.as_bytes(), &["line 1, column 5016", "brackets"]);
}

#[test]
fn a_folder_is_no_roll() {
    let machine = Machine::new();
    fs::create_dir(machine.roll_path()).unwrap();

    let pass = machine.reconcile().registry(machine.roll_path()).run();

    assert_refused(
        &pass,
        1,
        &machine.roll_path(),
        &["not a file", "--registry"],
    );
}

#[test]
fn a_fifo_is_no_roll_and_is_not_waited_for() {
    let machine = Machine::new();
    let made = Command::new("mkfifo").arg(machine.roll_path()).status();
    assert!(made.unwrap().success());

    let pass = machine.reconcile().registry(machine.roll_path()).run();

    assert_refused(
        &pass,
        1,
        &machine.roll_path(),
        &["not a file", "--registry"],
    );
}

#[test]
fn a_link_to_nothing_is_a_missing_roll() {
    let machine = Machine::new();
    symlink("nowhere.yaml", machine.roll_path()).unwrap();

    let pass = machine.reconcile().registry(machine.roll_path()).run();

    assert_refused(&pass, 1, &machine.roll_path(), &[]);
    assert!(machine.roll_path().is_symlink());
}

#[test]
fn a_roll_that_must_not_be_read_is_refused() {
    let machine = Machine::new();
    machine.roll().row("shop").write();
    fs::set_permissions(machine.roll_path(), fs::Permissions::from_mode(0o000)).unwrap();
    let command = machine
        .reconcile()
        .not_settled()
        .registry(machine.roll_path())
        .into_command();

    let pass = if rustix::process::geteuid().is_root() {
        let Some(nobody) = Elsewhere::as_nobody() else {
            return;
        };
        give_away(&[machine.root()]);
        nobody.run(&command)
    } else {
        crate::support::Pass::of(command)
    };

    assert_refused(&pass, 1, &machine.roll_path(), &["ermission"]);
}

#[test]
fn somebody_elses_roll_is_not_found_by_itself() {
    let machine = Machine::new();
    machine.roll().row("shop").write();
    let Some(nobody) = Elsewhere::as_nobody() else {
        return;
    };
    give_away(&[machine.root()]);
    std::os::unix::fs::chown(machine.roll_path(), Some(0), Some(0)).unwrap();

    let found = nobody.run(&machine.reconcile().not_settled().into_command());

    assert_refused(&found, 1, &machine.roll_path(), &["--registry"]);
}
