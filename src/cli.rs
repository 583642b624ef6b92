//! The command line: arguments and environment in, output and an exit code out.

mod ack;
mod apply;
mod completions;
mod config;
mod demo;
mod dispatch;
mod doctor;
mod environment;
mod explain;
mod init;
mod joint;
mod log;
mod output;
mod paint;
mod plan;
mod prune;
mod push;
mod reconcile;
mod record;
mod replay;
mod resume;
mod rolls;
mod schema;
mod screen;
mod seconds;
mod signal;
mod status;
mod terms;
mod undo;
mod validate;
mod watch;
mod worker;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use clap::error::{ContextKind, ErrorKind};
use clap::{ArgAction, Args, CommandFactory as _, Parser, Subcommand};
use tracing::level_filters::LevelFilter;

use crate::exit::Exit;
use environment::Environment;

/// The flag that decides what an error's code is, even that of a wrong usage.
const DETAILED: &str = "--detailed-exitcode";

/// Takes the roll of the coding agents on this machine.
///
/// The roll, .hermes/agent-sessions.yaml, says which agent sessions should be there. tmux, the process table
/// and each agent's own files say which are. headcount compares the two, names every difference, and corrects
/// the roll where the truth is proven. It never starts, stops or types into a session.
#[derive(Debug, Parser)]
#[command(name = "headcount", version = env!("HEADCOUNT_BUILD"), after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    talk: Talk,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  headcount demo                                             see it work, on a private tmux server
  headcount status                                           how does every session stand?
  headcount watch                                            the same, live, on the whole screen
  headcount reconcile --dry-run --emit-diff --format table   what differs? (writes nothing)
  headcount reconcile --once --emit-diff                     correct the roll, tell it as JSON";

/// How much is logged, on standard error.
#[derive(Debug, Args)]
struct Talk {
    /// Log more: what is done (-v), why (-vv), everything (-vvv)
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Logging")]
    verbose: u8,
    /// Log errors only
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        help_heading = "Logging"
    )]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Status(status::Arguments),
    Watch(screen::Arguments),
    Explain(explain::Arguments),
    Resume(resume::Arguments),
    Doctor(doctor::Arguments),
    Reconcile(reconcile::Arguments),
    Plan(plan::Arguments),
    Diff(plan::DiffArguments),
    Apply(apply::Arguments),
    Record(record::Arguments),
    Log(log::Arguments),
    Undo(undo::Arguments),
    Ack(ack::Arguments),
    Prune(prune::Arguments),
    Worker(worker::Arguments),
    Dispatch(dispatch::Arguments),
    Init(init::Arguments),
    Validate(validate::Arguments),
    Schema(schema::Arguments),
    Demo(demo::Arguments),
    Completions(completions::Arguments),
    Man(completions::ManArguments),
}

/// Which roll, and where what is known of it is kept.
#[derive(Debug, Args)]
struct Places {
    /// The roll [default: $AGENT_SESSIONS_YAML, else the nearest .hermes/agent-sessions.yaml at or above
    /// the working folder]
    #[arg(long, value_name = "PATH")]
    registry: Option<PathBuf>,
    /// The state folder [default: $AGENT_SESSIONS_STATE_DIR, else ~/.local/state/headcount]
    #[arg(long, value_name = "PATH")]
    state_dir: Option<PathBuf>,
    /// Whether other rolls are looked after by the same run.
    #[arg(skip)]
    beside_others: bool,
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    why: String,
}

impl Failure {
    /// Says why, and returns what it comes to.
    fn tell(self) -> Exit {
        output::say(&format!("ERROR: {}", self.why));
        self.exit
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self {
            exit: Exit::Failed,
            why: said(&error),
        }
    }
}

/// What happened, and why as far as that does not say it itself, as most errors do.
fn said(error: &anyhow::Error) -> String {
    let mut said = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !said.contains(&cause) {
            said = format!("{said}: {cause}");
        }
    }
    said
}

/// Runs the command line, and returns the code to end with.
pub async fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let detailed = arguments.iter().any(|argument| argument == DETAILED);
    let exit = match Arguments::try_parse_from(&arguments) {
        Ok(arguments) => carry_out(arguments).await,
        Err(error) => explain(&error, &arguments),
    };
    exit.code(detailed)
}

