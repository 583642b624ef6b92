//! From drafts to text: which bytes of the roll are replaced, and by what. All others stay.

mod lines;
mod places;

use std::ops::Range;

use self::lines::{inline, inline_anew, join, row_lines, value_lines};
use self::places::{
    after_bracket, ends_in_block_text, is_block_text, is_token, keep_comments, last_leaf,
    line_break_before, runs, skip_spaces,
};
use super::draft::{Draft, Fate, Moved, Written, is_null};
use super::layout::{
    Entry, Kind, List, Map, Node, Style, chomping, line_break, line_end, line_start, skip_blank,
};
use super::scalar;
use crate::core::edit::Value;

/// How far a mapping within a mapping is indented.
const STEP: usize = 2;

/// The pairs of a row to be appended.
pub(super) type NewRow = [(String, Value)];

/// A way of writing that the editor does not change, as a sentence without a full stop.
pub(super) type Refusal = &'static str;

const EXPLICIT_KEY: Refusal = "a key written with `?` is not edited";

/// The replacements of one edit.
pub(super) struct Splices<'t> {
    text: &'t str,
    /// The line break of lines added where there is none to follow.
    newline: &'t str,
    list: Vec<(Range<usize>, String)>,
    /// Whether a block text that ended the file has been told that it has no line break.
    sealed: bool,
    /// Whether the lines to be inserted next hold a block text.
    moves_block_text: bool,
    /// Whether such lines have come to the end of the file, where they need a line break.
    needs_line_break: bool,
}

/// How values are written in a mapping between braces.
#[derive(Clone)]
struct Flow {
    /// Whether it is JSON, or might be: everything in double quotes.
    json: bool,
    /// What stands between two entries.
    comma: String,
    /// What stands between a key and its value.
    colon: &'static str,
}

impl<'t> Splices<'t> {
    /// No replacements yet.
    pub(super) fn of(text: &'t str) -> Self {
        let first = line_break(text, line_end(text, 0));
        Self {
            text,
            newline: if first.is_empty() { "\n" } else { first },
            list: Vec::new(),
            sealed: false,
            moves_block_text: false,
            needs_line_break: false,
        }
    }

    /// The text with the replacements made, or `None` if two of them overlap.
    pub(super) fn finish(mut self) -> Option<String> {
        // What is inserted at a place comes before what is replaced from there on; the sort is stable, so that
        // several things inserted at one place keep their order.
        self.list.sort_by_key(|(range, _)| (range.start, range.end));
        let grown: usize = self.list.iter().map(|(_, new)| new.len()).sum();
        let mut result = String::with_capacity(self.text.len() + grown);
        let ends_open = line_break_before(self.text, self.text.len()).is_empty();
        let mut done = 0;
        for (range, new) in &self.list {
            result.push_str(self.text.get(done..range.start)?);
            // Lines put behind an open end bring a line break, which is one too many if the last line went.
            let closed = result.ends_with(self.newline);
            result.push_str(
                new.strip_prefix(self.newline)
                    .filter(|_| closed)
                    .unwrap_or(new),
            );
            done = range.end;
            // Behind nothing a comment needs no blank; behind a value some readers want one.
            if self.text.get(done..)?.starts_with('#') && !result.ends_with([' ', '\t', '\n', '\r'])
            {
                result.push(' ');
            }
        }
        result.push_str(self.text.get(done..)?);
        match line_break_before(&result, result.len()) {
            "" if self.needs_line_break => result.push_str(self.newline),
            last if ends_open && !self.needs_line_break => {
                result.truncate(result.len() - last.len());
            }
            _ => {}
        }
        Some(result)
    }

    /// Carries out the draft of a row.
    pub(super) fn row(&mut self, draft: &Draft<'_, '_>, node: &Node<'_>) -> Result<(), Refusal> {
        if draft.map.flow {
            self.flow_map(draft, node)
        } else {
            self.block_map(draft)
        }
    }

