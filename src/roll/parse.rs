//! From text to values. The only file that names `serde_yaml`, which only ever reads.

use std::fmt;

use serde::de::{
    Deserialize, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use thiserror::Error;

use super::datum::Datum;
use super::{json, rows};
use crate::core::ids::{Fingerprint, Timestamp};
use crate::core::registry::Registry;

/// The text is not a roll.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("line {line}, column {column}: {why}")]
pub struct NotYaml {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// What is wrong, as a sentence without a full stop.
    pub why: String,
}

/// The content of a roll.
pub(crate) struct Document {
    /// The mapping that holds `tmux_sessions`.
    pub(crate) root: Datum,
    /// How many documents the file has.
    pub(crate) documents: usize,
}

/// Reads a roll. Rows that are wrong become [`crate::core::registry::InvalidRow`]s; the error is for what cannot be read at all.
///
/// # Errors
///
/// The text is not YAML, its top level is not a mapping, or `tmux_sessions` is not a list.
pub fn parse(
    text: &str,
    fingerprint: Fingerprint,
    written_at: Timestamp,
) -> Result<Registry, NotYaml> {
    let joined = json::joined(without_mark(text))?;
    let text = joined.as_deref().unwrap_or(text);
    let document = document_of(text)?;
    rows::registry(&document.root, text, fingerprint, written_at)
}

/// Reads the values of a roll. Of several documents the first that has `tmux_sessions` is the roll, or the
/// first of all if none has.
pub(crate) fn document(text: &str) -> Result<Document, NotYaml> {
    let joined = json::joined(without_mark(text))?;
    document_of(joined.as_deref().unwrap_or(text))
}

/// The same, of a text that has no pairs to join.
fn document_of(text: &str) -> Result<Document, NotYaml> {
    refuse_depth(text)?;
    let text = without_mark(text);
    let mut documents = 0;
    let mut root = None;
    for reader in serde_yaml::Deserializer::from_str(text) {
        let datum = Datum::deserialize(reader).map_err(|error| not_yaml(&error, text))?;
        documents += 1;
        let found =
            matches!(&root, Some(known @ Datum::Map(_)) if known.get("tmux_sessions").is_some());
        if root.is_none() || !found && datum.get("tmux_sessions").is_some() {
            root = Some(datum);
        }
    }
    match root {
        Some(root @ Datum::Map(_)) => Ok(Document { root, documents }),
        None | Some(Datum::Null) => Err(top_level("nothing but comments")),
        Some(other) => Err(top_level(other.noun())),
    }
}

/// Refuses what no roll is: brackets within brackets without end, for which the reader below takes the square
/// of their number. Brackets in texts are counted too, so the limit is one that no texts reach.
fn refuse_depth(text: &str) -> Result<(), NotYaml> {
    const DEEPEST: usize = 5_000;
    let opening = memchr::memchr2_iter(b'[', b'{', text.as_bytes());
    if opening.take(DEEPEST + 1).count() <= DEEPEST {
        return Ok(());
    }
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            let (line, column) = place(text, at);
            return Err(NotYaml {
                line,
                column,
                why: format!("more than {DEEPEST} brackets are open at once"),
            });
        }
    }
    Ok(())
}

/// The text without the byte order mark that some editors put before it.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

fn top_level(found: &str) -> NotYaml {
    NotYaml {
        line: 1,
        column: 1,
        why: format!("the file holds {found} where a mapping with `tmux_sessions:` is expected"),
    }
}

/// Line and column of a byte, counted from 1, the column in characters.
fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let line_starts = memchr::memrchr(b'\n', before).map_or(0, |end| end + 1);
    let line = memchr::memchr_iter(b'\n', before).count() + 1;
    let is_first_of_char = |&&byte: &&u8| byte & 0xc0 != 0x80;
    let column = before[line_starts..]
        .iter()
        .filter(is_first_of_char)
        .count()
        + 1;
    (line, column)
}

/// An error of the reader of `text`.
fn not_yaml(error: &serde_yaml::Error, text: &str) -> NotYaml {
    let mut why = error.to_string().replace(['\n', '\r'], " ");
    // The message repeats the place, which is told apart here.
    let mut take_out = |told: String| why = why.replacen(&told, "", 1);
    let (line, column) = if let Some(at) = position(error) {
        // Of what is no text for YAML it tells the byte, and the beginning of the file as the place.
        take_out(format!(" at position {at}"));
        place(text, at)
    } else if let Some(place) = error.location() {
        take_out(format!(
            " at line {} column {}",
            place.line(),
            place.column()
        ));
        (place.line().max(1), place.column().max(1))
    } else {
        (1, 1)
    };
    if why.contains("repetition limit exceeded") {
        why = "the aliases in it stand for more than a roll can hold".to_owned();
    }
    NotYaml { line, column, why }
}

/// The byte that the reader's message names.
fn position(error: &serde_yaml::Error) -> Option<usize> {
    let message = error.to_string();
    let (_, after) = message.rsplit_once(" at position ")?;
    after
        .split(|c: char| !c.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}

impl<'de> Deserialize<'de> for Datum {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Datum;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Datum, E> {
        Ok(Datum::Null)
    }

    fn visit_none<E>(self) -> Result<Datum, E> {
        Ok(Datum::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Datum, E> {
        Ok(Datum::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Datum, E> {
        Ok(Datum::Int(i128::from(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Datum, E> {
        Ok(Datum::Int(i128::from(value)))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Datum, E> {
        Ok(Datum::Int(value))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Datum, E> {
        Ok(i128::try_from(value).map_or_else(|_| Datum::Text(value.to_string()), Datum::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Datum, E> {
        Ok(Datum::Float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Datum, E> {
        Ok(Datum::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Datum, E> {
        Ok(Datum::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Datum, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            items.push(item);
        }
        Ok(Datum::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Datum, A::Error> {
        let mut pairs = Vec::new();
        let mut merges = false;
        while let Some((key, value)) = map.next_entry::<Datum, Datum>()? {
            merges |= key.text() == Some("<<");
            pairs.push((key, value));
        }
        Ok(Datum::Map(if merges { merged(pairs) } else { pairs }))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Datum, A::Error> {
        let (tag, content) = data.variant::<String>()?;
        Ok(Datum::Tagged(tag, Box::new(content.newtype_variant()?)))
    }
}

/// Carries out the merge keys of a mapping as `PyYAML` does: what the mapping says itself wins, then the
/// first of the merged ones. A `<<` that holds anything but mappings stays a key like any other.
fn merged(pairs: Vec<(Datum, Datum)>) -> Vec<(Datum, Datum)> {
    let (merges, mut pairs): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(key, value)| {
        key.text() == Some("<<")
            && match value {
                Datum::Map(_) => true,
                Datum::List(items) => items.iter().all(|item| matches!(item, Datum::Map(_))),
                _ => false,
            }
    });
    let sources = merges.into_iter().flat_map(|(_, value)| match value {
        Datum::List(items) => items,
        other => vec![other],
    });
    for source in sources {
        let Datum::Map(inherited) = source else {
            continue;
        };
        for (key, value) in inherited {
            if !pairs.iter().any(|(known, _)| known.same(&key)) {
                pairs.push((key, value));
            }
        }
    }
    pairs
}
