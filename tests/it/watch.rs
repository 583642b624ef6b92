//! Keeping watch: passes in a loop, what wakes them, and how it ends.

mod arguments;
mod clock;
mod ending;
mod long_run;
mod polling;
mod service;
mod waking;
