//! How the screen looks. Pure: from the model to the cells of a buffer.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use unicode_width::UnicodeWidthStr as _;

use super::layout::Part;
use super::log::Event;
use super::model::{Mode, Model};
use crate::core::ids::Timestamp;
use crate::core::report::Verdict;
use crate::core::standing::{Session, Standing};
use crate::tell::line::Line;
use crate::tell::paint::{Hue, Paint};
use crate::tell::span;
use crate::tell::status::{Table, at_home, hue, summary, table};
use crate::tell::visible::{readable, visible};

/// Before each session: where the cursor may be.
const CURSOR: usize = 2;

/// What the keys do with the sessions, the most needed first.
const KEYS: [&str; 7] = [
    "? help",
    "q quit",
    "Enter why",
    "/ filter",
    "c copy",
    "r look",
    "jk move",
];

/// What they do with an explanation.
const KEYS_ON_PAGE: [&str; 5] = ["Esc back", "q quit", "c copy", "r look again", "jk move"];

/// What they do with the page about them.
const KEYS_ON_HELP: [&str; 3] = ["Esc back", "q quit", "jk move"];

/// Draws the model, as large as its terminal is.
#[must_use]
pub fn draw(model: &Model, paint: Paint) -> Buffer {
    let (width, height) = model.size;
    let (columns, rows) = (small(width), small(height));
    let mut sheet = Sheet {
        buffer: Buffer::empty(Rect::new(0, 0, columns, rows)),
        paint,
        width,
        at: 0,
    };
    let layout = model.layout();
    sheet.head(model, layout.head);
    sheet.blind(model, layout.blind);
    match model.page() {
        Some((title, lines, top)) => {
            let last = (top + layout.page.rows).min(lines.len());
            let place = if lines.len() > layout.page.rows {
                format!("{}-{last} of {}", top + 1, lines.len())
            } else {
                String::new()
            };
            sheet.title(layout.page, &title, &place);
            sheet.lines(lines.into_iter().skip(top), layout.page.rows);
        }
        None => {
            sheet.sessions(model, layout.sessions);
            sheet.at += layout.pauses.min(1);
            sheet.open(model, layout.open);
            sheet.at += layout.pauses.saturating_sub(1) * layout.open.taken().min(1);
            sheet.log(model, layout.log);
        }
    }
    sheet.at = height - layout.foot;
    sheet.foot(model, layout.foot);
    sheet.buffer
}

