//! A folder of transcripts: `projects/<key>/<id>.jsonl`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::DirEntry;
use std::io;
use std::path::{Path, PathBuf};

use super::key::Key;
use super::transcript::Head;
use crate::core::ids::{ConversationId, Timestamp};
use crate::core::sighting::Sighting;
use crate::core::world::Artifact;
use crate::look::agent::is_uuid;
use crate::look::window::{self, Outside, Unreadable};

/// How many files are looked at before a store counts as too large to be seen whole.
const MOST_FILES: usize = 200_000;

/// How many transcripts of one folder are looked into.
const MOST_HEADS: usize = 2_000;

/// One store of transcripts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Projects {
    /// Where it is.
    pub(super) path: PathBuf,
}

/// A transcript that was found, and is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Where.
    pub(super) path: PathBuf,
    /// The name of its project's folder.
    pub(super) project: String,
    /// What it looks like from outside.
    pub(super) outside: Outside,
}

/// What going through a whole store gave.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    /// The newest transcript of each id that was found.
    pub(super) found: BTreeMap<ConversationId, Found>,
    /// How many projects were gone through.
    pub(super) projects: usize,
    /// What could not be seen, if anything.
    pub(super) gap: Option<String>,
}

/// One transcript of a folder, opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// Its id.
    pub(super) id: ConversationId,
    /// What it looks like from outside.
    pub(super) outside: Outside,
    /// What its first records say; why they could not be read.
    pub(super) head: Result<Head, Unreadable>,
}

impl Found {
    /// The transcript of a conversation at a path where it was seen before.
    pub(super) fn of(id: &ConversationId, path: &Path) -> Option<Self> {
        if path.file_name()? != file_name(id).as_str() {
            return None;
        }
        let project = path.parent()?.file_name()?.to_str()?.to_owned();
        let outside = filled(path).ok().flatten()?;
        Some(Self {
            path: path.to_owned(),
            project,
            outside,
        })
    }

    /// The same for the world.
    pub(super) fn artifact(&self, in_folder: Sighting<()>) -> Artifact {
        Artifact {
            path: self.path.display().to_string(),
            modified: self.outside.modified,
            in_folder,
        }
    }
}

impl Projects {
    /// Where the store is that a transcript lies in.
    pub(super) fn holding(transcript: &Path) -> Option<PathBuf> {
        let store = transcript.parent()?.parent()?;
        store.is_absolute().then(|| store.to_owned())
    }

    /// The transcript of a conversation where its folder's key puts it.
    ///
    /// # Errors
    /// If there may be one that cannot be seen.
    pub(super) fn at(&self, key: &Key, id: &ConversationId) -> Result<Option<Found>, Unreadable> {
        let Key::Exact(project) = key else {
            return Ok(None);
        };
        let path = self.path.join(project).join(file_name(id));
        Ok(filled(&path)?.map(|outside| Found {
            path,
            project: project.clone(),
            outside,
        }))
    }

    /// Goes through all projects for transcripts of these conversations.
    pub(super) fn sweep(&self, wanted: &BTreeSet<&ConversationId>) -> Sweep {
        let names: BTreeMap<String, &ConversationId> =
            wanted.iter().map(|&id| (file_name(id), id)).collect();
        let mut sweep = Sweep::default();
        let mut seen = 0;
        let outcome = each_entry(&self.path, &mut seen, |project, seen| {
            let outcome = each_entry(&project.path(), seen, |file, _| {
                let name = file.file_name();
                if let Some(&id) = name.to_str().and_then(|name| names.get(name)) {
                    sweep.meet(id, project, file);
                }
                Ok(())
            });
            match outcome {
                Ok(()) => sweep.projects += 1,
                Err(error) if is_no_project(project, &error) => {}
                // It vanished, and what it held may have moved to where this had been already.
                Err(error) => sweep.miss(&project.path(), &error),
            }
            Ok(())
        });
        if let Err(error) = outcome {
            sweep.miss(&self.path, &error);
        }
        sweep
    }

