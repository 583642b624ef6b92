//! What is open: the drifts and the notes, each with its age.

use unicode_width::UnicodeWidthStr as _;

use super::log::{Log, Since, drifts, notes};
use crate::core::ids::Timestamp;
use crate::core::standing::Standing;
use crate::tell::item::Item;
use crate::tell::line::Line;
use crate::tell::paint::Hue;
use crate::tell::visible::{readable, visible};
use crate::tell::wrap::wrap;
use crate::tell::{sentence, span};

/// How many lines are spent on one of them.
const LINES: usize = 3;

/// Narrower than this, each is one line.
const NARROW: usize = 60;

/// The lines that tell all of it, of so many columns.
pub(super) fn lines(standing: &Standing, log: &Log, now: Timestamp, width: usize) -> Vec<Line> {
    let of_drifts = drifts(standing).flat_map(|told| {
        let item = Item::from(told);
        let class = item.class.map(String::from).unwrap_or_default();
        let kind = format!("{class} {}", item.kind);
        let age = age(log.since(told), now);
        let statement = sentence::without_time(&told.drift, &told.outcome);
        let text = format!("{}: {statement}", item.subject);
        told_in(width, ("!", Hue::Bad), &age, &kind, &text)
    });
    let of_notes = notes(standing).flat_map(|note| {
        let item = Item::from(note);
        let text = format!("{}: {}", item.subject, item.statement);
        told_in(width, ("*", Hue::Notice), "", &item.kind, &text)
    });
    of_drifts.chain(of_notes).collect()
}

fn told_in(width: usize, mark: (&str, Hue), age: &str, kind: &str, text: &str) -> Vec<Line> {
    let before = format!(" {age:>4}  {kind:<17}  ");
    let indent = before.width() + mark.0.width();
    let text = visible(&readable(text)).into_owned();
    let mut told = if width < NARROW {
        vec![text]
    } else {
        wrap(&text, width.saturating_sub(indent))
    };
    if told.len() > LINES {
        told.truncate(LINES);
        if let Some(last) = told.last_mut() {
            last.push_str(" …");
        }
    }
    let mut told = told.into_iter();
    let first = Line::of(mark.1, mark.0)
        .and(Hue::None, before)
        .and(Hue::None, told.next().unwrap_or_default());
    let rest = told.map(|text| Line::plain(format!("{}{text}", " ".repeat(indent))));
    std::iter::once(first).chain(rest).collect()
}

fn age(since: Since, now: Timestamp) -> String {
    match since {
        Since::At(at) => span::steady(now.since(at)),
        Since::Before(at) if now.since(at).as_secs() < 60 => "-".to_owned(),
        Since::Before(at) => format!("{}+", span::steady(now.since(at))),
    }
}
