//! Looks that only see again what was seen before. Nothing is lost if that is written now and then only: it is as if
//! the looks between had not been made.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use crate::core::ids::Timestamp;
use crate::core::ledger::Ledger;

/// For how long it need not be written that the same was seen again.
const AGAIN: Duration = Duration::from_secs(300);

/// One state of the file on disk: after anybody wrote it, it has another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    written: Timestamp,
}

impl Stamp {
    pub(super) fn of(file: &File) -> Option<Self> {
        file.metadata().ok().as_ref().map(Self::from)
    }

    /// Whether it was written so shortly before that moment that it need not be written again.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        self.written <= now && now < self.written.plus(AGAIN)
    }
}

impl From<&fs::Metadata> for Stamp {
    fn from(found: &fs::Metadata) -> Self {
        let seconds = found.mtime().saturating_mul(1000);
        Self {
            file: (found.dev(), found.ino()),
            written: Timestamp::from_millis(seconds.saturating_add(found.mtime_nsec() / 1_000_000)),
        }
    }
}

/// A ledger that says no more than the one on disk but when, and how often, the same was seen again.
#[derive(Clone, Debug)]
pub struct Unsaved {
    /// What is on disk.
    pub(super) stamp: Stamp,
    /// What is not.
    pub(super) ledger: Ledger,
}

/// Whether the two differ in nothing but when the same was seen last, and, where that does not count, how often.
pub(super) fn is_the_same(before: &Ledger, after: &Ledger, counts: bool) -> bool {
    let bare = |ledger: &Ledger| {
        let mut ledger = ledger.clone();
        let never = Timestamp::from_millis(0);
        for server in ledger.servers.values_mut() {
            server.seen = never;
        }
        for alive in ledger
            .rows
            .values_mut()
            .filter_map(|row| row.alive.as_mut())
        {
            alive.at = never;
        }
        for artifact in ledger.artifacts.values_mut() {
            artifact.seen = never;
            artifact.modified = never;
        }
        for agent in ledger.agents.values_mut() {
            agent.seen = never;
        }
        for drift in ledger.drifts.values_mut() {
            drift.last_seen = never;
            if !counts {
                drift.count = 0;
            }
        }
        ledger
    };
    bare(before) == bare(after)
}
