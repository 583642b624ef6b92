//! Never a false end: every way of not seeing, times every class of drift. The two lists below are crossed by one
//! function; every cell's sessions are alive, so whatever is ended or lost in it was ended or lost wrongly.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use rustix::process::Signal;
use serde_json::Value;

use crate::support::elsewhere::give_away;
use crate::support::{Elsewhere, Machine, Pass, conversation, tmux_folder_in};

/// The key of a row that holds its conversation.
const OWN_ID: &str = "claude_session_id_own";

/// One class of drift, to be seen by a session that is alive.
struct Class {
    letter: &'static str,
    session: &'static str,
    /// Whether a row declares the session, and by which id of its own.
    row: Option<Option<u32>>,
    /// The conversations that exist. The last one is the agent's own.
    conversations: &'static [u32],
}

/// Every class of drift. A is the one that must not be.
const CLASSES: [Class; 5] = [
    Class {
        letter: "A",
        session: "a-creator-claude",
        row: Some(None),
        conversations: &[],
    },
    Class {
        letter: "B",
        session: "b-creator-claude",
        row: None,
        conversations: &[],
    },
    Class {
        letter: "C",
        session: "c-creator-claude",
        row: Some(None),
        conversations: &[3],
    },
    Class {
        letter: "C",
        session: "rotated-creator-claude",
        row: Some(Some(4)),
        conversations: &[4, 5],
    },
    Class {
        letter: "D",
        session: "d-creator-claude",
        row: Some(Some(6)),
        conversations: &[],
    },
];

