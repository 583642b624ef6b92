//! One text as one YAML scalar that every reader takes for that very text, and what the two versions of YAML
//! make of a scalar without quotes.
//!
//! The other writers read the roll by YAML 1.1, where `no` is a truth value, `12:30` is 750 and
//! `2026-06-19` is a date; others read it by YAML 1.2, where `1e3` is a number. So a text is written plainly only
//! if it looks like nothing else in either, and in double quotes otherwise.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The longest text written without quotes, in bytes.
const LONGEST_PLAIN: usize = 128;

/// Words that are no texts in one version or the other, in lower case.
const WORDS: [&str; 13] = [
    "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "none",
];

/// A text as a scalar, plain if that is safe. Good in block and flow style, as a value and as a key.
pub(crate) fn written(text: &str) -> Cow<'_, str> {
    if is_plainly_safe(text) {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(double_quoted(text))
    }
}

/// A text in double quotes, with the escapes that YAML and JSON share.
pub(crate) fn double_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for char in text.chars() {
        match char {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            hidden if must_be_escaped(hidden) => {
                // All of them are below U+10000: writing to a text cannot fail.
                let _ = write!(quoted, "\\u{:04x}", u32::from(hidden));
            }
            seen => quoted.push(seen),
        }
    }
    quoted.push('"');
    quoted
}

/// A text in single quotes, if those can hold it.
pub(crate) fn single_quoted(text: &str) -> Option<String> {
    let fits = !text
        .chars()
        .any(|char| matches!(char, '\n' | '\r' | '\t') || must_be_escaped(char));
    fits.then(|| format!("'{}'", text.replace('\'', "''")))
}

/// Controls, everything some YAML reader takes for a line break or refuses, and what a person would not see.
fn must_be_escaped(char: char) -> bool {
    matches!(
        char,
        '\u{0}'..='\u{1f}'
            | '\u{7f}'..='\u{a0}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{e000}'..='\u{f8ff}'
            | '\u{feff}'
            | '\u{fff0}'..='\u{ffff}'
    )
}

fn is_plainly_safe(text: &str) -> bool {
    let first = text.as_bytes().first();
    first.is_some_and(|first| first.is_ascii_alphabetic() || *first == b'/')
        && text.len() <= LONGEST_PLAIN
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_./@+-".contains(&byte))
        && !WORDS.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// What a reader makes of a scalar without quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plain {
    Null,
    Bool,
    Number,
    Time,
    /// `=` and `<<` as values, which `PyYAML` cannot read.
    Refused,
    Text,
}

impl Plain {
    /// What a person calls it.
    pub(crate) const fn noun(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool => "a yes or no",
            Self::Number => "a number",
            Self::Time => "a time",
            Self::Refused => "an error",
            Self::Text => "a text",
        }
    }
}

/// Whether `PyYAML` takes a scalar without quotes for a text.
pub(crate) fn is_text_to_pyyaml(plain: &str) -> bool {
    by_yaml_1_1(plain) == Plain::Text
}

/// What YAML 1.1, as `PyYAML` reads it, makes of a scalar without quotes.
pub(crate) fn by_yaml_1_1(plain: &str) -> Plain {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "yes" | "Yes" | "YES" | "no" | "No" | "NO" | "true" | "True" | "TRUE" | "false"
        | "False" | "FALSE" | "on" | "On" | "ON" | "off" | "Off" | "OFF" => Plain::Bool,
        "=" | "<<" => Plain::Refused,
        _ if is_int_1_1(plain) || is_float_1_1(plain) => Plain::Number,
        _ if is_time_1_1(plain) => Plain::Time,
        _ => Plain::Text,
    }
}

/// What YAML 1.2 makes of a scalar without quotes.
pub(crate) fn by_yaml_1_2(plain: &str) -> Plain {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => Plain::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Plain::Bool,
        _ if is_number_1_2(plain) => Plain::Number,
        _ => Plain::Text,
    }
}

fn unsigned(plain: &str) -> &str {
    plain.strip_prefix(['+', '-']).unwrap_or(plain)
}

/// Whether a text is one or more of some bytes.
fn is_all(text: &str, of: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(of)
}

fn digits(byte: u8) -> bool {
    byte.is_ascii_digit()
}

