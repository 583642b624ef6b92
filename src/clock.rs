//! The only clock. Everything else is told the time.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::core::ids::Timestamp;

/// How far apart, in milliseconds, two readings of one unchanged clock may be on a busy machine.
const SAME: i64 = 500;

/// Now, by the wall clock.
#[must_use]
pub fn now() -> Timestamp {
    at(SystemTime::now())
}

/// A time that the system told, of a file for example.
#[must_use]
pub fn at(time: SystemTime) -> Timestamp {
    let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(match time.duration_since(UNIX_EPOCH) {
        Ok(since) => millis(since),
        Err(before) => -millis(before.duration()),
    })
}

/// Now, by a clock that nobody sets: the one that tokio's timers go by, so that tests can stop both.
#[must_use]
pub fn monotonic() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// How long ago this boot began, in milliseconds, time asleep included; `None` where the system does not say.
#[must_use]
pub fn since_boot() -> Option<i64> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Some(
            spent
                .tv_sec
                .saturating_mul(1000)
                .saturating_add(spent.tv_nsec / 1_000_000),
        )
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    None
}

/// When this boot began, by the wall clock as it is set now. It is the same each time, to the millisecond, until
/// somebody sets the clock.
#[must_use]
pub fn booted_at() -> Option<Timestamp> {
    static KNOWN: AtomicI64 = AtomicI64::new(i64::MIN);
    let found = now().millis().saturating_sub(since_boot()?);
    let known = KNOWN.load(Ordering::Relaxed);
    // The two clocks are never read at the same moment.
    if known.saturating_sub(found).saturating_abs() < SAME {
        return Some(Timestamp::from_millis(known));
    }
    KNOWN.store(found, Ordering::Relaxed);
    Some(Timestamp::from_millis(found))
}

/// Now, by a clock that nobody sets and that goes on while the machine sleeps. Good for nothing but to wait by.
#[must_use]
pub fn steady() -> Timestamp {
    since_boot().map_or_else(now, Timestamp::from_millis)
}
