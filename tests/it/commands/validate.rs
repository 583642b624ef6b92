//! `headcount validate`

use crate::support::{Machine, Pass};

/// What it says of a roll with this text. It writes nothing, whatever it says.
#[track_caller]
fn validate(text: &str) -> Pass {
    let machine = Machine::new();
    machine.write_roll(text);
    let before = machine.footprint();
    let pass = machine.headcount(&["validate"]);
    assert_eq!(machine.footprint(), before);
    pass
}

/// Fails the test unless it ends with 1 and says these things, one a line, each at its place in the roll.
#[track_caller]
fn assert_faults(text: &str, faults: &[(&str, &str)]) {
    let pass = validate(text).exits(1);
    let said = format!("{}{}", pass.stdout, pass.stderr);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), faults.len(), "{said}");
    for (line, (place, what)) in lines.iter().zip(faults) {
        assert!(
            line.contains(&format!("agent-sessions.yaml:{place}: ")),
            "{place} is not in {line}"
        );
        assert!(line.contains(what), "{what} is not in {line}");
    }
}

#[test]
fn a_roll_in_order_is_in_order() {
    let pass = validate(
        "tmux_sessions:\n- name: shop\n  status: running\n- name: docs\n  status: stopped\n",
    )
    .exits(0);

    assert!(
        pass.stdout.contains("in order") && pass.stdout.contains('2'),
        "{}",
        pass.stdout
    );
    assert_eq!(pass.stderr, "");
}

#[test]
fn broken_yaml_is_told_with_line_and_column() {
    assert_faults(
        "tmux_sessions:\n- name: shop\n  status: {running\n",
        &[("4:1", "")],
    );
    assert_faults(
        "tmux_sessions:\n- name: shop\n\tstatus: running\n",
        &[("3:1", "")],
    );
}

#[test]
fn every_wrong_row_is_told_with_its_place() {
    assert_faults(
        "# ours\ntmux_sessions:\n- name: shop\n  status: running\n- status: running\n- name: docs\n  status: running\n\
         - name: lost\n- name: docs\n  status: stopped\n- 17\n",
        &[
            ("5:3", "name"),
            ("6:3", "docs"),
            ("8:3", "status"),
            ("9:3", "docs"),
            ("11:3", "mapping"),
        ],
    );
}

#[test]
fn another_file_can_be_named() {
    let machine = Machine::new();
    machine.write_roll("tmux_sessions: [");
    let other = machine.folder("other").join("sessions.yaml");
    std::fs::write(&other, "tmux_sessions: []\n").unwrap();

    let pass = machine
        .headcount(&["validate", other.to_str().unwrap()])
        .exits(0);

    assert!(
        pass.stdout.starts_with(other.to_str().unwrap()),
        "{}",
        pass.stdout
    );
}

#[test]
fn a_missing_roll_is_told() {
    let machine = Machine::new();

    let pass = machine.headcount(&["validate", "nowhere.yaml"]).exits(1);

    pass.complains_of("nowhere.yaml");
}

#[test]
fn one_row_is_one_row() {
    let pass = validate("tmux_sessions:\n- {name: shop, status: running}\n").exits(0);

    assert!(
        pass.stdout.ends_with("in order, 1 row\n"),
        "{}",
        pass.stdout
    );
}

#[test]
fn a_row_with_an_empty_name_has_none() {
    assert_faults(
        "tmux_sessions:\n- {name: \"\", status: running}\n",
        &[("2:3", "3: `name` is empty")],
    );
}

#[test]
fn the_roll_can_be_named_as_for_the_other_commands() {
    let machine = Machine::new();
    machine.roll().row("shop").write();
    let roll = machine.roll_path();

    let pass = Pass::of({
        let mut command = machine.headcount_command(&["validate", "--registry"]);
        command.arg(&roll).current_dir("/");
        command
    })
    .exits(0);

    assert!(pass.stdout.contains("in order"), "{}", pass.stdout);
}

#[test]
fn a_key_that_is_there_twice_beside_the_sessions_is_told_with_its_line() {
    let text = "agent_identities:\n  claude: {session_id: a}\ntmux_sessions: []\nagent_identities:\n  agy: {conversation_id: b}\n";
    let told = validate(text).exits(0);
    assert!(
        told.stdout.contains(
            "agent-sessions.yaml:4:1: warning: the key `agent_identities` is there twice, first on line 1"
        ),
        "{told:?}"
    );
    let text = "tmux_sessions: []\nagent_identities:\n  claude: {session_id: a}\n  agy: {conversation_id: b}\n  claude: {session_id: c}\n";
    let told = validate(text).exits(0);
    assert!(
        told.stdout.contains(
            "agent-sessions.yaml:5:3: warning: the key `agent_identities.claude` is there twice, first on line 3"
        ),
        "{told:?}"
    );
}
