//! Which roll is meant when none is named.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{Machine, Pass};

const EMPTY: &str = "tmux_sessions: []\n";

fn put(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, EMPTY).unwrap();
}

#[track_caller]
fn assert_found(pass: Pass, roll: &Path) {
    let pass = pass.exits(0);
    assert_eq!(pass.report()["yaml_path"], json!(roll));
}

#[test]
fn the_nearest_at_or_above_the_working_folder() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);
    let deep = machine.folder("project/src/deep/er");
    let nearer = machine.project().join("src/.hermes/agent-sessions.yaml");

    let from = |folder: &Path| {
        machine
            .reconcile()
            .dry_run()
            .not_settled()
            .cwd(folder)
            .run()
    };
    assert_found(from(&machine.project()), &machine.roll_path());
    assert_found(from(&deep), &machine.roll_path());

    put(&nearer);
    assert_found(from(&deep), &nearer);
    assert_found(from(&machine.project()), &machine.roll_path());
}

#[test]
fn that_of_the_later_layout_too() {
    let machine = Machine::new();
    let roll = machine.project().join(".mam/agent-sessions.yaml");
    put(&roll);

    assert_found(machine.reconcile().dry_run().run(), &roll);
}

#[test]
fn of_two_in_one_place_one_has_to_be_named() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);
    let other = machine.project().join(".mam/agent-sessions.yaml");
    put(&other);
    let before = machine.footprint();

    let pass = machine.reconcile().run();

    assert_ne!(pass.code, Some(0));
    assert_eq!(pass.stdout, "");
    pass.complains_of("--registry");
    pass.complains_of(".hermes");
    pass.complains_of(".mam");
    assert_eq!(machine.footprint(), before);
    assert_found(machine.reconcile().dry_run().registry(&other).run(), &other);
    let named = machine
        .reconcile()
        .dry_run()
        .env("AGENT_SESSIONS_YAML", &other)
        .run();
    assert_found(named, &other);
}

#[test]
fn in_a_linked_worktree_that_of_the_main_checkout() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);
    // What `git worktree add` leaves, since no git is run here.
    let linked = machine.folder("linked");
    let git = machine.folder("project/.git/worktrees/linked");
    fs::write(git.join("commondir"), "../..\n").unwrap();
    fs::write(git.join("gitdir"), format!("{}/.git\n", linked.display())).unwrap();
    fs::write(linked.join(".git"), format!("gitdir: {}\n", git.display())).unwrap();
    let deep = machine.folder("linked/src");

    let from = |folder: &Path| {
        machine
            .reconcile()
            .dry_run()
            .not_settled()
            .cwd(folder)
            .run()
    };
    assert_found(from(&linked), &machine.roll_path());
    assert_found(from(&deep), &machine.roll_path());

    // Even if it was checked in, so that there is a copy: only one of them is the roll.
    put(&linked.join(".hermes/agent-sessions.yaml"));
    assert_found(from(&deep), &machine.roll_path());
}

#[test]
fn a_roll_named_relatively_is_told_as_it_was_named() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);

    let pass = machine
        .reconcile()
        .dry_run()
        .not_settled()
        .registry(".hermes/agent-sessions.yaml")
        .run()
        .exits(0);

    assert_eq!(pass.report()["yaml_path"], ".hermes/agent-sessions.yaml");
}
