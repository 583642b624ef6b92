//! Claude Code.
//!
//! A live process keeps `sessions/<pid>.json`, which names its conversation; the conversation's transcript is
//! `projects/<key of the folder>/<id>.jsonl`, made at the first message. Both lie below one root, which the
//! process's own environment names.

mod key;
mod projects;
mod record;
mod transcript;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use self::key::{Key, is_decomposed, keys};
use self::projects::{Found, Opened, Projects, Sweep};
use self::record::Said;
use self::transcript::{Head, Writer};
use super::life::{absolute, environment, is_younger_than, life, lives_apart, still_lives};
use super::{Agent, Homes, Mind, Question, can_be_a_file_name};
use crate::core::ids::{AgentKind, ConversationId, Pid, ProcessId, Timestamp};
use crate::core::policy::limits;
use crate::core::sighting::{Proof, Sighting};
use crate::core::world::{Artifact, Candidate, LiveRecord, Source, SourceState};
use crate::look::window::{self, Unreadable};

/// How large a record or a settings file may be, in bytes: as Claude Code itself has it.
const RECORD: usize = 256 * 1024;

/// How many seconds a process takes at most until it has written its record. Seen: 0.4 to 1.0.
const STARTING: u64 = 2;

/// How far a file's times may be off the clock that dates sessions.
const FILE_TIMES: Duration = Duration::from_secs(2);

const NO_HOME: &str = "neither HOME nor CLAUDE_CONFIG_DIR says where Claude Code's files are";

/// The variables of an agent's environment that say where and whether it keeps files.
const ENVIRONMENT: [&str; 6] = [
    "HOME",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_CHILD_SESSION",
    "CLAUDE_CODE_SKIP_PROMPT_HISTORY",
    "CLAUDE_CODE_PROJECT_DIR_NAME",
    "CLAUDE_CODE_FORCE_SESSION_PERSISTENCE",
];

/// What can be read of Claude Code.
#[derive(Debug)]
pub(super) struct Claude {
    /// The root of headcount's own environment.
    home: Option<Root>,
    /// The roots of live agents' own environments, where they are others.
    others: Vec<Root>,
    /// The pid namespace that headcount runs in.
    namespace: Option<String>,
    /// Whether anybody asked for what lies in the roots.
    looked: bool,
    /// How many seconds a process may take until it has written its record.
    starting: u64,
}

/// One folder of Claude Code's files.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Root {
    config: PathBuf,
    projects: Projects,
    /// A live agent uses it, so that what is not there has not been made yet.
    lived_in: bool,
}

/// What a root holds of a live process.
enum Kept {
    /// A record that names a conversation.
    Mind(Mind),
    /// No record of this process. Whether the root keeps records of any.
    Nothing { proof: String, keeps_records: bool },
    /// It cannot be told.
    Unclear(String),
}

impl Claude {
    pub(super) fn new(homes: &Homes) -> Self {
        let config = homes
            .claude_config_dir
            .clone()
            .or_else(|| homes.home.as_ref().map(|home| home.join(".claude")));
        let projects = homes.claude_project_dir.clone();
        let namespace = std::fs::read_link("/proc/self/ns/pid").ok();
        Self {
            home: config.map(|config| Root {
                projects: Projects {
                    path: projects.unwrap_or_else(|| config.join("projects")),
                },
                config,
                lived_in: false,
            }),
            others: Vec::new(),
            namespace: namespace.map(|link| link.to_string_lossy().into_owned()),
            looked: false,
            starting: STARTING,
        }
    }

    fn roots(&self) -> impl Iterator<Item = &Root> {
        self.home.iter().chain(&self.others)
    }

