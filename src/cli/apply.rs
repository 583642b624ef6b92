//! `headcount apply`

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::Args;

use super::environment::Environment;
use super::joint::{self, Done};
use super::terms::Terms;
use super::{Failure, Places, output, reconcile};
use crate::core::report::{Outcome, Report};
use crate::exit::Exit;
use crate::tell::sentence;
use crate::tell::visible::visible;
use crate::tell::wire::{PLAN, PLAN_VERSION, Plan, Planned};

/// No plan is longer, in bytes.
const LONGEST_PLAN: u64 = 16 << 20;

/// Carry out a plan, as far as it is still true
///
/// It makes a pass of its own, which looks as often as `reconcile --once` does, and writes only those changes that
/// are in the plan and that the pass proposes again, to the letter. A row that was changed since is left alone.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 all changes of the plan were written, 1 the roll is missing or unreadable, 2 some were not, or another error.

Examples:
  headcount plan > plan.json      look it through, and take out what you do not want
  headcount apply plan.json       write the rest, as far as it is still so
  headcount plan | jq '.changes |= map(select(.session | startswith(\"shop-\")))' | headcount apply -")]
pub(super) struct Arguments {
    /// The plan, as `headcount plan` prints it; - for standard input
    plan: PathBuf,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    terms: Terms,
}

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let Arguments {
        plan,
        places,
        terms,
    } = arguments;
    let plan = read(&plan)?;
    let roll = roll_of(&plan, places.registry, &environment)?;
    let settings = reconcile::Settings {
        registry: Some(roll),
        state_dir: environment.state_folder(places.state_dir.as_deref())?,
        environment,
        terms,
        plan: Some(plan.clone()),
        dry_run: false,
        replay: None,
        notify: None,
    };
    let Done {
        report, trouble, ..
    } = joint::reconcile(settings, reconcile::say_what_for).await?;
    let mut missed = 0;
    output::print(|out| {
        for planned in &plan.changes {
            let why = not_written(planned, &report);
            missed += usize::from(why.is_some());
            let said = told(planned, &report);
            let line = why.map_or_else(
                || format!("written: {said}"),
                |why| format!("not written: {said} ({why})"),
            );
            writeln!(out, "{}", visible(&line))?;
        }
        Ok(())
    })?;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    if missed > 0 {
        return Err(Failure {
            exit: Exit::Failed,
            why: format!(
                "{missed} of {} changes were not written; `headcount plan` says what is so now",
                plan.changes.len()
            ),
        });
    }
    Ok(Exit::Done)
}

fn read(path: &Path) -> anyhow::Result<Plan> {
    let mut text = Vec::new();
    let named = if path.as_os_str() == "-" {
        io::stdin()
            .lock()
            .take(LONGEST_PLAN + 1)
            .read_to_end(&mut text)
            .context("cannot read the plan from standard input")?;
        "the plan on standard input".to_owned()
    } else {
        File::open(path)
            .and_then(|file| file.take(LONGEST_PLAN + 1).read_to_end(&mut text))
            .with_context(|| format!("cannot read the plan {}", path.display()))?;
        path.display().to_string()
    };
    ensure!(
        text.len() as u64 <= LONGEST_PLAN,
        "{named} is too long to be a plan"
    );
    let plan: Plan = match serde_json::from_slice(&text) {
        Ok(plan) => plan,
        Err(error) => bail!("{named} is no plan as `headcount plan` prints it: {error}"),
    };
    ensure!(
        plan.document == PLAN,
        "{named} is no plan: it says that it is a {}",
        plan.document
    );
    ensure!(
        plan.format_version == PLAN_VERSION,
        "{named} has the format version {:?}, and this headcount knows {PLAN_VERSION}: make the plan again",
        plan.format_version
    );
    Ok(plan)
}

/// The roll that a plan is for, if nobody says that another one is meant.
fn roll_of(
    plan: &Plan,
    flag: Option<PathBuf>,
    environment: &Environment,
) -> anyhow::Result<PathBuf> {
    ensure!(
        !plan.replayed,
        "the plan was made from a snapshot, and that is only to be looked at: make one with `headcount plan` where the roll is"
    );
    let of_plan = PathBuf::from(&plan.yaml_path);
    let by_flag = flag.map(|roll| ("--registry", roll));
    let by_environment = || Some(("AGENT_SESSIONS_YAML", environment.registry.clone()?));
    if let Some((who, named)) = by_flag.or_else(by_environment) {
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        ensure!(
            whole(&named) == whole(&of_plan),
            "the plan is for {}, and {who} names {}: nothing was written",
            of_plan.display(),
            named.display()
        );
        return Ok(named);
    }
    Ok(of_plan)
}

/// What is told of a change now; of what is not so any more, what was planned.
fn told(planned: &Planned, report: &Report) -> String {
    let of_drift = report
        .drifts
        .iter()
        .find(|told| told.drift.id.as_str() == planned.id)
        .filter(|told| told.outcome == Outcome::Applied)
        .map(|told| sentence::comment(&told.drift, &told.outcome));
    let of_job = || {
        let mut jobs = report.jobs.iter();
        let told = jobs.find(|told| told.update.cause.as_str() == planned.id)?;
        (told.outcome == Outcome::Applied).then(|| sentence::of_job(told))
    };
    // The plan says what was to be waited for then.
    let fact = || {
        let end = [" Not written", " Would be written"]
            .iter()
            .find_map(|end| planned.comment.rfind(end));
        planned.comment[..end.unwrap_or(planned.comment.len())].to_owned()
    };
    of_drift.or_else(of_job).unwrap_or_else(fact)
}

/// Why a change of the plan was not written; `None` if it was.
fn not_written(planned: &Planned, report: &Report) -> Option<String> {
    let of_drift = report
        .drifts
        .iter()
        .find(|told| told.drift.id.as_str() == planned.id)
        .map(|told| &told.outcome);
    let of_job = report
        .jobs
        .iter()
        .find(|told| told.update.cause.as_str() == planned.id)
        .map(|told| &told.outcome);
    match of_drift.or(of_job) {
        Some(Outcome::Applied) => None,
        Some(Outcome::Held(held)) => Some(format!("{}; {}", held.why(), held.remedy())),
        Some(Outcome::Pending { why, .. }) => Some(why.clone()),
        Some(Outcome::WouldApply | Outcome::ToldOnly) => Some("it is only told now".to_owned()),
        None => Some("it is not so any more, or was written meanwhile".to_owned()),
    }
}
