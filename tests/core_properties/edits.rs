//! What edits do, said independently of the code that writes files: a row is a mapping, and an edit is
//! the keys it sets.

use std::collections::BTreeMap;

use headcount::core::edit::{Change, Edit, Op, Target, Value};
use headcount::core::ids::{
    AgentKind, ConversationId, Fingerprint, Pid, ServerName, SessionName, Timestamp,
};
use headcount::core::jobs::JobStatus;
use headcount::core::registry::{RecordedId, Registry, Row, RowEnd, RowPane, Status};

use crate::scene::content;

/// The keys an edit sets, dotted, each with its value.
pub fn keys(edit: &Edit) -> BTreeMap<String, String> {
    let mut keys = BTreeMap::new();
    for op in edit.ops() {
        match op {
            Op::Set { path, value } => flatten(&path.join("."), &value, &mut keys),
            Op::Append { row } => flatten("", &Value::Map(row), &mut keys),
            Op::Gather { keys: moved, under } => {
                keys.insert(
                    format!("{under} <- {}", moved.join(",")),
                    "moved".to_owned(),
                );
            }
            Op::Prepend { key, text } => {
                keys.insert(format!("{key}[0]"), text);
            }
        }
    }
    keys
}

fn flatten(path: &str, value: &Value, keys: &mut BTreeMap<String, String>) {
    match value {
        Value::Map(pairs) => {
            for (key, value) in pairs {
                let path = if path.is_empty() {
                    key.clone()
                } else {
                    format!("{path}.{key}")
                };
                flatten(&path, value, keys);
            }
        }
        leaf => {
            keys.insert(path.to_owned(), format!("{leaf:?}"));
        }
    }
}

/// Whether `small` changes nothing that `large` does not change in the same way.
pub fn is_contained(small: &Edit, large: &Edit) -> bool {
    let large_keys = keys(large);
    small.target == large.target
        && std::mem::discriminant(&small.change) == std::mem::discriminant(&large.change)
        && keys(small)
            .iter()
            .all(|(key, value)| large_keys.get(key) == Some(value))
}

/// The roll with these edits in it, last written then.
pub fn edited(registry: &Registry, edits: &[Edit], at: Timestamp) -> Registry {
    let mut registry = registry.clone();
    if edits.is_empty() {
        return registry;
    }
    let before: Vec<Fingerprint> = registry
        .rows
        .iter()
        .map(|row| row.fingerprint.clone())
        .collect();
    for edit in edits {
        match &edit.target {
            Target::New { name } => {
                let mut mapping = Mapping::default();
                mapping.run(edit);
                let mut row = mapping.row();
                assert_eq!(&row.name, name);
                assert!(
                    registry.rows.iter().all(|row| row.name != *name),
                    "{name} is registered twice"
                );
                row.index = registry.rows.len() + registry.invalid.len();
                row.agent = agent_of(&row);
                registry.rows.push(row);
            }
            Target::Row { name, fingerprint } => {
                let at = registry
                    .rows
                    .iter()
                    .position(|row| row.name == *name)
                    .unwrap_or_else(|| panic!("no row {name} to edit"));
                assert_eq!(&before[at], fingerprint, "the edit is for another row");
                let old = &registry.rows[at];
                let mut mapping = Mapping::of(old);
                mapping.run(edit);
                let mut row = mapping.row();
                row.index = old.index;
                row.agent = old.agent;
                row.job = old.job.clone();
                if row.job_status_of.is_none() {
                    row.job_status_of = old.job_status_of.clone();
                    row.job_status = old.job_status;
                }
                registry.rows[at] = row;
            }
        }
    }
    for row in &mut registry.rows {
        row.fingerprint = content(row);
    }
    registry.written_at = at;
    registry.fingerprint = Fingerprint::new(format!("{:?}", registry.rows));
    registry
}

fn agent_of(row: &Row) -> Option<AgentKind> {
    let mut ids = row.ids.keys();
    match (ids.next(), ids.next()) {
        (Some(agent), None) => Some(*agent),
        _ => row
            .name
            .as_str()
            .rsplit('-')
            .next()
            .and_then(AgentKind::named),
    }
}

/// A row as a mapping.
#[derive(Default)]
struct Mapping {
    values: BTreeMap<String, Value>,
    lists: BTreeMap<String, Vec<String>>,
}

