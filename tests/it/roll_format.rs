//! Rolls in every style that people and programs write: what is not touched stays as it was, byte for byte,
//! and PyYAML reads the result as it was meant.
//!
//! Each roll has a row whose session is gone, one whose conversation has begun, and none for a session that
//! somebody made by hand: so a row gets an end, one an id, and one is new. In the texts, `«` and `»` enclose
//! what may be touched; `«»` is where the new row may go.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use serde_json::{Value, json};

use crate::support::elsewhere::NOBODY;
use crate::support::{Machine, Pass, Roll, Session, conversation, dead_pid};

/// The world that all these rolls are about.
struct Scene<'m> {
    machine: &'m Machine,
    new: Session<'m>,
}

impl<'m> Scene<'m> {
    fn on(machine: &'m Machine) -> Self {
        let docs = machine.session("docs").running("claude").start();
        machine
            .claude()
            .pid_file(&docs)
            .id(&conversation(1))
            .write();
        machine
            .claude()
            .transcript(&docs.cwd, &conversation(1))
            .write();
        machine.lived("gone");
        let new = machine
            .session("new-creator-claude")
            .running("claude")
            .start();
        Self { machine, new }
    }

    /// Reconciles a roll.
    fn reconcile(&self, text: &str) -> Pass {
        self.machine.write_roll(text);
        self.machine.reconcile().at_once().run()
    }

    /// What a roll should be after what this pass wrote, as a document.
    fn expected(&self, before: &Value, pass: &Pass) -> Value {
        let mut document = before.clone();
        let rows = document["tmux_sessions"].as_array_mut().unwrap();
        for drift in pass.drifts().iter().filter(|drift| drift.is_applied()) {
            let row = rows.iter_mut().find(|row| row["name"] == drift["session"]);
            let after = drift["after"].as_object().unwrap();
            match row {
                Some(row) => row.as_object_mut().unwrap().extend(
                    after
                        .iter()
                        .map(|(key, value)| (key.clone(), value.clone())),
                ),
                None => rows.push(json!({
                    "name": "new-creator-claude",
                    "status": "running",
                    "pane": {
                        "pid": self.new.pid(),
                        "cmd": self.new.command_in_tmux(),
                        "cwd": self.new.cwd,
                    },
                    "last_visible_status": "auto-registered",
                })),
            }
        }
        document
    }
}

/// What may not be touched, and the text without its marks.
fn kept_parts(marked: &str) -> (Vec<&str>, String) {
    let kept = marked
        .split('«')
        .enumerate()
        .map(|(at, part)| match part.split_once('»') {
            Some((_, kept)) => kept,
            None if at == 0 => part,
            None => panic!("a « without its »"),
        })
        .collect();
    (kept, marked.replace(['«', '»'], ""))
}

/// Fails the test unless the text consists of these parts, in this order, with anything in between.
#[track_caller]
fn assert_kept(text: &str, kept: &[&str]) {
    let (last, parts) = kept.split_last().unwrap();
    let mut rest = text;
    for (at, part) in parts.iter().enumerate() {
        let found = rest.find(part).filter(|&found| at > 0 || found == 0);
        let found = found.unwrap_or_else(|| panic!("{part:?} was touched in:\n{text}"));
        rest = &rest[found + part.len()..];
    }
    assert!(rest.ends_with(last), "{last:?} was touched in:\n{text}");
}

/// Fails the test unless the roll gets all three edits, with everything else as it was.
#[track_caller]
fn edited(marked: &str) -> String {
    let machine = Machine::new();
    let scene = Scene::on(&machine);
    let (kept, text) = kept_parts(marked);
    machine.write_roll(&text);
    let before = machine.read_roll();

    let pass = scene.reconcile(&text).exits(0);

    for (class, session) in [("A", "gone"), ("C", "docs"), ("B", "new-creator-claude")] {
        assert!(
            pass.drift(class, session).is_applied(),
            "{:#}",
            pass.report()
        );
    }
    let after = machine.roll_text();
    assert_eq!(
        *machine.read_roll().document(),
        scene.expected(before.document(), &pass),
        "{after}"
    );
    assert_kept(&after, &kept);
    for line in text.lines() {
        if let Some((_, comment)) = line.split_once(" #") {
            assert!(
                after.contains(comment.trim_end()),
                "{comment:?} is lost in:\n{after}"
            );
        }
    }
    // What was written is understood as it was meant: nothing is left to do.
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    assert_eq!(machine.roll_text(), after);
    after
}

