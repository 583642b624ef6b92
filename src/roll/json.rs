//! JSON's way to write a character beyond U+FFFF: two escapes, `\ud83d\ude00`, that YAML does not join. Python's
//! `json.dump` writes every emoji so.
//!
//! In a roll that is JSON each such pair becomes the one escape that YAML has for it, `\U0001f600`, before anything
//! reads it, and a pair again before anything is written. JSON has no `\U`, so nothing else can be taken for one.

use memchr::memmem;
use serde::de::IgnoredAny;

use super::edit::EditError;
use super::parse::{self, NotYaml};

/// The text with its pairs joined; `None` where there are none, or where it is not JSON.
///
/// # Errors
///
/// Half a pair stands alone, which is no character.
pub(super) fn joined(text: &str) -> Result<Option<String>, NotYaml> {
    let mut behind =
        memmem::find_iter(text.as_bytes(), b"\\u").map(|at| text.as_bytes().get(at + b"\\u".len()));
    let has_halves = behind.any(|byte| matches!(byte, Some(b'd' | b'D')));
    if !has_halves || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Ok(None);
    }
    let mut joined = String::with_capacity(text.len());
    let mut done = 0;
    let mut found = false;
    for (at, escape) in escapes(text) {
        if at < done {
            continue;
        }
        let Some(first) = unit(escape).filter(|unit| matches!(unit, 0xd800..=0xdfff)) else {
            continue;
        };
        let second = text.get(at + PAIR / 2..).and_then(unit);
        let Some(Ok(char)) = second.and_then(|second| char::decode_utf16([first, second]).next())
        else {
            return Err(half(text, at));
        };
        let code = u32::from(char);
        joined.push_str(text.get(done..at).unwrap_or_default());
        joined.push_str(&match escape.starts_with("\\uD") {
            true => format!("\\U{code:08X}"),
            false => format!("\\U{code:08x}"),
        });
        done = at + PAIR;
        found = true;
    }
    joined.push_str(text.get(done..).unwrap_or_default());
    Ok(found.then_some(joined))
}

/// The text with every joined pair apart again.
pub(super) fn apart(joined: &str, upper: bool) -> String {
    let mut text = String::with_capacity(joined.len());
    let mut done = 0;
    for (at, escape) in escapes(joined) {
        let code = escape
            .strip_prefix("\\U")
            .and_then(|rest| u32::from_str_radix(rest.get(..8)?, 16).ok());
        let Some(char) = code.and_then(char::from_u32) else {
            continue;
        };
        text.push_str(joined.get(done..at).unwrap_or_default());
        for unit in char.encode_utf16(&mut [0; 2]) {
            text.push_str(&match upper {
                true => format!("\\u{unit:04X}"),
                false => format!("\\u{unit:04x}"),
            });
        }
        done = at + JOINED;
    }
    text.push_str(joined.get(done..).unwrap_or_default());
    text
}

/// A text that is JSON, changed as `change` changes it with its pairs `joined`.
pub(super) fn changed(
    text: &str,
    joined: &str,
    change: impl FnOnce(&str) -> Result<String, EditError>,
) -> Result<String, EditError> {
    let not_exact = |why: &str| EditError::NotExact {
        why: why.to_owned(),
    };
    let body = parse::without_mark(text);
    let upper = [true, false]
        .into_iter()
        .find(|upper| apart(joined, *upper) == body)
        .ok_or_else(|| not_exact("its escapes are written now in capitals and now not"))?;
    let mark = &text[..text.len() - body.len()];
    let changed = change(joined)?;
    let new = format!("{mark}{}", apart(&changed, upper));
    let read = parse::document(&new)?;
    if read.documents != 1 || !read.root.same(&parse::document(&changed)?.root) {
        return Err(not_exact("the result reads differently"));
    }
    Ok(new)
}

/// The bytes of a pair, and of the one escape for it.
const PAIR: usize = 12;
const JOINED: usize = 10;

/// Every escape in the texts of a JSON document, with its place.
fn escapes(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let at = next + memchr::memchr(b'\\', text.as_bytes().get(next..)?)?;
        // What is behind it belongs to it, another backslash too.
        next = at + 2;
        Some((at, text.get(at..)?))
    })
}

/// The unit of UTF-16 that an escape writes.
fn unit(escape: &str) -> Option<u16> {
    let digits = escape.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok()
}

fn half(text: &str, at: usize) -> NotYaml {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    let escape = text.get(at..at + PAIR / 2).unwrap_or_default();
    NotYaml {
        line: before.matches('\n').count() + 1,
        column: line.chars().count() + 1,
        why: format!("{escape} is one half of a character, and the other is missing: remove it"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    #[test]
    fn a_pair_becomes_one_escape_and_a_pair_again() {
        let text = r#"{"a": "x\ud83d\ude00\\ud83d\n\u00e9", "\ud83d\ude01": "\\U0001f600"}"#;
        let joined = joined(text).unwrap().unwrap();
        assert_eq!(
            joined,
            r#"{"a": "x\U0001f600\\ud83d\n\u00e9", "\U0001f601": "\\U0001f600"}"#
        );
        assert_eq!(apart(&joined, false), text);
    }

    #[test]
    fn pairs_side_by_side_are_pairs_each() {
        let text = r#"{"a": "\ud83d\ude00\ud83d\ude01"}"#;
        let joined = joined(text).unwrap().unwrap();
        assert_eq!(joined, r#"{"a": "\U0001f600\U0001f601"}"#);
        assert_eq!(apart(&joined, false), text);
    }

    #[test]
    fn capitals_stay_capitals() {
        let text = r#"{"a": "\uD83D\uDE00"}"#;
        assert_eq!(apart(&joined(text).unwrap().unwrap(), true), text);
    }

    #[test]
    fn what_is_no_json_or_has_no_pairs_is_left_alone() {
        for text in ["a: \"\\ud83d\\ude00\"", "{}", "{\"a\": \"\\\\ud83d\"}"] {
            assert_eq!(joined(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn half_a_pair_is_refused_at_its_place() {
        for (text, half) in [
            ("{\n \"a\": \"\\ud83d\"}", "\\ud83d"),
            ("{\n \"a\": \"\\ude00\\ud83d\"}", "\\ude00"),
            ("{\n \"a\": \"\\ud83d\\u0041\"}", "\\ud83d"),
        ] {
            let error = joined(text).unwrap_err();
            assert_eq!((error.line, error.column), (2, 8), "{text}");
            assert!(
                error.why.starts_with(&format!("{half} is one half")),
                "{error}"
            );
        }
    }
}
