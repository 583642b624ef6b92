//! The report as a table for a terminal.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::item::{self, Item};
use super::sentence;
use super::visible::visible;
use crate::core::report::Report;

/// The narrowest a table can be and still be read.
const NARROWEST: usize = 40;

/// The columns before the last: the class, the state and the kind. Their widths include the gap behind them.
const CLASS: usize = 3;
const STATE: usize = 10;
const KIND: usize = 17;

/// Writes the table, no line wider than `width` columns of a terminal (at least 40).
///
/// # Errors
/// When the writer fails.
pub fn write(report: &Report, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let width = width.max(NARROWEST);
    let mut lines = Vec::new();
    let mut prose = |text: &str| lines.extend(wrap(&visible(text), width));
    prose(&format!(
        "{}  {}  {}",
        report.at.iso(),
        report.vantage.host,
        report.roll
    ));
    prose(&sentence::summary(report));

    let items = item::of(report);
    if !items.is_empty() {
        lines.push(String::new());
        lines.push(format!("{:CLASS$}{:STATE$}{:KIND$}SESSION", "", "STATE", "WHAT").to_owned());
        for item in &items {
            lines.extend(rows(item, width));
        }
    }
    for line in lines {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// One item: its columns, and below them its sentences.
fn rows(item: &Item, width: usize) -> Vec<String> {
    let mut subject = item.subject.clone();
    if let Some(server) = &item.server {
        subject = format!("{subject} (tmux server {server})");
    }
    let before = format!(
        "{:CLASS$}{:STATE$}{:KIND$}",
        item.class.map(String::from).unwrap_or_default(),
        item.state.as_str(),
        visible(&item.kind),
    );
    let mut lines = indented(&before, &wrap(&visible(&subject), width - before.width()));
    let below = CLASS + STATE;
    lines.extend(indented(
        &" ".repeat(below),
        &wrap(&visible(&item.statement), width - below),
    ));
    lines
}

/// The lines behind `first`, and behind as much blank from the second on.
fn indented(first: &str, lines: &[String]) -> Vec<String> {
    let blank = " ".repeat(first.width());
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| format!("{}{line}", if at == 0 { first } else { &blank }))
        .collect()
}

/// Breaks a text at blanks into lines of at most `width` columns; a word that is wider is broken anywhere,
/// so that nothing is lost. There is always at least one line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let wide = word.width();
        if used > 0 && used + 1 + wide <= width {
            push(&mut lines, " ");
            push(&mut lines, word);
            used += 1 + wide;
            continue;
        }
        if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used > 0 && used + wide > width {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, c.encode_utf8(&mut [0; 4]));
            used += wide;
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    }

    #[test]
    fn a_word_that_does_not_fit_is_broken_and_not_lost() {
        assert_eq!(wrap("a abcdefghij b", 4), ["a", "abcd", "efgh", "ij b"]);
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    }

    #[test]
    fn nothing_is_one_empty_line() {
        assert_eq!(wrap("", 10), [""]);
    }
}
