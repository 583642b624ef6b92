//! Class C by inference: the only explanation that is left (rule 7).

use headcount::core::drift::{Confidence, Kind};
use headcount::core::ids::{AgentKind, BootId, ConversationId, Timestamp};
use headcount::core::ledger::KnownAgent;
use headcount::core::sighting::Sighting;
use headcount::core::world::{AgentSight, Candidate, FolderSight};

use super::at_once;
use crate::scene::{
    Pane, Pass, Scene, UID, ago, candidate, dead, not_there, pane, record, row, scene, seen,
    session, tmux, unknown,
};

const CLAUDE: AgentKind = AgentKind::Claude;
const FOLDER: &str = "/src/app";
const WRITTEN: [&str; 1] = ["id_materialized app-creator-claude (conversation_exists): written"];
const AMBIGUOUS: [&str; 1] = ["note ambiguous app-creator-claude"];

/// Claude, proven to keep no live record.
fn unrecorded() -> Pane {
    pane(100).agent(CLAUDE, not_there())
}

fn agents(pane: &Pane) -> Vec<AgentSight> {
    match pane.clone().sight().agents {
        Sighting::Present(agents) => agents,
        _ => Vec::new(),
    }
}

/// A running row with a null id, made half an hour ago, and what its folder holds.
fn with(candidates: Vec<Candidate>, kin: Vec<AgentSight>) -> Scene {
    scene()
        .row(row("app-creator-claude").null_id())
        .server(tmux("default").session(session("app-creator-claude").pane(unrecorded())))
        .folder(CLAUDE, FOLDER, candidates, kin)
}

fn new() -> Candidate {
    candidate("c1", ago(1700))
}

fn alone() -> Vec<AgentSight> {
    agents(&unrecorded())
}

fn folder(scene: &mut Scene) -> &mut FolderSight {
    scene
        .world
        .folders
        .get_mut(&(CLAUDE, FOLDER.to_owned()))
        .unwrap()
}

#[test]
fn the_only_conversation_begun_since_is_the_rows() {
    let pass = with(vec![new()], alone()).pass();
    assert_eq!(pass.says(), WRITTEN);
    assert_eq!(
        pass.drift(Kind::IdMaterialized).confidence,
        Confidence::Inferred
    );
}

#[test]
fn what_was_last_written_before_the_agent_began_is_an_earlier_agents() {
    let with_modified = |modified: Sighting<Timestamp>| {
        let left_behind = Candidate { modified, ..new() };
        at_once(with(vec![left_behind], alone()))
    };
    assert_eq!(with_modified(Sighting::Present(ago(1700))), WRITTEN);
    assert_eq!(with_modified(Sighting::Present(ago(1701))), AMBIGUOUS);
    assert_eq!(with_modified(unknown()), AMBIGUOUS);
}

#[test]
fn nothing_is_inferred_where_a_record_may_only_be_unread() {
    let mut scene = with(vec![new()], alone());
    scene.world.servers.clear();
    let unread = pane(100).agent(CLAUDE, unknown());
    let scene = scene.server(tmux("default").session(session("app-creator-claude").pane(unread)));
    assert_eq!(at_once(scene), ["note unread app-creator-claude"]);
}

#[test]
fn a_recorded_id_is_never_replaced_by_inference() {
    let mut scene = with(vec![new()], alone());
    scene.registry.rows.clear();
    let scene = scene
        .row(row("app-creator-claude").id("c9"))
        .on_disk(CLAUDE, "c9");
    assert_eq!(at_once(scene), [""; 0]);
}

#[test]
fn what_began_before_the_session_is_not_its_own() {
    let old = |at: Timestamp| candidate("c0", at);
    assert_eq!(at_once(with(vec![old(ago(1900))], alone())), [""; 0]);
    assert_eq!(at_once(with(vec![old(ago(1900)), new()], alone())), WRITTEN);
    // tmux tells whole seconds: within that second nobody can tell.
    assert_eq!(at_once(with(vec![old(ago(1800))], alone())), AMBIGUOUS);
    let mut undated = new();
    undated.began = unknown();
    assert_eq!(at_once(with(vec![undated], alone())), AMBIGUOUS);
}

