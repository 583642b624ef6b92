//! What is known of a row from before this look: when it was written, which life its session had, and
//! whether a process of today can be the one it recorded.

use super::ids::{Pid, StartTicks, Timestamp};
use super::ledger::{Incarnation, KnownRow, Ledger, RowKey, SeenAlive};
use super::policy::limits::CLOCK_SLACK;
use super::registry::{Registry, Row};
use super::sighting::Sighting;
use super::world::{ProcessSight, ServerId, World};

/// Whether a process is the one a row recorded, by when it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Age {
    /// It began before it was recorded.
    Older,
    /// It began after it was recorded: the pid was used again.
    Newer,
    /// The two moments are too close to tell.
    TooClose,
}

/// Why a process with a recorded pid is not, or may not be, the one that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Another {
    /// It is proven to be another, or to have ended; how.
    Proven(String),
    /// It may be the one.
    Perhaps,
}

/// The key under which the ledger knows a row.
#[must_use]
pub fn key_of(row: &Row) -> RowKey {
    RowKey {
        name: row.name.clone(),
        server: row.server.clone(),
    }
}

/// Whether the whole roll was last written before this boot.
#[must_use]
pub fn is_before_boot(registry: &Registry, world: &World) -> bool {
    registry.written_at.plus(CLOCK_SLACK) < world.vantage.booted_at
}

/// What the past of a row is read from.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// The roll.
    pub registry: &'a Registry,
    /// The look.
    pub world: &'a World,
    /// The memory.
    pub ledger: &'a Ledger,
}

impl<'a> Past<'a> {
    /// What the ledger knows of a row.
    #[must_use]
    pub fn known(&self, row: &Row) -> Option<&'a KnownRow> {
        self.ledger.rows.get(&key_of(row))
    }

    /// The life that the ledger last saw of a row's session, if that was in this place and boot.
    #[must_use]
    pub fn life(&self, row: &Row) -> Option<&'a Incarnation> {
        self.last_alive(row).map(|alive| &alive.incarnation)
    }

    /// When and as what a row was last seen alive, if that was here and in this boot.
    #[must_use]
    pub fn last_alive(&self, row: &Row) -> Option<&'a SeenAlive> {
        let vantage = &self.world.vantage;
        self.known(row)
            .and_then(|known| known.alive.as_ref())
            .filter(|alive| alive.place == vantage.place && alive.incarnation.boot == vantage.boot)
    }

    /// Whether the clock was set in this boot: then what others wrote down by it, before or after, cannot be
    /// put in order.
    #[must_use]
    pub fn clock_was_set(&self) -> bool {
        let clock = self.ledger.clock.as_ref();
        clock.is_some_and(|clock| clock.was_set && clock.is_of(&self.world.vantage))
    }

    /// The latest moment at which the process of a row can have been recorded: when the ledger first met
    /// it there, else when the file was last written.
    fn recorded_by(&self, row: &Row) -> Timestamp {
        self.known(row)
            .filter(|known| known.pid == row.pane.pid)
            .map_or(self.registry.written_at, |known| known.since)
    }

    /// Whether a row was last changed before this boot.
    #[must_use]
    pub fn is_before_boot(&self, row: &Row) -> bool {
        let vantage = &self.world.vantage;
        match self
            .known(row)
            .filter(|known| known.fingerprint == row.fingerprint)
        {
            Some(known) => {
                let (place, boot) = &known.since_boot;
                place.machine == vantage.place.machine && *boot != vantage.boot
            }
            None => !self.clock_was_set() && is_before_boot(self.registry, self.world),
        }
    }

    /// Whether this boot put an end to a row's session: the row is older, and its session was not seen in
    /// this boot.
    #[must_use]
    pub fn ended_by_reboot(&self, row: &Row) -> bool {
        let seen_since = self
            .known(row)
            .and_then(|known| known.alive.as_ref())
            .is_some_and(|alive| alive.incarnation.boot == self.world.vantage.boot);
        self.is_before_boot(row) && !seen_since
    }

    /// Whether the process that began then, and has the row's recorded pid where headcount runs, is the one
    /// the row recorded.
    #[must_use]
    pub fn age(&self, row: &Row, ticks: StartTicks, started: Timestamp) -> Age {
        let remembered = self
            .life(row)
            .filter(|life| Some(life.pid) == row.pane.pid)
            .and_then(|life| life.start);
        match remembered {
            Some(before) if before == ticks => Age::Older,
            Some(_) => Age::Newer,
            None => self.age_by_clock(row, started),
        }
    }

    fn age_by_clock(&self, row: &Row, started: Timestamp) -> Age {
        let recorded = self.recorded_by(row);
        let is_known = self
            .known(row)
            .is_some_and(|known| known.pid == row.pane.pid);
        if self.clock_was_set() && !is_known && !self.is_before_boot(row) {
            return Age::TooClose;
        }
        if self.is_before_boot(row) || started > recorded.plus(CLOCK_SLACK) {
            Age::Newer
        } else if started <= recorded {
            Age::Older
        } else {
            Age::TooClose
        }
    }

    /// Whether a process that answers to a row's recorded pid is the one it recorded, alive.
    ///
    /// # Errors
    ///
    /// Says why it is not, or may not be.
    pub fn is_recorded(&self, row: &Row, process: &ProcessSight) -> Result<(), Another> {
        let proven = |why: &str| Err(Another::Proven(why.to_owned()));
        if process.zombie {
            return proven("it has ended and waits to be reaped");
        }
        // Whose process it is proves nothing: an agent may run as another user (`sudo`, `setpriv`), and so may headcount.
        let age = if process.in_container {
            self.age_by_clock(row, process.started_at)
        } else {
            self.age(row, process.id.start, process.started_at)
        };
        match age {
            Age::Older => Ok(()),
            Age::TooClose => Err(Another::Perhaps),
            Age::Newer if self.is_before_boot(row) => {
                proven("the row is older than this boot, and every process is younger")
            }
            Age::Newer => Err(Another::Proven(format!(
                "the pid was used again: the process that has it began at {}",
                process.started_at.iso()
            ))),
        }
    }

    /// Whether the process that a row recorded is proven to be no more.
    #[must_use]
    pub fn is_recorded_dead(&self, row: &Row, pid: Pid) -> bool {
        match self.world.processes.get(&pid) {
            Some(Sighting::Absent(_)) => true,
            Some(Sighting::Present(found)) => found
                .iter()
                .all(|process| matches!(self.is_recorded(row, process), Err(Another::Proven(_)))),
            Some(Sighting::Unknown(_)) | None => false,
        }
    }

    /// Whether that life of a tmux server is proven to be over.
    #[must_use]
    pub fn has_ended(&self, id: ServerId) -> bool {
        match self.world.processes.get(&id.pid) {
            Some(Sighting::Absent(_)) => true,
            Some(Sighting::Present(found)) => found.iter().all(|process| {
                // tmux tells when it began by the clock as it stood then.
                let start = Timestamp::from_secs(id.start);
                let apart = process
                    .started_at
                    .since(start)
                    .max(start.since(process.started_at));
                let is_another = apart > CLOCK_SLACK * 3 && !self.clock_was_set();
                process.zombie || is_another
            }),
            Some(Sighting::Unknown(_)) | None => false,
        }
    }
}