    /// Appends rows to the list of sessions, which is made where there is none.
    pub(super) fn append(&mut self, root: &Map<'_>, rows: &[&NewRow]) -> Result<(), Refusal> {
        let Some(entry) = root.entry("tmux_sessions") else {
            return self.append_list(root, rows);
        };
        let colon = entry.colon.ok_or(EXPLICIT_KEY)?;
        match &entry.value.kind {
            Kind::List(list) if list.flow && (root.flow || !list.items.is_empty()) => {
                let (flow, comma) = self.flow_of_list(root, list, &entry.value);
                let rows = join(rows.iter().map(|row| flow.map(row)), &comma);
                match list.items.last() {
                    Some(last) => self.insert(last.end, format!("{comma}{rows}")),
                    None => self.insert(after_bracket(&entry.value), rows),
                }
                Ok(())
            }
            Kind::List(list) if !list.flow => {
                let (dash, gap) = self.dashes(colon, list)?;
                let lines = rows
                    .iter()
                    .flat_map(|row| row_lines(row, dash, gap))
                    .collect();
                self.insert_lines_after(&entry.value, lines)
            }
            _ if entry.value.marked => Err("a list with an anchor or a tag is not edited"),
            Kind::List(_) => self.replace_by_rows(root, entry, colon, rows),
            Kind::Scalar { .. } if is_null(&entry.value) => {
                if root.flow {
                    self.refuse_comment(colon..entry.value.end)?;
                    let flow = self.flow_of_map(root, 0);
                    let list = join(rows.iter().map(|row| flow.map(row)), ", ");
                    self.replace(colon..entry.value.end, format!(" [{list}]"));
                    return Ok(());
                }
                self.replace_by_rows(root, entry, colon, rows)
            }
            _ => Err("`tmux_sessions` is not a list that can be edited"),
        }
    }

    /// Puts rows where the value of `tmux_sessions` is nothing, `null` or `[]`.
    fn replace_by_rows(
        &mut self,
        root: &Map<'_>,
        entry: &Entry<'_>,
        colon: usize,
        rows: &[&NewRow],
    ) -> Result<(), Refusal> {
        let dash = self.indent_of(root)?;
        let lines = rows
            .iter()
            .flat_map(|row| row_lines(row, dash, STEP))
            .collect();
        self.refuse_comment(colon..entry.value.end)?;
        self.replace(colon..entry.value.end, String::new());
        self.insert_lines(entry.value.end, lines);
        Ok(())
    }

    /// A list of nothing has no other `#` than that of a comment, which would go with it.
    fn refuse_comment(&self, range: Range<usize>) -> Result<(), Refusal> {
        if self.text[range].contains('#') {
            return Err("a comment stands in the empty list: put it above `tmux_sessions`");
        }
        Ok(())
    }

    fn append_list(&mut self, root: &Map<'_>, rows: &[&NewRow]) -> Result<(), Refusal> {
        let Some(last) = root.entries.last() else {
            return Err("an empty `{}` is not edited: write `tmux_sessions: []` in its place");
        };
        if root.flow {
            let flow = self.flow_of_map(root, 0);
            let list = join(rows.iter().map(|row| flow.map(row)), ", ");
            let pair = format!(
                "{}{}{}[{list}]",
                flow.comma,
                flow.text("tmux_sessions"),
                flow.colon
            );
            self.insert(last.value.end, pair);
            return Ok(());
        }
        let dash = self.indent_of(root)?;
        let mut lines = vec![format!("{:dash$}tmux_sessions:", "")];
        lines.extend(rows.iter().flat_map(|row| row_lines(row, dash, STEP)));
        self.insert_lines_after(&last.value, lines)
    }

