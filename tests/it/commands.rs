//! Every command besides `reconcile`, and what all of them have in common: arguments, environment, pipes,
//! signals.

mod environment;
mod finding;
mod init;
mod pipes;
mod signals;
mod validate;

use serde_json::Value;

use crate::support::{Machine, Pass};

/// The help of a command, as a person without a terminal sees it.
fn help(args: &[&str]) -> String {
    let pass = Machine::new().headcount(args).exits(0);
    assert_eq!(pass.stderr, "");
    pass.stdout
}

#[test]
fn the_help_of_every_command_is_what_was_last_agreed_on() {
    insta::assert_snapshot!("help", help(&["--help"]));
    for command in ["reconcile", "init", "validate", "schema", "demo"] {
        insta::assert_snapshot!(format!("help_{command}"), help(&[command, "--help"]));
    }
}

#[test]
fn every_command_is_in_the_help() {
    let help = help(&["--help"]);
    for command in ["reconcile", "init", "validate", "schema", "demo"] {
        assert!(
            help.contains(&format!("\n  {command}")),
            "{command} is not in:\n{help}"
        );
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let pass = Machine::new().headcount(&["--version"]).exits(0);

    assert_eq!(
        pass.stdout,
        concat!("headcount ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[track_caller]
fn assert_wrong_usage(args: &[&str], hint: &str) -> Pass {
    let machine = Machine::new();
    machine.roll().row("shop").write();
    let before = machine.footprint();
    let pass = machine.headcount(args).exits(2);
    assert_eq!(pass.stdout, "");
    pass.complains_of(hint);
    assert_eq!(machine.footprint(), before);
    pass
}

#[test]
fn unknown_arguments_are_wrong_usage() {
    let pass = assert_wrong_usage(
        &["reconcile", "--workspace", "/srv"],
        "ERROR: unknown arg: --workspace",
    );
    pass.complains_of("--help");
    let _ = assert_wrong_usage(&["reconcile", "--once", "now"], "now");
    let _ = assert_wrong_usage(&["rekoncile"], "reconcile");
    let _ = assert_wrong_usage(&[], "reconcile");
}

#[test]
fn values_that_mean_nothing_are_wrong_usage() {
    let _ = assert_wrong_usage(&["reconcile", "--grace", "soon"], "--grace");
    let _ = assert_wrong_usage(&["reconcile", "--grace", "-1"], "--grace");
    let _ = assert_wrong_usage(
        &["reconcile", "--spawn-grace", "99999999999999999999"],
        "--spawn-grace",
    );
    let _ = assert_wrong_usage(&["reconcile", "--format", "xml"], "markdown");
    let _ = assert_wrong_usage(&["reconcile", "--registry"], "--registry");
    let _ = assert_wrong_usage(&["schema", "world"], "registry");
}

/// A file of this project.
fn kept(path: &str) -> String {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(project.join(path)).unwrap()
}

#[test]
fn schemas_are_printed_as_they_are_kept() {
    let machine = Machine::new();
    let report = machine.headcount(&["schema", "report"]).exits(0);
    let registry = machine.headcount(&["schema", "registry"]).exits(0);

    assert_eq!(report.stdout, kept("schemas/report.schema.json"));
    assert_eq!(registry.stdout, kept("schemas/registry.schema.json"));
}

#[test]
fn the_registrys_schema_takes_what_the_program_takes() {
    let printed = Machine::new()
        .headcount(&["schema", "registry"])
        .exits(0)
        .stdout;
    let schema: Value = serde_json::from_str(&printed).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let machine = Machine::new();
    let shipped = kept(".hermes/agent-sessions.yaml");
    let right = [
        &*shipped,
        "tmux_sessions: []\n",
        "tmux_sessions:\n- name: shop\n  status: running\n  pane: {pid: 1, cmd: claude, cwd: /srv}\n  \
         claude_session_id_own: null\n  mine: {deep: [1]}\nother: 1\n",
        "tmux_sessions:\n- {name: a, status: stopped, stopped_at: '2026-11-21T09:00:00Z', stopped_at_epoch: 1, resumable: true}\n",
    ];
    let wrong = [
        "tmux_sessions: {}\n",
        "tmux_sessions:\n- name: shop\n",
        "tmux_sessions:\n- status: running\n",
        "tmux_sessions:\n- {name: shop, status: running, pane: 4711}\n",
        "tmux_sessions:\n- {name: '', status: running}\n",
        "other: 1\n",
    ];
    for (text, is_right) in right
        .map(|text| (text, true))
        .into_iter()
        .chain(wrong.map(|text| (text, false)))
    {
        machine.write_roll(text);
        let taken = machine.headcount(&["validate"]).code == Some(0);
        assert_eq!(taken, is_right, "headcount validate:\n{text}");
        let valid = schema.is_valid(machine.read_roll().document());
        assert_eq!(valid, is_right, "the schema:\n{text}");
    }
}
