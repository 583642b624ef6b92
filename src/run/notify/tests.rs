#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::{NEWS, Notifier, TIMES, WAITING};
use crate::clock;
use crate::core::drift::Kind;
use crate::core::ids::Timestamp;
use crate::core::policy::Policy;
use crate::core::report::Outcome;
use crate::look::Surroundings;
use crate::look::jobs::Records;
use crate::roll::Roll;
use crate::run::Settings;
use crate::state::journal::News;
use crate::state::{Folder, Journal};
use crate::tell::{sample, wire};

struct Place {
    folder: TempDir,
    settings: Settings,
}

impl Place {
    /// A state folder of a roll whose notifier runs that command, in which `$OUT` is a file.
    fn new(command: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let roll = folder.path().join("roll.yaml");
        let out = folder.path().join("out");
        let settings = Settings {
            state: folder.path().join("state"),
            roll: Roll::at(roll),
            surroundings: Surroundings::default(),
            records: Records::default(),
            policy: Policy::default(),
            plan: None,
            dry_run: false,
            lock_timeout: Duration::from_secs(5),
            notify: Some(format!("OUT='{}'; {command}", out.display())),
            replay: None,
        };
        Self { folder, settings }
    }

    fn notifier(&self) -> Notifier {
        Notifier::new(&self.settings).unwrap().unwrap()
    }

    /// So many drifts open.
    async fn open(&self, at: Timestamp, many: usize) {
        let news = (0..many).map(|at| {
            let told = sample::one_of(Kind::TmuxGone, &format!("s{at}"), Outcome::ToldOnly);
            News::Opened(wire::Drift::from(&told))
        });
        self.append(at, news.collect()).await;
    }

    async fn append(&self, at: Timestamp, news: Vec<News>) {
        let folder = Folder::of(&self.settings.state, &self.settings.roll.target);
        let lock = folder.lock(Duration::from_secs(5)).await.unwrap();
        Journal::of(&folder).append(at, news, &lock).unwrap();
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn told(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.out()).unwrap_or_default();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

const KEEP: &str = "cat >> \"$OUT\"";

#[tokio::test]
async fn what_was_before_the_first_notifier_is_not_told() {
    let place = Place::new(KEEP);
    place.open(clock::now(), 2).await;
    let notifier = place.notifier();
    place.open(clock::now(), 1).await;
    notifier.catch_up().await;
    assert_eq!(place.told().len(), 1);
}

#[tokio::test]
async fn each_thing_is_told_once_by_whoever_is_there() {
    let place = Place::new(KEEP);
    place.notifier().catch_up().await;
    place.open(clock::now(), 1).await;
    let (one, other) = (place.notifier(), place.notifier());
    one.catch_up().await;
    other.catch_up().await;
    place.notifier().catch_up().await;
    assert_eq!(place.told().len(), 1);
    assert_eq!(place.told()[0]["event"], "opened");
    assert_eq!(place.told()[0]["session"], "s0");
}

#[tokio::test]
async fn a_single_pass_runs_the_command_so_often_and_leaves_the_rest_to_the_next() {
    let place = Place::new(KEEP);
    place.notifier().catch_up().await;
    place.open(clock::now(), TIMES + 5).await;
    place.notifier().catch_up().await;
    assert_eq!(place.told().len(), TIMES);
    place.notifier().catch_up().await;
    let told = place.told();
    assert_eq!(told.len(), TIMES + 5);
    assert!(told.iter().all(|notice| notice["missed"] == 0), "{told:#?}");
}

#[tokio::test]
async fn of_too_many_things_the_oldest_are_counted_to_the_next_one_that_is_told() {
    let place = Place::new(KEEP);
    place.notifier().catch_up().await;
    place.open(clock::now(), WAITING + 7).await;
    place.notifier().catch_up().await;
    let told = place.told();
    assert_eq!(told[0]["missed"], 7);
    assert_eq!(told[0]["session"], "s7");
    assert_eq!(told[1]["missed"], 0);
}

#[tokio::test]
async fn what_is_old_is_no_news() {
    let place = Place::new(KEEP);
    place.notifier().catch_up().await;
    let then = clock::now().minus(NEWS + Duration::from_secs(60));
    place.open(then, 3).await;
    place.open(clock::now(), 1).await;
    place.notifier().catch_up().await;
    assert_eq!(place.told().len(), 1);
    assert_eq!(place.told()[0]["missed"], 3);
}

#[tokio::test]
async fn what_the_command_failed_to_tell_is_not_told_again() {
    let place = Place::new("cat >> \"$OUT\"; exit 3");
    place.notifier().catch_up().await;
    place.open(clock::now(), 2).await;
    place.notifier().catch_up().await;
    place.notifier().catch_up().await;
    assert_eq!(place.told().len(), 2);
}

#[tokio::test]
async fn a_command_that_reads_nothing_is_no_failure() {
    let place = Place::new("true");
    place.notifier().catch_up().await;
    let told = sample::one_of(Kind::TmuxGone, &"s".repeat(1 << 20), Outcome::ToldOnly);
    let news = News::Opened(wire::Drift::from(&told));
    place.append(clock::now(), vec![news]).await;
    let mut notifier = place.notifier();
    assert!(notifier.tell_next().await);
    assert!(!notifier.fails);
}

#[tokio::test]
async fn an_edit_is_told_when_its_outcome_is_known() {
    let place = Place::new(KEEP);
    place.notifier().catch_up().await;
    let drift = |outcome| {
        let told = sample::one_of(Kind::TmuxGone, "s", outcome);
        wire::Drift::from(&told)
    };
    let applied = drift(Outcome::Applied);
    place
        .append(
            clock::now(),
            vec![News::Edited(applied.clone()), News::Outcome(applied)],
        )
        .await;
    place.notifier().catch_up().await;
    let told = place.told();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["event"], "written");
}

#[test]
fn every_notice_is_as_its_schema_says() {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings
        .into_generator()
        .into_root_schema_for::<wire::Notice>();
    schema.insert("title".to_owned(), "headcount notice".into());
    let schema = serde_json::to_value(schema).unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/notice.schema.json");
    let now = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os("HEADCOUNT_REWRITE_SCHEMAS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap_or_default() == now,
        "{} is not what the types say: run the tests with HEADCOUNT_REWRITE_SCHEMAS=1 and commit it",
        path.display()
    );
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let report = sample::rich();
    let scene = wire::Scene {
        host: "here".to_owned(),
        yaml_path: "/roll".to_owned(),
    };
    let opened = report
        .drifts
        .iter()
        .map(|it| wire::About::Opened(it.into()));
    let written = report
        .drifts
        .iter()
        .map(|it| wire::About::Written(it.into()));
    let resolved = report
        .resolved
        .iter()
        .map(|it| wire::About::Resolved(it.into()));
    let jobs = report.jobs.iter().map(|it| wire::About::Job(it.into()));
    for about in opened.chain(written).chain(resolved).chain(jobs) {
        let notice = wire::Notice::new(about, sample::NOW.iso(), &scene, 1);
        let document = serde_json::to_value(notice).unwrap();
        let faults: Vec<String> = validator
            .iter_errors(&document)
            .map(|fault| format!("{}: {fault}", fault.instance_path()))
            .collect();
        assert!(faults.is_empty(), "{faults:#?}");
        let there = ["drift", "resolved", "job"].map(|key| !document[key].is_null());
        assert_eq!(there.iter().filter(|it| **it).count(), 1, "{document:#}");
    }
}
