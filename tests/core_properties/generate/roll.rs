//! Rows that are, nearly are, or are not those of the sessions.

use headcount::core::ids::{AgentKind, ConversationId, Fingerprint, Pid, ServerName, SessionName};
use headcount::core::policy::Policy;
use headcount::core::registry::{
    AUTO_DETECTED, Identity, InvalidRow, RecordedId, Row, RowEnd, RowPane, Status,
};
use headcount::core::world::{ServerState, SessionSight};

use super::{CONVERSATIONS, Dice, FOLDERS, NAMES, OTHER_PIDS, PANE_PIDS, SERVERS, Seeds};
use crate::scene::{Scene, content};

impl Seeds {
    pub(super) fn declare(&self, scene: &mut Scene) {
        // Now and then a whole crowd says that it runs, so that the brake on mass changes has work.
        let crowd = Dice(&self.machine[8..]).rarely(4);
        for (index, seed) in self.rows.iter().enumerate() {
            let mut dice = Dice(seed);
            let mut row = any_row(scene, index, &mut dice);
            if crowd {
                row.status = Status::Running;
                row.end = RowEnd::default();
                row.server = None;
                row.fingerprint = content(&row);
            }
            let taken = scene
                .registry
                .rows
                .iter()
                .any(|other| other.name == row.name)
                || scene
                    .registry
                    .invalid
                    .iter()
                    .any(|other| other.name.as_ref() == Some(&row.name));
            if taken {
                continue;
            }
            if dice.rarely(16) {
                scene.registry.invalid.push(InvalidRow {
                    index,
                    name: Some(row.name),
                    pid: row.pane.pid,
                    problem: "the status is missing".to_owned(),
                    line: Some(index),
                });
            } else {
                scene.registry.rows.push(row);
            }
        }
        let mut dice = Dice(&self.past[20..]);
        if dice.rarely(3) {
            // Not every writer sees that a key is there already.
            for _ in 0..=dice.roll(2) {
                scene.registry.identities.push(Identity {
                    key: "claude".to_owned(),
                    agent: Some(AgentKind::Claude),
                    id: ConversationId::new(dice.pick(&CONVERSATIONS)),
                    cwd: None,
                });
            }
        }
    }
}

fn any_row(scene: &Scene, index: usize, dice: &mut Dice<'_>) -> Row {
    let sessions: Vec<(&ServerName, &SessionSight)> = scene
        .world
        .servers
        .iter()
        .filter_map(|server| match &server.state {
            ServerState::Listed(listing) => Some((&server.name, listing)),
            _ => None,
        })
        .flat_map(|(name, listing)| listing.sessions.iter().map(move |it| (name, it)))
        .collect();
    // A row is written for some session, and then life goes on.
    let model = sessions.get(dice.roll(sessions.len() + 1));
    let mut name = SessionName::new(dice.pick(&NAMES));
    let mut server = match dice.roll(8) {
        5 => Some(dice.pick(&SERVERS)),
        6 => Some("elsewhere"),
        7 => Some("work"),
        _ => None,
    }
    .map(ServerName::new);
    let mut pid = match dice.roll(6) {
        0..=1 => None,
        2..=3 => Some(dice.pick(&PANE_PIDS)),
        4 => Some(dice.pick(&OTHER_PIDS)),
        _ => Some(dice.pick(&PANE_PIDS) + 1000),
    };
    if let Some((on, session)) = model {
        let like = dice.roll(8);
        if like & 1 == 0 {
            name = session.name.clone();
        }
        if like & 2 == 0 {
            server = (!on.is_default()).then(|| (*on).clone());
        }
        if like & 4 == 0 {
            pid = session.panes.first().map(|pane| pane.pid);
        }
    }
    let agent = Policy::default()
        .agent_by_name(&name)
        .or(dice.pick(&[Some(AgentKind::Claude), None]));
    let mut row = Row {
        index,
        fingerprint: Fingerprint::new(""),
        name,
        status: any_status(dice),
        server,
        pane: RowPane {
            pid,
            cmd: pid.map(|_: Pid| "claude".to_owned()),
            cwd: Some(dice.pick(&FOLDERS).to_owned()),
        },
        ids: Default::default(),
        agent,
        end: RowEnd::default(),
        job: None,
        job_status_of: None,
        job_status: None,
    };
    if row.status.is_ended() {
        row.end.at = (!dice.rarely(6)).then(|| dice.time());
        let ours = row.status == Status::Terminated && dice.roll(3) != 2;
        row.end.mode = ours.then(|| AUTO_DETECTED.to_owned());
    }
    let value = match dice.roll(7) {
        6 => None,
        0..=2 => Some(None),
        at => Some(Some(ConversationId::new(CONVERSATIONS[at - 3]))),
    };
    if let (Some(agent), Some(value)) = (row.agent, value) {
        row.ids.insert(
            agent,
            RecordedId {
                value,
                previous: Vec::new(),
            },
        );
    }
    row.fingerprint = content(&row);
    row
}

fn any_status(dice: &mut Dice<'_>) -> Status {
    match dice.roll(12) {
        7 => Status::Stopped,
        8..=9 => Status::Terminated,
        10 => Status::Archived,
        11 => Status::Other("paused".to_owned()),
        _ => Status::Running,
    }
}
