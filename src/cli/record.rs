//! `headcount record`

use std::path::PathBuf;

use clap::Args;

use super::environment::Environment;
use super::terms::Terms;
use super::{Failure, Places, joint, output, reconcile};
use crate::exit::Exit;

/// Save all that one pass goes by, for a bug report or a test
///
/// It makes one look, as --dry-run does, and saves what was seen, what was remembered and the roll in a new folder.
/// `--from-snapshot` of reconcile, status, explain, resume, plan and diff replays it anywhere. Taken out of the roll are its
/// comments, arguments of commands, and all keys and values that headcount does not read; no environment, no token and not
/// a word of a conversation is saved. Names of sessions, folders, users and this machine are: look through the two files before you pass them on.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The folder to save it in: a new one, or one that is empty
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    terms: Terms,
}

const EXAMPLES: &str = "\
Examples:
  headcount record snapshot                                             save what is seen now
  headcount status --from-snapshot snapshot                             show it, here or elsewhere
  headcount reconcile --dry-run --emit-diff --from-snapshot snapshot    what a pass made of it";

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let Arguments {
        folder,
        places,
        terms,
    } = arguments;
    let settings = reconcile::Settings {
        registry: places.registry.or_else(|| environment.registry.clone()),
        state_dir: environment.state_folder(places.state_dir.as_deref())?,
        environment,
        terms,
        plan: None,
        dry_run: true,
        replay: None,
        notify: None,
    };
    let files = joint::record(settings, &folder).await?;
    output::print(|out| {
        for file in files {
            writeln!(out, "{}", file.display())?;
        }
        Ok(())
    })?;
    output::say(
        "Look through them before you pass them on: they name sessions, folders and this machine.",
    );
    Ok(Exit::Done)
}
