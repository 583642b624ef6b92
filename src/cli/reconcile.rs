//! `headcount reconcile`

use std::io::{self, IsTerminal as _, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, ValueEnum};

use super::environment::Environment;
use super::joint::{self, Done};
use super::replay::Replay;
use super::rolls::{self, Rolls};
use super::terms::Terms;
use super::{Failure, Places, output, watch};
use crate::core::report::Report;
use crate::exit::Exit;
use crate::run::Waiting;
use crate::tell::json::Layout;
use crate::tell::visible::visible;
use crate::tell::wire::Missed;
use crate::tell::{json, markdown, table, wire};

/// Compare the roll with what runs, and correct it where the truth is proven
///
/// An end has to be proven twice, --grace seconds apart; a session has to be --spawn-grace seconds old before
/// it is registered, since whoever made it may write its row late. A run waits for that once, and never
/// longer. With --dry-run it makes one look, does not wait, and writes nothing at all.
///
/// With --poll it goes on: it looks again every so often and as soon as something is due, and prints one line
/// only when something opened, changed or resolved.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Make one pass (which is what is done anyway)
    #[arg(long, conflicts_with = "loops")]
    once: bool,
    /// Print the report to standard output
    #[arg(long)]
    emit_diff: bool,
    /// Only look and tell; write nothing
    #[arg(long)]
    dry_run: bool,
    /// The form of the report
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    rolls: Rolls,
    #[command(flatten)]
    places: Places,
    #[command(flatten)]
    replay: Replay,
    #[command(flatten)]
    terms: Terms,
    /// Run this command for each thing that opens, is written or is resolved, with the thing as JSON on its standard
    /// input; without a command, the one that headcount.toml beside the roll names
    #[arg(long, value_name = "CMD", num_args = 0..=1)]
    notify: Option<Option<String>>,
    /// End with 0 in order, 1 error, 2 drift, 3 not everything could be seen
    #[arg(long)]
    detailed_exitcode: bool,
    #[command(flatten)]
    watch: watch::Watch,
}

const EXAMPLES: &str = "\
Exit codes: 0 done, 1 the roll is missing or unreadable, 2 another error.

Examples:
  headcount reconcile --dry-run --emit-diff --format table              what differs?
  headcount reconcile --once --emit-diff | jq -r '.actions[].comment'   correct, then tell
  headcount reconcile --all-rolls --emit-diff                           in all projects
  headcount reconcile --poll --emit-diff                                keep watch, tell each change
  headcount reconcile --subscribe --emit-diff                           and hear when a job is done
  headcount reconcile --poll --notify 'notify-send \"$HEADCOUNT_COMMENT\"'   show each change
  headcount reconcile --grace 0 --spawn-grace 0                         decide at once, by one look
  headcount reconcile --dry-run --detailed-exitcode --quiet             is everything in order?";

/// The forms a report can have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON object, as schemas/report.schema.json describes it
    #[default]
    Json,
    /// A table for a terminal
    Table,
    /// A short list for a card
    Markdown,
}

/// Everything a pass needs to be told.
#[derive(Debug)]
pub(super) struct Settings {
    /// The roll that was named, by flag or environment.
    pub(super) registry: Option<PathBuf>,
    /// The state folder.
    pub(super) state_dir: PathBuf,
    /// Everything else the environment says.
    pub(super) environment: Environment,
    /// How long to wait, and how bold to be.
    pub(super) terms: Terms,
    /// The plan that is to be carried out, if one is.
    pub(super) plan: Option<wire::Plan>,
    /// Whether nothing is to be written.
    pub(super) dry_run: bool,
    /// The snapshot that is replayed, if one is.
    pub(super) replay: Option<PathBuf>,
    /// Whether a command is told what happens, and which if not that of headcount.toml.
    pub(super) notify: Option<Option<String>>,
}

