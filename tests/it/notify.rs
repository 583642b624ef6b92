//! A command is told what happens.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Machine, Pass, Process, Session, Watching, skip, wait_until};

const NAME: &str = "shop-creator-claude";
const OTHER: &str = "blog-creator-claude";

/// A file of the machine, to which commands write.
fn out(machine: &Machine) -> PathBuf {
    machine.root().join("out")
}

/// A command that keeps what it is told.
fn keep(machine: &Machine) -> String {
    format!("cat >> '{}'", out(machine).display())
}

/// All that was kept.
fn told(machine: &Machine) -> Vec<Value> {
    let text = fs::read_to_string(out(machine)).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect()
}

/// What was kept of a session, as `EVENT CLASS`.
fn told_of(machine: &Machine, session: &str) -> Vec<String> {
    told(machine)
        .iter()
        .filter(|notice| notice["session"] == session)
        .map(|notice| {
            let about = ["drift", "resolved", "job"].map(|key| &notice[key]);
            let about = about.into_iter().find(|it| !it.is_null()).unwrap();
            let class = about["class"].as_str().unwrap_or("-");
            format!("{} {class}", notice["event"].as_str().unwrap())
        })
        .collect()
}

#[track_caller]
fn wait_for(machine: &Machine, session: &str, events: &[&str]) {
    wait_until(&format!("{events:?} of {session}"), || {
        (told_of(machine, session) == events).then_some(())
    });
}

/// A row whose session is gone.
fn with_an_end(machine: &Machine) {
    let gone = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&gone).write();
    machine.settle(&machine.roll_path());
    gone.kill();
}

/// A loop that tells a command, and in which nothing is written for long.
fn watching(machine: &Machine, command: &str) -> Watching {
    machine
        .watch()
        .every(1)
        .grace(600)
        .arg("--spawn-grace")
        .arg("600")
        .arg("--notify")
        .arg(command)
        .start()
}