    /// What the root's record of a process says. It is read once more if it was caught half-written.
    fn kept(&self, config: &Path, process: ProcessId) -> Kept {
        let source = format!("sessions/{}.json", process.pid);
        let path = config.join(&source);
        let unclear =
            |why: &dyn std::fmt::Display| Kept::Unclear(format!("{}: {why}", path.display()));
        for _ in 0..2 {
            let bytes = match window::whole(&path, RECORD) {
                Ok(bytes) => bytes,
                Err(Unreadable::Missing) => return nothing(config, &path),
                Err(error) => return unclear(&error),
            };
            match record::read(&bytes, process, self.namespace.as_deref()) {
                Said::Torn => {}
                Said::Unclear(why) => return unclear(&why),
                Said::Stale => {
                    return Kept::Nothing {
                        proof: format!("{} is of an earlier process", path.display()),
                        keeps_records: true,
                    };
                }
                Said::Has(it) if !can_be_a_file_name(&it.id) => {
                    return unclear(&"its session id is none");
                }
                Said::Has(it) => {
                    let record = LiveRecord {
                        id: ConversationId::new(it.id),
                        source,
                        activity: it.activity,
                    };
                    return Kept::Mind(match it.script {
                        Some(script) => Mind::Script(record, script),
                        None => Mind::Session(record),
                    });
                }
            }
        }
        unclear(&"it is half-written or damaged")
    }

    /// What a process's own environment leads to, where headcount's own root did not name its conversation.
    fn mind_by_environment(&mut self, process: ProcessId, at_home: Option<Kept>) -> Mind {
        let environment = match environment(process.pid, &ENVIRONMENT) {
            Ok(environment) => environment,
            Err(error) => {
                return Mind::unknown(format!(
                    "the environment of process {} could not be read: {error}",
                    process.pid
                ));
            }
        };
        let config = match (
            environment.get("CLAUDE_CONFIG_DIR"),
            environment.get("HOME"),
        ) {
            (Some(config), _) => absolute(config),
            (None, Some(home)) => absolute(home).map(|home| home.join(".claude")),
            (None, None) => None,
        };
        let Some(config) = config.filter(|config| !is_decomposed(&config.to_string_lossy())) else {
            return Mind::unknown(format!(
                "the environment of process {} does not say where it keeps its files",
                process.pid
            ));
        };
        // A pid below that root is another process, and that root may be another folder, if it lives apart.
        if let Some(why) = lives_apart(process.pid) {
            return Mind::unknown(format!("process {}: {why}", process.pid));
        }
        let kept = match at_home {
            Some(kept) if self.is_home(&config) => kept,
            _ => {
                self.live_in(&config);
                self.kept(&config, process)
            }
        };
        let (proof, keeps_records) = match kept {
            Kept::Mind(mind) => return mind,
            Kept::Unclear(why) => return Mind::unknown(why),
            Kept::Nothing {
                proof,
                keeps_records,
            } => (proof, keeps_records),
        };
        if !still_lives(process) {
            return Mind::unknown(format!("process {} ended meanwhile", process.pid));
        }
        if keeps_records && is_younger_than(process, self.starting) {
            return Mind::unknown(format!(
                "process {} is still starting and has no record yet",
                process.pid
            ));
        }
        let is_set = |name| {
            environment
                .get(name)
                .is_some_and(|value| !value.is_empty() && value != "0" && value != "false")
        };
        if is_set("CLAUDE_CODE_CHILD_SESSION") && !is_set("CLAUDE_CODE_FORCE_SESSION_PERSISTENCE") {
            return Mind::Traceless(Proof::new(
                "it was started from inside another Claude Code and saves nothing (CLAUDE_CODE_CHILD_SESSION)",
            ));
        }
        if is_set("CLAUDE_CODE_SKIP_PROMPT_HISTORY") {
            return Mind::Traceless(Proof::new(
                "it was told to save nothing (CLAUDE_CODE_SKIP_PROMPT_HISTORY)",
            ));
        }
        if is_set("CLAUDE_CODE_PROJECT_DIR_NAME") {
            return Mind::Traceless(Proof::new(
                "its transcripts are not kept by folder (CLAUDE_CODE_PROJECT_DIR_NAME)",
            ));
        }
        Mind::Silent(Proof::new(proof))
    }

    fn is_home(&self, config: &Path) -> bool {
        let home = self.home.as_ref();
        home.is_some_and(|root| is_same_folder(&root.config, config))
    }

