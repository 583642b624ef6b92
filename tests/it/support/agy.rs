//! The Antigravity command line's files. Its lock is held by a stand-in:
//! `Agent::agy().holding(machine.agy().lock_path(ID))`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::python;

/// A root of agy's files: `~/.gemini/antigravity-cli`.
#[derive(Clone, Debug)]
pub struct Agy {
    root: PathBuf,
}

impl Agy {
    pub(super) fn at(root: PathBuf) -> Self {
        Self { root }
    }

    /// The root itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The file that a live agy holds a kernel lock on. It stays, unlocked, when agy ends.
    pub fn lock_path(&self, id: &str) -> PathBuf {
        self.root.join(format!("presence/{id}.lock"))
    }

    /// Leaves the lock file of a conversation that nobody holds any more.
    pub fn leftover_lock(&self, id: &str) {
        self.put(&format!("presence/{id}.lock"), b"");
    }

    /// Where a conversation is.
    pub fn conversation_path(&self, id: &str) -> PathBuf {
        self.root.join(format!("conversations/{id}.db"))
    }

    /// Writes a conversation that began in `cwd`, with the last of it only in the write-ahead log, as agy leaves it.
    pub fn conversation(&self, id: &str, cwd: &Path) -> PathBuf {
        let path = self.conversation_path(id);
        self.put(&format!("conversations/{id}.db"), b"");
        python::run(
            CONVERSATION,
            &[text(&path), id, &format!("file://{}", text(cwd))],
            b"",
        );
        path
    }

    /// Writes a conversation of the old kind, which nobody but agy can read.
    pub fn legacy_conversation(&self, id: &str) -> PathBuf {
        self.put(&format!("conversations/{id}.pb"), b"\x8f\x01\x00opaque")
    }

    /// Writes which conversation was the last one in each folder.
    pub fn last_conversations(&self, last: &[(&Path, &str)]) -> PathBuf {
        let map: Map<String, Value> = last
            .iter()
            .map(|&(cwd, id)| (text(cwd).to_owned(), json!(id)))
            .collect();
        self.put(
            "cache/last_conversations.json",
            Value::Object(map).to_string().as_bytes(),
        )
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a folder"))
            .expect("a folder can be made");
        fs::write(&path, bytes).expect("an agent's file can be written");
        path
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a machine's paths are text")
}

/// Makes the database and leaves without closing it, so that nothing moves from the log to the file.
const CONVERSATION: &str = r"
import os, sqlite3, sys
path, conversation, workspace = sys.argv[1:]
db = sqlite3.connect(path)
db.execute('pragma journal_mode=wal')
db.execute('pragma user_version=1')
db.execute('create table steps (idx integer primary key, step_type integer, status integer, permissions blob, step_payload blob)')
db.execute('create table trajectory_meta (trajectory_id text, cascade_id text, trajectory_type integer, source integer)')
db.execute('create table trajectory_metadata_blob (id text primary key, data blob)')
db.commit()
db.execute('pragma wal_checkpoint(truncate)')
db.execute('pragma wal_autocheckpoint=0')
db.execute('insert into steps values (0, 14, 3, null, ?)', (b'hello',))
db.execute('insert into trajectory_meta values (?, ?, 1, 1)', (conversation, conversation))
url = workspace.encode()
db.execute('insert into trajectory_metadata_blob values (?, ?)', ('main', b'\x0a' + bytes([len(url)]) + url))
db.commit()
os._exit(0)
";
