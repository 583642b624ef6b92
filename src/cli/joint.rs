//! Where the command line meets the parts that do the work.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::Config;
use super::environment::Environment;
use super::rolls::{self, Rolls};
use super::terms::Terms;
use super::{Failure, Places, init, reconcile, validate, watch};
use crate::core::checkup::{Check, of_file_systems};
use crate::core::prune::{KEPT, Pruning};
use crate::core::report::Report;
use crate::exit::Exit;
use crate::kanban::Board;
use crate::look::Surroundings;
use crate::look::agent::Homes;
use crate::look::jobs::Records;
use crate::look::vantage;
use crate::mqtt::Line;
use crate::roll::Roll;
use crate::roll::archive;
use crate::roll::check::check;
use crate::roll::find::{self, FindError};
use crate::roll::inspect::{self, Lock};
use crate::roll::read::read;
use crate::run::{
    self, Assignment, Ended, Manager, Notifier, Proposal, Push, Reconciled, RunError, Sources,
    Stop, Survey, Teller, Waiting, Whereabouts,
};
use crate::snapshot;
use crate::state::journal::Entry;
use crate::state::{Folder, Journal};

/// How long to wait for a lock that somebody else has, unless something else is said.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What came of a single pass.
pub(super) struct Done {
    /// What it tells.
    pub(super) report: Report,
    /// What kept the edits from being written, if anything did.
    pub(super) trouble: Option<Failure>,
    /// Who tells a command of it, if one is to be told.
    pub(super) notifier: Option<Notifier>,
}

pub(super) async fn reconcile(
    settings: reconcile::Settings,
    on_wait: impl FnOnce(&Waiting),
) -> Result<Done, Failure> {
    let settings = of_the_pass(settings)?;
    // Before the pass, so that it knows what the pass has added.
    let notifier = Notifier::new(&settings)?;
    let Reconciled { report, trouble } = run::reconcile(&settings, on_wait).await?;
    Ok(Done {
        report,
        trouble: trouble.map(|error| Failure::from(&error)),
        notifier,
    })
}

/// Looks once, and says what would be written.
pub(super) async fn propose(settings: reconcile::Settings) -> Result<Proposal, Failure> {
    Ok(run::propose(&of_the_pass(settings)?).await?)
}

/// What a person is shown, and where things are that it is told by.
pub(super) struct View {
    /// The look.
    pub(super) survey: Survey,
    /// The user's home folder.
    pub(super) home: Option<String>,
    /// Where Claude Code keeps its files, if a shell like this one starts it.
    pub(super) claude_home: Option<String>,
}

/// A look for a person at each roll that is meant. The errors of those that cannot be looked at are told, and the code
/// of the first of them is returned besides; that of a single roll is an error.
pub(super) async fn surveys(
    rolls: Rolls,
    places: Places,
    replay: Option<PathBuf>,
    environment: &Environment,
) -> Result<(Vec<View>, Option<Exit>), Failure> {
    if !rolls.are_all() {
        return Ok((vec![survey(places, replay, environment).await?], None));
    }
    let each = rolls::for_each(rolls.of(places, environment)?, |places| {
        let environment = environment.clone();
        async move { survey(places, None, &environment).await }
    });
    Ok(rolls::told(each.await))
}

/// One look for a person, or the one that is replayed.
pub(super) async fn survey(
    places: Places,
    replay: Option<PathBuf>,
    environment: &Environment,
) -> Result<View, Failure> {
    if let Some(folder) = replay {
        let settings = replayed(&folder)?;
        let kept = settings.replay.as_ref();
        return Ok(View {
            home: kept.and_then(|it| it.home.clone()),
            claude_home: kept.and_then(|it| it.claude_home.clone()),
            survey: run::survey(&settings).await?,
        });
    }
    let Whereabouts {
        home, claude_home, ..
    } = whereabouts(environment);
    Ok(View {
        survey: look(places, environment).await?,
        home,
        claude_home,
    })
}

