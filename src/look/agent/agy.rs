//! The Antigravity command line.
//!
//! A live process holds a kernel lock on `presence/<id>.lock`; the conversation is `conversations/<id>.db`, of
//! which all may still be in the write-ahead log beside it, or a `.pb` of older versions. Conversations lie in
//! one folder, whatever they are about; only the last one of each working folder is known by that folder.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::life::{absolute, environment, lives_apart, still_lives};
use super::{Agent, Homes, Mind, Question, can_be_a_file_name, is_uuid};
use crate::core::ids::{AgentKind, ConversationId, ProcessId, Timestamp};
use crate::core::sighting::{Proof, Sighting};
use crate::core::world::{Artifact, Candidate, LiveRecord, Source, SourceState};
use crate::look::locks::{FileKey, Locks, open_files};
use crate::look::window::{self, Outside, Unreadable};

/// How large the list of last conversations may be, in bytes.
const LAST: usize = 1024 * 1024;

/// How many files of one folder are looked at.
const MOST_FILES: usize = 50_000;

/// How far a file's times may be off the clock that dates sessions.
const FILE_TIMES: Duration = Duration::from_secs(2);

/// The endings of the files that a conversation may be in.
const ENDINGS: [&str; 3] = ["db", "db-wal", "pb"];

const NO_HOME: &str = "HOME does not say where agy's files are";

/// What can be read of agy.
#[derive(Debug)]
pub(super) struct Agy {
    /// The root of headcount's own environment.
    home: Option<Root>,
    /// The roots of live agents' own environments, where they are others.
    others: Vec<Root>,
    /// The kernel's locks, once they were needed.
    locks: Option<Result<Locks, String>>,
    /// Whether anybody asked for what lies in the roots.
    looked: bool,
}

/// One folder of agy's files.
#[derive(Debug)]
struct Root {
    path: PathBuf,
    /// Its presence locks, once they were needed.
    presence: Option<Result<Presence, String>>,
}

/// The lock files of a root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Presence {
    /// The device that they are on, as the kernel's table would name it.
    device: (u32, u32),
    /// Whose they are, by inode.
    ids: BTreeMap<u64, ConversationId>,
}

impl Agy {
    pub(super) fn new(homes: &Homes) -> Self {
        Self {
            home: homes.home.as_deref().map(Root::below),
            others: Vec::new(),
            locks: None,
            looked: false,
        }
    }

    fn roots(&self) -> impl Iterator<Item = &Root> {
        self.home.iter().chain(&self.others)
    }

