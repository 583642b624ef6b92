//! What a board says of one card.

use serde::Deserialize;

use super::comment::Mark;
use crate::core::ids::Timestamp;

/// A card, as `hermes kanban show ID --json` prints it. Keys that are not needed here may be missing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Card {
    /// The card itself.
    pub task: Task,
    /// All comments, oldest first.
    #[serde(default)]
    pub comments: Vec<Comment>,
    /// All that happened to it, oldest first.
    #[serde(default)]
    pub events: Vec<Event>,
}

/// The card itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Task {
    /// Its id.
    #[serde(default)]
    pub id: String,
    /// `ready`, `running`, `blocked`, `done`, `archived`, …
    #[serde(default)]
    pub status: String,
    /// When it was made, in seconds since 1970.
    #[serde(default)]
    pub created_at: i64,
}

/// One comment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Comment {
    /// Who wrote it.
    #[serde(default)]
    pub author: String,
    /// What it says.
    #[serde(default)]
    pub body: String,
    /// When, in seconds since 1970.
    #[serde(default)]
    pub created_at: i64,
}

/// One thing that happened.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Event {
    /// `claimed`, `unblocked`, …
    #[serde(default)]
    pub kind: String,
    /// More about it.
    #[serde(default)]
    pub payload: Option<serde_json::Value>,
    /// When, in seconds since 1970.
    #[serde(default)]
    pub created_at: i64,
    /// The run it is of.
    #[serde(default)]
    pub run_id: Option<i64>,
}

/// A person wants the watch to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopRequest {
    /// Who.
    pub author: String,
    /// When.
    pub at: Timestamp,
}

/// Who has the card, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The number of the run.
    pub run: i64,
    /// When it was made.
    pub at: Timestamp,
    /// When it runs out, if that is told.
    pub expires: Option<Timestamp>,
}

impl Card {
    /// Whether somebody works on it.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.task.status == "running"
    }

    /// The claim it is held by, if it is running and says so.
    #[must_use]
    pub fn claim(&self) -> Option<Claim> {
        let event = self.events.iter().rev().find(|it| it.kind == "claimed")?;
        let expires = event.payload.as_ref().and_then(|it| it.get("expires"));
        self.is_running().then_some(())?;
        Some(Claim {
            run: event.run_id?,
            at: Timestamp::from_secs(event.created_at),
            expires: expires
                .and_then(serde_json::Value::as_i64)
                .map(Timestamp::from_secs),
        })
    }

    /// The newest run that it has had; 0 where there was none.
    #[must_use]
    pub fn newest_run(&self) -> i64 {
        let runs = self.events.iter().filter_map(|it| it.run_id);
        runs.max().unwrap_or_default()
    }

    /// When headcount's own comments were written, oldest first.
    pub fn own_comments(&self) -> impl Iterator<Item = Timestamp> {
        let own = self.comments.iter();
        own.filter(|it| super::comment::is_own(&it.author))
            .map(|it| Timestamp::from_secs(it.created_at))
    }

    /// The oldest request to stop that nobody has answered yet: a comment by somebody else, newer than the card or
    /// its last unblocking, one line of which says `stop` or `stop monitoring` and nothing else.
    #[must_use]
    pub fn stop_request(&self) -> Option<StopRequest> {
        let unblocked = self.events.iter().filter(|it| it.kind == "unblocked");
        let since = unblocked
            .map(|event| event.created_at)
            .fold(self.task.created_at, i64::max);
        self.comments
            .iter()
            .filter(|it| it.created_at >= since && !super::comment::is_own(&it.author))
            .filter(|it| asks_to_stop(&it.body))
            .map(|it| StopRequest {
                author: it.author.clone(),
                at: Timestamp::from_secs(it.created_at),
            })
            .find(|request| !self.has_answered(request))
    }

    /// Whether a card was blocked for a request already. Times on a card are whole seconds, so that a request and
    /// an unblocking of the same second could be taken for the other way round.
    fn has_answered(&self, request: &StopRequest) -> bool {
        let answer = request.reason();
        self.comments
            .iter()
            .any(|it| it.body.strip_prefix("BLOCKED: ") == Some(answer.as_str()))
    }

    /// The mark of the newest of headcount's own comments for a roll, and when it was written. It is not always
    /// the one with the highest numbers: a journal that was lost begins anew.
    #[must_use]
    pub fn newest_mark(&self, roll: &str) -> Option<(Mark, Timestamp)> {
        let own = self
            .comments
            .iter()
            .filter(|it| super::comment::is_own(&it.author));
        own.filter_map(|it| Some((Mark::of(&it.body)?, Timestamp::from_secs(it.created_at))))
            .rfind(|(mark, _)| mark.roll == roll)
    }
}

impl StopRequest {
    /// Why a card is blocked that is told to stop.
    #[must_use]
    pub fn reason(&self) -> String {
        // The name is somebody else's text, and must not become a line of its own.
        let author: String = self
            .author
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(60)
            .collect();
        format!("stop-requested by {} at {}", author.trim(), self.at.iso())
    }
}

