//! The text of single rows: taken note of, put back, and cut out.
//!
//! A passage of a list of lines is whole lines, from the one with the dash to the last one of the row's values; in
//! `[…]` it is what stands between the commas. As with every edit the result is read again, and has to say exactly
//! what was meant.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::datum::Datum;
use super::edit::EditError;
use super::layout::{Entry, Kind, Layout, List, line_break, line_end, line_start, skip_blank};
use super::{json, parse, rows};
use crate::core::ids::Fingerprint;

/// A row as it stands in the text of a roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Its text, without the last line break.
    pub text: String,
    /// Its content.
    pub fingerprint: Fingerprint,
}

/// What became of putting a passage back.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum PutBack {
    /// The text with it.
    Done(String),
    /// There is no row of that name any more.
    Missing,
    /// The row is another by now; its text.
    Changed(String),
}

/// The passages of the rows of these names, as far as they can be told apart from the rest.
#[must_use]
pub fn passages(text: &str, names: &[&str]) -> BTreeMap<String, Passage> {
    let body = parse::without_mark(text);
    let (Ok(document), Ok(layout)) = (parse::document(text), Layout::of(body)) else {
        return BTreeMap::new();
    };
    let places = places(&document.root);
    let mut found = BTreeMap::new();
    for name in names {
        let Some(&[index]) = places.get(name).map(Vec::as_slice) else {
            continue;
        };
        let passage = span(body, &layout, index).zip(row(&document.root, index));
        if let Some((span, row)) = passage {
            let passage = Passage {
                text: body[span].to_owned(),
                fingerprint: rows::fingerprint(row),
            };
            found.insert((*name).to_owned(), passage);
        }
    }
    found
}

/// Puts the passage `before` in the place of `after`, or cuts that out where there was none before. Whatever else is
/// in the text stays as it is.
///
/// # Errors
///
/// The text is no roll, or the result cannot be proven to be what was meant.
pub fn put_back(
    text: &str,
    name: &str,
    before: Option<&Passage>,
    after: &Passage,
) -> Result<PutBack, EditError> {
    let document = parse::document(text)?;
    if document.documents > 1 {
        return Err(EditError::ManyDocuments {
            count: document.documents,
        });
    }
    let index = match places(&document.root).get(name).map(Vec::as_slice) {
        None => return Ok(PutBack::Missing),
        Some(&[index]) => index,
        Some(several) => {
            return Err(EditError::NotOneRow {
                name: name.to_owned(),
                count: several.len(),
            });
        }
    };
    let body = parse::without_mark(text);
    let layout = Layout::of(body).map_err(|why| EditError::NotExact { why })?;
    let span = span(body, &layout, index).ok_or_else(|| refused(name))?;
    let now = &body[span.clone()];
    let known = |line: &str| {
        let mut passages = before.into_iter().chain([after]);
        passages.any(|passage| passage.text.lines().any(|other| other == line))
    };
    // Another writer may have laid the same out anew. A comment that somebody has added would be lost.
    let same = row(&document.root, index).map(rows::fingerprint).as_ref()
        == Some(&after.fingerprint)
        && now.lines().all(|line| !line.contains('#') || known(line));
    if now != after.text && !same {
        return Ok(PutBack::Changed(now.to_owned()));
    }
    let Some(before) = before else {
        // What somebody has written above or below it would go with it.
        let is_remark = |line: &str| line.trim_start().starts_with('#') && !known(line);
        let whole = with_comments(text, &[index]).pop().flatten();
        if let Some(whole) = whole.filter(|whole| whole.lines().any(is_remark)) {
            return Ok(PutBack::Changed(whole));
        }
        return without(text, &[index]).map(PutBack::Done);
    };
    let mark = &text[..text.len() - body.len()];
    let new = format!(
        "{mark}{}{}{}",
        &body[..span.start],
        before.text,
        &body[span.end..]
    );
    let mut read = parse::document(&new)?;
    let is_put_back = read.documents == 1
        && row(&read.root, index).map(rows::fingerprint).as_ref() == Some(&before.fingerprint);
    // All else has to be as it was.
    if let (Some(back), Some(was)) = (row_mut(&mut read.root, index), row(&document.root, index)) {
        *back = was.clone();
    }
    if !is_put_back || !read.root.same(&document.root) {
        return Err(EditError::NotExact {
            why: "the file is laid out otherwise by now".to_owned(),
        });
    }
    Ok(PutBack::Done(new))
}

