#![allow(clippy::unwrap_used)]

use super::redacted;
use crate::core::ids::{Fingerprint, Timestamp};
use crate::core::registry::Registry;
use crate::roll::parse::parse;

/// What a text declares, apart from the fingerprints of what it is written in.
fn declared(text: &str) -> Registry {
    let mut registry = parse(text, Fingerprint::new(""), Timestamp::default()).unwrap();
    for row in &mut registry.rows {
        row.fingerprint = Fingerprint::new("");
    }
    registry
}

const FULL: &str = "\
# SECRET at the top
version: SECRET
tmux_sessions: # SECRET
- name: shop-creator-claude   # SECRET
  status: running
  tmux_server: \"wo#rk\"
  pane: {pid: 17, cmd: claude, cwd: /a, title: SECRET} # SECRET
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
        let private = redacted(&text).unwrap();
        assert_eq!(declared(&private), declared(&text), "{private}");
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