    /// Remembers a root that a live agent uses.
    fn live_in(&mut self, config: &Path) {
        let known = |root: &Root| is_same_folder(&root.config, config);
        if !self.roots().any(known) {
            self.others.push(Root {
                projects: Projects {
                    path: config.join("projects"),
                },
                config: config.to_owned(),
                lived_in: true,
            });
        }
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

    /// The conversations that live records below one root claim.
    fn claimed_in(&self, root: &Root) -> Result<BTreeSet<ConversationId>, String> {
        let folder = root.config.join("sessions");
        let mut claimed = BTreeSet::new();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && root.config.is_dir() => {
                return Ok(claimed);
            }
            Err(error) => return Err(format!("{}: {error}", folder.display())),
        };
        for entry in entries {
            let entry = entry.map_err(|error| format!("{}: {error}", folder.display()))?;
            let name = entry.file_name();
            let pid = name
                .to_str()
                .and_then(|name| name.strip_suffix(".json"))
                .and_then(|pid| pid.parse::<Pid>().ok());
            if let Some(pid) = pid {
                claimed.extend(self.claimed_by(&root.config, pid, &entry.path())?);
            }
        }
        Ok(claimed)
    }

    fn claimed_by(
        &self,
        config: &Path,
        pid: Pid,
        path: &Path,
    ) -> Result<Option<ConversationId>, String> {
        let elsewhere = window::whole(path, RECORD)
            .ok()
            .and_then(|bytes| record::claimed_elsewhere(&bytes, self.namespace.as_deref()));
        if let Some(id) = elsewhere {
            return Ok(Some(ConversationId::new(id)));
        }
        let process = match life(pid) {
            Ok(life) => ProcessId {
                pid,
                start: life.start,
            },
            Err(Unreadable::Missing) => return Ok(None),
            Err(error) => return Err(format!("process {pid}: {error}")),
        };
        match self.kept(config, process) {
            Kept::Mind(Mind::Session(record) | Mind::Script(record, _)) => Ok(Some(record.id)),
            Kept::Mind(_) | Kept::Nothing { .. } => Ok(None),
            Kept::Unclear(why) => Err(why),
        }
    }
}

impl Root {
    /// Whether a live agent uses it and nothing was said there yet.
    fn is_still_empty(&self) -> bool {
        self.lived_in && self.config.is_dir() && is_missing(&self.projects.path)
    }
}

