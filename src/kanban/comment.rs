//! The words for a card: short, signed, and free of what a card's other readers would act upon.

use std::collections::HashMap;

use super::AUTHOR;
use super::flaps::Flaps;
use crate::core::ids::Timestamp;
use crate::state::journal::{Entry, News, Stage};
use crate::tell::markdown::{BUDGET, cut, escape};
use crate::tell::wire::{Drift, JobUpdate};

/// How long one line may be, in bytes, so that no single name can push the others out.
const LONGEST: usize = 300;

/// The last line of a comment: which news of which roll it tells. By it a watch that begins again finds what the
/// one before has told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// The roll.
    pub roll: String,
    /// The number of the first entry of the journal that it tells.
    pub first: u64,
    /// That of the last.
    pub last: u64,
}

impl Mark {
    /// The mark of a comment, if it has one.
    #[must_use]
    pub fn of(body: &str) -> Option<Self> {
        let line = body.trim_end().lines().last()?;
        let inside = line.strip_prefix("(news ")?.strip_suffix(')')?;
        let (roll, numbers) = inside.split_once(' ')?;
        let (first, last) = numbers.split_once('-')?;
        Some(Self {
            roll: roll.to_owned(),
            first: first.parse().ok()?,
            last: last.parse().ok()?,
        })
    }

    fn line(&self) -> String {
        let Self { roll, first, last } = self;
        format!("\n(news {roll} {first}-{last})")
    }
}

/// Whether a comment's author is headcount.
#[must_use]
pub fn is_own(author: &str) -> bool {
    author.eq_ignore_ascii_case(AUTHOR)
}

/// The first comment of a watch: how everything stands. `standing` is a report as Markdown.
#[must_use]
pub fn baseline(standing: &str, mark: &Mark) -> String {
    let mark = mark.line();
    let mut text = String::new();
    for line in standing.lines() {
        let line = clean(line);
        if text.len() + line.len() + mark.len() + 2 > BUDGET {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text + &mark
}

/// One comment for all of this news: what became of each difference in the end, trouble first. What does not fit is
/// counted, and of what flaps it is said how often.
#[must_use]
pub fn news(
    host: &str,
    at: Timestamp,
    entries: &[Entry],
    missed: u64,
    flaps: &Flaps,
    mark: &Mark,
) -> String {
    let items = items(entries);
    let mark = mark.line();
    let mut text = format!(
        "**headcount** on {}, {}: {}\n\n",
        clean(&escape(host)),
        at.iso(),
        counted(&items)
    );
    let mut left = items.len();
    for item in &items {
        let flaps = flaps.times(item.id).map_or_else(String::new, |times| {
            format!(" It flaps: {times} times within an hour.")
        });
        let line = format!(
            "- {}{flaps}\n",
            cut(&clean(&escape(item.sentence)), LONGEST)
        );
        let room = if left > 1 { more(left).len() } else { 0 };
        if text.len() + line.len() + room + mark.len() > BUDGET {
            break;
        }
        text.push_str(&line);
        left -= 1;
    }
    if left > 0 {
        text.push_str(&more(left));
    }
    if missed > 0 {
        text.push_str(&format!("- {missed} older changes are not kept any more\n"));
    }
    text + &mark
}

fn more(left: usize) -> String {
    format!("- and {left} more\n")
}

/// What became of a difference, most in need of a person first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Held,
    Told,
    Pending,
    Written,
    Resolved,
}

struct Item<'e> {
    id: &'e str,
    fate: Fate,
    sentence: &'e str,
}

/// The last that is told of each difference.
fn items(entries: &[Entry]) -> Vec<Item<'_>> {
    let mut places = HashMap::new();
    let mut items: Vec<Item<'_>> = Vec::new();
    for entry in entries {
        let id = entry.news.id();
        let fate = match &entry.news {
            News::Undone(undone) => match (&undone.drift, &undone.job) {
                (Some(drift), _) => fate(drift),
                (None, Some(update)) => fate_of_job(update),
                (None, None) => Fate::Told,
            },
            News::Opened(drift)
            | News::Changed(drift)
            | News::Edited(drift)
            | News::Outcome(drift) => fate(drift),
            News::Resolved(_) => Fate::Resolved,
            News::Pruned(pruned) if pruned.stage == Stage::Done => Fate::Written,
            News::Pruned(_) => Fate::Told,
            News::Job(update) | News::JobEdited(update) | News::JobOutcome(update) => {
                fate_of_job(update)
            }
        };
        let item = Item {
            id,
            fate,
            sentence: entry.news.comment(),
        };
        match places.get(id) {
            // It opened and was resolved before anybody was told of it: the end of it is the news.
            Some(&place) => items[place] = item,
            None => {
                places.insert(id, items.len());
                items.push(item);
            }
        }
    }
    items.sort_by_key(|item| item.fate);
    items
}

