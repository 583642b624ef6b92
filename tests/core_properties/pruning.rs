//! What a look allows to be taken out of the roll, whatever the roll, the machine and the memory look like.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headcount::core::prune::{Judged, Question, judge};
use proptest::prelude::*;

use crate::generate::jobs::with_jobs;
use crate::generate::{any_scene, cases};
use crate::ignorance::any_mask;
use crate::scene::Scene;
use crate::standing::{report, scope};

fn judged(scene: &Scene) -> Vec<Judged> {
    let report = report(scene);
    judge(&Question {
        scope: scope(scene, &report),
        older_than: Duration::ZERO,
        named: &BTreeSet::new(),
        mentions: &BTreeMap::new(),
    })
}

fn goes(scene: &Scene) -> BTreeSet<usize> {
    let goes = judged(scene).into_iter().filter(|row| row.kept.is_none());
    goes.map(|row| row.index).collect()
}

proptest! {
    #![proptest_config(cases(1000))]

    #[test]
    fn seeing_less_lets_no_more_rows_go(
        scene in any_scene(),
        jobs in prop::collection::vec(any::<u8>(), 64),
        mask in any_mask(),
    ) {
        let scene = with_jobs(scene, &jobs);
        let poorer = mask.hide(&scene);
        let added: Vec<_> = goes(&poorer).difference(&goes(&scene)).copied().collect();
        prop_assert!(added.is_empty(), "seeing less let these go: {added:?}\n{:#?}\n{:#?}", judged(&scene), judged(&poorer));
    }

    #[test]
    fn every_entry_is_judged_and_only_ended_rows_go(scene in any_scene()) {
        let judged = judged(&scene);
        prop_assert_eq!(judged.len(), scene.registry.rows.len() + scene.registry.invalid.len());
        for row in judged.iter().filter(|row| row.kept.is_none()) {
            prop_assert!(row.ended.is_some() && row.status.as_ref().is_some_and(|it| it.is_ended()));
        }
    }

    /// A row that goes was in nobody's way: what is written without it was written with it.
    #[test]
    fn what_goes_lets_nothing_else_be_written(scene in any_scene()) {
        let goes = goes(&scene);
        let mut without = scene.clone();
        without.registry.rows.retain(|row| !goes.contains(&row.index));
        for name in scene.registry.rows.iter().filter(|row| goes.contains(&row.index)) {
            without.ledger.forget_row(&name.name, name.server.as_ref());
        }
        let (less, more) = (without.at_once().pass(), scene.clone().at_once().pass());
        let known = more.edits();
        let added: Vec<_> = less.edits().into_iter().filter(|edit| !known.contains(edit)).collect();
        prop_assert!(added.is_empty(), "{added:#?}");
    }
}
