//! Edits by example: what the text looks like afterwards.
#![allow(clippy::unwrap_used)]

mod corners;

use super::{EditError, apply};
use crate::core::edit::{Change, Edit, PaneRecord, Target};
use crate::core::ids::{
    AgentKind, ConversationId, DriftId, Fingerprint, ServerName, SessionName, Timestamp,
};

fn row(name: &str, change: Change) -> Edit {
    Edit {
        cause: DriftId::new("d"),
        target: Target::Row {
            name: SessionName::new(name),
            fingerprint: Fingerprint::new(""),
        },
        change,
    }
}

fn new(name: &str, pid: u32) -> Edit {
    Edit {
        cause: DriftId::new("d"),
        target: Target::New {
            name: SessionName::new(name),
        },
        change: Change::Register {
            pane: pane(pid),
            server: None,
            id: None,
        },
    }
}

fn pane(pid: u32) -> PaneRecord {
    PaneRecord {
        pid: Some(pid),
        cmd: Some("claude".to_owned()),
        cwd: Some("/work".to_owned()),
    }
}

fn end(name: &str) -> Edit {
    let at = Timestamp::parse("2026-11-21T09:00:00Z").unwrap();
    row(name, Change::Terminate { at })
}

fn set_id(name: &str, id: &str, replaces: Option<&str>) -> Edit {
    row(
        name,
        Change::SetId {
            agent: AgentKind::Claude,
            id: ConversationId::new(id),
            replaces: replaces.map(ConversationId::new),
        },
    )
}

#[track_caller]
fn edited(text: &str, edits: &[Edit]) -> String {
    apply(text, edits).unwrap()
}

#[track_caller]
fn refused(text: &str, edits: &[Edit]) -> String {
    apply(text, edits).unwrap_err().to_string()
}

#[test]
fn no_edits_change_no_byte_not_even_of_what_is_no_yaml() {
    for text in ["", "a: [", "\u{feff}x: 1\r\n", "tmux_sessions: []"] {
        assert_eq!(apply(text, &[]).unwrap(), text);
    }
}

#[test]
fn an_end_is_written_into_its_row_and_nowhere_else() {
    let text = "\
# The roll.
agent_identities: {claude: {session_id: x}}   # kept
tmux_sessions:
- name: a   # first
  status: running  # by hand
  pane: {pid: 1}

# about b
- name: b
  status: running
";
    assert_eq!(
        edited(text, &[end("a")]),
        "\
# The roll.
agent_identities: {claude: {session_id: x}}   # kept
tmux_sessions:
- name: a   # first
  status: terminated  # by hand
  pane: {pid: 1}
  terminated_at: \"2026-11-21T09:00:00Z\"
  terminated_at_epoch: 1795251600
  termination_mode: auto-detected

# about b
- name: b
  status: running
"
    );
}

#[test]
fn line_ends_and_the_byte_order_mark_stay_as_they_are() {
    let text = "\u{feff}tmux_sessions:\r\n  - name: a\r\n    status: 'running'\r\n";
    assert_eq!(
        edited(text, &[end("a")]),
        "\u{feff}tmux_sessions:\r\n  - name: a\r\n    status: 'terminated'\r\n    terminated_at: \
         \"2026-11-21T09:00:00Z\"\r\n    terminated_at_epoch: 1795251600\r\n    termination_mode: auto-detected\r\n"
    );
}

#[test]
fn a_missing_line_break_at_the_end_stays_missing() {
    let text = "tmux_sessions:\n- name: a\n  status: running";
    let result = edited(text, &[end("a"), new("b", 7)]);
    assert_eq!(
        result,
        "tmux_sessions:\n- name: a\n  status: terminated\n  terminated_at: \"2026-11-21T09:00:00Z\"\n  \
         terminated_at_epoch: 1795251600\n  termination_mode: auto-detected\n- name: b\n  status: running\n  \
         pane:\n    pid: 7\n    cmd: claude\n    cwd: /work\n  last_visible_status: auto-registered"
    );
}

