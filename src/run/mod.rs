//! When to look: one pass now, loops later. Nothing here decides what a look means.

mod error;
mod pass;

pub use error::RunError;
pub use pass::{Settings, Waiting, reconcile};
