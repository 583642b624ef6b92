//! What a person sees in a real terminal.

use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::{Machine, Session, wait_until, wait_until_or};

/// A terminal of that many columns, on a tmux server that headcount does not look at. `hc` is headcount in it.
fn terminal(machine: &Machine, columns: u16) -> Session<'_> {
    let program = machine.bin().join("hc");
    if !program.exists() {
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_headcount"), program).unwrap();
    }
    let screen = machine
        .session("screen")
        .socket(machine.root().join("viewer"))
        .start();
    resize(&screen, columns);
    screen
}

/// Gives a terminal another width. tmux takes its time to tell the programs in it.
#[track_caller]
fn resize(screen: &Session<'_>, columns: u16) {
    let (width, height) = (columns.to_string(), "100");
    screen.server.run(&[
        "resize-window",
        "-t",
        &screen.id,
        "-x",
        &width,
        "-y",
        height,
    ]);
    let size = format!("{height} {width}");
    wait_until("the new size of a terminal", || {
        shown(screen, "stty size", &[])
            .contains(&size)
            .then_some(())
    });
}

/// What a command shows there; `capture` is how it is read from the screen.
#[track_caller]
fn shown(screen: &Session<'_>, command: &str, capture: &[&str]) -> String {
    static SHOWN: AtomicU32 = AtomicU32::new(0);
    let number = SHOWN.fetch_add(1, Ordering::Relaxed);
    let end = format!("END-OF-{number}.");
    // The command itself, as it is typed, does not contain the whole of it.
    screen.type_line(&format!("clear; {command}; echo END-\\OF-{number}."));
    wait_until_or(
        || format!("{end} on:\n{}", screen.screen()),
        || screen.screen().contains(&end).then_some(()),
    );
    let mut args = vec!["capture-pane", "-p", "-t", &screen.id];
    args.extend(capture);
    let text = screen.server.run(&args);
    let (text, _) = text.split_once(&end).unwrap();
    text.to_owned()
}

fn with_long_names() -> Machine {
    let machine = Machine::new();
    let session = machine
        .session("a-project-with-a-rather-long-name-creator-claude")
        .cwd(machine.folder("some/folder/that/lies/deep/below/others"))
        .running("claude")
        .start();
    machine
        .roll()
        .row("a-project-with-a-rather-long-name-creator-claude")
        .pane(&session)
        .row("short")
        .server("never-seen")
        .write();
    machine
}

#[test]
fn the_table_fits_into_the_terminal() {
    let machine = with_long_names();
    let screen = terminal(&machine, 140);
    let wide = shown(&screen, "hc status", &[]);
    assert!(
        wide.contains("FOLDER") && wide.contains("below/others"),
        "{wide}"
    );
    assert!(
        wide.contains("a-project-with-a-rather-long-name-creator-claude"),
        "{wide}"
    );

    for columns in [60, 45] {
        resize(&screen, columns);
        let narrow = shown(&screen, "hc status", &[]);
        // Where the terminal had to break a line, tmux joins it again.
        let joined = shown(&screen, "hc status", &["-J"]);
        let count = |text: &str| text.lines().count();
        assert_eq!(
            count(&narrow),
            count(&joined),
            "wider than {columns}:\n{joined}"
        );
        assert!(
            narrow.contains("No room for") && narrow.contains("unseen"),
            "{narrow}"
        );
    }
}

#[test]
fn colours_are_used_in_a_terminal_and_not_where_nobody_wants_them() {
    let machine = with_long_names();
    let screen = terminal(&machine, 120);
    let seen = |command: &str| {
        let text = shown(&screen, command, &["-e"]);
        assert!(
            text.contains("unseen") && text.contains("? short"),
            "{text}"
        );
        text.contains("\u{1b}[")
    };
    let coloured = |command: &str| {
        let text = shown(&screen, command, &["-e"]);
        text.contains("\u{1b}[")
    };
    assert!(coloured("hc status"));
    assert!(!seen("NO_COLOR=1 hc status"));
    assert!(!seen("hc status --color never"));
    assert!(!seen("TERM=dumb hc status"));
    assert!(!seen("hc status | cat"));
    assert!(coloured("NO_COLOR=1 hc status --color always"));
}

#[test]
fn names_of_any_script_keep_the_columns_straight() {
    let machine = Machine::new();
    let names = [
        "plain",
        "日本語-creator-claude",
        "rocket-🚀-creator-claude",
        "fu\u{308}r-creator-claude",
        "zero\u{200b}width",
        "soft\u{ad}hyphen",
    ];
    let mut roll = machine.roll();
    for name in names {
        roll = roll.row(name).server("never-seen");
    }
    roll.write();
    let escapes = r#"- {name: "esc\e[31m\x9b2Jape", status: running, tmux_server: never-seen}"#;
    machine.write_roll(format!("{}{escapes}\n", machine.roll_text()));

    let table = machine.headcount(&["status"]).exits(0).stdout;
    assert!(table.contains("zero\\u{200b}width"), "{table}");
    assert!(
        !table.contains('\u{200b}') && !table.contains('\u{1b}'),
        "{table}"
    );

    // tmux itself says how wide what comes before a column is.
    let screen = terminal(&machine, 200);
    let rows: Vec<&str> = table
        .lines()
        .filter(|line| line.starts_with("? "))
        .map(|line| &line[..line.find("running").unwrap()])
        .collect();
    assert_eq!(rows.len(), names.len() + 1, "{table}");
    let widths: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(at, before)| {
            let file = machine.root().join(format!("before-{at}"));
            // What was shown before ends in another letter.
            let end = char::from(b'A' + u8::try_from(at).unwrap());
            fs::write(&file, format!("{before}{end}")).unwrap();
            // The prompt is empty, so that the cursor stays where the text ends.
            screen.type_line(&format!("PS1=; clear; cat {}", file.display()));
            wait_until_or(
                || format!("the text on:\n{}", screen.screen()),
                || {
                    let shown = screen.screen();
                    shown.lines().next()?.ends_with(end).then_some(())
                },
            );
            screen.pane.format("#{cursor_x}")
        })
        .collect();
    assert!(
        widths.iter().all(|width| *width == widths[0]),
        "{widths:?}\n{table}"
    );
}
