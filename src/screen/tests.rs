//! The screen without a terminal: what it knows, what keys do to it, and what is drawn.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use super::model::{Effect, Given, Key, Model};
use super::view::draw;
use crate::core::explain::Explanation;
use crate::core::ids::{AgentKind, ConversationId, ServerName, SessionName, Timestamp};
use crate::core::registry::Status;
use crate::core::report::Verdict;
use crate::core::resume::Resume;
use crate::core::sighting::Sighting;
use crate::core::standing::{Conversation, Declared, Session, Sight, Standing};
use crate::core::world::{Artifact, Source, SourceState};
use crate::state::journal::{Entry, News};
use crate::tell::paint::Paint;
use crate::tell::sample::{self, NOW};
use crate::tell::wire;

/// A session that runs and is in order.
fn session(name: &str) -> Session {
    Session {
        name: SessionName::new(name),
        server: Some(ServerName::default_server()),
        declared: Declared::Row(Status::Running),
        ignored: false,
        agent: Some(AgentKind::Claude),
        sight: Sight::Agent(Some("idle".to_owned())),
        live: None,
        conversation: Some(Conversation {
            agent: AgentKind::Claude,
            id: Some(ConversationId::new("7f3a1c52-0000-4000-8000-000000000001")),
            live: None,
            held_by: None,
            file: Sighting::Present(Artifact {
                path: "/home/u/.claude/projects/-srv-shop/7f3a1c52.jsonl".to_owned(),
                modified: NOW.minus(Duration::from_secs(300)),
                in_folder: Sighting::Present(()),
            }),
        }),
        folder: Some("/home/u/shop".to_owned()),
        ended_at: None,
        last_seen_alive: None,
        job: None,
        drifts: Vec::new(),
        notes: Vec::new(),
    }
}

fn standing(sessions: Vec<Session>) -> Standing {
    let differs = sessions.iter().any(|session| !session.drifts.is_empty());
    Standing {
        at: NOW,
        host: "devbox".to_owned(),
        roll: Some("/home/u/shop/.hermes/agent-sessions.yaml".to_owned()),
        verdict: if differs {
            Verdict::Drifted
        } else {
            Verdict::InOrder
        },
        sources: Vec::new(),
        sessions,
        drifts: Vec::new(),
        notes: Vec::new(),
        acknowledged: 0,
    }
}

/// One session with a drift that waits, one with a note, and two that are in order.
fn rich() -> Standing {
    let report = sample::rich();
    let mut gone = session("shop-db-creator-claude");
    gone.sight = Sight::Gone(Vec::new());
    gone.drifts = vec![report.drifts[1].clone()];
    let mut quiet = session("shop-web-creator-claude");
    quiet.sight = Sight::NoAgent;
    quiet.notes = vec![report.notes[0].clone()];
    standing(vec![
        gone,
        quiet,
        session("a-creator-claude"),
        session("b-creator-claude"),
    ])
}

fn given() -> Given {
    Given {
        home: Some("/home/u".to_owned()),
        claude_home: Some("/home/u/.claude".to_owned()),
        all: false,
    }
}

/// A screen that has looked once.
fn model(size: (u16, u16), standing: Standing) -> Model {
    let mut model = Model::new(given(), size, NOW);
    assert_eq!(model.looked(standing, &[]), Effect::None);
    model
}

/// What is on it, line by line, without what is blank at the ends.
fn lines(model: &Model) -> Vec<String> {
    let buffer = draw(model, Paint::Plain);
    let columns = usize::from(buffer.area.width).max(1);
    let rows = buffer.content.chunks(columns);
    rows.map(|row| {
        let mut text = String::new();
        let mut skip = 0;
        for cell in row {
            if skip == 0 {
                text.push_str(cell.symbol());
                skip = cell.symbol().width();
            }
            skip = skip.saturating_sub(1);
        }
        text.trim_end().to_owned()
    })
    .collect()
}

fn shown(model: &Model) -> String {
    lines(model).join("\n")
}

fn press(model: &mut Model, keys: &[Key]) -> Effect {
    let mut effect = Effect::None;
    for key in keys {
        effect = model.pressed(*key);
    }
    effect
}

fn type_text(model: &mut Model, text: &str) {
    for c in text.chars() {
        model.pressed(Key::Char(c));
    }
}

fn selected(model: &Model) -> String {
    let lines = lines(model);
    let line = lines.iter().find(|line| line.starts_with("> "));
    let words = line.map(|line| line[4..].split(' ').next().unwrap_or_default().to_owned());
    words.unwrap_or_default()
}

