//! What came of a prune, as programs read it; `schemas/pruning.schema.json` is made from these types.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use crate::core::prune;
use crate::core::registry::Status;

#[cfg(test)]
use super::SECONDS;

/// The version of the format. It changes only when a reader of the old one would go wrong.
const VERSION: &str = "1";

/// What the document is.
const DOCUMENT: &str = "pruning";

/// Which rows were taken out of the roll since they ended long ago, and why the others were not.
///
/// Readers should ignore keys they do not know, and refuse a `format_version` they do not know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Pruning {
    /// What this document is.
    #[cfg_attr(test, schemars(extend("const" = DOCUMENT)))]
    pub document: String,
    /// The version of this format.
    #[cfg_attr(test, schemars(extend("const" = VERSION)))]
    pub format_version: String,
    /// When the look began, in UTC.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub timestamp: String,
    /// The name of the machine.
    pub host: String,
    /// The path of the roll, as it was named.
    pub yaml_path: String,
    /// Whether nothing was to be written: then `pruned` are those that would have been.
    pub dry_run: bool,
    /// How long ago a row must have ended, in seconds.
    pub older_than: u64,
    /// The rows that were taken out.
    pub pruned: Vec<Gone>,
    /// The rows that were asked about and stay.
    pub kept: Vec<Kept>,
    /// The names that were asked about and that no row has.
    pub unknown: Vec<String>,
}

/// A row that was taken out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Gone {
    /// Its name.
    pub name: String,
    /// Its tmux server, if it names one.
    pub tmux_server: Option<String>,
    /// What it says of its session.
    pub status: String,
    /// When it ended, in UTC.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub ended_at: Option<String>,
    /// The path of the archive that has it.
    pub archive: String,
    /// The number by which `headcount undo` puts it back; null in a dry run.
    pub number: Option<u64>,
}

/// A row that stays.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Kept {
    /// Its name; null where it has none.
    pub name: Option<String>,
    /// Its tmux server, if it names one.
    pub tmux_server: Option<String>,
    /// What it says of its session; null where it cannot be read as a row.
    pub status: Option<String>,
    /// When it ended, in UTC.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub ended_at: Option<String>,
    /// Why it stays, as a word.
    #[cfg_attr(test, schemars(extend("enum" = prune::Kept::WORDS)))]
    pub reason: String,
    /// Why it stays, for a person.
    pub why: String,
}

impl From<&prune::Pruning> for Pruning {
    fn from(pruning: &prune::Pruning) -> Self {
        let kept = pruning.kept.iter().filter_map(|row| {
            let kept = row.kept.as_ref()?;
            Some(Kept {
                name: row.name.as_ref().map(ToString::to_string),
                tmux_server: row.server.as_ref().map(ToString::to_string),
                status: row.status.as_ref().map(|it| it.as_str().to_owned()),
                ended_at: row.ended.map(|at| at.iso()),
                reason: kept.as_str().to_owned(),
                why: kept.why(),
            })
        });
        Self {
            document: DOCUMENT.to_owned(),
            format_version: VERSION.to_owned(),
            timestamp: pruning.at.iso(),
            host: pruning.host.clone(),
            yaml_path: pruning.roll.clone(),
            dry_run: pruning.dry_run,
            older_than: pruning.older_than.as_secs(),
            pruned: pruning.gone.iter().map(Gone::from).collect(),
            kept: kept.collect(),
            unknown: pruning.unknown.iter().map(ToString::to_string).collect(),
        }
    }
}

impl From<&prune::Gone> for Gone {
    fn from(gone: &prune::Gone) -> Self {
        let prune::Gone {
            row,
            archive,
            number,
        } = gone;
        Self {
            name: row
                .name
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            tmux_server: row.server.as_ref().map(ToString::to_string),
            status: row.status.as_ref().map_or("", Status::as_str).to_owned(),
            ended_at: row.ended.map(|at| at.iso()),
            archive: archive.clone(),
            number: *number,
        }
    }
}
