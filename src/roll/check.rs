//! What is wrong with a roll, each thing at its place: for `headcount validate`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;

use super::layout::{Kind, Layout, Map, Node};
use super::scalar::{Plain, by_yaml_1_1, by_yaml_1_2};
use super::{json, parse};
use crate::core::ids::{AgentKind, Fingerprint, Timestamp};
use crate::core::registry::Status;

/// The keys of a row that hold texts. What is written there without quotes should be one to every reader.
pub(super) const TEXTS: [&str; 17] = [
    "agent",
    "archived_at",
    "delegate_job_finished_at",
    "delegate_job_id",
    "delegate_job_status",
    "delegate_job_status_of",
    "last_visible_note",
    "last_visible_status",
    "name",
    "role",
    "start_command",
    "status",
    "stop_reason",
    "stopped_at",
    "terminated_at",
    "termination_mode",
    "tmux_server",
];

/// The same, of a row's pane.
const PANE_TEXTS: [&str; 2] = ["cmd", "cwd"];

/// What a roll is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// How many rows can be reconciled.
    pub rows: usize,
    /// What is wrong, in the order of the file.
    pub faults: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Line, counted from 1.
    pub line: usize,
    /// Column, counted from 1.
    pub column: usize,
    /// Whether the row, or the whole roll, cannot be reconciled because of it.
    pub grave: bool,
    /// What it is, as a sentence without a full stop.
    pub what: String,
}

/// Checks a roll.
#[must_use]
pub fn check(text: &str) -> Checked {
    let joined = json::joined(parse::without_mark(text)).ok().flatten();
    let text = joined.as_deref().unwrap_or(text);
    // Neither what it was read from nor when matters to what is wrong with it.
    let registry = match parse::parse(text, Fingerprint::new(""), Timestamp::default()) {
        Ok(registry) => registry,
        Err(error) => {
            return Checked {
                rows: 0,
                faults: vec![Fault {
                    line: error.line,
                    column: error.column,
                    grave: true,
                    what: error.why,
                }],
            };
        }
    };
    let layout = Layout::of(text).ok();
    let place = |index: usize| {
        let row = layout.as_ref().and_then(|layout| layout.row(index));
        match (&layout, row) {
            (Some(layout), Some(row)) => layout.place(row.start),
            _ => (1, 1),
        }
    };
    let invalid = registry.invalid.iter().map(|row| {
        let (line, column) = place(row.index);
        let name = row
            .name
            .as_ref()
            .map_or_else(String::new, |name| format!("{name}: "));
        Fault {
            line,
            column,
            grave: true,
            what: format!("{name}{}", row.problem),
        }
    });
    let mut faults: Vec<Fault> = invalid.collect();
    for row in &registry.rows {
        if let Status::Other(word) = &row.status {
            let (line, column) = place(row.index);
            faults.push(Fault {
                line,
                column,
                grave: false,
                what: format!(
                    "{}: status {word:?} is not one headcount knows: the row is left alone",
                    row.name
                ),
            });
        }
        if let Some(layout) = &layout
            && let Some(map) = layout.row(row.index).and_then(Node::map)
        {
            unclear_texts(layout, map, &mut faults);
        }
    }
    if let Some(layout) = &layout
        && let Some(root) = layout.root()
    {
        twice(layout, root, "", &mut faults);
        if let Some(identities) = root.entry("agent_identities")
            && let Some(map) = identities.value.map()
        {
            twice(layout, map, "agent_identities.", &mut faults);
        }
    }
    faults.sort();
    Checked {
        rows: registry.rows.len(),
        faults,
    }
}

/// Keys that are there twice: one reader takes the first, another the last, and others none of the file.
fn twice(layout: &Layout<'_>, map: &Map<'_>, above: &str, faults: &mut Vec<Fault>) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in &map.entries {
        let Kind::Scalar { text: key, .. } = &entry.key.kind else {
            continue;
        };
        let (line, column) = layout.place(entry.key.start);
        match first.entry(key) {
            Place::Vacant(place) => {
                place.insert(line);
            }
            Place::Occupied(first) => faults.push(Fault {
                line,
                column,
                grave: false,
                what: format!(
                    "the key `{above}{key}` is there twice, first on line {}: merge the two",
                    first.get()
                ),
            }),
        }
    }
}

