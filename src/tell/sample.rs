//! Reports made by hand, with one of everything.

use crate::core::drift::{Confidence, Drift, Evidence, Held, Kind, Note, NoteKind, Wait};
use crate::core::edit::{Change, Edit, PaneRecord, Target, Value};
use crate::core::ids::{
    AgentKind, BootId, ConversationId, DriftId, Fingerprint, ServerName, SessionName, Timestamp,
};
use crate::core::jobs::{Ignored, JobId, JobStatus, JobUpdate, Refusal, Trust};
use crate::core::plan::Decision;
use crate::core::report::{Outcome, Report, Resolved, Told, ToldJob};
use crate::core::sighting::Sighting;
use crate::core::world::{Place, Source, SourceState, Vantage};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_251_600_123);

/// A pass that found and did nothing.
pub(crate) fn quiet() -> Report {
    Report {
        at: NOW,
        roll: "/repo/.hermes/agent-sessions.yaml".to_owned(),
        dry_run: false,
        fingerprint: Fingerprint::new("ab".repeat(32)),
        alive: vec![SessionName::new("shop-api-creator-claude")],
        confirmed: true,
        vantage: Vantage {
            host: "devbox".to_owned(),
            place: Place {
                machine: "0123456789abcdef".to_owned(),
                pid_namespace: "pid:[4026531836]".to_owned(),
            },
            boot: BootId::new("5d2c4c2e-0000-4000-8000-000000000001"),
            booted_at: Timestamp::from_secs(1_795_200_000),
            first_pid_namespace: Sighting::Present(()),
            uid: 1000,
            roll_is_local: Sighting::Present(()),
        },
        sources: vec![source("tmux:default", SourceState::Present, "1 session")],
        drifts: Vec::new(),
        resolved: Vec::new(),
        notes: Vec::new(),
        jobs: Vec::new(),
        ignored: Ignored::default(),
    }
}

/// A pass that found one of everything.
pub(crate) fn rich() -> Report {
    Report {
        confirmed: false,
        alive: vec![
            SessionName::new("docs-creator-agy"),
            SessionName::new("shop-web-creator-claude"),
        ],
        sources: vec![
            source("tmux:default", SourceState::Present, "2 sessions"),
            source(
                "tmux:old",
                SourceState::Absent,
                "no server running on /tmp/tmux-1000/old",
            ),
            source(
                "tmux:work",
                SourceState::Unknown,
                "did not answer within 5 s; look at it with `tmux -L work list-sessions`",
            ),
        ],
        drifts: vec![
            one_of(Kind::TmuxGone, "shop-api-creator-claude", Outcome::Applied),
            one_of(
                Kind::TmuxGone,
                "shop-db-creator-claude",
                Outcome::Pending {
                    why: "a second look has to prove it again".to_owned(),
                    due: NOW.plus(std::time::Duration::from_secs(10)),
                },
            ),
            one_of(
                Kind::TmuxGone,
                "shop-job-creator-agy",
                Outcome::Held(Held::NotHome),
            ),
            one_of(Kind::Unregistered, "docs-creator-agy", Outcome::Applied),
            one_of(Kind::Revived, "wiki-creator-claude", Outcome::Applied),
            one_of(Kind::Reincarnated, "blog-creator-claude", Outcome::Applied),
            one_of(Kind::Mistaken, "mail-creator-claude", Outcome::Applied),
            one_of(
                Kind::IdMaterialized,
                "shop-web-creator-claude",
                Outcome::Applied,
            ),
            one_of(
                Kind::Rotated,
                "日本語-creator-claude",
                Outcome::Held(Held::PersonChanged),
            ),
            one_of(Kind::StaleId, "old-creator-claude", Outcome::ToldOnly),
            identity(),
        ],
        resolved: vec![Resolved {
            id: DriftId::new("d-healed"),
            session: Some(SessionName::new("news-creator-claude")),
            class: 'A',
            kind: "tmux_gone".to_owned(),
            first_seen: Timestamp::from_secs(1_795_250_000),
            count: 4,
        }],
        notes: vec![
            Note {
                kind: NoteKind::AgentExited,
                session: Some(SessionName::new("shop-web-creator-claude")),
                server: Some(ServerName::new("work")),
                text: "The session lives, but no agent runs in it.".to_owned(),
                evidence: vec![evidence()],
            },
            Note {
                kind: NoteKind::InvalidRow,
                session: None,
                server: None,
                text: "tmux_sessions[3] has no name (line 41): it is left alone.".to_owned(),
                evidence: Vec::new(),
            },
        ],
        jobs: vec![
            job(
                "shop-api-creator-claude",
                JobStatus::Completed,
                Outcome::Applied,
            ),
            job(
                "shop-db-creator-claude",
                JobStatus::Error,
                Outcome::Held(Held::Doubt(
                    "an event said error, its record says completed".to_owned(),
                )),
            ),
        ],
        ignored: ignored(),
        ..quiet()
    }
}

fn ignored() -> Ignored {
    let mut ignored = Ignored::default();
    ignored.count(Refusal::Forged);
    ignored.count(Refusal::Replayed);
    ignored.count(Refusal::Replayed);
    ignored
}

