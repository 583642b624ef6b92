//! One file, two writers: what headcount writes, real `PyYAML` reads, and the other way round.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use headcount::clock;
use headcount::core::edit::{Change, Edit, Op, PaneRecord, Target, Value};
use headcount::core::ids::{
    AgentKind, ConversationId, DriftId, Fingerprint, ServerName, SessionName, Timestamp,
};
use headcount::core::registry::Registry;
use headcount::roll::commit::{CommitError, CommitOptions, Committed, commit};
use headcount::roll::edit::apply;
use headcount::roll::parse::parse;
use headcount::roll::{Roll, read};
use serde_json::{Value as Json, json};

use crate::support::python::{self, python};

/// Writes rolls as `PyYAML` and `json` write them, in every style they have, full of texts that are hard to write.
const ROLLS: &str = r#"
import json, random, sys, yaml
random.seed(int(sys.argv[1]))
TEXTS = ["no", "Off", "y", "~", "null", "12:30", "1_000", "0o17", "1e3", "12e34567", "=", "<<", "2026-06-19",
         "2026-06-19T12:30:00Z", "", " ", "a: b", "a #b", "- a", "'", '"', "%12", "@3", "*a", "&a", "!a", "é ü",
         "\U0001f600", "line\nbreak", "line\n", "\n", "tab\t", "\x07", "\x85", "\u2028", "\ufeff", "x" * 200,
         "word " * 40, "C:\\x", "{a}", "[a]", "a,b", "|", ">", "key:", "`", "0123", "+1", ".5", "-.inf"]
def value(depth=0):
    kind = random.randrange(9 if depth < 2 else 6)
    if kind < 3: return random.choice(TEXTS)
    if kind == 3: return random.choice([None, True, False])
    if kind == 4: return random.choice([0, 7, -3, 2**40])
    if kind == 5: return random.choice([0.5, 1e16, -1.0])
    if kind == 6: return [value(depth + 1) for _ in range(random.randrange(3))]
    return {random.choice(TEXTS): value(depth + 1) for _ in range(random.randrange(3))}
END = ["terminated_at", "terminated_at_epoch", "termination_mode", "stopped_at", "stop_reason", "resumable",
       "archived_at", "previous_end"]
def row(name):
    row = {"name": name, "status": random.choice(["running", "stopped"])}
    keys = random.sample(END + ["role", "zzz"], random.randrange(6)) + random.sample(TEXTS, random.randrange(3))
    row.update({key: value() for key in keys})
    if random.random() < .7:
        row["pane"] = random.choice([None, {}, {"pid": 1, "cmd": random.choice(TEXTS), "cwd": "/w", "x": value()}])
    if random.random() < .7: row["claude_session_id_own"] = random.choice([None, "old"])
    if random.random() < .5: row["claude_session_id_own_previous"] = random.choice([None, [], ["x", "no"]])
    pairs = list(row.items())
    random.shuffle(pairs)
    return dict(pairs)
rolls = []
for number in range(int(sys.argv[2])):
    rows = [row("s%d" % at) for at in range(random.randrange(1, 4))]
    roll = {"agent_identities": {"claude": value()}, "tmux_sessions": rows, "other": value()}
    style = number % 8
    if style < 6:
        text = yaml.safe_dump(roll, sort_keys=style in (0, 1), allow_unicode=style in (1, 2),
                              default_flow_style=[False, False, False, True, None, None][style],
                              width=[80, 20, 1000, 80, 80, 30][style], explicit_start=style == 4,
                              line_break="\r\n" if style == 5 else None)
    else:
        text = json.dumps(roll, indent=2 if style == 7 else None, ensure_ascii=False)
        # Line breaks to YAML 1.1, and to JSON letters like any other: PyYAML cannot read them back.
        for char in "\x85\u2028\ufeff": text = text.replace(char, "_")
    rolls.append({"text": text, "rows": len(rows)})
print(json.dumps(rolls))
"#;

/// Carries out edits as `PyYAML` would, and compares with what headcount wrote: values and types.
const COMPARE: &str = r#"
import json, math, sys, yaml
def same(a, b):
    if type(a) is not type(b): return False
    if isinstance(a, dict): return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list): return len(a) == len(b) and all(map(same, a, b))
    return a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))
def carry_out(row, op):
    if op["op"] == "set":
        at = row
        for key in op["path"][:-1]:
            if at.get(key) is None: at[key] = {}
            at = at[key]
        at[op["path"][-1]] = op["value"]
    elif op["op"] == "gather":
        moved = {key: row.pop(key) for key in list(row) if key in op["keys"]}
        if moved: row[op["under"]] = moved
    else:
        row[op["key"]] = [op["text"]] + (row.get(op["key"]) or [])
