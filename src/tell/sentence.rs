//! The words for people: one sentence or two for each drift, as a card shows them.

use crate::core::drift::{Drift, Kind};
use crate::core::edit::{Change, PaneRecord, Value};
use crate::core::ids::{Pid, SessionName};
use crate::core::jobs::Trust;
use crate::core::report::{Outcome, Report, Resolved, ToldJob};

use super::wire::Outcomes;

/// The sentence that tells one drift: whose it is, what is the case, and what became of it.
#[must_use]
pub fn comment(drift: &Drift, outcome: &Outcome) -> String {
    format!("{}: {}", subject(drift), statement(drift, outcome))
}

/// Whom a drift is about: the session, or the entry of `agent_identities`.
#[must_use]
pub fn subject(drift: &Drift) -> String {
    match (&drift.session, drift.agent) {
        (Some(session), _) => session.to_string(),
        (None, Some(agent)) => format!("agent_identities.{agent}"),
        (None, None) => "agent_identities".to_owned(),
    }
}

/// What is the case, and what became of it.
#[must_use]
pub fn statement(drift: &Drift, outcome: &Outcome) -> String {
    let (fact, done) = fact(drift);
    let done = match outcome {
        Outcome::ToldOnly if drift.kind != Kind::StaleId => "Not written.",
        _ => done,
    };
    ended(fact, done, outcome)
}

/// What is the case, and what it waits for if it does: without a time that every look sets anew where nobody keeps a
/// memory.
#[must_use]
pub fn without_time(drift: &Drift, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Pending { why, .. } => format!("{}. Not written yet: {why}.", fact(drift).0),
        _ => statement(drift, outcome),
    }
}

/// What is the case, and what is told when it is written.
fn fact(drift: &Drift) -> (String, &'static str) {
    match drift.kind {
        Kind::TmuxGone => (
            format!("tmux gone{}", in_brackets("was ", &drift.was)),
            "Marked terminated.",
        ),
        Kind::Unregistered => ("tmux found but not in YAML".to_owned(), "Auto-registered."),
        Kind::Revived => (
            format!(
                "tmux found again{} but ended in YAML",
                in_brackets("now ", &pane_now(drift))
            ),
            "Marked running.",
        ),
        Kind::Reincarnated => (
            format!(
                "tmux found with another pane{}",
                in_brackets("now ", &pane_now(drift))
            ),
            "Pane updated.",
        ),
        Kind::Mistaken => (
            "tmux found alive but marked terminated by mistake".to_owned(),
            "Marked running again.",
        ),
        Kind::IdMaterialized => (format!("session id materialized {}", id_now(drift)), ""),
        Kind::Rotated => (
            match id_before(drift) {
                Some(old) => format!("session id changed to {} (was {old})", id_now(drift)),
                None => format!("session id changed to {}", id_now(drift)),
            },
            "",
        ),
        Kind::StaleId => (
            format!(
                "session id {} has no file on disk ({})",
                id_before(drift).unwrap_or("unknown"),
                in_words(&drift.reason)
            ),
            "Not deleted.",
        ),
    }
}

/// The sentence that tells what was learned of a job.
#[must_use]
pub fn of_job(told: &ToldJob) -> String {
    format!("{}: {}", told.update.session, of_job_alone(told))
}

/// The same, without the session.
#[must_use]
pub fn of_job_alone(told: &ToldJob) -> String {
    let update = &told.update;
    let unsigned = if update.trust == Trust::Unsigned {
        " (unsigned)"
    } else {
        ""
    };
    let mut fact = format!("job {} {}{unsigned}", update.job, in_words(update.state));
    if !update.detail.is_empty() {
        fact.push_str(": ");
        fact.push_str(&update.detail);
    }
    match (&told.outcome, update.outcome) {
        (Outcome::ToldOnly, None) => fact,
        (Outcome::ToldOnly, Some(_)) => ended(fact, "Not written.", &told.outcome),
        _ => ended(fact, "Recorded.", &told.outcome),
    }
}

