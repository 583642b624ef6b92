//! Keeping a card: what is new is told, a sign of life is given, and a person who asks to stop is heard.
//!
//! The journal is the list of what is to be told, and a cursor of the card's own says how far that is. Nothing is
//! told twice: each comment bears the numbers of the news it tells, and where it is not certain that one arrived
//! (a board that hung, a crash), the card itself is asked before the next is written.

mod hold;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep_until;
use tracing::warn;

use super::card::{Card, StopRequest};
use super::comment::{self, Mark};
use super::flaps::{Flaps, WHILE};
use super::hermes::Refusal;
use super::pacing::Pacing;
use super::relay::Board;
use super::totals::Totals;
use crate::clock;
use crate::core::ids::Timestamp;
use crate::state::journal::{Consumer, Entry, News, Stage};
use crate::state::{Folder, Journal, StateError, TenureFile};
use hold::Hold;

/// How long to wait for the state folder, which a pass holds while it looks.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a board may take to answer when somebody waits for the end, and when only the end waits for it. One that
/// is busy takes seconds.
const HURRY: (Duration, Duration) = (Duration::from_secs(20), Duration::from_secs(60));

/// How long news is kept back that is pending. The usual graces are shorter.
const MOMENT: Duration = Duration::from_secs(60);

/// How long to leave a board alone that did not answer, at first and at last.
const PAUSES: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));

/// What is to be done for a card.
#[derive(Clone, Debug)]
pub struct Duty {
    /// The card.
    pub card: String,
    /// This machine, as comments name it.
    pub host: String,
    /// The roll, as marks name it: the same in every run, and no other roll's.
    pub roll: String,
    /// The home folder, which comments leave out.
    pub home: Option<String>,
    /// How often the card is looked at.
    pub interval: Duration,
    /// How often a sign of life is given.
    pub heartbeat: Duration,
    /// Whether the card is claimed, and for how long at a time.
    pub claim: Option<Duration>,
}

/// How things stand, as a sign of life tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numbers {
    /// How many sessions are alive; nothing where only the journal is read.
    pub alive: Option<usize>,
    /// How many drifts are open.
    pub open: usize,
    /// When that was seen.
    pub at: Timestamp,
    /// The same as Markdown, for the first comment.
    pub standing: String,
    /// The number of the last entry of the journal that it contains.
    pub seq: u64,
}

/// Why a card is not kept any longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A person wants it to end.
    Asked(StopRequest),
    /// The card is not running any more, but this.
    Left(String),
    /// Somebody else has it now.
    Taken,
}

/// Keeps one card.
pub struct Keeper {
    board: Board,
    duty: Duty,
    folder: Folder,
    journal: Journal,
    consumer: Consumer,
    numbers: watch::Receiver<Option<Numbers>>,
    pacing: Pacing,
    hold: Hold,
    tenure: TenureFile,
    /// The number of the newest entry of the journal when the work on the card began.
    since: u64,
    /// When the newest comment was written, as far as is known.
    told_at: Option<Timestamp>,
    /// How many were posted by this worker.
    posted: u64,
    /// Whether all that is new was told to flap, so that it can wait.
    only_flaps: bool,
    beat_at: Instant,
    began: Instant,
    trouble: Option<String>,
    pause: Duration,
}

impl Keeper {
    /// Takes over a card. `numbers` changes with every pass.
    #[must_use]
    pub fn new(
        board: Board,
        duty: Duty,
        folder: Folder,
        numbers: watch::Receiver<Option<Numbers>>,
    ) -> Self {
        let journal = Journal::of(&folder);
        let consumer = Consumer::new(format!("card {}", duty.card));
        let now = clock::monotonic();
        Self {
            tenure: TenureFile::of(&folder, &duty.card),
            // What cannot be read now is told to be so when it is needed.
            since: journal.last().unwrap_or_default(),
            told_at: None,
            posted: 0,
            only_flaps: false,
            board,
            duty,
            folder,
            journal,
            consumer,
            numbers,
            pacing: Pacing::few(),
            hold: Hold::Not,
            beat_at: now,
            began: now,
            trouble: None,
            pause: PAUSES.0,
        }
    }

