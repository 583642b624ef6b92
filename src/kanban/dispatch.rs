//! Making the card: the `hermes kanban create` call that works, for both ways of keeping watch.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Who works on the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A language model in goal mode, which runs headcount and is there for what needs judgement.
    Model,
    /// headcount itself: the assignee is no profile, so that no model is started.
    Direct,
}

/// The assignee of the direct lane. No profile is called so.
const NOBODY: &str = "headcount";

/// The skill that tells a model what to do.
pub const SKILL: &str = "tmux-agent-orchestrate-monitor";

/// A card that is to be made.
#[derive(Clone, Debug)]
pub struct Order {
    /// Who works on it.
    pub lane: Lane,
    /// The folder of the project.
    pub project: PathBuf,
    /// The roll.
    pub roll: PathBuf,
    /// The same for every order for this roll, so that there is one card.
    pub key: String,
    /// Who gets it, if that is not the usual one.
    pub assignee: Option<String>,
    /// How long it may be worked on, as the board writes it: `8h`.
    pub max_runtime: String,
    /// What starts headcount.
    pub program: PathBuf,
    /// What starts hermes, for whoever may have another `PATH`.
    pub hermes: Option<PathBuf>,
}

impl Order {
    /// The arguments of `hermes kanban create`.
    #[must_use]
    pub fn arguments(&self) -> Vec<OsString> {
        let name = self.project.file_name().map_or_else(
            || "this machine".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        );
        let mut workspace = OsString::from("dir:");
        workspace.push(&self.project);
        let mut arguments: Vec<OsString> = vec![
            format!("agent-sessions monitor: {name}").into(),
            "--assignee".into(),
            self.assignee().into(),
            "--workspace".into(),
            workspace,
            "--idempotency-key".into(),
            self.key.clone().into(),
            "--body".into(),
            self.body().into(),
        ];
        if self.lane == Lane::Model {
            for argument in [
                "--skill",
                SKILL,
                "--goal",
                "--goal-max-turns",
                "100",
                "--max-retries",
                "3",
                "--max-runtime",
                &self.max_runtime,
            ] {
                arguments.push(argument.into());
            }
        }
        arguments.push("--json".into());
        arguments
    }

    /// Who gets it.
    #[must_use]
    pub fn assignee(&self) -> &str {
        self.assignee.as_deref().unwrap_or(match self.lane {
            Lane::Model => "default",
            Lane::Direct => NOBODY,
        })
    }

    /// What is in the way where the board, which has one card for a key, gave one that was made earlier: what a
    /// person has to do about it.
    #[must_use]
    pub fn hindrance(&self, card: &serde_json::Value) -> Option<String> {
        let text = |key: &str| card.get(key).and_then(serde_json::Value::as_str);
        let id = text("id")?;
        let anew = format!("for a new one, `hermes kanban archive {id}` first");
        if text("status") == Some("done") {
            return Some(format!("card {id} of this roll is done: {anew}"));
        }
        if text("status") == Some("blocked") {
            return Some(format!(
                "card {id} of this roll is blocked: `hermes kanban unblock {id}` frees it; {anew}"
            ));
        }
        let assignee = text("assignee").filter(|it| *it != self.assignee())?;
        Some(format!(
            "card {id} of this roll is there already, for {assignee}: {anew}"
        ))
    }

    /// What starts headcount on a card of the direct lane.
    #[must_use]
    pub fn worker(&self, board: Option<&str>, card: &str) -> Vec<OsString> {
        let mut line = self.begin(["worker", "--claim", "--task", card]);
        if let Some(board) = board {
            line.extend(["--board".into(), board.into()]);
        }
        line
    }

    /// One turn of a model. Its shell is a login shell, whose `PATH` need not be the one that this was called with:
    /// so both programs are named in full.
    fn turn(&self) -> Vec<OsString> {
        let mut line = self.begin(["worker", "--turn", "20m"]);
        if let Some(hermes) = &self.hermes {
            line.extend(["--hermes".into(), hermes.into()]);
        }
        line
    }

    fn begin<const N: usize>(&self, arguments: [&str; N]) -> Vec<OsString> {
        let mut line: Vec<OsString> = vec![self.program.clone().into()];
        line.extend(arguments.map(OsString::from));
        line.extend(["--registry".into(), self.roll.clone().into()]);
        line
    }

    fn body(&self) -> String {
        match self.lane {
            Lane::Direct => {
                "headcount watches the agent sessions of this project and tells this card what \
                changes. To end it, comment: stop"
                    .to_owned()
            }
            Lane::Model => format!(
                "Watch the agent sessions of this project until a person comments: stop\n\n\
                 Run this in the foreground, with nothing beside it:\n\n    {}\n\n\
                 It looks, corrects the roll, comments on this card, gives signs of life, and blocks the card \
                 when a person asks it to stop. Only then is this done. While it ends with exit code 0 and the card \
                 is still running, the watch is not over: run the same line again, whatever else asks you to \
                 complete or to block the card. If it prints JSON lines with a \"relay\" key, it cannot reach the \
                 board: do what each says with your kanban tools. Any other exit code: comment its last line once, \
                 then block the card with kind \"needs_input\".",
                typed(&self.turn())
            ),
        }
    }
}

/// A command as a person can type it into a shell.
#[must_use]
pub fn typed(command: &[OsString]) -> String {
    let words: Vec<String> = command.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

fn quoted(word: &std::ffi::OsStr) -> String {
    let text = Path::new(word).display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        text
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(lane: Lane) -> Order {
        Order {
            lane,
            project: PathBuf::from("/src/my project"),
            roll: PathBuf::from("/src/my project/.hermes/agent-sessions.yaml"),
            key: "headcount:a1b2c3d4".to_owned(),
            assignee: None,
            max_runtime: "8h".to_owned(),
            program: PathBuf::from("/opt/head count/headcount"),
            hermes: Some(PathBuf::from("/opt/hermes")),
        }
    }

    #[test]
    fn the_title_comes_first_and_there_is_no_title_flag() {
        for lane in [Lane::Model, Lane::Direct] {
            let arguments = order(lane).arguments();
            assert_eq!(arguments[0], "agent-sessions monitor: my project");
            assert!(!arguments.contains(&OsString::from("--title")));
        }
    }

    #[test]
    fn no_model_is_started_for_the_direct_lane() {
        let arguments = order(Lane::Direct).arguments();
        assert_eq!(arguments[2], "headcount");
        assert!(!arguments.contains(&OsString::from("--goal")));
    }

    #[test]
    fn a_model_is_told_a_line_that_works_whatever_its_path_is() {
        let body = order(Lane::Model).body();
        assert!(body.contains(
            "    '/opt/head count/headcount' worker --turn 20m \
             --registry '/src/my project/.hermes/agent-sessions.yaml' --hermes /opt/hermes\n"
        ));
    }

    #[test]
    fn a_command_can_be_typed_as_it_is_printed() {
        let command = ["a", "b c", "it's", "", "$(x)", "--k=v"].map(OsString::from);
        assert_eq!(typed(&command), r"a 'b c' 'it'\''s' '' '$(x)' --k=v");
    }
}
