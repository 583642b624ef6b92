//! A look for a person: what a pass would find, and everything besides that can be seen. It writes nothing, waits
//! for nothing and takes no lock.

use std::path::Path;

use super::error::RunError;
use super::news::report;
use super::pass::{Keep, Settings, look};
use crate::clock;
use crate::core::ids::Fingerprint;
use crate::core::ledger::Ledger;
use crate::core::plan::assess;
use crate::core::policy::Policy;
use crate::core::registry::Registry;
use crate::core::report::{Account, Report, Written};
use crate::core::sighting::Sighting;
use crate::core::standing::Scope;
use crate::core::world::World;
use crate::look::jobs::Records;
use crate::look::{self, Surroundings};
use crate::roll;

/// What was seen, and what a pass would make of it.
#[derive(Debug)]
pub struct Survey {
    /// The roll; one without rows where there is none.
    pub registry: Registry,
    /// Whether there is a roll.
    pub has_roll: bool,
    /// What a pass sees.
    pub world: World,
    /// The same, and everything besides.
    pub all: World,
    /// What was remembered of earlier looks.
    pub ledger: Ledger,
    /// The rules' settings.
    pub policy: Policy,
    /// What a pass would tell, were it not to write.
    pub report: Report,
}

impl Survey {
    /// All of it, for the core to sort by session.
    #[must_use]
    pub const fn scope(&self) -> Scope<'_> {
        Scope {
            registry: &self.registry,
            has_roll: self.has_roll,
            world: &self.world,
            all: &self.all,
            ledger: &self.ledger,
            policy: &self.policy,
            report: &self.report,
        }
    }
}

/// Looks once. `settings.dry_run` says how drifts are told, and has to be set.
///
/// # Errors
///
/// Where the roll or the state folder cannot be read.
pub async fn survey(settings: &Settings) -> Result<Survey, RunError> {
    let look = look(settings, Keep::Shown, &mut Vec::new()).await?;
    let report = report(settings, &look.before, &look, &Written::default());
    Ok(Survey {
        has_roll: true,
        all: look.all.unwrap_or_else(|| look.world.clone()),
        report,
        registry: look.registry,
        world: look.world,
        ledger: look.before,
        policy: look.policy,
    })
}

/// Looks once where there is no roll: then nothing is declared, and nothing can differ from it.
pub async fn survey_without_roll(surroundings: &Surroundings) -> Survey {
    let registry = Registry {
        fingerprint: Fingerprint::new(""),
        written_at: clock::now(),
        rows: Vec::new(),
        invalid: Vec::new(),
        identities: Vec::new(),
    };
    let (ledger, policy) = (Ledger::default(), Policy::default());
    let request = look::Request {
        registry: &registry,
        ledger: &ledger,
        policy: &policy,
        roll: Path::new(""),
        nearest_roll: &roll::find::nearest_roll,
        roll_is_local: Sighting::unknown("there is no roll"),
        surroundings,
        records: &Records::default(),
        heard: &[],
    };
    let (world, all) = look::begin(surroundings, "").observe_all(&request).await;
    let mut assessment = assess(&registry, &world, &ledger, &policy, world.at);
    assessment.drifts.clear();
    assessment.notes.clear();
    let report = Report::new(Account {
        roll: "",
        dry_run: true,
        registry: &registry,
        world: &world,
        before: &ledger,
        assessment: &assessment,
        written: &Written::default(),
    });
    Survey {
        registry,
        has_roll: false,
        world,
        all,
        ledger,
        policy,
        report,
    }
}
