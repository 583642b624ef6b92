//! The only clock of the program.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::core::ids::Timestamp;

/// The time of day, in UTC.
#[must_use]
pub fn now() -> Timestamp {
    at(SystemTime::now())
}

/// A reading of the clock that never jumps: for durations and deadlines.
#[must_use]
pub fn monotonic() -> Instant {
    Instant::now()
}

/// A moment as the file system tells it.
#[must_use]
pub fn at(time: SystemTime) -> Timestamp {
    let millis = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    };
    Timestamp::from_millis(millis)
}
