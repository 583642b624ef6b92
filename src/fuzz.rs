//! Whatever somebody else has written, read by the code that reads it: a function a source, for a fuzzer to call.
//!
//! Each takes any bytes, and panics if what must hold of them does not. `fuzz/` has the fuzzers, and the corpus
//! of inputs that were found worth keeping, which the tests below go through as well.

use crate::core::jobs::{NOTE, Refusal};
use crate::{kanban, look, mqtt, roll};

/// A function that reads bytes and checks what comes of them.
pub type Target = fn(&[u8]);

/// All of them, by the names of their folders in `fuzz/corpus`.
pub const TARGETS: [(&str, Target); 7] = [
    ("roll", roll),
    ("tmux", tmux),
    ("transcript", transcript),
    ("pid_file", pid_file),
    ("last_conversations", last_conversations),
    ("mqtt", mqtt),
    ("hermes", hermes),
];

/// The roll: read, checked and edited.
pub fn roll(bytes: &[u8]) {
    roll::edit::fuzzed::roll(bytes);
}

/// A listing by tmux. The lines of one that is whole begin with `n`.
pub fn tmux(bytes: &[u8]) {
    look::tmux::fuzzed::listing(bytes);
}

/// The head of a transcript of Claude Code.
pub fn transcript(bytes: &[u8]) {
    look::agent::fuzzed::transcript(bytes);
}

/// `sessions/<pid>.json` of Claude Code.
pub fn pid_file(bytes: &[u8]) {
    look::agent::fuzzed::record(bytes);
}

/// `last_conversations.json` of agy.
pub fn last_conversations(bytes: &[u8]) {
    look::agent::fuzzed::last_conversations(bytes);
}

/// A message from a broker: its topic, a line feed, and what it says.
pub fn mqtt(bytes: &[u8]) {
    let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
    let topic = String::from_utf8_lossy(&bytes[..end]);
    let payload = bytes.get(end + 1..).unwrap_or_default();
    match mqtt::read(&topic, payload) {
        Ok(said) => {
            assert!(payload.len() <= mqtt::LARGEST);
            assert!(topic.contains(said.job.as_str()), "{said:?} of {topic:?}");
            assert!(said.detail.chars().count() <= NOTE, "{said:?}");
            assert!(!said.detail.contains(char::is_control), "{said:?}");
            // Nobody signs with nothing, and none of these is the key.
            let signature = said.signature.unwrap_or_default();
            for key in ["", "a key", &said.detail] {
                assert!(!mqtt::verify(key, &said.signed_text, &signature));
            }
        }
        Err(Refusal::Oversized) => assert!(payload.len() > mqtt::LARGEST),
        Err(_) => {}
    }
}

/// What hermes prints: a card, or a complaint.
pub fn hermes(bytes: &[u8]) {
    kanban::fuzzed::output(bytes);
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests;
