//! The small values everything else is made of: names, ids, process identities, times.

use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};

/// A moment in UTC, in milliseconds since the Unix epoch.
///
/// Made only by `clock` (now), by the edges (file and process times) and by [`Timestamp::parse`], so
/// that nothing in `core` can ask what time it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A moment given in milliseconds since the epoch.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// A moment given in whole seconds since the epoch.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// This moment, moved into the future.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// This moment, moved into the past.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// As far from `to` as this is from `from`.
    #[must_use]
    pub const fn moved(self, from: Self, to: Self) -> Self {
        Self(self.0.saturating_add(to.0.saturating_sub(from.0)))
    }

    /// How long after `earlier` this is; zero if it is not after.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `2026-11-21T09:00:00Z`: the form every writer of the roll uses, whole seconds.
    #[must_use]
    pub fn iso(self) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0).map_or_else(
            || self.0.to_string(),
            |t| t.to_rfc3339_opts(SecondsFormat::Secs, true),
        )
    }

    /// `2026-11-21T09:00:00.123Z`, for evidence, where order within a second matters.
    #[must_use]
    pub fn iso_millis(self) -> String {
        DateTime::<Utc>::from_timestamp_millis(self.0).map_or_else(
            || self.0.to_string(),
            |t| t.to_rfc3339_opts(SecondsFormat::Millis, true),
        )
    }

    /// Reads what people and programs write: RFC 3339 with `T` or a blank, with an offset, or without
    /// one, which is then UTC. Anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(t) = DateTime::parse_from_rfc3339(text) {
            return Some(Self(t.timestamp_millis()));
        }
        if let Ok(t) = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%:z") {
            return Some(Self(t.timestamp_millis()));
        }
        ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"]
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .map(|t| Self(t.and_utc().timestamp_millis()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iso())
    }
}

macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        // Shared, since the same few texts are in the roll, the world, the memory and the report.
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps the text as it is.
            #[must_use]
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(text.as_ref().into())
            }

            /// The text as it is.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_newtype! {
    /// The name of a tmux session, as a row or as tmux has it.
    SessionName
}
text_newtype! {
    /// What `tmux_server` says: a name in the user's tmux folder (`tmux -L`), or a socket path (`tmux -S`).
    ServerName
}
text_newtype! {
    /// An agent's own id of a conversation.
    ConversationId
}
text_newtype! {
    /// The kernel's id of one boot of one machine.
    BootId
}
text_newtype! {
    /// SHA-256 of some bytes, in hex.
    Fingerprint
}
text_newtype! {
    /// The stable id of a drift: the same difference has the same id in every look.
    DriftId
}

impl BootId {
    /// Some boot before the one that a look was made in: which one is not known.
    #[must_use]
    pub fn earlier() -> Self {
        Self("earlier".into())
    }
}

impl SessionName {
    /// The name in the one form that it has in common with the name under which tmux 3.2 to 3.6 stores it: see
    /// [`common_form`].
    #[must_use]
    pub fn normalised(&self) -> Self {
        // Most names are stored as they are, and this is asked again and again.
        let is_changed = |byte: u8| matches!(byte, b'.' | b':' | b'\\');
        if !self.0.bytes().any(is_changed) {
            return self.clone();
        }
        let mut name = common_form(&self.0);
        // What is read out of one escape can be the beginning of another. Each time it is shorter.
        while name.contains('\\') {
            let next = common_form(&name);
            if next == name {
                break;
            }
            name = next;
        }
        Self::new(name)
    }

    /// Whether two names mean one tmux session.
    #[must_use]
    pub fn means(&self, other: &Self) -> bool {
        self == other || self.normalised() == other.normalised()
    }
}

/// The form that a name and what tmux makes of it have in common. tmux turns `.` and `:` into `_`, and escapes as
/// vis(3) does: a backslash, a `$` before a letter, control characters, and, in octal, what its C library does not know.
/// So escapes are read, and backslashes that escape nothing are left out. Names that only differ in those tmux can tell
/// apart, and headcount cannot: it leaves their rows alone.
fn common_form(name: &str) -> String {
    let mut stored = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, behind @ ..] = rest {
        rest = behind;
        match first {
            b'.' | b':' => stored.push(b'_'),
            b'\\' => {
                let more = rest.iter().take_while(|&&byte| byte == b'\\').count();
                rest = &rest[more..];
                if let Some((byte, length)) = escaped(rest) {
                    stored.push(byte);
                    rest = &rest[length..];
                }
            }
            other => stored.push(*other),
        }
    }
    String::from_utf8_lossy(&stored).into_owned()
}

/// What is escaped by the backslashes before it, and how many bytes it takes there.
fn escaped(behind: &[u8]) -> Option<(u8, usize)> {
    if let [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', ..] = behind {
        return Some(((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'), 3));
    }
    let byte = match behind.first() {
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(b'a') => 0x07,
        Some(b'b') => 0x08,
        Some(b'v') => 0x0b,
        Some(b'f') => 0x0c,
        Some(b'$') => b'$',
        _ => return None,
    };
    Some((byte, 1))
}

impl ServerName {
    /// The server that `tmux` uses when nothing else is said.
    #[must_use]
    pub fn default_server() -> Self {
        static DEFAULT: LazyLock<ServerName> = LazyLock::new(|| ServerName::new("default"));
        DEFAULT.clone()
    }

    /// Whether it is the path of a socket (`tmux -S`) rather than a name in the user's tmux folder (`tmux -L`).
    #[must_use]
    pub fn is_path(&self) -> bool {
        self.0.contains('/')
    }

    /// Whether this is the default server's name.
    #[must_use]
    pub fn is_default(&self) -> bool {
        &*self.0 == "default"
    }
}

/// A process id as the kernel gives it. Never an identity by itself: see [`ProcessId`].
pub type Pid = u32;

/// When a process began, in clock ticks since boot (`/proc/<pid>/stat`, field 22).
pub type StartTicks = u64;

/// A process, told apart from every later one with the same pid in the same boot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId {
    /// The pid.
    pub pid: Pid,
    /// When it began.
    pub start: StartTicks,
}

/// The coding agents headcount recognises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AgentKind {
    /// Claude Code.
    Claude,
    /// The Antigravity command line.
    Agy,
    /// Codex.
    Codex,
    /// OpenCode.
    OpenCode,
    /// Pi.
    Pi,
    /// Hermes.
    Hermes,
    /// Cline.
    Cline,
}

impl AgentKind {
    /// All of them, in the order of the enum.
    pub const ALL: [Self; 7] = [
        Self::Claude,
        Self::Agy,
        Self::Codex,
        Self::OpenCode,
        Self::Pi,
        Self::Hermes,
        Self::Cline,
    ];

    /// The word for it in session names and in `agent_identities`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Claude => "claude",
            Self::Agy => "agy",
            Self::Codex => "codex",
            Self::OpenCode => "opencode",
            Self::Pi => "pi",
            Self::Hermes => "hermes",
            Self::Cline => "cline",
        }
    }

    /// The key of a row that holds its conversation id, if the format has one.
    #[must_use]
    pub const fn id_key(self) -> Option<&'static str> {
        match self {
            Self::Claude => Some("claude_session_id_own"),
            Self::Agy => Some("agy_conversation_id_own"),
            Self::Hermes => Some("hermes_conversation_id_own"),
            Self::Cline => Some("cline_conversation_id_own"),
            Self::Codex | Self::OpenCode | Self::Pi => None,
        }
    }

    /// The agent of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for AgentKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
