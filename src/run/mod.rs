//! When to look: one pass now, loops later. Nothing here decides what a look means.

mod error;
mod init;
mod pass;

pub use error::RunError;
pub use init::{Made, init};
pub use pass::{Settings, Waiting, reconcile};
