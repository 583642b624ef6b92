//! One folder of agy's files: `~/.gemini/antigravity-cli`.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{DirEntryExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::core::ids::{ConversationId, Timestamp};
use crate::core::world::{Source, SourceState};
use crate::look::agent::{can_be_a_file_name, is_uuid};
use crate::look::locks::FileKey;
use crate::look::window::{self, Outside, Unreadable};

/// How large the list of last conversations may be, in bytes.
const LAST: usize = 1024 * 1024;

/// How many files of one folder are looked at.
const MOST_FILES: usize = 50_000;

/// The endings of the files that a conversation may be in.
pub(super) const ENDINGS: [&str; 3] = ["db", "db-wal", "pb"];

/// One root.
#[derive(Debug)]
pub(super) struct Root {
    /// Where it is.
    pub(super) path: PathBuf,
    /// A live agent uses it, so that what is not there has not been made yet.
    pub(super) lived_in: bool,
    /// Its presence locks, once they were needed.
    presence: Option<Result<Presence, String>>,
}

/// The lock files of a root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Presence {
    /// The device that they are on, as the kernel's table would name it.
    device: (u32, u32),
    /// Whose they are, by inode.
    ids: BTreeMap<u64, ConversationId>,
}

impl Root {
    /// The one below a home folder.
    pub(super) fn below(home: &Path, lived_in: bool) -> Self {
        Self::at(home.join(".gemini/antigravity-cli"), lived_in)
    }

    /// The one of that path.
    pub(super) const fn at(path: PathBuf, lived_in: bool) -> Self {
        Self {
            path,
            lived_in,
            presence: None,
        }
    }

    /// Its presence locks, read once.
    ///
    /// # Errors
    /// If they cannot be listed. Why, in words.
    pub(super) fn presence(&mut self) -> Result<&Presence, String> {
        let folder = self.path.join("presence");
        self.presence
            .get_or_insert_with(|| Presence::read(&folder))
            .as_ref()
            .map_err(Clone::clone)
    }

    /// What is on disk of a conversation: its newest file that is not empty.
    pub(super) fn find(&self, id: &ConversationId) -> Result<Option<(PathBuf, Outside)>, String> {
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

    /// The folder of its conversations; `None` where a live agent uses the root and nothing was said there yet.
    ///
    /// # Errors
    /// If it cannot be seen. Why, in words.
    pub(super) fn look(&self) -> Result<Option<PathBuf>, String> {
        let folder = self.path.join("conversations");
        match std::fs::read_dir(&folder) {
            Ok(_) => Ok(Some(folder)),
            Err(error) if self.lived_in && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("{}: {error}", folder.display())),
        }
    }

    /// Its line in the report.
    pub(super) fn source(&self, at: Timestamp) -> Source {
        let said = self.look();
        Source {
            name: format!("agy:{}", self.path.display()),
            state: if said.is_ok() {
                SourceState::Present
            } else {
                SourceState::Unknown
            },
            reason: match said {
                Ok(Some(folder)) => format!("conversations in {}", folder.display()),
                Ok(None) => "no conversation yet".to_owned(),
                Err(why) => why,
            },
            at,
        }
    }

    /// The last conversation of each working folder.
    pub(super) fn last(&self) -> Result<BTreeMap<String, String>, String> {
        let path = self.path.join("cache/last_conversations.json");
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let bytes = window::whole(&path, LAST).map_err(|error| said(&error))?;
        last_in(&bytes).map_err(|error| said(&error))
    }

    /// All conversations that are not empty and were written to since that time: each as its newest file is,
    /// but born when its first one was made.
    pub(super) fn conversations(
        &self,
        since: Timestamp,
    ) -> Result<BTreeMap<ConversationId, Outside>, String> {
        let Some(folder) = self.look()? else {
            return Ok(BTreeMap::new());
        };
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
                found.insert(id, Outside { born, ..newest });
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
    pub(super) fn held(&self, inodes: &BTreeSet<u64>) -> BTreeSet<ConversationId> {
        let held = self.ids.iter().filter(|(inode, _)| inodes.contains(inode));
        held.map(|(_, id)| id.clone()).collect()
    }

    /// Whose lock file this is.
    pub(super) fn id(&self, file: FileKey) -> Option<&ConversationId> {
        let id = self.ids.get(&file.inode)?;
        (self.device == (file.major, file.minor)).then_some(id)
    }
}

/// The last conversation of each working folder, as `last_conversations.json` has them.
pub(super) fn last_in(bytes: &[u8]) -> serde_json::Result<BTreeMap<String, String>> {
    serde_json::from_slice(bytes)
}

/// The conversation that a file of that name belongs to, if it has that ending.
pub(super) fn id_of(name: &str, ending: &str) -> Option<ConversationId> {
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
