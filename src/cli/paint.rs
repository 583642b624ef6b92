//! `--color`: whether what people read is coloured.

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};

use crate::tell::paint::Paint;

/// Colours.
#[derive(Debug, Args)]
pub(super) struct Colours {
    /// When to use colours; auto: on a terminal, unless NO_COLOR is set
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    color: When,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum When {
    #[default]
    Auto,
    Always,
    Never,
}

impl Colours {
    /// Whether standard output is coloured.
    pub(super) fn paint(&self) -> Paint {
        let is_coloured = match self.color {
            When::Auto => AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
            When::Always => true,
            When::Never => false,
        };
        if is_coloured {
            Paint::Coloured
        } else {
            Paint::Plain
        }
    }
}
