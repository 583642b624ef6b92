//! The part that decides. It touches nothing: no file, no process, no clock, no environment. Everything
//! it needs, the time included, is an argument, and the same arguments always give the same answer.

#![deny(clippy::disallowed_methods)]

pub mod absence;
pub mod checkup;
pub mod diff;
pub mod drift;
pub mod edit;
pub mod explain;
pub mod ids;
pub mod interrupted;
pub mod jobs;
pub mod join;
pub mod known_clock;
pub mod ledger;
pub mod past;
pub mod plan;
pub mod policy;
pub mod prune;
pub mod registry;
pub mod report;
pub mod resume;
pub mod sighting;
pub mod standing;
pub mod world;
