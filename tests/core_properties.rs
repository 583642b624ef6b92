//! What the core promises: `laws` and `ignorance` whatever the roll, the machine and the memory look like,
//! `rules` each by the smallest scene that shows it.
//!
//! `PROPTEST_CASES` sets how many scenes each law is tried on.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "a vocabulary: not every word is in use at all times"
)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should fail, and say so"
)]

#[path = "core_properties/blur.rs"]
mod blur;
#[path = "core_properties/checkup.rs"]
mod checkup;
#[path = "core_properties/days.rs"]
mod days;
#[path = "core_properties/edits.rs"]
mod edits;
#[path = "core_properties/explained.rs"]
mod explained;
#[path = "core_properties/gallery.rs"]
mod gallery;
#[path = "core_properties/generate/mod.rs"]
mod generate;
#[path = "core_properties/ignorance.rs"]
mod ignorance;
#[path = "core_properties/laws.rs"]
mod laws;
#[path = "core_properties/names.rs"]
mod names;
#[path = "core_properties/pruning.rs"]
mod pruning;
#[path = "core_properties/rules/mod.rs"]
mod rules;
#[path = "core_properties/scene/mod.rs"]
mod scene;
#[path = "core_properties/snapshots.rs"]
mod snapshots;
#[path = "core_properties/standing.rs"]
mod standing;
#[path = "core_properties/times.rs"]
mod times;
#[path = "core_properties/told.rs"]
mod told;
#[path = "core_properties/words.rs"]
mod words;
