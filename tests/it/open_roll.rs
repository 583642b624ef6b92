//! The roll while a program that takes no lock has it open for writing: what that has not written yet must find the
//! roll where it was.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::support::{Footprint, Machine, Session};

const GONE: &str = "gone-creator-claude";
const KEPT: &str = "kept-creator-claude";

/// A shell that has the roll open. It is no child of the machine's, which looks at none of its own.
struct Writer {
    shell: Child,
    lines: Option<ChildStdin>,
}

impl Writer {
    /// Opens the roll: `>` empties it, `>>` appends, `<>` writes over it.
    fn opens(machine: &Machine, how: &str) -> Self {
        let script = format!(
            r#"exec 3{how}"$1"; echo open; while IFS= read -r line; do printf '%s\n' "$line" >&3; echo written; done"#
        );
        let mut shell = Command::new("/bin/sh")
            .args(["-c", &script, "sh"])
            .arg(machine.roll_path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = shell.stdin.take();
        let mut it = Self { shell, lines };
        it.waits_for("open");
        it
    }

    fn waits_for(&mut self, word: &str) {
        let mut said = String::new();
        let out = self.shell.stdout.as_mut().unwrap();
        // It says no more than one word before it is asked again.
        BufReader::with_capacity(1, out)
            .read_line(&mut said)
            .unwrap();
        assert_eq!(said.trim(), word);
    }

    fn writes(&mut self, text: &str) {
        for line in text.lines() {
            let lines = self.lines.as_mut().unwrap();
            writeln!(lines, "{line}").unwrap();
            self.waits_for("written");
        }
    }

    fn closes(mut self) {
        self.lines = None;
        self.shell.wait().unwrap();
    }
}

/// A roll with two rows, of which one is to be ended.
fn with_an_end(machine: &Machine) -> [Session<'_>; 2] {
    let gone = machine.session(GONE).running("claude").start();
    let kept = machine.session(KEPT).running("claude").start();
    machine
        .roll()
        .row(GONE)
        .pane(&gone)
        .row(KEPT)
        .pane(&kept)
        .write();
    gone.kill();
    [gone, kept]
}

#[test]
fn what_is_being_saved_in_place_is_not_replaced_and_the_rest_of_it_arrives() {
    let machine = Machine::new();
    let _sessions = with_an_end(&machine);
    let whole = machine.roll_text();
    let (first, rest) = whole.split_at(whole.find(&format!("- name: {KEPT}")).unwrap());
    let mut writer = Writer::opens(&machine, ">");
    writer.writes(first);

    // Half a roll is one, too: it lacks a session that is alive.
    let pass = machine.reconcile().at_once().run().exits(2);

    let pid = writer.shell.id().to_string();
    for hint in ["agent-sessions.yaml is open for writing", "sh", &pid] {
        pass.complains_of(hint);
    }
    assert_eq!(pass.drift("A", GONE).held().as_deref(), Some("locked"));
    assert_eq!(machine.roll_text(), first);
    assert!(!machine.roll_path().with_extension("yaml.bak").exists());
    // There is nothing to undo either.
    assert!(!Footprint::of(&[&machine.state()]).has("rewrites.json", GONE));
    writer.writes(rest);
    writer.closes();
    assert_eq!(machine.roll_text(), whole);
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(pass.drift("A", GONE).is_applied());
    pass.has_no_drift(KEPT);
    assert!(Footprint::of(&[&machine.state()]).has("rewrites.json", GONE));
}

#[test]
fn who_has_opened_the_roll_and_written_nothing_yet_loses_nothing() {
    for (how, again) in [(">>", false), ("<>", true)] {
        let machine = Machine::new();
        let _sessions = with_an_end(&machine);
        let before = machine.roll_text();
        let mut writer = Writer::opens(&machine, how);

        let pass = machine.reconcile().at_once().run().exits(2);

        assert_eq!(pass.drift("A", GONE).held().as_deref(), Some("locked"));
        assert_eq!(machine.roll_text(), before);
        if again {
            writer.writes(&before);
        }
        writer.writes("# mine");
        writer.closes();
        let pass = machine.reconcile().at_once().run().exits(0);
        assert!(pass.drift("A", GONE).is_applied());
        assert!(machine.roll_text().contains("# mine\n"));
    }
}

#[test]
fn a_program_that_soon_closes_the_roll_is_waited_for() {
    let machine = Machine::new();
    let _sessions = with_an_end(&machine);
    let mut writer = Writer::opens(&machine, ">>");
    let pass = machine.reconcile().at_once().start();

    machine.wait_until_remembered("tmux_gone");
    std::thread::sleep(Duration::from_millis(200));
    writer.writes("# mine");
    writer.closes();

    let pass = pass.finish().exits(0);
    assert!(pass.drift("A", GONE).is_applied());
    assert!(machine.roll_text().contains("# mine\n"));
}

#[test]
fn who_only_reads_the_roll_is_in_nobodys_way() {
    let machine = Machine::new();
    let _sessions = with_an_end(&machine);
    let reader = Writer::opens(&machine, "<");

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", GONE).is_applied());
    reader.closes();
}