impl Mapping {
    fn of(row: &Row) -> Self {
        let mut mapping = Self::default();
        let mut set = |key: &str, value: Value| {
            mapping.values.insert(key.to_owned(), value);
        };
        set("name", text(row.name.as_str()));
        set("status", text(row.status.as_str()));
        if let Some(server) = &row.server {
            set("tmux_server", text(server.as_str()));
        }
        let mut pane = Vec::new();
        if let Some(pid) = row.pane.pid {
            pane.push(("pid".to_owned(), Value::Int(i64::from(pid))));
        }
        if let Some(cmd) = &row.pane.cmd {
            pane.push(("cmd".to_owned(), text(cmd)));
        }
        if let Some(cwd) = &row.pane.cwd {
            pane.push(("cwd".to_owned(), text(cwd)));
        }
        set("pane", Value::Map(pane));
        if let Some(at) = row.end.at {
            set("terminated_at_epoch", Value::Int(at.secs()));
        }
        if let Some(mode) = &row.end.mode {
            set("termination_mode", text(mode));
        }
        for (agent, id) in &row.ids {
            let Some(key) = agent.id_key() else { continue };
            let value = id
                .value
                .as_ref()
                .map_or(Value::Null, |id| text(id.as_str()));
            mapping.values.insert(key.to_owned(), value);
            let previous = id
                .previous
                .iter()
                .map(|id| id.as_str().to_owned())
                .collect();
            mapping.lists.insert(format!("{key}_previous"), previous);
        }
        mapping
    }

    fn run(&mut self, edit: &Edit) {
        for op in edit.ops() {
            match op {
                Op::Set { path, value } => match path.as_slice() {
                    [key] => {
                        self.values.insert(key.clone(), value);
                    }
                    [outer, inner] => {
                        let mapping = self
                            .values
                            .entry(outer.clone())
                            .or_insert_with(|| Value::Map(Vec::new()));
                        let Value::Map(pairs) = mapping else {
                            panic!("{outer} is no mapping");
                        };
                        pairs.retain(|(key, _)| key != inner);
                        pairs.push((inner.clone(), value));
                    }
                    _ => panic!("a path of {} keys", path.len()),
                },
                Op::Gather { keys, .. } => self.values.retain(|key, _| !keys.contains(key)),
                Op::Prepend { key, text } => self.lists.entry(key).or_default().insert(0, text),
                Op::Append { row } => self.values.extend(row),
            }
        }
        assert!(
            !matches!(edit.change, Change::Terminate { .. })
                || self.get("status") == Some("terminated"),
        );
    }

    fn get(&self, key: &str) -> Option<&str> {
        match self.values.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    fn row(&self) -> Row {
        let mut pane = RowPane::default();
        if let Some(Value::Map(pairs)) = self.values.get("pane") {
            for (key, value) in pairs {
                match (key.as_str(), value) {
                    ("pid", Value::Int(pid)) => pane.pid = Pid::try_from(*pid).ok(),
                    ("cmd", Value::Text(cmd)) => pane.cmd = Some(cmd.clone()),
                    ("cwd", Value::Text(cwd)) => pane.cwd = Some(cwd.clone()),
                    other => panic!("a pane has no {other:?}"),
                }
            }
        }
        let ids = AgentKind::ALL
            .into_iter()
            .filter_map(|agent| {
                let key = agent.id_key()?;
                let value = match self.values.get(key)? {
                    Value::Text(id) => Some(ConversationId::new(id)),
                    _ => None,
                };
                let previous = self
                    .lists
                    .get(&format!("{key}_previous"))
                    .into_iter()
                    .flatten()
                    .map(ConversationId::new)
                    .collect();
                Some((agent, RecordedId { value, previous }))
            })
            .collect();
        let end = match self.values.get("terminated_at_epoch") {
            Some(Value::Int(secs)) => Some(Timestamp::from_secs(*secs)),
            _ => None,
        };
        Row {
            index: 0,
            fingerprint: Fingerprint::new(""),
            name: SessionName::new(self.get("name").unwrap_or_default()),
            status: Status::named(self.get("status").unwrap_or_default()),
            server: self.get("tmux_server").map(ServerName::new),
            pane,
            ids,
            agent: None,
            end: RowEnd {
                at: end,
                mode: self.get("termination_mode").map(str::to_owned),
            },
            job: None,
            job_status_of: self.get("delegate_job_status_of").map(str::to_owned),
            job_status: self.get("delegate_job_status").and_then(JobStatus::named),
        }
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}
