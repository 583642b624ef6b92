//! The forms of what the core is given: one look, and the settings it was made with.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
#[cfg(test)]
use serde_json::json;

#[cfg(test)]
use super::form::Defs;
use super::form::{Fault, Form, Object, field, structure, words};
use crate::core::ids::{
    AgentKind, BootId, ConversationId, DriftId, Pid, ProcessId, ServerName, SessionName,
    StartTicks, Timestamp,
};
use crate::core::jobs::{EventKind, JobEvent, JobId, JobRecord, JobStatus, Jobs};
use crate::core::policy::Policy;
use crate::core::sighting::{Reason, Sighting};
use crate::core::world::{
    AgentSight, Ancestor, Artifact, Candidate, FolderSight, Kin, Listing, LiveRecord, NearestRoll,
    PaneSight, Place, ProcessSight, ProcessStart, ServerId, ServerSight, ServerState, SessionSight,
    Source, SourceState, Vantage, World,
};

structure!(World {
    at: Timestamp,
    vantage: Vantage,
    servers: Vec<ServerSight>,
    strays: Sighting<()>,
    elsewhere: Sighting<Vec<String>>,
    processes: BTreeMap<Pid, Sighting<Vec<ProcessSight>>>,
    artifacts: BTreeMap<(AgentKind, ConversationId), Sighting<Artifact>>,
    folders: BTreeMap<(AgentKind, String), FolderSight>,
    retention: BTreeMap<AgentKind, Sighting<Duration>>,
    nearest_rolls: BTreeMap<String, Sighting<NearestRoll>>,
    shared: BTreeMap<ConversationId, BTreeSet<ProcessId>>,
    jobs: Jobs,
    sources: Vec<Source>,
});

structure!(Vantage {
    host: String,
    place: Place,
    boot: BootId,
    booted_at: Timestamp,
    first_pid_namespace: Sighting<()>,
    uid: u32,
    roll_is_local: Sighting<()>,
});

structure!(Place {
    machine: String,
    pid_namespace: String
});

structure!(ServerSight {
    name: ServerName,
    socket: String,
    stray: bool,
    state: ServerState,
    listener: Sighting<()>,
});

/// `"refused"`, `"missing"`, or an object with `listed` or `unknown`.
impl Form for ServerState {
    fn shown(&self) -> Value {
        match self {
            Self::Listed(listing) => Object::of("listed", listing.shown()),
            Self::Refused => "refused".into(),
            Self::Missing => "missing".into(),
            Self::Unknown(reason) => Object::of("unknown", reason.as_str().into()),
        }
    }

    fn read(value: &Value) -> Result<Self, Fault> {
        match value.as_str() {
            Some("refused") => Ok(Self::Refused),
            Some("missing") => Ok(Self::Missing),
            _ if value.get("listed").is_some() => field(value, "listed").map(Self::Listed),
            _ => {
                let reason: String = field(value, "unknown")?;
                Ok(Self::Unknown(Reason::new(reason)))
            }
        }
    }

    #[cfg(test)]
    fn schema(defs: &mut Defs) -> Value {
        let one = |key: &str, of: Value| json!({ "type": "object", "required": [key], "properties": { key: of } });
        json!({ "oneOf": [
            { "enum": ["refused", "missing"] },
            one("listed", Listing::schema(defs)),
            one("unknown", json!({ "type": "string" })),
        ] })
    }
}

structure!(Listing { server: ServerId, sessions: Vec<SessionSight> });
structure!(ServerId {
    pid: Pid,
    start: i64
});
structure!(SessionSight {
    id: String,
    name: SessionName,
    created: Timestamp,
    panes: Vec<PaneSight>,
});
structure!(PaneSight {
    id: String,
    pid: Pid,
    dead: bool,
    start: Sighting<ProcessStart>,
    agents: Sighting<Vec<AgentSight>>,
    cmd: Sighting<String>,
    cwd: Sighting<String>,
});
structure!(ProcessStart {
    ticks: StartTicks,
    at: Timestamp
});
structure!(AgentSight {
    process: ProcessId,
    kind: AgentKind,
    started_at: Sighting<Timestamp>,
    cwd: Sighting<String>,
    live: Sighting<LiveRecord>,
});
structure!(ProcessId {
    pid: Pid,
    start: StartTicks
});
structure!(LiveRecord {
    id: ConversationId,
    source: String,
    activity: Option<String>,
});
structure!(ProcessSight {
    id: ProcessId,
    started_at: Timestamp,
    zombie: bool,
    own_uid: bool,
    in_container: bool,
    ancestors: Sighting<Vec<Ancestor>>,
});
structure!(Ancestor {
    pid: Pid,
    tmux_server: bool
});
structure!(Artifact {
    path: String,
    modified: Timestamp,
    in_folder: Sighting<()>,
});
structure!(FolderSight {
    candidates: Sighting<Vec<Candidate>>,
    kin: Sighting<Vec<Kin>>,
    claimed: Sighting<BTreeSet<ConversationId>>,
});
structure!(Kin {
    process: ProcessId,
    user: Sighting<u32>,
    live: Sighting<LiveRecord>,
});
structure!(Candidate {
    id: ConversationId,
    began: Sighting<Timestamp>,
    modified: Sighting<Timestamp>,
    owner: Sighting<u32>,
    in_folder: Sighting<()>,
    interactive: Sighting<()>,
});
structure!(Source {
    name: String,
    state: SourceState,
    reason: String,
    at: Timestamp,
});
words!(SourceState {
    Self::Present => "present",
    Self::Absent => "absent",
    Self::Unknown => "unknown",
});
words!(NearestRoll { Self::Ours => "ours", Self::Another => "another" });

structure!(Jobs {
    records: BTreeMap<JobId, Sighting<JobRecord>>,
    complete: bool,
    heard: Vec<JobEvent>,
});
structure!(JobRecord {
    status: JobStatus,
    created: Option<Timestamp>,
    updated: Timestamp,
    session: Option<SessionName>,
    needs_signature: bool,
});
structure!(JobEvent {
    job: JobId,
    seq: u64,
    kind: EventKind,
    detail: String,
    heard: Timestamp,
    signed: bool,
});
words!(JobStatus {
    Self::Pending => "pending",
    Self::Running => "running",
    Self::Completed => "completed",
    Self::Error => "error",
    Self::Cancelled => "cancelled",
});
words!(EventKind {
    Self::Started => "started",
    Self::PermissionRequired => "permission_required",
    Self::Progress => "progress",
    Self::Completed => "completed",
    Self::Error => "error",
});

structure!(Policy {
    grace: Duration,
    spawn_grace: Duration,
    allow_mass_change: bool,
    read_only: Option<String>,
    only: Option<BTreeSet<DriftId>>,
    beside_others: bool,
    require_signature: bool,
    agent_infixes: Vec<String>,
    ignored: Vec<glob::Pattern>,
});
