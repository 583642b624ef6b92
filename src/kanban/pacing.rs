//! How often a card may be written to: a reader is shown only its last thirty comments.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// At most so many comments in so long a time.
#[derive(Clone, Debug)]
pub struct Pacing {
    most: usize,
    within: Duration,
    posted: VecDeque<Instant>,
}

impl Pacing {
    /// A few in ten minutes.
    #[must_use]
    pub const fn few() -> Self {
        Self {
            most: 3,
            within: Duration::from_secs(600),
            posted: VecDeque::new(),
        }
    }

    /// When the next one may be posted.
    #[must_use]
    pub fn next(&self, now: Instant) -> Instant {
        let full = self.posted.len() >= self.most;
        self.posted
            .front()
            .filter(|_| full)
            .map_or(now, |first| now.max(*first + self.within))
    }

    /// One was posted.
    pub fn post(&mut self, now: Instant) {
        if self.posted.len() == self.most {
            self.posted.pop_front();
        }
        self.posted.push_back(now);
    }

    /// Some were posted before this began, so long ago, the oldest first.
    pub fn recall(&mut self, now: Instant, ages: impl IntoIterator<Item = Duration>) {
        let recent = ages.into_iter().filter(|age| *age < self.within);
        for posted in recent
            .filter_map(|age| now.checked_sub(age))
            .collect::<Vec<_>>()
        {
            self.post(posted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_posted_at_once_and_the_next_when_the_first_is_long_enough_ago() {
        let mut pacing = Pacing::few();
        let start = crate::clock::monotonic();
        for minute in 0..3 {
            let now = start + Duration::from_secs(60 * minute);
            assert_eq!(pacing.next(now), now);
            pacing.post(now);
        }
        let now = start + Duration::from_secs(180);
        assert_eq!(pacing.next(now), start + Duration::from_secs(600));
        let later = start + Duration::from_secs(600);
        assert_eq!(pacing.next(later), later);
        pacing.post(later);
        assert_eq!(pacing.next(later), start + Duration::from_secs(660));
    }

    #[test]
    fn what_an_earlier_watch_posted_counts() {
        let mut pacing = Pacing::few();
        let now = crate::clock::monotonic() + Duration::from_secs(3600);
        pacing.recall(now, [900, 500, 400, 1].map(Duration::from_secs));
        assert_eq!(pacing.next(now), now + Duration::from_secs(100));
    }
}
