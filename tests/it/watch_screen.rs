//! `headcount watch` in a real terminal: what it shows, what its keys do, and how it leaves the terminal.

mod ends;
mod keys;
mod shows;
mod still;
