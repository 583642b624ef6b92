//! Jobs: what was heard and recorded of them, and what of it a row is given.

use headcount::core::drift::{Held, NoteKind};
use headcount::core::edit::Change;
use headcount::core::ids::Timestamp;
use headcount::core::jobs::{EventKind, JobEvent, JobId, JobRecord, JobStatus, Refusal, Trust};
use headcount::core::plan::{Assessment, Decision};
use headcount::core::sighting::Sighting;

use crate::edits::{edited, keys};
use crate::scene::{
    Declared, Scene, ago, name, not_there, pane, refused, row, scene, session, silent, tmux,
    unknown,
};

const APP: &str = "app-creator-claude";

fn job(id: &str) -> JobId {
    JobId::parse(id).unwrap()
}

/// The session is alive, since half an hour; its row is this one.
fn alive(row: Declared) -> Scene {
    scene()
        .row(row)
        .server(tmux("default").session(session(APP).pane(pane(100))))
        .at_once()
}

/// The row names the job.
fn named() -> Scene {
    alive(row(APP).job("j1"))
}

fn recorded(status: JobStatus) -> JobRecord {
    JobRecord {
        status,
        created: Some(ago(1700)),
        updated: ago(5),
        session: None,
        needs_signature: false,
    }
}

trait WithJobs {
    fn record(self, id: &str, record: JobRecord) -> Self;
    fn no_record(self, id: &str) -> Self;
    fn unread(self, id: &str) -> Self;
    fn all_read(self) -> Self;
    fn hears(self, id: &str, seq: u64, kind: EventKind) -> Self;
    fn hears_signed(self, id: &str, seq: u64, kind: EventKind) -> Self;
    fn next(self, before: &Assessment, secs: u64) -> Self;
}

impl WithJobs for Scene {
    fn record(mut self, id: &str, record: JobRecord) -> Self {
        self.world
            .jobs
            .records
            .insert(job(id), Sighting::Present(record));
        self
    }

    fn no_record(mut self, id: &str) -> Self {
        self.world.jobs.records.insert(job(id), not_there());
        self
    }

    fn unread(mut self, id: &str) -> Self {
        self.world.jobs.records.insert(job(id), unknown());
        self
    }

    fn all_read(mut self) -> Self {
        self.world.jobs.complete = true;
        self
    }

    fn hears(mut self, id: &str, seq: u64, kind: EventKind) -> Self {
        self.world.jobs.heard.push(JobEvent {
            job: job(id),
            seq,
            kind,
            detail: "all done".to_owned(),
            heard: self.now,
            signed: false,
        });
        self
    }

    fn hears_signed(self, id: &str, seq: u64, kind: EventKind) -> Self {
        let mut scene = self.hears(id, seq, kind);
        scene.world.jobs.heard.last_mut().unwrap().signed = true;
        scene
    }

    /// So many seconds later, with the edits made and nothing heard since.
    fn next(mut self, before: &Assessment, secs: u64) -> Self {
        let edits = before.edits();
        self.registry = edited(&self.registry, &edits, self.now);
        self.ledger = before.ledger.clone();
        for edit in &edits {
            self.ledger.note_applied(edit, None, &self.world);
        }
        self.now = self.now.plus(std::time::Duration::from_secs(secs));
        self.world.at = self.now;
        self.world.jobs.heard.clear();
        self
    }
}

/// What is written of jobs: `JOB STATUS` each.
fn written(made: &Assessment) -> Vec<String> {
    made.edits()
        .iter()
        .filter_map(|edit| match &edit.change {
            Change::JobOutcome { job, status, .. } => Some(format!("{job} {}", status.as_str())),
            _ => None,
        })
        .collect()
}

fn refused_as(made: &Assessment) -> Vec<(Refusal, u64)> {
    made.ignored.iter().collect()
}

