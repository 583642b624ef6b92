//! The report as Markdown for a card, short enough to be read there in full.

use std::collections::BTreeSet;
use std::io::{self, Write};

use super::item::{self, Item, State};
use super::sentence;
use super::visible::{readable_name, visible};
use crate::core::drift::Kind;
use crate::core::ids::SessionName;
use crate::core::report::{Outcome, Report};

/// How long the whole may be, in bytes: a card's reader is shown 2 KiB of each comment, and some of that is
/// the card's own.
pub const BUDGET: usize = 1536;

/// How long one line may be, in bytes, so that no single name can push the others out.
const LONGEST: usize = 400;

/// From how many on ends of one reason are told in one line.
const MANY: usize = 3;

/// Writes the report as a heading and a list, trouble first. What does not fit is counted, and what a person said to
/// know of is left out.
///
/// # Errors
/// When the writer fails.
pub fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut report = report.clone();
    report.drifts.retain(|told| !told.acked);
    let report = &report;
    let heading = format!(
        "**headcount** on {}, {}: {}",
        escape(&report.vantage.host),
        report.at.iso(),
        sentence::summary(report)
    );
    let mut text = cut(&heading, LONGEST);
    text.push('\n');

    let lines = lines(report);
    let mut left = lines.len();
    if left > 0 {
        text.push('\n');
    }
    for line in &lines {
        let line = format!("- {}\n", cut(line, LONGEST));
        let room = if left > 1 { more(left).len() } else { 0 };
        if text.len() + line.len() + room > BUDGET {
            break;
        }
        text.push_str(&line);
        left -= 1;
    }
    if left > 0 {
        text.push_str(&more(left));
    }
    out.write_all(text.as_bytes())
}

fn more(left: usize) -> String {
    format!("- and {left} more\n")
}

/// The lines of the list. Many ends of one reason that came to the same are one line, at the place of the
/// first.
fn lines(report: &Report) -> Vec<String> {
    let crowds = crowds(report);
    let mut told = BTreeSet::new();
    let mut lines = Vec::new();
    for item in item::of(report) {
        match crowds
            .iter()
            .enumerate()
            .find(|(_, crowd)| crowd.holds(&item))
        {
            None => lines.push(line(&item)),
            Some((at, crowd)) => {
                if told.insert(at) {
                    lines.push(crowd.line());
                }
            }
        }
    }
    lines
}

fn line(item: &Item) -> String {
    let subject = escape(&item.subject);
    let statement = escape(&item.statement);
    match item.state {
        State::Unseen => format!("could not see {subject}: {statement}"),
        State::Note => format!("note: {subject}: {statement}"),
        _ => format!("{subject}: {statement}"),
    }
}

/// Ends of one reason that came to the same.
struct Crowd<'a> {
    reason: &'a str,
    outcome: &'a Outcome,
    sessions: Vec<&'a SessionName>,
}

impl Crowd<'_> {
    fn holds(&self, item: &Item) -> bool {
        item.kind == Kind::TmuxGone.as_str()
            && item.state == State::from(self.outcome)
            && self
                .sessions
                .iter()
                .any(|session| readable_name(session.as_str()) == item.subject)
    }

    fn line(&self) -> String {
        escape(&sentence::common_end(
            &self.sessions,
            self.reason,
            self.outcome,
        ))
    }
}

fn crowds(report: &Report) -> Vec<Crowd<'_>> {
    let mut crowds: Vec<Crowd<'_>> = Vec::new();
    for told in &report.drifts {
        let (Kind::TmuxGone, Some(session)) = (told.drift.kind, &told.drift.session) else {
            continue;
        };
        match crowds
            .iter_mut()
            .find(|crowd| crowd.reason == told.drift.reason && *crowd.outcome == told.outcome)
        {
            Some(crowd) => crowd.sessions.push(session),
            None => crowds.push(Crowd {
                reason: &told.drift.reason,
                outcome: &told.outcome,
                sessions: vec![session],
            }),
        }
    }
    crowds.retain(|crowd| crowd.sessions.len() >= MANY);
    crowds
}

/// The text with everything that Markdown would obey made plain. An underscore inside a word means nothing
/// to Markdown and stays, since most names have one; a backtick becomes a quotation mark, since what it
/// would enclose is told here in words.
pub(crate) fn escape(text: &str) -> String {
    let shown = visible(text);
    let mut plain = String::with_capacity(shown.len());
    let mut before = ' ';
    let mut rest = shown.chars().peekable();
    while let Some(c) = rest.next() {
        let inside =
            before.is_alphanumeric() && rest.peek().is_some_and(|next| next.is_alphanumeric());
        if matches!(c, '\\' | '*' | '[' | ']' | '<' | '>' | '|' | '~') || c == '_' && !inside {
            plain.push('\\');
        }
        plain.push(if c == '`' { '\'' } else { c });
        before = c;
    }
    plain
}

/// The text, or as much of it as `bytes` can hold with a sign that something is missing.
pub(crate) fn cut(text: &str, bytes: usize) -> String {
    const MISSING: &str = " …";
    if text.len() <= bytes {
        return text.to_owned();
    }
    let most = bytes.saturating_sub(MISSING.len());
    let kept = (0..=most).rev().find_map(|end| text.get(..end));
    format!("{}{MISSING}", kept.unwrap_or_default())
}
