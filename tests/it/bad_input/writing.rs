//! Rolls that cannot be written.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;

use rustix::process::Signal;

use super::{assert_refused, with_something_to_write};
use crate::support::{Elsewhere, Machine, Running, wait_until};

/// A process that holds the roll's lock until it is ended.
fn hold_lock(machine: &Machine) -> Running {
    hold(machine, &machine.roll_path().with_extension("yaml.lock"))
}

/// A process that holds a lock until it is ended.
fn hold(machine: &Machine, lock: &Path) -> Running {
    let ready = machine.root().join("locked");
    let mut holder = machine.command("flock");
    holder
        .arg("--close")
        .arg(lock)
        .args(["/bin/sh", "-c", "touch \"$0\"; while :; do sleep 600; done"])
        .arg(&ready);
    let holder = Running::of(holder);
    wait_until("the lock to be held", || ready.exists().then_some(()));
    holder
}

#[test]
fn a_lock_that_is_held_for_ever_is_waited_for_a_while_and_its_holder_named() {
    let machine = Machine::new();
    let [shop, _] = with_something_to_write(&machine);
    let holder = hold_lock(&machine);
    let before = machine.roll_text();

    let pass = machine
        .reconcile()
        .at_once()
        .arg("--lock-timeout=1")
        .run()
        .exits(2);

    let lock = machine.roll_path().with_extension("yaml.lock");
    let pid = holder.process().pid.to_string();
    for hint in [lock.to_str().unwrap(), "after 1s", &pid, "flock"] {
        pass.complains_of(hint);
    }
    // What was found is told all the same, and why it is not written.
    let drift = pass.drift("A", &shop.name);
    assert_eq!(drift.held().as_deref(), Some("locked"));
    let why = drift["held"]["why"].as_str().unwrap();
    assert!(why.contains(&pid) && why.contains("flock"), "{why}");
    let remedy = drift["held"]["remedy"].as_str().unwrap();
    assert!(remedy.contains("--lock-timeout"), "{remedy}");
    assert_eq!(machine.roll_text(), before);
    holder.signal(Signal::KILL);
}

#[test]
fn with_a_timeout_of_0_the_lock_is_tried_once() {
    let machine = Machine::new();
    let [shop, _] = with_something_to_write(&machine);
    let holder = hold_lock(&machine);

    let pass = machine
        .reconcile()
        .at_once()
        .arg("--lock-timeout=0")
        .run()
        .exits(2);

    assert_eq!(
        pass.drift("A", &shop.name).held().as_deref(),
        Some("locked")
    );
    pass.complains_of("agent-sessions.yaml.lock is locked by");
    holder.signal(Signal::KILL);
}

#[test]
fn while_another_headcount_keeps_the_memory_one_can_still_see_what_differs() {
    let machine = Machine::new();
    let [shop, _] = with_something_to_write(&machine);
    let _ = machine.headcount(&["init"]).exits(0);
    let folder = fs::read_dir(machine.state()).unwrap().next().unwrap();
    let holder = hold(&machine, &folder.unwrap().path().join("lock"));
    let before = machine.footprint();

    let pass = machine
        .reconcile()
        .at_once()
        .arg("--lock-timeout=0")
        .run()
        .exits(2);

    pass.complains_of("another headcount is at work on this roll");
    assert_eq!(
        pass.drift("A", &shop.name).held().as_deref(),
        Some("locked")
    );
    assert_eq!(machine.footprint(), before);
    holder.signal(Signal::KILL);
}

#[test]
fn nothing_to_write_needs_no_lock() {
    let machine = Machine::new();
    let docs = machine.session("docs").running("claude").start();
    machine.roll().row("docs").pane(&docs).write();
    machine.settle(&machine.roll_path());
    let holder = hold_lock(&machine);

    let pass = machine.reconcile().run().exits(0);

    pass.has_no_drifts();
    holder.signal(Signal::KILL);
}

#[test]
fn a_lock_that_is_let_go_in_time_is_taken() {
    let machine = Machine::new();
    let [shop, _] = with_something_to_write(&machine);
    let holder = hold_lock(&machine);

    let looking = machine.reconcile().at_once().start();
    machine.wait_until_remembered("tmux_gone");
    holder.signal(Signal::KILL);
    let pass = looking.finish().exits(0);

    assert!(pass.drift("A", &shop.name).is_applied());
    assert_eq!(machine.row(&shop.name)["status"], "terminated");
}

#[test]
fn a_folder_that_cannot_be_written_to_is_named() {
    let machine = Machine::new();
    with_something_to_write(&machine);
    let folder = machine.roll_path().parent().unwrap().to_owned();
    let before = crate::support::Footprint::of(&[&folder]);
    let Some(read_only) = Elsewhere::with_read_only(&folder) else {
        return;
    };

    let pass = read_only.run(&machine.reconcile().at_once().into_command());

    assert_refused(&pass, 2, &folder, &["ead-only", "--dry-run"]);
    assert_eq!(crate::support::Footprint::of(&[&folder]), before);
}

