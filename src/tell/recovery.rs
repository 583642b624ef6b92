//! How what was cut off is taken up again, as lines for a shell: all that is no command is a comment.

use std::io::{self, Write};

use super::visible::{is_treacherous, readable, readable_name, visible};
use crate::core::ids::ServerName;
use crate::core::interrupted::Interrupted;
use crate::core::resume::Resume;

/// Which command is told of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The one that takes the conversation up again.
    Bare,
    /// The same in a new session of its name.
    InTmux,
}

/// Writes one list of commands, by tmux server; below the name of the roll, if that is given. Nothing of one that has
/// no sessions.
///
/// # Errors
/// When the writer fails.
pub fn write(
    roll: Option<&str>,
    sessions: &[Interrupted],
    form: Form,
    out: &mut dyn Write,
) -> io::Result<()> {
    if let Some(roll) = roll.filter(|_| !sessions.is_empty()) {
        writeln!(out, "# {}\n", name(roll))?;
    }
    let mut server: Option<&ServerName> = None;
    for session in sessions {
        if server != Some(&session.server) {
            if server.is_some() {
                writeln!(out)?;
            }
            writeln!(out, "# tmux server {}", name(session.server.as_str()))?;
            server = Some(&session.server);
        }
        let name = name(session.name.as_str());
        match command(session, form) {
            Ok(command) => writeln!(out, "# {name}\n{command}")?,
            Err(why) => writeln!(out, "# {name}: not possible: {}", visible(&readable(&why)))?,
        }
    }
    if roll.is_some() && !sessions.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// The command, or why there is none.
fn command(session: &Interrupted, form: Form) -> Result<&str, String> {
    let command = match (&session.resume, form) {
        (Resume::Not(why), _) => return Err(why.clone()),
        (Resume::ByAfter(_, who), _) => {
            return Err(format!("{who} has its conversation"));
        }
        (Resume::By(command), Form::Bare) => command,
        (Resume::By(_), Form::InTmux) => session
            .in_tmux
            .as_ref()
            .ok_or("a session of its name is there: resume it in that one")?,
    };
    if command.contains(is_treacherous) {
        return Err("the command has characters that cannot be shown; --json has it".to_owned());
    }
    Ok(command)
}

fn name(name: &str) -> String {
    visible(&readable_name(name)).into_owned()
}
