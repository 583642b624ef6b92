#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::path::Path;

use serde_json::{Value, json};

use super::form::{Defs, Form};
use super::{Damage, Snapshot, VERSION};
use crate::core::ids::{BootId, Fingerprint, SessionName, Timestamp};
use crate::core::ledger::{KnownRow, Ledger, RowKey};
use crate::core::policy::Policy;
use crate::core::sighting::Sighting;
use crate::core::world::{Place, Vantage, World};
use crate::roll::parse::parse;
use crate::roll::read::fingerprint;

const REWRITE: &str = "HEADCOUNT_REWRITE_SCHEMAS";

fn schema() -> Value {
    let mut defs = Defs::new();
    let text = String::schema(&mut defs);
    let maybe = <Option<String>>::schema(&mut defs);
    let world = World::schema(&mut defs);
    let properties = json!({
        "document": { "const": "snapshot" },
        "format_version": { "const": VERSION },
        "made_at": { "type": "string", "description": "When the look began, in UTC." },
        "made_by": { "type": "string", "description": "The headcount that recorded it." },
        "roll": { "type": "string", "description": "The roll's path, as it was named or found." },
        "roll_path": { "type": "string", "description": "The same, from the root on." },
        "roll_fingerprint": { "type": "string", "description": "SHA-256 of roll.yaml, in hex." },
        "roll_written_at": Timestamp::schema(&mut defs),
        "home": maybe,
        "claude_home": <Option<String>>::schema(&mut defs),
        "policy": Policy::schema(&mut defs),
        "world": world,
        "all": World::schema(&mut defs),
        "ledger": { "type": "object", "description": "What was remembered, as ledger.json of the state folder." },
    });
    let required: Vec<&String> = properties.as_object().unwrap().keys().collect();
    assert_eq!(text["type"], "string");
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "headcount snapshot",
        "description": "All that a pass goes by, but for the roll's text, which is roll.yaml beside it.",
        "type": "object",
        "required": required,
        "properties": properties,
        "$defs": defs,
    })
}

const ROLL: &str = "# private\ntmux_sessions:\n- name: a\n  status: running\n  token: private\n";

fn snapshot(roll: &str) -> Snapshot {
    let at = Timestamp::from_secs(1_800_000_000);
    let place = Place {
        machine: "here".to_owned(),
        pid_namespace: "-".to_owned(),
    };
    let world = World {
        at,
        vantage: Vantage {
            host: "here".to_owned(),
            place: place.clone(),
            boot: BootId::new("boot"),
            booted_at: at,
            first_pid_namespace: Sighting::absent("it is not"),
            uid: 1000,
            roll_is_local: Sighting::Present(()),
        },
        servers: Vec::new(),
        strays: Sighting::unknown("nobody looked"),
        elsewhere: Sighting::Present(vec!["/srv/tmux-1000/default".to_owned()]),
        processes: Default::default(),
        artifacts: Default::default(),
        folders: Default::default(),
        retention: Default::default(),
        nearest_rolls: Default::default(),
        shared: Default::default(),
        jobs: Default::default(),
        sources: Vec::new(),
    };
    let registry = parse(roll, fingerprint(roll.as_bytes()), at).unwrap();
    let known = |fingerprint: &Fingerprint| KnownRow {
        fingerprint: fingerprint.clone(),
        pid: None,
        since: at,
        since_boot: (place.clone(), BootId::new("boot")),
        alive: None,
        ids: Default::default(),
    };
    let key = |name: &str| RowKey {
        name: SessionName::new(name),
        server: None,
    };
    let mut ledger = Ledger::default();
    if let Some(row) = registry.rows.first() {
        ledger.rows.insert(key("a"), known(&row.fingerprint));
    }
    ledger
        .rows
        .insert(key("older"), known(&Fingerprint::new("0123")));
    Snapshot {
        made_by: "headcount 1".to_owned(),
        roll: "roll.yaml".to_owned(),
        roll_path: "/roll.yaml".to_owned(),
        home: None,
        claude_home: Some("/.claude".to_owned()),
        text: roll.to_owned(),
        registry,
        all: world.clone(),
        world,
        ledger,
        policy: Policy::default(),
    }
}

