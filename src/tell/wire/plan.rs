//! A plan: the changes that a pass would make, for a person to look through before they are made.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::action::Change;
use crate::core::edit::{Edit, Target};
use crate::core::ids::{DriftId, Timestamp};
use crate::core::plan::{Assessment, Decision};

#[cfg(test)]
use super::SECONDS;

/// The version of the format. It changes only when a reader of the old one would go wrong.
pub const PLAN_VERSION: &str = "1";

/// What the document is.
pub const PLAN: &str = "plan";

/// The changes that a pass would make to a roll, now or when they are due. Whoever does not want one of them
/// takes its entry out of `changes`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Plan {
    /// What this document is.
    #[cfg_attr(test, schemars(extend("const" = PLAN)))]
    pub document: String,
    /// The version of this format.
    #[cfg_attr(test, schemars(extend("const" = PLAN_VERSION)))]
    pub format_version: String,
    /// When the look began that the plan rests on, in UTC.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub made_at: String,
    /// The name of the machine the look was made on.
    pub host: String,
    /// The absolute path of the roll.
    pub yaml_path: String,
    /// SHA-256 of the roll's bytes when it was read, in hex.
    pub registry_fingerprint: String,
    /// Whether it was made from a snapshot: such a one is only to be looked at.
    #[serde(default)]
    pub replayed: bool,
    /// The changes.
    pub changes: Vec<Planned>,
}

/// One change to one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Planned {
    /// The drift, or the job update, that it answers.
    pub id: String,
    /// The session whose row it is.
    pub session: String,
    /// SHA-256 of that row's content, in hex; null where the row is a new one.
    pub row_fingerprint: Option<String>,
    /// The change.
    pub change: Change,
    /// When it is due; null if it is.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub due: Option<String>,
    /// The sentence for a person.
    pub comment: String,
}

/// A change that a pass proposes, and when it is due if it is not yet.
pub(super) type Proposed<'a> = (&'a Edit, Option<Timestamp>);

/// Everything that a look would have written, in the order in which it would be.
pub fn proposed(assessment: &Assessment) -> impl Iterator<Item = Proposed<'_>> {
    let of_drifts = assessment.drifts.iter().filter_map(|drift| {
        let edit = drift.edit.as_ref()?;
        match assessment.plan.fates.get(&drift.id)? {
            Decision::Write(_) => Some((edit, None)),
            Decision::Pending { due, .. } => Some((edit, Some(*due))),
            Decision::Held(_) | Decision::Told => None,
        }
    });
    let of_jobs = assessment
        .job_updates
        .iter()
        .filter_map(|update| Some((update.decision.edit()?, None)));
    of_drifts.chain(of_jobs)
}

impl Planned {
    /// A proposed change, with the sentence that tells of it.
    #[must_use]
    pub fn new((edit, due): Proposed<'_>, comment: String) -> Self {
        Self {
            id: edit.cause.to_string(),
            session: edit.target.name().to_string(),
            row_fingerprint: match &edit.target {
                Target::Row { fingerprint, .. } => Some(fingerprint.to_string()),
                Target::New { .. } => None,
            },
            change: Change::from(&edit.change),
            due: due.map(Timestamp::iso),
            comment,
        }
    }

    /// Whether a pass proposes the very same: the same change, to a row that has the same content. Only the
    /// time of an end is that of the look that proves it.
    fn is(&self, edit: &Edit) -> bool {
        let fresh = Self::new((edit, None), String::new());
        self.id == fresh.id
            && self.session == fresh.session
            && self.row_fingerprint == fresh.row_fingerprint
            && match (&self.change, &fresh.change) {
                (Change::Terminate { .. }, Change::Terminate { .. }) => true,
                (planned, fresh) => planned == fresh,
            }
    }
}

impl Plan {
    /// The drifts of which a look proposes the very change that is planned.
    #[must_use]
    pub fn agrees_with(&self, assessment: &Assessment) -> Vec<DriftId> {
        proposed(assessment)
            .filter(|(edit, _)| self.changes.iter().any(|planned| planned.is(edit)))
            .map(|(edit, _)| edit.cause.clone())
            .collect()
    }
}
