//! The command that takes a conversation up again. It is only told, never run.

use std::borrow::Cow;

use super::ids::{AgentKind, ConversationId, ServerName, SessionName};
use super::sighting::Sighting;
use super::standing::{Session, Sight};
use super::world::Artifact;

/// How a conversation can be taken up again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resume {
    /// By this command, for a shell.
    By(String),
    /// By this command, once whoever has the conversation now, or may have it, has ended: two at once would mix it up.
    /// Who that is.
    ByAfter(String, String),
    /// Not; why, as a sentence without a full stop.
    Not(String),
}

/// How the conversation of a session can be taken up again. `claude_home` is where Claude Code keeps its files if
/// nothing else is said.
#[must_use]
pub fn resume(session: &Session, claude_home: Option<&str>) -> Resume {
    let Some(conversation) = &session.conversation else {
        return Resume::Not("no conversation is recorded, and none was seen".to_owned());
    };
    let Some(id) = &conversation.id else {
        return Resume::Not("its conversation is not known yet".to_owned());
    };
    let agent = conversation.agent;
    match of_conversation(session, agent, id, &conversation.file, claude_home) {
        Err(why) => Resume::Not(why),
        Ok(command) => match in_the_way(session) {
            Some(who) => Resume::ByAfter(command, who),
            None => Resume::By(command),
        },
    }
}

/// The command that takes up a conversation of a session, whoever has it now.
///
/// # Errors
/// Why there is none, as a sentence without a full stop.
pub(super) fn of_conversation(
    session: &Session,
    agent: AgentKind,
    id: &ConversationId,
    file: &Sighting<Artifact>,
    claude_home: Option<&str>,
) -> Result<String, String> {
    let file = match file {
        Sighting::Present(artifact) => artifact.path.as_str(),
        Sighting::Absent(proof) => {
            return Err(format!("conversation {id} has no file ({proof})"));
        }
        Sighting::Unknown(reason) => {
            return Err(format!(
                "whether conversation {id} has a file could not be seen: {reason}"
            ));
        }
    };
    let words = words(agent, id).ok_or_else(|| {
        format!("headcount does not know how {agent} takes a conversation up again")
    })?;
    let elsewhere = (agent == AgentKind::Claude)
        .then(|| root_of(file))
        .flatten();
    let elsewhere = elsewhere.filter(|root| claude_home.is_some_and(|home| home != *root));
    command(session.folder.as_deref(), elsewhere, &words)
        .ok_or_else(|| "its folder or id has characters that no shell can be given".to_owned())
}

/// What each agent wants to be told.
fn words(agent: AgentKind, id: &ConversationId) -> Option<[String; 3]> {
    let (program, option) = match agent {
        AgentKind::Claude => ("claude", "--resume"),
        AgentKind::Agy => ("agy", "--conversation"),
        AgentKind::Codex => ("codex", "resume"),
        AgentKind::OpenCode => ("opencode", "--session"),
        AgentKind::Pi => ("pi", "--session"),
        AgentKind::Hermes => ("hermes", "--resume"),
        AgentKind::Cline => return None,
    };
    Some([program.to_owned(), option.to_owned(), id.to_string()])
}

/// Claude Code's folder, by where a transcript of it lies: `ROOT/projects/KEY/ID.jsonl`.
fn root_of(transcript: &str) -> Option<&str> {
    let mut parts = transcript.rsplitn(4, '/');
    let projects = parts.nth(2)?;
    parts
        .next()
        .filter(|root| projects == "projects" && !root.is_empty())
}

fn command(folder: Option<&str>, claude_root: Option<&str>, words: &[String]) -> Option<String> {
    let quoted = |text: &str| shlex::try_quote(text).ok().map(Cow::into_owned);
    let mut parts = Vec::new();
    if let Some(root) = claude_root {
        parts.push(format!("CLAUDE_CONFIG_DIR={}", quoted(root)?));
    }
    for word in words {
        parts.push(quoted(word)?);
    }
    let command = parts.join(" ");
    Some(match folder {
        // A folder whose name begins with a hyphen is no option.
        Some(folder) if folder.starts_with('-') => {
            format!("cd -- {} && {command}", quoted(folder)?)
        }
        Some(folder) => format!("cd {} && {command}", quoted(folder)?),
        None => command,
    })
}

/// The same command, run in a new session of that name; `None` where no shell can be given a part of it.
#[must_use]
pub fn in_tmux(
    server: &ServerName,
    name: &SessionName,
    folder: Option<&str>,
    command: &str,
) -> Option<String> {
    let by = if server.as_str().starts_with('/') {
        "-S"
    } else {
        "-L"
    };
    let (name, folder) = (literally(name.as_str()), folder.map(literally));
    let command = ended(command);
    let mut words = vec![
        "tmux",
        by,
        server.as_str(),
        "new-session",
        "-d",
        "-s",
        &name,
    ];
    if let Some(folder) = &folder {
        words.extend(["-c", folder]);
    }
    words.push(&command);
    shlex::try_join(words).ok()
}

