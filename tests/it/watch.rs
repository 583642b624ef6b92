//! Keeping watch: passes in a loop, what wakes them, and how it ends.

mod arguments;
mod ending;
mod polling;