fn digits_(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

fn is_int_1_1(plain: &str) -> bool {
    let text = unsigned(plain);
    if let Some(binary) = text.strip_prefix("0b") {
        return is_all(binary, |byte| matches!(byte, b'0' | b'1' | b'_'));
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return is_all(hex, |byte| byte.is_ascii_hexdigit() || byte == b'_');
    }
    match text.strip_prefix('0') {
        Some("") => true,
        Some(octal) => is_all(octal, |byte| matches!(byte, b'0'..=b'7' | b'_')),
        None => {
            let (whole, sixtieths) = text
                .split_once(':')
                .map_or((text, None), |(a, b)| (a, Some(b)));
            text.as_bytes().first().is_some_and(u8::is_ascii_digit)
                && is_all(whole, digits_)
                && sixtieths.is_none_or(|rest| rest.split(':').all(is_sixtieth))
        }
    }
}

/// 0 to 59, in one digit or two.
fn is_sixtieth(text: &str) -> bool {
    match text.as_bytes() {
        [one] => one.is_ascii_digit(),
        [b'0'..=b'5', one] => one.is_ascii_digit(),
        _ => false,
    }
}

fn is_float_1_1(plain: &str) -> bool {
    let text = unsigned(plain);
    if matches!(text, ".inf" | ".Inf" | ".INF") || matches!(plain, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let Some((whole, fraction)) = text.split_once('.') else {
        return false;
    };
    let (fraction, exponent) = fraction
        .split_once(['e', 'E'])
        .map_or((fraction, None), |(a, b)| (a, Some(b)));
    // An exponent needs its sign here, which is what makes `1.0e3` a text to PyYAML.
    let exponent_fits = exponent
        .is_none_or(|exponent| exponent.starts_with(['+', '-']) && is_all(&exponent[1..], digits));
    if whole.is_empty() {
        // No sign before a bare point.
        return text.len() == plain.len()
            && fraction.starts_with(|first: char| first.is_ascii_digit())
            && is_all(fraction, digits_)
            && exponent_fits;
    }
    if !whole.as_bytes()[0].is_ascii_digit() {
        return false;
    }
    if let Some((hours, sixtieths)) = whole.split_once(':') {
        return is_all(hours, digits_)
            && sixtieths.split(':').all(is_sixtieth)
            && fraction.bytes().all(digits_)
            && exponent.is_none();
    }
    is_all(whole, digits_) && fraction.bytes().all(digits_) && exponent_fits
}

fn is_time_1_1(plain: &str) -> bool {
    let Some((year, rest)) = plain.split_once('-') else {
        return false;
    };
    let Some((month, rest)) = rest.split_once('-') else {
        return false;
    };
    let day_end = rest
        .bytes()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    let (day, time) = rest.split_at(day_end);
    let of = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
        is_all(text, digits) && lengths.contains(&text.len())
    };
    if !of(year, 4..=4) || !of(month, 1..=2) || !of(day, 1..=2) {
        return false;
    }
    if time.is_empty() {
        return month.len() == 2 && day.len() == 2;
    }
    let clock = match time.as_bytes()[0] {
        b'T' | b't' => &time[1..],
        b' ' | b'\t' => time.trim_start_matches([' ', '\t']),
        _ => return false,
    };
    let mut parts = clock.splitn(3, ':');
    let (Some(hour), Some(minute), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    of(hour, 1..=2)
        && of(minute, 2..=2)
        && rest.get(..2).is_some_and(|second| of(second, 2..=2))
        && {
            let rest = &rest[2..];
            let rest = rest.strip_prefix('.').map_or(rest, |fraction| {
                fraction.trim_start_matches(|char: char| char.is_ascii_digit())
            });
            is_zone(rest.trim_start_matches([' ', '\t']))
        }
}

/// Nothing, `Z`, or an offset such as `+2` or `+02:00`.
fn is_zone(text: &str) -> bool {
    if matches!(text, "" | "Z") {
        return true;
    }
    let Some(offset) = text.strip_prefix(['+', '-']) else {
        return false;
    };
    let (hours, minutes) = offset
        .split_once(':')
        .map_or((offset, None), |(a, b)| (a, Some(b)));
    is_all(hours, digits)
        && hours.len() <= 2
        && minutes.is_none_or(|minutes| is_all(minutes, digits) && minutes.len() == 2)
}

fn is_number_1_2(plain: &str) -> bool {
    let text = unsigned(plain);
    if matches!(text, ".inf" | ".Inf" | ".INF") || matches!(plain, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some(octal) = plain.strip_prefix("0o") {
        return is_all(octal, |byte| matches!(byte, b'0'..=b'7'));
    }
    if let Some(hex) = plain.strip_prefix("0x") {
        return is_all(hex, |byte| byte.is_ascii_hexdigit());
    }
    let (mantissa, exponent) = text
        .split_once(['e', 'E'])
        .map_or((text, None), |(a, b)| (a, Some(b)));
    if exponent.is_some_and(|exponent| !is_all(unsigned(exponent), digits)) {
        return false;
    }
    match mantissa.split_once('.') {
        None => is_all(mantissa, digits),
        Some(("", fraction)) => is_all(fraction, digits),
        Some((whole, fraction)) => is_all(whole, digits) && fraction.bytes().all(digits),
    }
}

#[cfg(test)]
mod tests;
