//! What a person may decide: how long to wait, and how bold to be.

use std::collections::BTreeSet;
use std::time::Duration;

use glob::Pattern;

use super::ids::{AgentKind, DriftId, SessionName};

/// The settings of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long after the first look that proves an end a second one must prove it again (`--grace`).
    pub grace: Duration,
    /// How old a session must be before it is registered, revived or taken for a new one (`--spawn-grace`).
    pub spawn_grace: Duration,
    /// Lifts the brake on ending many rows at once without a cause of their own (`--allow-mass-change`).
    pub allow_mass_change: bool,
    /// Another program's newer store stands beside the roll: everything is told, nothing written.
    pub read_only: Option<String>,
    /// The drifts that may be written, where a person has looked through a plan; otherwise all.
    pub only: Option<BTreeSet<DriftId>>,
    /// Whether other rolls are looked after by the same run: then what none of their folders is above is registered
    /// nowhere, since each of them could.
    pub beside_others: bool,
    /// Whether an event without a valid signature never counts (`--require-signature`).
    pub require_signature: bool,
    /// What the names of agent sessions have before the agent's: `-creator-` in `my-project-creator-claude`.
    pub agent_infixes: Vec<String>,
    /// The names of sessions that are left alone: not registered, their rows not compared, and nothing told.
    pub ignored: Vec<Pattern>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(10),
            spawn_grace: Duration::from_secs(30),
            allow_mass_change: false,
            read_only: None,
            only: None,
            beside_others: false,
            require_signature: false,
            agent_infixes: vec!["-creator-".to_owned()],
            ignored: Vec::new(),
        }
    }
}

impl Policy {
    /// Whether this drift may be written as far as a person has a say in it.
    #[must_use]
    pub fn approves(&self, id: &DriftId) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(id))
    }

    /// The agent of a session whose name says that it is an agent's session: `*-creator-<agent>`, unless
    /// [`Policy::agent_infixes`] says otherwise.
    #[must_use]
    pub fn agent_by_name(&self, name: &SessionName) -> Option<AgentKind> {
        self.agent_infixes.iter().find_map(|infix| {
            let (before, agent) = name.as_str().rsplit_once(infix)?;
            if before.is_empty() {
                None
            } else {
                AgentKind::named(agent)
            }
        })
    }

    /// Whether this session is left alone.
    #[must_use]
    pub fn ignores(&self, name: &SessionName) -> bool {
        self.ignored
            .iter()
            .any(|pattern| pattern.matches(name.as_str()))
    }
}

/// Times that nobody needs to set.
pub mod limits {
    use std::time::Duration;

    /// How exact the comparison of a process's start with a file's time is: the kernel's boot time and
    /// coarse file times together are good to about a second. Anything closer is "cannot tell".
    pub const CLOCK_SLACK: Duration = Duration::from_secs(1);
    /// Rows ended within this time count towards the mass-change brake.
    pub const MASS_WINDOW: Duration = Duration::from_secs(600);
    /// How many rows it takes for a change to be a mass change.
    pub const MASS_ROWS: usize = 3;
    /// How old a look may be when the roll is locked.
    pub const LOOK_FRESH: Duration = Duration::from_secs(2);
    /// Claude Code's own default for keeping transcripts.
    pub const CLAUDE_RETENTION: Duration = Duration::from_secs(30 * 24 * 3600);
}