    /// All non-empty transcripts in the projects of these keys that were written to since that time.
    ///
    /// # Errors
    /// If one of the projects cannot be seen whole. What it is, in words.
    pub(super) fn opened(&self, keys: &[Key], since: Timestamp) -> Result<Vec<Opened>, String> {
        let mut opened = Vec::new();
        for project in self.projects_of(keys)? {
            let outcome = each_entry(&project, &mut 0, |file, _| {
                if let Some((id, outside)) = transcript(file)?
                    && outside.modified >= since
                {
                    if opened.len() == MOST_HEADS {
                        return Err(io::Error::other("it holds too many transcripts"));
                    }
                    let head = head_of(&file.path());
                    opened.push(Opened { id, outside, head });
                }
                Ok(())
            });
            match outcome {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(format!("{}: {error}", project.display()));
                }
                _ => {}
            }
        }
        Ok(opened)
    }

    fn projects_of(&self, keys: &[Key]) -> Result<Vec<PathBuf>, String> {
        if keys.iter().any(|key| matches!(key, Key::Prefix(_))) {
            let mut projects = Vec::new();
            each_entry(&self.path, &mut 0, |project, _| {
                let name = project.file_name();
                if keys.iter().any(|key| key.fits(&name.to_string_lossy())) {
                    projects.push(project.path());
                }
                Ok(())
            })
            .map_err(|error| format!("{}: {error}", self.path.display()))?;
            return Ok(projects);
        }
        let exact = keys.iter().filter_map(|key| match key {
            Key::Exact(name) => Some(self.path.join(name)),
            Key::Prefix(_) => None,
        });
        Ok(exact.collect())
    }
}

impl Sweep {
    fn meet(&mut self, id: &ConversationId, project: &DirEntry, file: &DirEntry) {
        let path = file.path();
        match filled(&path) {
            Ok(Some(outside)) => {
                let newer = |known: &Found| known.outside.modified < outside.modified;
                if self.found.get(id).is_none_or(newer) {
                    let project = project.file_name().to_string_lossy().into_owned();
                    let found = Found {
                        path,
                        project,
                        outside,
                    };
                    self.found.insert(id.clone(), found);
                }
            }
            Ok(None) => {}
            Err(error) => self.miss(&path, &error),
        }
    }

    fn miss(&mut self, path: &Path, why: &dyn std::fmt::Display) {
        self.gap
            .get_or_insert_with(|| format!("{}: {why}", path.display()));
    }
}

/// Whether an entry of a store is a file beside the projects, or a link to nowhere.
fn is_no_project(entry: &DirEntry, error: &io::Error) -> bool {
    match error.kind() {
        io::ErrorKind::NotADirectory => true,
        io::ErrorKind::NotFound => entry.file_type().is_ok_and(|kind| kind.is_symlink()),
        _ => false,
    }
}

/// What a transcript looks like from outside. An empty one counts as none, as Claude Code itself sees it.
fn filled(path: &Path) -> Result<Option<Outside>, Unreadable> {
    match window::outside(path) {
        Ok(outside) => Ok((outside.size > 0).then_some(outside)),
        Err(Unreadable::Missing) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The transcript that an entry of a project is, if it is a conversation's and not empty.
fn transcript(file: &DirEntry) -> io::Result<Option<(ConversationId, Outside)>> {
    let name = file.file_name();
    let id = name
        .to_str()
        .and_then(|name| name.strip_suffix(".jsonl"))
        .filter(|id| is_uuid(id));
    let Some(id) = id else {
        return Ok(None);
    };
    match filled(&file.path()) {
        Ok(outside) => Ok(outside.map(|outside| (ConversationId::new(id), outside))),
        Err(error) => Err(io::Error::other(format!("{id}.jsonl: {error}"))),
    }
}

fn head_of(path: &Path) -> Result<Head, Unreadable> {
    let mut head = Head::default();
    window::head_lines(path, |line| head.take(line))?;
    Ok(head)
}

fn file_name(id: &ConversationId) -> String {
    format!("{id}.jsonl")
}

/// Goes through a folder, up to a bound that all folders of one search share.
fn each_entry(
    folder: &Path,
    seen: &mut usize,
    mut each: impl FnMut(&DirEntry, &mut usize) -> io::Result<()>,
) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        *seen += 1;
        if *seen > MOST_FILES {
            return Err(io::Error::other("there are too many files to go through"));
        }
        each(&entry?, seen)?;
    }
    Ok(())
}
