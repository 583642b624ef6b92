//! Where a look is made from.

use std::fs;

use crate::clock;
use crate::core::ids::{BootId, Timestamp};
use crate::core::sighting::Sighting;
use crate::core::world::{Place, Vantage};

/// The name of a machine's first pid namespace, which the kernel numbers the same on every machine.
const FIRST_PID_NAMESPACE: &str = "pid:[4026531836]";

/// Finds out where this process is.
#[must_use]
pub fn vantage(roll_is_local: Sighting<()>) -> Vantage {
    let host = host();
    let machine = machine();
    let namespace =
        fs::read_link("/proc/self/ns/pid").map(|link| link.to_string_lossy().into_owned());
    let first_pid_namespace = match &namespace {
        Ok(name) if name == FIRST_PID_NAMESPACE => Sighting::Present(()),
        Ok(name) => Sighting::absent(format!("this is pid namespace {name}")),
        // macOS has no such thing: all processes are in one.
        Err(_) if cfg!(target_os = "macos") => Sighting::Present(()),
        Err(error) => Sighting::unknown(format!("/proc/self/ns/pid cannot be read: {error}")),
    };
    let booted_at = clock::booted_at().unwrap_or_else(|| Timestamp::from_millis(0));
    Vantage {
        place: Place {
            machine,
            pid_namespace: namespace.unwrap_or_else(|_| "-".to_owned()),
        },
        boot: BootId::new(
            text("/proc/sys/kernel/random/boot_id").unwrap_or_else(|| "unknown".to_owned()),
        ),
        booted_at,
        first_pid_namespace,
        uid: uid(),
        roll_is_local,
        host,
    }
}

/// The machine's id (`/etc/machine-id`, else the host's name).
#[must_use]
pub fn machine() -> String {
    text("/etc/machine-id").unwrap_or_else(host)
}

/// Whose processes and sockets are this user's.
#[must_use]
pub fn uid() -> u32 {
    rustix::process::getuid().as_raw()
}

fn host() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// The first line of a small file, if there is one.
fn text(path: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
