//! The real Hermes: its kanban board, in a home of its own. No model is needed for that; its own workers get a
//! stand-in.

mod model;

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Machine, Watch, cache, skip, wait_until_or};

pub use model::Model;

/// Hermes as it is installed, ready to be started on one machine.
pub struct Hermes<'m> {
    machine: &'m Machine,
    program: PathBuf,
}

/// A card on its board.
pub struct Card<'m> {
    machine: &'m Machine,
    program: PathBuf,
    /// Its id.
    pub id: String,
}

impl<'m> Hermes<'m> {
    /// Puts it on the machine's `PATH`. `None`, loudly, where it is not installed.
    #[must_use]
    pub fn on(machine: &'m Machine) -> Option<Self> {
        let hermes = Self::beside(machine)?;
        symlink(&hermes.program, machine.bin().join("hermes")).expect("a link can be made");
        Some(hermes)
    }

    /// The same, but not on the `PATH`.
    #[must_use]
    pub fn beside(machine: &'m Machine) -> Option<Self> {
        let Some(program) = cache::hermes() else {
            let is_required = env::var("HEADCOUNT_REQUIRE_HERMES").is_ok_and(|value| value != "0");
            assert!(
                !is_required,
                "Hermes is required, and not installed: run scripts/setup-tests"
            );
            skip("Hermes is not installed; run scripts/setup-tests");
            return None;
        };
        Some(Self { machine, program })
    }

    /// A program of that name on the `PATH` that does what a script says. `$HERMES` is the real one.
    pub fn behind(&self, script: &str) {
        let path = self.machine.bin().join("hermes");
        let text = format!("#!/bin/sh\nHERMES={}\n{script}\n", self.program.display());
        // Replaced as a whole: it may be running.
        let new = path.with_extension("new");
        fs::write(&new, text).expect("a script can be written");
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).expect("its mode can be set");
        fs::rename(&new, &path).expect("it can be put in place");
    }

    /// Lets the board start its own worker on what is ready: a model's.
    #[track_caller]
    pub fn dispatch(&self, _: &Model) {
        let done = model::offline(self.machine.command(&self.program))
            .args(["kanban", "dispatch", "--json"])
            .output()
            .expect("hermes starts");
        let done: Value = serde_json::from_slice(&done.stdout).expect("it says what it started");
        assert_ne!(done["spawned"], json!([]), "{done:#}");
    }

    /// `hermes kanban …`
    #[track_caller]
    pub fn kanban(&self, arguments: &[&str]) -> String {
        kanban(self.machine, &self.program, arguments)
    }

    /// A new card that nobody works on.
    #[track_caller]
    pub fn card(&self) -> Card<'m> {
        let made = self.kanban(&["create", "watch", "--assignee", "headcount", "--json"]);
        let made: Value = serde_json::from_str(&made).expect("a card");
        self.card_with(made["id"].as_str().expect("its id"))
    }

    /// The card of an id.
    pub fn card_with(&self, id: &str) -> Card<'m> {
        Card {
            machine: self.machine,
            program: self.program.clone(),
            id: id.to_owned(),
        }
    }
}

#[track_caller]
fn kanban(machine: &Machine, program: &PathBuf, arguments: &[&str]) -> String {
    let done = machine
        .command(program)
        .arg("kanban")
        .args(arguments)
        .output()
        .expect("hermes starts");
    assert!(
        done.stderr.is_empty(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&done.stderr)
    );
    String::from_utf8(done.stdout).expect("it prints text")
}

impl<'m> Card<'m> {
    /// A worker on it, which claims it and looks every second.
    pub fn worker(&self) -> Watch<'m> {
        self.machine.worker(&self.id).arg("--claim")
    }

    /// `hermes kanban ACTION ID …`
    #[track_caller]
    pub fn kanban(&self, action: &str, more: &[&str]) -> String {
        let arguments = [&[action, self.id.as_str()], more].concat();
        kanban(self.machine, &self.program, &arguments)
    }

    /// A comment by somebody.
    #[track_caller]
    pub fn comment(&self, author: &str, text: &str) {
        self.kanban("comment", &["--author", author, "--", text]);
    }

    /// All that is known of it.
    #[track_caller]
    pub fn show(&self) -> Value {
        serde_json::from_str(&self.kanban("show", &["--json"])).expect("a card")
    }

    /// Its status.
    #[track_caller]
    pub fn status(&self) -> String {
        self.show()["task"]["status"]
            .as_str()
            .expect("a status")
            .to_owned()
    }

    /// What headcount has told it.
    #[track_caller]
    pub fn told(&self) -> Vec<String> {
        self.show()["comments"]
            .as_array()
            .expect("comments")
            .iter()
            .filter(|comment| comment["author"] == "headcount")
            .map(|comment| comment["body"].as_str().expect("a text").to_owned())
            .collect()
    }

    /// Its events of a kind.
    #[track_caller]
    pub fn events(&self, kind: &str) -> Vec<Value> {
        let shown = self.show();
        let events = shown["events"].as_array().expect("events");
        let of_kind = events.iter().filter(|event| event["kind"] == kind);
        of_kind.cloned().collect()
    }

    /// Waits until headcount has told it something, and returns that comment.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        wait_until_or(
            || format!("`{text}` on the card; it was told {:#?}", self.told()),
            || self.told().into_iter().find(|told| told.contains(text)),
        )
    }

    /// Waits until it has a status.
    #[track_caller]
    pub fn wait_for_status(&self, status: &str) {
        wait_until_or(
            || format!("the card to be {status}; it is {:#}", self.show()),
            || (self.status() == status).then_some(()),
        );
    }
}
