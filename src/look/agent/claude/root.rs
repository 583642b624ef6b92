//! One folder of Claude Code's files: `~/.claude`, or what `CLAUDE_CONFIG_DIR` names.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use serde::Deserialize;

use super::projects::Projects;
use super::record::{self, Claim, Said};
use crate::core::ids::{ConversationId, Pid, ProcessId, Timestamp};
use crate::core::policy::limits;
use crate::core::world::{LiveRecord, Source, SourceState};
use crate::look::agent::life::life;
use crate::look::agent::{Mind, can_be_a_file_name};
use crate::look::window::{self, Unreadable};

/// How large a record or a settings file may be, in bytes: as Claude Code itself has it.
const RECORD: usize = 256 * 1024;

/// One root.
#[derive(Clone, Debug)]
pub(super) struct Root {
    /// Where it is.
    pub(super) config: PathBuf,
    /// Its transcripts.
    pub(super) projects: Projects,
    /// A live agent uses it, so that what is not there has not been made yet.
    pub(super) lived_in: bool,
    /// Set once its folder of records was seen: it is looked for once, however many processes have no record.
    keeps_records: OnceLock<()>,
}

/// What a root holds of a live process.
pub(super) enum Kept {
    /// A record that names a conversation, and the folder that it is of.
    Mind { mind: Mind, folder: Option<String> },
    /// No record of this process. Whether the root keeps records of any.
    Nothing { proof: String, keeps_records: bool },
    /// It cannot be told.
    Unclear(String),
}

impl Root {
    /// The one that headcount's own environment names.
    pub(super) const fn of_headcount(config: PathBuf, projects: PathBuf) -> Self {
        Self {
            config,
            projects: Projects { path: projects },
            lived_in: false,
            keeps_records: OnceLock::new(),
        }
    }

    /// One that a live agent's environment names.
    pub(super) fn of_an_agent(config: &Path) -> Self {
        Self {
            config: config.to_owned(),
            projects: Projects {
                path: config.join("projects"),
            },
            lived_in: true,
            keeps_records: OnceLock::new(),
        }
    }

    /// A live agent keeps its record here. That is no proof of where its transcripts are, if somebody says
    /// that they are kept elsewhere.
    pub(super) fn is_lived_in(&mut self) {
        self.lived_in = self.projects.path == self.config.join("projects");
    }

    /// Whether it lies in that folder, whatever path leads there.
    pub(super) fn is_at(&self, config: &Path) -> bool {
        self.config == config
            || match (self.config.canonicalize(), config.canonicalize()) {
                (Ok(own), Ok(other)) => own == other,
                _ => false,
            }
    }

