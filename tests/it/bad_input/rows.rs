//! Rows that are wrong: told and left alone, while all others are reconciled.

use super::with_something_to_write;
use crate::support::Machine;

/// Reconciles a roll of the two sessions of [`with_something_to_write`] with other rows before and after them:
/// the end is written, the others stay as they are, byte for byte. Returns the notes about wrong rows.
#[track_caller]
fn told_and_left_alone(before: &str, after: &str) -> Vec<String> {
    let machine = Machine::new();
    let [shop, docs] = with_something_to_write(&machine);
    let roll = machine.roll_text();
    let (head, rows) = roll.split_once('\n').unwrap();
    machine.write_roll(format!("{head}\n{before}{rows}{after}"));

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", &shop.name).is_applied());
    pass.has_no_drift(&docs.name);
    assert_eq!(pass.drifts().len(), 1, "{:#}", pass.report());
    let text = machine.roll_text();
    let start = format!("{head}\n{before}- name: shop\n");
    assert!(text.starts_with(&start), "{text}");
    assert!(text.ends_with(after), "{text}");
    assert!(text.contains("status: terminated"), "{text}");
    let notes = pass.notes("invalid_row");
    notes
        .iter()
        .map(|note| note["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn two_rows_of_one_name() {
    let one = "- name: twice\n  status: running\n";
    let other = "- name: twice\n  status: stopped\n";
    let notes = told_and_left_alone(one, other);

    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes.iter().all(|note| note.contains("twice")), "{notes:?}");
}

#[test]
fn a_row_without_a_name() {
    let notes = told_and_left_alone("- status: running\n  pane: {pid: 1}\n", "");

    let [note] = notes.as_slice() else {
        panic!("not one note: {notes:?}");
    };
    assert!(note.contains("name") && note.contains("line 2"), "{note}");
}

#[test]
fn a_row_without_a_status() {
    let notes = told_and_left_alone("", "- name: lost\n  role: builder\n");

    let [note] = notes.as_slice() else {
        panic!("not one note: {notes:?}");
    };
    assert!(note.contains("lost") && note.contains("status"), "{note}");
}

#[test]
fn rows_that_are_no_mappings() {
    let notes = told_and_left_alone("- just a word\n- 17\n", "- null\n- [name, status]\n");

    assert_eq!(notes.len(), 4, "{notes:?}");
}

#[test]
fn rows_whose_name_or_status_is_no_text() {
    let notes = told_and_left_alone(
        "- name: [shop]\n  status: running\n",
        "- name: listed\n  status: [running]\n",
    );

    assert_eq!(notes.len(), 2, "{notes:?}");
}

#[test]
fn a_row_whose_pane_is_no_mapping() {
    let notes = told_and_left_alone("", "- name: flat\n  status: running\n  pane: 4711\n");

    let [note] = notes.as_slice() else {
        panic!("not one note: {notes:?}");
    };
    assert!(note.contains("flat") && note.contains("pane"), "{note}");
}

#[test]
fn a_row_with_a_key_that_is_there_twice() {
    let wrong = "- name: double\n  status: running\n  status: stopped\n";
    let notes = told_and_left_alone(wrong, "");

    let [note] = notes.as_slice() else {
        panic!("not one note: {notes:?}");
    };
    assert!(note.contains("double") && note.contains("status"), "{note}");
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