#[test]
fn a_block_text_that_ends_the_file_keeps_its_value() {
    for header in ["|", ">", "|+", "|2", "|-"] {
        let text =
            format!("tmux_sessions:\n- name: a\n  status: running\n  note: {header}\n    x: |");
        let result = edited(&text, &[end("a"), new("b", 7)]);
        assert!(
            result.starts_with("tmux_sessions:\n- name: a\n  status: terminated\n  note: "),
            "{result}"
        );
    }
}

#[test]
fn one_line_of_json_stays_one_line_of_json() {
    let text =
        r#"{"tmux_sessions": [{"name": "a", "status": "running", "pane": {"pid": 1}}], "x": 1}"#;
    let result = edited(
        text,
        &[end("a"), set_id("a", "i", None), new("é\u{1f600}\u{7}", 7)],
    );
    assert_eq!(
        result,
        r#"{"tmux_sessions": [{"name": "a", "status": "terminated", "pane": {"pid": 1}, "terminated_at": "2026-11-21T09:00:00Z", "terminated_at_epoch": 1795251600, "termination_mode": "auto-detected", "claude_session_id_own": "i"}, {"name": "é😀\u0007", "status": "running", "pane": {"pid": 7, "cmd": "claude", "cwd": "/work"}, "last_visible_status": "auto-registered"}], "x": 1}"#
    );
    serde_json::from_str::<serde_json::Value>(&result).unwrap();
}

#[test]
fn indented_and_compact_json_stay_as_they_are() {
    let pretty = "{\n  \"tmux_sessions\": [\n    {\n      \"name\": \"a\",\n      \"status\": \"running\"\n    }\n  ]\n}\n";
    assert_eq!(
        edited(pretty, &[set_id("a", "i", None)]),
        "{\n  \"tmux_sessions\": [\n    {\n      \"name\": \"a\",\n      \"status\": \"running\",\n      \
         \"claude_session_id_own\": \"i\"\n    }\n  ]\n}\n"
    );
    let compact = r#"{"tmux_sessions":[{"name":"a","status":"running"}]}"#;
    assert_eq!(
        edited(compact, &[set_id("a", "i", None), new("b", 7)]),
        r#"{"tmux_sessions":[{"name":"a","status":"running","claude_session_id_own":"i"},{"name":"b","status":"running","pane":{"pid":7,"cmd":"claude","cwd":"/work"},"last_visible_status":"auto-registered"}]}"#
    );
}

#[test]
fn rows_between_braces_are_edited_between_their_braces() {
    let text = "tmux_sessions:\n- {name: a, 'status': running , pane: {pid: 1, }, claude_session_id_own: , x}  # c\n";
    assert_eq!(
        edited(
            text,
            &[
                set_id("a", "1e3", None),
                row(
                    "a",
                    Change::Reincarnate {
                        pane: pane(2),
                        server: None
                    }
                )
            ]
        ),
        "tmux_sessions:\n- {name: a, 'status': running , pane: {pid: 2, cmd: claude, cwd: /work, }, \
         claude_session_id_own: \"1e3\" , x}  # c\n"
    );
}

#[test]
fn an_empty_list_gets_its_first_row_wherever_it_stands() {
    for (text, head) in [
        ("tmux_sessions: []\n", "tmux_sessions:\n- name: b\n"),
        (
            "tmux_sessions: [] # none\nx: 1\n",
            "tmux_sessions: # none\n- name: b\n",
        ),
        ("tmux_sessions:\n", "tmux_sessions:\n- name: b\n"),
        ("tmux_sessions: null\nx: 1\n", "tmux_sessions:\n- name: b\n"),
        ("x: 1", "x: 1\ntmux_sessions:\n- name: b\n"),
        ("---\nx: 1\n...\n", "---\nx: 1\ntmux_sessions:\n- name: b\n"),
        (
            "{\"tmux_sessions\": []}",
            "{\"tmux_sessions\": [{\"name\": \"b\",",
        ),
        ("{x: 1}\n", "{x: 1, tmux_sessions: [{name: b,"),
        ("{tmux_sessions: }\n", "{tmux_sessions: [{name: b,"),
    ] {
        let result = edited(text, &[new("b", 7)]);
        assert!(result.starts_with(head), "{text:?} became {result:?}");
    }
}

