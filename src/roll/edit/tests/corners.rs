//! Rolls laid out as few would, and what becomes of them.

use super::*;

const ROW: &str = "tmux_sessions:\n- name: a\n  status: running\n";

const ENDED: &str = "tmux_sessions:\n- name: a\n  status: stopped\n";

fn restored() -> Edit {
    row("a", Change::Restore)
}

fn reincarnated(pane: PaneRecord) -> Edit {
    row("a", Change::Reincarnate { pane, server: None })
}

fn only_pid() -> PaneRecord {
    PaneRecord {
        pid: Some(7),
        cmd: None,
        cwd: None,
    }
}

/// Each text, written as a row of its own below `head`, becomes the other by one edit.
#[track_caller]
fn each_becomes(head: &str, edit: &Edit, cases: &[(&str, &str)]) {
    let becomes = head.replace("stopped", "running");
    for (before, after) in cases {
        assert_eq!(
            edited(&format!("{head}{before}"), std::slice::from_ref(edit)),
            format!("{becomes}{after}"),
            "{before:?}"
        );
    }
}

#[test]
fn an_end_moves_from_wherever_it_stands() {
    each_becomes(
        ENDED,
        &restored(),
        &[
            (
                "  previous_end: |\n    old\n  stopped_at: x\n  role: y\n",
                "  previous_end:\n    stopped_at: x\n  role: y\n",
            ),
            (
                "  ? stopped_at\n  : x\n",
                "  previous_end:\n    ? stopped_at\n    : x\n",
            ),
            // The line breaks at the end of a text depend on what is below it.
            (
                "  stop_reason: |+\n    x\n\n  role: y\n",
                "  role: y\n  previous_end:\n    stop_reason: \"x\\n\\n\"\n",
            ),
            (
                "  note: n\n  stopped_at: |\n    x",
                "  note: n\n  previous_end:\n    stopped_at: \"x\"",
            ),
            (
                "  note: |+\n    x\n\n  stopped_at: y\n\n\n  role: z\n",
                "  note: |+\n    x\n\n  role: z\n  previous_end:\n    stopped_at: y\n",
            ),
        ],
    );
    for head in ["", "resumable: false\n  ", "? stopped_at\n  : x\n  "] {
        let text = format!("tmux_sessions:\n- {head}name: a\n  status: stopped\n");
        let result = edited(&text, &[restored()]);
        assert!(
            result.starts_with("tmux_sessions:\n- name: a\n  status: running\n"),
            "{result}"
        );
    }
}

#[test]
fn a_row_far_to_the_right_stays_there() {
    let text = "tmux_sessions:\n    - name: a\n      status: stopped\n      pane:\n      stopped_at: x\n      \
                stop_reason: y\n        z\n";
    let revived = Change::Revive {
        pane: pane(7),
        server: None,
    };
    assert_eq!(
        edited(text, &[row("a", revived)]),
        "tmux_sessions:\n    - name: a\n      status: running\n      pane:\n        pid: 7\n        cmd: claude\n        \
         cwd: /work\n      previous_end:\n        stopped_at: x\n        stop_reason: y\n          z\n"
    );
}

#[test]
fn a_block_text_that_comes_to_the_end_of_the_file_gets_its_line_break() {
    each_becomes(
        ENDED,
        &restored(),
        &[
            (
                "  previous_end: {}\n  note: |\n    n\n  stopped_at: x",
                "  previous_end:\n    stopped_at: x\n  note: |\n    n\n",
            ),
            (
                "  stop_reason: |\n    n\n  role: x",
                "  role: x\n  previous_end:\n    stop_reason: |\n      n\n",
            ),
            // It does not come to the end.
            (
                "  note: |\n    n\n  stopped_at: x",
                "  note: |\n    n\n  previous_end:\n    stopped_at: x",
            ),
            (
                "  previous_end: {}\n  note: |\n    n\n  stopped_at: x\n- name: b\n  status: x",
                "  previous_end:\n    stopped_at: x\n  note: |\n    n\n- name: b\n  status: x",
            ),
            (
                "  stop_reason: |\n    n\n  stopped_at: x",
                "  previous_end:\n    stop_reason: |\n      n\n    stopped_at: x",
            ),
            (
                "  note: |\n    n\n  previous_end: {}\n  stopped_at: x",
                "  note: |\n    n\n  previous_end:\n    stopped_at: x",
            ),
        ],
    );
}