/// A name or folder as tmux takes it: `#` begins a format, `#(…)` would even run a program.
fn literally(text: &str) -> String {
    ended(&text.replace('#', "##"))
}

/// A word as tmux takes it: a `;` at its end would end the command.
fn ended(word: &str) -> String {
    word.strip_suffix(';')
        .map_or_else(|| word.to_owned(), |rest| format!("{rest}\\;"))
}

/// Who has the conversation now, or may have it for all that is known.
fn in_the_way(session: &Session) -> Option<String> {
    if let Some(pid) = session.conversation.as_ref().and_then(|it| it.held_by) {
        return Some(format!("process {pid}"));
    }
    let process = session.live.as_ref().and_then(|live| live.process);
    let who = match &session.sight {
        Sight::Agent(_) | Sight::Several => {
            process.map_or_else(|| "its agent".to_owned(), |pid| format!("process {pid}"))
        }
        Sight::Moved => "its process".to_owned(),
        Sight::Unread(_) => "its agent, if one runs,".to_owned(),
        // What ended was seen to end, by a pass or by whoever wrote so.
        Sight::Unseen(_) | Sight::Doubtful(_) | Sight::NotHere if !session.is_ended() => {
            "its session, if it still runs,".to_owned()
        }
        _ => return None,
    };
    Some(who)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn of(agent: AgentKind, id: &str, folder: Option<&str>, root: Option<&str>) -> Option<String> {
        command(folder, root, &words(agent, &ConversationId::new(id))?)
    }

    #[test]
    fn each_agent_has_its_own_words() {
        let all = AgentKind::ALL.map(|agent| of(agent, "c1", Some("/srv/shop"), None));
        let expected = [
            Some("claude --resume c1"),
            Some("agy --conversation c1"),
            Some("codex resume c1"),
            Some("opencode --session c1"),
            Some("pi --session c1"),
            Some("hermes --resume c1"),
            None,
        ];
        assert_eq!(
            all,
            expected.map(|command| command.map(|it| format!("cd /srv/shop && {it}")))
        );
    }

    #[test]
    fn everything_is_quoted_for_the_shell() {
        let told = of(
            AgentKind::Claude,
            "it's; rm -rf ~",
            Some("/srv/my shop"),
            Some("/a b"),
        )
        .unwrap();
        assert_eq!(
            shlex::split(&told).unwrap(),
            [
                "cd",
                "/srv/my shop",
                "&&",
                "CLAUDE_CONFIG_DIR=/a b",
                "claude",
                "--resume",
                "it's; rm -rf ~"
            ]
        );
        assert_eq!(of(AgentKind::Claude, "a\0b", None, None), None);
        assert_eq!(
            of(AgentKind::Agy, "x", Some("-odd"), None).unwrap(),
            "cd -- -odd && agy --conversation x"
        );
    }

    #[test]
    fn a_new_session_of_its_name_is_made_on_its_own_server() {
        let of = |server: &str| {
            in_tmux(
                &ServerName::new(server),
                &SessionName::new("shop"),
                Some("/srv/my shop"),
                "cd '/srv/my shop' && claude --resume c1",
            )
        };
        let told = of("work").unwrap();
        assert_eq!(
            shlex::split(&told).unwrap(),
            [
                "tmux",
                "-L",
                "work",
                "new-session",
                "-d",
                "-s",
                "shop",
                "-c",
                "/srv/my shop",
                "cd '/srv/my shop' && claude --resume c1"
            ]
        );
        assert!(of("/tmp/sock").unwrap().starts_with("tmux -S /tmp/sock "));
    }

    #[test]
    fn nothing_in_a_name_or_folder_commands_tmux() {
        let told = in_tmux(
            &ServerName::new("work"),
            &SessionName::new("a#(touch x);"),
            Some("/srv/#{pid};"),
            "claude --resume c1;",
        );
        let words = shlex::split(&told.unwrap()).unwrap();
        assert_eq!(
            &words[6..],
            [
                "a##(touch x)\\;",
                "-c",
                "/srv/##{pid}\\;",
                "claude --resume c1\\;"
            ]
        );
    }

    #[test]
    fn a_root_is_told_by_its_transcripts() {
        assert_eq!(
            root_of("/home/u/.claude/projects/-srv/x.jsonl"),
            Some("/home/u/.claude")
        );
        assert_eq!(root_of("/elsewhere/-srv/x.jsonl"), None);
        assert_eq!(root_of("projects/k/x.jsonl"), None);
    }
}
