//! What `scripts/setup-tests` installed for the tests alone.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

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

/// Says loudly that a test is skipped, past the harness, which hides what a passing test prints, and counts
/// it for `scripts/test`. Fails where nothing may be skipped.
#[track_caller]
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    let line = format!("{test}: {why}\n");
    assert!(
        env::var_os("HEADCOUNT_REQUIRE_CLAUDE").is_none_or(|value| value == "0"),
        "HEADCOUNT_REQUIRE_CLAUDE forbids to skip {line}"
    );
    // Where nobody reads either of them, the test is skipped all the same.
    let _ = write!(std::io::stderr(), "SKIPPED: {line}");
    if let Some(path) = env::var_os("HEADCOUNT_SKIPPED_TESTS") {
        let _ = append(Path::new(&path), &line);
    }
}

fn append(path: &Path, line: &str) -> std::io::Result<()> {
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?
        .write_all(line.as_bytes())
}
