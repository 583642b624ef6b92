//! What the screen knows, and what the keys do to it. Pure: the time is an argument, and what has to be done elsewhere
//! is returned.

use super::layout::{Layout, Part};
use super::log::Log;
use super::open;
use crate::core::explain::Explanation;
use crate::core::ids::Timestamp;
use crate::core::resume::{Resume, resume};
use crate::core::standing::{Concern, Session, Standing};
use crate::state::journal::Entry;
use crate::tell::line::Line;
use crate::tell::paint::Hue;
use crate::tell::visible::{is_treacherous, visible};
use crate::tell::{explanation, status};

/// A key that is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// One up.
    Up,
    /// One down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first.
    Home,
    /// To the last.
    End,
    /// Enter.
    Enter,
    /// Escape.
    Escape,
    /// Backspace.
    Backspace,
    /// A character.
    Char(char),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-Z.
    Suspend,
    /// Ctrl-L.
    Redraw,
}

/// What has to be done elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The screen is to be left.
    Leave,
    /// The same, by Ctrl-C.
    Interrupt,
    /// A look is to be made at once.
    Look,
    /// This session is to be explained, by [`Model::explained`].
    Explain(Wanted),
    /// The terminal is asked to put this into its clipboard.
    Copy(String),
    /// The program is to stop until it is continued.
    Suspend,
    /// Everything is to be drawn anew.
    Redraw,
}

/// Which session is meant: what stays the same from look to look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    name: String,
    server: Option<String>,
}

impl Wanted {
    fn of(session: &Session) -> Self {
        Self {
            name: session.name.to_string(),
            server: session.server.as_ref().map(ToString::to_string),
        }
    }

    /// Which of these it is. One that is gone has another server than it had while it was seen, or none: then its name
    /// tells, if no other session has it.
    fn among<'s>(&self, sessions: impl Iterator<Item = &'s Session>) -> Option<usize> {
        let all: Vec<Self> = sessions.map(Self::of).collect();
        let exactly = all.iter().position(|it| it == self);
        exactly.or_else(|| {
            let mut named = all
                .iter()
                .enumerate()
                .filter(|(_, it)| it.name == self.name);
            let (first, more) = (named.next(), named.next());
            first.filter(|_| more.is_none()).map(|(at, _)| at)
        })
    }
}

/// What the screen is given once and for all.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The home folder, which is told as `~`.
    pub home: Option<String>,
    /// Where Claude Code keeps its files if nothing else is said.
    pub claude_home: Option<String>,
    /// Whether rows are shown that ended and are in order.
    pub all: bool,
}

/// What fills the screen.
#[derive(Clone, Debug)]
pub(super) enum Mode {
    /// The sessions.
    List,
    /// The sessions, and what is typed narrows them.
    Typing,
    /// Why one session stands as it does.
    Explained {
        /// Which.
        wanted: Wanted,
        /// Why.
        explanation: Box<Explanation>,
        /// The first line that is shown.
        top: usize,
    },
    /// What the keys do.
    Help {
        /// The first line that is shown.
        top: usize,
    },
}

/// Everything the screen knows.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) given: Given,
    /// Columns and rows of the terminal.
    pub(super) size: (usize, usize),
    pub(super) now: Timestamp,
    pub(super) standing: Option<Standing>,
    /// How many sessions are left out that ended and are in order.
    pub(super) left_out: usize,
    /// Why the last look could not be made.
    pub(super) trouble: Option<String>,
    /// A look that was asked for has not come yet.
    pub(super) is_looking: bool,
    pub(super) log: Log,
    pub(super) mode: Mode,
    pub(super) filter: String,
    /// Which of the sessions shown is selected.
    pub(super) cursor: usize,
    /// The first of them that is on the screen.
    pub(super) top: usize,
    /// What is said until the next key.
    pub(super) said: Vec<Line>,
    /// The explanation is to be renewed by the next look.
    renews: bool,
}

impl Model {
    /// Nothing is known yet. `size`: the columns and rows of the terminal.
    #[must_use]
    pub fn new(given: Given, size: (u16, u16), now: Timestamp) -> Self {
        let mut model = Self {
            given,
            size: (0, 0),
            now,
            standing: None,
            left_out: 0,
            trouble: None,
            is_looking: true,
            log: Log::default(),
            mode: Mode::List,
            filter: String::new(),
            cursor: 0,
            top: 0,
            said: Vec::new(),
            renews: false,
        };
        model.resized(size);
        model
    }

    /// The terminal has another size: columns and rows.
    pub fn resized(&mut self, (columns, rows): (u16, u16)) {
        self.size = (usize::from(columns), usize::from(rows));
        self.settle();
    }

    /// It is so late.
    pub fn at(&mut self, now: Timestamp) {
        self.now = now;
    }

