//! Jobs of a scene's rows: named or not, recorded or not, heard of or not.

use headcount::core::ids::SessionName;
use headcount::core::jobs::{EventKind, JobEvent, JobId, JobRecord, JobStatus, KnownJob, Learned};
use headcount::core::sighting::Sighting;

use super::{Dice, NAMES};
use crate::scene::{Scene, ago, content, not_there, unknown};

const JOBS: [&str; 5] = ["j1", "j2", "j3", "j4", "j5"];

/// The scene with jobs in it.
pub fn with_jobs(mut scene: Scene, seed: &[u8]) -> Scene {
    let mut dice = Dice(seed);
    for row in &mut scene.registry.rows {
        row.job = match dice.roll(3) {
            0 => None,
            _ => Some(dice.pick(&JOBS).to_owned()),
        };
        if dice.rarely(8) {
            row.job_status_of = Some(dice.pick(&JOBS).to_owned());
        }
        row.fingerprint = content(row);
    }
    scene.policy.require_signature = dice.rarely(8);
    scene.world.jobs.complete = !dice.rarely(16);
    for name in JOBS {
        let id = JobId::parse(name).unwrap();
        let record = JobRecord {
            status: dice.pick(&JobStatus::ALL),
            created: (!dice.rarely(4)).then(|| dice.time()),
            updated: dice.time(),
            session: (dice.roll(2) == 0).then(|| SessionName::new(dice.pick(&NAMES))),
            needs_signature: dice.rarely(3),
        };
        let sight = match dice.roll(6) {
            0 => not_there(),
            1 => unknown(),
            _ => Sighting::Present(record),
        };
        scene.world.jobs.records.insert(id.clone(), sight);
        for seq in 0..dice.roll(3) {
            scene.world.jobs.heard.push(JobEvent {
                job: id.clone(),
                seq: seq as u64 + 1,
                kind: dice.pick(&EventKind::ALL),
                detail: "so it is".to_owned(),
                heard: ago(0),
                signed: dice.roll(2) == 0,
            });
        }
        if dice.rarely(4) {
            let mut known = KnownJob::new(ago(60));
            known.last_seq = 1;
            known.written = dice.rarely(3);
            known.heard = Some(Learned {
                status: JobStatus::Completed,
                at: dice.time(),
                detail: String::new(),
                seq: 1,
                signed: dice.roll(2) == 0,
            });
            scene.ledger.jobs.insert(id, known);
        }
    }
    scene
}