wrong, read = [], 0
for case in json.load(sys.stdin):
    try: wanted = yaml.safe_load(case["old"])
    except yaml.YAMLError: continue
    read += 1
    wanted["tmux_sessions"] = wanted.get("tmux_sessions") or []
    # A name as it is written: unquoted, 12:30 is a number to PyYAML, which both leave as it is.
    plain = yaml.load(case["old"], yaml.BaseLoader).get("tmux_sessions") or []
    rows = {}
    for row, named in zip(wanted["tmux_sessions"], plain):
        if not isinstance(row, dict): continue
        name = named.get("name", row.get("name"))
        if isinstance(name, str): rows[name] = row
    try:
        for op in case["ops"]:
            if op["op"] == "append": wanted["tmux_sessions"].append(op["row"])
            else: carry_out(rows[op["name"]], op)
        if not same(wanted, yaml.safe_load(case["new"])): wrong.append(case)
    except (yaml.YAMLError, LookupError, TypeError, ValueError) as error:
        wrong.append({"error": repr(error), **case})
print(json.dumps({"read": read, "wrong": wrong[:3]}))
"#;

const TEXTS: [&str; 22] = [
    "claude",
    "no",
    "12:30",
    "1_000",
    "0o17",
    "1e3",
    "=",
    "<<",
    "2026-06-19",
    "2026-06-19T12:30:00Z",
    "",
    " a ",
    "a: b",
    "a #b",
    "'",
    "\"",
    "%12",
    "é ü",
    "\u{1f600}",
    "line\nbreak",
    "\u{85}\u{2028}\u{feff}\u{7}",
    "C:\\x",
];

fn text(at: usize) -> &'static str {
    TEXTS[at % TEXTS.len()]
}

fn pane(at: usize) -> PaneRecord {
    PaneRecord {
        pid: Some(1 + u32::try_from(at).expect("a small number")),
        cmd: Some(text(at).to_owned()),
        cwd: (!at.is_multiple_of(3)).then(|| text(at + 5).to_owned()),
    }
}

fn change(at: usize) -> Change {
    match at % 6 {
        0 => Change::Terminate {
            at: Timestamp::from_secs(1_795_251_600),
        },
        1 => Change::Revive {
            pane: pane(at / 6),
            server: None,
        },
        2 => Change::Reincarnate {
            pane: pane(at / 6),
            server: None,
        },
        3 => Change::Restore,
        more => Change::SetId {
            agent: AgentKind::Claude,
            id: ConversationId::new(text(at / 6)),
            replaces: (more == 5).then(|| ConversationId::new(text(at / 6 + 3))),
        },
    }
}

fn of_row(name: &str, fingerprint: &str, change: Change) -> Edit {
    Edit {
        cause: DriftId::new(format!("{name} {fingerprint}")),
        target: Target::Row {
            name: SessionName::new(name),
            fingerprint: Fingerprint::new(fingerprint),
        },
        change,
    }
}

fn new_row(name: &str, at: usize) -> Edit {
    Edit {
        cause: DriftId::new(name),
        target: Target::New {
            name: SessionName::new(name),
        },
        change: Change::Register {
            pane: pane(at),
            server: Some(ServerName::new(text(at + 1))),
            id: Some((AgentKind::Claude, ConversationId::new(text(at + 2)))),
        },
    }
}

fn json_of(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Int(number) => json!(number),
        Value::Text(text) => json!(text),
        Value::Map(pairs) => pairs
            .iter()
            .map(|(key, inner)| (key.clone(), json_of(inner)))
            .collect(),
    }
}

fn steps(edit: &Edit) -> impl Iterator<Item = Json> {
    let name = edit.target.name().as_str().to_owned();
    edit.ops().into_iter().map(move |op| match op {
        Op::Set { path, value: set } => {
            json!({ "op": "set", "name": name, "path": path, "value": json_of(&set) })
        }
        Op::Gather { keys, under } => {
            json!({ "op": "gather", "name": name, "keys": keys, "under": under })
        }
        Op::Prepend { key, text } => {
            json!({ "op": "prepend", "name": name, "key": key, "text": text })
        }
        Op::Append { row } => json!({ "op": "append", "row": json_of(&Value::Map(row)) }),
    })
}

