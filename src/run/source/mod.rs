//! What wakes a pass between two turns of the timer, where the system can tell: files and processes.

#[cfg(target_os = "linux")]
mod exits;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod readable;

#[cfg(target_os = "linux")]
pub(super) use exits::Exits;
#[cfg(target_os = "linux")]
pub(super) use files::Files;

#[cfg(not(target_os = "linux"))]
mod timer_only;
#[cfg(not(target_os = "linux"))]
pub(super) use timer_only::{Exits, Files};
