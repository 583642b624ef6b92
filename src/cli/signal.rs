//! The signals that end a run.

use crate::exit::Exit;
use crate::run::{Stop, asked_to_end};

/// Waits for SIGINT, SIGTERM or SIGHUP.
pub(super) async fn received() -> Exit {
    exit_of(asked_to_end().await)
}

/// What it comes to that a run was ended.
pub(super) const fn exit_of(stop: Stop) -> Exit {
    match stop {
        Stop::Interrupted => Exit::Interrupted,
        Stop::Terminated => Exit::Terminated,
        Stop::HungUp => Exit::HungUp,
        Stop::TimedOut | Stop::Unread => Exit::Done,
    }
}
