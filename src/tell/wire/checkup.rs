//! What was checked, as programs read it; `schemas/checkup.schema.json` is made from these types.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::core::checkup::{self, Health};

/// The version of the format. It changes only when a reader of the old one would go wrong.
const VERSION: &str = "1";

/// What the document is.
const DOCUMENT: &str = "checkup";

/// Everything that can make headcount blind or wrong, and how it is.
///
/// Readers should ignore keys they do not know, and refuse a `format_version` they do not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Checkup {
    /// What this document is.
    #[cfg_attr(test, schemars(extend("const" = DOCUMENT)))]
    pub document: String,
    /// The version of this format.
    #[cfg_attr(test, schemars(extend("const" = VERSION)))]
    pub format_version: String,
    /// How the worst of it is.
    #[cfg_attr(test, schemars(extend("enum" = words())))]
    pub health: String,
    /// All that was checked, the worst first.
    pub checks: Vec<Check>,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Check {
    /// What it is: `roll`, `tmux:default`, `clock`, …
    pub name: String,
    /// How it is.
    #[cfg_attr(test, schemars(extend("enum" = words())))]
    pub health: String,
    /// What was found.
    pub said: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

impl Checkup {
    /// The document.
    #[must_use]
    pub fn new(checks: &[checkup::Check]) -> Self {
        let worst = checks.iter().map(|check| check.health).min();
        let worst = worst.unwrap_or(Health::Well).min(Health::Well);
        Self {
            document: DOCUMENT.to_owned(),
            format_version: VERSION.to_owned(),
            health: worst.as_str().to_owned(),
            checks: checks.iter().map(Check::from).collect(),
        }
    }
}

impl From<&checkup::Check> for Check {
    fn from(check: &checkup::Check) -> Self {
        let checkup::Check {
            name,
            health,
            said,
            remedy,
        } = check;
        Self {
            name: name.clone(),
            health: health.as_str().to_owned(),
            said: said.clone(),
            remedy: remedy.clone(),
        }
    }
}

#[cfg(test)]
fn words() -> [&'static str; 4] {
    Health::ALL.map(Health::as_str)
}