    /// What its record of a process says. It is read once more if it was caught half-written.
    pub(super) fn kept(&self, process: ProcessId, namespace: Option<&str>) -> Kept {
        let source = format!("sessions/{}.json", process.pid);
        let path = self.config.join(&source);
        let unclear = |why: &dyn Display| Kept::Unclear(format!("{}: {why}", path.display()));
        for _ in 0..2 {
            let bytes = match window::whole(&path, RECORD) {
                Ok(bytes) => bytes,
                Err(Unreadable::Missing) => return self.without(&path),
                Err(error) => return unclear(&error),
            };
            match record::read(&bytes, process, namespace) {
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
                    return Kept::Mind {
                        mind: match it.script {
                            Some(script) => Mind::Script(record, script),
                            None => Mind::Session(record),
                        },
                        folder: it.folder,
                    };
                }
            }
        }
        unclear(&"it is half-written or damaged")
    }

    /// That it has no record at a path, if the folder that would hold it is there, or the root without that.
    fn without(&self, path: &Path) -> Kept {
        let sessions = self.sessions();
        if self.keeps_records.get().is_some() || sessions.is_dir() {
            self.keeps_records.get_or_init(|| ());
            Kept::Nothing {
                proof: format!("there is no {}", path.display()),
                keeps_records: true,
            }
        } else if is_proven_missing(&sessions) {
            Kept::Nothing {
                proof: format!("there is no {}", sessions.display()),
                keeps_records: false,
            }
        } else {
            Kept::Unclear(format!("{} cannot be seen", sessions.display()))
        }
    }

    /// The conversations that its records of live processes claim.
    ///
    /// # Errors
    /// If there may be more. Why, in words.
    pub(super) fn claimed(
        &self,
        namespace: Option<&str>,
    ) -> Result<BTreeSet<ConversationId>, String> {
        let folder = self.sessions();
        let said = |error: io::Error| format!("{}: {error}", folder.display());
        let mut claimed = BTreeSet::new();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(_) if is_missing(&folder) && self.config.is_dir() => return Ok(claimed),
            Err(_) if is_proven_missing(&folder) && self.lived_in => return Ok(claimed),
            Err(error) => return Err(said(error)),
        };
        for entry in entries {
            let entry = entry.map_err(said)?;
            let name = entry.file_name();
            let pid = name
                .to_str()
                .and_then(|name| name.strip_suffix(".json"))
                .and_then(|pid| pid.parse::<Pid>().ok());
            if let Some(pid) = pid {
                claimed.extend(claimed_by(pid, &entry.path(), namespace)?);
            }
        }
        Ok(claimed)
    }

    /// Whether a live agent uses it and nothing was said there yet.
    pub(super) fn is_still_empty(&self) -> bool {
        self.lived_in && is_proven_missing(&self.projects.path)
    }

    /// Whether its transcripts can be gone through at all.
    ///
    /// # Errors
    /// Why not, and what to do, in words.
    pub(super) fn look(&self) -> Result<(), String> {
        match std::fs::read_dir(&self.projects.path) {
            Ok(_) => Ok(()),
            Err(error) => Err(format!(
                "{}: {error}; if Claude Code keeps its files elsewhere, set CLAUDE_CONFIG_DIR",
                self.projects.path.display()
            )),
        }
    }

    /// Its line in the report.
    pub(super) fn source(&self, at: Timestamp) -> Source {
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

    /// The root, if it is proven not to be there.
    pub(super) fn if_missing(&self) -> Option<&Path> {
        let home = self.config.parent().is_some_and(Path::is_dir);
        (home && is_missing(&self.config)).then_some(&*self.config)
    }

    /// How long transcripts are kept here.
    ///
    /// # Errors
    /// If the settings cannot be read, or say nothing sensible. Why, in words.
    pub(super) fn retention(&self) -> Result<Duration, String> {
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

    fn sessions(&self) -> PathBuf {
        self.config.join("sessions")
    }
}

/// The conversation that the record of a pid claims, unless that process is proven to be over.
fn claimed_by(
    pid: Pid,
    path: &Path,
    namespace: Option<&str>,
) -> Result<Option<ConversationId>, String> {
    let said = |why: &dyn Display| format!("{}: {why}", path.display());
    let start = match life(pid) {
        Ok(life) => Some(life.start),
        Err(Unreadable::Missing) => None,
        Err(error) => return Err(format!("process {pid}: {error}")),
    };
    match window::whole(path, RECORD) {
        Ok(bytes) => match record::claim(&bytes, start, namespace) {
            Claim::Of(id) => Ok(Some(ConversationId::new(id))),
            Claim::None => Ok(None),
            Claim::Unclear => Err(said(&"it is half-written or damaged")),
        },
        Err(Unreadable::Missing) => Ok(None),
        Err(_) if start.is_none() => Ok(None),
        Err(error) => Err(said(&error)),
    }
}

/// Whether a folder of a root, or the root itself, is not there, though what would hold it can be seen.
fn is_proven_missing(folder: &Path) -> bool {
    let (root, home) = (folder.parent(), folder.parent().and_then(Path::parent));
    let is_folder = |path: Option<&Path>| path.is_some_and(Path::is_dir);
    is_missing(folder) && (is_folder(root) || root.is_some_and(is_missing) && is_folder(home))
}

fn is_missing(path: &Path) -> bool {
    path.symlink_metadata()
        .is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}
