//! However it ends, the terminal is as it was found.

use std::process::Command;

use headcount::screen::terminal::Terminal;
use rustix::process::Signal;

use crate::support::{Machine, Screen, wait_until};

fn quiet() -> Machine {
    let machine = Machine::new();
    machine.write_roll("tmux_sessions: []\n");
    machine
}

#[test]
fn q_and_ctrl_c_leave_it() {
    let machine = quiet();
    for (key, code) in [("q", 0), ("C-c", 130)] {
        let screen = Screen::watching(&machine);
        screen.press(&[key]);
        screen.ends(code);
        screen.close();
    }
}

#[test]
fn signals_end_it() {
    let machine = quiet();
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130)] {
        let screen = Screen::watching(&machine);
        screen.process().signal(signal);
        screen.ends(code);
        screen.close();
    }
}

#[test]
fn a_hangup_is_a_look_while_the_terminal_is_there_and_the_end_when_it_is_closed() {
    let machine = quiet();
    let screen = Screen::watching(&machine);
    let process = screen.process();
    let looks = screen.looks();
    process.signal(Signal::HUP);
    screen.wait_for_look(looks);
    assert!(process.is_alive());
    screen.close();
    process.wait_for_end();
}

#[test]
fn a_terminal_that_was_closed_ends_it_though_no_signal_says_so() {
    for deaf in ["trap '' HUP;", "setsid -w"] {
        let machine = quiet();
        let screen = Screen::of(&machine);
        screen.run(&format!("{deaf} hc watch --interval 1000"));
        screen.wait_for("? help");
        let process = screen.process();
        let before = process.worked();
        screen.close();
        wait_until("the end, without much work until then", || {
            assert!(process.worked() < before + 300, "it spins");
            (!process.is_alive()).then_some(())
        });
    }
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told_on_it() {
    if std::env::var_os("HEADCOUNT_TEST_PANICS").is_some() {
        let terminal = Terminal::take().unwrap();
        // As where a panic ends the program at once, and nothing is dropped.
        std::mem::forget(terminal);
        panic!("this panic is meant");
    }
    let machine = quiet();
    let screen = Screen::of(&machine);
    let test = "watch_screen::ends::a_panic_gives_the_terminal_back_and_is_told_on_it";
    let program = std::env::current_exe().unwrap();
    screen.run(&format!(
        "HEADCOUNT_TEST_PANICS=1 {} --exact {test} --nocapture --test-threads=1",
        program.display()
    ));
    let shown = screen.ends(101);
    assert!(shown.contains("this panic is meant"), "{shown}");
}

#[test]
fn a_roll_that_is_named_and_not_there_is_told_without_taking_the_terminal() {
    let machine = quiet();
    let screen = Screen::of(&machine);
    let written = screen.written();
    screen.run("hc watch --registry /nonexistent/roll.yaml");
    let shown = screen.ends(1);
    assert!(
        shown.contains("ERROR: ") && shown.contains("/nonexistent/roll.yaml"),
        "{shown}"
    );
    assert!(!written.so_far().contains("\u{1b}[?1049h"));
}

#[test]
fn without_a_terminal_it_says_what_to_type_instead() {
    let machine = quiet();
    let watch = machine.headcount(&["watch"]).exits(2);
    assert!(watch.stdout.is_empty());
    watch.complains_of("headcount watch needs a terminal");
    watch.complains_of("headcount status");

    let screen = Screen::of(&machine);
    for (command, said) in [
        ("hc watch | cat", "needs a terminal"),
        ("hc watch </dev/null", "needs a terminal"),
        ("TERM=dumb hc watch", "TERM is dumb"),
        ("env -u TERM hc watch", "TERM is not set"),
    ] {
        screen.run(command);
        let shown = screen.wait_for_end();
        assert!(shown.contains(said), "{command}: {shown}");
        screen.is_as_it_was();
    }
}

#[test]
fn the_terminal_can_be_used_afterwards() {
    let machine = quiet();
    let screen = Screen::watching(&machine);
    screen.press(&["q"]);
    screen.ends(0);
    screen.type_line("clear; printf 'a\\nb\\n'");
    let shown = screen.wait("two lines", |shown| shown.lines().any(|line| line == "b"));
    assert!(shown.lines().any(|line| line == "a"), "{shown}");
    let stty = Command::new("stty").arg("-F").arg(screen.device()).output();
    let stty = String::from_utf8(stty.unwrap().stdout).unwrap();
    assert!(
        !stty.contains("-echo ") && !stty.contains("-icanon"),
        "{stty}"
    );
}
