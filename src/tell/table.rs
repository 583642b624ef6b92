//! The report as a table for a terminal.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use super::item::{self, Item};
use super::sentence;
use super::visible::visible;
use super::wrap::wrap;
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
