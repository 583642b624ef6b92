//! A new roll.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::atomic::{self, WriteError};

/// What a new roll says.
pub const EMPTY: &str = "\
# The roll: which agent sessions should be there. `headcount validate` says whether it is in order,
# `headcount reconcile` compares it with what really runs. Whoever writes it takes `flock` on
# agent-sessions.yaml.lock first.
tmux_sessions: []
";

/// Creates an empty roll, and its folder, unless something is there already: for nobody else to look into.
/// Returns whether it was created.
///
/// # Errors
///
/// The folder or the disk does not take it.
pub fn create(path: &Path) -> Result<bool, WriteError> {
    if let Some(folder) = path.parent() {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        made.map_err(|source| WriteError {
            path: folder.to_owned(),
            what: "created",
            source,
            saved: None,
        })?;
    }
    atomic::create(path, EMPTY.as_bytes(), 0o600)
}
