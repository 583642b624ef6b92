//! Keeping watch: passes in a loop, and what is told of them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::watch as line;
use tracing::{debug, warn};

use super::beat::{After, Ears, Rounds, beat};
use super::error::RunError;
use super::notify::{Notifier, Notifying};
use super::pass::{self, Memory, Passed, Settings, pass};
use super::push::{self, Push};
use super::service::Manager;
use super::shutdown::{self, Stop, Stopper};
use super::sole::Sole;
use super::source::{Exits, Files};
use super::told::Told;
use super::wake::{self, Wake, Waker};
use crate::clock;
use crate::core::ids::Timestamp;
use crate::core::report::Report;
use crate::look::places::{places, processes};
use crate::state::Folder;
use crate::tell::wire::Missed;

/// Where the wakes come from. The timer and the signals are always there; more can be given a [`Waker`].
pub struct Sources {
    waker: Waker,
    stopper: Stopper,
    every: line::Sender<Duration>,
    pub(super) ears: Ears,
    push: Option<Push>,
}

impl Sources {
    /// The timer, whose passes are so far apart, and the signals. Has to be called within a runtime.
    #[must_use]
    pub fn new(every: Duration) -> Self {
        let (waker, wakes) = wake::line();
        let (stopper, stops) = shutdown::line();
        let (every, changes) = line::channel(every);
        shutdown::obey(waker.clone(), stopper.clone());
        Self {
            waker,
            stopper,
            every,
            ears: Ears {
                wakes,
                stops,
                every: changes,
            },
            push: None,
        }
    }

    /// Listens to a broker as well, once the loop has begun.
    #[must_use]
    pub fn pushed_by(mut self, push: Push) -> Self {
        self.push = Some(push);
        self
    }

    /// For a source that wakes passes.
    #[must_use]
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// For a source that may end the loop.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// For a source that changes how far apart the timer's passes are.
    #[must_use]
    pub fn every(&self) -> line::Sender<Duration> {
        self.every.clone()
    }

    /// Ends the loop when that time is over.
    pub fn end_after(&self, time: Duration) {
        let stopper = self.stopper();
        tokio::spawn(async move {
            tokio::time::sleep(time).await;
            stopper.stop(Stop::TimedOut);
        });
    }
}

/// Who is told what the loop finds.
pub trait Teller {
    /// Something opened, changed or resolved since the last time this was called; some of it may have been done
    /// by passes whose telling was missed.
    ///
    /// # Errors
    ///
    /// Why the loop has to end: it cannot be told any more.
    fn news(&mut self, report: &Report, missed: &Missed) -> Result<(), Stop>;

    /// A pass was made; told or not, this is what it came to.
    fn passed(&mut self, passed: Result<&Report, &RunError>);

    /// No pass can be made at present, for a reason that has not been told yet.
    fn failing(&mut self, error: &RunError);

    /// Passes can be made again.
    fn healed(&mut self);
}

/// Makes passes until it is asked to end, and returns why it did.
///
/// # Errors
///
/// There is no roll, another loop keeps watch over it, or the state folder cannot be used. Once the loop has
/// begun, nothing of this ends it.
pub async fn watch(
    settings: &Settings,
    mut sources: Sources,
    manager: Option<&Manager>,
    teller: &mut impl Teller,
) -> Result<Stop, RunError> {
    pass::must_be_there(settings)?;
    let folder = Folder::of(&settings.state, &settings.roll.target);
    let sole = if settings.dry_run {
        None
    } else {
        Some(Sole::of(&settings.roll, &folder).await?)
    };
    let notifying = Notifier::new(settings)?.map(Notifying::begin);
    // Only now: two that listen under one name would put each other out.
    let inbox = match sources.push.take() {
        Some(push) => Some(push::start(push, settings, &folder, &sources)?),
        None => None,
    };
    let mut guard = Guard {
        sole,
        folder,
        files: Files::new(&settings.roll, sources.waker()),
        exits: Exits::new(sources.waker()),
        settings,
        teller,
        memory: Memory::listening(inbox),
        trouble: Trouble::default(),
        told: Told::load(settings)?,
        notifying,
        manager,
        passes: 0,
    };
    let stop = beat(&mut guard, sources.ears).await;
    if let Some(notifying) = guard.notifying.take() {
        notifying.end().await;
    }
    if let Some(manager) = guard.manager {
        manager.stopping();
    }
    Ok(stop)
}

/// Makes the passes, and tells what they find.
struct Guard<'a, T> {
    /// The right to be the loop, which one that writes nothing does not need.
    sole: Option<Sole>,
    folder: Folder,
    settings: &'a Settings,
    teller: &'a mut T,
    memory: Memory,
    trouble: Trouble,
    told: Told,
    notifying: Option<Notifying>,
    manager: Option<&'a Manager>,
    passes: u64,
    files: Files,
    exits: Exits,
}

