//! What wakes a pass between two turns of the timer, where the system can tell: files and processes. With
//! `--cfg headcount_timer_only` it is built as where the system cannot.

#[cfg(all(target_os = "linux", not(headcount_timer_only)))]
mod exits;
#[cfg(all(target_os = "linux", not(headcount_timer_only)))]
mod files;
#[cfg(all(target_os = "linux", not(headcount_timer_only)))]
mod readable;

#[cfg(all(target_os = "linux", not(headcount_timer_only)))]
pub(super) use exits::Exits;
#[cfg(all(target_os = "linux", not(headcount_timer_only)))]
pub(super) use files::Files;

#[cfg(any(not(target_os = "linux"), headcount_timer_only))]
mod timer_only;
#[cfg(any(not(target_os = "linux"), headcount_timer_only))]
pub(super) use timer_only::{Exits, Files};