#[test]
fn what_pyyaml_wrote_is_edited_and_pyyaml_reads_what_was_meant() {
    let rolls = python::run(ROLLS, &["7", "400"], b"");
    let rolls: Vec<Json> = serde_json::from_str(&rolls).expect("python prints JSON");
    let mut cases = Vec::new();
    for (at, roll) in rolls.iter().enumerate() {
        let old = roll["text"].as_str().expect("a text");
        let rows = usize::try_from(roll["rows"].as_u64().expect("a number")).expect("a small one");
        let mut edits = vec![of_row(&format!("s{}", at % rows), "", change(at))];
        if at % 3 == 0 {
            edits.push(of_row(&format!("s{}", (at + 1) % rows), "", change(at / 3)));
        }
        if at % 2 == 0 {
            edits.push(new_row(&format!("new {}", text(at)), at));
        }
        let new = apply(old, &edits).unwrap_or_else(|error| panic!("{error}\n{edits:?}\n{old}"));
        let ops: Vec<Json> = edits.iter().flat_map(steps).collect();
        cases.push(json!({ "old": old, "new": new, "ops": ops }));
    }
    assert_eq!(cases.len(), 400);
    assert_eq!(compared(cases), 400);
}

/// How many of the cases PyYAML can read, all of which are as they should be.
#[track_caller]
fn compared(cases: Vec<Json>) -> u64 {
    let found = python::run(COMPARE, &[], Json::from(cases).to_string().as_bytes());
    let found: Json = serde_json::from_str(&found).expect("python prints JSON");
    assert_eq!(found["wrong"], json!([]));
    found["read"].as_u64().expect("a number")
}

#[test]
fn pyyaml_reads_what_was_meant_of_every_roll_that_fuzzing_has_found() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/roll");
    let mut cases = Vec::new();
    for file in fs::read_dir(folder).expect("a corpus") {
        let bytes = fs::read(file.expect("a file").path()).expect("it can be read");
        let Ok(old) = String::from_utf8(bytes) else {
            continue;
        };
        let Ok(roll) = parse(&old, Fingerprint::new(""), Timestamp::default()) else {
            continue;
        };
        let mut edits = vec![new_row("new: #1", 3)];
        for row in &roll.rows {
            edits.extend((0..6).map(|at| of_row(row.name.as_str(), "", change(at))));
        }
        for edit in edits {
            if let Ok(new) = apply(&old, std::slice::from_ref(&edit)) {
                let ops: Vec<Json> = steps(&edit).collect();
                cases.push(json!({ "old": old, "new": new, "ops": ops }));
            }
        }
    }
    assert!(compared(cases) > 100);
}

