//! What `scripts/setup-tests` installed for the tests alone.

use std::env;
use std::fs;
use std::path::PathBuf;

/// The folder it installs to.
pub fn folder() -> PathBuf {
    let cache = env::var_os("XDG_CACHE_HOME")
        .filter(|path| !path.is_empty())
        .map(PathBuf::from);
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cache");
    cache.unwrap_or_else(home).join("headcount-tests")
}

/// The real Claude Code, if it is installed.
pub fn claude_code() -> Option<PathBuf> {
    let packages = folder().join("claude-2.1.197/node_modules/@anthropic-ai");
    fs::read_dir(packages)
        .ok()?
        .filter_map(|entry| Some(entry.ok()?.path().join("claude")))
        .find(|program| program.is_file())
}

/// The real Hermes, if it is installed.
pub fn hermes() -> Option<PathBuf> {
    let program = folder().join("hermes-0.19.0/bin/hermes");
    program.is_file().then_some(program)
}

/// A Python with `paho-mqtt`, if it is installed.
pub fn paho() -> Option<PathBuf> {
    let python = folder().join("paho-2.1.0/bin/python3");
    python.is_file().then_some(python)
}
