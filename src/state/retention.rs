//! How much is remembered: the ledger never grows without end.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::ids::Timestamp;
use crate::core::ledger::Ledger;

/// How long a server or a conversation is remembered that is not seen any more.
pub const UNSEEN: Duration = Duration::from_secs(90 * 24 * 3600);

/// How many of each are remembered at most; beyond that the longest unseen are forgotten.
pub const MOST: usize = 10_000;

/// The ledger without what was not seen for [`UNSEEN`] and what exceeds [`MOST`]. Rows that left the roll are
/// forgotten by every look; homes stay: only a person's word adds to them.
#[must_use]
pub fn bounded(mut ledger: Ledger, now: Timestamp) -> Ledger {
    let forgotten = now.minus(UNSEEN);
    ledger.servers.retain(|_, server| server.seen >= forgotten);
    ledger
        .artifacts
        .retain(|_, artifact| artifact.seen >= forgotten);
    ledger.agents.retain(|_, agent| agent.seen >= forgotten);
    keep_newest(&mut ledger.agents, |agent| agent.seen);
    keep_newest(&mut ledger.servers, |server| server.seen);
    keep_newest(&mut ledger.artifacts, |artifact| artifact.seen);
    keep_newest(&mut ledger.rows, |row| {
        row.alive.as_ref().map_or(row.since, |alive| alive.at)
    });
    keep_newest(&mut ledger.drifts, |drift| drift.last_seen);
    ledger
}

fn keep_newest<K: Ord + Clone, V>(map: &mut BTreeMap<K, V>, seen: impl Fn(&V) -> Timestamp) {
    let Some(excess) = map.len().checked_sub(MOST).filter(|excess| *excess > 0) else {
        return;
    };
    let mut oldest: Vec<(Timestamp, K)> = map
        .iter()
        .map(|(key, value)| (seen(value), key.clone()))
        .collect();
    oldest.sort();
    for (_, key) in oldest.into_iter().take(excess) {
        map.remove(&key);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{MOST, UNSEEN, bounded};
    use crate::core::ids::{AgentKind, BootId, ConversationId, DriftId, Timestamp};
    use crate::core::ledger::{KnownArtifact, KnownServer, Ledger, OpenDrift};
    use crate::core::world::{Place, ServerId};

    const NOW: Timestamp = Timestamp::from_secs(1_795_251_600);

    fn place() -> Place {
        Place {
            machine: "m".to_owned(),
            pid_namespace: "pid:[1]".to_owned(),
        }
    }

    fn with_artifact(ledger: &mut Ledger, id: &str, seen: Timestamp) {
        ledger.artifacts.insert(
            (AgentKind::Claude, ConversationId::new(id)),
            KnownArtifact {
                path: None,
                modified: seen,
                seen,
            },
        );
    }

    fn with_server(ledger: &mut Ledger, socket: &str, seen: Timestamp) {
        ledger.servers.insert(
            (place(), socket.to_owned()),
            KnownServer {
                id: ServerId { pid: 1, start: 1 },
                boot: BootId::new("b"),
                seen,
            },
        );
    }

    #[test]
    fn what_was_seen_within_ninety_days_is_remembered_and_no_more() {
        let mut ledger = Ledger::default();
        with_artifact(&mut ledger, "fresh", NOW.minus(UNSEEN));
        with_artifact(&mut ledger, "old", NOW.minus(UNSEEN).minus(UNSEEN));
        with_server(&mut ledger, "fresh", NOW.minus(UNSEEN));
        with_server(&mut ledger, "old", NOW.minus(UNSEEN).minus(UNSEEN));
        let ledger = bounded(ledger, NOW);
        let artifacts: Vec<_> = ledger.artifacts.keys().map(|(_, id)| id.as_str()).collect();
        let servers: Vec<_> = ledger.servers.keys().map(|(_, s)| s.as_str()).collect();
        assert_eq!((artifacts, servers), (vec!["fresh"], vec!["fresh"]));
    }

    #[test]
    fn beyond_the_limit_the_longest_unseen_is_forgotten() {
        let mut ledger = Ledger::default();
        with_artifact(&mut ledger, "oldest", NOW.minus(UNSEEN));
        for n in 0..MOST {
            with_artifact(&mut ledger, &n.to_string(), NOW);
        }
        for n in 0..=MOST {
            let last_seen = Timestamp::from_secs(i64::try_from(n).unwrap());
            ledger.drifts.insert(
                DriftId::new(format!("{n}")),
                OpenDrift {
                    first_seen: NOW,
                    last_seen,
                    count: 1,
                    proven_since: None,
                    session: None,
                    server: None,
                    class: 'D',
                    kind: "stale_id".to_owned(),
                    told_as: "told".to_owned(),
                    undone: false,
                    acked: None,
                },
            );
        }
        let ledger = bounded(ledger, NOW);
        assert_eq!((ledger.artifacts.len(), ledger.drifts.len()), (MOST, MOST));
        let oldest = (AgentKind::Claude, ConversationId::new("oldest"));
        assert!(!ledger.artifacts.contains_key(&oldest));
        assert!(!ledger.drifts.contains_key(&DriftId::new("0")));
    }

    #[test]
    fn a_home_is_never_forgotten() {
        let mut ledger = Ledger::default();
        ledger.homes.insert(place());
        assert_eq!(bounded(ledger.clone(), NOW), ledger);
    }
}
