//! The words that reports, the journal and the agents' records are read by: other programs know them.

use headcount::core::absence::Cause;
use headcount::core::checkup::Health;
use headcount::core::drift::{Class, Confidence, Held};
use headcount::core::ids::AgentKind;
use headcount::core::jobs::{EventKind, JobStatus, Refusal, Trust};
use headcount::core::plan::Decision;
use headcount::core::policy::limits;
use headcount::core::prune::Kept;
use headcount::core::registry::Status;
use headcount::core::report::Verdict;
use headcount::core::sighting::Reason;
use headcount::core::standing::{Concern, Declared, Sight};

use crate::scene::{ago, pane, row, scene, session, tmux};

#[test]
fn classes_are_letters() {
    assert_eq!(Class::ALL.map(Class::letter), ['A', 'B', 'C', 'D']);
}

#[test]
fn how_sure_a_drift_is_has_a_word() {
    let words = [Confidence::Proven, Confidence::Inferred].map(Confidence::as_str);
    assert_eq!(words, ["proven", "inferred"]);
}

#[test]
fn a_whole_look_has_one_word() {
    let words = Verdict::ALL.map(Verdict::as_str);
    assert_eq!(words, ["in order", "drifted", "blind"]);
}

#[test]
fn each_health_has_its_word() {
    let words = Health::ALL.map(Health::as_str);
    assert_eq!(words, ["trouble", "warning", "well", "unused"]);
}

#[test]
fn each_concern_has_its_word() {
    let words = Concern::ALL.map(Concern::as_str);
    assert_eq!(
        words,
        [
            "unseen",
            "stuck",
            "drift",
            "note",
            "fine",
            "bystander",
            "ended"
        ]
    );
}

#[test]
fn how_a_session_is_seen_has_a_word_for_programs() {
    let why = || "why".to_owned();
    let all = [
        Sight::Agent(Some("busy".to_owned())),
        Sight::Several,
        Sight::NoAgent,
        Sight::DeadPane,
        Sight::Unread(why()),
        Sight::Moved,
        Sight::Gone(Vec::new()),
        Sight::Doubtful(why()),
        Sight::NotHere,
        Sight::Unseen(why()),
    ];
    assert_eq!(all.each_ref().map(Sight::as_str), Sight::WORDS);
    assert_eq!(Sight::WORDS[6], "gone");
    assert_eq!(Reason::new("hidden").as_str(), "hidden");
}

#[test]
fn the_events_of_jobs_are_read_by_the_words_they_are_told_by() {
    let words = EventKind::ALL.map(EventKind::as_str);
    assert_eq!(
        words,
        [
            "started",
            "permission_required",
            "progress",
            "completed",
            "error"
        ]
    );
    assert_eq!(words.map(EventKind::named), EventKind::ALL.map(Some));
    assert_eq!(EventKind::named("ended"), None);
}

#[test]
fn the_records_of_jobs_are_read_by_the_words_they_are_told_by() {
    let words = JobStatus::ALL.map(JobStatus::as_str);
    assert_eq!(
        words,
        ["pending", "running", "completed", "error", "cancelled"]
    );
    assert_eq!(words.map(JobStatus::named), JobStatus::ALL.map(Some));
    assert_eq!(JobStatus::named("ended"), None);
}

#[test]
fn what_an_event_rests_on_has_a_word() {
    let words = Trust::ALL.map(Trust::as_str);
    assert_eq!(words, ["signed", "not_required", "unsigned", "record"]);
}

#[test]
fn each_refusal_of_an_event_has_its_word() {
    let mut words: Vec<&str> = Refusal::ALL.iter().map(|it| it.as_str()).collect();
    assert!(words.contains(&"foreign_schema") && words.contains(&"malformed"));
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Refusal::ALL.len());
}

#[test]
fn agents_are_known_by_their_names() {
    let names = AgentKind::ALL.map(AgentKind::name);
    assert_eq!(names.map(AgentKind::named), AgentKind::ALL.map(Some));
    assert_eq!(AgentKind::Claude.name(), "claude");
    assert_eq!(AgentKind::Agy.id_key(), Some("agy_conversation_id_own"));
    assert_eq!(AgentKind::Claude.id_key(), Some("claude_session_id_own"));
    assert_eq!(AgentKind::named("clyde"), None);
}

