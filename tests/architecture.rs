//! The rules that the folder tree promises, kept by reading the sources: what decides touches nothing, what
//! may be replaced one day is named in one file, and no file grows beyond what one can read.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should fail, and say so"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Longer than this, a file does more than one thing.
const LONGEST: usize = 800;

/// What nothing in `core` may name: the clock, the disk, the environment, the network, other layers.
const NOT_IN_CORE: [&str; 26] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::thread",
    "std::io",
    "SystemTime",
    "Instant",
    "Utc::now",
    "Local::",
    "tokio",
    "serde_yaml",
    "serde_json",
    "fs2",
    "rumqttc",
    "tracing",
    "rustix",
    "println!",
    "crate::look",
    "crate::roll",
    "crate::run",
    "crate::state",
    "crate::tell",
    "crate::cli",
    "crate::clock",
    "HashMap",
];

/// What is named in these files only, so that replacing it is a change of one file.
const ONLY_IN: [(&str, &[&str]); 19] = [
    ("shlex::", &["src/core/resume.rs"]),
    ("crossterm::", &["src/screen/terminal.rs"]),
    (
        "ratatui::",
        &["src/screen/terminal.rs", "src/screen/view.rs"],
    ),
    ("strsim::", &["src/core/standing/near.rs"]),
    ("anstyle::", &["src/tell/paint.rs"]),
    ("rumqttc::", &["src/mqtt/client.rs"]),
    ("rustls::", &["src/mqtt/client.rs"]),
    ("hmac::", &["src/mqtt/signature.rs"]),
    ("fs2::", &["src/roll/lock.rs"]),
    ("serde_yaml::", &["src/roll/parse.rs"]),
    ("toml::", &["src/cli/config.rs"]),
    ("similar::", &["src/tell/difference.rs"]),
    ("granit_parser::", &["src/roll/layout.rs"]),
    (
        "Command::new",
        &[
            "src/look/tmux.rs",
            "src/look/version.rs",
            "src/kanban/hermes.rs",
            "src/cli/demo/stage.rs",
            "src/run/notify/command.rs",
        ],
    ),
    ("std::env::var", &["src/cli/environment.rs"]),
    ("Instant::now", &["src/clock.rs"]),
    (
        "inotify::",
        &["src/roll/openings.rs", "src/run/source/files.rs"],
    ),
    ("pidfd_open", &["src/run/source/exits.rs"]),
    ("AsyncFd", &["src/run/source/readable.rs"]),
];

/// Which layer may not name which: what looks does not write, what writes does not look, and nothing but the
/// pass names them all.
const APART: [(&str, &[&str]); 9] = [
    (
        "src/mqtt",
        &[
            "crate::look",
            "crate::roll",
            "crate::run",
            "crate::tell",
            "crate::cli",
            "crate::state",
            "crate::kanban",
        ],
    ),
    (
        "src/look",
        &[
            "crate::roll",
            "crate::run",
            "crate::tell",
            "crate::cli",
            "crate::state",
        ],
    ),
    (
        "src/roll",
        &[
            "crate::look",
            "crate::run",
            "crate::tell",
            "crate::cli",
            "crate::state",
        ],
    ),
    (
        "src/tell",
        &[
            "crate::look",
            "crate::roll",
            "crate::run",
            "crate::cli",
            "crate::state",
        ],
    ),
    ("src/state", &["crate::look", "crate::run", "crate::cli"]),
    (
        "src/snapshot",
        &["crate::look", "crate::run", "crate::tell", "crate::cli"],
    ),
    (
        "src/kanban",
        &["crate::look", "crate::roll", "crate::run", "crate::cli"],
    ),
    ("src/run", &["crate::cli", "crate::screen"]),
    (
        "src/screen",
        &["crate::cli", "crate::look", "crate::roll", "crate::kanban"],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(below: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> = vec![root().join(below)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(root()).unwrap().display().to_string();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    assert!(!files.is_empty(), "{below} holds no sources");
    files
}

/// The code of a file: no comments, and no tests.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

fn is_test(name: &str) -> bool {
    name.ends_with("/tests.rs")
        || name.contains("/tests/")
        || name.ends_with("stand_in.rs")
        || name.ends_with("generated.rs")
}

#[test]
fn what_decides_touches_nothing() {
    for (name, text) in sources("src/core") {
        for word in NOT_IN_CORE {
            assert!(!code(&text).contains(word), "{name} names {word}");
        }
    }
}

#[test]
fn what_may_be_replaced_is_named_in_one_file() {
    for (word, files) in ONLY_IN {
        let mut found = Vec::new();
        for (name, text) in sources("src") {
            if !is_test(&name) && code(&text).contains(word) {
                found.push(name);
            }
        }
        for name in &found {
            assert!(
                files.contains(&name.as_str()),
                "{name} names {word}: only {files:?} may"
            );
        }
        assert!(
            !found.is_empty(),
            "nothing names {word} any more: strike the rule"
        );
    }
}

#[test]
fn layers_know_only_what_is_below_them() {
    for (folder, others) in APART {
        for (name, text) in sources(folder) {
            if is_test(&name) {
                continue;
            }
            for other in others {
                assert!(!code(&text).contains(other), "{name} names {other}");
            }
        }
    }
}

#[test]
fn no_file_is_too_long_to_be_read() {
    for folder in ["src", "tests"] {
        for (name, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= LONGEST, "{name} has {lines} lines");
        }
    }
}

#[test]
fn no_unsafe_code_is_there() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"forbid\""));
}
