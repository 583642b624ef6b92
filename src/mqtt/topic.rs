//! Topics: which ones are listened to, and which job one is about.

use std::fmt;

use crate::core::jobs::JobId;

/// The topics that workers publish on.
pub const DEFAULT_FILTER: &str = "python/mqtt/jobs/+/events";

/// The last level of a topic of events.
const EVENTS: &str = "events";

/// How long a filter may be, in bytes, by the protocol.
const LONGEST: usize = 65_535;

/// A filter of topics that can match a topic of events, `<anything>/<job_id>/events`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(String);

impl Filter {
    /// The filter of that text.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| Err(format!("{text:?} {why}"));
        let levels: Vec<&str> = text.split('/').collect();
        let last = levels.len() - 1;
        if text.is_empty() || text.len() > LONGEST || text.contains('\0') {
            return wrong("is no filter of topics");
        }
        for (at, level) in levels.iter().enumerate() {
            if level.contains('#') && (*level != "#" || at != last) {
                return wrong("is no filter of topics: `#` is a whole level, and the last one");
            }
            if level.contains('+') && *level != "+" {
                return wrong("is no filter of topics: `+` is a whole level");
            }
        }
        if text.starts_with('$') {
            return wrong(
                "matches no job's events: topics that begin with `$` are the broker's own",
            );
        }
        let matches = match levels.as_slice() {
            [.., "#"] => true,
            [.., job, "+" | EVENTS] => *job == "+" || JobId::parse(job).is_some(),
            _ => false,
        };
        if !matches {
            return wrong("matches no job's events: they come on <anything>/<job_id>/events");
        }
        Ok(Self(text.to_owned()))
    }

    /// The text as it is.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which job's events a topic is for; `None` for a topic of something else.
pub(super) fn job_of(topic: &str) -> Option<JobId> {
    let (rest, last) = topic.rsplit_once('/')?;
    let job = rest.rsplit('/').next()?;
    (last == EVENTS).then(|| JobId::parse(job)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_can_match_events_is_one() {
        for text in [
            DEFAULT_FILTER,
            "#",
            "python/mqtt/jobs/#",
            "site/a/+/events",
            "jobs/a1b2/events",
            "jobs/+/+",
            "/+/events",
        ] {
            assert!(Filter::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_filter_that_matches_nothing_useful_is_none() {
        for text in [
            "",
            "jobs",
            "jobs/+/logs",
            "jobs/a+/events",
            "jobs/#/events",
            "jobs#",
            "jobs/+/event",
            "jobs/no.id/events",
            "$SYS/#",
            "$share/group/jobs/+/events",
            "a\0/+/events",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_job_is_the_level_before_the_last() {
        let job = |topic| job_of(topic).map(|job| job.to_string());
        assert_eq!(job("python/mqtt/jobs/a1/events").as_deref(), Some("a1"));
        for topic in ["events", "a1/logs", "jobs//events", "jobs/a.b/events"] {
            assert_eq!(job(topic), None, "{topic}");
        }
    }
}
