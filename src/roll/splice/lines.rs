//! How what is new is written: the lines of a row, and values on one line.

use super::{NewRow, STEP};
use crate::core::edit::Value;
use crate::roll::draft::Written;
use crate::roll::layout::{Kind, Node, Style};
use crate::roll::scalar;

/// The lines of a row to be appended, its dash in column `dash`, its keys `gap` to the right of that.
pub(super) fn row_lines(row: &NewRow, dash: usize, gap: usize) -> Vec<String> {
    let mut lines = Vec::new();
    value_lines(row, dash + gap, &mut lines);
    if let Some(first) = lines.first_mut() {
        first.replace_range(dash..=dash, "-");
    }
    lines
}

pub(super) fn value_lines(pairs: &[(String, Value)], indent: usize, lines: &mut Vec<String>) {
    for (key, value) in pairs {
        let key = scalar::written(key);
        match value {
            Value::Map(inner) if !inner.is_empty() => {
                lines.push(format!("{:indent$}{key}:", ""));
                value_lines(inner, indent + STEP, lines);
            }
            other => lines.push(format!("{:indent$}{key}: {}", "", on_one_line(other))),
        }
    }
}

pub(super) fn on_one_line(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => scalar::written(text).into_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}

/// A value that fits behind its key, written as the one it replaces.
pub(super) fn inline(written: &Written, old: &Node<'_>) -> Option<String> {
    if let (Written::Value(Value::Text(text)), Kind::Scalar { style, .. }) = (written, &old.kind) {
        return Some(match style {
            Style::DoubleQuoted => scalar::double_quoted(text),
            Style::SingleQuoted => {
                scalar::single_quoted(text).unwrap_or_else(|| scalar::double_quoted(text))
            }
            Style::Plain | Style::Block { .. } => scalar::written(text).into_owned(),
        });
    }
    inline_anew(written)
}

pub(super) fn inline_anew(written: &Written) -> Option<String> {
    match written {
        Written::Value(Value::Map(_)) | Written::List(_) | Written::Moved(_) => None,
        Written::Value(value) => Some(on_one_line(value)),
    }
}

pub(super) fn join(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}
