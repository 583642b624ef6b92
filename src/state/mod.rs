//! What headcount remembers between passes, on disk: a folder private to the user, in it one folder for each
//! roll, and in that the [`ledger`] (what was seen) and the [`journal`] (what was told and done, in order).
//!
//! Losing any of it is safe: knowledge only ever allows more to be written, never less.

mod error;
pub mod folder;
pub mod inbox;
pub mod journal;
pub mod ledger;
mod replace;
pub mod retention;
pub mod rewrites;
pub mod tenure;
pub mod told;

pub use error::StateError;
pub use folder::{Folder, Locked};
pub use inbox::Inbox;
pub use journal::Journal;
pub use ledger::LedgerFile;
pub use rewrites::{Rewrite, Rewrites};
pub use tenure::{Sought, Tenure, TenureFile};
