//! Waiting for something to become true.

use std::thread;
use std::time::{Duration, Instant};

/// Far longer than anything waited for takes, even on a busy machine with two cores.
const LIMIT: Duration = Duration::from_secs(60);

/// Looks again and again until `seen` gives something, and returns that.
///
/// Fails the test, naming `what`, when it does not happen within a minute.
#[track_caller]
pub fn wait_until<T>(what: &str, seen: impl FnMut() -> Option<T>) -> T {
    wait_until_or(|| what.to_owned(), seen)
}

/// The same, for something whose failure takes more than a word to tell.
#[track_caller]
pub fn wait_until_or<T>(tell: impl Fn() -> String, mut seen: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(thing) = seen() {
            return thing;
        }
        assert!(
            start.elapsed() < LIMIT,
            "waited {} s in vain for: {}",
            LIMIT.as_secs(),
            tell()
        );
        thread::sleep(Duration::from_millis(10));
    }
}
