//! Differences that come and go: a card is told that they do, and how often, and not of each time.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use crate::core::ids::Timestamp;
use crate::state::journal::{Entry, News};

/// How long ago a beginning still counts. A card is not told more often than that of what only flaps.
pub(super) const WHILE: Duration = Duration::from_secs(3600);

/// How often a difference begins in that time that flaps.
const OFTEN: u64 = 3;

/// How often each difference began of late.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flaps(HashMap<String, u64>);

impl Flaps {
    /// By what the journal holds, oldest first.
    #[must_use]
    pub fn of(entries: &[Entry], now: Timestamp) -> Self {
        let since = now.minus(WHILE);
        let mut open = HashSet::new();
        let mut begun: HashMap<String, u64> = HashMap::new();
        for entry in entries {
            let id = entry.news.id();
            match &entry.news {
                News::Opened(_) | News::Changed(_) | News::Edited(_) => {
                    if open.insert(id) && entry.at >= since {
                        *begun.entry(id.to_owned()).or_default() += 1;
                    }
                }
                News::Outcome(drift) if !drift.applied => {}
                News::Outcome(_) | News::Resolved(_) => {
                    open.remove(id);
                }
                News::Job(_)
                | News::JobEdited(_)
                | News::JobOutcome(_)
                | News::Undone(_)
                | News::Pruned(_) => {}
            }
        }
        begun.retain(|_, times| *times >= OFTEN);
        Self(begun)
    }

    /// How often that difference began, if it flaps.
    #[must_use]
    pub fn times(&self, id: &str) -> Option<u64> {
        self.0.get(id).copied()
    }

    /// Whether all of that is about what flaps.
    #[must_use]
    pub fn cover(&self, entries: &[Entry]) -> bool {
        entries
            .iter()
            .all(|entry| self.0.contains_key(entry.news.id()))
    }
}
