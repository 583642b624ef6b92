//! Says which sources a release is built from, where they are a clone: `headcount --version` names the commit.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A developer's build would be made anew for every commit.
    let is_release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let version = env!("CARGO_PKG_VERSION");
    let build = match commit().filter(|_| is_release) {
        Some(commit) => format!("{version} ({commit})"),
        None if is_release => version.to_owned(),
        None => format!("{version} (debug)"),
    };
    println!("cargo::rustc-env=HEADCOUNT_BUILD={build}");
}

/// The commit, with a mark if the sources are not quite those of it.
fn commit() -> Option<String> {
    println!("cargo::rerun-if-changed=.git/HEAD");
    println!("cargo::rerun-if-changed=.git/index");
    let output = Command::new("git")
        .args([
            "describe",
            "--always",
            "--dirty",
            "--abbrev=10",
            "--exclude=*",
        ])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let commit = String::from_utf8(output.stdout).ok()?;
    Some(commit.trim().to_owned()).filter(|commit| !commit.is_empty())
}
