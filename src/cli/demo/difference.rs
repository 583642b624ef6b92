//! What changed between two texts, line by line.

/// All lines of both texts in order: those of the first alone behind `- `, those of the second alone behind
/// `+ `, those of both behind two blanks. Meant for small texts: it takes the product of their lengths.
pub(super) fn between(before: &str, after: &str) -> String {
    let before: Vec<&str> = before.lines().collect();
    let after: Vec<&str> = after.lines().collect();
    let mut shown = String::new();
    let (mut left, mut right) = (before.as_slice(), after.as_slice());
    let mut tell = |mark: &str, line: &str| {
        shown.push_str(mark);
        shown.push_str(line);
        shown.push('\n');
    };
    loop {
        match (left, right) {
            ([], []) => return shown,
            ([both, more @ ..], [same, rest @ ..]) if both == same => {
                tell("  ", both);
                (left, right) = (more, rest);
            }
            ([old, more @ ..], _) if in_common(more, right) >= in_common(left, right) => {
                tell("- ", old);
                left = more;
            }
            (_, [new, rest @ ..]) => {
                tell("+ ", new);
                right = rest;
            }
            ([old, more @ ..], []) => {
                tell("- ", old);
                left = more;
            }
        }
    }
}

/// How many lines two texts have in common, in the same order.
fn in_common(left: &[&str], right: &[&str]) -> usize {
    let mut best = vec![0; right.len() + 1];
    for line in left {
        let mut diagonal = 0;
        for (at, other) in right.iter().enumerate() {
            let above = best[at + 1];
            best[at + 1] = if line == other {
                diagonal + 1
            } else {
                above.max(best[at])
            };
            diagonal = above;
        }
    }
    best.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::between;

    #[test]
    fn what_is_in_both_is_shown_once_and_the_rest_is_marked() {
        let shown = between("a\nb\nc\nd\n", "a\nB\nc\nnew\nd\n");
        assert_eq!(shown, "  a\n- b\n+ B\n  c\n+ new\n  d\n");
    }

    #[test]
    fn two_equal_texts_have_no_mark() {
        assert_eq!(between("a\nb\n", "a\nb\n"), "  a\n  b\n");
    }

    #[test]
    fn what_comes_before_and_after_everything_is_found() {
        assert_eq!(between("b\n", "a\nb\nc\n"), "+ a\n  b\n+ c\n");
        assert_eq!(between("a\nb\nc\n", "b\n"), "- a\n  b\n- c\n");
        assert_eq!(between("", "a\n"), "+ a\n");
        assert_eq!(between("a\n", ""), "- a\n");
    }
}
