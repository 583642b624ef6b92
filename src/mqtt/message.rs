//! What a message says. `schemas/job-event.schema.json` is made from these types.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Deserialize;

use super::signature::{canonical, from_hex};
use super::topic;
use crate::core::jobs::{EventKind, JobId, Refusal, printable};

/// How large an event may be, in bytes.
pub const LARGEST: usize = 64 << 10;

/// The version of events that is known.
const SCHEMA_VERSION: u64 = 1;

/// The highest number that every JSON reader reads exactly.
const HIGHEST: u64 = (1 << 53) - 1;

/// One event of a delegated job, published on `<anything>/<job_id>/events`.
///
/// Keys that are not named here may be there, and mean nothing to headcount.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct JobEvent {
    /// The version of this format.
    #[cfg_attr(test, schemars(extend("const" = SCHEMA_VERSION)))]
    schema_version: u64,
    /// The number of the event: 1 for the first of a job, and greater each time.
    #[cfg_attr(test, schemars(range(min = 1, max = HIGHEST)))]
    seq: u64,
    /// The job: the same as in the topic.
    #[cfg_attr(test, schemars(regex(pattern = "^[A-Za-z0-9_-]{1,64}$")))]
    job_id: String,
    /// What happened. After `completed` and `error` nothing more happens to the job.
    #[cfg_attr(test, schemars(extend("enum" = EventKind::ALL.map(EventKind::as_str))))]
    event: String,
    /// When, by the publisher's clock. Nobody relies on it.
    timestamp: Option<String>,
    /// What happened, in words: no absolute paths, keys or tokens.
    detail: Option<String>,
    /// Whatever else the publisher has to say.
    data: Option<Data>,
}

/// Whatever else the publisher has to say.
#[derive(Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
struct Data {
    /// HMAC-SHA256 of the event with the `auth_token` of the job's record, as hexadecimal digits.
    /// `docs/job-events.md` tells how it is made.
    #[cfg_attr(test, schemars(regex(pattern = "^[0-9a-fA-F]{64}$")))]
    hmac_sig: Option<String>,
}

/// What a message says, believed by nobody yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The job.
    pub job: JobId,
    /// The number of the event.
    pub seq: u64,
    /// What happened.
    pub kind: EventKind,
    /// The worker's own words, made printable.
    pub detail: String,
    /// The text that a signature is made of.
    pub signed_text: Vec<u8>,
    /// The signature that came with it.
    pub signature: Option<String>,
}

/// Reads a message.
///
/// # Errors
///
/// Why it is no event, or none that may count.
pub fn read(topic: &str, payload: &[u8]) -> Result<Said, Refusal> {
    #[derive(Deserialize)]
    struct Head {
        schema_version: u64,
    }

    if payload.len() > LARGEST {
        return Err(Refusal::Oversized);
    }
    let Head { schema_version } =
        serde_json::from_slice(payload).map_err(|_| Refusal::Malformed)?;
    if schema_version != SCHEMA_VERSION {
        return Err(Refusal::ForeignSchema);
    }
    let event: JobEvent = serde_json::from_slice(payload).map_err(|_| Refusal::Malformed)?;
    let signature = event.data.and_then(|data| data.hmac_sig);
    let (Some(job), Some(kind)) = (
        JobId::parse(&event.job_id).filter(|job| topic::job_of(topic).as_ref() == Some(job)),
        EventKind::named(&event.event),
    ) else {
        return Err(Refusal::Malformed);
    };
    let signature_is_one = signature.as_deref().is_none_or(|it| from_hex(it).is_some());
    if !(1..=HIGHEST).contains(&event.seq) || !signature_is_one {
        return Err(Refusal::Malformed);
    }
    let detail = event.detail.unwrap_or_default();
    Ok(Said {
        signed_text: canonical([
            &event.schema_version.to_string(),
            job.as_str(),
            &event.seq.to_string(),
            kind.as_str(),
            event.timestamp.as_deref().unwrap_or_default(),
            &detail,
        ]),
        job,
        seq: event.seq,
        kind,
        detail: printable(&detail),
        signature,
    })
}