#[test]
fn two_conversations_begun_since_are_ambiguous() {
    let two = vec![new(), candidate("c2", ago(60))];
    assert_eq!(at_once(with(two, alone())), AMBIGUOUS);
}

#[test]
fn a_conversation_of_another_folder_does_not_count_and_a_doubtful_one_does() {
    let elsewhere = |sight: Sighting<()>| {
        let mut it = candidate("c2", ago(60));
        it.in_folder = sight;
        it
    };
    assert_eq!(
        at_once(with(vec![new(), elsewhere(not_there())], alone())),
        WRITTEN
    );
    assert_eq!(
        at_once(with(vec![new(), elsewhere(unknown())], alone())),
        AMBIGUOUS
    );
    assert_eq!(
        at_once(with(vec![elsewhere(unknown())], alone())),
        AMBIGUOUS
    );
}

#[test]
fn a_nested_or_scripted_conversation_is_nobodys() {
    for sight in [not_there(), unknown()] {
        let mut scripted = new();
        scripted.interactive = sight;
        assert_eq!(at_once(with(vec![scripted], alone())), AMBIGUOUS);
    }
}

#[test]
fn a_conversation_that_a_row_records_is_taken() {
    let scene = with(vec![new()], alone())
        .row(row("other").id("c1").status("archived"))
        .on_disk(CLAUDE, "c1");
    assert_eq!(at_once(scene), AMBIGUOUS);
    // A conversation that another row had before is that row's too.
    let mut before = with(vec![new()], alone()).row(row("other").id("c2").status("archived"));
    let ids = before.registry.rows[1].ids.values_mut();
    ids.for_each(|id| id.previous.push(ConversationId::new("c1")));
    assert_eq!(at_once(before), AMBIGUOUS);
}

#[test]
fn a_conversation_that_a_live_record_claims_is_taken() {
    let mut claimed = with(vec![new()], alone());
    folder(&mut claimed).claimed = Sighting::Present([ConversationId::new("c1")].into());
    assert_eq!(at_once(claimed), AMBIGUOUS);
    for sight in [not_there(), unknown()] {
        let mut unread = with(vec![new()], alone());
        folder(&mut unread).claimed = sight;
        assert_eq!(at_once(unread), AMBIGUOUS);
    }
}

#[test]
fn every_other_agent_of_the_folder_must_have_a_proven_conversation() {
    let beside = |live| {
        let mut kin = alone();
        kin.extend(agents(&pane(200).agent(CLAUDE, live)));
        at_once(with(vec![new()], kin))
    };
    assert_eq!(beside(Sighting::Present(record("c2"))), WRITTEN);
    assert_eq!(beside(not_there()), AMBIGUOUS);
    assert_eq!(beside(unknown()), AMBIGUOUS);
    let mut unread = with(vec![new()], alone());
    folder(&mut unread).kin = unknown();
    assert_eq!(at_once(unread), AMBIGUOUS);
}

#[test]
fn an_agent_of_another_user_did_not_make_this_users_file() {
    let beside = |user: Sighting<u32>, owner: Sighting<u32>| {
        let new = Candidate { owner, ..new() };
        let mut kin = alone();
        kin.extend(agents(&pane(200).agent(CLAUDE, unknown())));
        let mut scene = with(vec![new], kin);
        if let Sighting::Present(kin) = &mut folder(&mut scene).kin {
            kin[1].user = user;
        }
        at_once(scene)
    };
    let (ours, theirs) = (Sighting::Present(UID), Sighting::Present(UID + 1));
    assert_eq!(beside(theirs.clone(), ours.clone()), WRITTEN);
    assert_eq!(beside(ours.clone(), ours.clone()), AMBIGUOUS);
    assert_eq!(beside(unknown(), ours), AMBIGUOUS);
    assert_eq!(beside(theirs.clone(), theirs.clone()), AMBIGUOUS);
    assert_eq!(beside(theirs, unknown()), AMBIGUOUS);
}

#[test]
fn an_agent_of_another_kind_in_the_folder_does_not_matter() {
    let agy = pane(200).agent(AgentKind::Agy, unknown());
    let scene = with(vec![new()], alone()).folder(AgentKind::Agy, FOLDER, Vec::new(), agents(&agy));
    assert_eq!(at_once(scene), WRITTEN);
}

