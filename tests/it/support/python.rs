//! The Python that speaks for the other writers of the roll.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::cache;

/// The path of a Python 3 that has `PyYAML`, past any shim that would start it through a shell.
pub fn python() -> &'static Path {
    static PYTHON: OnceLock<Box<Path>> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let own = cache::folder().join("python/bin/python3");
        [Path::new("python3"), Path::new("/usr/bin/python3"), &own]
            .iter()
            .find_map(|name| {
                let output = Command::new(name)
                    .args(["-c", "import sys, yaml; print(sys.executable)"])
                    .output()
                    .ok()?;
                let path = String::from_utf8(output.stdout).ok()?;
                output
                    .status
                    .success()
                    .then(|| Box::from(Path::new(path.trim())))
            })
            .expect("no python3 with PyYAML is installed: run scripts/setup-tests")
    })
}

/// Runs a Python program with its input, and returns what it printed.
#[track_caller]
pub fn run(program: &str, args: &[&str], input: &[u8]) -> String {
    let mut child = Command::new(python())
        .arg("-c")
        .arg(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    child
        .stdin
        .take()
        .expect("its input is a pipe")
        .write_all(input)
        .expect("python reads its input");
    let output = child.wait_with_output().expect("python ends");
    assert!(
        output.status.success(),
        "python failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("python prints UTF-8")
}