/// One look for a person. Where no roll is named and none is found, there is none.
async fn look(places: Places, environment: &Environment) -> Result<Survey, Failure> {
    match of_the_look(&places, environment)? {
        Some(settings) => Ok(run::survey(&settings).await?),
        None => Ok(survey_without_roll(environment).await),
    }
}

/// What a look for a person is to be told; `None` where no roll is named and none is found.
pub(super) fn of_the_look(
    places: &Places,
    environment: &Environment,
) -> Result<Option<run::Settings>, Failure> {
    let state = environment.state_folder(places.state_dir.as_deref())?;
    let named = places.registry.clone();
    let named = named.or_else(|| environment.registry.clone());
    let roll = match named.map_or_else(find_here, |named| Ok(Roll::at(named))) {
        Err(FindError::None { .. }) => return Ok(None),
        roll => roll?,
    };
    let terms = Terms::usual().beside_others(places.beside_others);
    let policy = terms.policy(Config::beside(&roll.target)?);
    Ok(Some(run::Settings {
        roll,
        state,
        surroundings: surroundings(environment),
        records: Records::default(),
        policy,
        plan: None,
        dry_run: true,
        lock_timeout: Duration::ZERO,
        notify: None,
        replay: None,
    }))
}

/// The roll that the environment names, or that is found here, if there is one.
pub(super) fn roll_here(environment: &Environment) -> Option<Roll> {
    locate(environment.registry.clone()).ok()
}

/// One look, as if there were no roll.
pub(super) async fn survey_without_roll(environment: &Environment) -> Survey {
    run::survey_without_roll(&surroundings(environment)).await
}

/// What can be said of a roll, its lock and the state folder without a look at the machine.
pub(super) fn inspect(places: &Places, environment: &Environment) -> Vec<Check> {
    let named = places
        .registry
        .clone()
        .or_else(|| environment.registry.clone());
    let roll = match named.map_or_else(find_here, |named| Ok(Roll::at(named))) {
        Ok(roll) => roll,
        Err(FindError::None { folder }) => {
            let said = format!(
                "there is none at or above {}: nothing is declared",
                folder.display()
            );
            return vec![Check::warning("roll", said, "`headcount init` makes one")];
        }
        Err(error) => {
            return vec![Check::trouble(
                "roll",
                error.to_string(),
                "name the one that is meant by --registry",
            )];
        }
    };
    let at = roll.named.display();
    let mut checks = vec![match read(&roll) {
        Err(error) => Check::trouble(
            "roll",
            error.to_string(),
            "put it right, or name another by --registry",
        ),
        Ok(contents) => {
            let checked = check(&contents.text);
            match checked.faults.iter().find(|fault| fault.grave) {
                None => Check::well(
                    "roll",
                    format!("{at} is in order, with {} rows", checked.rows),
                ),
                Some(fault) => Check::trouble(
                    "roll",
                    format!("{at}:{}:{}: {}", fault.line, fault.column, fault.what),
                    "`headcount validate` tells all that is wrong with it",
                ),
            }
        }
    }];
    checks.push(match inspect::lock(&roll) {
        Lock::Free(path) => Check::well(
            "lock",
            format!("{} works, and nobody has it", path.display()),
        ),
        Lock::NotMade(path) => Check::well(
            "lock",
            format!("{} is made by the first writer", path.display()),
        ),
        Lock::Held(path, holder) => Check::warning(
            "lock",
            format!(
                "{} is held by {}",
                path.display(),
                holder.map_or_else(
                    || "a process that cannot be seen".to_owned(),
                    |it| it.to_string()
                )
            ),
            "nothing, if it is let go soon: a pass waits 10 s for it",
        ),
        Lock::Broken(why) => Check::trouble(
            "lock",
            why,
            "without the lock nothing can be written: put this right",
        ),
    });
    let folder = roll.target.parent().unwrap_or(&roll.target);
    let refused = [folder, &roll.target]
        .into_iter()
        .find_map(inspect::may_write);
    checks.push(match refused {
        None => Check::well("permissions", "the roll and its folder can be written to"),
        Some(why) => Check::trouble(
            "permissions",
            format!("{why}: nothing can be written"),
            "run headcount as the user whose roll it is, or give this user the right",
        ),
    });
    let mut lie = vec![inspect::locality(&roll.target, "the roll")];
    let mut full: Vec<String> = inspect::lacks_room(folder).into_iter().collect();
    checks.push(
        match environment.state_folder(places.state_dir.as_deref()) {
            Err(error) => Check::trouble(
                "state folder",
                format!("{error:#}"),
                "name one by --state-dir",
            ),
            Ok(state) => {
                // Where it is not made yet, whoever makes it has to be able to.
                let there = state
                    .ancestors()
                    .find(|path| path.exists())
                    .unwrap_or(&state);
                lie.push(inspect::locality(there, "the state folder"));
                full.extend(inspect::lacks_room(there));
                match inspect::may_write(there) {
                    None => Check::well(
                        "state folder",
                        format!("{} can be written to", state.display()),
                    ),
                    Some(why) => Check::trouble(
                        "state folder",
                        format!("{why}: nothing can be remembered"),
                        "give this user the right, or name another by --state-dir",
                    ),
                }
            }
        },
    );
    checks.push(if full.is_empty() {
        Check::well(
            "room",
            "the roll and what is remembered of it have room to be written",
        )
    } else {
        Check::trouble(
            "room",
            format!("{}: nothing can be written", full.join(", and ")),
            "free some space there; the state folder can be another (--state-dir)",
        )
    });
    checks.push(of_file_systems(&lie));
    checks
}