/// Another agent of the folder that keeps no live record, in a session nobody asks about.
fn neighbour() -> Pane {
    pane(200).agent(CLAUDE, not_there())
}

/// A later look, with what the first one remembers.
fn later(first: &Pass, mut next: Scene) -> Scene {
    next.ledger = first.ledger.clone();
    next.at_once()
}

#[test]
fn a_conversation_that_a_neighbour_may_have_begun_stays_ambiguous_when_it_has_ended() {
    let mut both = alone();
    both.extend(agents(&neighbour()));
    let first = with(vec![new()], both).pass();
    assert_eq!(first.says(), AMBIGUOUS);

    let second = later(&first, with(vec![new()], alone()).process(1200, dead())).pass();
    assert_eq!(second.says(), AMBIGUOUS);
    let third = later(&second, with(vec![new()], alone())).pass();
    assert_eq!(third.says(), AMBIGUOUS);

    // It is known by itself now.
    let mut known = with(vec![new()], alone()).on_disk(CLAUDE, "c1");
    known.world.servers.clear();
    let proven = session("app-creator-claude").pane(pane(100).claude("c1"));
    let known = known.server(tmux("default").session(proven));
    assert_eq!(later(&third, known).pass().says(), WRITTEN);
}

#[test]
fn a_neighbour_that_was_seen_before_anything_was_said_may_have_said_it() {
    let silent = |scene: Scene| scene.server(tmux("work").session(session("x").pane(neighbour())));
    let first = silent(with(Vec::new(), alone())).pass();
    assert_eq!(first.says(), [""; 0]);

    let second = later(&first, with(vec![new()], alone()).process(1200, dead())).pass();
    assert_eq!(second.says(), AMBIGUOUS);
}

#[test]
fn what_began_after_the_neighbours_end_is_not_its_own() {
    let before = || {
        let mut scene = with(Vec::new(), alone());
        scene = scene.server(tmux("work").session(session("x").pane(neighbour())));
        scene.world.at = ago(1600);
        scene.pass()
    };
    // Its end is met a minute later, and only then is anything said.
    let mut end = with(Vec::new(), alone()).process(1200, dead());
    end.ledger = before().ledger;
    end.world.at = ago(1540);
    let end = end.pass();
    let said = |secs| later(&end, with(vec![candidate("c1", ago(secs))], alone())).pass();
    assert_eq!(said(1539).says(), WRITTEN);
    assert_eq!(said(1540).says(), AMBIGUOUS);
    // As long as its end is not known, it may have begun it.
    let unknown_end = later(&before(), with(vec![candidate("c1", ago(100))], alone()));
    assert_eq!(unknown_end.pass().says(), AMBIGUOUS);
}

#[test]
fn what_began_in_this_boot_is_nobodys_from_before_it() {
    let mut both = alone();
    both.extend(agents(&neighbour()));
    let mut first = with(vec![new()], both).pass();
    first.ledger.agents = first
        .ledger
        .agents
        .into_iter()
        .map(|(mut key, known)| {
            key.boot = BootId::new("another boot");
            (key, known)
        })
        .collect();
    let second = later(&first, with(vec![new()], alone()));
    assert_eq!(second.pass().says(), WRITTEN);
}

#[test]
fn a_neighbour_of_another_folder_kind_or_user_began_nothing_here() {
    let mut both = alone();
    both.extend(agents(&neighbour()));
    let first = with(vec![new()], both).pass();
    let but = |change: &dyn Fn(&mut KnownAgent)| {
        let mut scene = later(&first, with(vec![new()], alone()));
        scene.ledger.agents.values_mut().for_each(change);
        scene.pass().says()
    };
    assert_eq!(but(&|_| {}), AMBIGUOUS);
    assert_eq!(
        but(&|it| it.folder = Some("/src/other".to_owned())),
        WRITTEN
    );
    assert_eq!(but(&|it| it.folder = None), AMBIGUOUS);
    assert_eq!(but(&|it| it.user = Some(UID + 1)), WRITTEN);
    assert_eq!(but(&|it| it.user = None), AMBIGUOUS);

    let mut of_another_kind = later(&first, with(vec![new()], alone()));
    of_another_kind.ledger.agents = of_another_kind
        .ledger
        .agents
        .into_iter()
        .map(|(mut key, known)| {
            key.kind = AgentKind::Agy;
            (key, known)
        })
        .collect();
    assert_eq!(of_another_kind.pass().says(), WRITTEN);
}

