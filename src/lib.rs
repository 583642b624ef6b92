//! headcount takes the roll of the coding agents on a machine.

pub mod clock;
pub mod core;
pub mod roll;