fn fate(drift: &Drift) -> Fate {
    if drift.held.is_some() {
        Fate::Held
    } else if drift.pending.is_some() {
        Fate::Pending
    } else if drift.applied {
        Fate::Written
    } else {
        Fate::Told
    }
}

fn fate_of_job(update: &JobUpdate) -> Fate {
    if update.held.is_some() {
        Fate::Held
    } else if update.applied {
        Fate::Written
    } else {
        Fate::Told
    }
}

fn counted(items: &[Item<'_>]) -> String {
    let words = [
        (Fate::Held, "held"),
        (Fate::Told, "told"),
        (Fate::Pending, "pending"),
        (Fate::Written, "written"),
        (Fate::Resolved, "resolved"),
    ];
    let counts: Vec<String> = words
        .iter()
        .map(|(fate, word)| (items.iter().filter(|item| item.fate == *fate).count(), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    counts.join(", ")
}

/// A line without what other readers of a card act upon or should not see: web addresses (one of a pull request
/// keeps a card from being started again for a day), what looks like a key, a person's home folder, and numbers
/// that read like a refused login.
#[must_use]
pub fn clean(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while !rest.is_empty() {
        let blank = rest
            .find(|c: char| !c.is_whitespace())
            .unwrap_or(rest.len());
        text.push_str(&rest[..blank]);
        rest = &rest[blank..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        text.push_str(&word(&rest[..end]));
        rest = &rest[end..];
    }
    text
}

fn word(word: &str) -> String {
    let is_around = |c: char| {
        matches!(
            c,
            '(' | ')' | ',' | '.' | ';' | ':' | '"' | '\'' | '!' | '?'
        )
    };
    let bare = word.trim_matches(is_around);
    let hidden = if bare.is_empty() {
        return word.to_owned();
    } else if is_address(bare) {
        "[address left out]".to_owned()
    } else if is_secret(bare) {
        "[hidden]".to_owned()
    } else if matches!(bare, "401" | "403" | "429") {
        "4xx".to_owned()
    } else {
        shortened(bare)
    };
    word.replacen(bare, &hidden, 1)
}

fn is_address(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.contains("://") || lower.starts_with("www.") || lower.contains("github.com/")
}

fn is_secret(word: &str) -> bool {
    const BEGINNINGS: [&str; 11] = [
        "sk-",
        "sk_",
        "ghp_",
        "gho_",
        "ghs_",
        "github_pat_",
        "glpat-",
        "xoxb-",
        "xoxp-",
        "AKIA",
        "AIza",
    ];
    const NAMES: [&str; 5] = ["token", "secret", "password", "passwd", "api_key"];
    let is_key = |text: &str| {
        text.len() >= 16
            && BEGINNINGS
                .iter()
                .any(|beginning| text.starts_with(beginning))
    };
    let is_assigned = word.split_once('=').is_some_and(|(name, value)| {
        let name = name.to_ascii_lowercase();
        !value.is_empty() && NAMES.iter().any(|secret| name.ends_with(secret))
    });
    let plain = word.replace('\\', "");
    is_assigned || plain.split('=').any(is_key)
}

/// A path without the name of the person whose it is.
fn shortened(word: &str) -> String {
    for homes in ["/home/", "/Users/"] {
        if let Some(below) = word.strip_prefix(homes) {
            let rest = below.find('/').map_or("", |slash| &below[slash..]);
            return format!("~{rest}");
        }
    }
    match word.strip_prefix("/root") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        _ => word.to_owned(),
    }
}

/// A comment without the path of the home folder of whoever runs headcount, wherever that is.
#[must_use]
pub fn without_home(text: &str, home: Option<&str>) -> String {
    match home.map(|home| home.trim_end_matches('/')) {
        Some(home) if home.len() > 1 => text.replace(home, "~"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tell::wire::Resolved;

    fn mark() -> Mark {
        Mark {
            roll: "a1b2c3d4".to_owned(),
            first: 7,
            last: 9,
        }
    }

    fn resolved(seq: u64, id: &str, comment: &str) -> Entry {
        let told: Resolved = serde_json::from_value(serde_json::json!({
            "id": id, "class": "A", "kind": "tmux_gone", "session": "x", "comment": comment,
            "first_seen": "2026-01-01T00:00:00Z", "count": 1,
        }))
        .expect("one that is resolved");
        Entry {
            seq,
            at: Timestamp::from_secs(0),
            news: News::Resolved(told),
        }
    }

    fn told(entries: &[Entry]) -> String {
        let at = Timestamp::from_secs(0);
        news("web01", at, entries, 0, &Flaps::of(entries, at), &mark())
    }

    #[test]
    fn a_comment_says_what_is_new_and_bears_its_mark() {
        insta::assert_snapshot!(told(&[resolved(7, "d1", "x: in order again (was tmux gone).")]), @r"
        **headcount** on web01, 1970-01-01T00:00:00Z: 1 resolved

        - x: in order again (was tmux gone).

        (news a1b2c3d4 7-9)
        ");
    }

    #[test]
    fn a_mark_is_found_again() {
        let text = told(&[resolved(7, "d1", "x: fine.")]);
        assert_eq!(Mark::of(&text), Some(mark()));
        assert_eq!(
            Mark::of(&baseline("how it stands\n", &mark())),
            Some(mark())
        );
        assert_eq!(Mark::of("no mark"), None);
        assert_eq!(Mark::of("(news a 1-x)"), None);
    }

    #[test]
    fn of_one_difference_only_the_last_is_told() {
        let text = told(&[resolved(7, "d1", "x: one."), resolved(8, "d1", "x: two.")]);
        assert!(!text.contains("x: one."));
        assert!(text.contains("x: two."));
    }

    #[test]
    fn what_does_not_fit_is_counted() {
        let entries: Vec<Entry> = (1..=500)
            .map(|number| {
                resolved(
                    number,
                    &format!("d{number}"),
                    &format!("session-{number}: fine."),
                )
            })
            .collect();
        let text = told(&entries);
        assert!(text.len() <= BUDGET);
        let lines = text
            .lines()
            .filter(|line| line.starts_with("- session"))
            .count();
        assert!(text.contains(&format!("- and {} more\n", 500 - lines)));
        assert_eq!(Mark::of(&text), Some(mark()));
    }

    #[test]
    fn addresses_keys_and_homes_are_left_out() {
        for (line, expected) in [
            (
                "see https://github.com/a/b/pull/1.",
                "see [address left out].",
            ),
            ("github.com/a/b/pull/1", "[address left out]"),
            ("in /home/ann/src/x.", "in ~/src/x."),
            ("in /Users/ann", "in ~"),
            ("in /root/.claude", "in ~/.claude"),
            ("in /root", "in ~"),
            ("in /srv/home/x", "in /srv/home/x"),
            ("key ghp_0123456789abcdefghij,", "key [hidden],"),
            ("API_KEY=hunter2", "[hidden]"),
            ("ended with 429", "ended with 4xx"),
            (
                "id 3bd73422-0e61-4161-9102-8d1709984f18",
                "id 3bd73422-0e61-4161-9102-8d1709984f18",
            ),
            (
                "my-token-creator-claude: gone",
                "my-token-creator-claude: gone",
            ),
        ] {
            assert_eq!(clean(line), expected);
        }
    }

    #[test]
    fn a_home_elsewhere_is_left_out_too_and_a_root_is_no_home() {
        let text = "in /data/ann/src and /data/ann";
        assert_eq!(without_home(text, Some("/data/ann/")), "in ~/src and ~");
        assert_eq!(without_home(text, Some("/")), text);
        assert_eq!(without_home(text, None), text);
    }

    proptest! {
        #[test]
        fn whatever_the_names_are_a_comment_is_short_and_marked_and_asks_nobody_to_stop(
            names in proptest::collection::vec(any::<String>(), 1..40)
        ) {
            let entries: Vec<Entry> = (7..)
                .zip(&names)
                .map(|(seq, name)| resolved(seq, &format!("d{seq}"), name))
                .collect();
            let text = told(&entries);
            prop_assert!(text.len() <= BUDGET);
            prop_assert_eq!(Mark::of(&text), Some(mark()));
            let lines_of_their_own = text.lines().skip(2).filter(|line| !line.is_empty());
            for line in lines_of_their_own {
                prop_assert!(line.starts_with("- ") || line.starts_with("(news "), "{line:?}");
            }
        }
    }
}