impl Arguments {
    /// Whether it is to go on until somebody ends it.
    pub(super) const fn is_loop(&self) -> bool {
        self.watch.is_loop()
    }
}

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        once: _, // which is what is done anyway
        watch,
        emit_diff,
        dry_run,
        format,
        rolls,
        places,
        replay,
        terms,
        notify,
        detailed_exitcode: _, // `cli::run` has seen to it
    } = arguments;
    let replay = replay.on(terms)?;
    if replay.is_some() && (!dry_run || watch.is_loop()) {
        return Err(anyhow!(
            "a snapshot is of one pass, and what it would write belongs elsewhere: say --dry-run, and neither --poll nor --subscribe"
        )
        .into());
    }
    if watch.is_loop() && rolls.are_all() {
        return Err(anyhow!(
            "--poll and --subscribe keep watch over one roll: start one for each, or --all-rolls again and again"
        )
        .into());
    }
    let pace = watch.pace(&environment)?;
    let state_dir = match &replay {
        Some(_) => PathBuf::new(),
        None => environment.state_folder(places.state_dir.as_deref())?,
    };
    let settings_of = |places: Places| Settings {
        registry: places.registry.or_else(|| environment.registry.clone()),
        state_dir: state_dir.clone(),
        environment: environment.clone(),
        terms: terms.beside_others(places.beside_others),
        plan: None,
        dry_run,
        replay: replay.clone(),
        notify: notify.clone(),
    };
    let form = emit_diff.then_some(format);
    if let Some(pace) = pace {
        return watch::run(settings_of(places), pace, form).await;
    }
    let each = rolls.of(places, &environment)?;
    once(rolls, each, settings_of, form).await
}

/// One pass over each of these rolls.
async fn once(
    rolls: Rolls,
    each: Vec<Places>,
    settings_of: impl Fn(Places) -> Settings,
    form: Option<Format>,
) -> Result<Exit, Failure> {
    let each = rolls::for_each(each, |places| {
        joint::reconcile(settings_of(places), say_what_for)
    });
    let (each, mut failed) = rolls::told(each.await);
    let worst = each.iter().map(|done| done.report.verdict()).max();
    for (at, done) in each.into_iter().enumerate() {
        let Done {
            report,
            trouble,
            notifier,
        } = done;
        if let Some(format) = form {
            output::print(|out| {
                if at > 0 && format != Format::Json {
                    writeln!(out)?;
                }
                format.write(&report, &Missed::default(), rolls.layout(), out)
            })?;
        }
        if let Some(notifier) = notifier {
            notifier.catch_up().await;
        }
        if let Some(trouble) = trouble {
            let exit = trouble.tell();
            failed = failed.or(Some(exit));
        }
    }
    Ok(failed.unwrap_or_else(|| worst.map_or(Exit::Done, Exit::from)))
}

impl Format {
    /// Writes a report in this form, and what was missed before it.
    pub(super) fn write(
        self,
        report: &Report,
        missed: &Missed,
        layout: Layout,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self {
            Self::Json => return json::write(&wire::Report::from(report).and(missed), layout, out),
            Self::Table => table::write(report, output::width(), out)?,
            Self::Markdown => markdown::write(report, out)?,
        }
        for drift in &missed.drifts {
            writeln!(out, "- earlier: {}", visible(&drift.comment))?;
        }
        for resolved in &missed.resolved {
            writeln!(out, "- earlier: {}", visible(&resolved.comment))?;
        }
        for update in &missed.jobs {
            writeln!(out, "- earlier: {}", visible(&update.comment))?;
        }
        Ok(())
    }
}

/// Tells a person at the terminal why nothing happens for a while.
pub(super) fn say_what_for(waiting: &Waiting) {
    if !io::stderr().is_terminal() {
        return;
    }
    let Waiting {
        until,
        since,
        sessions,
    } = waiting;
    output::say(&format!(
        "Waiting {} s to look again before anything is written about: {}. To decide at once: --grace 0 --spawn-grace 0",
        until.since(*since).as_secs_f32().ceil(),
        sessions.join(", ")
    ));
}
