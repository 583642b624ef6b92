//! `headcount log`

mod history;

use clap::Args;

use super::environment::Environment;
use super::{Failure, Places, joint, output};
use crate::exit::Exit;
use crate::tell::json::{self, Layout};
use history::Question;

/// Tell what headcount has changed in the roll, when, and why
///
/// It reads its own journal and nothing else, so that it tells of sessions long gone, too. The oldest comes first.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only what is about these sessions
    #[arg(value_name = "SESSION")]
    sessions: Vec<String>,
    /// Tell what was only seen, too
    #[arg(long)]
    all: bool,
    /// The last so many only
    #[arg(short = 'n', long = "last", value_name = "COUNT", allow_negative_numbers = true, value_parser = count)]
    last: Option<usize>,
    /// One JSON object for each entry, as the journal holds it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    places: Places,
}

const EXAMPLES: &str = "\
Examples:
  headcount log -n 5                     the last five changes of the roll
  headcount log --all shop-creator-claude    all that was ever told of this session
  headcount log --json | jq -r '.told.comment'";

fn count(text: &str) -> Result<usize, String> {
    let count = text.parse();
    count.map_err(|_| "a whole number is needed".to_owned())
}

pub(super) fn run(arguments: Arguments, environment: &Environment) -> Result<Exit, Failure> {
    let Arguments {
        sessions,
        all,
        last,
        json,
        places,
    } = arguments;
    let state = environment.state_folder(places.state_dir.as_deref())?;
    let registry = places.registry.or_else(|| environment.registry.clone());
    let entries = joint::journal(registry, &state)?;
    let question = Question {
        sessions,
        all,
        last,
    };
    let told = history::answer(&entries, &question);
    output::print(|out| {
        if json {
            told.iter()
                .try_for_each(|entry| json::write(entry, Layout::OneLine, out))
        } else {
            history::write(&told, out)
        }
    })?;
    if told.is_empty() && !json {
        output::say(if entries.is_empty() {
            "Nothing is in the journal of this roll: nothing was told of it yet, or the journal was removed."
        } else {
            "Nothing of that kind is in the journal; --all tells what was only seen."
        });
    }
    Ok(Exit::Done)
}
