//! On what terms changes are made to the roll.

use std::time::Duration;

use clap::Args;

use super::config::Config;
use super::joint;
use crate::core::policy::Policy;

/// A day: nothing is waited for longer.
pub(super) const LONGEST: u64 = 24 * 3600;

/// How long to wait, and how bold to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args)]
pub(super) struct Terms {
    /// How long after the first proof of an end a second must follow before it is written [default: that of
    /// headcount.toml beside the roll, else 10]
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = seconds())]
    grace: Option<u64>,
    /// How old a session must be before it is registered [default: that of headcount.toml beside the roll, else
    /// 30]
    #[arg(long, value_name = "SECS", allow_negative_numbers = true, value_parser = seconds())]
    spawn_grace: Option<u64>,
    /// Allow many rows to end at once without a cause of their own
    #[arg(long)]
    allow_mass_change: bool,
    /// How long to wait for the roll when another program keeps its lock; 0 tries once
    #[arg(long, value_name = "SECS", default_value_t = joint::PATIENCE.as_secs(), allow_negative_numbers = true, value_parser = seconds())]
    lock_timeout: u64,
    /// Whether other rolls are looked after by the same run.
    #[arg(skip)]
    beside_others: bool,
}

fn seconds() -> impl Fn(&str) -> Result<u64, String> + Clone + Send + Sync + 'static {
    super::seconds::seconds(0..=LONGEST)
}

impl Terms {
    /// What a pass is told of them, and of what the project wants.
    pub(super) fn policy(self, config: Config) -> Policy {
        let usual = Policy::default();
        let first = |flag: Option<u64>, config: Option<Duration>, usual: Duration| {
            flag.map(Duration::from_secs).or(config).unwrap_or(usual)
        };
        Policy {
            grace: first(self.grace, config.grace, usual.grace),
            spawn_grace: first(self.spawn_grace, config.spawn_grace, usual.spawn_grace),
            allow_mass_change: self.allow_mass_change,
            agent_infixes: config.agent_infixes.unwrap_or(usual.agent_infixes),
            ignored: config.ignore,
            beside_others: self.beside_others,
            ..Policy::default()
        }
    }

    /// The same, beside other rolls or not.
    pub(super) const fn beside_others(self, beside_others: bool) -> Self {
        Self {
            beside_others,
            ..self
        }
    }

    /// As nobody says anything else.
    pub(super) const fn usual() -> Self {
        Self {
            grace: None,
            spawn_grace: None,
            allow_mass_change: false,
            lock_timeout: joint::PATIENCE.as_secs(),
            beside_others: false,
        }
    }

    /// What one look proves is written.
    pub(super) const fn at_once() -> Self {
        Self {
            grace: Some(0),
            spawn_grace: Some(0),
            allow_mass_change: false,
            lock_timeout: joint::PATIENCE.as_secs(),
            beside_others: false,
        }
    }

    /// How long to wait for a lock.
    pub(super) const fn lock_timeout(self) -> Duration {
        Duration::from_secs(self.lock_timeout)
    }
}
