//! Why a session is said to stand as it does, for a person.

use std::io::{self, Write};

use super::item::Item;
use super::line::Line;
use super::paint::{Hue, Paint};
use super::status::hue_of;
use super::visible::{is_treacherous, readable, readable_name, visible};
use super::wrap::wrap;
use crate::core::explain::{Earlier, Explanation};
use crate::core::resume::Resume;
use crate::core::standing::Declared;

/// How it is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// How many columns there are; `None` where nobody looks, and a line may be as long as it is.
    pub width: Option<usize>,
    /// Whether colours are used.
    pub paint: Paint,
}

/// The narrowest that can be read.
const NARROWEST: usize = 40;

/// Before what stands below a heading.
const INDENT: &str = "  ";

/// Writes the explanation.
///
/// # Errors
/// When the writer fails.
pub fn write(explanation: &Explanation, form: Form, out: &mut dyn Write) -> io::Result<()> {
    for line in lines(explanation, form.width) {
        writeln!(out, "{}", line.painted(form.paint).trim_end())?;
    }
    Ok(())
}

/// The lines of the explanation, of so many columns, but never of fewer than can be read.
#[must_use]
pub fn lines(explanation: &Explanation, width: Option<usize>) -> Vec<Line> {
    let mut page = Page {
        width,
        lines: Vec::new(),
    };
    page.verdict(explanation);
    page.section(
        "Decided by",
        explanation
            .rules
            .iter()
            .map(|rule| format!("{}: {}", rule.name.replace('_', " "), rule.text)),
    );
    page.section(
        "What was looked at",
        explanation
            .evidence
            .iter()
            .map(|it| format!("{}  {}: {}", it.at.iso(), it.source, it.said)),
    );
    page.section(
        "What would change this",
        explanation.changes.iter().cloned(),
    );
    page.resume(&explanation.resume);
    page.earlier(&explanation.earlier);
    page.lines
}

struct Page {
    width: Option<usize>,
    lines: Vec<Line>,
}

impl Page {
    fn verdict(&mut self, explanation: &Explanation) {
        let session = &explanation.session;
        let mut name = readable_name(session.name.as_str());
        if let Some(server) = session.server.as_ref().filter(|it| !it.is_default()) {
            name = format!("{name} @{server}");
        }
        let declared = match &session.declared {
            Declared::Row(status) => format!("the row says {}", status.as_str()),
            Declared::Invalid(_) => "its row cannot be read".to_owned(),
            Declared::Grouped => "no row; it shows the panes of another session".to_owned(),
            Declared::No => "no row".to_owned(),
        };
        let word = session.sight.word();
        let name = visible(&name).into_owned();
        let text = format!("{name}: {word} ({declared})");
        for (at, line) in self.wrapped(&text, 0).into_iter().enumerate() {
            // Coloured only where it stands whole on the first line.
            let coloured = (at == 0)
                .then(|| line.strip_prefix(&format!("{name}: {word} ")))
                .flatten()
                .map(|rest| {
                    Line::of(Hue::Head, &*name)
                        .and(Hue::None, ": ")
                        .and(hue_of(session), visible(word))
                        .and(Hue::None, format!(" {rest}"))
                });
            self.lines
                .push(coloured.unwrap_or_else(|| Line::plain(line)));
        }
        for told in &session.drifts {
            let item = Item::from(told);
            let class = item.class.map(String::from).unwrap_or_default();
            self.point(&format!(
                "{class} {} ({}): {}",
                item.kind, told.drift.reason, item.statement
            ));
        }
        for note in &session.notes {
            let item = Item::from(note);
            self.point(&format!("{}: {}", item.kind, item.statement));
        }
        if session.drifts.is_empty() && session.notes.is_empty() {
            self.point(session.sight.why().unwrap_or("in order"));
        }
    }

    fn section(&mut self, head: &str, points: impl Iterator<Item = String>) {
        let points: Vec<String> = points.collect();
        if points.is_empty() {
            return;
        }
        self.lines.push(Line::default());
        self.lines.push(Line::of(Hue::Head, head));
        for point in points {
            self.point(&point);
        }
    }

    fn point(&mut self, text: &str) {
        let lines = self.wrapped(&readable(text), INDENT.len() + 2);
        for (at, line) in lines.into_iter().enumerate() {
            let before = if at == 0 { "- " } else { INDENT };
            self.lines
                .push(Line::plain(format!("{INDENT}{before}{line}")));
        }
    }

    fn resume(&mut self, resume: &Resume) {
        let head = match resume {
            Resume::By(_) | Resume::Not(_) => "To take its conversation up again".to_owned(),
            Resume::ByAfter(_, who) => {
                format!(
                    "To take its conversation up again, once {who} has ended (two at once would mix it up)"
                )
            }
        };
        self.lines.push(Line::default());
        for line in self.wrapped(&head, 0) {
            self.lines.push(Line::of(Hue::Head, line));
        }
        match resume {
            // Never broken: it is there to be copied.
            Resume::By(command) | Resume::ByAfter(command, _)
                if !command.contains(is_treacherous) =>
            {
                self.lines.push(Line::plain(format!("{INDENT}{command}")));
            }
            Resume::By(_) | Resume::ByAfter(..) => {
                self.point("the command has characters that cannot be shown; --json has it");
            }
            Resume::Not(why) => self.point(&format!("not possible: {why}")),
        }
    }

    fn earlier(&mut self, earlier: &[Earlier]) {
        if earlier.is_empty() {
            return;
        }
        self.lines.push(Line::default());
        self.lines
            .push(Line::of(Hue::Head, "Conversations it had before"));
        for Earlier { id, resume } in earlier {
            match resume {
                Resume::Not(why) => self.point(&format!("{id}: not possible: {why}")),
                Resume::By(command) | Resume::ByAfter(command, _)
                    if command.contains(is_treacherous) =>
                {
                    self.point(&format!("{id}: --json has the command"));
                }
                Resume::By(command) => {
                    self.point(&format!("{id}:"));
                    self.lines
                        .push(Line::plain(format!("{INDENT}{INDENT}{command}")));
                }
                Resume::ByAfter(command, who) => {
                    self.point(&format!("{id}, once {who} has ended:"));
                    self.lines
                        .push(Line::plain(format!("{INDENT}{INDENT}{command}")));
                }
            }
        }
    }

    /// The lines of a text behind so many columns.
    fn wrapped(&self, text: &str, before: usize) -> Vec<String> {
        let text = visible(text);
        match self.width {
            Some(width) => wrap(&text, width.max(NARROWEST) - before),
            None => vec![text.into_owned()],
        }
    }
}
