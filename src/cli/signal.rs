//! The signals that end a run.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// Waits for SIGINT, SIGTERM or SIGHUP.
pub(super) async fn received() -> Exit {
    tokio::select! {
        () = one_of(SignalKind::interrupt()) => Exit::Interrupted,
        () = one_of(SignalKind::terminate()) => Exit::Terminated,
        () = one_of(SignalKind::hangup()) => Exit::HungUp,
    }
}

async fn one_of(kind: SignalKind) {
    let listening: Option<Signal> = signal(kind).ok();
    match listening {
        Some(mut signals) => {
            signals.recv().await;
        }
        // It cannot be caught here, so the system's own way of ending us stays.
        None => std::future::pending().await,
    }
}
