//! `headcount worker`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::environment::Environment;
use super::terms::Terms;
use super::{Failure, Places, joint, output, reconcile, signal};
use crate::exit::Exit;
use crate::kanban::{Board, Hermes, Refusal, Relay};
use crate::run::{Assignment, Ended};

/// Keep watch, and tell a kanban card what changes
///
/// The loop of `reconcile --poll`, with a card to report to: a first comment that says how everything stands,
/// then one for what opened, changed or was resolved, a sign of life every few minutes, and an end as soon as
/// a person comments "stop". Where there is no hermes, what it would have posted is printed as JSON lines.
///
/// Beside a loop that watches this roll already, it tells what that loop finds.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The card [default: $HERMES_KANBAN_TASK]
    #[arg(long, value_name = "ID")]
    task: Option<String>,
    /// Its board [default: $HERMES_KANBAN_BOARD, else the one that hermes uses]
    #[arg(long, value_name = "SLUG")]
    board: Option<String>,
    /// The hermes program [default: the one on the PATH]
    #[arg(long, value_name = "PATH")]
    hermes: Option<PathBuf>,
    /// Claim the card first, and keep the claim
    #[arg(long)]
    claim: bool,
    /// How long a claim is made for at a time; it is renewed before it runs out
    #[arg(long, value_name = "TIME", default_value = "1d", allow_hyphen_values = true, value_parser = duration, requires = "claim")]
    claim_ttl: Duration,
    /// How often to look, at the sessions and at the card
    #[arg(long, value_name = "TIME", default_value = "30", allow_hyphen_values = true, value_parser = duration)]
    interval: Duration,
    /// How often to give a sign of life
    #[arg(long, value_name = "TIME", default_value = "300", allow_hyphen_values = true, value_parser = duration)]
    heartbeat: Duration,
    /// Finish the card after so long, as 90s, 30m, 8h or 1d
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = duration)]
    max_runtime: Option<Duration>,
    /// End after so long and leave the card as it is: one turn of a model that runs this
    #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = duration)]
    turn: Option<Duration>,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    terms: Terms,
}

const EXAMPLES: &str = "\
Ends with 0 when a person asked for it, the card is not running any more, or the time is over; 1 if
the roll is missing or unreadable; 2 for another error; 143 or 130 by a signal, after a claimed card
was given back.

Examples:
  headcount worker --task t_1a2b3c4d --claim   work on a card until somebody comments: stop
  headcount worker --turn 20m                  one turn of a model, on $HERMES_KANBAN_TASK";

/// A time as the board writes it: `300`, `90s`, `30m`, `8h`, `1d`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: write 300, 90s, 30m, 8h or 1d");
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(end) => text.split_at(end),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    match number.checked_mul(seconds) {
        Some(seconds @ 1..=315_360_000) => Ok(Duration::from_secs(seconds)),
        Some(0) => Err("it has to be longer than nothing".to_owned()),
        _ => Err("it is longer than ten years".to_owned()),
    }
}

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let Arguments {
        task,
        board,
        hermes,
        claim,
        claim_ttl,
        interval,
        heartbeat,
        max_runtime,
        turn,
        places:
            Places {
                registry,
                state_dir,
                beside_others: _, // a card is of one roll
            },
        terms,
    } = arguments;
    let card = task.or_else(|| environment.kanban_task.clone());
    let Some(card) = card.filter(|card| !card.trim().is_empty() && !card.starts_with('-')) else {
        return Err(anyhow::anyhow!(
            "which card? Name it with --task ID, or in HERMES_KANBAN_TASK; `headcount dispatch` makes one"
        )
        .into());
    };
    let board = board.or_else(|| environment.kanban_board.clone());
    let board = match Hermes::find(
        hermes.as_deref(),
        environment.path.as_deref(),
        board.as_deref(),
    ) {
        Ok(hermes) => Board::Direct(hermes),
        // A model can do what is printed; a person wants to know of a typo.
        Err(refusal @ (Refusal::NotInstalled | Refusal::NotThere(_)))
            if hermes.is_none() || turn.is_some() =>
        {
            output::say(&format!(
                "{refusal}. What it would be told is printed here, one JSON object a line"
            ));
            Board::Relayed(Relay::new(print_line))
        }
        Err(refusal) => return Err(anyhow::Error::from(refusal).into()),
    };
    let settings = reconcile::Settings {
        registry: registry.or_else(|| environment.registry.clone()),
        state_dir: environment.state_folder(state_dir.as_deref())?,
        environment,
        terms,
        plan: None,
        dry_run: false,
        replay: None,
        notify: None,
    };
    let assignment = Assignment {
        card: card.clone(),
        interval,
        heartbeat,
        claim: claim.then_some(claim_ttl),
        max_runtime,
        turn,
    };
    let ended = joint::work(settings, assignment, board).await?;
    Ok(match ended {
        Ended::Stopped(stop) => signal::exit_of(stop),
        Ended::Asked(request) => {
            output::say(&format!(
                "{} asked to stop: card {card} is blocked",
                request.author
            ));
            Exit::Done
        }
        Ended::Left(status) => {
            output::say(&format!("card {card} is {status} now: nothing more to do"));
            Exit::Done
        }
        Ended::Taken => {
            output::say(&format!("somebody else works on card {card} now"));
            Exit::Done
        }
        Ended::Turn => {
            output::say(&format!(
                "this turn is over and the watch of card {card} is not: run the same again"
            ));
            Exit::Done
        }
        Ended::Finished => Exit::Done,
    })
}

fn print_line(line: &Value) {
    // Whoever closed standard output cannot be told; the journal keeps the news.
    let _ = output::print(|out| writeln!(out, "{line}"));
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn a_time_is_written_as_the_board_writes_it() {
        for (text, seconds) in [
            ("300", 300),
            ("90s", 90),
            ("30m", 1800),
            ("8h", 28_800),
            ("1d", 86_400),
        ] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn what_is_no_time_is_told() {
        for text in [
            "",
            "0",
            "s",
            "-1",
            "1.5h",
            "1w",
            "5 m",
            "99999999999999999999d",
            "9999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
