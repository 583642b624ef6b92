//! Edits of generated rolls: every layout a person or a program may have chosen, and whatever edits.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::apply;
use crate::core::edit::{Change, Edit, PaneRecord, Target};
use crate::core::ids::{
    AgentKind, ConversationId, DriftId, Fingerprint, ServerName, SessionName, Timestamp,
};
use crate::core::registry::Registry;
use crate::roll::datum::Datum;
use crate::roll::parse;
use crate::roll::passage::{PutBack, passages, put_back, with_comments, without};
use crate::roll::redact::{self, redacted};

/// A roll, and which of its bytes belong to which row.
#[derive(Clone, Debug)]
struct Sample {
    head: String,
    rows: Vec<String>,
    tail: String,
}

impl Sample {
    fn text(&self) -> String {
        format!("{}{}{}", self.head, self.rows.concat(), self.tail)
    }
}

fn name(row: usize) -> String {
    format!("row-{row}-creator-claude")
}

/// Values as they may stand behind a key in lines, at an indentation (`@`) and in lines of their own.
const LINES: [&str; 22] = [
    " word",
    " 'single ''quoted'' # no comment'",
    " \"double \\\"quoted\\\" \\u00e9\"",
    " é \u{1f600} ü",
    "",
    " ~",
    " null",
    " 17",
    " 1e3",
    " 0.5",
    " yes",
    " 2026-06-19T12:30:00Z",
    " |\n@  block\n@\n@    text",
    " |-\n@  block",
    " |+\n@  block\n\n",
    " >\n@  folded\n@  text\n",
    " plain\n@  text of\n@  many lines",
    " 'quoted\n@  text'",
    " [a, 'b', {c: d}]",
    " {a: 1, 'b': [x]}",
    "\n@  inner: 1\n@  # between\n@  deeper:\n@    x: y",
    "\n@- a\n@- b: 1\n@  c: 2",
];

/// The same for a place between braces.
const FLOW: [&str; 10] = [
    " word",
    " 'single ''quoted'' # no comment'",
    " \"double \\\"quoted\\\" \\u00e9\"",
    " é \u{1f600} ü",
    "",
    " null",
    " 17",
    " yes",
    " [a, 'b', {c: d}]",
    " {a: 1, 'b': [x, ]}",
];

const PANES: [&str; 6] = [
    "",
    " null",
    " {}",
    " {pid: 1, cmd: \"x\", }",
    "\n@  pid: 1\n@  # the folder\n@  cwd: '/a b'",
    "\n@  cmd: x\n@  more: {a: b}",
];

const LISTS: [&str; 5] = [
    " ~",
    " []",
    " [x, 'y']",
    "\n@- x\n@- y",
    "\n@  # newest first\n@  - x",
];