    fn locks(&mut self) -> Result<&Locks, String> {
        self.locks
            .get_or_insert_with(|| Locks::read().map_err(|error| format!("/proc/locks: {error}")))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Remembers the root of a live agent's own environment.
    ///
    /// # Errors
    /// If the environment does not say where it is, or it means another place to the agent than here.
    fn live_in(&mut self, process: ProcessId) -> Result<PathBuf, String> {
        let pid = process.pid;
        let environment = environment(pid, &["HOME"]).map_err(|error| {
            format!("the environment of process {pid} could not be read: {error}")
        })?;
        let home = environment.get("HOME").and_then(absolute);
        let home =
            home.ok_or_else(|| format!("the environment of process {pid} names no home folder"))?;
        if let Some(why) = lives_apart(pid) {
            return Err(format!("process {pid}: {why}"));
        }
        let root = Root::below(&home);
        let path = root.path.clone();
        if !self.roots().any(|known| known.path == path) {
            self.others.push(root);
        }
        Ok(path)
    }

    /// The conversations whose locks a process holds, by the kernel's table.
    ///
    /// # Errors
    /// If the table, or the lock files of any root, cannot be read.
    fn held_by(&mut self, process: ProcessId) -> Result<BTreeSet<ConversationId>, String> {
        let held = self.locks()?.held_by(process.pid).to_vec();
        let mut ids = BTreeSet::new();
        for root in self.home.iter_mut().chain(&mut self.others) {
            let presence = root.presence()?;
            ids.extend(held.iter().filter_map(|file| presence.id(*file)).cloned());
        }
        Ok(ids)
    }

    /// The conversations whose lock files a process has open, and nobody else holds. Some file systems show another
    /// device in the kernel's table than the files have, so that the table alone proves no absence.
    fn opened_by(&mut self, process: ProcessId) -> Result<BTreeSet<ConversationId>, String> {
        let files = open_files(process.pid).map_err(|error| {
            format!(
                "the open files of process {} could not be read: {error}",
                process.pid
            )
        })?;
        let folders: Vec<PathBuf> = self
            .roots()
            .map(|root| root.path.join("presence"))
            .map(|folder| folder.canonicalize().unwrap_or(folder))
            .collect();
        let lock = |file: &PathBuf| {
            let folder = file.parent()?;
            folders.iter().any(|known| known == folder).then_some(())?;
            id_of(file.file_name()?.to_str()?, "lock")
        };
        let mut open: BTreeSet<ConversationId> = files.iter().filter_map(lock).collect();
        if !open.is_empty()
            && let Ok(locks) = self.locks()
        {
            let others: BTreeSet<u64> = locks
                .held_by_others(process.pid)
                .map(|file| file.inode)
                .collect();
            for root in self.home.iter_mut().chain(&mut self.others) {
                let theirs = root.presence()?.held(&others);
                open.retain(|id| !theirs.contains(id));
            }
        }
        Ok(open)
    }

    fn mind_by_environment(&mut self, process: ProcessId) -> Mind {
        let root = match self.live_in(process) {
            Ok(root) => root,
            Err(why) => return Mind::unknown(why),
        };
        if !root.is_dir() {
            return Mind::unknown(format!("{} is not there", root.display()));
        }
        let held = self.held_by(process);
        if let Ok(held) = &held
            && !held.is_empty()
        {
            return one_of(held);
        }
        match (held, self.opened_by(process)) {
            (_, Ok(open)) if !open.is_empty() => one_of(&open),
            (Ok(_), Ok(_)) if still_lives(process) => {
                Mind::Silent(Proof::new("it holds no presence lock"))
            }
            (Ok(_), Ok(_)) => Mind::unknown(format!("process {} ended meanwhile", process.pid)),
            (Err(why), _) | (_, Err(why)) => Mind::unknown(why),
        }
    }
}

impl Root {
    fn below(home: &Path) -> Self {
        Self {
            path: home.join(".gemini/antigravity-cli"),
            presence: None,
        }
    }

    fn presence(&mut self) -> Result<&Presence, String> {
        let folder = self.path.join("presence");
        self.presence
            .get_or_insert_with(|| Presence::read(&folder))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// What is on disk of a conversation: its newest file that is not empty.
    fn find(&self, id: &ConversationId) -> Result<Option<(PathBuf, Outside)>, String> {
        let mut newest: Option<(PathBuf, Outside)> = None;
        for ending in ENDINGS {
            let path = self
                .path
                .join("conversations")
                .join(format!("{id}.{ending}"));
            match window::outside(&path) {
                Ok(outside) if outside.size > 0 => {
                    let newer = |(_, known): &(PathBuf, Outside)| known.modified < outside.modified;
                    if newest.as_ref().is_none_or(newer) {
                        newest = Some((path, outside));
                    }
                }
                Ok(_) | Err(Unreadable::Missing) => {}
                Err(error) => return Err(format!("{}: {error}", path.display())),
            }
        }
        Ok(newest)
    }

    /// Whether its conversations can be seen at all.
    fn look(&self) -> Result<PathBuf, String> {
        let folder = self.path.join("conversations");
        match std::fs::read_dir(&folder) {
            Ok(_) => Ok(folder),
            Err(error) => Err(format!("{}: {error}", folder.display())),
        }
    }

    /// The last conversation of each working folder.
    fn last(&self) -> Result<BTreeMap<String, String>, String> {
        let path = self.path.join("cache/last_conversations.json");
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let bytes = window::whole(&path, LAST).map_err(|error| said(&error))?;
        serde_json::from_slice(&bytes).map_err(|error| said(&error))
    }

    /// All conversations that are not empty and were written to since that time, with when they were made.
    fn conversations(
        &self,
        since: Timestamp,
    ) -> Result<BTreeMap<ConversationId, Option<Timestamp>>, String> {
        let folder = self.look()?;
        let mut ids = BTreeSet::new();
        each_name(&folder, |name, _| {
            ids.extend(ENDINGS.iter().find_map(|ending| id_of(name, ending)));
        })?;
        let mut found = BTreeMap::new();
        for id in ids.into_iter().filter(|id| is_uuid(id.as_str())) {
            if let Some((_, newest)) = self.find(&id)?
                && newest.modified >= since
            {
                let born = self.born(&id);
                found.insert(id, born);
            }
        }
        Ok(found)
    }

    /// When the first of a conversation's files was made.
    fn born(&self, id: &ConversationId) -> Option<Timestamp> {
        let file = |ending| {
            self.path
                .join("conversations")
                .join(format!("{id}.{ending}"))
        };
        ENDINGS
            .into_iter()
            .filter_map(|ending| window::outside(&file(ending)).ok()?.born)
            .min()
    }
}

impl Presence {
    fn read(folder: &Path) -> Result<Self, String> {
        let device = match folder.metadata() {
            Ok(found) => found.dev(),
            // Nobody ever held a lock there; the root itself is asked for elsewhere.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Self::default());
            }
            Err(error) => return Err(format!("{}: {error}", folder.display())),
        };
        let mut ids = BTreeMap::new();
        each_name(folder, |name, inode| {
            ids.extend(id_of(name, "lock").map(|id| (inode, id)));
        })?;
        Ok(Self {
            device: (rustix::fs::major(device), rustix::fs::minor(device)),
            ids,
        })
    }

