//! One pass: read the roll, look, assess, remember, write, tell. The only caller of all of these.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tracing::{debug, info, warn};

use super::cut_off;
use super::error::RunError;
use super::news::{self, report, was_refused};
use crate::clock;
use crate::core::drift::Held;
use crate::core::edit::{Change, Edit};
use crate::core::ids::{DriftId, Fingerprint, Timestamp};
use crate::core::ledger::Ledger;
use crate::core::plan::{Assessment, Decision, assess};
use crate::core::policy::Policy;
use crate::core::policy::limits::LOOK_FRESH;
use crate::core::registry::Registry;
use crate::core::report::{Report, Written};
use crate::core::world::{Source, SourceState, World};
use crate::look::jobs::Records;
use crate::look::{self, Begun, Surroundings};
use crate::roll::commit::{
    CommitError, CommitOptions, Committed, LeftOut, Rewriting, commit_noted,
};
use crate::roll::lock::LockError;
use crate::roll::read::{Contents, ReadError};
use crate::roll::{self, Roll};
use crate::snapshot::Snapshot;
use crate::state::journal::News;
use crate::state::ledger::Kept;
use crate::state::retention::bounded;
use crate::state::{Folder, Inbox, Journal, LedgerFile, Locked, Rewrites, StateError};
use crate::tell::wire;

/// How often a look is repeated because the roll could only be locked when the look was no longer fresh.
pub(super) const TRIES: usize = 3;

/// How soon the outcome of a job is tried again that could not be written, since somebody else was at work on
/// its row.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// The pauses, in milliseconds, after which a roll is read again that cannot be understood. They differ, so
/// that they do not fall into step with a program that saves it again and again.
const SAVES: [u64; 6] = [20, 35, 55, 90, 150, 250];

/// Everything a pass needs to know beforehand.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The roll.
    pub roll: Roll,
    /// The state folder, in which every roll has a folder of its own.
    pub state: PathBuf,
    /// Where things are, as far as the environment says.
    pub surroundings: Surroundings,
    /// The records of jobs, as far as they were read before.
    pub records: Records,
    /// How long to wait, and how bold to be.
    pub policy: Policy,
    /// The plan that is carried out: only what it holds is written, and only if it is proposed again.
    pub plan: Option<wire::Plan>,
    /// Whether nothing is written, neither the roll nor the state folder. Such a pass never waits.
    pub dry_run: bool,
    /// How long to wait for the roll's lock, and for the state folder's.
    pub lock_timeout: Duration,
    /// The command that is told what happens, if one is.
    pub notify: Option<String>,
    /// What is replayed, if nothing is looked at. Such a pass is dry.
    pub replay: Option<Snapshot>,
}

/// One look, and what the core made of it.
pub(super) struct Look {
    /// The roll's text.
    pub(super) text: String,
    /// The roll that was read.
    pub(super) registry: Registry,
    /// What was seen.
    pub(super) world: World,
    /// The same with everything in it that a person may want to see, if that was asked for.
    pub(super) all: Option<World>,
    /// What was remembered before it.
    pub(super) before: Ledger,
    /// The settings that it was made with.
    pub(super) policy: Policy,
    /// What the core made of it.
    pub(super) assessment: Assessment,
    fresh_until: std::time::Instant,
    /// When it was made, by the clock that nobody sets.
    made: Timestamp,
    has_news: bool,
}

/// What a pass came to.
#[derive(Debug)]
pub(super) struct Passed {
    /// What it tells.
    pub(super) report: Report,
    /// When the first of what is still pending is due, by [`clock::steady`].
    pub(super) due: Option<Timestamp>,
    /// Whether a drift opened, changed or resolved.
    pub(super) news: bool,
    /// The roll that was read.
    pub(super) registry: Registry,
    /// What was seen.
    pub(super) world: World,
    /// How the roll was left.
    pub(super) left: Fingerprint,
    /// What kept the edits from being written, if anything did.
    pub(super) trouble: Option<RunError>,
}

/// What came of a single pass.
#[derive(Debug)]
#[must_use = "the trouble is an error that has a report all the same"]
pub struct Reconciled {
    /// What it tells.
    pub report: Report,
    /// What kept the edits from being written, if anything did. The report tells them as held.
    pub trouble: Option<RunError>,
}

