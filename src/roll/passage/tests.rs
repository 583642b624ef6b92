#![allow(clippy::unwrap_used, reason = "a test may fail")]

use super::{Passage, PutBack, passages, put_back, with_comments, without};

const ROLL: &str = "\
# head
tmux_sessions:
# about a
- name: a
  status: running # yes
  # inside a
- name: b
  status: stopped

# about c
- name: c
  status: |
    running
# the end
";

fn passage(text: &str, name: &str) -> Passage {
    passages(text, &[name]).remove(name).unwrap()
}

fn back(text: &str, name: &str, before: &str, after: &str) -> PutBack {
    let before = passage(before, name);
    put_back(text, name, Some(&before), &passage(after, name)).unwrap()
}

#[test]
fn a_passage_is_the_lines_of_a_row() {
    assert_eq!(
        passage(ROLL, "a").text,
        "- name: a\n  status: running # yes"
    );
    assert_eq!(
        passage(ROLL, "c").text,
        "- name: c\n  status: |\n    running"
    );
    assert_eq!(passages(ROLL, &["nobody"]).len(), 0);
    let flow = "tmux_sessions: [{name: a, x: 1}, {name: b}]\n";
    assert_eq!(passage(flow, "a").text, "{name: a, x: 1}");
}

#[test]
fn a_row_is_put_back_to_the_byte_whatever_became_of_the_others() {
    let after = ROLL.replace("stopped", "running\n  more: 1");
    let now = after
        .replace("# head", "# another head")
        .replace("name: a", "name: z");
    let PutBack::Done(text) = back(&now, "b", ROLL, &after) else {
        panic!("it was not put back");
    };
    let expected = ROLL
        .replace("# head", "# another head")
        .replace("name: a", "name: z");
    assert_eq!(text, expected);
}

#[test]
fn a_row_that_has_changed_is_not_put_back() {
    let after = ROLL.replace("stopped", "running");
    let now = after.replace("name: b\n", "name: b\n  mine: 1\n");
    let PutBack::Changed(text) = back(&now, "b", ROLL, &after) else {
        panic!("it was put back");
    };
    assert_eq!(text, "- name: b\n  mine: 1\n  status: running");
    let commented = after.replace("name: b\n", "name: b\n  # mine\n");
    assert!(matches!(
        back(&commented, "b", ROLL, &after),
        PutBack::Changed(_)
    ));
    let gone = after.replace("name: b", "name: other");
    assert_eq!(back(&gone, "b", ROLL, &after), PutBack::Missing);
}

#[test]
fn a_row_that_means_the_same_is_put_back_though_it_is_written_otherwise() {
    let after = ROLL.replace("stopped", "running\n  when: \"12:30\"");
    let now = after.replace("\"12:30\"", "'12:30'");
    let expected = PutBack::Done(ROLL.to_owned());
    assert_eq!(back(&now, "b", ROLL, &after), expected);
}

#[test]
fn a_row_that_was_added_is_cut_out() {
    let with = ROLL.replace("# the end\n", "- name: d\n  x: 1\n# the end\n");
    let cut = put_back(&with, "d", None, &passage(&with, "d")).unwrap();
    assert_eq!(cut, PutBack::Done(ROLL.to_owned()));
    let only = "a: 1\ntmux_sessions: # all\n- name: d\n  x: 1\nb: 2\n";
    let cut = put_back(only, "d", None, &passage(only, "d")).unwrap();
    let empty = "a: 1\ntmux_sessions: [] # all\nb: 2\n";
    assert_eq!(cut, PutBack::Done(empty.to_owned()));
}

#[test]
fn rows_are_cut_out_with_the_comments_that_belong_to_them() {
    assert_eq!(
        with_comments(ROLL, &[0, 2]),
        [
            Some("# about a\n- name: a\n  status: running # yes\n  # inside a\n".to_owned()),
            Some("# about c\n- name: c\n  status: |\n    running\n".to_owned()),
        ]
    );
    assert_eq!(
        without(ROLL, &[0, 2]).unwrap(),
        "# head\ntmux_sessions:\n- name: b\n  status: stopped\n\n# the end\n"
    );
    assert_eq!(
        without(ROLL, &[0, 1, 2]).unwrap(),
        "# head\ntmux_sessions: []\n\n# the end\n"
    );
    assert_eq!(without(ROLL, &[]).unwrap(), ROLL);
}

#[test]
fn rows_between_brackets_are_cut_out_with_their_commas() {
    let flow = r#"{"tmux_sessions": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}"#;
    for (gone, left) in [
        (&[0][..], r#"{"name": "b"}, {"name": "c"}"#),
        (&[1], r#"{"name": "a"}, {"name": "c"}"#),
        (&[2], r#"{"name": "a"}, {"name": "b"}"#),
        (&[0, 1], r#"{"name": "c"}"#),
        (&[1, 2], r#"{"name": "a"}"#),
        (&[0, 2], r#"{"name": "b"}"#),
        (&[0, 1, 2], ""),
    ] {
        let expected = format!(r#"{{"tmux_sessions": [{left}]}}"#);
        assert_eq!(without(flow, gone).unwrap(), expected, "{gone:?}");
    }
    let commented = "tmux_sessions: [{name: a}, # first\n  {name: b}]\n";
    assert!(without(commented, &[0]).is_err());
}

#[test]
fn a_row_with_remarks_of_somebody_else_around_it_is_not_cut_out() {
    let registered = "tmux_sessions:\n- name: a\n  status: running\n- name: b\n  status: running\n";
    let after = passage(registered, "b");
    let cut = |text: &str| put_back(text, "b", None, &after).unwrap();
    let PutBack::Done(text) = cut(registered) else {
        panic!("it was not cut out");
    };
    assert_eq!(text, "tmux_sessions:\n- name: a\n  status: running\n");
    let above = registered.replace("- name: b", "# ask Kim first\n- name: b");
    let below = format!("{registered}  # ask Kim first\n");
    for text in [above, below] {
        assert!(
            matches!(cut(&text), PutBack::Changed(now) if now.contains("# ask Kim first")),
            "{text}"
        );
    }
}
