//! Files that are made, renamed and removed: the roll, and the agents'. No other file listens by
//! inotify (`roll::openings` only asks afterwards), so that the kernel is asked for nothing else: what working agents
//! append all the time wakes nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use serde::Deserialize;
use tokio::task::JoinHandle;
use tracing::{debug, warn};

use super::readable::{Readable, readable};
use crate::core::ids::{Fingerprint, Timestamp};
use crate::look::places::Kept;
use crate::look::window;
use crate::roll::Roll;
use crate::roll::read::read;
use crate::run::wake::{Wake, Waker};

/// How large a record may be, in bytes: as Claude Code itself has it.
const RECORD: usize = 256 * 1024;

/// How far the times of folders may lag behind the clock, in milliseconds: the kernel's tick.
const TICK: i64 = 10;

/// What every folder is asked for: names that come and go, and the folder's own end.
const COMING_AND_GOING: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::MOVE_SELF)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::MASK_ADD);

/// Listens to folders.
pub(in crate::run) struct Files {
    shared: Arc<Mutex<Shared>>,
    listening: Option<JoinHandle<()>>,
}

struct Shared {
    inotify: Option<Arc<Readable>>,
    waker: Waker,
    roll: Roll,
    /// The file names of the roll, as named and links followed.
    names: BTreeSet<OsString>,
    /// What the roll is as far as the last pass knows; `None` where it knows nothing.
    known: Option<Fingerprint>,
    /// A pass is being made, and whether the roll was touched meanwhile.
    passing: bool,
    touched: bool,
    folders: BTreeMap<PathBuf, i32>,
    kinds: BTreeMap<i32, BTreeSet<Heed>>,
    wanted: BTreeMap<PathBuf, Kept>,
    /// What each record said when it was last read, as far as it is heeded.
    records: BTreeMap<PathBuf, Says>,
    /// Whether it is heeded what agents say that they do.
    heeds_activity: bool,
    told: bool,
}

/// What is heeded in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Heed {
    Roll,
    Agents(PathBuf, Kept),
}

impl Drop for Files {
    fn drop(&mut self) {
        if let Some(listening) = &self.listening {
            listening.abort();
        }
    }
}

impl Files {
    /// Listens to the roll's folders. Where the system refuses, that is told once and the timer has to do.
    pub(in crate::run) fn new(roll: &Roll, waker: Waker) -> Self {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)
            .map_err(io::Error::from)
            .and_then(readable);
        let inotify = match inotify {
            Ok(inotify) => Some(Arc::new(inotify)),
            Err(error) => {
                warn!("files cannot be listened to ({error}): the timer has to do");
                None
            }
        };
        let paths = [&roll.named, &roll.target];
        let shared = Arc::new(Mutex::new(Shared {
            inotify: inotify.clone(),
            waker,
            roll: roll.clone(),
            names: paths
                .into_iter()
                .filter_map(|path| path.file_name().map(ToOwned::to_owned))
                .collect(),
            known: None,
            passing: false,
            touched: false,
            folders: BTreeMap::new(),
            kinds: BTreeMap::new(),
            wanted: BTreeMap::new(),
            records: BTreeMap::new(),
            heeds_activity: false,
            told: false,
        }));
        lock(&shared).listen_to_the_roll();
        let listening = inotify.map(|inotify| tokio::spawn(listen(inotify, Arc::clone(&shared))));
        Self { shared, listening }
    }

    /// Listens as well to what agents say that they do (`idle`, `busy`, `waiting`), which nothing is written about.
    pub(in crate::run) fn heeding_activity(self) -> Self {
        lock(&self.shared).heeds_activity = true;
        self
    }

    /// A pass begins: what happens to the roll from now on may be its own doing.
    pub(in crate::run) fn pass_begins(&self) {
        lock(&self.shared).passing = true;
    }

    /// The pass has ended, and left the roll so.
    pub(in crate::run) fn pass_ends(&self, left: Option<Fingerprint>) {
        let mut shared = lock(&self.shared);
        shared.passing = false;
        shared.known = left;
        if std::mem::take(&mut shared.touched) {
            shared.compare_the_roll();
        }
    }

    /// Listens to these folders from now on, by a look that began at `looked`, and to no others but the roll's.
    pub(in crate::run) fn follow(&self, wanted: BTreeMap<PathBuf, Kept>, looked: Timestamp) {
        let mut shared = lock(&self.shared);
        shared.listen_to_the_roll();
        shared.follow(wanted, looked);
    }
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what the kernel says, and does what it is to do.
async fn listen(inotify: Arc<Readable>, shared: Arc<Mutex<Shared>>) {
    let mut space = [MaybeUninit::uninit(); 4096];
    loop {
        let Ok(mut ready) = inotify.readable().await else {
            return;
        };
        let mut reader = Reader::new(inotify.get_ref(), &mut space);
        loop {
            match reader.next() {
                Ok(event) => {
                    let name = event.file_name().map(|name| name.to_bytes());
                    lock(&shared).heard(event.wd(), event.events(), name);
                }
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => {
                    warn!("files can no longer be listened to ({error}): the timer has to do");
                    return;
                }
            }
        }
        ready.clear_ready();
        drop(ready);
        // Whatever came, the others have their turn.
        tokio::task::yield_now().await;
    }
}

