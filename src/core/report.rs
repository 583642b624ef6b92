//! What one pass tells: everything found, what was done about it, and what was not, and why.

use std::collections::{BTreeMap, BTreeSet};

use super::drift::{Drift, Held, Note};
use super::ids::{DriftId, Fingerprint, SessionName, Timestamp};
use super::jobs::{Ignored, JobUpdate};
use super::ledger::Ledger;
use super::plan::{Assessment, Decision};
use super::registry::Registry;
use super::world::{Source, SourceState, Vantage, World};

/// The account of one pass. `tell` turns it into JSON, a table or Markdown.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a pass that is not told might as well not have been made"]
pub struct Report {
    /// When the look began that it rests on.
    pub at: Timestamp,
    /// The roll's path, as it was named.
    pub roll: String,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The roll's fingerprint when it was read.
    pub fingerprint: Fingerprint,
    /// The names of all live sessions.
    pub alive: Vec<SessionName>,
    /// Whether every running row's session was seen, or proven absent.
    pub confirmed: bool,
    /// Where the look was made from.
    pub vantage: Vantage,
    /// What was looked at.
    pub sources: Vec<Source>,
    /// All drifts, in a stable order, each with what became of it.
    pub drifts: Vec<Told>,
    /// The drifts that were open and are no more.
    pub resolved: Vec<Resolved>,
    /// What a person should know besides.
    pub notes: Vec<Note>,
    /// What was learnt of delegated jobs, each with what became of it.
    pub jobs: Vec<ToldJob>,
    /// The events of jobs that changed nothing, since the program began.
    pub ignored: Ignored,
}

/// A whole look in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Everything was seen, and nothing differs.
    InOrder,
    /// Something differs, corrected or not.
    Drifted,
    /// Not everything could be seen, so that "in order" cannot be said.
    Blind,
}

impl Verdict {
    /// All of them, the best first.
    pub const ALL: [Self; 3] = [Self::InOrder, Self::Drifted, Self::Blind];

    /// The word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InOrder => "in order",
            Self::Drifted => "drifted",
            Self::Blind => "blind",
        }
    }
}

/// What was learnt of a job, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldJob {
    /// What was learnt.
    pub update: JobUpdate,
    /// What became of it.
    pub outcome: Outcome,
}

/// A drift and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Told {
    /// The drift.
    pub drift: Drift,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether no earlier look has seen it.
    pub new: bool,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// In how many looks it was seen.
    pub count: u64,
    /// Whether a person said to know of it, and it is still as it was then.
    pub acked: bool,
}

/// What became of a drift. Every drift ends in exactly one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was written.
    Applied,
    /// It would have been written, had this not been a dry run.
    WouldApply,
    /// It is not due yet.
    Pending {
        /// Why.
        why: String,
        /// When it will be due.
        due: Timestamp,
    },
    /// It is due and yet not written.
    Held(Held),
    /// It is never written.
    ToldOnly,
}

/// A drift that was open and is no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// The drift's id.
    pub id: DriftId,
    /// Its session.
    pub session: Option<SessionName>,
    /// Its class letter.
    pub class: char,
    /// Its kind.
    pub kind: String,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// In how many looks it was seen.
    pub count: u64,
}

/// What came of writing the planned edits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// The drifts whose edits are in the roll now.
    pub applied: BTreeSet<DriftId>,
    /// The drifts whose edits the text of the roll does not allow, each with why. Those that are in neither
    /// were dropped, since somebody else was at work on the row.
    pub refused: BTreeMap<DriftId, String>,
    /// What kept all of them from being written, if anything did.
    pub obstacle: Option<Held>,
}

impl Written {
    /// Why an edit was not made, if the text of the roll does not allow it.
    #[must_use]
    pub fn not_editable(&self, id: &DriftId) -> Option<Held> {
        let refused = self.refused.get(id).cloned().map(Held::NotEditable);
        let whole = self.obstacle.clone();
        refused.or(whole.filter(|held| matches!(held, Held::NotEditable(_))))
    }
}

