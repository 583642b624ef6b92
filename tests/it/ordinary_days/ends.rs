//! Sessions that end: killed, with their server, by the stop skill, or only in appearance.

use super::{Memory, agents, assert_ended, assert_running, enrol, enrol_by_name, walked_both_ways};
use crate::support::{Agent, Machine};

walked_both_ways! {
    two_sessions_are_killed_beside_a_third,
    the_only_two_sessions_are_killed,
    two_sessions_of_which_only_the_names_are_known_are_killed,
    a_server_is_killed_with_three_sessions,
    a_server_is_killed_with_five_sessions_beside_another_server,
    a_server_is_killed_with_three_sessions_of_which_only_the_names_are_known,
    a_server_is_killed_and_another_started,
    the_stop_skill_stops_a_session,
    a_session_is_renamed,
    a_session_is_renamed_as_an_agents_session_would_be,
}

fn two_sessions_are_killed_beside_a_third(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(
        &machine,
        [
            "shop-creator-claude",
            "docs-creator-claude",
            "news-creator-claude",
        ],
    );
    enrol(&machine, &sessions);
    memory.of(&machine);
    let [shop, docs, news] = &sessions;

    shop.kill();
    docs.kill();
    let pass = machine.reconcile().grace(1).run().exits(0);

    assert_ended(&machine, &pass, shop, "session_gone");
    assert_ended(&machine, &pass, docs, "session_gone");
    pass.has_no_drift(&news.name);
    assert_running(&machine, &news.name);
    let comment = format!(
        "shop-creator-claude: tmux gone (was pane {}, cmd claude). Marked terminated.",
        shop.pid()
    );
    assert_eq!(pass.drift("A", &shop.name)["comment"], comment);
    machine.reconcile().run().exits(0).has_no_drifts();
}

fn the_only_two_sessions_are_killed(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop-creator-claude", "docs-creator-claude"]);
    enrol(&machine, &sessions);
    memory.of(&machine);

    // tmux ends with its last session, and leaves its socket behind.
    let server = machine.server("default").process();
    for session in &sessions {
        session.kill();
    }
    server.wait_for_end();
    let pass = machine.reconcile().grace(1).run().exits(0);

    for session in &sessions {
        assert_ended(&machine, &pass, session, "server_gone");
    }
}

fn two_sessions_of_which_only_the_names_are_known_are_killed(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol_by_name(&machine, &sessions);
    memory.of(&machine);
    let [shop, docs, news] = &sessions;

    shop.kill();
    docs.kill();
    let pass = machine.reconcile().grace(1).run().exits(0);

    assert_ended(&machine, &pass, shop, "session_gone");
    assert_ended(&machine, &pass, docs, "session_gone");
    assert_running(&machine, &news.name);
    let comment = "shop: tmux gone. Marked terminated.";
    assert_eq!(pass.drift("A", "shop")["comment"], comment);
}

fn a_server_is_killed_with_three_sessions(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    memory.of(&machine);

    machine.server("default").kill();
    let pass = machine.reconcile().grace(1).run().exits(0);

    for session in &sessions {
        assert_ended(&machine, &pass, session, "server_gone");
    }
    let actions = pass.report()["actions"].clone();
    assert_eq!(actions.as_array().map(Vec::len), Some(1), "{actions:#}");
    assert_eq!(
        actions[0]["comment"],
        "docs, news, shop: tmux gone (server gone). Marked terminated."
    );
}

fn a_server_is_killed_with_five_sessions_beside_another_server(memory: Memory) {
    let machine = Machine::new();
    let on = |server: &str, name: &str| {
        machine
            .session(name)
            .server(server)
            .running("claude")
            .start()
    };
    let gone = ["one", "two", "three", "four", "five"].map(|name| on("work", name));
    let alive = ["six", "seven"].map(|name| on("default", name));
    let all: Vec<_> = gone.iter().chain(&alive).cloned().collect();
    enrol(&machine, &all);
    memory.of(&machine);

    machine.server("work").kill();
    let pass = machine.reconcile().grace(1).run().exits(0);

    for session in &gone {
        assert_ended(&machine, &pass, session, "server_gone");
        assert_eq!(pass.drift("A", &session.name)["tmux_server"], "work");
    }
    for session in &alive {
        pass.has_no_drift(&session.name);
        assert_running(&machine, &session.name);
    }
}