/// Whether a topic is one of events at all.
#[must_use]
pub(super) fn is_of_events(topic: &str) -> bool {
    topic::job_of(topic).is_some()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::path::Path;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const TOPIC: &str = "python/mqtt/jobs/a1b2/events";

    fn of(event: &Value) -> Result<Said, Refusal> {
        read(TOPIC, event.to_string().as_bytes())
    }

    fn least() -> Value {
        json!({ "schema_version": 1, "seq": 1, "job_id": "a1b2", "event": "started" })
    }

    fn with(key: &str, value: Value) -> Value {
        let mut event = least();
        event[key] = value;
        event
    }

    fn accepted() -> Vec<Value> {
        let mut all = vec![
            least(),
            with("seq", json!(HIGHEST)),
            with("timestamp", json!("2026-11-21T09:00:00Z")),
            with("timestamp", json!(null)),
            with("detail", json!("日本語 \u{1b}[31m")),
            with("detail", json!(null)),
            with("data", json!(null)),
            with("data", json!({})),
            with("data", json!({ "hmac_sig": null, "build_id": 1.5 })),
            with("data", json!({ "hmac_sig": "aF".repeat(32) })),
            with("unheard_of", json!([1.5, {}])),
        ];
        all.extend(EventKind::ALL.map(|kind| with("event", json!(kind.as_str()))));
        all
    }

    fn refused() -> Vec<Value> {
        let mut all = vec![
            json!([]),
            json!("started"),
            json!({}),
            with("schema_version", json!(2)),
            with("schema_version", json!("1")),
            with("seq", json!(0)),
            with("seq", json!(-1)),
            with("seq", json!(1.5)),
            with("seq", json!("1")),
            with("seq", json!(HIGHEST + 1)),
            with("job_id", json!("")),
            with("job_id", json!("../a")),
            with("job_id", json!("x".repeat(65))),
            with("job_id", json!(7)),
            with("event", json!("exploded")),
            with("event", json!(null)),
            with("timestamp", json!(1_795_251_600)),
            with("detail", json!({})),
            with("data", json!([])),
            with("data", json!({ "hmac_sig": "" })),
            with("data", json!({ "hmac_sig": "g".repeat(64) })),
        ];
        for key in ["schema_version", "seq", "job_id", "event"] {
            let mut event = least();
            event.as_object_mut().unwrap().remove(key);
            all.push(event);
        }
        all
    }

    fn schema() -> Value {
        let settings = schemars::generate::SchemaSettings::draft2020_12();
        let mut schema = settings.into_generator().into_root_schema_for::<JobEvent>();
        schema.insert("title".to_owned(), json!("headcount job event"));
        serde_json::to_value(schema).unwrap()
    }

    #[test]
    fn the_schema_in_the_repository_is_that_of_the_types() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/job-event.schema.json");
        let text = format!("{:#}\n", schema());
        if std::env::var_os("HEADCOUNT_REWRITE_SCHEMAS").is_some() {
            fs::write(&path, &text).unwrap();
        }
        let written = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            written == text,
            "{} is not what the types say: run the tests with HEADCOUNT_REWRITE_SCHEMAS=1 and commit it",
            path.display()
        );
    }

    #[test]
    fn what_is_accepted_is_what_the_schema_accepts() {
        let validator = jsonschema::draft202012::new(&schema()).unwrap();
        for event in accepted() {
            assert!(of(&event).is_ok(), "{event}");
            assert!(validator.is_valid(&event), "{event}");
        }
        for event in refused() {
            assert!(of(&event).is_err(), "{event}");
            assert!(!validator.is_valid(&event), "{event}");
        }
    }

    #[test]
    fn another_version_is_told_apart_from_what_is_no_event() {
        let other = json!({ "schema_version": 2, "anything": ["else"] });
        assert_eq!(of(&other), Err(Refusal::ForeignSchema));
        assert_eq!(of(&json!({})), Err(Refusal::Malformed));
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused() {
        let twice = br#"{"schema_version":1,"seq":1,"seq":9,"job_id":"a1b2","event":"error"}"#;
        assert_eq!(read(TOPIC, twice), Err(Refusal::Malformed));
        let twice = br#"{"schema_version":1,"seq":1,"job_id":"a1b2","event":"error","data":{"hmac_sig":null,"hmac_sig":null}}"#;
        assert_eq!(read(TOPIC, twice), Err(Refusal::Malformed));
    }

    #[test]
    fn an_event_of_another_job_than_its_topic_is_refused() {
        let event = least().to_string();
        let other = read("python/mqtt/jobs/other/events", event.as_bytes());
        assert_eq!(other, Err(Refusal::Malformed));
    }

    #[test]
    fn what_is_too_large_is_refused_unread() {
        let long = with("detail", json!("x".repeat(LARGEST)));
        assert_eq!(of(&long), Err(Refusal::Oversized));
    }

    proptest! {
        #[test]
        fn no_bytes_do_any_harm(bytes in any::<Vec<u8>>()) {
            let _ = read(TOPIC, &bytes);
        }
    }
}
