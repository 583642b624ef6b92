//! Where the command line meets the parts that do the work.

use std::path::PathBuf;
use std::time::Duration;

use super::environment::Environment;
use super::{Failure, init, reconcile, validate};
use crate::core::report::Report;
use crate::exit::Exit;
use crate::look::Surroundings;
use crate::look::agent::Homes;
use crate::roll::Roll;
use crate::run::{self, RunError, Waiting};

/// How long to wait for a lock that somebody else has.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) async fn reconcile(
    settings: reconcile::Settings,
    on_wait: impl FnOnce(&Waiting),
) -> Result<Report, Failure> {
    let settings = run::Settings {
        roll: locate(settings.registry)?,
        state: settings.state_dir,
        surroundings: surroundings(&settings.environment),
        policy: settings.policy,
        dry_run: settings.dry_run,
        lock_timeout: PATIENCE,
    };
    run::reconcile(&settings, on_wait)
        .await
        .map_err(Failure::from)
}

pub(super) async fn init(_settings: init::Settings) -> Result<init::Made, Failure> {
    Err(not_joined())
}

pub(super) fn validate(_settings: validate::Settings) -> Result<validate::Findings, Failure> {
    Err(not_joined())
}

fn locate(named: Option<PathBuf>) -> Result<Roll, Failure> {
    named.map(Roll::at).ok_or_else(not_joined)
}

fn surroundings(environment: &Environment) -> Surroundings {
    Surroundings {
        path: environment.path.clone(),
        tmux_tmpdir: environment.tmux_tmpdir.clone(),
        tmux_server_name: environment.tmux_server_name.clone(),
        homes: Homes {
            home: environment.home.clone(),
            claude_config_dir: environment.claude_config_dir.clone(),
            claude_project_dir: environment.claude_project_dir.clone(),
        },
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let exit = match &error {
            RunError::Unreadable(_) | RunError::NotYaml { .. } => Exit::RollUnreadable,
            RunError::NotWritten(_) | RunError::State(_) => Exit::Failed,
        };
        Self {
            exit,
            why: error.to_string(),
        }
    }
}

fn not_joined() -> Failure {
    Failure {
        exit: Exit::Failed,
        why: "this build has no pass: its parts are not joined yet".to_owned(),
    }
}
