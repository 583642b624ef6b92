//! `headcount watch`

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;

use super::environment::Environment;
use super::paint::Colours;
use super::seconds::seconds;
use super::{Failure, Places, joint, signal};
use crate::exit::Exit;
use crate::run::{Sources, onlook};
use crate::screen::{End, Given, Show, show};

/// A day: nobody calls it watching to look less often.
const LONGEST_INTERVAL: u64 = 24 * 3600;

/// Watch how every session stands, on the whole screen
///
/// The sessions (trouble first), what is open and since when, and what opened and resolved. It looks again whenever a
/// process ends, the roll is written, an agent's conversation begins or an agent says that it does something else, and
/// every so often. It only looks: it writes neither the roll nor any memory, so any number of people can watch, beside
/// whatever corrects the roll (headcount reconcile --poll) or without it. It logs nothing on its own screen: what -v asks
/// for goes where standard error is redirected to.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Look again every so many seconds, whatever happens
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 30,
        allow_negative_numbers = true,
        value_parser = seconds(1..=LONGEST_INTERVAL),
    )]
    interval: u64,
    /// Show the rows too that ended and are in order
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    colours: Colours,
    #[command(flatten)]
    places: Places,
}

const EXAMPLES: &str = "\
Keys: j k and arrows, PgUp PgDn, / filter, Enter why it stands so, Esc back, c copy the command that
takes its conversation up again, r look now, ? all keys, q leave.

Exit codes: 0 left, 1 the roll that was named is missing or unreadable, 2 another error, or no terminal.

Examples:
  headcount watch                                  this project
  headcount watch --registry ~/shop/.hermes/agent-sessions.yaml
  tmux new-window headcount watch                  in a window of its own";

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        interval,
        all,
        colours,
        places,
    } = arguments;
    must_have_a_screen(environment.term.as_deref())?;
    let text = |path: Option<std::path::PathBuf>| {
        path.and_then(|path| path.into_os_string().into_string().ok())
    };
    let given = Given {
        home: text(environment.home.clone()).filter(|home| home != "/"),
        claude_home: text(joint::claude_home(&environment)),
        all,
    };
    let settings = joint::of_the_look(&places, &environment)?;
    // What is wrong with a roll that appears later is told by the next look that finds it.
    let find = || joint::of_the_look(&places, &environment).ok().flatten();
    let surroundings = joint::surroundings(&environment);
    let sources = Sources::new(Duration::from_secs(interval));
    let (screen, mut looks) = Show::new(given, colours.paint(), sources.waker());
    let looking = onlook(settings, &surroundings, &find, sources, &mut looks);
    let end = tokio::select! {
        // In this order, so that a roll that is not there is told before any screen is taken.
        biased;
        stop = looking => return Ok(signal::exit_of(stop?)),
        end = show(screen) => end.context("the terminal cannot be drawn on")?,
    };
    Ok(match end {
        End::Left => Exit::Done,
        End::Interrupted => Exit::Interrupted,
        End::Closed => Exit::HungUp,
    })
}

/// Whether there is a screen, and keys to be pressed.
fn must_have_a_screen(term: Option<&str>) -> anyhow::Result<()> {
    let instead = "headcount status shows the same once";
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(anyhow!(
            "headcount watch needs a terminal to show and to be told; {instead}"
        ));
    }
    if term.is_none_or(|term| term == "dumb") {
        return Err(anyhow!(
            "this terminal cannot show a full screen (TERM is {}); {instead}",
            term.unwrap_or("not set")
        ));
    }
    Ok(())
}
