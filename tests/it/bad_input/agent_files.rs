//! Agents' files that are broken, huge, or not files at all. Nothing is concluded from what was not read.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde_json::json;

use crate::support::elsewhere::give_away;
use crate::support::{Agent, Elsewhere, Machine, Pass, Session, conversation};

/// A session with Claude Code in it, whose row has a null id.
fn claude_without_id(machine: &Machine) -> Session<'_> {
    let shop = machine
        .session("shop-creator-claude")
        .running(Agent::claude().under_a_shell())
        .start();
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&shop)
        .null("claude_session_id_own")
        .write();
    shop
}

/// A moment that is surely after the session was made.
fn after(session: &Session<'_>) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(session.created).unwrap() + 2)
}

fn transcript(machine: &Machine, session: &Session<'_>) -> PathBuf {
    machine
        .claude()
        .transcript(&machine.project(), &conversation(1))
        .begun_at(after(session))
        .write()
}

#[track_caller]
fn assert_id_found(machine: &Machine, pass: &Pass, confidence: &str) {
    let drift = pass.drift("C", "shop-creator-claude");
    assert!(drift.is_applied(), "{drift:#?}");
    assert_eq!(drift["confidence"], confidence);
    assert_eq!(
        machine.row("shop-creator-claude")["claude_session_id_own"],
        conversation(1)
    );
}

/// Fails the test unless the look found nothing to write, wrote nothing, and says that it could not read
/// that file.
#[track_caller]
fn assert_unread(machine: &Machine, pass: &Pass, roll: &str, file: &str) {
    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), roll);
    let report = pass.report();
    let told = ["sources", "notes"]
        .map(|key| report[key].to_string())
        .concat();
    assert!(told.contains(file), "{file} is not named in {report:#}");
}

#[test]
fn a_live_record_that_is_cut_in_half_is_no_record_and_no_absence() {
    let machine = Machine::new();
    let shop = claude_without_id(&machine);
    machine
        .claude()
        .pid_file(&shop)
        .id(&conversation(2))
        .write_half();
    transcript(&machine, &shop);
    let before = machine.roll_text();

    let pass = machine.reconcile().run().exits(0);

    assert_unread(
        &machine,
        &pass,
        &before,
        &format!("{}.json", shop.agent().pid),
    );
}

#[test]
fn live_records_that_are_no_files_are_not_waited_for() {
    for make in ["mkdir", "mkfifo"] {
        let machine = Machine::new();
        let shop = claude_without_id(&machine);
        let record = machine.claude().pid_file_path(shop.agent().pid);
        fs::create_dir_all(record.parent().unwrap()).unwrap();
        assert!(Command::new(make).arg(&record).status().unwrap().success());
        transcript(&machine, &shop);
        let before = machine.roll_text();

        let pass = machine.reconcile().run().exits(0);

        assert_unread(
            &machine,
            &pass,
            &before,
            &format!("{}.json", shop.agent().pid),
        );
    }
}

#[test]
fn live_records_of_any_other_content_are_no_records() {
    let contents: [&[u8]; 6] = [
        b"",
        b"null",
        b"[1, 2]",
        b"{\"sessionId\": 17}",
        b"\xff\xfe\x00",
        b"{\"pid\": \"many\", \"sessionId\": \"../../../etc/passwd\", \"cwd\": null}",
    ];
    let machine = Machine::new();
    let shop = claude_without_id(&machine);
    let record = machine.claude().pid_file(&shop).write();
    transcript(&machine, &shop);
    let before = machine.roll_text();
    for content in contents {
        fs::write(&record, content).unwrap();

        let pass = machine.reconcile().run().exits(0);

        assert_unread(
            &machine,
            &pass,
            &before,
            &format!("{}.json", shop.agent().pid),
        );
    }
}

#[test]
fn a_huge_live_record_is_not_read() {
    let machine = Machine::new();
    let shop = claude_without_id(&machine);
    let record = machine
        .claude()
        .pid_file(&shop)
        .id(&conversation(1))
        .write();
    let file = File::options().write(true).open(record).unwrap();
    file.set_len(5 << 30).unwrap();
    transcript(&machine, &shop);
    let before = machine.roll_text();

    let pass = machine.reconcile().run().exits(0);

    assert_unread(
        &machine,
        &pass,
        &before,
        &format!("{}.json", shop.agent().pid),
    );
}

#[test]
fn a_transcript_of_five_gigabytes_costs_no_more_than_a_small_one() {
    let machine = Machine::new();
    let shop = claude_without_id(&machine);
    let path = transcript(&machine, &shop);
    let file = File::options().write(true).open(path).unwrap();
    file.set_len(5 << 30).unwrap();
    file.write_all_at(b"\n{}\n", (5 << 30) - 4).unwrap();

    let pass = machine.reconcile().run().exits(0);

    assert_id_found(&machine, &pass, "inferred");
}

