//! The Antigravity command line.
//!
//! A live process holds a kernel lock on `presence/<id>.lock`; the conversation is `conversations/<id>.db`, of
//! which all may still be in the write-ahead log beside it, or a `.pb` of older versions. Conversations lie in
//! one folder, whatever they are about; only the last one of each working folder is known by that folder.

#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod root;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use self::root::{Root, id_of};
use super::life::{View, absolute, environment};
use super::{Agent, FILE_TIMES, Homes, Mind, Question, can_be_a_file_name};
use crate::core::ids::{AgentKind, ConversationId, ProcessId, Timestamp};
use crate::core::sighting::{Proof, Sighting};
use crate::core::world::{Artifact, Candidate, LiveRecord, Source};
use crate::look::locks::{Locks, open_files};
use crate::look::window::Outside;

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
    /// What pids and paths mean to headcount.
    view: View,
}

impl Agy {
    pub(super) fn new(homes: &Homes) -> Self {
        Self {
            home: homes.home.as_deref().map(|home| Root::below(home, false)),
            others: Vec::new(),
            locks: None,
            looked: false,
            view: View::own(),
        }
    }

    fn roots(&self) -> impl Iterator<Item = &Root> {
        self.home.iter().chain(&self.others)
    }

    /// The root in which the ledger last saw a conversation, if it is none of those that are known by now.
    fn remembered(&self, question: &Question) -> Option<Root> {
        let path = question.last_at.as_deref()?.parent()?.parent()?;
        let known = self.roots().any(|root| root.path == path);
        (path.is_absolute() && !known).then(|| Root::at(path.to_owned(), false))
    }

    fn locks(&mut self) -> Result<&Locks, String> {
        self.locks
            .get_or_insert_with(|| Locks::read().map_err(|error| format!("/proc/locks: {error}")))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Remembers the root of a live agent's own environment, and says below which home folder it is.
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
        if let Some(why) = self.view.differs(pid) {
            return Err(why);
        }
        let root = Root::below(&home, true);
        let mut known = self.home.iter_mut().chain(&mut self.others);
        match known.find(|known| known.path == root.path) {
            Some(known) => known.lived_in = true,
            None => self.others.push(root),
        }
        Ok(home)
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
        match self.live_in(process) {
            Ok(home) if home.is_dir() => {}
            Ok(home) => return Mind::unknown(format!("{} is not there", home.display())),
            Err(why) => return Mind::unknown(why),
        }
        let held = self.held_by(process);
        if let Ok(held) = &held
            && !held.is_empty()
        {
            return one_of(held);
        }
        match (held, self.opened_by(process)) {
            (_, Ok(open)) if !open.is_empty() => one_of(&open),
            (Ok(_), Ok(_)) => Mind::Silent(Proof::new("it holds no presence lock")),
            (Err(why), _) | (_, Err(why)) => Mind::unknown(why),
        }
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
        self.roots().count() + self.roots().filter(|root| root.lived_in).count()
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
            if let Some(root) = self.remembered(question) {
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
                    .map(|(id, outside)| candidate(id, outside, folder, last.as_ref())),
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
        let looked = self.roots().filter(|_| self.looked);
        looked.map(|root| root.source(at)).collect()
    }
}

fn candidate(
    id: ConversationId,
    outside: Outside,
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
        began: outside.born.map_or_else(
            || Sighting::unknown("the file system does not say when it was made"),
            Sighting::Present,
        ),
        modified: Sighting::Present(outside.modified),
        owner: Sighting::Present(outside.owner),
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

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests;
