//! What each key does.

use crate::support::{Machine, Screen, conversation, wait_until_or};

/// Rows that need no session: each says that it ended.
fn with_rows(count: usize) -> Machine {
    let machine = Machine::new();
    let mut text = "tmux_sessions:\n".to_owned();
    for at in 0..count {
        text.push_str(&format!("- {{name: row-{at:02}, status: stopped}}\n"));
    }
    machine.write_roll(text);
    machine
}

#[test]
fn arrows_and_letters_move_one_by_one() {
    let machine = with_rows(4);
    let screen = Screen::of(&machine);
    screen.watch("--all");
    screen.wait_selected("row-00");
    for (key, row) in [
        ("Down", "row-01"),
        ("j", "row-02"),
        ("Up", "row-01"),
        ("k", "row-00"),
        ("k", "row-00"),
        ("G", "row-03"),
        ("g", "row-00"),
        ("End", "row-03"),
        ("Home", "row-00"),
    ] {
        screen.press(&[key]);
        screen.wait_selected(row);
    }
}

#[test]
fn pages_move_by_as_many_as_are_shown() {
    let machine = with_rows(60);
    let screen = Screen::of(&machine);
    screen.watch("--all");
    // 40 rows, less the head, the headings and the foot.
    screen.wait_selected("row-00");
    screen.press(&["NPage"]);
    screen.wait_selected("row-36");
    screen.press(&["Space"]);
    screen.wait_selected("row-59");
    screen.press(&["PPage"]);
    screen.wait_selected("row-23");
}

#[test]
fn a_slash_narrows_what_is_shown_until_escape() {
    let machine = with_rows(30);
    let screen = Screen::of(&machine);
    screen.watch("--all");
    screen.press(&["/", "1", "2"]);
    screen.wait("row 12 alone", |shown| {
        shown.contains("row-12") && shown.contains("/12_") && !shown.contains("row-11")
    });
    screen.press(&["BSpace"]);
    screen.wait_for("row-11");
    screen.press(&["Enter"]);
    screen.wait("rows with a 1", |shown| {
        shown.contains("only with \"1\"") && !shown.contains("row-02")
    });
    screen.press(&["Escape"]);
    screen.wait_for("row-02");
}

#[test]
fn enter_shows_what_explain_says_and_escape_comes_back() {
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
    screen.watch("--interval 1000");
    screen.press(&["Enter"]);
    let shown = screen.wait_for_all(&[
        "Why shop-creator-claude stands so",
        "not possible: its conversation is not known yet",
    ]);
    let mut told = machine.headcount_command(&["explain", "shop-creator-claude"]);
    told.env("COLUMNS", "100");
    let told = String::from_utf8(told.output().unwrap().stdout).unwrap();
    // The two looked at other times.
    let timeless = |text: &str| text.replace(|c: char| c.is_ascii_digit(), "0");
    let page: Vec<&str> = shown.lines().skip(3).take(told.lines().count()).collect();
    assert_eq!(
        timeless(page.join("\n").trim_end()),
        timeless(told.trim_end())
    );

    screen.press(&["Escape"]);
    screen.wait_for("Enter why");
    // It is renewed when somebody asks for it.
    screen.press(&["Enter"]);
    screen.wait_for("Why shop-creator-claude stands so");
    session.kill();
    screen.press(&["r"]);
    screen.wait_for("shop-creator-claude: gone");
}

#[test]
fn an_explanation_scrolls_where_there_is_no_room() {
    let machine = with_rows(1);
    let screen = Screen::of(&machine);
    screen.watch("--all");
    screen.resize(60, 10);
    screen.press(&["Enter"]);
    screen.wait_for("1-7 of");
    screen.press(&["j"]);
    screen.wait_for("2-8 of");
    screen.press(&["NPage"]);
    screen.wait_for("9-15 of");
    screen.press(&["g"]);
    screen.wait_for("1-7 of");
    screen.press(&["G"]);
    screen.wait_for("no conversation is recorded");
}

#[test]
fn the_command_that_resumes_is_copied_and_shown() {
    let machine = Machine::new();
    machine
        .roll()
        .row("shop-creator-claude")
        .set("status", "stopped")
        .set("claude_session_id_own", conversation(1))
        .write();
    machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .write();
    let screen = Screen::of(&machine);
    screen.tmux(&["set-option", "-s", "set-clipboard", "on"]);
    screen.watch("--all");
    let command = format!("claude --resume {}", conversation(1));
    for key in ["c", "y"] {
        screen.press(&[key]);
        screen.wait_for_all(&["Copied, if your terminal allows it.", &command]);
        // tmux has it as its newest buffer.
        wait_until_or(
            || "the command in tmux's buffer".to_owned(),
            || {
                let buffers = screen.tmux(&["list-buffers", "-F", "#{buffer_sample}"]);
                buffers.contains(&command).then_some(())
            },
        );
        screen.tmux(&["delete-buffer"]);
        screen.press(&["j"]);
        screen.wait_without("Copied");
    }
}

#[test]
fn r_looks_at_once() {
    let machine = with_rows(1);
    let other = machine.session("first").start();
    let screen = Screen::watching(&machine);
    screen.wait_for("first");
    // A new session is nothing that the system tells.
    other.server.run(&["new-session", "-d", "-s", "second"]);
    let looks = screen.looks();
    screen.press(&["r"]);
    screen.wait_for("second");
    assert!(screen.looks() > looks);
}

#[test]
fn a_question_mark_shows_the_keys() {
    let machine = with_rows(1);
    let screen = Screen::watching(&machine);
    screen.press(&["?"]);
    screen.wait_for("why the selected session stands as it does");
    screen.press(&["?"]);
    screen.wait_for("Enter why");
}

#[test]
fn ctrl_l_draws_everything_anew() {
    let machine = with_rows(2);
    let screen = Screen::of(&machine);
    screen.watch("--all");
    let before = screen.text();
    std::fs::write(screen.device(), "\u{1b}[2;1Hsomebody wrote over it").unwrap();
    screen.wait_for("somebody wrote over it");
    screen.press(&["C-l"]);
    screen.wait("what was there before", |shown| shown == before);
}

#[test]
fn ctrl_z_goes_back_to_the_shell_and_fg_comes_back() {
    let machine = with_rows(2);
    let screen = Screen::of(&machine);
    screen.type_line("set -m");
    screen.type_line("hc watch --all");
    screen.wait_selected("row-00");
    screen.press(&["C-z"]);
    screen.wait_without("Enter why");
    screen.is_not_taken();
    screen.type_line("echo at-the\"\"-shell");
    screen.wait_for("at-the-shell");
    screen.type_line("fg");
    screen.wait_selected("row-00");
    screen.press(&["j"]);
    screen.wait_selected("row-01");
    screen.press(&["q"]);
    screen.wait_without("Enter why");
    screen.is_not_taken();
}

#[test]
fn where_nobody_could_continue_it_ctrl_z_does_nothing() {
    let machine = with_rows(2);
    let screen = Screen::of(&machine);
    // It is the terminal's first program: no shell waits for it.
    screen.type_line("exec hc watch --all");
    screen.wait_selected("row-00");
    screen.press(&["C-z", "j"]);
    screen.wait_selected("row-01");
}
