//! The state folder: private, and of use even after it was damaged.

mod lost;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::elsewhere::NOBODY;
use crate::support::{Footprint, Machine, Pass, Session};

/// A machine whose headcount has looked once, while all was well, and on which a session has ended since.
fn with_an_end<'m>(machine: &'m Machine) -> [Session<'m>; 2] {
    let sessions = ["shop", "docs"].map(|name| machine.session(name).running("claude").start());
    machine
        .roll()
        .row("shop")
        .pane(&sessions[0])
        .row("docs")
        .pane(&sessions[1])
        .write();
    machine.reconcile().at_once().run().exits(0).has_no_drifts();
    sessions[0].kill();
    sessions
}

/// The folder of the machine's only roll.
fn folder(machine: &Machine) -> PathBuf {
    let folders: Vec<PathBuf> = fs::read_dir(machine.state())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    let [folder] = folders.as_slice() else {
        panic!("not one folder: {folders:?}");
    };
    folder.clone()
}

/// Every file and folder at and below a path.
fn all(path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            found.extend(all(&entry.unwrap().path()));
        }
    }
    found
}

#[track_caller]
fn assert_writes(machine: &Machine) -> Pass {
    let pass = machine.reconcile().at_once().run().exits(0);
    assert!(pass.drift("A", "shop").is_applied(), "{:#}", pass.report());
    assert_eq!(machine.row("shop")["status"], "terminated");
    pass
}

#[test]
fn nobody_else_can_look_into_it_whatever_the_umask() {
    let machine = Machine::new();
    with_an_end(&machine);
    fs::remove_dir_all(machine.state()).unwrap();
    let looking = machine.reconcile().at_once().into_command();
    let mut shell = machine.command("/bin/sh");
    shell.args(["-c", "umask 000; exec \"$@\"", "sh"]);
    shell.arg(looking.get_program()).args(looking.get_args());

    let _ = Pass::of(shell).exits(0);

    for path in all(&machine.state()) {
        let meta = fs::metadata(&path).unwrap();
        assert_eq!(
            meta.mode() & 0o077,
            0,
            "{} has mode {:o}",
            path.display(),
            meta.mode()
        );
    }
    assert!(all(&machine.state()).len() > 3);
}

#[test]
fn a_dry_run_does_not_make_it_and_does_not_touch_it() {
    let machine = Machine::new();
    let docs = machine.session("docs").running("claude").start();
    machine.roll().row("docs").pane(&docs).row("gone").write();

    let _ = machine.reconcile().not_settled().dry_run().run().exits(0);
    assert!(!machine.state().exists());

    let _ = machine.reconcile().at_once().run().exits(0);
    machine
        .session("shop-creator-claude")
        .running("claude")
        .start();
    let before = machine.footprint();
    let _ = machine.reconcile().dry_run().at_once().run().exits(0);
    assert_eq!(machine.footprint(), before);
}

/// Fails the test unless headcount refuses the state folder as it is now, and writes nothing through it.
#[track_caller]
fn assert_refused(machine: &Machine, named: &Path, watched: &Path) {
    let before = (machine.roll_text(), Footprint::of(&[watched]));

    let pass = machine.reconcile().at_once().run().exits(2);

    assert_eq!(pass.stdout, "");
    pass.complains_of(named.to_str().unwrap());
    assert_eq!((machine.roll_text(), Footprint::of(&[watched])), before);
}

#[test]
fn a_planted_link_is_refused() {
    let machine = Machine::new();
    with_an_end(&machine);
    let folder = folder(&machine);
    let elsewhere = machine.folder("elsewhere");

    // In the place of the roll's folder.
    fs::remove_dir_all(&folder).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    assert_refused(&machine, &folder, &elsewhere);

    // In the place of the whole.
    fs::remove_dir_all(machine.state()).unwrap();
    symlink(&elsewhere, machine.state()).unwrap();
    assert_refused(&machine, &machine.state(), &elsewhere);
}

