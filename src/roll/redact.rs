//! A roll's text without what people keep in it for themselves: comments, and all keys and values that headcount does
//! not read. What it reads stays as it is written, but for what can hold more than is read of it: arguments of a
//! command, and words in the place of an id.

mod declared;
mod private;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use self::declared::declared;
use self::private::{command, is_id, is_time, is_word, labelled, starts};
use super::layout::{Entry, Kind, Layout, List, Map, Node, Style, line_break, line_end};
use super::parse::without_mark;
use crate::core::ids::AgentKind;

/// What stands in the place of a value that was taken out.
const REMOVED: &str = "removed";

/// What stands in the place of a comment.
const COMMENT: &str = "# removed";

/// The keys that are written and not read: their values go, their names stay.
const WRITTEN: [&str; 5] = [
    "last_visible_status",
    "last_visible_note",
    "start_command",
    "stop_reason",
    "resumable",
];

/// A text without what is private in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The text.
    pub text: String,
    /// What stood in the place of an id and is none, and what stands there now.
    pub taken: BTreeMap<String, String>,
}

/// What a value is that is read, which says what of it is kept.
#[derive(Clone, Copy)]
enum Read {
    /// The name of something, or a folder: kept as it is.
    Name,
    /// An id: kept if it looks like one.
    Id,
    /// A word: kept if it is one.
    Word,
    /// A time: kept if it is one.
    Time,
    /// The name of an agent.
    Agent,
    /// A command: its program is kept.
    Command,
}

/// The text without what is private in it. Whether it still declares the same, the caller has to see.
///
/// # Errors
///
/// Where something stands in the text that cannot be told apart; what, as a sentence without a full stop.
pub fn redacted(text: &str) -> Result<Redacted, String> {
    let body = without_mark(text);
    let mark = &text[..text.len() - body.len()];
    let layout = Layout::of(body)?;
    let chosen = layout.root();
    let mut cuts = Cuts {
        text: body,
        kept: Vec::new(),
        made: Vec::new(),
        names: BTreeMap::new(),
        taken: BTreeMap::new(),
    };
    for root in layout.roots() {
        match root.map() {
            Some(map) if chosen.is_some_and(|chosen| std::ptr::eq(chosen, map)) => {
                cuts.roll(map)?
            }
            _ => cuts.inside(root)?,
        }
    }
    let taken = std::mem::take(&mut cuts.taken);
    Ok(Redacted {
        text: format!("{mark}{}", cuts.carried_out()),
        taken,
    })
}

/// What is cut out of a text, and what is not.
struct Cuts<'t> {
    text: &'t str,
    /// Where scalars stand that are kept: what looks like a comment in them is none.
    kept: Vec<(usize, usize)>,
    /// What is replaced, and by what.
    made: Vec<(usize, usize, Cow<'static, str>)>,
    /// What stands in the place of what: the same for the same, so that what was there twice still is.
    names: BTreeMap<String, String>,
    /// Those of them that are ids.
    taken: BTreeMap<String, String>,
}

impl<'t> Cuts<'t> {
    fn roll(&mut self, root: &Map<'t>) -> Result<(), String> {
        for entry in &root.entries {
            match (entry.key_text(), &entry.value.kind) {
                (Some("tmux_sessions"), Kind::List(list)) => {
                    self.keep(&entry.key);
                    for row in &list.items {
                        match row.map() {
                            Some(row) => self.row(row)?,
                            None => self.inside(row)?,
                        }
                    }
                }
                (Some("agent_identities"), Kind::Map(identities)) => {
                    self.keep(&entry.key);
                    for identity in &identities.entries {
                        self.identity(identity)?;
                    }
                }
                (Some("tmux_sessions" | "agent_identities"), _) => self.read(entry, Read::Id)?,
                _ => self.unknown(entry)?,
            }
        }
        Ok(())
    }

