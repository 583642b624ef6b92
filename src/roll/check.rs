//! What `headcount validate` says of a roll.

use super::layout::{Kind, Layout, Map, Node};
use super::parse::{self, NotYaml};
use super::rows;
use super::scalar::{self, Plain};
use crate::core::ids::{Fingerprint, Timestamp};
use crate::core::registry::Status;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Somebody who reads the roll fails, or leaves a row out.
    Error,
    /// Two who read the roll do not read the same.
    Warning,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something that is wrong with a roll.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, as a sentence without a full stop.
    pub message: String,
}

/// The keys of a row whose values are texts.
const TEXTS: [&str; 18] = [
    "name",
    "status",
    "tmux_server",
    "start_command",
    "claude_session_id_own",
    "agy_conversation_id_own",
    "hermes_conversation_id_own",
    "cline_conversation_id_own",
    "last_visible_status",
    "last_visible_note",
    "terminated_at",
    "termination_mode",
    "stopped_at",
    "stop_reason",
    "archived_at",
    "delegate_job_id",
    "role",
    "agent",
];

/// All that is wrong with a roll, in the order of the file.
#[must_use]
pub fn check(text: &str) -> Vec<Problem> {
    let body = parse::without_mark(text);
    let document = match parse::document(text) {
        Ok(document) => document,
        Err(error) => return vec![fatal(error)],
    };
    let mut problems = Vec::new();
    if document.documents > 1 {
        problems.push(Problem {
            line: 1,
            column: 1,
            severity: Severity::Error,
            message: format!(
                "the file holds {} YAML documents, and the other writers read only one",
                document.documents
            ),
        });
    }
    // Where a value stands is known only if both parsers can read the text.
    let layout = Layout::of(body).ok();
    let row_place = |index: usize| {
        let layout = layout.as_ref()?;
        Some(layout.place(layout.row(index)?.start))
    };
    match rows::registry(
        &document.root,
        text,
        Fingerprint::new(""),
        Timestamp::default(),
    ) {
        Err(error) => problems.push(fatal(error)),
        Ok(registry) => {
            for row in registry.invalid {
                let (line, column) = row_place(row.index).unwrap_or((1, 1));
                let name = row.name.map_or_else(
                    || format!("entry {}", row.index + 1),
                    |name| format!("`{name}`"),
                );
                problems.push(Problem {
                    line,
                    column,
                    severity: Severity::Error,
                    message: format!("{name}: {}", row.problem),
                });
            }
            for row in registry.rows {
                let Status::Other(word) = &row.status else {
                    continue;
                };
                let (line, column) = row_place(row.index).unwrap_or((1, 1));
                problems.push(Problem {
                    line,
                    column,
                    severity: Severity::Error,
                    message: format!(
                        "`{}`: `{word}` is no status (running, stopped, terminated, archived): the row is left alone, and \
                         other writers refuse the file",
                        row.name
                    ),
                });
            }
        }
    }
    if let Some(root) = layout.as_ref().and_then(Layout::root) {
        let mut walk = Walk {
            layout: layout.as_ref(),
            problems: &mut problems,
        };
        walk.map(root, &[]);
    }
    problems.sort();
    problems
}

fn fatal(error: NotYaml) -> Problem {
    Problem {
        line: error.line,
        column: error.column,
        severity: Severity::Error,
        message: error.why,
    }
}

/// A walk over everything that is written in the roll.
struct Walk<'w, 't> {
    layout: Option<&'w Layout<'t>>,
    problems: &'w mut Vec<Problem>,
}

impl Walk<'_, '_> {
    fn map(&mut self, map: &Map<'_>, path: &[&str]) {
        let mut seen = std::collections::HashSet::new();
        for entry in &map.entries {
            let key = entry.key_text().unwrap_or_default();
            // A row says this of its own keys, and of those of its pane.
            let told = matches!(path, ["tmux_sessions"] | ["tmux_sessions", "pane"] | []);
            if !seen.insert(key) && !(told && (key == "tmux_sessions" || !path.is_empty())) {
                let message = format!(
                    "the key `{key}` is there twice: one reader takes the last, another refuses"
                );
                self.tell(entry.key.start, Severity::Warning, message);
            }
            let mut path = path.to_vec();
            path.push(key);
            self.node(&entry.value, &path);
        }
    }

    fn node(&mut self, node: &Node<'_>, path: &[&str]) {
        match &node.kind {
            Kind::Map(map) => self.map(map, path),
            Kind::List(list) => list.items.iter().for_each(|item| self.node(item, path)),
            Kind::Scalar { .. } if !node.marked => {
                if let Some(plain) = node.plain() {
                    self.plain(node.start, plain, path);
                }
            }
            Kind::Scalar { .. } | Kind::Alias => {}
        }
    }

    fn plain(&mut self, at: usize, plain: &str, path: &[&str]) {
        let old = scalar::by_yaml_1_1(plain);
        let new = scalar::by_yaml_1_2(plain);
        if old == Plain::Refused {
            let message =
                format!("`{plain}` without quotes cannot be read by PyYAML: put it in quotes");
            self.tell(at, Severity::Error, message);
            return;
        }
        let is_text = match path {
            ["tmux_sessions", key] => TEXTS.contains(key) || key.ends_with("_own_previous"),
            ["tmux_sessions", "pane", key] => matches!(*key, "cmd" | "cwd"),
            ["agent_identities", _, key] => {
                matches!(*key, "session_id" | "conversation_id" | "project_cwd")
            }
            _ => false,
        };
        if is_text && old != new {
            let message = format!(
                "`{plain}` without quotes is {} to YAML 1.1 and {} to YAML 1.2: put it in quotes",
                old.noun(),
                new.noun()
            );
            self.tell(at, Severity::Warning, message);
        }
        let is_number = matches!(
            path,
            ["tmux_sessions", "pane", "pid"]
                | ["tmux_sessions", "terminated_at_epoch" | "stopped_at_epoch"]
        );
        if is_number && (old != new || scalar::is_another_number_to_pyyaml(plain)) {
            let message = format!("`{plain}` is not the same number to YAML 1.1 and to YAML 1.2");
            self.tell(at, Severity::Warning, message);
        }
    }

    fn tell(&mut self, at: usize, severity: Severity, message: String) {
        let (line, column) = self.layout.map_or((1, 1), |layout| layout.place(at));
        self.problems.push(Problem {
            line,
            column,
            severity,
            message,
        });
    }
}