#[test]
fn a_planted_link_in_the_place_of_any_file_is_refused() {
    let machine = Machine::new();
    with_an_end(&machine);
    let folder = folder(&machine);
    // What a loop leaves, and what headcount makes at other times.
    machine.watch().every(1).start().wait_for_passes(2);
    let made = all(&folder)
        .into_iter()
        .map(|path| path.strip_prefix(&folder).unwrap().to_owned())
        .filter(|name| !name.as_os_str().is_empty());
    let others = [
        "journal.1",
        "inbox",
        "inbox.new",
        "ledger.json.new",
        "roll.new",
        "worker.lock",
    ];
    let names: BTreeSet<PathBuf> = made.chain(others.map(PathBuf::from)).collect();
    assert!(names.len() > 12, "{names:?}");

    for name in names {
        let file = folder.join(&name);
        let (aside, victim) = (machine.root().join("aside"), machine.root().join("victim"));
        let was_there = file.exists();
        if was_there {
            fs::rename(&file, &aside).unwrap();
        }
        if aside.is_dir() {
            fs::create_dir(&victim).unwrap();
        } else {
            fs::write(&victim, "precious").unwrap();
        }
        symlink(&victim, &file).unwrap();

        let before = Footprint::of(&[&victim]);

        assert_refused(&machine, &file, &victim);
        let mut watching = machine.watch().every(1).start_anyway();
        assert_eq!(watching.end(), Some(2), "{}", name.display());
        assert_eq!(Footprint::of(&[&victim]), before);
        let dry = machine.reconcile().dry_run().run();
        assert_ne!(dry.code, Some(0), "{}", name.display());

        fs::remove_file(&file).unwrap();
        if victim.is_dir() {
            fs::remove_dir(&victim).unwrap();
        } else {
            fs::remove_file(&victim).unwrap();
        }
        if was_there {
            fs::rename(&aside, &file).unwrap();
        }
    }
    let _ = assert_writes(&machine);
}

#[test]
fn somebody_elses_folder_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return crate::support::skip("only root can give a folder away");
    }
    let machine = Machine::new();
    with_an_end(&machine);
    std::os::unix::fs::chown(machine.state(), Some(NOBODY), Some(NOBODY)).unwrap();

    assert_refused(&machine, &machine.state(), &machine.state());
}

#[test]
fn a_file_in_its_place_is_refused() {
    let machine = Machine::new();
    with_an_end(&machine);
    fs::remove_dir_all(machine.state()).unwrap();
    fs::write(machine.state(), "mine").unwrap();

    assert_refused(&machine, &machine.state(), &machine.state());
}

#[test]
fn a_folder_that_others_may_write_to_is_made_private() {
    let machine = Machine::new();
    with_an_end(&machine);
    for path in [machine.state(), folder(&machine)] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }

    let _ = assert_writes(&machine);

    assert_eq!(fs::metadata(machine.state()).unwrap().mode() & 0o022, 0);
    assert_eq!(fs::metadata(folder(&machine)).unwrap().mode() & 0o077, 0);
}

#[test]
fn a_damaged_ledger_is_set_aside_and_the_pass_goes_on() {
    let damages: [&[u8]; 5] = [b"", b"\0\0\0\0", b"{}", b"{\"version\": 99}", b"[1, 2"];
    for damage in damages {
        let machine = Machine::new();
        with_an_end(&machine);
        let ledger = folder(&machine).join("ledger.json");
        fs::write(&ledger, damage).unwrap();

        let pass = assert_writes(&machine);

        pass.complains_of(ledger.to_str().unwrap());
        assert_eq!(
            fs::read(ledger.with_extension("json.damaged")).unwrap(),
            damage
        );
        // It has a ledger again, and nothing to say about it.
        let pass = machine.reconcile().run().exits(0);
        assert_eq!(pass.stderr, "");
    }
}

#[test]
fn a_ledger_does_not_grow_without_end() {
    let machine = Machine::new();
    let _ = with_an_end(&machine);
    let path = folder(&machine).join("ledger.json");
    let mut ledger: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let server = ledger["servers"][0].clone();
    let now = server["seen"].as_i64().unwrap();
    let servers = ledger["servers"].as_array_mut().unwrap();
    let hundred_days = 100 * 24 * 3600 * 1000;
    for number in 0..20_000 {
        let mut ended = server.clone();
        ended["socket"] = format!("/run/tmux/{number}").into();
        ended["seen"] = (now - 1000 - i64::from(number % 2) * hundred_days).into();
        servers.push(ended);
    }
    ledger["drifts"] = (0..20_000)
        .map(|number| {
            serde_json::json!({
                "id": format!("b-{number}"), "first_seen": 0, "last_seen": number, "count": 1,
                "proven_since": null, "session": "unseen", "server": "unseen", "class": "B",
                "kind": "unregistered", "told_as": "told",
            })
        })
        .collect();
    fs::write(&path, ledger.to_string()).unwrap();

    let _ = assert_writes(&machine);

    let ledger: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let length = |of: &str| ledger[of].as_array().unwrap().len();
    assert_eq!(length("servers"), 10_000);
    // A pass that had to look twice has put its own drift into the full ledger, and taken it out again.
    assert!(
        [9_999, 10_000].contains(&length("drifts")),
        "{}",
        length("drifts")
    );
    for drift in ledger["drifts"].as_array().unwrap() {
        let number = drift["id"].as_str().unwrap().strip_prefix("b-").unwrap();
        assert!(
            number.parse::<u32>().unwrap() >= 10_000,
            "{drift} is not of the newest"
        );
    }
    let kept = ledger["servers"].as_array().unwrap();
    assert!(kept.iter().any(|kept| kept["socket"] == server["socket"]));
    assert_eq!(length("rows"), 2);
}