#[test]
fn what_a_row_says_is_told_as_it_says_it() {
    let words = ["running", "stopped", "terminated", "archived", "on holiday"];
    assert_eq!(
        words,
        words.map(Status::named).each_ref().map(Status::as_str)
    );
    let told = |declared: Declared| declared.word().to_owned();
    assert_eq!(
        told(Declared::Row(Status::named("on holiday"))),
        "on holiday"
    );
    assert_eq!(told(Declared::Invalid("no name".to_owned())), "wrong row");
    assert_eq!(told(Declared::Grouped), "grouped");
    assert_eq!(told(Declared::No), "no row");
}

#[test]
fn what_becomes_of_a_drift_has_a_word_that_two_looks_share() {
    let waits = |at| Decision::Pending {
        due: ago(at),
        why: "a second look".to_owned(),
    };
    assert_eq!(waits(0).as_str(), "pending");
    assert_eq!(waits(0).as_str(), waits(9).as_str());
    assert_eq!(Decision::Held(Held::MassChange).as_str(), "mass_change");
    assert_eq!(Decision::Told.as_str(), "told");
    let gone = tmux("default").session(session("main").pane(pane(200)));
    let pass = scene()
        .row(row("app-creator-claude"))
        .server(gone)
        .at_once()
        .pass();
    let words: Vec<_> = pass.plan.fates.values().map(Decision::as_str).collect();
    assert_eq!(words, ["write"]);
}

#[test]
fn what_ended_a_session_has_a_word() {
    let causes = [
        Cause::SessionGone,
        Cause::ServerGone,
        Cause::ServerRestarted,
        Cause::HostRebooted,
    ];
    assert_eq!(
        causes.map(Cause::as_str),
        [
            "session_gone",
            "server_gone",
            "server_restarted",
            "host_rebooted"
        ]
    );
}

#[test]
fn each_reason_to_hold_back_says_why_and_what_to_do() {
    let all = [
        Held::NotHome,
        Held::ProcessAlive("it lives".to_owned()),
        Held::Doubt("it hides".to_owned()),
        Held::MassChange,
        Held::PersonChanged,
        Held::Contended,
        Held::Locked("somebody has it".to_owned()),
        Held::ReadOnly("a store".to_owned()),
        Held::NotEditable("a tag".to_owned()),
        Held::NotPlanned,
        Held::Undone,
    ];
    let told: Vec<String> = all
        .iter()
        .map(|held| format!("{}: {}. {}", held.as_str(), held.why(), held.remedy()))
        .collect();
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(told.join("\n"));
    });
}

#[test]
fn what_nobody_needs_to_set_is_what_the_docs_say() {
    assert_eq!(limits::CLAUDE_RETENTION.as_secs(), 2_592_000);
    assert_eq!(limits::MASS_WINDOW.as_secs(), 600);
    assert_eq!(limits::MASS_ROWS, 3);
    assert_eq!(limits::LOOK_FRESH.as_secs(), 2);
    assert_eq!(limits::CLOCK_SLACK.as_secs(), 1);
}

#[test]
fn moments_are_counted_forwards_and_backwards() {
    let minute = std::time::Duration::from_secs(60);
    assert_eq!(ago(60).plus(minute), ago(0));
    assert_eq!(ago(0).minus(minute), ago(60));
    assert_eq!(ago(0).since(ago(60)), minute);
    assert!(ago(60).since(ago(0)).is_zero());
    assert_eq!(ago(0).iso(), "2027-01-15T08:00:00Z");
    assert_eq!(ago(0).iso_millis(), "2027-01-15T08:00:00.000Z");
}

#[test]
fn each_reason_to_keep_a_row_says_why() {
    let all = [
        Kept::Running,
        Kept::Recent(ago(60)),
        Kept::Alive("it lives".to_owned()),
        Kept::Unseen("it hides".to_owned()),
        Kept::NotHome,
        Kept::NoEnd,
        Kept::NotYet(ago(-60)),
        Kept::Drift("tmux_gone"),
        Kept::Job("j1".to_owned()),
        Kept::Needed("row docs names it".to_owned()),
        Kept::Ignored,
        Kept::Invalid("it has no name".to_owned()),
        Kept::UnknownStatus("on holiday".to_owned()),
        Kept::Stuck("an anchor".to_owned()),
    ];
    let told: Vec<String> = all
        .iter()
        .map(|kept| format!("{}: {}", kept.as_str(), kept.why()))
        .collect();
    assert_eq!(all.each_ref().map(Kept::as_str), Kept::WORDS);
    insta::with_settings!({ omit_expression => true }, {
        insta::assert_snapshot!(told.join("\n"));
    });
}