    fn identity(&mut self, identity: &Entry<'t>) -> Result<(), String> {
        let Some(map) = identity.value.map() else {
            return self.unknown(identity);
        };
        match identity.key_text() {
            Some(name) if is_id(name) => self.keep(&identity.key),
            Some(name) => {
                let by = self.stand_in(name);
                self.taken.insert(name.to_owned(), by.clone());
                self.instead(&identity.key, &by);
            }
            None => return Err(self.odd(&identity.key, "a key that is no text")),
        }
        self.only(map, |key| match key {
            "session_id" | "conversation_id" => Some(Read::Id),
            "project_cwd" => Some(Read::Name),
            _ => None,
        })
    }

    fn row(&mut self, row: &Map<'t>) -> Result<(), String> {
        for entry in &row.entries {
            let key = entry.key_text().unwrap_or_default();
            match (key, &entry.value.kind) {
                ("pane", Kind::Map(pane)) => {
                    self.keep(&entry.key);
                    self.only(pane, |key| match key {
                        "pid" | "cwd" => Some(Read::Name),
                        "cmd" => Some(Read::Command),
                        _ => None,
                    })?;
                }
                // What an end is moved to: it has to stay a mapping.
                ("previous_end", Kind::Map(end)) => {
                    self.keep(&entry.key);
                    self.only(end, of_an_end)?;
                }
                ("start_command", Kind::Scalar { text, .. }) => {
                    let agent = starts(text).map(AgentKind::name);
                    let left = agent.map(|agent| format!("{agent} {REMOVED}"));
                    self.keep(&entry.key);
                    self.replace(entry, left.as_deref().unwrap_or(REMOVED))?;
                }
                (key, Kind::List(ids)) if is_previous(key) => {
                    self.keep(&entry.key);
                    self.ids(ids)?;
                }
                (key, _) if matches!(key, "pane" | "previous_end") || is_previous(key) => {
                    self.nature(entry)?;
                }
                (key, _) => match of_a_row(key) {
                    Some(read) => self.read(entry, read)?,
                    None => self.unknown(entry)?,
                },
            }
        }
        Ok(())
    }

    /// Keeps of a value what kind of value it is.
    fn nature(&mut self, entry: &Entry<'t>) -> Result<(), String> {
        self.keep(&entry.key);
        let node = &entry.value;
        match &node.kind {
            Kind::Scalar { .. } if !node.plain().is_some_and(is_no_text) => {
                self.replace(entry, REMOVED)
            }
            _ => self.inside(node),
        }
    }

    /// Keeps the values of the keys that are read, and no others.
    fn only(&mut self, map: &Map<'t>, read: impl Fn(&str) -> Option<Read>) -> Result<(), String> {
        for entry in &map.entries {
            match entry.key_text().and_then(&read) {
                Some(read) => self.read(entry, read)?,
                None => self.unknown(entry)?,
            }
        }
        Ok(())
    }

    fn ids(&mut self, ids: &List<'t>) -> Result<(), String> {
        for id in &ids.items {
            match &id.kind {
                Kind::Scalar { text, style } => match self.left(text, Read::Id) {
                    None => self.keep(id),
                    Some(_) if matches!(style, Style::Block { .. }) => {
                        return Err(self.odd(id, "a block text"));
                    }
                    Some(by) => self.instead(id, &by),
                },
                _ => self.inside(id)?,
            }
        }
        Ok(())
    }

    /// Keeps of a value what is read of it, if it is what it should be; of anything else only what kind of value it is.
    fn read(&mut self, entry: &Entry<'t>, read: Read) -> Result<(), String> {
        self.keep(&entry.key);
        match &entry.value.kind {
            Kind::Scalar { text, .. } if !entry.value.plain().is_some_and(is_no_text) => {
                match self.left(text, read) {
                    Some(by) => return self.replace(entry, &by),
                    None => self.keep(&entry.value),
                }
            }
            Kind::Scalar { .. } | Kind::Alias => self.keep(&entry.value),
            Kind::List(_) | Kind::Map(_) => self.inside(&entry.value)?,
        }
        Ok(())
    }

