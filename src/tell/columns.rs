//! Columns that fit into a terminal: what can be shortened is, and what has no room is left out and named.

use unicode_width::UnicodeWidthStr as _;

use super::line::Line;
use super::paint::Hue;
use super::wrap::{without_beginning, without_middle};

/// What lies between two columns.
const GAP: usize = 2;

/// One column.
pub(super) struct Column {
    /// Its heading.
    pub(super) head: &'static str,
    /// Its cells, safe to show.
    pub(super) cells: Vec<(String, Hue)>,
    /// What becomes of it where there is no room.
    pub(super) room: Room,
}

/// What becomes of a column where there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// It stays as it is.
    Needed,
    /// It stays, and loses the middle of its cells if that cannot be helped.
    Name,
    /// It is left out; the lowest number first.
    Spare(u8),
    /// The same, but first its cells lose their beginnings.
    Path(u8),
}

/// As narrow as a path can be and still say something.
const SHORTEST_PATH: usize = 16;

/// As narrow as a name can be.
const SHORTEST_NAME: usize = 8;

impl Column {
    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|(text, _)| text.width());
        cells.chain([self.head.width()]).max().unwrap_or(0)
    }

    fn least(&self) -> usize {
        match self.room {
            Room::Path(_) => self.width().min(SHORTEST_PATH),
            Room::Needed | Room::Name | Room::Spare(_) => self.width(),
        }
    }

    fn shorten(&mut self, width: usize) {
        let shorten = match self.room {
            Room::Path(_) => without_beginning,
            Room::Needed | Room::Name | Room::Spare(_) => without_middle,
        };
        for (text, _) in &mut self.cells {
            *text = shorten(text, width);
        }
    }
}

/// The lines of a table, its head first, each behind as many columns as `before`, and the heads of the columns that
/// there was no room for. Without a width there is room for everything.
pub(super) fn lines(
    mut columns: Vec<Column>,
    before: usize,
    width: Option<usize>,
) -> (Vec<Line>, Vec<&'static str>) {
    let mut hidden = Vec::new();
    if let Some(width) = width {
        let room = width.saturating_sub(before);
        while taken(&columns, Column::least) > room {
            let spare = |column: &Column| match column.room {
                Room::Spare(rank) | Room::Path(rank) => Some(rank),
                Room::Needed | Room::Name => None,
            };
            let ranks = columns.iter().enumerate();
            let ranks = ranks.filter_map(|(at, column)| Some((spare(column)?, at)));
            match ranks.min() {
                Some((_, at)) => hidden.push(columns.remove(at).head),
                None => break,
            }
        }
        for last_resort in [false, true] {
            let over = taken(&columns, Column::width).saturating_sub(room);
            let gives = |column: &&mut Column| match column.room {
                Room::Path(_) => !last_resort,
                Room::Name => last_resort,
                Room::Needed | Room::Spare(_) => false,
            };
            if over > 0
                && let Some(column) = columns.iter_mut().find(gives)
            {
                let width = column.width().saturating_sub(over);
                column.shorten(width.max(SHORTEST_NAME));
            }
        }
    }
    let widths: Vec<usize> = columns.iter().map(Column::width).collect();
    let rows = columns.iter().map(|column| column.cells.len()).max();
    let head = columns.iter().map(|column| (column.head, Hue::Head));
    let mut lines = vec![line(head, &widths)];
    for at in 0..rows.unwrap_or(0) {
        let cells = columns.iter().map(|column| match column.cells.get(at) {
            Some((text, hue)) => (text.as_str(), *hue),
            None => ("", Hue::None),
        });
        lines.push(line(cells, &widths));
    }
    (lines, hidden)
}

fn taken(columns: &[Column], width: impl Fn(&Column) -> usize) -> usize {
    let gaps = GAP * columns.len().saturating_sub(1);
    columns.iter().map(width).sum::<usize>() + gaps
}

fn line<'c>(cells: impl Iterator<Item = (&'c str, Hue)>, widths: &[usize]) -> Line {
    let mut line = Line::default();
    let mut blank = 0;
    for ((text, hue), width) in cells.zip(widths) {
        // Only before the next cell, so that nothing follows the last one.
        if !text.is_empty() {
            line = line.and(Hue::None, " ".repeat(blank)).and(hue, text);
            blank = 0;
        }
        blank += width - text.width().min(*width) + GAP;
    }
    line
}

#[cfg(test)]
mod tests {
    use unicode_width::UnicodeWidthStr as _;

    use super::{Column, Hue, Room, lines};
    use crate::tell::paint::Paint;

    fn column(head: &'static str, cells: [&str; 2], room: Room) -> Column {
        Column {
            head,
            cells: cells.map(|text| (text.to_owned(), Hue::None)).to_vec(),
            room,
        }
    }

    fn table() -> Vec<Column> {
        vec![
            column("NAME", ["shop-creator-claude", "日本"], Room::Name),
            column("SEEN", ["gone", ""], Room::Needed),
            column("AGE", ["3d", "5m"], Room::Spare(1)),
            column(
                "FOLDER",
                ["/srv/projects/shop/web/main", "/"],
                Room::Path(0),
            ),
        ]
    }

    fn shown(width: Option<usize>) -> (Vec<String>, Vec<&'static str>) {
        let (lines, hidden) = lines(table(), 0, width);
        let lines = lines.iter().map(|line| line.painted(Paint::Plain));
        (lines.collect(), hidden)
    }

    #[test]
    fn without_a_width_there_is_room_for_everything() {
        let (lines, hidden) = shown(None);
        assert_eq!(
            lines,
            [
                "NAME                 SEEN  AGE  FOLDER",
                "shop-creator-claude  gone  3d   /srv/projects/shop/web/main",
                "日本                       5m   /",
            ]
        );
        assert!(hidden.is_empty());
    }

    #[test]
    fn paths_are_shortened_first() {
        let (lines, hidden) = shown(Some(50));
        assert_eq!(
            lines[1],
            "shop-creator-claude  gone  3d   …cts/shop/web/main"
        );
        assert!(hidden.is_empty());
    }

    #[test]
    fn what_has_no_room_is_left_out_and_named() {
        assert_eq!(shown(Some(40)).1, ["FOLDER"]);
        let (lines, hidden) = shown(Some(26));
        assert_eq!(hidden, ["FOLDER", "AGE"]);
        assert_eq!(lines[1], "shop-creator-claude  gone");
    }

    #[test]
    fn names_lose_their_middle_at_last() {
        assert_eq!(shown(Some(20)).0[1], "shop-cr…claude  gone");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 14..80 {
            for line in shown(Some(width)).0 {
                assert!(line.width() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn colours_take_no_room() {
        let head = lines(table(), 0, None).0[0].painted(Paint::Coloured);
        assert!(head.starts_with("\u{1b}[1mNAME\u{1b}[0m                 \u{1b}[1mSEEN"));
    }
}