#[test]
fn block_style() {
    edited(
        "tmux_sessions:\n\
         «- name: gone\n  status: running\n»\
         «- name: docs\n  status: running\n  claude_session_id_own: null\n»",
    );
}

#[test]
fn block_style_with_indented_lists() {
    edited(
        "tmux_sessions:\n\
         «  - name: gone\n    status: running\n»\
         «  - name: docs\n    status: running\n    claude_session_id_own:\n»",
    );
}

#[test]
fn block_style_with_wide_indents_and_blank_lines() {
    edited(
        "\n\ntmux_sessions:\n\n\
         «    -   name: gone\n        status: running\n»\n\n\
         «    -   name: docs\n        status: running\n        claude_session_id_own: ~\n»\n\n«»other:\n      deep: 1\n",
    );
}

#[test]
fn rows_in_flow_style() {
    edited(
        "tmux_sessions:\n\
         «- {name: gone, status: running}\n»\
         «- { name: docs, status: running, claude_session_id_own: null }\n»\
         - {name: old, status: archived, tags: [a, b]}\n«»",
    );
}

#[test]
fn a_list_in_flow_style() {
    edited(
        "tmux_sessions: [«{name: gone, status: running}», \
         «{name: docs, status: running, claude_session_id_own: null}»«»]\nafter: [1, 2]\n",
    );
}

#[test]
fn a_list_in_flow_style_over_many_lines() {
    edited(
        "tmux_sessions: [\n  \
         «{name: gone,\n   status: running}»,   # the first\n  \
         «{name: docs, status: running,\n   claude_session_id_own: null}»«»\n]\n",
    );
}

#[test]
fn json_on_one_line() {
    edited(
        "{\"agent_identities\": {\"claude\": {\"project_cwd\": \"/srv\"}}, \"tmux_sessions\": [\
         «{\"name\": \"gone\", \"status\": \"running\"}», \
         «{\"name\": \"docs\", \"status\": \"running\", \"claude_session_id_own\": null}»«»], \"last\": true}",
    );
}

#[test]
fn json_stays_json() {
    let after = edited(
        "{\n  \"tmux_sessions\": [\n    \
         «{\n      \"name\": \"gone\",\n      \"status\": \"running\"\n    }»,\n    \
         «{\n      \"name\": \"docs\",\n      \"status\": \"running\",\n      \"claude_session_id_own\": null\n    }»«»\n  ]\n}\n",
    );

    let read: Value =
        serde_json::from_str(&after).unwrap_or_else(|error| panic!("{error}:\n{after}"));
    assert_eq!(read["tmux_sessions"].as_array().map(Vec::len), Some(3));
}

