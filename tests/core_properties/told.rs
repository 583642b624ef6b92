//! Of whom what was found is told, and what became of it.

use std::collections::{BTreeMap, BTreeSet};

use headcount::core::drift::Held;
use headcount::core::explain::explain;
use headcount::core::ids::AgentKind::{Agy, Claude};
use headcount::core::ids::{ConversationId, DriftId};
use headcount::core::jobs::{JobId, JobRecord, JobStatus};
use headcount::core::ledger::Acked;
use headcount::core::registry::InvalidRow;
use headcount::core::report::{Account, Outcome, Report, Verdict, Written};
use headcount::core::resume::Resume;
use headcount::core::sighting::Sighting;
use headcount::core::standing::{Scope, Session, Standing, side_by_side};
use headcount::core::world::{Source, SourceState};

use crate::scene::{
    Scene, ago, dead, name, not_there, pane, process, record, row, scene, seen, session, silent,
    tmux,
};
use crate::standing::{report, scope};

const APP: &str = "app-creator-claude";
const LIB: &str = "lib-creator-claude";

fn standing(scene: &Scene) -> Standing {
    Standing::new(scope(scene, &report(scene)))
}

/// How the session of that name stands.
#[track_caller]
fn stands(scene: &Scene, name: &str) -> Session {
    let mut sessions = standing(scene).sessions.into_iter();
    sessions.find(|it| it.name.as_str() == name).unwrap()
}

/// What is told of each session, as a line: `NAME on SERVER (WORD): KIND KIND`.
fn told(scene: &Scene) -> Vec<String> {
    let mut lines: Vec<String> = standing(scene)
        .sessions
        .iter()
        .map(|it| {
            let drifts = it.drifts.iter().map(|told| told.drift.kind.as_str());
            let notes = it.notes.iter().map(|note| note.kind.as_str());
            let kinds: Vec<&str> = drifts.chain(notes).collect();
            let server = it.server.as_ref().map_or("-", |it| it.as_str());
            let word = it.declared.word();
            format!("{} on {server} ({word}): {}", it.name, kinds.join(" "))
        })
        .collect();
    lines.sort();
    lines
}

fn gone() -> Scene {
    scene()
        .row(row(APP).pid(100))
        .server(tmux("default"))
        .process(100, dead())
        .at_once()
}

#[test]
fn every_drift_that_is_due_has_become_what_came_of_writing_it() {
    let scene = gone();
    let made = scene.assess();
    let id = &made.drifts[0].id;
    let outcome = |dry_run: bool, written: &Written| {
        let report = Report::new(Account {
            roll: "roll.yaml",
            dry_run,
            registry: &scene.registry,
            world: &scene.world,
            before: &scene.ledger,
            assessment: &made,
            written,
        });
        report.drifts[0].outcome.clone()
    };
    let applied = |id: &DriftId| Written {
        applied: BTreeSet::from([id.clone()]),
        ..Written::default()
    };
    let locked = Held::Locked("somebody has it".to_owned());
    let obstacle = Written {
        obstacle: Some(locked.clone()),
        ..Written::default()
    };
    let refused = Written {
        refused: BTreeMap::from([(id.clone(), "a tag".to_owned())]),
        ..obstacle.clone()
    };
    let a_tag = Held::NotEditable("a tag".to_owned());
    let others = applied(&DriftId::new("another"));
    assert_eq!(outcome(true, &applied(id)), Outcome::WouldApply);
    assert_eq!(outcome(false, &applied(id)), Outcome::Applied);
    assert_eq!(outcome(false, &others), Outcome::Held(Held::Contended));
    assert_eq!(outcome(false, &obstacle), Outcome::Held(locked));
    assert_eq!(outcome(false, &refused), Outcome::Held(a_tag.clone()));

    assert_eq!(refused.not_editable(id), Some(a_tag.clone()));
    assert_eq!(obstacle.not_editable(id), None);
    let whole = Written {
        obstacle: Some(a_tag.clone()),
        ..Written::default()
    };
    assert_eq!(whole.not_editable(id), Some(a_tag));
}

#[test]
fn what_no_row_declares_is_told_of_the_session_on_its_server() {
    let scene = scene()
        .server(
            tmux("default")
                .session(session(LIB).pane(pane(101).claude("c2")))
                .session(session(APP).pane(pane(100).claude("c1"))),
        )
        .server(tmux("work").session(session(APP).pane(pane(200).claude("c3"))))
        .our_folder("/src/app");
    assert_eq!(
        told(&scene),
        [
            "app-creator-claude on default (no row): unregistered",
            "app-creator-claude on work (no row): name_taken",
            "lib-creator-claude on default (no row): unregistered",
        ]
    );
}

