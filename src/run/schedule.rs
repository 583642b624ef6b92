//! When the next pass is. Pure: the time is an argument, and so is chance.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::wake::{Pace, Wake};

/// By how much of the interval two passes of the timer may be further apart, so that loops that were started
/// together do not stay in step.
const JITTER: f64 = 0.1;

/// What is waited for.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    interval: Duration,
    last: Instant,
    timer: Instant,
    due: Option<Instant>,
    lanes: [Lane; 4],
    why: BTreeSet<Wake>,
}

impl Schedule {
    /// Nothing is waited for but the timer.
    pub(super) fn new(now: Instant, interval: Duration) -> Self {
        let paces = [Pace::ASKED, Pace::PROMPT, Pace::EVENT, Pace::RELAXED];
        Self {
            interval,
            last: now,
            timer: now + interval,
            due: None,
            lanes: paces.map(|pace| Lane::new(pace, now)),
            why: BTreeSet::new(),
        }
    }

    /// Something happened.
    pub(super) fn wake(&mut self, wake: Wake, now: Instant) {
        self.why.insert(wake);
        let pace = wake.pace();
        for lane in self.lanes.iter_mut().filter(|lane| lane.pace == pace) {
            lane.wake(now);
        }
    }

    /// From now on the timer's passes are so far apart, counted from the last one.
    pub(super) fn set_interval(&mut self, interval: Duration) {
        self.interval = interval;
        self.timer = self.last + interval;
    }

    /// When what is pending is due; it is told anew before every wait, since the machine may have slept.
    pub(super) const fn set_due(&mut self, due: Option<Instant>) {
        self.due = due;
    }

    /// When the next pass is, as far as is known now.
    pub(super) fn next(&self) -> Instant {
        let lanes = self.lanes.iter().filter_map(Lane::next);
        lanes.chain(self.due).fold(self.timer, Instant::min)
    }

    /// A pass begins. Why: all that it does justice to.
    pub(super) fn begin(&mut self, now: Instant) -> BTreeSet<Wake> {
        if self.timer <= now {
            self.why.insert(Wake::Timer);
        }
        if self.due.is_some_and(|due| due <= now) {
            self.why.insert(Wake::Due);
        }
        for lane in &mut self.lanes {
            lane.pass(now);
        }
        self.due = None;
        std::mem::take(&mut self.why)
    }

    /// The pass has ended. `chance` is from 0 to 1.
    pub(super) fn passed(&mut self, now: Instant, chance: f64) {
        self.last = now;
        self.timer = now + self.interval.mul_f64(1.0 + JITTER * chance.clamp(0.0, 1.0));
    }
}

/// The wakes of one pace.
#[derive(Clone, Debug)]
struct Lane {
    pace: Pace,
    /// When the first of those came that wait for a pass, and the last.
    waiting: Option<(Instant, Instant)>,
    /// When all passes are made up for: the further this lies ahead, the fewer may still follow at once.
    even: Instant,
}

impl Lane {
    const fn new(pace: Pace, now: Instant) -> Self {
        Self {
            pace,
            waiting: None,
            even: now,
        }
    }

    fn wake(&mut self, now: Instant) {
        let first = self.waiting.map_or(now, |(first, _)| first);
        self.waiting = Some((first, now));
    }

    fn next(&self) -> Option<Instant> {
        let (first, last) = self.waiting?;
        let settled = (last + self.pace.settle).min(first + self.pace.longest);
        let ahead = self.pace.every * self.pace.burst.saturating_sub(1);
        Some(match self.even.checked_sub(ahead) {
            Some(free) => settled.max(free),
            None => settled,
        })
    }

