//! What every report has to be, whatever it reports: each one that any test makes is checked.

use std::fmt;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// The keys that every report begins with, in this order.
pub const FIRST_KEYS: [&str; 6] = [
    "timestamp",
    "yaml_path",
    "tmux_sessions_alive",
    "tmux_confirmed",
    "drifts",
    "actions",
];

/// What else may be printed than a report: each says what it is, and has a schema of its own.
const OTHERS: [(&str, &str); 6] = [
    ("plan", include_str!("../../../schemas/plan.schema.json")),
    (
        "checkup",
        include_str!("../../../schemas/checkup.schema.json"),
    ),
    (
        "status",
        include_str!("../../../schemas/status.schema.json"),
    ),
    (
        "pruning",
        include_str!("../../../schemas/pruning.schema.json"),
    ),
    (
        "recovery",
        include_str!("../../../schemas/recovery.schema.json"),
    ),
    (
        "explanation",
        include_str!("../../../schemas/explanation.schema.json"),
    ),
];

fn schema() -> &'static Validator {
    static SCHEMA: OnceLock<Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| validator(include_str!("../../../schemas/report.schema.json")))
}

fn validator(schema: &str) -> Validator {
    let schema: Value = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

/// Fails the test unless every report among what was printed is as `schemas/report.schema.json` says, and
/// begins with the [`FIRST_KEYS`].
#[track_caller]
pub fn check_reports(printed: &str) {
    let whole = std::iter::once(printed);
    for text in whole.chain(printed.lines()) {
        if keys(text).is_some_and(|keys| keys.iter().any(|key| key == "format_version")) {
            check_report(text);
        }
    }
}

#[track_caller]
fn check_report(text: &str) {
    let report: Value = serde_json::from_str(text).expect("a report is JSON");
    let own = OTHERS.iter().find(|(name, _)| report["document"] == *name);
    if let Some((_, text)) = own {
        return check(&report, &validator(text));
    }
    check(&report, schema());
    let keys = keys(text).unwrap_or_default();
    assert!(
        keys.iter()
            .zip(FIRST_KEYS)
            .filter(|(key, first)| key == first)
            .count()
            == FIRST_KEYS.len(),
        "a report begins with {FIRST_KEYS:?}, not with {keys:?}"
    );
}

#[track_caller]
fn check(report: &Value, schema: &Validator) {
    let errors: Vec<String> = schema
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(
        errors.is_empty(),
        "a report that its schema forbids:\n{}\n{report:#}",
        errors.join("\n")
    );
}

/// The names of the sessions in a document that tells of sessions, in its order.
#[track_caller]
pub fn names(document: &Value) -> Vec<&str> {
    let sessions = document["sessions"].as_array();
    sessions
        .unwrap_or_else(|| panic!("no sessions in {document:#}"))
        .iter()
        .map(|session| session["name"].as_str().expect("a session has a name"))
        .collect()
}

/// The keys of a JSON object, in their order; `None` for anything else.
pub fn keys(text: &str) -> Option<Vec<String>> {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<String>, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, IgnoredAny)) = map.next_entry()? {
                keys.push(key);
            }
            Ok(keys)
        }
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let keys = reader.deserialize_map(Keys).ok()?;
    reader.end().is_ok().then_some(keys)
}

#[test]
#[should_panic(expected = "a report that its schema forbids")]
fn a_report_without_what_its_schema_asks_for_fails_the_test() {
    check_reports("{\"format_version\": \"1\"}\n");
}

#[test]
fn keys_are_told_in_their_order() {
    assert_eq!(
        keys("{\"b\": {\"c\": 1}, \"a\": []}"),
        Some(vec!["b".to_owned(), "a".to_owned()])
    );
    assert_eq!(keys("[1]"), None);
    assert_eq!(keys("{\"a\": 1} more"), None);
}
