//! How sessions are explained to a person: each picture is a scene, and all that is told of its first session.
//!
//! The rules say what is decided; here it is pinned in which words that is told, and that what is told of the
//! evidence is what the rules went by. `just accept` paints anew what was meant to change.

use std::fmt::Write as _;

use headcount::core::explain::explain;
use headcount::core::ids::AgentKind::{Agy, Claude, Codex};
use headcount::core::ids::Fingerprint;
use headcount::core::interrupted::interrupted;
use headcount::core::policy::Policy;
use headcount::core::registry::{InvalidRow, Registry};
use headcount::core::sighting::Sighting;
use headcount::core::standing::{Scope, Standing};
use headcount::core::world::{Artifact, Source, SourceState};
use headcount::tell::explanation::lines;
use headcount::tell::paint::Paint;
use headcount::tell::status::summary;

use crate::scene::{
    Declared, Pane, Scene, Server, Session, ago, dead, missing, name, not_there, pane, process,
    record, refused, row, scene, session, silent, tmux, unknown,
};
use crate::standing::report;

const APP: &str = "app-creator-claude";

/// All that is told of the session that comes first, and the machine's summary.
fn picture(scene: &Scene) -> String {
    let report = report(scene);
    let scope = Scope {
        registry: &scene.registry,
        has_roll: scene.registry.fingerprint != Fingerprint::new("none"),
        world: &scene.world,
        all: &scene.world,
        ledger: &scene.ledger,
        policy: &scene.policy,
        report: &report,
    };
    let standing = Standing::new(scope);
    let first = &standing.sessions[0];
    let mut picture = format!("{}\n{}\n\n", summary(&standing), first.concern().as_str());
    for line in lines(&explain(scope, first, Some("/home/u/.claude")), None) {
        writeln!(picture, "{}", line.painted(Paint::Plain).trim_end()).expect("a string");
    }
    for it in interrupted(scope, &standing, Some("/home/u/.claude")) {
        let anew = it.in_tmux.as_deref().unwrap_or("no");
        writeln!(
            picture,
            "\nInterrupted: {} on {}\n  {:?}\n  in tmux: {anew}",
            it.name, it.server, it.resume
        )
        .expect("a string");
    }
    picture
}

macro_rules! shows {
    ($scene:expr) => {
        insta::with_settings!({ omit_expression => true }, {
            insta::assert_snapshot!(picture(&$scene))
        })
    };
}

/// A row that records its pane and conversation.
fn declared() -> Declared {
    row(APP).pid(100).cwd("/src/app").id("c1")
}

/// The session of it, with what runs in its pane.
fn lives(pane: Pane) -> Server {
    tmux("default").session(session(APP).pane(pane))
}

fn shell() -> Pane {
    pane(100).began(ago(3700))
}

/// A machine with that row and that server, on which conversation `c1` has a file.
fn machine(row: Declared, server: Server) -> Scene {
    scene().row(row).server(server).on_disk(Claude, "c1")
}

/// The same a minute later, after a pass that has seen this before.
fn after(earlier: &Scene, later: Scene) -> Scene {
    later.after(&earlier.pass(), 60)
}

fn source(name: &str, state: SourceState, reason: &str) -> Source {
    Source {
        name: name.to_owned(),
        state,
        reason: reason.to_owned(),
        at: ago(1),
    }
}

#[test]
fn a_session_in_order() {
    let mut scene = machine(declared(), lives(shell().claude("c1")));
    scene.world.sources = vec![
        source("tmux:default", SourceState::Present, "1 session listed"),
        source("tmux:work", SourceState::Present, "no session listed"),
    ];
    shows!(scene);
}

#[test]
fn a_session_in_order_that_was_seen_before() {
    let scene = machine(declared(), lives(shell().claude("c1")));
    shows!(after(&scene, scene.clone()));
}

#[test]
fn an_agent_that_says_what_it_does() {
    let mut busy = record("c1");
    busy.activity = Some("busy".to_owned());
    shows!(machine(
        declared(),
        lives(shell().agent(Claude, Sighting::Present(busy)))
    ));
}

#[test]
fn two_agents_in_one_pane() {
    shows!(machine(
        declared(),
        lives(shell().claude("c1").claude("c2"))
    ));
}

#[test]
fn another_agent_than_the_row_says() {
    shows!(machine(
        declared(),
        lives(shell().agent(Codex, not_there()))
    ));
}