    /// What is left of a text that is read, if not all of it is.
    fn left(&mut self, text: &str, read: Read) -> Option<String> {
        let kept = match read {
            Read::Name => true,
            Read::Command => return command(text),
            Read::Word => is_word(text),
            Read::Time => is_time(text),
            Read::Id if is_id(text) => true,
            Read::Id => {
                let by = self.stand_in(text);
                self.taken.insert(text.to_owned(), by.clone());
                return Some(by);
            }
            Read::Agent if is_word(text) => true,
            Read::Agent => return Some(labelled(text).map_or(REMOVED, AgentKind::name).to_owned()),
        };
        (!kept).then(|| REMOVED.to_owned())
    }

    /// A name for what had another, which nothing else has.
    fn stand_in(&mut self, name: &str) -> String {
        if let Some(known) = self.names.get(name) {
            return known.clone();
        }
        let mut at = self.names.len() + 1;
        while self.text.contains(&format!("{REMOVED}-{at}")) || self.is_taken(at) {
            at += 1;
        }
        let by = format!("{REMOVED}-{at}");
        self.names.insert(name.to_owned(), by.clone());
        by
    }

    fn is_taken(&self, at: usize) -> bool {
        let name = format!("{REMOVED}-{at}");
        self.names.values().any(|taken| *taken == name)
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
                self.instead(node, REMOVED);
                Ok(())
            }
            Kind::Alias => Ok(()),
            Kind::List(list) => list.items.iter().try_for_each(|item| self.inside(item)),
            Kind::Map(map) => map.entries.iter().try_for_each(|entry| self.unknown(entry)),
        }
    }

    /// Takes out what nobody reads: the value, whatever it is, and the key too, which may be anybody's words.
    fn unknown(&mut self, entry: &Entry<'t>) -> Result<(), String> {
        match (&entry.key.kind, entry.key_text()) {
            (Kind::Scalar { style, .. }, Some(name)) if !matches!(style, Style::Block { .. }) => {
                if is_known(name) {
                    self.keep(&entry.key);
                } else {
                    let by = self.stand_in(name);
                    self.instead(&entry.key, &by);
                }
            }
            _ => return Err(self.odd(&entry.key, "a key that is no text")),
        }
        self.replace(entry, REMOVED)
    }

    /// Puts a text in the place of a value; quoted, so that it is one in YAML and in JSON.
    fn replace(&mut self, entry: &Entry<'t>, by: &str) -> Result<(), String> {
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
            .push((colon, value_end, format!(" \"{by}\"{lines}").into()));
        Ok(())
    }

    /// Puts a text in the place of a value that is part of a line.
    fn instead(&mut self, node: &Node<'t>, by: &str) {
        self.made
            .push((node.start, node.end, format!("\"{by}\"").into()));
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

/// What the value of a row's key is, if it is read.
fn of_a_row(key: &str) -> Option<Read> {
    Some(match key {
        "name" | "tmux_server" => Read::Name,
        "status" | "delegate_job_status" => Read::Word,
        "agent" => Read::Agent,
        "delegate_job_id" | "delegate_job_status_of" => Read::Id,
        "delegate_job_finished_at" => Read::Time,
        _ if is_id_key(key) => Read::Id,
        _ => return of_an_end(key),
    })
}

/// What the value of a key is that tells of an end, if it is read.
fn of_an_end(key: &str) -> Option<Read> {
    match key {
        "terminated_at"
        | "terminated_at_epoch"
        | "stopped_at"
        | "stopped_at_epoch"
        | "archived_at" => Some(Read::Time),
        "termination_mode" => Some(Read::Word),
        _ => None,
    }
}

/// Whether a key is one of those that headcount writes, or stands already where another one was.
fn is_known(key: &str) -> bool {
    let number = key.strip_prefix("removed-");
    WRITTEN.contains(&key)
        || of_a_row(key).is_some()
        || matches!(key, "pane" | "previous_end")
        || is_previous(key)
        || number.is_some_and(|it| !it.is_empty() && it.bytes().all(|c| c.is_ascii_digit()))
}

fn is_id_key(key: &str) -> bool {
    AgentKind::ALL
        .into_iter()
        .any(|kind| kind.id_key() == Some(key))
}

fn is_previous(key: &str) -> bool {
    key.strip_suffix("_previous").is_some_and(is_id_key)
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
