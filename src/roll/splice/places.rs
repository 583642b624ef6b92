//! Where in the text something is.

use super::Refusal;
use crate::roll::draft::{Draft, Fate};
use crate::roll::layout::{Entry, Kind, Node, Style};

/// Whether a value is one token that another can be put in the place of.
pub(super) fn is_token(node: &Node<'_>) -> bool {
    let single = match &node.kind {
        Kind::Scalar { style, .. } => !matches!(style, Style::Block { .. }) && !node.is_nothing(),
        Kind::Alias => true,
        Kind::List(list) => list.flow,
        Kind::Map(map) => map.flow,
    };
    single && !node.marked
}

/// The value that a value ends with.
pub(super) fn last_leaf<'n, 't>(node: &'n Node<'t>) -> &'n Node<'t> {
    let inner = match &node.kind {
        Kind::List(list) => list.items.last(),
        Kind::Map(map) => map.entries.last().map(|entry| &entry.value),
        _ => None,
    };
    inner.map_or(node, last_leaf)
}

pub(super) const fn is_block_text(node: &Node<'_>) -> bool {
    matches!(
        node.kind,
        Kind::Scalar {
            style: Style::Block { .. },
            ..
        }
    )
}

/// Whether the last entry that stays ends in a block text.
pub(super) fn ends_in_block_text(draft: &Draft<'_, '_>) -> bool {
    let stays = |(_, fate): &(&Entry<'_>, &Fate<'_, '_>)| !matches!(fate, Fate::Cut);
    let mut entries = draft.map.entries.iter().zip(&draft.fates);
    entries
        .rfind(stays)
        .is_some_and(|(entry, _)| is_block_text(last_leaf(&entry.value)))
}

/// The byte after the bracket or brace that opens a collection.
pub(super) const fn after_bracket(node: &Node<'_>) -> usize {
    node.start + 1
}

/// The line break that ends at `at`, if there is one.
pub(super) fn line_break_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    if before.ends_with("\r\n") {
        "\r\n"
    } else if before.ends_with('\n') {
        "\n"
    } else if before.ends_with('\r') {
        "\r"
    } else {
        ""
    }
}

/// The first and the last entry of each row of entries that go.
pub(super) fn runs(fates: &[Fate<'_, '_>]) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, fate) in fates.iter().enumerate() {
        if !matches!(fate, Fate::Cut) {
            continue;
        }
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == at => *last = at,
            _ => runs.push((at, at)),
        }
    }
    runs
}

/// The first byte at or after `at` that is not blank.
pub(super) fn skip_spaces(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches([' ', '\t', '\r', '\n']).len()
}

/// Refuses to replace a value if that would take a comment between it and its key. What is said within a value is
/// about what goes, and goes with it.
pub(super) fn keep_comments(text: &str, entry: &Entry<'_>) -> Result<(), Refusal> {
    let value = &entry.value;
    let from = match entry.colon {
        Some(colon) if !is_token(value) => colon,
        _ => value.start,
    };
    let replaced = text.get(from..value.start).unwrap_or_default();
    let is_comment = |at: usize| {
        let before = replaced.as_bytes().get(at.wrapping_sub(1));
        replaced.as_bytes()[at] == b'#' && before.is_none_or(u8::is_ascii_whitespace)
    };
    if (0..replaced.len()).any(is_comment) {
        return Err(
            "a comment stands between a key and a value that would be replaced: put it above the key",
        );
    }
    Ok(())
}