/// The keys a row may have beside its name and status, with what may stand behind them.
fn entries(flow: bool) -> impl Strategy<Value = Vec<(String, String)>> {
    let any: Vec<&str> = if flow { FLOW.to_vec() } else { LINES.to_vec() };
    let fits = move |values: &[&'static str]| -> Vec<&'static str> {
        values
            .iter()
            .copied()
            .filter(|value| !flow || !value.contains('\n'))
            .collect()
    };
    let with = |key: &'static str, values: Vec<&'static str>| {
        select(values).prop_map(move |value| (key.to_owned(), value.to_owned()))
    };
    (
        (
            with("pane", fits(&PANES)),
            with("claude_session_id_own", vec!["", " ~", " 'old'", " old"]),
            with("claude_session_id_own_previous", fits(&LISTS)),
            with("terminated_at", any.clone()),
            with("termination_mode", vec![" auto-detected", " 'by hand'"]),
            with("stop_reason", any.clone()),
        ),
        (
            with("archived_at", any.clone()),
            with("previous_end", fits(&[" null", " {a: b}", "\n@  a: 1"])),
            with("role", any.clone()),
            with("created at, or so", any.clone()),
            with("zzz", any),
        ),
    )
        .prop_map(|((a, b, c, d, e, f), (g, h, i, j, k))| vec![a, b, c, d, e, f, g, h, i, j, k])
        .prop_flat_map(|entries| {
            let count = entries.len();
            subsequence(entries, 0..=count).prop_shuffle()
        })
}

#[derive(Clone, Debug)]
struct Looks {
    indent: usize,
    gap: usize,
    newline: &'static str,
}

fn row(at: usize, looks: Looks) -> impl Strategy<Value = String> {
    let lines = (
        entries(false),
        any::<Index>(),
        any::<Index>(),
        prop::collection::vec(0..12u8, 16),
        select(vec!["running", "'running'", "\"terminated\"", "stopped"]),
    );
    let lines = {
        let looks = looks.clone();
        lines.prop_map(move |(mut entries, name_at, status_at, whims, status)| {
            entries.insert(
                status_at.index(entries.len() + 1),
                ("status".into(), format!(" {status}")),
            );
            entries.insert(
                name_at.index(entries.len() + 1),
                ("name".into(), format!(" {}", name(at))),
            );
            in_lines(at, &entries, &whims, &looks)
        })
    };
    let flow = (
        entries(true),
        select(vec![", ", " , ", ",", ",\n@    ", ", # c\n@    "]),
        select(vec!["", " ", ", ", "\n@    "]),
    );
    let flow = flow.prop_map(move |(entries, comma, tail)| {
        let mut pairs = vec![format!("name: {}", name(at)), "status: running".to_owned()];
        pairs.extend(entries.iter().map(|(key, value)| {
            let key = if key.contains(',') {
                format!("'{key}'")
            } else {
                key.clone()
            };
            format!("{key}:{value}")
        }));
        // Without a space, a comma after a colon would be part of a word.
        let pairs = pairs.join(comma).replace(":,", ": ,");
        let indent = " ".repeat(looks.indent);
        format!("{indent}- {{{pairs} {tail}}}   # comment {at}f\n").replace('@', &indent)
    });
    prop_oneof![3 => lines, 1 => flow]
}

fn in_lines(at: usize, entries: &[(String, String)], whims: &[u8], looks: &Looks) -> String {
    let indent = " ".repeat(looks.indent + looks.gap);
    let mut text = String::new();
    for (number, (key, value)) in entries.iter().enumerate() {
        let whim = whims[number];
        if number == 0 {
            let dash = format!("{}-", " ".repeat(looks.indent));
            match whim {
                0 => text.push_str(&format!("{dash}\n{indent}")),
                1 => text.push_str(&format!("{dash} # comment {at}d\n{indent}")),
                _ => text.push_str(&format!("{dash}{}", " ".repeat(looks.gap - 1))),
            }
        } else {
            if whim == 2 {
                text.push_str(&format!("{indent}# comment {at}.{number}\n"));
            }
            if whim == 3 {
                text.push('\n');
            }
            text.push_str(&indent);
        }
        text.push_str(&match whim {
            4 => format!("'{key}':"),
            5 => format!("\"{key}\" :"),
            _ => format!("{key}:"),
        });
        text.push_str(&value.replace('@', &indent));
        let has_lines = value.contains('\n');
        if !has_lines && whim.is_multiple_of(3) {
            text.push_str(&format!("   # comment {at}:{number}"));
        }
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    if whims[15] == 0 {
        text.push_str(&format!("\n# comment {at}z\n"));
    }
    text
}

fn sample() -> impl Strategy<Value = Sample> {
    let looks =
        (0..5usize, 2..5usize, select(vec!["\n", "\r\n"])).prop_map(|(indent, gap, newline)| {
            Looks {
                indent,
                gap,
                newline,
            }
        });
    (looks, 0..5usize)
        .prop_flat_map(|(looks, count)| {
            let rows: Vec<_> = (0..count).map(|at| row(at, looks.clone())).collect();
            (
                Just(looks),
                select(vec![
                    "",
                    "\u{feff}",
                    "# the roll\n",
                    "---\n",
                    "# é\n\n---\n",
                    "other: {a: 1} # c\n",
                ]),
                rows,
                select(vec![
                    "",
                    "\n",
                    "# the end\n",
                    "other two:\n  - 1\n",
                    "...\n",
                    "\n\nx: |\n  y\n",
                ]),
                any::<bool>(),
            )
        })
        .prop_map(|(looks, head, rows, tail, open_end)| {
            let list = if rows.is_empty() {
                "tmux_sessions: []\n"
            } else {
                "tmux_sessions:   # all of them\n"
            };
            let mut sample = Sample {
                head: format!("{head}{list}"),
                rows,
                tail: tail.to_owned(),
            };
            if open_end {
                // The last line break is missing.
                let parts = std::iter::once(&mut sample.head).chain(&mut sample.rows);
                if let Some(last) = parts
                    .chain([&mut sample.tail])
                    .rfind(|part| !part.is_empty())
                {
                    last.pop();
                }
            }
            let ended = |part: &String| part.replace('\n', looks.newline);
            sample.head = ended(&sample.head);
            sample.tail = ended(&sample.tail);
            sample.rows = sample.rows.iter().map(ended).collect();
            sample
        })
}

const TEXTS: [&str; 10] = [
    "claude",
    "12e34",
    "no",
    "a: b # c",
    "'",
    "\"",
    "",
    "é \u{1f600}",
    "line\nbreak",
    "/a b/ü",
];

fn pane() -> impl Strategy<Value = PaneRecord> {
    (
        prop::option::of(1..99u32),
        prop::option::of(select(TEXTS.to_vec())),
        prop::option::of(select(TEXTS.to_vec())),
    )
        .prop_map(|(pid, cmd, cwd)| PaneRecord {
            pid,
            cmd: cmd.map(str::to_owned),
            cwd: cwd.map(str::to_owned),
        })
}

fn server() -> impl Strategy<Value = Option<ServerName>> {
    prop::option::of(select(TEXTS.to_vec()).prop_map(ServerName::new))
}

fn change() -> impl Strategy<Value = Change> {
    let id = || select(TEXTS.to_vec()).prop_map(ConversationId::new);
    prop_oneof![
        Just(Change::Terminate {
            at: Timestamp::from_secs(1_795_251_600)
        }),
        (pane(), server()).prop_map(|(pane, server)| Change::Revive { pane, server }),
        (pane(), server()).prop_map(|(pane, server)| Change::Reincarnate { pane, server }),
        Just(Change::Restore),
        (id(), prop::option::of(id())).prop_map(|(id, replaces)| Change::SetId {
            agent: AgentKind::Claude,
            id,
            replaces,
        }),
    ]
}

fn edits(rows: usize) -> impl Strategy<Value = Vec<Edit>> {
    let edit = |target, change| Edit {
        cause: DriftId::new("d"),
        target,
        change,
    };
    let of_rows = prop::collection::vec((0..rows.max(1), change()), 0..=(rows.min(1) * 4));
    let new = (
        pane(),
        prop::option::of(select(TEXTS.to_vec())),
        any::<bool>(),
    );
    (of_rows, prop::collection::vec(new, 0..3)).prop_map(move |(of_rows, new)| {
        let of_rows = of_rows.into_iter().map(|(row, change)| {
            let target = Target::Row {
                name: SessionName::new(name(row)),
                fingerprint: Fingerprint::new(""),
            };
            edit(target, change)
        });
        let new = new
            .into_iter()
            .enumerate()
            .map(|(at, (pane, server, known))| {
                let change = Change::Register {
                    pane,
                    server: server.map(ServerName::new),
                    id: known.then(|| (AgentKind::Claude, ConversationId::new("i"))),
                };
                let name = SessionName::new(format!("new: {at}"));
                edit(Target::New { name }, change)
            });
        of_rows.chain(new).collect()
    })
}

fn touched(edits: &[Edit]) -> BTreeSet<String> {
    edits
        .iter()
        .map(|edit| edit.target.name().as_str().to_owned())
        .collect()
}

/// What a text declares, apart from the fingerprints of what it is written in.
fn declared(text: &str) -> Registry {
    let mut registry = parse::parse(text, Fingerprint::new(""), Timestamp::from_secs(0)).unwrap();
    for row in &mut registry.rows {
        row.fingerprint = Fingerprint::new("");
    }
    registry
}

/// The values of a roll with the steps of some edits carried out on them.
fn carried_out(text: &str, edits: &[Edit]) -> Datum {
    let mut root = parse::document(text).unwrap().root;
    for edit in edits {
        for op in edit.ops() {
            let is_append = matches!(edit.target, Target::New { .. });
            let on = if is_append {
                &mut root
            } else {
                let Some(Datum::List(rows)) = root.get_mut("tmux_sessions") else {
                    panic!("there are rows");
                };
                let name = edit.target.name().as_str();
                rows.iter_mut()
                    .find(|row| row.get("name").and_then(Datum::text) == Some(name))
                    .unwrap()
            };
            on.carry_out(&op).unwrap();
        }
    }
    root
}

fn edited(text: &str, edits: &[Edit]) -> Result<String, TestCaseError> {
    apply(text, edits)
        .map_err(|error| TestCaseError::fail(format!("{error}\nof {text:?}\nby {edits:?}")))
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn an_edited_text_reads_as_the_edited_values(
        (sample, edits) in sample().prop_flat_map(|sample| {
            let rows = sample.rows.len();
            (Just(sample), edits(rows))
        })
    ) {
        let text = sample.text();
        let result = edited(&text, &edits)?;
        let read = parse::document(&result).unwrap().root;
        prop_assert!(read.same(&carried_out(&text, &edits)));
    }

    #[test]
    fn the_bytes_outside_the_touched_rows_stay(
        (sample, edits) in sample().prop_flat_map(|sample| {
            let rows = sample.rows.len();
            (Just(sample), edits(rows))
        })
    ) {
        let text = sample.text();
        let result = edited(&text, &edits)?;
        let touched = touched(&edits);
        if touched.is_empty() {
            prop_assert_eq!(result, text);
            return Ok(());
        }
        // The one exception: what is put below a block text that ends the file would give it a line break.
        let open_end = !text.ends_with('\n');
        let mut rest = result.as_str();
        if !sample.rows.is_empty() {
            rest = rest.strip_prefix(sample.head.as_str()).unwrap();
        }
        for (at, row) in sample.rows.iter().enumerate() {
            if touched.contains(&name(at)) {
                continue;
            }
            // What stands between the last row and the end belongs to no row: new rows may come before it.
            let end = row.find(&format!("# comment {at}z")).unwrap_or(row.len());
            let last = at + 1 == sample.rows.len() && open_end;
            if last && ["|", ">", "|+", "|-"].iter().any(|mark| row.contains(mark)) {
                continue;
            }
            for part in [row[..end].trim_end(), &row[end..]] {
                let place = rest.find(part);
                prop_assert!(place.is_some(), "{part:?} is not in\n{result}\nas it was in\n{text}");
                rest = &rest[place.unwrap() + part.len()..];
            }
        }
        // Blank lines may be a part of a text above that keeps them, and go where that goes.
        prop_assert!(rest.ends_with(sample.tail.trim_start()), "{result}");
    }

    #[test]
    fn a_text_without_what_is_private_declares_the_same(sample in sample()) {
        let text = sample.text();
        let private = redacted(&text)
            .map_err(|error| TestCaseError::fail(format!("{error}\nof {text:?}")))?;
        prop_assert!(!private.text.contains("# comment"), "{private:?} of {text:?}");
        let before = redact::declared(&declared(&text), &private.taken);
        let after = declared(&private.text);
        prop_assert!(after == before, "{private:?} of {text:?}");
    }

    #[test]
    fn no_comment_is_lost(
        (sample, edits) in sample().prop_flat_map(|sample| {
            let rows = sample.rows.len();
            (Just(sample), edits(rows))
        })
    ) {
        let text = sample.text();
        // What one edit writes, a second one may move: a comment behind the first value has no place then.
        let mut rows = BTreeSet::new();
        let mut edits = edits;
        edits.retain(|edit| rows.insert(edit.target.name().as_str().to_owned()));
        let result = edited(&text, &edits)?;
        for comment in text.split("# comment").skip(1) {
            let comment = comment.lines().next().unwrap();
            prop_assert!(result.contains(comment), "{comment:?} is not in\n{result}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn what_was_edited_is_put_back_as_it_was_with_every_comment(
        (sample, edits) in sample().prop_flat_map(|sample| {
            let rows = sample.rows.len();
            (Just(sample), edits(rows))
        })
    ) {
        let text = sample.text();
        let mut result = edited(&text, &edits)?;
        let touched = touched(&edits);
        let names: Vec<&str> = touched.iter().map(String::as_str).collect();
        let mut before = passages(&text, &names);
        for (name, after) in passages(&result, &names) {
            match put_back(&result, &name, before.remove(&name).as_ref(), &after) {
                Ok(PutBack::Done(text)) => result = text,
                Ok(other) => prop_assert!(false, "{other:?} of {name} in\n{result}"),
                // What a block text at an open end says depends on what is below it.
                Err(_) if !text.ends_with('\n') => return Ok(()),
                Err(error) => prop_assert!(false, "{error} of {name} in\n{result}\nthat was\n{text}"),
            }
        }
        let values = |text: &str| parse::document(text).unwrap().root;
        prop_assert!(values(&result).same(&values(&text)), "{result}\nis not\n{text}");
        for comment in text.split("# comment").skip(1) {
            let comment = comment.lines().next().unwrap();
            prop_assert!(result.contains(comment), "{comment:?} is not in\n{result}");
        }
    }

    #[test]
    fn rows_are_cut_out_and_nothing_else(
        sample in sample(),
        picked in prop::collection::vec(any::<bool>(), 5),
    ) {
        let text = sample.text();
        let gone: Vec<usize> = (0..sample.rows.len()).filter(|at| picked[*at]).collect();
        let result = without(&text, &gone);
        // The blank lines below a row that goes would become those of a text above that keeps its own, and a block
        // text at an open end depends on what is below it: such rows are left alone.
        if result.is_err() && (text.contains("|+") || !text.ends_with('\n')) {
            return Ok(());
        }
        prop_assert!(result.is_ok(), "{result:?} of\n{text}");
        let result = result.unwrap();
        let cut: String = with_comments(&text, &gone).into_iter().flatten().collect();
        for comment in text.split("# comment").skip(1) {
            let comment = comment.lines().next().unwrap();
            let comment = format!("# comment{comment}");
            let has = |text: &str| text.lines().any(|line| line.ends_with(&comment));
            let places = usize::from(has(&result)) + usize::from(has(&cut));
            prop_assert_eq!(places, 1, "{:?} in\n{}\nand\n{}", comment, result, cut);
        }
    }
}

/// A roll as `json.dump` writes it: on one line, compact, or indented.
fn json() -> impl Strategy<Value = (String, usize)> {
    let value = prop_oneof![
        Just("null".to_owned()),
        Just("17".to_owned()),
        Just("true".to_owned()),
        select(TEXTS.to_vec()).prop_map(|text| serde_json::to_string(text).unwrap()),
        Just(r#"{"a": [1, "b"]}"#.to_owned()),
        Just("[]".to_owned()),
    ];
    let keys = [
        "claude_session_id_own",
        "terminated_at",
        "stop_reason",
        "previous_end",
        "role",
    ];
    let entries = prop::collection::vec((select(keys.to_vec()), value), 0..6);
    let rows = prop::collection::vec(entries, 0..4);
    (rows, 0..3usize).prop_map(|(rows, looks)| {
        let count = rows.len();
        let rows: Vec<serde_json::Value> = rows
            .into_iter()
            .enumerate()
            .map(|(at, entries)| {
                let mut row = serde_json::Map::new();
                row.insert("name".to_owned(), name(at).into());
                row.insert("status".to_owned(), "running".into());
                for (key, value) in entries {
                    row.insert(key.to_owned(), serde_json::from_str(&value).unwrap());
                }
                row.into()
            })
            .collect();
        let root = serde_json::json!({ "a": 1, "tmux_sessions": rows, "z": [] });
        let text = match looks {
            0 => serde_json::to_string(&root).unwrap(),
            1 => serde_json::to_string_pretty(&root).unwrap() + "\n",
            _ => {
                let compact = serde_json::to_string(&root).unwrap();
                compact
                    .replace("\":", "\": ")
                    .replace(",\"", ", \"")
                    .replace("},{", "}, {")
            }
        };
        (text, count)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 3_000, ..ProptestConfig::default() })]

    #[test]
    fn edited_json_is_json_and_reads_the_same(
        ((text, _), edits) in json().prop_flat_map(|(text, rows)| (Just((text, rows)), edits(rows)))
    ) {
        let result = edited(&text, &edits)?;
        let read = serde_json::from_str::<serde_json::Value>(&result);
        prop_assert!(read.is_ok(), "{result} is no JSON: {read:?}");
        prop_assert!(parse::document(&result).unwrap().root.same(&carried_out(&text, &edits)));
    }

    /// Whatever comes: an answer, and if that is a text, one that was verified.
    #[test]
    fn a_damaged_text_is_edited_exactly_or_not_at_all(
        (sample, edits) in sample().prop_flat_map(|sample| {
            let rows = sample.rows.len();
            (Just(sample), edits(rows))
        }),
        damage in prop::collection::vec((any::<Index>(), 0..3usize, select(DEBRIS.to_vec())), 1..6),
    ) {
        let mut text = sample.text();
        for (at, takes, debris) in damage {
            let places: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
            let at = at.index(places.len());
            let end = places.get(at + takes).copied().unwrap_or(text.len());
            text.replace_range(places[at]..end, debris);
        }
        let _ = crate::roll::check::check(&text);
        if let Ok(result) = apply(&text, &edits)
            && !edits.is_empty()
        {
            prop_assert!(parse::document(&result).unwrap().root.same(&carried_out(&text, &edits)));
        }
    }
}

/// What may get into a text by accident.
const DEBRIS: [&str; 40] = [
    "",
    " ",
    "\n",
    "\r",
    "\t",
    ":",
    ": ",
    "-",
    "- ",
    "? ",
    "#",
    " #",
    "{",
    "}",
    "[",
    "]",
    ",",
    "&a ",
    "*a",
    "!x ",
    "!!str ",
    "|",
    ">",
    "'",
    "\"",
    "\\",
    "%",
    "@",
    "`",
    "<<: ",
    "---\n",
    "...\n",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "\u{1f600}",
    "~",
    "\u{7}",
    "key: v\n",
];
