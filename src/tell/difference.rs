//! What changed between two texts, line by line.

use similar::{ChangeTag, TextDiff};

/// A unified diff with three lines around each change; empty where nothing changed. `patch` reads it.
#[must_use]
pub fn unified(before: &str, after: &str, path: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .header(path, path)
        .to_string()
}

/// All lines of both texts in order: those of the first alone behind `- `, those of the second alone behind
/// `+ `, those of both behind two blanks.
#[must_use]
pub fn whole(before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .iter_all_changes()
        .map(|change| {
            let mark = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            format!("{mark} {}\n", change.value().trim_end_matches(['\r', '\n']))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{unified, whole};

    #[test]
    fn what_did_not_change_is_no_difference() {
        assert_eq!(unified("a\nb\n", "a\nb\n", "roll"), "");
        assert_eq!(whole("a\nb\n", "a\nb\n"), "  a\n  b\n");
    }

    #[test]
    fn a_changed_line_is_shown_as_it_was_and_as_it_is() {
        let (before, after) = ("a\nb\nc\n", "a\nB\nc\nd\n");
        assert_eq!(
            unified(before, after, "roll"),
            "--- roll\n+++ roll\n@@ -1,3 +1,4 @@\n a\n-b\n+B\n c\n+d\n"
        );
        assert_eq!(whole(before, after), "  a\n- b\n+ B\n  c\n+ d\n");
    }

    #[test]
    fn a_missing_last_newline_is_said() {
        let text = unified("a", "b", "roll");
        assert!(text.contains("No newline at end of file"), "{text}");
    }
}
