//! Claude Code.
//!
//! A live process keeps `sessions/<pid>.json`, which names its conversation; the conversation's transcript is
//! `projects/<key of the folder>/<id>.jsonl`, made at the first message. Both lie below one root, which the
//! process's own environment names.

mod birth;
#[cfg(any(test, fuzzing))]
pub(super) mod fuzzed;
mod key;
mod projects;
mod record;
mod root;
mod transcript;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use self::birth::Birth;
use self::key::{Key, keys};
use self::projects::{Found, Opened, Projects, Sweep};
use self::root::{Kept, Root};
use self::transcript::{Head, Writer};
use super::life::{View, absolute, is_younger_than};
use super::{
    Agent, FILE_TIMES, Homes, MOST_REMEMBERED, Mind, Question, Reader, Reading, can_be_a_file_name,
};
use crate::core::ids::{AgentKind, ConversationId, ProcessId, Timestamp};
use crate::core::sighting::{Proof, Sighting};
use crate::core::world::{Artifact, Candidate, Source, SourceState};

/// How many seconds a process takes at most until it has written its record. Seen: 0.4 to 1.5.
const STARTING: u64 = 3;

const NO_HOME: &str = "neither HOME nor CLAUDE_CONFIG_DIR says where Claude Code's files are";

/// Where Claude Code keeps the transcripts of what is begun in a working folder, below a folder of projects.
/// Nothing where the name of that folder cannot be told by its own.
#[must_use]
pub fn project_folders(projects: &Path, folder: &str) -> Vec<PathBuf> {
    let exact = |key| match key {
        Key::Exact(name) => Some(projects.join(name)),
        Key::Prefix(_) => None,
    };
    keys(folder).into_iter().filter_map(exact).collect()
}

/// What can be read of Claude Code.
#[derive(Debug)]
pub(super) struct Claude {
    /// The root of headcount's own environment.
    home: Option<Root>,
    /// The roots of live agents' own environments, where they are others.
    others: Vec<Root>,
    /// What reads its processes.
    records: Records,
    /// The folders that live records say their conversations are of.
    folders: BTreeMap<ConversationId, String>,
    /// The stores that only the ledger remembers and that had to be gone through, each with what could not be
    /// seen.
    remembered: BTreeMap<PathBuf, Option<String>>,
    /// Whether anybody asked for what lies in the roots.
    looked: bool,
}

/// Reads the records of live processes.
#[derive(Clone, Debug)]
struct Records {
    /// The root of headcount's own environment.
    home: Option<Root>,
    /// What pids and paths mean to headcount.
    view: View,
    /// The pid namespace of that, as records name it.
    namespace: Option<String>,
    /// How many seconds a process may take until it has written its record.
    starting: u64,
}

impl Claude {
    pub(super) fn new(homes: &Homes) -> Self {
        let config = homes
            .claude_config_dir
            .clone()
            .or_else(|| homes.home.as_ref().map(|home| home.join(".claude")));
        let projects = homes.claude_project_dir.clone();
        let home = config.map(|config| {
            let projects = projects.unwrap_or_else(|| config.join("projects"));
            Root::of_headcount(config, projects)
        });
        Self {
            records: Records::of(home.clone()),
            home,
            others: Vec::new(),
            folders: BTreeMap::new(),
            remembered: BTreeMap::new(),
            looked: false,
        }
    }

    fn roots(&self) -> impl Iterator<Item = &Root> {
        self.home.iter().chain(&self.others)
    }

    /// Remembers that a live agent uses a root.
    fn live_in(&mut self, config: &Path) {
        let mut known = self.home.iter_mut().chain(&mut self.others);
        match known.find(|root| root.is_at(config)) {
            Some(root) => root.is_lived_in(),
            None => self.others.push(Root::of_an_agent(config)),
        }
    }

    /// What is on disk of a conversation, if it lies where the folder that is asked for or the one that its live
    /// record names would put it.
    fn at_hand(&self, question: &Question) -> Option<Artifact> {
        let id = &question.id;
        let asked = question.folder.as_deref();
        if let Some(found) = asked.and_then(|folder| self.at_its_place(id, folder)) {
            return Some(found.artifact(Sighting::Present(())));
        }
        let known = self.folders.get(id);
        let found = known.and_then(|folder| self.at_its_place(id, folder));
        let found = found.or_else(|| Found::of(id, question.last_at.as_deref()?))?;
        Some(found.artifact(belongs(&found, asked)))
    }

