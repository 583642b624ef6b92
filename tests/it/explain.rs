//! `headcount explain`: the verdict on one session, and everything it rests on.

use std::process::Command;

use serde_json::Value;

use crate::support::{Machine, Pass, conversation};

/// The only explanation of a session.
#[track_caller]
fn explained(machine: &Machine, name: &str) -> Value {
    let document = machine
        .headcount(&["explain", name, "--json"])
        .exits(0)
        .report();
    let all = document["explanations"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{document:#}");
    all[0].clone()
}

/// Whether any evidence of that source says that.
fn says(explanation: &Value, source: &str, text: &str) -> bool {
    explanation["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .any(|it| {
            it["source"].as_str().unwrap().contains(source)
                && it["said"].as_str().unwrap().contains(text)
        })
}

fn rules(explanation: &Value) -> Vec<&str> {
    let rules = explanation["rules"].as_array().unwrap();
    rules
        .iter()
        .map(|rule| rule["name"].as_str().unwrap())
        .collect()
}

/// A session with a conversation, as its row says.
fn with_a_conversation(folder: &str) -> Machine {
    let machine = Machine::new();
    let folder = machine.folder(folder);
    let web = machine
        .session("web-creator-claude")
        .cwd(&folder)
        .running("claude")
        .start();
    machine.claude().pid_file(&web).id(&conversation(1)).write();
    machine
        .claude()
        .transcript(&web.cwd, &conversation(1))
        .write();
    machine
        .roll()
        .row("web-creator-claude")
        .pane(&web)
        .set("claude_session_id_own", conversation(1))
        .write();
    machine.settle(&machine.roll_path());
    machine
}

#[test]
fn a_session_in_order_is_explained_from_the_roll_to_its_conversation() {
    let machine = with_a_conversation("web");

    let web = explained(&machine, "web-creator-claude");

    assert_eq!(web["session"]["seen"], "agent");
    assert_eq!(rules(&web), ["joined_by_pid"]);
    for (source, text) in [
        ("agent-sessions.yaml", "tmux_sessions[0] says running"),
        ("tmux:default", "has 1 sessions"),
        ("pane %0", "claude runs in it"),
        (
            "sessions/",
            &*format!("has conversation {}", conversation(1)),
        ),
        (".jsonl", "last written to"),
    ] {
        assert!(
            says(&web, source, text),
            "{source}: {text} is not in {web:#}"
        );
    }
    let text = machine
        .headcount(&["explain", "web-creator-claude"])
        .exits(0)
        .stdout;
    for head in [
        "Decided by",
        "What was looked at",
        "What would change this",
        "To take its conversation up again",
    ] {
        assert!(text.contains(head), "no {head} in:\n{text}");
    }
}

#[test]
fn an_end_is_explained_by_the_listing_and_the_process() {
    let machine = with_a_conversation("web");
    let _ = machine.reconcile().run().exits(0);
    machine
        .server("default")
        .run(&["new-session", "-d", "-s", "other", "sleep", "999"]);
    machine
        .server("default")
        .run(&["kill-session", "-t", "web-creator-claude"]);
    let pid = machine.row("web-creator-claude")["pane"]["pid"].to_string();
    crate::support::wait_until("the end of the agent", || {
        (!std::path::Path::new("/proc").join(&pid).exists()).then_some(())
    });

    let web = explained(&machine, "web-creator-claude");

    assert_eq!(web["session"]["seen"], "gone");
    assert_eq!(rules(&web), ["proven_absence", "tmux_gone", "two_looks"]);
    assert!(
        says(
            &web,
            "tmux:default",
            "lists all of its 1 sessions, and this is none of them"
        ),
        "{web:#}"
    );
    assert!(
        says(&web, &format!("process {pid}"), "no process"),
        "{web:#}"
    );
    assert!(
        says(&web, "memory", "a pass last saw it alive then"),
        "{web:#}"
    );
    let change = web["would_change"][0].as_str().unwrap();
    assert!(change.contains("looks twice"), "{change}");
    assert_eq!(web["resume"]["after"], Value::Null);
}

#[test]
fn what_could_not_be_looked_for_is_explained_by_what_was_in_the_way() {
    let machine = with_a_conversation("web");
    let mut command = machine.headcount_command(&["explain", "web-creator-claude", "--json"]);
    command.env(
        "PATH",
        machine.path_with_tmux("echo permission denied >&2; exit 1"),
    );

    let web = Pass::of(command).exits(0).report()["explanations"][0].clone();

    assert_eq!(web["session"]["seen"], "unseen");
    assert_eq!(rules(&web), ["could_not_look"]);
    assert!(says(&web, "tmux:default", "permission denied"), "{web:#}");
}

#[test]
fn a_session_that_nobody_declared_is_explained() {
    let machine = with_a_conversation("web");
    machine.session("new-creator-agy").running("agy").start();

    let new = explained(&machine, "new-creator-agy");

    assert_eq!(
        rules(&new),
        ["undeclared", "unregistered", "time_for_its_maker"]
    );
    assert!(
        says(&new, "agent-sessions.yaml", "no row has this name"),
        "{new:#}"
    );
    assert!(
        new["would_change"][0]
            .as_str()
            .unwrap()
            .contains("unregistered"),
        "{new:#}"
    );
}

#[test]
fn what_is_held_says_what_to_do() {
    let machine = Machine::new();
    machine.write_roll(
        "tmux_sessions:\n- {name: web-creator-claude, status: running, pane: {pid: 1}}\n",
    );
    machine.session("other").start();
    let elsewhere = machine
        .session("web-creator-claude")
        .socket(machine.folder("far").join("socket"))
        .running("claude")
        .start();
    machine.write_roll(format!(
        "tmux_sessions:\n- {{name: web-creator-claude, status: running, pane: {{pid: {}}}}}\n",
        elsewhere.pid()
    ));

    let web = explained(&machine, "web-creator-claude");

    assert_eq!(
        rules(&web),
        ["cross_examination", "tmux_gone", "process_alive"]
    );
    let change = web["would_change"][0].as_str().unwrap();
    assert!(
        change.contains("held back") && change.contains("process"),
        "{change}"
    );
}

#[test]
fn the_command_that_takes_a_conversation_up_again_works_in_a_shell() {
    let machine = with_a_conversation("it's a $folder; with (much) in its name");
    // What would be run, instead of Claude Code: it says where it is and what it was told.
    let program = machine.bin().join("claude");
    std::fs::write(&program, "#!/bin/sh\npwd\necho \"$@\"\n").unwrap();
    assert!(
        Command::new("chmod")
            .arg("+x")
            .arg(&program)
            .status()
            .unwrap()
            .success()
    );

    let resume = explained(&machine, "web-creator-claude")["resume"].clone();

    assert!(
        resume["after"].as_str().unwrap().starts_with("process "),
        "{resume:#}"
    );
    let command = resume["command"].as_str().unwrap();
    let ran = machine
        .command("sh")
        .args(["-c", command])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8(ran.stdout).unwrap(),
        format!(
            "{}\n--resume {}\n",
            machine
                .root()
                .join("it's a $folder; with (much) in its name")
                .display(),
            conversation(1)
        )
    );
    let text = machine
        .headcount(&["explain", "web-creator-claude"])
        .exits(0)
        .stdout;
    assert!(text.lines().any(|line| line.trim() == command), "{text}");
}

