//! Looking on: one look after the other for a person, woken by whatever wakes a pass. It writes nothing, takes no
//! lock, and is no loop in the sense that there is one of each roll: any number may look on.

use std::collections::{BTreeMap, BTreeSet};

use tracing::debug;

use super::beat::{After, Rounds, beat};
use super::error::RunError;
use super::pass::{self, Settings};
use super::shutdown::Stop;
use super::source::{Exits, Files};
use super::survey::{Survey, survey, survey_without_roll};
use super::wake::{Wake, Waker};
use super::watch::Sources;
use crate::clock;
use crate::core::ids::Timestamp;
use crate::look::Surroundings;
use crate::look::places::{Kept, places, processes};
use crate::state::journal::Entry;
use crate::state::{Folder, Journal};

/// Who is shown what is seen.
pub trait Onlooker {
    /// A look was made, and this is what it came to.
    fn looked(&mut self, seen: Result<Seen, RunError>);
}

/// What one look came to.
#[derive(Debug)]
pub struct Seen {
    /// What was seen.
    pub survey: Survey,
    /// What the journal says that it did not say at the look before, oldest first; at the first look, all of it.
    pub entries: Vec<Entry>,
}

/// Looks again and again until it is asked to end, and returns why it did. `find` is asked for the roll where there
/// is none yet.
///
/// # Errors
///
/// The roll that is named is not there. Once the looking has begun, nothing of this ends it.
pub async fn onlook(
    settings: Option<Settings>,
    surroundings: &Surroundings,
    find: &dyn Fn() -> Option<Settings>,
    sources: Sources,
    onlooker: &mut impl Onlooker,
) -> Result<Stop, RunError> {
    if let Some(settings) = &settings {
        pass::must_be_there(settings)?;
    }
    let waker = sources.waker();
    let mut window = Window {
        exits: Exits::new(waker.clone()),
        waker,
        files: None,
        settings,
        surroundings,
        find,
        told: None,
        onlooker,
    };
    Ok(beat(&mut window, sources.ears).await)
}

/// Through which is looked.
struct Window<'a, O> {
    settings: Option<Settings>,
    surroundings: &'a Surroundings,
    find: &'a dyn Fn() -> Option<Settings>,
    waker: Waker,
    /// Nothing before the roll is known.
    files: Option<Files>,
    exits: Exits,
    /// The number of the last entry of the journal that was handed on.
    told: Option<u64>,
    onlooker: &'a mut O,
}

impl<O> Window<'_, O> {
    async fn look(&mut self) -> Result<Seen, RunError> {
        if self.settings.is_none() {
            self.settings = (self.find)();
        }
        let Some(settings) = &self.settings else {
            let survey = survey_without_roll(self.surroundings).await;
            self.exits.follow(&processes(&survey.world));
            return Ok(Seen {
                survey,
                entries: Vec::new(),
            });
        };
        let files = self.files.get_or_insert_with(|| {
            Files::new(&settings.roll, self.waker.clone()).heeding_activity()
        });
        files.pass_begins();
        let seen = survey(settings).await;
        let left = seen.as_ref().ok();
        files.pass_ends(left.map(|survey| survey.registry.fingerprint.clone()));
        let survey = seen?;
        let folder = Folder::of(&settings.state, &settings.roll.target);
        let mut places: BTreeMap<_, _> = places(
            &survey.world,
            &survey.registry,
            &settings.surroundings.homes,
        );
        places.insert(folder.path().to_owned(), Kept::Memory);
        files.follow(places, survey.world.at);
        self.exits.follow(&processes(&survey.world));
        Ok(Seen {
            entries: more(&folder, &mut self.told)?,
            survey,
        })
    }
}

/// What the journal says since it was last asked.
fn more(folder: &Folder, told: &mut Option<u64>) -> Result<Vec<Entry>, RunError> {
    if !folder.exists()? {
        return Ok(Vec::new());
    }
    let journal = Journal::of(folder);
    let newest = journal.newest()?;
    let before = told.unwrap_or(0);
    // One that was lost begins anew.
    let before = if newest < before { 0 } else { before };
    *told = Some(newest);
    if newest == before {
        return Ok(Vec::new());
    }
    let entries = journal.after(before)?.entries;
    // More may have come since.
    *told = entries.last().map(|entry| entry.seq).or(*told);
    Ok(entries)
}

impl<O: Onlooker> Rounds for Window<'_, O> {
    async fn pass(&mut self, why: &BTreeSet<Wake>) -> After {
        debug!("a look, because of: {why:?}");
        let seen = self.look().await;
        self.onlooker.looked(seen);
        // What is due is written by whoever writes, and that is heard.
        After::default()
    }

    fn now(&self) -> Timestamp {
        clock::steady()
    }
}