    /// The transcript of a conversation where its folder puts it, in any root.
    fn at_its_place(&self, id: &ConversationId, folder: &str) -> Option<Found> {
        let at = |keys: &[Key]| {
            self.roots().find_map(|root| {
                // What cannot be seen here will be missed by the sweep, too.
                keys.iter()
                    .find_map(|key| root.projects.at(key, id).ok().flatten())
            })
        };
        at(&keys(folder)).or_else(|| at(&keys(&physical(folder)?)))
    }

    /// Goes through the stores in which the ledger last saw these conversations, as far as they are none of the
    /// roots.
    fn sweep_remembered(&mut self, wanted: &BTreeSet<&Question>) -> BTreeMap<PathBuf, Sweep> {
        let mut stores: BTreeMap<PathBuf, BTreeSet<&ConversationId>> = BTreeMap::new();
        for question in wanted {
            if let Some(store) = store_of(question)
                && !self.roots().any(|root| root.projects.path == store)
            {
                stores.entry(store).or_default().insert(&question.id);
            }
        }
        let mut swept = BTreeMap::new();
        for (number, (path, ids)) in stores.into_iter().enumerate() {
            let sweep = if number < MOST_REMEMBERED {
                Projects { path: path.clone() }.sweep(&ids)
            } else {
                Sweep {
                    gap: Some(format!("{}: too many stores to go through", path.display())),
                    ..Sweep::default()
                }
            };
            self.remembered.insert(path.clone(), sweep.gap.clone());
            swept.insert(path, sweep);
        }
        swept
    }

    /// Goes through all roots for these conversations. What was found in none of them is gone, unless there is
    /// a gap.
    fn sweep(&self, wanted: &BTreeSet<&ConversationId>) -> Sweep {
        let mut all = Sweep::default();
        if wanted.is_empty() {
            return all;
        }
        if self.home.is_none() {
            all.gap = Some(NO_HOME.to_owned());
        }
        for root in self.roots().filter(|root| !root.is_still_empty()) {
            if let Err(why) = root.look() {
                all.gap.get_or_insert(why);
                continue;
            }
            let sweep = root.projects.sweep(wanted);
            all.projects += sweep.projects;
            for (id, found) in sweep.found {
                let newer = |known: &Found| known.outside.modified < found.outside.modified;
                if all.found.get(&id).is_none_or(newer) {
                    all.found.insert(id, found);
                }
            }
            all.gap = all.gap.or(sweep.gap);
        }
        all
    }
}

impl Records {
    fn of(home: Option<Root>) -> Self {
        let view = View::own();
        let namespace = view.pids.as_ref();
        Self {
            home,
            namespace: namespace.map(|link| link.to_string_lossy().into_owned()),
            view,
            starting: STARTING,
        }
    }

    /// What a process's own environment leads to, where headcount's own root did not name its conversation.
    fn by_environment(&self, process: ProcessId, at_home: Option<Kept>) -> Reading {
        let pid = process.pid;
        let birth = match Birth::of(pid) {
            Ok(birth) => birth,
            Err(why) => {
                return Reading::unclear(format!(
                    "the environment of process {pid} could not be read: {why}"
                ));
            }
        };
        let Some(config) = birth.config() else {
            return Reading::unclear(format!(
                "the environment of process {pid} does not say where it keeps its files"
            ));
        };
        // To a process that sees another world, that root may be another folder, and its pid another number.
        if let Some(why) = self.view.differs(pid) {
            return Reading::unclear(why);
        }
        let kept = match at_home {
            Some(kept) if self.home.as_ref().is_some_and(|home| home.is_at(&config)) => kept,
            _ => Root::of_an_agent(&config).kept(process, self.namespace.as_deref()),
        };
        let (mind, folder) = match kept {
            Kept::Mind { mind, folder } => (mind, folder),
            Kept::Unclear(why) => (Mind::unknown(why), None),
            Kept::Nothing { keeps_records, .. }
                if keeps_records && is_younger_than(process, self.starting) =>
            {
                let why = format!("process {pid} is still starting and has no record yet");
                (Mind::unknown(why), None)
            }
            Kept::Nothing { proof, .. } => match birth.leaves_no_trace() {
                Some(why) => (Mind::Traceless(Proof::new(why)), None),
                None => (Mind::Silent(Proof::new(proof)), None),
            },
        };
        Reading {
            mind,
            root: Some(config),
            folder,
        }
    }
}

