//! The id of a job.

use std::fmt;

/// How long an id may be, in characters.
const LONGEST: usize = 64;

/// The id of a job: letters, digits, `_` and `-`, at most 64 of them. It is part of a topic and of a file's
/// name, and can be no path and no wildcard.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(String);

impl JobId {
    /// The id of that text, if it is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=LONGEST).contains(&text.len());
        let plain = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        (fits && text.bytes().all(plain)).then(|| Self(text.to_owned()))
    }

    /// The text as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
