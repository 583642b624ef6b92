//! How all sessions stand, as a table for a person.

use std::io::{self, Write};

use super::columns::{self, Column, Room};
use super::item::{Item, State};
use super::line::Line;
use super::paint::{Hue, Paint};
use super::sentence::counted;
use super::span;
use super::visible::{readable_name, visible};
use super::wrap::wrap;
use crate::core::drift::Note;
use crate::core::ids::Timestamp;
use crate::core::report::{Told, Verdict};
use crate::core::sighting::Sighting;
use crate::core::standing::{Concern, Declared, Job, Session, Sight, Standing};

/// How it is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// How many columns there are; `None` where nobody looks, and a line may be as long as it is.
    pub width: Option<usize>,
    /// Whether colours are used.
    pub paint: Paint,
    /// The home folder, which is told as `~`.
    pub home: Option<&'a str>,
    /// How many sessions are left out that ended and are in order.
    pub left_out: usize,
    /// Whether it is one of several, each of a roll.
    pub beside_others: bool,
}

/// The narrowest a table can be and still be read.
const NARROWEST: usize = 40;

/// Before each line: the mark and a blank.
const MARK: usize = 2;

/// Writes the table.
///
/// # Errors
/// When the writer fails.
pub fn write(standing: &Standing, form: &Form<'_>, out: &mut dyn Write) -> io::Result<()> {
    let form = Form {
        width: form.width.map(|width| width.max(NARROWEST)),
        ..*form
    };
    let mut page = Page {
        form,
        lines: Vec::new(),
        told: Vec::new(),
    };
    page.head(standing);
    page.sources(standing);
    page.sessions(standing);
    page.foot(standing);
    for line in page.lines {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// The word for the whole, in its colour.
#[must_use]
pub const fn hue(verdict: Verdict) -> Hue {
    match verdict {
        Verdict::InOrder => Hue::Good,
        Verdict::Drifted => Hue::Bad,
        Verdict::Blind => Hue::Blind,
    }
}

struct Page<'a> {
    form: Form<'a>,
    lines: Vec<String>,
    /// What is told of sources, and where: it is not told again of every row that one hides.
    told: Vec<(String, String)>,
}

impl Page<'_> {
    fn head(&mut self, standing: &Standing) {
        let paint = self.form.paint;
        let word = standing.verdict.as_str();
        for (at, line) in self.wrapped(&format!("{word}: {}", summary(standing)), 0) {
            let line = match line.strip_prefix(word) {
                Some(rest) if at == 0 => format!("{}{rest}", paint.of(hue(standing.verdict), word)),
                _ => line,
            };
            self.lines.push(line);
        }
        let roll = match &standing.roll {
            Some(roll) => at_home(roll, self.form.home),
            None if self.form.beside_others => "in none of these rolls".to_owned(),
            None => "no roll here (headcount init makes one)".to_owned(),
        };
        let place = format!("{}  {roll}  {}", standing.host, standing.at.iso());
        for (_, line) in self.wrapped(&place, 0) {
            self.lines.push(paint.of(Hue::Faint, &line));
        }
    }

    /// What could not be seen comes before everything else: it may be why something else looks as it does.
    fn sources(&mut self, standing: &Standing) {
        for source in standing.unseen() {
            self.told
                .push((source.reason.clone(), format!("see {}", source.name)));
        }
        let told: Vec<_> = standing.unseen().collect();
        if !told.is_empty() {
            self.lines.push(String::new());
        }
        for source in told {
            let text = format!("{}: {}", source.name, source.reason);
            self.paragraph('?', Hue::Blind, &text);
        }
    }

    fn sessions(&mut self, standing: &Standing) {
        if standing.sessions.is_empty() {
            return;
        }
        self.lines.push(String::new());
        let Form {
            width, paint, home, ..
        } = self.form;
        let sessions: Vec<&Session> = standing.sessions.iter().collect();
        let Table { head, rows, hidden } = table(&sessions, width, home, &|at| {
            span::short(standing.at.since(at))
        });
        self.lines.push(head.painted(paint));
        for (session, line) in sessions.iter().zip(rows) {
            self.lines.push(line.painted(paint));
            self.remarks(session);
        }
        if !hidden.is_empty() {
            self.lines.push(String::new());
            let text = format!("No room for {}: --json has everything.", hidden.join(", "));
            self.prose(&text);
        }
    }

    /// What there is to say of one session, below its line.
    fn remarks(&mut self, session: &Session) {
        for told in &session.drifts {
            self.drift(told);
        }
        for note in &session.notes {
            self.note(note);
        }
        if let Some(Job {
            id,
            state: Some(state),
        }) = &session.job
        {
            self.remark(&format!("job {id}: {}", state.replace('_', " ")));
        }
        // A note says it already where there is one.
        if let (Some(why), true) = (
            session.sight.why(),
            session.notes.is_empty() && session.drifts.is_empty(),
        ) {
            self.remark(&format!("{}: {why}", session.sight.word()));
        }
        if let (Declared::Invalid(problem), true) = (&session.declared, session.notes.is_empty()) {
            self.remark(problem);
        }
    }

    fn drift(&mut self, told: &Told) {
        let item = Item::from(told);
        let class = item.class.map(String::from).unwrap_or_default();
        let reason = &told.drift.reason;
        self.remark(&format!(
            "{class} {} ({reason}): {}",
            item.kind, item.statement
        ));
    }

    fn note(&mut self, note: &Note) {
        let item = Item::from(note);
        self.remark(&format!("{}: {}", item.kind, item.statement));
    }

    fn remark(&mut self, text: &str) {
        let mut text = text.to_owned();
        for (statement, reference) in &self.told {
            text = text.replace(statement, reference);
        }
        let text = super::visible::readable(&text);
        for (at, line) in self.wrapped(&text, MARK + 2) {
            let before = if at == 0 { "  - " } else { "    " };
            self.lines.push(format!("{before}{line}"));
        }
    }

    fn paragraph(&mut self, mark: char, hue: Hue, text: &str) {
        for (at, line) in self.wrapped(&super::visible::readable(text), MARK) {
            let mark = if at == 0 { mark } else { ' ' };
            let mark = self.form.paint.of(hue, &mark.to_string());
            self.lines.push(format!("{mark} {line}"));
        }
    }

    fn foot(&mut self, standing: &Standing) {
        if !standing.drifts.is_empty() || !standing.notes.is_empty() {
            self.lines.push(String::new());
        }
        for told in &standing.drifts {
            let item = Item::from(told);
            let reason = &told.drift.reason;
            let text = format!(
                "{}: {} ({reason}): {}",
                item.subject, item.kind, item.statement
            );
            self.paragraph('!', Hue::Bad, &text);
        }
        for note in &standing.notes {
            let item = Item::from(note);
            let text = format!("{}: {}: {}", item.subject, item.kind, item.statement);
            self.paragraph('*', Hue::Notice, &text);
        }
        if self.form.left_out > 0 {
            self.lines.push(String::new());
            let rows = counted(self.form.left_out, "ended row");
            self.prose(&format!("Not shown: {rows} in order (--all)."));
        }
    }

    fn prose(&mut self, text: &str) {
        for (_, line) in self.wrapped(text, 0) {
            let line = self.form.paint.of(Hue::Faint, &line);
            self.lines.push(line);
        }
    }

    /// The lines of a text behind so many columns, counted.
    fn wrapped(&self, text: &str, before: usize) -> Vec<(usize, String)> {
        let text = visible(text);
        let lines = match self.form.width {
            Some(width) => wrap(&text, width.saturating_sub(before)),
            None => vec![text.into_owned()],
        };
        lines.into_iter().enumerate().collect()
    }
}

