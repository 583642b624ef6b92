//! The report as one JSON object.

use std::io::{self, Write};

use serde::Serialize;

use super::visible::is_treacherous;

/// How a document is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Over many lines, for a person at a terminal.
    Pretty,
    /// On one line, for programs that read line by line.
    OneLine,
}

/// Writes a document and a newline. Characters that a terminal would obey are written as `\uXXXX`, which
/// JSON reads back as the same text.
///
/// # Errors
/// When the writer fails.
pub fn write<T: Serialize>(document: &T, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let text = match layout {
        Layout::Pretty => serde_json::to_string_pretty(document)?,
        Layout::OneLine => serde_json::to_string(document)?,
    };
    let mut harmless = String::with_capacity(text.len() + 1);
    for c in text.chars() {
        // The only line breaks in it are those between the values: in texts they are escaped already.
        if is_treacherous(c) && c != '\n' {
            let mut units = [0; 2];
            for unit in c.encode_utf16(&mut units) {
                harmless.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            harmless.push(c);
        }
    }
    harmless.push('\n');
    out.write_all(harmless.as_bytes())
}
