//! The roll's file: finding it, reading it, and changing it without harm to anybody else's part of it.

use std::path::PathBuf;

pub(crate) mod datum;
mod draft;
pub mod edit;
mod layout;
pub mod parse;
mod rows;
pub(crate) mod scalar;
mod splice;

/// Which file is the roll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// The path as it was named or found. The other writers lock `<named>.lock`.
    pub named: PathBuf,
    /// The file itself, symlinks followed.
    pub target: PathBuf,
}
