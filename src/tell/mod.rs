//! The part that tells: a [`Report`](crate::core::report::Report) as JSON, as a table for a terminal, or as
//! Markdown for a card. It decides nothing and prints only through the writer it is given.

pub mod checkup;
mod columns;
pub mod difference;
pub mod explanation;
pub mod item;
pub mod json;
pub mod line;
pub mod markdown;
pub mod paint;
pub mod pruning;
pub mod recovery;
pub mod sentence;
pub mod span;
pub mod status;
pub mod table;
pub mod visible;
pub mod wire;
pub(crate) mod wrap;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