impl Reader for Records {
    fn read(&self, process: ProcessId) -> Reading {
        let kept = |home: &Root| home.kept(process, self.namespace.as_deref());
        match self.home.as_ref().map(|home| (home, kept(home))) {
            Some((home, Kept::Mind { mind, folder })) => Reading {
                mind,
                root: Some(home.config.clone()),
                folder,
            },
            at_home => self.by_environment(process, at_home.map(|(_, kept)| kept)),
        }
    }
}

/// The store that the ledger last saw a conversation in.
fn store_of(question: &Question) -> Option<PathBuf> {
    question.last_at.as_deref().and_then(Projects::holding)
}

/// Whether a transcript that was found elsewhere than at a folder's own key lies where that folder puts it.
fn belongs(found: &Found, folder: Option<&str>) -> Sighting<()> {
    let Some(folder) = folder else {
        return Sighting::unknown("no folder is named");
    };
    let fits = |folder: &str| keys(folder).iter().any(|key| key.fits(&found.project));
    match physical(folder) {
        _ if fits(folder) => Sighting::Present(()),
        Some(physical) if fits(&physical) => Sighting::Present(()),
        Some(_) => Sighting::absent(format!("it is kept in {}", found.project)),
        None => {
            Sighting::unknown("the folder is not there, so where it would be kept is not certain")
        }
    }
}

impl Agent for Claude {
    fn kind(&self) -> AgentKind {
        AgentKind::Claude
    }

    fn reader(&self) -> Option<Arc<dyn Reader>> {
        Some(Arc::new(self.records.clone()))
    }

    fn learn(&mut self, reading: Reading) -> Mind {
        if let Some(config) = &reading.root {
            self.live_in(config);
        }
        // Where the transcript of its conversation will be.
        if let (Sighting::Present(record), Some(folder)) =
            (reading.mind.of_process(), reading.folder)
        {
            self.folders.insert(record.id, folder);
        }
        reading.mind
    }

    fn mind(&mut self, process: ProcessId) -> Mind {
        let reading = self.records.read(process);
        self.learn(reading)
    }

    fn places(&self) -> usize {
        self.roots().count() + self.roots().filter(|root| root.lived_in).count()
    }

    fn artifacts(&mut self, asked: &[&Question]) -> Vec<Sighting<Artifact>> {
        self.looked = true;
        let mut at_hand = BTreeMap::new();
        let mut missing = BTreeSet::new();
        for question in asked.iter().filter(|it| can_be_a_file_name(it.id.as_str())) {
            match self.at_hand(question) {
                Some(artifact) => _ = at_hand.insert(*question, artifact),
                None => _ = missing.insert(*question),
            }
        }
        let remembered = self.sweep_remembered(&missing);
        let sweep = self.sweep(&missing.iter().map(|question| &question.id).collect());
        let answer = |question: &&Question| {
            if !can_be_a_file_name(question.id.as_str()) {
                return Sighting::absent("no file can be called that: it is no conversation's id");
            }
            if let Some(artifact) = at_hand.get(question) {
                return Sighting::Present(artifact.clone());
            }
            let elsewhere = store_of(question).and_then(|store| remembered.get(&store));
            let found = sweep
                .found
                .get(&question.id)
                .or_else(|| elsewhere?.found.get(&question.id));
            let gap = sweep.gap.as_ref().or_else(|| elsewhere?.gap.as_ref());
            match (found, gap) {
                (Some(found), _) => {
                    let in_folder = belongs(found, question.folder.as_deref());
                    Sighting::Present(found.artifact(in_folder))
                }
                (None, Some(gap)) => Sighting::unknown(gap.clone()),
                (None, None) => {
                    let projects = sweep.projects + elsewhere.map_or(0, |sweep| sweep.projects);
                    Sighting::absent(format!("no transcript in any of {projects} projects"))
                }
            }
        };
        asked.iter().map(answer).collect()
    }

