//! What a text declares with and without what is private in it.

use std::collections::BTreeMap;

use super::REMOVED;
use super::private::{command, is_word};
use crate::core::ids::{ConversationId, Fingerprint};
use crate::core::registry::{Registry, Status};

/// What a roll declares, with other ids in the place of these, and apart from what is taken out of it: the arguments
/// of commands, sentences in the place of words, and the fingerprints of all this.
#[must_use]
pub fn declared(registry: &Registry, taken: &BTreeMap<String, String>) -> Registry {
    let mut registry = registry.clone();
    let other = |id: &mut String| {
        if let Some(by) = taken.get(id.as_str()) {
            id.clone_from(by);
        }
    };
    let conversation = |id: &mut ConversationId| {
        if let Some(by) = taken.get(id.as_str()) {
            *id = ConversationId::new(by);
        }
    };
    let word = |word: &mut String| {
        if !is_word(word) {
            REMOVED.clone_into(word);
        }
    };
    registry.fingerprint = Fingerprint::new("");
    for row in &mut registry.rows {
        row.fingerprint = Fingerprint::new("");
        if let Some(cmd) = &mut row.pane.cmd
            && let Some(left) = command(cmd)
        {
            *cmd = left;
        }
        for id in row.ids.values_mut() {
            id.value.iter_mut().for_each(conversation);
            id.previous.iter_mut().for_each(conversation);
        }
        row.job.iter_mut().for_each(other);
        row.job_status_of.iter_mut().for_each(other);
        row.end.mode.iter_mut().for_each(word);
        if let Status::Other(other) = &mut row.status {
            word(other);
        }
    }
    for row in &mut registry.invalid {
        // It may name a key that has another name now.
        row.problem.clear();
    }
    for identity in &mut registry.identities {
        conversation(&mut identity.id);
        other(&mut identity.key);
    }
    registry
}