/// Whether one whole line of a comment is the request. Lines that are quoted, or shown as code, are somebody else's
/// words; a `BLOCKED:` comment is the board's.
fn asks_to_stop(body: &str) -> bool {
    if body.trim_start().starts_with("BLOCKED:") {
        return false;
    }
    let mut code = false;
    body.lines().any(|line| {
        let line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            code = !code;
            return false;
        }
        let words = line
            .trim_end_matches(['.', '!', '…', '。', '！'])
            .trim_end();
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        !code && matches!(words.to_lowercase().as_str(), "stop" | "stop monitoring")
    })
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests {
    use super::*;

    const MADE: i64 = 1_000;

    fn card(comments: &[(&str, &str, i64)], events: &[(&str, i64)]) -> Card {
        Card {
            task: Task {
                id: "t_1".to_owned(),
                status: "running".to_owned(),
                created_at: MADE,
            },
            comments: comments
                .iter()
                .map(|(author, body, at)| Comment {
                    author: (*author).to_owned(),
                    body: (*body).to_owned(),
                    created_at: *at,
                })
                .collect(),
            events: events
                .iter()
                .map(|(kind, at)| Event {
                    kind: (*kind).to_owned(),
                    created_at: *at,
                    ..Event::default()
                })
                .collect(),
        }
    }

    fn asked(body: &str) -> bool {
        card(&[("ann", body, 2_000)], &[]).stop_request().is_some()
    }

    #[test]
    fn a_whole_line_asks_to_stop_in_any_case_and_with_a_full_stop() {
        for body in [
            "stop",
            "Stop",
            "  STOP  ",
            "stop.",
            "Stop!",
            "stop monitoring",
            "Stop  monitoring.",
            "thanks for all that\nstop\n",
            "\tstop\r\n",
        ] {
            assert!(asked(body), "{body:?}");
        }
    }

    #[test]
    fn what_only_contains_the_word_does_not() {
        for body in [
            "",
            "don't stop",
            "stop it",
            "please stop",
            "stop?",
            "> stop",
            "- stop",
            "`stop`",
            "```\nstop\n```",
            "stopped",
            "BLOCKED: stop",
            "BLOCKED: as asked\nstop",
            "stop-requested by ann",
        ] {
            assert!(!asked(body), "{body:?}");
        }
    }

    #[test]
    fn a_line_after_a_block_of_code_counts_again() {
        assert!(asked("```\nmake\n```\nstop"));
    }

    #[test]
    fn headcounts_own_words_do_not() {
        let own = card(&[(super::super::AUTHOR, "stop", 2_000)], &[]);
        assert_eq!(own.stop_request(), None);
    }

    #[test]
    fn a_request_from_before_the_last_unblocking_is_answered() {
        let unblocked = [("blocked", 2_001), ("unblocked", 3_000)];
        assert_eq!(
            card(&[("ann", "stop", 2_000)], &unblocked).stop_request(),
            None
        );
        let again = card(
            &[("ann", "stop", 2_000), ("bob", "stop", 3_001)],
            &unblocked,
        );
        let request = again.stop_request().expect("a request");
        assert_eq!(request.author, "bob");
    }

    #[test]
    fn one_that_was_written_while_nobody_watched_counts() {
        assert!(card(&[("ann", "stop", MADE)], &[]).stop_request().is_some());
    }

    #[test]
    fn a_request_that_was_answered_in_the_second_of_the_unblocking_is_answered_all_the_same() {
        let request = StopRequest {
            author: "ann".to_owned(),
            at: Timestamp::from_secs(3_000),
        };
        let answer = format!("BLOCKED: {}", request.reason());
        let comments = [("ann", "stop", 3_000), ("default", answer.as_str(), 3_000)];
        assert_eq!(
            card(&comments, &[("unblocked", 3_000)]).stop_request(),
            None
        );
    }

    #[test]
    fn a_reason_is_one_line_whatever_the_author_is_called() {
        let request = StopRequest {
            author: format!("ann\nstop\n{}", "x".repeat(500)),
            at: Timestamp::from_secs(3_000),
        };
        assert_eq!(request.reason().lines().count(), 1);
        assert!(request.reason().len() < 150);
        assert!(!asks_to_stop(&request.reason()));
    }

    #[test]
    fn the_newest_mark_is_the_last_one_though_an_older_journal_had_higher_numbers() {
        let comments = [
            (super::super::AUTHOR, "a\n\n(news 8701ffc9 0-6)", 2_000),
            (super::super::AUTHOR, "b\n\n(news 8701ffc9 0-3)", 3_000),
            (super::super::AUTHOR, "c\n\n(news 00000000 7-9)", 4_000),
            ("ann", "d\n\n(news 8701ffc9 9-9)", 5_000),
        ];
        let (mark, posted) = card(&comments, &[])
            .newest_mark("8701ffc9")
            .expect("a mark");
        assert_eq!((mark.first, mark.last), (0, 3));
        assert_eq!(posted, Timestamp::from_secs(3_000));
    }

    #[test]
    fn a_claim_is_that_of_the_last_claiming_while_the_card_runs() {
        let text = r#"{"task": {"id": "t_1", "status": "running", "created_at": 5},
            "events": [{"kind": "claimed", "run_id": 1, "payload": {"expires": 10}},
                       {"kind": "reclaimed", "run_id": 1},
                       {"kind": "claimed", "run_id": 2, "created_at": 12, "payload": {"expires": 20, "lock": "vm:1"}}]}"#;
        let mut card: Card = serde_json::from_str(text).expect("a card");
        let claim = card.claim().expect("a claim");
        assert_eq!((claim.run, claim.at), (2, Timestamp::from_secs(12)));
        assert_eq!(card.newest_run(), 2);
        assert_eq!(claim.expires, Some(Timestamp::from_secs(20)));
        card.task.status = "ready".to_owned();
        assert_eq!(card.claim(), None);
    }
}
