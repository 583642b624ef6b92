//! As a service: what a manager at `NOTIFY_SOCKET` hears.

use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{Machine, wait_until};

const NAME: &str = "shop-creator-claude";

fn machine() -> Machine {
    let machine = Machine::new();
    let session = machine.session(NAME).running("claude").start();
    machine.roll().row(NAME).pane(&session).write();
    machine
}

/// Waits for a message that contains a text, and returns it.
#[track_caller]
fn heard(manager: &UnixDatagram, text: &str) -> String {
    manager
        .set_read_timeout(Some(Duration::from_millis(10)))
        .unwrap();
    wait_until(text, || {
        let mut space = [0; 4096];
        let length = manager.recv(&mut space).ok()?;
        let message = String::from_utf8(space[..length].to_vec()).unwrap();
        message.contains(text).then_some(message)
    })
}

#[test]
fn it_says_when_it_is_ready_how_it_goes_and_that_it_ends() {
    let machine = machine();
    let path = machine.root().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();

    let mut watching = machine
        .watch()
        .every(3600)
        .env("NOTIFY_SOCKET", &path)
        .start();

    let ready = heard(&manager, "READY=1");
    assert!(
        ready.contains("STATUS=1 passes; 1 sessions, 0 drifts"),
        "{ready}"
    );
    watching.signal(Signal::HUP);
    heard(&manager, "STATUS=2 passes");
    watching.signal(Signal::TERM);
    heard(&manager, "STOPPING=1");
    assert_eq!(watching.end(), Some(143));
}

#[test]
fn a_socket_without_a_file_is_found_too() {
    let machine = machine();
    let name = machine.root().display().to_string();
    let at = SocketAddr::from_abstract_name(&name).unwrap();
    let manager = UnixDatagram::bind_addr(&at).unwrap();

    let _watching = machine
        .watch()
        .every(3600)
        .env("NOTIFY_SOCKET", format!("@{name}"))
        .start();

    heard(&manager, "READY=1");
}

#[test]
fn a_watchdog_hears_from_it_although_nothing_happens() {
    let machine = machine();
    let path = machine.root().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();

    let watching = machine
        .watch()
        .every(3600)
        .env("NOTIFY_SOCKET", &path)
        .env("WATCHDOG_USEC", "200000")
        .start();

    heard(&manager, "READY=1");
    for _ in 0..5 {
        let message = heard(&manager, "WATCHDOG=1");
        assert_eq!(message, "WATCHDOG=1");
    }
    assert_eq!(watching.passes(), ["start"]);
}

#[test]
fn a_manager_that_is_not_there_does_no_harm() {
    let machine = machine();
    for socket in ["/nonexistent/notify", "neither", "@nobody"] {
        let mut watching = machine
            .watch()
            .every(3600)
            .env("NOTIFY_SOCKET", socket)
            .start();
        watching.signal(Signal::TERM);
        assert_eq!(watching.end(), Some(143), "{socket}");
    }
}