/// The text without these rows, counted from 0, and without the comments that belong to them.
///
/// # Errors
///
/// The text is no roll, or the result cannot be proven to be what was meant.
pub fn without(text: &str, gone: &[usize]) -> Result<String, EditError> {
    let body = parse::without_mark(text);
    if let Some(joined) = json::joined(body)? {
        return json::changed(text, &joined, |joined| without(joined, gone));
    }
    let mut intended = parse::document(text)?.root;
    let layout = Layout::of(body).map_err(|why| EditError::NotExact { why })?;
    let not_exact = |why: &str| EditError::NotExact {
        why: why.to_owned(),
    };
    let (entry, list) =
        sessions(&layout).ok_or_else(|| not_exact("there is no list of sessions"))?;
    let colon = entry
        .colon
        .filter(|_| !entry.value.marked)
        .ok_or_else(|| not_exact("the list of sessions is marked"))?;
    let is_gone = |index: usize| gone.contains(&index);
    let mut cuts: Vec<Range<usize>> = Vec::new();
    for index in (0..list.items.len()).filter(|index| is_gone(*index)) {
        let cut = if list.flow {
            let cut = between_commas(list, index, (0..index).any(|earlier| !is_gone(earlier)));
            let item = &list.items[index];
            if body[cut.start..item.start.max(cut.start)].contains('#')
                || body[item.end.min(cut.end)..cut.end].contains('#')
            {
                return Err(not_exact("a comment stands between two rows"));
            }
            cut
        } else {
            lines_of(body, entry, list, index)
                .ok_or_else(|| not_exact("a row is not lines of its own"))?
        };
        cuts.push(cut);
    }
    let mut new = text[..text.len() - body.len()].to_owned();
    let mut done = 0;
    if !list.flow && !cuts.is_empty() && (0..list.items.len()).all(is_gone) {
        new.push_str(&body[..colon]);
        new.push_str(" []");
        done = colon;
    }
    for cut in cuts {
        new.push_str(body.get(done..cut.start).unwrap_or_default());
        done = cut.end;
    }
    new.push_str(&body[done..]);
    if let Some(Datum::List(rows)) = intended.get_mut("tmux_sessions") {
        let mut index = 0;
        rows.retain(|_| {
            index += 1;
            !is_gone(index - 1)
        });
    }
    let read = parse::document(&new)?;
    if read.documents != 1 || !read.root.same(&intended) {
        return Err(not_exact("the result reads differently"));
    }
    Ok(new)
}

/// The text of the rows of these numbers, each with the comments that belong to it.
#[must_use]
pub fn with_comments(text: &str, wanted: &[usize]) -> Vec<Option<String>> {
    let body = parse::without_mark(text);
    let Ok(layout) = Layout::of(body) else {
        return vec![None; wanted.len()];
    };
    let of = |index: &usize| {
        let (entry, list) = sessions(&layout)?;
        let range = if list.flow {
            let node = list.items.get(*index)?;
            node.start..node.end
        } else {
            lines_of(body, entry, list, *index)?
        };
        Some(body.get(range)?.to_owned())
    };
    wanted.iter().map(of).collect()
}

/// Where the rows of each name stand in the list.
pub(super) fn places(root: &Datum) -> HashMap<&str, Vec<usize>> {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    if let Some(Datum::List(rows)) = root.get("tmux_sessions") {
        for (index, row) in rows.iter().enumerate() {
            if let Some(name) = row.get("name").and_then(Datum::text) {
                places.entry(name).or_default().push(index);
            }
        }
    }
    places
}

pub(super) fn row(root: &Datum, index: usize) -> Option<&Datum> {
    match root.get("tmux_sessions")? {
        Datum::List(rows) => rows.get(index),
        _ => None,
    }
}

fn row_mut(root: &mut Datum, index: usize) -> Option<&mut Datum> {
    root.get_mut("tmux_sessions")?.item_mut(index)
}

