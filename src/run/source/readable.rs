//! Waiting until a descriptor can be read. The only file that names tokio's `AsyncFd`.

use std::io;
use std::os::fd::OwnedFd;

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// A descriptor that tells when it can be read.
pub(super) type Readable = AsyncFd<OwnedFd>;

/// Has to be called within a runtime.
///
/// # Errors
///
/// The system refuses to tell.
#[allow(
    deprecated,
    reason = "it is unsound only for types that may close their descriptor early; this one owns it, and what replaces it is unsafe"
)]
pub(super) fn readable(fd: OwnedFd) -> io::Result<Readable> {
    AsyncFd::with_interest(fd, Interest::READABLE)
}
