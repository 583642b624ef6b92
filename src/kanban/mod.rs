//! A kanban card that is told what the watch finds.
//!
//! [`Hermes`] is the command line of the board, [`Card`] what it says of a card, [`comment`] the words for it,
//! [`Pacing`] how often it may be written to, and [`Keeper`] what ties them together: it reads the journal from a
//! cursor of its own, so that neither a crash nor a board that does not answer loses news or tells it twice.

mod card;
pub mod comment;
mod dispatch;
mod flaps;
mod hermes;
mod keeper;
mod pacing;
mod relay;
mod totals;

pub use card::{Card, StopRequest};
pub use dispatch::{Lane, Order, SKILL, typed};
#[cfg(any(test, fuzzing))]
pub(crate) use hermes::fuzzed;
pub use hermes::{Hermes, Refusal};
pub use keeper::{Duty, Ending, Keeper, Numbers};
pub use pacing::Pacing;
pub use relay::{Board, Relay};

/// Who headcount's comments are by. A person's are by somebody else.
pub const AUTHOR: &str = "headcount";