/// Everything a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Account<'a> {
    /// The roll's path, as it was named.
    pub roll: &'a str,
    /// Whether nothing was to be written.
    pub dry_run: bool,
    /// The roll that was read.
    pub registry: &'a Registry,
    /// The look.
    pub world: &'a World,
    /// The memory before this look.
    pub before: &'a Ledger,
    /// What the core made of it.
    pub assessment: &'a Assessment,
    /// What was written.
    pub written: &'a Written,
}

impl Report {
    /// The look in one word. Notes, and what a person said to know of, count for nothing here, and what could not be seen counts more than what was
    /// found.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !self.saw_everything() {
            Verdict::Blind
        } else if self.drifts.iter().all(|told| told.acked) {
            Verdict::InOrder
        } else {
            Verdict::Drifted
        }
    }

    /// Whether nothing that was looked at, and no running row's session, remained unseen.
    #[must_use]
    pub fn saw_everything(&self) -> bool {
        let mut sources = self.sources.iter();
        self.confirmed && sources.all(|source| source.state != SourceState::Unknown)
    }

    /// The account of one pass.
    pub fn new(account: Account<'_>) -> Self {
        let Account {
            roll,
            dry_run,
            registry,
            world,
            before,
            assessment,
            written,
        } = account;
        let drifts = assessment
            .drifts
            .iter()
            .map(|drift| {
                let open = assessment.ledger.drifts.get(&drift.id);
                Told {
                    outcome: outcome(
                        assessment.plan.fates.get(&drift.id),
                        &drift.id,
                        dry_run,
                        written,
                    ),
                    new: !before.drifts.contains_key(&drift.id),
                    first_seen: open.map_or(world.at, |open| open.first_seen),
                    last_seen: open.map_or(world.at, |open| open.last_seen),
                    count: open.map_or(1, |open| open.count),
                    acked: open.is_some_and(|open| open.acked.is_some()),
                    drift: drift.clone(),
                }
            })
            .collect();
        let resolved = before
            .resolved_since(&assessment.ledger)
            .into_iter()
            .map(|(id, open)| Resolved {
                id,
                session: open.session,
                class: open.class,
                kind: open.kind,
                first_seen: open.first_seen,
                count: open.count,
            })
            .collect();
        Self {
            at: world.at,
            roll: roll.to_owned(),
            dry_run,
            fingerprint: registry.fingerprint.clone(),
            alive: world.alive(),
            confirmed: assessment.confirmed,
            vantage: world.vantage.clone(),
            sources: world.sources.clone(),
            drifts,
            resolved,
            notes: assessment.notes.clone(),
            jobs: assessment
                .job_updates
                .iter()
                .map(|update| ToldJob {
                    outcome: outcome(Some(&update.decision), &update.cause, dry_run, written),
                    update: update.clone(),
                })
                .collect(),
            ignored: assessment.ignored.clone(),
        }
    }
}

fn outcome(decision: Option<&Decision>, id: &DriftId, dry_run: bool, written: &Written) -> Outcome {
    match decision {
        Some(Decision::Write(_)) if dry_run => Outcome::WouldApply,
        Some(Decision::Write(_)) if written.applied.contains(id) => Outcome::Applied,
        Some(Decision::Write(_)) => {
            let refused = written.refused.get(id).cloned().map(Held::NotEditable);
            let held = refused.or_else(|| written.obstacle.clone());
            Outcome::Held(held.unwrap_or(Held::Contended))
        }
        Some(Decision::Pending { due, why }) => Outcome::Pending {
            why: why.clone(),
            due: *due,
        },
        Some(Decision::Held(held)) => Outcome::Held(held.clone()),
        Some(Decision::Told) | None => Outcome::ToldOnly,
    }
}
