//! What holds for every scene.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use headcount::core::drift::{Drift, Kind, NoteKind};
use headcount::core::edit::{Change, Edit, Target};
use headcount::core::ids::{DriftId, ServerName, Timestamp};
use headcount::core::ledger::{Acked, RowKey};
use headcount::core::plan::Decision;
use headcount::core::policy::limits::{MASS_ROWS, MASS_WINDOW};
use headcount::core::registry::{Row, Status};
use headcount::core::sighting::Sighting;
use headcount::core::world::{ServerSight, ServerState, SessionSight};
use proptest::prelude::*;

use crate::edits::{edited, keys};
use crate::generate::{GRACES, any_scene, cases};
use crate::scene::{Pass, Scene};
use crate::times::{with_times, with_times_of_ledger};

fn with_grace(scene: &Scene, grace: Duration) -> Scene {
    let mut scene = scene.clone();
    scene.policy.grace = grace;
    scene.policy.spawn_grace = grace;
    scene
}

/// The scene right after the pass has written its edits.
fn after_writing(scene: &Scene, pass: &Pass) -> Scene {
    let mut next = scene.clone();
    next.registry = edited(&scene.registry, &pass.edits(), scene.now);
    next.ledger = pass.ledger.clone();
    for edit in pass.edits() {
        next.ledger
            .note_applied(&edit, server_of(scene, &edit), &scene.world);
    }
    next
}

fn server_of<'s>(scene: &'s Scene, edit: &'s Edit) -> Option<&'s ServerName> {
    match &edit.change {
        Change::Register { server, .. } => server.as_ref(),
        _ => row_of(scene, edit).and_then(|row| row.server.as_ref()),
    }
}

fn row_of<'s>(scene: &'s Scene, edit: &Edit) -> Option<&'s Row> {
    let mut rows = scene.registry.rows.iter();
    rows.find(|row| row.name == *edit.target.name())
}

/// Everything of a pass but its moments and its wording.
fn verdicts(pass: &Pass) -> BTreeMap<&DriftId, (Kind, &str, String)> {
    let decision = |id: &DriftId| match pass.plan.fates.get(id) {
        Some(Decision::Write(_)) => "write".to_owned(),
        Some(Decision::Pending { .. }) => "wait".to_owned(),
        Some(Decision::Held(held)) => held.as_str().to_owned(),
        Some(Decision::Told) => "tell".to_owned(),
        None => "lost".to_owned(),
    };
    pass.drifts
        .iter()
        .map(|drift| {
            let verdict = (drift.kind, drift.reason.as_str(), decision(&drift.id));
            (&drift.id, verdict)
        })
        .collect()
}

fn shuffled<T>(things: &mut [T], by: u8) {
    if !things.is_empty() {
        let middle = usize::from(by) % things.len();
        things.rotate_left(middle);
        if by.is_multiple_of(2) {
            things.reverse();
        }
    }
}

fn permuted(scene: &Scene, by: u8) -> Scene {
    let mut scene = scene.clone();
    shuffled(&mut scene.registry.rows, by);
    shuffled(&mut scene.registry.identities, by);
    shuffled(&mut scene.world.servers, by);
    for server in &mut scene.world.servers {
        if let ServerState::Listed(listing) = &mut server.state {
            shuffled(&mut listing.sessions, by);
            for session in &mut listing.sessions {
                shuffled(&mut session.panes, by);
            }
        }
    }
    for sight in scene.world.processes.values_mut() {
        if let Sighting::Present(found) = sight {
            shuffled(found, by);
        }
    }
    for folder in scene.world.folders.values_mut() {
        if let Sighting::Present(candidates) = &mut folder.candidates {
            shuffled(candidates, by);
        }
        if let Sighting::Present(kin) = &mut folder.kin {
            shuffled(kin, by);
        }
    }
    scene
}

/// Whether a row's session may be on a server: it names none, or this one, or its socket.
fn may_mean(row: &Row, server: &ServerSight) -> bool {
    let named = row.server.as_ref();
    named.is_none_or(|named| *named == server.name || named.as_str() == server.socket)
}

/// The live sessions that have a row's own name, on a server that the row may mean.
fn sessions_of_its_name<'s>(scene: &'s Scene, row: &'s Row) -> Vec<&'s SessionSight> {
    let plain = |name: &str| name.replace(['.', ':'], "_");
    scene
        .world
        .servers
        .iter()
        .filter(|server| may_mean(row, server))
        .filter_map(|server| match &server.state {
            ServerState::Listed(listing) => Some(&listing.sessions),
            _ => None,
        })
        .flatten()
        .filter(|session| plain(session.name.as_str()) == plain(row.name.as_str()))
        .collect()
}