fn a_server_is_killed_with_three_sessions_of_which_only_the_names_are_known(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol_by_name(&machine, &sessions);
    memory.of(&machine);
    let roll = machine.roll_text();

    machine.server("default").kill();
    let mut pass = machine.reconcile().grace(1).run().exits(0);
    if memory == Memory::None {
        // Nothing proves that this is what happened to any of them; a person has to say so.
        assert_eq!(pass.held("mass_change").len(), 3);
        assert_eq!(machine.roll_text(), roll);
        let told = &pass.report()["held"][0]["remedy"];
        assert!(
            told.as_str().unwrap().contains("--allow-mass-change"),
            "{told}"
        );
        pass = machine
            .reconcile()
            .grace(0)
            .allow_mass_change()
            .run()
            .exits(0);
    }

    for session in &sessions {
        assert_ended(&machine, &pass, session, "server_gone");
    }
}

fn a_server_is_killed_and_another_started(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    memory.of(&machine);

    machine.server("default").kill();
    let other = machine.session("unrelated").start();
    let pass = machine.reconcile().grace(1).run().exits(0);

    let reason = match memory {
        Memory::None => "session_gone",
        Memory::OfABetterTime => "server_restarted",
    };
    for session in &sessions {
        assert_ended(&machine, &pass, session, reason);
    }
    assert_eq!(pass.alive(), [other.name]);
}

fn the_stop_skill_stops_a_session(memory: Memory) {
    let machine = Machine::new();
    let shop = machine
        .session("shop-creator-claude")
        .running(Agent::claude().under_a_shell())
        .start();
    let docs = machine
        .session("docs-creator-claude")
        .running("claude")
        .start();
    enrol(&machine, &[shop.clone(), docs]);
    memory.of(&machine);

    // It types the agent's exit keys, and gives it a moment.
    shop.agent().exit();
    let pass = machine.reconcile().run().exits(0);
    pass.has_no_drifts();
    let _ = pass.note_of("agent_exited", &shop.name);

    // It kills the session, and writes its row only after another moment.
    shop.kill();
    let looking = machine.reconcile().grace(5).start();
    machine.wait_until_remembered("tmux_gone");
    machine.skill().writes(
        "row('shop-creator-claude').update(status='stopped', stop_reason='manual_stop', resumable=True, \
         stopped_at='2026-11-21T09:00:00Z', stopped_at_epoch=1795251600)",
    );
    let written = machine.roll_text();
    let pass = looking.finish().exits(0);

    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), written);
    assert_eq!(machine.row(&shop.name)["status"], "stopped");
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    assert_eq!(machine.roll_text(), written);
}

fn a_session_is_renamed(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop-creator-claude", "docs-creator-claude"]);
    enrol(&machine, &sessions);
    memory.of(&machine);
    let roll = machine.roll_text();

    sessions[0].rename("shop");
    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    let note = pass.note("renamed");
    assert_eq!(note["session"], "shop-creator-claude");
    assert!(note["text"].as_str().unwrap().contains("shop"), "{note}");
    assert_eq!(machine.roll_text(), roll);
}

fn a_session_is_renamed_as_an_agents_session_would_be(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop-creator-claude", "docs-creator-claude"]);
    enrol(&machine, &sessions);
    memory.of(&machine);
    let roll = machine.roll_text();

    sessions[0].rename("store-creator-claude");
    let pass = machine.reconcile().at_once().run().exits(0);

    // It is still the row's session, so it is not registered as another.
    pass.has_no_drifts();
    assert_eq!(pass.note("renamed")["session"], "shop-creator-claude");
    assert_eq!(machine.roll_text(), roll);
}

#[test]
fn a_renamed_session_of_which_only_the_name_was_known_is_recognised_by_the_ledger() {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop-creator-claude", "docs-creator-claude"]);
    enrol_by_name(&machine, &sessions);
    Memory::OfABetterTime.of(&machine);

    sessions[0].rename("store-creator-claude");
    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(pass.note("renamed")["session"], "shop-creator-claude");
}