pub(super) fn sessions<'l, 't>(layout: &'l Layout<'t>) -> Option<(&'l Entry<'t>, &'l List<'t>)> {
    let entry = layout.root()?.entry("tmux_sessions")?;
    match &entry.value.kind {
        Kind::List(list) => Some((entry, list)),
        _ => None,
    }
}

/// Where the passage of a row is.
fn span(text: &str, layout: &Layout<'_>, index: usize) -> Option<Range<usize>> {
    let (entry, list) = sessions(layout)?;
    let node = list.items.get(index)?;
    if matches!(node.kind, Kind::Alias) {
        return None;
    }
    if list.flow {
        return Some(node.start..node.end);
    }
    let start = line_start(text, dash(text, entry, list, index)?);
    let after = after(text, node.end);
    Some(start..after - line_break_before(text, after))
}

/// The lines of a row, with the comments right above it, and those further in right below.
pub(super) fn lines_of(
    text: &str,
    entry: &Entry<'_>,
    list: &List<'_>,
    index: usize,
) -> Option<Range<usize>> {
    let dash = dash(text, entry, list, index)?;
    let column = dash - line_start(text, dash);
    let mut start = line_start(text, dash);
    let floor = match index.checked_sub(1) {
        Some(before) => after(text, list.items[before].end),
        None => after(text, entry.colon?),
    };
    while start > floor {
        let above = line_start(text, start - line_break_before(text, start));
        let line = text.get(above..start)?;
        let is_comment = line.trim_start().starts_with('#');
        let is_its_own = line.len() - line.trim_start().len() <= column || index == 0;
        if above < floor || !is_comment || !is_its_own {
            break;
        }
        start = above;
    }
    let mut end = after(text, list.items.get(index)?.end);
    while let Some(line) = text.get(end..line_end(text, end)) {
        let inner = line.trim_start();
        if !inner.starts_with('#') || line.len() - inner.len() <= column {
            break;
        }
        end = next_line(text, end);
    }
    Some(start..end)
}

/// The dash of a row that has lines of its own.
fn dash(text: &str, entry: &Entry<'_>, list: &List<'_>, index: usize) -> Option<usize> {
    let from = match index.checked_sub(1) {
        Some(before) => list.items.get(before)?.end,
        None => entry.colon?,
    };
    let dash = skip_blank(text, from);
    let alone = text.get(line_start(text, dash)..dash)?.trim().is_empty();
    (text.as_bytes().get(dash) == Some(&b'-') && alone).then_some(dash)
}

/// The column of the dash of a row that has lines of its own, counted from 0.
pub(super) fn column_of(text: &str, layout: &Layout<'_>, index: usize) -> Option<usize> {
    let (entry, list) = sessions(layout)?;
    let dash = dash(text, entry, list, index)?;
    Some(dash - line_start(text, dash))
}

/// Where the line after a value begins.
pub(super) fn after(text: &str, end: usize) -> usize {
    if text[..end].ends_with(['\n', '\r']) && end > 0 {
        // A block text ends with its line break.
        return end;
    }
    next_line(text, end)
}

fn next_line(text: &str, at: usize) -> usize {
    let newline = line_end(text, at);
    newline + line_break(text, newline).len()
}

/// How long the line break is that ends at `at`.
fn line_break_before(text: &str, at: usize) -> usize {
    let breaks = ["\r\n", "\n", "\r"];
    let found = breaks.iter().find(|it| text[..at].ends_with(**it));
    found.map_or(0, |it| it.len())
}

/// An item and one of the commas beside it.
fn between_commas(list: &List<'_>, index: usize, something_stays_before: bool) -> Range<usize> {
    let item = &list.items[index];
    match (index.checked_sub(1), list.items.get(index + 1)) {
        (Some(before), _) if something_stays_before => list.items[before].end..item.end,
        (_, Some(next)) => item.start..next.start,
        (_, None) => item.start..item.end,
    }
}

fn refused(name: &str) -> EditError {
    EditError::Refused {
        row: name.to_owned(),
        why: "it is not written as lines of its own".to_owned(),
    }
}

#[cfg(test)]
mod tests;