fn held(made: &Assessment) -> String {
    match made.job_updates.as_slice() {
        [update] => match &update.decision {
            Decision::Held(Held::Doubt(why)) => why.clone(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_end_that_was_heard_is_written_with_its_job_and_the_status_is_not_touched() {
    let made = named()
        .no_record("j1")
        .hears("j1", 3, EventKind::Completed)
        .assess();
    let edits = made.edits();
    let [edit] = edits.as_slice() else {
        panic!("{edits:?}")
    };
    let keys: Vec<(String, String)> = keys(edit).into_iter().collect();
    let text = |key: &str, value: &str| (key.to_owned(), format!("Text({value:?})"));
    assert_eq!(
        keys,
        [
            text("delegate_job_finished_at", &ago(0).iso()),
            text("delegate_job_status", "completed"),
            text("delegate_job_status_of", "j1"),
            text("last_visible_note", "job j1 completed (unsigned): all done"),
        ]
    );
}

#[test]
fn an_outcome_is_written_once_even_if_a_person_takes_it_away() {
    let first = named().no_record("j1").hears("j1", 3, EventKind::Error);
    let made = first.assess();
    assert_eq!(written(&made), ["j1 error"]);
    let mut later = first.next(&made, 1);
    assert!(written(&later.assess()).is_empty());
    later.registry.rows[0].job_status_of = None;
    assert!(written(&later.assess()).is_empty());
}

#[test]
fn an_event_whose_number_is_not_above_the_last_says_nothing_new() {
    let first = named().no_record("j1").hears("j1", 3, EventKind::Progress);
    let made = first.assess();
    for seq in [1, 3] {
        let later = first
            .clone()
            .next(&made, 1)
            .hears("j1", seq, EventKind::Completed)
            .assess();
        assert!(written(&later).is_empty());
        assert_eq!(refused_as(&later), [(Refusal::Replayed, 1)]);
    }
}

#[test]
fn events_count_in_the_order_of_their_numbers_whatever_order_they_come_in() {
    let made = named()
        .no_record("j1")
        .hears("j1", 3, EventKind::Completed)
        .hears("j1", 2, EventKind::Progress)
        .hears("j1", 1, EventKind::Started)
        .assess();
    assert_eq!(written(&made), ["j1 completed"]);
    assert!(refused_as(&made).is_empty());
}

#[test]
fn a_job_that_is_over_does_not_go_on() {
    let first = named().no_record("j1").hears("j1", 3, EventKind::Completed);
    let made = first.assess();
    let later = first
        .next(&made, 1)
        .hears("j1", 4, EventKind::Started)
        .assess();
    assert_eq!(refused_as(&later), [(Refusal::Late, 1)]);
    assert!(later.job_updates.is_empty());
}

#[test]
fn an_event_that_never_came_is_made_good_by_the_record() {
    for status in [JobStatus::Completed, JobStatus::Error, JobStatus::Cancelled] {
        let made = named().record("j1", recorded(status)).assess();
        assert_eq!(written(&made), [format!("j1 {}", status.as_str())]);
        assert_eq!(made.job_updates[0].trust, Trust::Record);
        assert_eq!(made.job_updates[0].at, ago(5));
    }
    for status in [JobStatus::Pending, JobStatus::Running] {
        let made = named().record("j1", recorded(status)).assess();
        assert!(made.job_updates.is_empty());
    }
}

#[test]
fn an_event_and_a_record_that_contradict_each_other_are_told_and_not_written() {
    let made = named()
        .record("j1", recorded(JobStatus::Error))
        .hears("j1", 3, EventKind::Completed)
        .assess();
    assert!(written(&made).is_empty());
    assert_eq!(
        held(&made),
        "an event said completed, its record says error"
    );
    assert!(
        made.notes
            .iter()
            .any(|note| note.kind == NoteKind::JobContradiction)
    );
}

#[test]
fn a_contradiction_that_is_settled_in_the_record_is_written_then() {
    let first =
        named()
            .record("j1", recorded(JobStatus::Error))
            .hears("j1", 3, EventKind::Completed);
    let made = first.assess();
    let settled = first
        .next(&made, 1)
        .record("j1", recorded(JobStatus::Completed))
        .assess();
    assert_eq!(written(&settled), ["j1 completed"]);
}

#[test]
fn two_events_that_contradict_each_other_are_told_and_not_written() {
    let made = named()
        .no_record("j1")
        .hears("j1", 3, EventKind::Completed)
        .hears("j1", 4, EventKind::Error)
        .assess();
    assert!(written(&made).is_empty());
    assert_eq!(held(&made), "an event said completed, a later one error");
}

#[test]
fn where_the_record_has_a_token_only_a_signed_event_counts() {
    let asks = || {
        let mut record = recorded(JobStatus::Running);
        record.needs_signature = true;
        named().record("j1", record)
    };
    let made = asks().hears("j1", 3, EventKind::Completed).assess();
    assert_eq!(refused_as(&made), [(Refusal::Forged, 1)]);
    assert!(written(&made).is_empty());
    let made = asks().hears_signed("j1", 3, EventKind::Completed).assess();
    assert_eq!(written(&made), ["j1 completed"]);
    assert_eq!(made.job_updates[0].trust, Trust::Signed);
}

#[test]
fn a_forged_event_does_not_use_up_a_number() {
    let mut record = recorded(JobStatus::Running);
    record.needs_signature = true;
    let first = named()
        .record("j1", record)
        .hears("j1", 900, EventKind::Error);
    let made = first.assess();
    let later = first
        .next(&made, 1)
        .hears_signed("j1", 4, EventKind::Completed)
        .assess();
    assert_eq!(written(&later), ["j1 completed"]);
}

#[test]
fn where_the_record_cannot_be_read_nothing_is_believed_without_a_signature_and_nothing_written() {
    let made = named()
        .unread("j1")
        .hears("j1", 3, EventKind::Completed)
        .assess();
    assert_eq!(refused_as(&made), [(Refusal::Forged, 1)]);
    let made = named()
        .unread("j1")
        .hears_signed("j1", 3, EventKind::Completed)
        .assess();
    assert!(written(&made).is_empty());
    assert!(held(&made).starts_with("its record cannot be read"));
}

#[test]
fn what_was_believed_without_a_signature_is_not_written_once_one_is_asked_for() {
    let first = scene()
        .row(row(APP).job("j1"))
        .server(silent("default"))
        .no_record("j1")
        .hears("j1", 3, EventKind::Completed);
    let made = first.assess();
    assert_eq!(held(&made), "its session could not be seen");
    let mut record = recorded(JobStatus::Running);
    record.needs_signature = true;
    let mut later = named().next(&made, 1).record("j1", record);
    later.ledger = made.ledger;
    let later = later.assess();
    assert_eq!(held(&later), "its record asks for a signature");
}

#[test]
fn all_events_must_be_signed_if_that_is_asked_for() {
    let mut scene = named().no_record("j1").hears("j1", 3, EventKind::Completed);
    scene.policy.require_signature = true;
    let made = scene.assess();
    assert_eq!(refused_as(&made), [(Refusal::Unsigned, 1)]);
    assert!(written(&made).is_empty());
    scene.world.jobs.heard[0].signed = true;
    assert_eq!(written(&scene.assess()), ["j1 completed"]);
}

#[test]
fn a_row_without_a_job_has_the_newest_whose_record_names_its_session() {
    let of_session = |created: Timestamp| JobRecord {
        created: Some(created),
        session: Some(name(APP)),
        ..recorded(JobStatus::Completed)
    };
    let scene = || {
        alive(row(APP))
            .all_read()
            .record("old", of_session(ago(1500)))
            .record("new", of_session(ago(1000)))
    };
    assert_eq!(written(&scene().assess()), ["new completed"]);
    let doubtful = scene().unread("other").assess();
    assert!(written(&doubtful).is_empty(), "it may be newer");
    let as_old = scene().record("twin", of_session(ago(1000))).assess();
    assert!(written(&as_old).is_empty());
}

#[test]
fn an_event_of_a_job_that_the_row_no_longer_has_is_late() {
    let mut record = recorded(JobStatus::Running);
    record.session = Some(name(APP));
    let made = named()
        .no_record("j1")
        .record("before", record)
        .hears("before", 9, EventKind::Error)
        .assess();
    assert_eq!(refused_as(&made), [(Refusal::Late, 1)]);
    assert!(written(&made).is_empty());
}

#[test]
fn a_job_that_ended_before_the_session_was_created_says_nothing_of_it() {
    let mut record = recorded(JobStatus::Completed);
    record.updated = ago(1801);
    let made = named().record("j1", record.clone()).assess();
    assert!(made.job_updates.is_empty());
    record.updated = ago(1800);
    let made = named().record("j1", record).assess();
    assert_eq!(written(&made), ["j1 completed"]);
}

#[test]
fn the_events_own_clock_is_not_asked_but_when_it_was_heard() {
    let made = named().no_record("j1").hears("j1", 3, EventKind::Completed);
    let made = made.assess();
    assert_eq!(made.job_updates[0].at, ago(0));
}

#[test]
fn while_a_session_cannot_be_seen_nothing_is_written_and_nothing_forgotten() {
    let blind = scene()
        .row(row(APP).job("j1"))
        .server(silent("default"))
        .no_record("j1")
        .hears("j1", 3, EventKind::Completed);
    let made = blind.assess();
    assert_eq!(held(&made), "its session could not be seen");
    let mut later = named().no_record("j1");
    later.ledger = made.ledger;
    assert_eq!(written(&later.assess()), ["j1 completed"]);
}

#[test]
fn a_row_whose_session_is_gone_still_gets_its_jobs_outcome() {
    let made = scene()
        .row(row(APP).job("j1"))
        .server(refused("default"))
        .no_record("j1")
        .hears("j1", 3, EventKind::Completed)
        .assess();
    assert_eq!(written(&made), ["j1 completed"]);
}

#[test]
fn an_event_that_comes_before_its_row_is_not_lost() {
    let early = scene().no_record("j1").hears("j1", 3, EventKind::Completed);
    let made = early.assess();
    assert!(made.job_updates.is_empty());
    let mut later = named().no_record("j1");
    later.ledger = made.ledger.clone();
    assert_eq!(written(&later.assess()), ["j1 completed"]);
    // But not where the session is younger than what was heard.
    let mut younger = scene()
        .row(row(APP).job("j1"))
        .server(tmux("default").session(session(APP).created(ago(-5)).pane(pane(100))))
        .no_record("j1");
    younger.ledger = made.ledger;
    younger.now = ago(-10);
    younger.world.at = younger.now;
    assert!(written(&younger.assess()).is_empty());
}

#[test]
fn jobs_of_other_rolls_leave_no_trace() {
    let mut busy = named();
    for n in 0..2000 {
        let id = format!("other-{n}");
        busy = busy
            .no_record(&id)
            .hears(&id, 1, EventKind::Progress)
            .hears(&id, 2, EventKind::Completed);
    }
    let made = busy.assess();
    assert!(made.ledger.jobs.len() <= 256);
    assert!(made.job_updates.is_empty());
}

#[test]
fn a_job_that_two_rows_name_is_written_to_neither() {
    let made = named()
        .row(row("lib-creator-claude").job("j1"))
        .no_record("j1")
        .hears("j1", 3, EventKind::Completed)
        .assess();
    assert!(written(&made).is_empty());
    assert_eq!(made.job_updates.len(), 2);
}

#[test]
fn a_row_with_a_status_that_nobody_knows_is_not_given_an_outcome() {
    let made = alive(row(APP).job("j1").status("paused"))
        .record("j1", recorded(JobStatus::Completed))
        .assess();
    assert_eq!(made.job_updates[0].decision, Decision::Told);
}

#[test]
fn what_goes_on_is_told_and_not_written() {
    let first = named()
        .no_record("j1")
        .hears("j1", 3, EventKind::PermissionRequired);
    let made = first.assess();
    let update = &made.job_updates[0];
    assert_eq!(
        (update.state, &update.decision, update.news),
        ("permission_required", &Decision::Told, true)
    );
    assert_eq!(update.trust, Trust::Unsigned);
    assert!(first.next(&made, 1).assess().job_updates.is_empty());
    let known =
        named()
            .record("j1", recorded(JobStatus::Running))
            .hears("j1", 3, EventKind::Progress);
    assert_eq!(known.assess().job_updates[0].trust, Trust::NotRequired);
}

#[test]
fn an_end_that_is_told_twice_is_no_contradiction() {
    let made = named()
        .no_record("j1")
        .hears("j1", 3, EventKind::Completed)
        .hears("j1", 4, EventKind::Completed)
        .assess();
    assert_eq!(written(&made), ["j1 completed"]);
}

#[test]
fn an_end_that_was_heard_and_recorded_is_told_in_the_words_heard_and_by_the_earlier_time() {
    for (updated, at) in [(5, 5), (-5, 0)] {
        let mut record = recorded(JobStatus::Completed);
        record.updated = ago(updated);
        let made = named()
            .record("j1", record)
            .hears("j1", 3, EventKind::Completed)
            .assess();
        let told = &made.job_updates[0];
        assert_eq!(
            (told.trust, told.at, told.detail.as_str()),
            (Trust::Record, ago(at), "all done")
        );
    }
}

#[test]
fn where_it_is_not_sure_whose_session_it_is_its_job_is_not_written() {
    let made = scene()
        .row(row("a.b-creator-claude").job("j1"))
        .server(tmux("default").session(session("a_b-creator-claude").pane(pane(100))))
        .server(silent("zz"))
        .record("j1", recorded(JobStatus::Completed))
        .assess();
    assert_eq!(held(&made), "its session could not be seen");
}

#[test]
fn a_session_from_the_future_puts_no_job_before_itself() {
    let created = |at: i64| {
        let session = session(APP).created(ago(at)).pane(pane(100));
        let made = scene()
            .row(row(APP).job("j1"))
            .server(tmux("default").session(session))
            .record("j1", recorded(JobStatus::Completed));
        written(&made.assess()).len()
    };
    assert_eq!([created(5), created(4), created(0)], [1, 0, 0]);
    assert_eq!(
        created(-1),
        1,
        "the clock was set: nothing is said of order"
    );
}

#[test]
fn a_session_that_is_gone_had_the_jobs_that_ended_in_the_life_that_was_seen() {
    let seen = named().no_record("j1").assess().ledger;
    let ended = |at: i64| {
        let mut record = recorded(JobStatus::Completed);
        record.updated = ago(at);
        let mut gone = scene()
            .row(row(APP).job("j1"))
            .server(tmux("default"))
            .record("j1", record);
        gone.ledger = seen.clone();
        written(&gone.assess()).len()
    };
    assert_eq!([ended(1800), ended(1801)], [1, 0]);
}
