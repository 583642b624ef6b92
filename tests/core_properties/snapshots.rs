//! What a snapshot holds is all that decides.

use headcount::core::ids::Timestamp;
use headcount::roll::parse::parse;
use headcount::snapshot::Snapshot;
use proptest::prelude::*;

use crate::generate::{any_scene, cases};
use crate::scene::Scene;

const ROLL: &str = "tmux_sessions: []\n";

fn recorded(scene: &Scene) -> Snapshot {
    let registry = parse(
        ROLL,
        scene.registry.fingerprint.clone(),
        Timestamp::from_secs(0),
    );
    Snapshot {
        made_by: "headcount".to_owned(),
        roll: "roll.yaml".to_owned(),
        roll_path: "/roll.yaml".to_owned(),
        home: Some("/home/u".to_owned()),
        claude_home: None,
        text: ROLL.to_owned(),
        registry: registry.unwrap(),
        world: scene.world.clone(),
        all: scene.world.clone(),
        ledger: scene.ledger.clone(),
        policy: scene.policy.clone(),
    }
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_replay_decides_as_the_pass_that_was_recorded(scene in any_scene()) {
        let document = recorded(&scene).document().unwrap();
        let Snapshot { world, all, ledger, policy, .. } = Snapshot::read(&document, ROLL).unwrap();
        prop_assert_eq!(&all, &scene.world);
        let replayed = Scene { world, ledger, policy, ..scene.clone() };
        prop_assert_eq!(&replayed, &scene);
        prop_assert_eq!(replayed.assess(), scene.assess());
    }
}
