//! What a live Claude Code was born into: the part of its environment that says where and whether it keeps files.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::key::is_decomposed;
use crate::core::ids::Pid;
use crate::look::agent::life::{absolute, environment};
use crate::look::window::Unreadable;

/// The variables that are read, and no others.
const NAMES: [&str; 6] = [
    "HOME",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_FORCE_SESSION_PERSISTENCE",
    "CLAUDE_CODE_SKIP_PROMPT_HISTORY",
    "CLAUDE_CODE_PROJECT_DIR_NAME",
];

/// The part of a process's environment that matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Birth {
    variables: BTreeMap<&'static str, OsString>,
}

impl Birth {
    /// That of a process.
    ///
    /// # Errors
    /// If the process is gone or belongs to somebody else.
    pub(super) fn of(pid: Pid) -> Result<Self, Unreadable> {
        let variables = environment(pid, &NAMES)?;
        Ok(Self { variables })
    }

    /// The root it keeps its files in, if that can be told.
    pub(super) fn config(&self) -> Option<PathBuf> {
        let config = match (
            self.variables.get("CLAUDE_CONFIG_DIR"),
            self.variables.get("HOME"),
        ) {
            (Some(config), _) => absolute(config),
            (None, Some(home)) => absolute(home).map(|home| home.join(".claude")),
            (None, None) => None,
        };
        // It puts letters and their accents together first, which may give another folder.
        config.filter(|config| !is_decomposed(&config.to_string_lossy()))
    }

    /// Why nothing in its folder is its own, if so.
    pub(super) fn leaves_no_trace(&self) -> Option<&'static str> {
        if self.says("CLAUDE_CODE_CHILD_SESSION")
            && !self.says("CLAUDE_CODE_FORCE_SESSION_PERSISTENCE")
        {
            Some(
                "it was started from inside another Claude Code and saves nothing (CLAUDE_CODE_CHILD_SESSION)",
            )
        } else if self.says("CLAUDE_CODE_SKIP_PROMPT_HISTORY") {
            Some("it was told to save nothing (CLAUDE_CODE_SKIP_PROMPT_HISTORY)")
        } else if self.says("CLAUDE_CODE_PROJECT_DIR_NAME") {
            Some("its transcripts are not kept by folder (CLAUDE_CODE_PROJECT_DIR_NAME)")
        } else {
            None
        }
    }

    fn says(&self, name: &str) -> bool {
        let value = self.variables.get(name);
        value.is_some_and(|value| !value.is_empty() && value != "0" && value != "false")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn birth(variables: &[(&'static str, &str)]) -> Birth {
        let variables = variables.iter().map(|(name, value)| (*name, value.into()));
        Birth {
            variables: variables.collect(),
        }
    }

    #[test]
    fn the_root_is_what_the_variable_names_else_below_the_home() {
        let (home, config) = (("HOME", "/h"), ("CLAUDE_CONFIG_DIR", "/c"));
        assert_eq!(birth(&[home]).config(), Some("/h/.claude".into()));
        assert_eq!(birth(&[home, config]).config(), Some("/c".into()));
        assert_eq!(birth(&[]).config(), None);
    }

    #[test]
    fn a_root_that_depends_on_where_it_was_started_cannot_be_told() {
        for config in ["", ".claude", "~/.claude", "/h/e\u{301}"] {
            let birth = birth(&[("HOME", "/h"), ("CLAUDE_CONFIG_DIR", config)]);
            assert_eq!(birth.config(), None, "{config:?}");
        }
    }

    #[test]
    fn a_variable_that_is_off_says_nothing() {
        for value in ["", "0", "false"] {
            let birth = birth(&[("CLAUDE_CODE_CHILD_SESSION", value)]);
            assert_eq!(birth.leaves_no_trace(), None, "{value:?}");
        }
        assert!(
            birth(&[("CLAUDE_CODE_CHILD_SESSION", "1")])
                .leaves_no_trace()
                .is_some()
        );
    }
}
