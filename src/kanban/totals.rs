//! What a watch has told in all.

use crate::state::journal::{Entry, News};

/// How much of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    /// Differences that were seen and not written at once.
    pub(super) opened: u64,
    /// What was written to the roll.
    pub(super) written: u64,
    /// Differences that went away by themselves, or by somebody else's hand.
    pub(super) resolved: u64,
}

impl Totals {
    /// By what the journal holds, oldest first.
    #[must_use]
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut totals = Self::default();
        for entry in entries {
            match &entry.news {
                News::Opened(_) => totals.opened += 1,
                News::Resolved(_) => totals.resolved += 1,
                News::Outcome(drift) => totals.written += u64::from(drift.applied),
                News::JobOutcome(update) => totals.written += u64::from(update.applied),
                News::Changed(_)
                | News::Edited(_)
                | News::Job(_)
                | News::JobEdited(_)
                | News::Undone(_)
                | News::Pruned(_) => {}
            }
        }
        totals
    }
}
