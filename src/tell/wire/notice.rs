//! One piece of news, as a command that is told of it reads it.

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::{Drift, FORMAT_VERSION, JobUpdate, Resolved};

#[cfg(test)]
use super::SECONDS;

/// What the document is.
pub(super) const NOTICE: &str = "notice";

/// One thing that happened: what the command of `--notify` gets on its standard input.
///
/// Of `drift`, `resolved` and `job` exactly one is not null.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Notice {
    /// What this document is.
    #[cfg_attr(test, schemars(extend("const" = NOTICE)))]
    document: String,
    /// The version of this format.
    #[cfg_attr(test, schemars(extend("const" = FORMAT_VERSION)))]
    format_version: String,
    /// What happened: a drift `opened`, was `written` to the roll or was `resolved`, or something was learnt of a `job`.
    #[cfg_attr(test, schemars(extend("enum" = EVENTS)))]
    event: String,
    /// When, in UTC.
    #[cfg_attr(test, schemars(regex(pattern = SECONDS)))]
    timestamp: String,
    /// The name of the machine.
    host: String,
    /// The absolute path of the roll.
    yaml_path: String,
    /// The session; null for an entry of `agent_identities`.
    session: Option<String>,
    /// The sentence for a person.
    comment: String,
    /// The drift that opened or was written.
    drift: Option<Drift>,
    /// The drift that is no more.
    resolved: Option<Resolved>,
    /// What was learnt of a delegated job.
    job: Option<JobUpdate>,
    /// How many things that happened before this one are not told, since they were too many.
    missed: u64,
}

#[cfg(test)]
const EVENTS: [&str; 4] = ["opened", "written", "resolved", "job"];

/// What a notice is about.
#[derive(Clone, Debug, PartialEq)]
pub enum About {
    /// A drift opened.
    Opened(Drift),
    /// A drift was written.
    Written(Drift),
    /// A drift is no more.
    Resolved(Resolved),
    /// Something was learnt of a job.
    Job(JobUpdate),
}

/// Where something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scene {
    /// The name of the machine.
    pub host: String,
    /// The absolute path of the roll.
    pub yaml_path: String,
}

impl Notice {
    /// A notice of something that happened there and then, after so many things that are not told.
    #[must_use]
    pub fn new(about: About, timestamp: String, scene: &Scene, missed: u64) -> Self {
        let (event, session, comment) = match &about {
            About::Opened(drift) => ("opened", drift.session.clone(), drift.comment.clone()),
            About::Written(drift) => ("written", drift.session.clone(), drift.comment.clone()),
            About::Resolved(it) => ("resolved", it.session.clone(), it.comment.clone()),
            About::Job(job) => ("job", Some(job.session.clone()), job.comment.clone()),
        };
        let mut notice = Self {
            document: NOTICE.to_owned(),
            format_version: FORMAT_VERSION.to_owned(),
            event: event.to_owned(),
            timestamp,
            host: scene.host.clone(),
            yaml_path: scene.yaml_path.clone(),
            session,
            comment,
            drift: None,
            resolved: None,
            job: None,
            missed,
        };
        match about {
            About::Opened(drift) | About::Written(drift) => notice.drift = Some(drift),
            About::Resolved(resolved) => notice.resolved = Some(resolved),
            About::Job(job) => notice.job = Some(job),
        }
        notice
    }

    /// What happened, in a word.
    #[must_use]
    pub fn event(&self) -> &str {
        &self.event
    }

    /// The session.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// The sentence for a person.
    #[must_use]
    pub fn comment(&self) -> &str {
        &self.comment
    }
}
