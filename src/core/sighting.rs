//! What a look can say of one thing: it is there, it is proven not to be, or it could not be seen.

use std::borrow::Cow;
use std::fmt;

/// Why something is known to be absent. Only `look`, what reads a snapshot, and tests make one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Proof(Cow<'static, str>);

/// Why something could not be seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason(Cow<'static, str>);

impl Proof {
    /// A proof, in the words evidence will show.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }
}

impl Reason {
    /// A reason, in the words a person will read.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One thing, as one look saw it.
///
/// There is deliberately no `unwrap`, no `Default` and no view as an `Option`: whoever reads a
/// sighting says what happens in each of the three cases, so that "could not look" cannot turn into
/// "is gone" by accident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting<T> {
    /// Seen.
    Present(T),
    /// Proven not to be there.
    Absent(Proof),
    /// Not seen, and that says nothing.
    Unknown(Reason),
}

impl<T> Sighting<T> {
    /// An absence with its proof.
    pub fn absent(proof: impl Into<Cow<'static, str>>) -> Self {
        Self::Absent(Proof::new(proof))
    }

    /// Something that could not be seen, and why.
    pub fn unknown(reason: impl Into<Cow<'static, str>>) -> Self {
        Self::Unknown(Reason::new(reason))
    }

    /// The same sighting of something derived from the thing.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Sighting<U> {
        match self {
            Self::Present(thing) => Sighting::Present(f(thing)),
            Self::Absent(proof) => Sighting::Absent(proof),
            Self::Unknown(reason) => Sighting::Unknown(reason),
        }
    }

    /// Whether it was seen.
    pub const fn is_present(&self) -> bool {
        matches!(self, Self::Present(_))
    }

    /// Whether it is proven not to be there.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent(_))
    }

    /// Whether it could not be seen.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }
}
