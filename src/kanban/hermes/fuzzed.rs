//! What must hold of any bytes that hermes may print.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use super::super::card::Card;
use super::Said;

/// The end of a call that succeeded, and of one that did not.
const ENDS: [i32; 2] = [0, 1 << 8];

/// Reads the bytes as a card, and as a complaint.
pub(crate) fn output(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    for status in ENDS.map(ExitStatus::from_raw) {
        for (out, err) in [(text.as_str(), ""), ("", text.as_str()), ("", "")] {
            let (out, err) = (out.to_owned(), err.to_owned());
            let refusal = Said { status, out, err }.refusal("show").to_string();
            assert!(refusal.chars().count() < 500, "{refusal:?}");
            assert!(!refusal.contains(char::is_control), "{refusal:?}");
        }
    }
    let Ok(card) = serde_json::from_str::<Card>(&text) else {
        return;
    };
    if let Some(request) = card.stop_request() {
        let reason = request.reason();
        assert!(!reason.contains(char::is_control), "{reason:?}");
        assert!(!super::super::comment::is_own(&request.author));
        // Once it is answered, it is no request any more.
        let mut answered = card.clone();
        let mut answer = answered.comments[0].clone();
        answer.author = "headcount".to_owned();
        answer.body = format!("BLOCKED: {reason}");
        answered.comments.push(answer);
        assert_ne!(answered.stop_request(), Some(request));
    }
    if let Some(claim) = card.claim() {
        assert!(card.is_running(), "{claim:?}");
    }
    for comment in &card.comments {
        let _ = card.newest_mark(&comment.author);
        let _ = card.newest_mark(comment.body.get(..8).unwrap_or_default());
    }
}
