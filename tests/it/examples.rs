//! Every example in the help works as it is printed.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::support::{Machine, Pass, conversation};

/// The programs that examples begin with.
const PROGRAMS: [&str; 4] = ["headcount", "jq", "tmux", "watch"];

/// Every subcommand, as the help lists them: a new one is among them by itself.
fn subcommands(machine: &Machine) -> Vec<String> {
    let help = machine.headcount(&["--help"]).exits(0).stdout;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    list.lines()
        .take_while(|line| !line.is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

/// The lines of the examples of a help text.
fn examples(help: &str) -> Vec<&str> {
    let Some((_, list)) = help.split_once("Examples:\n") else {
        return Vec::new();
    };
    list.lines().take_while(|line| !line.is_empty()).collect()
}

/// The command in such a line, without what is said of it.
fn command(line: &str) -> &str {
    let line = line.trim();
    line.split_once("  ").map_or(line, |(command, _)| command)
}

/// A machine on which the sessions and files of the examples are there, and nothing has to be waited for.
fn machine() -> Machine {
    let machine = Machine::new();
    let web = machine.session("shop-web-creator-claude");
    let web = web.running("claude").start();
    let gone = machine.session("shop-creator-claude");
    let gone = gone.running("claude").start();
    machine.claude().pid_file(&web).id(&conversation(1)).write();
    machine
        .claude()
        .transcript(&web.cwd, &conversation(1))
        .write();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let yesterday = now.as_secs() - 86_400;
    machine
        .roll()
        .row("shop-web-creator-claude")
        .pane(&web)
        .null("claude_session_id_own")
        .row("shop-creator-claude")
        .pane(&gone)
        .row("shop-old-claude")
        .status("stopped")
        .set("stopped_at_epoch", yesterday)
        .row("shop-older-claude")
        .status("stopped")
        .set("stopped_at_epoch", yesterday - 100 * 86_400)
        .write();
    machine.settle(&machine.roll_path());
    gone.kill();
    let beside = |name: &str| machine.roll_path().with_file_name(name);
    fs::write(beside("headcount.toml"), "grace = 0\nspawn_grace = 0\n").unwrap();
    fs::copy(machine.roll_path(), beside("agent-sessions.yaml.bak")).unwrap();
    for folder in [
        ".local/share/bash-completion/completions",
        ".local/share/man/man1",
        ".config/fish/completions",
        "fpath",
    ] {
        fs::create_dir_all(machine.home().join(folder)).unwrap();
    }
    fs::create_dir(machine.project().join("elsewhere")).unwrap();
    symlink(
        env!("CARGO_BIN_EXE_headcount"),
        machine.bin().join("headcount"),
    )
    .unwrap();
    // What shows something to a person shows it to nobody here.
    let mut stand_ins = vec![
        ("less", "exec cat"),
        ("watch", "shift; exec \"$@\""),
        ("notify-send", "exit 0"),
    ];
    if machine.command("jq").arg("--version").output().is_err() {
        stand_ins.push(("jq", "exec cat"));
    }
    for (name, script) in stand_ins {
        let path = machine.bin().join(name);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    machine
}

/// The command as it is run here: what goes on for ever ends by itself.
fn ending(command: &str) -> String {
    let mut command = command
        .replace("--poll", "--poll --timeout 1")
        .replace("--subscribe", "--subscribe --timeout 1")
        .replace("--turn 20m", "--turn 1");
    if command.starts_with("headcount worker") && !command.contains("--turn") {
        command.push_str(" --turn 1");
    }
    command
}

fn run(machine: &Machine, command: &str) -> Pass {
    let mut shell: Command = machine.command("bash");
    let script = format!(
        "set -o pipefail; fpath=(_ \"$HOME/fpath\"); {}",
        ending(command)
    );
    shell
        .args(["-c", &script])
        .env("AGENT_SESSIONS_STATE_DIR", machine.state())
        .env("HERMES_KANBAN_TASK", "t_1a2b3c4d")
        .current_dir(machine.project());
    Pass::of(shell)
}

#[test]
fn every_command_has_examples_that_begin_with_a_command_and_fit_their_line() {
    let machine = Machine::new();
    for name in subcommands(&machine) {
        let help = machine.headcount(&[&name, "--help"]).exits(0).stdout;
        let examples = examples(&help);
        assert!(!examples.is_empty(), "{name} has no examples");
        for line in examples {
            let first = line.split_whitespace().next().unwrap();
            assert!(PROGRAMS.contains(&first), "{name}: {line}");
        }
    }
}

/// The number of a change that headcount has made.
fn number_of_a_change(machine: &Machine) -> String {
    let _ = run(machine, "headcount reconcile --once").exits(0);
    let list = run(machine, "headcount undo").exits(0).stdout;
    let (_, number) = list.split_once('#').unwrap_or_else(|| panic!("{list}"));
    number.chars().take_while(char::is_ascii_digit).collect()
}

#[test]
fn every_example_works_as_it_is_printed() {
    let mut names = subcommands(&Machine::new());
    names.push(String::new());
    for name in names {
        let machine = machine();
        let words: Vec<&str> = [name.as_str(), "--help"]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        let help = machine.headcount(&words).exits(0).stdout;
        let change = if name == "undo" {
            number_of_a_change(&machine)
        } else {
            "12".to_owned()
        };
        for line in examples(&help) {
            let command = command(line).replace("12", &change);
            let said = run(&machine, &command);
            let expected: &[i32] = match name.as_str() {
                // What is ill here is told.
                "doctor" => &[0, 1],
                // Each drift has an id of its own, and there is none of that session here.
                "ack" => &[0, 2],
                // There is no such card here, and maybe no board.
                "worker" | "dispatch" => &[0, 2],
                _ if command.contains("--detailed-exitcode") => &[0, 2],
                // There is no screen here.
                _ if command.starts_with("headcount watch") => &[2],
                _ => &[0],
            };
            let code = said.code.unwrap_or(-1);
            assert!(expected.contains(&code), "{command}: {said:?}");
            for wrong in ["unknown arg", "Usage:", "unexpected", "parse error"] {
                assert!(!said.stderr.contains(wrong), "{command}: {said:?}");
            }
        }
    }
}
