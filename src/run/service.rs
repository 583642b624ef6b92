//! Telling a service manager how it goes, as `sd_notify(3)` describes it.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use tracing::warn;

/// A service manager that wants to hear.
#[derive(Debug)]
pub struct Manager {
    socket: UnixDatagram,
    at: SocketAddr,
    watchdog: Option<Duration>,
}

impl Manager {
    /// The one that listens at what `NOTIFY_SOCKET` names: a path, or after `@` a name without a file. It takes
    /// silence for a hang after `watchdog`, if at all. `None`, with a warning, where it cannot be reached.
    #[must_use]
    pub fn at(socket: &OsStr, watchdog: Option<Duration>) -> Option<Self> {
        let reached = address(socket).and_then(|at| {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            Ok(Self {
                socket,
                at,
                watchdog,
            })
        });
        reached
            .inspect_err(|error| {
                warn!("NOTIFY_SOCKET={} cannot be used: {error}", socket.display());
            })
            .ok()
    }

    /// How often it has to hear something.
    pub(super) fn pulse(&self) -> Option<Duration> {
        // Twice in the time, as its manual advises.
        self.watchdog.map(|time| time / 2)
    }

    /// Passes are being made; `status` is a line for people.
    pub(super) fn ready(&self, status: &str) {
        self.say(&format!("READY=1\nWATCHDOG=1\nSTATUS={status}"));
    }

    /// The loop is alive.
    pub(super) fn alive(&self) {
        self.say("WATCHDOG=1");
    }

    /// The loop ends.
    pub(super) fn stopping(&self) {
        self.say("STOPPING=1");
    }

    fn say(&self, what: &str) {
        // Nothing depends on it here. A manager that does not listen will do what it thinks right.
        let _ = self.socket.send_to_addr(what.as_bytes(), &self.at);
    }
}

fn address(socket: &OsStr) -> io::Result<SocketAddr> {
    match socket.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(socket),
        [b'@', name @ ..] => without_a_file(name),
        _ => Err(io::Error::other("it is neither a path nor a name after @")),
    }
}

#[cfg(target_os = "linux")]
fn without_a_file(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt as _;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn without_a_file(_name: &[u8]) -> io::Result<SocketAddr> {
    Err(io::Error::other(
        "this system has no sockets without a file",
    ))
}
