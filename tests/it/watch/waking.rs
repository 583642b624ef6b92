//! What wakes a pass besides the timer, which stands still here; and what does not.
//!
//! That something wakes nobody is shown by a hangup that comes later: its pass is the next one, and for no
//! other reason.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;

use crate::support::{Agent, Machine, Session, Watching, conversation, wait_until};

const NAME: &str = "shop-creator-claude";

fn one_of_two(machine: &Machine) -> Session<'_> {
    let session = machine
        .session(NAME)
        .running(Agent::claude().under_a_shell())
        .start();
    machine.session("bystander").start();
    fs::create_dir_all(machine.claude().root().join("sessions")).unwrap();
    fs::create_dir_all(machine.claude().root().join("projects")).unwrap();
    machine.roll().row(NAME).pane(&session).write();
    session
}

/// A loop that only something else than the timer makes look again.
#[track_caller]
fn listening(machine: &Machine) -> Watching {
    let claude = machine.claude();
    let projects = fs::read_dir(claude.root().join("projects"));
    let projects = projects.into_iter().flatten().map(|it| it.unwrap().path());
    for folder in projects.chain(["sessions", "projects"].map(|name| claude.root().join(name))) {
        let long_ago = SystemTime::now() - Duration::from_secs(3600);
        if let Ok(folder) = fs::File::open(folder) {
            folder.set_modified(long_ago).unwrap();
        }
    }
    let watching = machine.watch().every(3600).at_once().start();
    watching.wait_for_word("the ends of processes are listened for");
    watching
}

/// Fails the test if anything woke a pass since those that are told.
#[track_caller]
fn assert_only(watching: &Watching, passes: &[&str]) {
    watching.signal(Signal::HUP);
    watching.wait_for_pass("hangup");
    let expected = [passes, &["hangup"]].concat();
    assert_eq!(watching.passes(), expected, "{:#?}", watching.logged());
}

#[test]
fn the_end_of_a_session() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let watching = listening(&machine);

    session.kill();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    assert!(watching.passes()[1].contains("process ended"));
}

#[test]
fn the_end_of_an_agent_whose_session_lives_on() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let watching = listening(&machine);

    session.agent().exit();

    let report = watching.wait_for_report("agent_exited", |report| {
        let notes = report["notes"].as_array().unwrap();
        notes.iter().any(|note| note["kind"] == "agent_exited")
    });
    assert_eq!(report["notes"][0]["session"], NAME);
}

#[test]
fn the_end_of_a_server() {
    let machine = Machine::new();
    one_of_two(&machine);
    let watching = listening(&machine);

    machine.server("default").kill();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
}

#[test]
fn a_process_whose_end_is_known_wakes_no_second_pass() {
    let machine = Machine::new();
    let session = machine
        .session(NAME)
        .running("claude")
        .remaining_on_exit()
        .start();
    machine.roll().row(NAME).pane(&session).write();
    let watching = listening(&machine);

    session.agent().kill();
    watching.wait_for_pass("process ended");
    watching.wait_for_passes(2);
    watching.wait_for_report("agent_exited", |_| true);

    assert_only(&watching, &["start", "process ended"]);
}

#[test]
fn a_row_that_somebody_else_writes() {
    let machine = Machine::new();
    one_of_two(&machine);
    let watching = listening(&machine);

    machine
        .skill()
        .writes(&format!("row('{NAME}')['note'] = 'x'"));

    watching.wait_for_pass("roll");
}

#[test]
fn a_roll_that_is_written_in_place_or_removed_and_restored() {
    let machine = Machine::new();
    one_of_two(&machine);
    let watching = listening(&machine);
    let text = machine.roll_text();

    machine.write_roll(format!("{text}# a remark\n"));
    watching.wait_for_pass("roll");
    fs::remove_file(machine.roll_path()).unwrap();
    watching.wait_for_word("does not exist");
    machine.write_roll(text);

    watching.wait_for_word("Passes can be made again");
}

#[test]
fn a_roll_behind_a_link_is_heard_of_in_both_places() {
    let machine = Machine::new();
    one_of_two(&machine);
    let kept = machine.folder("kept").join("roll.yaml");
    fs::rename(machine.roll_path(), &kept).unwrap();
    std::os::unix::fs::symlink(&kept, machine.roll_path()).unwrap();
    let watching = listening(&machine);

    let text = fs::read_to_string(&kept).unwrap();
    fs::write(&kept, format!("{text}# a remark\n")).unwrap();

    watching.wait_for_pass("roll");
}