/// The one sentence for several ends of one cause.
#[must_use]
pub fn common_end(sessions: &[&SessionName], reason: &str, outcome: &Outcome) -> String {
    let names: Vec<_> = sessions.iter().map(|name| name.as_str()).collect();
    let fact = format!("{}: tmux gone ({})", names.join(", "), in_words(reason));
    ended(fact, "Marked terminated.", outcome)
}

/// The sentence that tells that a drift is no more.
#[must_use]
pub fn settled(resolved: &Resolved) -> String {
    let subject = resolved
        .session
        .as_ref()
        .map_or("agent_identities", SessionName::as_str);
    format!(
        "{subject}: in order again (was {}).",
        in_words(&resolved.kind)
    )
}

/// The whole report in one line of counts, trouble first.
#[must_use]
pub fn summary(report: &Report) -> String {
    let count = Outcomes::of(&report.drifts);
    let outcomes = [
        (count.held, "held"),
        (count.told, "told"),
        (count.pending, "pending"),
        (count.would_apply, "to write"),
        (count.applied, "written"),
    ];
    let outcomes: Vec<String> = outcomes
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let mut parts = vec![counted(report.alive.len(), "live session")];
    parts.push(if outcomes.is_empty() {
        "no drift".to_owned()
    } else {
        format!(
            "{} ({})",
            counted(report.drifts.len(), "drift"),
            outcomes.join(", ")
        )
    });
    let acked = report.drifts.iter().filter(|told| told.acked).count();
    if acked > 0 {
        parts.push(format!("{acked} acknowledged"));
    }
    if !report.notes.is_empty() {
        parts.push(counted(report.notes.len(), "note"));
    }
    if !report.jobs.is_empty() {
        parts.push(counted(report.jobs.len(), "job update"));
    }
    if !report.resolved.is_empty() {
        parts.push(format!("{} resolved", report.resolved.len()));
    }
    if !report.saw_everything() {
        parts.push("not everything could be seen".to_owned());
    }
    parts.join(", ")
}

/// `1 row`, `2 rows`.
#[must_use]
pub fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// Joins what is the case with what became of it. The original's sentence for a new id has neither a full
/// stop nor a second sentence, so it gets its full stop only where something follows.
fn ended(fact: String, done: &str, outcome: &Outcome) -> String {
    let end = match outcome {
        Outcome::Applied | Outcome::ToldOnly => done.to_owned(),
        Outcome::WouldApply => "Would be written.".to_owned(),
        Outcome::Pending { why, due } => format!("Not written yet: {why}, due {due}."),
        Outcome::Held(held) => format!("Not written: {}. {}", held.why(), held.remedy()),
    };
    if end.is_empty() {
        fact
    } else {
        format!("{fact}. {end}")
    }
}

/// A reason or a kind as words: `host_rebooted` is `host rebooted`.
fn in_words(word: &str) -> String {
    word.replace('_', " ")
}

/// ` (was pane 4711, cmd claude)`, as far as it is known.
fn in_brackets(tense: &str, (pid, cmd): &(Option<Pid>, Option<String>)) -> String {
    match (pid, cmd) {
        (Some(pid), Some(cmd)) => format!(" ({tense}pane {pid}, cmd {cmd})"),
        (Some(pid), None) => format!(" ({tense}pane {pid})"),
        (None, Some(cmd)) => format!(" ({tense}cmd {cmd})"),
        (None, None) => String::new(),
    }
}

fn pane_now(drift: &Drift) -> (Option<Pid>, Option<String>) {
    match drift.change() {
        Some(Change::Revive { pane, .. } | Change::Reincarnate { pane, .. }) => {
            let PaneRecord { pid, cmd, cwd: _ } = pane;
            (*pid, cmd.clone())
        }
        _ => (None, None),
    }
}

fn id_now(drift: &Drift) -> &str {
    match drift.change() {
        Some(Change::SetId { id, .. }) => id.as_str(),
        _ => first_text(&drift.after).unwrap_or("unknown"),
    }
}

fn id_before(drift: &Drift) -> Option<&str> {
    first_text(&drift.before)
}

fn first_text(pairs: &[(String, Value)]) -> Option<&str> {
    pairs.iter().find_map(|(_, value)| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    })
}
