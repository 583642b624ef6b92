//! Where what is meant for a card goes: to the board itself, or, where there is no `hermes`, to whoever reads
//! standard output and can reach it.

use std::time::Duration;

use serde_json::{Value, json};

use super::card::Card;
use super::hermes::{Hermes, Refusal};

/// The board.
pub enum Board {
    /// It can be reached.
    Direct(Hermes),
    /// It cannot: somebody else has to.
    Relayed(Relay),
}

/// Prints what would have been done as JSON lines, for somebody to do it.
pub struct Relay {
    /// Prints one line.
    print: Box<dyn FnMut(&Value)>,
}

impl Relay {
    /// One that prints so.
    pub fn new(print: impl FnMut(&Value) + 'static) -> Self {
        Self {
            print: Box::new(print),
        }
    }

    fn say(&mut self, card: &str, action: &str, more: Value) -> Result<(), Refusal> {
        let mut line = json!({"relay": action, "task": card});
        if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
            line.extend(more);
        }
        (self.print)(&line);
        Ok(())
    }
}

impl Board {
    /// From now on it is waited for no longer than that.
    pub fn hurry(&mut self, patience: Duration) {
        if let Self::Direct(hermes) = self {
            *hermes = hermes.clone().with_patience(patience);
        }
    }

    /// What stands on a card; nothing where the board cannot be reached.
    ///
    /// # Errors
    /// When the board does not say.
    pub async fn look(&self, card: &str) -> Result<Option<Card>, Refusal> {
        match self {
            Self::Direct(hermes) => hermes.show(card).await.map(Some),
            Self::Relayed(_) => Ok(None),
        }
    }

    /// Adds a comment.
    ///
    /// # Errors
    /// When it was not added, or that is not certain.
    pub async fn comment(&mut self, card: &str, text: &str) -> Result<(), Refusal> {
        match self {
            Self::Direct(hermes) => hermes.comment(card, text).await,
            Self::Relayed(relay) => relay.say(card, "comment", json!({"text": text})),
        }
    }

    /// Gives a sign of life.
    ///
    /// # Errors
    /// When it was not taken.
    pub async fn heartbeat(&mut self, card: &str, note: &str) -> Result<(), Refusal> {
        match self {
            Self::Direct(hermes) => hermes.heartbeat(card, note).await,
            Self::Relayed(relay) => relay.say(card, "heartbeat", json!({"note": note})),
        }
    }

    /// Takes the card. Where the board cannot be reached, whoever started this has it.
    ///
    /// # Errors
    /// When it is not to be had.
    pub async fn claim(&mut self, card: &str, ttl: Duration) -> Result<(), Refusal> {
        match self {
            Self::Direct(hermes) => hermes.claim(card, ttl).await,
            Self::Relayed(_) => Ok(()),
        }
    }

    /// Gives the card back.
    ///
    /// # Errors
    /// When it was not taken back.
    pub async fn give_back(&mut self, card: &str, reason: &str) -> Result<(), Refusal> {
        match self {
            Self::Direct(hermes) => hermes.reclaim(card, reason).await,
            Self::Relayed(_) => Ok(()),
        }
    }

    /// Blocks the card.
    ///
    /// # Errors
    /// When it was not blocked.
    pub async fn block(&mut self, card: &str, reason: &str) -> Result<(), Refusal> {
        match self {
            Self::Direct(hermes) => hermes.block(card, reason).await,
            Self::Relayed(relay) => relay.say(card, "block", json!({"reason": reason})),
        }
    }

    /// Finishes the card.
    ///
    /// # Errors
    /// When it was not finished.
    pub async fn complete(
        &mut self,
        card: &str,
        summary: &str,
        metadata: &Value,
    ) -> Result<(), Refusal> {
        match self {
            Self::Direct(hermes) => hermes.complete(card, summary, &metadata.to_string()).await,
            Self::Relayed(relay) => {
                let more = json!({"summary": summary, "metadata": metadata});
                relay.say(card, "complete", more)
            }
        }
    }
}
