//! What must hold of any text that is taken for a roll, and of any edit of it.

use std::ops::Range;

use super::super::check::check;
use super::super::datum::Datum;
use super::super::layout::{Kind, Layout, Map, Node, line_end};
use super::super::parse;
use super::{EditError, apply};
use crate::core::edit::{Change, Edit, PaneRecord, Target};
use crate::core::ids::{
    AgentKind, ConversationId, DriftId, Fingerprint, ServerName, SessionName, Timestamp,
};
use crate::core::jobs::{JobId, JobStatus};

/// As large as makes sense: all that can go wrong in a large roll goes wrong in a small one.
const LARGEST: usize = 16 << 10;

/// How many rows of a roll are edited.
const MOST_ROWS: usize = 3;

/// Reads the bytes as a roll, and edits each of the first rows in every way, and adds one.
pub(crate) fn roll(bytes: &[u8]) {
    for (_, old, edits, new) in edits_of(bytes) {
        check_edit(&old, &edits, &new);
    }
}

/// The roll in the bytes, and what each edit makes of it: its name, the old text, the edit, the new text.
pub(crate) fn edits_of(bytes: &[u8]) -> Vec<(String, String, Vec<Edit>, String)> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Vec::new();
    };
    if text.len() > LARGEST || text.contains('\0') {
        return Vec::new();
    }
    let checked = check(text);
    assert!(
        checked
            .faults
            .iter()
            .all(|fault| fault.line > 0 && fault.column > 0)
    );
    let registry = parse::parse(text, Fingerprint::new(""), Timestamp::default());
    let registry = match registry {
        Ok(registry) => registry,
        Err(error) => {
            assert!(
                error.line > 0 && error.column > 0 && !error.why.contains('\n'),
                "{error}"
            );
            return Vec::new();
        }
    };
    assert_eq!(apply(text, &[]).as_deref(), Ok(text));
    let mut made = Vec::new();
    let targets = registry.rows.iter().take(MOST_ROWS).map(|row| Target::Row {
        name: row.name.clone(),
        fingerprint: row.fingerprint.clone(),
    });
    let of_rows = targets.flat_map(|target| {
        changes().into_iter().map(move |(name, change)| {
            (
                name,
                Edit {
                    cause: DriftId::new("d"),
                    target: target.clone(),
                    change,
                },
            )
        })
    });
    let new = Edit {
        cause: DriftId::new("d"),
        target: Target::New {
            name: SessionName::new("added-by-the-fuzzer"),
        },
        change: Change::Register {
            pane: pane(),
            server: Some(ServerName::new("other: #1")),
            id: Some((AgentKind::Claude, ConversationId::new("12e34"))),
        },
    };
    for (name, edit) in of_rows.chain([("register", new)]) {
        let edits = vec![edit];
        match apply(text, &edits) {
            Ok(new) => made.push((name.to_owned(), text.to_owned(), edits, new)),
            // A sentence for a person, in any case.
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
    made
}

fn pane() -> PaneRecord {
    PaneRecord {
        pid: Some(4711),
        cmd: Some("no".to_owned()),
        cwd: Some("/a b/\u{1f600}'\"\n\\".to_owned()),
    }
}

fn changes() -> Vec<(&'static str, Change)> {
    let at = Timestamp::from_secs(1_795_251_600);
    vec![
        ("terminate", Change::Terminate { at }),
        (
            "revive",
            Change::Revive {
                pane: pane(),
                server: Some(ServerName::new("yes")),
            },
        ),
        (
            "reincarnate",
            Change::Reincarnate {
                pane: pane(),
                server: None,
            },
        ),
        ("restore", Change::Restore),
        (
            "set_id",
            Change::SetId {
                agent: AgentKind::Claude,
                id: ConversationId::new("7f3a1c52"),
                replaces: Some(ConversationId::new("0x1f")),
            },
        ),
        (
            "job_outcome",
            Change::JobOutcome {
                job: JobId::parse("a1b2").unwrap_or_else(|| unreachable!("it is an id")),
                status: JobStatus::Completed,
                finished: at,
                note: "job a1b2 completed: yes # or no".to_owned(),
            },
        ),
    ]
}

/// The keys of a row that an edit may touch.
fn touched(edit: &Edit) -> Vec<String> {
    use crate::core::edit::Op;

    let mut keys = Vec::new();
    for op in edit.ops() {
        match op {
            Op::Set { path, .. } => keys.extend(path.into_iter().next()),
            Op::Gather { keys: moved, under } => keys.extend(moved.into_iter().chain([under])),
            Op::Prepend { key, .. } => keys.push(key),
            Op::Append { .. } => {}
        }
    }
    keys
}

#[track_caller]
fn check_edit(old: &str, edits: &[Edit], new: &str) {
    let [edit] = edits else {
        unreachable!("one edit at a time")
    };
    let told = || format!("{:?}\nmade of\n{old}\n{new}", edit.change);
    check_meaning(old, edit, new, &told);
    // An edit of what has been edited that way already is no reason to touch anything else.
    match apply(new, edits) {
        Ok(_) | Err(EditError::NotOneRow { .. } | EditError::Refused { .. }) => {}
        Err(error) => panic!(
            "what an edit has made cannot be edited: {error}\n{}",
            told()
        ),
    }
    // What stands in the text at these places has escapes joined, and is longer or shorter than the file.
    if super::json::joined(parse::without_mark(old))
        .ok()
        .flatten()
        .is_none()
    {
        check_bytes(
            parse::without_mark(old),
            edit,
            parse::without_mark(new),
            &told,
        );
    }
}

/// All but what was meant to change means what it did.
fn check_meaning(old: &str, edit: &Edit, new: &str, told: &dyn Fn() -> String) {
    let read = |text| {
        parse::document(text)
            .unwrap_or_else(|error| panic!("it cannot be read: {error}\n{}", told()))
    };
    let (before, after) = (read(old), read(new));
    let (Datum::Map(before), Datum::Map(after)) = (&before.root, &after.root) else {
        panic!("the top level is no mapping\n{}", told());
    };
    let is_list = |(key, _): &&(Datum, Datum)| key.text() == Some("tmux_sessions");
    let others = |root: &[(Datum, Datum)]| {
        Datum::Map(root.iter().filter(|it| !is_list(it)).cloned().collect())
    };
    assert!(
        others(before).same(&others(after)),
        "the top level changed\n{}",
        told()
    );
    let rows = |root: &[(Datum, Datum)]| match root.iter().find(is_list) {
        Some((_, Datum::List(rows))) => rows.clone(),
        _ => Vec::new(),
    };
    let (before, after) = (rows(before), rows(after));
    let is_new = matches!(edit.target, Target::New { .. });
    assert_eq!(
        after.len(),
        before.len() + usize::from(is_new),
        "{}",
        told()
    );
    let name = edit.target.name().as_str();
    let touched = touched(edit);
    for (was, is) in before.iter().zip(&after) {
        if was.get("name").and_then(Datum::text) != Some(name) || is_new {
            assert!(was.same(is), "another row changed\n{}", told());
            continue;
        }
        let (Datum::Map(was), Datum::Map(is)) = (was, is) else {
            panic!("a row is no mapping\n{}", told());
        };
        let kept = |row: &[(Datum, Datum)]| {
            let is_kept = |(key, _): &&(Datum, Datum)| {
                !key.text()
                    .is_some_and(|key| touched.iter().any(|it| it == key))
            };
            Datum::Map(row.iter().filter(is_kept).cloned().collect())
        };
        assert!(kept(was).same(&kept(is)), "another key changed\n{}", told());
    }
}

/// The bytes outside of the row stay, and in the row those of every key that is none of the edit's.
fn check_bytes(old: &str, edit: &Edit, new: &str, told: &dyn Fn() -> String) {
    let layout = Layout::of(old).unwrap_or_else(|why| panic!("{why}\n{}", told()));
    let Some(Kind::List(list)) = layout
        .root()
        .and_then(|root| root.entry("tmux_sessions"))
        .map(|entry| &entry.value.kind)
    else {
        return;
    };
    let kept = |range: Range<usize>, what: &str| {
        // The one exception: a block text at the very end says otherwise how it ends once something is below it.
        let at_the_end = range.end == old.len() && !old.ends_with('\n');
        let part = old[range].trim_end();
        let is_kept = new.contains(part) || at_the_end && part.contains(['|', '>']);
        assert!(is_kept, "{what} has gone: {part:?}\n{}", told());
    };
    let name = edit.target.name().as_str();
    let is_it = |row: &Node<'_>| {
        let entry = row.map().and_then(|map| map.entry("name"));
        entry.is_some_and(
            |entry| matches!(&entry.value.kind, Kind::Scalar { text, .. } if text == name),
        )
    };
    let is_new = matches!(edit.target, Target::New { .. });
    let at = list.items.iter().position(is_it).filter(|_| !is_new);
    for (index, row) in list.items.iter().enumerate() {
        if Some(index) != at {
            kept(row.start..row.end, "another row");
        }
    }
    let Some(row) = at.map(|at| &list.items[at]) else {
        return;
    };
    assert!(
        new.starts_with(&old[..row.start]),
        "what is before the row changed\n{}",
        told()
    );
    // What is added to a row in lines comes below a comment that stands behind its last value.
    let end = match row.map() {
        Some(map) if !map.flow => line_end(old, row.end),
        _ => row.end,
    };
    kept(row.end..end, "a comment");
    assert!(
        new.ends_with(old[end..].trim_start()),
        "what is behind the row changed\n{}",
        told()
    );
    if let Some(map) = row.map() {
        let touched = touched(edit);
        keys_stay(map, &touched, &kept);
    }
}

fn keys_stay(map: &Map<'_>, touched: &[String], kept: &dyn Fn(Range<usize>, &str)) {
    for entry in &map.entries {
        let is_touched = entry
            .key_text()
            .is_some_and(|key| touched.iter().any(|it| it == key));
        if !is_touched {
            kept(entry.start..entry.end(), "a key");
        }
    }
}
