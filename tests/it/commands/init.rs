//! `headcount init`

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::support::{Footprint, Machine};

#[test]
fn it_makes_a_roll_that_is_in_order_and_can_be_reconciled() {
    let machine = Machine::new();
    fs::remove_dir(machine.project().join(".hermes")).unwrap();
    let shop = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();

    let pass = machine.headcount(&["init"]).exits(0);

    pass.complains_of(machine.roll_path().to_str().unwrap());
    assert_eq!(machine.read_roll().rows().len(), 0);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&machine.roll_path()), 0o600);
    assert_eq!(mode(&machine.project().join(".hermes")), 0o700);
    let _ = machine.headcount(&["validate"]).exits(0);
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(pass.drift("B", &shop.name).is_applied());
    assert_eq!(machine.read_roll().names(), ["shop-creator-claude"]);
}

#[test]
fn it_makes_the_roll_that_is_named_with_the_folders_it_needs() {
    let machine = Machine::new();
    let path = machine.root().join("a b/.hermes/agent-sessions.yaml");

    let _ = machine
        .headcount(&["init", "--registry", path.to_str().unwrap()])
        .exits(0);

    assert!(path.is_file());
    assert!(!machine.roll_path().exists());
}

#[test]
fn a_roll_that_is_there_is_not_touched() {
    let machine = Machine::new();
    machine.roll().row("shop").write();
    let before = Footprint::of(&[&machine.project(), &machine.home()]);

    let pass = machine.headcount(&["init"]).exits(0);

    pass.complains_of(machine.roll_path().to_str().unwrap());
    assert_eq!(
        Footprint::of(&[&machine.project(), &machine.home()]),
        before
    );
}

#[test]
fn a_roll_that_cannot_be_read_is_not_made_anybodys_home() {
    let machine = Machine::new();
    machine.write_roll("tmux_sessions: [\n");

    let pass = machine.headcount(&["init"]).exits(1);

    pass.complains_of("agent-sessions.yaml:");
    assert_eq!(machine.roll_text(), "tmux_sessions: [\n");
}

#[test]
fn doing_it_twice_is_doing_it_once() {
    let machine = Machine::new();
    let _ = machine.headcount(&["init"]).exits(0);
    let roll = machine.roll_text();

    let _ = machine.headcount(&["init"]).exits(0);

    assert_eq!(machine.roll_text(), roll);
}

#[test]
fn a_link_to_nothing_is_named_as_that() {
    let machine = Machine::new();
    let target = machine.root().join("nowhere.yaml");
    std::os::unix::fs::symlink(&target, machine.roll_path()).unwrap();

    for command in [&["init"][..], &["reconcile", "--once"]] {
        let pass = machine.headcount(command).exits(1);

        pass.complains_of("is a symbolic link to");
        pass.complains_of(target.to_str().unwrap());
        pass.complains_of("remove the link");
    }
}