    /// The column of the dashes of a list, and that of its items behind them.
    fn dashes(&self, from: usize, list: &List<'_>) -> Result<(usize, usize), Refusal> {
        const NO_DASH: Refusal = "the list of sessions is written in a way that is not edited";
        let dash = skip_blank(self.text, from);
        if self.text.as_bytes().get(dash) != Some(&b'-') {
            return Err(NO_DASH);
        }
        let column = dash - line_start(self.text, dash);
        if !self.is_blank(line_start(self.text, dash), dash) {
            return Err(NO_DASH);
        }
        let gap = list
            .items
            .first()
            .filter(|first| {
                matches!(&first.kind, Kind::Map(map) if !map.flow)
                    && self.is_blank(dash + 1, first.start)
                    && !self.text[dash..first.start].contains(['\n', '\r'])
            })
            .map_or(STEP, |first| first.start - dash);
        Ok((column, gap))
    }

    fn block_map(&mut self, draft: &Draft<'_, '_>) -> Result<(), Refusal> {
        let indent = self.indent_of(draft.map)?;
        self.cut_lines(draft)?;
        for (entry, fate) in draft.map.entries.iter().zip(&draft.fates) {
            match fate {
                Fate::Keep | Fate::Cut => {}
                Fate::Replace(written) => self.replace_in_block(draft, entry, written, indent)?,
                Fate::Inside(inner) => self.row(inner, &entry.value)?,
                Fate::Grow(items) => self.grow(entry, items, false)?,
            }
        }
        let mut lines = Vec::new();
        for (key, written) in &draft.added {
            self.block_lines(draft, key, written, indent, &mut lines)?;
        }
        let Some((last, fate)) = draft.map.entries.last().zip(draft.fates.last()) else {
            return Err("an empty mapping is not edited");
        };
        if matches!(fate, Fate::Cut) {
            // What comes to the end of the file in its place may be a block text, which needs its line break. What
            // is moved ends with what was last, and that is none.
            self.needs_line_break |= self.content_end(last) == self.text.len()
                && lines.is_empty()
                && ends_in_block_text(draft);
            self.insert_lines(line_start(self.text, last.start), lines);
            return Ok(());
        }
        self.insert_lines_after(&last.value, lines)
    }

    fn replace_in_block(
        &mut self,
        draft: &Draft<'_, '_>,
        entry: &Entry<'_>,
        written: &Written,
        indent: usize,
    ) -> Result<(), Refusal> {
        let colon = entry.colon.ok_or(EXPLICIT_KEY)?;
        let value = &entry.value;
        // A block text ends with its line break, whatever replaces it does not.
        let tail = line_break_before(self.text, value.end);
        if let Some(scalar) = inline(written, value) {
            keep_comments(self.text, entry)?;
            if is_token(value) {
                self.replace(value.start..value.end, scalar);
            } else {
                self.replace(colon..value.end, format!(" {scalar}{tail}"));
            }
            return Ok(());
        }
        let mut lines = Vec::new();
        self.nested_lines(draft, written, indent, &mut lines)?;
        // A comment behind the old value stays behind the key.
        self.replace(colon..value.end - tail.len(), String::new());
        self.insert_lines(value.end, lines);
        Ok(())
    }

    /// The lines of a new entry of a block mapping.
    fn block_lines(
        &mut self,
        draft: &Draft<'_, '_>,
        key: &str,
        written: &Written,
        indent: usize,
        lines: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let key = scalar::written(key);
        if let Some(scalar) = inline_anew(written) {
            lines.push(format!("{:indent$}{key}: {scalar}", ""));
            return Ok(());
        }
        lines.push(format!("{:indent$}{key}:", ""));
        self.nested_lines(draft, written, indent, lines)
    }

