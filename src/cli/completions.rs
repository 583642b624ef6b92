//! `headcount completions` and `headcount man`

use std::io;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Failure, output};
use crate::exit::Exit;

/// Print what a shell needs to complete this command line
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headcount completions bash > ~/.local/share/bash-completion/completions/headcount
  headcount completions zsh > \"${fpath[1]}/_headcount\"
  headcount completions fish > ~/.config/fish/completions/headcount.fish")]
pub(super) struct Arguments {
    /// Which shell
    shell: Shell,
}

/// Print a manual page
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headcount man > ~/.local/share/man/man1/headcount.1
  headcount man reconcile > ~/.local/share/man/man1/headcount-reconcile.1")]
pub(super) struct ManArguments {
    /// Of which command; without one, of the program
    command: Option<String>,
}

pub(super) fn run(arguments: &Arguments, mut program: Command) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, "headcount", &mut text);
    output::print(|out| out.write_all(&text))?;
    Ok(Exit::Done)
}

pub(super) fn man(arguments: &ManArguments, mut program: Command) -> Result<Exit, Failure> {
    program.build();
    let page = match &arguments.command {
        None => program,
        Some(named) => {
            let names = program.get_subcommands().map(Command::get_name);
            let names = names.collect::<Vec<_>>().join(", ");
            let command = program.find_subcommand(named);
            command.cloned().ok_or_else(|| Failure {
                exit: Exit::Failed,
                why: format!("there is no command {named}; there are: {names}"),
            })?
        }
    };
    output::print(|out| page_of(page, out))?;
    Ok(Exit::Done)
}

fn page_of(command: Command, out: &mut dyn io::Write) -> io::Result<()> {
    let title = command.get_display_name().unwrap_or("headcount").to_owned();
    Man::new(command)
        .title(title)
        .manual("headcount")
        .source(format!("headcount {}", env!("CARGO_PKG_VERSION")))
        .render(&mut &mut *out)
}
