//! What ends a run before it is done: signals, and a terminal that is closed.

use std::fs::{self, File};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::wake::{Wake, Waker};

/// How long a terminal may take to be gone after the signal that says so.
const CLOSING: Duration = Duration::from_millis(200);

/// Why a loop ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// SIGHUP, and the terminal is closed.
    HungUp,
    /// Its time is over.
    TimedOut,
    /// Nothing has been heard for long enough.
    Idle,
    /// Nobody reads what it prints any more.
    Unread,
}

/// The end of the line by which a loop is asked to end.
#[derive(Clone, Debug)]
pub struct Stopper(mpsc::Sender<Stop>);

impl Stopper {
    /// Asks it. Asked twice, it gives up even the pass in hand.
    pub fn stop(&self, why: Stop) {
        let _ = self.0.try_send(why);
    }
}

/// A line to a loop, to ask it to end.
pub(super) fn line() -> (Stopper, mpsc::Receiver<Stop>) {
    let (stopper, stops) = mpsc::channel(4);
    (Stopper(stopper), stops)
}

/// Listens for SIGINT, SIGTERM and SIGHUP from now on, and waits for one of them: each ends what is no loop.
pub fn asked_to_end() -> impl Future<Output = Stop> {
    // Before anything is begun: what is not listened to ends the program with everything left as it stands.
    let mut signals = Signals::listen();
    async move {
        match signals.next().await {
            Sent::Interrupt => Stop::Interrupted,
            Sent::Terminate => Stop::Terminated,
            Sent::Hangup => Stop::HungUp,
        }
    }
}

/// From now on SIGINT and SIGTERM end a loop; so does SIGHUP if its terminal is closed, and else it wakes a pass.
pub(super) fn obey(waker: Waker, stopper: Stopper) {
    let mut signals = Signals::listen();
    let at_terminal = has_terminal();
    tokio::spawn(async move {
        loop {
            match signals.next().await {
                Sent::Interrupt => stopper.stop(Stop::Interrupted),
                Sent::Terminate => stopper.stop(Stop::Terminated),
                Sent::Hangup => {
                    waker.wake(Wake::Hangup);
                    if at_terminal {
                        sleep(CLOSING).await;
                        if !has_terminal() {
                            stopper.stop(Stop::HungUp);
                        }
                    }
                }
            }
        }
    });
}

/// Whether a terminal controls this process.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}

#[derive(Clone, Copy)]
enum Sent {
    Interrupt,
    Terminate,
    Hangup,
}

/// The signals that are listened to. One that cannot be is left to the system's own way of ending us.
struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
    hangup: Option<Signal>,
}

impl Signals {
    fn listen() -> Self {
        let started_by_nohup = ignores(SignalKind::hangup());
        Self {
            interrupt: signal(SignalKind::interrupt()).ok(),
            terminate: signal(SignalKind::terminate()).ok(),
            // To listen at all would be to be woken by it.
            hangup: if started_by_nohup {
                None
            } else {
                signal(SignalKind::hangup()).ok()
            },
        }
    }

    async fn next(&mut self) -> Sent {
        tokio::select! {
            () = one_of(&mut self.interrupt) => Sent::Interrupt,
            () = one_of(&mut self.terminate) => Sent::Terminate,
            () = one_of(&mut self.hangup) => Sent::Hangup,
        }
    }
}

async fn one_of(signals: &mut Option<Signal>) {
    match signals {
        Some(signals) => {
            signals.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whether whoever started this process wants a signal to be ignored. Where the system does not say, no.
fn ignores(kind: SignalKind) -> bool {
    fs::read_to_string("/proc/self/status").is_ok_and(|status| {
        let mask = status
            .lines()
            .find_map(|line| line.strip_prefix("SigIgn:"))
            .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
        mask.is_some_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
    })
}