#[test]
fn a_transcript_with_a_line_of_twenty_megabytes_is_a_transcript() {
    let machine = Machine::new();
    let shop = claude_without_id(&machine);
    let path = transcript(&machine, &shop);
    let line = json!({ "type": "user", "message": "x".repeat(20 << 20) }).to_string();
    let mut file = File::options().append(true).open(path).unwrap();
    file.write_all(line.as_bytes()).unwrap();

    let pass = machine.reconcile().run().exits(0);

    assert_id_found(&machine, &pass, "inferred");
}

#[test]
fn a_proven_conversation_needs_no_readable_transcript() {
    let machine = Machine::new();
    let shop = claude_without_id(&machine);
    machine
        .claude()
        .pid_file(&shop)
        .id(&conversation(1))
        .write();
    let path = transcript(&machine, &shop);
    fs::write(&path, b"{\"type\":\"user\",\"sess").unwrap();

    let pass = machine.reconcile().run().exits(0);

    assert_id_found(&machine, &pass, "proven");
}

#[test]
fn an_empty_transcript_is_no_conversation() {
    let machine = Machine::new();
    let shop = claude_without_id(&machine);
    let path = transcript(&machine, &shop);
    fs::write(&path, b"").unwrap();
    let before = machine.roll_text();

    let pass = machine.reconcile().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn agents_files_that_come_and_go_while_they_are_read_do_no_harm() {
    let machine = Machine::new();
    let shop = claude_without_id(&machine);
    let folder = machine.claude().project_folder(&machine.project());
    let (claude, agent) = (machine.claude(), shop.agent().clone());
    let (cwd, begun) = (shop.cwd.clone(), after(&shop));
    let looking = AtomicBool::new(true);

    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            while looking.load(Ordering::Relaxed) {
                let record = claude.pid_file(&agent).id(&conversation(1)).write_half();
                let _ = claude.pid_file(&agent).id(&conversation(1)).write();
                let transcripts = [2, 3].map(|number| {
                    claude
                        .transcript(&cwd, &conversation(number))
                        .begun_at(begun)
                        .write()
                });
                for path in transcripts.iter().chain([&record]) {
                    fs::remove_file(path).unwrap();
                }
                let _ = fs::remove_dir(&folder);
            }
        });
        let passes = [(); 5].map(|()| machine.reconcile().run());
        looking.store(false, Ordering::Relaxed);
        for pass in passes {
            // The conversation of its record has no file, so it is not its id, and no other is.
            let pass = pass.exits(0);
            let drifts = pass.drifts();
            assert!(
                drifts.iter().all(|drift| !drift.is_applied()),
                "{drifts:#?}"
            );
        }
        writer.join().unwrap();
    });
}

#[test]
fn agents_files_that_must_not_be_read_are_not_taken_for_missing() {
    let machine = Machine::new();
    let shop = machine.session("shop-creator-claude").start();
    let recorded = conversation(1);
    machine
        .roll()
        .row("shop-creator-claude")
        .pane(&shop)
        .set("claude_session_id_own", recorded.as_str())
        .write();
    let projects = machine.claude().root().join("projects");
    fs::create_dir_all(&projects).unwrap();
    let before = machine.roll_text();
    let mut command = machine.reconcile().not_settled().into_command();
    command.arg("--registry").arg(machine.roll_path());

    fs::set_permissions(&projects, fs::Permissions::from_mode(0o000)).unwrap();
    let pass = if rustix::process::geteuid().is_root() {
        let Some(nobody) = Elsewhere::as_nobody() else {
            return;
        };
        give_away(&[&machine.home(), &machine.project(), machine.root()]);
        nobody.run(&command)
    } else {
        Pass::of(command)
    }
    .exits(0);
    fs::set_permissions(&projects, fs::Permissions::from_mode(0o700)).unwrap();

    assert!(
        pass.drifts().iter().all(|drift| drift["class"] != "D"),
        "{:#}",
        pass.report()
    );
    let sources = pass.report()["sources"].to_string();
    assert!(
        sources.contains(machine.claude().root().to_str().unwrap()),
        "{sources}"
    );
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn agys_files_of_any_content_do_no_harm() {
    let machine = Machine::new();
    let lock = machine.agy().lock_path(&conversation(1));
    let shop = machine
        .session("shop-creator-agy")
        .running(Agent::agy().holding(&lock))
        .start();
    machine
        .roll()
        .row("shop-creator-agy")
        .pane(&shop)
        .null("agy_conversation_id_own")
        .write();
    machine.agy().legacy_conversation(&conversation(2));
    machine.agy().leftover_lock("not-an-id");
    let last = machine.agy().last_conversations(&[]);
    fs::write(last, b"{ \"/tmp\": ").unwrap();
    let path = machine.agy().conversation_path(&conversation(1));
    fs::write(path, b"SQLite format 3\0 and no more").unwrap();

    let pass = machine.reconcile().run().exits(0);

    // The lock proves the id, and the file that it is not empty; nobody has to understand it.
    assert!(pass.drift("C", "shop-creator-agy").is_applied());
    assert_eq!(
        machine.row("shop-creator-agy")["agy_conversation_id_own"],
        conversation(1)
    );
}
