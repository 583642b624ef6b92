//! What is made of the events and records of one look.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use super::memory::bounded;
use super::ties::{Owner, Ties};
use super::{
    Ignored, JobEvent, JobId, JobRecord, JobStatus, JobUpdate, KnownJob, Learned, Refusal, Trust,
    printable,
};
use crate::core::diff::Fate;
use crate::core::drift::{Held, Note, NoteKind};
use crate::core::edit::{Change, Edit, Target};
use crate::core::ids::{DriftId, SessionName, Timestamp};
use crate::core::ledger::Ledger;
use crate::core::past::key_of;
use crate::core::plan::Decision;
use crate::core::policy::Policy;
use crate::core::registry::{Registry, Row, Status};
use crate::core::sighting::Sighting;
use crate::core::world::World;

/// What one look has to say of jobs.
#[derive(Debug)]
pub struct JobFindings {
    /// What is told, in the order of the rows.
    pub updates: Vec<JobUpdate>,
    /// What contradicts itself.
    pub notes: Vec<Note>,
    /// The memory with this look in it.
    pub memory: BTreeMap<JobId, KnownJob>,
    /// The events that change nothing.
    pub ignored: Ignored,
}

/// Believes or refuses what was heard, compares it with the records, and says what becomes of it. Pure and
/// total. `fates` tell of each of `registry.rows`, and `ledger` is the memory before this look.
#[must_use]
pub fn assess(
    registry: &Registry,
    world: &World,
    fates: &[Fate<'_>],
    ledger: &Ledger,
    policy: &Policy,
    now: Timestamp,
) -> JobFindings {
    let ties = Ties::new(registry, &world.jobs);
    let mut hearing = Hearing {
        world,
        policy,
        ties: &ties,
        memory: ledger.jobs.clone(),
        latest: BTreeMap::new(),
        ended: BTreeSet::new(),
        ignored: Ignored::default(),
    };
    let mut heard: Vec<&JobEvent> = world.jobs.heard.iter().collect();
    heard.sort_by_key(|event| (&event.job, event.seq));
    for event in heard {
        if let Err(why) = hearing.hear(event) {
            hearing.ignored.count(why);
        }
    }
    let mut updates = Vec::new();
    let mut notes = Vec::new();
    for (at, job) in ties.rows() {
        let row = &registry.rows[at];
        let case = Case {
            row,
            job,
            life: Life::of(row, &fates[at], ledger, now),
            shared: ties.is_shared(job),
            now,
        };
        case.contradiction(&hearing, &mut notes);
        updates.extend(case.update(&mut hearing));
    }
    let tied: BTreeSet<&JobId> = ties.rows().map(|(_, job)| job).collect();
    JobFindings {
        updates,
        notes,
        memory: bounded(hearing.memory, &tied),
        ignored: hearing.ignored,
    }
}

/// What was heard, as far as it is believed.
struct Hearing<'a> {
    world: &'a World,
    policy: &'a Policy,
    ties: &'a Ties,
    memory: BTreeMap<JobId, KnownJob>,
    /// The last event of each job that goes on.
    latest: BTreeMap<JobId, &'a JobEvent>,
    /// The jobs whose end was heard of in this look.
    ended: BTreeSet<JobId>,
    ignored: Ignored,
}

impl<'a> Hearing<'a> {
    fn hear(&mut self, event: &'a JobEvent) -> Result<(), Refusal> {
        let _ = self.trust(&event.job, event.signed)?;
        let owner = self.ties.owner(&event.job);
        if owner == Owner::Superseded {
            return Err(Refusal::Late);
        }
        if owner == Owner::Nobody && event.kind.outcome().is_none() {
            // Another roll's, or one whose row is not written yet: there is nothing to keep.
            return Ok(());
        }
        let known = self
            .memory
            .entry(event.job.clone())
            .or_insert_with(|| KnownJob::new(event.heard));
        if event.seq <= known.last_seq {
            return Err(Refusal::Replayed);
        }
        known.last_seq = event.seq;
        known.seen = event.heard;
        match (event.kind.outcome(), &known.heard) {
            (Some(status), None) => {
                known.heard = Some(Learned {
                    status,
                    at: event.heard,
                    detail: event.detail.clone(),
                    seq: event.seq,
                    signed: event.signed,
                });
                self.latest.remove(&event.job);
                self.ended.insert(event.job.clone());
            }
            (Some(status), Some(first)) if first.status != status => known.against = Some(status),
            (Some(_), Some(_)) => {}
            // A job that is over does not begin again under its old id.
            (None, Some(_)) => return Err(Refusal::Late),
            (None, None) => {
                self.latest.insert(event.job.clone(), event);
            }
        }
        Ok(())
    }