impl Shared {
    fn listen_to_the_roll(&mut self) {
        let written = WatchFlags::CLOSE_WRITE;
        let folders: BTreeSet<PathBuf> = [&self.roll.named, &self.roll.target]
            .into_iter()
            .filter_map(|path| path.parent())
            .map(|folder| {
                if folder.as_os_str().is_empty() {
                    PathBuf::from(".")
                } else {
                    folder.to_owned()
                }
            })
            .collect();
        for folder in folders {
            if !self.folders.contains_key(&folder) {
                self.add(folder, Heed::Roll, COMING_AND_GOING | written);
            }
        }
    }

    fn follow(&mut self, wanted: BTreeMap<PathBuf, Kept>, looked: Timestamp) {
        let gone: Vec<PathBuf> = self
            .wanted
            .keys()
            .filter(|path| !wanted.contains_key(*path))
            .cloned()
            .collect();
        for path in gone {
            self.forget(&path);
        }
        for (path, kept) in &wanted {
            let heed = Heed::Agents(path.clone(), *kept);
            let listens = self
                .folders
                .get(path)
                .is_some_and(|wd| self.kinds.get(wd).is_some_and(|it| it.contains(&heed)));
            if listens {
                continue;
            }
            let mask = match kept {
                // Written to in place, and now and then with another conversation in it.
                Kept::Records => COMING_AND_GOING | WatchFlags::CLOSE_WRITE,
                _ => COMING_AND_GOING,
            };
            if self.add(path.clone(), heed, mask) && changed_since(path, looked) {
                // It came into being, or something came into it, since the look.
                debug!("{} changed since the look", path.display());
                self.waker.wake(Wake::AgentFile);
            }
        }
        self.wanted = wanted;
        debug!(
            folders = self.folders.len(),
            "changes of folders are listened for"
        );
    }