/// Whether a transcript that was found elsewhere than at its folder's own key lies where that folder puts it.
fn belongs(found: &Found, folder: &str) -> Sighting<()> {
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

    fn mind(&mut self, process: ProcessId) -> Mind {
        let home = self.home.as_ref();
        match home.map(|root| self.kept(&root.config, process)) {
            Some(Kept::Mind(mind)) => {
                if let Some(home) = &mut self.home {
                    // Not where somebody says that conversations are kept elsewhere.
                    home.lived_in = home.projects.path == home.config.join("projects");
                }
                mind
            }
            at_home => self.mind_by_environment(process, at_home),
        }
    }

    fn places(&self) -> usize {
        self.roots().count()
    }

    fn artifacts(&mut self, asked: &[&Question]) -> Vec<Sighting<Artifact>> {
        self.looked = true;
        let mut placed = BTreeMap::new();
        let mut missing = BTreeSet::new();
        for question in asked.iter().filter(|it| can_be_a_file_name(it.id.as_str())) {
            let folder = question.folder.as_deref();
            match folder.and_then(|folder| self.at_its_place(&question.id, folder)) {
                Some(found) => _ = placed.insert(*question, found),
                None => _ = missing.insert(&question.id),
            }
        }
        let sweep = self.sweep(&missing);
        let answer = |question: &&Question| {
            if let Some(found) = placed.get(question) {
                return Sighting::Present(found.artifact(Sighting::Present(())));
            }
            if !can_be_a_file_name(question.id.as_str()) {
                return Sighting::absent("no file can be called that: it is no conversation's id");
            }
            match (sweep.found.get(&question.id), &sweep.gap) {
                (Some(found), _) => {
                    let in_folder = question.folder.as_deref().map_or_else(
                        || Sighting::unknown("no folder is named"),
                        |folder| belongs(found, folder),
                    );
                    Sighting::Present(found.artifact(in_folder))
                }
                (None, Some(gap)) => Sighting::unknown(gap.clone()),
                (None, None) => {
                    let projects = sweep.projects;
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
        for root in self.roots().filter(|root| !root.is_still_empty()) {
            let since = since.minus(FILE_TIMES);
            let opened = root
                .look()
                .and_then(|()| root.projects.opened(&keys, since));
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
            match self.claimed_in(root) {
                Ok(ids) => claimed.extend(ids),
                Err(why) => return Sighting::unknown(why),
            }
        }
        Sighting::Present(claimed)
    }

    fn retention(&mut self) -> Sighting<Duration> {
        let mut longest = None;
        for root in self.roots() {
            match root.retention() {
                Ok(kept) => longest = longest.max(Some(kept)),
                Err(why) => return Sighting::unknown(why),
            }
        }
        longest.map_or_else(|| Sighting::unknown(NO_HOME), Sighting::Present)
    }

    fn sources(&self, at: Timestamp) -> Vec<Source> {
        let looked = self.roots().filter(|_| self.looked);
        looked.map(|root| root.source(at)).collect()
    }
}

impl Root {
    /// Whether its transcripts can be gone through at all.
    fn look(&self) -> Result<(), String> {
        match std::fs::read_dir(&self.projects.path) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!(
                "{}: {error}; if Claude Code keeps its files elsewhere, set CLAUDE_CONFIG_DIR",
                self.projects.path.display()
            )),
        }
    }

    fn source(&self, at: Timestamp) -> Source {
        let said = match self.look() {
            _ if self.is_still_empty() => Ok("no conversation yet".to_owned()),
            Ok(()) => Ok(format!("transcripts in {}", self.projects.path.display())),
            Err(why) => Err(why),
        };
        Source {
            name: format!("claude:{}", self.config.display()),
            state: if said.is_ok() {
                SourceState::Present
            } else {
                SourceState::Unknown
            },
            reason: said.unwrap_or_else(|why| why),
            at,
        }
    }

    fn retention(&self) -> Result<Duration, String> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Settings {
            cleanup_period_days: Option<u64>,
        }
        let path = self.config.join("settings.json");
        let bytes = match window::whole(&path, RECORD) {
            Ok(bytes) => bytes,
            Err(Unreadable::Missing) if self.config.is_dir() => {
                return Ok(limits::CLAUDE_RETENTION);
            }
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        let settings: Settings = serde_json::from_slice(&bytes)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        match settings.cleanup_period_days {
            None => Ok(limits::CLAUDE_RETENTION),
            Some(0) => Err(format!(
                "{}: cleanupPeriodDays is 0, which says nothing",
                path.display()
            )),
            Some(days) => Ok(Duration::from_secs(days.saturating_mul(24 * 3600))),
        }
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

/// That a root has no record at a path, if the folder that would hold it is there, or the root without it.
fn nothing(config: &Path, path: &Path) -> Kept {
    let sessions = config.join("sessions");
    if sessions.is_dir() {
        Kept::Nothing {
            proof: format!("there is no {}", path.display()),
            keeps_records: true,
        }
    } else if is_missing(&sessions) && config.is_dir() {
        Kept::Nothing {
            proof: format!("there is no {}", sessions.display()),
            keeps_records: false,
        }
    } else {
        Kept::Unclear(format!("{} cannot be read", sessions.display()))
    }
}

/// The path of a folder that is there, without symbolic links.
fn physical(folder: &str) -> Option<String> {
    let path = absolute(folder).and_then(|path| path.canonicalize().ok())?;
    path.into_os_string().into_string().ok()
}

fn is_missing(path: &Path) -> bool {
    path.symlink_metadata()
        .is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn is_same_folder(one: &Path, other: &Path) -> bool {
    one == other
        || match (one.canonicalize(), other.canonicalize()) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests;
