//! What was checked, for a person.

use std::io::{self, Write};

use super::paint::{Hue, Paint};
use super::sentence::counted;
use super::visible::{readable, visible};
use super::wrap::wrap;
use crate::core::checkup::{Check, Health};

/// How it is to be shown.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// How many columns there are; `None` where nobody looks, and a line may be as long as it is.
    pub width: Option<usize>,
    /// Whether colours are used.
    pub paint: Paint,
}

/// The narrowest that can be read.
const NARROWEST: usize = 40;

/// Before what is told of a check: how it is.
const HEALTH: usize = 9;

/// Writes what was checked, in its order, and first how many things are not well.
///
/// # Errors
/// When the writer fails.
pub fn write(checks: &[Check], form: Form, out: &mut dyn Write) -> io::Result<()> {
    let count = |health| checks.iter().filter(|check| check.health == health).count();
    let (ill, unwise) = (count(Health::Trouble), count(Health::Warning));
    let (word, hue) = match (ill, unwise) {
        (0, 0) => ("well", Hue::Good),
        (0, _) => ("well, with warnings", Hue::Notice),
        _ => ("trouble", Hue::Bad),
    };
    let troubles = if ill == 0 {
        "no trouble".to_owned()
    } else {
        counted(ill, "trouble")
    };
    let warnings = if unwise == 0 {
        "no warning".to_owned()
    } else {
        counted(unwise, "warning")
    };
    writeln!(
        out,
        "{}: {}, {troubles}, {}",
        form.paint.of(hue, word),
        counted(checks.len(), "check"),
        warnings
    )?;
    writeln!(out)?;
    for check in checks {
        let text = format!("{}: {}", check.name, check.said);
        tell(check, &text, form, out)?;
    }
    Ok(())
}

fn tell(check: &Check, text: &str, form: Form, out: &mut dyn Write) -> io::Result<()> {
    let hue = match check.health {
        Health::Trouble => Hue::Bad,
        Health::Warning => Hue::Notice,
        Health::Well => Hue::Good,
        Health::Unused => Hue::Faint,
    };
    let word = check.health.as_str();
    for (at, line) in lines(text, form, HEALTH).into_iter().enumerate() {
        let before = if at == 0 {
            format!(
                "{}{}",
                form.paint.of(hue, word),
                " ".repeat(HEALTH - word.len())
            )
        } else {
            " ".repeat(HEALTH)
        };
        writeln!(out, "{before}{line}")?;
    }
    if let Some(remedy) = &check.remedy {
        for (at, line) in lines(remedy, form, HEALTH + 4).into_iter().enumerate() {
            let arrow = if at == 0 { " -> " } else { "    " };
            writeln!(out, "{}{arrow}{line}", " ".repeat(HEALTH))?;
        }
    }
    Ok(())
}

fn lines(text: &str, form: Form, before: usize) -> Vec<String> {
    let text = readable(&visible(text));
    match form.width {
        Some(width) => wrap(&text, width.max(NARROWEST) - before),
        None => vec![text],
    }
}