#[test]
fn it_shows_sessions_what_is_open_and_what_keys_do() {
    insta::assert_snapshot!(shown(&model((100, 24), rich())));
}

#[test]
fn before_the_first_look_it_says_that_it_looks() {
    let model = Model::new(given(), (40, 6), NOW);
    assert_eq!(lines(&model)[0], "looking…");
}

#[test]
fn twenty_columns_and_five_rows_are_enough_for_the_word_and_the_sessions() {
    assert_eq!(
        lines(&model((20, 5), rich())),
        [
            "drifted: 3 live sess",
            "    SESSION   SEEN",
            "> ! shop…ude  gone",
            "  * shop…ude  no age",
            "? help  q quit",
        ]
    );
}

#[test]
fn no_size_is_too_small_and_nothing_is_drawn_beyond_it() {
    let many: Vec<Session> = (0..30).map(|at| session(&format!("s-{at}"))).collect();
    for columns in [0, 1, 2, 3, 5, 8, 13, 19, 20, 40, 80, 200] {
        for rows in (0..=14).chain([50]) {
            for standing in [rich(), standing(many.clone())] {
                let mut model = model((columns, rows), standing);
                for keys in [
                    &[Key::Down, Key::End][..],
                    &[Key::Char('/'), Key::Char('s'), Key::Enter],
                    &[Key::Char('c')],
                    &[Key::Char('?'), Key::End],
                ] {
                    press(&mut model, keys);
                    let buffer = draw(&model, Paint::Coloured);
                    assert_eq!((buffer.area.width, buffer.area.height), (columns, rows));
                }
                model.resized((7, 3));
                let _ = draw(&model, Paint::Plain);
            }
        }
    }
}

#[test]
fn what_is_selected_is_always_on_the_screen_and_stays_selected_when_others_come() {
    let names: Vec<String> = (0..30).map(|at| format!("s-{at:02}")).collect();
    let all = |names: &[String]| standing(names.iter().map(|name| session(name)).collect());
    let mut model = model((60, 12), all(&names));
    assert_eq!(selected(&model), "s-00");
    press(&mut model, &[Key::Down, Key::Char('j')]);
    assert_eq!(selected(&model), "s-02");
    press(&mut model, &[Key::PageDown, Key::PageDown]);
    assert_eq!(selected(&model), "s-18");
    model.looked(all(&names[10..]), &[]);
    assert_eq!(selected(&model), "s-18");
    press(&mut model, &[Key::End, Key::Down]);
    assert_eq!(selected(&model), "s-29");
    press(&mut model, &[Key::PageUp, Key::Up, Key::Char('k')]);
    assert_eq!(selected(&model), "s-19");
    model.resized((60, 4));
    assert_eq!(selected(&model), "s-19");
    press(&mut model, &[Key::Home]);
    assert_eq!(selected(&model), "s-10");
    model.looked(all(&names[20..]), &[]);
    assert_eq!(selected(&model), "s-20");
}

#[test]
fn a_filter_narrows_is_kept_by_enter_and_ended_by_escape() {
    let mut model = model((80, 12), rich());
    press(&mut model, &[Key::Char('/')]);
    type_text(&mut model, "SHOP-DBXX");
    assert!(shown(&model).contains("No session contains that."));
    press(&mut model, &[Key::Backspace, Key::Backspace]);
    assert_eq!(lines(&model).last().unwrap(), "/SHOP-DB_");
    assert!(!shown(&model).contains("a-creator"), "{}", shown(&model));
    // Letters that are keys elsewhere are letters here.
    assert_eq!(press(&mut model, &[Key::Char('q')]), Effect::None);
    press(&mut model, &[Key::Backspace, Key::Enter]);
    let bottom = lines(&model).pop().unwrap();
    assert!(
        bottom.starts_with("only with \"SHOP-DB\", Esc: all"),
        "{bottom}"
    );
    press(&mut model, &[Key::Escape]);
    assert!(shown(&model).contains("a-creator-claude"));
}

#[test]
fn a_filter_looks_at_what_is_seen_and_where_too() {
    for (wanted, found) in [
        ("no agent", "shop-web"),
        ("GONE", "shop-db"),
        ("/u/sh", "shop-db"),
    ] {
        let mut model = model((120, 12), rich());
        press(&mut model, &[Key::Char('/')]);
        type_text(&mut model, wanted);
        assert!(selected(&model).starts_with(found), "{wanted}");
    }
}

