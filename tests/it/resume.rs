//! `headcount resume`: after a reboot, one list of the commands that take up again what was running.

use std::fs::{self, File};
use std::process::Command;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::{Elsewhere, Machine, Session, conversation};

const SHOP: &str = "shop-creator-claude";
const DOCS: &str = "docs-creator-claude";

/// A session with a conversation that is on disk.
fn talking<'m>(machine: &'m Machine, name: &str, server: &str, number: u32) -> Session<'m> {
    let folder = machine.folder(&format!("work/{name} x"));
    let session = machine
        .session(name)
        .server(server)
        .cwd(&folder)
        .running("claude")
        .start();
    let id = conversation(number);
    machine.claude().pid_file(&session).id(&id).write();
    machine.claude().transcript(&session.cwd, &id).write();
    session
}

/// Two rows on two servers, each with its conversation.
fn two_sessions(machine: &Machine) {
    let shop = talking(machine, SHOP, "default", 1);
    let docs = talking(machine, DOCS, "work", 2);
    machine
        .roll()
        .row(SHOP)
        .pane(&shop)
        .set("claude_session_id_own", conversation(1))
        .row(DOCS)
        .pane(&docs)
        .set("claude_session_id_own", conversation(2))
        .write();
    machine.settle(&machine.roll_path());
}

fn power_off(machine: &Machine) {
    for server in ["default", "work"] {
        machine.server(server).kill();
        let _ = fs::remove_file(machine.socket(server));
    }
}

/// The roll was last written before this machine was last started.
fn write_before_the_boot(machine: &Machine) {
    let stat = fs::read_to_string("/proc/stat").unwrap();
    let seconds = stat.lines().find_map(|line| line.strip_prefix("btime "));
    let boot = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.unwrap().parse().unwrap());
    File::options()
        .write(true)
        .open(machine.roll_path())
        .and_then(|file| file.set_modified(boot - Duration::from_secs(3600)))
        .unwrap();
}

fn commands(text: &str) -> Vec<&str> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

#[test]
fn after_a_reboot_all_that_ran_is_listed_by_server_and_nothing_is_written() {
    let machine = Machine::new();
    two_sessions(&machine);
    write_before_the_boot(&machine);
    power_off(&machine);
    let before = machine.footprint();

    let told = machine.headcount(&["resume"]).exits(0).stdout;

    let folder = |name| machine.root().join(format!("work/{name} x"));
    assert_eq!(
        told,
        format!(
            "# tmux server default\n# {SHOP}\ncd '{}' && claude --resume {}\n\n\
             # tmux server work\n# {DOCS}\ncd '{}' && claude --resume {}\n",
            folder(SHOP).display(),
            conversation(1),
            folder(DOCS).display(),
            conversation(2)
        )
    );
    assert_eq!(machine.footprint(), before);
}

#[test]
fn what_a_pass_ended_because_of_the_reboot_is_still_listed() {
    let machine = Machine::new();
    two_sessions(&machine);
    write_before_the_boot(&machine);
    power_off(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    assert_eq!(machine.row(SHOP)["status"], "terminated");

    let told = machine.headcount(&["resume"]).exits(0).stdout;

    assert_eq!(commands(&told).len(), 2, "{told}");
}

#[test]
fn what_was_seen_alive_in_an_earlier_boot_is_listed() {
    let machine = Machine::new();
    two_sessions(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    power_off(&machine);
    let Some(reboot) = Elsewhere::after_a_reboot(&machine) else {
        return;
    };
    let resume = machine.headcount_command(&["resume"]);
    let told = reboot.run(&resume).exits(0).stdout;
    assert_eq!(commands(&told).len(), 2, "{told}");

    let _ = reboot
        .run(&machine.reconcile().at_once().into_command())
        .exits(0);
    assert_eq!(machine.row(DOCS)["status"], "terminated");
    let told = reboot.run(&resume).exits(0).stdout;
    assert_eq!(commands(&told).len(), 2, "{told}");
}

#[test]
fn what_ended_in_this_boot_is_not_listed() {
    let machine = Machine::new();
    two_sessions(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    power_off(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    assert_eq!(machine.row(SHOP)["status"], "terminated");

    let told = machine.headcount(&["resume"]).exits(0);

    assert_eq!(told.stdout, "");
    told.complains_of("Nothing that was running before this boot is missing now.");
}

#[test]
fn what_a_person_has_ended_is_not_listed() {
    let machine = Machine::new();
    two_sessions(&machine);
    machine.write_roll(machine.roll_text().replacen("running", "stopped", 1));
    write_before_the_boot(&machine);
    power_off(&machine);

    let told = machine.headcount(&["resume"]).exits(0).stdout;

    assert!(!told.contains(SHOP) && told.contains(DOCS), "{told}");
}

#[test]
fn what_runs_again_is_not_listed() {
    let machine = Machine::new();
    two_sessions(&machine);
    write_before_the_boot(&machine);
    power_off(&machine);
    talking(&machine, SHOP, "default", 1);

    let told = machine.headcount(&["resume"]).exits(0).stdout;

    assert!(!told.contains(SHOP) && told.contains(DOCS), "{told}");
}

#[test]
fn a_conversation_without_its_file_is_told_as_that() {
    let machine = Machine::new();
    two_sessions(&machine);
    write_before_the_boot(&machine);
    power_off(&machine);
    fs::remove_dir_all(machine.home().join(".claude/projects")).unwrap();
    fs::create_dir_all(machine.home().join(".claude/projects")).unwrap();

    let told = machine.headcount(&["resume"]).exits(0).stdout;
    let json = machine.headcount(&["resume", "--json"]).exits(0).report();

    assert_eq!(commands(&told), [""; 0], "{told}");
    let line = format!(
        "# {SHOP}: not possible: conversation {} has no file",
        conversation(1)
    );
    assert!(told.contains(&line), "{told}");
    let shop = &json["sessions"][0];
    assert_eq!(shop["name"], SHOP);
    assert_eq!(shop["resume"]["command"], Value::Null);
}

#[test]
fn the_list_can_be_run_and_brings_every_session_back() {
    let machine = Machine::new();
    two_sessions(&machine);
    write_before_the_boot(&machine);
    power_off(&machine);
    // What stands in for the agent writes down what it was started with.
    let claude = machine.bin().join("claude");
    fs::write(
        &claude,
        "#!/bin/sh\necho \"$@\" > resumed\nexec sleep 600\n",
    )
    .unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&claude, mode).unwrap();

    let told = machine.headcount(&["resume", "--tmux"]).exits(0).stdout;
    let mut shell: Command = machine.command("sh");
    shell.arg("-c").arg(&told);
    assert!(shell.status().unwrap().success(), "{told}");

    for (name, number) in [(SHOP, 1), (DOCS, 2)] {
        let file = machine.root().join(format!("work/{name} x/resumed"));
        let said = crate::support::wait_until("the agent's start", || {
            fs::read_to_string(&file)
                .ok()
                .filter(|it| it.ends_with('\n'))
        });
        assert_eq!(said, format!("--resume {}\n", conversation(number)));
    }
    assert!(
        machine
            .server("work")
            .run(&["list-sessions"])
            .contains(DOCS)
    );
}
