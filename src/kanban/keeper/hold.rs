//! Whether this worker has the card: taking it, knowing a claim as its own, and keeping it.

use std::time::Duration;

use tracing::info;

use super::{Ending, Keeper, PATIENCE, Trouble};
use crate::clock;
use crate::kanban::card::{Card, Claim};
use crate::state::{Sought, StateError, Tenure};

/// How long after a claim was sought it may have been made: a board that is locked is waited for.
const LATEST: Duration = Duration::from_secs(300);

/// A claim is shorter than it was asked for by a few seconds of which each has another number, by which it is known
/// again; so many there are, where it is long enough.
const NUMBERS: u64 = 1000;

/// Whether this worker has the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Not yet, since the board did not answer, or not for the moment, since a claim is being renewed.
    Not,
    /// It has, by a run whose number is not known yet.
    Fresh,
    /// It has, by this run.
    Run(i64),
}

impl Keeper {
    /// Takes the card as it was found, or says why it is not to be had.
    pub(super) async fn join(&mut self, card: &Card) -> Result<Option<Ending>, Trouble> {
        let Some(ttl) = self.duty.claim else {
            if !card.is_running() {
                return Ok(Some(Ending::Left(card.task.status.clone())));
            }
            self.hold = Hold::Fresh;
            self.settle(card).await?;
            return Ok(None);
        };
        if let (Some(claim), Some(tenure)) = (card.claim(), self.tenure.load())
            && is_by(&tenure, claim)
        {
            info!(
                "card {} is ours already: an earlier worker was cut off",
                self.duty.card
            );
            self.hold = Hold::Fresh;
            self.settle(card).await?;
            return Ok(None);
        }
        if card.is_running() {
            return Ok(Some(Ending::Taken));
        }
        self.take(card, ttl).await?;
        Ok(None)
    }

