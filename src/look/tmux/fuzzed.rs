//! What must hold of any bytes that tmux may print.

use super::parse::{Reply, parse};

const NONCE: &str = "n";

/// As many cuts of one listing are tried.
const CUTS: usize = 64;

/// Reads the bytes as a listing. A listing is what it says, and is none once it is cut.
pub(crate) fn listing(bytes: &[u8]) {
    let Reply::Complete { sessions, .. } = parse(NONCE, bytes) else {
        return;
    };
    let text =
        std::str::from_utf8(bytes).unwrap_or_else(|error| panic!("a listing of no text: {error}"));
    for session in &sessions {
        assert!(!session.name.contains(['\t', '\n']), "{session:?}");
        assert!(!session.panes.is_empty(), "{session:?}");
        let row = format!("\t{}\n", session.name);
        assert!(text.contains(&row), "{session:?} of {text:?}");
    }
    if sessions.is_empty() {
        return;
    }
    for cut in 0..CUTS {
        let end = bytes.len() * cut / CUTS;
        let reply = parse(NONCE, &bytes[..end]);
        let is_whole = matches!(reply, Reply::Complete { .. } | Reply::Empty { .. });
        assert!(!is_whole, "cut at {end}, it is taken for whole: {text:?}");
    }
}