    /// A look was made.
    pub fn looked(&mut self, standing: Standing, entries: &[Entry]) -> Effect {
        let selected = self.selected().map(Wanted::of);
        self.log.hear(entries);
        self.log.see(&standing);
        let mut standing = standing;
        let before = standing.sessions.len();
        let all = self.given.all;
        standing
            .sessions
            .retain(|session| all || session.concern() != Concern::Ended);
        self.left_out = before - standing.sessions.len();
        self.standing = Some(standing);
        self.trouble = None;
        self.is_looking = false;
        if let Some(at) = selected.and_then(|wanted| wanted.among(self.shown())) {
            self.cursor = at;
        }
        self.settle();
        match &self.mode {
            Mode::Explained { wanted, .. } if std::mem::take(&mut self.renews) => {
                Effect::Explain(wanted.clone())
            }
            _ => Effect::None,
        }
    }

    /// No look could be made; why. What was seen before stays.
    pub fn failed(&mut self, why: String) {
        self.trouble = Some(why);
        self.is_looking = false;
        self.settle();
    }

    /// Why a session stands as it does; `None` where there is no such session any more.
    pub fn explained(&mut self, wanted: Wanted, explanation: Option<Explanation>) {
        let Some(explanation) = explanation else {
            self.say([Line::plain("There is no such session any more.")]);
            return;
        };
        let top = match &self.mode {
            Mode::Explained {
                wanted: before,
                top,
                ..
            } if *before == wanted => *top,
            _ => 0,
        };
        self.mode = Mode::Explained {
            wanted,
            explanation: Box::new(explanation),
            top,
        };
        self.settle();
    }

    /// A key was pressed. Returns what has to be done elsewhere.
    pub fn pressed(&mut self, key: Key) -> Effect {
        self.said.clear();
        let effect = match key {
            Key::Interrupt => Effect::Interrupt,
            Key::Suspend => Effect::Suspend,
            Key::Redraw => Effect::Redraw,
            _ => match &self.mode {
                Mode::List => self.in_list(key),
                Mode::Typing => self.in_filter(key),
                Mode::Explained { .. } | Mode::Help { .. } => self.in_page(key),
            },
        };
        self.settle();
        effect
    }

    fn in_list(&mut self, key: Key) -> Effect {
        let count = self.shown().count();
        let page = self.layout().sessions.rows.max(1);
        match key {
            Key::Up | Key::Char('k') => self.cursor = self.cursor.saturating_sub(1),
            Key::Down | Key::Char('j') => self.cursor += 1,
            Key::PageUp => self.cursor = self.cursor.saturating_sub(page),
            Key::PageDown | Key::Char(' ') => self.cursor += page,
            Key::Home | Key::Char('g') => self.cursor = 0,
            Key::End | Key::Char('G') => self.cursor = count,
            Key::Char('/') => self.mode = Mode::Typing,
            Key::Escape => self.filter.clear(),
            Key::Enter => {
                if let Some(session) = self.selected() {
                    return Effect::Explain(Wanted::of(session));
                }
            }
            Key::Char('c' | 'y') => {
                if let Some(session) = self.selected() {
                    let resume = resume(session, self.given.claude_home.as_deref());
                    return self.copy(&resume);
                }
            }
            other => return self.anywhere(other),
        }
        Effect::None
    }

    fn in_filter(&mut self, key: Key) -> Effect {
        match key {
            Key::Char(c) => {
                self.filter.push(c);
                self.cursor = 0;
            }
            Key::Backspace if self.filter.is_empty() => self.mode = Mode::List,
            Key::Backspace => {
                self.filter.pop();
            }
            Key::Escape => {
                self.filter.clear();
                self.mode = Mode::List;
            }
            Key::Enter => self.mode = Mode::List,
            Key::Up => self.cursor = self.cursor.saturating_sub(1),
            Key::Down => self.cursor += 1,
            _ => {}
        }
        Effect::None
    }

    fn in_page(&mut self, key: Key) -> Effect {
        let page = self.layout().page.rows.max(1);
        let (top, copied) = match &mut self.mode {
            Mode::Explained {
                top, explanation, ..
            } => (top, Some(explanation.resume.clone())),
            Mode::Help { top } => (top, None),
            Mode::List | Mode::Typing => return Effect::None,
        };
        match (key, copied) {
            (Key::Up | Key::Char('k'), _) => *top = top.saturating_sub(1),
            (Key::Down | Key::Char('j'), _) => *top += 1,
            (Key::PageUp, _) => *top = top.saturating_sub(page),
            (Key::PageDown | Key::Char(' '), _) => *top += page,
            (Key::Home | Key::Char('g'), _) => *top = 0,
            (Key::End | Key::Char('G'), _) => *top = usize::MAX,
            (Key::Escape | Key::Enter | Key::Backspace, _) => self.mode = Mode::List,
            (Key::Char('?'), None) => self.mode = Mode::List,
            (Key::Char('c' | 'y'), Some(resume)) => return self.copy(&resume),
            (other, _) => return self.anywhere(other),
        }
        Effect::None
    }

    fn anywhere(&mut self, key: Key) -> Effect {
        match key {
            Key::Char('q') => Effect::Leave,
            Key::Char('r') => {
                self.is_looking = true;
                self.renews = true;
                Effect::Look
            }
            Key::Char('?') => {
                self.mode = Mode::Help { top: 0 };
                Effect::None
            }
            _ => Effect::None,
        }
    }

