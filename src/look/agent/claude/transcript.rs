//! The first records of a transcript: when it began, where, and who wrote it.
//!
//! A transcript may open with any of a dozen kinds of records, most of which say none of the three. So each
//! question is answered by the first record that says anything about it.

use std::ops::ControlFlow;

use serde::Deserialize;

use crate::core::ids::Timestamp;

/// What the head of a transcript says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// The first time in it.
    pub(super) began: Option<Timestamp>,
    /// The first working folder in it.
    pub(super) cwd: Option<String>,
    /// Who wrote its first record that says so.
    pub(super) writer: Option<Writer>,
}

/// Who wrote a transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Writer {
    /// A person's own session.
    Person,
    /// A run without a person: its `entrypoint`.
    Script(String),
    /// A sub-agent.
    SubAgent,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    timestamp: Option<String>,
    snapshot: Option<Snapshot>,
    cwd: Option<String>,
    entrypoint: Option<String>,
    is_sidechain: Option<bool>,
}

/// Of a `file-history-snapshot`, which has no time but this one.
#[derive(Deserialize)]
struct Snapshot {
    timestamp: Option<String>,
}

impl Head {
    /// Takes the next record, and breaks when there is nothing more to learn. What is no record is passed over.
    pub(super) fn take(&mut self, line: &[u8]) -> ControlFlow<()> {
        if let Ok(record) = serde_json::from_slice::<Record>(line) {
            self.learn(record);
        }
        if self.began.is_some() && self.cwd.is_some() && self.writer.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn learn(&mut self, record: Record) {
        if self.began.is_none() {
            let nested = || record.snapshot.and_then(|snapshot| snapshot.timestamp);
            self.began = record
                .timestamp
                .or_else(nested)
                .and_then(|time| Timestamp::parse(&time));
        }
        if self.cwd.is_none() {
            self.cwd = record.cwd;
        }
        if self.writer.is_none() {
            self.writer = match record.entrypoint {
                _ if record.is_sidechain == Some(true) => Some(Writer::SubAgent),
                Some(entrypoint) if entrypoint == "cli" => Some(Writer::Person),
                Some(entrypoint) => Some(Writer::Script(entrypoint)),
                None => None,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn head(lines: &[&str]) -> Head {
        let mut head = Head::default();
        for line in lines {
            if head.take(line.as_bytes()).is_break() {
                break;
            }
        }
        head
    }

    const USER: &str = r#"{"parentUuid":null,"isSidechain":false,"promptId":"e","type":"user","message":{"role":"user","content":"hello"},"uuid":"19a8","timestamp":"2026-11-21T09:16:04.765Z","permissionMode":"default","promptSource":"typed","userType":"external","entrypoint":"cli","cwd":"/tmp/w/a","sessionId":"3bd7","version":"2.1.197","gitBranch":"HEAD"}"#;
    const MODE: &str = r#"{"type":"mode","mode":"normal","sessionId":"3bd7"}"#;
    const SNAPSHOT: &str = r#"{"type":"file-history-snapshot","messageId":"1","snapshot":{"messageId":"1","trackedFileBackups":{},"timestamp":"2026-11-21T09:16:04.768Z"},"isSnapshotUpdate":false}"#;
    const QUEUE: &str = r#"{"type":"queue-operation","operation":"enqueue","timestamp":"2026-11-21T09:14:53.738Z","sessionId":"60ee","content":"hello"}"#;

    fn time(text: &str) -> Option<Timestamp> {
        Timestamp::parse(text)
    }

    #[test]
    fn a_persons_transcript_says_when_where_and_who() {
        let head = head(&[MODE, SNAPSHOT, USER]);
        assert_eq!(head.began, time("2026-11-21T09:16:04.768Z"));
        assert_eq!(head.cwd.as_deref(), Some("/tmp/w/a"));
        assert_eq!(head.writer, Some(Writer::Person));
    }

    #[test]
    fn a_print_runs_transcript_is_a_scripts() {
        let head = head(&[QUEUE, &USER.replace(r#""cli""#, r#""sdk-cli""#)]);
        assert_eq!(head.began, time("2026-11-21T09:14:53.738Z"));
        assert_eq!(head.writer, Some(Writer::Script("sdk-cli".to_owned())));
    }

    #[test]
    fn a_sub_agents_transcript_is_no_persons() {
        let line = USER.replace(r#""isSidechain":false"#, r#""isSidechain":true"#);
        assert_eq!(head(&[&line]).writer, Some(Writer::SubAgent));
    }

    #[test]
    fn a_script_that_goes_on_with_a_persons_transcript_does_not_make_it_its_own() {
        let later = USER.replace(r#""cli""#, r#""sdk-cli""#);
        assert_eq!(head(&[USER, &later]).writer, Some(Writer::Person));
    }

    #[test]
    fn a_head_that_says_nothing_leaves_everything_open() {
        assert_eq!(head(&[MODE, "", "not json", "[]", "{}"]), Head::default());
    }

    #[test]
    fn a_record_of_odd_types_is_passed_over() {
        let odd = r#"{"timestamp":5,"cwd":["/x"],"entrypoint":{}}"#;
        assert_eq!(head(&[odd, USER]), head(&[USER]));
    }

    #[test]
    fn a_time_nobody_can_read_is_none() {
        let odd = r#"{"timestamp":"yesterday"}"#;
        assert_eq!(head(&[odd]).began, None);
    }

    #[test]
    fn a_folder_with_quotes_in_its_name_is_read_back_as_it_is() {
        let odd = r#"{"cwd":"/tmp/a \"b\"\u00e9","entrypoint":"cl\u0069"}"#;
        let head = head(&[odd]);
        assert_eq!(head.cwd.as_deref(), Some("/tmp/a \"b\"é"));
        assert_eq!(head.writer, Some(Writer::Person));
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(lines in proptest::collection::vec(
            proptest::collection::vec(any::<u8>(), 0..200), 0..8)
        ) {
            let mut head = Head::default();
            for line in &lines {
                let _ = head.take(line);
            }
        }

        #[test]
        fn half_a_record_says_nothing(end in 0_usize..USER.len()) {
            let mut head = Head::default();
            prop_assert!(head.take(&USER.as_bytes()[..end]).is_continue());
            prop_assert_eq!(head, Head::default());
        }

        #[test]
        fn nesting_without_end_is_no_danger(depth in 1_usize..20_000) {
            let mut head = Head::default();
            let line = format!(r#"{{"message":{}"#, "[".repeat(depth));
            prop_assert!(head.take(line.as_bytes()).is_continue());
        }
    }
}