#[test]
fn enter_asks_for_an_explanation_and_escape_comes_back() {
    let mut model = model((80, 12), rich());
    let Effect::Explain(wanted) = press(&mut model, &[Key::Down, Key::Enter]) else {
        panic!("nothing is asked for")
    };
    let explanation = explanation(model.session(&wanted).unwrap());
    model.explained(wanted.clone(), Some(explanation.clone()));
    let text = shown(&model);
    assert!(
        text.contains("── Why shop-web-creator-claude stands so ─"),
        "{text}"
    );
    assert!(text.contains("shop-web-creator-claude: no agent (the row says running)"));
    assert!(text.contains("Esc back"), "{text}");

    // Asked to look, it is renewed by the look, and stays where it was.
    press(&mut model, &[Key::End]);
    assert!(
        shown(&model).contains("claude --resume"),
        "{}",
        shown(&model)
    );
    assert_eq!(press(&mut model, &[Key::Char('r')]), Effect::Look);
    assert_eq!(model.looked(rich(), &[]), Effect::Explain(wanted.clone()));
    model.explained(wanted.clone(), Some(explanation));
    assert!(shown(&model).contains("claude --resume"));
    assert_eq!(model.looked(rich(), &[]), Effect::None);

    model.explained(wanted, None);
    assert!(shown(&model).contains("There is no such session any more."));
    press(&mut model, &[Key::Escape]);
    assert!(shown(&model).contains("a-creator-claude"));
}

fn explanation(session: &Session) -> Explanation {
    Explanation {
        session: session.clone(),
        rules: Vec::new(),
        evidence: (0..20)
            .map(|at| crate::core::drift::Evidence {
                source: "tmux:default".to_owned(),
                said: format!("said this {at} times"),
                at: NOW,
            })
            .collect(),
        changes: vec!["Nothing needs to.".to_owned()],
        resume: Resume::By("cd /home/u/shop && claude --resume 7f3a1c52".to_owned()),
        earlier: Vec::new(),
    }
}

#[test]
fn a_command_is_copied_and_shown_whole_until_the_next_key() {
    let mut gone = session("a-creator-claude");
    gone.sight = Sight::Gone(Vec::new());
    let mut model = model((40, 12), standing(vec![gone]));
    let command = "cd /home/u/shop && claude --resume 7f3a1c52-0000-4000-8000-000000000001";
    for key in ['c', 'y'] {
        assert_eq!(
            model.pressed(Key::Char(key)),
            Effect::Copy(command.to_owned())
        );
        let bottom = lines(&model)[6..].join(" ");
        assert!(
            bottom.contains("Copied, if your terminal allows it."),
            "{bottom}"
        );
        assert!(
            bottom.ends_with(
                "cd /home/u/shop && claude --resume 7f3a1c52-0000-4000-8000-000000000001"
            )
        );
    }
    press(&mut model, &[Key::Down]);
    assert!(!shown(&model).contains("Copied"));
}

#[test]
fn with_the_command_of_a_session_that_lives_it_says_what_has_to_end_first() {
    let mut model = model((100, 12), standing(vec![session("a-creator-claude")]));
    assert!(matches!(model.pressed(Key::Char('c')), Effect::Copy(_)));
    let text = shown(&model);
    assert!(
        text.contains("has ended: two at once would mix it up."),
        "{text}"
    );
}

#[test]
fn where_no_command_helps_it_says_why() {
    let mut without = session("a-creator-claude");
    without.conversation = None;
    let mut model = model((80, 12), standing(vec![without]));
    assert_eq!(model.pressed(Key::Char('c')), Effect::None);
    assert!(shown(&model).contains("No command takes it up again: no conversation is recorded"));
}

#[test]
fn every_key_does_what_the_help_says() {
    let mut model = model((80, 40), rich());
    for (key, effect) in [
        (Key::Char('q'), Effect::Leave),
        (Key::Interrupt, Effect::Interrupt),
        (Key::Suspend, Effect::Suspend),
        (Key::Redraw, Effect::Redraw),
        (Key::Char('r'), Effect::Look),
    ] {
        assert_eq!(model.pressed(key), effect);
        model.pressed(Key::Char('/'));
        if let Key::Char(_) = key {
            assert_eq!(model.pressed(key), Effect::None);
        } else {
            assert_eq!(model.pressed(key), effect);
        }
        model.pressed(Key::Escape);
    }
    model.pressed(Key::Char('?'));
    let help = shown(&model);
    for key in [
        "j k",
        "PgDn PgUp",
        "g G",
        "/ ",
        "Enter",
        "c y",
        "r ",
        "Ctrl-L",
        "Ctrl-Z",
        "q Ctrl-C",
    ] {
        assert!(
            help.lines().any(|line| line.starts_with(key)),
            "{key}:\n{help}"
        );
    }
    model.pressed(Key::Char('?'));
    assert!(shown(&model).contains("a-creator-claude"));
}

