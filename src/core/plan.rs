//! What is done about each drift: written, waited for, held or only told. Each ends in exactly one place.

use std::collections::{BTreeMap, BTreeSet};

use super::diff::{Fate, Findings, diff};
use super::drift::{Drift, Held, Kind, Note, Wait};
use super::edit::{Change, Edit};
use super::ids::{DriftId, ServerName, SessionName, Timestamp};
use super::jobs::{self, Ignored, JobUpdate};
use super::ledger::{Acked, Ledger};
use super::policy::Policy;
use super::policy::limits::{MASS_ROWS, MASS_WINDOW};
use super::registry::{Registry, Status};
use super::world::World;

/// What becomes of every drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order of the drifts.
    pub fates: BTreeMap<DriftId, Decision>,
}

/// What becomes of one drift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is written now.
    Write(Edit),
    /// It is not due yet.
    Pending {
        /// When it will be.
        due: Timestamp,
        /// What is waited for.
        why: String,
    },
    /// It is due, and must not be written.
    Held(Held),
    /// It is never written.
    Told,
}

impl Decision {
    /// One word for it. Two looks that make the same of a drift have the same word.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Write(_) => "write",
            Self::Pending { .. } => "pending",
            Self::Held(held) => held.as_str(),
            Self::Told => "told",
        }
    }

    /// What is written now.
    #[must_use]
    pub const fn edit(&self) -> Option<&Edit> {
        match self {
            Self::Write(edit) => Some(edit),
            _ => None,
        }
    }
}

impl Plan {
    /// The edits to write now, in the order of the drifts.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        self.fates
            .values()
            .filter_map(Decision::edit)
            .cloned()
            .collect()
    }

    /// When the last of what is pending will be due.
    #[must_use]
    pub fn last_due(&self) -> Option<Timestamp> {
        self.dues().max()
    }

    /// When the first of what is pending will be due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.dues().min()
    }

    fn dues(&self) -> impl Iterator<Item = Timestamp> {
        self.fates.values().filter_map(|fate| match fate {
            Decision::Pending { due, .. } => Some(*due),
            _ => None,
        })
    }
}

/// Everything the core has to say about one look.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Assessment {
    /// The differences, sorted by class, session and id.
    pub drifts: Vec<Drift>,
    /// What a person should know besides.
    pub notes: Vec<Note>,
    /// Whether every running row's session was seen, or proven absent.
    pub confirmed: bool,
    /// What becomes of every drift.
    pub plan: Plan,
    /// What was learnt of delegated jobs, in the order of the rows.
    pub job_updates: Vec<JobUpdate>,
    /// The events of jobs that change nothing.
    pub ignored: Ignored,
    /// The memory with this look in it.
    pub ledger: Ledger,
}

impl Assessment {
    /// The edits to write now, in the order of the drifts, so that new rows come in an order that people
    /// expect; behind them the outcomes of jobs.
    #[must_use]
    pub fn edits(&self) -> Vec<Edit> {
        let of_drifts = self
            .drifts
            .iter()
            .filter_map(|drift| self.plan.fates.get(&drift.id)?.edit());
        let of_jobs = self
            .job_updates
            .iter()
            .filter_map(|update| update.decision.edit());
        of_drifts.chain(of_jobs).cloned().collect()
    }
}

/// Compares, remembers and decides: the whole core in one call, pure and total.
pub fn assess(
    registry: &Registry,
    world: &World,
    ledger: &Ledger,
    policy: &Policy,
    now: Timestamp,
) -> Assessment {
    let ledger = &*ledger.by_the_clock_of(&world.vantage);
    let findings = diff(registry, world, ledger, policy, now);
    let jobs = jobs::assess(registry, world, &findings.fates, ledger, policy, now);
    let mut ledger = ledger.with_look(registry, world, &findings, now);
    ledger.jobs = jobs.memory;
    let plan = plan(registry, &findings, &ledger, policy, now);
    for (id, decision) in &plan.fates {
        // What this pass is not asked to write is for the next one what it was for the last.
        if *decision != Decision::Held(Held::NotPlanned)
            && let Some(open) = ledger.drifts.get_mut(id)
        {
            decision.as_str().clone_into(&mut open.told_as);
        }
    }
    for drift in &findings.drifts {
        if let Some(decision) = plan.fates.get(&drift.id)
            && *decision != Decision::Held(Held::NotPlanned)
            && let Some(open) = ledger.drifts.get_mut(&drift.id)
        {
            // What becomes another thing, or is written, is not what a person said to know of.
            let as_told = |acked: &Acked| {
                acked.reason == drift.reason
                    && acked.told_as == decision.as_str()
                    && matches!(decision, Decision::Held(_) | Decision::Told)
            };
            open.acked = open.acked.take().filter(as_told);
        }
    }
    let confirmed = registry
        .rows
        .iter()
        .zip(&findings.fates)
        .all(|(row, fate)| row.status != Status::Running || !matches!(fate, Fate::Unseen));
    Assessment {
        confirmed,
        plan,
        ledger,
        drifts: findings.drifts,
        notes: findings.notes.into_iter().chain(jobs.notes).collect(),
        job_updates: jobs.updates,
        ignored: jobs.ignored,
    }
}

