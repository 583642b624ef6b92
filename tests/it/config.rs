//! `headcount.toml`, beside the roll: what a project wants otherwise.

use std::fs;

use crate::support::Machine;

const NAME: &str = "shop-creator-claude";

fn configure(machine: &Machine, text: &str) {
    let roll = machine.roll_path();
    fs::create_dir_all(roll.parent().unwrap()).unwrap();
    fs::write(roll.with_file_name("headcount.toml"), text).unwrap();
}

#[test]
fn a_session_that_is_ignored_is_not_registered() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine
        .session("try-1-creator-claude")
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions: []\n");
    configure(&machine, "ignore = [\"try-*\"]\n");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("B", NAME).is_applied());
    assert_eq!(machine.read_roll().names(), [NAME]);
    assert_eq!(pass.report()["drifts"].as_array().unwrap().len(), 1);
}

#[test]
fn a_row_that_is_ignored_is_left_as_it_is() {
    let machine = Machine::new();
    let gone = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&gone).write();
    gone.kill();
    configure(&machine, "ignore = [\"shop-*\"]\n");
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert_eq!(machine.roll_text(), before);
    assert_eq!(pass.report()["drifts"], serde_json::json!([]));
}

#[test]
fn sessions_of_other_names_are_registered_if_their_infix_is_said() {
    let machine = Machine::new();
    machine.session("shop-run-claude").running("claude").start();
    machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions: []\n");
    configure(&machine, "agent_infixes = [\"-run-\"]\n");

    let _ = machine.reconcile().at_once().run().exits(0);

    assert_eq!(machine.read_roll().names(), ["shop-run-claude"]);
}

#[test]
fn its_graces_are_those_of_every_pass_and_a_flag_goes_before_them() {
    let machine = Machine::new();
    let gone = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&gone).write();
    gone.kill();
    configure(&machine, "grace = 3600\nspawn_grace = 0\n");
    let dry = |grace: Option<u32>| {
        let pass = machine.reconcile().dry_run();
        let pass = match grace {
            Some(grace) => pass.grace(grace),
            None => pass,
        };
        pass.run().exits(0).drift("A", NAME)["pending"].is_null()
    };

    assert!(!dry(None), "it waits an hour");
    assert!(dry(Some(0)), "it does not wait");
}

#[test]
fn what_is_wrong_with_it_is_said_before_anything_is_done() {
    let machine = Machine::new();
    machine.session(NAME).running("claude").start();
    machine.write_roll("tmux_sessions: []\n");
    let before = machine.roll_text();
    for (text, says) in [
        ("ignored = [\"x\"]\n", "unknown field `ignored`"),
        ("ignore = \"x\"\n", "invalid type"),
        ("ignore = [\"[x\"]\n", "`[x` is no pattern"),
        ("grace = -1\n", "invalid value"),
        ("grace = 86401\n", "longer than a day"),
        ("agent_infixes = [\"\"]\n", "every session"),
        ("not toml", "headcount.toml"),
    ] {
        configure(&machine, text);

        let pass = machine.reconcile().at_once().run().exits(2);

        assert!(pass.stderr.contains(says), "{text}: {}", pass.stderr);
        assert!(pass.stderr.contains("headcount.toml"), "{}", pass.stderr);
        assert_eq!(machine.roll_text(), before);
    }
    fs::remove_file(machine.roll_path().with_file_name("headcount.toml")).unwrap();
    fs::create_dir(machine.roll_path().with_file_name("headcount.toml")).unwrap();
    let pass = machine.reconcile().at_once().run().exits(2);
    assert!(pass.stderr.contains("it is not a file"), "{}", pass.stderr);
    fs::remove_dir(machine.roll_path().with_file_name("headcount.toml")).unwrap();
    let pipe = machine
        .command("mkfifo")
        .arg(machine.roll_path().with_file_name("headcount.toml"))
        .status();
    assert!(pipe.unwrap().success());
    let pass = machine.reconcile().at_once().run().exits(2);
    assert!(pass.stderr.contains("it is not a file"), "{}", pass.stderr);
}
