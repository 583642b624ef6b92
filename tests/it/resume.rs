//! `headcount resume`: after a reboot, one list of the commands that take up again what was running.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::support::{
    Elsewhere, Machine, Process, Session, StandIn, conversation, python, wait_until,
};

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

/// One more session on each server, so that a server lives on without the others.
fn bystanders(machine: &Machine) -> [Session<'_>; 2] {
    ["default", "work"].map(|server| machine.session("x").server(server).start())
}

#[test]
fn what_ended_by_itself_in_this_boot_is_not_listed() {
    let machine = Machine::new();
    let _others = bystanders(&machine);
    two_sessions(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    for (server, name) in [("default", SHOP), ("work", DOCS)] {
        let _ = machine.server(server).run(&["kill-session", "-t", name]);
    }
    let nothing = "Nothing that a reboot or the end of a tmux server cut off is missing now.";
    let told = machine.headcount(&["resume"]).exits(0);
    assert_eq!(told.stdout, "");
    told.complains_of(nothing);

    let _ = machine.reconcile().at_once().run().exits(0);
    assert_eq!(machine.row(SHOP)["status"], "terminated");
    // That the server ends later, too, changes nothing of that.
    power_off(&machine);

    let told = machine.headcount(&["resume"]).exits(0);

    assert_eq!(told.stdout, "");
    told.complains_of(nothing);
}

#[test]
fn what_ended_with_its_tmux_server_is_listed_before_and_after_a_pass() {
    let machine = Machine::new();
    let _others = bystanders(&machine);
    two_sessions(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    machine.server("work").kill();

    let resume = || machine.headcount(&["resume"]).exits(0).stdout;
    let before = resume();
    assert_eq!(commands(&before).len(), 1, "{before}");
    assert!(before.contains(DOCS), "{before}");

    let report = machine.reconcile().at_once().run().exits(0);
    assert_eq!(report.drift("A", DOCS)["reason"], "server_gone");
    assert_eq!(machine.row(DOCS)["status"], "terminated");
    assert_eq!(resume(), before);
    let _ = machine.reconcile().at_once().run().exits(0);
    assert_eq!(resume(), before);
}

#[test]
fn the_last_session_of_a_server_that_a_person_closed_is_listed_until_its_row_says_so() {
    let machine = Machine::new();
    two_sessions(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    // The server ends with it, as it does by `kill-server`.
    machine
        .server("work")
        .run(&["kill-session", "-t", &format!("={DOCS}")]);
    let resume = || machine.headcount(&["resume"]).exits(0).stdout;
    wait_until("the session to be listed", || {
        resume().contains(DOCS).then_some(())
    });
    let _ = machine.reconcile().at_once().run().exits(0);
    let told = resume();
    assert!(told.contains(DOCS) && !told.contains(SHOP), "{told}");
    assert_eq!(machine.row(DOCS)["status"], "terminated");

    machine
        .skill()
        .writes("[row.update(status='stopped') for row in d['tmux_sessions'] if row['status'] == 'terminated']");

    assert!(!resume().contains(DOCS));
}

#[test]
fn of_a_socket_only_what_ended_with_its_last_server_is_listed() {
    let machine = Machine::new();
    two_sessions(&machine);
    let _ = machine.reconcile().at_once().run().exits(0);
    machine.server("work").kill();
    let _next = machine.session("x").server("work").start();
    let told = machine.headcount(&["resume"]).exits(0).stdout;
    assert!(told.contains(DOCS) && !told.contains(SHOP), "{told}");

    let _ = machine.reconcile().at_once().run().exits(0);
    assert_eq!(machine.row(DOCS)["status"], "terminated");
    assert_eq!(machine.headcount(&["resume"]).exits(0).stdout, told);

    machine.server("work").kill();
    let told = machine.headcount(&["resume"]).exits(0);
    assert_eq!(told.stdout, "");
}

#[test]
fn a_conversation_that_an_agent_outside_of_tmux_has_is_not_offered() {
    let machine = Machine::new();
    two_sessions(&machine);
    write_before_the_boot(&machine);
    power_off(&machine);
    let program = machine.new_folder("outside").join("claude");
    symlink(python(), &program).unwrap();
    let mut agent = machine.command(&program);
    agent
        .args(["-c", "import time; print(flush=True); time.sleep(600)"])
        .current_dir(machine.root().join(format!("work/{SHOP} x")))
        .stdout(Stdio::piped());
    let mut agent = agent.spawn().unwrap();
    let started = agent.stdout.as_mut().unwrap().read_exact(&mut [0]);
    started.expect("the agent runs");
    let pid = agent.id();
    let stand_in = StandIn {
        pid,
        process: Process::find(pid).unwrap(),
        children: Vec::new(),
    };
    let _ = machine
        .claude()
        .pid_file(stand_in)
        .id(&conversation(1))
        .write();

    let told = machine.headcount(&["resume"]).exits(0).stdout;
    let explained = machine.headcount(&["explain", SHOP]).exits(0).stdout;
    agent.kill().unwrap();
    agent.wait().unwrap();

    let line = format!("# {SHOP}: not possible: process {pid} has its conversation");
    assert!(told.contains(&line), "{told}");
    assert_eq!(commands(&told).len(), 1, "{told}");
    assert!(
        explained.contains(&format!("once process {pid} has ended")),
        "{explained}"
    );
    let told = machine.headcount(&["resume"]).exits(0).stdout;
    assert_eq!(commands(&told).len(), 2, "{told}");
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
