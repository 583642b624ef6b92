//! `headcount doctor`

use std::time::Duration;

use clap::Args;

use super::environment::Environment;
use super::paint::Colours;
use super::{Failure, Places, joint, output, push};
use crate::core::checkup::{Check, Health, of_look};
use crate::exit::Exit;
use crate::look::version::version;
use crate::mqtt;
use crate::program;
use crate::tell::checkup::{Form, write};
use crate::tell::{json, wire};

/// How long another program, or a broker, may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// The oldest tmux that headcount is known to understand.
const OLDEST_TMUX: (u32, u32) = (3, 2);

/// Check everything that can make headcount blind or wrong, and tell what to do about it
///
/// It only looks: at the roll and its lock, the state folder, tmux and its servers, the process table, the agents'
/// folders and how long they keep conversations, other writers, the clock, and what MQTT_BROKER and hermes say.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Print one JSON object, as schemas/checkup.schema.json describes it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    colours: Colours,
    #[command(flatten)]
    places: Places,
}

const EXAMPLES: &str = "\
Exit codes: 0 all is well, warnings or not, 1 something makes headcount blind or wrong, 2 another error.

Examples:
  headcount doctor
  headcount doctor --json | jq -r '.checks[] | select(.health == \"trouble\") | .remedy'";

pub(super) async fn run(arguments: Arguments, environment: Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        json,
        colours,
        places,
    } = arguments;
    let (look, tmux, hermes, broker) = tokio::join!(
        look(places, &environment),
        tmux(&environment),
        hermes(&environment),
        broker(&environment),
    );
    let mut checks = look;
    checks.extend([tmux, locale(&environment), hermes, broker]);
    // The worst first; within that, in the order in which things depend on each other.
    checks.sort_by_key(|check| check.health);
    let form = Form {
        width: output::columns(&environment),
        paint: colours.paint(),
    };
    output::print(|out| {
        if json {
            json::write(&wire::Checkup::new(&checks), output::layout(), out)
        } else {
            write(&checks, form, out)
        }
    })?;
    let is_ill = checks.iter().any(|check| check.health == Health::Trouble);
    Ok(if is_ill { Exit::Unwell } else { Exit::Done })
}

/// The roll, what is beside it, and what a look at the machine sees.
async fn look(places: Places, environment: &Environment) -> Vec<Check> {
    let mut checks = joint::inspect(&places, environment);
    match joint::survey(places, None, environment).await {
        Ok(view) => checks.extend(of_look(view.survey.scope())),
        Err(failure) => {
            // Mostly it is the roll, and told already.
            if !checks.iter().any(|it| it.health == Health::Trouble) {
                let remedy = "put this right first: until then no pass can be made";
                checks.push(Check::trouble("look", failure.why, remedy));
            }
            let survey = joint::survey_without_roll(environment).await;
            checks.extend(of_look(survey.scope()));
        }
    }
    checks
}

async fn tmux(environment: &Environment) -> Check {
    let Some(found) = program::find("tmux", environment.path.as_deref()) else {
        return Check::trouble(
            "tmux",
            "it is not installed, or not on the PATH: no session can be seen",
            "install tmux, or name its folder in PATH",
        );
    };
    let at = found.display();
    match version(&found, "-V", PATIENCE).await {
        Err(why) => Check::trouble(
            "tmux",
            format!("{at}: {why}"),
            "see whether `tmux -V` works by itself",
        ),
        Ok(said) => match numbers(&said) {
            Some(number) if number < OLDEST_TMUX => Check::warning(
                "tmux",
                format!("{at} is {said}, and headcount is tested with 3.2 and newer"),
                "a newer tmux",
            ),
            _ => Check::well("tmux", format!("{at} is {said}")),
        },
    }
}

/// `3.3a` in `tmux 3.3a`, as far as it counts.
fn numbers(said: &str) -> Option<(u32, u32)> {
    let at = said.find(|c: char| c.is_ascii_digit())?;
    let mut parts = said.get(at..)?.split(|c: char| !c.is_ascii_digit());
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    Some((major, minor))
}

fn locale(environment: &Environment) -> Check {
    let named = environment.locale.as_deref().unwrap_or("C");
    let lower = named.to_lowercase();
    if lower.contains("utf-8") || lower.contains("utf8") {
        Check::well("locale", format!("{named}: names in any script are read"))
    } else {
        Check::well(
            "locale",
            format!(
                "{named}, which is not UTF-8; headcount asks tmux for UTF-8 all the same (tmux -u)"
            ),
        )
    }
}

async fn hermes(environment: &Environment) -> Check {
    let Some(found) = program::find("hermes", environment.path.as_deref()) else {
        return Check::unused(
            "hermes",
            "it is not on the PATH: `headcount worker` has no board to report to",
        );
    };
    let at = found.display();
    match version(&found, "--version", PATIENCE).await {
        Ok(said) => Check::well("hermes", format!("{at} is {said}")),
        Err(why) => Check::warning(
            "hermes",
            format!("{at}: {why}"),
            "see whether `hermes --version` works by itself; only `headcount worker` needs it",
        ),
    }
}

async fn broker(environment: &Environment) -> Check {
    let (host, port) = match push::named_by(environment) {
        Ok(None) => {
            return Check::unused(
                "broker",
                "MQTT_BROKER is not set: `--subscribe` listens to localhost",
            );
        }
        Ok(Some(at)) => at,
        Err(error) => {
            return Check::trouble(
                "broker",
                format!("{error:#}"),
                "correct that variable of the environment",
            );
        }
    };
    match mqtt::reach(&host, port, PATIENCE).await {
        Ok(()) => Check::well("broker", format!("somebody answers at {host}:{port}")),
        Err(why) => Check::warning(
            "broker",
            format!("nobody answers at {host}:{port}: {why}"),
            "start the broker, or correct MQTT_BROKER and MQTT_PORT; without it, passes are made on the timer",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn the_numbers_of_a_version_are_found() {
        for (said, expected) in [
            ("tmux 3.3a", Some((3, 3))),
            ("tmux next-3.6", Some((3, 6))),
            ("tmux 2.9", Some((2, 9))),
            ("tmux master", None),
            ("tmux 4", Some((4, 0))),
        ] {
            assert_eq!(numbers(said), expected, "{said}");
        }
    }
}
