//! The report as programs read it: serialisable twins of what `core` tells. The names and the order of the
//! keys here are the format; `schemas/report.schema.json` is made from these types.

mod action;
mod checkup;
mod drift;
mod explanation;
mod job;
mod notice;
mod plan;
mod pruning;
mod recovery;
mod status;
mod value;

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

pub use action::{Action, Change, Pane};
pub use checkup::Checkup;
pub use drift::{Drift, Evidence, Held, Pending, Resolved};
pub use explanation::Explanations;
pub use job::JobUpdate;
pub use notice::{About, Notice, Scene};
pub use plan::{PLAN, PLAN_VERSION, Plan, Planned, proposed};
pub use pruning::Pruning;
pub use recovery::Recovery;
pub use status::Status;
pub use value::{Pairs, Value};

use crate::core::drift as core_drift;
use crate::core::report as core_report;
use crate::core::sighting::Sighting;
use crate::core::world as core_world;

/// The version of the format. It changes only when a reader of the old one would go wrong.
pub const FORMAT_VERSION: &str = "1";

/// The account of one reconciliation pass.
///
/// Readers should ignore keys they do not know, and refuse a `format_version` they do not know.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Report {
    /// When the look began that the report rests on, in UTC.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub timestamp: String,
    /// The path of the roll (`agent-sessions.yaml`), as it was named.
    pub yaml_path: String,
    /// The names of all live tmux sessions, sorted.
    pub tmux_sessions_alive: Vec<String>,
    /// Whether every running row's session was seen, or proven absent.
    pub tmux_confirmed: bool,
    /// Every difference between the roll and the world, in a stable order.
    pub drifts: Vec<Drift>,
    /// What was written to the roll, or in a dry run would be.
    pub actions: Vec<Action>,
    /// The version of this format.
    #[cfg_attr(test, schemars(extend("const" = FORMAT_VERSION)))]
    pub format_version: String,
    /// The name of the machine the look was made on.
    pub host: String,
    /// Where the look was made from.
    pub vantage: Vantage,
    /// SHA-256 of the roll's bytes when it was read, in hex.
    pub registry_fingerprint: String,
    /// Everything that was looked at, and how that went.
    pub sources: Vec<Source>,
    /// What a person should know that is no drift and is never written.
    pub notes: Vec<Note>,
    /// What was learned of delegated jobs.
    pub job_updates: Vec<JobUpdate>,
    /// The drifts that are due and yet not written, each with the reason and what to do about it.
    pub held: Vec<HeldBack>,
    /// The drifts that were open and are no more.
    pub resolved: Vec<Resolved>,
    /// How many of each.
    pub counts: Counts,
}

/// Where the look was made from. What one vantage cannot see, another may.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Vantage {
    /// The machine's id.
    pub machine: String,
    /// The pid namespace; `-` where the system has none.
    pub pid_namespace: String,
    /// Whether that is the machine's first one, as far as it could be told.
    #[cfg_attr(test, schemars(extend("enum" = SIGHTINGS)))]
    pub first_pid_namespace: String,
    /// The kernel's id of this boot.
    pub boot: String,
    /// When this boot began.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub booted_at: String,
    /// The user's id.
    pub uid: u32,
    /// Whether the roll lies on a local file system, as far as it could be told.
    #[cfg_attr(test, schemars(extend("enum" = SIGHTINGS)))]
    pub roll_is_local: String,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Source {
    /// What it is: `tmux:default`, `processes`, `claude:/home/u/.claude`, …
    pub name: String,
    /// `present`: it was seen; `absent`: it is proven not to be there; `unknown`: it could not be seen.
    #[cfg_attr(test, schemars(extend("enum" = SIGHTINGS)))]
    pub state: String,
    /// What it said, or why it could not be seen and what to do about that.
    pub reason: String,
    /// When it was looked at.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    pub at: String,
}

