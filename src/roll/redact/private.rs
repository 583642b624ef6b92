//! What of a value that is read is kept, and what takes the place of the rest.

use crate::core::ids::{AgentKind, Timestamp};

/// The longest word that is kept, in bytes. What is longer is no word of a program's.
const LONGEST: usize = 128;

/// The longest name of a program that is kept, in bytes: longer ones may be keys.
const LONGEST_PROGRAM: usize = 32;

/// A value of `pane.cmd`, if anything of it has to go: of a command only the program is left, and its arguments may
/// say anything.
pub(super) fn command(cmd: &str) -> Option<String> {
    let mut words = cmd.split_whitespace();
    let first = words.next()?;
    let alone = words.next().is_none();
    let program = is_program(first).then_some(first);
    if alone && program.is_some() {
        return None;
    }
    // An agent is read from what stands after the last slash, wherever that is.
    let agent = cmd.contains('/').then(|| named(cmd)).flatten();
    let rest = agent.map_or_else(
        || "removed".to_owned(),
        |agent| format!("removed/{}", agent.name()),
    );
    let left = program.map_or_else(|| rest.clone(), |program| format!("{program} {rest}"));
    (left != cmd).then_some(left)
}

/// Whether a text can be an id: one word without signs that ids do not have.
pub(super) fn is_id(text: &str) -> bool {
    text.len() <= LONGEST
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.' | b':'))
}

/// Whether a text is one plain word, such as a status.
pub(super) fn is_word(text: &str) -> bool {
    text.len() <= LONGEST_PROGRAM
        && text
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-'))
}

/// Whether a text is a time, or nothing.
pub(super) fn is_time(text: &str) -> bool {
    text.is_empty() || Timestamp::parse(text).is_some()
}

/// The agent that a command starts, as far as it is known: all that is read of a row's `start_command`.
pub(super) fn starts(command: &str) -> Option<AgentKind> {
    named(command.split_whitespace().next()?)
}

/// The agent that a label such as `claude-code` is about.
pub(super) fn labelled(label: &str) -> Option<AgentKind> {
    AgentKind::named(label.split('-').next().unwrap_or(label))
}

fn named(path: &str) -> Option<AgentKind> {
    AgentKind::named(file_name(path))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_program(word: &str) -> bool {
    word.len() <= LONGEST
        && file_name(word).len() <= LONGEST_PROGRAM
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '~' | '/'))
}