    /// Makes sure that the card is there and running, and takes it if that is wanted. A board that does not answer
    /// today may do so tomorrow: the roll is watched meanwhile, and the card is asked for again.
    ///
    /// # Errors
    /// Why the card cannot be kept, in words.
    pub async fn begin(&mut self) -> Result<(), String> {
        let id = self.duty.card.clone();
        let card = match self.board.look(&id).await {
            Ok(Some(card)) => card,
            Ok(None) => {
                self.hold = Hold::Fresh;
                return Ok(());
            }
            Err(refusal) => {
                self.trouble(&refusal);
                return Ok(());
            }
        };
        let taken = format!(
            "card {id} is being worked on by somebody else; `hermes kanban reclaim {id}` frees it"
        );
        match self.join(&card).await {
            Ok(None) => Ok(()),
            Ok(Some(Ending::Left(status))) => Err(format!(
                "card {id} is {status}, not running: claim it with --claim"
            )),
            Ok(Some(_)) => Err(taken),
            // Somebody was faster.
            Err(Trouble::Board(Refusal::NotNow(said))) if said.contains("status=running") => {
                Err(taken)
            }
            Err(why @ Trouble::Board(Refusal::NotNow(_) | Refusal::Unfit { .. })) => {
                Err(format!("card {id} cannot be claimed: {why}"))
            }
            // The claim may have been made all the same: what comes of it is seen at the next look.
            Err(why) => {
                self.trouble(&why);
                Ok(())
            }
        }
    }

    /// Keeps the card until there is a reason not to.
    pub async fn keep(&mut self) -> Ending {
        loop {
            let pause = match self.attend().await {
                Ok(Some(ending)) => return ending,
                Ok(None) => {
                    if self.trouble.take().is_some() {
                        warn!("the board answers again");
                    }
                    self.pause = PAUSES.0;
                    self.duty.interval
                }
                Err(why) => {
                    self.trouble(&why);
                    let pause = self.pause;
                    self.pause = (pause * 2).min(PAUSES.1);
                    pause
                }
            };
            self.wait(clock::monotonic() + pause).await;
        }
    }

