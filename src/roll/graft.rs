//! Rows that are cut from one roll and set into another text: into an archive, or back into the roll.
//!
//! A cutting is lines, with the comments that belong to it, as they would stand in a list at the left margin. As with
//! every edit the result is read again, and has to say exactly what was meant.

use std::collections::{BTreeMap, BTreeSet};

use super::check::TEXTS;
use super::datum::Datum;
use super::edit::EditError;
use super::layout::{Entry, Kind, Layout, List, Node, line_start};
use super::passage::{after, column_of, lines_of, row, sessions, with_comments};
use super::{json, parse, rows};
use crate::core::ids::Fingerprint;

/// A row, by itself.
#[derive(Clone, Debug)]
pub struct Cutting {
    /// Its name.
    pub name: String,
    /// Its content.
    pub fingerprint: Fingerprint,
    /// Its lines, each with a line feed.
    pub text: String,
    value: Datum,
}

impl Cutting {
    /// Whether the two are the same row, with the same comments, laid out the same.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint && self.text == other.text
    }
}

/// Cuts out these rows, counted from 0. What cannot stand by itself is told instead, as a sentence without a full
/// stop.
///
/// # Errors
///
/// The text is no roll.
pub fn cuttings(text: &str, wanted: &[usize]) -> Result<Vec<Result<Cutting, String>>, EditError> {
    let document = parse::document(text)?;
    if document.documents > 1 {
        return Err(EditError::ManyDocuments {
            count: document.documents,
        });
    }
    let joined = json::joined(parse::without_mark(text))?;
    let body = joined.as_deref().unwrap_or(parse::without_mark(text));
    let layout = Layout::of(body).map_err(|why| EditError::NotExact { why })?;
    let list = sessions(&layout).map(|(_, list)| list);
    let texts = with_comments(body, wanted);
    let cut = |(&index, passage): (&usize, Option<String>)| {
        let list = list.ok_or("there is no list of sessions")?;
        let node = list
            .items
            .get(index)
            .ok_or("it is not where it should be")?;
        if is_marked(node) {
            return Err("an anchor, an alias or a tag is in it".to_owned());
        }
        let passage = passage.ok_or("it is not lines of its own")?;
        let text = if list.flow {
            format!("- {}", indented(&lines(&passage), 2).trim_start())
        } else {
            let column = column_of(body, &layout, index).ok_or("it is not lines of its own")?;
            unindented(&lines(&passage), column)
        };
        let value = row(&document.root, index).ok_or("it is not where it should be")?;
        let name = match value.get("name") {
            None | Some(Datum::Null) => "",
            Some(name) => name
                .text()
                .ok_or("its name is a text to some programs and a number to others")?,
        };
        let alone = parse::document(&format!("tmux_sessions:\n{text}"));
        let is_same = |alone: &parse::Document| {
            let only = Datum::Map(vec![(
                Datum::Text("tmux_sessions".to_owned()),
                Datum::List(vec![value.clone()]),
            )]);
            alone.documents == 1 && alone.root.same(&only)
        };
        if !alone.is_ok_and(|alone| is_same(&alone)) {
            return Err("by itself it would read differently".to_owned());
        }
        Ok(Cutting {
            name: name.to_owned(),
            fingerprint: rows::fingerprint(value),
            text,
            value: value.clone(),
        })
    };
    Ok(wanted.iter().zip(texts).map(cut).collect())
}

