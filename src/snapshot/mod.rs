//! A pass that can be made again anywhere: all that the core was given, in a folder.
//!
//! What looking came to is kept, not what was looked at: a replay decides and tells as the pass did, and exercises
//! neither tmux nor the disk. In the folder are two files:
//!
//! | file | what |
//! |---|---|
//! | `roll.yaml` | the roll, without comments, arguments of commands, and keys and values that headcount does not read |
//! | `snapshot.json` | everything else: what was seen, what was remembered, the settings |
//!
//! No environment, no secret of a job and not a word of a conversation is in them, since the core gets none of these.
//! Names of sessions, folders, users and the machine are.

mod file;
mod form;
mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use self::form::{Form, Object, field};
use crate::core::ids::{Fingerprint, Timestamp};
use crate::core::ledger::Ledger;
use crate::core::policy::Policy;
use crate::core::registry::Registry;
use crate::core::world::World;
use crate::roll::parse::parse;
use crate::roll::read::fingerprint;
use crate::roll::redact::{Redacted, declared, redacted};
use crate::state::ledger;

pub use file::{SnapshotError, load, save};
pub use form::Fault;

/// The version of the format. A snapshot of another version is not replayed.
pub const VERSION: &str = "1";

/// What the document is.
const DOCUMENT: &str = "snapshot";

/// Everything that a pass goes by.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The headcount that recorded it.
    pub made_by: String,
    /// The roll's path, as it was named or found.
    pub roll: String,
    /// The same, from the root on.
    pub roll_path: String,
    /// The user's home folder, which tables leave out of paths.
    pub home: Option<String>,
    /// Where Claude Code keeps its files if nothing else is said.
    pub claude_home: Option<String>,
    /// The roll's text.
    pub text: String,
    /// What the text declares.
    pub registry: Registry,
    /// What a pass sees.
    pub world: World,
    /// The same, and everything besides that a person is shown.
    pub all: World,
    /// What was remembered.
    pub ledger: Ledger,
    /// The settings.
    pub policy: Policy,
}

impl Snapshot {
    /// The same without what is private in the roll. Its fingerprints are then those of what is left of it, since
    /// the old ones would confirm a guess of what was taken out.
    ///
    /// # Errors
    ///
    /// What stands in the roll that cannot be told apart, as a sentence without a full stop.
    pub fn without_secrets(mut self) -> Result<Self, String> {
        let Redacted { text, taken } = redacted(&self.text)?;
        if text == self.text {
            return Ok(self);
        }
        let mut registry = parse(
            &text,
            fingerprint(text.as_bytes()),
            self.registry.written_at,
        )
        .map_err(|error| format!("without what is private in it, {error}"))?;
        let fresh: BTreeMap<Fingerprint, Fingerprint> = self
            .registry
            .rows
            .iter()
            .zip(&registry.rows)
            .map(|(was, is)| (was.fingerprint.clone(), is.fingerprint.clone()))
            .collect();
        if declared(&registry, &BTreeMap::new()) != declared(&self.registry, &taken) {
            return Err(
                "without what is private in it, it would not say the same: rows may not stand in for each other by `&` and `*`"
                    .to_owned(),
            );
        }
        self.forget(&taken)?;
        for row in self.ledger.rows.values_mut() {
            row.fingerprint = fresh
                .get(&row.fingerprint)
                .cloned()
                // It was changed since it was remembered, and still was.
                .unwrap_or_else(|| Fingerprint::new("another"));
        }
        registry.written_at = self.registry.written_at;
        self.registry = registry;
        self.text = text;
        Ok(self)
    }

    /// Puts what stands in the roll now in the place of what was taken out of it, wherever that was seen or
    /// remembered.
    fn forget(&mut self, taken: &BTreeMap<String, String>) -> Result<(), String> {
        if taken.is_empty() {
            return Ok(());
        }
        for world in [&mut self.world, &mut self.all] {
            let mut shown = world.shown();
            rename(&mut shown, taken);
            *world = World::read(&shown).map_err(|fault| fault.to_string())?;
        }
        let mut shown = ledger::document(&self.ledger).map_err(|error| error.to_string())?;
        rename(&mut shown, taken);
        self.ledger = ledger::read_document(&shown)?;
        Ok(())
    }

