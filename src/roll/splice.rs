//! From drafts to text: which bytes of the roll are replaced, and by what. All others stay.

use std::ops::Range;

use super::draft::{Draft, Fate, Moved, Written, is_null};
use super::layout::{
    Entry, Kind, List, Map, Node, Style, line_break, line_end, line_start, skip_blank,
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
    sealed: bool,
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
        }
    }

    /// The text with the replacements made, or `None` if two of them overlap.
    pub(super) fn finish(mut self) -> Option<String> {
        // What is inserted at a place comes before what is replaced from there on; the sort is stable, so that
        // several things inserted at one place keep their order.
        self.list.sort_by_key(|(range, _)| (range.start, range.end));
        let grown: usize = self.list.iter().map(|(_, new)| new.len()).sum();
        let mut result = String::with_capacity(self.text.len() + grown);
        let mut done = 0;
        for (range, new) in &self.list {
            result.push_str(self.text.get(done..range.start)?);
            result.push_str(new);
            done = range.end;
        }
        result.push_str(self.text.get(done..)?);
        Some(result)
    }

    /// Carries out the draft of a row.
    pub(super) fn row(&mut self, draft: &Draft<'_, '_>, node: &Node<'_>) -> Result<(), Refusal> {
        if draft.is_still() {
            return Ok(());
        }
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
        if colon < entry.value.end {
            self.refuse_comment(colon..entry.value.end)?;
            self.replace(colon..entry.value.end, String::new());
        }
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
        if draft.added.is_empty() {
            return Ok(());
        }
        let mut lines = Vec::new();
        for (key, written) in &draft.added {
            self.block_lines(draft, key, written, indent, &mut lines)?;
        }
        match draft.map.entries.last() {
            Some(last) => self.insert_lines_after(&last.value, lines),
            None => Err("an empty mapping is not edited"),
        }
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
            if is_token(value) {
                self.replace(value.start..value.end, scalar);
            } else {
                self.replace(colon..value.end, format!(" {scalar}{tail}"));
            }
            return Ok(());
        }
        let mut lines = Vec::new();
        self.nested_lines(draft, written, indent, &mut lines)?;
        let lines = join(lines.into_iter(), self.newline);
        self.replace(colon..value.end, format!("{}{lines}{tail}", self.newline));
        Ok(())
    }

    /// The lines of a new entry of a block mapping.
    fn block_lines(
        &self,
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
        &self,
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
                    lines.push(self.shifted(&draft.map.entries[*at], indent)?);
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
        for (at, line) in self.text[entry.key.start..end]
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

    /// Takes out the lines of the entries that go.
    fn cut_lines(&mut self, draft: &Draft<'_, '_>) -> Result<(), Refusal> {
        let entries = &draft.map.entries;
        for (first, last) in runs(&draft.fates) {
            let key = entries[first].key.start;
            let line = line_start(self.text, key);
            let after = self.after_lines(entries[last].value.end);
            if self.is_blank(line, key) {
                let ends =
                    after == self.text.len() && line_break_before(self.text, after).is_empty();
                let start = if ends {
                    line - line_break_before(self.text, line).len()
                } else {
                    line
                };
                self.replace(start..after, String::new());
                continue;
            }
            // The first entry stands behind the dash. The next one takes its place, unless a comment is between.
            let next = entries.get(last + 1).ok_or("a row would be left empty")?;
            if self.is_blank(after, next.key.start) {
                self.replace(key..next.key.start, String::new());
            } else {
                let dash = self.text[..key].trim_end_matches([' ', '\t']).len();
                self.replace(dash..self.content_end(&entries[last]), String::new());
            }
        }
        Ok(())
    }

    fn flow_map(&mut self, draft: &Draft<'_, '_>, node: &Node<'_>) -> Result<(), Refusal> {
        let flow = self.flow_of_map(draft.map, node.start + 1);
        self.cut_pairs(draft);
        for (entry, fate) in draft.map.entries.iter().zip(&draft.fates) {
            match fate {
                Fate::Keep | Fate::Cut => {}
                Fate::Replace(written) => {
                    self.replace_in_flow(draft, entry, written, &flow)?;
                }
                Fate::Inside(inner) if inner.map.flow => self.flow_map(inner, &entry.value)?,
                Fate::Inside(_) => return Err("lines between braces are not edited"),
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
            None if draft.map.entries.is_empty() => self.insert(node.start + 1, added),
            None => return Err("a row would be left empty"),
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
                            let end = entry.value.end.max(entry.key.end);
                            self.text[entry.key.start..end].to_owned()
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

    /// Takes out the pairs that go, each run with one of the commas beside it.
    fn cut_pairs(&mut self, draft: &Draft<'_, '_>) {
        let entries = &draft.map.entries;
        for (first, last) in runs(&draft.fates) {
            let start = entries[first].key.start;
            let end = entries[last].value.end.max(entries[last].key.end);
            let range = match (entries.get(last + 1), first.checked_sub(1)) {
                (Some(next), _) => start..next.key.start,
                (None, Some(before)) => entries[before].value.end.max(entries[before].key.end)..end,
                (None, None) => start..end,
            };
            self.replace(range, String::new());
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
            [.., before, last] => {
                self.between(before.value.end.max(before.key.end), last.key.start)
            }
            [only] => self.lead(inside, only.key.start),
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
        let pattern = list
            .items
            .iter()
            .rev()
            .find_map(|item| Some((item.map().filter(|map| map.flow)?, item.start)));
        let flow = match pattern {
            Some((map, start)) => self.flow_of_map(map, start + 1),
            None => Flow {
                comma: ", ".to_owned(),
                ..self.flow_of_map(root, 0)
            },
        };
        let comma = match list.items.as_slice() {
            [.., before, last] => self.between(before.end, last.start),
            [only] if flow.comma != "," => self.lead(node.start + 1, only.start),
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
        let start = entry.key.start;
        let before = &self.text[line_start(self.text, start)..start];
        if before.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
            Ok(before.len())
        } else {
            Err("a row that begins behind an anchor, a tag or a `?` is not edited")
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
        if value.end == self.text.len() {
            self.seal(value)?;
        }
        self.insert_lines(value.end, lines);
        Ok(())
    }

    /// Inserts lines below the line of `end`, or at `end` if a line begins there.
    fn insert_lines(&mut self, end: usize, lines: Vec<String>) {
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
        let new = if at > 0 && line_break_before(self.text, at).is_empty() {
            format!("{newline}{lines}")
        } else {
            format!("{lines}{newline}")
        };
        self.insert(at, new);
    }

    /// A block text that ends the file without a line break would gain one from the lines put below it. `|-`
    /// says that it has none.
    fn seal(&mut self, value: &Node<'_>) -> Result<(), Refusal> {
        let last = last_leaf(value);
        let open = matches!(
            last.kind,
            Kind::Scalar {
                style: Style::Block,
                ..
            }
        ) && line_break_before(self.text, last.end).is_empty();
        if !open || self.sealed {
            return Ok(());
        }
        let above = self.text[..last.start].trim_end_matches([' ', '\t', '\r', '\n']);
        let header = &above[line_start(above, above.len())..];
        let header = header.split(" #").next().unwrap_or(header);
        let Some(mark) = header.rfind(['|', '>']) else {
            return Err("the file ends in a block text without a line break: add one");
        };
        let line = line_start(above, above.len());
        let chomping = header[mark..].find(['+', '-']);
        match chomping.map(|at| line + mark + at) {
            Some(at) if self.text.as_bytes()[at] == b'+' => {
                self.replace(at..at + 1, "-".to_owned())
            }
            Some(_) => {}
            None => self.insert(line + mark + 1, "-".to_owned()),
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

/// The lines of a row to be appended, its dash in column `dash`, its keys `gap` to the right of that.
fn row_lines(row: &NewRow, dash: usize, gap: usize) -> Vec<String> {
    let mut lines = Vec::new();
    value_lines(row, dash + gap, &mut lines);
    if let Some(first) = lines.first_mut() {
        first.replace_range(dash..=dash, "-");
    }
    lines
}

fn value_lines(pairs: &[(String, Value)], indent: usize, lines: &mut Vec<String>) {
    for (key, value) in pairs {
        let key = scalar::written(key);
        match value {
            Value::Map(inner) if !inner.is_empty() => {
                lines.push(format!("{:indent$}{key}:", ""));
                value_lines(inner, indent + STEP, lines);
            }
            other => lines.push(format!("{:indent$}{key}: {}", "", on_one_line(other))),
        }
    }
}

fn on_one_line(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => scalar::written(text).into_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}

/// A value that fits behind its key, written as the one it replaces.
fn inline(written: &Written, old: &Node<'_>) -> Option<String> {
    if let (Written::Value(Value::Text(text)), Kind::Scalar { style, .. }) = (written, &old.kind) {
        return Some(match style {
            Style::DoubleQuoted => scalar::double_quoted(text),
            Style::SingleQuoted => {
                scalar::single_quoted(text).unwrap_or_else(|| scalar::double_quoted(text))
            }
            Style::Plain | Style::Block => scalar::written(text).into_owned(),
        });
    }
    inline_anew(written)
}

fn inline_anew(written: &Written) -> Option<String> {
    match written {
        Written::Value(Value::Map(pairs)) if !pairs.is_empty() => None,
        Written::Value(value) => Some(on_one_line(value)),
        Written::List(items) if items.is_empty() => Some("[]".to_owned()),
        Written::List(_) | Written::Moved(_) => None,
    }
}

/// Whether a value is one token that another can be put in the place of.
fn is_token(node: &Node<'_>) -> bool {
    let single = match &node.kind {
        Kind::Scalar { style, .. } => *style != Style::Block && !node.is_nothing(),
        Kind::Alias => true,
        Kind::List(list) => list.flow,
        Kind::Map(map) => map.flow,
    };
    single && !node.marked
}

/// The value that a value ends with.
fn last_leaf<'n, 't>(node: &'n Node<'t>) -> &'n Node<'t> {
    let inner = match &node.kind {
        Kind::List(list) if !list.flow => list.items.last(),
        Kind::Map(map) if !map.flow => map.entries.last().map(|entry| &entry.value),
        _ => None,
    };
    inner.map_or(node, last_leaf)
}

/// The byte after the bracket or brace that opens a collection.
const fn after_bracket(node: &Node<'_>) -> usize {
    node.start + 1
}

/// The line break that ends at `at`, if there is one.
fn line_break_before(text: &str, at: usize) -> &str {
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
fn runs(fates: &[Fate<'_, '_>]) -> Vec<(usize, usize)> {
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

fn join(parts: impl Iterator<Item = String>, between: &str) -> String {
    parts.collect::<Vec<_>>().join(between)
}
