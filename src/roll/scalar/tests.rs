use super::*;

#[test]
fn plain_words_paths_and_ids_need_no_quotes() {
    for text in [
        "claude",
        "/home/me/a-b_c.d",
        "87dc548e-not-a-number",
        "a@b+c",
    ] {
        let safe = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
        assert_eq!(written(text) == text, safe, "{text}");
    }
}

#[test]
fn whatever_a_reader_may_take_for_something_else_is_quoted() {
    for text in [
        "",
        " ",
        "no",
        "Off",
        "y",
        "null",
        "~",
        "NaN",
        "inf",
        "12",
        "1e3",
        "0o17",
        "12:30",
        "2026-06-19",
        "=",
        "<<",
        "a: b",
        "a #b",
        "- a",
        "[a",
        "{a",
        "*a",
        "&a",
        "!a",
        "%a",
        "@a",
        "`a",
        "|",
        ">",
        "'",
        "\"",
        "é",
        "a b",
    ] {
        assert!(written(text).starts_with('"'), "{text}");
    }
    assert!(written(&"a".repeat(129)).starts_with('"'));
}

#[test]
fn escapes_are_those_that_json_has_too() {
    let text = "\u{0}\u{7}\u{1b}\u{7f}\u{85}\u{a0}\u{2028}\u{200b}\u{feff}\u{e000}\u{ffff}é\u{1f600}\\\"\n\t";
    let quoted = double_quoted(text);
    assert_eq!(
        serde_json::from_str::<String>(&quoted).ok().as_deref(),
        Some(text)
    );
    assert!(
        quoted.contains("é\u{1f600}") && !quoted.contains('\u{200b}'),
        "{quoted}"
    );
}

#[test]
fn single_quotes_hold_what_can_be_seen() {
    assert_eq!(single_quoted("it's").as_deref(), Some("'it''s'"));
    assert_eq!(single_quoted("a\nb"), None);
    assert_eq!(single_quoted("\u{7}"), None);
}

#[test]
fn the_two_versions_differ_where_they_do() {
    use Plain::{Bool, Null, Number, Refused, Text, Time};
    for (plain, old, new) in [
        ("yes", Bool, Text),
        ("True", Bool, Bool),
        ("y", Text, Text),
        ("~", Null, Null),
        ("12", Number, Number),
        ("0123", Number, Number),
        ("1_000", Number, Text),
        ("0o17", Text, Number),
        ("0b11", Number, Text),
        ("0x1F", Number, Number),
        ("12:30", Number, Text),
        ("0:30", Text, Text),
        ("190:20:30.15", Number, Text),
        ("1e3", Text, Number),
        ("1.0e3", Text, Number),
        ("1.0e+3", Number, Number),
        (".5", Number, Number),
        ("-.5", Text, Number),
        ("-.inf", Number, Number),
        ("2026-06-19", Time, Text),
        ("2026-06-19T12:30:00Z", Time, Text),
        ("2026-6-1 1:02:03.5 +02:00", Time, Text),
        ("2026-6-1", Text, Text),
        ("=", Refused, Text),
        ("87dc548e", Text, Text),
        ("12e34567", Text, Number),
        ("0x1_F", Number, Text),
        ("1:5", Number, Text),
        ("1:75", Text, Text),
        ("1.0e33", Text, Number),
        ("1.0e+x", Text, Text),
        ("1x.5", Text, Text),
        ("1x:20.5", Text, Text),
        ("1:75.5", Text, Text),
        ("20x6-06-19", Text, Text),
        ("26-06-19", Text, Text),
        ("2026-006-19T01:02:03", Text, Text),
        ("2026-06-1", Text, Text),
        ("2026-06-19 123:30:00", Text, Text),
        ("2026-06-19 12:3:00", Text, Text),
        ("2026-06-19 12:30:5", Text, Text),
        ("2026-06-19 12:30:00 CET", Text, Text),
        ("2026-06-19 12:30:00 +x", Text, Text),
        ("2026-06-19 12:30:00 +123", Text, Text),
        ("2026-06-19 12:30:00 +02:3", Text, Text),
    ] {
        assert_eq!(
            (by_yaml_1_1(plain), by_yaml_1_2(plain)),
            (old, new),
            "{plain}"
        );
    }
}
