//! Rows that are wrong: told and left alone, while all others are reconciled.

use super::with_something_to_write;
use crate::support::Machine;

/// A roll of the two sessions of [`with_something_to_write`], with other rows around them, is reconciled: the
/// end is written, the others stay as they are, byte for byte. Returns the notes of that kind, as text.
#[track_caller]
fn told_and_left_alone(wrong: &str, kind: &str) -> Vec<String> {
    let machine = Machine::new();
    let [shop, docs] = with_something_to_write(&machine);
    let roll = machine.roll_text();
    let (head, rows) = roll.split_once('\n').unwrap();
    machine.write_roll(format!("{head}\n{wrong}{rows}{wrong}"));

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", &shop.name).is_applied());
    pass.has_no_drift(&docs.name);
    assert_eq!(pass.drifts().len(), 1, "{:#}", pass.report());
    let text = machine.roll_text();
    assert!(
        text.starts_with(&format!("{head}\n{wrong}- name: shop\n")),
        "{text}"
    );
    assert!(text.ends_with(wrong), "{text}");
    assert!(text.contains("status: terminated"), "{text}");
    let notes = pass.notes(kind);
    notes
        .iter()
        .map(|note| note["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn two_rows_of_one_name() {
    let notes = told_and_left_alone("- name: twice\n  status: running\n", "invalid_row");

    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes.iter().all(|note| note.contains("twice")), "{notes:?}");
}

#[test]
fn a_row_without_a_name() {
    let notes = told_and_left_alone("- status: running\n  pane: {pid: 1}\n", "invalid_row");

    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].contains("name") && notes[0].contains("line 2"),
        "{notes:?}"
    );
}

#[test]
fn a_row_without_a_status() {
    let notes = told_and_left_alone("- name: lost\n  role: builder\n", "invalid_row");

    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].contains("lost") && notes[0].contains("status"),
        "{notes:?}"
    );
}

#[test]
fn a_row_that_is_no_mapping() {
    let wrong = "- just a word\n- 17\n- null\n- [name, status]\n";
    let notes = told_and_left_alone(wrong, "invalid_row");

    assert_eq!(notes.len(), 8, "{notes:?}");
}

#[test]
fn a_row_whose_name_or_status_is_no_text() {
    let wrong = "- name: 17\n  status: running\n- name: listed\n  status: [running]\n";
    let notes = told_and_left_alone(wrong, "invalid_row");

    assert_eq!(notes.len(), 4, "{notes:?}");
}

#[test]
fn a_row_whose_pane_is_no_mapping() {
    let wrong = "- name: flat\n  status: running\n  pane: 4711\n";
    let notes = told_and_left_alone(wrong, "invalid_row");

    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].contains("flat") && notes[0].contains("pane"),
        "{notes:?}"
    );
}

#[test]
fn rows_with_a_status_that_nobody_knows() {
    let machine = Machine::new();
    let [shop, docs] = with_something_to_write(&machine);
    let odd = "- name: odd\n  status: hibernating   # since Tuesday\n";
    machine.write_roll(format!("{}{odd}", machine.roll_text()));

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", &shop.name).is_applied());
    pass.has_no_drift(&docs.name);
    pass.has_no_drift("odd");
    let note = pass.note("unknown_status");
    assert!(
        note["text"].as_str().unwrap().contains("hibernating"),
        "{note}"
    );
    assert!(machine.roll_text().ends_with(odd));
}

#[test]
fn the_session_of_a_wrong_row_is_not_registered_as_another() {
    let machine = Machine::new();
    machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine.write_roll("tmux_sessions:\n- name: shop-creator-claude\n  role: builder\n");
    let before = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drifts().iter().all(|drift| !drift.is_applied()));
    assert_eq!(pass.notes("invalid_row").len(), 1);
    assert_eq!(machine.roll_text(), before);
}
