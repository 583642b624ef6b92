//! Standard output and standard error.

use std::io::{self, BufWriter, ErrorKind, IsTerminal as _, Write};

use anyhow::Context as _;

use super::Failure;
use super::environment::Environment;
use crate::tell::json::Layout;
use crate::tell::visible::visible;

/// The width of a table where nobody is known to look at it.
const USUAL_WIDTH: usize = 100;

/// Whether a person looks at standard output.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// How many columns the terminal has.
pub(super) fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stdout())
        .ok()
        .map(|size| usize::from(size.ws_col))
        .filter(|columns| *columns > 0)
        .unwrap_or(USUAL_WIDTH)
}

/// How many columns what is printed may have: those of the terminal, else what `COLUMNS` says, else any number.
pub(super) fn columns(environment: &Environment) -> Option<usize> {
    if is_terminal() {
        Some(width())
    } else {
        environment.columns
    }
}

/// How JSON is laid out where it is one document.
pub(super) fn layout() -> Layout {
    if is_terminal() {
        Layout::Pretty
    } else {
        Layout::OneLine
    }
}

/// Prints to standard output. Whoever closes it early has read enough: that is no error.
pub(super) fn print(text: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    print_more(text).map(|_| ())
}

/// The same; returns whether somebody still reads.
pub(super) fn print_more(
    text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<bool, Failure> {
    let mut out = BufWriter::new(io::stdout().lock());
    match text(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        printed => {
            printed.context("cannot write to standard output")?;
            Ok(true)
        }
    }
}

/// Says something to the person at standard error, if there is one.
pub(super) fn say(text: &str) {
    let mut err = io::stderr().lock();
    for line in text.lines() {
        // Where even this cannot be written, nobody is left to be told.
        let _ = writeln!(err, "{}", visible(line));
    }
}