    /// The lines below a key at `indent`.
    fn nested_lines(
        &mut self,
        draft: &Draft<'_, '_>,
        written: &Written,
        indent: usize,
        lines: &mut Vec<String>,
    ) -> Result<(), Refusal> {
        let inner = indent + STEP;
        match written {
            Written::Value(Value::Map(pairs)) => {
                value_lines(pairs, inner, lines);
                Ok(())
            }
            Written::Value(_) => Ok(()),
            Written::List(items) => {
                lines.extend(
                    items
                        .iter()
                        .map(|item| format!("{:inner$}- {}", "", scalar::written(item))),
                );
                Ok(())
            }
            Written::Moved(moved) => moved.iter().try_for_each(|moved| match moved {
                Moved::Entry(at) => {
                    let entry = &draft.map.entries[*at];
                    if let Kind::Scalar {
                        text,
                        style: Style::Block { keeps },
                    } = &entry.value.kind
                        && (*keeps || self.is_open(&entry.value))
                    {
                        // The line breaks at its end depend on what follows, and that will be another thing.
                        let key = scalar::written(entry.key_text().unwrap_or_default());
                        let text = match self.is_open(&entry.value) {
                            // Some parsers invent a line break there; the ones that count do not.
                            true => text.strip_suffix('\n').unwrap_or(text),
                            false => text,
                        };
                        lines.push(format!(
                            "{:inner$}{key}: {}",
                            "",
                            scalar::double_quoted(text)
                        ));
                        return Ok(());
                    }
                    self.moves_block_text |= is_block_text(last_leaf(&entry.value));
                    lines.push(self.shifted(entry, indent)?);
                    Ok(())
                }
                Moved::Fresh(key, written) => self.block_lines(draft, key, written, inner, lines),
            }),
        }
    }

    /// The lines of an entry, as they are but further to the right, comments and all.
    fn shifted(&self, entry: &Entry<'_>, indent: usize) -> Result<String, Refusal> {
        if entry.key.marked {
            return Err("a key with an anchor or a tag is not moved");
        }
        let end = self.content_end(entry);
        let mut moved = String::new();
        for (at, line) in self.text[entry.start..end]
            .split_inclusive('\n')
            .enumerate()
        {
            let further = match at {
                0 => indent + STEP,
                _ if line.trim().is_empty() => 0,
                _ => STEP,
            };
            moved.push_str(&format!("{:further$}{line}", ""));
        }
        Ok(moved)
    }

    /// Where an entry of a block mapping ends, its comment included, its line break not.
    fn content_end(&self, entry: &Entry<'_>) -> usize {
        let end = entry.value.end;
        match line_break_before(self.text, end) {
            "" => line_end(self.text, end),
            newline => end - newline.len(),
        }
    }

    /// Where the line after an entry of a block mapping begins.
    fn after_lines(&self, end: usize) -> usize {
        if line_break_before(self.text, end).is_empty() {
            let end = line_end(self.text, end);
            end + line_break(self.text, end).len()
        } else {
            end
        }
    }

    /// Takes out the lines of the entries that go. Comments between them stay.
    fn cut_lines(&mut self, draft: &Draft<'_, '_>) -> Result<(), Refusal> {
        let entries = &draft.map.entries;
        for (first, last) in runs(&draft.fates) {
            let key = entries[first].start;
            let mut rest = first;
            if !self.is_blank(line_start(self.text, key), key) {
                // It stands behind the dash. What comes next takes its place, unless that is a comment.
                let next = entries.get(last + 1).ok_or("a row would be left empty")?;
                let after = |at: usize| self.after_lines(entries[at].value.end);
                if (first..=last).all(|at| self.is_blank(after(at), entries[at + 1].start)) {
                    self.replace(key..next.start, String::new());
                    continue;
                }
                let dash = self.text[..key].trim_end_matches([' ', '\t']).len();
                self.replace(dash..self.content_end(&entries[first]), String::new());
                rest += 1;
            }
            // Blank lines would become a part of a text above that keeps them.
            let above = first.checked_sub(1).map(|at| last_leaf(&entries[at].value));
            let keeps = above.is_some_and(|above| {
                matches!(
                    &above.kind,
                    Kind::Scalar {
                        style: Style::Block { keeps: true },
                        ..
                    }
                )
            });
            for entry in &entries[rest..=last] {
                let line = line_start(self.text, entry.start);
                let after = self.after_lines(entry.value.end);
                if keeps {
                    let next = line_start(self.text, skip_spaces(self.text, after));
                    self.replace(after..next.max(after), String::new());
                }
                self.replace(line..after, String::new());
            }
        }
        Ok(())
    }