#[test]
fn a_session_that_a_pass_has_just_registered_was_seen_alive_by_it() {
    let machine = Machine::new();
    let _new = machine
        .session("web-creator-claude")
        .running("claude")
        .start();
    machine.roll().write();
    machine.settle(&machine.roll_path());
    let _ = machine.reconcile().at_once().run().exits(0);

    let explained = machine.headcount(&["explain", "web-creator-claude"]);
    let text = explained.exits(0).stdout;
    assert!(text.contains("a pass last saw it alive then"), "{text}");
}

#[test]
fn conversations_that_a_session_had_before_are_listed_with_their_commands() {
    let machine = Machine::new();
    let folder = machine.folder("shop");
    let _ = machine
        .claude()
        .transcript(&folder, &conversation(2))
        .write();
    machine.write_roll(format!(
        "tmux_sessions:\n- name: old-creator-claude\n  status: stopped\n  pane: {{cwd: {}}}\n  \
         claude_session_id_own: {}\n  claude_session_id_own_previous: [{}, {}]\n",
        folder.display(),
        conversation(1),
        conversation(2),
        conversation(3)
    ));

    let earlier = explained(&machine, "old-creator-claude")["earlier"].clone();
    let text = machine
        .headcount(&["explain", "old-creator-claude"])
        .exits(0)
        .stdout;

    let command = format!(
        "cd {} && claude --resume {}",
        folder.display(),
        conversation(2)
    );
    assert_eq!(earlier[0]["resume"]["command"], command, "{earlier:#}");
    assert!(text.lines().any(|line| line.trim() == command), "{text}");
    let gone = format!("{}: not possible: conversation", conversation(3));
    assert!(text.contains(&gone), "{text}");
    assert_eq!(earlier[1]["id"], conversation(3));
    assert_eq!(earlier[1]["resume"]["command"], Value::Null);
}

#[test]
fn a_conversation_without_a_file_cannot_be_taken_up() {
    let machine = Machine::new();
    machine
        .roll()
        .row("old-creator-claude")
        .status("stopped")
        .set("claude_session_id_own", conversation(4))
        .write();
    std::fs::create_dir_all(machine.home().join(".claude/projects")).unwrap();

    let old = explained(&machine, "old-creator-claude");

    assert_eq!(old["resume"]["command"], Value::Null);
    assert!(
        old["resume"]["why_not"]
            .as_str()
            .unwrap()
            .contains("has no file"),
        "{old:#}"
    );
}

#[test]
fn sessions_of_one_name_on_several_servers_are_all_explained() {
    let machine = Machine::new();
    for server in ["default", "work"] {
        machine
            .session("web")
            .server(server)
            .running("claude")
            .start();
    }
    let document = machine
        .headcount(&["explain", "web", "--json"])
        .exits(0)
        .report();
    let servers: Vec<&Value> = document["explanations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["session"]["tmux_server"])
        .collect();
    assert_eq!(servers, ["default", "work"]);
}

#[test]
fn an_unknown_name_ends_with_2_and_the_names_that_are_near() {
    let machine = with_a_conversation("web");
    let pass = machine.headcount(&["explain", "web"]).exits(2);
    assert_eq!(pass.stdout, "");
    pass.complains_of("no row and no live session is called web; did you mean web-creator-claude?");
}

#[test]
fn nothing_is_written_by_it() {
    let machine = with_a_conversation("web");
    let before = machine.footprint();
    let _ = machine
        .headcount(&["explain", "web-creator-claude"])
        .exits(0);
    assert_eq!(machine.footprint(), before);
}