#[test]
fn an_agent_in_another_pane() {
    let session = session(APP).pane(shell()).pane(pane(101).claude("c1"));
    shows!(machine(declared(), tmux("default").session(session)));
}

#[test]
fn another_pane_that_could_not_be_read() {
    let session = session(APP).pane(shell()).pane(pane(101).agents_unread());
    shows!(machine(declared(), tmux("default").session(session)));
}

#[test]
fn a_session_without_its_agent() {
    shows!(machine(declared(), lives(shell())));
}

#[test]
fn a_pane_whose_program_has_ended() {
    shows!(machine(declared(), lives(shell().dead())));
}

#[test]
fn a_pane_that_could_not_be_read() {
    shows!(machine(declared(), lives(shell().agents_unread())));
}

#[test]
fn panes_of_which_none_is_known_to_be_meant() {
    let two = session(APP).pane(pane(200).agents_unread()).pane(pane(201));
    shows!(machine(row(APP), tmux("default").session(two)));
}

#[test]
fn an_agent_whose_record_could_not_be_read() {
    shows!(machine(declared(), lives(shell().agent(Claude, unknown()))));
}

#[test]
fn a_conversation_before_its_first_message() {
    let scene = scene()
        .row(row(APP).pid(100).null_id())
        .server(lives(shell().claude("c1")))
        .not_on_disk(Claude, "c1");
    shows!(scene);
}

#[test]
fn a_new_conversation_in_a_session() {
    shows!(machine(declared(), lives(shell().claude("c2"))).on_disk(Claude, "c2"));
}

#[test]
fn a_recorded_conversation_without_a_file() {
    let scene = scene()
        .row(declared())
        .server(lives(shell().agent(Claude, not_there())))
        .not_on_disk(Claude, "c1");
    shows!(scene);
}

#[test]
fn a_conversation_that_two_processes_have() {
    let mut scene = machine(declared(), lives(shell().claude("c1")));
    let both = [1100_u32, 4711].map(|pid| headcount::core::ids::ProcessId {
        pid,
        start: u64::from(pid) * 1000,
    });
    scene
        .world
        .shared
        .insert(headcount::core::ids::ConversationId::new("c1"), both.into());
    shows!(scene);
}

#[test]
fn an_agent_whose_conversations_nobody_records() {
    let codex = row("app-creator-codex").pid(100);
    let session = session("app-creator-codex").pane(shell().agent(Codex, not_there()));
    shows!(scene().row(codex).server(tmux("default").session(session)));
}

#[test]
fn an_agy_session() {
    let scene = scene()
        .row(row("app-creator-agy").pid(100).cwd("/src/app"))
        .server(tmux("default").session(
            session("app-creator-agy").pane(shell().agent(Agy, Sighting::Present(record("a1")))),
        ))
        .on_disk(Agy, "a1");
    shows!(scene);
}

#[test]
fn a_session_that_is_proven_to_be_gone() {
    shows!(machine(declared(), tmux("default")).process(100, dead()));
}

#[test]
fn a_session_that_was_proven_to_be_gone_before() {
    let scene = machine(declared(), tmux("default")).process(100, dead());
    shows!(after(&scene, scene.clone()));
}

#[test]
fn a_session_whose_server_has_no_listener() {
    shows!(machine(declared(), refused("default").listener(not_there())).process(100, dead()));
}

#[test]
fn a_session_that_ended_and_is_gone() {
    shows!(machine(declared().stopped(ago(900)), tmux("default")));
}

#[test]
fn a_stopped_session_that_lives() {
    shows!(machine(
        declared().stopped(ago(900)),
        lives(shell().claude("c1"))
    ));
}

#[test]
fn a_session_that_began_again_after_its_end() {
    let again = session(APP)
        .created(ago(600))
        .pane(pane(200).began(ago(600)).claude("c1"));
    shows!(machine(
        declared().stopped(ago(900)),
        tmux("default").session(again)
    ));
}

#[test]
fn a_session_that_was_ended_by_mistake() {
    let earlier = machine(declared(), lives(shell().claude("c1")));
    let ended = machine(
        declared().auto_detected(ago(30)),
        lives(shell().claude("c1")),
    );
    shows!(after(&earlier, ended));
}

#[test]
fn a_running_row_with_a_new_pane() {
    let new = session(APP)
        .created(ago(600))
        .pane(pane(200).began(ago(600)).claude("c1"));
    shows!(machine(declared(), tmux("default").session(new)).process(100, dead()));
}