    fn pass(&mut self, now: Instant) {
        if self.waiting.take().is_some() {
            self.even = self.even.max(now) + self.pace.every;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::{Duration, Instant};

    use super::{Pace, Schedule, Wake};
    use crate::clock;

    const INTERVAL: Duration = Duration::from_secs(30);

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn idle() -> (Schedule, Instant) {
        let now = clock::monotonic() + Duration::from_secs(3600);
        (Schedule::new(now, INTERVAL), now)
    }

    fn why<const N: usize>(wakes: [Wake; N]) -> BTreeSet<Wake> {
        BTreeSet::from(wakes)
    }

    /// Wakes it again and again for a time, and counts the passes.
    fn passes_in(time: Duration, between: Duration, wake: Wake) -> usize {
        let (mut schedule, start) = idle();
        let mut now = start;
        let mut passes = 0;
        while now < start + time {
            schedule.wake(wake, now);
            if schedule.next() <= now {
                let _ = schedule.begin(now);
                schedule.passed(now, 0.0);
                passes += 1;
            }
            now += between;
        }
        passes
    }

    #[test]
    fn with_nothing_else_the_timer_makes_a_pass() {
        let (mut schedule, now) = idle();
        assert_eq!(schedule.next(), now + INTERVAL);
        assert_eq!(schedule.begin(now + INTERVAL), why([Wake::Timer]));
        schedule.passed(now + INTERVAL, 0.0);
        assert_eq!(schedule.next(), now + 2 * INTERVAL);
    }

    #[test]
    fn chance_puts_the_timer_off_a_little_and_never_more() {
        let (mut schedule, now) = idle();
        for (chance, most) in [(0.0, 30_000), (0.5, 31_500), (1.0, 33_000), (7.0, 33_000)] {
            schedule.passed(now, chance);
            assert_eq!(schedule.next(), now + millis(most), "{chance}");
        }
    }

    #[test]
    fn the_start_and_a_hangup_make_a_pass_at_once() {
        for wake in [Wake::Start, Wake::Hangup] {
            let (mut schedule, now) = idle();
            schedule.wake(wake, now);
            assert_eq!(schedule.next(), now);
            assert_eq!(schedule.begin(now), why([wake]));
        }
    }

    #[test]
    fn what_is_pending_makes_a_pass_when_it_is_due_and_not_earlier() {
        let (mut schedule, now) = idle();
        let due = now + millis(9_999);
        schedule.set_due(Some(due));
        assert_eq!(schedule.next(), due);
        assert_eq!(schedule.begin(due), why([Wake::Due]));
        schedule.passed(due, 0.0);
        assert_eq!(schedule.next(), due + INTERVAL);
    }

    #[test]
    fn what_happens_together_is_one_pass() {
        let (mut schedule, now) = idle();
        schedule.wake(Wake::ProcessEnded, now);
        schedule.wake(Wake::ProcessEnded, now + millis(5));
        schedule.wake(Wake::AgentFile, now + millis(6));
        let at = schedule.next();
        assert_eq!(at, now + millis(5) + Pace::PROMPT.settle);
        assert_eq!(
            schedule.begin(at),
            why([Wake::ProcessEnded, Wake::AgentFile])
        );
        schedule.passed(at, 0.0);
        assert_eq!(schedule.next(), at + INTERVAL);
    }

    #[test]
    fn a_stream_of_wakes_cannot_put_a_pass_off_for_ever() {
        let (mut schedule, now) = idle();
        for step in 0..1000 {
            schedule.wake(Wake::AgentFile, now + millis(step * 10));
        }
        assert_eq!(schedule.next(), now + Pace::RELAXED.longest);
    }

    #[test]
    fn files_that_are_made_all_the_time_make_one_pass_in_five_seconds() {
        let passes = passes_in(Duration::from_secs(100), millis(10), Wake::AgentFile);
        assert!((18..=22).contains(&passes), "{passes}");
    }

    #[test]
    fn processes_that_end_all_the_time_make_one_pass_a_second() {
        let passes = passes_in(Duration::from_secs(100), millis(20), Wake::ProcessEnded);
        assert!((100..=120).contains(&passes), "{passes}");
    }

    #[test]
    fn an_end_is_told_soon_even_after_many_files() {
        let (mut schedule, now) = idle();
        for pass in 0..10 {
            let now = now + millis(pass);
            schedule.wake(Wake::AgentFile, now);
            let _ = schedule.begin(now);
            schedule.passed(now, 0.0);
        }
        let now = now + millis(20);
        schedule.wake(Wake::AgentFile, now);
        assert!(schedule.next() > now + Duration::from_secs(5));
        schedule.wake(Wake::ProcessEnded, now);
        assert_eq!(schedule.next(), now + Pace::PROMPT.settle);
    }

    #[test]
    fn after_a_quiet_time_a_pass_may_follow_at_once_again() {
        let (mut schedule, mut now) = idle();
        for _ in 0..10 {
            schedule.wake(Wake::Roll, now);
            now = schedule.next();
            let _ = schedule.begin(now);
            schedule.passed(now, 0.0);
        }
        now += Duration::from_secs(20);
        schedule.wake(Wake::Roll, now);
        assert_eq!(schedule.next(), now + Pace::RELAXED.settle);
    }

    #[test]
    fn a_new_interval_counts_from_the_last_pass() {
        let (mut schedule, now) = idle();
        schedule.passed(now, 1.0);
        schedule.set_interval(Duration::from_secs(15));
        assert_eq!(schedule.next(), now + Duration::from_secs(15));
    }
}
