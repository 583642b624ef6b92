//! The machine was started again.
//!
//! To a headcount that has never run, a reboot is what the roll's time and the boot's tell. To one with a
//! ledger it is another boot id, which the kernel is made to tell in a mount namespace.

use std::fs;

use super::{
    Memory, agents, assert_ended, assert_running, enrol, enrol_by_name, pane_of, walked_both_ways,
    write_before_the_boot,
};
use crate::support::{Agent, Elsewhere, Machine, Pass, Reconcile};

walked_both_ways! {
    a_reboot_empties_the_tmux_folder,
    after_a_reboot_another_session_was_started,
    after_a_reboot_tmux_resurrect_makes_sessions_of_the_same_names,
}

/// A reboot, as this headcount can tell it.
struct Reboot(Option<Elsewhere>);

impl Reboot {
    /// `None` where it cannot be pretended.
    fn of(machine: &Machine, memory: Memory) -> Option<Self> {
        match memory {
            Memory::None => {
                write_before_the_boot(machine);
                Some(Self(None))
            }
            Memory::OfABetterTime => Elsewhere::after_a_reboot(machine).map(|it| Self(Some(it))),
        }
    }

    #[track_caller]
    fn run(&self, pass: Reconcile<'_>) -> Pass {
        match &self.0 {
            None => pass.run(),
            Some(elsewhere) => elsewhere.run(&pass.into_command()),
        }
    }
}

fn a_reboot_empties_the_tmux_folder(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    memory.of(&machine);

    machine.server("default").kill();
    fs::remove_file(machine.socket("default")).unwrap();
    let Some(reboot) = Reboot::of(&machine, memory) else {
        return;
    };
    let pass = reboot.run(machine.reconcile().grace(1)).exits(0);

    for session in &sessions {
        assert_ended(&machine, &pass, session, "host_rebooted");
    }
    assert!(pass.is_confirmed());
    let actions = pass.report()["actions"].clone();
    assert_eq!(actions.as_array().map(Vec::len), Some(1), "{actions:#}");
    assert_eq!(
        actions[0]["comment"],
        "docs, news, shop: tmux gone (host rebooted). Marked terminated."
    );
}

#[test]
fn a_reboot_takes_the_whole_tmux_folder_and_pids_are_used_again() {
    let machine = Machine::new();
    let names = ["shop", "docs", "news"];
    // What was recorded before the reboot means another process now: here, this test.
    names
        .iter()
        .fold(machine.roll(), |roll, name| {
            roll.row(name).pid(std::process::id())
        })
        .write();
    write_before_the_boot(&machine);

    let pass = machine.reconcile().grace(1).run().exits(0);

    for name in names {
        assert_eq!(pass.drift("A", name)["reason"], "host_rebooted");
        assert_eq!(machine.row(name)["status"], "terminated");
    }
}

fn after_a_reboot_another_session_was_started(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    memory.of(&machine);

    machine.server("default").kill();
    let other = machine.session("unrelated").start();
    let Some(reboot) = Reboot::of(&machine, memory) else {
        return;
    };
    let pass = reboot.run(machine.reconcile().grace(1)).exits(0);

    for session in &sessions {
        assert_ended(&machine, &pass, session, "host_rebooted");
    }
    assert_eq!(pass.alive(), [other.name]);
}

fn after_a_reboot_tmux_resurrect_makes_sessions_of_the_same_names(memory: Memory) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    memory.of(&machine);
    let before = machine.roll_text();

    // It brings back names, folders and shells, but no agents.
    machine.server("default").kill();
    let [shop, _docs, _news] = ["shop", "docs", "news"].map(|name| machine.session(name).start());
    let Some(reboot) = Reboot::of(&machine, memory) else {
        return;
    };
    let pass = reboot.run(machine.reconcile().at_once()).exits(0);

    pass.has_no_drifts();
    assert_eq!(pass.notes("agent_exited").len(), 3);
    assert!(pass.is_confirmed());
    assert_eq!(machine.roll_text(), before);

    // Somebody resumes one of them.
    shop.kill();
    let shop = machine
        .session("shop")
        .running(Agent::claude().under_a_shell())
        .start();
    let pass = reboot
        .run(machine.reconcile().grace(1).spawn_grace(1))
        .exits(0);

    let drift = pass.drift("B", "shop");
    assert_eq!(drift["kind"], "reincarnated");
    assert!(drift.is_applied());
    assert_eq!(machine.row("shop")["pane"], pane_of(&shop));
    assert_running(&machine, "shop");
    assert_eq!(pass.notes("agent_exited").len(), 2);
}

#[test]
fn what_ends_long_after_a_reboot_does_not_end_by_it() {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    let other = machine.session("unrelated").start();
    // The rows are older than the boot; the sessions were made again since, and were seen.
    enrol_by_name(&machine, &sessions);
    write_before_the_boot(&machine);
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    let before = machine.roll_text();

    for session in &sessions {
        session.kill();
    }
    let pass = machine.reconcile().at_once().run().exits(0);

    // So the reboot is no cause for so many ends at once.
    let held = pass.held("mass_change");
    assert!(
        held.iter().all(|drift| drift["reason"] == "session_gone"),
        "{held:#?}"
    );
    assert_eq!(held.len(), 3);
    assert_eq!(machine.roll_text(), before);
    assert_eq!(pass.alive(), [other.name]);
}
