//! `headcount.toml`, beside the roll: what a project wants otherwise than headcount does by itself. Flags go before
//! it. The only file that names the TOML reader.

use std::fs::{self, File};
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use glob::Pattern;
use serde::{Deserialize, Deserializer, de};

use super::Failure;
use crate::exit::Exit;

/// No such file is longer, in bytes.
const LONGEST: u64 = 64 << 10;

/// What the file says. A key that is not there changes nothing; one that is not known is an error, since it is
/// a mistake.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// `ignore`: the names of sessions that are left alone; `*`, `?` and `[abc]` are patterns.
    #[serde(default, deserialize_with = "patterns")]
    pub(super) ignore: Vec<Pattern>,
    /// `agent_infixes`: what stands between a project's and an agent's name in the name of a session.
    pub(super) agent_infixes: Option<Vec<String>>,
    /// `grace`, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub(super) grace: Option<Duration>,
    /// `notify`: the command that a bare `--notify` runs.
    pub(super) notify: Option<String>,
    /// `[retention]`: how long what is over is kept.
    #[serde(default)]
    pub(super) retention: Retention,
    /// `spawn_grace`, in seconds.
    #[serde(default, deserialize_with = "seconds")]
    pub(super) spawn_grace: Option<Duration>,
}

/// What `[retention]` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Retention {
    /// `ended_days`: how long ago a row must have ended for `headcount prune` to take it out, in days.
    #[serde(default, deserialize_with = "days")]
    pub(super) ended_days: Option<Duration>,
}

impl Config {
    /// Reads the file beside a roll, if there is one.
    pub(super) fn beside(roll: &Path) -> Result<Self, Failure> {
        let path = roll.with_file_name("headcount.toml");
        read(&path).map_err(|why| Failure {
            exit: Exit::Failed,
            why: format!("{}: {why}", path.display()),
        })
    }
}

fn read(path: &PathBuf) -> Result<Config, String> {
    // Before it is opened: whoever opens a pipe waits for somebody to write to it.
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err("it is not a file".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Config::default()),
        Err(error) => return Err(error.to_string()),
    }
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    file.take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())?;
    if text.len() as u64 > LONGEST {
        return Err("it is too long".to_owned());
    }
    let config: Config = toml::from_str(&text).map_err(|error| error.to_string())?;
    let infixes = config.agent_infixes.iter().flatten();
    if infixes.into_iter().any(String::is_empty) {
        return Err(
            "an empty text in `agent_infixes` would make every session an agent's".to_owned(),
        );
    }
    Ok(config)
}

fn patterns<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Pattern>, D::Error> {
    Vec::<String>::deserialize(from)?
        .iter()
        .map(|text| {
            Pattern::new(text).map_err(|error| {
                de::Error::custom(format!("`{text}` is no pattern: {}", error.msg))
            })
        })
        .collect()
}

fn days<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let days = u64::deserialize(from)?;
    if days > super::prune::LONGEST {
        return Err(de::Error::custom(
            "no row is kept for longer than 36525 days",
        ));
    }
    Ok(Some(Duration::from_secs(days * super::prune::DAY)))
}

fn seconds<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    let seconds = u64::deserialize(from)?;
    if seconds > super::terms::LONGEST {
        return Err(de::Error::custom(
            "nothing is waited for longer than a day, 86400 s",
        ));
    }
    Ok(Some(Duration::from_secs(seconds)))
}
