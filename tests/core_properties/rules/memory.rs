//! What the memory keeps of processes, servers and rows, and what it takes to forget one.

use headcount::core::ids::AgentKind::{Claude, Codex};
use headcount::core::ids::{BootId, ConversationId, ProcessId};
use headcount::core::ledger::{KnownAgent, Ledger, RowKey};
use headcount::core::sighting::Sighting;
use headcount::core::world::{ProcessSight, Vantage};

use super::at_once;
use crate::scene::{
    Pane, Pass, Scene, Server, ago, dead, here, name, not_there, pane, process, row, scene,
    server_name, session, silent, tmux, unknown,
};

const APP: &str = "app-creator-claude";

fn runs(pane: Pane) -> Scene {
    scene()
        .row(row(APP).pid(100))
        .server(tmux("default").session(session(APP).pane(pane)))
}

/// A look at an agent whose conversation nobody knows.
fn met() -> Pass {
    runs(pane(100).agent(Claude, not_there())).pass()
}

#[track_caller]
fn claude(ledger: &Ledger) -> &KnownAgent {
    let mut agents = ledger.agents.iter();
    let found = agents.find(|(key, _)| key.kind == Claude);
    found.expect("the agent is remembered").1
}

/// The agent's process, which is the first below the pane's.
const AGENT: u32 = 1100;

#[test]
fn an_agent_is_gone_when_its_process_is_proven_dead() {
    let later = runs(pane(100)).process(AGENT, dead()).after(&met(), 60);
    assert_eq!(claude(&later.pass().ledger).gone, Some(ago(-60)));
}

#[test]
fn an_agent_that_is_not_seen_is_not_gone_for_that() {
    for sight in [None, Some(unknown())] {
        let mut later = runs(pane(100).agents_unread());
        if let Some(sight) = sight {
            later = later.process(AGENT, sight);
        }
        assert_eq!(claude(&later.after(&met(), 60).pass().ledger).gone, None);
    }
}

#[test]
fn an_agent_is_gone_when_its_process_is_another_agent_now() {
    let later = runs(pane(100).agent(Codex, not_there())).after(&met(), 60);
    assert_eq!(claude(&later.pass().ledger).gone, Some(ago(-60)));
}

#[test]
fn an_agent_beside_another_one_is_not_gone() {
    let both = runs(
        pane(100)
            .agent(Claude, not_there())
            .agent(Codex, not_there()),
    );
    assert_eq!(claude(&both.after(&met(), 60).pass().ledger).gone, None);
}

#[test]
fn what_is_seen_here_says_nothing_of_an_agent_elsewhere() {
    let mut elsewhere = met();
    let agents = std::mem::take(&mut elsewhere.ledger.agents);
    elsewhere.ledger.agents = agents
        .into_iter()
        .map(|(mut key, known)| {
            key.place.machine = "there".to_owned();
            (key, known)
        })
        .collect();
    let later = runs(pane(100)).process(AGENT, dead());
    let later = later.after(&elsewhere, 60).pass();
    assert_eq!(claude(&later.ledger).gone, None);
}

#[test]
fn a_process_has_ended_if_it_is_gone_or_another_or_waits_to_be_reaped() {
    let id = process(100).sight().id;
    let another = ProcessId {
        start: id.start + 1,
        ..id
    };
    let is = |sight| scene().process(100, sight).world.has_ended(id);
    assert!(is(dead()));
    assert!(is(Sighting::Present(vec![process(100).zombie().sight()])));
    assert!(!is(Sighting::Present(vec![process(100).sight()])));
    assert!(!is(unknown()));
    assert!(!scene().world.has_ended(id));
    assert!(scene().alive(process(100)).world.has_ended(another));
}

/// Whether a row's end is written whose session was last seen on another life of its server, and whose pid that life
/// had is now what this sight says.
fn is_ended(server: Sighting<Vec<ProcessSight>>) -> bool {
    let before = scene()
        .row(row(APP))
        .server(
            tmux("default")
                .life(55, ago(3600))
                .session(session(APP).pane(pane(100))),
        )
        .pass();
    let later = scene()
        .row(row(APP))
        .server(tmux("default").life(56, ago(60)))
        .process(55, server)
        .after(&before, 60);
    at_once(later) == [format!("tmux_gone {APP} (server_restarted): written")]
}

