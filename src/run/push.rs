//! Push: what workers say over a broker wakes a pass at once. While the broker is away, the timer is quicker.

mod ear;
mod idle;

use std::thread;
use std::time::Duration;

use tracing::warn;

use self::ear::Ear;
use self::idle::Attention;
use super::error::RunError;
use super::pass::Settings;
use super::watch::Sources;
use crate::look::jobs;
use crate::mqtt::Line;
use crate::state::{Folder, Inbox};

/// How to listen.
pub struct Push {
    /// To whom.
    pub line: Line,
    /// Whether an event without a valid signature never counts.
    pub require_signature: bool,
    /// After how much time without an event to end; `None` for never. It only runs while the broker is there.
    pub idle: Option<Duration>,
    /// How far apart the timer's passes are while the broker is away.
    pub away: Duration,
    /// How far apart they are while it is there, since it may not say everything.
    pub resync: Duration,
}

/// Begins to listen, and returns where what is heard waits for a pass.
///
/// # Errors
///
/// The state folder cannot be used.
pub(super) fn start(
    push: Push,
    settings: &Settings,
    folder: &Folder,
    sources: &Sources,
) -> Result<Inbox, RunError> {
    let inbox = Inbox::open(folder)?;
    let (attention, attended) = Attention::new();
    if let Some(limit) = push.idle {
        tokio::spawn(idle::watch(limit, attended, sources.stopper()));
    }
    let mut ear = Ear {
        broker: push.line.broker().to_string(),
        inbox: inbox.clone(),
        jobs: jobs::folder(&settings.roll.target),
        require_signature: push.require_signature,
        waker: sources.waker(),
        every: sources.every(),
        away: push.away,
        resync: push.resync,
        attention,
        is_up: None,
        wakes: false,
    };
    let line = push.line;
    // On a thread of its own: passes over a large roll on a busy machine take so long that the broker would be
    // taken for silent meanwhile.
    let listening = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .and_then(|runtime| {
            let listen = move || runtime.block_on(line.listen(&mut ear));
            thread::Builder::new()
                .name("broker".to_owned())
                .spawn(move || -> () { listen() })
        });
    if let Err(error) = listening {
        warn!("there is no thread to listen to the broker by ({error}): the timer has to do");
    }
    Ok(inbox)
}