/// The text with these rows at the end of its list.
///
/// # Errors
///
/// The text is no roll, or the result cannot be proven to be what was meant.
pub fn graft(text: &str, new: &[Cutting]) -> Result<String, EditError> {
    let body = parse::without_mark(text);
    if let Some(joined) = json::joined(body)? {
        return json::changed(text, &joined, |joined| graft(joined, new));
    }
    let document = parse::document(text)?;
    if document.documents > 1 {
        return Err(EditError::ManyDocuments {
            count: document.documents,
        });
    }
    let layout = Layout::of(body).map_err(|why| EditError::NotExact { why })?;
    let root = layout
        .root()
        .ok_or_else(|| not_exact("its top level is marked"))?;
    let entry = root
        .entry("tmux_sessions")
        .filter(|entry| !entry.value.marked)
        .ok_or_else(|| not_exact("there is no list of sessions"))?;
    let crlf = body.contains("\r\n");
    let (before, between, behind) = match &entry.value.kind {
        Kind::List(list) if !list.items.is_empty() && !list.flow => below(body, entry, list, new)?,
        Kind::List(list) if list.flow && (root.flow || !list.items.is_empty()) => {
            beside(body, entry, list, new)?
        }
        Kind::List(_) | Kind::Scalar { .. } => first(body, entry, new)?,
        Kind::Map(_) | Kind::Alias => return Err(not_exact("its list of sessions is none")),
    };
    let between = if crlf {
        between.replace('\n', "\r\n")
    } else {
        between
    };
    let mark = &text[..text.len() - body.len()];
    let grafted = format!("{mark}{before}{between}{behind}");
    let mut intended = document.root;
    let values = new.iter().map(|cutting| cutting.value.clone());
    match intended.get_mut("tmux_sessions") {
        Some(Datum::List(rows)) => rows.extend(values),
        Some(list @ Datum::Null) => *list = Datum::List(values.collect()),
        _ => return Err(not_exact("its list of sessions is none")),
    }
    let read = parse::document(&grafted)?;
    if read.documents != 1 || !read.root.same(&intended) {
        return Err(not_exact("the result reads differently"));
    }
    Ok(grafted)
}

/// For each entry of the list of sessions that others name, in keys of their own: the entries that do.
#[must_use]
pub fn mentions(text: &str) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut found: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    let Ok(document) = parse::document(text) else {
        return found;
    };
    let Some(Datum::List(rows)) = document.root.get("tmux_sessions") else {
        return found;
    };
    let names = rows.iter().enumerate().filter_map(|(index, row)| {
        let name = row.get("name").and_then(Datum::text)?;
        Some((name, index))
    });
    let names: BTreeMap<&str, usize> = names.collect();
    for (by, row) in rows.iter().enumerate() {
        let Datum::Map(pairs) = row else { continue };
        let own = |key: &Datum| key.text().is_some_and(is_own);
        for (_, value) in pairs.iter().filter(|(key, _)| !own(key)) {
            for index in texts(value).into_iter().filter_map(|it| names.get(it)) {
                if *index != by {
                    found.entry(*index).or_default().insert(by);
                }
            }
        }
    }
    found
}

/// The keys of a row that hold something else than a text, and never name another one.
const OWN: [&str; 3] = ["pane", "previous_end", "resumable"];

/// Whether a key never names another row.
fn is_own(key: &str) -> bool {
    let is_id = key.ends_with("_own") || key.ends_with("_own_previous");
    is_id || TEXTS.contains(&key) || OWN.contains(&key)
}

/// Every text in a value.
fn texts(value: &Datum) -> Vec<&str> {
    match value {
        Datum::Text(text) => vec![text],
        Datum::List(items) => items.iter().flat_map(texts).collect(),
        Datum::Map(pairs) => pairs.iter().flat_map(|(_, value)| texts(value)).collect(),
        Datum::Tagged(_, value) => texts(value),
        _ => Vec::new(),
    }
}

/// What stands before the new rows, they themselves, and what stands behind them.
type Parts<'t> = (&'t str, String, &'t str);

/// Lines below the last row.
fn below<'t>(
    body: &'t str,
    entry: &Entry<'_>,
    list: &List<'_>,
    new: &[Cutting],
) -> Result<Parts<'t>, EditError> {
    let last = list.items.len() - 1;
    let lines = lines_of(body, entry, list, last)
        .ok_or_else(|| not_exact("its last row is not lines of its own"))?;
    let dash = body[lines.clone()]
        .split_inclusive(['\n', '\r'])
        .find(|line| line.trim_start().starts_with('-'))
        .unwrap_or_default();
    let column = dash.len() - dash.trim_start().len();
    let (before, behind) = body.split_at(lines.end);
    let mut between = String::new();
    if !before.ends_with(['\n', '\r']) {
        between.push('\n');
    }
    for cutting in new {
        between.push_str(&indented(&cutting.text, column));
    }
    Ok((before, between, behind))
}

