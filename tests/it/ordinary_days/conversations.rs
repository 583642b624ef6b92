//! A row whose conversation was not known when it was written, and then begins.

use std::time::{Duration, SystemTime};

use super::{Memory, walked_both_ways};
use crate::support::{Agent, Machine, Session, conversation};

walked_both_ways! {
    the_first_message_begins_a_conversation_with_a_live_record,
    the_first_message_begins_a_conversation_without_a_live_record,
    the_first_message_is_said_beside_an_agy_in_the_same_folder,
    two_conversations_begin_in_one_folder_without_live_records,
}

/// A session with Claude Code in it whose row has a null id.
fn claude_without_id<'m>(machine: &'m Machine, name: &str) -> Session<'m> {
    machine
        .session(name)
        .running(Agent::claude().under_a_shell())
        .start()
}

/// A moment that is surely after a session was made, which tmux tells in whole seconds.
fn after(session: &Session<'_>) -> SystemTime {
    let made = u64::try_from(session.created).unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_secs(made + 2)
}

fn the_first_message_begins_a_conversation_with_a_live_record(memory: Memory) {
    let machine = Machine::new();
    let shop = claude_without_id(&machine, "shop-creator-claude");
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&shop)
        .null("claude_session_id_own")
        .write();
    machine
        .claude()
        .pid_file(&shop)
        .id(&conversation(1))
        .write();
    memory.of(&machine);
    let before = machine.roll_text();

    // Its id is known before the first message, but nothing could be resumed by it.
    let pass = machine.reconcile().run().exits(0);
    pass.has_no_drifts();
    let note = pass.note("known");
    assert!(
        note["text"].as_str().unwrap().contains(&conversation(1)),
        "{note}"
    );
    assert_eq!(machine.roll_text(), before);

    // An older conversation in this folder is not taken for it.
    machine
        .claude()
        .transcript(&machine.project(), &conversation(9))
        .begun_at(SystemTime::now() - Duration::from_secs(3600))
        .write();
    machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .write();
    let pass = machine.reconcile().run().exits(0);

    let drift = pass.drift("C", "shop-creator-claude");
    assert_eq!(drift["kind"], "id_materialized");
    assert_eq!(drift["confidence"], "proven");
    assert!(drift.is_applied());
    let comment = format!(
        "shop-creator-claude: session id materialized {}",
        conversation(1)
    );
    assert_eq!(drift["comment"], comment);
    let row = machine.row("shop-creator-claude");
    assert_eq!(row["claude_session_id_own"], conversation(1));
    assert_eq!(row.get("claude_session_id_own_previous"), None);
    machine.reconcile().run().exits(0).has_no_drifts();
}

fn the_first_message_begins_a_conversation_without_a_live_record(memory: Memory) {
    let machine = Machine::new();
    let shop = claude_without_id(&machine, "shop-creator-claude");
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&shop)
        .null("claude_session_id_own")
        .write();
    machine
        .claude()
        .transcript(&machine.project(), &conversation(9))
        .begun_at(SystemTime::now() - Duration::from_secs(3600))
        .write();
    memory.of(&machine);

    machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .begun_at(after(&shop))
        .write();
    let pass = machine.reconcile().run().exits(0);

    let drift = pass.drift("C", "shop-creator-claude");
    assert_eq!(drift["confidence"], "inferred");
    assert!(drift.is_applied());
    assert_eq!(
        machine.row("shop-creator-claude")["claude_session_id_own"],
        conversation(1)
    );
}

fn the_first_message_is_said_beside_an_agy_in_the_same_folder(memory: Memory) {
    let machine = Machine::new();
    let lock = machine.agy().lock_path(&conversation(2));
    let shop = claude_without_id(&machine, "shop-creator-claude");
    let help = machine
        .session("shop-creator-agy")
        .running(Agent::agy().holding(lock))
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&shop)
        .null("claude_session_id_own")
        .row("shop-creator-agy")
        .pane(&help)
        .null("agy_conversation_id_own")
        .write();
    memory.of(&machine);

    machine
        .agy()
        .conversation(&conversation(2), &machine.project());
    machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .begun_at(after(&shop))
        .write();
    let pass = machine.reconcile().run().exits(0);

    assert!(pass.drift("C", "shop-creator-claude").is_applied());
    assert!(pass.drift("C", "shop-creator-agy").is_applied());
    let row = machine.row("shop-creator-claude");
    assert_eq!(row["claude_session_id_own"], conversation(1));
    assert_eq!(row.get("agy_conversation_id_own"), None);
    let row = machine.row("shop-creator-agy");
    assert_eq!(row["agy_conversation_id_own"], conversation(2));
    assert_eq!(row.get("claude_session_id_own"), None);
}

fn two_conversations_begin_in_one_folder_without_live_records(memory: Memory) {
    let machine = Machine::new();
    let [shop, docs] = ["shop", "docs"].map(|name| claude_without_id(&machine, name));
    machine
        .roll()
        .row("shop")
        .pane(&shop)
        .null("claude_session_id_own")
        .row("docs")
        .pane(&docs)
        .null("claude_session_id_own")
        .write();
    memory.of(&machine);
    let before = machine.roll_text();

    for number in [1, 2] {
        machine
            .claude()
            .transcript(&machine.project(), &conversation(number))
            .begun_at(after(&docs))
            .write();
    }
    let pass = machine.reconcile().run().exits(0);

    // Nothing tells which is whose, so nothing is written.
    pass.has_no_drifts();
    let _ = pass.note_of("ambiguous", "shop");
    let _ = pass.note_of("ambiguous", "docs");
    assert_eq!(machine.roll_text(), before);
}
