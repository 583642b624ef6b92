//! Where each value of a roll stands in its text, in bytes. The only file that names `granit_parser`.
//!
//! Positions are exact in the sense an edit needs: the bytes of a node are those one would have to replace to
//! replace its value. Whatever this parser and the one that reads the values see differently is caught when
//! an edit is verified.

use std::borrow::Cow;
use std::cell::OnceCell;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

/// The layout of a text.
pub(super) struct Layout<'t> {
    text: &'t str,
    /// The first byte of each line, once somebody asks for a place.
    lines: OnceCell<Vec<usize>>,
    roots: Vec<Node<'t>>,
}

/// One value in the text.
pub(super) struct Node<'t> {
    /// Its first byte; an anchor or a tag stands before it.
    pub(super) start: usize,
    /// The byte after its last one. After a block text that is the start of a line, after all else it is not.
    pub(super) end: usize,
    /// Whether an anchor or a tag is attached to it.
    pub(super) marked: bool,
    /// What it is.
    pub(super) kind: Kind<'t>,
}

/// What a value is.
pub(super) enum Kind<'t> {
    /// `name`, `"name"`, `'name'`, `|` and `>`; nothing at all is an empty plain scalar.
    Scalar { text: Cow<'t, str>, style: Style },
    /// `*name`
    Alias,
    /// A list.
    List(List<'t>),
    /// A mapping.
    Map(Map<'t>),
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    /// A block text, literal or folded.
    Block {
        /// Whether the blank lines that follow belong to it (`|+`).
        keeps: bool,
    },
}

/// A list in the text.
pub(super) struct List<'t> {
    /// `[a, b]` rather than lines with dashes.
    pub(super) flow: bool,
    /// Its items.
    pub(super) items: Vec<Node<'t>>,
}

/// A mapping in the text.
pub(super) struct Map<'t> {
    /// `{a: b}` rather than lines.
    pub(super) flow: bool,
    /// Its entries.
    pub(super) entries: Vec<Entry<'t>>,
}

/// One key and its value.
pub(super) struct Entry<'t> {
    /// Its first byte: that of the key, or of the `?` before it.
    pub(super) start: usize,
    pub(super) key: Node<'t>,
    /// The byte after the colon; `None` where there is no colon, as in `{a}`, or the key is written with `?`.
    pub(super) colon: Option<usize>,
    pub(super) value: Node<'t>,
}

impl<'t> Layout<'t> {
    /// Finds the places of all values. The error is a sentence; what is wrong with a roll is better told by
    /// the parser that reads it.
    pub(super) fn of(text: &'t str) -> Result<Self, String> {
        let mut builder = Builder {
            text,
            open: Vec::new(),
            roots: Vec::new(),
        };
        for next in Parser::new_from_str(text) {
            let (event, span) = next.map_err(|error| error.to_string())?;
            let bytes = span
                .byte_range()
                .ok_or_else(|| "a position is missing".to_owned())?;
            builder.take(event, bytes.start, bytes.end);
        }
        Ok(Self {
            text,
            lines: OnceCell::new(),
            roots: builder.roots,
        })
    }

    /// The mapping that holds `tmux_sessions`, chosen among several documents as the reader chooses.
    pub(super) fn root(&self) -> Option<&Map<'t>> {
        let holds = |root: &&Node<'t>| {
            root.map()
                .is_some_and(|map| map.entry("tmux_sessions").is_some())
        };
        self.roots
            .iter()
            .find(holds)
            .or_else(|| self.roots.first())
            .and_then(Node::map)
    }

    /// The values of all documents.
    pub(super) fn roots(&self) -> &[Node<'t>] {
        &self.roots
    }

    /// An entry of `tmux_sessions`.
    pub(super) fn row(&self, index: usize) -> Option<&Node<'t>> {
        match &self.root()?.entry("tmux_sessions")?.value.kind {
            Kind::List(list) => list.items.get(index),
            _ => None,
        }
    }

    /// Line and column of a byte, both counted from 1, the column in characters.
    pub(super) fn place(&self, at: usize) -> (usize, usize) {
        let lines = self.lines.get_or_init(|| {
            let breaks = self.text.bytes().enumerate();
            let starts = breaks
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(at, _)| at + 1);
            std::iter::once(0).chain(starts).collect()
        });
        let line = lines.partition_point(|start| *start <= at);
        let start = lines.get(line - 1).copied().unwrap_or(0);
        let before = self.text.get(start..at).unwrap_or_default();
        (line, before.chars().count() + 1)
    }
}

impl<'t> Node<'t> {
    /// The mapping, if this is one.
    pub(super) const fn map(&self) -> Option<&Map<'t>> {
        match &self.kind {
            Kind::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The text of a plain scalar.
    pub(super) fn plain(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar {
                text,
                style: Style::Plain,
            } => Some(text),
            _ => None,
        }
    }

    /// Whether there is nothing where a value could be.
    pub(super) fn is_nothing(&self) -> bool {
        self.plain() == Some("")
    }
}

impl<'t> Map<'t> {
    /// The first entry of that key.
    pub(super) fn entry(&self, key: &str) -> Option<&Entry<'t>> {
        self.entries
            .iter()
            .find(|entry| entry.key_text() == Some(key))
    }
}

impl Entry<'_> {
    /// The byte after it.
    pub(super) fn end(&self) -> usize {
        self.value.end.max(self.key.end)
    }

    /// The key, if it is a scalar.
    pub(super) fn key_text(&self) -> Option<&str> {
        match &self.key.kind {
            Kind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}

/// The first byte at or after `at` that is neither blank nor in a comment.
pub(super) fn skip_blank(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => at += 1,
            b'#' => at = line_end(text, at),
            _ => break,
        }
    }
    at
}

