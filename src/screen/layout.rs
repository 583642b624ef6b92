//! How the rows of the terminal are shared out.

use super::model::{Mode, Model};

/// Some rows that follow each other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Part {
    /// Whether a heading stands before them, in a row of its own.
    pub(super) has_head: bool,
    /// How many there are for what the part shows.
    pub(super) rows: usize,
}

impl Part {
    /// As many rows as are wanted of those there are, with the heading among them.
    fn of(wanted: usize, room: usize) -> Self {
        match room {
            0 => Self::default(),
            1 => Self {
                has_head: false,
                rows: 1,
            },
            _ => Self {
                has_head: true,
                rows: wanted.min(room - 1),
            },
        }
    }

    /// How many rows it takes, its heading's among them.
    pub(super) const fn taken(self) -> usize {
        self.rows + self.has_head as usize
    }
}

/// Which part has how many rows, from above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout {
    /// The word for the whole, and where it is.
    pub(super) head: usize,
    /// What could not be seen.
    pub(super) blind: usize,
    /// The sessions.
    pub(super) sessions: Part,
    /// How many of the two that follow have a row before them that is left free.
    pub(super) pauses: usize,
    /// What is open.
    pub(super) open: Part,
    /// What happened.
    pub(super) log: Part,
    /// A page that covers the three of them.
    pub(super) page: Part,
    /// What is said, or what the keys do.
    pub(super) foot: usize,
}

impl Layout {
    pub(super) fn of(model: &Model) -> Self {
        let (width, height) = model.size;
        let head = match height {
            0 => 0,
            1..12 => 1,
            _ => 2,
        };
        let said: usize = model
            .said
            .iter()
            .map(|line| line.clone().within(width.max(1)).len())
            .sum();
        let foot = match height {
            0..4 => 0,
            _ => said.clamp(1, height / 2),
        };
        let rest = height - head - foot;
        let blind = blind(model).min(rest / 4);
        let rest = rest - blind;
        let mut layout = Self {
            head,
            blind,
            foot,
            ..Self::default()
        };
        if !matches!(model.mode, Mode::List | Mode::Typing) {
            layout.page = Part::of(usize::MAX, rest);
            return layout;
        }
        let open = model.open().len();
        let happened = model.log.events().len();
        let sessions = model.shown().count().max(1);
        // The sessions have what they need before the others have more than a quarter each.
        let quarter = rest / 4;
        let spare = rest.saturating_sub(sessions + 1);
        if open > 0 && rest >= 8 {
            let more = spare.saturating_sub(quarter.min(happened + 1));
            layout.open = Part::of(open, quarter.max(more).min(open + 1));
        }
        if happened > 0 && rest >= 12 {
            let more = spare.saturating_sub(layout.open.taken());
            layout.log = Part::of(happened, quarter.max(more).min(happened + 1));
        }
        let left = rest - layout.open.taken() - layout.log.taken();
        layout.sessions = Part::of(sessions, left);
        // A row before each where there is one to spare.
        layout.pauses = (left - layout.sessions.taken()).min(2);
        layout
    }
}

/// How many rows it takes to say what could not be seen.
fn blind(model: &Model) -> usize {
    let sources = model.standing.as_ref().map_or(0, |it| it.unseen().count());
    sources + usize::from(model.trouble.is_some())
}