    fn copy(&mut self, resume: &Resume) -> Effect {
        let (command, after) = match resume {
            Resume::Not(why) => {
                let why = format!("No command takes it up again: {why}.");
                self.say([Line::plain(visible(&why))]);
                return Effect::None;
            }
            Resume::By(command) => (command, String::new()),
            Resume::ByAfter(command, who) => {
                let after = format!(" For when {who} has ended: two at once would mix it up.");
                (command, after)
            }
        };
        if command.contains(is_treacherous) {
            let why =
                "The command has characters that cannot be shown; headcount explain --json has it.";
            self.say([Line::plain(why)]);
            return Effect::None;
        }
        let head = format!("Copied, if your terminal allows it.{after}");
        self.say([Line::of(Hue::Head, head), Line::plain(&**command)]);
        Effect::Copy(command.clone())
    }

    fn say(&mut self, lines: impl IntoIterator<Item = Line>) {
        self.said = lines.into_iter().collect();
    }

    /// The sessions that are shown, as far as the filter lets them through.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Session> {
        let sessions = self.standing.iter().flat_map(|it| &it.sessions);
        sessions.filter(|session| self.passes(session))
    }

    fn passes(&self, session: &Session) -> bool {
        if self.filter.is_empty() {
            return true;
        }
        let wanted = self.filter.to_lowercase();
        let agent = session.agent.map(|agent| agent.to_string());
        let name = status::name(session);
        let words = [
            Some(visible(&name)),
            agent.as_deref().map(visible),
            Some(visible(session.declared.word())),
            Some(visible(session.sight.word())),
            session.folder.as_deref().map(visible),
        ];
        let mut words = words.into_iter().flatten();
        words.any(|word| word.to_lowercase().contains(&wanted))
    }

    /// The selected session.
    pub(super) fn selected(&self) -> Option<&Session> {
        self.shown().nth(self.cursor)
    }

    /// The session that is meant, if it is still there.
    pub(super) fn session(&self, wanted: &Wanted) -> Option<&Session> {
        let sessions = &self.standing.as_ref()?.sessions;
        sessions.get(wanted.among(sessions.iter())?)
    }

    /// Where Claude Code keeps its files if nothing else is said.
    pub(super) fn claude_home(&self) -> Option<&str> {
        self.given.claude_home.as_deref()
    }

    /// How the rows of the terminal are shared out.
    pub(super) fn layout(&self) -> Layout {
        Layout::of(self)
    }

    /// The lines that tell what is open.
    pub(super) fn open(&self) -> Vec<Line> {
        let standing = self.standing.iter();
        standing
            .flat_map(|it| open::lines(it, &self.log, self.now, self.size.0))
            .collect()
    }

    /// The lines of the page that covers the sessions, if one does.
    pub(super) fn page(&self) -> Option<(String, Vec<Line>, usize)> {
        let width = self.size.0.max(1);
        match &self.mode {
            Mode::List | Mode::Typing => None,
            Mode::Explained {
                wanted,
                explanation,
                top,
            } => {
                let lines = explanation::lines(explanation, Some(width));
                let lines = lines.into_iter().flat_map(|line| line.within(width));
                let title = format!("Why {} stands so", visible(&wanted.name));
                Some((title, lines.collect(), *top))
            }
            Mode::Help { top } => {
                let lines = HELP
                    .lines()
                    .flat_map(|line| Line::plain(line).within(width));
                Some(("Keys".to_owned(), lines.collect(), *top))
            }
        }
    }

    /// Keeps what is selected and what is shown within what there is.
    fn settle(&mut self) {
        let count = self.shown().count();
        self.cursor = self.cursor.min(count.saturating_sub(1));
        let Part { rows, .. } = self.layout().sessions;
        let rows = rows.max(1);
        self.top = self
            .top
            .min(self.cursor)
            .max((self.cursor + 1).saturating_sub(rows))
            .min(count.saturating_sub(rows));
        let page = self.page().map_or(0, |(_, lines, _)| lines.len());
        let last = page.saturating_sub(self.layout().page.rows);
        if let Mode::Explained { top, .. } | Mode::Help { top } = &mut self.mode {
            *top = (*top).min(last);
        }
    }
}

const HELP: &str = "\
j k, arrows    one down, one up
PgDn PgUp      a page down, a page up (space is PgDn)
g G, Home End  to the first, to the last
/              show only what contains a text: names, agents, words, folders
               (Enter keeps it, Esc shows all again)
Enter          why the selected session stands as it does; Esc comes back
c y            copy the command that takes its conversation up again
r              look now
?              this page
Ctrl-L         draw everything anew
Ctrl-Z         back to the shell for a while (fg comes back)
q Ctrl-C       leave

Before a name: ? could not be seen, ! differs from the roll, * something to know.
The age of what is open is followed by + where it began before this screen did.
This screen only looks: it writes neither the roll nor any memory.";
