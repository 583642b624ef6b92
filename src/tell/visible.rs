//! Text that anybody may have written, made safe to show.

use std::borrow::Cow;

/// Whether a character could move the cursor, change the terminal's state, hide text or break a line.
#[must_use]
pub const fn is_treacherous(c: char) -> bool {
    c.is_ascii_control()
        || matches!(
            c,
            '\u{80}'..='\u{9f}'          // the C1 controls: U+009B begins a terminal sequence like ESC [
                | '\u{200e}' | '\u{200f}'  // marks of direction
                | '\u{2028}' | '\u{2029}'  // separators of lines and paragraphs
                | '\u{202a}'..='\u{202e}'  // embeddings and overrides of direction
                | '\u{2066}'..='\u{2069}'  // isolates
                | '\u{feff}'
        )
}

/// The text with every treacherous character written out, as `\n` or `\u{1b}`.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_treacherous) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_treacherous(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::{is_treacherous, visible};

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        let text = "projekt-für-日本-👩‍🚀 \"quoted\" a\\b";
        assert_eq!(visible(text), text);
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_gets_through() {
        let text = "a\u{1b}]0;gotcha\u{7}\r\nb\u{9b}2J\u{202e}c\u{7f}\t\u{2028}";
        let shown = visible(text);
        assert!(!shown.contains(is_treacherous));
        assert_eq!(
            shown,
            r"a\u{1b}]0;gotcha\u{7}\r\nb\u{9b}2J\u{202e}c\u{7f}\t\u{2028}"
        );
    }
}
