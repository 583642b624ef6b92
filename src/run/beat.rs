//! The loop itself: waits, makes a pass, waits again. What a pass is, it is told.

use std::collections::BTreeSet;
use std::hash::{BuildHasher as _, RandomState};
use std::pin::pin;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, sleep_until};

use super::schedule::Schedule;
use super::shutdown::Stop;
use super::wake::{Wake, Wakes};
use crate::clock;
use crate::core::ids::Timestamp;

/// How long a pass in hand may go on once the loop was asked to end. To give it up later is safe: it ends
/// where it waits, with no file half written and its news in the journal.
const LAST_PASS: Duration = Duration::from_secs(2);

/// How long to sleep at most while something is pending: the sleep's own clock stands still while the machine
/// sleeps.
const ASK_THE_CLOCK: Duration = Duration::from_secs(5);

/// What the loop does.
pub(super) trait Rounds {
    /// Makes a pass. It never ends the loop by failing: what went wrong is told by whoever makes the passes.
    async fn pass(&mut self, why: &BTreeSet<Wake>) -> After;

    /// The time by a clock that nobody sets, and that goes on while the machine sleeps.
    fn now(&self) -> Timestamp;

    /// The loop is alive; called at least as often as [`Rounds::pulse`] says.
    fn alive(&mut self) {}

    /// How often to be told so, if at all.
    fn pulse(&self) -> Option<Duration> {
        None
    }
}

/// What follows from a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct After {
    /// When what is pending is due, by the clock of [`Rounds::now`].
    pub(super) due: Option<Timestamp>,
    /// Whether the loop is to end.
    pub(super) stop: Option<Stop>,
}

/// What the loop listens to.
pub(super) struct Ears {
    /// What wakes a pass.
    pub(super) wakes: Wakes,
    /// What ends the loop.
    pub(super) stops: mpsc::Receiver<Stop>,
    /// How far apart the timer's passes are.
    pub(super) every: watch::Receiver<Duration>,
}

/// Makes passes until somebody says stop, and returns why.
pub(super) async fn beat(rounds: &mut impl Rounds, ears: Ears) -> Stop {
    let Ears {
        mut wakes,
        mut stops,
        mut every,
    } = ears;
    let mut schedule = Schedule::new(clock::monotonic(), *every.borrow_and_update());
    schedule.wake(Wake::Start, clock::monotonic());
    let mut due: Option<Timestamp> = None;
    loop {
        let now = clock::monotonic();
        let left = due.map(|due| due.since(rounds.now()));
        schedule.set_due(left.map(|left| now + left));
        if schedule.next() <= now {
            // What stands in line is done justice to by this very pass.
            while let Ok(wake) = wakes.try_recv() {
                schedule.wake(wake, now);
            }
            let why = schedule.begin(now);
            let mut asked = None;
            let after = {
                let mut pass = pin!(rounds.pass(&why));
                tokio::select! {
                    biased;
                    after = &mut pass => after,
                    Some(stop) = stops.recv() => {
                        asked = Some(stop);
                        tokio::select! {
                            biased;
                            after = &mut pass => after,
                            () = last_moment(&mut stops) => return stop,
                        }
                    }
                }
            };
            due = after.due;
            schedule.passed(clock::monotonic(), chance());
            rounds.alive();
            if let Some(stop) = asked.or(after.stop) {
                return stop;
            }
            continue;
        }
        let mut until = schedule.next();
        if due.is_some() {
            until = until.min(now + ASK_THE_CLOCK);
        }
        if let Some(pulse) = rounds.pulse() {
            until = until.min(now + pulse);
        }
        // Nothing here loses anything when another branch wins: all of them are receivers.
        tokio::select! {
            biased;
            Some(stop) = stops.recv() => return stop,
            Some(wake) = wakes.recv() => schedule.wake(wake, clock::monotonic()),
            Ok(()) = every.changed() => schedule.set_interval(*every.borrow_and_update()),
            () = sleep_until(until.into()) => rounds.alive(),
        }
    }
}

/// Waits until a pass in hand is to be given up: a while after the first request to end, at the second at once.
async fn last_moment(stops: &mut mpsc::Receiver<Stop>) {
    tokio::select! {
        Some(_) = stops.recv() => {}
        () = sleep(LAST_PASS) => {}
    }
}