#[test]
fn what_names_would_do_to_a_terminal_is_written_out() {
    let mut evil = session("evil\u{1b}[31m\u{9b}2J\u{202e}");
    evil.folder = Some("/tmp/\u{7}bell".to_owned());
    evil.server = Some(ServerName::new("on\u{1b}]0;x\u{7}"));
    let mut sick = standing(vec![evil]);
    sick.verdict = Verdict::Blind;
    sick.host = "host\u{1b}c".to_owned();
    sick.sources = vec![Source {
        name: "tmux:\u{1b}[2J".to_owned(),
        state: SourceState::Unknown,
        reason: "no\nanswer\u{1b}".to_owned(),
        at: NOW,
    }];
    let mut model = model((160, 20), sick);
    let text = shown(&model);
    assert!(text.contains(r"evil\u{1b}[31m\u{9b}2J\u{202e}"), "{text}");
    type_text(&mut model, "/\u{1b}[31");
    model.failed("broken\u{1b}[1m".to_owned());
    let text = shown(&model);
    assert!(text.contains(r"? no look: broken\u{1b}[1m"), "{text}");
    assert!(
        !text.contains(|c: char| c != '\n' && crate::tell::visible::is_treacherous(c)),
        "{text:?}"
    );
}

#[test]
fn without_colours_there_are_no_attributes_at_all() {
    let buffer = draw(&model((80, 20), rich()), Paint::Plain);
    let plain = ratatui::style::Style::new();
    let reset = ratatui::buffer::Cell::default().style();
    assert!(
        buffer
            .content
            .iter()
            .all(|cell| cell.style() == reset || cell.style() == plain)
    );
}

#[test]
fn a_look_that_fails_leaves_what_was_seen_and_says_so() {
    let mut model = model((80, 16), rich());
    model.failed("roll.yaml: line 3 cannot be read".to_owned());
    let text = shown(&model);
    assert!(
        text.contains("? no look: roll.yaml: line 3 cannot be read"),
        "{text}"
    );
    assert!(text.contains("a-creator-claude"));
    assert!(text.starts_with("blind: seen at "), "{text}");
    model.looked(rich(), &[]);
    let text = shown(&model);
    assert!(
        !text.contains("no look") && !text.starts_with("blind"),
        "{text}"
    );
}

/// The lines below "Log".
fn log(model: &Model) -> Vec<String> {
    let lines = lines(model);
    let start = lines.iter().position(|line| line.starts_with("── Log"));
    let log = start.map_or(&[][..], |at| &lines[at + 1..lines.len() - 1]);
    let filled = log.iter().filter(|line| !line.is_empty());
    // Without the time.
    filled.map(|line| line[12..].to_owned()).collect()
}

fn later(secs: u64, standing: Standing) -> Standing {
    Standing {
        at: NOW.plus(Duration::from_secs(secs)),
        ..standing
    }
}

#[test]
fn the_log_tells_what_opened_and_what_is_over_as_the_screen_saw_it() {
    let mut model = model((140, 30), standing(vec![session("shop-db-creator-claude")]));
    assert!(log(&model).is_empty());
    model.looked(later(5, rich()), &[]);
    model.looked(later(6, rich()), &[]);
    assert_eq!(log(&model).len(), 2, "{:#?}", log(&model));
    assert!(log(&model)[1].starts_with("seen         shop-db-creator-claude: tmux gone"));
    assert!(log(&model)[0].starts_with("noted        shop-web-creator-claude: agent_exited"));
    model.looked(later(9, standing(Vec::new())), &[]);
    assert!(log(&model)[0].starts_with("over "), "{:#?}", log(&model));
    assert_eq!(log(&model).len(), 4);
}

#[test]
fn what_could_not_be_seen_any_more_is_not_said_to_be_over() {
    let mut model = model((140, 30), standing(Vec::new()));
    model.looked(later(1, rich()), &[]);
    let blind = Standing {
        verdict: Verdict::Blind,
        ..standing(Vec::new())
    };
    model.looked(later(2, blind), &[]);
    assert_eq!(log(&model).len(), 2, "{:#?}", log(&model));
    model.looked(later(3, rich()), &[]);
    assert_eq!(log(&model).len(), 2, "{:#?}", log(&model));
}

