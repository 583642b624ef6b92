//! What is shown, and when.

use crate::support::{Machine, Screen, conversation};

fn pass(machine: &Machine) {
    let _ = machine.reconcile().at_once().run().exits(0);
}

#[test]
fn a_session_that_ends_is_shown_at_once_and_so_is_what_a_pass_makes_of_it() {
    let machine = Machine::new();
    let gone = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    let stays = machine
        .session("docs-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&gone)
        .row("docs-creator-claude")
        .pane(&stays)
        .write();
    pass(&machine);
    let screen = Screen::watching(&machine);
    screen.wait("nothing open", |shown| {
        shown.starts_with("in order: 2 live sessions, no drift") && !shown.contains("── Open")
    });

    gone.kill();
    screen.wait_for_all(&[
        "drifted: 1 live session, 1 drift",
        "! shop-creator-claude",
        "── Open",
        "A tmux_gone",
        "seen         shop-creator-claude: tmux gone",
    ]);

    pass(&machine);
    screen.wait("nothing open any more", |shown| {
        shown.starts_with("in order: 1 live session, no drift")
            && shown.contains("written      shop-creator-claude: tmux gone")
            && !shown.contains("── Open")
    });
}

#[test]
fn it_writes_nothing_anywhere() {
    let machine = Machine::new();
    let session = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&session)
        .write();
    let screen = Screen::of(&machine);
    let before = machine.footprint();
    screen.watch("--interval 1");
    session.kill();
    screen.wait_for("tmux_gone");
    screen.press(&["Enter", "r", "Escape", "c", "/", "x", "Enter"]);
    let looks = screen.looks();
    screen.wait_for_look(looks + 1);
    screen.press(&["q"]);
    screen.ends(0);
    assert_eq!(machine.footprint(), before);
}

#[test]
fn what_was_told_before_is_in_the_log_from_the_beginning() {
    let machine = Machine::new();
    let gone = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&gone)
        .write();
    pass(&machine);
    gone.kill();
    pass(&machine);
    let screen = Screen::of(&machine);
    screen.watch("");
    screen.wait_for("written      shop-creator-claude: tmux gone");
    screen.wait_for("All rows have ended and are in order");
}

#[test]
fn it_follows_what_an_agent_says_that_it_does() {
    let machine = Machine::new();
    let session = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&session)
        .write();
    let says = |status| {
        let file = machine.claude();
        let file = file.pid_file(&session).id(&conversation(1));
        file.set("status", status).write();
    };
    says("idle");
    let screen = Screen::watching(&machine);
    screen.wait_for("idle");
    says("waiting");
    screen.wait_for("waiting");
    screen.wait_without("idle");
}

#[test]
fn without_a_roll_it_shows_what_runs_and_finds_a_roll_that_is_made() {
    let machine = Machine::new();
    let _session = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    let screen = Screen::watching(&machine);
    screen.wait_for_all(&["shop-creator-claude", "no roll here"]);
    let _ = machine.headcount(&["init"]).exits(0);
    screen.press(&["r"]);
    screen.wait_for("agent-sessions.yaml");
    screen.wait_for("unregistered");
}

#[test]
fn a_roll_that_cannot_be_read_any_more_is_told_until_it_can() {
    let machine = Machine::new();
    machine.write_roll("tmux_sessions: []\n");
    let screen = Screen::watching(&machine);
    machine.write_roll("tmux_sessions: [\n");
    screen.wait_for("? no look: ");
    machine.write_roll("tmux_sessions:\n- {name: now, status: stopped}\n");
    screen.wait_without("no look");
    screen.wait_for("All rows have ended");
}

#[test]
fn names_that_would_command_the_terminal_are_written_out() {
    let machine = Machine::new();
    machine.write_roll(
        "tmux_sessions:\n- {name: \"evil\\e]0;gotcha\\a\\e[2J\", status: running, tmux_server: never-seen}\n",
    );
    let screen = Screen::of(&machine);
    let written = screen.written();
    screen.watch("");
    screen.wait_for(r"evil\u{1b}]0;gotcha\u{7}\u{1b}[2J");
    screen.press(&["Enter"]);
    screen.wait_for("Why evil");
    assert!(!written.so_far().contains("]0;gotcha\u{7}"));
    assert!(
        !screen
            .tmux(&["display-message", "-p", "#{pane_title}"])
            .contains("gotcha")
    );
}

#[test]
fn it_fits_every_size_and_follows_a_resize() {
    let machine = Machine::new();
    let session = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&session)
        .row("short")
        .server("never-seen")
        .write();
    let screen = Screen::watching(&machine);
    screen.wait_for("FOLDER");
    for (columns, rows) in [(20, 5), (45, 12), (160, 50), (20, 5), (100, 40)] {
        screen.resize(columns, rows);
        // Until then tmux shows what of the old picture fits.
        screen.wait(&format!("a picture of {columns}x{rows}"), |shown| {
            let lines: Vec<&str> = shown.lines().collect();
            let (first, last) = (lines.first(), lines.last());
            lines.len() == usize::from(rows)
                && shown.contains("FOLDER") == (columns >= 100)
                && first.is_some_and(|line| line.starts_with("blind"))
                && last.is_some_and(|line| line.starts_with("? help  q quit"))
        });
    }
}

#[test]
fn colours_are_used_unless_nobody_wants_them() {
    let machine = Machine::new();
    machine.write_roll("tmux_sessions:\n- {name: row, status: stopped}\n");
    for (command, expected) in [
        ("hc watch --all", true),
        ("hc watch --all --color never", false),
        ("NO_COLOR=1 hc watch --all", false),
        ("NO_COLOR=1 hc watch --all --color always", true),
    ] {
        let screen = Screen::of(&machine);
        screen.run(command);
        screen.wait_selected("row");
        let coloured = screen.coloured();
        assert_eq!(
            coloured.contains("\u{1b}[32m") || coloured.contains("\u{1b}[38;5;2m"),
            expected,
            "{command}: {coloured:?}"
        );
        assert_eq!(
            coloured.contains('\u{1b}'),
            expected,
            "{command}: {coloured:?}"
        );
        screen.press(&["q"]);
        screen.ends(0);
        screen.close();
    }
}

#[test]
fn any_number_may_watch_beside_a_loop() {
    let machine = Machine::new();
    let session = machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&session)
        .write();
    let screen = Screen::watching(&machine);
    let loops = machine.watch().every(1000).grace(0).start();
    loops.wait_for_pass("start");
    session.kill();
    screen.wait_for("written      shop-creator-claude: tmux gone");
    screen.wait_for("in order: 0 live sessions");
}
