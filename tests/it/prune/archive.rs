//! The archive that rows are put into: a roll itself, that no command but `prune` writes.

use std::fs;
use std::os::unix::fs::symlink;

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
