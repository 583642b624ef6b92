//! `headcount undo`

use clap::Args;

use super::environment::Environment;
use super::{Failure, Places, joint, output, plan};
use crate::exit::Exit;
use crate::run::{self, Keeping, TakenBack, UndoError};
use crate::tell::difference;
use crate::tell::visible::{readable, visible};

/// Take back one change of the roll, by its number in `headcount log`
///
/// The row is put back as it stood before, byte for byte if nobody else has laid it out anew since, and the same change is
/// not made again until something else is seen: it is held as `undone`. It is refused where the row has changed since.
/// The undo has a number of its own: to undo that one lets the change be written again. Without a number it tells what
/// can be undone.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The number of the change
    #[arg(value_name = "NUMBER", allow_negative_numbers = true, value_parser = number)]
    number: Option<u64>,
    /// Show what would become of the roll, as a unified diff, and write nothing
    #[arg(long, requires = "number")]
    dry_run: bool,
    #[command(flatten)]
    places: Places,
}

const EXAMPLES: &str = "\
Exit codes: 0 undone, 1 the roll is missing or unreadable, 2 refused, or another error.

Examples:
  headcount undo                   what can be undone?
  headcount undo 12 --dry-run      what would become of the roll?
  headcount undo 12";

/// `12` or `#12`.
fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    let number = digits.parse();
    number.map_err(|_| "not a number of a change, as `headcount log` shows them".to_owned())
}

pub(super) async fn run(arguments: Arguments, environment: &Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        number,
        dry_run,
        places,
    } = arguments;
    let keeping = joint::keeping(&places, environment)?;
    let Some(number) = number else {
        return list(&keeping);
    };
    let taken_back = run::undo(&keeping, number, dry_run).await;
    let taken_back = taken_back.map_err(|error| {
        if let UndoError::Changed { left, now, .. } = &error {
            output::say("How headcount left the row (-), and how it stands (+):");
            output::say(&difference::whole(left, now));
        }
        Failure::from(&error)
    })?;
    match (taken_back, dry_run) {
        (TakenBack::Change { before, after, .. }, true) => {
            let path = keeping.roll.named.display().to_string();
            let diff = difference::unified(&before, &after, &path);
            output::print(|out| plan::write_lines(&diff, out))?;
        }
        (TakenBack::Undo { comment }, true) => {
            output::say("Nothing would change in the roll.");
            output::print(|out| writeln!(out, "{}", shown(&comment)))?;
        }
        (TakenBack::Change { comments, .. }, false) => output::print(|out| {
            comments
                .iter()
                .try_for_each(|comment| writeln!(out, "undone: {}", shown(comment)))
        })?,
        (TakenBack::Undo { comment }, false) => {
            output::print(|out| writeln!(out, "lifted: {}", shown(&comment)))?;
        }
    }
    Ok(Exit::Done)
}

fn list(keeping: &Keeping) -> Result<Exit, Failure> {
    let entries = run::undoable(keeping).map_err(|error| Failure::from(&error))?;
    output::print(|out| {
        entries.iter().try_for_each(|entry| {
            let (seq, at) = (entry.seq, entry.at.iso());
            writeln!(out, "#{seq} {at} {}", shown(entry.news.comment()))
        })
    })?;
    if entries.is_empty() {
        let undo = run::last_undo(keeping).map_err(|error| Failure::from(&error))?;
        output::say(&undo.map_or_else(
            || "Nothing that headcount has written can be undone now.".to_owned(),
            |seq| {
                format!(
                    "Nothing is left to undo but the last undo: `headcount undo {seq}` lets the same be written again."
                )
            },
        ));
    }
    Ok(Exit::Done)
}

fn shown(comment: &str) -> String {
    visible(&readable(comment)).into_owned()
}

impl From<&UndoError> for Failure {
    fn from(error: &UndoError) -> Self {
        match error {
            UndoError::Run(error) => Self::from(error),
            other => Self {
                exit: Exit::Failed,
                why: other.to_string(),
            },
        }
    }
}
