//! Somebody has the roll open in an editor, which knows of no lock, and saves it all the while.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::{Memory, agents, assert_ended, assert_running, enrol, walked_both_ways};
use crate::support::{Machine, Pass, Session};

walked_both_ways! {
    the_roll_is_saved_in_place_between_two_looks,
    the_roll_is_replaced_between_two_looks,
    the_row_itself_is_edited_between_two_looks,
    the_roll_is_saved_in_place_all_the_while,
    the_roll_is_saved_slowly_all_the_while,
    the_roll_is_replaced_all_the_while,
}

/// How an editor saves.
#[derive(Clone, Copy)]
enum Save {
    /// It writes over the old text.
    InPlace,
    /// It writes over the old text, and takes its time between the two steps of that.
    SlowlyInPlace,
    /// It writes another file, and renames that.
    ByRename,
}

impl Save {
    fn save(self, path: &Path, text: &str) {
        match self {
            Self::InPlace => fs::write(path, text).unwrap(),
            Self::SlowlyInPlace => {
                let mut file = fs::File::create(path).unwrap();
                thread::sleep(Duration::from_millis(5));
                file.write_all(text.as_bytes()).unwrap();
            }
            Self::ByRename => {
                let new = path.with_extension("yaml.new");
                fs::write(&new, text).unwrap();
                fs::rename(&new, path).unwrap();
            }
        }
    }
}

fn the_roll_is_saved_in_place_between_two_looks(memory: Memory) {
    saved_between_two_looks(memory, Save::InPlace);
}

fn the_roll_is_replaced_between_two_looks(memory: Memory) {
    saved_between_two_looks(memory, Save::ByRename);
}

/// Kills the first of two sessions, and has the roll edited after headcount's first look and before its second.
#[track_caller]
fn edited_between_two_looks<'m>(
    machine: &'m Machine,
    memory: Memory,
    edit: impl FnOnce(&str),
) -> ([Session<'m>; 2], Pass) {
    let sessions = agents(machine, ["shop", "docs"]);
    enrol(machine, &sessions);
    memory.of(machine);

    sessions[0].kill();
    let looking = machine.reconcile().grace(4).start();
    machine.wait_until_remembered("tmux_gone");
    edit(&machine.roll_text());
    (sessions, looking.finish().exits(0))
}

fn saved_between_two_looks(memory: Memory, how: Save) {
    let machine = Machine::new();
    let ([shop, docs], pass) = edited_between_two_looks(&machine, memory, |text| {
        let text = format!(
            "# checked by hand\n{}  last_visible_note: \"busy # today\"   # keep\n",
            text
        );
        how.save(&machine.roll_path(), &text);
    });

    assert_ended(&machine, &pass, &shop, "session_gone");
    assert_running(&machine, &docs.name);
    assert_eq!(machine.row("docs")["last_visible_note"], "busy # today");
    let text = machine.roll_text();
    assert!(text.starts_with("# checked by hand\n"), "{text}");
    assert!(
        text.ends_with("last_visible_note: \"busy # today\"   # keep\n"),
        "{text}"
    );
}

fn the_row_itself_is_edited_between_two_looks(memory: Memory) {
    let machine = Machine::new();
    let mut saved = String::new();
    let (_, pass) = edited_between_two_looks(&machine, memory, |text| {
        saved = text.replacen("status: running", "status: archived", 1);
        Save::InPlace.save(&machine.roll_path(), &saved);
    });

    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), saved);
}

fn the_roll_is_saved_in_place_all_the_while(memory: Memory) {
    saved_all_the_while(memory, Save::InPlace);
}

fn the_roll_is_saved_slowly_all_the_while(memory: Memory) {
    saved_all_the_while(memory, Save::SlowlyInPlace);
}

fn the_roll_is_replaced_all_the_while(memory: Memory) {
    saved_all_the_while(memory, Save::ByRename);
}

fn saved_all_the_while(memory: Memory, how: Save) {
    let machine = Machine::new();
    let sessions = agents(&machine, ["shop", "docs", "news"]);
    enrol(&machine, &sessions);
    let saved = format!("{}# saved 0 times\n", machine.roll_text());
    machine.write_roll(&saved);
    memory.of(&machine);
    let [shop, docs, news] = &sessions;

    shop.kill();
    let open = AtomicBool::new(true);
    let path = machine.roll_path();
    let saves = thread::scope(|scope| {
        let editor = scope.spawn(|| {
            // It shows what it saved last, until it is told that the file has changed.
            let mut saves = 0;
            while open.load(Ordering::Relaxed) {
                let text = fs::read_to_string(&path).unwrap();
                let (rest, _) = text.rsplit_once("# saved ").unwrap();
                saves += 1;
                how.save(&path, &format!("{rest}# saved {saves} times\n"));
                thread::sleep(Duration::from_millis(32));
            }
            saves
        });
        let passes = [(); 8].map(|()| machine.reconcile().at_once().run());
        // Before anything is said of them: nobody else would close the editor.
        open.store(false, Ordering::Relaxed);
        for pass in passes {
            // Now and then there may be no quiet moment to write in; but a roll that is being saved is
            // never taken for an empty or broken one.
            let restless = pass.code == Some(2) && pass.stderr.contains("saved again and again");
            assert!(pass.code == Some(0) || restless, "{}", pass.stderr);
        }
        editor.join().unwrap()
    });

    assert!(saves > 0);
    let text = machine.roll_text();
    assert!(
        text.ends_with(&format!("# saved {saves} times\n")),
        "{text}"
    );
    // What the editor overwrote is found again; what it wrote is kept.
    let _ = machine.reconcile().at_once().run().exits(0);
    assert_eq!(machine.row(&shop.name)["status"], "terminated");
    assert_running(&machine, &docs.name);
    assert_running(&machine, &news.name);
    assert_eq!(machine.read_roll().names(), ["shop", "docs", "news"]);
    let text = machine.roll_text();
    assert!(
        text.ends_with(&format!("# saved {saves} times\n")),
        "{text}"
    );
}
