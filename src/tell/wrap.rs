//! Text made to fit into so many columns of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Breaks a text at blanks into lines of at most `width` columns; a word that is wider is broken anywhere,
/// so that nothing is lost. There is always at least one line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let wide = word.width();
        if used > 0 && used + 1 + wide <= width {
            push(&mut lines, " ");
            push(&mut lines, word);
            used += 1 + wide;
            continue;
        }
        if used > 0 {
            lines.push(String::new());
            used = 0;
        }
        for c in word.chars() {
            let wide = c.width().unwrap_or(0);
            if used > 0 && used + wide > width {
                lines.push(String::new());
                used = 0;
            }
            push(&mut lines, c.encode_utf8(&mut [0; 4]));
            used += wide;
        }
    }
    lines
}

fn push(lines: &mut [String], text: &str) {
    if let Some(line) = lines.last_mut() {
        line.push_str(text);
    }
}

/// The text, or as much of its beginning and its end as fits into so many columns, with a mark between them.
pub(super) fn without_middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let rest = width.saturating_sub(1);
    let start = beginning(text.chars(), rest - rest / 2);
    let end: Vec<char> = beginning(text.chars().rev(), rest / 2).chars().collect();
    let end: String = end.into_iter().rev().collect();
    format!("{start}…{end}")
}

/// The text, or as much of its end as fits into so many columns, behind a mark.
pub(super) fn without_beginning(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let end = beginning(text.chars().rev(), width.saturating_sub(1));
    let end: String = end.chars().rev().collect();
    format!("…{end}")
}

fn beginning(chars: impl Iterator<Item = char>, width: usize) -> String {
    let mut used = 0;
    chars
        .take_while(|c| {
            used += c.width().unwrap_or(0);
            used <= width
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{without_beginning, without_middle, wrap};

    #[test]
    fn words_stay_whole_where_they_fit() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
    }

    #[test]
    fn a_word_that_does_not_fit_is_broken_and_not_lost() {
        assert_eq!(wrap("a abcdefghij b", 4), ["a", "abcd", "efgh", "ij b"]);
    }

    #[test]
    fn wide_characters_count_as_two_columns() {
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    }

    #[test]
    fn nothing_is_one_empty_line() {
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn what_is_left_out_of_a_text_is_marked_and_the_rest_fits() {
        assert_eq!(
            without_middle("shop-api-creator-claude", 12),
            "shop-a…laude"
        );
        assert_eq!(without_middle("short", 12), "short");
        assert_eq!(without_middle("日本語日本語", 7), "日…語");
        assert_eq!(without_beginning("/srv/projects/shop", 10), "…ects/shop");
    }
}