    fn candidates(&mut self, folder: &str, since: Timestamp) -> Sighting<Vec<Candidate>> {
        let Some(physical) = physical(folder) else {
            return Sighting::unknown(format!("{folder} is not there"));
        };
        if self.home.is_none() {
            return Sighting::unknown(NO_HOME);
        }
        let keys = keys(&physical);
        let mut candidates: BTreeMap<ConversationId, Candidate> = BTreeMap::new();
        for root in self.roots() {
            let opened = root.projects.opened(&keys, since.minus(FILE_TIMES));
            // Where nothing was found, was there something to be looked into?
            let opened = match opened {
                Ok(none) if none.is_empty() && !root.is_still_empty() => root.look().map(|()| none),
                opened => opened,
            };
            match opened {
                Ok(opened) => candidates.extend(
                    opened
                        .into_iter()
                        .map(|opened| (opened.id.clone(), candidate(opened, Path::new(&physical)))),
                ),
                Err(why) => return Sighting::unknown(why),
            }
        }
        Sighting::Present(candidates.into_values().collect())
    }

    fn claimed(&mut self) -> Sighting<BTreeSet<ConversationId>> {
        let mut claimed = BTreeSet::new();
        for root in self.roots() {
            match root.claimed(self.records.namespace.as_deref()) {
                Ok(ids) => claimed.extend(ids),
                Err(why) => return Sighting::unknown(why),
            }
        }
        Sighting::Present(claimed)
    }

    fn retention(&mut self) -> Sighting<Duration> {
        let mut longest = None;
        let mut missing = None;
        for root in self.roots() {
            if let Some(folder) = root.if_missing() {
                missing = Some(format!("there is no {}", folder.display()));
                continue;
            }
            match root.retention() {
                Ok(kept) => longest = longest.max(Some(kept)),
                Err(why) => return Sighting::unknown(why),
            }
        }
        match (longest, missing) {
            (Some(kept), _) => Sighting::Present(kept),
            (None, Some(proof)) => Sighting::absent(proof),
            (None, None) => Sighting::unknown(NO_HOME),
        }
    }

    fn sources(&self, at: Timestamp) -> Vec<Source> {
        let looked = self.roots().filter(|_| self.looked);
        let remembered = self.remembered.iter().map(|(store, gap)| Source {
            name: format!("claude:{}", store.display()),
            state: match gap {
                None => SourceState::Present,
                Some(_) => SourceState::Unknown,
            },
            reason: gap
                .clone()
                .unwrap_or_else(|| "conversations were seen there before".to_owned()),
            at,
        });
        looked
            .map(|root| root.source(at))
            .chain(remembered)
            .collect()
    }
}

fn candidate(opened: Opened, folder: &Path) -> Candidate {
    let head = match opened.head {
        Ok(head) => head,
        Err(error) => {
            let unread = error.to_string();
            return Candidate {
                id: opened.id,
                began: Sighting::unknown(unread.clone()),
                modified: Sighting::Present(opened.outside.modified),
                owner: Sighting::Present(opened.outside.owner),
                in_folder: Sighting::unknown(unread.clone()),
                interactive: Sighting::unknown(unread),
            };
        }
    };
    Candidate {
        id: opened.id,
        began: head.began.or(opened.outside.born).map_or_else(
            || Sighting::unknown("neither the transcript nor the file system says when it began"),
            Sighting::Present,
        ),
        modified: Sighting::Present(opened.outside.modified),
        owner: Sighting::Present(opened.outside.owner),
        in_folder: in_folder(&head, folder),
        interactive: match head.writer {
            Some(Writer::Person) => Sighting::Present(()),
            Some(Writer::Script(entrypoint)) => {
                Sighting::absent(format!("a scripted run began it ({entrypoint})"))
            }
            Some(Writer::SubAgent) => Sighting::absent("a sub-agent wrote it"),
            None => Sighting::unknown("its first records do not say who wrote it"),
        },
    }
}

fn in_folder(head: &Head, folder: &Path) -> Sighting<()> {
    let Some(cwd) = head.cwd.as_deref() else {
        return Sighting::unknown("its first records name no folder");
    };
    if Path::new(cwd) == folder {
        return Sighting::Present(());
    }
    // Its own path was physical when it was written; whatever stands there now tells whether it still is.
    match std::fs::canonicalize(cwd) {
        Ok(physical) if physical == folder => Sighting::Present(()),
        Ok(_) => Sighting::absent(format!("it began in {cwd}")),
        Err(error) => Sighting::unknown(format!("it began in {cwd}: {error}")),
    }
}

/// The path of a folder that is there, without symbolic links.
fn physical(folder: &str) -> Option<String> {
    let path = absolute(folder).and_then(|path| path.canonicalize().ok())?;
    path.into_os_string().into_string().ok()
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests;
