#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods
)]

use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::json::Layout;
use super::visible::is_treacherous;
use super::wire;
use super::{json as as_json, markdown, sample, sentence, table};
use crate::core::drift::{Held, Kind, Note, NoteKind};
use crate::core::ids::SessionName;
use crate::core::report::{Outcome, Report};
use crate::core::world::{Source, SourceState};

fn pretty(report: &Report) -> String {
    let mut out = Vec::new();
    as_json::write(&wire::Report::from(report), Layout::Pretty, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn on_one_line(report: &Report) -> String {
    let mut out = Vec::new();
    as_json::write(&wire::Report::from(report), Layout::OneLine, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn table(report: &Report, width: usize) -> String {
    let mut out = Vec::new();
    table::write(report, width, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn card(report: &Report) -> String {
    let mut out = Vec::new();
    markdown::write(report, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn document(report: &Report) -> Json {
    serde_json::to_value(wire::Report::from(report)).unwrap()
}

mod the_json {
    use super::*;

    #[test]
    fn of_a_rich_report() {
        insta::assert_snapshot!(pretty(&sample::rich()));
    }

    #[test]
    fn begins_with_the_six_keys_of_the_original_in_their_order() {
        let text = on_one_line(&sample::quiet());
        let at: Vec<usize> = [
            "{\"timestamp\":",
            ",\"yaml_path\":",
            ",\"tmux_sessions_alive\":",
            ",\"tmux_confirmed\":",
            ",\"drifts\":",
            ",\"actions\":",
            ",\"format_version\":\"1\"",
        ]
        .iter()
        .map(|key| text.find(key).unwrap())
        .collect();
        assert_eq!(at[0], 0);
        assert!(at.is_sorted());
    }

    #[test]
    fn is_one_line_where_programs_read_lines() {
        let text = on_one_line(&sample::rich());
        assert_eq!(text.lines().count(), 1);
        assert!(text.ends_with("}\n"));
    }

    #[test]
    fn says_in_every_drift_whether_it_was_written_waits_or_is_held() {
        let drifts = &document(&sample::rich())["drifts"];
        assert_eq!(drifts[0]["applied"], json!(true));
        assert_eq!(drifts[1]["applied"], json!(false));
        assert_eq!(drifts[1]["pending"]["due"], json!("2026-11-21T09:00:10Z"));
        assert_eq!(drifts[2]["held"]["reason"], json!("not_home"));
    }

    #[test]
    fn has_an_action_for_each_drift_that_was_written_and_for_no_other() {
        let report = sample::rich();
        let actions = document(&report)["actions"].clone();
        let acted: Vec<&str> = actions
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|action| action["drifts"].as_array().unwrap())
            .map(|id| id.as_str().unwrap())
            .collect();
        let written: Vec<&str> = report
            .drifts
            .iter()
            .filter(|told| told.outcome == Outcome::Applied)
            .map(|told| told.drift.id.as_str())
            .chain(
                report
                    .jobs
                    .iter()
                    .filter(|told| told.outcome == Outcome::Applied)
                    .map(|told| told.update.cause.as_str()),
            )
            .collect();
        assert_eq!(acted, written);
    }

    #[test]
    fn tells_many_ends_of_one_cause_as_one_action() {
        let document = document(&sample::rebooted());
        assert_eq!(document["drifts"].as_array().unwrap().len(), 4);
        assert_eq!(
            document["actions"],
            json!([{
                "drifts": ["d-tmux_gone-a", "d-tmux_gone-b", "d-tmux_gone-c", "d-tmux_gone-d"],
                "sessions": ["a", "b", "c", "d"],
                "kind": "tmux_gone",
                "change": {"type": "terminate", "at": "2026-11-21T09:00:00Z"},
                "comment": "a, b, c, d: tmux gone (host rebooted). Would be written.",
            }])
        );
    }

    #[test]
    fn tells_the_ends_of_two_servers_apart() {
        let mut report = sample::rebooted();
        for (at, told) in report.drifts.iter_mut().enumerate() {
            told.drift.reason = "server_gone".to_owned();
            let server = if at < 2 { "one" } else { "two" };
            told.drift.server = Some(crate::core::ids::ServerName::new(server));
        }
        let actions = &document(&report)["actions"];
        assert_eq!(actions[0]["sessions"], json!(["a", "b"]));
        assert_eq!(actions[1]["sessions"], json!(["c", "d"]));
    }

    #[test]
    fn tells_separate_ends_separately() {
        let mut report = sample::rebooted();
        for told in &mut report.drifts {
            told.drift.reason = "session_gone".to_owned();
        }
        assert_eq!(document(&report)["actions"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn counts_every_drift_once_by_class_and_once_by_outcome() {
        let report = sample::rich();
        let counts = &document(&report)["counts"];
        let sum = |of: &Json| -> u64 {
            of.as_object()
                .unwrap()
                .values()
                .map(|n| n.as_u64().unwrap())
                .sum()
        };
        let drifts = report.drifts.len() as u64;
        assert_eq!(sum(&counts["by_class"]), drifts);
        assert_eq!(sum(&counts["by_outcome"]), drifts);
        assert_eq!(counts["by_class"]["B"], json!(4));
        assert_eq!(counts["by_outcome"]["held"], json!(2));
    }

    #[test]
    fn keeps_the_keys_of_a_row_in_their_order() {
        let text = on_one_line(&sample::rich());
        assert!(text.contains(r#""after":{"status":"running","pane":{"pid":5150,"cmd":"claude","#));
    }

    #[test]
    fn of_a_drift_reads_back_the_same() {
        for told in &sample::rich().drifts {
            let drift = wire::Drift::from(told);
            let text = serde_json::to_string(&drift).unwrap();
            assert_eq!(serde_json::from_str::<wire::Drift>(&text).unwrap(), drift);
        }
    }

    #[test]
    fn writes_no_character_raw_that_a_terminal_would_obey_and_loses_none() {
        let name = "a\u{1b}[2J\u{9b}2J\u{202e}\u{7f}\r\n\u{2028}";
        let mut report = sample::quiet();
        report.alive = vec![SessionName::new(name)];
        for text in [pretty(&report), on_one_line(&report)] {
            assert!(!text.replace('\n', "").contains(is_treacherous));
            let read: Json = serde_json::from_str(&text).unwrap();
            assert_eq!(read["tmux_sessions_alive"][0], json!(name));
        }
    }
}

mod the_comment {
    use super::*;

    fn comment(kind: Kind, outcome: Outcome) -> String {
        let told = sample::one_of(kind, "NAME", outcome);
        sentence::comment(&told.drift, &told.outcome)
    }

    #[test]
    fn of_an_end_is_the_originals() {
        assert_eq!(
            comment(Kind::TmuxGone, Outcome::Applied),
            "NAME: tmux gone (was pane 4711, cmd claude). Marked terminated."
        );
    }

    #[test]
    fn of_a_registration_is_the_originals() {
        assert_eq!(
            comment(Kind::Unregistered, Outcome::Applied),
            "NAME: tmux found but not in YAML. Auto-registered."
        );
    }

    #[test]
    fn of_a_new_id_is_the_originals() {
        assert_eq!(
            comment(Kind::IdMaterialized, Outcome::Applied),
            "NAME: session id materialized 22222222-2222-4222-8222-222222222222"
        );
    }

    #[test]
    fn of_an_end_whose_pane_was_not_recorded_makes_nothing_up() {
        let mut told = sample::one_of(Kind::TmuxGone, "NAME", Outcome::Applied);
        told.drift.was = (None, None);
        assert_eq!(
            sentence::comment(&told.drift, &told.outcome),
            "NAME: tmux gone. Marked terminated."
        );
    }

    #[test]
    fn of_a_drift_that_waits_says_why_and_until_when() {
        let outcome = Outcome::Pending {
            why: "a second look has to prove it again".to_owned(),
            due: sample::NOW,
        };
        assert_eq!(
            comment(Kind::TmuxGone, outcome),
            "NAME: tmux gone (was pane 4711, cmd claude). Not written yet: a second look has to prove \
             it again, due 2026-11-21T09:00:00Z."
        );
    }

    #[test]
    fn of_a_drift_that_is_held_says_why_and_what_to_do() {
        let held = Held::NotHome;
        assert_eq!(
            comment(Kind::Unregistered, Outcome::Held(held.clone())),
            format!(
                "NAME: tmux found but not in YAML. Not written: {}. {}",
                held.why(),
                held.remedy()
            )
        );
    }

    #[test]
    fn of_a_dry_run_says_that_it_would_be_written() {
        assert_eq!(
            comment(Kind::IdMaterialized, Outcome::WouldApply),
            "NAME: session id materialized 22222222-2222-4222-8222-222222222222. Would be written."
        );
    }

    #[test]
    fn of_a_drift_that_is_only_told_claims_no_change() {
        assert_eq!(
            comment(Kind::TmuxGone, Outcome::ToldOnly),
            "NAME: tmux gone (was pane 4711, cmd claude). Not written."
        );
    }

    #[test]
    fn of_every_other_kind_follows_the_same_pattern() {
        let told = [
            comment(Kind::Revived, Outcome::Applied),
            comment(Kind::Reincarnated, Outcome::Applied),
            comment(Kind::Mistaken, Outcome::Applied),
            comment(Kind::Rotated, Outcome::Applied),
            comment(Kind::StaleId, Outcome::ToldOnly),
        ];
        let old = "11111111-1111-4111-8111-111111111111";
        let new = "22222222-2222-4222-8222-222222222222";
        assert_eq!(
            told,
            [
                "NAME: tmux found again (now pane 5150, cmd claude) but ended in YAML. Marked running."
                    .to_owned(),
                "NAME: tmux found with another pane (now pane 5150, cmd claude). \
                 Pane updated."
                    .to_owned(),
                "NAME: tmux found alive but marked terminated by mistake. Marked running again."
                    .to_owned(),
                format!("NAME: session id changed to {new} (was {old})"),
                format!("NAME: session id {old} has no file on disk (expired). Not deleted."),
            ]
        );
    }
}

mod the_table {
    use super::*;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn of_a_rich_report() {
        insta::assert_snapshot!(table(&sample::rich(), 80));
    }

    #[test]
    fn of_a_pass_with_nothing_to_tell() {
        insta::assert_snapshot!(table(&sample::quiet(), 80));
    }

    #[test]
    fn tells_a_source_that_hides_many_rows_once_and_refers_to_it_after() {
        let mut report = sample::quiet();
        let why = "the server accepts connections, but did not answer within 5 s";
        report.sources = vec![Source {
            name: "tmux:hung".to_owned(),
            state: SourceState::Unknown,
            reason: why.to_owned(),
            at: sample::NOW,
        }];
        for name in ["a", "b", "c"] {
            report.notes.push(Note {
                kind: NoteKind::Unseen,
                session: Some(SessionName::new(name)),
                server: None,
                text: format!("{name}: it could not be looked for: tmux server hung: {why}."),
                evidence: Vec::new(),
            });
        }
        for text in [table(&report, 200), card(&report)] {
            assert_eq!(text.matches(why).count(), 1, "{text}");
            let reference = "it could not be looked for: tmux server hung: see tmux:hung.";
            assert_eq!(text.matches(reference).count(), 3, "{text}");
        }
        assert_eq!(on_one_line(&report).matches(why).count(), 4);
    }

    #[test]
    fn shortens_a_name_that_nobody_reads_which_stays_whole_in_the_json() {
        let mut report = sample::rich();
        let name = format!("{}-creator-claude", "x".repeat(5000));
        let mut told = report.drifts[0].clone();
        told.drift.session = Some(SessionName::new(name.as_str()));
        report.drifts = vec![told];
        for text in [table(&report, 200), card(&report)] {
            assert!(text.contains("…(5015 characters)…"), "{text}");
            assert!(text.len() < 3000, "{text}");
        }
        assert!(on_one_line(&report).contains(&name));
    }

    #[test]
    fn names_trouble_first() {
        let text = table(&sample::rich(), 80);
        let at: Vec<usize> = [
            "unseen", "held", "told", "note", "pending", "written", "resolved",
        ]
        .iter()
        .map(|state| {
            text.find(&format!("   {state} "))
                .or(text.find(&format!("  {state} ")))
                .unwrap()
        })
        .collect();
        assert!(at.is_sorted(), "{text}");
    }

    proptest! {
        #[test]
        fn never_is_wider_than_the_terminal_and_never_obeyed_by_it(
            name in any::<String>(),
            width in 0_usize..200,
        ) {
            let mut report = sample::rich();
            for told in &mut report.drifts {
                told.drift.session = Some(SessionName::new(name.clone()));
            }
            report.notes[0].text = name;
            let text = table(&report, width);
            prop_assert!(!text.replace('\n', "").contains(is_treacherous));
            for line in text.lines() {
                prop_assert!(line.width() <= width.max(40), "{line}");
            }
        }
    }
}

mod the_card {
    use super::*;

    #[test]
    fn of_a_rich_report() {
        insta::assert_snapshot!(card(&sample::rich()));
    }

    #[test]
    fn of_a_pass_with_nothing_to_tell() {
        insta::assert_snapshot!(card(&sample::quiet()));
    }

    #[test]
    fn tells_many_ends_of_one_cause_in_one_line() {
        insta::assert_snapshot!(card(&sample::rebooted()));
    }

    #[test]
    fn stays_within_its_budget_and_counts_what_it_leaves_out() {
        let mut report = sample::rich();
        let one = report.drifts.remove(3);
        for at in 0..500 {
            let mut more = one.clone();
            more.drift.session = Some(SessionName::new(format!("{at}-creator-claude")));
            report.drifts.push(more);
        }
        let text = card(&report);
        assert!(text.len() <= markdown::BUDGET);
        let told = text.lines().filter(|line| line.starts_with("- ")).count() - 1;
        let all = super::super::item::of(&report).len();
        assert!(
            text.ends_with(&format!("- and {} more\n", all - told)),
            "{text}"
        );
    }

    #[test]
    fn is_not_formatted_by_names_and_keeps_their_underscores() {
        let mut report = sample::quiet();
        report.drifts = vec![sample::one_of(
            Kind::Unregistered,
            "_my_project*`[x](y)<b>\nnext",
            Outcome::Applied,
        )];
        let text = card(&report);
        assert!(
            text.contains(r"- \_my_project\*'\[x\](y)\<b\>\\nnext: tmux found"),
            "{text}"
        );
    }

    proptest! {
        #[test]
        fn never_exceeds_its_budget(name in any::<String>(), times in 1_usize..40) {
            let mut report = sample::quiet();
            let name = name.repeat(times);
            report.drifts = (0..times)
                .map(|_| sample::one_of(Kind::Unregistered, &name, Outcome::Applied))
                .collect();
            report.vantage.host = name;
            prop_assert!(card(&report).len() <= markdown::BUDGET);
        }
    }
}

mod the_schema {
    use super::*;

    const REWRITE: &str = "HEADCOUNT_REWRITE_SCHEMAS";

    fn schema_of<T: schemars::JsonSchema>(title: &str) -> Json {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let mut schema = settings.into_generator().into_root_schema_for::<T>();
        schema.insert("title".to_owned(), json!(title));
        serde_json::to_value(schema).unwrap()
    }

    fn generated() -> Json {
        schema_of::<wire::Report>("headcount report")
    }

    #[test]
    fn in_the_repository_is_that_of_the_types() {
        for (name, schema) in [
            ("report", generated()),
            ("plan", schema_of::<wire::Plan>("headcount plan")),
            (
                "explanation",
                schema_of::<wire::Explanations>("headcount explanation"),
            ),
            ("checkup", schema_of::<wire::Checkup>("headcount checkup")),
            ("pruning", schema_of::<wire::Pruning>("headcount pruning")),
            ("status", schema_of::<wire::Status>("headcount status")),
            (
                "recovery",
                schema_of::<wire::Recovery>("headcount recovery"),
            ),
        ] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR"))
                .join("schemas")
                .join(format!("{name}.schema.json"));
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
    }

    #[test]
    fn accepts_every_report() {
        let schema = generated();
        jsonschema::meta::validate(&schema).unwrap();
        let validator = jsonschema::draft202012::new(&schema).unwrap();
        for report in [sample::quiet(), sample::rich(), sample::rebooted()] {
            let document = document(&report);
            let faults: Vec<String> = validator
                .iter_errors(&document)
                .map(|fault| format!("{}: {fault}", fault.instance_path()))
                .collect();
            assert!(faults.is_empty(), "{faults:#?}");
        }
    }

    #[test]
    fn refuses_a_report_that_lacks_a_key_or_has_a_wrong_word() {
        let validator = jsonschema::draft202012::new(&generated()).unwrap();
        let good = document(&sample::rich());
        for key in good.as_object().unwrap().keys() {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().remove(key);
            assert!(!validator.is_valid(&bad), "without {key}");
        }
        for (pointer, wrong) in [
            ("/drifts/0/class", json!("E")),
            ("/drifts/0/kind", json!("vanished")),
            ("/sources/0/state", json!("maybe")),
            ("/timestamp", json!("yesterday")),
            ("/format_version", json!("2")),
            ("/drifts/0/before/status", json!([])),
        ] {
            let mut bad = good.clone();
            *bad.pointer_mut(pointer).unwrap() = wrong;
            assert!(!validator.is_valid(&bad), "wrong {pointer}");
        }
    }
}
