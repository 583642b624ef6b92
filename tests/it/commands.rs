//! Every command besides `reconcile`, and what all of them have in common: arguments, environment, pipes,
//! signals.

mod demo;
mod environment;
mod finding;
mod init;
mod pipes;
mod signals;
mod validate;

use serde_json::Value;

use crate::support::Machine;

#[test]
fn every_command_is_in_the_help() {
    let help = Machine::new().headcount(&["--help"]).exits(0).stdout;
    for command in ["reconcile", "init", "validate", "schema", "demo"] {
        assert!(
            help.contains(&format!("\n  {command}")),
            "{command} is not in:\n{help}"
        );
    }
}

#[test]
fn wrong_usage_says_what_is_wrong_and_does_nothing() {
    let wrong: [(&[&str], &str); 11] = [
        (&["status", "--workspace"], "Try: headcount status --help"),
        (&["-v", "undo", "--workspace"], "Try: headcount undo --help"),
        (&["--workspace"], "Try: headcount --help"),
        (
            &["reconcile", "--grace", "-1"],
            "a whole number of seconds from 0 to",
        ),
        (
            &["reconcile", "--workspace", "/srv"],
            "unknown arg: --workspace",
        ),
        (&["reconcile", "--once", "now"], "now"),
        (&["rekoncile"], "reconcile"),
        (&["reconcile", "--format", "xml"], "markdown"),
        (&["reconcile", "--registry"], "--registry"),
        (&["schema", "world"], "registry"),
        (&["validate", "one", "two"], "two"),
    ];
    for (args, hint) in wrong {
        let machine = Machine::new();
        machine.roll().row("shop").write();
        let before = machine.footprint();

        let pass = machine.headcount(args).exits(2);

        assert_eq!(pass.stdout, "", "{args:?}");
        pass.complains_of(hint);
        assert_eq!(machine.footprint(), before, "{args:?}");
    }
}

/// A file of this project.
fn kept(path: &str) -> String {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(project.join(path)).unwrap()
}

#[test]
fn the_registrys_schema_is_printed_as_it_is_kept() {
    let pass = Machine::new().headcount(&["schema", "registry"]).exits(0);

    assert_eq!(pass.stdout, kept("schemas/registry.schema.json"));
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
