//! Chance that can be repeated: what it decides follows from a seed, which a failing test shows.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// A row of numbers nobody can foresee, unless he names the seed in `HEADCOUNT_SEED`.
pub struct Chance(u64);

impl Chance {
    /// Begins, and says with which seed.
    pub fn new() -> Self {
        let named = std::env::var("HEADCOUNT_SEED").ok();
        let seed = named.map_or_else(
            || RandomState::new().hash_one(()),
            |seed| seed.parse().expect("HEADCOUNT_SEED is a number"),
        );
        eprintln!("HEADCOUNT_SEED={seed}");
        Self(seed)
    }

    /// A number below `most`.
    pub fn below(&mut self, most: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % most
    }

    /// True once in so many times.
    pub fn one_in(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }

    /// A while of at most so many milliseconds.
    pub fn while_below(&mut self, millis: u64) -> Duration {
        Duration::from_millis(self.below(millis))
    }
}
