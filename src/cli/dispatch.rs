//! `headcount dispatch`

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::environment::Environment;
use super::{Failure, Places, joint, output};
use crate::exit::Exit;
use crate::kanban::{Hermes, Lane, Order, SKILL, typed};
use crate::program;

/// Make the kanban card that the watch reports to
///
/// Prints the `hermes kanban create` call, or carries it out with --create. Made twice for one roll, it is one
/// card.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  headcount dispatch                          the call that would make the card
  headcount dispatch --create                 make it, once, and say what to start
  headcount dispatch --lane model --create    a card for a model that runs headcount")]
pub(super) struct Arguments {
    /// Who works on the card
    #[arg(long, value_enum, default_value_t)]
    lane: LaneName,
    /// Carry it out instead of printing it
    #[arg(long)]
    create: bool,
    /// Who gets the card [default: `default` for the model lane, nobody for the direct one]
    #[arg(long, value_name = "NAME")]
    assignee: Option<String>,
    /// How long a model may work on it
    #[arg(long, value_name = "TIME", default_value = "8h", allow_hyphen_values = true, value_parser = checked)]
    max_runtime: String,
    /// The board [default: $HERMES_KANBAN_BOARD, else the one that hermes uses]
    #[arg(long, value_name = "SLUG")]
    board: Option<String>,
    /// The hermes program [default: the one on the PATH]
    #[arg(long, value_name = "PATH")]
    hermes: Option<PathBuf>,
    #[command(flatten)]
    places: Places,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LaneName {
    /// headcount itself, without a model
    #[default]
    Direct,
    /// A model in goal mode that runs headcount
    Model,
}

fn checked(text: &str) -> Result<String, String> {
    super::worker::duration(text).map(|_| text.to_owned())
}

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    let Arguments {
        lane,
        create,
        assignee,
        max_runtime,
        board,
        hermes,
        places:
            Places {
                registry,
                state_dir: _,     // nothing is kept in mind of this
                beside_others: _, // it is of one roll
            },
    } = arguments;
    let board = board.or_else(|| environment.kanban_board.clone());
    let (roll, project) = joint::project(registry.or_else(|| environment.registry.clone()))?;
    let path = environment.path.as_deref();
    let hermes = Hermes::find(hermes.as_deref(), path, board.as_deref());
    let (called, program) = program::this(path);
    let order = Order {
        lane: match lane {
            LaneName::Direct => Lane::Direct,
            LaneName::Model => Lane::Model,
        },
        program: match lane {
            LaneName::Direct => called,
            LaneName::Model => program,
        },
        hermes: hermes
            .as_ref()
            .ok()
            .map(|hermes| hermes.program().to_owned()),
        key: format!("headcount:{}", roll.display()),
        project,
        roll,
        assignee,
        max_runtime,
    };
    let card = if create {
        let hermes = hermes.map_err(anyhow::Error::from)?;
        let lacking = hermes.lacks().await.map_err(anyhow::Error::from)?;
        if !lacking.is_empty() {
            return Err(anyhow::anyhow!(
                "this hermes has no {}, which headcount needs: install another release (0.19 has all of it)",
                lacking.join(", no ")
            )
            .into());
        }
        let made = hermes
            .create(&order.arguments())
            .await
            .map_err(anyhow::Error::from)?;
        if let Some(hindrance) = order.hindrance(&made) {
            return Err(anyhow::anyhow!(hindrance).into());
        }
        let id = made.get("id").and_then(serde_json::Value::as_str);
        id.unwrap_or_default().to_owned()
    } else {
        let mut command: Vec<OsString> = vec!["hermes".into(), "kanban".into()];
        if let Some(board) = &board {
            command.extend(["--board".into(), board.into()]);
        }
        command.push("create".into());
        command.extend(order.arguments());
        output::print(|out| writeln!(out, "{}", typed(&command)))?;
        "ID".to_owned()
    };
    if create {
        output::print(|out| writeln!(out, "{card}"))?;
    }
    if order.lane == Lane::Model {
        output::say(&format!(
            "The model reads the skill {SKILL}: if `hermes skills list` does not name it, copy its folder from \
             headcount's skills/ to ~/.hermes/skills/"
        ));
    } else {
        let worker = typed(&order.worker(board.as_deref(), &card));
        if create {
            output::say(&format!("Now start: {worker}"));
        } else {
            output::print(|out| writeln!(out, "{worker}"))?;
        }
    }
    Ok(Exit::Done)
}