#[test]
fn a_block_text_at_the_open_end_of_the_file_is_told_that_it_ends() {
    for (note, kept) in [
        ("|\n    x\n      y", "|-\n    x\n      y"),
        ("\n    - |\n      y", "\n    - |-\n      y"),
        ("\n    z: |\n      y", "\n    z: |-\n      y"),
    ] {
        let result = edited(&format!("{ROW}  note: {note}"), &[end("a")]);
        assert!(
            result.contains(&format!("note: {kept}\n  term")),
            "{result}"
        );
    }
    // Not if it goes.
    let text = format!("{ROW}  termination_mode: |\n    x");
    let result = edited(&text, &[end("a")]);
    assert!(
        result.contains("\n  termination_mode: auto-detected\n"),
        "{result}"
    );
}

#[test]
fn an_end_between_braces_leaves_the_comments_between_pairs() {
    for (pairs, after) in [
        (
            "stopped_at: x, # why\n    status: stopped}",
            " # why\n    status: running, previous_end: {stopped_at: x}}",
        ),
        (
            "status: stopped, # why\n    stopped_at: x}",
            "status: running, previous_end: {stopped_at: x} # why\n    }",
        ),
        (
            "status: stopped, ? stopped_at : x}",
            "status: running, previous_end: {? stopped_at : x}}",
        ),
    ] {
        assert_eq!(
            edited(
                &format!("tmux_sessions:\n- {{name: a, {pairs}\n"),
                &[restored()]
            ),
            format!("tmux_sessions:\n- {{name: a, {after}\n")
        );
    }
    let result = edited(
        "tmux_sessions:\n- {name: a, # why\n    status: running}\n",
        &[end("a")],
    );
    assert_eq!(result.matches("# why").count(), 1, "{result}");
}