/// Where Claude Code keeps its files, if a shell like this one starts it.
pub(super) fn claude_home(environment: &Environment) -> Option<PathBuf> {
    let named = environment.claude_config_dir.clone();
    named.or_else(|| Some(environment.home.as_ref()?.join(".claude")))
}

/// Reconciles again and again. Returns why it ended.
pub(super) async fn watch(
    settings: reconcile::Settings,
    pace: watch::Pace,
    teller: &mut impl Teller,
) -> Result<Stop, Failure> {
    let manager = manager(&settings.environment);
    let mut settings = of_the_pass(settings)?;
    settings.policy.require_signature = pace
        .listening
        .as_ref()
        .is_some_and(|listening| listening.require_signature);
    let mut sources = Sources::new(pace.every);
    if let Some(listening) = pace.listening {
        let machine = vantage::machine();
        let line = Line::prepare(listening.broker(&machine, &settings.roll.target)).await;
        sources = sources.pushed_by(Push {
            line: line.map_err(anyhow::Error::from)?,
            require_signature: listening.require_signature,
            idle: listening.idle,
            away: listening.away,
            resync: listening.resync,
        });
    }
    if let Some(time) = pace.timeout {
        sources.end_after(time);
    }
    run::watch(&settings, sources, manager.as_ref(), teller)
        .await
        .map_err(Failure::from)
}

/// Keeps watch, and keeps a card meanwhile. Returns why it ended.
pub(super) async fn work(
    settings: reconcile::Settings,
    assignment: Assignment,
    board: Board,
) -> Result<Ended, Failure> {
    let manager = manager(&settings.environment);
    run::work(&of_the_pass(settings)?, assignment, board, manager.as_ref())
        .await
        .map_err(Failure::from)
}

/// All that is kept of what was told and done about a roll, which itself need not be there any more.
pub(super) fn journal(registry: Option<PathBuf>, state: &Path) -> Result<Vec<Entry>, Failure> {
    let roll = locate(registry)?;
    let folder = Folder::of(state, &roll.target);
    let entries = folder.exists().and_then(|there| match there {
        true => Journal::of(&folder).after(0).map(|unread| unread.entries),
        false => Ok(Vec::new()),
    });
    Ok(entries.map_err(anyhow::Error::from)?)
}