#[test]
fn json_with_the_escapes_that_python_writes() {
    let machine = Machine::new();
    let scene = Scene::on(&machine);
    let first = r#"{"name": "gone", "status": "running", "note": "\ud83d\ude00 \u00e9 \\ud83d"}"#;
    let last = r#"{"name": "\ud83d\ude80 docs", "status": "stopped"}"#;

    let pass = scene
        .reconcile(&format!("{{\"tmux_sessions\": [{first}, {last}]}}"))
        .exits(0);

    assert!(pass.drift("A", "gone").is_applied());
    let after = machine.roll_text();
    assert!(
        after.contains(r#""note": "\ud83d\ude00 \u00e9 \\ud83d""#),
        "{after}"
    );
    assert!(after.contains(last), "{after}");
    let read: Value = serde_json::from_str(&after).unwrap();
    assert_eq!(read["tmux_sessions"][0]["status"], "terminated");
    assert_eq!(read["tmux_sessions"][1]["name"], "🚀 docs");
    assert_eq!(read["tmux_sessions"][2]["name"], json!(scene.new.name));
}

#[test]
fn comments_at_every_place() {
    edited(
        "# the head\n\ntmux_sessions:   # all of them\n# before the first\n\
         «- name: gone   # a name\n  # within a row\n  status: running   # since Monday\n  # at the end of a row\n»\
         # between two rows\n\
         «- name: docs # docs\n  status: running\n  claude_session_id_own: null   # not yet\n»\
         «»# the last line",
    );
}

#[test]
fn carriage_returns() {
    let after = edited(
        "# written on Windows\r\ntmux_sessions:\r\n\
         «- name: gone\r\n  status: running\r\n»\
         «- name: docs\r\n  status: running\r\n  claude_session_id_own: null\r\n»«»other: 1\r\n",
    );

    let bare = after.replace("\r\n", "");
    assert!(!bare.contains(['\r', '\n']), "{after:?}");
}

#[test]
fn no_newline_at_the_end() {
    let after = edited(
        "tmux_sessions:\n\
         «- name: docs\n  status: running\n  claude_session_id_own: null\n»\
         «- name: gone\n  status: running»",
    );

    assert!(!after.ends_with('\n'), "{after:?}");
}

#[test]
fn a_byte_order_mark() {
    edited(
        "\u{feff}tmux_sessions:\n\
         «- name: gone\n  status: running\n»\
         «- name: docs\n  status: running\n  claude_session_id_own: null\n»",
    );
}

#[test]
fn a_marked_document() {
    edited(
        "%YAML 1.1\n---\n# one document\ntmux_sessions:\n\
         «- name: gone\n  status: running\n»\
         «- name: docs\n  status: running\n  claude_session_id_own: null\n»«»...\n",
    );
}

#[test]
fn keys_and_values_in_quotes() {
    edited(
        "\"tmux_sessions\":\n\
         «- 'name': \"gone\"\n  \"status\": 'running'\n»\
         «- name: 'docs'\n  status: \"running\"\n  'claude_session_id_own': null\n»",
    );
}

#[test]
fn keys_in_another_order_and_others_that_nobody_knows() {
    edited(
        "zebra: {stripes: [black, white]}\ntmux_sessions:\n\
         «- role: builder\n  status: running\n  last_visible_note: |\n    two lines\n      and a half\n\n  name: gone\n  pane: {cmd: claude}\n  mcp_attachments:\n  - one\n  -\n    two: 2\n»\
         «- claude_session_id_own: null\n  start_command: >-\n    claude --model x\n    # no comment\n  name: docs\n  status: running\n»\
         «»agent_identities: {}\nапельсин: 🍊\n",
    );
}

#[test]
fn values_that_other_readers_take_for_something_else() {
    edited(
        "tmux_sessions:\n- name: no\n  status: archived\n  since: 2026-11-21\n  at: 2026-11-21T09:00:00Z\n  \
         ratio: 1_000.5\n  octal: 0o14\n  old: 014\n  sixty: 190:20:30\n  yes: off\n  empty: ''\n\
         «- name: gone\n  status: running\n»\
         «- name: docs\n  status: running\n  claude_session_id_own: null\n»",
    );
}

#[test]
fn rows_that_are_long_and_of_many_scripts() {
    let long = "日本語 \\\"ü\\\" 🦀 ".repeat(300);
    edited(&format!(
        "tmux_sessions:\n\
         «- name: gone\n  status: running\n  last_visible_note: \"{long}\"\n»\
         - name: other\n  status: stopped\n  last_visible_note: \"{long}\"\n\
         «- name: docs\n  status: running\n  claude_session_id_own: null\n»",
    ));
}

#[test]
fn an_empty_list_gets_its_first_row() {
    for text in [
        "tmux_sessions: []\n",
        "tmux_sessions: [  ]   # none yet\nother: 1\n",
        "{\"tmux_sessions\": []}",
    ] {
        let machine = Machine::new();
        let scene = Scene::on(&machine);
        machine.write_roll(text);
        let before = machine.read_roll();

        let pass = scene.reconcile(text).exits(0);

        let after = machine.roll_text();
        assert_eq!(
            *machine.read_roll().document(),
            scene.expected(before.document(), &pass),
            "{after}"
        );
        if text.contains('#') {
            assert!(
                after.contains("# none yet") && after.ends_with("\nother: 1\n"),
                "{after}"
            );
        }
    }
}

/// Fails the test unless every edit is either made exactly, or told as not made; or the whole roll is left as
/// it is, with an error that names it.
#[track_caller]
fn edited_or_refused(text: &str) {
    let machine = Machine::new();
    let scene = Scene::on(&machine);
    machine.write_roll(text);
    let before = documents(&machine);

    let pass = scene.reconcile(text);

    let after = machine.roll_text();
    if pass.code == Some(0) {
        let mut expected = before.clone();
        expected[0] = scene.expected(&before[0], &pass);
        assert_eq!(documents(&machine), expected, "{after}");
        for (class, session) in [("A", "gone"), ("C", "docs"), ("B", "new-creator-claude")] {
            let drift = pass.drift(class, session);
            assert!(drift.is_applied() != drift.held().is_some(), "{drift:#?}");
        }
    } else {
        assert_eq!(pass.code, Some(2), "{}", pass.stderr);
        assert_eq!(after, text);
        pass.complains_of(machine.roll_path().to_str().unwrap());
        assert_eq!(pass.stderr.lines().count(), 1, "{}", pass.stderr);
        assert!(!machine.roll_path().with_extension("yaml.bak").exists());
    }
}

/// All documents of the roll, as `PyYAML` reads them.
fn documents(machine: &Machine) -> Vec<Value> {
    Roll::read_all(&machine.roll_path())
}

#[test]
fn anchors_are_edited_exactly_or_not_at_all() {
    edited_or_refused(
        "pane: &pane {cmd: claude, cwd: /srv}\ntmux_sessions:\n\
         - &gone\n  name: gone\n  status: running\n  pane: *pane\n\
         - name: docs\n  status: running\n  pane: *pane\n  claude_session_id_own: null\nfirst: *gone\n",
    );
    edited_or_refused(
        "state: &state running\nnothing: &nothing null\ntmux_sessions:\n\
         - name: gone\n  status: *state\n\
         - name: docs\n  status: *state\n  claude_session_id_own: *nothing\n",
    );
    edited_or_refused(
        "common: &common {status: running, role: builder}\ntmux_sessions:\n\
         - <<: *common\n  name: gone\n\
         - name: docs\n  <<: *common\n  claude_session_id_own: null\n",
    );
    edited_or_refused(
        "tmux_sessions: &all\n- name: gone\n  status: running\n\
         - name: docs\n  status: running\n  claude_session_id_own: null\nagain: *all\n",
    );
}

#[test]
fn tags_are_edited_exactly_or_not_at_all() {
    edited_or_refused(
        "tmux_sessions: !!seq\n- !!map\n  name: !!str gone\n  status: !!str running\n\
         - name: docs\n  status: running\n  claude_session_id_own: !!null null\n",
    );
    edited_or_refused(
        "tmux_sessions:\n- name: gone\n  status: running\n  when: !!timestamp 2026-11-21\n  blob: !!binary aGVsbG8=\n\
         - name: docs\n  status: running\n  claude_session_id_own: null\n",
    );
}

#[test]
fn several_documents_are_edited_exactly_or_not_at_all() {
    edited_or_refused(
        "tmux_sessions:\n- name: gone\n  status: running\n\
         - name: docs\n  status: running\n  claude_session_id_own: null\n---\nanother: document\n",
    );
}

#[test]
fn what_differs_is_told_of_several_documents_too() {
    let machine = Machine::new();
    let scene = Scene::on(&machine);

    let pass = scene
        .reconcile("tmux_sessions:\n- {name: gone, status: running}\n---\nanother: document\n")
        .exits(2);

    pass.complains_of("2 YAML documents");
    let drift = pass.drift("A", "gone");
    assert_eq!(drift.held().as_deref(), Some("not_editable"));
}

#[test]
fn unusual_keys_are_edited_exactly_or_not_at_all() {
    edited_or_refused(
        "? tmux_sessions\n:\n- ? name\n  : gone\n  ? status\n  : running\n\
         - name: docs\n  status: running\n  claude_session_id_own: null\n",
    );
    edited_or_refused(
        "tmux_sessions:\n-\n  name: gone\n  status:\n    running\n-\n\n  name: docs\n  status: >-\n    running\n  claude_session_id_own:\n\n",
    );
    edited_or_refused(
        "tmux_sessions:\n- {name: gone, status: running,}\n\
         - {name: docs, status: running, claude_session_id_own: , }\n",
    );
}

/// A roll with something to write.
const PLAIN: &str = "# ours\ntmux_sessions:\n- name: gone\n  status: running\n";

#[test]
fn the_backup_is_what_was_there_before_and_the_lock_stays() {
    let machine = Machine::new();
    let scene = Scene::on(&machine);
    let folder = machine.roll_path().parent().unwrap().to_owned();
    fs::write(folder.join("agent-sessions.yaml.bak"), "an older backup").unwrap();

    let _ = scene.reconcile(PLAIN).exits(0);

    let backup = fs::read_to_string(folder.join("agent-sessions.yaml.bak")).unwrap();
    assert_eq!(backup, PLAIN);
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "agent-sessions.yaml",
            "agent-sessions.yaml.bak",
            "agent-sessions.yaml.lock"
        ]
    );
}