#[test]
fn a_process_that_lives_below_no_server_that_was_seen() {
    let orphan = process(100).began(ago(3700)).below(&[1]);
    shows!(machine(declared(), tmux("default")).alive(orphan));
}

#[test]
fn a_process_that_lives_on_another_server() {
    let elsewhere = process(100).began(ago(3700)).below(&[77]);
    let other = tmux("work").session(session("other").pane(pane(300)));
    shows!(
        machine(declared().on("default"), tmux("default"))
            .server(other)
            .alive(elsewhere)
    );
}

#[test]
fn a_process_that_could_not_be_asked() {
    shows!(machine(declared(), tmux("default")).process(100, unknown()));
}

#[test]
fn a_pid_that_was_used_again() {
    shows!(machine(declared(), tmux("default")).alive(process(100).began(ago(60)).below(&[1])));
}

#[test]
fn a_pid_that_may_be_the_recorded_one() {
    shows!(machine(declared(), tmux("default")).alive(process(100).began(ago(3599)).below(&[1])));
}

#[test]
fn a_session_that_was_renamed() {
    let renamed = session("new-name").pane(shell().claude("c1"));
    shows!(machine(declared(), tmux("default").session(renamed)));
}

#[test]
fn a_session_that_was_moved_without_its_pane() {
    let theirs = process(100).began(ago(3700)).below(&[300, 10]);
    let other = session("other").pane(pane(300));
    shows!(machine(declared(), tmux("default").session(other)).alive(theirs));
}

#[test]
fn many_ends_at_once() {
    let mut scene = scene().server(tmux("default"));
    for nth in 0..4 {
        scene = scene.row(row(&format!("{nth}-creator-claude")));
    }
    shows!(scene);
}

#[test]
fn a_row_that_is_not_at_home_here() {
    let mut scene = machine(declared(), tmux("default")).process(100, dead());
    scene.world.vantage.roll_is_local = not_there();
    shows!(scene);
}

#[test]
fn a_row_that_was_seen_on_another_machine() {
    let earlier = machine(declared(), lives(shell().claude("c1")));
    let mut scene = after(
        &earlier,
        machine(declared(), tmux("default")).process(100, dead()),
    );
    scene.world.vantage.place.machine = "there".to_owned();
    shows!(scene);
}

#[test]
fn a_server_that_could_not_be_listed() {
    let mut scene = machine(declared(), silent("default"));
    scene.world.sources = vec![source(
        "tmux:default",
        SourceState::Unknown,
        "it does not answer",
    )];
    shows!(scene);
}

#[test]
fn a_server_that_is_not_there() {
    shows!(machine(declared().on("work"), missing("work")).server(tmux("default")));
}

#[test]
fn a_stray_server_that_could_not_be_listed() {
    let stray = silent("zz").stray();
    shows!(
        machine(declared(), tmux("default"))
            .server(stray)
            .process(100, dead())
    );
}

#[test]
fn strays_that_could_not_be_looked_for() {
    let mut scene = machine(declared(), tmux("default")).process(100, dead());
    scene.world.strays = unknown();
    shows!(scene);
}

#[test]
fn a_session_that_may_be_another_rows() {
    let shared = session("shared").pane(shell().claude("c1"));
    let scene = machine(declared(), tmux("default").session(shared))
        .row(row("other-creator-claude").pid(100));
    shows!(scene);
}

#[test]
fn a_session_on_another_server() {
    let here = tmux("work").session(session(APP).pane(shell().claude("c1")));
    shows!(machine(declared(), here).server(tmux("default")));
}

#[test]
fn an_undeclared_agent() {
    shows!(
        scene()
            .server(lives(pane(100).claude("c1")))
            .our_folder("/src/app")
            .on_disk(Claude, "c1")
    );
}

#[test]
fn an_undeclared_agent_that_has_just_begun() {
    let new = tmux("default").session(session(APP).created(ago(5)).pane(pane(100).claude("c1")));
    shows!(
        scene()
            .server(new)
            .our_folder("/src/app")
            .on_disk(Claude, "c1")
    );
}

#[test]
fn an_undeclared_shell() {
    shows!(scene().server(tmux("default").session(session("notes").pane(pane(100)))));
}

