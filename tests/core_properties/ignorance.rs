//! Ignorance is monotone: seeing less never writes more.

use headcount::core::edit::Edit;
use proptest::prelude::*;

use crate::blur::blurred;
use crate::edits::is_contained;
use crate::generate::jobs::with_jobs;
use crate::generate::{GRACES, any_scene, cases};
use crate::scene::Scene;

/// Which sightings are hidden: all whose place in the order is listed, and every n-th if `every` says so.
#[derive(Clone, Debug)]
pub struct Mask {
    places: Vec<u8>,
    every: Option<u8>,
}

pub fn any_mask() -> impl Strategy<Value = Mask> {
    (
        prop::collection::vec(0..200u8, 0..5),
        prop::option::weighted(0.3, 1..6u8),
    )
        .prop_map(|(places, every)| Mask { places, every })
}

impl Mask {
    pub fn hide(&self, scene: &Scene) -> Scene {
        let mut place = 0_usize;
        let mut hides = || {
            place += 1;
            self.places.iter().any(|&it| usize::from(it) == place)
                || self
                    .every
                    .is_some_and(|every| place.is_multiple_of(usize::from(every)))
        };
        let mut poorer = scene.clone();
        poorer.world = blurred(&scene.world, &mut hides);
        poorer
    }
}

fn any_jobs() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 64)
}

fn not_contained(poorer: &[Edit], richer: &[Edit]) -> Vec<Edit> {
    poorer
        .iter()
        .filter(|small| !richer.iter().any(|large| is_contained(small, large)))
        .cloned()
        .collect()
}

proptest! {
    #![proptest_config(cases(6000))]

    #[test]
    fn seeing_less_never_writes_more(scene in any_scene(), mask in any_mask()) {
        for grace in GRACES {
            let mut richer = scene.clone();
            richer.policy.grace = grace;
            richer.policy.spawn_grace = grace;
            let poorer = mask.hide(&richer);
            let (less, more) = (poorer.pass(), richer.pass());
            let added = not_contained(&less.edits(), &more.edits());
            prop_assert!(
                added.is_empty(),
                "grace {grace:?}\nseeing less added {added:?}\nricher {:#?}\npoorer {:#?}",
                more.says(),
                less.says()
            );
        }
    }
    #[test]
    fn seeing_less_never_writes_more_of_jobs(
        scene in any_scene(),
        jobs in any_jobs(),
        mask in any_mask(),
    ) {
        let richer = with_jobs(scene, &jobs).at_once();
        let poorer = mask.hide(&richer);
        let (less, more) = (poorer.assess(), richer.assess());
        let added = not_contained(&less.edits(), &more.edits());
        prop_assert!(
            added.is_empty(),
            "seeing less added {added:?}\nricher {:#?}\npoorer {:#?}",
            more.job_updates,
            less.job_updates
        );
    }
}