#[test]
fn in_a_folder_that_cannot_be_written_to_one_can_still_look() {
    let machine = Machine::new();
    let [shop, _] = with_something_to_write(&machine);
    let folder = machine.roll_path().parent().unwrap().to_owned();
    let Some(read_only) = Elsewhere::with_read_only(&folder) else {
        return;
    };

    let pass = read_only
        .run(&machine.reconcile().at_once().dry_run().into_command())
        .exits(0);

    assert_eq!(pass.drift("A", &shop.name)["reason"], "session_gone");
}

/// Where the folder `$1` is a file system of its own with `$2` in it as the roll, and full. What became of
/// the roll is copied back to `$2`, and the names of the files beside it are left in `$2.names`.
const ON_A_FULL_DISK: &str = r#"
folder=$1 roll=$2
shift 2
mount -t tmpfs -o size=64k none "$folder" || exit 99
cp "$roll" "$folder/agent-sessions.yaml"
dd if=/dev/zero of="$folder/filler" bs=1k 2>/dev/null
"$@"
code=$?
cp "$folder/agent-sessions.yaml" "$roll"
ls -A "$folder" >"$roll.names"
exit $code
"#;

#[test]
fn on_a_full_disk_the_roll_stays_whole() {
    let machine = Machine::new();
    with_something_to_write(&machine);
    // More than is left over in any block.
    let roll = machine.root().join("roll");
    let text = format!("{}# {}\n", machine.roll_text(), "x".repeat(8000));
    fs::write(&roll, &text).unwrap();
    let folder = machine.roll_path().parent().unwrap().to_owned();
    let Some(full) = Elsewhere::in_a_mount_namespace(ON_A_FULL_DISK, &[&folder, &roll]) else {
        return;
    };

    let pass = full.run(&machine.reconcile().at_once().into_command());

    assert_refused(&pass, 2, &folder, &["space"]);
    assert!(
        fs::read_to_string(&roll).unwrap() == text,
        "the roll was changed"
    );
    let names = fs::read_to_string(roll.with_extension("names")).unwrap();
    let strange: Vec<&str> = names
        .lines()
        .filter(|name| {
            !["agent-sessions.yaml", "agent-sessions.yaml.lock", "filler"].contains(name)
        })
        .collect();
    assert!(strange.is_empty(), "left behind: {strange:?}");
}

#[test]
fn with_a_full_state_folder_nothing_is_written_to_the_roll() {
    let machine = Machine::new();
    with_something_to_write(&machine);
    let before = machine.roll_text();
    fs::create_dir_all(machine.state()).unwrap();
    let script = r#"
mount -t tmpfs -o size=32k,mode=700 none "$1" && shift || exit 99
dd if=/dev/zero of="$AGENT_SESSIONS_STATE_DIR/filler" bs=1k 2>/dev/null
exec "$@""#;
    let Some(full) = Elsewhere::in_a_mount_namespace(script, &[&machine.state()]) else {
        return;
    };

    let pass = full.run(&machine.reconcile().at_once().into_command());

    assert_refused(&pass, 2, &machine.state(), &["space"]);
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_roll_behind_a_link_is_written_where_it_is() {
    let machine = Machine::new();
    let [shop, _] = with_something_to_write(&machine);
    let target = machine.folder("elsewhere").join("our-sessions.yaml");
    fs::rename(machine.roll_path(), &target).unwrap();
    symlink(&target, machine.roll_path()).unwrap();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", &shop.name).is_applied());
    assert_eq!(fs::read_link(machine.roll_path()).unwrap(), target);
    assert!(is_file(&target));
    assert!(fs::read_to_string(&target).unwrap().contains("terminated"));
}

#[test]
fn what_a_killed_headcount_left_beside_the_roll_is_tidied_by_the_next_write() {
    let machine = Machine::new();
    let [shop, _] = with_something_to_write(&machine);
    let folder = machine.roll_path().parent().unwrap().to_owned();
    for left in [
        ".agent-sessions.yaml.headcount-x7Yz01.tmp",
        ".agent-sessions.yaml.bak.headcount-x7Yz01.tmp",
    ] {
        fs::write(folder.join(left), "tmux_sessions: [").unwrap();
    }
    fs::write(folder.join(".agent-sessions.yaml.swp"), "an editor's").unwrap();

    let pass = machine.reconcile().at_once().run().exits(0);

    assert!(pass.drift("A", &shop.name).is_applied());
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            ".agent-sessions.yaml.swp",
            "agent-sessions.yaml",
            "agent-sessions.yaml.bak",
            "agent-sessions.yaml.lock"
        ]
    );
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() && meta.nlink() == 1)
}