/// Something a person should know that is no drift and is never written.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Note {
    /// What kind of note: `agent_exited`, `renamed`, `still_alive`, …
    pub kind: String,
    /// The session it is about.
    pub session: Option<String>,
    /// The tmux server of that session.
    pub tmux_server: Option<String>,
    /// The sentence.
    pub text: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
}

/// A drift that is due and yet not written, in short.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct HeldBack {
    /// The id of the drift.
    pub drift: String,
    /// Its session.
    pub session: Option<String>,
    /// Why, as a word: `not_home`, `mass_change`, …
    pub reason: String,
    /// What a person can do about it.
    pub remedy: String,
}

/// How many of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Counts {
    /// Drifts of each class; all four are always there.
    pub by_class: BTreeMap<char, usize>,
    /// Drifts by what became of them.
    pub by_outcome: Outcomes,
    /// Notes.
    pub notes: usize,
    /// Drifts that are no more.
    pub resolved: usize,
    /// Live tmux sessions.
    pub sessions: usize,
    /// What was learned of delegated jobs.
    pub job_updates: usize,
    /// The events of jobs that changed nothing, by why, since the program began: `forged`, `replayed`, …
    pub events_ignored: BTreeMap<String, u64>,
}

/// Drifts by what became of them. Every drift is counted in exactly one of these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Outcomes {
    /// Written.
    pub applied: usize,
    /// Would have been written, had this not been a dry run.
    pub would_apply: usize,
    /// Not due yet.
    pub pending: usize,
    /// Due and yet not written.
    pub held: usize,
    /// Never written.
    pub told: usize,
}

impl Outcomes {
    /// Counts them.
    #[must_use]
    pub fn of(told: &[core_report::Told]) -> Self {
        let mut count = Self::default();
        for told in told {
            *match told.outcome {
                core_report::Outcome::Applied => &mut count.applied,
                core_report::Outcome::WouldApply => &mut count.would_apply,
                core_report::Outcome::Pending { .. } => &mut count.pending,
                core_report::Outcome::Held(_) => &mut count.held,
                core_report::Outcome::ToldOnly => &mut count.told,
            } += 1;
        }
        count
    }
}

impl From<&core_report::Report> for Report {
    fn from(report: &core_report::Report) -> Self {
        // Taken apart without `..`, so that nothing a pass tells can be forgotten here.
        let core_report::Report {
            at,
            roll,
            dry_run: _, // every drift and every action says so itself
            fingerprint,
            alive,
            confirmed,
            vantage,
            sources,
            drifts,
            resolved,
            notes,
            jobs,
            ignored: _, // counted
        } = report;
        Self {
            timestamp: at.iso(),
            yaml_path: roll.clone(),
            tmux_sessions_alive: alive.iter().map(ToString::to_string).collect(),
            tmux_confirmed: *confirmed,
            drifts: drifts.iter().map(Drift::from).collect(),
            actions: action::of(drifts, jobs),
            format_version: FORMAT_VERSION.to_owned(),
            host: vantage.host.clone(),
            vantage: Vantage::from(vantage),
            registry_fingerprint: fingerprint.to_string(),
            sources: sources.iter().map(Source::from).collect(),
            notes: notes.iter().map(Note::from).collect(),
            job_updates: jobs.iter().map(JobUpdate::from).collect(),
            held: drifts.iter().filter_map(HeldBack::of).collect(),
            resolved: resolved.iter().map(Resolved::from).collect(),
            counts: Counts::of(report),
        }
    }
}

/// What earlier passes wrote or found to be over, and nobody has been told of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Missed {
    /// The drifts that were written.
    pub drifts: Vec<Drift>,
    /// The drifts that are no more.
    pub resolved: Vec<Resolved>,
    /// The outcomes of jobs that were written.
    pub jobs: Vec<JobUpdate>,
}