    /// Whose lock files have these inodes, on whatever device.
    fn held(&self, inodes: &BTreeSet<u64>) -> BTreeSet<ConversationId> {
        let held = self.ids.iter().filter(|(inode, _)| inodes.contains(inode));
        held.map(|(_, id)| id.clone()).collect()
    }

    fn id(&self, file: FileKey) -> Option<&ConversationId> {
        let id = self.ids.get(&file.inode)?;
        (self.device == (file.major, file.minor)).then_some(id)
    }
}

impl Agent for Agy {
    fn kind(&self) -> AgentKind {
        AgentKind::Agy
    }

    fn mind(&mut self, process: ProcessId) -> Mind {
        match self.held_by(process) {
            Ok(held) if !held.is_empty() => one_of(&held),
            _ => self.mind_by_environment(process),
        }
    }

    fn places(&self) -> usize {
        self.roots().count()
    }

    fn artifacts(&mut self, asked: &[&Question]) -> Vec<Sighting<Artifact>> {
        self.looked = true;
        let last: Vec<_> = self.roots().filter_map(|root| root.last().ok()).collect();
        let in_folder = |question: &Question| {
            let known = question.folder.as_ref().is_some_and(|folder| {
                last.iter().any(|last| {
                    last.get(folder)
                        .is_some_and(|id| id == question.id.as_str())
                })
            });
            if known {
                Sighting::Present(())
            } else {
                Sighting::unknown("agy keeps the conversations of all folders in one")
            }
        };
        let answer = |question: &&Question| {
            if !can_be_a_file_name(question.id.as_str()) {
                return Sighting::absent("no file can be called that: it is no conversation's id");
            }
            let mut gap = self.home.is_none().then(|| NO_HOME.to_owned());
            for root in self.roots() {
                match root.find(&question.id) {
                    Ok(Some((path, outside))) => {
                        return Sighting::Present(Artifact {
                            path: path.display().to_string(),
                            modified: outside.modified,
                            in_folder: in_folder(question),
                        });
                    }
                    Ok(None) => gap = gap.or_else(|| root.look().err()),
                    Err(why) => gap = gap.or(Some(why)),
                }
            }
            match gap {
                Some(gap) => Sighting::unknown(gap),
                None => Sighting::absent("no conversation of that id"),
            }
        };
        asked.iter().map(answer).collect()
    }

