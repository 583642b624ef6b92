//! headcount takes the roll of the coding agents on a machine.

pub mod cli;
pub mod core;
pub mod exit;
pub mod state;
pub mod tell;
