//! A board that cannot be reached, or does not say what it should: the watch goes on.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use rustix::process::Signal;
use serde_json::Value;

use super::{ITSELF, NAME, Watched, one_of_two, watched, watched_by_proxy};
use crate::support::{Hermes, Machine, python, wait_until};

#[track_caller]
fn wait_until_corrected(machine: &Machine) {
    wait_until("the roll to be corrected", || {
        (machine.row(NAME)["status"] == "terminated").then_some(())
    });
}

/// The board's database.
fn database(machine: &Machine) -> PathBuf {
    machine.home().join(".hermes/kanban.db")
}

#[test]
fn without_hermes_it_prints_what_it_would_have_told() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let worker = machine.worker("t_1a2b3c4d").grace(0).start();
    session.kill();

    wait_until("the end of the session", || {
        let lines: Vec<Value> = worker
            .printed()
            .iter()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let comments: Vec<&Value> = lines
            .iter()
            .filter(|line| line["relay"] == "comment")
            .collect();
        let told = |line: &&Value| {
            line["text"]
                .as_str()
                .unwrap()
                .contains("Marked terminated.")
        };
        comments.iter().copied().find(told)?;
        assert!(lines.iter().all(|line| line["task"] == "t_1a2b3c4d"));
        lines.iter().find(|line| line["relay"] == "heartbeat")?;
        Some(())
    });
    worker.wait_for_word("hermes is not installed, or not on the PATH");
}

#[test]
fn a_hermes_that_was_named_and_is_not_there_is_told_to_a_person_and_left_to_a_model() {
    let machine = Machine::new();
    machine.roll().write();
    let line = [
        "worker",
        "--task",
        "t_1a2b3c4d",
        "--hermes",
        "/nowhere/hermes",
    ];

    let refused = machine.headcount(&line).exits(2);
    let relayed = machine
        .headcount(&[&line[..], &["--turn", "5"]].concat())
        .exits(0);

    refused.complains_of("/nowhere/hermes is no program");
    assert!(relayed.stdout.contains("\"relay\":"), "{}", relayed.stdout);
}

#[test]
fn without_a_card_there_is_nothing_to_tell() {
    let machine = Machine::new();
    machine.roll().write();

    machine
        .headcount(&["worker"])
        .exits(2)
        .complains_of("--task");
}

#[test]
fn a_card_that_hermes_does_not_know_stops_no_watch() {
    let machine = Machine::new();
    let Some(hermes) = Hermes::on(&machine) else {
        return;
    };
    let session = one_of_two(&machine);
    let worker = hermes.card_with("t_00000000").worker().grace(0).start();

    session.kill();

    wait_until_corrected(&machine);
    worker.wait_for_word("hermes knows no such card or board: no such task: t_00000000");
}

#[test]
fn a_board_that_hermes_does_not_know_stops_no_watch() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let worker = card.worker().grace(0).arg("--board").arg("nowhere").start();

    session.kill();

    wait_until_corrected(&machine);
    worker.wait_for_word("board 'nowhere' does not exist");
}

#[test]
fn what_could_not_be_told_is_told_in_order_when_the_board_is_back() {
    for broken in [
        "exit 1",
        "echo '{\"task\": 1'; exit 0",
        "kill -9 $$",
        "exit 0",
    ] {
        let machine = Machine::new();
        let Some(Watched {
            hermes,
            session,
            card,
        }) = watched_by_proxy(&machine)
        else {
            return;
        };
        hermes.behind(ITSELF);
        let worker = card.worker().grace(0).start();
        card.wait_for("no drift");
        hermes.behind(broken);
        worker.wait_for_word("the roll is watched all the same");

        session.kill();
        wait_until_corrected(&machine);
        hermes.behind(ITSELF);

        card.wait_for("Marked terminated.");
        assert_eq!(card.told().len(), 2, "{broken}: {:#?}", card.told());
    }
}

#[test]
fn a_comment_that_arrived_though_nobody_said_so_is_not_posted_again() {
    let machine = Machine::new();
    let Some(Watched { hermes, card, .. }) = watched_by_proxy(&machine) else {
        return;
    };
    hermes.behind(
        "case \"$2\" in comment) \"$HERMES\" \"$@\" >/dev/null; kill -9 $$ ;; esac; exec \"$HERMES\" \"$@\"",
    );

    let worker = card.worker().start();
    card.wait_for("no drift");
    worker.wait_for_word("the board answers again");
    let done = worker.passes().len();
    worker.wait_for_passes(done + 3);

    assert_eq!(card.told().len(), 1, "{:#?}", card.told());
}

