#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::collections::BTreeSet;

use super::{Cutting, cuttings, graft, mentions};
use crate::roll::passage::without;

fn cut(text: &str, wanted: &[usize]) -> Vec<Cutting> {
    let all = cuttings(text, wanted).unwrap();
    all.into_iter().map(Result::unwrap).collect()
}

fn refusal(text: &str, index: usize) -> String {
    cuttings(text, &[index]).unwrap().remove(0).unwrap_err()
}

const DEEP: &str = "\
tmux_sessions:
  # about a
  - name: a
    note: |
      one

        two
    # inside
  - name: b
    status: \"stopped
      for good\"
";

#[test]
fn a_cutting_stands_at_the_left_margin_with_its_comments() {
    let texts: Vec<String> = cut(DEEP, &[0, 1]).into_iter().map(|it| it.text).collect();
    assert_eq!(
        texts,
        [
            "# about a\n- name: a\n  note: |\n    one\n\n      two\n  # inside\n",
            "- name: b\n  status: \"stopped\n    for good\"\n",
        ]
    );
}

#[test]
fn a_cutting_is_set_in_at_the_depth_of_the_others() {
    let only_b = without(DEEP, &[0]).unwrap();
    let back = graft(&only_b, &cut(DEEP, &[0])).unwrap();
    assert_eq!(
        back,
        "tmux_sessions:\n  - name: b\n    status: \"stopped\n      for good\"\n  # about a\n  - name: a\n    note: |\n      \
         one\n\n        two\n    # inside\n"
    );
}

#[test]
fn an_empty_list_gets_its_first_rows_and_keeps_what_stands_around_it() {
    let row = cut("tmux_sessions: [{name: a}]\n", &[0]);
    for (before, after) in [
        ("tmux_sessions: []\n", "tmux_sessions:\n- {name: a}\n"),
        (
            "tmux_sessions: [] # all\nb: 1\n",
            "tmux_sessions: # all\n- {name: a}\nb: 1\n",
        ),
        (
            "tmux_sessions:\nb: 1\n",
            "tmux_sessions:\n- {name: a}\nb: 1\n",
        ),
        ("tmux_sessions: null", "tmux_sessions:\n- {name: a}\n"),
        (
            "x: 1\r\ntmux_sessions: ~\r\n",
            "x: 1\r\ntmux_sessions:\r\n- {name: a}\r\n",
        ),
        (
            "{\"tmux_sessions\": []}",
            "{\"tmux_sessions\": [{name: a}]}",
        ),
    ] {
        assert_eq!(graft(before, &row).unwrap(), after);
    }
}

#[test]
fn a_row_in_brackets_goes_back_into_brackets() {
    let json = "{\n  \"tmux_sessions\": [\n    {\"name\": \"a\"},\n    {\n      \"name\": \"b\"\n    }\n  ]\n}\n";
    let rows = cut(json, &[1]);
    assert_eq!(rows[0].text, "- {\n        \"name\": \"b\"\n      }\n");
    let back = graft(&without(json, &[1]).unwrap(), &rows).unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&back).unwrap(),
        serde_json::from_str::<serde_json::Value>(json).unwrap()
    );
    let lines = cut("tmux_sessions:\n- name: c\n", &[0]);
    assert!(graft(json, &lines).is_err());
}

#[test]
fn a_character_that_json_writes_as_a_pair_is_kept() {
    let json = r#"{"tmux_sessions": [{"name": "a", "note": "\ud83d\ude00"}, {"name": "b"}]}"#;
    let rows = cut(json, &[0]);
    assert_eq!(
        rows[0].text,
        "- {\"name\": \"a\", \"note\": \"\\U0001f600\"}\n"
    );
    assert_eq!(
        without(json, &[0]).unwrap(),
        r#"{"tmux_sessions": [{"name": "b"}]}"#
    );
}

#[test]
fn what_cannot_stand_by_itself_is_not_cut_out() {
    let text = "base: &b {x: 1}\ntmux_sessions:\n- name: a\n  <<: *b\n- &n {name: c}\n- {name: d, t: !x 1}\n";
    for index in 0..3 {
        assert_eq!(
            refusal(text, index),
            "an anchor, an alias or a tag is in it"
        );
    }
    let text = "tmux_sessions:\n- - x\n  - y\n";
    assert!(cuttings(text, &[0]).unwrap()[0].is_ok());
    assert_eq!(refusal(text, 1), "it is not where it should be");
    assert_eq!(
        refusal("tmux_sessions:\n- name: 1e3\n", 0),
        "its name is a text to some programs and a number to others"
    );
}

#[test]
fn a_text_of_line_feeds_comes_of_any_breaks() {
    let crlf = DEEP.replace('\n', "\r\n");
    assert_eq!(cut(&crlf, &[0])[0].text, cut(DEEP, &[0])[0].text);
}

#[test]
fn a_row_is_named_by_another_only_in_keys_that_headcount_does_not_know() {
    let text = "\
tmux_sessions:
- {name: work, status: stopped}
- {name: a, parent: work, tmux_server: work, pane: {cmd: work}}
- {name: b, tree: {of: [work, a]}, note: work it out}
- {name: c, tmux_server: work, start_command: b, role: b, claude_session_id_own: b, claude_session_id_own_previous: [b]}
";
    let found = mentions(text);
    assert_eq!(found.len(), 2);
    assert_eq!(found[&0], BTreeSet::from([1, 2]));
    assert_eq!(found[&1], BTreeSet::from([2]));
}