/// Whether a tmux that was not asked may be the server that only a name says a row is on.
fn may_be_elsewhere(scene: &Scene, row: &Row) -> bool {
    let named = row.server.as_ref().map(ServerName::as_str);
    let is_meant = |socket: &str| match named {
        None => true,
        Some(named) if named.starts_with('/') => false,
        Some(named) => socket.ends_with(&format!("/{named}")),
    };
    match &scene.world.elsewhere {
        Sighting::Present(found) => found.iter().any(|socket| is_meant(socket)),
        Sighting::Absent(_) => false,
        Sighting::Unknown(_) => is_meant(&format!("/{}", named.unwrap_or_default())),
    }
}

/// Why a row must not be ended, told without any of the core's own code; `None` if it may be.
fn reason_to_live(scene: &Scene, row: &Row) -> Option<String> {
    if row.status != Status::Running {
        return Some("it does not run".to_owned());
    }
    if let [session, ..] = sessions_of_its_name(scene, row).as_slice() {
        return Some(format!("session {} has its name", session.id));
    }
    let known = scene.ledger.rows.iter().find_map(|(key, known)| {
        (key.name == row.name && key.server == row.server).then_some(known)
    });
    let place = &scene.world.vantage.place;
    let boot = &scene.world.vantage.boot;
    let mut asked = false;
    for server in &scene.world.servers {
        if !may_mean(row, server) {
            continue;
        }
        asked = true;
        match &server.state {
            ServerState::Unknown(_) => return Some(format!("{} is silent", server.name)),
            ServerState::Missing if !server.listener.is_absent() => {
                return Some(format!("{} may listen without a socket", server.name));
            }
            _ => {}
        }
    }
    if row.server.is_none() && !scene.world.strays.is_present() {
        return Some("it may be on a server that was not found".to_owned());
    }
    if !asked {
        return Some("none of its servers was looked at".to_owned());
    }
    let was_seen_here = known
        .and_then(|known| known.alive.as_ref())
        .is_some_and(|alive| alive.place == *place);
    if row.pane.pid.is_none() && !was_seen_here && may_be_elsewhere(scene, row) {
        return Some("it may be below another TMUX_TMPDIR".to_owned());
    }
    if let Some(alive) = known.and_then(|known| known.alive.as_ref())
        && !scene.ledger.homes.contains(place)
        && alive.place != *place
    {
        return Some("it was seen alive elsewhere".to_owned());
    }
    let remembered = known
        .and_then(|known| known.alive.as_ref())
        .filter(|alive| alive.place == *place && alive.incarnation.boot == *boot)
        .map(|alive| &alive.incarnation);
    let listed = scene.world.servers.iter().find_map(|server| {
        let ServerState::Listed(listing) = &server.state else {
            return None;
        };
        let life = remembered?;
        listing.sessions.iter().find(|session| {
            life.socket == server.socket
                && life.server == listing.server
                && life.session == session.id
                && life.created == session.created
        })
    });
    if let Some(session) = listed {
        return Some(format!("session {} is the one that was seen", session.id));
    }
    let pid = row.pane.pid?;
    let found = match scene.world.processes.get(&pid) {
        Some(Sighting::Absent(_)) => return None,
        Some(Sighting::Present(found)) => found,
        _ => return Some("its process could not be asked".to_owned()),
    };
    let is_old = known.is_some_and(|known| {
        let (met, in_boot) = &known.since_boot;
        known.fingerprint == row.fingerprint && met.machine == place.machine && in_boot != boot
    });
    let is_known = known.is_some_and(|known| known.fingerprint == row.fingerprint);
    let is_old = is_old
        || (!is_known
            && scene.registry.written_at < scene.world.vantage.booted_at
            && scene
                .world
                .vantage
                .booted_at
                .since(scene.registry.written_at)
                > Duration::from_secs(1));
    let met = known
        .filter(|known| known.pid == row.pane.pid)
        .map_or(scene.registry.written_at, |known| known.since);
    for process in found {
        let ticks = remembered
            .filter(|life| life.pid == pid && !process.in_container)
            .and_then(|life| life.start);
        let is_it = match ticks {
            Some(ticks) => ticks == process.id.start,
            None => !is_old && process.started_at.since(met) <= Duration::from_secs(1),
        };
        let below_tmux = match &process.ancestors {
            Sighting::Present(above) => above.iter().any(|it| it.tmux_server),
            Sighting::Absent(_) => false,
            Sighting::Unknown(_) => true,
        };
        if is_it && !process.zombie && below_tmux {
            return Some(format!("process {pid} lives below tmux"));
        }
    }
    None
}

