//! The rest of a look: what nobody needs to decide anything, and a person wants to see.

use super::Request;
use super::agent;
use super::panes::Trees;
use crate::core::world::{ServerState, World};

/// The world with everything in it that can be seen at little cost. What was looked at before is not looked at
/// again, so nothing in it contradicts the world that decisions are made by.
pub(super) fn everything(world: &World, trees: &mut Trees, request: &Request<'_>) -> World {
    let mut all = world.clone();
    for server in &mut all.servers {
        let ServerState::Listed(listing) = &mut server.state else {
            continue;
        };
        for pane in listing.sessions.iter_mut().flat_map(|it| &mut it.panes) {
            trees.fill(pane, true);
        }
    }
    let recorded = agent::recorded_by_all(request.registry, request.ledger);
    trees.minds().fill_in(&mut all, recorded);
    all
}
