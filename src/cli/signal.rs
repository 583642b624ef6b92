//! The signals that end a run.

use crate::exit::Exit;
use crate::run::{Stop, asked_to_end};

/// Listens for SIGINT, SIGTERM and SIGHUP from now on, and waits for one of them.
pub(super) fn received() -> impl Future<Output = Exit> {
    let asked = asked_to_end();
    async { exit_of(asked.await) }
}

/// What it comes to that a run was ended.
pub(super) const fn exit_of(stop: Stop) -> Exit {
    match stop {
        Stop::Interrupted => Exit::Interrupted,
        Stop::Terminated => Exit::Terminated,
        Stop::HungUp => Exit::HungUp,
        Stop::TimedOut | Stop::Idle | Stop::Unread => Exit::Done,
    }
}
