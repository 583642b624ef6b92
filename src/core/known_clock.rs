//! A system clock that somebody sets while the machine runs.
//!
//! That is known by the time at which the boot seems to have begun. What the ledger read from the clock before is
//! moved along. What others wrote down by it no longer says what came before what.

use std::borrow::Cow;

use super::ids::{BootId, Timestamp};
use super::ledger::Ledger;
use super::policy::limits::CLOCK_SLACK;
use super::world::{Place, Vantage};

/// How the clock of a machine stood at the last look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownClock {
    /// Where the look was made from.
    pub place: Place,
    /// In which boot.
    pub boot: BootId,
    /// When that boot began, by the clock.
    pub booted_at: Timestamp,
    /// Whether the clock was set in this boot.
    pub was_set: bool,
}

impl KnownClock {
    /// The clock as it stands, after what was known of it before.
    pub(super) fn now(vantage: &Vantage, before: Option<&Self>) -> Self {
        Self {
            place: vantage.place.clone(),
            boot: vantage.boot.clone(),
            booted_at: vantage.booted_at,
            was_set: before.is_some_and(|before| before.is_of(vantage) && before.was_set),
        }
    }

    /// Whether this is the clock that a look goes by.
    #[must_use]
    pub fn is_of(&self, vantage: &Vantage) -> bool {
        self.place == vantage.place && self.boot == vantage.boot
    }
}

impl Ledger {
    /// The same memory, by the clock as it stands now.
    #[must_use]
    pub fn by_the_clock_of(&self, vantage: &Vantage) -> Cow<'_, Self> {
        let Some(known) = self.clock.as_ref().filter(|known| known.is_of(vantage)) else {
            return Cow::Borrowed(self);
        };
        let (then, now) = (known.booted_at, vantage.booted_at);
        if now.since(then).max(then.since(now)) <= CLOCK_SLACK {
            return Cow::Borrowed(self);
        }
        let mut ledger = self.clone();
        ledger.clock = Some(KnownClock {
            was_set: true,
            ..KnownClock::now(vantage, None)
        });
        for drift in ledger.drifts.values_mut() {
            if let Some((since, boot)) = &mut drift.proven_since
                && *boot == vantage.boot
            {
                *since = since.moved(then, now);
            }
        }
        for row in ledger.rows.values_mut() {
            let (place, boot) = &row.since_boot;
            if *place == vantage.place && *boot == vantage.boot {
                row.since = row.since.moved(then, now);
            }
        }
        Cow::Owned(ledger)
    }
}
