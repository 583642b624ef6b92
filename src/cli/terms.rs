//! On what terms changes are made to the roll.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;

use super::joint;
use crate::core::policy::Policy;

/// A day: nothing is waited for longer.
const LONGEST: u64 = 24 * 3600;

/// How long to wait, and how bold to be.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Terms {
    /// How long after the first proof of an end a second must follow before it is written
    #[arg(long, value_name = "SECS", default_value_t = Policy::default().grace.as_secs(), value_parser = seconds())]
    grace: u64,
    /// How old a session must be before it is registered
    #[arg(long, value_name = "SECS", default_value_t = Policy::default().spawn_grace.as_secs(), value_parser = seconds())]
    spawn_grace: u64,
    /// Allow many rows to end at once without a cause of their own
    #[arg(long)]
    allow_mass_change: bool,
    /// How long to wait for the roll when another program keeps its lock; 0 tries once
    #[arg(long, value_name = "SECS", default_value_t = joint::PATIENCE.as_secs(), value_parser = seconds())]
    lock_timeout: u64,
}

fn seconds() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(0..=LONGEST)
}

impl Terms {
    /// What a pass is told of them.
    pub(super) fn policy(self) -> Policy {
        Policy {
            grace: Duration::from_secs(self.grace),
            spawn_grace: Duration::from_secs(self.spawn_grace),
            allow_mass_change: self.allow_mass_change,
            ..Policy::default()
        }
    }

    /// How long to wait for a lock.
    pub(super) const fn lock_timeout(self) -> Duration {
        Duration::from_secs(self.lock_timeout)
    }
}