#[test]
fn what_is_told_of_a_row_is_not_told_of_a_stranger_with_its_name() {
    let mut scene = scene()
        .row(row(LIB).pid(101))
        .row(row(APP).on("work"))
        .server(
            tmux("default")
                .session(session(LIB).pane(pane(101).began(ago(3700))))
                .session(session(APP).pane(pane(100).claude("c1"))),
        )
        .server(tmux("work"))
        .our_folder("/src/app");
    scene.registry.invalid.push(InvalidRow {
        index: 2,
        name: Some(name("bad")),
        pid: None,
        problem: "the status is missing".to_owned(),
        line: None,
    });
    assert_eq!(
        told(&scene),
        [
            "app-creator-claude on default (no row): name_taken",
            "app-creator-claude on work (running): tmux_gone",
            "bad on - (wrong row): invalid_row",
            "lib-creator-claude on default (running): agent_exited",
        ]
    );
}

#[test]
fn what_holds_the_end_of_one_row_makes_no_other_doubtful() {
    let elsewhere = process(101).began(ago(3700)).below(&[55, 99]);
    let scene = gone().row(row(LIB).pid(101)).alive(elsewhere);
    assert_eq!(stands(&scene, APP).sight.word(), "gone");
    assert_eq!(stands(&scene, LIB).sight.word(), "gone?");
}

#[test]
fn each_session_has_the_conversation_of_its_own_agent() {
    let scene = scene()
        .row(row(APP).pid(100).id("c1"))
        .row(row(LIB).pid(101).id("c2"))
        .row(row("old-creator-claude").id("c3").stopped(ago(900)))
        .server(
            tmux("default")
                .session(session(APP).pane(pane(100).began(ago(3700)).claude("c1")))
                .session(session(LIB).pane(pane(101).began(ago(3700)).claude("c2")))
                .session(session("x").pane(pane(102).agent(Agy, seen().map(|()| record("c3"))))),
        )
        .on_disk(Claude, "c1")
        .not_on_disk(Claude, "c2")
        .on_disk(Claude, "c3");
    let of = |name: &str| {
        let session = stands(&scene, name);
        let activity = session.last_activity();
        let it = session.conversation.unwrap();
        (it.id.unwrap().to_string(), it.held_by, activity)
    };
    assert_eq!(of(APP), ("c1".to_owned(), Some(1100), Some(ago(60))));
    assert_eq!(of(LIB), ("c2".to_owned(), Some(1101), None));
    assert_eq!(
        of("old-creator-claude"),
        ("c3".to_owned(), None, Some(ago(60)))
    );
}

#[test]
fn what_is_shown_of_a_session_comes_from_the_fuller_look() {
    let look = |notes| {
        scene()
            .server(tmux("default").session(session("shell").pane(pane(100))))
            .server(tmux("work").session(session("notes").pane(notes)))
    };
    let scene = look(pane(200).agents_unread());
    let fuller = look(pane(200).claude("c1")).world;
    assert_eq!(stands(&scene, "notes").sight.word(), "alive?");
    let report = report(&scene);
    let standing = Standing::new(Scope {
        all: &fuller,
        ..scope(&scene, &report)
    });
    let sights: BTreeMap<_, _> = standing
        .sessions
        .iter()
        .map(|it| (it.name.as_str(), it.sight.as_str()))
        .collect();
    let expected = [("notes", "agent"), ("shell", "no_agent")];
    assert_eq!(sights, BTreeMap::from(expected));
}

#[test]
fn some_sessions_have_the_verdict_that_they_have_without_the_others() {
    let scene = scene()
        .row(row(APP).pid(100).on("default"))
        .server(tmux("default"))
        .process(100, dead())
        .row(row("far-creator-claude").on("far"))
        .row(row(LIB).pid(101))
        .server(silent("far"))
        .server(tmux("work").session(session(LIB).pane(pane(101).began(ago(3700)).claude("c2"))));
    let verdict = |wanted: &str| {
        let some = standing(&scene).of(|session| session.name.as_str().starts_with(wanted));
        some.verdict
    };
    assert_eq!(verdict(LIB), Verdict::InOrder);
    assert_eq!(verdict(APP), Verdict::Drifted);
    assert_eq!(verdict("far"), Verdict::Blind);
    assert_eq!(verdict(""), Verdict::Blind);
}

#[test]
fn what_no_roll_declares_is_told_once_after_all_rolls() {
    let new = "new-creator-claude";
    let machine = |declared: &str| {
        let sessions = [(APP, 100), ("library", 101), (new, 102), ("notes", 103)];
        let server = sessions
            .iter()
            .fold(tmux("default"), |server, (name, pid)| {
                server.session(session(name).pane(pane(*pid)))
            });
        scene().row(row(declared)).server(server)
    };
    let ours = standing(&machine(APP).our_folder("/src/app"));
    let mut others = machine("library");
    others.policy.beside_others = true;
    others
        .world
        .nearest_rolls
        .insert("/src/app".to_owned(), not_there());
    let others = standing(&others);
    let names = |standings: Vec<Standing>| -> Vec<(bool, Vec<String>)> {
        let standings = side_by_side(standings).into_iter();
        standings
            .map(|it| {
                let mut names: Vec<_> = it.sessions.iter().map(|it| it.name.to_string()).collect();
                names.sort();
                (it.roll.is_some(), names)
            })
            .collect()
    };
    let strings = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
    // The session that the first roll is about to take up is its own.
    assert_eq!(
        names(vec![ours.clone(), others.clone()]),
        [
            (true, strings(&[APP, new])),
            (true, strings(&["library"])),
            (false, strings(&["notes"])),
        ]
    );
    let mut declared = ours;
    declared.sessions.retain(|it| it.name.as_str() == APP);
    assert_eq!(names(vec![declared]), [(true, strings(&[APP]))]);
}

