//! `headcount watch` as a person sees it: in a real terminal, on a tmux server that headcount does not look at.

use std::cell::Cell;
use std::fs;
use std::path::PathBuf;

use super::{Machine, Process, Session, wait_until, wait_until_or};

/// What `-vv` logs of each look.
const A_LOOK: &str = "a look, because of: ";

/// A terminal with a shell in it, in which `hc` is headcount.
pub struct Screen<'m> {
    machine: &'m Machine,
    session: Session<'m>,
    /// How many commands were run.
    runs: Cell<u32>,
}

impl<'m> Screen<'m> {
    /// A terminal of 100 columns and 40 rows.
    #[track_caller]
    pub fn of(machine: &'m Machine) -> Self {
        let program = machine.bin().join("hc");
        if !program.exists() {
            std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_headcount"), program)
                .expect("a link can be made");
        }
        machine.settle(&machine.roll_path());
        let session = machine
            .session("screen")
            .socket(machine.root().join("viewer"))
            .start();
        Self {
            machine,
            session,
            runs: Cell::new(0),
        }
    }

    /// The same, with `headcount watch` on it, which looks every thousand seconds unless something happens.
    #[track_caller]
    pub fn watching(machine: &'m Machine) -> Self {
        let screen = Self::of(machine);
        screen.watch("--interval 1000");
        screen
    }

    /// Starts `headcount watch` with these arguments, and waits for its first look.
    #[track_caller]
    pub fn watch(&self, arguments: &str) {
        self.run(&format!(
            "hc watch -vv {arguments} 2>>{}",
            self.log().display()
        ));
        self.wait("a look", |shown| {
            let words = ["in order:", "drifted:", "blind:"];
            shown.contains("? help") && words.iter().any(|word| shown.starts_with(word))
        });
    }

    /// Runs a command, and remembers how the terminal is before and after it.
    pub fn run(&self, command: &str) {
        self.runs.set(self.runs.get() + 1);
        let [before, after] = ["before", "after"].map(|name| self.file(name).display().to_string());
        self.session.type_line(&format!(
            "clear; stty -a >{before}; {command}; echo \"ended \"$?.; stty -a >{after}; echo do\"\"ne-{}.",
            self.runs.get()
        ));
    }

    /// Types a line into the shell.
    pub fn type_line(&self, line: &str) {
        self.session.type_line(line);
    }

    fn file(&self, name: &str) -> PathBuf {
        self.machine.root().join(format!("terminal-{name}"))
    }

    fn log(&self) -> PathBuf {
        self.file("log")
    }

    /// What is on it.
    #[track_caller]
    pub fn text(&self) -> String {
        self.session.screen()
    }

    /// What is on it, with its colours.
    #[track_caller]
    pub fn coloured(&self) -> String {
        let id = &self.session.id;
        self.session
            .server
            .run(&["capture-pane", "-e", "-p", "-t", id])
    }

    /// Waits until it shows this, and returns all that it shows.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait(text, |shown| shown.contains(text))
    }

    /// Waits until it shows all of these at once, and returns all that it shows. What is drawn together is not always
    /// seen together: tmux takes it in pieces.
    #[track_caller]
    pub fn wait_for_all(&self, texts: &[&str]) -> String {
        self.wait(&texts.join(", "), |shown| {
            texts.iter().all(|text| shown.contains(text))
        })
    }

    /// Waits until it does not show this any more.
    #[track_caller]
    pub fn wait_without(&self, text: &str) -> String {
        self.wait(&format!("nothing of {text}"), |shown| !shown.contains(text))
    }

    /// Waits until what it shows is as it should be.
    #[track_caller]
    pub fn wait(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        wait_until_or(
            || format!("{what} on:\n{}", self.text()),
            || Some(self.text()).filter(|shown| is_so(shown)),
        )
    }

    /// Waits until this session is the selected one.
    #[track_caller]
    pub fn wait_selected(&self, name: &str) {
        self.wait(&format!("{name} selected"), |shown| {
            let mut lines = shown.lines();
            lines.any(|line| line.starts_with("> ") && line.contains(name))
        });
    }

    /// Presses keys of tmux's naming (`j`, `Enter`, `C-c`).
    #[track_caller]
    pub fn press(&self, keys: &[&str]) {
        for key in keys {
            self.session.pane.press(key);
        }
    }

    /// Gives it another size. It takes its time until the program in it is told.
    #[track_caller]
    pub fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let id = &self.session.id;
        let size = ["resize-window", "-t", id, "-x", &columns, "-y", &rows];
        self.session.server.run(&size);
    }

    /// How many looks were made.
    pub fn looks(&self) -> usize {
        let log = fs::read_to_string(self.log()).unwrap_or_default();
        log.matches(A_LOOK).count()
    }

    /// Waits for a look after so many.
    #[track_caller]
    pub fn wait_for_look(&self, after: usize) {
        wait_until(&format!("a look after {after}"), || {
            (self.looks() > after).then_some(())
        });
    }

    /// The process of headcount on it.
    #[track_caller]
    pub fn process(&self) -> Process {
        wait_until("headcount on the screen", || {
            let mut processes = self.machine.processes().into_iter();
            processes.find(|process| {
                let comm = fs::read_to_string(format!("/proc/{}/comm", process.pid));
                comm.is_ok_and(|comm| comm.trim() == "hc")
            })
        })
    }

    /// Waits until it has ended, which must be with that code and leave the terminal as it was. Returns what is on it.
    #[track_caller]
    pub fn ends(&self, code: i32) -> String {
        let shown = self.wait_for_end();
        assert!(shown.contains(&format!("ended {code}.")), "{shown}");
        self.is_as_it_was();
        shown
    }

    /// Waits until the command has ended, and returns what is on the screen.
    #[track_caller]
    pub fn wait_for_end(&self) -> String {
        self.wait_for(&format!("done-{}.", self.runs.get()))
    }

    /// Fails the test unless the terminal is as it was before the command.
    #[track_caller]
    pub fn is_as_it_was(&self) {
        let read = |name| fs::read_to_string(self.file(name)).expect("stty has said how it is");
        assert_eq!(read("before"), read("after"), "the terminal's modes");
        self.is_not_taken();
    }

    /// Fails the test if the other screen is shown, or no cursor.
    #[track_caller]
    pub fn is_not_taken(&self) {
        let state = self.session.pane.format("#{alternate_on} #{cursor_flag}");
        assert_eq!(state, "0 1", "the other screen, and the cursor");
    }

    /// Everything that is written to the terminal from now on, by [`Written::so_far`].
    pub fn written(&self) -> Written {
        let file = self.file("written");
        let _ = fs::remove_file(&file);
        let id = &self.session.id;
        let command = format!("cat >{}", file.display());
        self.session
            .server
            .run(&["pipe-pane", "-O", "-t", id, &command]);
        wait_until("a file of what is written", || file.exists().then_some(()));
        Written(file)
    }

    /// Its terminal's device.
    pub fn device(&self) -> String {
        self.session.pane.format("#{pane_tty}")
    }

    /// Closes it.
    #[track_caller]
    pub fn close(&self) {
        self.session.server.kill();
    }

    /// tmux on the server of the screen itself.
    pub fn tmux(&self, args: &[&str]) -> String {
        self.session.server.run(args)
    }
}

/// What is written to a terminal.
pub struct Written(PathBuf);

impl Written {
    /// All of it, so far.
    pub fn so_far(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.0).unwrap_or_default()).into_owned()
    }
}