    /// All but the roll's text, as JSON.
    ///
    /// # Errors
    ///
    /// What cannot be written as JSON.
    pub fn document(&self) -> Result<String, serde_json::Error> {
        let mut document = Object::default();
        for (key, text) in [
            ("document", DOCUMENT),
            ("format_version", VERSION),
            ("made_at", &self.world.at.iso()),
            ("made_by", &self.made_by),
            ("roll", &self.roll),
            ("roll_path", &self.roll_path),
            (
                "roll_fingerprint",
                fingerprint(self.text.as_bytes()).as_str(),
            ),
        ] {
            document.put(key, text.into());
        }
        document.put("roll_written_at", self.registry.written_at.shown());
        document.put("home", self.home.shown());
        document.put("claude_home", self.claude_home.shown());
        document.put("policy", self.policy.shown());
        document.put("world", self.world.shown());
        document.put("all", self.all.shown());
        document.put("ledger", ledger::document(&self.ledger)?);
        let document = document.whole();
        let mut text = serde_json::to_string_pretty(&document)?;
        text.push('\n');
        Ok(text)
    }

    /// Reads a document, and the roll that belongs to it.
    ///
    /// # Errors
    ///
    /// What is wrong with which of the two.
    pub fn read(document: &str, roll: &str) -> Result<Self, Damage> {
        let document: Value = serde_json::from_slice(document.as_bytes())
            .map_err(|error| Damage::Document(error.to_string()))?;
        let said = |key: &str| document.get(key).and_then(Value::as_str);
        if said("document") != Some(DOCUMENT) {
            return Err(Damage::Document("it is no snapshot".to_owned()));
        }
        match said("format_version") {
            Some(VERSION) => {}
            version => {
                return Err(Damage::Version {
                    found: version.unwrap_or("none").to_owned(),
                    made_by: said("made_by").unwrap_or("headcount").to_owned(),
                });
            }
        }
        let of_roll = fingerprint(roll.as_bytes());
        if said("roll_fingerprint") != Some(of_roll.as_str()) {
            return Err(Damage::Roll(
                "it is not the text that was recorded".to_owned(),
            ));
        }
        let rest = || -> Result<_, Fault> {
            Ok((
                field::<Timestamp>(&document, "roll_written_at")?,
                field(&document, "made_by")?,
                field(&document, "roll")?,
                field(&document, "roll_path")?,
                field(&document, "home")?,
                field(&document, "claude_home")?,
                field(&document, "policy")?,
                field(&document, "world")?,
                field(&document, "all")?,
            ))
        };
        let (written_at, made_by, named, roll_path, home, claude_home, policy, world, all) =
            rest().map_err(|fault| Damage::Document(fault.to_string()))?;
        let remembered = document.get("ledger").unwrap_or(&Value::Null);
        let ledger = ledger::read_document(remembered)
            .map_err(|why| Damage::Document(format!("at ledger: {why}")))?;
        let registry =
            parse(roll, of_roll, written_at).map_err(|error| Damage::Roll(error.to_string()))?;
        Ok(Self {
            made_by,
            roll: named,
            roll_path,
            home,
            claude_home,
            text: roll.to_owned(),
            registry,
            world,
            all,
            ledger,
            policy,
        })
    }
}

/// Puts other texts in the place of these in all of a document. A short one is replaced only where it is all that
/// there is: it may well be part of a word.
fn rename(document: &mut Value, taken: &BTreeMap<String, String>) {
    match document {
        Value::String(text) => {
            for (was, is) in taken {
                if text == was {
                    text.clone_from(is);
                } else if was.len() >= 6 && text.contains(was.as_str()) {
                    *text = text.replace(was.as_str(), is);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, taken)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, taken)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Why a snapshot cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Damage {
    /// `snapshot.json` is not what was recorded.
    Document(String),
    /// The roll's text is not.
    Roll(String),
    /// It has another format.
    Version {
        /// The version of its format.
        found: String,
        /// The headcount that recorded it.
        made_by: String,
    },
}
