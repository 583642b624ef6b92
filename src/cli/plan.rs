//! `headcount plan` and `headcount diff`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::environment::Environment;
use super::replay::Replay;
use super::terms::Terms;
use super::{Failure, Places, joint, output, reconcile};
use crate::exit::Exit;
use crate::run::Proposal;
use crate::tell::visible::visible;
use crate::tell::{difference, json};

/// Print what a pass would write, as a plan to look through and `apply`
///
/// The plan is JSON, as schemas/plan.schema.json describes it. It holds what is due and what will be; take out of
/// `changes` what you do not want. Nothing is written.
#[derive(Debug, Args)]
#[command(after_help = PLAN_EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    replay: Replay,
    #[command(flatten)]
    terms: Terms,
}

const PLAN_EXAMPLES: &str = "\
Examples:
  headcount plan > plan.json          what would be written?
  jq -r '.changes[].comment' plan.json
  headcount apply plan.json           write that, as far as it is still so, and nothing else";

/// Show what a pass would make of the roll, as a unified diff
///
/// It shows what is due and what will be. Nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headcount diff                            what would the roll become?
  headcount diff --grace 0 --spawn-grace 0  the same, if everything were due
  headcount diff > roll.patch               keep it, to look at later")]
pub(super) struct DiffArguments {
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    replay: Replay,
    #[command(flatten)]
    terms: Terms,
}

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let Arguments {
        places,
        replay,
        terms,
    } = arguments;
    let proposal = propose(places, replay, terms, environment).await?;
    output::print(|out| json::write(&proposal.plan, json::Layout::Pretty, out))?;
    say_what_is_left_out(&proposal);
    Ok(Exit::of(&proposal.report))
}

pub(super) async fn diff(
    arguments: DiffArguments,
    environment: Environment,
) -> Result<Exit, Failure> {
    let DiffArguments {
        places,
        replay,
        terms,
    } = arguments;
    let proposal = propose(places, replay, terms, environment).await?;
    output::print(|out| write_diff(&proposal, out))?;
    let pending = proposal.plan.changes.iter();
    for change in pending.filter(|change| change.due.is_some()) {
        output::say(&change.comment);
    }
    say_what_is_left_out(&proposal);
    Ok(Exit::of(&proposal.report))
}

async fn propose(
    places: Places,
    replay: Replay,
    terms: Terms,
    environment: Environment,
) -> Result<Proposal, Failure> {
    let replay = replay.on(terms)?;
    let settings = reconcile::Settings {
        registry: places.registry.or_else(|| environment.registry.clone()),
        state_dir: match &replay {
            Some(_) => PathBuf::new(),
            None => environment.state_folder(places.state_dir.as_deref())?,
        },
        environment,
        terms,
        plan: None,
        dry_run: true,
        replay,
        notify: None,
    };
    joint::propose(settings).await
}

fn write_diff(proposal: &Proposal, out: &mut dyn Write) -> io::Result<()> {
    let Proposal { plan, preview, .. } = proposal;
    let diff = difference::unified(&preview.before, &preview.after, &plan.yaml_path);
    write_lines(&diff, out)
}

/// Writes a diff so that `patch` reads it, and a terminal obeys nothing in it.
pub(super) fn write_lines(diff: &str, out: &mut dyn Write) -> io::Result<()> {
    for line in diff.split_inclusive('\n') {
        let (line, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |line| (line, "\n"));
        // A line of a roll with CRLF ends with a carriage return that belongs to the diff.
        let (line, end) = line
            .strip_suffix('\r')
            .map_or((line, end), |line| (line, "\r\n"));
        if output::is_terminal() {
            write!(out, "{}{end}", visible(line))?;
        } else {
            write!(out, "{line}{end}")?;
        }
    }
    Ok(())
}

/// Tells the person which differences are no change of the plan, and why.
fn say_what_is_left_out(proposal: &Proposal) {
    let Proposal {
        preview, report, ..
    } = proposal;
    for told in &report.drifts {
        if let Some(why) = preview.left_out.reason(&told.drift.id) {
            let session = told.drift.session.as_ref();
            output::say(&format!(
                "Cannot be written: {}: {why}",
                session.map_or("an identity", |session| session.as_str()),
            ));
        }
    }
}