/// Texts without quotes that some reader takes for something else.
fn unclear_texts(layout: &Layout<'_>, row: &Map<'_>, faults: &mut Vec<Fault>) {
    let ids = AgentKind::ALL.into_iter().filter_map(AgentKind::id_key);
    for key in TEXTS.into_iter().chain(ids) {
        unclear_text(layout, row, key, faults);
    }
    if let Some(pane) = row.entry("pane").and_then(|entry| match &entry.value.kind {
        Kind::Map(map) => Some(map),
        _ => None,
    }) {
        for key in PANE_TEXTS {
            unclear_text(layout, pane, key, faults);
        }
    }
}

fn unclear_text(layout: &Layout<'_>, map: &Map<'_>, key: &str, faults: &mut Vec<Fault>) {
    let Some(value) = map.entry(key).map(|entry| &entry.value) else {
        return;
    };
    let Some(plain) = value.plain() else { return };
    let (old, new) = (by_yaml_1_1(plain), by_yaml_1_2(plain));
    if old == new && matches!(old, Plain::Text | Plain::Null) {
        return;
    }
    let (line, column) = layout.place(value.start);
    faults.push(Fault {
        line,
        column,
        grave: false,
        what: format!(
            "{key}: {plain} is {} to PyYAML and {} to YAML 1.2: put it in quotes",
            old.noun(),
            new.noun()
        ),
    });
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;

    fn faults(text: &str) -> Vec<(usize, usize, bool, String)> {
        check(text)
            .faults
            .into_iter()
            .map(|fault| (fault.line, fault.column, fault.grave, fault.what))
            .collect()
    }

    #[test]
    fn a_roll_in_order_has_no_faults() {
        assert_eq!(
            faults("tmux_sessions:\n- {name: a, status: running, pane: {pid: 1, cwd: /x}}\n"),
            []
        );
    }

    #[test]
    fn a_text_that_readers_disagree_about_is_named_at_its_place() {
        let told =
            faults("tmux_sessions:\n- name: a\n  status: running\n  stopped_at: 2026-06-19\n");
        assert_eq!(told.len(), 1);
        assert_eq!((told[0].0, told[0].1, told[0].2), (4, 15, false));
        assert!(
            told[0]
                .3
                .contains("a time to PyYAML and a text to YAML 1.2"),
            "{}",
            told[0].3
        );
    }

    #[test]
    fn a_text_that_is_none_to_any_reader_is_named_too_and_null_is_not() {
        for (keys, places) in [
            ("role: 12", &[(2, 19)][..]),
            ("role: 1e3", &[(2, 19)]),
            ("agent: 7", &[(2, 20)]),
            ("delegate_job_finished_at: 2026-06-19", &[(2, 39)]),
            ("role: ~, stop_reason: word", &[]),
            ("pane: {cmd: 12:30, cwd: no}", &[(2, 25), (2, 37)]),
        ] {
            let text = format!("tmux_sessions:\n- {{name: a, {keys}, status: running}}\n");
            let told: Vec<_> = faults(&text).iter().map(|it| (it.0, it.1)).collect();
            assert_eq!(told, places, "{keys}");
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_named_at_its_second_place() {
        let text = "a: 1\ntmux_sessions: []\na: 2\nagent_identities: {x: {}, y: {}, x: {}}\na: 3\n";
        let told: Vec<_> = faults(text)
            .into_iter()
            .map(|it| (it.0, it.1, it.2))
            .collect();
        assert_eq!(told, [(3, 1, false), (4, 34, false), (5, 1, false)]);
    }

    #[test]
    fn a_status_nobody_knows_is_told_and_not_grave() {
        let told = faults("tmux_sessions:\n- {name: a, status: resting}\n");
        assert_eq!((told[0].0, told[0].2), (2, false));
    }
}
