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
                | '\u{061c}'              // the Arabic mark of direction
                // What nobody sees: two names that differ in it look the same. Joiners (U+200C, U+200D) and the
                // selectors of variants are parts of words and of emoji.
                | '\u{00ad}' | '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{206a}'..='\u{206f}'
                | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
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

/// How long a word may be, in characters, before its middle is left out.
const LONGEST_WORD: usize = 160;

/// How long a text may be, in characters, before its middle is left out.
const LONGEST_TEXT: usize = 1600;

/// The text as much of it as a person reads: no name, and no sentence with one in it, pushes out all others.
#[must_use]
pub fn readable(text: &str) -> String {
    let words: Vec<String> = text
        .split(' ')
        .map(|word| without_middle(word, LONGEST_WORD))
        .collect();
    without_middle(&words.join(" "), LONGEST_TEXT)
}

/// A name as much of it as a person reads.
#[must_use]
pub fn readable_name(name: &str) -> String {
    without_middle(name, LONGEST_WORD)
}

/// The text, or its beginning and its end and how many characters it has.
fn without_middle(text: &str, longest: usize) -> String {
    if text.len() <= longest {
        return text.to_owned();
    }
    let all: Vec<char> = text.chars().collect();
    if all.len() <= longest {
        return text.to_owned();
    }
    let kept = longest / 3;
    let start: String = all.iter().take(kept).collect();
    let end: String = all.iter().skip(all.len() - kept).collect();
    format!("{start}…({} characters)…{end}", all.len())
}

#[cfg(test)]
mod tests {
    use super::{is_treacherous, readable, visible};

    #[test]
    fn the_middle_of_a_very_long_word_is_left_out_and_said_so() {
        let id = "x".repeat(5000);
        let told = readable(&format!("session id {id} has no file"));
        assert!(told.starts_with("session id xxx"), "{told}");
        assert!(told.ends_with("xxx has no file"), "{told}");
        assert!(told.contains("…(5000 characters)…"), "{told}");
        assert!(told.len() < 250, "{told}");
        let words = "word ".repeat(5000);
        assert!(readable(&words).chars().count() < 1700);
    }

    #[test]
    fn a_path_is_left_whole() {
        let text = format!("{}/roll.yaml cannot be read", "/folder".repeat(20));
        assert_eq!(readable(&text), text);
    }

    #[test]
    fn ordinary_text_of_any_script_is_left_alone() {
        let text = "projekt-für-日本-👩‍🚀 \"quoted\" a\\b";
        assert_eq!(visible(text), text);
    }

    #[test]
    fn what_nobody_sees_is_written_out() {
        assert_eq!(
            visible("shop\u{200b}-a\u{2060}b\u{ad}"),
            r"shop\u{200b}-a\u{2060}b\u{ad}"
        );
        assert_eq!(visible("\u{3164}\u{e0041}"), r"\u{3164}\u{e0041}");
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