    /// What an event of a job rests on.
    fn trust(&self, job: &JobId, signed: bool) -> Result<Trust, Refusal> {
        if signed {
            return Ok(Trust::Signed);
        }
        match self.world.jobs.records.get(job) {
            Some(Sighting::Present(record)) if record.needs_signature => Err(Refusal::Forged),
            // It may ask for a signature.
            Some(Sighting::Unknown(_)) | None => Err(Refusal::Forged),
            _ if self.policy.require_signature => Err(Refusal::Unsigned),
            Some(Sighting::Absent(_)) => Ok(Trust::Unsigned),
            Some(Sighting::Present(_)) => Ok(Trust::NotRequired),
        }
    }

    fn record(&self, job: &JobId) -> Record<'a> {
        match self.world.jobs.records.get(job) {
            Some(Sighting::Present(record)) => Record::Seen(record),
            Some(Sighting::Absent(_)) => Record::None,
            Some(Sighting::Unknown(why)) => Record::Unread(why.to_string()),
            None => Record::Unread("it was not looked for".to_owned()),
        }
    }
}

enum Record<'a> {
    Seen(&'a JobRecord),
    None,
    Unread(String),
}

/// What is known of the present life of a row's session.
enum Life {
    /// It began then. Nothing that ended before is this life's.
    Since(Timestamp),
    /// Nothing is known of when it began, and it is over.
    Over,
    /// It could not be seen.
    Unseen,
}

impl Life {
    fn of(row: &Row, fate: &Fate<'_>, ledger: &Ledger, now: Timestamp) -> Self {
        // What a row that has ended records of its jobs is about the life that has ended.
        if row.status != Status::Running {
            return Self::Over;
        }
        match fate {
            Fate::Alive(here) if here.sure => {
                let created = here.seen.session.created;
                // A session from the future: the clock was set back, and the two cannot be compared.
                if created > now {
                    Self::Over
                } else {
                    Self::Since(created)
                }
            }
            Fate::Gone | Fate::Elsewhere => ledger
                .rows
                .get(&key_of(row))
                .and_then(|known| known.alive.as_ref())
                .map(|alive| alive.incarnation.created)
                .filter(|created| *created <= now)
                .map_or(Self::Over, Self::Since),
            Fate::Alive(_) | Fate::Unseen => Self::Unseen,
        }
    }
}

/// A job's outcome, whoever told it.
struct Outcome {
    status: JobStatus,
    at: Timestamp,
    detail: String,
    trust: Trust,
}

/// One row with its job.
struct Case<'a> {
    row: &'a Row,
    job: &'a JobId,
    life: Life,
    shared: bool,
    now: Timestamp,
}

