//! What a session's name and the name under which tmux stores it have in common.

use headcount::core::ids::SessionName;
use proptest::prelude::*;

fn means(one: &str, other: &str) -> bool {
    SessionName::new(one).means(&SessionName::new(other))
}

#[test]
fn a_name_means_what_tmux_makes_of_it() {
    for (asked, stored) in [
        ("a.b:c", "a_b_c"),
        (r"a\b", r"a\\b"),
        (r"a\\b", r"a\\\\b"),
        ("a$b", r"a\$b"),
        ("a\tb\nc", r"a\tb\nc"),
        ("a\u{1b}[0m", r"a\033[0m"),
        ("a\u{7f}", r"a\177"),
        ("a\u{85}", r"a\302\205"),
        ("a\u{1fae8}", r"a\360\237\253\250"),
        // A tmux whose library knows the character stores it as it is.
        ("a\u{1fae8}", "a\u{1fae8}"),
        (r"a\033", r"a\\033"),
        (r"a\", r"a\\"),
    ] {
        assert!(means(asked, stored), "{asked:?} {stored:?}");
    }
}

#[test]
fn another_name_means_another_session() {
    for (one, other) in [("a", "b"), ("a_b", "a-b"), ("an", r"a\n"), ("a$b", "a_b")] {
        assert!(!means(one, other), "{one:?} {other:?}");
    }
}

/// Names in which much is escaped, or looks as if it were.
fn name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("\\".to_owned()),
        Just("$".to_owned()),
        "[a-f0-9.:]",
        "[0-7]{3}",
        any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// What tmux 3.3 makes of a name: `.` and `:` are `_`, and the rest is escaped as by vis(3).
fn stored(name: &str) -> String {
    let mut stored = String::new();
    let mut chars = name.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '.' | ':' => stored.push('_'),
            '\\' => stored.push_str(r"\\"),
            '\n' => stored.push_str(r"\n"),
            '\t' => stored.push_str(r"\t"),
            '\r' => stored.push_str(r"\r"),
            '\u{7}' => stored.push_str(r"\a"),
            '\u{8}' => stored.push_str(r"\b"),
            '\u{b}' => stored.push_str(r"\v"),
            '\u{c}' => stored.push_str(r"\f"),
            '$' if chars
                .peek()
                .is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '_' | '{')) =>
            {
                stored.push_str(r"\$");
            }
            char if char.is_control() => {
                let mut bytes = [0; 4];
                for byte in char.encode_utf8(&mut bytes).bytes() {
                    stored.push_str(&format!(r"\{byte:03o}"));
                }
            }
            char => stored.push(char),
        }
    }
    stored
}

proptest! {
    #[test]
    fn every_name_means_what_tmux_makes_of_it(name in name()) {
        prop_assert!(means(&name, &stored(&name)), "{name:?} {:?}", stored(&name));
    }

    #[test]
    fn what_is_normalised_stays_as_it_is(name in name()) {
        let once = SessionName::new(&name).normalised();
        prop_assert_eq!(once.normalised(), once);
    }
}