/// What a job of that session came to.
pub(crate) fn job(session: &str, status: JobStatus, outcome: Outcome) -> ToldJob {
    let session = SessionName::new(session);
    #[expect(clippy::unwrap_used, reason = "it is one")]
    let job = JobId::parse("a1b2c3d4").unwrap();
    let cause = DriftId::new(format!("j-{session}"));
    let edit = Edit {
        cause: cause.clone(),
        target: Target::Row {
            name: session.clone(),
            fingerprint: Fingerprint::new("cd".repeat(32)),
        },
        change: Change::JobOutcome {
            job: job.clone(),
            status,
            finished: NOW,
            note: format!("job {job} {}: all done", status.as_str()),
        },
    };
    ToldJob {
        update: JobUpdate {
            cause,
            job,
            session,
            server: None,
            state: status.as_str(),
            outcome: Some(status),
            at: NOW,
            detail: "all done".to_owned(),
            trust: Trust::Signed,
            decision: Decision::Write(edit),
            news: true,
        },
        outcome,
    }
}

/// A boot ended four sessions at once; nothing is written, since it is a dry run.
pub(crate) fn rebooted() -> Report {
    let mut drifts: Vec<Told> = ["a", "b", "c", "d"]
        .iter()
        .map(|name| one_of(Kind::TmuxGone, name, Outcome::WouldApply))
        .collect();
    for told in &mut drifts {
        told.drift.reason = "host_rebooted".to_owned();
    }
    Report {
        dry_run: true,
        alive: Vec::new(),
        drifts,
        ..quiet()
    }
}

/// A drift of that kind, with everything a drift can have.
pub(crate) fn one_of(kind: Kind, session: &str, outcome: Outcome) -> Told {
    let session = SessionName::new(session);
    let agent = if session.as_str().ends_with("agy") {
        AgentKind::Agy
    } else {
        AgentKind::Claude
    };
    let pane = PaneRecord {
        pid: Some(5150),
        cmd: Some("claude".to_owned()),
        cwd: Some("/repo/my project".to_owned()),
    };
    let old = ConversationId::new("11111111-1111-4111-8111-111111111111");
    let new = ConversationId::new("22222222-2222-4222-8222-222222222222");
    let key = "claude_session_id_own".to_owned();
    let old_pair = vec![(key.clone(), Value::Text(old.to_string()))];
    let new_pair = vec![(key.clone(), Value::Text(new.to_string()))];
    let status = |word: &str| vec![("status".to_owned(), Value::Text(word.to_owned()))];
    let (reason, before, after, change) = match kind {
        Kind::TmuxGone => (
            "session_gone",
            status("running"),
            status("terminated"),
            Some(Change::Terminate { at: NOW }),
        ),
        Kind::Unregistered => (
            "not_declared",
            Vec::new(),
            vec![
                ("status".to_owned(), Value::Text("running".to_owned())),
                (
                    "pane".to_owned(),
                    Value::Map(vec![
                        ("pid".to_owned(), Value::Int(5150)),
                        ("cmd".to_owned(), Value::Text("claude".to_owned())),
                        ("cwd".to_owned(), Value::Text("/repo/my project".to_owned())),
                    ]),
                ),
            ],
            Some(Change::Register {
                pane,
                server: Some(ServerName::new("work")),
                id: Some((agent, new)),
            }),
        ),
        Kind::Revived => (
            "created_after_end",
            status("stopped"),
            status("running"),
            Some(Change::Revive { pane, server: None }),
        ),
        Kind::Reincarnated => (
            "new_incarnation",
            vec![("pid".to_owned(), Value::Int(4711))],
            vec![("pid".to_owned(), Value::Int(5150))],
            Some(Change::Reincarnate { pane, server: None }),
        ),
        Kind::Mistaken => (
            "seen_alive",
            status("terminated"),
            status("running"),
            Some(Change::Restore),
        ),
        Kind::IdMaterialized => (
            "live_record",
            vec![(key, Value::Null)],
            new_pair,
            Some(Change::SetId {
                agent,
                id: new,
                replaces: None,
            }),
        ),
        Kind::Rotated => (
            "live_record",
            old_pair,
            new_pair,
            Some(Change::SetId {
                agent,
                id: new,
                replaces: Some(old),
            }),
        ),
        Kind::StaleId => ("expired", old_pair, Vec::new(), None),
    };
    let target = if kind == Kind::Unregistered {
        Target::New {
            name: session.clone(),
        }
    } else {
        Target::Row {
            name: session.clone(),
            fingerprint: Fingerprint::new("cd".repeat(32)),
        }
    };
    let id = DriftId::new(format!("d-{}-{session}", kind.as_str()));
    Told {
        drift: Drift {
            id: id.clone(),
            kind,
            session: Some(session),
            server: Some(ServerName::default_server()),
            agent: Some(agent),
            reason: reason.to_owned(),
            before,
            after,
            evidence: vec![evidence()],
            confidence: if kind == Kind::IdMaterialized {
                Confidence::Inferred
            } else {
                Confidence::Proven
            },
            edit: change.map(|change| Edit {
                cause: id,
                target,
                change,
            }),
            wait: Wait::No,
            obstacle: None,
            own_cause: false,
            was: (Some(4711), Some("claude".to_owned())),
        },
        outcome,
        new: kind != Kind::StaleId,
        first_seen: Timestamp::from_secs(1_795_251_000),
        last_seen: NOW,
        count: 2,
        acked: false,
    }
}

/// A stale id that no row records, but `agent_identities`.
fn identity() -> Told {
    let mut told = one_of(Kind::StaleId, "nobody", Outcome::ToldOnly);
    told.drift.id = DriftId::new("d-stale_id-identity");
    told.drift.session = None;
    told.drift.server = None;
    told.drift.reason = "missing".to_owned();
    told
}

fn evidence() -> Evidence {
    Evidence {
        source: "tmux:default".to_owned(),
        said: "2 sessions, complete".to_owned(),
        at: NOW,
    }
}

fn source(name: &str, state: SourceState, reason: &str) -> Source {
    Source {
        name: name.to_owned(),
        state,
        reason: reason.to_owned(),
        at: NOW,
    }
}
