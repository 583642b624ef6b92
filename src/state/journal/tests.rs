#![allow(clippy::unwrap_used)]

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use proptest::prelude::*;
use tempfile::TempDir;

use super::{Consumer, Entry, Journal, News, ROTATE_AT};
use crate::core::drift::{Held, Kind};
use crate::core::report::Outcome;
use crate::state::{Folder, Locked};
use crate::tell::sample;
use crate::tell::wire::Drift;

/// A journal in a folder of its own, with the lock on it.
struct Desk {
    _temp: TempDir,
    locked: Locked,
    journal: Journal,
    folder: PathBuf,
}

impl Desk {
    async fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::of(&temp.path().join("state"), Path::new("/r/.hermes/a.yaml"));
        Self {
            locked: folder.lock(Duration::ZERO).await.unwrap(),
            journal: Journal::of(&folder),
            folder: folder.path().to_owned(),
            _temp: temp,
        }
    }

    fn append(&self, news: Vec<News>) -> Vec<u64> {
        let numbers = self.journal.append(sample::NOW, news, &self.locked);
        numbers.unwrap().into_iter().flatten().collect()
    }

    fn all(&self) -> Vec<Entry> {
        self.journal.after(0).unwrap().entries
    }

    fn file(&self) -> PathBuf {
        self.folder.join("journal")
    }
}

fn drift(session: &str) -> Drift {
    Drift::from(&sample::one_of(
        Kind::Unregistered,
        session,
        Outcome::Held(Held::NotHome),
    ))
}

fn opened(session: &str) -> News {
    News::Opened(drift(session))
}

fn one_of_each() -> Vec<News> {
    let report = crate::tell::wire::Report::from(&sample::rich());
    vec![
        opened("a"),
        News::Changed(drift("b\nnewline \u{1b}[2J 日本")),
        News::Resolved(report.resolved.into_iter().next().unwrap()),
        News::Edited(drift("c")),
        News::Outcome(drift("d")),
    ]
}

#[tokio::test]
async fn what_was_appended_is_read_in_order_with_its_numbers() {
    let desk = Desk::new().await;
    assert_eq!(desk.append(one_of_each()), [1, 2, 3, 4, 5]);
    assert_eq!(desk.append(vec![opened("e")]), [6]);
    let mut news = one_of_each();
    news.push(opened("e"));
    let expected: Vec<Entry> = (1..)
        .zip(news)
        .map(|(seq, news)| Entry {
            seq,
            at: sample::NOW,
            news,
        })
        .collect();
    assert_eq!(desk.all(), expected);
    assert_eq!(desk.journal.last().unwrap(), 6);
}

#[tokio::test]
async fn nothing_new_writes_nothing() {
    let desk = Desk::new().await;
    assert!(desk.append(Vec::new()).is_empty());
    assert!(!desk.file().exists());
    assert_eq!(desk.journal.after(0).unwrap(), super::Unread::default());
}

