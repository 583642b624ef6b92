//! Which rolls a command is about: the one that is named or found here, or all that are known.

use std::collections::BTreeSet;
use std::fs;
use std::future::Future;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::anyhow;
use clap::Args;
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use super::environment::Environment;
use super::{Failure, Places, joint, output};
use crate::exit::Exit;
use crate::roll::Roll;
use crate::state;
use crate::tell::json::Layout;

/// How many rolls are at work at once: each has some files open and asks tmux on its own.
const AT_ONCE: usize = 16;

/// Whether one roll is meant, or all.
#[derive(Clone, Copy, Debug, Args)]
pub(super) struct Rolls {
    /// All rolls that headcount has ever been at work on, and the one that is found here
    #[arg(long, conflicts_with_all = ["registry", "from_snapshot"])]
    all_rolls: bool,
}

impl Rolls {
    /// Whether more than one may be meant.
    pub(super) const fn are_all(self) -> bool {
        self.all_rolls
    }

    /// How JSON is laid out: that of several is one document a line.
    pub(super) fn layout(self) -> Layout {
        if self.all_rolls {
            Layout::OneLine
        } else {
            output::layout()
        }
    }

    /// Where each of them is. One that is not there any more is told, and left out.
    ///
    /// # Errors
    ///
    /// The state folder cannot be read; or all rolls are meant, and none is known.
    pub(super) fn of(
        self,
        places: Places,
        environment: &Environment,
    ) -> Result<Vec<Places>, Failure> {
        if !self.all_rolls {
            return Ok(vec![places]);
        }
        let state = environment.state_folder(places.state_dir.as_deref())?;
        let here = joint::roll_here(environment);
        // By the name that it has here: other programs lock it by that.
        let mut rolls: Vec<PathBuf> = here.iter().map(|roll| roll.named.clone()).collect();
        let mut known: BTreeSet<PathBuf> = here.into_iter().map(|roll| roll.target).collect();
        let (remembered, hidden) = state::folder::known(&state).map_err(anyhow::Error::from)?;
        for error in hidden {
            output::say(&format!("A roll may be left out: {error}"));
        }
        for known_by in remembered {
            match fs::symlink_metadata(&known_by.roll) {
                Err(error) if error.kind() == ErrorKind::NotFound => output::say(&format!(
                    "{} is not there any more. What headcount remembers of it is in {}, which may be removed",
                    known_by.roll.display(),
                    known_by.folder.display()
                )),
                _ if joint::archive_of(&Roll::at(known_by.roll.clone())).is_some() => {
                    output::say(&format!(
                        "{} is an archive, and no roll. What headcount remembers of it is in {}, which may be removed",
                        known_by.roll.display(),
                        known_by.folder.display()
                    ));
                }
                _ => {
                    if known.insert(known_by.roll.clone()) {
                        rolls.push(known_by.roll);
                    }
                }
            }
        }
        if rolls.is_empty() {
            return Err(Failure {
                exit: Exit::RollUnreadable,
                why: format!(
                    "no roll is known yet: {} remembers none, and there is none at or above this folder; \
                     `headcount init` makes one",
                    state.display()
                ),
            });
        }
        let each = rolls.into_iter().map(|roll| Places {
            registry: Some(roll),
            state_dir: places.state_dir.clone(),
            beside_others: true,
        });
        Ok(each.collect())
    }
}

/// Does the same for each roll, side by side: where one waits, the others go on. What came of it is in the order of
/// the rolls.
pub(super) async fn for_each<T, F>(
    rolls: Vec<Places>,
    work: impl Fn(Places) -> F,
) -> Vec<Result<T, Failure>>
where
    T: 'static,
    F: Future<Output = Result<T, Failure>> + 'static,
{
    let local = LocalSet::new();
    let turns = Rc::new(Semaphore::new(AT_ONCE));
    let tasks: Vec<_> = rolls
        .into_iter()
        .map(|places| {
            let (turns, work) = (Rc::clone(&turns), work(places));
            local.spawn_local(async move {
                // Never closed, so it is only waited for.
                let _turn = turns.acquire().await;
                work.await
            })
        })
        .collect();
    let all = async {
        let mut done = Vec::new();
        for task in tasks {
            let came = task.await;
            done.push(came.unwrap_or_else(|error| Err(anyhow!("it broke: {error}").into())));
        }
        done
    };
    local.run_until(all).await
}

/// Tells the errors of those that failed, and returns what the others came to; and the code of the first error.
pub(super) fn told<T>(each: Vec<Result<T, Failure>>) -> (Vec<T>, Option<Exit>) {
    let mut failed = None;
    let done = each.into_iter().filter_map(|came| match came {
        Ok(done) => Some(done),
        Err(failure) => {
            let exit = failure.tell();
            failed = failed.or(Some(exit));
            None
        }
    });
    (done.collect(), failed)
}
