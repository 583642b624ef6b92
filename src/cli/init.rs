//! `headcount init`

use std::path::PathBuf;

use clap::Args;

use super::environment::Environment;
use super::joint;
use super::{Failure, Places, output};
use crate::exit::Exit;

/// Create a roll here, or say of an existing one that its sessions run here
///
/// Where there is no roll, .hermes/agent-sessions.yaml is created in the working folder (or what --registry
/// names). An existing roll is not touched: it is only remembered that this machine, and this container if it
/// is one, is the home of its sessions, so that a session that is gone from here may be marked terminated.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headcount init                                       make a roll here
  headcount init --registry elsewhere/sessions.yaml    make one there")]
pub(super) struct Arguments {
    #[command(flatten)]
    places: Places,
}

/// What there is to do.
#[derive(Debug)]
pub(super) struct Settings {
    /// The roll that was named, by flag or environment.
    pub(super) registry: Option<PathBuf>,
    /// The state folder.
    pub(super) state_dir: PathBuf,
}

/// What was done.
#[derive(Debug)]
pub(super) enum Made {
    /// A roll was created.
    Created(PathBuf),
    /// It was there; this place is its home now.
    Settled(PathBuf),
}

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let Places {
        registry,
        state_dir,
        beside_others: _, // it makes one roll
    } = arguments.places;
    let settings = Settings {
        registry: registry.or_else(|| environment.registry.clone()),
        state_dir: environment.state_folder(state_dir.as_deref())?,
    };
    output::say(&match joint::init(settings).await? {
        Made::Created(roll) => format!("Created {}. Its sessions run here.", roll.display()),
        Made::Settled(roll) => format!("Noted: the sessions of {} run here.", roll.display()),
    });
    Ok(Exit::Done)
}
