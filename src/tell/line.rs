//! Lines of text in colours, before it is decided whether colours are used.

use unicode_width::UnicodeWidthStr as _;

use super::paint::{Hue, Paint};
use super::wrap::wrap;

/// One line: pieces that are safe to show, each with what its colour says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<(String, Hue)>);

impl Line {
    /// All of it in one colour.
    #[must_use]
    pub fn of(hue: Hue, text: impl Into<String>) -> Self {
        Self(vec![(text.into(), hue)])
    }

    /// Without any colour.
    #[must_use]
    pub fn plain(text: impl Into<String>) -> Self {
        Self::of(Hue::None, text)
    }

    /// With one more piece behind it.
    #[must_use]
    pub fn and(mut self, hue: Hue, text: impl Into<String>) -> Self {
        self.0.push((text.into(), hue));
        self
    }

    /// As it is printed.
    #[must_use]
    pub fn painted(&self, paint: Paint) -> String {
        let pieces = self.0.iter();
        pieces.map(|(text, hue)| paint.of(*hue, text)).collect()
    }

    /// How many columns it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        self.0.iter().map(|(text, _)| text.width()).sum()
    }

    /// Itself, or, where it takes more than so many columns, as many lines as it needs, in the colour of its first
    /// piece.
    #[must_use]
    pub fn within(self, width: usize) -> Vec<Self> {
        if self.width() <= width {
            return vec![self];
        }
        let hue = self.0.first().map_or(Hue::None, |(_, hue)| *hue);
        let text: String = self.0.into_iter().map(|(text, _)| text).collect();
        let lines = wrap(text.trim_start(), width).into_iter();
        lines.map(|line| Self::of(hue, line)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Hue, Line, Paint};

    #[test]
    fn a_line_is_painted_piece_by_piece() {
        let line = Line::of(Hue::Good, "idle").and(Hue::None, " since then");
        assert_eq!(
            line.painted(Paint::Coloured),
            "\u{1b}[32midle\u{1b}[0m since then"
        );
        assert_eq!(line.painted(Paint::Plain), "idle since then");
        assert_eq!(line.width(), 15);
    }

    #[test]
    fn a_line_that_is_too_wide_is_broken_and_nothing_of_it_is_lost() {
        let line = Line::of(Hue::Head, "one").and(Hue::None, " two three");
        assert_eq!(line.clone().within(13), std::slice::from_ref(&line));
        let broken = line.within(8);
        assert_eq!(
            broken,
            [Line::of(Hue::Head, "one two"), Line::of(Hue::Head, "three")]
        );
    }
}
