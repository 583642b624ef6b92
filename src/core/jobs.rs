//! Delegated jobs: what was heard of them, what their records say, and what of it is written to a row.
//!
//! A message is a hint, never a fact about a session: it can add a job's outcome to the row of its session,
//! once, and nothing else. Whether a session lives is decided by looking, as if no message had come.

mod assess;
mod event;
mod id;
mod memory;
mod record;
mod ties;
mod update;

pub use assess::{JobFindings, assess};
pub use event::{EventKind, Heard, JobEvent};
pub use id::JobId;
pub use memory::{KnownJob, Learned, bounded};
pub use record::{JobRecord, JobStatus};
pub use update::{Ignored, JobUpdate, Refusal, Trust};

use super::sighting::Sighting;
use std::collections::BTreeMap;

/// What one look saw and heard of jobs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jobs {
    /// The records that were looked for: all that rows name, all that events were heard of, and all others in
    /// the folder as far as they could be read. A job that is not here could not be looked for.
    pub records: BTreeMap<JobId, Sighting<JobRecord>>,
    /// Whether `records` has every record of the folder: only then is it known which is a session's newest.
    pub complete: bool,
    /// The events that came since the last look, in the order they came.
    pub heard: Vec<JobEvent>,
}

/// How many characters of a job's own words are kept.
pub const NOTE: usize = 200;

/// A text as one line of at most [`NOTE`] printable characters: what a terminal would obey, or what breaks a
/// line, becomes a blank.
#[must_use]
pub fn printable(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || is_unprintable(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let line = words.join(" ");
    if line.chars().count() <= NOTE {
        return line;
    }
    let mut cut: String = line.chars().take(NOTE - 1).collect();
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// Whether a character has no picture of its own: it moves the cursor, turns the direction of the text, or
/// cannot be seen.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}' | '\u{200e}' | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e000}'..='\u{f8ff}'
                | '\u{e0000}'..='\u{10ffff}'
        )
}
