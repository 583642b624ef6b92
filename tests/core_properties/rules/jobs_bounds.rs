//! Jobs: how much of them is read, kept and counted.

use std::collections::BTreeMap;

use headcount::core::jobs::{
    Ignored, JobId, JobStatus, KnownJob, Learned, Refusal, bounded, printable,
};

use crate::scene::ago;

fn job(id: &str) -> JobId {
    JobId::parse(id).unwrap()
}

#[test]
fn words_of_a_job_are_one_line_of_at_most_200_printable_characters() {
    let odd = "a\u{1b}[31m\r\nb\u{202e}c\t\u{0}d\u{200b}e";
    assert_eq!(printable(odd), "a [31m b c d e");
    for text in ["x".repeat(500), "wort ".repeat(41), "日本語 ".repeat(90)] {
        let line = printable(&text);
        assert!(line.chars().count() <= 200, "{line}");
        assert!(line.ends_with('…'), "{line}");
    }
    assert_eq!(printable(&"x".repeat(200)), "x".repeat(200));
}

#[test]
fn an_id_of_a_job_can_be_no_path_and_no_wildcard() {
    let longest = "x".repeat(64);
    for good in ["j", "a_b-C9", "-", "_", &longest] {
        assert_eq!(JobId::parse(good).unwrap().as_str(), good);
    }
    let longer = "x".repeat(65);
    for bad in ["", ".", "a/b", "a.b", "a b", "+", "#", "ä", &longer] {
        assert_eq!(JobId::parse(bad), None, "{bad}");
    }
}

#[test]
fn of_jobs_that_no_row_has_the_last_256_that_ended_are_remembered() {
    let known = |seen: i64, ended: bool, written: bool| KnownJob {
        heard: ended.then(|| Learned {
            status: JobStatus::Completed,
            at: ago(seen),
            detail: String::new(),
            seq: 1,
            signed: false,
        }),
        written,
        ..KnownJob::new(ago(seen))
    };
    let tied = [job("tied")];
    let mut jobs = BTreeMap::from([
        (job("tied"), known(9999, true, false)),
        (job("goes-on"), known(0, false, false)),
        (job("written"), known(0, true, true)),
    ]);
    for n in 0..257 {
        jobs.insert(job(&format!("early-{n}")), known(n, true, false));
    }
    let kept = bounded(jobs, &tied.iter().collect());
    let has = |id: &str| kept.contains_key(&job(id));
    assert!(has("tied") && !has("goes-on") && !has("written"));
    assert!(has("early-0") && has("early-255") && !has("early-256"));
}

#[test]
fn what_changed_nothing_is_counted_by_why_over_all_looks() {
    let mut all = Ignored::default();
    all.count(Refusal::Late);
    let mut more = all.clone();
    more.count(Refusal::Late);
    more.count(Refusal::Forged);
    all.add(&more);
    let counted: Vec<_> = all.iter().collect();
    assert_eq!(counted, [(Refusal::Forged, 1), (Refusal::Late, 3)]);
}