async fn carry_out(Arguments { talk, command }: Arguments) -> Exit {
    // What is logged on a terminal would go across the screen that is shown there.
    if !(matches!(command, Command::Watch(_)) && io::stderr().is_terminal()) {
        talk.begin();
    }
    let environment = Environment::of_this_process();
    let command = match command {
        // A loop ends by its own rules.
        Command::Reconcile(arguments) if arguments.is_loop() => {
            let ended = reconcile::run(arguments, environment).await;
            return ended.unwrap_or_else(Failure::tell);
        }
        Command::Worker(arguments) => {
            let ended = worker::run(arguments, environment).await;
            return ended.unwrap_or_else(Failure::tell);
        }
        Command::Watch(arguments) => {
            let ended = screen::run(arguments, environment).await;
            return ended.unwrap_or_else(Failure::tell);
        }
        other => other,
    };
    let work = async {
        match command {
            Command::Status(arguments) => status::run(arguments, environment).await,
            Command::Watch(arguments) => screen::run(arguments, environment).await,
            Command::Explain(arguments) => explain::run(arguments, environment).await,
            Command::Resume(arguments) => resume::run(arguments, environment).await,
            Command::Doctor(arguments) => doctor::run(arguments, environment).await,
            Command::Reconcile(arguments) => reconcile::run(arguments, environment).await,
            Command::Plan(arguments) => plan::run(arguments, environment).await,
            Command::Diff(arguments) => plan::diff(arguments, environment).await,
            Command::Apply(arguments) => apply::run(arguments, environment).await,
            Command::Record(arguments) => record::run(arguments, environment).await,
            Command::Log(arguments) => log::run(arguments, &environment),
            Command::Ack(arguments) => ack::run(arguments, &environment).await,
            Command::Prune(arguments) => prune::run(arguments, &environment).await,
            Command::Undo(arguments) => undo::run(arguments, &environment).await,
            Command::Worker(arguments) => worker::run(arguments, environment).await,
            Command::Dispatch(arguments) => dispatch::run(arguments, environment).await,
            Command::Init(arguments) => init::run(arguments, environment).await,
            Command::Validate(arguments) => validate::run(arguments, environment),
            Command::Schema(arguments) => schema::run(&arguments),
            Command::Demo(arguments) => demo::run(arguments, environment).await,
            Command::Completions(arguments) => completions::run(&arguments, Arguments::command()),
            Command::Man(arguments) => completions::man(&arguments, Arguments::command()),
        }
    };
    let done = tokio::select! {
        done = work => done,
        // Whatever is under way ends where it waits, so no file is left half written.
        exit = signal::received() => Ok(exit),
    };
    done.unwrap_or_else(Failure::tell)
}

/// Tells what is wrong with the arguments, or what was asked about them.
fn explain(error: &clap::Error, arguments: &[OsString]) -> Exit {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let text = error.render().to_string();
            let printed = output::print(|out| writeln!(out, "{}", text.trim_end()));
            return printed.map_or_else(Failure::tell, |()| Exit::Done);
        }
        ErrorKind::UnknownArgument => {
            let unknown = error.get(ContextKind::InvalidArg);
            let unknown = unknown.map_or_else(String::new, ToString::to_string);
            output::say(&format!("ERROR: unknown arg: {unknown}"));
            let command = Arguments::command();
            let mut commands = command.get_subcommands().map(clap::Command::get_name);
            let named = commands.find(|name| arguments.iter().skip(1).any(|it| it == name));
            let named = named.map_or_else(String::new, |name| format!("{name} "));
            output::say(&format!("Try: headcount {named}--help"));
        }
        _ => {
            let text = error.render().to_string();
            output::say(&text.replacen("error: ", "ERROR: ", 1));
        }
    }
    Exit::Failed
}

impl Talk {
    fn begin(&self) {
        let level = match (self.quiet, self.verbose) {
            (true, _) => LevelFilter::ERROR,
            (_, 0) => LevelFilter::WARN,
            (_, 1) => LevelFilter::INFO,
            (_, 2) => LevelFilter::DEBUG,
            (_, _) => LevelFilter::TRACE,
        };
        // Should somebody have set up logging before, theirs stays.
        let _ = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_writer(io::stderr)
            .with_target(false)
            .with_ansi(false)
            .without_time()
            .try_init();
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use clap::CommandFactory as _;

    use super::{Arguments, said};

    #[test]
    fn the_arguments_contradict_nothing() {
        Arguments::command().debug_assert();
    }

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read it: {source}; look there")]
    struct SaysWhy {
        source: io::Error,
    }

    #[test]
    fn a_cause_is_told_once() {
        let why = || io::Error::other("full");
        let says_why = || anyhow::Error::from(SaysWhy { source: why() });
        assert_eq!(said(&says_why()), "cannot read it: full; look there");
        let about = says_why().context("nothing is known");
        assert_eq!(
            said(&about),
            "nothing is known: cannot read it: full; look there"
        );
        let about = anyhow::Error::from(why()).context("cannot read it");
        assert_eq!(said(&about), "cannot read it: full");
    }
}