    /// Waits until then, or until there is news that may be told.
    async fn wait(&mut self, until: Instant) {
        // While the board does not answer, news does not make it answer.
        let listens = self.trouble.is_none() && !self.only_flaps;
        let told = self.told().ok().flatten();
        let deadline = sleep_until(until.into());
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                () = &mut deadline => return,
                changed = self.numbers.changed() => {
                    if changed.is_err() {
                        deadline.await;
                        return;
                    }
                    let seq = self.numbers.borrow_and_update().as_ref().map(|it| it.seq);
                    let allowed = self.pacing.next(clock::monotonic());
                    if listens && seq > told && allowed < until {
                        sleep_until(allowed.into()).await;
                        return;
                    }
                }
            }
        }
    }

    /// Looks at the card once, and does what is due.
    async fn attend(&mut self) -> Result<Option<Ending>, Trouble> {
        let mut card = self.board.look(&self.duty.card).await?;
        if self.hold == Hold::Not
            && let Some(found) = &card
        {
            if let Some(ending) = self.join(found).await? {
                return Ok(Some(ending));
            }
            card = self.board.look(&self.duty.card).await?;
        }
        if let Some(card) = &card {
            self.settle(card).await?;
            self.recall(card);
            if let Some(ending) = self.ending(card) {
                return Ok(Some(ending));
            }
            self.renew(card).await?;
        }
        self.tell(card.as_ref(), false).await?;
        if clock::monotonic() >= self.beat_at {
            let note = self.note();
            self.board.heartbeat(&self.duty.card, &note).await?;
            self.beat_at = clock::monotonic() + self.duty.heartbeat;
        }
        Ok(None)
    }

    fn ending(&self, card: &Card) -> Option<Ending> {
        if let Some(request) = card.stop_request() {
            return Some(Ending::Asked(request));
        }
        if !card.is_running() {
            return Some(Ending::Left(card.task.status.clone()));
        }
        self.is_lost(card).then_some(Ending::Taken)
    }

    /// Learns what was written on the card before this worker began.
    fn recall(&mut self, card: &Card) {
        let now = clock::now();
        if self.posted == 0 && self.told_at.is_none() {
            let ages = card.own_comments().map(|at| now.since(at));
            self.pacing.recall(clock::monotonic(), ages);
        }
        self.told_at = self.told_at.max(card.own_comments().last());
    }

    /// How far the card has been told; nothing before the first comment.
    fn told(&self) -> Result<Option<u64>, StateError> {
        self.journal.told(&self.consumer)
    }

    /// Tells what has not been told yet, if it is time for a comment or `at_once`.
    async fn tell(&mut self, card: Option<&Card>, at_once: bool) -> Result<(), Trouble> {
        let newest = self.journal.last()?;
        let mut told = self.told()?;
        // A comment may have arrived though nobody said so; and another worker may have told it.
        if let Some((mark, posted)) = card.and_then(|card| card.newest_mark(&self.duty.roll))
            && mark.last <= newest
            && told.is_none_or(|told| told < mark.last)
            && self.is_of_this_journal(&mark, posted)?
        {
            self.remember(mark.last).await?;
            told = Some(mark.last);
        }
        if !at_once && self.pacing.next(clock::monotonic()) > clock::monotonic() {
            return Ok(());
        }
        let Some(told) = told else {
            return self.tell_how_it_stands().await;
        };
        let unread = self.journal.after(told)?;
        let entries = settled(&unread.entries);
        let Some(last) = entries.last().map(|entry| entry.seq) else {
            return Ok(());
        };
        let (before, now) = self.flaps(told)?;
        self.only_flaps = self.is_told_of(&before, entries);
        if !at_once && unread.missed == 0 && (self.only_flaps || waits(entries)) {
            return Ok(());
        }
        let mark = self.mark(told + 1, last);
        let text = comment::news(
            &self.duty.host,
            clock::now(),
            entries,
            unread.missed,
            &now,
            &mark,
        );
        self.post(&text, last).await
    }

    /// What flapped by what the card was told last, and what flaps by what is known now.
    fn flaps(&self, told: u64) -> Result<(Flaps, Flaps), StateError> {
        let entries = self.journal.after(0)?.entries;
        let known = entries.partition_point(|entry| entry.seq <= told);
        let now = clock::now();
        Ok((Flaps::of(&entries[..known], now), Flaps::of(&entries, now)))
    }

    /// Whether all of that flaps, and the card was told so a short while ago.
    fn is_told_of(&self, flaps: &Flaps, entries: &[Entry]) -> bool {
        flaps.cover(entries)
            && self
                .told_at
                .is_some_and(|at| at > clock::now().minus(WHILE))
    }

    /// Whether a comment of then can be about the entries that have these numbers now. A journal that was lost
    /// begins anew, and its entries are younger than what was told of the old one.
    fn is_of_this_journal(&self, mark: &Mark, posted: Timestamp) -> Result<bool, StateError> {
        let entries = self.journal.after(mark.last.saturating_sub(1))?.entries;
        let last = entries.first().filter(|entry| entry.seq == mark.last);
        Ok(last.is_none_or(|entry| entry.at.secs() <= posted.secs()))
    }

    async fn tell_how_it_stands(&mut self) -> Result<(), Trouble> {
        let numbers = self.numbers.borrow().clone();
        // Nothing was looked at yet: the next pass will say.
        let Some(numbers) = numbers else {
            return Ok(());
        };
        let mark = self.mark(0, numbers.seq);
        let text = comment::baseline(&numbers.standing, &mark);
        self.post(&text, numbers.seq).await
    }

    async fn post(&mut self, text: &str, last: u64) -> Result<(), Trouble> {
        let text = comment::without_home(text, self.duty.home.as_deref());
        self.board.comment(&self.duty.card, &text).await?;
        self.pacing.post(clock::monotonic());
        self.posted += 1;
        self.told_at = Some(clock::now());
        self.remember(last).await
    }

    async fn remember(&self, seq: u64) -> Result<(), Trouble> {
        let lock = self.folder.lock(PATIENCE).await?;
        Ok(self.journal.set_told(&self.consumer, seq, &lock)?)
    }

    fn mark(&self, first: u64, last: u64) -> Mark {
        Mark {
            roll: self.duty.roll.clone(),
            first,
            last,
        }
    }

    /// How things stand, in a few words.
    fn note(&self) -> String {
        match self.numbers.borrow().as_ref() {
            None => "no look yet".to_owned(),
            Some(Numbers {
                alive, open, at, ..
            }) => {
                let alive = alive.map_or_else(String::new, |alive| format!("{alive} "));
                format!(
                    "{alive}alive, {} open, last at {}",
                    counted(*open),
                    at.iso()
                )
            }
        }
    }

    /// Tells a trouble once, and again only when it becomes another.
    fn trouble(&mut self, why: &dyn std::fmt::Display) {
        let why = why.to_string();
        if self.trouble.as_deref() != Some(why.as_str()) {
            warn!("{why}; the roll is watched all the same, and what is new is kept for the card");
            self.trouble = Some(why);
        }
    }

    /// From now on a board that does not answer soon is given up: this ends, and maybe somebody waits for it.
    pub fn hurry(&mut self, is_waited_for: bool) {
        let (soon, later) = HURRY;
        self.board.hurry(if is_waited_for { soon } else { later });
    }

    /// Tells what may be told by now, and leaves the card as it is.
    pub async fn leave(&mut self) {
        if self.hold == Hold::Not {
            return;
        }
        let told = match self.board.look(&self.duty.card).await {
            Ok(Some(card)) if self.is_lost(&card) || !card.is_running() => return,
            Ok(card) => self.tell(card.as_ref(), false).await,
            Err(refusal) => Err(refusal.into()),
        };
        if let Err(why) = told {
            self.trouble(&why);
        }
    }

    /// Blocks the card because a person wants the watch to end.
    ///
    /// # Errors
    /// Why it was not blocked, in words.
    pub async fn block(&mut self, request: &StopRequest) -> Result<(), String> {
        self.tell_the_rest().await;
        let done = self.board.block(&self.duty.card, &request.reason()).await;
        done.map_err(|refusal| refusal.to_string())
    }

    /// Tells the rest, and finishes the card.
    ///
    /// # Errors
    /// Why it was not finished, in words.
    pub async fn complete(&mut self) -> Result<(), String> {
        if !self.tell_the_rest().await {
            return Err(format!("card {} is not this worker's", self.duty.card));
        }
        let (summary, metadata) = self.summary();
        let done = self
            .board
            .complete(&self.duty.card, &summary, &metadata)
            .await;
        done.map_err(|refusal| refusal.to_string())
    }

    /// Tells the rest, and gives back a card that was claimed, for the next worker.
    ///
    /// # Errors
    /// Why it was not taken back, in words.
    pub async fn hand_back(&mut self) -> Result<(), String> {
        let is_ours = self.tell_the_rest().await;
        if self.duty.claim.is_none() || !is_ours {
            return Ok(());
        }
        let done = self
            .board
            .give_back(
                &self.duty.card,
                "headcount was ended; another worker can go on",
            )
            .await;
        done.map_err(|refusal| refusal.to_string())
    }

    /// Tells the rest, unless somebody else has the card by now. Returns whether it is ours, as far as is known.
    async fn tell_the_rest(&mut self) -> bool {
        if self.hold == Hold::Not {
            return false;
        }
        let card = match self.board.look(&self.duty.card).await {
            Ok(card) => card,
            Err(refusal) => {
                self.trouble(&refusal);
                return true;
            }
        };
        if card.as_ref().is_some_and(|card| self.is_lost(card)) {
            return false;
        }
        if let Err(why) = self.tell(card.as_ref(), true).await {
            self.trouble(&why);
        }
        true
    }

    fn summary(&self) -> (String, Value) {
        let minutes = self.began.elapsed().as_secs() / 60;
        let entries = self.journal.after(self.since).unwrap_or_default().entries;
        let Totals {
            opened,
            written,
            resolved,
        } = Totals::of(&entries);
        let summary = format!(
            "Watched for {} h {} min: {written} written, {opened} opened, {resolved} resolved",
            minutes / 60,
            minutes % 60
        );
        let metadata = json!({
            "minutes": minutes, "written": written, "opened": opened, "resolved": resolved,
            "comments": self.posted, "note": self.note(),
        });
        (summary, metadata)
    }
}

