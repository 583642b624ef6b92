//! `headcount reconcile --poll` and `--subscribe`: the passes go on until somebody ends them.

use std::time::Duration;

use clap::Args;

use super::environment::Environment;
use super::push::{Listening, Subscribe};
use super::reconcile::{Format, Settings};
use super::seconds::seconds;
use super::{Failure, joint, output, signal};
use crate::core::report::Report;
use crate::exit::Exit;
use crate::run::{RunError, Stop, Teller};
use crate::tell::json::Layout;
use crate::tell::wire::Missed;

/// A day: nobody calls it keeping watch to look less often.
const LONGEST_INTERVAL: u64 = 24 * 3600;

/// A hundred years.
const LONGEST_TIMEOUT: u64 = 100 * 365 * 24 * 3600;

#[derive(Debug, Args)]
#[command(next_help_heading = "Keeping watch")]
pub(super) struct Watch {
    /// Go on, and look again every so many seconds
    #[arg(
        long,
        value_name = "SECS",
        num_args = 0..=1,
        default_missing_value = "30",
        allow_negative_numbers = true,
        value_parser = seconds(1..=LONGEST_INTERVAL),
        group = "loops",
    )]
    poll: Option<u64>,
    /// End after so many seconds; 0 for never
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 0,
        allow_negative_numbers = true,
        value_parser = seconds(0..=LONGEST_TIMEOUT),
        requires = "loops",
    )]
    timeout: u64,
    #[command(flatten)]
    subscribe: Subscribe,
}

/// How often to look, and for how long.
#[derive(Debug)]
pub(super) struct Pace {
    /// The time from one pass of the timer to the next.
    pub(super) every: Duration,
    /// Which broker wakes a pass, if one does.
    pub(super) listening: Option<Listening>,
    /// When to end; `None` for never.
    pub(super) timeout: Option<Duration>,
}

impl Watch {
    /// Whether it is to go on until somebody ends it.
    pub(super) const fn is_loop(&self) -> bool {
        self.poll.is_some() || self.subscribe.is_wanted()
    }

    /// How it is to go on, if it is.
    ///
    /// # Errors
    ///
    /// Says which variable of the environment is wrong.
    pub(super) fn pace(self, environment: &Environment) -> anyhow::Result<Option<Pace>> {
        let Self {
            poll,
            timeout,
            subscribe,
        } = self;
        let listening = subscribe.listening(environment)?;
        let every = match (poll, &listening) {
            (Some(secs), _) => Duration::from_secs(secs),
            (None, Some(listening)) => listening.away,
            (None, None) => return Ok(None),
        };
        Ok(Some(Pace {
            every,
            listening,
            timeout: (timeout > 0).then(|| Duration::from_secs(timeout)),
        }))
    }
}

/// Keeps watch, and prints every report with news in a form, if in any.
pub(super) async fn run(
    settings: Settings,
    pace: Pace,
    form: Option<Format>,
) -> Result<Exit, Failure> {
    let mut printer = Printer {
        form,
        last: Exit::Done,
        broken: None,
    };
    let stop = joint::watch(settings, pace, &mut printer).await?;
    if stop == Stop::Idle {
        output::say(
            "Nothing was heard for as long as `--idle-timeout` says, and the watch is over; 0 makes it go on.",
        );
    }
    match (stop, printer.broken) {
        (_, Some(failure)) => Err(failure),
        (Stop::TimedOut | Stop::Idle, None) => Ok(printer.last),
        (stop, None) => Ok(signal::exit_of(stop)),
    }
}

/// Prints what a loop finds.
struct Printer {
    form: Option<Format>,
    /// What the last pass came to.
    last: Exit,
    /// Why nothing can be printed any more.
    broken: Option<Failure>,
}

impl Teller for Printer {
    fn news(&mut self, report: &Report, missed: &Missed) -> Result<(), Stop> {
        let Some(form) = self.form else {
            return Ok(());
        };
        match output::print_more(|out| form.write(report, missed, Layout::OneLine, out)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::Unread),
            Err(failure) => {
                self.broken = Some(failure);
                Err(Stop::Unread)
            }
        }
    }

    fn passed(&mut self, passed: Result<&Report, &RunError>) {
        self.last = match passed {
            Ok(report) => Exit::of(report),
            Err(error) => Failure::from(error).exit,
        };
    }

    fn failing(&mut self, error: &RunError) {
        let _ = Failure::from(error).tell();
    }

    fn healed(&mut self) {
        output::say("Passes can be made again.");
    }
}