#[test]
fn a_job_is_told_as_its_row_has_it_else_as_its_record_does() {
    let record = |status| {
        Sighting::Present(JobRecord {
            status,
            created: Some(ago(1700)),
            updated: ago(5),
            session: None,
            needs_signature: false,
        })
    };
    let job = |in_the_row: Option<JobStatus>, record: Sighting<JobRecord>| {
        let mut scene = gone();
        let row = &mut scene.registry.rows[0];
        row.job = Some("j1".to_owned());
        row.job_status = in_the_row;
        row.job_status_of = in_the_row.map(|_| "j1".to_owned());
        let id = JobId::parse("j1").expect("an id");
        scene.world.jobs.records.insert(id, record);
        let job = stands(&scene, APP).job.expect("a job");
        assert_eq!(job.id, "j1");
        job.state
    };
    assert_eq!(job(None, record(JobStatus::Running)), Some("running"));
    let of_the_row = job(Some(JobStatus::Error), record(JobStatus::Running));
    assert_eq!(of_the_row, Some("error"));
    assert_eq!(job(None, not_there()), None);
    assert_eq!(stands(&gone(), APP).job, None);
}

#[test]
fn the_outcome_of_an_earlier_job_is_not_that_of_the_one_at_work() {
    let mut scene = gone();
    let row = &mut scene.registry.rows[0];
    row.job = Some("j2".to_owned());
    row.job_status = Some(JobStatus::Completed);
    row.job_status_of = Some("j1".to_owned());
    let job = stands(&scene, APP).job.expect("a job");
    assert_eq!((job.id.as_str(), job.state), ("j2", None));
}

#[test]
fn all_that_lives_is_named_once_and_in_order() {
    let scene = scene()
        .server(tmux("work").session(session(APP).pane(pane(100))))
        .server(
            tmux("default")
                .session(session(LIB).pane(pane(200)))
                .session(session(APP).pane(pane(300))),
        )
        .server(silent("other"));
    assert_eq!(scene.world.alive(), [name(APP), name(LIB)]);
}

#[test]
fn what_a_person_said_to_know_of_is_counted() {
    let scene = scene()
        .row(row(APP).stopped(ago(60)).id("c1"))
        .server(tmux("default"))
        .not_on_disk(Claude, "c1");
    assert_eq!(standing(&scene).acknowledged, 0);
    let mut known = scene.clone();
    known.ledger = scene.assess().ledger;
    for open in known.ledger.drifts.values_mut() {
        open.acked = Some(Acked {
            reason: "missing".to_owned(),
            told_as: "told".to_owned(),
        });
    }
    assert_eq!(standing(&known).acknowledged, 1);
}

#[test]
fn earlier_conversations_are_offered_as_far_as_they_have_a_file() {
    let mut scene = scene()
        .row(row(APP).id("c3"))
        .server(tmux("default").session(session(APP).pane(pane(100).claude("c3"))))
        .on_disk(Claude, "c1")
        .not_on_disk(Claude, "c2");
    let ids = scene.registry.rows[0].ids.get_mut(&Claude).expect("its id");
    ids.previous = vec![ConversationId::new("c2"), ConversationId::new("c1")];
    let report = report(&scene);
    let scope = scope(&scene, &report);
    let told = explain(scope, &stands(&scene, APP), Some("/home/u/.claude"));
    let offered: Vec<(&str, bool)> = told
        .earlier
        .iter()
        .map(|it| (it.id.as_str(), matches!(it.resume, Resume::By(_))))
        .collect();
    assert_eq!(offered, [("c2", false), ("c1", true)]);
}

#[test]
fn what_could_not_be_seen_is_told_and_nothing_else() {
    let mut scene = gone();
    let source = |name: &str, state| Source {
        name: name.to_owned(),
        state,
        reason: "so it was".to_owned(),
        at: ago(1),
    };
    scene.world.sources = vec![
        source("tmux:default", SourceState::Present),
        source("tmux:work", SourceState::Absent),
        source("processes", SourceState::Unknown),
    ];
    let standing = standing(&scene);
    let unseen: Vec<&str> = standing.unseen().map(|it| it.name.as_str()).collect();
    assert_eq!(unseen, ["processes"]);
}