/// What came of writing.
#[derive(Default)]
struct Attempt {
    written: Written,
    trouble: Option<RunError>,
    /// How it left the roll, if it wrote to it.
    left: Option<Fingerprint>,
}

/// What a loop keeps in mind between its passes.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// The ledger of the last look, where it must not be written down.
    unwritten: Option<Ledger>,
    /// The events of jobs that came, where somebody listens.
    inbox: Option<Inbox>,
    /// What the last look remembered, written down or not: read again only where it changed.
    kept: Option<Kept>,
    /// The roll of the last look: understood again only where it changed.
    roll: Option<Registry>,
    /// Whether there will be another look soon.
    is_of_a_loop: bool,
}

impl Memory {
    /// Nothing yet; the events of jobs come here.
    pub(super) const fn listening(inbox: Option<Inbox>) -> Self {
        Self {
            unwritten: None,
            inbox,
            kept: None,
            roll: None,
            is_of_a_loop: true,
        }
    }
}

/// Reconciles once: looks, waits if something has to be proven a second time, looks again, and writes what
/// is proven. `on_wait` is told once what is waited for.
///
/// # Errors
///
/// Where the roll cannot be read or written, or the state folder cannot be used.
pub async fn reconcile(
    settings: &Settings,
    on_wait: impl FnOnce(&Waiting),
) -> Result<Reconciled, RunError> {
    let mut memory = Memory::default();
    let passed = if settings.dry_run {
        dry_pass(settings, &mut memory).await
    } else {
        written_pass(settings, &mut memory, Some(on_wait)).await
    };
    let Passed {
        report,
        trouble,
        registry,
        world,
        ..
    } = passed?;
    // The process ends soon: to take these apart, row by row, would only keep it from that.
    std::mem::forget((memory, registry, world));
    Ok(Reconciled { report, trouble })
}

/// Whether there is a roll at all. All else that may be wrong with one can be put right while a loop waits.
///
/// # Errors
///
/// There is none.
pub(super) fn must_be_there(settings: &Settings) -> Result<(), RunError> {
    match roll::read::read(&settings.roll) {
        Err(error @ (ReadError::Missing { .. } | ReadError::Dangling { .. })) => Err(error.into()),
        _ => Ok(()),
    }
}

/// One pass of a loop. It waits for nothing: when something is due, there will be another.
///
/// # Errors
///
/// Where the roll cannot be read or written, or the state folder cannot be used.
pub(super) async fn pass(settings: &Settings, memory: &mut Memory) -> Result<Passed, RunError> {
    let began = clock::monotonic();
    let passed = if settings.dry_run {
        dry_pass(settings, memory).await
    } else {
        written_pass(settings, memory, None::<fn(&Waiting)>).await
    };
    let spent = clock::monotonic().saturating_duration_since(began);
    debug!("the pass took {:.1} ms", spent.as_secs_f64() * 1000.0);
    passed
}

async fn dry_pass(settings: &Settings, memory: &mut Memory) -> Result<Passed, RunError> {
    let look = look(settings, Keep::Nothing(memory), &mut Vec::new()).await?;
    let report = report(settings, &look.before, &look, &Written::default());
    let passed = Passed {
        news: look.has_news,
        due: look.due(look.assessment.plan.next_due()),
        report,
        left: look.registry.fingerprint.clone(),
        registry: look.registry,
        world: look.world,
        trouble: None,
    };
    memory.unwritten = Some(look.assessment.ledger);
    Ok(passed)
}

