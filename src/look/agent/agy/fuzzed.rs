//! What must hold of any bytes that lie where agy's list of last conversations is.

use super::candidate;
use super::root::last_in;
use crate::core::ids::{ConversationId, Timestamp};
use crate::core::sighting::Sighting;
use crate::look::window::Outside;

/// Reads the bytes as the list: a conversation is the last one of the folders it is listed for, and of no other.
pub(crate) fn last_conversations(bytes: &[u8]) {
    let last = last_in(bytes).map_err(|error| error.to_string());
    let outside = Outside {
        size: 1,
        modified: Timestamp::default(),
        born: None,
        owner: 0,
    };
    let in_folder = |id: &str, folder: &str| {
        candidate(ConversationId::new(id), outside, folder, last.as_ref()).in_folder
    };
    let Ok(listed) = &last else {
        assert!(matches!(in_folder("an id", "/srv"), Sighting::Unknown(_)));
        return;
    };
    for (folder, id) in listed.iter().take(50) {
        assert_eq!(in_folder(id, folder), Sighting::Present(()));
        if !listed.contains_key("/no/such/folder") {
            assert!(matches!(
                in_folder(id, "/no/such/folder"),
                Sighting::Absent(_)
            ));
        }
    }
}
