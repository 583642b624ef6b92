//! `headcount resume`

use clap::Args;

use super::environment::Environment;
use super::joint;
use super::replay::Replay;
use super::rolls::Rolls;
use super::{Failure, Places, output};
use crate::core::interrupted::{Interrupted, interrupted};
use crate::core::report::Verdict;
use crate::core::standing::Standing;
use crate::exit::Exit;
use crate::tell::recovery::{Form, write};
use crate::tell::{json, wire};

/// Print the commands that take up again all that a reboot or the end of a tmux server cut off
///
/// That are the rows that say running, or that headcount ended since the machine was started, and whose agents do not
/// run now; what ended while its tmux server lived on is not of these. Whoever closes the last session of a tmux server
/// ends the server with it, and nothing tells that from a server that was ended: such a session is listed, until its
/// row says that a person ended it. The commands are grouped by tmux server and quoted
/// for a shell; all else is a comment. They are only printed. A conversation whose file is gone, or that an agent has,
/// in tmux or outside of it, is told as that.
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
    rolls: Rolls,
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
  headcount resume --all-rolls             and in all other projects?
  headcount resume --json | jq -r '.sessions[].resume.command'";

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        tmux,
        json,
        rolls,
        places,
        replay,
    } = arguments;
    let (views, failed) = joint::surveys(rolls, places, replay.folder(), &environment).await?;
    let each: Vec<(Standing, Vec<Interrupted>)> = views
        .iter()
        .map(|view| {
            let scope = view.survey.scope();
            let standing = Standing::new(scope);
            let sessions = interrupted(scope, &standing, view.claude_home.as_deref());
            (standing, sessions)
        })
        .collect();
    let form = if tmux { Form::InTmux } else { Form::Bare };
    let is_empty = each.iter().all(|(_, sessions)| sessions.is_empty());
    output::print(|out| {
        for (standing, sessions) in &each {
            if json {
                let document = wire::Recovery::new(standing, sessions);
                json::write(&document, rolls.layout(), out)?;
            } else {
                let roll = standing.roll.as_deref().filter(|_| rolls.are_all());
                write(roll, sessions, form, out)?;
            }
        }
        Ok(())
    })?;
    if is_empty && failed.is_none() && !json {
        output::say("Nothing that a reboot or the end of a tmux server cut off is missing now.");
    }
    if each.iter().any(|(it, _)| it.verdict == Verdict::Blind) {
        output::say("Not everything could be seen: `headcount status` says what.");
    }
    Ok(failed.unwrap_or(Exit::Done))
}