async fn written_pass(
    settings: &Settings,
    memory: &mut Memory,
    mut on_wait: Option<impl FnOnce(&Waiting)>,
) -> Result<Passed, RunError> {
    let folder = Folder::of(&settings.state, &settings.roll.target);
    if !folder.exists()? {
        // Nothing is remembered of a roll that is none. What was understood need not be understood again.
        memory.roll = Some(patiently(|| understand(&settings.roll)).await?);
    }
    let mut origin: Option<Ledger> = None;
    let mut lost = Vec::new();
    let mut news = false;
    let mut tries = 0;
    loop {
        if origin.is_some() && !folder.exists()? {
            lost.push(removed(&folder));
        }
        let lock = match folder.lock(settings.lock_timeout).await {
            Err(error @ StateError::Busy { .. }) => {
                let mut nothing = Memory::default();
                let look = look(settings, Keep::Nothing(&mut nothing), &mut lost).await?;
                let origin = origin.unwrap_or_else(|| look.before.clone());
                let passed = Passed::of(settings, &origin, look, Attempt::locked(error));
                return Ok(passed.with(news));
            }
            lock => lock?,
        };
        let look = look(settings, Keep::In(&folder, &lock, memory), &mut lost).await?;
        news |= look.has_news;
        let origin = origin.get_or_insert_with(|| look.before.clone());
        if let Some(on_wait) = on_wait.take()
            && let Some(waiting) = Waiting::of(&look)
            && let Some(due) = look.due(Some(waiting.until))
        {
            // Nobody needs to wait for us while we wait.
            drop(lock);
            on_wait(&waiting);
            sleep_until(due).await;
            continue;
        }
        tries += 1;
        let attempt = write(settings, &folder, lock, &look, tries == TRIES).await?;
        if attempt.is_none() && tries < TRIES {
            debug!("the look was no longer fresh when the roll was locked; looking again");
            continue;
        }
        let attempt = attempt.unwrap_or_else(|| {
            warn!(
                "the roll was locked by others for too long after each of {TRIES} looks; nothing was written"
            );
            Attempt::default()
        });
        return Ok(Passed::of(settings, origin, look, attempt).with(news));
    }
}

impl Passed {
    /// What it tells is new or not by what was known `before`.
    fn of(settings: &Settings, before: &Ledger, look: Look, attempt: Attempt) -> Self {
        Self {
            report: report(settings, before, &look, &attempt.written),
            due: look.due(
                look.assessment
                    .plan
                    .next_due()
                    .into_iter()
                    .chain(try_again(&look, &attempt.written))
                    .min(),
            ),
            // That an edit is made at last is news, however often it was tried.
            news: look.has_news || !attempt.written.applied.is_empty(),
            left: attempt
                .left
                .unwrap_or_else(|| look.registry.fingerprint.clone()),
            registry: look.registry,
            world: look.world,
            trouble: attempt.trouble,
        }
    }

    /// The same, with the news of earlier looks of this pass.
    fn with(mut self, news: bool) -> Self {
        self.news |= news;
        self
    }
}

impl Attempt {
    fn of(applied: Vec<DriftId>, left_out: LeftOut) -> Self {
        let written = Written {
            applied: applied.into_iter().collect(),
            refused: left_out.refused.into_iter().collect(),
            obstacle: None,
        };
        Self {
            written,
            ..Self::default()
        }
    }

    /// Nothing was written, since somebody kept a lock.
    fn locked(error: impl Into<RunError>) -> Self {
        let trouble = error.into();
        Self::held(Held::Locked(trouble.who_locks()), trouble)
    }

    /// Nothing was written, and this is why.
    fn held(why: Held, trouble: impl Into<RunError>) -> Self {
        Self {
            written: Written {
                obstacle: Some(why),
                ..Written::default()
            },
            trouble: Some(trouble.into()),
            left: None,
        }
    }
}

/// Says that the memory is gone that an earlier look of this pass has left.
fn removed(folder: &Folder) -> Source {
    warn!(
        "{} was removed while headcount waited: going on without what it remembered",
        folder.path().display()
    );
    loss("ledger", format!("{} was removed", folder.path().display()))
}

/// A part of the memory that is lost, as a source that could not be read.
fn loss(name: &str, reason: String) -> Source {
    Source {
        name: name.to_owned(),
        state: SourceState::Unknown,
        reason,
        at: clock::now(),
    }
}

/// What a single pass waits for.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Until when.
    pub until: Timestamp,
    /// From when.
    pub since: Timestamp,
    /// The sessions whose drifts are not due yet.
    pub sessions: Vec<String>,
}

impl Waiting {
    fn of(look: &Look) -> Option<Self> {
        let plan = &look.assessment.plan;
        let sessions = look
            .assessment
            .drifts
            .iter()
            .filter(|drift| matches!(plan.fates.get(&drift.id), Some(Decision::Pending { .. })))
            .filter_map(|drift| drift.session.as_ref().map(ToString::to_string))
            .collect();
        plan.last_due().map(|until| Self {
            until,
            since: look.world.at,
            sessions,
        })
    }
}