#[test]
fn not_what_headcount_itself_writes_to_the_roll() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let watching = listening(&machine);
    session.kill();
    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);

    // The shell and the agent in it may end at different times.
    let passes = watching.passes();
    assert!(!passes.iter().any(|why| why.contains("roll")), "{passes:?}");
    watching.signal(Signal::HUP);
    watching.wait_for_pass("hangup");
    let passes = watching.passes();
    assert!(!passes.iter().any(|why| why.contains("roll")), "{passes:?}");
}

#[test]
fn not_a_roll_that_is_saved_as_it_was() {
    let machine = Machine::new();
    one_of_two(&machine);
    let watching = listening(&machine);

    machine.write_roll(machine.roll_text());
    let aside = machine.project().join(".hermes/other");
    fs::write(&aside, machine.roll_text()).unwrap();
    fs::rename(&aside, machine.roll_path()).unwrap();

    assert_only(&watching, &["start"]);
}

#[test]
fn a_conversation_that_begins() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let watching = listening(&machine);
    machine
        .claude()
        .pid_file(&session)
        .id(&conversation(1))
        .write();
    watching.wait_for_pass("agent file");

    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .write();

    wait_until("its id in the roll", || {
        (machine.row(NAME)["claude_session_id_own"] == conversation(1)).then_some(())
    });
}

#[test]
fn another_conversation_in_the_same_record() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    for number in [1, 2] {
        machine
            .claude()
            .transcript(&session.cwd, &conversation(number))
            .write();
    }
    let record = |number| {
        machine
            .claude()
            .pid_file(&session)
            .id(&conversation(number))
            .write()
    };
    record(1);
    let watching = machine.watch().every(3600).at_once().start();
    watching.wait_for_drift("C", NAME, |drift| drift["applied"] == true);

    record(2);

    let drift = watching.wait_for_drift("C", NAME, |drift| drift["kind"] == "rotated");
    assert_eq!(drift["applied"], true);
}

#[test]
fn not_what_an_agent_says_of_its_activity() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let says = |status| {
        machine
            .claude()
            .pid_file(&session)
            .id(&conversation(1))
            .status(status)
            .write()
    };
    let watching = listening(&machine);
    says("idle");
    watching.wait_for_pass("agent file");
    watching.wait_for_passes(2);
    // Written once more while it may still be read for the first time.
    for status in ["busy", "waiting", "idle", "busy", "idle"] {
        says(status);
    }

    assert_only(&watching, &["start", "agent file"]);
}

#[test]
fn not_the_lines_that_agents_append() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    let transcript = machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .write();
    let watching = listening(&machine);

    for _ in 0..500 {
        let mut file = OpenOptions::new().append(true).open(&transcript).unwrap();
        file.write_all(b"{\"type\":\"assistant\"}\n").unwrap();
    }

    assert_only(&watching, &["start"]);
}

#[test]
fn not_what_helpers_of_an_agent_write() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    machine
        .claude()
        .transcript(&session.cwd, &conversation(1))
        .write();
    let watching = listening(&machine);

    let folder = machine.claude().project_folder(&session.cwd);
    fs::write(folder.join("agent-7f3a1c52.jsonl"), "{}\n").unwrap();
    fs::create_dir_all(folder.join("7f3a1c52/tool-results")).unwrap();

    assert_only(&watching, &["start"]);
}

#[test]
fn as_many_files_are_open_as_may_be_asked_for() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    machine.settle(&machine.roll_path());
    let mut shell = machine.command("/bin/sh");
    shell.args([
        "-c",
        "ulimit -S -n 64; exec \"$0\" reconcile --poll 3600 --grace 0 --emit-diff -vv",
        env!("CARGO_BIN_EXE_headcount"),
    ]);
    let watching = Watching::of(shell);
    watching.wait_for_word("the ends of processes are listened for");

    session.kill();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    assert_eq!(watching.says("the timer only"), 0);
}

#[test]
fn more_processes_than_open_files_fall_back_to_the_timer() {
    let machine = Machine::new();
    let session = one_of_two(&machine);
    machine.settle(&machine.roll_path());
    let mut shell = machine.command("/bin/sh");
    shell.args([
        "-c",
        "ulimit -n 64; exec \"$0\" reconcile --poll 1 --grace 0 --emit-diff -vv",
        env!("CARGO_BIN_EXE_headcount"),
    ]);
    let watching = Watching::of(shell);
    watching.wait_for_passes(2);
    assert_eq!(watching.says("the timer only"), 1, "it is told once");

    session.kill();

    watching.wait_for_drift("A", NAME, |drift| drift["applied"] == true);
    let passes = watching.passes();
    assert!(
        !passes.iter().any(|why| why.contains("process")),
        "{passes:?}"
    );
}
