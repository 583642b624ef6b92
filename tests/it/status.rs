//! `headcount status`: how every session stands, for people and programs.

mod screen;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::{Agent, Machine, Pass, Roll, conversation, names};

/// The document of `status --json`, with more arguments.
#[track_caller]
fn status(machine: &Machine, more: &[&str]) -> Value {
    let args: Vec<&str> = ["status", "--json"].iter().chain(more).copied().collect();
    machine.headcount(&args).exits(0).report()
}

/// What is told of a session.
#[track_caller]
fn session(document: &Value, name: &str) -> Value {
    let sessions = document["sessions"].as_array().unwrap();
    let found = sessions.iter().find(|session| session["name"] == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {document:#}"))
        .clone()
}

/// A machine with a session that is in order, one that nobody declared, one that is gone, one that ended long ago
/// and one that has nothing to do with agents.
fn busy() -> Machine {
    let machine = Machine::new();
    let [fine, gone] = ["web-creator-claude", "api-creator-claude"]
        .map(|name| machine.session(name).running("claude").start());
    machine
        .claude()
        .pid_file(&fine)
        .id(&conversation(1))
        .status("waiting")
        .write();
    machine
        .claude()
        .transcript(&fine.cwd, &conversation(1))
        .write();
    machine
        .roll()
        .row("web-creator-claude")
        .pane(&fine)
        .set("claude_session_id_own", conversation(1))
        .row("api-creator-claude")
        .pane(&gone)
        .row("old-creator-claude")
        .status("terminated")
        .set("claude_session_id_own", conversation(9))
        .write();
    machine.settle(&machine.roll_path());
    machine
        .session("new-creator-codex")
        .running("codex")
        .start();
    machine.session("editor").start();
    gone.kill();
    machine
}

#[test]
fn every_session_is_shown_declared_or_not_and_trouble_comes_first() {
    let machine = busy();
    let document = status(&machine, &[]);

    assert_eq!(
        names(&document),
        [
            "api-creator-claude",
            "new-creator-codex",
            "web-creator-claude",
            "editor"
        ]
    );
    assert_eq!(document["verdict"], "drifted");
    let web = session(&document, "web-creator-claude");
    assert_eq!(web["status"], "running");
    assert_eq!(
        (&web["seen"], &web["activity"]),
        (&"agent".into(), &"waiting".into())
    );
    assert_eq!(web["conversation"]["id"], conversation(1));
    assert_eq!(web["conversation"]["file"], "present");
    assert_eq!(web["folder"].as_str(), machine.project().to_str());
    assert!(
        web["last_activity"].is_string() && web["created_at"].is_string(),
        "{web:#}"
    );
    let new = session(&document, "new-creator-codex");
    assert_eq!(
        (&new["declared"], &new["agent"]),
        (&false.into(), &"codex".into())
    );
    assert_eq!(new["drifts"][0]["kind"], "unregistered");
    let api = session(&document, "api-creator-claude");
    assert_eq!(api["seen"], "gone");
    assert_eq!(api["drifts"][0]["reason"], "session_gone");
    assert_eq!(session(&document, "editor")["concern"], "bystander");
}

#[test]
fn rows_that_ended_and_are_in_order_are_counted_and_all_shows_them() {
    let machine = busy();
    let hidden = machine.headcount(&["status"]).exits(0).stdout;
    assert!(!hidden.contains("old-creator-claude"), "{hidden}");
    assert!(
        hidden.contains("Not shown: 1 ended row in order (--all)."),
        "{hidden}"
    );

    let shown = status(&machine, &["--all"]);
    let old = session(&shown, "old-creator-claude");
    assert_eq!(
        (&old["status"], &old["seen"]),
        (&"terminated".into(), &"gone".into())
    );
    assert_eq!(old["conversation"]["file"], "absent");
    assert_eq!(names(&shown).last(), Some(&"old-creator-claude"));
}

#[test]
fn the_table_has_a_line_for_each_session_and_its_drift_below() {
    let machine = busy();
    let table = machine.headcount(&["status"]).exits(0).stdout;

    let lines: Vec<&str> = table.lines().collect();
    assert!(
        lines[0].starts_with("drifted: 3 live sessions, 2 drifts"),
        "{table}"
    );
    let at = lines
        .iter()
        .position(|line| line.starts_with("! api-creator-claude"))
        .unwrap_or_else(|| panic!("{table}"));
    assert!(
        lines[at].contains("running") && lines[at].contains("gone"),
        "{table}"
    );
    assert!(
        lines[at + 1].starts_with("  - A tmux_gone (session_gone): tmux gone"),
        "{table}"
    );
    let web = lines
        .iter()
        .find(|line| line.starts_with("  web-creator-claude"))
        .unwrap();
    let id = &conversation(1)[..8];
    for word in ["claude", "running", "waiting", id] {
        assert!(web.contains(word), "no {word} in {web}");
    }
}

#[test]
fn it_says_of_the_sessions_that_are_asked_for() {
    let machine = busy();
    let one = status(&machine, &["web-creator-claude"]);
    assert_eq!(names(&one), ["web-creator-claude"]);
    assert_eq!(one["verdict"], "in order");
    let ended = status(&machine, &["old-creator-claude", "editor"]);
    assert_eq!(names(&ended), ["editor", "old-creator-claude"]);
}

#[test]
fn a_name_that_is_unknown_is_told_with_those_that_are_near() {
    let machine = busy();
    let pass = machine
        .headcount(&["status", "wbe-creator-claude"])
        .exits(2);
    assert_eq!(pass.stdout, "");
    pass.complains_of("no row and no live session is called wbe-creator-claude");
    pass.complains_of("web-creator-claude");
    let pass = machine.headcount(&["status", "zzz"]).exits(2);
    pass.complains_of("headcount status --all");
}

#[test]
fn without_a_roll_it_shows_what_runs() {
    let machine = Machine::new();
    machine
        .session("web-creator-claude")
        .running("claude")
        .start();

    let document = status(&machine, &[]);

    assert_eq!(document["yaml_path"], Value::Null);
    assert_eq!(document["verdict"], "in order");
    assert_eq!(names(&document), ["web-creator-claude"]);
    assert!(
        session(&document, "web-creator-claude")["drifts"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let table = machine.headcount(&["status"]).exits(0).stdout;
    assert!(table.contains("no roll here"), "{table}");
}

#[test]
fn a_roll_that_is_named_has_to_be_there() {
    let machine = Machine::new();
    let pass = machine
        .headcount(&["status", "--registry", "nowhere.yaml"])
        .exits(1);
    pass.complains_of("nowhere.yaml");
}

#[test]
fn its_exit_code_is_that_of_a_pass() {
    let machine = busy();
    let detailed = |more: &[&str]| {
        let args: Vec<&str> = ["status", "--detailed-exitcode"]
            .iter()
            .chain(more)
            .copied()
            .collect();
        machine.headcount(&args).code
    };
    assert_eq!(detailed(&[]), Some(2));
    assert_eq!(detailed(&["web-creator-claude"]), Some(0));
    assert_eq!(detailed(&["nobody"]), Some(1));
    let blind = machine.path_with_tmux("exit 1");
    let mut command = machine.headcount_command(&["status", "--detailed-exitcode"]);
    command.env("PATH", blind);
    let pass = Pass::of(command).exits(3);
    assert!(pass.stdout.starts_with("blind: "), "{}", pass.stdout);
}

#[test]
fn what_could_not_be_looked_for_is_never_told_to_be_gone() {
    let machine = busy();
    let blind = machine.path_with_tmux("echo no permission >&2; exit 1");
    let mut command = machine.headcount_command(&["status", "--json", "--all"]);
    command.env("PATH", blind);

    let document = Pass::of(command).exits(0).report();

    assert_eq!(document["verdict"], "blind");
    for name in [
        "web-creator-claude",
        "api-creator-claude",
        "old-creator-claude",
    ] {
        let session = session(&document, name);
        assert_eq!(session["seen"], "unseen", "{session:#}");
        assert!(
            session["seen_why"]
                .as_str()
                .unwrap()
                .contains("no permission"),
            "{session:#}"
        );
    }
}

#[test]
fn a_row_that_may_live_somewhere_else_is_not_told_to_be_gone() {
    let machine = Machine::new();
    let elsewhere = machine
        .session("web-creator-claude")
        .socket(machine.folder("far").join("socket"))
        .running("claude")
        .start();
    machine.session("other").start();
    machine.write_roll(format!(
        "tmux_sessions:\n- {{name: web-creator-claude, status: running, pane: {{pid: {}}}}}\n",
        elsewhere.pid()
    ));

    let document = status(&machine, &[]);

    let web = session(&document, "web-creator-claude");
    assert_eq!(web["seen"], "doubtful", "{web:#}");
    assert_eq!(web["drifts"][0]["held"]["reason"], "process_alive");
    let table = machine.headcount(&["status"]).exits(0).stdout;
    assert!(table.contains("gone?"), "{table}");
}

#[test]
fn it_writes_nothing_and_minds_neither_locks_nor_loops() {
    let machine = busy();
    let before = machine.footprint();
    let _ = machine.headcount(&["status", "--all"]).exits(0);
    assert_eq!(machine.footprint(), before);

    let mut watching = machine.watch().every(30).start();
    machine.wait_until_remembered("web-creator-claude");
    let _ = machine.headcount(&["status"]).exits(0);
    watching.signal(Signal::TERM);
    let _ = watching.end();
}

#[test]
fn it_starts_tmux_once_for_each_server() {
    let machine = Machine::new();
    for server in ["default", "one", "two"] {
        machine
            .session("shop")
            .server(server)
            .running("claude")
            .start();
    }
    let calls = machine.root().join("calls");
    let path = machine.path_with_tmux(&format!(
        "echo . >> '{}'; exec \"$TMUX_ITSELF\" \"$@\"",
        calls.display()
    ));
    let mut command = machine.headcount_command(&["status"]);
    command.env("PATH", path);

    let _ = Pass::of(command).exits(0);

    let calls = std::fs::read_to_string(calls).unwrap();
    assert_eq!(calls.lines().count(), 3, "tmux was started {calls}");
}

#[test]
fn agents_in_sessions_of_any_name_are_seen() {
    let machine = Machine::new();
    let plain = machine
        .session("plain")
        .running(Agent::claude().under_a_shell())
        .start();
    machine
        .claude()
        .pid_file(&plain)
        .id(&conversation(3))
        .write();
    machine
        .claude()
        .transcript(&plain.cwd, &conversation(3))
        .write();
    machine.roll().row("other").status("stopped").write();

    let document = status(&machine, &[]);

    let plain = session(&document, "plain");
    assert_eq!(plain["agent"], "claude");
    assert_eq!(plain["conversation"]["id"], conversation(3));
    assert_eq!(plain["conversation"]["file"], "present");
    assert_eq!(plain["concern"], "fine");
    assert_eq!(document["verdict"], "in order");
}

#[test]
fn a_row_that_is_wrong_is_shown_with_what_is_wrong() {
    let machine = Machine::new();
    machine.write_roll("tmux_sessions:\n- {name: shop, status: running, pane: 4711}\n");

    let document = status(&machine, &[]);

    let shop = session(&document, "shop");
    assert_eq!(
        (&shop["declared"], &shop["status"]),
        (&true.into(), &Value::Null)
    );
    assert_eq!(shop["notes"][0]["kind"], "invalid_row");
    let _ = Roll::read(&machine.roll_path());
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    let machine = busy();
    let colour = |args: &[&str]| machine.headcount(args).exits(0).stdout.contains('\u{1b}');
    assert!(!colour(&["status"]));
    assert!(!colour(&["status", "--color", "never"]));
    assert!(colour(&["status", "--color", "always"]));
    assert!(!colour(&["status", "--color", "always", "--json"]));
}