impl Look {
    /// The look that was recorded. Nothing is looked at, and nothing written may follow it.
    fn replayed(snapshot: &Snapshot) -> Self {
        let Snapshot {
            text,
            registry,
            world,
            all,
            ledger,
            policy,
            ..
        } = snapshot.clone();
        Self {
            assessment: assess(&registry, &world, &ledger, &policy, world.at),
            text,
            registry,
            world,
            all: Some(all),
            before: ledger,
            policy,
            fresh_until: clock::monotonic(),
            made: clock::steady(),
            has_news: false,
        }
    }

    /// When what is due then by the clock of this look, which may be set, is due by the one that nobody sets: never
    /// too early.
    fn due(&self, then: Option<Timestamp>) -> Option<Timestamp> {
        // Both are cut off to a whole millisecond.
        let slack = Duration::from_millis(2);
        then.map(|then| self.made.plus(then.since(self.world.at)).plus(slack))
    }
}

/// Waits until then, by [`clock::steady`].
async fn sleep_until(due: Timestamp) {
    // The clock of a long sleep stands still while the machine sleeps: ask again rather than trust it.
    loop {
        let left = due.since(clock::steady());
        if left.is_zero() {
            return;
        }
        tokio::time::sleep(left.min(Duration::from_secs(5))).await;
    }
}

/// Reads the roll, and begins to look: the roll takes as long to understand as tmux takes to answer. If it is still
/// the one that is `known`, it need not be understood again.
fn read(
    settings: &Settings,
    known: &mut Option<Registry>,
) -> Result<(Contents, Registry, Begun), RunError> {
    let contents = roll::read::read(&settings.roll)?;
    let begun = look::begin(&settings.surroundings, &contents.text);
    let is_known = |known: &Registry| known.fingerprint == contents.fingerprint;
    let registry = match known.take().filter(is_known) {
        Some(known) => Registry {
            written_at: contents.written_at,
            ..known
        },
        None => contents
            .registry()
            .map_err(RunError::not_yaml(&settings.roll))?,
    };
    Ok((contents, registry, begun))
}

fn understand(roll: &Roll) -> Result<Registry, RunError> {
    let contents = roll::read::read(roll)?;
    contents.registry().map_err(RunError::not_yaml(roll))
}