impl Report {
    /// This report, with what was missed told in it too.
    #[must_use]
    pub fn and(mut self, missed: &Missed) -> Self {
        for drift in &missed.drifts {
            *self.counts.by_class.entry(drift.class).or_default() += 1;
            self.counts.by_outcome.applied += 1;
        }
        self.counts.resolved += missed.resolved.len();
        self.counts.job_updates += missed.jobs.len();
        self.job_updates.extend(missed.jobs.iter().cloned());
        self.drifts.extend(missed.drifts.iter().cloned());
        self.resolved.extend(missed.resolved.iter().cloned());
        self
    }
}

impl From<&core_world::Vantage> for Vantage {
    fn from(vantage: &core_world::Vantage) -> Self {
        let core_world::Vantage {
            host: _, // a key of the report itself
            place,
            boot,
            booted_at,
            first_pid_namespace,
            uid,
            roll_is_local,
        } = vantage;
        Self {
            machine: place.machine.clone(),
            pid_namespace: place.pid_namespace.clone(),
            first_pid_namespace: sighting(first_pid_namespace).to_owned(),
            boot: boot.to_string(),
            booted_at: booted_at.iso(),
            uid: *uid,
            roll_is_local: sighting(roll_is_local).to_owned(),
        }
    }
}

impl From<&core_world::Source> for Source {
    fn from(source: &core_world::Source) -> Self {
        let core_world::Source {
            name,
            state,
            reason,
            at,
        } = source;
        Self {
            name: name.clone(),
            state: match state {
                core_world::SourceState::Present => PRESENT,
                core_world::SourceState::Absent => ABSENT,
                core_world::SourceState::Unknown => UNKNOWN,
            }
            .to_owned(),
            reason: reason.clone(),
            at: at.iso(),
        }
    }
}

impl From<&core_drift::Note> for Note {
    fn from(note: &core_drift::Note) -> Self {
        let core_drift::Note {
            kind,
            session,
            server,
            text,
            evidence,
        } = note;
        Self {
            kind: kind.as_str().to_owned(),
            session: session.as_ref().map(ToString::to_string),
            tmux_server: server.as_ref().map(ToString::to_string),
            text: text.clone(),
            evidence: evidence.iter().map(Evidence::from).collect(),
        }
    }
}

impl HeldBack {
    fn of(told: &core_report::Told) -> Option<Self> {
        let core_report::Outcome::Held(held) = &told.outcome else {
            return None;
        };
        Some(Self {
            drift: told.drift.id.to_string(),
            session: told.drift.session.as_ref().map(ToString::to_string),
            reason: held.as_str().to_owned(),
            remedy: held.remedy().to_owned(),
        })
    }
}

impl Counts {
    fn of(report: &core_report::Report) -> Self {
        let mut by_class: BTreeMap<_, _> = CLASSES.iter().map(|&class| (class, 0)).collect();
        for told in &report.drifts {
            *by_class
                .entry(told.drift.kind.class().letter())
                .or_default() += 1;
        }
        Self {
            by_class,
            by_outcome: Outcomes::of(&report.drifts),
            notes: report.notes.len(),
            resolved: report.resolved.len(),
            sessions: report.alive.len(),
            job_updates: report.jobs.len(),
            events_ignored: report
                .ignored
                .iter()
                .map(|(why, count)| (why.as_str().to_owned(), count))
                .collect(),
        }
    }
}

const CLASSES: [char; 4] = ['A', 'B', 'C', 'D'];

const PRESENT: &str = "present";
const ABSENT: &str = "absent";
const UNKNOWN: &str = "unknown";
#[cfg(test)]
const SIGHTINGS: [&str; 3] = [PRESENT, ABSENT, UNKNOWN];

/// `2026-11-21T09:00:00Z`, as a pattern for the schema.
#[cfg(test)]
const SECONDS: &str = r"^\d{4,}-\d\d-\d\dT\d\d:\d\d:\d\dZ$";

const fn sighting<T>(sighting: &Sighting<T>) -> &'static str {
    match sighting {
        Sighting::Present(_) => PRESENT,
        Sighting::Absent(_) => ABSENT,
        Sighting::Unknown(_) => UNKNOWN,
    }
}
