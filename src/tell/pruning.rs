//! What came of a prune, as lines for a person.

use std::io::{self, Write};

use super::visible::{readable, readable_name, visible};
use crate::core::ids::SessionName;
use crate::core::prune::{Gone, Judged, Kept, Pruning};
use crate::core::registry::Status;

/// Writes what went, and why the rest stays: each row if rows were named, else how many for each reason.
///
/// # Errors
/// When the writer fails.
pub fn write(pruning: &Pruning, each: bool, out: &mut dyn Write) -> io::Result<()> {
    for gone in &pruning.gone {
        writeln!(out, "{}", line(gone, pruning.dry_run))?;
    }
    if each {
        for row in &pruning.kept {
            let why = row.kept.as_ref().map(Kept::why).unwrap_or_default();
            writeln!(
                out,
                "kept: {}: {}",
                name(row.name.as_ref()),
                visible(&readable(&why))
            )?;
        }
        for unknown in &pruning.unknown {
            writeln!(out, "no row: {}", name(Some(unknown)))?;
        }
    } else if !pruning.kept.is_empty() {
        writeln!(out, "{}", counted(&pruning.kept))?;
    }
    Ok(())
}

fn line(gone: &Gone, dry_run: bool) -> String {
    let Gone {
        row,
        archive,
        number,
    } = gone;
    let done = if dry_run { "would be pruned" } else { "pruned" };
    let status = row.status.as_ref().map_or("ended", Status::as_str);
    let since = row
        .ended
        .map_or_else(String::new, |at| format!(" since {}", at.iso()));
    let number = number.map_or_else(String::new, |number| format!(" (#{number})"));
    format!(
        "{done}: {}: {status}{since}, to {}{number}",
        name(row.name.as_ref()),
        visible(&readable(archive))
    )
}

/// `kept: 4 rows (3 running, 1 recent)`
fn counted(kept: &[Judged]) -> String {
    let of = |word: &str| {
        let kept = kept.iter().filter_map(|row| row.kept.as_ref());
        kept.filter(|kept| kept.as_str() == word).count()
    };
    let reasons = Kept::WORDS
        .iter()
        .map(|word| (of(word), word.replace('_', " ")));
    let reasons = reasons.filter(|(count, _)| *count > 0);
    let reasons: Vec<String> = reasons
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    let rows = if kept.len() == 1 { "row" } else { "rows" };
    format!("kept: {} {rows} ({})", kept.len(), reasons.join(", "))
}

fn name(name: Option<&SessionName>) -> String {
    let name = name.map_or("a row without a name", SessionName::as_str);
    visible(&readable_name(name)).into_owned()
}
