//! Arguments in, output and exit codes out, as far as no pass is needed.

use std::fs::{self, OpenOptions};
use std::process::{Command, Output, Stdio};

fn headcount(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headcount"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", "/nonexistent");
    command
}

fn run(arguments: &[&str]) -> Output {
    headcount(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn the_help_is_what_it_was() {
    for command in [
        "",
        "status",
        "watch",
        "explain",
        "doctor",
        "reconcile",
        "worker",
        "dispatch",
        "init",
        "validate",
        "schema",
        "demo",
    ] {
        let arguments: Vec<&str> = [command, "--help"]
            .into_iter()
            .filter(|a| !a.is_empty())
            .collect();
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(0));
        let name = if command.is_empty() {
            "headcount"
        } else {
            command
        };
        insta::assert_snapshot!(format!("help_{name}"), stdout(&output));
    }
}

#[test]
fn an_unknown_argument_is_named_and_ends_with_2() {
    for arguments in [
        &["reconcile", "--frobnicate"][..],
        &["reconcile", "--once", "--frobnicate"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(output.stdout.is_empty());
        assert!(stderr(&output).starts_with("ERROR: unknown arg: --frobnicate\n"));
    }
}

#[test]
fn no_command_at_all_ends_with_2_and_the_help() {
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(stderr(&output).contains("Usage: headcount"));
}

#[test]
fn with_the_detailed_codes_a_wrong_usage_is_not_taken_for_drift() {
    let output = run(&["reconcile", "--detailed-exitcode", "--frobnicate"]);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn what_is_wrong_with_a_value_is_said() {
    for wrong in ["-1", "ten", "1.5", "86401", "99999999999999999999", ""] {
        let output = run(&["reconcile", &format!("--grace={wrong}")]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        let text = stderr(&output);
        assert!(
            text.starts_with("ERROR: ") && text.contains("--grace"),
            "{text}"
        );
    }
}

#[test]
fn a_number_below_zero_is_a_wrong_value_and_no_unknown_flag() {
    for (arguments, needed) in [
        (&["prune", "--older-than", "-1"][..], "whole number of days"),
        (&["prune", "--older-than", "-8w"], "whole number of days"),
        (&["reconcile", "--grace", "-1"], "whole number of seconds"),
        (
            &["reconcile", "--spawn-grace", "-1"],
            "whole number of seconds",
        ),
        (
            &["reconcile", "--lock-timeout", "-1"],
            "whole number of seconds",
        ),
        (&["reconcile", "--poll", "-1"], "whole number of seconds"),
        (
            &["reconcile", "--poll", "--timeout", "-1"],
            "whole number of seconds",
        ),
        (
            &["reconcile", "--subscribe", "--idle-timeout", "-1"],
            "whole number of seconds",
        ),
        (
            &["reconcile", "--subscribe", "--resync", "-1"],
            "whole number of seconds",
        ),
        (
            &["reconcile", "--subscribe", "--port", "-1"],
            "-1 is not in",
        ),
        (&["watch", "--interval", "-1"], "whole number of seconds"),
        (&["worker", "--interval", "-1"], "90s, 30m, 8h or 1d"),
        (&["worker", "--interval", "-30m"], "90s, 30m, 8h or 1d"),
        (&["worker", "--heartbeat", "-1"], "90s, 30m, 8h or 1d"),
        (&["worker", "--max-runtime", "-1d"], "90s, 30m, 8h or 1d"),
        (&["worker", "--turn", "-1"], "90s, 30m, 8h or 1d"),
        (
            &["worker", "--claim", "--claim-ttl", "-1"],
            "90s, 30m, 8h or 1d",
        ),
        (&["dispatch", "--max-runtime", "-1"], "90s, 30m, 8h or 1d"),
        (&["log", "-n", "-1"], "a whole number is needed"),
        (&["undo", "-1"], "not a number of a change"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = stderr(&output);
        let start = text.starts_with("ERROR: invalid value '-");
        assert!(start && text.contains(needed), "{arguments:?}: {text}");
    }
}

#[test]
fn no_argument_reaches_a_terminal_raw() {
    let output = run(&["reconcile", "--x\u{1b}]0;gotcha\u{7}"]);
    assert!(!stderr(&output).contains('\u{1b}'));
}

#[test]
fn every_schema_is_printed_as_it_is_committed() {
    let output = run(&["schema", "report"]);
    assert_eq!(output.status.code(), Some(0));
    let committed = include_str!("../../schemas/report.schema.json");
    assert_eq!(stdout(&output), committed);
}

#[test]
fn whoever_reads_only_the_beginning_causes_no_error() {
    let mut child = headcount(&["schema", "report"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}

#[test]
fn an_output_that_cannot_be_written_is_an_error() {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = headcount(&["schema", "report"])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("cannot write to standard output"));
}

#[test]
fn without_a_home_it_says_where_else_the_state_may_go() {
    let output = headcount(&["reconcile", "--once"])
        .env_remove("HOME")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("--state-dir"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn what_the_system_said_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let roll = folder.path().join("roll.yaml");
    fs::write(&roll, "tmux_sessions: []\n").unwrap();
    let roll = roll.to_str().unwrap();
    let long = format!("/tmp/{}", "x".repeat(300));
    for command in [
        &["log"][..],
        &["undo"],
        &["undo", "1"],
        &["ack", "A-1"],
        &["prune"],
        &["init"],
        &["status"],
        &["explain", "x"],
        &["resume"],
        &["doctor"],
        &["plan"],
        &["reconcile", "--once"],
        &["reconcile", "--dry-run"],
        &["reconcile", "--poll", "--timeout", "1"],
        &["status", "--all-rolls"],
        &["validate"],
        &["record", "out"],
    ] {
        let at_a_roll = ["--registry", roll, "--state-dir", &long];
        let at_all = ["--state-dir", &long];
        let at_a_long_one = ["--registry", &long];
        let places = match command {
            ["validate"] => &[&at_a_long_one[..]][..],
            [_, "--all-rolls"] => &[&at_all[..]],
            _ => &[&at_a_roll[..], &at_all, &at_a_long_one],
        };
        for places in places {
            let output = headcount(&[command, places].concat())
                .current_dir(folder.path())
                .env("AGENT_SESSIONS_YAML", roll)
                .env("AGENT_SESSIONS_STATE_DIR", folder.path().join("state"))
                .output()
                .unwrap();
            for text in [stdout(&output), stderr(&output)] {
                for line in text.lines() {
                    let times = line.matches("(os error").count();
                    assert!(times <= 1, "{command:?} {places:?}: {line}");
                }
            }
        }
    }
    let told = headcount(&["log", "--registry", roll, "--state-dir", &long])
        .output()
        .unwrap();
    assert!(stderr(&told).contains("File name too long (os error 36)"));
}

#[test]
fn the_version_names_the_build_on_one_line() {
    let output = run(&["--version"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    let start = concat!("headcount ", env!("CARGO_PKG_VERSION"));
    assert!(text.starts_with(start) && text.ends_with('\n'), "{text:?}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn bash_completes_commands_and_flags_by_what_is_printed_for_it() {
    let script = stdout(&run(&["completions", "bash"]));
    let complete = |words: &str, last: usize| {
        let asked = format!(
            "{script}\nCOMP_WORDS=({words}); COMP_CWORD={last}; _headcount headcount \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; echo \"${{COMPREPLY[@]}}\""
        );
        let bash = std::process::Command::new("bash")
            .args(["--norc", "-c", &asked])
            .output()
            .unwrap();
        stdout(&bash)
    };
    assert_eq!(complete("headcount recon", 1), "reconcile\n");
    assert_eq!(complete("headcount reconcile --dry", 2), "--dry-run\n");
    assert_eq!(complete("headcount completions ba", 2), "bash\n");
}

#[test]
fn every_shell_and_every_command_has_its_text() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(stdout(&output).contains("reconcile"), "{shell}");
    }
    let page = stdout(&run(&["man"]));
    assert!(page.contains(".TH headcount 1"), "{page}");
    let page = stdout(&run(&["man", "apply"]));
    assert!(page.contains(".TH headcount-apply 1"), "{page}");
    assert!(page.contains("lock\\-timeout"), "{page}");

    let unknown = run(&["man", "nothing"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(stderr(&unknown).contains("there is no command nothing; there are: status, "));
}