    fn flow_map(&mut self, draft: &Draft<'_, '_>, node: &Node<'_>) -> Result<(), Refusal> {
        let flow = self.flow_of_map(draft.map, after_bracket(node));
        self.cut_pairs(draft);
        for (entry, fate) in draft.map.entries.iter().zip(&draft.fates) {
            match fate {
                Fate::Keep | Fate::Cut => {}
                Fate::Replace(written) => {
                    self.replace_in_flow(draft, entry, written, &flow)?;
                }
                Fate::Inside(inner) => self.flow_map(inner, &entry.value)?,
                Fate::Grow(items) => self.grow(entry, items, flow.json)?,
            }
        }
        let mut added = Vec::new();
        for (key, written) in &draft.added {
            let value = self.flow_value(draft, written, &flow)?;
            added.push(format!("{}{}{value}", flow.text(key), flow.colon));
        }
        if added.is_empty() {
            return Ok(());
        }
        let added = join(added.into_iter(), &flow.comma);
        let kept = draft
            .map
            .entries
            .iter()
            .zip(&draft.fates)
            .rfind(|(_, fate)| !matches!(fate, Fate::Cut));
        match kept {
            Some((last, _)) => {
                // `{id:, …` would make the comma a part of the value.
                let gap = if last.value.is_nothing() { " " } else { "" };
                self.insert(last.value.end, format!("{gap}{}{added}", flow.comma));
            }
            None => self.insert(after_bracket(node), added),
        }
        Ok(())
    }

    fn replace_in_flow(
        &mut self,
        draft: &Draft<'_, '_>,
        entry: &Entry<'_>,
        written: &Written,
        flow: &Flow,
    ) -> Result<(), Refusal> {
        let value = &entry.value;
        if matches!(written, Written::Value(_)) {
            keep_comments(self.text, entry)?;
        }
        let text = match inline(written, value) {
            Some(scalar) if !flow.json => scalar,
            _ => self.flow_value(draft, written, flow)?,
        };
        match entry.colon {
            Some(_) if is_token(value) => self.replace(value.start..value.end, text),
            Some(colon) => self.replace(colon..value.end, format!(" {text}")),
            None if value.is_nothing() => self.insert(entry.key.end, format!(": {text}")),
            None => return Err(EXPLICIT_KEY),
        }
        Ok(())
    }

    fn flow_value(
        &self,
        draft: &Draft<'_, '_>,
        written: &Written,
        flow: &Flow,
    ) -> Result<String, Refusal> {
        match written {
            Written::Value(value) => Ok(flow.value(value)),
            Written::List(items) => Ok(format!(
                "[{}]",
                join(items.iter().map(|item| flow.text(item)), ", ")
            )),
            Written::Moved(moved) => {
                let mut pairs = Vec::new();
                for moved in moved {
                    pairs.push(match moved {
                        Moved::Entry(at) => {
                            let entry = &draft.map.entries[*at];
                            if entry.key.marked {
                                return Err("a key with an anchor or a tag is not moved");
                            }
                            // `{id:}` would make the brace a part of the value.
                            let gap = if entry.value.is_nothing() { " " } else { "" };
                            format!("{}{gap}", &self.text[entry.start..entry.end()])
                        }
                        Moved::Fresh(key, written) => {
                            let value = self.flow_value(draft, written, flow)?;
                            format!("{}{}{value}", flow.text(key), flow.colon)
                        }
                    });
                }
                Ok(format!("{{{}}}", join(pairs.into_iter(), ", ")))
            }
        }
    }