fn small(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// What is drawn on, from above.
struct Sheet {
    buffer: Buffer,
    paint: Paint,
    width: usize,
    /// The next row.
    at: usize,
}

impl Sheet {
    fn line(&mut self, line: &Line) {
        let row = small(self.at);
        self.at += 1;
        let mut column = 0;
        for (text, hue) in &line.0 {
            let left = self.width.saturating_sub(column);
            if left == 0 || row >= self.buffer.area.height {
                return;
            }
            let style = self.style(*hue);
            let (end, _) = self
                .buffer
                .set_stringn(small(column), row, text, left, style);
            column = usize::from(end);
        }
    }

    /// So many rows of these, whatever of them there is.
    fn lines(&mut self, lines: impl Iterator<Item = Line>, rows: usize) {
        let after = self.at + rows;
        for line in lines.take(rows) {
            self.line(&line);
        }
        self.at = after;
    }

    fn style(&self, hue: Hue) -> Style {
        if self.paint == Paint::Plain {
            return Style::new();
        }
        let plain = Style::new();
        match hue {
            Hue::None => plain,
            Hue::Good => plain.fg(Color::Green),
            Hue::Bad => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
            Hue::Blind => plain.fg(Color::Magenta).add_modifier(Modifier::BOLD),
            Hue::Notice => plain.fg(Color::Yellow),
            Hue::Head => plain.add_modifier(Modifier::BOLD),
            Hue::Faint => plain.add_modifier(Modifier::DIM),
        }
    }

    fn title(&mut self, part: Part, title: &str, place: &str) {
        if !part.has_head {
            return;
        }
        let rule = |count| "─".repeat(count);
        let taken = 5 + title.width() + place.width() + usize::from(!place.is_empty()) * 3;
        let line = Line::of(Hue::Faint, "── ")
            .and(Hue::Head, title)
            .and(Hue::Faint, " ")
            .and(Hue::Faint, rule(self.width.saturating_sub(taken)));
        let line = if place.is_empty() {
            line.and(Hue::Faint, "─")
        } else {
            line.and(Hue::Faint, format!(" {place} ──"))
        };
        self.line(&line);
    }

    fn head(&mut self, model: &Model, rows: usize) {
        let after = self.at + rows;
        let first = match &model.standing {
            None => Line::of(Hue::Faint, "looking…"),
            // What is shown was seen then, and may be otherwise by now.
            Some(standing) if model.trouble.is_some() => {
                let then = format!(": seen at {}: {}", standing.at.iso(), summary(standing));
                Line::of(hue(Verdict::Blind), Verdict::Blind.as_str()).and(Hue::None, then)
            }
            Some(standing) => Line::of(hue(standing.verdict), standing.verdict.as_str())
                .and(Hue::None, format!(": {}", summary(standing))),
        };
        self.line(&first);
        if rows > 1
            && let Some(standing) = &model.standing
        {
            let roll = standing.roll.as_deref().map_or_else(
                || "no roll here (headcount init makes one)".to_owned(),
                |roll| at_home(roll, model.given.home.as_deref()),
            );
            let place = format!("{}  {roll}", standing.host);
            self.line(&Line::of(Hue::Faint, visible(&place)));
        }
        self.at = after;
    }

    fn blind(&mut self, model: &Model, rows: usize) {
        let trouble = model.trouble.iter().map(|why| format!("no look: {why}"));
        let sources = model.standing.iter().flat_map(Standing::unseen);
        let sources = sources.map(|it| format!("{}: {}", it.name, it.reason));
        let lines = trouble.chain(sources).map(|text| {
            let text = readable(&text.replace('\n', " "));
            Line::of(Hue::Blind, "? ").and(Hue::None, visible(&text))
        });
        self.lines(lines, rows);
    }

    fn sessions(&mut self, model: &Model, part: Part) {
        let after = self.at + part.taken();
        let sessions: Vec<&Session> = model.shown().collect();
        if sessions.is_empty() {
            self.line(&Line::of(Hue::Faint, nothing(model)));
            self.at = after;
            return;
        }
        let now = model.now;
        let Table { head, rows, .. } = table(
            &sessions,
            Some(self.width.saturating_sub(CURSOR)),
            model.given.home.as_deref(),
            &|at| span::steady(now.since(at)),
        );
        let behind = |mark: &str, mut line: Line| {
            line.0.insert(0, (mark.to_owned(), Hue::None));
            line
        };
        if part.has_head {
            self.line(&behind("  ", head));
        }
        let rows = rows.into_iter().enumerate().skip(model.top);
        for (at, line) in rows.take(part.rows) {
            let is_selected = at == model.cursor;
            self.line(&behind(if is_selected { "> " } else { "  " }, line));
            if is_selected && self.paint == Paint::Coloured {
                let row = Rect::new(0, small(self.at - 1), small(self.width), 1);
                let row = row.intersection(self.buffer.area);
                let reversed = Style::new().add_modifier(Modifier::REVERSED);
                self.buffer.set_style(row, reversed);
            }
        }
        self.at = after;
    }

    fn open(&mut self, model: &Model, part: Part) {
        let lines = model.open();
        self.title(part, "Open", &shown_of(part.rows, lines.len()));
        self.lines(lines.into_iter(), part.rows);
    }

    fn log(&mut self, model: &Model, part: Part) {
        let events = model.log.events();
        self.title(part, "Log", &shown_of(part.rows, events.len()));
        let now = model.now;
        // The newest comes first, where it is seen.
        self.lines(events.rev().map(|event| happened(event, now)), part.rows);
    }

    fn foot(&mut self, model: &Model, rows: usize) {
        if rows == 0 {
            return;
        }
        if !model.said.is_empty() {
            let width = self.width.max(1);
            let said = model.said.iter().cloned();
            self.lines(said.flat_map(|line| line.within(width)), rows);
            return;
        }
        let mut text = String::new();
        let keys = match &model.mode {
            Mode::Typing => {
                text = format!("/{}_", visible(&model.filter));
                &[][..]
            }
            Mode::List => &KEYS[..],
            Mode::Explained { .. } => &KEYS_ON_PAGE[..],
            Mode::Help { .. } => &KEYS_ON_HELP[..],
        };
        if model.is_looking && model.standing.is_some() {
            text.push_str("looking…  ");
        }
        if !model.filter.is_empty() && matches!(model.mode, Mode::List) {
            text.push_str(&format!(
                "only with \"{}\", Esc: all  ",
                visible(&model.filter)
            ));
        }
        for key in keys {
            if text.width() + key.width() <= self.width {
                text.push_str(key);
                text.push_str("  ");
            }
        }
        self.line(&Line::of(Hue::Faint, text.trim_end()));
    }
}

/// What is said where there is no session to show.
fn nothing(model: &Model) -> String {
    match &model.standing {
        None => String::new(),
        Some(_) if !model.filter.is_empty() => "  No session contains that.".to_owned(),
        Some(_) if model.left_out > 0 => {
            "  All rows have ended and are in order (--all shows them).".to_owned()
        }
        Some(_) => "  No session runs, and no row says that one should.".to_owned(),
    }
}

fn shown_of(rows: usize, all: usize) -> String {
    if rows < all {
        format!("{rows} of {all}")
    } else {
        String::new()
    }
}

fn happened(event: &Event, now: Timestamp) -> Line {
    let (at, today) = (event.at.iso(), now.iso());
    let day = |text: &str| text.get(..10).map(str::to_owned);
    // 2026-11-21T16:03:50Z: the time of today, else the day.
    let when = if day(&at) == day(&today) {
        at.get(11..20).unwrap_or(&at)
    } else {
        at.get(..10).unwrap_or(&at)
    };
    Line::of(Hue::Faint, format!("{when:<10}  "))
        .and(event.hue, format!("{:<11}", event.word))
        .and(Hue::None, "  ")
        .and(Hue::None, visible(&readable(&event.text)))
}
