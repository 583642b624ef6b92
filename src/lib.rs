//! headcount takes the roll of the coding agents on a machine.

pub mod cli;
pub mod clock;
pub mod core;
pub mod exit;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod kanban;
pub mod look;
pub mod mqtt;
pub mod program;
pub mod roll;
pub mod run;
pub mod screen;
pub mod snapshot;
pub mod state;
pub mod tell;