#[test]
fn a_session_that_shows_anothers_panes() {
    let first: Session = session("aaa").tmux_id("$1").pane(pane(100));
    let second = session("bbb")
        .tmux_id("$2")
        .created(ago(60))
        .pane(pane(100));
    let mut scene = scene().server(tmux("default").session(first).session(second));
    scene.policy = Policy {
        ignored: Vec::new(),
        ..Policy::default()
    };
    shows!(scene);
}

fn wrong_row() -> InvalidRow {
    InvalidRow {
        index: 0,
        name: Some(name(APP)),
        pid: None,
        problem: "the status is missing".to_owned(),
        line: Some(3),
    }
}

#[test]
fn a_row_that_cannot_be_read() {
    let mut scene = scene().server(tmux("default"));
    scene.registry.invalid.push(wrong_row());
    shows!(scene);
}

#[test]
fn a_live_session_whose_row_cannot_be_read() {
    let mut scene = scene().server(lives(shell().claude("c1")));
    scene.registry.invalid.push(wrong_row());
    shows!(scene);
}

#[test]
fn a_status_that_nobody_knows() {
    shows!(machine(
        declared().status("resting"),
        lives(shell().claude("c1"))
    ));
}

#[test]
fn a_machine_without_a_roll() {
    let mut scene = scene().server(lives(shell().claude("c1")));
    scene.registry = Registry {
        fingerprint: Fingerprint::new("none"),
        ..scene.registry
    };
    shows!(scene);
}

#[test]
fn a_conversation_of_another_root() {
    let elsewhere = Artifact {
        path: "/home/u/second root/projects/-src-app/c1.jsonl".to_owned(),
        modified: ago(60),
        in_folder: Sighting::Present(()),
    };
    let scene = scene()
        .row(declared().stopped(ago(900)))
        .server(tmux("default"))
        .artifact(Claude, "c1", Sighting::Present(elsewhere));
    shows!(scene);
}

#[test]
fn a_conversation_whose_file_could_not_be_looked_for() {
    let scene = scene()
        .row(declared().stopped(ago(900)))
        .server(tmux("default"))
        .artifact(Claude, "c1", unknown());
    shows!(scene);
}

#[test]
fn a_folder_that_begins_with_a_hyphen() {
    let odd = row(APP).cwd("-my folder").id("c1").stopped(ago(900));
    shows!(machine(odd, tmux("default")));
}

/// A machine that was started again since: an hour ago the session was seen.
fn rebooted(row: Declared, now: Server) -> Scene {
    let mut earlier = machine(declared(), lives(shell().claude("c1")));
    earlier.world.vantage.boot = headcount::core::ids::BootId::new("the boot before");
    earlier.now = ago(90_000);
    earlier.world.at = ago(90_000);
    let mut scene = machine(row, now).process(100, dead());
    scene.ledger = earlier.pass().ledger;
    scene
}

#[test]
fn a_session_that_a_reboot_ended() {
    shows!(rebooted(
        declared(),
        refused("default").listener(not_there())
    ));
}

#[test]
fn a_session_that_a_reboot_ended_and_a_pass_has_marked() {
    shows!(rebooted(
        declared().auto_detected(ago(600)),
        refused("default").listener(not_there())
    ));
}

#[test]
fn a_session_that_somebody_stopped_before_the_reboot() {
    shows!(rebooted(
        declared().stopped(ago(600)),
        refused("default").listener(not_there())
    ));
}

#[test]
fn a_session_that_runs_again_after_the_reboot() {
    shows!(rebooted(declared(), lives(pane(100).claude("c1"))));
}

#[test]
fn a_session_that_a_reboot_ended_and_whose_server_does_not_answer() {
    shows!(rebooted(declared(), silent("default")));
}

#[test]
fn a_session_of_another_machine_that_was_started_again() {
    let mut scene = rebooted(declared(), refused("default").listener(not_there()));
    scene.world.vantage.place.machine = "there".to_owned();
    shows!(scene);
}

#[test]
fn a_row_from_before_the_reboot_that_no_pass_has_seen() {
    let nobody = refused("default").listener(not_there());
    shows!(
        machine(declared(), nobody)
            .process(100, dead())
            .roll_written(ago(90_000))
    );
}

#[test]
fn a_session_that_is_left_alone() {
    let mut scene = machine(declared(), lives(shell()));
    scene.policy.ignored = vec!["app-*".parse().expect("a pattern")];
    shows!(scene);
}