    /// Whether it could be added. What is not there yet is tried again after the next pass.
    fn add(&mut self, path: PathBuf, heed: Heed, mask: WatchFlags) -> bool {
        let Some(inotify) = &self.inotify else {
            return false;
        };
        match inotify::add_watch(inotify.get_ref(), &path, mask) {
            Ok(wd) => {
                self.folders.insert(path, wd);
                self.kinds.entry(wd).or_default().insert(heed);
                true
            }
            Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS) => false,
            Err(error) => {
                if !std::mem::replace(&mut self.told, true) {
                    warn!(
                        "{} cannot be listened to ({error}): the timer has to do",
                        path.display()
                    );
                }
                false
            }
        }
    }

    /// Stops to listen to a folder for the agents' sake.
    fn forget(&mut self, path: &Path) {
        self.records
            .retain(|record, _| record.parent() != Some(path));
        let Some(&wd) = self.folders.get(path) else {
            return;
        };
        let kinds = self.kinds.entry(wd).or_default();
        kinds.retain(|heed| !matches!(heed, Heed::Agents(folder, _) if folder == path));
        let others = !kinds.is_empty();
        if !others {
            self.kinds.remove(&wd);
            if let Some(inotify) = &self.inotify {
                // It may be gone already.
                let _ = inotify::remove_watch(inotify.get_ref(), wd);
            }
        }
        if !others || !self.is_rolls(path) {
            self.folders.remove(path);
        }
    }

    fn is_rolls(&self, path: &Path) -> bool {
        [&self.roll.named, &self.roll.target]
            .into_iter()
            .any(|roll| roll.parent() == Some(path))
    }

    fn heard(&mut self, wd: i32, events: ReadFlags, name: Option<&[u8]>) {
        if events.contains(ReadFlags::QUEUE_OVERFLOW) {
            self.touched = true;
            self.waker.wake(Wake::AgentFile);
            if !self.passing {
                self.compare_the_roll();
            }
            return;
        }
        let kinds = self.kinds.get(&wd).cloned().unwrap_or_default();
        if events.intersects(ReadFlags::IGNORED | ReadFlags::MOVE_SELF) {
            // The folder has another name now, or none: after the next pass it is looked for again.
            if events.contains(ReadFlags::MOVE_SELF)
                && let Some(inotify) = &self.inotify
            {
                let _ = inotify::remove_watch(inotify.get_ref(), wd);
            }
            if self.kinds.remove(&wd).is_some() {
                self.folders.retain(|_, other| *other != wd);
                self.waker.wake(if kinds.contains(&Heed::Roll) {
                    Wake::Roll
                } else {
                    Wake::AgentFile
                });
            }
            return;
        }
        let Some(name) = name else { return };
        for heed in kinds {
            match heed {
                Heed::Roll => self.heard_of_the_roll(name),
                Heed::Agents(folder, kept) => self.heard_of_agents(&folder, kept, events, name),
            }
        }
    }

    fn heard_of_the_roll(&mut self, name: &[u8]) {
        if !self.names.iter().any(|known| known.as_bytes() == name) {
            return;
        }
        if self.passing {
            self.touched = true;
        } else {
            self.compare_the_roll();
        }
    }

    /// Wakes a pass if the roll is not what the last pass left.
    fn compare_the_roll(&mut self) {
        let now = read(&self.roll).ok().map(|contents| contents.fingerprint);
        if now.is_none() || now != self.known {
            self.waker.wake(Wake::Roll);
        }
    }

    fn heard_of_agents(&mut self, folder: &Path, kept: Kept, events: ReadFlags, name: &[u8]) {
        let Ok(name) = str::from_utf8(name) else {
            return;
        };
        if !kept.heeds(name) {
            return;
        }
        let path = folder.join(name);
        let gone = events.intersects(ReadFlags::DELETE | ReadFlags::MOVED_FROM);
        if kept == Kept::Records && !gone {
            if events.contains(ReadFlags::CREATE) {
                return; // nothing is in it yet
            }
            // One that is caught half-written is heard of again when it is whole.
            let Some(mut says) = what_says(&path) else {
                return;
            };
            says.status = says.status.filter(|_| self.heeds_activity);
            if self.records.get(&path) == Some(&says) {
                return;
            }
            self.records.insert(path.clone(), says);
        } else if kept == Kept::Records {
            self.records.remove(&path);
        }
        debug!("{} came or went", path.display());
        self.waker.wake(Wake::AgentFile);
    }
}

/// What a record says that is heeded.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Says {
    #[serde(rename = "sessionId")]
    conversation: String,
    status: Option<serde_json::Value>,
}

/// What a record says, if it can be read.
fn what_says(record: &Path) -> Option<Says> {
    let bytes = window::whole(record, RECORD).ok()?;
    serde_json::from_slice(&bytes).ok()
}

/// Whether a folder's names changed since a moment.
fn changed_since(folder: &Path, moment: Timestamp) -> bool {
    fs::metadata(folder).is_ok_and(|found| {
        let changed = found
            .mtime()
            .saturating_mul(1000)
            .saturating_add(found.mtime_nsec() / 1_000_000);
        changed.saturating_add(TICK) >= moment.millis()
    })
}
