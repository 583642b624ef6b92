//! It does not flicker, and where nothing changes it does nothing.

use crate::support::{Machine, Screen, wait_until};

const CLEAR: &str = "\u{1b}[2J";
const FRAME: &str = "\u{1b}[?2026h";
const FRAME_END: &str = "\u{1b}[?2026l";

/// Two rows, and nothing about them that has an age.
fn ageless() -> Machine {
    let machine = Machine::new();
    machine.write_roll(
        "tmux_sessions:\n- {name: row-0, status: stopped}\n- {name: row-1, status: stopped}\n",
    );
    machine
}

#[test]
fn the_screen_is_cleared_once_and_every_frame_is_shown_as_a_whole() {
    let machine = ageless();
    let screen = Screen::of(&machine);
    let written = screen.written();
    screen.watch("--all --interval 1000");
    for (key, shown) in [
        ("j", "row"),
        ("?", "Keys"),
        ("Escape", "Enter why"),
        ("/", "/_"),
    ] {
        screen.press(&[key]);
        screen.wait_for(shown);
    }
    screen.press(&["Escape", "q"]);
    screen.ends(0);
    let written = wait_until("all that was written", || {
        let written = written.so_far();
        written.contains("ended 0.").then_some(written)
    });
    // What the screen itself wrote.
    let (_, written) = written.split_once("\u{1b}[?1049h").unwrap();
    let (written, _) = written.split_once("\u{1b}[?1049l").unwrap();
    assert_eq!(written.matches(CLEAR).count(), 1, "{written:?}");
    let frames: Vec<&str> = written.split(FRAME).skip(1).collect();
    assert!(frames.len() >= 5, "{written:?}");
    for frame in frames {
        assert!(frame.contains(FRAME_END), "{frame:?}");
    }
}

#[test]
fn where_nothing_changes_nothing_is_written_however_often_it_looks() {
    let machine = ageless();
    let screen = Screen::of(&machine);
    screen.watch("--all --interval 1");
    screen.wait_selected("row-0");
    screen.wait_for_look(2);
    let written = screen.written();
    let looks = screen.looks();
    screen.wait_for_look(looks + 3);
    // The first thing that is written since is the answer to a key.
    screen.press(&["j"]);
    screen.wait_selected("row-1");
    let written = wait_until("what a key changes", || {
        let written = written.so_far();
        written.contains(FRAME_END).then_some(written)
    });
    assert_eq!(written.matches(FRAME).count(), 1, "{written:?}");
    assert!(written.starts_with(FRAME), "{written:?}");
}

#[test]
fn where_nothing_happens_it_does_not_even_wake() {
    let machine = ageless();
    let screen = Screen::watching(&machine);
    let process = screen.process();
    // What the first look set going comes to rest.
    let mut waits = process.waits();
    wait_until("rest", || {
        std::thread::sleep(std::time::Duration::from_secs(1));
        let before = std::mem::replace(&mut waits, process.waits());
        (waits == before).then_some(())
    });
}