fn program(machine: &Machine, name: &str, script: &str) {
    let path = machine.bin().join(name);
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_single_pass_tells_what_it_wrote_and_prints_nothing_of_the_command() {
    let machine = Machine::new();
    with_an_end(&machine);
    machine.session(OTHER).running("claude").start();
    let command = format!("echo noise; echo noise >&2; {}", keep(&machine));

    let pass = machine
        .reconcile()
        .at_once()
        .arg("--notify")
        .arg(command)
        .run()
        .exits(0);

    assert!(pass.drift("A", NAME).is_applied());
    assert!(!pass.stdout.contains("noise") && !pass.stderr.contains("noise"));
    assert_eq!(told_of(&machine, NAME), ["written A"]);
    assert_eq!(told_of(&machine, OTHER), ["written B"]);
    let notice = &told(&machine)[0];
    assert_eq!(notice["comment"], pass.drift("A", NAME)["comment"]);
    assert_eq!(notice["yaml_path"], *machine.roll_path().to_str().unwrap());
}

#[test]
fn a_loop_tells_what_opens_and_what_is_over() {
    let machine = Machine::new();
    machine.session("bystander").start();
    machine.roll().write();
    let _watching = watching(&machine, &keep(&machine));

    let session = machine.session(NAME).running("claude").start();
    wait_for(&machine, NAME, &["opened B"]);
    session.kill();
    wait_for(&machine, NAME, &["opened B", "resolved B"]);
}

#[test]
fn what_one_pass_tells_no_other_tells_again() {
    let machine = Machine::new();
    with_an_end(&machine);
    let command = keep(&machine);
    for _ in 0..2 {
        let reconcile = machine.reconcile().at_once().arg("--notify").arg(&command);
        let _ = reconcile.run().exits(0);
    }
    let mut watching = watching(&machine, &command);
    watching.wait_for_passes(2);
    watching.signal(Signal::TERM);
    watching.end();
    assert_eq!(told_of(&machine, NAME), ["written A"]);
}

#[test]
fn a_dry_run_tells_nobody() {
    let machine = Machine::new();
    with_an_end(&machine);
    let before = machine.footprint();
    let command = keep(&machine);
    let once = machine.reconcile().arg("--dry-run").arg("--notify");
    let _ = once.arg(&command).run().exits(0);
    let mut watching = machine
        .watch()
        .every(1)
        .arg("--dry-run")
        .arg("--notify")
        .arg(&command)
        .start();
    watching.wait_for_passes(2);
    watching.signal(Signal::TERM);
    watching.end();
    assert_eq!(machine.footprint(), before);
    assert!(!out(&machine).exists());
}

/// What a command wrote of its own process to a file.
fn process_in(file: &Path) -> Process {
    wait_until("the command to begin", || {
        let pid = fs::read_to_string(file).ok()?.trim().parse().ok()?;
        Process::find(pid)
    })
}

#[test]
fn a_command_that_hangs_keeps_no_pass_waiting_and_ends_with_the_loop() {
    let machine = Machine::new();
    with_an_end(&machine);
    let (leader, child) = (machine.root().join("leader"), machine.root().join("child"));
    // It ignores what it can, and so does what it has started.
    let command = format!(
        "trap '' TERM HUP INT; sleep 9999 & echo $! > '{}'; echo $$ > '{}'; wait",
        child.display(),
        leader.display()
    );
    let mut watching = watching(&machine, &command);
    let hung = [process_in(&leader), process_in(&child)];

    let session = machine.session(OTHER).running("claude").start();
    watching.wait_for_drift("B", OTHER, |_| true);
    session.kill();

    watching.signal(Signal::TERM);
    assert_eq!(watching.end(), Some(143));
    for process in hung {
        process.wait_for_end();
    }
}

#[test]
fn a_command_that_hangs_is_ended_in_time_with_its_children_and_the_next_thing_is_told() {
    let machine = Machine::new();
    with_an_end(&machine);
    let (leader, child) = (machine.root().join("leader"), machine.root().join("child"));
    let command = format!(
        "{}; [ -e '{}' ] && exit; sleep 9999 & echo $! > '{}'; echo $$ > '{}'; wait",
        keep(&machine),
        leader.display(),
        child.display(),
        leader.display()
    );
    let watching = watching(&machine, &command);
    let hung = [process_in(&leader), process_in(&child)];
    machine.session(OTHER).running("claude").start();

    for process in hung {
        process.wait_for_end();
    }
    watching.wait_for_word("it did not end within 10 s");
    wait_for(&machine, OTHER, &["opened B"]);
}

#[test]
fn a_command_that_fails_is_told_of_once_and_stops_nothing() {
    let machine = Machine::new();
    with_an_end(&machine);
    let command = format!("{}; exit 3", keep(&machine));
    let watching = watching(&machine, &command);
    wait_for(&machine, NAME, &["opened A"]);
    let session = machine.session(OTHER).running("claude").start();
    wait_for(&machine, OTHER, &["opened B"]);
    session.kill();
    wait_for(&machine, OTHER, &["opened B", "resolved B"]);
    watching.wait_for_passes(watching.passes().len() + 1);
    assert_eq!(watching.says("exit status: 3"), 1, "{}", watching.said());
}

#[test]
fn what_was_to_be_told_when_the_loop_was_killed_is_told_by_the_next() {
    let machine = Machine::new();
    with_an_end(&machine);
    let leader = machine.root().join("leader");
    let hang = format!("echo $$ > '{}'; exec sleep 9999", leader.display());
    let mut killed = watching(&machine, &hang);
    let hung = process_in(&leader);
    killed.signal(Signal::KILL);
    wait_until("its end", || (!killed.is_running()).then_some(()));
    hung.signal(Signal::KILL);

    let _watching = watching(&machine, &keep(&machine));

    wait_for(&machine, NAME, &["opened A"]);
}

#[test]
fn the_command_may_stand_in_the_projects_settings_but_runs_only_if_asked_for() {
    let machine = Machine::new();
    with_an_end(&machine);
    let bare = || machine.reconcile().at_once().arg("--notify").run();
    bare().exits(2).complains_of("headcount.toml");
    let toml = machine.roll_path().with_file_name("headcount.toml");
    fs::write(&toml, format!("notify = \"{}\"\n", keep(&machine))).unwrap();

    let _ = machine
        .reconcile()
        .grace(600)
        .arg("--dry-run")
        .run()
        .exits(0);
    let mut unasked = machine.watch().every(1).grace(600).start();
    unasked.wait_for_passes(2);
    unasked.signal(Signal::TERM);
    unasked.end();
    assert!(!out(&machine).exists());

    let _ = bare().exits(0);
    assert_eq!(told_of(&machine, NAME), ["written A"]);
}

#[test]
fn the_command_gets_the_environment_without_what_is_headcounts_own() {
    let machine = Machine::new();
    with_an_end(&machine);
    let command = format!("env > '{}'", out(&machine).display());
    let mut reconcile = machine
        .reconcile()
        .at_once()
        .arg("--notify")
        .arg(command)
        .into_command();
    reconcile
        .env("MQTT_PASSWORD", "kT7-password")
        .env("NOTIFY_SOCKET", "/nonexistent")
        .env("MINE", "my own");

    let _ = Pass::of(reconcile).exits(0);

    let environment = fs::read_to_string(out(&machine)).unwrap();
    for line in [
        "MINE=my own",
        "HEADCOUNT_EVENT=written",
        &format!("HEADCOUNT_SESSION={NAME}"),
        &format!("HEADCOUNT_COMMENT={NAME}: tmux gone"),
    ] {
        let begins = |it: &str| it.starts_with(line);
        assert!(environment.lines().any(begins), "{line}: {environment}");
    }
    for own in ["MQTT_", "NOTIFY_SOCKET", "kT7"] {
        assert!(!environment.contains(own), "{environment}");
    }
}

/// The program that `docs/notify.md` shows under that name.
fn recipe(name: &str) -> String {
    let docs = include_str!("../../docs/notify.md");
    let (_, rest) = docs.split_once(&format!(" {name}\n")).expect(name);
    rest.split_once("```").expect(name).0.to_owned()
}

/// The command that a recipe has for `--notify`.
fn command_of(recipe: &str) -> String {
    let (_, rest) = recipe.split_once("--notify '").unwrap();
    rest.rsplit_once('\'').unwrap().0.to_owned()
}

/// Makes a pass that writes something, with a recipe in the place of all that it is run with.
fn run_recipe(machine: &Machine, recipe: &str, variables: &[(&str, &str)]) {
    let command = command_of(recipe);
    let reconcile = machine.reconcile().at_once().arg("--notify").arg(command);
    let mut reconcile = reconcile.into_command();
    reconcile.envs(variables.iter().copied());
    let said = Pass::of(reconcile).exits(0);
    assert!(!said.stderr.contains("failed"), "{said:?}");
}

#[test]
fn the_recipe_for_the_desktop_shows_a_notice() {
    let machine = Machine::new();
    with_an_end(&machine);
    let script = format!("printf '%s\\n' \"$@\" > '{}'", out(&machine).display());
    program(&machine, "notify-send", &script);

    run_recipe(&machine, &recipe("desktop"), &[]);

    let shown = fs::read_to_string(out(&machine)).unwrap();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(
        lines[..3],
        ["--app-name=headcount", "--", "headcount: written"]
    );
    assert!(
        lines[3].starts_with(&format!("{NAME}: tmux gone")),
        "{shown}"
    );
}

#[test]
fn the_recipe_for_a_webhook_posts_the_notice() {
    let machine = Machine::new();
    with_an_end(&machine);
    if machine.command("curl").arg("--version").output().is_err() {
        return skip("curl is not installed");
    }
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/hook", server.local_addr().unwrap());
    let request = std::thread::spawn(move || {
        let (mut caller, _) = server.accept().unwrap();
        let mut text = Vec::new();
        let mut piece = [0; 4096];
        while !String::from_utf8_lossy(&text).trim_end().ends_with("}") {
            let read = caller.read(&mut piece).unwrap();
            assert!(read > 0, "{}", String::from_utf8_lossy(&text));
            text.extend_from_slice(&piece[..read]);
        }
        caller
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap();
        String::from_utf8(text).unwrap()
    });
    let webhook = recipe("webhook");
    assert!(webhook.contains("export HEADCOUNT_WEBHOOK="), "{webhook}");

    run_recipe(&machine, &webhook, &[("HEADCOUNT_WEBHOOK", &address)]);

    let request = request.join().unwrap();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /hook "), "{head}");
    assert!(head.contains("application/json"), "{head}");
    let notice: Value = serde_json::from_str(body).unwrap();
    assert_eq!(notice["event"], "written");
    assert_eq!(notice["drift"]["session"], NAME);
}

#[test]
fn the_recipe_for_a_prompt_and_a_status_line_shows_the_last_thing() {
    let machine = Machine::new();
    let sessions: Vec<Session> = ["bystander"]
        .map(|name| machine.session(name).start())
        .into();
    let gone = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&gone).write();
    machine.settle(&machine.roll_path());
    gone.kill();

    run_recipe(&machine, &recipe("marker"), &[]);

    let news = fs::read_to_string(machine.home().join(".headcount-news")).unwrap();
    assert!(news.starts_with(&format!("{NAME}: tmux gone")), "{news}");

    let script = format!("PS1=before\n{}printf '%s' \"${{PS1@P}}\"", recipe("prompt"));
    let prompt = machine
        .command("bash")
        .args(["-c", &script])
        .output()
        .unwrap();
    let prompt = String::from_utf8(prompt.stdout).unwrap();
    assert!(
        prompt.starts_with(NAME) && prompt.ends_with("before"),
        "{prompt}"
    );

    let conf = machine.root().join("tmux.conf");
    fs::write(&conf, recipe("status")).unwrap();
    let server = machine.server("default");
    server.run(&["source-file", conf.to_str().unwrap()]);
    let watcher = machine
        .session("watcher")
        .server("outer")
        .executing(&[
            "env",
            "-u",
            "TMUX",
            "tmux",
            "-L",
            "default",
            "attach",
            "-t",
            "bystander",
        ])
        .start();
    wait_until("the status line", || {
        let screen = watcher.screen();
        screen.contains(&format!("{NAME}: tmux gone")).then_some(())
    });
    drop(sessions);
}
