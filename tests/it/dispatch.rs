//! Making the card: `headcount dispatch`.

use crate::support::{Hermes, Machine};

#[test]
fn what_is_printed_can_be_typed_and_makes_the_card() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    machine.roll().write();
    for lane in ["direct", "model"] {
        let printed = machine.headcount(&["dispatch", "--lane", lane]).exits(0);
        let create: Vec<&str> = printed
            .stdout
            .lines()
            .take_while(|line| !line.contains("headcount worker --claim"))
            .collect();

        let made = machine
            .command("sh")
            .args(["-c", &create.join("\n")])
            .output()
            .unwrap();

        let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        let card = hermes.card_with(made["id"].as_str().unwrap()).show();
        assert_eq!(
            card["task"]["workspace_path"],
            machine.project().to_str().unwrap()
        );
    }
}

#[test]
fn a_roll_gets_one_card_however_often_it_is_asked_for() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    machine.roll().write();

    let first = machine.headcount(&["dispatch", "--create"]).exits(0);
    let second = machine.headcount(&["dispatch", "--create"]).exits(0);

    assert_eq!(first.stdout, second.stdout);
    assert_eq!(hermes.card_with(first.stdout.trim()).status(), "ready");
    first.complains_of("headcount worker --claim --task t_");
}

#[test]
fn a_card_of_this_roll_that_cannot_be_worked_on_is_told_with_what_to_do() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    machine.roll().write();
    let dispatch = |lane| machine.headcount(&["dispatch", "--create", "--lane", lane]);
    let made = dispatch("direct").exits(0);
    let card = hermes.card_with(made.stdout.trim());

    let refused = dispatch("model").exits(2);
    refused.complains_of("for headcount");
    refused.complains_of("hermes kanban archive");

    card.kanban("block", &["stop-requested"]);
    dispatch("direct")
        .exits(2)
        .complains_of("hermes kanban unblock");

    card.kanban("unblock", &[]);
    card.kanban("complete", &[]);
    dispatch("direct").exits(2).complains_of("is done");

    card.kanban("archive", &[]);
    let anew = dispatch("direct").exits(0);
    assert_ne!(anew.stdout, made.stdout);
}

#[test]
fn without_hermes_nothing_is_made_and_it_says_so() {
    let machine = Machine::new();
    machine.roll().write();

    let refused = machine.headcount(&["dispatch", "--create"]).exits(2);

    refused.complains_of("--hermes");
}

#[test]
fn a_hermes_that_lacks_what_a_worker_needs_is_refused_and_what_it_lacks_is_named() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::beside(&machine) else {
        return;
    };
    machine.roll().write();
    hermes.behind(
        "case \"$*\" in\n\
         *'claim --help'*) echo 'usage: hermes kanban claim [-h] task_id' ;;\n\
         *'reclaim --help'*) echo 'invalid choice' >&2; exit 2 ;;\n\
         *) exec \"$HERMES\" \"$@\" ;;\nesac",
    );

    let refused = machine.headcount(&["dispatch", "--create"]).exits(2);

    refused.complains_of("no `kanban claim --ttl`");
    assert_eq!(hermes.kanban(&["list", "--json"]).trim(), "[]");
}

#[test]
fn a_model_is_given_a_line_that_works_in_any_shell() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    machine.roll().write();

    let made = machine
        .headcount(&["dispatch", "--lane", "model", "--create"])
        .exits(0);

    let card = hermes.card_with(made.stdout.trim()).show();
    let body = card["task"]["body"].as_str().unwrap();
    let line = body.lines().find(|line| line.contains(" worker --turn "));
    let line = line.unwrap().trim();
    assert!(line.starts_with('/'), "{line}");
    let hermes = machine.bin().join("hermes");
    assert!(
        line.ends_with(&format!("--hermes {}", hermes.display())),
        "{line}"
    );
    made.complains_of("hermes skills list");
}
