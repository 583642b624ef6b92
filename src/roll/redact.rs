//! A roll's text without what people keep in it for themselves: comments, and all values that headcount does not
//! read. What it reads stays as it is written, so the text declares the same as before.

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::layout::{Entry, Kind, Layout, List, Map, Node, Style, line_break, line_end};
use super::parse::without_mark;
use crate::core::edit::END_KEYS;
use crate::core::ids::AgentKind;

/// What stands in the place of a value that was taken out; as it is written, so that it is a text in YAML and JSON.
const REMOVED: &str = "\"removed\"";

/// What stands in the place of a comment.
const COMMENT: &str = "# removed";

/// The keys of a row whose values are read as they are.
const READ: [&str; 14] = [
    "name",
    "status",
    "tmux_server",
    "agent",
    "terminated_at",
    "terminated_at_epoch",
    "termination_mode",
    "stopped_at",
    "stopped_at_epoch",
    "archived_at",
    "delegate_job_id",
    "delegate_job_status_of",
    "delegate_job_status",
    "delegate_job_finished_at",
];

/// The keys of `pane` that are read.
const OF_A_PANE: [&str; 3] = ["pid", "cmd", "cwd"];

/// The keys of an entry of `agent_identities` that are read.
const OF_AN_IDENTITY: [&str; 3] = ["session_id", "conversation_id", "project_cwd"];

/// The text without what is private in it. Whether it still declares the same, the caller has to see.
///
/// # Errors
///
/// Where something stands in the text that cannot be told apart; what, as a sentence without a full stop.
pub fn redacted(text: &str) -> Result<String, String> {
    let body = without_mark(text);
    let mark = &text[..text.len() - body.len()];
    let layout = Layout::of(body)?;
    let chosen = layout.root();
    let mut cuts = Cuts {
        text: body,
        kept: Vec::new(),
        made: Vec::new(),
    };
    for root in layout.roots() {
        match root.map() {
            Some(map) if chosen.is_some_and(|chosen| std::ptr::eq(chosen, map)) => {
                cuts.roll(map)?
            }
            _ => cuts.inside(root)?,
        }
    }
    Ok(format!("{mark}{}", cuts.carried_out()))
}

/// What is cut out of a text, and what is not.
struct Cuts<'t> {
    text: &'t str,
    /// Where scalars stand that are kept: what looks like a comment in them is none.
    kept: Vec<(usize, usize)>,
    /// What is replaced, and by what.
    made: Vec<(usize, usize, Cow<'static, str>)>,
}

impl<'t> Cuts<'t> {
    fn roll(&mut self, root: &Map<'t>) -> Result<(), String> {
        for entry in &root.entries {
            match (entry.key_text(), &entry.value.kind) {
                (Some("tmux_sessions"), Kind::List(list)) => {
                    self.key(entry);
                    for row in &list.items {
                        match row.map() {
                            Some(row) => self.row(row)?,
                            None => self.inside(row)?,
                        }
                    }
                }
                (Some("agent_identities"), Kind::Map(identities)) => {
                    self.key(entry);
                    for identity in &identities.entries {
                        match identity.value.map() {
                            Some(map) => {
                                self.key(identity);
                                self.only(map, &OF_AN_IDENTITY)?;
                            }
                            None => self.entry(identity)?,
                        }
                    }
                }
                (Some("tmux_sessions" | "agent_identities"), _) => self.read(entry)?,
                _ => self.entry(entry)?,
            }
        }
        Ok(())
    }

    fn row(&mut self, row: &Map<'t>) -> Result<(), String> {
        for entry in &row.entries {
            let key = entry.key_text().unwrap_or_default();
            match (key, &entry.value.kind) {
                ("pane", Kind::Map(pane)) => {
                    self.key(entry);
                    self.only(pane, &OF_A_PANE)?;
                }
                // What an end is moved to: it has to stay a mapping.
                ("previous_end", Kind::Map(end)) => {
                    self.key(entry);
                    self.only(end, &END_KEYS[..5])?;
                }
                ("start_command", Kind::Scalar { text, .. }) => match program(text) {
                    Some(agent) => self.replace(entry, format!("\"{agent} removed\"").into())?,
                    None => self.entry(entry)?,
                },
                (key, Kind::List(ids)) if is_previous(key) => {
                    self.key(entry);
                    self.ids(ids)?;
                }
                (key, _) if is_read(key) => self.read(entry)?,
                (key, _) if matches!(key, "pane" | "previous_end") || is_previous(key) => {
                    self.nature(entry)?;
                }
                _ => self.entry(entry)?,
            }
        }
        Ok(())
    }

    /// Keeps of a value what kind of value it is.
    fn nature(&mut self, entry: &Entry<'t>) -> Result<(), String> {
        let node = &entry.value;
        match &node.kind {
            Kind::Scalar { .. } if !node.plain().is_some_and(is_no_text) => self.entry(entry),
            _ => {
                self.key(entry);
                self.inside(node)
            }
        }
    }

    /// Keeps the values of these keys, and no others.
    fn only(&mut self, map: &Map<'t>, keys: &[&str]) -> Result<(), String> {
        for entry in &map.entries {
            match entry.key_text() {
                Some(key) if keys.contains(&key) => self.read(entry)?,
                _ => self.entry(entry)?,
            }
        }
        Ok(())
    }

    fn ids(&mut self, ids: &List<'t>) -> Result<(), String> {
        for id in &ids.items {
            match id.kind {
                Kind::Scalar { .. } => self.keep(id),
                _ => self.inside(id)?,
            }
        }
        Ok(())
    }

