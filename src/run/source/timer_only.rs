//! Systems on which the timer alone makes passes.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::core::ids::{Fingerprint, Pid, StartTicks, Timestamp};
use crate::look::places::Kept;
use crate::roll::Roll;
use crate::run::wake::Waker;

/// Listens to nothing.
pub(in crate::run) struct Exits;

impl Exits {
    pub(in crate::run) fn new(_waker: Waker) -> Self {
        Self
    }

    pub(in crate::run) fn follow(&mut self, _wanted: &[(Pid, Option<StartTicks>)]) {}
}

/// Listens to nothing.
pub(in crate::run) struct Files;

impl Files {
    pub(in crate::run) fn new(_roll: &Roll, _waker: Waker) -> Self {
        Self
    }

    pub(in crate::run) fn heeding_activity(self) -> Self {
        self
    }

    pub(in crate::run) fn pass_begins(&self) {}

    pub(in crate::run) fn pass_ends(&self, _left: Option<Fingerprint>) {}

    pub(in crate::run) fn follow(&self, _wanted: BTreeMap<PathBuf, Kept>, _looked: Timestamp) {}
}