/// What a pass has to say of not having seen.
enum Says {
    /// Of each running row that its session was not seen.
    Unseen,
    /// Likewise at first sight. Later it is known where the sessions are.
    UnseenAtFirst,
    /// Likewise at first sight, but that it asks a process where a row records one, and holds the end of its row.
    HeldAtFirst,
    /// That this source could not be asked.
    Source(&'static str),
    /// Nothing: the sessions are seen all the same.
    Sessions,
    /// Nothing: every class is seen and told. So the cells are not empty.
    Everything,
}

/// A pass on that machine in which something cannot be seen; `None` where it cannot be had here.
type Blind = fn(&Machine) -> Option<Pass>;

/// The command of every cell.
fn command(machine: &Machine) -> Command {
    machine.reconcile().at_once().into_command()
}

/// A pass by a tmux that is this script.
fn by_tmux(machine: &Machine, script: &str) -> Option<Pass> {
    let mut command = command(machine);
    command.env("PATH", machine.path_with_tmux(script));
    Some(Pass::of(command))
}

fn with_env(machine: &Machine, key: &str, value: impl AsRef<std::ffi::OsStr>) -> Option<Pass> {
    let mut command = command(machine);
    command.env(key, value);
    Some(Pass::of(command))
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A pass on a roll that was written by the clock as it was before it jumped.
fn after_the_clock_jumped(
    machine: &Machine,
    was: impl Fn(SystemTime) -> SystemTime,
) -> Option<Pass> {
    let roll = fs::File::options().write(true).open(machine.roll_path());
    let time = was(SystemTime::now());
    roll.and_then(|roll| roll.set_modified(time))
        .expect("the roll's time can be set");
    Some(Pass::of(command(machine)))
}

/// Crosses one way of not seeing with every class. One pass meets all of them, so that none is hidden by another.
fn cross(says: &Says, is_remembered: bool, blind: Blind) {
    let says = match says {
        Says::UnseenAtFirst | Says::HeldAtFirst if is_remembered => &Says::Sessions,
        says => says,
    };
    let machine = Machine::new();
    let start = |class: &Class| {
        let session = machine.session(class.session);
        match class.letter {
            // What a live agent has not written yet is not stale.
            "D" => session.start(),
            _ => session.running("claude").start(),
        }
    };
    let sessions = CLASSES
        .each_ref()
        .map(|class| class.row.map(|_| start(class)));
    let mut roll = machine.roll();
    for (class, session) in CLASSES.iter().zip(&sessions) {
        let (Some(id), Some(session)) = (class.row, session) else {
            continue;
        };
        roll = roll.row(class.session);
        roll = match id {
            Some(id) => roll.pane(session).set(OWN_ID, conversation(id)),
            // The rows without an id are known by their names only: nothing but the listing decides about them.
            None => roll.null(OWN_ID),
        };
    }
    roll.write();
    if is_remembered {
        let _ = machine.reconcile().at_once().run().exits(0);
    }
    for (class, session) in CLASSES.iter().zip(sessions) {
        let session = session.unwrap_or_else(|| start(class));
        for &id in class.conversations {
            let id = conversation(id);
            machine.claude().transcript(&session.cwd, &id).write();
            machine.claude().pid_file(&session).id(&id).write();
        }
    }
    let before = machine.read_roll();

    let Some(pass) = blind(&machine) else { return };

    let pass = pass.exits(0);
    let after = machine.read_roll();
    for class in &CLASSES {
        if let Some(row) = before.find(class.session) {
            let now = after.row(class.session);
            assert_eq!(now["status"], row["status"], "{now}");
            nothing_is_lost(&row[OWN_ID], now);
        } else if let Some(row) = after.find(class.session) {
            assert_eq!(row["status"], "running");
        }
        says_so(says, class, &pass);
    }
    let mut ended = pass.drifts();
    ended.retain(|drift| drift["class"] == "A" && drift.held().is_none());
    assert!(ended.is_empty(), "{ended:#?}");
}

/// Fails unless the row has that id still, among the previous ones if there is a newer.
#[track_caller]
fn nothing_is_lost(id: &Value, row: &Value) {
    let Some(id) = id.as_str() else { return };
    let previous = row[format!("{OWN_ID}_previous")].to_string();
    assert!(row[OWN_ID] == id || previous.contains(id), "{id}: {row}");
}

#[track_caller]
fn says_so(says: &Says, class: &Class, pass: &Pass) {
    match says {
        Says::Unseen | Says::UnseenAtFirst => {
            assert!(!pass.is_confirmed());
            if class.row.is_some() {
                let note = pass.note_of("unseen", class.session);
                assert!(note["text"].as_str().is_some_and(|text| !text.is_empty()));
            }
        }
        Says::HeldAtFirst => {
            assert!(!pass.is_confirmed());
            match class.row {
                None => {}
                Some(None) => drop(pass.note_of("unseen", class.session)),
                Some(Some(_)) => {
                    let held = pass.drift("A", class.session).held();
                    assert_eq!(held.as_deref(), Some("process_alive"));
                }
            }
        }
        Says::Source(name) => {
            let report = pass.report();
            let sources = report["sources"].as_array().expect("a list of sources");
            let is_told = sources.iter().any(|source| {
                let text = |key: &str| source[key].as_str().unwrap_or_default();
                text("name").starts_with(name)
                    && text("state") == "unknown"
                    && !text("reason").is_empty()
            });
            assert!(is_told, "{sources:#?}");
        }
        Says::Sessions => {
            assert!(pass.is_confirmed(), "{:#}", pass.report());
            assert!(pass.alive().iter().any(|alive| alive == class.session));
        }
        Says::Everything if class.letter == "A" => pass.has_no_drift(class.session),
        Says::Everything => {
            let _ = pass.drift(class.letter, class.session);
        }
    }
}

/// One test for each way of not seeing, with and without a memory of having seen.
macro_rules! not_seeing {
    ($($name:ident: $says:expr, $blind:expr;)*) => {$(
        mod $name {
            use super::*;

            #[test]
            fn at_first_sight() {
                cross(&$says, false, $blind);
            }

            #[test]
            fn after_it_was_seen() {
                cross(&$says, true, $blind);
            }
        }
    )*};
}

not_seeing! {
    nothing: Says::Everything, |machine| Some(Pass::of(command(machine)));
    tmux_is_missing: Says::Unseen, |machine| with_env(machine, "PATH", machine.folder("no-programs"));
    another_tmux_folder: Says::UnseenAtFirst, |machine| with_env(machine, "TMUX_TMPDIR", machine.folder("another"));
    another_tmux_folder_with_a_server: Says::HeldAtFirst, |machine| {
        let another = machine.folder("another");
        let socket = tmux_folder_in(&another).join("default");
        let _ = machine.session("bystander").socket(socket).start();
        with_env(machine, "TMUX_TMPDIR", another)
    };
    tmux_fails: Says::Unseen, |machine| by_tmux(machine, "echo 'lost server' >&2; exit 1");
    tmux_is_killed: Says::Unseen, |machine| by_tmux(machine, "kill -KILL $$");
    tmux_says_nothing: Says::Unseen, |machine| by_tmux(machine, "exit 0");
    the_output_ends_early: Says::Unseen, |machine| by_tmux(machine, r#""$TMUX_ITSELF" "$@" | sed '$d'"#);
    the_output_lacks_a_row: Says::Unseen, |machine| by_tmux(machine, r#""$TMUX_ITSELF" "$@" | sed 3d"#);
    the_output_is_cut_in_mid_row: Says::Unseen, |machine| by_tmux(machine, r#""$TMUX_ITSELF" "$@" | head -c 300"#);
    the_server_is_another_after_the_listing: Says::Unseen, |machine| by_tmux(
        machine,
        r#""$TMUX_ITSELF" "$@" | sed '$s/COUNT\t[0-9]*/COUNT\t1/'"#,
    );
    the_c_locale: Says::Everything, |machine| {
        let mut command = command(machine);
        command.env("LANG", "C").env("LC_ALL", "C");
        Some(Pass::of(command))
    };
    no_locale_at_all: Says::Everything, |machine| {
        let mut command = command(machine);
        command.env_remove("LANG");
        Some(Pass::of(command))
    };
    the_server_hangs: Says::Unseen, |machine| {
        machine.server("default").process().signal(Signal::STOP);
        Some(Pass::of(command(machine)))
    };
    the_socket_file_is_removed: Says::Unseen, |machine| {
        fs::remove_file(machine.socket("default")).unwrap();
        Some(Pass::of(command(machine)))
    };
    somebody_listens_and_never_answers: Says::Unseen, |machine| {
        fs::remove_file(machine.socket("default")).unwrap();
        let _listener = UnixListener::bind(machine.socket("default")).unwrap();
        Some(Pass::of(command(machine)))
    };
    a_plain_file_is_in_the_sockets_place: Says::Unseen, |machine| {
        fs::remove_file(machine.socket("default")).unwrap();
        fs::write(machine.socket("default"), "").unwrap();
        Some(Pass::of(command(machine)))
    };
    the_server_is_another_users: Says::Unseen, |machine| {
        let nobody = Elsewhere::as_nobody()?;
        let mut command = command(machine);
        command.env("AGENT_SESSIONS_STATE_DIR", machine.folder("theirs/state"));
        fs::set_permissions(machine.root(), fs::Permissions::from_mode(0o755)).unwrap();
        give_away(&[&machine.project(), &machine.home(), &machine.folder("theirs")]);
        Some(nobody.run(&command))
    };
    no_processes_can_be_seen: Says::Source("process"), |machine| {
        let script = r#"mount -t tmpfs none /proc && exec "$@""#;
        let none: [&Path; 0] = [];
        Some(Elsewhere::in_a_mount_namespace(script, &none)?.run(&command(machine)))
    };
    another_users_processes_are_hidden: Says::Unseen, |machine| {
        let nobody = Elsewhere::as_nobody()?;
        let hidden = Elsewhere::in_a_mount_namespace(
            r#"mount -o remount,hidepid=2 /proc 2>/dev/null || mount -t proc -o hidepid=2 proc /proc; exec "$@""#,
            &[] as &[&Path; 0],
        )?;
        let mut command = command(machine);
        command.env("AGENT_SESSIONS_STATE_DIR", machine.folder("theirs/state"));
        fs::set_permissions(machine.root(), fs::Permissions::from_mode(0o755)).unwrap();
        give_away(&[&machine.project(), &machine.home(), &machine.folder("theirs")]);
        Some(hidden.run(&nobody.command(&command)))
    };
    another_pid_namespace: Says::Sessions, |machine| Some(Elsewhere::in_a_container()?.run(&command(machine)));
    another_pid_namespace_without_the_socket: Says::Unseen, |machine| {
        let mut command = command(machine);
        command.env("TMUX_TMPDIR", machine.folder("another"));
        Some(Elsewhere::in_a_container()?.run(&command))
    };
    a_second_host_with_the_same_files: Says::Unseen, |machine| {
        let mut command = command(machine);
        command.env("TMUX_TMPDIR", machine.folder("another"));
        Some(Elsewhere::on_another_machine(machine)?.run(&command))
    };
    the_clock_was_set_back_by_a_day: Says::Sessions, |machine| after_the_clock_jumped(machine, |now| now + DAY);
    the_clock_was_set_forward_by_a_day: Says::Sessions, |machine| after_the_clock_jumped(machine, |now| now - DAY);
}
