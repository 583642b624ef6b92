//! Signatures of events: the only file that knows how they are made. `docs/job-events.md` tells it to those
//! who sign.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Begins what is signed, so that a signature means nothing anywhere else.
const DOMAIN: &str = "headcount-job-event";

/// What of an event is signed. Each field is written as its length in bytes, a colon, its bytes and a comma,
/// so that no two events have the same text.
pub(super) fn canonical(fields: [&str; 6]) -> Vec<u8> {
    let mut text = Vec::new();
    for field in std::iter::once(DOMAIN).chain(fields) {
        text.extend_from_slice(field.len().to_string().as_bytes());
        text.push(b':');
        text.extend_from_slice(field.as_bytes());
        text.push(b',');
    }
    text
}

/// Whether a signature, 64 hexadecimal digits, is the one of that text with that key. How long that takes
/// tells nothing about the right one.
#[must_use]
pub fn verify(key: &str, text: &[u8], signature: &str) -> bool {
    let Some(signature) = from_hex(signature) else {
        return false;
    };
    // Nobody can be known by an empty key.
    if key.is_empty() {
        return false;
    }
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .is_ok_and(|mac| mac.chain_update(text).verify_slice(&signature).is_ok())
}

/// The bytes of 64 hexadecimal digits.
pub(super) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    let mut bytes = [0; 32];
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        let [high, low] = pair else { return None };
        let digit = |c: u8| char::from(c).to_digit(16);
        *byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::mqtt::{Said, read};

    /// The vectors that are told to those who sign.
    fn vectors() -> Vec<Value> {
        let page = include_str!("../../docs/job-events.md");
        let (_, rest) = page.split_once("```json\n[").unwrap();
        let (list, _) = rest.split_once("\n```").unwrap();
        serde_json::from_str(&format!("[{list}")).unwrap()
    }

    fn said(event: &Value) -> Said {
        let topic = format!("jobs/{}/events", event["job_id"].as_str().unwrap());
        read(&topic, event.to_string().as_bytes()).unwrap()
    }

    #[test]
    fn the_documented_vectors_are_right() {
        let vectors = vectors();
        assert!(vectors.len() >= 3);
        for vector in vectors {
            let text = |key: &str| vector[key].as_str().unwrap().to_owned();
            let said = said(&vector["event"]);
            assert_eq!(
                String::from_utf8(said.signed_text.clone()).unwrap(),
                text("signed_text")
            );
            assert!(verify(
                &text("auth_token"),
                &said.signed_text,
                &text("hmac_sig")
            ));
            let upper = text("hmac_sig").to_uppercase();
            assert!(verify(&text("auth_token"), &said.signed_text, &upper));
        }
    }

    #[test]
    fn any_other_event_key_or_signature_is_refused() {
        for vector in vectors() {
            let text = |key: &str| vector[key].as_str().unwrap().to_owned();
            let right = said(&vector["event"]).signed_text;
            let (key, signature) = (text("auth_token"), text("hmac_sig"));
            for (field, other) in [
                ("job_id", Value::from("other")),
                ("seq", Value::from(4_000_000)),
                ("event", Value::from("permission_required")),
                ("timestamp", Value::from("2020-01-01T00:00:00Z")),
                ("detail", Value::from("other")),
            ] {
                let mut event = vector["event"].clone();
                event[field] = other;
                assert!(
                    !verify(&key, &said(&event).signed_text, &signature),
                    "{field}"
                );
            }
            assert!(!verify(&format!("{key} "), &right, &signature));
            assert!(!verify("", &right, &signature));
            for wrong in ["", &signature[1..], &"0".repeat(64), &"é".repeat(32)] {
                assert!(!verify(&key, &right, wrong), "{wrong}");
            }
        }
    }

    #[test]
    fn no_two_events_have_the_same_text() {
        let one = canonical(["1", "a", "1", "error", "", "1:b"]);
        let two = canonical(["1", "a", "1", "error", "1:b", ""]);
        assert_ne!(one, two);
    }
}