    fn candidates(&mut self, folder: &str, since: Timestamp) -> Sighting<Vec<Candidate>> {
        if self.home.is_none() {
            return Sighting::unknown(NO_HOME);
        }
        let mut candidates = Vec::new();
        for root in self.roots() {
            let found = match root.conversations(since.minus(FILE_TIMES)) {
                Ok(found) => found,
                Err(why) => return Sighting::unknown(why),
            };
            let last = root.last();
            candidates.extend(
                found
                    .into_iter()
                    .map(|(id, born)| candidate(id, born, folder, last.as_ref())),
            );
        }
        Sighting::Present(candidates)
    }

    fn claimed(&mut self) -> Sighting<BTreeSet<ConversationId>> {
        let held: BTreeSet<u64> = match self.locks() {
            Ok(locks) => locks.held().map(|file| file.inode).collect(),
            Err(why) => return Sighting::unknown(why),
        };
        let mut claimed = BTreeSet::new();
        for root in self.home.iter_mut().chain(&mut self.others) {
            match root.presence() {
                // By inode alone: where the devices cannot be compared, a claim too many does no harm.
                Ok(presence) => claimed.extend(presence.held(&held)),
                Err(why) => return Sighting::unknown(why),
            }
        }
        Sighting::Present(claimed)
    }

    fn retention(&mut self) -> Sighting<Duration> {
        Sighting::unknown("how long agy keeps conversations is not known")
    }

    fn sources(&self, at: Timestamp) -> Vec<Source> {
        let source = |root: &Root| {
            let said = root.look();
            Source {
                name: format!("agy:{}", root.path.display()),
                state: if said.is_ok() {
                    SourceState::Present
                } else {
                    SourceState::Unknown
                },
                reason: said.map_or_else(
                    |why| why,
                    |folder| format!("conversations in {}", folder.display()),
                ),
                at,
            }
        };
        self.roots().filter(|_| self.looked).map(source).collect()
    }
}

fn candidate(
    id: ConversationId,
    born: Option<Timestamp>,
    folder: &str,
    last: Result<&BTreeMap<String, String>, &String>,
) -> Candidate {
    let unknown = match last {
        Ok(_) => "agy records only the last conversation of each folder".to_owned(),
        Err(why) => why.clone(),
    };
    let folders = || {
        let last = last.ok().into_iter().flatten();
        last.filter(|(_, last)| last.as_str() == id.as_str())
            .map(|(folder, _)| folder)
    };
    Candidate {
        began: born.map_or_else(
            || Sighting::unknown("the file system does not say when it was made"),
            Sighting::Present,
        ),
        in_folder: if folders().any(|known| is_same(known, folder)) {
            Sighting::Present(())
        } else if let Some(other) = folders().next() {
            Sighting::absent(format!("it is the last one of {other}"))
        } else {
            Sighting::unknown(unknown.clone())
        },
        // Only what a person ran gets into that list.
        interactive: if folders().next().is_some() {
            Sighting::Present(())
        } else {
            Sighting::unknown(unknown)
        },
        id,
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one == other
        || match (std::fs::canonicalize(one), std::fs::canonicalize(other)) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        }
}

/// The mind of a process that holds these locks.
fn one_of(held: &BTreeSet<ConversationId>) -> Mind {
    let mut ids = held.iter();
    match (ids.next(), ids.next()) {
        (Some(id), None) => Mind::Session(LiveRecord {
            source: format!("presence/{id}.lock"),
            id: id.clone(),
            activity: None,
        }),
        _ => Mind::unknown("it holds the presence locks of several conversations"),
    }
}

fn id_of(name: &str, ending: &str) -> Option<ConversationId> {
    let id = name.strip_suffix(ending)?.strip_suffix('.')?;
    can_be_a_file_name(id).then(|| ConversationId::new(id))
}

/// Hands the names and inodes of a folder's files to `each`. Names that are no text are nobody's ids.
fn each_name(folder: &Path, mut each: impl FnMut(&str, u64)) -> Result<(), String> {
    let said = |error: &dyn std::fmt::Display| format!("{}: {error}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(|error| said(&error))?;
    for (count, entry) in entries.enumerate() {
        if count == MOST_FILES {
            return Err(said(&"there are too many files to go through"));
        }
        let entry = entry.map_err(|error| said(&error))?;
        if let Some(name) = entry.file_name().to_str() {
            each(name, entry.ino());
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests;