/// The table of sessions, without what is told of each.
#[derive(Clone, Debug)]
pub struct Table {
    /// The headings.
    pub head: Line,
    /// A line for each session, its mark first.
    pub rows: Vec<Line>,
    /// The headings of the columns that there was no room for.
    pub hidden: Vec<&'static str>,
}

/// The table of these sessions, of so many columns. `home` is told as `~`; `ago` says how long ago a moment was.
#[must_use]
pub fn table(
    sessions: &[&Session],
    width: Option<usize>,
    home: Option<&str>,
    ago: &dyn Fn(Timestamp) -> String,
) -> Table {
    let (lines, hidden) = columns::lines(columns(sessions, home, ago), MARK, width);
    let mut lines = lines.into_iter();
    let behind = |mut line: Line, mark: (String, Hue)| {
        line.0.insert(0, mark);
        line
    };
    let head = lines.next().unwrap_or_default();
    let head = behind(head, (" ".repeat(MARK), Hue::None));
    let rows = sessions.iter().zip(lines).map(|(session, line)| {
        let (mark, hue) = mark(session.concern());
        let line = behind(line, (" ".to_owned(), Hue::None));
        behind(line, (mark.to_string(), hue))
    });
    Table {
        head,
        rows: rows.collect(),
        hidden,
    }
}

/// A path, with the home folder as `~`.
#[must_use]
pub fn at_home(path: &str, home: Option<&str>) -> String {
    let rest = home.and_then(|home| path.strip_prefix(home));
    match rest {
        Some("") => "~".to_owned(),
        Some(rest) if rest.starts_with('/') => format!("~{rest}"),
        _ => path.to_owned(),
    }
}

