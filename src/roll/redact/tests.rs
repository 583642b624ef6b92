#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use super::{REMOVED, command, is_word};
use crate::core::ids::{Fingerprint, Timestamp};
use crate::core::registry::Registry;
use crate::roll::parse::parse;

fn redacted(text: &str) -> Result<String, String> {
    super::redacted(text).map(|it| it.text)
}

/// What a text declares, apart from the fingerprints of what it is written in.
fn declared(text: &str) -> Registry {
    let registry = parse(text, Fingerprint::new(""), Timestamp::default()).unwrap();
    super::declared(&registry, &BTreeMap::new())
}

const FULL: &str = "\
# SECRET at the top
version: SECRET
tmux_sessions: # SECRET
- name: shop-creator-claude   # SECRET
  status: running
  tmux_server: \"wo#rk\"
  pane: {pid: 17, cmd: claude, cwd: /a, title: SECRET, SECRET: 1} # SECRET
  claude_session_id_own: c1
  claude_session_id_own_previous: [c0, 'c#-1']
  start_command: /usr/bin/claude --token SECRET
  api_key: SECRET
  env:
    KEY: SECRET
    list:
    - SECRET
  # SECRET
  notes: |
    SECRET # SECRET
      SECRET
  more: >-   # SECRET
    SECRET

    SECRET
  plain: SECRET
    SECRET
  SECRET: SECRET
  'SECRET 2': [{SECRET: 1}]
  tagged: !!str SECRET
  list:
  - SECRET
  - b: SECRET
  empty:
- {name: b, status: terminated, terminated_at: '2026-01-01T00:00:00Z', stop_reason: SECRET,
   previous_end: {stopped_at: x, stop_reason: SECRET}}
- SECRET
- name: wrong
  status: [SECRET, SECRET]
- name: c
  status: stopped
  start_command: env TOKEN=SECRET claude
  last: |+
    SECRET

agent_identities:
  claude: {session_id: c9, project_cwd: /a, token: SECRET}
  other: SECRET
  SECRET: SECRET
SECRET: {SECRET: SECRET}
tail:
- SECRET
- [SECRET]
# SECRET";

#[test]
fn nothing_is_left_of_comments_and_of_what_is_not_read() {
    let text = redacted(FULL).unwrap();
    assert!(!text.contains("SECRET"), "{text}");
}

#[test]
fn the_text_declares_the_same_as_before() {
    for text in [
        FULL.to_owned(),
        FULL.replace('\n', "\r\n"),
        format!("\u{feff}{FULL}"),
    ] {
        let private = super::redacted(&text).unwrap();
        let before = super::declared(&declared(&text), &private.taken);
        assert_eq!(declared(&private.text), before, "{}", private.text);
    }
}

#[test]
fn a_text_in_which_everything_is_read_stays_as_it_is() {
    let text = "tmux_sessions:\n- name: \"a # b\"\n  status: running\n  pane: {pid: 1}\n  claude_session_id_own: null\n";
    assert_eq!(redacted(text).unwrap(), text);
}

#[test]
fn json_stays_json() {
    let text = r##"{"tmux_sessions": [{"name": "a # b", "status": "running", "key": ["SECRET", {"a": 1}], "b": "SECRET"}], "x": null}"##;
    let private = redacted(text).unwrap();
    assert!(!private.contains("SECRET"), "{private}");
    serde_json::from_str::<serde_json::Value>(&private).unwrap();
    assert_eq!(declared(&private), declared(text));
}

#[test]
fn other_documents_of_the_file_are_taken_out() {
    let text =
        "a: SECRET\nb: [SECRET]\n---\ntmux_sessions: []\n--- # SECRET\n- SECRET\n- 'SECRET'\n";
    let private = redacted(text).unwrap();
    assert!(!private.contains("SECRET"), "{private}");
    assert_eq!(declared(&private), declared(text));
}

#[test]
fn what_was_taken_out_is_not_taken_out_again() {
    let once = redacted(FULL).unwrap();
    assert_eq!(redacted(&once).unwrap(), once);
}

/// A roll with one row that says so.
fn row(line: &str) -> String {
    format!("tmux_sessions:\n- name: a\n  status: running\n  {line}\n")
}

#[test]
fn of_a_command_only_the_program_is_left() {
    for (cmd, left) in [
        ("claude", "claude"),
        ("/usr/local/bin/claude", "/usr/local/bin/claude"),
        ("claude --api-key sk-ant-SECRET", "claude removed"),
        ("claude --password SECRET --continue", "claude removed"),
        ("TOKEN=SECRET claude", "removed"),
        ("env TOKEN=SECRET claude", "env removed"),
        ("sh -c 'TOKEN=SECRET /opt/claude", "sh removed/claude"),
        ("curl https://user:SECRET@host", "curl removed"),
        ("https://user:SECRET@host", "removed"),
        ("sk-SECRET-0123456789-0123456789-0123456789", "removed"),
    ] {
        let text = redacted(&row(&format!("pane: {{cmd: {cmd:?}, pid: 1}}"))).unwrap();
        let now = declared(&text).rows.remove(0);
        let before = declared(&row(&format!("pane: {{cmd: {cmd:?}, pid: 1}}")));
        assert_eq!(before.rows[0].pane.cmd.as_deref(), Some(left));
        assert_eq!(now.pane.cmd.as_deref(), Some(left), "{text}");
        assert_eq!(now.agent, before.rows[0].agent, "{cmd}");
        assert_eq!(command(left), None, "{left}");
        assert_eq!(redacted(&text).unwrap(), text);
    }
}

#[test]
fn words_in_the_place_of_an_id_are_taken_out_and_stay_the_same_one() {
    let text = row(
        "claude_session_id_own: the SECRET one\n  claude_session_id_own_previous: [c1, the SECRET one, 'SECRET?']\n  delegate_job_id: a SECRET",
    ) + "agent_identities:\n  a SECRET name: {session_id: the SECRET one}\n";
    let private = super::redacted(&text).unwrap();
    assert!(!private.text.contains("SECRET"), "{}", private.text);
    let ids = declared(&private.text);
    let id = ids.rows[0].ids.values().next().unwrap();
    let value = id.value.as_ref().unwrap().as_str();
    assert_eq!(private.taken["the SECRET one"], value);
    assert_eq!(id.previous[0].as_str(), "c1");
    assert_eq!(id.previous[1].as_str(), value);
    assert_ne!(id.previous[2].as_str(), value);
    assert_eq!(ids.identities[0].id.as_str(), value);
    assert_eq!(private.taken["a SECRET name"], ids.identities[0].key);
    assert_eq!(redacted(&private.text).unwrap(), private.text);
}

#[test]
fn sentences_in_the_place_of_words_and_times_are_taken_out() {
    let text = "tmux_sessions:\n- name: a\n  status: SECRET because\n  terminated_at: when SECRET\n  termination_mode: SECRET mode\n  agent: claude-SECRET and more\n";
    let private = redacted(text).unwrap();
    assert!(!private.contains("SECRET"), "{private}");
    let row = declared(&private).rows.remove(0);
    assert_eq!(row.status.as_str(), REMOVED);
    assert_eq!(row.agent, declared(text).rows[0].agent);
    assert!(is_word(REMOVED));
}

#[test]
fn a_key_that_is_there_twice_still_is() {
    let text = "tmux_sessions:\n- name: a\n  status: running\n  SECRET: 1\n  SECRET: 2\n";
    let private = redacted(text).unwrap();
    assert!(!private.contains("SECRET"), "{private}");
    assert_eq!(declared(&private).invalid.len(), 1);
}
