//! The model lane: a card that the board's own worker takes, with a stand-in for its model.

use std::fs;

use serde_json::Value;

use super::{NAME, one_of_two};
use crate::support::{Card, Hermes, Machine, Model, wait_until_or};

/// The card of the model lane, made as a person makes it.
fn dispatched<'m>(machine: &'m Machine, hermes: &Hermes<'m>) -> Card<'m> {
    machine.settle(&machine.roll_path());
    let made = machine
        .headcount(&["dispatch", "--lane", "model", "--create"])
        .exits(0);
    hermes.card_with(made.stdout.trim())
}

/// The comments that say something.
fn comments(card: &Card<'_>, text: &str) -> usize {
    let shown = card.show();
    let comments = shown["comments"].as_array().expect("comments");
    let says = |comment: &&Value| comment["body"].as_str().unwrap().contains(text);
    comments.iter().filter(says).count()
}

#[track_caller]
fn wait_for_comment(card: &Card<'_>, text: &str) {
    wait_until_or(
        || format!("`{text}` on the card:\n{}", card.kanban("log", &[])),
        || (comments(card, text) > 0).then_some(()),
    );
}

#[test]
fn a_model_that_does_what_the_card_says_keeps_watch_until_it_is_told_to_stop() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    let session = one_of_two(&machine);
    let model = Model::on(&machine, "5s");
    let card = dispatched(&machine, &hermes);

    hermes.dispatch(&model);
    wait_for_comment(&card, "no drift");
    session.kill();
    wait_for_comment(&card, "Marked terminated.");
    card.comment("ann", "stop");

    card.wait_for_status("blocked");
    assert_eq!(comments(&card, "no drift"), 1);
    assert_eq!(comments(&card, "Marked terminated."), 1);
    assert_eq!(machine.row(NAME)["status"], "terminated");
    let shown = card.show();
    assert_eq!(shown["runs"].as_array().unwrap().len(), 1, "{shown:#}");
    assert_eq!(shown["runs"][0]["outcome"], "blocked");
    assert!(!card.events("heartbeat").is_empty());
}

#[test]
fn where_hermes_is_not_at_hand_the_model_passes_on_what_is_printed() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    let session = one_of_two(&machine);
    let model = Model::on(&machine, "5s");
    let card = dispatched(&machine, &hermes);
    fs::remove_file(machine.bin().join("hermes")).expect("a link can be removed");

    hermes.dispatch(&model);
    wait_for_comment(&card, "no drift");
    session.kill();
    wait_for_comment(&card, "Marked terminated.");
    card.comment("ann", "stop");

    card.wait_for_status("blocked");
    assert_eq!(comments(&card, "no drift"), 1);
    assert_eq!(comments(&card, "Marked terminated."), 1);
}