/// Another writer of the roll, as its skills write: under the lock, from the old content to a new file.
const WRITER: &str = r#"
import fcntl, os, sys, tempfile, yaml
path = sys.argv[1]
for number in range(int(sys.argv[2])):
    with open(path + ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with open(path) as file: roll = yaml.safe_load(file)
        rows = {row["name"]: row for row in roll["tmux_sessions"]}
        rows["shared"]["count"] += 1
        roll["tmux_sessions"].append({"name": "py-%d" % number, "status": "running", "pane": {"pid": 1}})
        handle, temp = tempfile.mkstemp(dir=os.path.dirname(path))
        with os.fdopen(handle, "w") as file: yaml.safe_dump(roll, file)
        os.replace(temp, path)
"#;

/// An editor: it holds the text, and saves it over whatever is there, without any lock.
const EDITOR: &str = r##"
import os, sys, time
path = sys.argv[1]
with open(path) as file: text = file.read()
for number in range(int(sys.argv[2])):
    text += "# line %d\n" % number
    with open(path + ".swp", "w") as file: file.write(text)
    os.replace(path + ".swp", path)
    time.sleep(.004)
"##;

const START: &str = "# by hand\ntmux_sessions:\n- name: shared\n  status: running\n  count: 0\n";

/// A roll in a folder of its own, and another program that writes it.
struct Shared {
    _folder: tempfile::TempDir,
    path: PathBuf,
    roll: Roll,
}

impl Shared {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("agent-sessions.yaml");
        fs::write(&path, START).expect("a roll");
        Self {
            _folder: folder,
            roll: Roll::at(path.clone()),
            path,
        }
    }

    fn with(&self, program: &str, times: usize) -> Child {
        Command::new(python())
            .args(["-c", program])
            .arg(&self.path)
            .arg(times.to_string())
            .stdin(Stdio::null())
            .spawn()
            .expect("python starts")
    }

    fn registry(&self) -> Registry {
        let contents = read::read(&self.roll).expect("every reader sees a whole roll");
        contents.registry().expect("every reader sees a valid roll")
    }

    /// Registers a session, and sets the id of the shared row, whoever else writes.
    async fn register(&self, number: usize) {
        let name = SessionName::new(format!("rs-{number}"));
        let mut registered = false;
        let mut id_set = false;
        while !(registered && id_set) {
            let registry = self.registry();
            registered |= registry.rows.iter().any(|row| row.name == name);
            let shared = registry
                .rows
                .iter()
                .find(|row| row.name.as_str() == "shared");
            let shared = shared.expect("the shared row is always there");
            let id = ConversationId::new(number.to_string());
            id_set |= shared.recorded_id(AgentKind::Claude) == Some(&id);
            let mut edits = Vec::new();
            if !registered {
                edits.push(new_row(name.as_str(), number));
            }
            if !id_set {
                let replaces = shared.recorded_id(AgentKind::Claude).cloned();
                let agent = AgentKind::Claude;
                let change = Change::SetId {
                    agent,
                    id,
                    replaces,
                };
                edits.push(of_row("shared", shared.fingerprint.as_str(), change));
            }
            let options = CommitOptions {
                lock_timeout: Duration::from_secs(60),
                stale_at: clock::monotonic() + Duration::from_secs(60),
            };
            match commit(&self.roll, &registry, &edits, options).await {
                Ok(Committed::Written { .. } | Committed::Unchanged { .. }) => {}
                Ok(Committed::Stale) => panic!("a minute is long enough"),
                // An editor that saves all the time may win every try of one commit.
                Err(CommitError::Restless { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn leftovers(path: &Path) -> Vec<String> {
    let folder = path.parent().expect("it lies in a folder");
    fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| name.ends_with(".tmp"))
        .collect()
}

#[tokio::test]
async fn two_writers_under_one_lock_lose_nothing() {
    const TIMES: usize = 60;
    let shared = Shared::new();
    let mut other = shared.with(WRITER, TIMES);
    for number in 0..TIMES {
        shared.register(number).await;
    }
    assert!(other.wait().expect("python ends").success());
    let registry = shared.registry();
    assert!(registry.invalid.is_empty(), "{:?}", registry.invalid);
    for number in 0..TIMES {
        for name in [format!("py-{number}"), format!("rs-{number}")] {
            let rows = registry.rows.iter().filter(|row| row.name.as_str() == name);
            assert_eq!(rows.count(), 1, "{name}");
        }
    }
    let text = fs::read(&shared.path).expect("the roll");
    let told = python::run(
        "import json, sys, yaml\nprint(json.dumps(yaml.safe_load(sys.stdin)['tmux_sessions'][0]))",
        &[],
        &text,
    );
    let row: Json = serde_json::from_str(&told).expect("python prints JSON");
    assert_eq!(row["count"], json!(TIMES));
    assert_eq!(row["claude_session_id_own"], json!((TIMES - 1).to_string()));
    let previous = row["claude_session_id_own_previous"]
        .as_array()
        .expect("a list");
    assert_eq!(previous.len(), TIMES - 1);
    assert_eq!(leftovers(&shared.path), [""; 0]);
}

#[tokio::test]
async fn what_an_editor_saves_without_the_lock_is_never_lost() {
    const TIMES: usize = 150;
    let shared = Shared::new();
    let mut editor = shared.with(EDITOR, TIMES);
    let mut number = 0;
    while editor.try_wait().expect("python can be asked").is_none() {
        let registry = shared.registry();
        let options = CommitOptions {
            lock_timeout: Duration::from_secs(60),
            stale_at: clock::monotonic() + Duration::from_secs(60),
        };
        let edit = new_row(&format!("rs-{number}"), number);
        match commit(&shared.roll, &registry, &[edit], options).await {
            Ok(_) | Err(CommitError::Restless { .. }) => number += 1,
            Err(error) => panic!("{error}"),
        }
    }
    let text = fs::read_to_string(&shared.path).expect("the roll");
    for line in 0..TIMES {
        assert!(
            text.contains(&format!("# line {line}\n")),
            "line {line} is lost:\n{text}"
        );
    }
    assert!(number > 0);
    assert_eq!(leftovers(&shared.path), [""; 0]);
}

#[test]
fn the_program_that_the_docs_show_to_other_writers_loses_nothing_to_headcount() {
    let docs = include_str!("../../docs/other-writers.md");
    let (_, rest) = docs.split_once("```python\n").expect("it shows a program");
    let (program, _) = rest.split_once("```").expect("which ends");
    let machine = crate::support::Machine::new();
    let gone = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine.session("bystander").start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&gone)
        .write();
    gone.kill();
    let program = format!(
        "{program}\nimport sys\nfor n in range(40):\n    update(sys.argv[1], lambda roll: roll.update(n=n))\n"
    );

    std::thread::scope(|scope| {
        let roll = machine.roll_path();
        let writer = scope.spawn(move || {
            python::run(&program, &[roll.to_str().unwrap()], b"");
        });
        let _ = machine.reconcile().at_once().run().exits(0);
        writer.join().unwrap();
    });

    assert!(
        machine.roll_text().contains("\nn: 39\n"),
        "{}",
        machine.roll_text()
    );
    assert_eq!(machine.row("shop-creator-claude")["status"], "terminated");
}
