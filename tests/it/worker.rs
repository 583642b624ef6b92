//! Reporting to a kanban card, on the real Hermes.

mod beside;
mod card;
mod claim;
mod flaps;
mod life;
mod model;
mod stop;
mod trouble;

use crate::support::{Card, Hermes, Machine, Session};

const NAME: &str = "shop-creator-claude";

/// The real Hermes, whatever it is asked.
const ITSELF: &str = "exec \"$HERMES\" \"$@\"";

/// What there is to watch, and a card to tell of it.
struct Watched<'m> {
    hermes: Hermes<'m>,
    session: Session<'m>,
    card: Card<'m>,
}

/// Two sessions, one of them declared, and a card on a real board. `None` where Hermes is not installed.
fn watched(machine: &Machine) -> Option<Watched<'_>> {
    let hermes = Hermes::on(machine)?;
    Some(Watched {
        session: one_of_two(machine),
        card: hermes.card(),
        hermes,
    })
}

/// The same, with a Hermes that can be made to fail: `hermes.behind(SCRIPT)`.
fn watched_by_proxy(machine: &Machine) -> Option<Watched<'_>> {
    let hermes = Hermes::beside(machine)?;
    hermes.behind(ITSELF);
    Some(Watched {
        session: one_of_two(machine),
        card: hermes.card(),
        hermes,
    })
}

/// Two sessions, one of them declared.
fn one_of_two(machine: &Machine) -> Session<'_> {
    let session = machine.session(NAME).running("claude").start();
    machine.session("bystander").start();
    machine.roll().row(NAME).pane(&session).write();
    session
}