impl<T> Guard<'_, T> {
    async fn look(&mut self) -> Result<Passed, RunError> {
        if let Some(sole) = &mut self.sole {
            sole.hold(&self.settings.roll, &self.folder).await?;
        }
        pass(self.settings, &mut self.memory).await
    }

    fn report_to_the_manager(&mut self, passed: Result<&Report, &RunError>) {
        self.passes += 1;
        let Some(manager) = self.manager else {
            return;
        };
        let status = match passed {
            Ok(report) => format!(
                "{} passes; {} sessions, {} drifts, {} notes at {}",
                self.passes,
                report.alive.len(),
                report.drifts.len(),
                report.notes.len(),
                report.at.iso()
            ),
            Err(error) => format!("{} passes; {error}", self.passes).replace('\n', " "),
        };
        manager.ready(&status);
    }

    /// Listens to what the pass has seen, so that the next one is made when it changes.
    fn listen(&mut self, passed: Option<&Passed>) {
        self.files
            .pass_ends(passed.map(|passed| passed.left.clone()));
        if let Some(passed) = passed {
            let homes = &self.settings.surroundings.homes;
            let places = places(&passed.world, &passed.registry, homes);
            self.files.follow(places, passed.world.at);
            self.exits.follow(&processes(&passed.world));
        }
    }
}

impl<T: Teller> Guard<'_, T> {
    /// Tells what has not been told. What cannot be remembered as told is told all the same.
    async fn tell(&mut self, passed: &Passed) -> Result<(), Stop> {
        let trouble = match self.told.news(passed) {
            Ok(None) => return Ok(()),
            Ok(Some(news)) => {
                if news.any {
                    self.teller.news(&passed.report, &news.missed)?;
                }
                self.told.remember(self.settings, news).await.err()
            }
            Err(error) => Some(error),
        };
        if let Some(error) = trouble {
            warn!("what was told cannot be remembered: {error}");
        }
        Ok(())
    }
}

impl<T: Teller> Rounds for Guard<'_, T> {
    async fn pass(&mut self, why: &BTreeSet<Wake>) -> After {
        debug!("a pass, because of: {}", list(why));
        self.files.pass_begins();
        let passed = self.look().await;
        self.listen(passed.as_ref().ok());
        if let Some(notifying) = &self.notifying {
            notifying.wake();
        }
        let came_to = match &passed {
            Ok(Passed {
                trouble: Some(error),
                ..
            })
            | Err(error) => Err(error),
            Ok(passed) => Ok(&passed.report),
        };
        self.teller.passed(came_to);
        self.report_to_the_manager(came_to);
        match passed {
            Err(error) => {
                if self.trouble.is_new(&error.to_string()) {
                    self.teller.failing(&error);
                }
                After::default()
            }
            Ok(passed) => {
                if let Some(error) = &passed.trouble {
                    if self.trouble.is_new(&error.to_string()) {
                        self.teller.failing(error);
                    }
                } else if self.trouble.is_over() {
                    self.teller.healed();
                }
                After {
                    due: passed.due,
                    stop: self.tell(&passed).await.err(),
                }
            }
        }
    }

    fn now(&self) -> Timestamp {
        clock::steady()
    }

    fn alive(&mut self) {
        if let Some(manager) = &self.manager
            && manager.pulse().is_some()
        {
            manager.alive();
        }
    }

    fn pulse(&self) -> Option<Duration> {
        self.manager.and_then(Manager::pulse)
    }
}

fn list(why: &BTreeSet<Wake>) -> String {
    let words: Vec<String> = why.iter().map(ToString::to_string).collect();
    words.join(", ")
}

/// What has been said about passes that failed: each trouble is told once, and its end.
#[derive(Debug, Default)]
struct Trouble(Option<String>);

impl Trouble {
    /// Whether this has not been told since it began.
    fn is_new(&mut self, what: &str) -> bool {
        let known = self.0.as_deref() == Some(what);
        self.0 = Some(what.to_owned());
        !known
    }

    /// Whether there was trouble until now.
    fn is_over(&mut self) -> bool {
        self.0.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::Trouble;

    #[test]
    fn a_trouble_is_told_once_and_so_is_its_end() {
        let mut trouble = Trouble::default();
        assert!(!trouble.is_over());
        assert!(trouble.is_new("no roll"));
        assert!(!trouble.is_new("no roll"));
        assert!(trouble.is_new("no state folder"));
        assert!(trouble.is_new("no roll"));
        assert!(trouble.is_over());
        assert!(!trouble.is_over());
        assert!(trouble.is_new("no roll"));
    }
}
