//! `headcount ack`

use anyhow::anyhow;
use clap::Args;

use super::environment::Environment;
use super::{Failure, Places, joint, output};
use crate::core::report::Told;
use crate::exit::Exit;
use crate::run::{self, can_be_known};
use crate::tell::sentence;
use crate::tell::visible::{readable, visible};

/// Say that a drift is known: it leaves exit codes, trouble and cards until it changes
///
/// That is for what is only told, or held, and will stay so. It is shown as acknowledged in `status --all` and in reports,
/// and counts again as soon as it is held or told otherwise, for another reason, or about another value; and when it is
/// written, that is told as ever. Without anything named it tells what can be acknowledged.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The drifts, by their ids, or all of these sessions
    #[arg(value_name = "DRIFT|SESSION")]
    named: Vec<String>,
    /// Tell what is acknowledged
    #[arg(long, conflicts_with_all = ["named", "remove"])]
    list: bool,
    /// Take that back
    #[arg(long, requires = "named")]
    remove: bool,
    #[command(flatten)]
    places: Places,
}

const EXAMPLES: &str = "\
Exit codes: 0 done, 1 the roll is missing or unreadable, 2 refused, or another error.

Examples:
  headcount ack                            what can be acknowledged?
  headcount ack d-0f1e2d3c4b5a             this is known
  headcount ack shop-old-creator-claude    so is all that is told of this session
  headcount ack --list                     what is?
  headcount ack --remove d-0f1e2d3c4b5a";

pub(super) async fn run(arguments: Arguments, environment: &Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        named,
        list,
        remove,
        places,
    } = arguments;
    let keeping = joint::keeping(&places, environment)?;
    let view = joint::survey(places, None, environment).await?;
    let drifts = view.survey.report.drifts;
    if named.is_empty() {
        let wanted = |told: &&Told| told.acked == list && can_be_known(told);
        let wanted: Vec<&Told> = drifts.iter().filter(wanted).collect();
        print(wanted.iter().copied(), "")?;
        if wanted.is_empty() {
            output::say(if list {
                "Nothing is acknowledged."
            } else {
                "There is nothing to acknowledge."
            });
        }
        return Ok(Exit::Done);
    }
    let mut found: Vec<Told> = Vec::new();
    for name in &named {
        let is_meant = |told: &&Told| {
            let session = told.drift.session.as_ref();
            told.drift.id.as_str() == name || session.is_some_and(|it| it.as_str() == name)
        };
        let meant: Vec<&Told> = drifts.iter().filter(is_meant).collect();
        let (known, open): (Vec<&Told>, Vec<&Told>) =
            meant.iter().copied().partition(|told| can_be_known(told));
        if meant.is_empty() {
            return Err(anyhow!(
                "no drift has the id, and none is about a session called, {}; `headcount ack` tells what can be acknowledged",
                visible(name)
            )
            .into());
        }
        if remove {
            let acked: Vec<&Told> = meant.into_iter().filter(|told| told.acked).collect();
            if acked.is_empty() {
                return Err(anyhow!(
                    "nothing about {} is acknowledged; `headcount ack --list` tells what is",
                    visible(name)
                )
                .into());
            }
            found.extend(acked.into_iter().cloned());
            continue;
        }
        if known.is_empty() && !open.is_empty() {
            return Err(anyhow!(
                "what differs about {} will be written, and is over then: there is nothing to acknowledge",
                visible(name)
            )
            .into());
        }
        found.extend(known.into_iter().cloned());
    }
    run::acknowledge(&keeping, &found, !remove).await?;
    let word = if remove {
        "not acknowledged any more: "
    } else {
        "acknowledged: "
    };
    print(found.iter(), word)?;
    Ok(Exit::Done)
}

fn print<'t>(told: impl Iterator<Item = &'t Told>, word: &str) -> Result<(), Failure> {
    let lines: Vec<String> = told
        .map(|told| {
            let comment = sentence::comment(&told.drift, &told.outcome);
            format!("{word}{} {}", told.drift.id, visible(&readable(&comment)))
        })
        .collect();
    output::print(|out| lines.iter().try_for_each(|line| writeln!(out, "{line}")))
}