#[test]
fn a_comment_in_an_empty_list_is_not_lost() {
    for text in [
        "tmux_sessions: [ # why\n ]\n",
        "tmux_sessions: # why\n  []\n",
        "tmux_sessions:\n  # why\n  null\nx: 1\n",
        "{tmux_sessions: # why\n  null, x: 1}\n",
    ] {
        assert!(
            refused(text, &[new("b", 7)]).contains("a comment"),
            "{text}"
        );
    }
}

#[test]
fn a_new_row_is_indented_like_its_neighbours() {
    let text = "tmux_sessions:\n   -   name: a\n       status: stopped\n\n# the end\n";
    assert_eq!(
        edited(text, &[new("b: c", 7)]),
        "tmux_sessions:\n   -   name: a\n       status: stopped\n   -   name: \"b: c\"\n       status: running\n       \
         pane:\n         pid: 7\n         cmd: claude\n         cwd: /work\n       last_visible_status: \
         auto-registered\n\n# the end\n"
    );
}

#[test]
fn a_new_row_tells_its_server_and_its_conversation() {
    let mut edit = new("b", 7);
    edit.change = Change::Register {
        pane: PaneRecord::default(),
        server: Some(ServerName::new("work")),
        id: Some((AgentKind::Agy, ConversationId::new("12"))),
    };
    assert_eq!(
        edited("tmux_sessions: []\n", &[edit]),
        "tmux_sessions:\n- name: b\n  status: running\n  pane: {}\n  tmux_server: work\n  last_visible_status: \
         auto-registered\n  agy_conversation_id_own: \"12\"\n"
    );
}

#[test]
fn a_recorded_end_moves_with_its_comments() {
    let text = "\
tmux_sessions:
- archived_at: null
  # why
  name: a
  status: terminated
  terminated_at: '2026-01-01'   # by the monitor
  stop_reason: |
    long

      text

  pane:
    pid: 1
  resumable: true
";
    assert_eq!(
        edited(
            text,
            &[row(
                "a",
                Change::Revive {
                    pane: pane(2),
                    server: None
                }
            )]
        ),
        "\
tmux_sessions:
-
  # why
  name: a
  status: running

  pane:
    pid: 2
    cmd: claude
    cwd: /work
  previous_end:
    archived_at: null
    terminated_at: '2026-01-01'   # by the monitor
    stop_reason: |
      long

        text
    resumable: true
"
    );
}

#[test]
fn an_older_end_makes_place_for_the_newer() {
    let text = "\
tmux_sessions:
- name: a
  status: terminated
  previous_end:
    terminated_at: old
    # nobody knows
    other: [1, 2]
  termination_mode: auto-detected
";
    assert_eq!(
        edited(text, &[row("a", Change::Restore)]),
        "\
tmux_sessions:
- name: a
  status: running
  previous_end:
    termination_mode: auto-detected
"
    );
}

#[test]
fn an_end_between_braces_moves_between_braces() {
    let text = "tmux_sessions: [{terminated_at: x, name: a, status: stopped, stopped_at: y, resumable: true}]";
    assert_eq!(
        edited(text, &[row("a", Change::Restore)]),
        "tmux_sessions: [{name: a, status: running, previous_end: {terminated_at: x, stopped_at: y, resumable: true}}]"
    );
}

