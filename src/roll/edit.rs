//! Edits of the roll, from text to text.
//!
//! Only the bytes of what changes are replaced. Whether that did what was meant is not believed but checked: the
//! new text, read again, must equal the old one's values with the same steps carried out on them.

use std::collections::BTreeMap;

use thiserror::Error;

use super::datum::{Datum, Misfit};
use super::draft::Draft;
use super::json;
use super::layout::{Kind, Layout};
use super::parse::{self, NotYaml};
use super::passage;
use super::splice::Splices;
use crate::core::edit::{Edit, Op};

/// Why an edit was not made. Nothing has been changed.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EditError {
    /// The text is not a roll.
    #[error(transparent)]
    NotYaml(#[from] NotYaml),
    /// The file holds several documents.
    #[error(
        "it holds {count} YAML documents, and only one can be edited: keep the one with `tmux_sessions`"
    )]
    ManyDocuments {
        /// How many.
        count: usize,
    },
    /// There is no such row, or more than one.
    #[error("{count} rows have the name `{name}`, and one was to be edited")]
    NotOneRow {
        /// The name.
        name: String,
        /// How many rows have it.
        count: usize,
    },
    /// The row is written in a way that is not edited.
    #[error("{row} is left alone: {why}")]
    Refused {
        /// The row.
        row: String,
        /// Why, as a sentence without a full stop.
        why: String,
    },
    /// The result, read again, was not what was meant.
    #[error(
        "the change cannot be made without touching something else ({why}): nothing was written"
    )]
    NotExact {
        /// What was seen.
        why: String,
    },
}

/// Carries out edits on the text of a roll. Whatever does not change keeps its bytes; no edits, no change.
///
/// # Errors
///
/// The text is not a roll, a row is missing or there twice, or the result cannot be proven to be what was meant.
pub fn apply(text: &str, edits: &[Edit]) -> Result<String, EditError> {
    if edits.is_empty() {
        return Ok(text.to_owned());
    }
    let body = parse::without_mark(text);
    if let Some(joined) = json::joined(body)? {
        return json::changed(text, &joined, |joined| apply(joined, edits));
    }
    let document = parse::document(text)?;
    if document.documents > 1 {
        return Err(EditError::ManyDocuments {
            count: document.documents,
        });
    }
    let mut intended = document.root;
    let work = Work::sort(&intended, edits)?;
    let mark = &text[..text.len() - body.len()];
    let new = format!("{mark}{}", splice(body, &intended, &work)?);
    work.carry_out(&mut intended)?;
    verify(&new, &intended)?;
    Ok(new)
}

/// The steps of some edits, by row.
struct Work {
    rows: BTreeMap<usize, (String, Vec<Op>)>,
    appends: Vec<Op>,
}

impl Work {
    fn sort(root: &Datum, edits: &[Edit]) -> Result<Self, EditError> {
        let places = passage::places(root);
        let mut work = Self {
            rows: BTreeMap::new(),
            appends: Vec::new(),
        };
        for edit in edits {
            let name = edit.target.name().as_str();
            for op in edit.ops() {
                if matches!(op, Op::Append { .. }) {
                    work.appends.push(op);
                    continue;
                }
                let places = places.get(name).map_or(&[][..], Vec::as_slice);
                let [index] = places else {
                    return Err(EditError::NotOneRow {
                        name: name.to_owned(),
                        count: places.len(),
                    });
                };
                let row = work.rows.entry(*index);
                row.or_insert_with(|| (name.to_owned(), Vec::new()))
                    .1
                    .push(op);
            }
        }
        Ok(work)
    }

    /// Carries the same steps out on the values.
    fn carry_out(&self, root: &mut Datum) -> Result<(), EditError> {
        for (index, (name, ops)) in &self.rows {
            let row = root
                .get_mut("tmux_sessions")
                .and_then(|rows| rows.item_mut(*index))
                .ok_or_else(|| not_exact("a row has vanished"))?;
            for op in ops {
                row.carry_out(op).map_err(|misfit| refused(name, &misfit))?;
            }
        }
        for op in &self.appends {
            root.carry_out(op)
                .map_err(|misfit| refused("the list of sessions", &misfit))?;
        }
        Ok(())
    }
}

fn splice(text: &str, root: &Datum, work: &Work) -> Result<String, EditError> {
    let layout = Layout::of(text).map_err(|why| EditError::NotExact { why })?;
    let map = layout
        .root()
        .ok_or_else(|| not_exact("its top level is marked"))?;
    let mut splices = Splices::of(text);
    for (index, (name, ops)) in &work.rows {
        let node = layout.row(*index);
        let alias = matches!(node.map(|node| &node.kind), Some(Kind::Alias));
        let (Some(node), Some(row)) = (node, node.and_then(|node| node.map())) else {
            return Err(if alias {
                refusal(name, "it is an alias of another row")
            } else {
                not_exact("a row is not where it should be")
            });
        };
        let there = row.entry("name").and_then(|entry| match &entry.value.kind {
            Kind::Scalar { text, .. } => Some(text.as_ref()),
            _ => None,
        });
        if there != Some(name) {
            return Err(refusal(name, "its name is not written in it"));
        }
        let mut draft = Draft::of(row);
        for op in ops {
            draft
                .carry_out(op)
                .map_err(|misfit| refused(name, &misfit))?;
        }
        splices
            .row(&draft, node)
            .map_err(|why| refusal(name, why))?;
    }
    let appended: Vec<_> = work
        .appends
        .iter()
        .filter_map(|op| match op {
            Op::Append { row } => Some(row.as_slice()),
            _ => None,
        })
        .collect();
    if !appended.is_empty() {
        // A list that comes from a merge or an alias is not in the text.
        let known = root.get("tmux_sessions").is_some();
        if known && map.entry("tmux_sessions").is_none() {
            return Err(refusal("the list of sessions", "it stands elsewhere"));
        }
        splices
            .append(map, &appended)
            .map_err(|why| refusal("the list of sessions", why))?;
    }
    splices
        .finish()
        .ok_or_else(|| not_exact("two changes overlap"))
}

fn verify(new: &str, intended: &Datum) -> Result<(), EditError> {
    let document = parse::document(new).map_err(|error| EditError::NotExact {
        why: error.to_string(),
    })?;
    if document.documents != 1 || !document.root.same(intended) {
        return Err(not_exact("the result reads differently"));
    }
    Ok(())
}

fn refused(row: &str, misfit: &Misfit) -> EditError {
    EditError::Refused {
        row: row.to_owned(),
        why: format!(
            "`{}` is {} where {} is needed",
            misfit.key, misfit.found, misfit.needed
        ),
    }
}

fn refusal(row: &str, why: &str) -> EditError {
    EditError::Refused {
        row: row.to_owned(),
        why: why.to_owned(),
    }
}

fn not_exact(why: &str) -> EditError {
    EditError::NotExact {
        why: why.to_owned(),
    }
}

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
#[cfg(test)]
mod generated;
#[cfg(test)]
mod tests;
