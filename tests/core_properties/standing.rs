//! How every session stands is told of every session once, by the rules that a pass goes by.

use std::collections::BTreeSet;

use headcount::core::ids::{ServerName, SessionName};
use headcount::core::report::{Account, Report, Written};
use headcount::core::standing::{Declared, Scope, Sight, Standing};
use headcount::core::world::ServerState;
use proptest::prelude::*;

use crate::generate::{any_scene, cases};
use crate::ignorance::any_mask;
use crate::scene::Scene;

pub fn report(scene: &Scene) -> Report {
    Report::new(Account {
        roll: "roll.yaml",
        dry_run: true,
        registry: &scene.registry,
        world: &scene.world,
        before: &scene.ledger,
        assessment: &scene.assess(),
        written: &Written::default(),
    })
}

/// A look that sees no more than a pass does.
pub fn scope<'a>(scene: &'a Scene, report: &'a Report) -> Scope<'a> {
    Scope {
        registry: &scene.registry,
        has_roll: true,
        world: &scene.world,
        all: &scene.world,
        ledger: &scene.ledger,
        policy: &scene.policy,
        report,
    }
}

fn standing(scene: &Scene, report: &Report) -> Standing {
    Standing::new(scope(scene, report))
}

/// The rows that are told to be gone, and what their row says.
fn gone(scene: &Scene) -> BTreeSet<(SessionName, Option<ServerName>, String)> {
    let standing = standing(scene, &report(scene));
    let sessions = standing.sessions.into_iter();
    sessions
        .filter(|session| matches!(session.sight, Sight::Gone(_)))
        .map(|session| {
            let word = session.declared.word().to_owned();
            (session.name, session.server, word)
        })
        .collect()
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn seeing_less_makes_nothing_gone(scene in any_scene(), mask in any_mask()) {
        let poorer = mask.hide(&scene);
        let added: Vec<_> = gone(&poorer).difference(&gone(&scene)).cloned().collect();
        prop_assert!(added.is_empty(), "seeing less made these gone: {added:#?}");
    }

    #[test]
    fn everything_is_told_in_one_place(scene in any_scene()) {
        let report = report(&scene);
        let standing = standing(&scene, &report);
        let rows = standing.sessions.iter().filter(|session| matches!(session.declared, Declared::Row(_)));
        prop_assert_eq!(rows.count(), scene.registry.rows.len());

        let mut listed = BTreeSet::new();
        for server in &scene.world.servers {
            if let ServerState::Listed(listing) = &server.state {
                listed.extend(listing.sessions.iter().map(|it| (server.socket.clone(), it.id.clone())));
            }
        }
        // Two rows may be in doubt about one session: then it is told of both.
        let live = standing.sessions.iter().filter_map(|session| session.live.as_ref());
        let shown: BTreeSet<_> = live.map(|live| (live.socket.clone(), live.id.clone())).collect();
        prop_assert_eq!(shown, listed);

        let of_sessions = standing.sessions.iter().flat_map(|session| &session.drifts);
        let mut drifts: Vec<_> = of_sessions.chain(&standing.drifts).map(|told| &told.drift.id).collect();
        let mut told: Vec<_> = report.drifts.iter().map(|told| &told.drift.id).collect();
        drifts.sort();
        told.sort();
        prop_assert_eq!(drifts, told);
        let notes: usize = standing.sessions.iter().map(|session| session.notes.len()).sum();
        prop_assert_eq!(notes + standing.notes.len(), report.notes.len());
        // Drifts find their session wherever they have one.
        prop_assert!(standing.drifts.iter().all(|told| told.drift.session.is_none()));
        prop_assert_eq!(standing.verdict, report.verdict());
    }
}
