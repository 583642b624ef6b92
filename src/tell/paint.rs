//! Colours. They are never the only sign of anything.

use anstyle::{AnsiColor, Style};

/// Whether colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// They are not.
    Plain,
    /// They are.
    Coloured,
}

/// What a colour says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hue {
    /// Nothing.
    None,
    /// In order.
    Good,
    /// Something differs.
    Bad,
    /// Something could not be seen.
    Blind,
    /// Something to know.
    Notice,
    /// A heading.
    Head,
    /// Of little interest.
    Faint,
}

impl Hue {
    const fn style(self) -> Style {
        match self {
            Self::None => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Bad => AnsiColor::Red.on_default().bold(),
            Self::Blind => AnsiColor::Magenta.on_default().bold(),
            Self::Notice => AnsiColor::Yellow.on_default(),
            Self::Head => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

impl Paint {
    /// The text in its colour. It has to be safe to show already.
    #[must_use]
    pub fn of(self, hue: Hue, text: &str) -> String {
        if self == Self::Plain || hue == Hue::None || text.is_empty() {
            return text.to_owned();
        }
        let style = hue.style();
        format!("{}{text}{}", style.render(), style.render_reset())
    }
}

#[cfg(test)]
mod tests {
    use super::{Hue, Paint};

    #[test]
    fn a_colour_ends_where_its_text_ends() {
        assert_eq!(
            Paint::Coloured.of(Hue::Good, "idle"),
            "\u{1b}[32midle\u{1b}[0m"
        );
        assert_eq!(Paint::Plain.of(Hue::Good, "idle"), "idle");
        assert_eq!(Paint::Coloured.of(Hue::Bad, ""), "");
    }
}