    /// Takes out the pairs that go, each with the comma behind it, or with the one before it at the end.
    fn cut_pairs(&mut self, draft: &Draft<'_, '_>) {
        let entries = &draft.map.entries;
        for (first, last) in runs(&draft.fates) {
            for at in first..=last {
                let (start, end) = (entries[at].start, entries[at].end());
                let whole = match entries.get(at + 1) {
                    Some(next) if last + 1 < entries.len() => start..next.start,
                    _ => {
                        at.checked_sub(1)
                            .map_or(start, |before| entries[before].end())
                            ..end
                    }
                };
                let gap = match whole.start < start {
                    true => whole.start..start,
                    false => end..whole.end,
                };
                // A comment between two pairs stays; only the comma goes.
                if self.text[gap.clone()].contains('#') {
                    let comma = skip_blank(self.text, gap.start);
                    self.replace(comma..comma + 1, String::new());
                    self.replace(start..end, String::new());
                } else {
                    self.replace(whole, String::new());
                }
            }
        }
    }

    /// Puts texts before the first item of a list.
    fn grow(&mut self, entry: &Entry<'_>, items: &[String], json: bool) -> Result<(), Refusal> {
        let Kind::List(list) = &entry.value.kind else {
            return Err("only a list can grow");
        };
        let text = |item: &String| {
            if json {
                scalar::double_quoted(item)
            } else {
                scalar::written(item).into_owned()
            }
        };
        if list.flow {
            let mut items = join(items.iter().map(text), ", ");
            if !list.items.is_empty() {
                items.push_str(", ");
            }
            self.insert(after_bracket(&entry.value), items);
            return Ok(());
        }
        let (dash, _) = self.dashes(entry.colon.ok_or(EXPLICIT_KEY)?, list)?;
        let at = line_start(self.text, skip_blank(self.text, entry.colon.unwrap_or(0)));
        let lines = items
            .iter()
            .map(|item| format!("{:dash$}- {}", "", text(item)))
            .collect();
        self.insert_lines(at, lines);
        Ok(())
    }

