//! `headcount explain`

use std::slice;

use clap::Args;

use super::environment::Environment;
use super::joint::{self, View};
use super::paint::Colours;
use super::replay::Replay;
use super::{Failure, Places, output, status};
use crate::core::explain::{Explanation, explain};
use crate::core::standing::Standing;
use crate::exit::Exit;
use crate::tell::explanation::{Form, write};
use crate::tell::{json, wire};

/// Explain one session: the verdict, what it rests on, and what would change it
///
/// One look, which writes nothing and waits for nothing. It tells what was looked at, what that said and when, which
/// rule decided, what would change the verdict, and the exact command that takes the conversation up again (which it
/// only prints).
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The session, as its row or tmux calls it
    session: String,
    /// Print one JSON object, as schemas/explanation.schema.json describes it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    colours: Colours,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    replay: Replay,
}

const EXAMPLES: &str = "\
Exit codes: 0 explained, 1 the roll that was named is missing or unreadable, 2 another error, or no such session.

Examples:
  headcount explain shop-web-creator-claude
  headcount explain shop-web-creator-claude --json | jq -r '.explanations[].resume.command'";

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        session,
        json,
        colours,
        places,
        replay,
    } = arguments;
    let View {
        survey,
        claude_home,
        ..
    } = joint::survey(places, replay.folder(), &environment).await?;
    let whole = Standing::new(survey.scope());
    status::known(slice::from_ref(&whole), &session)?;
    let standing = status::called(whole, slice::from_ref(&session));
    let sessions = standing.sessions.iter();
    let explanations: Vec<Explanation> = sessions
        .map(|session| explain(survey.scope(), session, claude_home.as_deref()))
        .collect();
    let form = Form {
        width: output::columns(&environment),
        paint: colours.paint(),
    };
    output::print(|out| {
        if json {
            let document = wire::Explanations::new(&standing, &explanations);
            return json::write(&document, output::layout(), out);
        }
        for (at, explanation) in explanations.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            write(explanation, form, out)?;
        }
        Ok(())
    })?;
    Ok(Exit::Done)
}