    /// Keeps a value that is read, if it is what it should be; of anything else only what kind of value it is.
    fn read(&mut self, entry: &Entry<'t>) -> Result<(), String> {
        self.key(entry);
        match entry.value.kind {
            Kind::Scalar { .. } | Kind::Alias => {
                self.keep(&entry.value);
                Ok(())
            }
            Kind::List(_) | Kind::Map(_) => self.inside(&entry.value),
        }
    }

    /// Takes out all that stands in a value, and leaves what kind of value it is.
    fn inside(&mut self, node: &Node<'t>) -> Result<(), String> {
        match &node.kind {
            Kind::Scalar { style, .. } => {
                if *style == Style::Plain {
                    if is_no_text(&self.text[node.start..node.end]) {
                        self.keep(node);
                        return Ok(());
                    }
                } else if matches!(style, Style::Block { .. }) {
                    return Err(self.odd(node, "a block text"));
                }
                self.made.push((node.start, node.end, REMOVED.into()));
                Ok(())
            }
            Kind::Alias => Ok(()),
            Kind::List(list) => list.items.iter().try_for_each(|item| self.inside(item)),
            Kind::Map(map) => map.entries.iter().try_for_each(|entry| self.entry(entry)),
        }
    }

    /// Takes the value of a key out, whatever it is.
    fn entry(&mut self, entry: &Entry<'t>) -> Result<(), String> {
        self.replace(entry, REMOVED.into())
    }

    fn replace(&mut self, entry: &Entry<'t>, by: Cow<'static, str>) -> Result<(), String> {
        self.key(entry);
        let value = &entry.value;
        if value.is_nothing() && !value.marked {
            return Ok(());
        }
        let Some(colon) = entry.colon else {
            return Err(self.odd(&entry.key, "a key written with `?`"));
        };
        // A block text ends where the next line begins, and what takes its place does not.
        let value_end = if matches!(
            &value.kind,
            Kind::Scalar {
                style: Style::Block { .. },
                ..
            }
        ) {
            let text = self.text[colon..value.end].trim_end_matches(['\n', '\r']);
            colon + text.len()
        } else {
            value.end
        };
        // As many lines as before, so that what is told of a line is still told of the same one.
        let lines = lines(&self.text[colon..value_end]);
        self.made
            .push((colon, value_end, format!(" {by}{lines}").into()));
        Ok(())
    }

    fn key(&mut self, entry: &Entry<'t>) {
        self.keep(&entry.key);
    }

    fn keep(&mut self, node: &Node<'t>) {
        self.kept.push((node.start, node.end));
    }

    fn odd(&self, node: &Node<'t>, what: &str) -> String {
        let line = self.text[..node.start].matches('\n').count() + 1;
        format!("line {line} has {what} where none is expected")
    }

    /// The text with the cuts made, and without comments.
    fn carried_out(mut self) -> String {
        let mut taken: Vec<(usize, usize)> = self.kept.clone();
        taken.extend(self.made.iter().map(|(start, end, _)| (*start, *end)));
        taken.sort_unstable();
        let mut at = 0;
        for (start, end) in taken
            .into_iter()
            .chain([(self.text.len(), self.text.len())])
        {
            self.comments(at, start);
            at = at.max(end);
        }
        self.made.sort_by_key(|(start, end, _)| (*start, *end));
        let mut result = String::with_capacity(self.text.len());
        let mut done = 0;
        for (start, end, by) in &self.made {
            result.push_str(self.text.get(done..*start).unwrap_or_default());
            result.push_str(by);
            done = *end;
        }
        result.push_str(self.text.get(done..).unwrap_or_default());
        result
    }

    /// Takes out the comments of a part that holds no values.
    fn comments(&mut self, from: usize, to: usize) {
        let mut at = from;
        while let Some(found) = self.text.get(at..to).and_then(|part| part.find('#')) {
            let hash = at + found;
            let before = self.text[..hash].chars().next_back();
            if before.is_none_or(|it| matches!(it, ' ' | '\t' | '\n' | '\r')) {
                let end = line_end(self.text, hash);
                self.made.push((hash, end, COMMENT.into()));
                at = end + line_break(self.text, end).len();
            } else {
                at = hash + 1;
            }
        }
    }
}

/// The line breaks of a text.
fn lines(text: &str) -> String {
    text.chars().filter(|c| matches!(c, '\n' | '\r')).collect()
}

fn is_read(key: &str) -> bool {
    READ.contains(&key)
        || AgentKind::ALL
            .into_iter()
            .any(|kind| kind.id_key() == Some(key))
}

fn is_previous(key: &str) -> bool {
    key.strip_suffix("_previous").is_some_and(|key| {
        AgentKind::ALL
            .into_iter()
            .any(|kind| kind.id_key() == Some(key))
    })
}

/// The agent that a command starts, as far as it is known: all that is read of a command.
fn program(command: &str) -> Option<AgentKind> {
    let first = command.split_whitespace().next()?;
    AgentKind::named(first.rsplit('/').next().unwrap_or(first))
}

/// Whether a plain value is a number, a yes or no, or nothing.
fn is_no_text(plain: &str) -> bool {
    plain.is_empty()
        || plain.parse::<f64>().is_ok()
        || matches!(
            plain.to_ascii_lowercase().as_str(),
            "~" | "null" | "true" | "false"
        )
}