/// The scene after a person has taken back what the pass wrote to some of the rows.
fn after_undoing(scene: &Scene, pass: &Pass, picked: u8) -> Scene {
    let mut next = after_writing(scene, pass);
    // What was written to one row at once is taken back at once.
    let is_picked = |edit: &Edit| {
        let name = edit.target.name().as_str();
        picked & (1 << (name.len() % 8)) != 0
    };
    let mut left = pass.edits();
    left.retain(|edit| !is_picked(edit));
    next.registry = edited(&scene.registry, &left, scene.now);
    for edit in pass.edits().iter().filter(|edit| is_picked(edit)) {
        let Some(drift) = pass.drifts.iter().find(|drift| drift.id == edit.cause) else {
            continue;
        };
        let open = pass.ledger.drifts[&drift.id].clone();
        next.ledger.hold_undone(drift.id.clone(), open);
        let key = RowKey {
            name: edit.target.name().clone(),
            server: drift.server.clone(),
        };
        let id = match &edit.change {
            Change::SetId {
                agent, replaces, ..
            } => Some((*agent, replaces.clone())),
            _ => None,
        };
        let was_revived = matches!(edit.change, Change::Revive { .. });
        let moved_to = match &edit.change {
            Change::Revive { server, .. } | Change::Reincarnate { server, .. } => server.as_ref(),
            _ => None,
        };
        next.ledger.note_put_back(&key, moved_to, was_revived, id);
    }
    next
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn what_was_undone_is_held_and_nothing_is_written_in_its_place(
        scene in any_scene(),
        picked in prop_oneof![Just(0xff), any::<u8>()],
    ) {
        for grace in GRACES {
            let scene = with_grace(&scene, grace);
            let first = scene.pass();
            let next = after_undoing(&scene, &first, picked);
            let second = next.pass();
            // A conversation may be known by now that was not then: that is another drift.
            let again: Vec<Edit> = second
                .edits()
                .into_iter()
                .filter(|edit| {
                    let is_new = !first.drifts.iter().any(|drift| drift.id == edit.cause);
                    !(is_new && matches!(edit.change, Change::SetId { .. }))
                })
                .collect();
            prop_assert!(
                again.is_empty(),
                "grace {grace:?}\nfirst {:#?}\nthen {:#?}\n{:?}\n{next:?}",
                first.says(),
                second.says(),
                second.edits()
            );
            // For as long as it is so: the pass after that says the same.
            let mut third = next.clone();
            third.ledger = second.ledger.clone();
            prop_assert_eq!(second.says(), third.pass().says());
        }
    }

    #[test]
    fn what_a_person_says_to_know_changes_nothing_that_is_done(scene in any_scene()) {
        let plain = scene.pass();
        let mut known = scene.clone();
        for drift in &plain.drifts {
            let told_as = plain.plan.fates[&drift.id].as_str().to_owned();
            let mut open = plain.ledger.drifts[&drift.id].clone();
            open.proven_since = scene.ledger.drifts.get(&drift.id).and_then(|it| it.proven_since.clone());
            open.acked = Some(Acked { reason: drift.reason.clone(), told_as });
            known.ledger.drifts.insert(drift.id.clone(), open);
        }
        let acked = known.assess();
        prop_assert_eq!(&plain.plan, &acked.plan);
        for (id, fate) in &acked.plan.fates {
            let is_known = acked.ledger.drifts[id].acked.is_some();
            prop_assert_eq!(is_known, matches!(fate, Decision::Held(_) | Decision::Told));
        }
    }

    #[test]
    fn a_second_pass_right_after_the_first_proposes_no_edit(scene in any_scene()) {
        for grace in GRACES {
            let scene = with_grace(&scene, grace);
            let first = scene.pass();
            let next = after_writing(&scene, &first);
            let second = next.pass();
            prop_assert!(
                second.edits().is_empty(),
                "grace {grace:?}\nfirst {:#?}\nthen {:#?}\n{:?}\n{next:?}",
                first.says(),
                second.says(),
                second.edits()
            );
        }
    }

    #[test]
    fn the_order_of_things_changes_nothing(scene in any_scene(), by in 0..=255u8) {
        let (this, other) = (scene.pass(), permuted(&scene, by).pass());
        prop_assert_eq!(this.says(), other.says());
        prop_assert_eq!(this.plan, other.plan);
        prop_assert_eq!(this.ledger, other.ledger);
        let texts = |pass: &Pass| -> Vec<String> {
            pass.notes.iter().map(|note| note.text.clone()).collect()
        };
        prop_assert_eq!(texts(&scene.pass()), texts(&permuted(&scene, by).pass()));
    }

    #[test]
    fn moving_all_times_together_changes_nothing_but_the_times(
        scene in any_scene(),
        secs in -1_000_000..1_000_000i64,
    ) {
        let mut later = |at: Timestamp| Timestamp::from_millis(at.millis() + secs * 1000);
        let (this, other) = (scene.pass(), with_times(&scene, &mut later).pass());
        prop_assert_eq!(verdicts(&this), verdicts(&other));
        prop_assert_eq!(with_times_of_ledger(&this.ledger, &mut later), other.ledger.clone());
        prop_assert_eq!(this.plan.next_due().map(&mut later), other.plan.next_due());
        prop_assert_eq!(this.plan.last_due().map(&mut later), other.plan.last_due());
        let timeless = |pass: &Pass| -> Vec<BTreeMap<String, String>> {
            let mut all: Vec<_> = pass.edits().iter().map(keys).collect();
            for keys in &mut all {
                keys.retain(|key, _| !key.starts_with("terminated_at"));
            }
            all
        };
        prop_assert_eq!(timeless(&this), timeless(&other));
    }

    #[test]
    fn a_difference_that_lasts_keeps_its_id(scene in any_scene(), secs in 1..100u64) {
        let first = scene.pass();
        let second = scene.clone().after(&first, secs).pass();
        let of = |drift: &Drift| {
            let timeless: Vec<_> = drift
                .after
                .iter()
                .filter(|(key, _)| !key.starts_with("terminated_at"))
                .cloned()
                .collect();
            (drift.kind, drift.session.clone(), drift.server.clone(), timeless)
        };
        for drift in &first.drifts {
            for again in second.drifts.iter().filter(|again| of(again) == of(drift)) {
                prop_assert_eq!(&drift.id, &again.id);
            }
        }
    }

    #[test]
    fn every_drift_ends_in_one_place_and_explains_what_is_written(scene in any_scene()) {
        for grace in GRACES {
            let scene = with_grace(&scene, grace);
            let pass = scene.pass();
            let ids: BTreeSet<&DriftId> = pass.drifts.iter().map(|drift| &drift.id).collect();
            prop_assert_eq!(ids.len(), pass.drifts.len(), "two drifts have one id");
            prop_assert!(ids.iter().copied().eq(pass.plan.fates.keys()));
            let mut set = BTreeSet::new();
            for edit in pass.edits() {
                let causes: Vec<&Drift> = pass
                    .drifts
                    .iter()
                    .filter(|drift| drift.id == edit.cause)
                    .collect();
                prop_assert_eq!(causes.len(), 1);
                prop_assert_eq!(causes[0].edit.as_ref(), Some(&edit));
                prop_assert_eq!(causes[0].session.as_ref(), Some(edit.target.name()));
                prop_assert!(causes[0].obstacle.is_none());
                // No two edits of a pass set the same key of a row.
                for key in keys(&edit).into_keys() {
                    prop_assert!(
                        set.insert((edit.target.name().clone(), key)),
                        "{:#?}",
                        pass.edits()
                    );
                }
            }
        }
    }

    #[test]
    fn an_edit_is_only_for_a_row_that_may_have_it(scene in any_scene()) {
        let pass = with_grace(&scene, Duration::ZERO).pass();
        let edits = pass.edits();
        let runs_again = |name| {
            edits.iter().any(|edit| {
                edit.target.name() == name
                    && matches!(edit.change, Change::Revive { .. } | Change::Restore)
            })
        };
        for edit in &edits {
            let row = row_of(&scene, edit);
            match (&edit.target, row) {
                (Target::New { .. }, None) => {
                    let registers = matches!(edit.change, Change::Register { .. });
                    prop_assert!(registers);
                    prop_assert!(
                        scene.registry.invalid.iter().all(|it| it.name.as_ref() != Some(edit.target.name()))
                    );
                }
                (Target::Row { fingerprint, .. }, Some(row)) => {
                    prop_assert_eq!(fingerprint, &row.fingerprint);
                    let fits = match edit.change {
                        Change::Register { .. } => false,
                        Change::Terminate { .. } => row.status == Status::Running,
                        Change::Revive { .. } => row.status.is_ended(),
                        Change::Restore => row.ended_by_headcount(),
                        Change::JobOutcome { .. } => !matches!(row.status, Status::Other(_)),
                        Change::Reincarnate { .. } | Change::SetId { .. } => {
                            row.status == Status::Running || runs_again(&row.name)
                        }
                    };
                    prop_assert!(fits, "{edit:?} for {row:?}");
                }
                (target, row) => prop_assert!(false, "{target:?} {row:?}"),
            }
        }
        prop_assert!(scene.policy.read_only.is_none() || edits.is_empty());
    }

    #[test]
    fn no_row_is_ended_that_has_a_reason_to_live(scene in any_scene()) {
        for grace in GRACES {
            let scene = with_grace(&scene, grace);
            let pass = scene.pass();
            for edit in pass.edits() {
                if !matches!(edit.change, Change::Terminate { .. }) {
                    continue;
                }
                let row = row_of(&scene, &edit).unwrap();
                let reason = reason_to_live(&scene, row);
                prop_assert_eq!(reason, None, "{} {:#?}", row.name, pass.says());
                let proven = scene
                    .ledger
                    .drifts
                    .get(&edit.cause)
                    .and_then(|open| open.proven_since.as_ref());
                let waited = proven.is_some_and(|(since, boot)| {
                    *boot == scene.world.vantage.boot
                        && *since <= scene.now
                        && scene.now.since(*since) >= grace
                });
                prop_assert!(grace.is_zero() || waited, "{} was not looked at twice", row.name);
            }
        }
    }

    #[test]
    fn a_mass_of_ends_is_only_written_with_a_cause_for_each(scene in any_scene()) {
        let pass = with_grace(&scene, Duration::ZERO).pass();
        let ended: BTreeSet<DriftId> = pass
            .edits()
            .into_iter()
            .filter(|edit| matches!(edit.change, Change::Terminate { .. }))
            .map(|edit| edit.cause)
            .collect();
        // Counted as the rows will be after this pass.
        let again: BTreeSet<_> = pass
            .edits()
            .into_iter()
            .filter(|edit| {
                matches!(
                    edit.change,
                    Change::Register { .. } | Change::Revive { .. } | Change::Restore
                )
            })
            .map(|edit| edit.target.name().clone())
            .collect();
        let rows = &scene.registry.rows;
        let running = rows.iter().filter(|row| row.status == Status::Running).count() + again.len();
        let lately = rows
            .iter()
            .filter(|row| {
                row.ended_by_headcount()
                    && !again.contains(&row.name)
                    && row.end.at.is_some_and(|at| at.plus(MASS_WINDOW) >= scene.now)
            })
            .count();
        let unseen = pass
            .notes
            .iter()
            .filter(|note| note.kind == NoteKind::Unseen)
            .count();
        let all = ended.len() + lately + unseen;
        if all >= MASS_ROWS && all * 2 > running && !scene.policy.allow_mass_change {
            for drift in pass.drifts.iter().filter(|drift| ended.contains(&drift.id)) {
                prop_assert!(drift.own_cause, "{:#?}", pass.says());
            }
        }
    }

    #[test]
    fn an_id_that_somebody_changed_is_not_changed_back(scene in any_scene()) {
        let pass = with_grace(&scene, Duration::ZERO).pass();
        for edit in pass.edits() {
            let (Change::SetId { agent, id, .. }, Some(row)) = (&edit.change, row_of(&scene, &edit)) else {
                continue;
            };
            let known = scene.ledger.rows.iter().find(|(key, _)| {
                key.name == row.name && key.server == row.server
            });
            let Some(known) = known.and_then(|(_, known)| known.ids.get(agent)) else {
                continue;
            };
            let recorded = row.recorded_id(*agent);
            prop_assert!(known.recorded.as_ref() == recorded || known.recorded.as_ref() != Some(id));
            prop_assert!(known.overruled.as_ref() != Some(id));
        }
    }

    #[test]
    fn no_moment_is_too_strange(scene in any_scene(), picks in prop::collection::vec(0..8usize, 40)) {
        let strange = [
            i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX, 253_402_300_800_000,
        ];
        let mut at = 0;
        let mut wreck = |time: Timestamp| {
            at += 1;
            match picks[at % picks.len()] {
                0..=3 => time,
                pick => Timestamp::from_millis(strange[(pick + at) % strange.len()]),
            }
        };
        let mut wrecked = with_times(&scene, &mut wreck);
        let calm = wrecked.pass();
        wrecked.policy.grace = Duration::MAX;
        wrecked.policy.spawn_grace = Duration::MAX;
        let patient = wrecked.pass();
        prop_assert!(patient.edits().len() <= calm.edits().len());
    }
}
