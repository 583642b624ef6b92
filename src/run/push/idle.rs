//! Ending when nothing has been heard for long enough. The clock stands still while the broker is away.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::clock;
use crate::run::shutdown::{Stop, Stopper};

/// What the idle clock goes by.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct State {
    is_up: bool,
    heard: u64,
}

/// Says whether the broker is there, and when something is heard.
pub(super) struct Attention(watch::Sender<State>);

impl Attention {
    pub(super) fn new() -> (Self, watch::Receiver<State>) {
        let (sender, receiver) = watch::channel(State::default());
        (Self(sender), receiver)
    }

    pub(super) fn up(&self) {
        self.0.send_modify(|state| state.is_up = true);
    }

    pub(super) fn away(&self) {
        self.0.send_modify(|state| state.is_up = false);
    }

    pub(super) fn heard(&self) {
        self.0
            .send_modify(|state| state.heard = state.heard.wrapping_add(1));
    }
}

/// Ends the loop when the broker has been there for so long, all in all, since something was last heard.
pub(super) async fn watch(limit: Duration, mut attended: watch::Receiver<State>, stopper: Stopper) {
    let mut left = limit;
    let mut heard = 0;
    loop {
        let state = *attended.borrow_and_update();
        if state.heard != heard {
            heard = state.heard;
            left = limit;
        }
        let began = clock::monotonic();
        tokio::select! {
            changed = attended.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = sleep(left), if state.is_up => {
                stopper.stop(Stop::Idle);
                return;
            }
        }
        if state.is_up {
            left = left.saturating_sub(clock::monotonic().saturating_duration_since(began));
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::run::shutdown;

    /// When the loop is asked to end, in seconds, while `story` happens.
    async fn ends_after(limit: u64, story: impl AsyncFnOnce(&Attention)) -> Option<u64> {
        let (attention, attended) = Attention::new();
        let (stopper, mut stops) = shutdown::line();
        let began = Instant::now();
        tokio::spawn(watch(Duration::from_secs(limit), attended, stopper));
        story(&attention).await;
        let ended = tokio::time::timeout(Duration::from_secs(10_000), stops.recv()).await;
        (ended == Ok(Some(Stop::Idle))).then(|| began.elapsed().as_secs())
    }

    async fn later(secs: u64) {
        sleep(Duration::from_secs(secs)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_when_nothing_was_heard_for_so_long() {
        let ended = ends_after(100, async |attention: &Attention| {
            attention.up();
            later(60).await;
            attention.heard();
        });
        assert_eq!(ended.await, Some(160));
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_stands_still_while_the_broker_is_away() {
        let ended = ends_after(100, async |attention: &Attention| {
            attention.up();
            later(60).await;
            attention.away();
            later(1000).await;
            attention.up();
        });
        assert_eq!(ended.await, Some(1100));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_broker_it_never_ends() {
        assert_eq!(ends_after(100, async |_: &Attention| ()).await, None);
    }
}
