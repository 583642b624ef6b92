//! `headcount validate`

use std::path::PathBuf;

use clap::Args;

use super::environment::Environment;
use super::{Failure, joint, output};
use crate::exit::Exit;
use crate::tell::sentence;
use crate::tell::visible::visible;

/// Check a roll: its YAML, and every row of it
///
/// Prints what is wrong as FILE:LINE:COLUMN: WHAT, and ends with 1 if anything keeps a row, or the whole roll,
/// from being reconciled; what is only unwise is told as a warning. Nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headcount validate                                   is the roll in order?
  headcount validate .hermes/agent-sessions.yaml.bak   and the one before it?")]
pub(super) struct Arguments {
    /// The roll [default: $AGENT_SESSIONS_YAML, else the nearest .hermes/agent-sessions.yaml at or above
    /// the working folder]
    file: Option<PathBuf>,
    /// The same as FILE, for those used to the other commands
    #[arg(long, value_name = "PATH", conflicts_with = "file")]
    registry: Option<PathBuf>,
}

/// What is to be checked.
#[derive(Debug)]
pub(super) struct Settings {
    /// The roll that was named, by argument or environment.
    pub(super) registry: Option<PathBuf>,
}

/// What a roll is like.
#[derive(Debug)]
pub(super) struct Findings {
    /// Its path.
    pub(super) roll: PathBuf,
    /// How many rows are in order.
    pub(super) rows: usize,
    /// What is wrong, in the order of the file.
    pub(super) faults: Vec<Fault>,
}

/// One thing that is wrong with a roll.
#[derive(Debug)]
pub(super) struct Fault {
    /// Line, counted from 1, where it is known.
    pub(super) line: Option<usize>,
    /// Column, counted from 1, where it is known.
    pub(super) column: Option<usize>,
    /// Whether something cannot be reconciled because of it.
    pub(super) grave: bool,
    /// What is wrong, without a full stop.
    pub(super) what: String,
}

pub(super) fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let findings = joint::validate(Settings {
        registry: arguments
            .file
            .or(arguments.registry)
            .or(environment.registry),
    })?;
    let roll = findings.roll.display().to_string();
    output::print(|out| {
        for fault in &findings.faults {
            writeln!(out, "{}", visible(&fault.at(&roll)))?;
        }
        if findings.faults.is_empty() {
            let rows = sentence::counted(findings.rows, "row");
            writeln!(out, "{}: in order, {rows}", visible(&roll))?;
        }
        Ok(())
    })?;
    let grave = findings.faults.iter().any(|fault| fault.grave);
    Ok(if grave {
        Exit::RollUnreadable
    } else {
        Exit::Done
    })
}

impl Fault {
    /// As compilers say it, so that editors find the place.
    fn at(&self, roll: &str) -> String {
        let Self {
            line,
            column,
            grave,
            what,
        } = self;
        let what = if *grave {
            what.clone()
        } else {
            format!("warning: {what}")
        };
        match (line, column) {
            (Some(line), Some(column)) => format!("{roll}:{line}:{column}: {what}"),
            (Some(line), None) => format!("{roll}:{line}: {what}"),
            _ => format!("{roll}: {what}"),
        }
    }
}