#[test]
fn an_old_id_goes_to_the_head_of_the_list() {
    let replace = [set_id("a", "new", Some("old"))];
    for (before, after) in [
        ("", "  claude_session_id_own_previous:\n    - old\n"),
        (
            "  claude_session_id_own_previous: [x] # c\n",
            "  claude_session_id_own_previous: [old, x] # c\n",
        ),
        (
            "  claude_session_id_own_previous: []\n",
            "  claude_session_id_own_previous: [old]\n",
        ),
        (
            "  claude_session_id_own_previous: ~\n",
            "  claude_session_id_own_previous:\n    - old\n",
        ),
        (
            "  claude_session_id_own_previous:\n  # newest first\n  - x\n",
            "  claude_session_id_own_previous:\n  # newest first\n  - old\n  - x\n",
        ),
    ] {
        let row =
            "tmux_sessions:\n- name: a\n  status: running\n  claude_session_id_own: \"old\" # c\n";
        assert_eq!(
            edited(&format!("{row}{before}"), &replace),
            format!("{}{after}", row.replace("old", "new"))
        );
    }
}

#[test]
fn a_null_id_is_filled_in_however_it_is_written() {
    for (before, after) in [
        ("", " i"),
        (" # c", " i # c"),
        (" null  # c", " i  # c"),
        (" ~", " i"),
        (" ''", " 'i'"),
    ] {
        let text = format!(
            "tmux_sessions:\n- claude_session_id_own:{before}\n  name: a\n  status: running\n"
        );
        assert_eq!(
            edited(&text, &[set_id("a", "i", None)]),
            format!(
                "tmux_sessions:\n- claude_session_id_own:{after}\n  name: a\n  status: running\n"
            )
        );
    }
}

#[test]
fn texts_of_many_lines_are_good_neighbours() {
    let text = "\
tmux_sessions:
- name: a
  status: running
  one: plain text
    goes on
  two: \"quoted
    goes on\"
  three: >+
    folded

    text

- name: b
  status: running
";
    let result = edited(text, &[end("a"), end("b")]);
    let kept = text
        .split_once("- name: b")
        .unwrap()
        .0
        .replace("running", "terminated");
    assert!(result.starts_with(&kept), "{result}");
}

#[test]
fn a_merged_row_is_edited_in_its_own_lines() {
    let text = "\
base: &base
  pane: {pid: 1}
tmux_sessions:
- <<: *base
  name: a
  status: running
- &other
  name: b
  status: running
";
    let result = edited(text, &[end("a")]);
    assert!(result.starts_with(&text[..text.find("running").unwrap()]));
    assert!(result.ends_with("- &other\n  name: b\n  status: running\n"));
}

#[test]
fn what_stands_elsewhere_is_not_edited() {
    let shared = "\
one: &one {name: a, status: running}
tmux_sessions:
- *one
- name: b
  status: running
  pane: &p {pid: 1}
- name: c
  status: running
  pane: *p
";
    assert!(refused(shared, &[end("a")]).contains("alias"));
    let moved = row(
        "b",
        Change::Reincarnate {
            pane: pane(2),
            server: None,
        },
    );
    assert!(matches!(
        apply(shared, &[moved]),
        Err(EditError::NotExact { .. })
    ));
    let moved = row(
        "c",
        Change::Reincarnate {
            pane: pane(2),
            server: None,
        },
    );
    assert!(refused(shared, &[moved]).contains("alias"));
    assert!(edited(shared, &[end("b")]).contains("pane: &p {pid: 1}"));
}

#[test]
fn several_documents_are_not_edited() {
    let text = "x: 1\n---\ntmux_sessions:\n- name: a\n  status: running\n";
    assert!(matches!(
        apply(text, &[end("a")]),
        Err(EditError::ManyDocuments { count: 2 })
    ));
}

#[test]
fn a_row_that_is_not_there_once_is_not_edited() {
    let text = "tmux_sessions:\n- {name: a, status: running}\n- {name: a, status: running}\n";
    assert!(matches!(
        apply(text, &[end("a")]),
        Err(EditError::NotOneRow { count: 2, .. })
    ));
    assert!(matches!(
        apply(text, &[end("b")]),
        Err(EditError::NotOneRow { count: 0, .. })
    ));
}

