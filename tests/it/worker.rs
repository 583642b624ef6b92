//! Reporting to a kanban card, on the real Hermes.

mod beside;
mod card;
mod stop;
mod trouble;

use crate::support::{Machine, Session};

const NAME: &str = "shop-creator-claude";

/// A machine with a declared session and another one.
fn one_of_two(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session
}
