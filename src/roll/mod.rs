//! The roll's file: finding it, reading it, and changing it without harm to anybody else's part of it.

use std::path::PathBuf;

pub mod archive;
pub mod atomic;
pub mod check;
pub mod commit;
pub(crate) mod datum;
mod draft;
pub mod edit;
pub mod find;
pub mod graft;
pub mod holder;
pub mod init;
pub mod inspect;
mod json;
mod layout;
mod leftover;
pub mod lock;
mod mount;
mod openings;
pub mod parse;
pub mod passage;
pub mod read;
pub mod redact;
pub(crate) mod remedy;
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

impl Roll {
    /// The roll at a path. Where there is none yet, both paths are the same.
    #[must_use]
    pub fn at(named: PathBuf) -> Self {
        let target = std::fs::canonicalize(&named).unwrap_or_else(|_| named.clone());
        Self { named, target }
    }

    /// The same roll, as the path leads to it now: another writer may have put a file in the place of a link.
    #[must_use]
    pub fn as_it_is(&self) -> Self {
        Self::at(self.named.clone())
    }
}