#[test]
fn comments_of_a_megabyte_in_any_script_are_no_trouble() {
    const WRITE: &str = "
import sqlite3, sys, time
board = sqlite3.connect(sys.argv[1])
text = 'stop that \\x07\\x1b[31m \\x00 日本 👩\\u200d🚀 ' * 40000
for _ in range(3):
    row = (sys.argv[2], 'ann', text, int(time.time()))
    board.execute('INSERT INTO task_comments (task_id, author, body, created_at) VALUES (?, ?, ?, ?)', row)
board.commit()
";
    let machine = Machine::new();
    let Some(Watched { card, .. }) = watched(&machine) else {
        return;
    };
    let path = database(&machine);
    python::run(WRITE, &[path.to_str().unwrap(), &card.id], b"");
    let mut worker = card.worker().start();
    card.wait_for("no drift");

    card.comment("ann", "stop");

    assert_eq!(worker.end(), Some(0));
    assert_eq!(card.status(), "blocked");
}

#[test]
fn what_a_locked_board_did_not_take_is_told_when_it_is_free() {
    const HOLD: &str = "
import sqlite3, sys
board = sqlite3.connect(sys.argv[1], isolation_level=None)
board.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.read()
";
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let worker = card.worker().grace(0);
    let worker = worker.env("HERMES_KANBAN_BUSY_TIMEOUT_MS", "200").start();
    card.wait_for("no drift");
    let mut holder = machine
        .command(python())
        .args(["-c", HOLD])
        .arg(database(&machine))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python starts");
    let mut line = String::new();
    BufReader::new(holder.stdout.take().expect("its output is a pipe"))
        .read_line(&mut line)
        .expect("it says that it holds the lock");

    session.kill();
    wait_until_corrected(&machine);
    worker.wait_for_word("the roll is watched all the same");
    drop(holder.stdin.take());
    holder.wait().expect("python ends");

    card.wait_for("Marked terminated.");
    assert_eq!(card.told().len(), 2, "{:#?}", card.told());
}

#[test]
fn a_board_that_is_gone_for_a_while_is_told_afterwards() {
    let machine = Machine::new();
    let Some(Watched { session, card, .. }) = watched(&machine) else {
        return;
    };
    let worker = card.worker().grace(0).start();
    card.wait_for("no drift");
    let (board, away) = (machine.home().join(".hermes"), machine.home().join("away"));
    fs::rename(&board, &away).expect("a folder can be moved");

    session.kill();
    wait_until_corrected(&machine);
    worker.wait_for_word("the roll is watched all the same");
    wait_until("another board", || board.exists().then_some(()));
    // Whichever hermes runs at this moment finds the one or the other.
    let exchange = rustix::fs::RenameFlags::EXCHANGE;
    rustix::fs::renameat_with(rustix::fs::CWD, &away, rustix::fs::CWD, &board, exchange)
        .expect("two folders can be exchanged");

    card.wait_for("Marked terminated.");
    assert_eq!(card.told().len(), 2, "{:#?}", card.told());
}

#[test]
fn while_hermes_hangs_the_roll_is_watched_and_a_signal_is_obeyed() {
    let machine = Machine::new();
    let Some(Watched {
        hermes,
        session,
        card,
    }) = watched_by_proxy(&machine)
    else {
        return;
    };
    let mut worker = card.worker().grace(0).start();
    card.wait_for("no drift");
    let hangs = machine.root().join("hangs");
    hermes.behind(&format!(": > {}; sleep 1000", hangs.display()));
    wait_until("a question to the board", || hangs.exists().then_some(()));

    session.kill();

    wait_until_corrected(&machine);
    worker.signal(Signal::TERM);
    assert_eq!(worker.end(), Some(143));
    hermes.behind(ITSELF);
    let mut next = card.worker().arg("--max-runtime").arg("2").start();
    assert_eq!(next.end(), Some(0));
    let told = card.told();
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[1].contains("Marked terminated."), "{told:#?}");
}

#[test]
fn while_hermes_hangs_from_the_first_the_roll_is_watched() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let hermes = machine.bin().join("hermes");
    fs::write(&hermes, "#!/bin/sh\nexec sleep 1000\n").unwrap();
    fs::set_permissions(&hermes, fs::Permissions::from_mode(0o755)).unwrap();
    let mut worker = machine.worker("t_1a2b3c4d").grace(0).start();

    session.kill();

    wait_until_corrected(&machine);
    worker.signal(Signal::TERM);
    assert_eq!(worker.end(), Some(143));
}

#[test]
fn a_hermes_that_takes_no_such_call_is_told_as_that() {
    let machine = Machine::new();
    let Some(Watched {
        hermes,
        session,
        card,
    }) = watched_by_proxy(&machine)
    else {
        return;
    };
    hermes.behind(
        "case \"$2\" in comment) printf 'usage: hermes kanban comment\\nerror: unrecognized arguments: --author\\n' >&2; \
         exit 2 ;; esac; exec \"$HERMES\" \"$@\"",
    );
    let worker = card.worker().grace(0).start();

    session.kill();

    wait_until_corrected(&machine);
    worker.wait_for_word("this hermes does not take `kanban comment`");
}
