//! What a person can do when the system does not take a file.

use std::io::{self, ErrorKind};

/// What to do about it, to follow the error, or nothing where the error says it all.
pub(crate) fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied => {
            " (give yourself the right to write it and its folder, or only look, with --dry-run)"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => " (make room there)",
        _ => "",
    }
}