    /// How the entries of a mapping between braces are written; `inside` is the byte after its brace.
    fn flow_of_map(&self, map: &Map<'_>, inside: usize) -> Flow {
        let quoted = |key: &Node<'_>| {
            matches!(
                key.kind,
                Kind::Scalar {
                    style: Style::DoubleQuoted,
                    ..
                }
            )
        };
        let json = !map.entries.is_empty() && map.entries.iter().all(|entry| quoted(&entry.key));
        let comma = match map.entries.as_slice() {
            [.., before, last] => self.between(before.end(), last.start),
            [only] => self.lead(inside, only.start),
            [] => ", ".to_owned(),
        };
        let tight = json
            && map
                .entries
                .iter()
                .all(|entry| entry.colon == Some(entry.value.start) && !entry.value.is_nothing());
        Flow {
            json,
            comma,
            colon: if tight { ":" } else { ": " },
        }
    }

    /// How the rows of a list between brackets are written, and what stands between two of them.
    fn flow_of_list(&self, root: &Map<'_>, list: &List<'_>, node: &Node<'_>) -> (Flow, String) {
        let mut maps = list.items.iter().filter_map(Node::map);
        let pattern = maps.rfind(|map| map.flow).unwrap_or(root);
        let flow = self.flow_of_map(pattern, 0);
        let comma = match list.items.as_slice() {
            [.., before, last] => self.between(before.end, last.start),
            [only] if flow.comma != "," => self.lead(after_bracket(node), only.start),
            _ => flow.comma.clone(),
        };
        (flow, comma)
    }

    /// The comma and the blanks between two entries, if there is nothing else.
    fn between(&self, end: usize, start: usize) -> String {
        let between = self.text.get(end..start).unwrap_or_default().trim_start();
        match between.strip_prefix(',') {
            Some(blank) if blank.trim().is_empty() => between.to_owned(),
            _ => ", ".to_owned(),
        }
    }

    /// The same for a single entry: on a line of its own if that one is.
    fn lead(&self, inside: usize, start: usize) -> String {
        match self.text.get(inside..start) {
            Some(blank) if blank.contains('\n') && blank.trim().is_empty() => format!(",{blank}"),
            _ => ", ".to_owned(),
        }
    }

    /// The column of the keys of a block mapping.
    fn indent_of(&self, map: &Map<'_>) -> Result<usize, Refusal> {
        let entry = map.entries.last().ok_or("an empty mapping is not edited")?;
        let before = &self.text[line_start(self.text, entry.start)..entry.start];
        if before.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
            Ok(before.len())
        } else {
            Err("a row that begins behind an anchor or a tag is not edited")
        }
    }

    fn is_blank(&self, start: usize, end: usize) -> bool {
        self.text
            .get(start..end)
            .is_some_and(|between| between.trim().is_empty())
    }

    fn replace(&mut self, range: Range<usize>, new: String) {
        self.list.push((range, new));
    }

    fn insert(&mut self, at: usize, new: String) {
        self.list.push((at..at, new));
    }

    /// Inserts lines below the one in which a value ends.
    fn insert_lines_after(&mut self, value: &Node<'_>, lines: Vec<String>) -> Result<(), Refusal> {
        if lines.is_empty() {
            return Ok(());
        }
        if value.end == self.text.len() {
            self.seal(value)?;
        }
        self.insert_lines(value.end, lines);
        Ok(())
    }

    /// Inserts lines below the line of `end`, or at `end` if a line begins there.
    fn insert_lines(&mut self, end: usize, lines: Vec<String>) {
        if lines.is_empty() {
            return;
        }
        let at = if line_start(self.text, end) == end {
            end
        } else {
            self.after_lines(end)
        };
        // As the neighbours end, in a text that ends its lines in more than one way.
        let newline = match line_break_before(self.text, at) {
            "" => self.newline,
            before => before,
        };
        let lines = join(lines.into_iter(), newline);
        let new = if line_break_before(self.text, at).is_empty() {
            self.needs_line_break |= self.moves_block_text;
            format!("{newline}{lines}")
        } else {
            format!("{lines}{newline}")
        };
        self.moves_block_text = false;
        self.insert(at, new);
    }

    /// Whether a value is a block text without a line break at its end.
    fn is_open(&self, node: &Node<'_>) -> bool {
        is_block_text(node) && line_break_before(self.text, node.end).is_empty()
    }

    /// A block text that ends the file without a line break would gain one from the lines put below it. `|-`
    /// says that it has none.
    fn seal(&mut self, value: &Node<'_>) -> Result<(), Refusal> {
        let last = last_leaf(value);
        let goes = |(range, _): &(Range<usize>, String)| {
            range.start <= last.start && last.end <= range.end
        };
        if self.sealed || !self.is_open(last) || self.list.iter().any(goes) {
            return Ok(());
        }
        match chomping(self.text, last.start) {
            Some((_, b'-')) => {}
            Some((at, b'+')) => self.replace(at..at + 1, "-".to_owned()),
            Some((at, _)) => self.insert(at, "-".to_owned()),
            None => return Err("the file ends in a block text without a line break: add one"),
        }
        self.sealed = true;
        Ok(())
    }
}

impl Flow {
    fn text(&self, text: &str) -> String {
        if self.json {
            scalar::double_quoted(text)
        } else {
            scalar::written(text).into_owned()
        }
    }

    fn value(&self, value: &Value) -> String {
        match value {
            Value::Null => "null".to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Text(text) => self.text(text),
            Value::Map(pairs) => self.map(pairs),
        }
    }

    fn map(&self, pairs: &[(String, Value)]) -> String {
        let comma = if self.comma == "," { "," } else { ", " };
        let pairs = pairs
            .iter()
            .map(|(key, value)| format!("{}{}{}", self.text(key), self.colon, self.value(value)));
        format!("{{{}}}", join(pairs, comma))
    }
}
