//! `sessions/<pid>.json`, which a live Claude Code keeps of itself. Undocumented: as version 2.1.197 writes it.

use serde::Deserialize;

use crate::core::ids::ProcessId;

/// What a record says of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It has this conversation.
    Has(Conversation),
    /// Nothing: an earlier process of the same pid left it.
    Stale,
    /// It is not whole: written in place, it may be read in the middle of a change.
    Torn,
    /// Something that proves nothing. Why.
    Unclear(String),
}

/// A conversation, as a record has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Conversation {
    /// Its id, as it is written.
    pub(super) id: String,
    /// `status`.
    pub(super) activity: Option<String>,
    /// What runs it, where no person does: `sdk-cli`.
    pub(super) script: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    pid: Option<u32>,
    session_id: Option<String>,
    proc_start: Option<String>,
    pid_domain: Option<String>,
    kind: Option<String>,
    entrypoint: Option<String>,
    status: Option<String>,
}

/// Reads what a record says of a process in a pid namespace (`pid:[4026531836]`).
pub(super) fn read(bytes: &[u8], process: ProcessId, namespace: Option<&str>) -> Said {
    let Ok(record) = serde_json::from_slice::<Record>(bytes) else {
        return Said::Torn;
    };
    if is_foreign(record.pid_domain.as_deref(), namespace) {
        return Said::Unclear("it is of another pid namespace".to_owned());
    }
    if record.pid.is_some_and(|pid| pid != process.pid) {
        return Said::Unclear("it is of another pid than its name says".to_owned());
    }
    let Some(start) = record.proc_start else {
        return Said::Unclear("it does not say when its process began".to_owned());
    };
    if start != process.start.to_string() {
        return Said::Stale;
    }
    let Some(id) = record.session_id else {
        return Said::Unclear("it names no conversation".to_owned());
    };
    let Some(entrypoint) = record.entrypoint else {
        return Said::Unclear("it does not say whether a person or a script runs it".to_owned());
    };
    let script = match record.kind.as_deref() {
        _ if entrypoint != "cli" => Some(entrypoint),
        Some(kind) if kind != "interactive" => Some(kind.to_owned()),
        _ => None,
    };
    // While it starts, and as long as a person chooses what to resume, the record holds an id that is thrown
    // away afterwards. The status comes with the right one. Scripted runs never have one.
    if script.is_none() && record.status.is_none() {
        return Said::Unclear(
            "it has no status yet, so its conversation may still change".to_owned(),
        );
    }
    Said::Has(Conversation {
        id,
        activity: record.status,
        script,
    })
}

/// The conversation that a record claims for a process that may live where it cannot be seen from here.
pub(super) fn claimed_elsewhere(bytes: &[u8], namespace: Option<&str>) -> Option<String> {
    let record = serde_json::from_slice::<Record>(bytes).ok()?;
    is_foreign(record.pid_domain.as_deref(), namespace).then_some(record.session_id)?
}

/// `linux:<machine>:pid:[<number>]` of another namespace than this one.
fn is_foreign(domain: Option<&str>, namespace: Option<&str>) -> bool {
    match (domain, namespace) {
        (None, _) => false,
        (Some(domain), Some(namespace)) => !domain.ends_with(namespace),
        (Some(_), None) => true,
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const HERE: Option<&str> = Some("pid:[4026531836]");
    const PROCESS: ProcessId = ProcessId {
        pid: 7884,
        start: 139_564,
    };

    /// As Claude Code 2.1.197 wrote it.
    fn record() -> Value {
        json!({
            "pid": 7884, "sessionId": "3bd73422-0e61-4161-9102-8d1709984f18", "cwd": "/tmp/w/a",
            "startedAt": 1_795_252_536_283_u64, "procStart": "139564", "version": "2.1.197",
            "peerProtocol": 1, "kind": "interactive", "entrypoint": "cli", "name": "a-8d",
            "nameSource": "derived", "status": "waiting", "updatedAt": 1_795_252_536_197_u64,
            "statusUpdatedAt": 1_795_252_536_197_u64, "waitingFor": "permission prompt",
        })
    }

    fn with(key: &str, value: Value) -> Said {
        let mut record = record();
        record[key] = value;
        read(record.to_string().as_bytes(), PROCESS, HERE)
    }

    fn without(key: &str) -> Said {
        let mut record = record();
        record.as_object_mut().expect("an object").remove(key);
        read(record.to_string().as_bytes(), PROCESS, HERE)
    }

    #[test]
    fn a_record_names_the_conversation_and_what_the_agent_does() {
        let said = read(record().to_string().as_bytes(), PROCESS, HERE);
        let expected = Conversation {
            id: "3bd73422-0e61-4161-9102-8d1709984f18".to_owned(),
            activity: Some("waiting".to_owned()),
            script: None,
        };
        assert_eq!(said, Said::Has(expected));
    }

    #[test]
    fn a_record_of_an_earlier_process_of_that_pid_is_stale() {
        assert_eq!(with("procStart", json!("139565")), Said::Stale);
        assert_eq!(with("procStart", json!("0139564")), Said::Stale);
    }

    #[test]
    fn a_record_of_another_pid_namespace_proves_nothing() {
        let other = json!("linux:abc:pid:[4026532999]");
        assert!(matches!(with("pidDomain", other), Said::Unclear(_)));
        let here = json!("linux:abc:pid:[4026531836]");
        assert!(matches!(with("pidDomain", here), Said::Has(_)));
    }

    #[test]
    fn what_is_missing_makes_a_record_unclear() {
        for key in ["procStart", "sessionId", "entrypoint"] {
            assert!(matches!(without(key), Said::Unclear(_)), "{key}");
        }
        assert!(matches!(without("kind"), Said::Has(_)));
        assert!(matches!(with("pid", json!(1)), Said::Unclear(_)));
    }

    #[test]
    fn before_it_has_a_status_its_conversation_may_still_change() {
        assert!(matches!(without("status"), Said::Unclear(_)));
    }

    #[test]
    fn a_scripted_run_says_so_and_has_no_status() {
        let mut record = record();
        record["entrypoint"] = json!("sdk-cli");
        record.as_object_mut().expect("an object").remove("status");
        let said = read(record.to_string().as_bytes(), PROCESS, HERE);
        assert!(
            matches!(&said, Said::Has(it) if it.script.as_deref() == Some("sdk-cli")),
            "{said:?}"
        );
        let said = with("kind", json!("background"));
        assert!(
            matches!(&said, Said::Has(it) if it.script.as_deref() == Some("background")),
            "{said:?}"
        );
    }

    #[test]
    fn a_record_of_another_namespace_may_still_claim_its_conversation() {
        let mut record = record();
        assert_eq!(claimed_elsewhere(record.to_string().as_bytes(), HERE), None);
        record["pidDomain"] = json!("linux:abc:pid:[1]");
        assert_eq!(
            claimed_elsewhere(record.to_string().as_bytes(), HERE).as_deref(),
            Some("3bd73422-0e61-4161-9102-8d1709984f18")
        );
    }

    proptest! {
        #[test]
        fn half_a_record_is_torn(end in 0_usize..400) {
            let text = record().to_string();
            prop_assume!(end < text.len());
            prop_assert_eq!(read(&text.as_bytes()[..end], PROCESS, HERE), Said::Torn);
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let said = read(&bytes, PROCESS, HERE);
            prop_assert!(!matches!(said, Said::Has(_)));
        }
    }
}