/// A number from 0 to 1 that is different each time and in each process.
fn chance() -> f64 {
    let [.., high, low] = RandomState::new().hash_one(()).to_le_bytes();
    f64::from(u16::from_le_bytes([low, high])) / f64::from(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use tokio::sync::{mpsc, watch};
    use tokio::time::{Instant, sleep};

    use super::{After, Ears, Rounds, beat};
    use crate::core::ids::Timestamp;
    use crate::run::shutdown::{self, Stop, Stopper};
    use crate::run::wake::{self, Wake, Waker};

    const EVERY: Duration = Duration::from_secs(30);

    /// Writes down when each pass was made and why, and does what the test says.
    struct Log {
        began: Instant,
        passes: Vec<(Duration, Vec<Wake>)>,
        takes: Duration,
        due: Vec<Option<u64>>,
        clock_runs: f64,
        alive: usize,
        pulse: Option<Duration>,
    }

    impl Log {
        fn new() -> Self {
            Self {
                began: Instant::now(),
                passes: Vec::new(),
                takes: Duration::ZERO,
                due: Vec::new(),
                clock_runs: 1.0,
                alive: 0,
                pulse: None,
            }
        }

        fn at(&self) -> Vec<u64> {
            self.passes.iter().map(|(at, _)| at.as_secs()).collect()
        }
    }

    impl Rounds for Log {
        async fn pass(&mut self, why: &BTreeSet<Wake>) -> After {
            let at = self.began.elapsed();
            self.passes.push((at, why.iter().copied().collect()));
            sleep(self.takes).await;
            let due = self.due.get(self.passes.len() - 1).copied().flatten();
            After {
                due: due.map(|secs| Timestamp::from_secs(secs.cast_signed())),
                stop: None,
            }
        }

        fn now(&self) -> Timestamp {
            let ran = self.began.elapsed().mul_f64(self.clock_runs);
            Timestamp::from_millis(i64::try_from(ran.as_millis()).unwrap_or(i64::MAX))
        }

        fn alive(&mut self) {
            self.alive += 1;
        }

        fn pulse(&self) -> Option<Duration> {
            self.pulse
        }
    }

    struct Lines {
        waker: Waker,
        stopper: Stopper,
        every: watch::Sender<Duration>,
    }

    fn lines() -> (Lines, Ears) {
        let (waker, wakes) = wake::line();
        let (stopper, stops): (Stopper, mpsc::Receiver<Stop>) = shutdown::line();
        let (every, changes) = watch::channel(EVERY);
        let ears = Ears {
            wakes,
            stops,
            every: changes,
        };
        let lines = Lines {
            waker,
            stopper,
            every,
        };
        (lines, ears)
    }

    /// Lets the loop run while something happens, and then for `time` more.
    async fn run(log: &mut Log, time: Duration, happens: impl AsyncFnOnce(&Lines)) -> Stop {
        let (lines, ears) = lines();
        let outside = async {
            happens(&lines).await;
            sleep(time).await;
            lines.stopper.stop(Stop::TimedOut);
            std::future::pending::<()>().await;
        };
        tokio::select! {
            stop = beat(log, ears) => stop,
            () = outside => unreachable!("it never ends"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn it_begins_with_a_pass_and_goes_on_with_the_timer() {
        let mut log = Log::new();
        let stop = run(&mut log, Duration::from_secs(70), async |_| ()).await;
        assert_eq!(stop, Stop::TimedOut);
        let why: Vec<_> = log.passes.iter().map(|(_, why)| why.as_slice()).collect();
        assert_eq!(why, [&[Wake::Start][..], &[Wake::Timer], &[Wake::Timer]]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_pending_is_looked_at_again_exactly_when_it_is_due() {
        let mut log = Log::new();
        log.due = vec![Some(10), Some(12)];
        run(&mut log, Duration::from_secs(20), async |_| ()).await;
        assert_eq!(log.at(), [0, 10, 12]);
        assert_eq!(log.passes[1].1, [Wake::Due]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_became_due_while_the_machine_slept_is_noticed() {
        let mut log = Log::new();
        log.due = vec![Some(20)];
        log.clock_runs = 2.0;
        run(&mut log, Duration::from_secs(15), async |_| ()).await;
        assert_eq!(log.at(), [0, 10]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_happens_during_a_pass_is_followed_by_one_more() {
        let mut log = Log::new();
        log.takes = Duration::from_secs(3);
        run(&mut log, Duration::from_secs(10), async |lines: &Lines| {
            sleep(Duration::from_secs(1)).await;
            for _ in 0..1000 {
                lines.waker.wake(Wake::ProcessEnded);
            }
        })
        .await;
        assert_eq!(log.at(), [0, 3]);
        assert_eq!(log.passes[1].1, [Wake::ProcessEnded]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pass_in_hand_is_finished_before_the_end() {
        let mut log = Log::new();
        log.takes = Duration::from_secs(1);
        let began = log.began;
        let stop = run(&mut log, Duration::from_secs(60), async |lines: &Lines| {
            lines.stopper.stop(Stop::Terminated);
        })
        .await;
        assert_eq!((stop, began.elapsed().as_secs()), (Stop::Terminated, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pass_that_does_not_end_is_given_up() {
        let mut log = Log::new();
        log.takes = Duration::from_secs(3600);
        let began = log.began;
        let stop = run(&mut log, Duration::from_secs(60), async |lines: &Lines| {
            lines.stopper.stop(Stop::Terminated);
        })
        .await;
        assert_eq!((stop, began.elapsed().as_secs()), (Stop::Terminated, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_request_to_end_waits_for_nothing() {
        let mut log = Log::new();
        log.takes = Duration::from_secs(3600);
        let began = log.began;
        let stop = run(&mut log, Duration::from_secs(60), async |lines: &Lines| {
            lines.stopper.stop(Stop::Interrupted);
            lines.stopper.stop(Stop::Interrupted);
        })
        .await;
        assert_eq!(stop, Stop::Interrupted);
        assert!(began.elapsed() < Duration::from_millis(10));
    }

    #[tokio::test(start_paused = true)]
    async fn the_timer_can_be_made_quicker_and_slower_while_it_waits() {
        let mut log = Log::new();
        run(&mut log, Duration::from_secs(60), async |lines: &Lines| {
            sleep(Duration::from_secs(1)).await;
            lines.every.send_replace(Duration::from_secs(15));
            sleep(Duration::from_secs(20)).await;
            lines.every.send_replace(Duration::from_secs(300));
        })
        .await;
        assert_eq!(log.at(), [0, 15]);
    }

    #[tokio::test(start_paused = true)]
    async fn between_passes_it_says_that_it_is_alive() {
        let mut log = Log::new();
        log.pulse = Some(Duration::from_secs(1));
        run(&mut log, Duration::from_secs(20), async |_| ()).await;
        assert!((20..=22).contains(&log.alive), "{}", log.alive);
    }
}
