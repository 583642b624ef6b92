//! `headcount prune`

use std::time::Duration;

use anyhow::anyhow;
use clap::Args;

use super::environment::Environment;
use super::{Failure, Places, joint, output};
use crate::core::ids::SessionName;
use crate::core::prune::Pruning;
use crate::exit::Exit;
use crate::run::Order;
use crate::tell::{json, pruning, wire};

/// The longest time that can be asked for, in days: a hundred years.
pub(super) const LONGEST: u64 = 36_525;

/// A day, in seconds.
pub(super) const DAY: u64 = 24 * 3600;

/// Take rows out of the roll that ended long ago, and keep them in an archive beside it
///
/// Only rows go that say stopped, terminated or archived since long enough, and whose sessions and processes one look
/// proves to be gone. They are added, whole and with their comments, to `agent-sessions.archive.yaml`, which is a roll
/// itself and only grows, and are on the disk there before the roll is changed. `headcount log` tells of each, and
/// `headcount undo` puts it back. Nothing prunes by itself.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Only these rows, and why each of them stays that does
    #[arg(value_name = "SESSION")]
    sessions: Vec<String>,
    /// How long ago a row must have ended: days, or 12h, 30d, 8w; ten minutes at least [default: `ended_days` in
    /// [retention] of headcount.toml beside the roll, else 30]
    #[arg(long, value_name = "DAYS", allow_hyphen_values = true, value_parser = age)]
    older_than: Option<Duration>,
    /// Say what would be pruned, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object, as schemas/pruning.schema.json describes it
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    places: Places,
}

const EXAMPLES: &str = "\
Exit codes: 0 done, 1 the roll is missing or unreadable, 2 a row that was named stays, or another error.

Examples:
  headcount prune --dry-run                        what ended more than 30 days ago?
  headcount prune --older-than 8w                  take out what ended more than eight weeks ago
  headcount prune --older-than 0 shop-old-claude   take out this one now, or say why not
  headcount status --all --registry .hermes/agent-sessions.archive.yaml
  headcount undo                                   what can be put back?";

/// `30`, `30d`, `12h` or `8w`.
fn age(text: &str) -> Result<Duration, String> {
    let (digits, unit) = match text.strip_suffix(['h', 'd', 'w']) {
        Some(digits) => (digits, &text[digits.len()..]),
        None => (text, "d"),
    };
    let unit = match unit {
        "h" => DAY / 24,
        "w" => 7 * DAY,
        _ => DAY,
    };
    let found = digits
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(unit));
    let found = found.filter(|secs| *secs <= LONGEST * DAY);
    found.map(Duration::from_secs).ok_or_else(|| {
        format!(
            "a whole number of days is needed, at most {LONGEST}, or a time like 12h, 30d or 8w"
        )
    })
}

pub(super) async fn run(arguments: Arguments, environment: &Environment) -> Result<Exit, Failure> {
    // Taken apart without `..`, so that no flag is accepted and then forgotten.
    let Arguments {
        sessions,
        older_than,
        dry_run,
        json,
        places,
    } = arguments;
    let each = !sessions.is_empty();
    let order = |retention: Duration| Order {
        named: sessions.into_iter().map(SessionName::new).collect(),
        older_than: older_than.unwrap_or(retention),
        dry_run,
    };
    let (done, trouble) = joint::prune(&places, environment, order).await?;
    output::print(|out| {
        if json {
            json::write(&wire::Pruning::from(&done), output::layout(), out)
        } else {
            pruning::write(&done, each, out)
        }
    })?;
    if !json {
        say(&done, each);
    }
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let missed = done.kept.len() + done.unknown.len();
    if each && missed > 0 {
        let said = match (missed, dry_run) {
            (1, false) => "1 row that was named was not pruned".to_owned(),
            (1, true) => "1 row that was named would not be pruned".to_owned(),
            (_, false) => format!("{missed} rows that were named were not pruned"),
            (_, true) => format!("{missed} rows that were named would not be pruned"),
        };
        return Err(anyhow!(said).into());
    }
    Ok(Exit::Done)
}

/// What a person may want to do now.
fn say(done: &Pruning, each: bool) {
    let is_odd = |word: &str| !matches!(word, "running" | "recent" | "ignored");
    let mut kept = done.kept.iter().filter_map(|row| row.kept.as_ref());
    if done.gone.is_empty() && !each {
        output::say("Nothing to prune.");
    } else if done.gone.iter().any(|gone| gone.number.is_some()) {
        output::say("`headcount undo NUMBER` puts one back.");
    }
    if !each && kept.any(|kept| is_odd(kept.as_str())) {
        output::say("`headcount prune --dry-run SESSION` tells why one stays, --json of each.");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{DAY, age};

    #[test]
    fn an_age_is_in_days_unless_it_says_otherwise() {
        for (text, secs) in [
            ("0", 0),
            ("30", 30 * DAY),
            ("30d", 30 * DAY),
            ("12h", DAY / 2),
            ("8w", 56 * DAY),
        ] {
            assert_eq!(age(text), Ok(Duration::from_secs(secs)), "{text}");
        }
        for text in [
            "",
            "d",
            "-1",
            "1.5",
            "3m",
            "1 d",
            "99999999999999999999",
            "36526",
            "é",
        ] {
            assert!(age(text).is_err(), "{text}");
        }
    }
}