    /// Claims the card. What is about to be claimed is written down before: should this worker be cut off, or not
    /// hear that it was given the card, the claim is known all the same.
    async fn take(&mut self, card: &Card, ttl: Duration) -> Result<(), Trouble> {
        let now = clock::now();
        let ttl = marked(ttl, now.millis().unsigned_abs());
        let sought = Sought {
            after: card.newest_run(),
            at: now.secs(),
            ttl: ttl.as_secs(),
        };
        self.keep_in_mind(None, Some(sought)).await?;
        self.board.claim(&self.duty.card, ttl).await?;
        self.hold = Hold::Fresh;
        // It is ours whether its number can be read now or only at the next look.
        match self.board.look(&self.duty.card).await {
            Ok(Some(card)) => self.settle(&card).await,
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// Learns the number of the run, if it is not known yet.
    pub(super) async fn settle(&mut self, card: &Card) -> Result<(), Trouble> {
        let (Hold::Fresh, Some(claim)) = (self.hold, card.claim()) else {
            return Ok(());
        };
        match self.tenure.load() {
            Some(known) if is_by(&known, claim) => self.since = known.since,
            _ => {}
        }
        self.keep_in_mind(Some(claim.run), None).await?;
        self.hold = Hold::Run(claim.run);
        Ok(())
    }

    async fn keep_in_mind(
        &self,
        run: Option<i64>,
        sought: Option<Sought>,
    ) -> Result<(), StateError> {
        let tenure = Tenure {
            since: self.since,
            run,
            sought,
        };
        if self.tenure.load().as_ref() == Some(&tenure) {
            return Ok(());
        }
        let lock = self.folder.lock(PATIENCE).await?;
        self.tenure.save(&tenure, &lock)
    }

    /// Whether somebody else has the card now.
    pub(super) fn is_lost(&self, card: &Card) -> bool {
        match (self.hold, card.claim()) {
            (Hold::Run(ours), Some(claim)) => claim.run != ours,
            _ => false,
        }
    }

    /// Claims the card anew before the claim runs out: no command makes a claim longer.
    pub(super) async fn renew(&mut self, card: &Card) -> Result<(), Trouble> {
        let Some(ttl) = self.duty.claim else {
            return Ok(());
        };
        let expires = card.claim().and_then(|claim| claim.expires);
        let soon = clock::now().plus(self.duty.interval * 2 + ttl / 10);
        if expires.is_none_or(|expires| expires > soon) {
            return Ok(());
        }
        self.board
            .give_back(&self.duty.card, "headcount renews its claim")
            .await?;
        // If it cannot be claimed now, that is tried again.
        self.hold = Hold::Not;
        self.take(card, ttl).await
    }
}

/// Whether a claim is the one that is remembered, or the one that was about to be made.
fn is_by(tenure: &Tenure, claim: Claim) -> bool {
    if tenure.run.is_some() {
        return tenure.run == Some(claim.run);
    }
    let Some(sought) = &tenure.sought else {
        return false;
    };
    let latest = i64::try_from(LATEST.as_secs()).unwrap_or(i64::MAX);
    let ttl = claim.expires.map(|expires| expires.since(claim.at));
    claim.run > sought.after
        && (sought.at..=sought.at.saturating_add(latest)).contains(&claim.at.secs())
        // The board reads the clock twice, for the claim and for the word of it.
        && ttl.is_some_and(|ttl| (0..=2).contains(&(sought.ttl.saturating_sub(ttl.as_secs()))))
        && ttl.is_some_and(|ttl| ttl.as_secs() <= sought.ttl)
}

/// A time to claim a card for, with a number in it where it is long enough.
fn marked(ttl: Duration, number: u64) -> Duration {
    // Apart by more than the board's own inexactness.
    let less = 3 * (1 + number % NUMBERS);
    match ttl.as_secs() {
        seconds if seconds >= 20 * 3 * NUMBERS => Duration::from_secs(seconds - less),
        _ => ttl,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::ids::Timestamp;

    fn claim(run: i64, at: i64, ttl: i64) -> Claim {
        Claim {
            run,
            at: Timestamp::from_secs(at),
            expires: Some(Timestamp::from_secs(at + ttl)),
        }
    }

    fn tenure(run: Option<i64>) -> Tenure {
        Tenure {
            since: 0,
            run,
            sought: Some(Sought {
                after: 4,
                at: 1_000,
                ttl: 86_100,
            }),
        }
    }

    #[test]
    fn a_claim_that_was_sought_is_known_by_its_run_its_time_and_its_length() {
        let known = |claim| is_by(&tenure(None), claim);
        assert!(known(claim(5, 1_000, 86_100)));
        assert!(known(claim(7, 1_120, 86_099)));
        assert!(!known(claim(4, 1_000, 86_100)), "it was there before");
        assert!(!known(claim(5, 999, 86_100)), "it was made before");
        assert!(!known(claim(5, 2_000, 86_100)), "it was made much later");
        assert!(!known(claim(5, 1_000, 86_101)), "somebody else's");
        assert!(!known(claim(5, 1_000, 86_097)), "somebody else's");
        assert!(!known(claim(5, 1_000, 900)), "somebody else's");
    }

    #[test]
    fn a_run_that_is_known_is_known_by_its_number_alone() {
        let known = |claim| is_by(&tenure(Some(9)), claim);
        assert!(known(claim(9, 1, 5)));
        assert!(!known(claim(5, 1_000, 86_100)));
    }

    #[test]
    fn long_claims_differ_and_are_never_longer_than_asked_for() {
        let day = Duration::from_secs(86_400);
        let lengths: std::collections::BTreeSet<_> =
            (0..NUMBERS).map(|it| marked(day, it)).collect();
        assert_eq!(lengths.len() as u64, NUMBERS);
        assert!(lengths.iter().all(|it| *it < day && *it > day * 9 / 10));
        let short = Duration::from_secs(900);
        assert_eq!(marked(short, 7), short);
    }
}
