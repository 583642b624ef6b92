//! What a program left behind: the content and the time of every file of a machine.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

/// Every folder and file below some folders, with mode, time of change and content. Two equal footprints
/// mean that nothing was written in between, not even the same bytes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint(BTreeMap<PathBuf, Trace>);

#[derive(Clone, PartialEq, Eq)]
struct Trace {
    mode: u32,
    changed: (i64, i64),
    content: Vec<u8>,
}

impl std::fmt::Debug for Trace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            mode,
            changed: (secs, nanos),
            content,
        } = self;
        write!(f, "{mode:o} {secs}.{nanos:09} {} bytes", content.len())
    }
}

impl Footprint {
    /// The footprint of some folders, as they are now. A folder that is missing leaves none.
    pub fn of(folders: &[&Path]) -> Self {
        let mut traces = BTreeMap::new();
        for folder in folders {
            walk(folder, &mut traces);
        }
        Self(traces)
    }

    /// Whether any file of that name contains that text.
    pub fn has(&self, name: &str, text: &str) -> bool {
        let finder = memchr::memmem::Finder::new(text);
        self.0
            .iter()
            .filter(|(path, _)| path.file_name().is_some_and(|its| its == name))
            .any(|(_, trace)| finder.find(&trace.content).is_some())
    }

    /// The paths in it.
    pub fn paths(&self) -> Vec<&Path> {
        self.0.keys().map(PathBuf::as_path).collect()
    }
}

fn walk(path: &Path, traces: &mut BTreeMap<PathBuf, Trace>) {
    let Ok(meta) = fs::symlink_metadata(path) else {
        return;
    };
    if meta.file_type().is_socket() {
        return;
    }
    let content = if meta.is_file() {
        fs::read(path).unwrap_or_default()
    } else {
        Vec::new()
    };
    traces.insert(
        path.to_owned(),
        Trace {
            mode: meta.mode(),
            changed: (meta.mtime(), meta.mtime_nsec()),
            content,
        },
    );
    if meta.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            walk(&entry.path(), traces);
        }
    }
}
