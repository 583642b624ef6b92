//! The full screen of `headcount watch`: what is known and what the keys do to it ([`model`], pure), how that looks
//! ([`view`], pure), and the terminal that it is drawn on ([`terminal`], [`show`]).

mod layout;
mod log;
pub mod model;
mod open;
mod show;
pub mod terminal;
#[cfg(test)]
mod tests;
pub mod view;

pub use model::{Given, Model};
pub use show::{End, Looks, Show, show};
