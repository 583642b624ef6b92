//! What the environment says, and that a flag beats it.

use std::fs;

use serde_json::json;

use crate::support::{Machine, conversation};

const EMPTY: &str = "tmux_sessions: []\n";

#[test]
fn the_environment_names_the_roll_and_a_flag_names_another() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);
    let [by_environment, by_flag] = ["one.yaml", "two.yaml"].map(|name| machine.root().join(name));
    fs::write(&by_environment, EMPTY).unwrap();
    fs::write(&by_flag, EMPTY).unwrap();
    let pass = || {
        machine
            .reconcile()
            .dry_run()
            .env("AGENT_SESSIONS_YAML", &by_environment)
    };

    let named = pass().run().exits(0);
    assert_eq!(named.report()["yaml_path"], json!(by_environment));
    let named = pass().registry(&by_flag).run().exits(0);
    assert_eq!(named.report()["yaml_path"], json!(by_flag));
    let none = machine
        .reconcile()
        .dry_run()
        .env("AGENT_SESSIONS_YAML", "")
        .run()
        .exits(0);
    assert_eq!(none.report()["yaml_path"], json!(machine.roll_path()));
}

#[test]
fn the_environment_names_the_state_folder_and_a_flag_names_another() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);
    let other = machine.root().join("other state");

    let _ = machine
        .reconcile()
        .arg("--state-dir")
        .arg(&other)
        .run()
        .exits(0);
    assert!(other.is_dir() && !machine.state().exists());

    let _ = machine.reconcile().run().exits(0);
    assert!(machine.state().is_dir());
}

#[test]
fn without_a_word_about_it_the_state_lies_where_the_users_state_lies() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);
    let mut command = machine.reconcile().not_settled().into_command();
    command.env_remove("AGENT_SESSIONS_STATE_DIR");

    let _ = crate::support::Pass::of(command).exits(0);

    assert!(machine.home().join(".local/state/headcount").is_dir());
}

#[test]
fn another_tmux_server_can_be_named() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);
    let socket = machine.root().join("elsewhere.sock");
    machine
        .session("shop-creator-claude")
        .socket(&socket)
        .running("claude")
        .start();

    let pass = machine.reconcile().dry_run().run().exits(0);
    pass.has_no_drifts();
    let pass = machine
        .reconcile()
        .dry_run()
        .spawn_grace(0)
        .env("TMUX_SERVER_NAME", &socket)
        .run()
        .exits(0);

    let drift = pass.drift("B", "shop-creator-claude");
    assert_eq!(drift["tmux_server"], json!(socket));
}

#[test]
fn the_environment_names_where_claude_code_keeps_its_files() {
    let machine = Machine::new();
    let shop = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&shop)
        .null("claude_session_id_own")
        .write();
    let root = machine.root().join("config");
    let claude = machine.claude_at(&root);
    claude.pid_file(&shop).id(&conversation(1)).write();
    claude.transcript(&shop.cwd, &conversation(1)).write();

    machine.reconcile().dry_run().run().exits(0).has_no_drifts();
    let pass = machine
        .reconcile()
        .dry_run()
        .env("CLAUDE_CONFIG_DIR", &root)
        .run()
        .exits(0);

    assert_eq!(pass.drift("C", &shop.name)["confidence"], "proven");
}

#[test]
fn the_environment_names_where_transcripts_are_kept() {
    let machine = Machine::new();
    let shop = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&shop)
        .null("claude_session_id_own")
        .write();
    machine
        .claude()
        .pid_file(&shop)
        .id(&conversation(1))
        .write();
    let elsewhere = machine.claude_at(machine.root().join("elsewhere"));
    elsewhere.transcript(&shop.cwd, &conversation(1)).write();

    machine.reconcile().dry_run().run().exits(0).has_no_drifts();
    let pass = machine
        .reconcile()
        .dry_run()
        .env("CLAUDE_PROJECT_DIR", elsewhere.root().join("projects"))
        .run()
        .exits(0);

    assert_eq!(pass.drift("C", &shop.name)["confidence"], "proven");
}

#[test]
fn without_a_home_it_says_what_to_do() {
    let machine = Machine::new();
    machine.write_roll(EMPTY);
    let mut command = machine.reconcile().not_settled().into_command();
    command
        .env_remove("AGENT_SESSIONS_STATE_DIR")
        .env_remove("HOME");

    let pass = crate::support::Pass::of(command).exits(2);

    pass.complains_of("HOME");
    pass.complains_of("--state-dir");
}
