//! Telling a command what happens. It reads the journal with a cursor of its own, so that it keeps no pass waiting, and
//! nothing is lost with it; a pass only wakes it.

mod command;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, warn};

use super::error::RunError;
use super::pass::Settings;
use super::proposal::path_of;
use crate::clock;
use crate::state::journal::{Consumer, Entry, News, Stage, Undone};
use crate::state::{Folder, Journal};
use crate::tell::visible::visible;
use crate::tell::wire::{About, Notice, Scene};

/// The notifier's name among the readers of the journal.
const NAME: &str = "notify";

/// How often the command is run at most, in so much time.
const TIMES: usize = 10;
const WINDOW: Duration = Duration::from_secs(60);

/// How many things wait to be told at most: of more, the oldest are only counted.
const WAITING: usize = 50;

/// What is older is no news any more.
const NEWS: Duration = Duration::from_secs(3600);

/// How many characters a variable has at most.
const LONGEST: usize = 1000;

/// How long the command may go on when the loop has ended.
const LAST: Duration = Duration::from_secs(2);

/// Tells a command what the journal says.
#[derive(Debug)]
pub struct Notifier {
    command: String,
    scene: Scene,
    folder: Folder,
    journal: Journal,
    consumer: Consumer,
    /// The last entry of the journal that needs not be told any more.
    last: u64,
    /// The last one that is remembered beyond this process.
    kept: Option<u64>,
    /// How many things are not told, and not counted out to the command yet.
    missed: u64,
    /// When it was run lately.
    runs: VecDeque<Instant>,
    /// Whether it has failed, and that has been said.
    fails: bool,
    patience: Duration,
}

/// What is to be told next.
struct Next {
    seq: u64,
    at: String,
    about: About,
}

impl Notifier {
    /// What happens from now on is told, and what an earlier notifier has left. `None` for a dry run, which tells
    /// nobody.
    ///
    /// # Errors
    ///
    /// The state folder cannot be read.
    pub fn new(settings: &Settings) -> Result<Option<Self>, RunError> {
        let Some(command) = settings.notify.clone().filter(|_| !settings.dry_run) else {
            return Ok(None);
        };
        let folder = Folder::of(&settings.state, &settings.roll.target);
        let journal = Journal::of(&folder);
        let consumer = Consumer::new(NAME);
        let (kept, last) = if folder.exists()? {
            let kept = journal.told(&consumer)?;
            (kept, kept.map_or_else(|| journal.last(), Ok)?)
        } else {
            (None, 0)
        };
        let host = rustix::system::uname();
        Ok(Some(Self {
            command,
            scene: Scene {
                host: host.nodename().to_string_lossy().into_owned(),
                yaml_path: path_of(&settings.roll.named),
            },
            folder,
            journal,
            consumer,
            last,
            kept,
            missed: 0,
            runs: VecDeque::new(),
            fails: false,
            patience: settings.lock_timeout,
        }))
    }

    /// Tells what there is to be told, as far as it may be told now. What is left, the next notifier tells.
    pub async fn catch_up(mut self) {
        while self.delay().is_zero() && self.tell_next().await {}
        let left = self.unread().map_or(0, |unread| unread.len());
        if left > 0 {
            warn!("{left} things are left for the next pass to tell the command of --notify");
        }
    }

    /// Tells again and again, whenever it is woken.
    async fn keep_on(mut self, mut wakes: mpsc::Receiver<()>) {
        while wakes.recv().await.is_some() {
            loop {
                sleep(self.delay()).await;
                if !self.tell_next().await {
                    break;
                }
            }
        }
    }

    /// How long to wait until the command may be run again.
    fn delay(&mut self) -> Duration {
        while self.runs.front().is_some_and(|run| run.elapsed() >= WINDOW) {
            self.runs.pop_front();
        }
        match self.runs.front() {
            Some(first) if self.runs.len() >= TIMES => WINDOW.saturating_sub(first.elapsed()),
            _ => Duration::ZERO,
        }
    }

    /// Tells the oldest thing that has not been told. Returns whether there was one.
    async fn tell_next(&mut self) -> bool {
        let next = match self.unread() {
            Ok(mut unread) => {
                let too_many = unread.len().saturating_sub(WAITING);
                self.missed += too_many as u64;
                unread.drain(..too_many);
                unread.pop_front()
            }
            Err(error) => {
                self.fail(&format!("the journal cannot be read: {error}"));
                return false;
            }
        };
        let Some(Next { seq, at, about }) = next else {
            self.remember().await;
            return false;
        };
        if self.kept.is_none() {
            // Should this be cut off, the next one knows where it was.
            self.remember().await;
        }
        let notice = Notice::new(about, at, &self.scene, self.missed);
        self.runs.push_back(Instant::now());
        match self.tell(&notice).await {
            Ok(()) => {
                if std::mem::take(&mut self.fails) {
                    debug!("the command of --notify works again");
                }
                self.missed = 0;
            }
            Err(why) => self.fail(&why),
        }
        self.last = seq;
        self.remember().await;
        true
    }