#[test]
fn what_a_neighbour_may_have_begun_before_it_became_another_program_stays_ambiguous() {
    let beside = |neighbour: Pane| {
        let scene = with(vec![new()], alone());
        scene.server(tmux("work").session(session("x").pane(neighbour)))
    };
    let mut first = beside(neighbour());
    folder(&mut first).candidates = Sighting::Present(Vec::new());
    let first = first.pass();
    assert_eq!(first.says(), [""; 0]);

    let became_agy = || beside(pane(200).agent(AgentKind::Agy, Sighting::Present(record("c2"))));
    let second = later(&first, became_agy()).pass();
    assert_eq!(second.says(), AMBIGUOUS);
    let third = later(&second, became_agy()).pass();
    assert_eq!(third.says(), AMBIGUOUS);
}

#[test]
fn a_neighbour_whose_conversation_was_proven_since_began_no_other() {
    let beside = |live| {
        let mut kin = alone();
        kin.extend(agents(&pane(200).agent(CLAUDE, live)));
        with(vec![new()], kin)
    };
    let first = beside(unknown()).pass();
    assert_eq!(first.says(), AMBIGUOUS);
    let second = later(&first, beside(Sighting::Present(record("c2")))).pass();
    assert_eq!(second.says(), WRITTEN);
}

#[test]
fn a_neighbour_whose_folder_was_not_known_and_whose_conversation_is_proven_now_began_no_other() {
    let beside = |neighbour: Pane| {
        let scene = with(vec![new()], alone());
        scene.server(tmux("work").session(session("x").pane(neighbour)))
    };
    let mut first = beside(neighbour());
    folder(&mut first).candidates = Sighting::Present(Vec::new());
    let mut first = first.pass();
    first
        .ledger
        .agents
        .values_mut()
        .for_each(|known| known.folder = None);
    let unproven = later(&first, beside(neighbour())).pass();
    assert_eq!(unproven.says(), AMBIGUOUS);
    let proven = later(&first, beside(pane(200).claude("c2"))).pass();
    assert_eq!(proven.says(), WRITTEN);
}

#[test]
fn what_could_once_not_be_told_is_not_told_by_less() {
    let two = || vec![new(), candidate("c2", ago(60))];
    let mut claimed = with(vec![new()], alone());
    folder(&mut claimed).claimed = Sighting::Present([ConversationId::new("c1")].into());
    let recorded = with(vec![new()], alone())
        .row(row("other").id("c1").status("archived"))
        .on_disk(CLAUDE, "c1");
    for more in [with(two(), alone()), claimed, recorded] {
        let first = more.pass();
        assert_eq!(first.says(), AMBIGUOUS);
        let second = later(&first, with(vec![new()], alone())).pass();
        assert_eq!(second.says(), AMBIGUOUS);
        assert_eq!(
            later(&second, with(vec![new()], alone())).pass().says(),
            AMBIGUOUS
        );
    }
}

#[test]
fn a_folder_that_could_not_be_read_gives_nothing() {
    let mut no_folder = with(vec![new()], alone());
    no_folder.world.folders.clear();
    let mut unread = with(vec![new()], alone());
    folder(&mut unread).candidates = unknown();
    for scene in [no_folder, unread, with(Vec::new(), alone())] {
        assert_eq!(at_once(scene), [""; 0]);
    }
}

#[test]
fn the_folder_is_that_of_the_agent() {
    let mut agent = alone().remove(0);
    agent.cwd = Sighting::Present("/src/other".to_owned());
    let mut scene = with(vec![new()], vec![agent.clone()]);
    scene.world.servers.clear();
    let mut server = tmux("default")
        .session(session("app-creator-claude").pane(unrecorded()))
        .sight();
    if let headcount::core::world::ServerState::Listed(listing) = &mut server.state {
        listing.sessions[0].panes[0].agents = Sighting::Present(vec![agent]);
    }
    scene.world.servers.push(server);
    assert_eq!(at_once(scene), [""; 0]);
    assert_eq!(seen(), Sighting::Present(()));
}