#[test]
fn a_ledger_that_was_cut_anywhere_does_no_harm() {
    let machine = Machine::new();
    with_an_end(&machine);
    let ledger = folder(&machine).join("ledger.json");
    let whole = fs::read(&ledger).unwrap();
    let roll = machine.roll_text();
    for part in 0..8 {
        fs::write(&ledger, &whole[..whole.len() * part / 8]).unwrap();
        machine.write_roll(&roll);

        let _ = assert_writes(&machine);
    }
}

#[test]
fn a_journal_that_was_cut_anywhere_keeps_what_is_whole_and_goes_on() {
    let machine = Machine::new();
    let _ = with_an_end(&machine);
    let _ = assert_writes(&machine);
    let journal = folder(&machine).join("journal");
    let whole = fs::read(&journal).unwrap();
    assert!(memchr::memmem::find(&whole, b"tmux_gone").is_some());
    let first_line = memchr::memchr(b'\n', &whole).unwrap() + 1;
    let cuts = [
        whole.len() - 1,
        whole.len() / 2,
        first_line + 1,
        first_line,
        1,
        0,
    ];
    for (number, cut) in cuts.into_iter().enumerate() {
        fs::write(&journal, &whole[..cut]).unwrap();
        let name = format!("new-{number}-creator-claude");
        machine.session(&name).running("claude").start();

        let pass = machine.reconcile().at_once().run().exits(0);

        assert!(pass.drift("B", &name).is_applied());
        let after = fs::read(&journal).unwrap();
        let kept = whole[..cut]
            .iter()
            .rposition(|&byte| byte == b'\n')
            .map_or(0, |at| at + 1);
        assert!(after.starts_with(&whole[..kept]), "whole lines were lost");
        let lines = String::from_utf8(after).unwrap();
        for line in lines.lines() {
            assert!(
                serde_json::from_str::<serde_json::Value>(line).is_ok(),
                "{line}"
            );
        }
        assert!(lines.contains(&name));
    }
}

#[test]
fn two_headcounts_at_once_write_everything_once() {
    let machine = Machine::new();
    let _ = with_an_end(&machine);
    machine
        .session("new-creator-claude")
        .running("claude")
        .start();

    let running: Vec<_> = (0..4)
        .map(|_| machine.reconcile().at_once().start())
        .collect();
    let passes: Vec<Pass> = running.into_iter().map(|it| it.finish().exits(0)).collect();

    for (class, session) in [("A", "shop"), ("B", "new-creator-claude")] {
        let writers = passes.iter().flat_map(Pass::drifts).filter(|drift| {
            drift["class"] == class && drift["session"] == session && drift.is_applied()
        });
        assert_eq!(writers.count(), 1, "{class} of {session}");
    }
    assert_eq!(
        machine.read_roll().names(),
        ["shop", "docs", "new-creator-claude"]
    );
}

#[test]
fn each_roll_has_a_memory_of_its_own() {
    let machine = Machine::new();
    let docs = machine.session("docs").running("claude").start();
    machine.roll().row("docs").pane(&docs).write();
    let other = machine.folder("other/.hermes").join("agent-sessions.yaml");
    machine.roll().path(&other).row("docs").pane(&docs).write();

    let _ = machine.reconcile().run().exits(0);
    let _ = machine.reconcile().registry(&other).run().exits(0);

    let folders = fs::read_dir(machine.state()).unwrap().count();
    assert_eq!(folders, 2);
}

#[test]
fn where_it_cannot_be_made_it_says_how_to_name_another() {
    let machine = Machine::new();
    machine.roll().row("docs").write();

    let pass = machine
        .reconcile()
        .not_settled()
        .arg("--state-dir=/dev/null/x")
        .run()
        .exits(2);

    pass.complains_of("/dev/null/x");
    pass.complains_of("--state-dir");
}

#[test]
fn what_stands_in_the_memorys_place_is_told_as_what_it_is() {
    let machine = Machine::new();
    machine.roll().row("old").status("stopped").write();
    let _ = machine.reconcile().at_once().run().exits(0);
    let ledger = folder(&machine).join("ledger.json");
    for what in ["a named pipe", "a folder"] {
        fs::remove_file(&ledger).unwrap();
        if what == "a folder" {
            fs::create_dir(&ledger).unwrap();
        } else {
            let made = machine.command("mkfifo").arg(&ledger).status().unwrap();
            assert!(made.success());
        }

        let status = machine.headcount(&["status"]).exits(0).stdout;

        assert!(
            status.contains(&format!("it is {what}, and no file")),
            "{status}"
        );
        assert!(
            status.contains("sets it aside and begins a new one"),
            "{status}"
        );
        let _ = machine.reconcile().at_once().run().exits(0);
        assert!(ledger.is_file());
        fs::remove_file(ledger.with_extension("json.damaged"))
            .or_else(|_| fs::remove_dir(ledger.with_extension("json.damaged")))
            .unwrap();
    }
}