/// What of this can be told: not what comes after an edit that is just being made, which may yet fail.
fn settled(entries: &[Entry]) -> &[Entry] {
    let since = clock::now().minus(MOMENT);
    let is_being_made = |place: usize, entry: &Entry| {
        let mut later = entries.iter().skip(place + 1);
        let is_begun = match &entry.news {
            News::Edited(_) | News::JobEdited(_) => true,
            News::Undone(undone) => undone.stage == Stage::Begun,
            News::Pruned(pruned) => pruned.stage == Stage::Begun,
            _ => false,
        };
        is_begun && entry.at > since && !later.any(|it| it.news.id() == entry.news.id())
    };
    let mut places = entries.iter().enumerate();
    let end = places.position(|(place, entry)| is_being_made(place, entry));
    &entries[..end.unwrap_or(entries.len())]
}

/// Whether all that is new still has to prove itself: in a moment it is settled, and one comment says both.
fn waits(entries: &[Entry]) -> bool {
    let since = clock::now().minus(MOMENT);
    entries.iter().all(|entry| match &entry.news {
        News::Opened(drift) | News::Changed(drift) => drift.pending.is_some() && entry.at > since,
        _ => false,
    })
}

/// Why something could not be done this time.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Board(#[from] Refusal),
    #[error(transparent)]
    State(#[from] StateError),
}

fn counted(open: usize) -> String {
    match open {
        1 => "1 drift".to_owned(),
        _ => format!("{open} drifts"),
    }
}