/// Decides. `ledger` already has this look in it.
#[must_use]
pub fn plan(
    registry: &Registry,
    findings: &Findings<'_>,
    ledger: &Ledger,
    policy: &Policy,
    now: Timestamp,
) -> Plan {
    let mut fates = BTreeMap::new();
    let is_end = |drift: &&Drift| drift.kind == Kind::TmuxGone;
    let follows = |drift: &&Drift| matches!(drift.wait, Wait::With(_));
    let drifts = || findings.drifts.iter();
    for drift in drifts().filter(|drift| !is_end(drift) && !follows(drift)) {
        fates.insert(drift.id.clone(), decide(drift, ledger, policy, now));
    }
    // The brake counts the rows as they will be, so that the next pass judges no differently.
    let brake = Brake::new(registry, findings, &fates, now);
    for drift in drifts().filter(is_end) {
        let mut decision = decide(drift, ledger, policy, now);
        let is_due = !matches!(decision, Decision::Held(_));
        if is_due && !drift.own_cause && !policy.allow_mass_change && brake.holds(drift) {
            decision = Decision::Held(Held::MassChange);
        }
        fates.insert(drift.id.clone(), decision);
    }
    for (drift, other) in drifts().filter_map(|drift| match &drift.wait {
        Wait::With(other) => Some((drift, other)),
        _ => None,
    }) {
        let decision = follow(drift, fates.get(other), ledger, policy);
        fates.insert(drift.id.clone(), decision);
    }
    Plan { fates }
}

/// Decides about a drift that is written together with another.
fn follow(drift: &Drift, other: Option<&Decision>, ledger: &Ledger, policy: &Policy) -> Decision {
    match (&drift.edit, &drift.obstacle, other) {
        (Some(_), _, _) if ledger.is_undone(&drift.id) => Decision::Held(Held::Undone),
        (Some(_), Some(obstacle), _) => Decision::Held(obstacle.clone()),
        (Some(_), None, _) if !policy.approves(&drift.id) => Decision::Held(Held::NotPlanned),
        (Some(edit), None, Some(Decision::Write(_))) => Decision::Write(edit.clone()),
        (Some(_), None, Some(other)) => other.clone(),
        _ => Decision::Told,
    }
}

fn decide(drift: &Drift, ledger: &Ledger, policy: &Policy, now: Timestamp) -> Decision {
    let Some(edit) = &drift.edit else {
        return Decision::Told;
    };
    if ledger.is_undone(&drift.id) {
        return Decision::Held(Held::Undone);
    }
    if let Some(obstacle) = &drift.obstacle {
        return Decision::Held(obstacle.clone());
    }
    if let Some(why) = &policy.read_only {
        return Decision::Held(Held::ReadOnly(why.clone()));
    }
    if !policy.approves(&drift.id) {
        return Decision::Held(Held::NotPlanned);
    }
    let pending = |due: Timestamp, why: String| {
        if due <= now {
            None
        } else {
            Some(Decision::Pending { due, why })
        }
    };
    let waits = match &drift.wait {
        Wait::No | Wait::With(_) => None,
        Wait::Until(due) => pending(
            *due,
            format!(
                "its session is less than {} s old",
                policy.spawn_grace.as_secs()
            ),
        ),
        Wait::SecondLook(grace) => {
            let since = ledger
                .drifts
                .get(&drift.id)
                .and_then(|open| open.proven_since.as_ref())
                .map_or(now, |(since, _)| *since);
            pending(
                since.plus(*grace),
                "a second look has to prove it".to_owned(),
            )
        }
    };
    waits.unwrap_or_else(|| Decision::Write(edit.clone()))
}

/// The brake on mass changes (rule 4).
///
/// Every running row that is not surely alive counts, whatever the reason, and so does every row that
/// was ended a short while ago: so that not seeing something can only pull the brake, never release it.
/// What this very plan registers or lets run again runs.
struct Brake {
    /// Whether the whole roll is braked.
    roll: bool,
    /// Which servers are.
    servers: BTreeMap<ServerName, bool>,
}

#[derive(Default)]
struct Tally {
    running: usize,
    ending: usize,
}

impl Tally {
    const fn is_mass(&self) -> bool {
        self.ending >= MASS_ROWS && self.ending * 2 > self.running
    }
}

impl Brake {
    fn new(
        registry: &Registry,
        findings: &Findings<'_>,
        fates: &BTreeMap<DriftId, Decision>,
        now: Timestamp,
    ) -> Self {
        let mut roll = Tally::default();
        let mut servers: BTreeMap<ServerName, Tally> = BTreeMap::new();
        let mut run_again: BTreeSet<&SessionName> = BTreeSet::new();
        for edit in fates.values().filter_map(Decision::edit) {
            match &edit.change {
                Change::Register { server, .. } => {
                    roll.running += 1;
                    servers
                        .entry(group_of(server.as_ref()))
                        .or_default()
                        .running += 1;
                }
                Change::Revive { .. } | Change::Restore => {
                    run_again.insert(edit.target.name());
                }
                _ => {}
            }
        }
        for (row, fate) in registry.rows.iter().zip(&findings.fates) {
            let server = servers.entry(group_of(row.server.as_ref())).or_default();
            for tally in [&mut roll, server] {
                if run_again.contains(&row.name) {
                    tally.running += 1;
                } else if row.status == Status::Running {
                    tally.running += 1;
                    let alive = match fate {
                        Fate::Alive(here) => here.sure,
                        Fate::Elsewhere => true,
                        Fate::Gone | Fate::Unseen => false,
                    };
                    tally.ending += usize::from(!alive);
                } else if row.ended_by_headcount()
                    && row.end.at.is_some_and(|at| at.plus(MASS_WINDOW) >= now)
                {
                    tally.ending += 1;
                }
            }
        }
        Self {
            roll: roll.is_mass(),
            servers: servers
                .into_iter()
                .map(|(name, tally)| (name, tally.is_mass()))
                .collect(),
        }
    }

    fn holds(&self, drift: &Drift) -> bool {
        self.roll
            || self
                .servers
                .get(&group_of(drift.server.as_ref()))
                .copied()
                .unwrap_or(false)
    }
}

fn group_of(server: Option<&ServerName>) -> ServerName {
    server.cloned().unwrap_or_else(ServerName::default_server)
}
