//! What stays, and what comes and goes.

use std::fs;

use rustix::process::Signal;

use super::{NAME, Watched, watched};
use crate::support::{Card, Machine, Watching, conversation, wait_until};

/// Records a conversation that has no file.
fn record_a_stale_id(machine: &Machine) {
    let mut roll = machine.roll().row(NAME).status("stopped");
    roll = roll.set("claude_session_id_own", conversation(1));
    roll.write();
    let kept = machine.claude();
    kept.transcript(&machine.project(), &conversation(9))
        .write();
}

#[track_caller]
fn one_more_pass(worker: &Watching) {
    let passes = worker.passes().len();
    worker.signal(Signal::HUP);
    wait_until("one more pass", || {
        (worker.passes().len() > passes).then_some(())
    });
    worker.wait_for_passes(passes + 1);
}

fn comments_of_it(card: &Card<'_>) -> Vec<String> {
    let told = card.told().into_iter();
    told.filter(|told| told.contains(&conversation(1)[..8]))
        .collect()
}

#[test]
fn what_stays_for_a_hundred_passes_is_told_once() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    record_a_stale_id(&machine);
    let mut worker = card.worker().start();
    card.wait_for("1 drift");

    for _ in 0..100 {
        one_more_pass(&worker);
    }

    worker.signal(Signal::TERM);
    assert_eq!(worker.end(), Some(143));
    assert_eq!(card.told().len(), 1, "{:#?}", card.told());
}

#[test]
fn what_comes_and_goes_is_a_few_comments_and_the_last_says_that_it_flaps() {
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    record_a_stale_id(&machine);
    let mut worker = card.worker().start();
    card.wait_for("1 drift");
    let file = || {
        machine
            .claude()
            .transcript(&machine.project(), &conversation(1))
    };

    for _ in 0..20 {
        let path = file().write();
        one_more_pass(&worker);
        fs::remove_file(path).expect("a file can be removed");
        one_more_pass(&worker);
    }

    assert!(card.told().len() <= 3, "{:#?}", card.told());
    card.comment("ann", "stop");
    assert_eq!(worker.end(), Some(0));
    let told = comments_of_it(&card);
    assert!(told.len() <= 4, "{told:#?}");
    let last = told.last().expect("it was told");
    assert!(
        last.contains("It flaps: 21 times within an hour."),
        "{last}"
    );
}