fn columns(
    sessions: &[&Session],
    home: Option<&str>,
    ago: &dyn Fn(Timestamp) -> String,
) -> Vec<Column> {
    let cells = |cell: &dyn Fn(&Session) -> (String, Hue)| -> Vec<(String, Hue)> {
        let cells = sessions.iter().map(|session| cell(session));
        cells
            .map(|(text, hue)| (visible(&text).into_owned(), hue))
            .collect()
    };
    let plain = |text: String| (text, Hue::None);
    let ago = |at: Option<Timestamp>| plain(at.map_or_else(|| "-".to_owned(), ago));
    let column = |head, room, cell: &dyn Fn(&Session) -> (String, Hue)| Column {
        head,
        cells: cells(cell),
        room,
    };
    vec![
        column("SESSION", Room::Name, &|it| plain(name(it))),
        column("AGENT", Room::Spare(2), &|it| {
            plain(
                it.agent
                    .map_or_else(|| "-".to_owned(), |agent| agent.to_string()),
            )
        }),
        column("ROLL", Room::Spare(5), &|it| {
            plain(readable_name(it.declared.word()))
        }),
        column("SEEN", Room::Needed, &|it| {
            (readable_name(it.sight.word()), hue_of(it))
        }),
        column("CONVERSATION", Room::Spare(4), &|it| conversation(it)),
        column("AGE", Room::Spare(1), &|it| {
            ago(it.live.as_ref().map(|live| live.created))
        }),
        column("ACTIVE", Room::Spare(3), &|it| {
            ago(it.last_activity().or(it.ended_at))
        }),
        column("FOLDER", Room::Path(0), &|it| {
            plain(
                it.folder
                    .as_ref()
                    .map_or_else(|| "-".to_owned(), |folder| at_home(folder, home)),
            )
        }),
    ]
}

/// The name, and the tmux server unless it is the default one; not safe to show yet.
#[must_use]
pub fn name(session: &Session) -> String {
    let name = readable_name(session.name.as_str());
    match &session.server {
        Some(server) if !server.is_default() => format!("{name} @{server}"),
        _ => name,
    }
}

fn conversation(session: &Session) -> (String, Hue) {
    let Some(conversation) = &session.conversation else {
        return ("-".to_owned(), Hue::None);
    };
    let Some(id) = &conversation.id else {
        let none = if session.sight.is_alive() {
            "none yet"
        } else {
            "-"
        };
        return (none.to_owned(), Hue::None);
    };
    let short: String = id.as_str().chars().take(8).collect();
    match &conversation.file {
        Sighting::Present(_) => (short, Hue::None),
        // Nobody resumes what is over.
        Sighting::Absent(_) if session.concern() == Concern::Ended => {
            (format!("{short} no file"), Hue::None)
        }
        Sighting::Absent(_) => (format!("{short} no file"), Hue::Bad),
        Sighting::Unknown(_) => (format!("{short} file?"), Hue::Blind),
    }
}

const fn mark(concern: Concern) -> (char, Hue) {
    match concern {
        Concern::Unseen => ('?', Hue::Blind),
        Concern::Stuck | Concern::Drift => ('!', Hue::Bad),
        Concern::Note => ('*', Hue::Notice),
        Concern::Fine | Concern::Bystander | Concern::Ended => (' ', Hue::None),
    }
}

pub(super) fn hue_of(session: &Session) -> Hue {
    match &session.sight {
        _ if matches!(session.concern(), Concern::Bystander | Concern::Ended) => Hue::None,
        Sight::Agent(_) => Hue::Good,
        Sight::Several | Sight::NoAgent | Sight::DeadPane | Sight::Moved => Hue::Notice,
        Sight::Gone(_) => Hue::Bad,
        Sight::Unread(_) | Sight::Doubtful(_) | Sight::NotHere | Sight::Unseen(_) => Hue::Blind,
    }
}

/// The whole in one line of counts.
#[must_use]
pub fn summary(standing: &Standing) -> String {
    let sessions = &standing.sessions;
    let alive = sessions.iter().filter(|it| it.sight.is_alive()).count();
    let drifts: Vec<&Told> = sessions
        .iter()
        .flat_map(|it| &it.drifts)
        .chain(&standing.drifts)
        .filter(|told| !told.acked)
        .collect();
    let notes = sessions.iter().map(|it| it.notes.len()).sum::<usize>() + standing.notes.len();
    let mut parts = vec![counted(alive, "live session")];
    let mut states: Vec<State> = drifts
        .iter()
        .map(|told| State::from(&told.outcome))
        .collect();
    states.sort_unstable();
    let by_state: Vec<String> = states
        .chunk_by(|a, b| a == b)
        .filter_map(|group| Some(format!("{} {}", group.len(), group.first()?.as_str())))
        .collect();
    parts.push(if drifts.is_empty() {
        "no drift".to_owned()
    } else {
        format!(
            "{} ({})",
            counted(drifts.len(), "drift"),
            by_state.join(", ")
        )
    });
    if standing.acknowledged > 0 {
        parts.push(format!("{} acknowledged", standing.acknowledged));
    }
    if notes > 0 {
        parts.push(counted(notes, "note"));
    }
    if standing.verdict == Verdict::Blind {
        parts.push("not everything could be seen".to_owned());
    }
    parts.join(", ")
}