#[test]
fn a_server_was_started_again_only_if_its_old_process_is_proven_to_be_no_more() {
    let began = |at| Sighting::Present(vec![process(55).began(at).sight()]);
    assert!(is_ended(dead()));
    assert!(is_ended(Sighting::Present(vec![
        process(55).began(ago(3600)).zombie().sight()
    ])));
    assert!(is_ended(began(ago(600))));
    // Root may look after the sessions of others.
    assert!(!is_ended(Sighting::Present(vec![
        process(55).began(ago(3600)).of_another_user().sight()
    ])));
    assert!(!is_ended(began(ago(3600))));
    assert!(!is_ended(began(ago(3599))));
    assert!(!is_ended(unknown()));
}

#[test]
fn a_row_that_was_put_back_has_its_old_server_and_id_and_no_life_that_it_had_since() {
    let key = |server| RowKey {
        name: name(APP),
        server,
    };
    let work = Some(server_name("work"));
    let moved = scene()
        .row(row(APP).on("work").id("c2"))
        .server(tmux("work").session(session(APP).pane(pane(100).claude("c2"))))
        .on_disk(Claude, "c2")
        .pass();
    let mut ledger = moved.ledger.clone();
    assert!(ledger.rows[&key(work.clone())].alive.is_some());

    let old = (Claude, Some(ConversationId::new("c1")));
    ledger.note_put_back(&key(None), work.as_ref(), true, Some(old));

    assert!(!ledger.rows.contains_key(&key(work)));
    let row = &ledger.rows[&key(None)];
    assert_eq!(row.alive, None);
    assert_eq!(row.ids[&Claude].recorded, Some(ConversationId::new("c1")));
}

#[test]
fn a_row_that_was_put_back_in_its_place_keeps_its_life() {
    let mut ledger = met().ledger;
    let key = RowKey {
        name: name(APP),
        server: None,
    };
    let before = ledger.rows[&key].clone();
    ledger.note_put_back(&key, None, false, None);
    assert_eq!(ledger.rows[&key], before);
}

#[test]
fn only_what_was_noted_by_a_clock_of_this_place_and_boot_is_moved_with_it() {
    let mut before = met().ledger;
    let known = |ledger: &Ledger| ledger.rows.values().next().expect("a row").since;
    let noted = known(&before);
    let mut vantage = scene().world.vantage;
    vantage.booted_at = vantage.booted_at.plus(std::time::Duration::from_secs(100));
    let later = noted.plus(std::time::Duration::from_secs(100));
    assert_eq!(known(&before.by_the_clock_of(&vantage)), later);
    let mut move_to = |place: &str, boot: &str| {
        let row = before.rows.values_mut().next().expect("a row");
        row.since_boot = (here(), BootId::new(boot));
        row.since_boot.0.machine = place.to_owned();
        known(&before.by_the_clock_of(&vantage))
    };
    assert_eq!(move_to("here", "this boot"), later);
    assert_eq!(move_to("there", "this boot"), noted);
    assert_eq!(move_to("here", "another boot"), noted);
    let was_set = |vantage: &Vantage| before.by_the_clock_of(vantage).clock.clone();
    assert_ne!(was_set(&vantage), before.clock);
    vantage.boot = BootId::new("another boot");
    assert_eq!(was_set(&vantage), before.clock);
}

#[test]
fn a_row_is_as_old_as_the_process_that_it_records() {
    let met = |pid: u32| {
        let mut later = scene().row(row(APP).pid(pid)).after(&met(), 60);
        later.registry.written_at = ago(30);
        later
            .pass()
            .ledger
            .rows
            .values()
            .next()
            .expect("a row")
            .since
    };
    assert_eq!(met(100), ago(3600));
    assert_eq!(met(200), ago(30));
}

#[test]
fn an_agent_that_is_seen_in_two_folders_may_work_in_either() {
    let shown = || pane(100).agent(Claude, not_there());
    let beside = |folder: &str| {
        let Sighting::Present(agents) = shown().sight().agents else {
            panic!("an agent is in it");
        };
        let scene = runs(shown()).folder(Claude, folder, Vec::new(), agents);
        claude(&scene.pass().ledger).folder.clone()
    };
    assert_eq!(beside("/src/app").as_deref(), Some("/src/app"));
    assert_eq!(beside("/src/docs"), None);
}

#[test]
fn an_undeclared_session_is_not_over_while_its_server_cannot_be_seen() {
    let other = || scene().row(row("docs-creator-claude").on("work"));
    let young = session(APP).created(ago(5)).pane(pane(100));
    let first = other().server(tmux("default").session(young)).pass();
    assert_eq!(first.ledger.drifts.len(), 1);
    let open = |server: Server| {
        let later = other().server(server).after(&first, 10).pass();
        later.ledger.drifts.len()
    };
    assert_eq!(open(silent("default")), 1);
    assert_eq!(open(tmux("default")), 0);
}
