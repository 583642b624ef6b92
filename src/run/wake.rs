//! What wakes a pass. A wake carries no facts: whatever it was, the pass looks at everything.

use std::fmt;
use std::time::Duration;

use tokio::sync::mpsc;

/// How many wakes are kept until the loop comes to them. More would say no more.
const KEPT: usize = 64;

/// Why a pass is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wake {
    /// The loop begins.
    Start,
    /// It has been long enough since the last pass.
    Timer,
    /// Something that was pending is due.
    Due,
    /// Somebody sent SIGHUP.
    Hangup,
    /// Somebody pressed a key for it.
    Key,
    /// A process ended that the last pass saw.
    ProcessEnded,
    /// Somebody else wrote the roll.
    Roll,
    /// An agent's file was made, renamed or removed.
    AgentFile,
    /// A worker said that its job ended, or that it waits for a person.
    Event,
    /// A broker is listened to again: what was missed has to be made good.
    Connected,
}

impl fmt::Display for Wake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Start => "start",
            Self::Timer => "timer",
            Self::Due => "due",
            Self::Hangup => "hangup",
            Self::Key => "key",
            Self::ProcessEnded => "process ended",
            Self::Roll => "roll",
            Self::AgentFile => "agent file",
            Self::Event => "event",
            Self::Connected => "connected",
        })
    }
}

/// How soon a kind of wake is followed by a pass, and how often at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// For how long nothing more must come before the pass is made: what happens together is one pass.
    pub(super) settle: Duration,
    /// How long the pass is put off at most because more and more comes.
    pub(super) longest: Duration,
    /// How many passes may follow each other without a pause.
    pub(super) burst: u32,
    /// How much time must pass for each one beyond those.
    pub(super) every: Duration,
}

impl Pace {
    /// For what somebody asked for: at once, as often as he asks.
    pub(super) const ASKED: Self = Self {
        settle: Duration::ZERO,
        longest: Duration::ZERO,
        burst: 1,
        every: Duration::ZERO,
    };
    /// For ends, which are worth knowing soon; a pane that starts its program again and again must not keep
    /// a core busy.
    pub(super) const PROMPT: Self = Self {
        settle: Duration::from_millis(15),
        longest: Duration::from_millis(60),
        burst: 20,
        every: Duration::from_secs(1),
    };
    /// For events of jobs, of which a burst is one pass; whoever sends them for ever must not keep a core busy.
    pub(super) const EVENT: Self = Self {
        settle: Duration::from_millis(3),
        longest: Duration::from_millis(20),
        burst: 20,
        every: Duration::from_millis(200),
    };
    /// For files, which busy agents make all the time.
    pub(super) const RELAXED: Self = Self {
        settle: Duration::from_millis(50),
        longest: Duration::from_millis(500),
        burst: 3,
        every: Duration::from_secs(5),
    };
}

impl Wake {
    /// How soon and how often a pass follows.
    pub(super) const fn pace(self) -> Pace {
        match self {
            Self::Start | Self::Timer | Self::Due | Self::Hangup | Self::Key => Pace::ASKED,
            Self::ProcessEnded => Pace::PROMPT,
            Self::Roll | Self::AgentFile => Pace::RELAXED,
            Self::Event | Self::Connected => Pace::EVENT,
        }
    }
}

/// The end of the line that a source of wakes holds.
#[derive(Clone, Debug)]
pub struct Waker(mpsc::Sender<Wake>);

impl Waker {
    /// Wakes a pass. Never waits: where wakes stand in line already, a pass is about to be made anyway.
    pub fn wake(&self, wake: Wake) {
        let _ = self.0.try_send(wake);
    }
}

/// The end that the loop holds.
pub(super) type Wakes = mpsc::Receiver<Wake>;

/// A line from the sources to the loop.
pub(super) fn line() -> (Waker, Wakes) {
    let (waker, wakes) = mpsc::channel(KEPT);
    (Waker(waker), wakes)
}
