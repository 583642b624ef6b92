//! `headcount resume`

use clap::Args;

use super::environment::Environment;
use super::joint::{self, View};
use super::replay::Replay;
use super::{Failure, Places, output};
use crate::core::interrupted::interrupted;
use crate::core::report::Verdict;
use crate::core::standing::Standing;
use crate::exit::Exit;
use crate::tell::recovery::{Form, write};
use crate::tell::{json, wire};

/// Print the commands that take up again all that was running before a reboot
///
/// That are the rows that say running, or that headcount ended since the machine was started, and whose agents do not
/// run now. The commands are grouped by tmux server and quoted for a shell; all else is a comment. They are only
/// printed. A conversation whose file is gone is told as that.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Print commands that start each in a new tmux session of its name
    #[arg(long)]
    tmux: bool,
    /// Print one JSON object, as schemas/recovery.schema.json describes it
    #[arg(long, conflicts_with = "tmux")]
    json: bool,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    replay: Replay,
}

const EXAMPLES: &str = "\
Exit codes: 0 printed, 1 the roll that was named is missing or unreadable, 2 another error.

Examples:
  headcount resume                         what was running, and how to take it up again?
  headcount resume --tmux > resume.sh      look it through, then: sh resume.sh
  headcount resume --json | jq -r '.sessions[].resume.command'";

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        tmux,
        json,
        places,
        replay,
    } = arguments;
    let View {
        survey,
        claude_home,
        ..
    } = joint::survey(places, replay.folder(), &environment).await?;
    let standing = Standing::new(survey.scope());
    let sessions = interrupted(survey.scope(), &standing, claude_home.as_deref());
    let form = if tmux { Form::InTmux } else { Form::Bare };
    output::print(|out| {
        if json {
            let document = wire::Recovery::new(&standing, &sessions);
            json::write(&document, output::layout(), out)
        } else {
            write(&sessions, form, out)
        }
    })?;
    if sessions.is_empty() && !json {
        output::say("Nothing that was running before this boot is missing now.");
    }
    if standing.verdict == Verdict::Blind {
        output::say("Not everything could be seen: `headcount status` says what.");
    }
    Ok(Exit::Done)
}