    async fn tell(&self, notice: &Notice) -> Result<(), String> {
        let mut text = serde_json::to_vec(notice).map_err(|error| error.to_string())?;
        text.push(b'\n');
        let session = line(notice.session().unwrap_or_default());
        let comment = line(notice.comment());
        let variables = [
            ("HEADCOUNT_EVENT", notice.event()),
            ("HEADCOUNT_SESSION", &session),
            ("HEADCOUNT_COMMENT", &comment),
        ];
        command::run(&self.command, &text, &variables).await
    }

    /// Says once what goes wrong until something goes right.
    fn fail(&mut self, why: &str) {
        if !std::mem::replace(&mut self.fails, true) {
            warn!("the command of --notify failed: {why}; that is said once, until it works again");
        }
    }

    /// What the journal has that is to be told, oldest first. What needs not be told is passed over for good.
    fn unread(&mut self) -> Result<VecDeque<Next>, RunError> {
        // Another notifier may have been at it.
        if let Some(told) = self.journal.told(&self.consumer)? {
            self.last = self.last.max(told);
        }
        let unread = self.journal.after(self.last)?;
        self.missed += unread.missed;
        let now = clock::now();
        let mut next = VecDeque::new();
        let mut last = self.last;
        for Entry { seq, at, news } in unread.entries {
            match about(news) {
                Some(_) if now.since(at) > NEWS => self.missed += 1,
                Some(about) => {
                    let at = at.iso();
                    next.push_back(Next { seq, at, about });
                    continue;
                }
                None => {}
            }
            if next.is_empty() {
                last = seq;
            }
        }
        self.last = last;
        Ok(next)
    }

    /// Keeps in mind how far the telling is.
    async fn remember(&mut self) {
        if self.kept == Some(self.last) {
            return;
        }
        let kept = async {
            let lock = self.folder.lock(self.patience).await?;
            self.journal.set_told(&self.consumer, self.last, &lock)
        };
        match kept.await {
            Ok(()) => self.kept = Some(self.last),
            // The next time, then.
            Err(error) => debug!("what was told cannot be remembered: {error}"),
        }
    }
}

/// A text for a variable: the system refuses long ones, and those with a zero byte.
fn line(text: &str) -> String {
    visible(text).chars().take(LONGEST).collect()
}

/// What of the journal is news to a person: what opens, what is written, and what is over.
fn about(news: News) -> Option<About> {
    match news {
        News::Opened(drift) => Some(About::Opened(drift)),
        News::Outcome(drift) if drift.applied => Some(About::Written(drift)),
        News::Outcome(drift) if drift.new => Some(About::Opened(drift)),
        News::Resolved(resolved) => Some(About::Resolved(resolved)),
        News::Job(update) => Some(About::Job(update)),
        News::JobOutcome(update) if update.applied || update.new => Some(About::Job(update)),
        // The person who took it back need not be alone with the roll.
        News::Undone(undone) if undone.stage == Stage::Done => {
            let Undone { drift, job, .. } = *undone;
            drift.map(About::Opened).or_else(|| job.map(About::Job))
        }
        // What becomes of an edit that is begun is told when it is known.
        News::Edited(_)
        | News::JobEdited(_)
        | News::Changed(_)
        | News::Outcome(_)
        | News::JobOutcome(_)
        | News::Undone(_)
        | News::Pruned(_) => None,
    }
}

/// A notifier at work beside a loop.
#[derive(Debug)]
pub(super) struct Notifying {
    wake: mpsc::Sender<()>,
    task: JoinHandle<()>,
}

impl Notifying {
    /// Begins. Has to be called within a runtime.
    pub(super) fn begin(notifier: Notifier) -> Self {
        // One wake that waits is as good as many.
        let (wake, wakes) = mpsc::channel(1);
        let task = tokio::spawn(notifier.keep_on(wakes));
        Self { wake, task }
    }

    /// A pass has been made.
    pub(super) fn wake(&self) {
        let _ = self.wake.try_send(());
    }

    /// The loop has ended: what is being told may be told to its end, if that is soon.
    pub(super) async fn end(self) {
        let Self { wake, mut task } = self;
        drop(wake);
        if timeout(LAST, &mut task).await.is_err() {
            task.abort();
            let _ = task.await;
        }
    }
}