/// The roll, and what is kept of what was written to it.
pub(super) fn keeping(places: &Places, environment: &Environment) -> Result<run::Keeping, Failure> {
    let state = environment.state_folder(places.state_dir.as_deref())?;
    let roll = locate(
        places
            .registry
            .clone()
            .or_else(|| environment.registry.clone()),
    )?;
    no_archive(&roll)?;
    Ok(run::Keeping {
        folder: Folder::of(&state, &roll.target),
        roll,
        patience: PATIENCE,
    })
}

/// Takes rows out of the roll that ended long ago. `order` is told how long the project keeps them.
pub(super) async fn prune(
    places: &Places,
    environment: &Environment,
    order: impl FnOnce(Duration) -> run::Order,
) -> Result<(Pruning, Option<Failure>), Failure> {
    let Some(settings) = of_the_look(places, environment)? else {
        return Err(find_here().map_or_else(Failure::from, |roll| {
            anyhow::anyhow!("{} was made only now: try again", roll.named.display()).into()
        }));
    };
    no_archive(&settings.roll)?;
    let settings = run::Settings {
        lock_timeout: PATIENCE,
        ..settings
    };
    let retention = Config::beside(&settings.roll.target)?.retention;
    let order = order(retention.ended_days.unwrap_or(KEPT));
    let done = run::prune(&settings, &order).await?;
    Ok((done.pruning, done.trouble.map(Failure::from)))
}

/// The roll, and the folder of the project that it is of.
pub(super) fn project(registry: Option<PathBuf>) -> Result<(PathBuf, PathBuf), Failure> {
    let roll = Roll::as_it_is(&locate(registry)?);
    no_archive(&roll)?;
    let roll = std::path::absolute(&roll.named).unwrap_or(roll.named);
    let project = find::project_of(&roll).to_owned();
    Ok((roll, project))
}

/// The service manager that wants to hear how it goes, if there is one.
fn manager(environment: &Environment) -> Option<Manager> {
    let socket = environment.notify_socket.as_ref()?;
    Manager::at(socket, environment.watchdog)
}

fn of_the_pass(settings: reconcile::Settings) -> Result<run::Settings, Failure> {
    if let Some(folder) = settings.replay {
        return replayed(&folder);
    }
    let roll = locate(settings.registry)?;
    no_archive(&roll)?;
    let config = Config::beside(&roll.target)?;
    let notify = match settings.notify {
        Some(None) => Some(config.notify.clone().ok_or_else(|| {
            let toml = roll.target.with_file_name("headcount.toml");
            anyhow::anyhow!(
                "--notify names no command, and neither does `notify` in {}",
                toml.display()
            )
        })?),
        named => named.flatten(),
    };
    let policy = settings.terms.policy(config);
    Ok(run::Settings {
        roll,
        state: settings.state_dir,
        surroundings: surroundings(&settings.environment),
        records: Records::default(),
        policy,
        plan: settings.plan,
        dry_run: settings.dry_run,
        lock_timeout: settings.terms.lock_timeout(),
        notify,
        replay: None,
    })
}

/// The pass that was recorded.
fn replayed(folder: &Path) -> Result<run::Settings, Failure> {
    let snapshot = snapshot::load(folder).map_err(anyhow::Error::from)?;
    Ok(run::Settings {
        roll: Roll {
            named: PathBuf::from(&snapshot.roll),
            target: PathBuf::from(&snapshot.roll_path),
        },
        state: PathBuf::new(),
        surroundings: Surroundings::default(),
        records: Records::default(),
        policy: snapshot.policy.clone(),
        plan: None,
        dry_run: true,
        lock_timeout: Duration::ZERO,
        notify: None,
        replay: Some(snapshot),
    })
}

