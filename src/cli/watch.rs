//! `headcount reconcile --poll`: the passes go on until somebody ends them.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::reconcile::{Format, Settings};
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
        value_parser = RangedU64ValueParser::<u64>::new().range(1..=LONGEST_INTERVAL),
        group = "loops",
    )]
    poll: Option<u64>,
    /// End after so many seconds; 0 for never
    #[arg(
        long,
        value_name = "SECS",
        default_value_t = 0,
        allow_negative_numbers = true,
        value_parser = RangedU64ValueParser::<u64>::new().range(0..=LONGEST_TIMEOUT),
        requires = "loops",
    )]
    timeout: u64,
}

/// How often to look, and for how long.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// The time from one pass of the timer to the next.
    pub(super) every: Duration,
    /// When to end; `None` for never.
    pub(super) timeout: Option<Duration>,
}

impl Watch {
    /// Whether it is to go on until somebody ends it.
    pub(super) const fn is_loop(&self) -> bool {
        self.poll.is_some()
    }

    /// How it is to go on, if it is.
    pub(super) fn pace(&self) -> Option<Pace> {
        self.poll.map(|every| Pace {
            every: Duration::from_secs(every),
            timeout: (self.timeout > 0).then(|| Duration::from_secs(self.timeout)),
        })
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
    match (stop, printer.broken) {
        (_, Some(failure)) => Err(failure),
        (Stop::TimedOut, None) => Ok(printer.last),
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