fn entry(seq: u64, secs: u64, news: News) -> Entry {
    Entry {
        seq,
        at: NOW.plus(Duration::from_secs(secs)),
        news,
    }
}

#[test]
fn what_the_journal_tells_is_told_once() {
    let told = rich().sessions[0].drifts[0].clone();
    let drift = wire::Drift::from(&told);
    let mut written = drift.clone();
    written.applied = true;
    written.comment = "shop-db-creator-claude: tmux gone. Marked terminated.".to_owned();

    let mut model = Model::new(given(), (140, 30), NOW);
    let opened = entry(1, 0, News::Opened(drift.clone()));
    model.looked(standing(Vec::new()), &[]);
    // The screen sees it first, then the loop says so.
    model.looked(later(1, only_the_first(rich())), &[]);
    assert_eq!(log(&model).len(), 1);
    model.looked(later(2, only_the_first(rich())), &[opened]);
    assert_eq!(log(&model).len(), 1, "{:#?}", log(&model));
    // The loop writes it, and so it is over.
    let entries = [
        entry(2, 10, News::Edited(written.clone())),
        entry(3, 10, News::Outcome(written)),
    ];
    model.looked(later(11, standing(Vec::new())), &entries);
    assert_eq!(log(&model).len(), 2, "{:#?}", log(&model));
    assert!(log(&model)[0].starts_with("written      shop-db-creator-claude: tmux gone. Marked"));
}

fn only_the_first(mut standing: Standing) -> Standing {
    standing.sessions.truncate(1);
    standing
}

#[test]
fn the_age_of_what_is_open_is_counted_from_when_it_was_first_seen() {
    let age = |model: &Model| {
        let lines = lines(model);
        let line = lines.iter().find(|line| line.starts_with('!')).unwrap();
        line[1..6].trim().to_owned()
    };
    let mut unknown = only_the_first(rich());
    unknown.sessions[0].drifts[0].new = true;
    unknown.sessions[0].drifts[0].first_seen = NOW;
    let mut model = model((100, 20), unknown.clone());
    assert_eq!(age(&model), "-");
    let hours = NOW.plus(Duration::from_secs(7300));
    model.at(hours);
    assert_eq!(age(&model), "2h+");

    let mut known = unknown.clone();
    known.sessions[0].drifts[0].new = false;
    known.sessions[0].drifts[0].first_seen = NOW.minus(Duration::from_secs(86_400));
    model.looked(known, &[]);
    assert_eq!(age(&model), "1d");
}

#[test]
fn a_moment_of_another_day_is_told_by_its_day() {
    let drift = wire::Drift::from(&rich().sessions[0].drifts[0]);
    let mut model = Model::new(given(), (140, 30), NOW);
    let old = Entry {
        at: Timestamp::from_millis(NOW.millis() - 3 * 86_400_000),
        ..entry(1, 0, News::Opened(drift.clone()))
    };
    model.looked(rich(), &[old, entry(2, 0, News::Changed(drift))]);
    let text = shown(&model);
    let day = NOW.minus(Duration::from_secs(3 * 86_400)).iso();
    assert!(text.contains(&format!("\n{}  ", &day[..10])), "{text}");
    assert!(
        text.contains(&format!("\n{}   changed", &NOW.iso()[11..20])),
        "{text}"
    );
}

#[test]
fn nothing_changes_on_the_screen_within_a_minute_in_which_nothing_happens() {
    let mut model = model((100, 30), rich());
    let before = draw(&model, Paint::Coloured);
    for secs in 1..55 {
        model.at(NOW.plus(Duration::from_secs(secs)));
        model.looked(later(secs, rich()), &[]);
        assert_eq!(draw(&model, Paint::Coloured), before, "after {secs} s");
    }
}

#[test]
fn a_session_is_meant_by_its_name_and_server() {
    let here = session("a");
    let mut there = session("a");
    there.server = Some(ServerName::new("work"));
    let both = vec![here.clone(), there.clone()];
    let mut model = model((80, 20), standing(both));
    let Effect::Explain(wanted) = press(&mut model, &[Key::Down, Key::Enter]) else {
        panic!("nothing is asked for")
    };
    assert_eq!(model.session(&wanted).unwrap().server, there.server);

    // Where it is gone, its server is not known any more.
    let mut gone = session("a");
    gone.server = None;
    model.looked(standing(vec![gone.clone()]), &[]);
    assert_eq!(model.session(&wanted).unwrap().server, None);
    // Two of that name may both be meant.
    model.looked(standing(vec![here, gone]), &[]);
    assert_eq!(model.session(&wanted), None);
}