/// The byte that ends the line of `at`: a line break, or the end of the text.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text.as_bytes()[at..]
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
        .map_or(text.len(), |offset| at + offset)
}

/// The first byte of the line of `at`.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.as_bytes()[..at]
        .iter()
        .rposition(|byte| matches!(byte, b'\n' | b'\r'))
        .map_or(0, |newline| newline + 1)
}

/// The line break at `at`, if there is one.
pub(super) fn line_break(text: &str, at: usize) -> &str {
    match text.as_bytes().get(at..) {
        Some([b'\r', b'\n', ..]) => "\r\n",
        Some([b'\r', ..]) => "\r",
        Some([b'\n', ..]) => "\n",
        _ => "",
    }
}

struct Builder<'t> {
    text: &'t str,
    open: Vec<Open<'t>>,
    roots: Vec<Node<'t>>,
}

/// A collection whose end has not been reached.
struct Open<'t> {
    start: usize,
    marked: bool,
    is_map: bool,
    flow: bool,
    items: Vec<Node<'t>>,
    entries: Vec<Entry<'t>>,
    key: Option<Node<'t>>,
}

impl<'t> Builder<'t> {
    fn take(&mut self, event: Event<'t>, start: usize, end: usize) {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::SingleQuoted,
                    ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
                    _ => Style::Block {
                        keeps: chomping(self.text, start).is_some_and(|(_, mark)| mark == b'+'),
                    },
                };
                // An empty scalar arrives as `~`, with no bytes of its own.
                let nothing = style == Style::Plain && start == end;
                self.place(Node {
                    start,
                    end: match style {
                        Style::Block { keeps } => self.block_end(start, end, keeps),
                        _ => end,
                    },
                    marked: anchor != 0 || tag.is_some(),
                    kind: Kind::Scalar {
                        text: if nothing { Cow::Borrowed("") } else { text },
                        style,
                    },
                });
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => self.place(Node {
                start,
                end,
                marked: false,
                kind: Kind::Alias,
            }),
            Event::SequenceStart(style, anchor, tag) => {
                self.open(start, style, false, anchor != 0 || tag.is_some());
            }
            Event::MappingStart(style, anchor, tag) => {
                self.open(start, style, true, anchor != 0 || tag.is_some());
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(end),
            _ => {}
        }
    }

    fn open(&mut self, start: usize, style: StructureStyle, is_map: bool, marked: bool) {
        self.open.push(Open {
            start,
            marked,
            is_map,
            flow: style == StructureStyle::Flow,
            items: Vec::new(),
            entries: Vec::new(),
            key: None,
        });
    }

    fn close(&mut self, end: usize) {
        let Some(open) = self.open.pop() else { return };
        // The parser ends a block collection where the next thing begins; its last value is its end.
        let last = match (open.entries.last(), open.items.last()) {
            (Some(entry), _) => Some(entry.value.end),
            (None, Some(item)) => Some(item.end),
            (None, None) => None,
        };
        let kind = if open.is_map {
            Kind::Map(Map {
                flow: open.flow,
                entries: open.entries,
            })
        } else {
            Kind::List(List {
                flow: open.flow,
                items: open.items,
            })
        };
        self.place(Node {
            start: open.start,
            end: if open.flow { end } else { last.unwrap_or(end) },
            marked: open.marked,
            kind,
        });
    }

    fn place(&mut self, mut node: Node<'t>) {
        let Some(open) = self.open.last_mut() else {
            self.roots.push(node);
            return;
        };
        if !open.is_map {
            open.items.push(node);
            return;
        }
        let Some(key) = open.key.take() else {
            open.key = Some(node);
            return;
        };
        let (start, colon) = marks(self.text, &key);
        if node.is_nothing() {
            // The parser puts it before the colon.
            node.start = colon.unwrap_or(key.end);
            node.end = node.start;
        }
        open.entries.push(Entry {
            start,
            key,
            colon,
            value: node,
        });
    }

    /// The end of a block text. The parser takes what follows up to the next token; without `+`, blank lines
    /// at the end are no part of the value.
    fn block_end(&self, start: usize, end: usize, keeps: bool) -> usize {
        let content = &self.text[start..end];
        let full = match content.rfind(['\n', '\r']) {
            Some(newline) if content[newline + 1..].trim_matches([' ', '\t']).is_empty() => {
                newline + 1
            }
            _ => return end,
        };
        if keeps {
            return start + full;
        }
        let trimmed = content[..full].trim_end_matches([' ', '\t', '\r', '\n']);
        let after = start + trimmed.len();
        let newline = line_end(self.text, after);
        newline + line_break(self.text, newline).len()
    }
}

/// The place at which a block text says what happens to the line breaks at its end, and what it says: `+`, `-`, or
/// anything else for nothing. `start` is where its content begins.
pub(super) fn chomping(text: &str, start: usize) -> Option<(usize, u8)> {
    let above = text[..start].trim_end_matches([' ', '\t', '\r', '\n']);
    let line = line_start(above, above.len());
    let header = above[line..].split(" #").next()?;
    let mark = header.rfind(['|', '>'])?;
    let said = header[mark..].find(['+', '-']).unwrap_or(1);
    let at = line + mark + said;
    Some((at, text.as_bytes().get(at).copied().unwrap_or(b'\n')))
}

/// The first byte of an entry, and the byte after its colon unless the key is written with `?`.
fn marks(text: &str, key: &Node<'_>) -> (usize, Option<usize>) {
    let before = text[..key.start].trim_end_matches([' ', '\t']);
    if before.ends_with('?') {
        return (before.len() - 1, None);
    }
    let at = skip_blank(text, key.end);
    let colon = (text.as_bytes().get(at) == Some(&b':')).then_some(at + 1);
    (key.start, colon)
}
