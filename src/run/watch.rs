//! Keeping watch: passes in a loop, and what is told of them.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::watch as line;
use tracing::debug;

use super::beat::{After, Ears, Rounds, beat};
use super::error::RunError;
use super::pass::{self, Memory, Settings, pass};
use super::shutdown::{self, Stop, Stopper};
use super::sole::Sole;
use super::wake::{self, Wake, Waker};
use crate::clock;
use crate::core::ids::Timestamp;
use crate::core::report::Report;
use crate::state::Folder;

/// Where the wakes come from. The timer and the signals are always there; more can be given a [`Waker`].
pub struct Sources {
    waker: Waker,
    stopper: Stopper,
    every: line::Sender<Duration>,
    ears: Ears,
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
        }
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
    /// Something opened, changed or resolved since the last time this was called.
    ///
    /// # Errors
    ///
    /// Why the loop has to end: it cannot be told any more.
    fn news(&mut self, report: &Report) -> Result<(), Stop>;

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
    sources: Sources,
    teller: &mut impl Teller,
) -> Result<Stop, RunError> {
    pass::must_be_there(settings)?;
    let _sole = if settings.dry_run {
        None
    } else {
        let folder = Folder::of(&settings.state, &settings.roll.target);
        Some(Sole::of(&settings.roll, &folder).await?)
    };
    let mut guard = Guard {
        settings,
        teller,
        memory: Memory::default(),
        trouble: Trouble::default(),
    };
    Ok(beat(&mut guard, sources.ears).await)
}

/// Makes the passes, and tells what they find.
struct Guard<'a, T> {
    settings: &'a Settings,
    teller: &'a mut T,
    memory: Memory,
    trouble: Trouble,
}

impl<T: Teller> Rounds for Guard<'_, T> {
    async fn pass(&mut self, why: &BTreeSet<Wake>) -> After {
        debug!("a pass, because of: {}", list(why));
        let passed = pass(self.settings, &mut self.memory).await;
        self.teller
            .passed(passed.as_ref().map(|passed| &passed.report));
        match passed {
            Err(error) => {
                if self.trouble.is_new(&error.to_string()) {
                    self.teller.failing(&error);
                }
                After::default()
            }
            Ok(passed) => {
                if self.trouble.is_over() {
                    self.teller.healed();
                }
                let told = if passed.news {
                    self.teller.news(&passed.report)
                } else {
                    Ok(())
                };
                After {
                    due: passed.due,
                    stop: told.err(),
                }
            }
        }
    }

    fn now(&self) -> Timestamp {
        clock::now()
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