#[test]
fn a_value_of_the_wrong_kind_is_not_replaced() {
    let text = "tmux_sessions:\n- {name: a, status: running, pane: x, claude_session_id_own_previous: y}\n";
    let moved = row(
        "a",
        Change::Reincarnate {
            pane: pane(2),
            server: None,
        },
    );
    assert!(refused(text, &[moved]).contains("`pane` is a single value where a mapping is needed"));
    assert!(refused(text, &[set_id("a", "i", Some("o"))]).contains("where a list is needed"));
}

#[test]
fn all_writers_read_the_same_text_back() {
    for id in [
        "no",
        "12:30",
        "1e3",
        "0o17",
        "=",
        "<<",
        "2026-06-19",
        "a: b",
        "",
        "ü",
        "\u{85}\u{2028}x",
        "1_000",
    ] {
        let text = "tmux_sessions:\n- name: a\n  status: running\n";
        let result = edited(text, &[set_id("a", id, None)]);
        let line = result.lines().last().unwrap();
        let written = line.trim().strip_prefix("claude_session_id_own: ").unwrap();
        assert!(written.starts_with('"'), "{written}");
    }
}

#[test]
fn a_comment_before_a_value_that_is_replaced_is_not_lost() {
    let row = "tmux_sessions:\n- name: a\n  status: running\n";
    for value in [
        "termination_mode: # why\n    - x\n",
        "termination_mode: | # why\n    x\n",
    ] {
        let said = refused(&format!("{row}  {value}"), &[end("a")]);
        assert!(said.contains("a comment stands between"), "{value}{said}");
    }
    for value in [
        "termination_mode: # why\n    x\n",
        "termination_mode: x # why\n",
        "termination_mode:\n    - x # why\n",
        "termination_mode: # why\n",
    ] {
        let text = edited(&format!("{row}  {value}"), &[end("a")]);
        assert!(text.contains("# why"), "{text}");
        assert!(text.contains("auto-detected"), "{text}");
    }
    // No comment, though it looks like one.
    let text = edited(
        &format!("{row}  termination_mode: |\n    # x\n"),
        &[end("a")],
    );
    assert!(text.contains("termination_mode: auto-detected"), "{text}");
}

/// Some readers take `#` for a comment wherever a value is over, others only behind a blank.
#[test]
fn a_comment_without_a_blank_before_it_never_touches_what_is_written() {
    let text = "{\"tmux_sessions\": [{\"name\": \"a\", \"status\": \"running\", \"x\":#c\n}]}\n";
    let change = Change::Reincarnate {
        pane: pane(1),
        server: None,
    };
    let new = edited(text, &[row("a", change.clone())]);
    assert!(new.contains(" #c\n"), "{new}");
    assert_eq!(edited(&new, &[row("a", change)]), new);
}

#[test]
fn a_missing_line_break_stays_missing_where_the_last_lines_go() {
    let text = "tmux_sessions:\n- name: a\n  status: terminated\n  previous_end: {}\n  role: x\n  \
                terminated_at: \"2026-11-21T09:00:00Z\"";
    let result = edited(text, &[row("a", Change::Restore)]);
    assert_eq!(
        result,
        "tmux_sessions:\n- name: a\n  status: running\n  previous_end:\n    terminated_at: \"2026-11-21T09:00:00Z\"\n  \
         role: x"
    );
}

#[test]
fn what_comes_behind_a_single_entry_on_its_own_line_gets_lines_too() {
    let text = "tmux_sessions:\n- name: a\n  status: running\n  pane: {\n      pid: 1\n    }\n";
    let moved = Change::Reincarnate {
        pane: pane(7),
        server: None,
    };
    assert_eq!(
        edited(text, &[row("a", moved)]),
        "tmux_sessions:\n- name: a\n  status: running\n  pane: {\n      pid: 7,\n      cmd: claude,\n      \
         cwd: /work\n    }\n"
    );
}
