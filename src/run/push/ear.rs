//! Who listens to the broker: refuses what may not count, and keeps the rest for the next pass.

use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{debug, warn};

use super::idle::Attention;
use crate::clock;
use crate::core::jobs::{EventKind, JobEvent, Refusal};
use crate::look::jobs::{self, Key};
use crate::mqtt::{self, Listener, Message};
use crate::run::wake::{Wake, Waker};
use crate::state::Inbox;

pub(super) struct Ear {
    pub(super) broker: String,
    pub(super) inbox: Inbox,
    /// The folder of the jobs' records.
    pub(super) jobs: PathBuf,
    pub(super) require_signature: bool,
    pub(super) waker: Waker,
    pub(super) every: watch::Sender<Duration>,
    pub(super) away: Duration,
    pub(super) resync: Duration,
    pub(super) attention: Attention,
    /// Whether the broker is there; `None` before that is known.
    pub(super) is_up: Option<bool>,
    /// Whether something came since the last time all was safe that is worth a pass.
    pub(super) wakes: bool,
}

impl Ear {
    fn believe(&self, message: Message<'_>) -> Result<JobEvent, Refusal> {
        if message.payload.len() > mqtt::LARGEST {
            return Err(Refusal::Oversized);
        }
        if message.retained {
            return Err(Refusal::Retained);
        }
        let said = mqtt::read(message.topic, message.payload)?;
        let signed = match jobs::key(&self.jobs, &said.job) {
            Key::Token(key) => {
                let signature = said.signature.as_deref().unwrap_or_default();
                if !mqtt::verify(&key, &said.signed_text, signature) {
                    return Err(Refusal::Forged);
                }
                true
            }
            Key::Unreadable(why) => {
                debug!("the record of job {} cannot be read: {why}", said.job);
                return Err(Refusal::Forged);
            }
            Key::NotRequired | Key::NoRecord if self.require_signature => {
                return Err(Refusal::Unsigned);
            }
            Key::NotRequired | Key::NoRecord => false,
        };
        Ok(JobEvent {
            job: said.job,
            seq: said.seq,
            kind: said.kind,
            detail: said.detail,
            heard: clock::now(),
            signed,
        })
    }
}

impl Listener for Ear {
    fn up(&mut self) {
        if self.is_up == Some(false) {
            warn!("listening to {} again", self.broker);
        } else {
            debug!("listening to {}", self.broker);
        }
        self.is_up = Some(true);
        self.attention.up();
        self.every.send_replace(self.resync);
        // What was missed is made good.
        self.waker.wake(Wake::Connected);
    }

    fn away(&mut self, why: &str) {
        if self.is_up == Some(false) {
            debug!("{} is still away: {why}", self.broker);
            return;
        }
        warn!(
            "{} cannot be listened to: {why}; looking every {} s until it can",
            self.broker,
            self.away.as_secs()
        );
        self.is_up = Some(false);
        self.attention.away();
        self.every.send_replace(self.away);
    }

    fn message(&mut self, message: Message<'_>) {
        let kept = self.believe(message).and_then(|event| {
            debug!("job {}: {} {}", event.job, event.seq, event.kind.as_str());
            self.attention.heard();
            let wakes =
                event.kind.outcome().is_some() || event.kind == EventKind::PermissionRequired;
            self.inbox.hear(event).map(|()| wakes)
        });
        match kept {
            Ok(wakes) => self.wakes |= wakes,
            Err(why) => self.inbox.refuse(why),
        }
    }

    fn too_large(&mut self, _bytes: usize) {
        self.inbox.refuse(Refusal::Oversized);
    }

    fn settle(&mut self) -> Result<(), String> {
        self.inbox.settle().map_err(|error| error.to_string())?;
        if std::mem::take(&mut self.wakes) {
            self.waker.wake(Wake::Event);
        }
        Ok(())
    }
}
