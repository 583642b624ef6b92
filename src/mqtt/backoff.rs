//! How long to wait before the next try.

use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_millis(500);

/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);

/// A connection that lasts so long was a good one: after it, waiting begins anew.
const LASTING: Duration = Duration::from_secs(10);

/// Twice as long each time, and not in step with others.
#[derive(Clone, Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait now, after a connection that lasted so long. `chance` is from 0 to 1.
    pub(super) fn next(&mut self, lasted: Duration, chance: f64) -> Duration {
        if lasted >= LASTING {
            self.failures = 0;
        }
        let wait = FIRST
            .saturating_mul(2_u32.saturating_pow(self.failures))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1).min(16);
        wait.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_up_to_a_limit() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9)
            .map(|_| backoff.next(Duration::ZERO, 1.0).as_millis())
            .collect();
        assert_eq!(
            waits,
            [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]
        );
    }

    #[test]
    fn chance_takes_away_half_of_it_at_most() {
        assert_eq!(Backoff::default().next(Duration::ZERO, 0.0), FIRST / 2);
    }

    #[test]
    fn after_a_connection_that_lasted_it_begins_anew() {
        let mut backoff = Backoff::default();
        for _ in 0..100 {
            backoff.next(Duration::ZERO, 1.0);
        }
        assert_eq!(backoff.next(LASTING, 1.0), FIRST);
    }
}
