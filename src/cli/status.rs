//! `headcount status`

use clap::Args;

use super::environment::Environment;
use super::joint;
use super::paint::Colours;
use super::replay::Replay;
use super::rolls::Rolls;
use super::{Failure, Places, output};
use crate::core::ids::SessionName;
use crate::core::report::Verdict;
use crate::core::standing::{Concern, Standing, near, side_by_side};
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
    rolls: Rolls,
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
  headcount status --all-rolls                           and in my other projects?
  watch -c headcount status --color always               again and again
  headcount status --json | jq -r '.sessions[] | select(.seen == \"gone\") | .name'";

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        sessions,
        all,
        json,
        rolls,
        colours,
        places,
        replay,
        detailed_exitcode: _, // `cli::run` has seen to it
    } = arguments;
    let (views, failed) = joint::surveys(rolls, places, replay.folder(), &environment).await?;
    let home = views.first().and_then(|view| view.home.clone());
    let mut standings: Vec<Standing> = views
        .iter()
        .map(|view| Standing::new(view.survey.scope()))
        .collect();
    if rolls.are_all() {
        standings = side_by_side(standings);
    }
    let standings = if sessions.is_empty() {
        let each = standings.into_iter();
        each.map(|standing| without_ended(standing, all)).collect()
    } else {
        only(standings, &sessions)?
    };
    let mut form = Form {
        width: output::columns(&environment),
        paint: colours.paint(),
        home: home.as_deref().filter(|home| *home != "/"),
        left_out: 0,
        beside_others: rolls.are_all(),
    };
    output::print(|out| {
        for (at, (standing, left_out)) in standings.iter().enumerate() {
            form.left_out = *left_out;
            if json {
                let document = wire::Status::new(standing, *left_out);
                json::write(&document, rolls.layout(), out)?;
            } else {
                if at > 0 {
                    writeln!(out)?;
                }
                write(standing, &form, out)?;
            }
        }
        Ok(())
    })?;
    let worst = standings.iter().map(|(standing, _)| standing.verdict).max();
    Ok(failed.unwrap_or_else(|| worst.map_or(Exit::Done, Exit::from)))
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
fn only(standings: Vec<Standing>, names: &[String]) -> Result<Vec<(Standing, usize)>, Failure> {
    for name in names {
        known(&standings, name)?;
    }
    let each = standings.into_iter();
    let mut standings: Vec<Standing> = each.map(|standing| called(standing, names)).collect();
    if standings.len() > 1 {
        standings.retain(|standing| !standing.sessions.is_empty());
    }
    Ok(standings
        .into_iter()
        .map(|standing| (standing, 0))
        .collect())
}

/// Only the sessions of these names, if there are any.
pub(super) fn called(standing: Standing, names: &[String]) -> Standing {
    let wanted: Vec<SessionName> = names.iter().map(SessionName::new).collect();
    standing.of(|session| wanted.iter().any(|name| name.means(&session.name)))
}

/// Whether there is a session of that name; if not, which there are that may be meant.
pub(super) fn known(standings: &[Standing], name: &str) -> Result<(), Failure> {
    let asked = SessionName::new(name);
    let sessions = || standings.iter().flat_map(|standing| &standing.sessions);
    let mut names = sessions().map(|session| &session.name);
    if names.any(|known| known.means(&asked)) {
        return Ok(());
    }
    let near = near(name, sessions().map(|session| &session.name));
    let near: Vec<String> = near
        .iter()
        .map(|name| visible(name.as_str()).into_owned())
        .collect();
    let hint = if near.is_empty() {
        "`headcount status --all` shows all that are known".to_owned()
    } else {
        format!("did you mean {}?", near.join(", or "))
    };
    let is_blind = |standing: &Standing| standing.verdict == Verdict::Blind;
    let blind = if standings.iter().any(is_blind) {
        ", though not everything could be seen"
    } else {
        ""
    };
    Err(Failure {
        exit: Exit::Failed,
        why: format!(
            "no row and no live session is called {}{blind}; {hint}",
            if name.is_empty() {
                "\"\"".into()
            } else {
                visible(name)
            }
        ),
    })
}