/// Reads the roll again if it cannot be understood: whoever saves it in place passes through an empty file.
async fn patiently<T>(mut read: impl FnMut() -> Result<T, RunError>) -> Result<T, RunError> {
    for pause in SAVES {
        match read() {
            Err(RunError::Unreadable(ReadError::Empty { .. }) | RunError::NotYaml { .. }) => {
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            read => return read,
        }
    }
    read()
}

/// Where a look is remembered.
pub(super) enum Keep<'a> {
    /// In the state folder.
    In(&'a Folder, &'a Locked, &'a mut Memory),
    /// Nowhere but in mind, where the look before it is, if there was one.
    Nothing(&'a mut Memory),
    /// Nowhere: it is for a person, who wants to see more than is needed to decide.
    Shown,
}

/// Looks once. What of the memory is found lost is told by this look and those after it.
pub(super) async fn look(
    settings: &Settings,
    mut keep: Keep<'_>,
    lost: &mut Vec<Source>,
) -> Result<Look, RunError> {
    if let Some(snapshot) = &settings.replay {
        return Ok(Look::replayed(snapshot));
    }
    let inbox = match &keep {
        Keep::In(_, _, memory) => memory.inbox.clone(),
        Keep::Nothing(_) | Keep::Shown => None,
    };
    let heard = inbox.as_ref().map(Inbox::heard).unwrap_or_default();
    let mut booted_at = clock::booted_at();
    let (mut known, kept) = match &mut keep {
        Keep::In(_, _, memory) => (memory.roll.take(), memory.kept.take()),
        Keep::Nothing(memory) => (memory.roll.take(), None),
        Keep::Shown => (None, None),
    };
    let (mut contents, mut registry, mut begun) = patiently(|| read(settings, &mut known)).await?;
    let folder = Folder::of(&settings.state, &settings.roll.target);
    let (mut file, mut before) = LedgerFile::load_after(&folder, kept)?;
    let journal = Journal::of(&folder);
    lost.extend(damaged("ledger", file.path(), file.damage()));
    lost.extend(damaged(
        "journal",
        journal.path(),
        journal.damage()?.as_deref(),
    ));
    if let Keep::Nothing(memory) = &keep
        && let Some(unwritten) = &memory.unwritten
    {
        before.clone_from(unwritten);
    }
    let mut policy = settings.policy.clone();
    policy.read_only = contents.newer_store.as_ref().map(|store| {
        format!(
            "{} beside the roll is another program's newer store",
            store.display()
        )
    });
    let mut tries = TRIES;
    let (mut world, all) = loop {
        let request = look::Request {
            registry: &registry,
            ledger: &before,
            policy: &policy,
            roll: &settings.roll.target,
            nearest_roll: &roll::find::nearest_roll,
            roll_is_local: contents.local,
            surroundings: &settings.surroundings,
            records: &settings.records,
            heard: &heard,
        };
        let seen = if matches!(keep, Keep::Shown) {
            let (world, all) = begun.observe_all(&request).await;
            (world, Some(all))
        } else {
            (begun.observe(&request).await, None)
        };
        tries -= 1;
        if std::mem::replace(&mut booted_at, clock::booted_at()) == booted_at || tries == 0 {
            break seen;
        }
        debug!(
            "the clock was set during the look, whose times contradict each other; looking again"
        );
        known = Some(registry);
        (contents, registry, begun) = patiently(|| read(settings, &mut known)).await?;
    };
    let made = clock::steady();
    world.sources.extend(lost.iter().cloned());
    // From its end on: a look that took long, because one server hangs, would take as long again.
    let fresh_until = clock::monotonic() + LOOK_FRESH;
    let mut assessment = assess(&registry, &world, &before, &policy, world.at);
    if let Some(plan) = &settings.plan {
        policy.only = Some(plan.agrees_with(&assessment).into_iter().collect());
        assessment = assess(&registry, &world, &before, &policy, world.at);
    }
    if let Some(inbox) = &inbox {
        assessment.ignored = inbox.ignored_with(&assessment.ignored);
    }
    info!(
        drifts = assessment.drifts.len(),
        notes = assessment.notes.len(),
        confirmed = assessment.confirmed,
        "looked"
    );
    let mut look = Look {
        text: contents.text,
        registry,
        world,
        all,
        before,
        policy,
        assessment,
        fresh_until,
        made,
        has_news: false,
    };
    let mut news = news::of(settings, &look);
    let ended = cut_off::left_by(&look.before, &look.assessment.ledger);
    if !ended.is_empty() {
        cut_off::put_right(
            &mut news,
            &ended,
            &journal.after(0)?.entries,
            &look.registry,
        );
    }
    look.has_news = news.iter().any(|news| !news::is_repeated(&look, news));
    if let Keep::In(_, _, memory) | Keep::Nothing(memory) = &mut keep
        && memory.is_of_a_loop
    {
        memory.roll = Some(look.registry.clone());
    }
    if let Keep::In(folder, lock, memory) = keep {
        // The news is on disk before anything is done about it: a crash in between loses none of it.
        Journal::of(folder).append(look.world.at, news, lock)?;
        let after = bounded(look.assessment.ledger.clone(), look.world.at);
        let counts = !memory.is_of_a_loop;
        memory.kept = file.save_news((&look.before, after), counts, look.world.at, lock)?;
        // What was heard is in the ledger now.
        if let Some(inbox) = inbox {
            inbox.forget(&heard)?;
        }
    }
    Ok(look)
}

/// Says that a file of the memory cannot be understood, if it cannot.
fn damaged(name: &str, path: &Path, damage: Option<&str>) -> Option<Source> {
    let why = damage?;
    warn!(
        "{} cannot be understood ({why}): going on without what it remembered",
        path.display()
    );
    Some(loss(
        name,
        format!(
            "{} cannot be understood: {why}; the next pass that writes sets it aside and begins a new one",
            path.display()
        ),
    ))
}

/// Writes what is due. `None`: the look was too old by the time the roll was locked. On the last try that does not
/// keep back what jobs came to, which rests on no look: a machine may be so busy that each look is too old.
async fn write(
    settings: &Settings,
    folder: &Folder,
    mut lock: Locked,
    look: &Look,
    is_last: bool,
) -> Result<Option<Attempt>, RunError> {
    let mut edits = look.assessment.edits();
    if edits.is_empty() {
        return Ok(Some(Attempt::default()));
    }
    let mut options = CommitOptions {
        lock_timeout: settings.lock_timeout,
        stale_at: look.fresh_until,
    };
    let announced = Journal::of(folder).last()?;
    let rewrites = Rewrites::of(folder);
    let note = |rows: Vec<Rewriting>| {
        if let Err(error) = rewrites.add(rows, announced, &lock) {
            warn!("what is written now cannot be undone later: {error}");
        }
    };
    let mut committed = commit_noted(&settings.roll, &look.registry, &edits, options, note).await;
    if matches!(committed, Ok(Committed::Stale)) && is_last {
        let of_jobs = |edit: &Edit| matches!(edit.change, Change::JobOutcome { .. });
        edits.retain(of_jobs);
        if !edits.is_empty() {
            options.stale_at = clock::monotonic() + settings.lock_timeout + LOOK_FRESH;
            committed = commit_noted(&settings.roll, &look.registry, &edits, options, note).await;
        }
    }
    let attempt = match committed {
        Ok(Committed::Stale) => return Ok(None),
        Ok(Committed::Unchanged { left_out }) => Attempt::of(Vec::new(), left_out),
        Ok(Committed::Written {
            applied,
            left_out,
            fingerprint,
        }) => Attempt {
            left: Some(fingerprint),
            ..Attempt::of(applied, left_out)
        },
        Err(error @ (CommitError::Lock(LockError::Busy { .. }) | CommitError::Open { .. })) => {
            Attempt::locked(error)
        }
        Err(error @ CommitError::NotEditable { .. }) => {
            Attempt::held(Held::NotEditable(error.to_string()), error)
        }
        Err(error) => return Err(error.into()),
    };
    let written = &attempt.written;
    // What was written is remembered as closed, and yet told as what it was: seen so often, since then.
    let mut ledger = look.assessment.ledger.clone();
    for drift in &look.assessment.drifts {
        if let Some(edit) = &drift.edit
            && written.applied.contains(&drift.id)
        {
            ledger.note_applied(edit, drift.server.as_ref(), &look.world);
        }
    }
    // The same for jobs.
    for edit in look
        .assessment
        .job_updates
        .iter()
        .filter_map(|update| update.decision.edit())
    {
        if written.applied.contains(&edit.cause) {
            ledger.note_applied(edit, None, &look.world);
        }
    }
    for edit in &edits {
        if let (Some(held), Some(open)) = (
            written.not_editable(&edit.cause),
            ledger.drifts.get_mut(&edit.cause),
        ) {
            held.as_str().clone_into(&mut open.told_as);
        }
    }
    let told = report(settings, &look.before, look, written);
    let tried: BTreeSet<&DriftId> = edits.iter().map(|edit| &edit.cause).collect();
    let of_drifts = told
        .drifts
        .iter()
        .filter(|told| tried.contains(&told.drift.id))
        .filter(|told| {
            let id = &told.drift.id;
            !(written.not_editable(id).is_some() && was_refused(look, id))
        })
        .map(|told| News::Outcome(wire::Drift::from(told)));
    let of_jobs = told
        .jobs
        .iter()
        .filter(|told| tried.contains(&told.update.cause))
        .map(|told| News::JobOutcome(wire::JobUpdate::from(told)));
    let outcomes: Vec<News> = of_drifts.chain(of_jobs).collect();
    if !folder.exists()? {
        // Somebody removed it while the roll was written, which is news that must not go with it.
        let _ = removed(folder);
        lock = folder.lock(settings.lock_timeout).await?;
    }
    Journal::of(folder).append(look.world.at, outcomes, &lock)?;
    LedgerFile::of(folder).save(&bounded(ledger, look.world.at), &lock)?;
    Ok(Some(attempt))
}

/// When to try again to write the outcome of a job, if somebody else was at work on its row. Where events are
/// pushed, the timer's next pass may be far away.
fn try_again(look: &Look, written: &Written) -> Option<Timestamp> {
    let mut edits = look
        .assessment
        .job_updates
        .iter()
        .filter_map(|update| update.decision.edit());
    edits
        .any(|edit| {
            !written.applied.contains(&edit.cause) && !written.refused.contains_key(&edit.cause)
        })
        .then(|| look.world.at.plus(TRY_AGAIN))
}