#[test]
fn mode_and_owner_are_kept() {
    for mode in [0o600, 0o640, 0o664] {
        let machine = Machine::new();
        let scene = Scene::on(&machine);
        machine.write_roll(PLAIN);
        fs::set_permissions(machine.roll_path(), fs::Permissions::from_mode(mode)).unwrap();
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(machine.roll_path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let before = fs::metadata(machine.roll_path()).unwrap();

        let mut pass = machine.reconcile().at_once();
        pass = pass.registry(machine.roll_path());
        assert!(pass.run().exits(0).drift("A", "gone").is_applied());

        let after = fs::metadata(machine.roll_path()).unwrap();
        assert_eq!(after.mode() & 0o7777, mode);
        assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
        assert_ne!(after.ino(), before.ino(), "it was written in place");
        drop(scene);
    }
}

#[test]
fn links_are_kept_and_both_locks_are_where_others_look_for_them() {
    let machine = Machine::new();
    let scene = Scene::on(&machine);
    let real = machine.folder("shared").join("sessions.yaml");
    // Of this file no pass has seen the session.
    let text = format!("{PLAIN}  pane: {{pid: {}}}\n", dead_pid());
    fs::write(&real, text).unwrap();
    let middle = machine.folder("middle").join("link.yaml");
    symlink("../shared/sessions.yaml", &middle).unwrap();
    fs::remove_file(machine.roll_path()).unwrap();
    symlink(&middle, machine.roll_path()).unwrap();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", "gone").is_applied());
    assert_eq!(pass.report()["yaml_path"], json!(machine.roll_path()));
    assert!(machine.roll_path().is_symlink() && middle.is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("terminated"));
    assert!(machine.roll_path().with_extension("yaml.lock").exists());
    assert!(real.with_extension("yaml.lock").exists());
    drop(scene);
}

#[test]
fn a_roll_without_anything_to_write_is_not_written() {
    let machine = Machine::new();
    let docs = machine.session("docs").running("claude").start();
    machine.roll().row("docs").pane(&docs).write();
    machine.settle(&machine.roll_path());
    let folder = machine.roll_path().parent().unwrap().to_owned();
    let before = crate::support::Footprint::of(&[&folder]);

    machine.reconcile().at_once().run().exits(0).has_no_drifts();

    assert_eq!(crate::support::Footprint::of(&[&folder]), before);
}