/// Looks once, and saves all that a pass goes by. Returns the files.
pub(super) async fn record(
    settings: reconcile::Settings,
    folder: &Path,
) -> Result<[PathBuf; 2], Failure> {
    let at = whereabouts(&settings.environment);
    let recorded = run::record(&of_the_pass(settings)?, at).await?;
    Ok(snapshot::save(recorded, folder).map_err(anyhow::Error::from)?)
}

fn whereabouts(environment: &Environment) -> Whereabouts {
    let text = |path: Option<PathBuf>| path?.to_str().map(str::to_owned);
    Whereabouts {
        made_by: format!("headcount {}", env!("HEADCOUNT_BUILD")),
        home: text(environment.home.clone()),
        claude_home: text(claude_home(environment)),
    }
}

pub(super) async fn init(settings: init::Settings) -> Result<init::Made, Failure> {
    let named = match settings.registry {
        Some(named) => named,
        None => match find_here() {
            Ok(roll) => roll.named,
            Err(FindError::None { folder }) => folder.join(".hermes/agent-sessions.yaml"),
            Err(error) => return Err(error.into()),
        },
    };
    no_archive(&Roll::at(named.clone()))?;
    let made = run::init(&named, &settings.state_dir, PATIENCE).await?;
    Ok(match made {
        run::Made::Created => init::Made::Created(named),
        run::Made::Settled => init::Made::Settled(named),
    })
}

pub(super) fn validate(settings: validate::Settings) -> Result<validate::Findings, Failure> {
    let roll = locate(settings.registry)?;
    let contents = read(&roll).map_err(|error| Failure {
        exit: Exit::RollUnreadable,
        why: error.to_string(),
    })?;
    let checked = check(&contents.text);
    Ok(validate::Findings {
        roll: roll.named,
        rows: checked.rows,
        faults: checked
            .faults
            .into_iter()
            .map(|fault| validate::Fault {
                line: Some(fault.line),
                column: Some(fault.column),
                grave: fault.grave,
                what: fault.what,
            })
            .collect(),
    })
}

/// Refuses an archive where a roll is meant that is kept right: what is in it is over, and nothing is to be added to it.
fn no_archive(roll: &Roll) -> Result<(), Failure> {
    let Some(of) = archive_of(roll) else {
        return Ok(());
    };
    let (path, of) = (roll.named.display(), of.display());
    Err(anyhow::anyhow!(
        "{path} is an archive, where `headcount prune` keeps rows that it took out of {of}: name {of}; \
         `headcount status --all --registry {path}` shows what the archive has"
    )
    .into())
}

/// The roll that this is an archive of, if it is one.
pub(super) fn archive_of(roll: &Roll) -> Option<PathBuf> {
    archive::roll_of(&roll.named).or_else(|| archive::roll_of(&roll.target))
}

fn locate(named: Option<PathBuf>) -> Result<Roll, Failure> {
    match named {
        Some(named) => Ok(Roll::at(named)),
        None => Ok(find_here()?),
    }
}

fn find_here() -> Result<Roll, FindError> {
    find::locate(Path::new("."), rustix::process::getuid().as_raw())
}

impl From<FindError> for Failure {
    fn from(error: FindError) -> Self {
        Self {
            exit: Exit::RollUnreadable,
            why: error.to_string(),
        }
    }
}

/// Where things are, as far as the environment says.
pub(super) fn surroundings(environment: &Environment) -> Surroundings {
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
        Self::from(&error)
    }
}

impl From<&RunError> for Failure {
    fn from(error: &RunError) -> Self {
        let exit = match error {
            RunError::Unreadable(_) | RunError::NotYaml { .. } => Exit::RollUnreadable,
            RunError::NotWritten(_)
            | RunError::NotCreated(_)
            | RunError::State(_)
            | RunError::NotNoted { .. }
            | RunError::Contended { .. }
            | RunError::AnotherLoop { .. }
            | RunError::AnotherWorker { .. }
            | RunError::NotKept(_)
            | RunError::LoopLock(_) => Exit::Failed,
        };
        Self {
            exit,
            why: error.to_string(),
        }
    }
}
