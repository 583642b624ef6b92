//! `headcount status`

use clap::Args;

use super::environment::Environment;
use super::joint::{self, View};
use super::paint::Colours;
use super::replay::Replay;
use super::{Failure, Places, output};
use crate::core::ids::SessionName;
use crate::core::report::Verdict;
use crate::core::standing::{Concern, Standing, near};
use crate::exit::Exit;
use crate::tell::status::{Form, write};
use crate::tell::visible::visible;
use crate::tell::{json, wire};

/// Show how every session stands: what the roll says of it and what is seen
///
/// One look, which writes nothing and waits for nothing. Trouble comes first: ? could not be seen, ! differs from the
/// roll, * something to know. SEEN is what the agent says that it does (idle, busy, waiting), or what is seen: gone is
/// said only of what is proven to be gone. Without a roll it shows what runs.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// These sessions only; the word for the whole, and the exit code, are then about them
    #[arg(value_name = "SESSION")]
    sessions: Vec<String>,
    /// Show the rows too that ended and are in order
    #[arg(long)]
    all: bool,
    /// Print one JSON object, as schemas/status.schema.json describes it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    colours: Colours,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    replay: Replay,
    /// End with 0 in order, 1 error, 2 drift, 3 not everything could be seen
    #[arg(long)]
    detailed_exitcode: bool,
}

const EXAMPLES: &str = "\
Exit codes: 0 shown, 1 the roll that was named is missing or unreadable, 2 another error, or no such session.

Examples:
  headcount status                                       how does everything stand?
  headcount status shop-web-creator-claude               and this session?
  headcount status --all | less -S                       everything that ever was, unshortened
  watch -c headcount status --color always               again and again
  headcount status --json | jq -r '.sessions[] | select(.seen == \"gone\") | .name'";

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        sessions,
        all,
        json,
        colours,
        places,
        replay,
        detailed_exitcode: _, // `cli::run` has seen to it
    } = arguments;
    let View { survey, home, .. } = joint::survey(places, replay.folder(), &environment).await?;
    let whole = Standing::new(survey.scope());
    let (standing, left_out) = if sessions.is_empty() {
        without_ended(whole, all)
    } else {
        (only(whole, &sessions)?, 0)
    };
    let form = Form {
        width: output::columns(&environment),
        paint: colours.paint(),
        home: home.as_deref().filter(|home| *home != "/"),
        left_out,
    };
    output::print(|out| {
        if json {
            let document = wire::Status::new(&standing, left_out);
            json::write(&document, output::layout(), out)
        } else {
            write(&standing, &form, out)
        }
    })?;
    Ok(Exit::from(standing.verdict))
}

/// Without what ended and is in order, unless everything is wanted; and how many those are.
fn without_ended(standing: Standing, all: bool) -> (Standing, usize) {
    let mut standing = standing;
    let before = standing.sessions.len();
    standing
        .sessions
        .retain(|session| all || session.concern() != Concern::Ended);
    let left_out = before - standing.sessions.len();
    (standing, left_out)
}

/// Only the sessions of these names.
pub(super) fn only(standing: Standing, names: &[String]) -> Result<Standing, Failure> {
    for name in names {
        known(&standing, name)?;
    }
    let wanted: Vec<SessionName> = names.iter().map(SessionName::new).collect();
    Ok(standing.of(|session| wanted.iter().any(|name| name.means(&session.name))))
}

/// Whether there is a session of that name; if not, which there are that may be meant.
fn known(standing: &Standing, name: &str) -> Result<(), Failure> {
    let asked = SessionName::new(name);
    let mut names = standing.sessions.iter().map(|session| &session.name);
    if names.any(|known| known.means(&asked)) {
        return Ok(());
    }
    let near = near(name, standing.sessions.iter().map(|session| &session.name));
    let near: Vec<String> = near
        .iter()
        .map(|name| visible(name.as_str()).into_owned())
        .collect();
    let hint = if near.is_empty() {
        "`headcount status --all` shows all that are known".to_owned()
    } else {
        format!("did you mean {}?", near.join(", or "))
    };
    let blind = if standing.verdict == Verdict::Blind {
        ", though not everything could be seen"
    } else {
        ""
    };
    Err(Failure {
        exit: Exit::Failed,
        why: format!(
            "no row and no live session is called {}{blind}; {hint}",
            visible(name)
        ),
    })
}
