//! Class A: the row says running, its session is gone.

use super::{Fate, Scene, drift_id};
use crate::core::absence::{Asked, Cause, Listed};
use crate::core::drift::{Class, Confidence, Drift, Held, Kind, NoteKind, Wait};
use crate::core::edit::{Change, Edit, Target, Value};
use crate::core::registry::{AUTO_DETECTED, Row};

/// Looks for the end of a running row that joined no session.
pub(super) fn find<'w>(scene: &mut Scene<'_, 'w>, row: &Row) -> Fate<'w> {
    let inquiry = scene.inquiry();
    let (cause, mut evidence) = match inquiry.listings(row) {
        Listed::Gone { cause, evidence } => (cause, evidence),
        Listed::Unseen(why) => {
            scene.blind(&row.name, &Class::ALL);
            scene.note(
                NoteKind::Unseen,
                row,
                format!("{}: its session could not be looked for: {why}.", row.name),
            );
            return Fate::Unseen;
        }
    };
    let asked = inquiry.process(row);
    let mut obstacle = None;
    let mut process_ended = false;
    match asked {
        Asked::NotRecorded => {}
        Asked::Dead(said) => {
            process_ended = true;
            evidence.extend(said);
        }
        Asked::Leftover(said) => {
            process_ended = true;
            scene.note_with(
                NoteKind::LeftoverProcess,
                row,
                format!(
                    "{}: its session is gone, but its process {} lives on, below no tmux server.",
                    row.name,
                    row.pane.pid.map_or_else(String::new, |pid| pid.to_string())
                ),
                said.clone(),
            );
            evidence.extend(said);
        }
        Asked::InSession(name) => {
            let text = format!(
                "{}: its pane lives in session {name}: renamed or moved.",
                row.name
            );
            scene.note(NoteKind::Renamed, row, text);
            return Fate::Elsewhere;
        }
        Asked::Holds(held) => obstacle = Some(held),
    }
    if obstacle.is_none() && !inquiry.at_home(row) {
        obstacle = Some(Held::NotHome);
    }
    let own_server_dead = inquiry
        .own_servers(row)
        .into_iter()
        .any(|server| inquiry.server_dead(row, server));
    let pid = row.pane.pid.map_or_else(String::new, |pid| pid.to_string());
    let ended = |key: &str, value: Value| (key.to_owned(), value);
    let now = scene.world.at;
    let id = drift_id(
        Kind::TmuxGone,
        Some(&row.name),
        row.server.as_ref(),
        &[&pid],
    );
    scene.drifts.push(Drift {
        id: id.clone(),
        kind: Kind::TmuxGone,
        session: Some(row.name.clone()),
        server: row.server.clone(),
        agent: row.agent,
        reason: cause.as_str().to_owned(),
        before: vec![ended("status", Value::Text("running".to_owned()))],
        after: vec![
            ended("status", Value::Text("terminated".to_owned())),
            ended("terminated_at", Value::Text(now.iso())),
            ended("terminated_at_epoch", Value::Int(now.secs())),
            ended("termination_mode", Value::Text(AUTO_DETECTED.to_owned())),
        ],
        evidence,
        confidence: Confidence::Proven,
        edit: Some(Edit {
            cause: id,
            target: Target::Row {
                name: row.name.clone(),
                fingerprint: row.fingerprint.clone(),
            },
            change: Change::Terminate { at: now },
        }),
        wait: Wait::SecondLook(scene.policy.grace),
        obstacle,
        own_cause: process_ended || own_server_dead || cause == Cause::HostRebooted,
        was: (row.pane.pid, row.pane.cmd.clone()),
    });
    Fate::Gone
}
