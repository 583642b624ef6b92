//! Looks that only see again what was seen before. Nothing is lost if that is written now and then only: it is as if
//! the looks between had not been made.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

use crate::core::ids::Timestamp;
use crate::core::ledger::{
    KnownAgent, KnownArtifact, KnownRow, KnownServer, Ledger, OpenDrift, SeenAlive,
};

/// For how long it need not be written that the same was seen again.
const AGAIN: Duration = Duration::from_secs(300);

const NANOS_IN_MILLI: i128 = 1_000_000;

/// One state of the file on disk: after anybody wrote it, it has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    size: u64,
    /// In nanoseconds since the epoch: two files may be written within one millisecond, in the same place.
    written: i128,
}

impl Stamp {
    pub(super) fn of(file: &File) -> Option<Self> {
        file.metadata().ok().as_ref().map(Self::from)
    }

    pub(super) fn at(path: &Path) -> Option<Self> {
        fs::symlink_metadata(path).ok().as_ref().map(Self::from)
    }

    /// Whether it was written so shortly before that moment that it need not be written again.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        let written = i64::try_from(self.written / NANOS_IN_MILLI).map(Timestamp::from_millis);
        written.is_ok_and(|written| written <= now && now < written.plus(AGAIN))
    }
}

impl From<&fs::Metadata> for Stamp {
    fn from(found: &fs::Metadata) -> Self {
        Self {
            file: (found.dev(), found.ino()),
            size: found.size(),
            written: i128::from(found.mtime()) * 1000 * NANOS_IN_MILLI
                + i128::from(found.mtime_nsec()),
        }
    }
}

/// What a look has left in mind for the next one of its loop: the ledger on disk, or one that says no more than
/// that but when, and how often, the same was seen again.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What is on disk.
    pub(super) stamp: Stamp,
    /// The number of the journal's last entry that that remembers.
    pub(super) told: u64,
    /// The ledger.
    pub(super) ledger: Ledger,
}

/// Whether the two differ in nothing but when the same was seen last, and, where that does not count, how often.
pub(super) fn is_the_same(before: &Ledger, after: &Ledger, counts: bool) -> bool {
    // Whoever adds a field has to say here whether it is news.
    let Ledger {
        homes,
        servers,
        rows,
        artifacts,
        agents,
        drifts,
        jobs,
        clock,
    } = before;
    (homes, jobs, clock) == (&after.homes, &after.jobs, &after.clock)
        && are_the_same(servers, &after.servers, |a, b| {
            let KnownServer { id, boot, seen: _ } = a;
            (id, boot) == (&b.id, &b.boot)
        })
        && are_the_same(rows, &after.rows, is_the_same_row)
        && are_the_same(artifacts, &after.artifacts, |a, b| {
            let KnownArtifact {
                path,
                modified: _,
                seen: _,
            } = a;
            *path == b.path
        })
        && are_the_same(agents, &after.agents, |a, b| {
            let KnownAgent {
                folder,
                user,
                seen: _,
                gone,
                undecided,
            } = a;
            (folder, user, gone, undecided) == (&b.folder, &b.user, &b.gone, &b.undecided)
        })
        && are_the_same(drifts, &after.drifts, |a, b| {
            let OpenDrift {
                first_seen,
                last_seen: _,
                count,
                proven_since,
                session,
                server,
                class,
                kind,
                told_as,
                undone,
                acked,
            } = a;
            (first_seen, proven_since, session, server, class)
                == (
                    &b.first_seen,
                    &b.proven_since,
                    &b.session,
                    &b.server,
                    &b.class,
                )
                && (kind, told_as, undone, acked) == (&b.kind, &b.told_as, &b.undone, &b.acked)
                && (!counts || *count == b.count)
        })
}

fn is_the_same_row(a: &KnownRow, b: &KnownRow) -> bool {
    let KnownRow {
        fingerprint,
        pid,
        since,
        since_boot,
        alive,
        ids,
    } = a;
    let alive = match (alive, &b.alive) {
        (Some(a), Some(b)) => {
            let SeenAlive {
                place,
                at: _,
                incarnation,
            } = a;
            (place, incarnation) == (&b.place, &b.incarnation)
        }
        (a, b) => a == b,
    };
    alive
        && (fingerprint, pid, since, since_boot, ids)
            == (&b.fingerprint, &b.pid, &b.since, &b.since_boot, &b.ids)
}

fn are_the_same<K: Eq, V>(
    a: &BTreeMap<K, V>,
    b: &BTreeMap<K, V>,
    is_the_same: impl Fn(&V, &V) -> bool,
) -> bool {
    let mut pairs = a.iter().zip(b);
    a.len() == b.len() && pairs.all(|(a, b)| a.0 == b.0 && is_the_same(a.1, b.1))
}