impl Case<'_> {
    /// What the row's job came to, if two who should know say different things.
    fn disputed(&self, hearing: &Hearing<'_>) -> Option<String> {
        let known = hearing.memory.get(self.job)?;
        let heard = known.heard.as_ref()?;
        if let Some(against) = known.against {
            return Some(format!(
                "an event said {}, a later one {}",
                heard.status.as_str(),
                against.as_str()
            ));
        }
        match hearing.record(self.job) {
            Record::Seen(record) if record.status.is_over() && record.status != heard.status => {
                Some(format!(
                    "an event said {}, its record says {}",
                    heard.status.as_str(),
                    record.status.as_str()
                ))
            }
            _ => None,
        }
    }

    fn contradiction(&self, hearing: &Hearing<'_>, notes: &mut Vec<Note>) {
        if let Some(what) = self.disputed(hearing) {
            notes.push(Note {
                kind: NoteKind::JobContradiction,
                session: Some(self.row.name.clone()),
                server: self.row.server.clone(),
                text: format!("{}: job {}: {what}.", self.row.name, self.job),
                evidence: Vec::new(),
            });
        }
    }

    fn update(&self, hearing: &mut Hearing<'_>) -> Option<JobUpdate> {
        let in_row = self.row.job_status_of.as_deref() == Some(self.job.as_str());
        let known = hearing.memory.get_mut(self.job);
        if let Some(known) = known {
            known.written |= in_row;
            if known.written {
                return None;
            }
        }
        if in_row {
            return None;
        }
        let Some(outcome) = self.outcome(hearing) else {
            return self.going_on(hearing);
        };
        if let Life::Since(began) = self.life
            && outcome.at < began
        {
            if let Some(known) = hearing.memory.get_mut(self.job) {
                known.heard = None;
            }
            if hearing.ended.contains(self.job) {
                hearing.ignored.count(Refusal::Late);
            }
            return None;
        }
        let decision = self.decide(&outcome, hearing);
        Some(self.told(
            hearing,
            outcome.status.as_str(),
            Some(outcome.status),
            outcome.at,
            outcome.detail,
            outcome.trust,
            decision,
        ))
    }

    fn outcome(&self, hearing: &Hearing<'_>) -> Option<Outcome> {
        let heard = hearing
            .memory
            .get(self.job)
            .and_then(|known| known.heard.as_ref());
        let record = hearing.record(self.job);
        if let Record::Seen(record) = record
            && record.status.is_over()
        {
            let same = heard.filter(|heard| heard.status == record.status);
            return Some(Outcome {
                status: record.status,
                at: same.map_or(record.updated, |heard| heard.at.min(record.updated)),
                detail: same.map_or_else(String::new, |heard| heard.detail.clone()),
                trust: Trust::Record,
            });
        }
        let heard = heard?;
        let trust = match record {
            _ if heard.signed => Trust::Signed,
            Record::None => Trust::Unsigned,
            Record::Seen(_) | Record::Unread(_) => Trust::NotRequired,
        };
        Some(Outcome {
            status: heard.status,
            at: heard.at,
            detail: heard.detail.clone(),
            trust,
        })
    }

    fn decide(&self, outcome: &Outcome, hearing: &Hearing<'_>) -> Decision {
        let doubt = |why: String| Decision::Held(Held::Doubt(why));
        if let Some(what) = self.disputed(hearing) {
            return doubt(what);
        }
        match hearing.record(self.job) {
            Record::Unread(why) => return doubt(format!("its record cannot be read: {why}")),
            // What was believed without a signature does not count any more once one is asked for.
            Record::Seen(record)
                if record.needs_signature && outcome.trust == Trust::NotRequired =>
            {
                return doubt("its record asks for a signature".to_owned());
            }
            Record::Seen(_) | Record::None => {}
        }
        if self.shared {
            return doubt("several rows name this job".to_owned());
        }
        if matches!(self.life, Life::Unseen) {
            return doubt("its session could not be seen".to_owned());
        }
        if matches!(self.row.status, Status::Other(_)) {
            return Decision::Told;
        }
        if let Some(why) = &hearing.policy.read_only {
            return Decision::Held(Held::ReadOnly(why.clone()));
        }
        if !hearing.policy.approves(&cause(self.job, &self.row.name)) {
            return Decision::Held(Held::NotPlanned);
        }
        let unsigned = if outcome.trust == Trust::Unsigned {
            " (unsigned)"
        } else {
            ""
        };
        let said = if outcome.detail.is_empty() {
            String::new()
        } else {
            format!(": {}", outcome.detail)
        };
        Decision::Write(Edit {
            cause: cause(self.job, &self.row.name),
            target: Target::Row {
                name: self.row.name.clone(),
                fingerprint: self.row.fingerprint.clone(),
            },
            change: Change::JobOutcome {
                job: self.job.clone(),
                status: outcome.status,
                finished: outcome.at,
                note: printable(&format!(
                    "job {} {}{unsigned}{said}",
                    self.job,
                    outcome.status.as_str()
                )),
            },
        })
    }

    /// What a job that has not ended said last, if it said something in this look.
    fn going_on(&self, hearing: &mut Hearing<'_>) -> Option<JobUpdate> {
        let event = *hearing.latest.get(self.job)?;
        let trust = hearing.trust(self.job, event.signed).ok()?;
        Some(self.told(
            hearing,
            event.kind.as_str(),
            None,
            event.heard,
            event.detail.clone(),
            trust,
            Decision::Told,
        ))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a field of what is told")]
    fn told(
        &self,
        hearing: &mut Hearing<'_>,
        state: &'static str,
        outcome: Option<JobStatus>,
        at: Timestamp,
        detail: String,
        trust: Trust,
        decision: Decision,
    ) -> JobUpdate {
        let known = hearing
            .memory
            .entry(self.job.clone())
            .or_insert_with(|| KnownJob::new(self.now));
        let told_as = format!("{state} {}", decision.as_str());
        let news = known.told_as != told_as;
        known.told_as = told_as;
        JobUpdate {
            cause: cause(self.job, &self.row.name),
            job: self.job.clone(),
            session: self.row.name.clone(),
            server: self.row.server.clone(),
            state,
            outcome,
            at,
            detail,
            trust,
            decision,
            news,
        }
    }
}

/// What stands for a job's outcome where a drift's id stands for a drift.
fn cause(job: &JobId, session: &SessionName) -> DriftId {
    let mut hash = Sha256::new();
    for part in [job.as_str(), session.as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let hex: String = hash
        .finalize()
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    DriftId::new(format!("j-{hex}"))
}