/// Items behind the last one, in brackets.
fn beside<'t>(
    body: &'t str,
    entry: &Entry<'_>,
    list: &List<'_>,
    new: &[Cutting],
) -> Result<Parts<'t>, EditError> {
    let mut items = Vec::new();
    for cutting in new {
        items.push(in_brackets(cutting).ok_or_else(|| {
            not_exact("the row is written as lines, and the list of sessions in brackets")
        })?);
    }
    let (at, comma) = match list.items.last() {
        None => (entry.value.start + 1, String::new()),
        Some(last) => {
            let margin = &body[line_start(body, last.start)..last.start];
            let is_own_line = margin.trim().is_empty() && !margin.is_empty();
            let gap = if is_own_line {
                format!(",\n{margin}")
            } else {
                ", ".to_owned()
            };
            (last.end, gap)
        }
    };
    let (before, behind) = body.split_at(at);
    let between = match comma.as_str() {
        "" => items.join(", "),
        comma => items.iter().map(|item| format!("{comma}{item}")).collect(),
    };
    Ok((before, between, behind))
}

/// The row as it would stand in brackets; `None` where that would lose something.
fn in_brackets(cutting: &Cutting) -> Option<String> {
    let text = format!("tmux_sessions:\n{}", cutting.text);
    let layout = Layout::of(&text).ok()?;
    let (_, list) = sessions(&layout)?;
    let node = list.items.first()?;
    let is_flow = node.map().is_some_and(|map| map.flow);
    let around = format!("{}{}", &text[..node.start], &text[node.end..]);
    (is_flow && around.trim() == "tmux_sessions:\n-").then(|| text[node.start..node.end].to_owned())
}

/// Lines where there was no row yet.
fn first<'t>(body: &'t str, entry: &Entry<'_>, new: &[Cutting]) -> Result<Parts<'t>, EditError> {
    let colon = entry
        .colon
        .ok_or_else(|| not_exact("its list of sessions has no colon"))?;
    let value = &entry.value;
    // What says that there is none goes; what else is on the line stays.
    let nothing = if value.is_nothing() {
        colon..colon
    } else {
        colon..value.end
    };
    let rest = &body[nothing.end..];
    let line = &rest[..after(rest, 0).min(rest.len())];
    let between_both = body[colon..nothing.end].contains('#');
    if between_both || !(line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Err(not_exact("more stands beside its empty list of sessions"));
    }
    let mut between = line.trim_end_matches(['\n', '\r']).to_owned();
    between.push('\n');
    for cutting in new {
        between.push_str(&cutting.text);
    }
    Ok((&body[..colon], between, &rest[line.len()..]))
}

/// Whether an anchor, an alias or a tag is anywhere in it.
fn is_marked(node: &Node<'_>) -> bool {
    node.marked
        || match &node.kind {
            Kind::Scalar { .. } => false,
            Kind::Alias => true,
            Kind::List(list) => list.items.iter().any(is_marked),
            Kind::Map(map) => map
                .entries
                .iter()
                .any(|entry| is_marked(&entry.key) || is_marked(&entry.value)),
        }
}

/// The same lines, each with a line feed.
fn lines(text: &str) -> String {
    let mut lines = text.replace("\r\n", "\n").replace('\r', "\n");
    if !lines.ends_with('\n') {
        lines.push('\n');
    }
    lines
}

fn indented(lines: &str, by: usize) -> String {
    let margin = " ".repeat(by);
    let shift = |line: &str| match line.trim().is_empty() {
        true => line.to_owned(),
        false => format!("{margin}{line}"),
    };
    lines.split_inclusive('\n').map(shift).collect()
}

fn unindented(lines: &str, by: usize) -> String {
    let shift = |line: &str| {
        let blanks = line.bytes().take(by).take_while(|it| *it == b' ').count();
        line[blanks..].to_owned()
    };
    lines.split_inclusive('\n').map(shift).collect()
}

fn not_exact(why: &str) -> EditError {
    EditError::NotExact {
        why: why.to_owned(),
    }
}

#[cfg(test)]
mod tests;