#[tokio::test]
async fn each_line_is_one_json_object_that_says_what_happened() {
    let desk = Desk::new().await;
    desk.append(one_of_each());
    let text = fs::read_to_string(desk.file()).unwrap();
    let said: Vec<String> = text
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert!(line["told"]["comment"].is_string());
            line["event"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(said, ["opened", "changed", "resolved", "edited", "outcome"]);
}

#[tokio::test]
async fn every_reader_is_told_everything_once() {
    let desk = Desk::new().await;
    let (card, notifier) = (Consumer::new("card t_1"), Consumer::new("card/t_1"));
    assert_eq!(desk.journal.told(&card).unwrap(), None);

    desk.append(vec![opened("a"), opened("b")]);
    desk.journal.set_told(&card, 1, &desk.locked).unwrap();
    desk.append(vec![opened("c")]);

    let unread = |who| {
        let told = desk.journal.told(who).unwrap().unwrap_or(0);
        let unread = desk.journal.after(told).unwrap();
        assert_eq!(unread.missed, 0);
        unread
            .entries
            .iter()
            .map(|entry| entry.seq)
            .collect::<Vec<_>>()
    };
    assert_eq!(unread(&card), [2, 3]);
    assert_eq!(unread(&notifier), [1, 2, 3]);

    desk.journal.forget(&card, &desk.locked).unwrap();
    assert_eq!(desk.journal.told(&card).unwrap(), None);
    desk.journal.forget(&card, &desk.locked).unwrap();
}

#[tokio::test]
async fn it_rotates_and_the_numbers_go_on() {
    let desk = Desk::new().await;
    let first = desk.append(vec![opened("first")]);
    let filler = "x".repeat(1 << 20);
    let mut last = 0;
    while !desk.folder.join("journal.1").exists() {
        last = *desk.append(vec![opened(&filler)]).last().unwrap();
    }
    assert_eq!(first, [1]);
    let seen: Vec<u64> = desk.all().iter().map(|entry| entry.seq).collect();
    assert_eq!(seen, (1..=last).collect::<Vec<_>>());
    for file in ["journal", "journal.1"] {
        assert!(fs::metadata(desk.folder.join(file)).unwrap().len() <= ROTATE_AT);
    }
}

#[tokio::test]
async fn a_reader_who_comes_too_late_is_told_how_many_he_missed() {
    let desk = Desk::new().await;
    desk.append(vec![opened("a"), opened("b"), opened("c"), opened("d")]);
    fs::rename(desk.file(), desk.folder.join("journal.1")).unwrap();
    desk.append(vec![opened("e")]);
    fs::remove_file(desk.folder.join("journal.1")).unwrap();

    let late = desk.journal.after(2).unwrap();
    assert_eq!(late.missed, 2);
    assert_eq!(late.entries.len(), 1);
    let in_time = desk.journal.after(4).unwrap();
    assert_eq!((in_time.missed, in_time.entries.len()), (0, 1));
}

#[tokio::test]
async fn numbers_never_begin_again_even_if_the_files_are_lost() {
    let desk = Desk::new().await;
    desk.append(vec![opened("a"), opened("b")]);
    let card = Consumer::new("card");
    desk.journal.set_told(&card, 2, &desk.locked).unwrap();
    fs::remove_file(desk.file()).unwrap();
    assert_eq!(desk.append(vec![opened("c")]), [3]);
    assert_eq!(desk.journal.after(2).unwrap().entries.len(), 1);
}

#[tokio::test]
async fn the_newest_number_is_found_however_long_the_last_lines_are() {
    let desk = Desk::new().await;
    desk.append(vec![opened(&"x".repeat(300 << 10))]);
    assert_eq!(desk.journal.last().unwrap(), 1);
    assert_eq!(desk.append(vec![opened("b")]), [2]);
}

#[tokio::test]
async fn a_cursor_that_cannot_be_understood_is_none() {
    let desk = Desk::new().await;
    let card = Consumer::new("card");
    desk.journal.set_told(&card, 12, &desk.locked).unwrap();
    let cursors = desk.folder.join("cursors");
    let file = fs::read_dir(&cursors)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    for torn in ["", "1", "12", "-1\n", "x\n", "\0\0\n"] {
        fs::write(&file, torn).unwrap();
        assert_eq!(desk.journal.told(&card).unwrap(), None, "{torn:?}");
        assert_eq!(desk.journal.last().unwrap(), 0, "{torn:?}");
    }
}

#[tokio::test]
async fn what_is_left_of_it_after_a_crash_at_any_byte_is_right_and_goes_on() {
    let desk = Desk::new().await;
    desk.append(one_of_each());
    let whole = desk.all();
    let bytes = fs::read(desk.file()).unwrap();
    let mut cuts_followed_by_an_append = 0;
    for end in 0..=bytes.len() {
        fs::write(desk.file(), &bytes[..end]).unwrap();
        let left = desk.all();
        let lines = bytes[..end].iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(left, whole[..lines], "cut at byte {end}");

        let at_an_edge = end == 0 || bytes[end - 1] == b'\n' || bytes.get(end) == Some(&b'\n');
        if at_an_edge || end % 97 == 0 {
            desk.append(vec![opened("next")]);
            let mut expected = whole[..lines].to_vec();
            expected.push(Entry {
                seq: lines as u64 + 1,
                at: sample::NOW,
                news: opened("next"),
            });
            assert_eq!(desk.all(), expected, "appended after a cut at byte {end}");
            cuts_followed_by_an_append += 1;
        }
    }
    assert!(cuts_followed_by_an_append > 10);
}

#[tokio::test]
async fn a_torn_line_longer_than_a_page_is_cut_off_too() {
    let desk = Desk::new().await;
    desk.append(vec![opened("a")]);
    let mut file = OpenOptions::new().append(true).open(desk.file()).unwrap();
    file.write_all(&vec![b'{'; 20_000]).unwrap();
    desk.append(vec![opened("b")]);
    let text = fs::read_to_string(desk.file()).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(!text.contains("{{"));
}

fn desk() -> Desk {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime.unwrap().block_on(Desk::new())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_that_a_crash_left_empty_never_make_an_entry_that_was_not_written(
        from in any::<proptest::sample::Index>(),
        length in 1_usize..8192,
    ) {
        let desk = desk();
        desk.append(one_of_each());
        desk.append(one_of_each());
        let whole = desk.all();
        let mut bytes = fs::read(desk.file()).unwrap();
        let from = from.index(bytes.len());
        let end = bytes.len().min(from + length);
        bytes[from..end].fill(0);
        fs::write(desk.file(), bytes).unwrap();

        let left = desk.all();
        prop_assert!(left.iter().all(|entry| whole.contains(entry)));
        desk.append(vec![opened("next")]);
        let mut after = desk.all();
        prop_assert_eq!(after.pop().unwrap().news, opened("next"));
        prop_assert_eq!(after, left);
    }

    #[test]
    fn no_bytes_in_it_make_reading_or_appending_fail(
        garbage in any::<Vec<u8>>(),
        place in any::<proptest::sample::Index>(),
    ) {
        let desk = desk();
        desk.append(one_of_each());
        let mut bytes = fs::read(desk.file()).unwrap();
        let at = place.index(bytes.len());
        bytes.splice(at..at, garbage);
        fs::write(desk.file(), bytes).unwrap();

        desk.all();
        desk.append(vec![opened("next")]);
        let last = desk.all().pop().unwrap();
        prop_assert_eq!(last.news, opened("next"));
    }
}