#[test]
fn what_stands_between_braces_is_written_as_it_was() {
    for (pairs, edit, after) in [
        ("'running'", end("a"), "'terminated', term"),
        (
            "running, pane: {}",
            reincarnated(pane(7)),
            "running, pane: {pid: 7, cmd: claude, cwd: /work}}",
        ),
        (
            "running, claude_session_id_own",
            set_id("a", "i", None),
            "running, claude_session_id_own: i}",
        ),
    ] {
        let result = edited(
            &format!("tmux_sessions:\n- {{name: a, status: {pairs}}}\n"),
            &[edit],
        );
        assert!(result.contains(&format!("status: {after}")), "{result}");
    }
    let compact =
        r#"{"tmux_sessions":[{"name":"a","status":"running","claude_session_id_own":null}]}"#;
    let result = edited(compact, &[end("a"), set_id("a", "i", None)]);
    assert!(
        result.contains(r#""a","status":"terminated","claude_session_id_own":"i","term"#),
        "{result}"
    );
}

#[test]
fn a_new_row_between_brackets_stands_as_its_neighbours_do() {
    let pretty = |rows: &str| format!("{{\n  \"a\": 1,\n  \"tmux_sessions\": [{rows}\n  ]\n}}\n");
    let one = pretty("\n    {\n      \"name\": \"a\"\n    }");
    let two = pretty("\n    {\"name\": \"a\"},\n    {\"name\": \"c\"}");
    for (text, before) in [
        (one.as_str(), "    },\n    {\"name\": \"b\", \""),
        (two.as_str(), "{\"name\": \"c\"},\n    {\"name\": \"b\", \""),
        (r#"{"a":1,"tmux_sessions":[]}"#, r#":[{"name":"b","status""#),
    ] {
        let result = edited(text, &[new("b", 7)]);
        assert!(result.contains(before), "{result}");
    }
}

/// What is behind the dash of the last row says nothing of where keys begin.
#[test]
fn a_new_row_is_indented_as_usual_where_its_neighbours_do_not_tell() {
    for neighbour in [
        "-   {name: a, status: x}\n",
        "-\n      name: a\n      status: x\n",
    ] {
        let result = edited(&format!("tmux_sessions:\n{neighbour}"), &[new("b", 7)]);
        assert!(
            result.starts_with(&format!("tmux_sessions:\n{neighbour}- name: b\n")),
            "{result}"
        );
    }
}

#[test]
fn an_anchor_or_a_tag_goes_with_the_value_it_belongs_to() {
    for (value, after) in [("&e {a: b}", ""), ("!e {a: b}", ""), (" {a: b}", " ")] {
        let text = format!(
            "tmux_sessions:\n- {{name: a, status: stopped, stopped_at: x, previous_end: {value}}}\n"
        );
        assert_eq!(
            edited(&text, &[restored()]),
            format!(
                "tmux_sessions:\n- {{name: a, status: running, previous_end: {after}{{stopped_at: x}}}}\n"
            )
        );
    }
    for mode in ["&m x", "!m x"] {
        let result = edited(&format!("{ROW}  termination_mode: {mode}\n"), &[end("a")]);
        assert!(
            result.contains("  termination_mode: auto-detected\n"),
            "{result}"
        );
    }
}

#[test]
fn what_is_not_edited_is_told_why() {
    let marked = "`pane` is marked with an anchor or a tag where a mapping";
    let no_list = "is not a list that can be edited";
    let list_marked = "a list with an anchor or a tag";
    let explicit = "a key written with `?`";
    let id = || set_id("a", "i", None);
    for (text, edit, why) in [
        (
            format!("{ROW}  pane: &p x\n"),
            reincarnated(only_pid()),
            marked,
        ),
        (
            format!("{ROW}  pane: &p\n"),
            reincarnated(only_pid()),
            marked,
        ),
        (
            format!("{ROW}  pane: !p\n"),
            reincarnated(only_pid()),
            marked,
        ),
        ("tmux_sessions: &x []\n".into(), new("b", 7), list_marked),
        ("tmux_sessions: !x []\n".into(), new("b", 7), list_marked),
        ("tmux_sessions: x\n".into(), new("b", 7), no_list),
        (
            "tmux_sessions:\n- {name: a, status: running, ? claude_session_id_own : x}\n".into(),
            id(),
            explicit,
        ),
        (
            r#"{"tmux_sessions": [{"name": "a", "x": "\ud83d\uDE00"}]}"#.into(),
            id(),
            "now in capitals and now not",
        ),
    ] {
        let told = refused(&text, &[edit]);
        assert!(told.contains(why), "{text:?}: {told}");
    }
}

#[test]
fn pairs_of_escapes_stay_pairs_of_escapes() {
    for note in [r"\ud83d\ude00\ud83d\ude01", r"\uD83D\uDE00"] {
        for mark in ["", "\u{feff}"] {
            let text = |end: &str| {
                format!(r#"{mark}{{"tmux_sessions": [{{"name": "a", "note": "{note}"{end}}}]}}"#)
            };
            assert_eq!(
                edited(&text(""), &[set_id("a", "i", None)]),
                text(r#", "claude_session_id_own": "i""#)
            );
        }
    }
}

#[test]
fn old_ids_of_several_edits_stand_newest_first() {
    for (before, after) in [
        ("", ":\n    - \"2\"\n    - \"1\"\n"),
        (
            "  claude_session_id_own_previous:\n",
            ":\n    - \"2\"\n    - \"1\"\n",
        ),
        (
            "  claude_session_id_own_previous: [x]\n",
            ": [\"2\", \"1\", x]\n",
        ),
    ] {
        let edits = [set_id("a", "2", Some("1")), set_id("a", "3", Some("2"))];
        let result = edited(&format!("{ROW}{before}"), &edits);
        assert!(
            result.contains(&format!("  claude_session_id_own_previous{after}")),
            "{result}"
        );
        assert!(
            result.contains("  claude_session_id_own: \"3\"\n"),
            "{result}"
        );
    }
}

#[test]
fn carriage_returns_alone_end_lines_too() {
    let text = ROW.replace('\n', "\r");
    let result = edited(&text, &[end("a"), new("b", 7)]);
    assert!(
        !result.contains('\n') && result.contains("auto-detected\r- name: b\r"),
        "{result:?}"
    );
}