fn again(snapshot: &Snapshot) -> Result<Snapshot, Damage> {
    Snapshot::read(&snapshot.document().unwrap(), &snapshot.text)
}

#[test]
fn the_schema_in_the_repository_is_that_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/snapshot.schema.json");
    let schema = schema();
    jsonschema::meta::validate(&schema).unwrap();
    let now = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == now,
        "{} is not what the types say: run the tests with {REWRITE}=1 and commit it",
        path.display()
    );
}

#[test]
fn a_document_is_as_the_schema_says_and_reads_as_it_was() {
    let snapshot = snapshot(ROLL);
    let document: Value = serde_json::from_str(&snapshot.document().unwrap()).unwrap();
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&document)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(again(&snapshot), Ok(snapshot));
}

#[test]
fn what_an_older_headcount_did_not_record_was_not_seen() {
    let snapshot = snapshot(ROLL);
    let mut document: Value = serde_json::from_str(&snapshot.document().unwrap()).unwrap();
    document["world"]
        .as_object_mut()
        .unwrap()
        .remove("elsewhere")
        .unwrap();
    let read = Snapshot::read(&document.to_string(), &snapshot.text).unwrap();
    assert!(read.world.elsewhere.is_unknown());
    assert!(read.all.elsewhere.is_present());
}

#[test]
fn what_is_private_leaves_no_fingerprint() {
    let open = snapshot(ROLL);
    let shut = open.clone().without_secrets().unwrap();
    assert!(!shut.text.contains("private"), "{}", shut.text);
    assert_eq!(shut.registry.fingerprint, fingerprint(shut.text.as_bytes()));
    let document = shut.document().unwrap();
    for old in [
        &open.registry.fingerprint,
        &open.registry.rows[0].fingerprint,
        &Fingerprint::new("0123"),
    ] {
        assert!(!document.contains(old.as_str()), "{old}");
    }
    // What the ledger knew of the row, it knows still.
    let key = |snapshot: &Snapshot| {
        let row = &snapshot.registry.rows[0];
        let mut known = snapshot.ledger.rows.values();
        known.any(|known| known.fingerprint == row.fingerprint)
    };
    assert!(key(&open) && key(&shut));
}

#[test]
fn a_roll_with_nothing_private_in_it_keeps_its_fingerprints() {
    let open = snapshot("tmux_sessions:\n- name: a\n  status: running\n");
    assert_eq!(open.clone().without_secrets(), Ok(open));
}

#[test]
fn rows_that_stand_in_for_each_other_are_refused_rather_than_misread() {
    let text = "base: &base {status: running}\ntmux_sessions:\n- {<<: *base, name: a}\n";
    let error = snapshot(text).without_secrets().unwrap_err();
    assert!(!error.is_empty());
}

#[test]
fn what_is_damaged_is_told_by_its_place() {
    let good = snapshot(ROLL);
    let document = good.document().unwrap();
    let damaged = |from: &str, to: &str| {
        assert!(document.contains(from), "{from}");
        Snapshot::read(&document.replacen(from, to, 1), ROLL).unwrap_err()
    };
    for (from, to, place) in [
        ("\"uid\": 1000", "\"uid\": -1", "all.vantage.uid"),
        (
            "\"unknown\": \"nobody looked\"",
            "\"unknown\": 7",
            "all.strays",
        ),
        ("\"grace\": 10000", "\"grace\": null", "policy.grace"),
        ("\"version\": 1", "\"version\": 9", "ledger"),
    ] {
        match damaged(from, to) {
            Damage::Document(why) => assert!(why.contains(place), "{why}"),
            other => panic!("{other:?}"),
        }
    }
    let cut = Snapshot::read(&document[..document.len() / 2], ROLL);
    assert!(matches!(cut, Err(Damage::Document(_))), "{cut:?}");
    let other_roll = Snapshot::read(&document, "tmux_sessions: []\n");
    assert!(matches!(other_roll, Err(Damage::Roll(_))), "{other_roll:?}");
    let newer = damaged("\"format_version\": \"1\"", "\"format_version\": \"2\"");
    assert!(
        matches!(&newer, Damage::Version { found, made_by } if found == "2" && made_by == "headcount 1"),
        "{newer:?}"
    );
}
