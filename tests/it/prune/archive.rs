//! The archive that rows are put into: a roll itself, that no command but `prune` writes.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use super::{ALONE, SHOP, archive, archive_of, machine_with, prune};

#[test]
fn an_archive_that_is_none_is_left_alone_and_nothing_goes() {
    for damage in ["", "tmux_sessions: [\n", "just: a file\n"] {
        let machine = machine_with(ALONE);
        fs::write(archive_of(&machine), damage).unwrap();
        let before = machine.roll_text();

        let told = prune(&machine, &[]).exits(2);

        assert!(
            told.stderr.contains("agent-sessions.archive.yaml"),
            "{told:?}"
        );
        assert!(
            told.stderr
                .contains("nothing was changed: put that file right, or move it away"),
            "{told:?}"
        );
        assert_eq!(machine.roll_text(), before);
        assert_eq!(archive(&machine), damage);
    }
    let machine = machine_with(ALONE);
    fs::create_dir(archive_of(&machine)).unwrap();
    let told = prune(&machine, &[]).exits(2);
    assert!(told.stderr.contains("not a file"), "{told:?}");
    assert_eq!(machine.read_roll().names(), [SHOP]);
}

#[test]
fn an_archive_is_no_roll_to_be_kept_right_and_can_still_be_looked_at() {
    let machine = machine_with(ALONE);
    let _ = prune(&machine, &[]).exits(0);
    let linked = machine.root().join("linked.yaml");
    symlink(archive_of(&machine), &linked).unwrap();
    let second = archive_of(&machine).with_file_name("agent-sessions.archive.2.yaml");
    let roll = machine.roll_path().display().to_string();
    let before = machine.footprint();
    for path in [archive_of(&machine), linked, second] {
        let path = path.to_str().unwrap();
        for command in [
            &["init"][..],
            &["reconcile", "--once"],
            &["reconcile", "--once", "--dry-run"],
            &["reconcile", "--poll"],
            &["plan"],
            &["diff"],
            &["record", "elsewhere"],
            &["prune", "--older-than", "0"],
            &["undo"],
            &["worker", "--task", "t_1"],
            &["dispatch"],
        ] {
            let refused = machine.headcount(&[command, &["--registry", path]].concat());
            let refused = refused.exits(2);
            assert_eq!(refused.stdout, "", "{command:?}");
            for said in [path, "is an archive", &format!("name {roll}")] {
                refused.complains_of(said);
            }
        }
    }
    assert_eq!(machine.footprint(), before);
    let path = archive_of(&machine).display().to_string();
    let _ = machine.headcount(&["validate", &path]).exits(0);
    for command in ["status", "explain", "log"] {
        let _ = machine
            .headcount(&[command, SHOP, "--registry", &path])
            .exits(0);
    }
}

#[test]
fn an_archive_that_was_once_taken_for_a_roll_is_left_out_of_all_rolls() {
    let machine = machine_with(ALONE);
    let _ = prune(&machine, &[]).exits(0);
    // What earlier versions remembered of one.
    let path = fs::canonicalize(archive_of(&machine)).unwrap();
    let hash = Command::new("sh")
        .args(["-c", "printf %s \"$1\" | sha256sum", "sh"])
        .arg(&path)
        .output()
        .unwrap();
    let hash = String::from_utf8(hash.stdout).unwrap();
    let memory = machine.state().join(format!("project-{}", &hash[..16]));
    fs::create_dir(&memory).unwrap();
    fs::set_permissions(&memory, fs::Permissions::from_mode(0o700)).unwrap();
    fs::write(memory.join("roll"), format!("{}\n", path.display())).unwrap();

    for command in ["status", "resume"] {
        let told = machine.headcount(&[command, "--all-rolls", "--json"]);
        let told = told.exits(0);
        assert!(!told.stdout.contains(path.to_str().unwrap()), "{told:?}");
        told.complains_of(&format!("{} is an archive", path.display()));
        told.complains_of(memory.to_str().unwrap());
    }
}

#[test]
fn what_is_wrong_with_an_archive_is_not_said_of_the_roll() {
    let large = vec![b'#'; (32 << 20) + 1];
    for (damage, said) in [
        (&b"tmux_sessions: [\xff]\n"[..], "it is not UTF-8 (byte 16)"),
        (b"tmux_sessions: [\0]\n", "it is no text (byte 16 is zero)"),
        (
            &large,
            "it has 33554433 bytes, where 33554432 is the most that is read",
        ),
        (b"", "it is empty"),
    ] {
        let machine = machine_with(ALONE);
        fs::write(archive_of(&machine), damage).unwrap();
        let told = prune(&machine, &[]).exits(2);
        let path = archive_of(&machine).display().to_string();
        told.complains_of(&format!(
            "{path} should be an archive of rows, and {said}; nothing was changed"
        ));
        for word in ["--registry", ".bak", "a roll has"] {
            assert!(!told.stderr.contains(word), "{told:?}");
        }
    }
    let machine = machine_with(ALONE);
    fs::create_dir(archive_of(&machine)).unwrap();
    let told = prune(&machine, &[]).exits(2);
    told.complains_of("and it is a folder, not a file; nothing was changed");
    fs::remove_dir(archive_of(&machine)).unwrap();
    symlink("nowhere", archive_of(&machine)).unwrap();
    let told = prune(&machine, &[]).exits(2);
    told.complains_of("and it is a symbolic link to nowhere, where there is nothing; nothing");
}
