//! Sessions that begin: by hand, or by a skill that writes its row late.

use chrono::DateTime;

use super::{Memory, agents, enrol, pane_of, walked_both_ways};
use crate::support::{Machine, conversation};

walked_both_ways! {
    a_session_is_made_by_hand,
    a_skill_makes_a_session_and_writes_its_row_late,
    an_agent_of_another_kind_is_started_by_hand,
}

fn a_session_is_made_by_hand(memory: Memory) {
    let machine = Machine::new();
    enrol(&machine, &agents(&machine, ["docs-creator-claude"]));
    memory.of(&machine);
    let before = machine.roll_text();

    let shop = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine.session("my-notes").start();

    // At first it may still be a skill's, whose row is yet to come.
    let pass = machine.reconcile().dry_run().run().exits(0);
    let drift = pass.drift("B", "shop-creator-claude");
    let due = DateTime::from_timestamp(shop.created + 30, 0).unwrap();
    let due = due.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
    assert_eq!(drift["kind"], "unregistered");
    assert!(drift.is_pending());
    assert_eq!(drift["pending"]["due"], due);
    let comment = drift["comment"].as_str().unwrap();
    assert!(
        comment.starts_with("shop-creator-claude: tmux found but not in YAML. Not written yet: ")
    );
    assert!(comment.ends_with(&format!(", due {due}.")), "{comment}");
    assert_eq!(machine.roll_text(), before);

    // When it is old enough, nobody else will register it.
    let pass = machine.reconcile().spawn_grace(2).run().exits(0);
    assert!(pass.drift("B", "shop-creator-claude").is_applied());
    let row = machine.row("shop-creator-claude");
    assert_eq!(row["status"], "running");
    assert_eq!(row["pane"], pane_of(&shop));
    assert_eq!(row["last_visible_status"], "auto-registered");
    assert_eq!(row.get("tmux_server"), None);
    assert_eq!(
        machine.read_roll().names(),
        ["docs-creator-claude", "shop-creator-claude"]
    );
    pass.has_no_drift("my-notes");
    machine.reconcile().run().exits(0).has_no_drifts();
}

fn a_skill_makes_a_session_and_writes_its_row_late(memory: Memory) {
    let machine = Machine::new();
    enrol(&machine, &agents(&machine, ["docs-creator-claude"]));
    memory.of(&machine);

    let shop = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    let looking = machine.reconcile().grace(0).spawn_grace(6).start();
    machine.wait_until_remembered("unregistered");
    machine.skill().writes(&format!(
        "d['tmux_sessions'].append({{'name': 'shop-creator-claude', 'status': 'running', 'role': 'builder', \
         'pane': {{'pid': {}, 'cmd': 'claude', 'cwd': '{}'}}, 'claude_session_id_own': None}})",
        shop.pid(),
        shop.cwd.display(),
    ));
    let written = machine.roll_text();
    let pass = looking.finish().exits(0);

    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), written);
    assert_eq!(
        machine.read_roll().names(),
        ["docs-creator-claude", "shop-creator-claude"]
    );
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    assert_eq!(machine.roll_text(), written);
}

fn an_agent_of_another_kind_is_started_by_hand(memory: Memory) {
    let machine = Machine::new();
    enrol(&machine, &agents(&machine, ["docs-creator-claude"]));
    memory.of(&machine);

    let lock = machine.agy().lock_path(&conversation(1));
    machine
        .agy()
        .conversation(&conversation(1), &machine.project());
    let agent = crate::support::Agent::agy().holding(lock);
    let shop = machine
        .session("shop-creator-agy")
        .server("work")
        .running(agent)
        .start();
    let pass = machine.reconcile().grace(1).spawn_grace(1).run().exits(0);

    // Its conversation is proven by the lock it holds, so the new row has that too.
    assert!(pass.drift("B", "shop-creator-agy").is_applied());
    let row = machine.row("shop-creator-agy");
    assert_eq!(row["pane"], pane_of(&shop));
    assert_eq!(row["tmux_server"], "work");
    assert_eq!(row["agy_conversation_id_own"], conversation(1));
}
