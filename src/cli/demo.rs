//! `headcount demo`

mod stage;

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use clap::Args;

use super::environment::Environment;
use super::terms::Terms;
use super::{Failure, init, joint, output, reconcile};
use crate::exit::Exit;
use crate::tell::visible::visible;
use crate::tell::{difference, table};
use stage::Stage;

/// See it work: all four drifts on a private tmux server, before and after
///
/// Everything happens in a new folder below /tmp, with a home, a tmux server and a roll of its own, and is
/// removed at the end. Nothing of yours is touched or seen.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headcount demo")]
pub(super) struct Arguments {}

pub(super) async fn run(_arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let stage = Stage::set_up(environment.path).await?;
    let before = read(&stage.roll())?;
    say(&format!(
        "A private machine in {}. Its roll, .hermes/agent-sessions.yaml, says:\n\n{}\n\
         Its tmux says:\n\n{}\n",
        stage.root().display(),
        indented(&before),
        indented(&stage.sessions()?.join("\n")),
    ))?;

    // In a container headcount ends no row before somebody has said that its sessions run there.
    joint::init(init::Settings {
        registry: Some(stage.roll()),
        state_dir: stage.state(),
    })
    .await?;

    say("$ headcount reconcile --dry-run --emit-diff --format table\n")?;
    show(&stage, true).await?;
    say("\n$ headcount reconcile --once --emit-diff --format table --grace 0 --spawn-grace 0\n")?;
    show(&stage, false).await?;

    let after = read(&stage.roll())?;
    say(&format!(
        "\nWhat was written to the roll, and nothing else was:\n\n{}\n\
         All of it is removed again. For your own sessions: headcount init, then headcount reconcile --help",
        indented(&difference::whole(&before, &after)),
    ))?;
    Ok(Exit::Done)
}

/// Makes a pass on the stage and shows what it tells.
async fn show(stage: &Stage, dry_run: bool) -> Result<(), Failure> {
    let settings = reconcile::Settings {
        registry: Some(stage.roll()),
        state_dir: stage.state(),
        environment: stage.environment(),
        terms: Terms::at_once(),
        plan: None,
        dry_run,
        replay: None,
        notify: None,
    };
    let joint::Done {
        report, trouble, ..
    } = joint::reconcile(settings, |_| ()).await?;
    output::print(|out| table::write(&report, output::width(), out))?;
    trouble.map_or(Ok(()), Err)
}

fn read(roll: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(roll);
    Ok(text.with_context(|| format!("cannot read {}", roll.display()))?)
}

fn say(text: &str) -> Result<(), Failure> {
    output::print(|out| writeln!(out, "{text}"))
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {}\n", visible(line)))
        .collect()
}
