//! `headcount prune`: rows that ended long ago leave the roll, and none is ever lost.

mod archive;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{Elsewhere, Machine, Pass, Roll, Running, conversation, python, wait_until};

const SHOP: &str = "shop-creator-claude";
const BLOG: &str = "blog-creator-claude";
const WEB: &str = "web-creator-claude";

/// So many days ago, in seconds since 1970.
fn days_ago(days: u64) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_secs() - days * 86_400
}

/// The date of yesterday, as it stands in a time.
fn yesterday() -> String {
    let date = Command::new("date")
        .args(["-u", "-d", "yesterday", "+%F"])
        .output();
    String::from_utf8(date.unwrap().stdout)
        .unwrap()
        .trim()
        .to_owned()
}

/// A machine whose tmux runs, with this roll. `OLD` stands for the end of a row 40 days ago, `NEW` for one yesterday.
fn machine_with(roll: &str) -> Machine {
    let machine = Machine::new();
    machine.session("bystander").start();
    write(&machine, roll);
    machine
}

fn write(machine: &Machine, roll: &str) -> String {
    let roll = roll
        .replace("OLD", &days_ago(40).to_string())
        .replace("NEW", &days_ago(1).to_string());
    machine.write_roll(&roll);
    machine.settle(&machine.roll_path());
    roll
}

/// An old row between one that runs and one that ended lately.
const ROLL: &str = "\
# ours
tmux_sessions:
  - name: web-creator-claude   # runs
    status: running

  # of the shop, until spring
  - name: 'shop-creator-claude'
    status: terminated
    terminated_at_epoch: OLD
    note: |
      two
        lines
    # keep this in mind
  - name: blog-creator-claude
    status: stopped
    stopped_at_epoch: NEW
# the end
";

fn prune(machine: &Machine, args: &[&str]) -> Pass {
    machine.headcount(&[&["prune"], args].concat())
}

fn archive_of(machine: &Machine) -> PathBuf {
    machine
        .roll_path()
        .with_file_name("agent-sessions.archive.yaml")
}

fn archive(machine: &Machine) -> String {
    fs::read_to_string(archive_of(machine)).unwrap()
}

/// Why each row stays, by the word for it.
fn reasons(machine: &Machine) -> Vec<(String, String)> {
    let told = prune(machine, &["--dry-run", "--json"]).exits(0);
    let told: Value = serde_json::from_str(&told.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let kept = told["kept"].as_array().unwrap().iter();
    kept.map(|row| (text(&row["name"]), text(&row["reason"])))
        .collect()
}

/// The only row stays, for this reason.
#[track_caller]
fn stays(machine: &Machine, why: &str) {
    let before = machine.roll_text();
    assert_eq!(reasons(machine), [(SHOP.to_owned(), why.to_owned())]);
    let _ = prune(machine, &[]).exits(0);
    assert_eq!(machine.roll_text(), before);
    assert!(!archive_of(machine).exists());
}

const ALONE: &str =
    "tmux_sessions:\n- name: shop-creator-claude\n  status: stopped\n  stopped_at_epoch: OLD\n";

#[test]
fn an_old_row_goes_with_its_comments_and_every_other_byte_stays() {
    let machine = machine_with(ROLL);
    let roll = machine.roll_text();

    let pruned = prune(&machine, &[]).exits(0);

    let (start, end) = (
        roll.find("  # of the shop").unwrap(),
        roll.find("  - name: blog").unwrap(),
    );
    assert_eq!(
        machine.roll_text(),
        format!("{}{}", &roll[..start], &roll[end..])
    );
    let row: String = roll[start..end]
        .lines()
        .map(|line| format!("{}\n", &line[2..]))
        .collect();
    assert!(
        archive(&machine).ends_with(&format!("tmux_sessions:\n{row}")),
        "{}",
        archive(&machine)
    );
    assert!(
        pruned
            .stdout
            .starts_with(&format!("pruned: {SHOP}: terminated since ")),
        "{pruned:?}"
    );
    assert!(
        pruned
            .stdout
            .ends_with("kept: 2 rows (1 running, 1 recent)\n"),
        "{pruned:?}"
    );
    assert!(pruned.stderr.contains("headcount undo"), "{pruned:?}");
}

#[test]
fn the_archive_is_a_roll_for_nobody_else_to_read() {
    let machine = machine_with(ROLL);
    let before = machine.read_roll().row(SHOP).clone();
    let _ = prune(&machine, &[]).exits(0);

    assert_eq!(Roll::read(&archive_of(&machine)).rows(), [before]);
    assert_eq!(machine.read_roll().names(), [WEB, BLOG]);
    let mode = fs::metadata(archive_of(&machine))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let path = archive_of(&machine).display().to_string();
    let _ = machine
        .headcount(&["validate", "--registry", &path])
        .exits(0);
    let status = machine
        .headcount(&["status", "--all", "--registry", &path])
        .exits(0);
    assert!(status.stdout.contains(SHOP), "{status:?}");
}

#[test]
fn a_dry_run_says_the_same_and_writes_nothing() {
    let machine = machine_with(ROLL);
    let before = machine.footprint();

    let dry = prune(&machine, &["--dry-run"]).exits(0);

    assert_eq!(machine.footprint(), before);
    let real = prune(&machine, &[]).exits(0).stdout;
    let (line, rest) = real.split_once(" (#").unwrap();
    let (_, rest) = rest.split_once(')').unwrap();
    assert_eq!(dry.stdout, format!("would be {line}{rest}"));
}

#[test]
fn what_is_pruned_is_not_registered_or_told_again() {
    let machine = machine_with(
        ROLL.replace("    status: running", "    status: stopped")
            .as_str(),
    );
    let _ = prune(&machine, &[]).exits(0);
    let after = machine.roll_text();

    let pass = machine.reconcile().at_once().run().exits(0);

    pass.has_no_drifts();
    assert_eq!(machine.roll_text(), after);
    assert_eq!(
        prune(&machine, &[]).exits(0).stderr.lines().next(),
        Some("Nothing to prune.")
    );
}

#[test]
fn a_session_that_takes_the_name_up_later_is_a_new_one_and_is_archived_beside_the_old() {
    let machine = machine_with(ALONE);
    let _ = machine.reconcile().at_once().run().exits(0);
    let _ = prune(&machine, &[]).exits(0);
    let first = archive(&machine);

    let shop = machine.session(SHOP).running("claude").start();
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_eq!(pass.drift("B", SHOP)["kind"], "unregistered");
    assert!(pass.drift("B", SHOP).is_applied());
    shop.kill();
    write(&machine, &ALONE.replace("stopped\n", "archived\n"));
    let _ = prune(&machine, &[]).exits(0);

    assert_eq!(archive(&machine), first);
    let second = archive_of(&machine).with_file_name("agent-sessions.archive.2.yaml");
    assert_eq!(Roll::read(&second).row(SHOP)["status"], "archived");
    assert_eq!(machine.read_roll().rows(), [] as [Value; 0]);
}

#[test]
fn a_row_whose_session_lives_stays() {
    let machine = Machine::new();
    let _shop = machine.session(SHOP).start();
    write(&machine, ALONE);
    stays(&machine, "alive");
}

#[test]
fn a_pane_whose_pid_the_row_records_keeps_it() {
    let machine = machine_with("tmux_sessions: []\n");
    let other = machine.session("renamed").start();
    write(
        &machine,
        &format!("{ALONE}  pane: {{pid: {}}}\n", other.pid()),
    );
    stays(&machine, "alive");
}

#[test]
fn the_newest_end_that_a_row_tells_counts() {
    let machine = machine_with(ALONE);
    let text = "  terminated_at_epoch: 1000000000\n  terminated_at: \"2020-01-01T00:00:00Z\"\n";
    let newer = text.replace("2020-01-01", &yesterday());
    for keys in [
        newer.clone(),
        newer.replace("terminated_at:", "stopped_at:"),
    ] {
        write(&machine, &format!("{ALONE}{keys}"));
        stays(&machine, "recent");
    }
    write(&machine, &format!("{ALONE}{text}"));
    let _ = prune(&machine, &[SHOP]).exits(0);
}

#[test]
fn a_process_that_began_when_the_row_had_ended_is_anothers() {
    let pid = std::process::id();
    let machine = machine_with(&format!("{ALONE}  pane: {{pid: {pid}}}\n"));
    let _ = prune(&machine, &[SHOP]).exits(0);
    assert_eq!(machine.read_roll().rows(), [] as [Value; 0]);
}

#[test]
fn could_not_look_is_not_gone() {
    for script in ["echo 'lost server' >&2; exit 1", "kill -KILL $$"] {
        let machine = machine_with(ALONE);
        let before = machine.footprint();
        let mut command = machine.headcount_command(&["prune", SHOP]);
        command.env("PATH", machine.path_with_tmux(script));

        let kept = Pass::of(command).exits(2);

        assert!(
            kept.stdout
                .starts_with(&format!("kept: {SHOP}: it could not be looked for: ")),
            "{kept:?}"
        );
        assert_eq!(machine.footprint(), before);
    }
}

#[test]
fn a_row_on_a_server_that_is_not_there_stays() {
    // It may be there with another TMUX_TMPDIR.
    let machine = machine_with(&format!("{ALONE}  tmux_server: nowhere\n"));
    stays(&machine, "unseen");
}

#[test]
fn what_cannot_be_compared_or_understood_or_is_ignored_stays() {
    let machine = machine_with(&ALONE.replace("OLD", "soon"));
    stays(&machine, "no_end");
    write(&machine, &ALONE.replace("OLD", "99999999999"));
    stays(&machine, "not_yet");
    write(&machine, &ALONE.replace("stopped\n", "resting\n"));
    stays(&machine, "unknown_status");
    write(&machine, &format!("{ALONE}  pane: 7\n"));
    stays(&machine, "invalid_row");
    write(&machine, ALONE);
    let toml = machine.roll_path().with_file_name("headcount.toml");
    fs::write(&toml, "ignore = [\"shop-*\"]\n").unwrap();
    stays(&machine, "ignored");
    fs::write(&toml, "").unwrap();
    let _ = prune(&machine, &[SHOP]).exits(0);
}

#[test]
fn a_row_that_another_row_names_stays() {
    let child = format!("{ALONE}- name: child\n  status: running\n  parent: {SHOP}\n");
    let machine = machine_with(&child);
    let kept = prune(&machine, &[SHOP]).exits(2);
    assert_eq!(kept.stdout, format!("kept: {SHOP}: row child names it\n"));
    // Both go together.
    write(
        &machine,
        &child.replace("running", "stopped\n  stopped_at_epoch: OLD"),
    );
    let _ = prune(&machine, &[SHOP, "child"]).exits(0);
    assert_eq!(Roll::read(&archive_of(&machine)).names(), [SHOP, "child"]);
}

#[test]
fn a_difference_is_told_before_its_row_goes() {
    let id = "11111111-aaaa-4000-8000-000000000001";
    let machine = machine_with(&format!("{ALONE}  claude_session_id_own: {id}\n"));
    let another = machine
        .claude()
        .transcript(&machine.project(), &conversation(7));
    another.write();
    stays(&machine, "drift");
    let pass = machine.reconcile().at_once().run().exits(0);
    assert_eq!(pass.drift("D", SHOP)["kind"], "stale_id");

    let _ = prune(&machine, &[SHOP]).exits(0);

    // And what was told as open is told as over.
    let over = machine.reconcile().at_once().run().exits(0).report();
    assert_eq!(over["resolved"][0]["session"], SHOP);
}

#[test]
fn each_row_that_is_named_and_stays_has_a_reason() {
    let machine = machine_with(ROLL);

    let told = prune(&machine, &[WEB, BLOG, SHOP, "nobody"]).exits(2);

    let lines: Vec<&str> = told.stdout.lines().collect();
    assert!(
        lines[0].starts_with(&format!("pruned: {SHOP}: ")),
        "{told:?}"
    );
    assert_eq!(lines[1], format!("kept: {WEB}: it says running"));
    assert!(
        lines[2].starts_with(&format!("kept: {BLOG}: it ended at ")),
        "{told:?}"
    );
    assert_eq!(lines[3..], ["no row: nobody"]);
    assert!(
        told.stderr
            .contains("3 rows that were named were not pruned"),
        "{told:?}"
    );
    assert_eq!(machine.read_roll().names(), [WEB, BLOG]);
}

#[test]
fn how_long_rows_are_kept_is_in_headcount_toml_and_a_flag_goes_before_it() {
    let machine = machine_with(ROLL);
    let toml = machine.roll_path().with_file_name("headcount.toml");
    fs::write(&toml, "[retention]\nended_days = 50\n").unwrap();
    let goes = |args: &[&str]| {
        let dry = prune(&machine, &[&["--dry-run"], args].concat())
            .exits(0)
            .stdout;
        dry.lines().filter(|line| line.starts_with("would")).count()
    };
    assert_eq!(goes(&[]), 0);
    assert_eq!(goes(&["--older-than", "5w"]), 1);
    assert_eq!(goes(&["--older-than", "0"]), 2);
    fs::write(&toml, "[retention]\nended_days = 1\n").unwrap();
    assert_eq!(goes(&[]), 2);
    for wrong in ["ended_days = -1", "ended_days = 99999", "days = 1"] {
        fs::write(&toml, format!("[retention]\n{wrong}\n")).unwrap();
        let told = prune(&machine, &[]).exits(2);
        assert!(told.stderr.contains("headcount.toml"), "{told:?}");
    }
}

#[test]
fn the_log_tells_it_and_undo_puts_it_back() {
    let machine = machine_with(ROLL);
    let before = machine.read_roll().row(SHOP).clone();
    let number = {
        let told = prune(&machine, &[]).exits(0).stdout;
        let (_, rest) = told.split_once("(#").unwrap();
        rest.split_once(')').unwrap().0.to_owned()
    };
    let after = machine.roll_text();
    let log = machine.headcount(&["log"]).exits(0).stdout;
    assert_eq!(log.lines().count(), 1, "{log}");
    assert!(log.starts_with(&format!("#{number} ")), "{log}");
    assert!(
        log.contains(&format!(" pruned: {SHOP}: terminated since ")),
        "{log}"
    );
    assert!(
        log.trim_end()
            .ends_with("to agent-sessions.archive.yaml by hand."),
        "{log}"
    );
    let list = machine.headcount(&["undo"]).exits(0).stdout;
    assert!(list.starts_with(&format!("#{number} ")), "{list}");
    let dry = machine
        .headcount(&["undo", &number, "--dry-run"])
        .exits(0)
        .stdout;
    assert!(
        dry.contains("+  # of the shop, until spring\n+  - name: 'shop-creator-claude'\n"),
        "{dry}"
    );
    assert_eq!(machine.roll_text(), after);

    let undone = machine.headcount(&["undo", &number]).exits(0).stdout;

    assert_eq!(
        undone,
        format!(
            "undone: {SHOP}: put back into the roll from agent-sessions.archive.yaml by hand.\n"
        )
    );
    assert_eq!(machine.read_roll().names(), [WEB, BLOG, SHOP]);
    assert_eq!(machine.row(SHOP), before);
    assert!(machine.roll_text().contains(
        "\n  # of the shop, until spring\n  - name: 'shop-creator-claude'\n    status: terminated\n"
    ));
    let log = machine.headcount(&["log", SHOP]).exits(0).stdout;
    assert!(log.contains(" put back: "), "{log}");
    let again = machine.headcount(&["undo", &number]).exits(2);
    assert!(again.stderr.contains("was undone already"), "{again:?}");

    // It may go again, and is not archived twice.
    let archived = archive(&machine);
    let _ = prune(&machine, &[]).exits(0);
    assert_eq!(archive(&machine), archived);
    assert_eq!(machine.roll_text(), after);
}

#[test]
fn a_row_is_not_put_back_beside_another_of_its_name_nor_from_nowhere() {
    let machine = machine_with(ALONE);
    let _ = prune(&machine, &[]).exits(0);
    let log = machine.headcount(&["log"]).exits(0).stdout;
    let number = log.split_once(' ').unwrap().0.to_owned();
    machine.skill().writes(&format!(
        "d['tmux_sessions'].append({{'name': '{SHOP}', 'status': 'running'}})"
    ));
    let before = machine.roll_text();
    let told = machine.headcount(&["undo", &number]).exits(2);
    assert!(
        told.stderr
            .contains(&format!("the roll has a row {SHOP} again")),
        "{told:?}"
    );
    assert_eq!(machine.roll_text(), before);

    write(&machine, "tmux_sessions: []\n");
    fs::remove_file(archive_of(&machine)).unwrap();
    let told = machine.headcount(&["undo", &number]).exits(2);
    assert!(
        told.stderr
            .contains("is not in agent-sessions.archive.yaml"),
        "{told:?}"
    );
}

#[test]
fn where_the_folder_takes_nothing_nothing_goes() {
    let machine = machine_with(ALONE);
    let before = machine.roll_text();
    let folder = machine.roll_path().parent().unwrap().to_owned();
    fs::write(machine.roll_path().with_extension("yaml.lock"), "").unwrap();
    let Some(read_only) = Elsewhere::with_read_only(&folder) else {
        return;
    };

    let told = read_only
        .run(&machine.headcount_command(&["prune"]))
        .exits(2);

    assert!(told.stderr.contains(folder.to_str().unwrap()), "{told:?}");
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn a_prune_that_is_killed_between_loses_nothing_and_the_next_archives_nothing_twice() {
    let machine = machine_with(&ALONE.replace("shop", "first"));
    let _ = prune(&machine, &[]).exits(0);
    let roll = write(&machine, ROLL);
    let Some(killed) = Elsewhere::killed_when_it_removes_a_file() else {
        return;
    };

    // The first file that it removes is the archive's old self.
    let told = killed.run(&machine.headcount_command(&["prune"]));

    assert_ne!(told.code, Some(0), "{told:?}");
    assert_eq!(machine.roll_text(), roll);
    assert_eq!(
        Roll::read(&archive_of(&machine)).names(),
        ["first-creator-claude", SHOP]
    );
    let log = machine.headcount(&["log", SHOP]).exits(0).stdout;
    assert!(log.contains(" prune begun: "), "{log}");

    let archived = archive(&machine);
    let _ = prune(&machine, &[]).exits(0);
    assert_eq!(archive(&machine), archived);
    assert_eq!(machine.read_roll().names(), [WEB, BLOG]);
}

/// A program that has the roll's lock until its input ends, and then writes this before it lets go.
fn writer(machine: &Machine, statement: &str) -> (std::process::Child, PathBuf) {
    let ready = machine.root().join("locked");
    let program = "\
import fcntl, os, sys, tempfile, yaml
path, statement, ready = sys.argv[1:]
with open(path + '.lock', 'a') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    open(ready, 'w').close()
    sys.stdin.read()
    d = yaml.safe_load(open(path))
    exec(statement)
    fd, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(fd, 'w') as roll:
        yaml.safe_dump(d, roll, sort_keys=False)
    os.replace(temporary, path)
";
    let child = machine
        .command(python())
        .args(["-c", program])
        .arg(machine.roll_path())
        .arg(statement)
        .arg(&ready)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    wait_until("the lock to be held", || ready.exists().then_some(()));
    (child, ready)
}

#[test]
fn a_row_that_somebody_changes_under_the_lock_stays() {
    let machine = machine_with(ALONE);
    let (mut writer, _) = writer(&machine, "d['tmux_sessions'][0]['status'] = 'running'");
    let pruning = Running::of(machine.headcount_command(&["prune"]));
    wait_until("the prune to wait for the lock", || {
        let log = machine.headcount(&["log"]).stdout;
        log.contains(" prune begun: ").then_some(())
    });

    writer.stdin.take().unwrap().write_all(b"go").unwrap();
    assert!(writer.wait().unwrap().success());
    let done = pruning.finish().exits(0);

    assert!(done.stdout.contains("kept: 1 row (1 running)"), "{done:?}");
    assert_eq!(machine.row(SHOP)["status"], "running");
    assert!(!archive_of(&machine).exists());
    assert_eq!(machine.headcount(&["log"]).exits(0).stdout, "");
}

#[test]
fn beside_another_programs_newer_store_nothing_goes() {
    let machine = machine_with(ALONE);
    fs::write(machine.roll_path().with_file_name("agent-sessions.db"), "").unwrap();
    let before = machine.footprint();
    for args in [&[][..], &["--dry-run"]] {
        let told = prune(&machine, args).exits(2);
        assert!(told.stderr.contains("agent-sessions.db"), "{told:?}");
    }
    assert_eq!(machine.footprint(), before);
}

#[test]
fn a_roll_that_is_not_there_or_not_to_be_read_is_told() {
    let machine = Machine::new();
    let told = prune(&machine, &[]).exits(1);
    assert!(told.stderr.contains("headcount init"), "{told:?}");
    machine.write_roll("tmux_sessions: [\n");
    let _ = prune(&machine, &[]).exits(1);
}

/// Every row is afterwards in one of the two, as it was, by the reading of `PyYAML`.
fn loses_nothing(roll: &str, goes: &[&str]) {
    let machine = machine_with(roll);
    let before = machine.read_roll();

    let _ = prune(&machine, &[]).exits(0);

    let (left, archived) = (machine.read_roll(), Roll::read(&archive_of(&machine)));
    assert_eq!(archived.names(), goes, "{roll}");
    for row in before.rows() {
        let name = row["name"].as_str().unwrap();
        let found = [left.find(name), archived.find(name)];
        let expected = if goes.contains(&name) {
            [None, Some(row)]
        } else {
            [Some(row), None]
        };
        assert_eq!(found, expected, "{roll}");
    }
    assert_eq!(
        before.rows().len(),
        left.rows().len() + archived.rows().len()
    );
    let number = machine.headcount(&["log"]).exits(0).stdout;
    let number = number.split_once(' ').unwrap().0.to_owned();
    let _ = machine.headcount(&["undo", &number]).exits(0);
    assert_eq!(
        machine.read_roll().find(goes[0]),
        before.find(goes[0]),
        "{roll}"
    );
}

#[test]
fn however_the_roll_is_written_no_row_is_lost() {
    loses_nothing(&ROLL.replace('\n', "\r\n"), &[SHOP]);
    loses_nothing(&format!("\u{feff}{ROLL}"), &[SHOP]);
    loses_nothing(
        "{tmux_sessions: [{name: web, status: running}, {name: shop, status: stopped, stopped_at_epoch: OLD}]}\n",
        &["shop"],
    );
    let json = json!({"agent_identities": {}, "tmux_sessions": [
        {"name": "shop", "status": "stopped", "stopped_at_epoch": 1, "note": "a\nb \u{1f600} \"c\""},
        {"name": "web", "status": "running", "pane": {"pid": null, "cwd": "/srv"}},
        {"name": "old", "status": "archived", "archived_at": "2020-01-01T00:00:00Z", "of": ["x", {"y": 1.5}]},
    ]});
    loses_nothing(
        &serde_json::to_string_pretty(&json).unwrap(),
        &["shop", "old"],
    );
    loses_nothing(
        &json.to_string().replace('\u{1f600}', "\\ud83d\\ude00"),
        &["shop", "old"],
    );
    loses_nothing(
        "tmux_sessions:\n- {name: shop, status: stopped,\n   stopped_at_epoch: OLD} # in brackets\n-  name: web\n   status: running\n",
        &["shop"],
    );
    loses_nothing(
        "tmux_sessions:\n  -\n    name: shop\n    status: \"stopped\"\n    stopped_at_epoch: OLD\n    note: \"long\n      text\"\n  - {name: web, status: running}",
        &["shop"],
    );
}

#[test]
fn a_row_that_cannot_stand_by_itself_stays_and_stops_no_other() {
    let machine = machine_with(
        "base: &base {stopped_at_epoch: OLD}\ntmux_sessions:\n- name: web-creator-claude\n  status: stopped\n  <<: *base\n\
         - name: shop-creator-claude\n  status: stopped\n  stopped_at_epoch: OLD\n",
    );
    let told = prune(&machine, &[SHOP, WEB]).exits(2);
    assert!(
        told.stdout.contains(&format!(
            "kept: {WEB}: it cannot be taken out: an anchor, an alias or a tag is in it"
        )),
        "{told:?}"
    );
    assert_eq!(machine.read_roll().names(), [WEB]);
    assert_eq!(Roll::read(&archive_of(&machine)).names(), [SHOP]);
}

#[test]
fn what_was_pruned_is_told_as_json_that_its_schema_describes() {
    let machine = machine_with(ROLL);
    let told = prune(&machine, &["--json"]).exits(0).report();
    assert_eq!(told["document"], "pruning");
    assert_eq!(told["pruned"][0]["name"], SHOP);
    assert_eq!(
        told["pruned"][0]["archive"],
        archive_of(&machine).to_str().unwrap()
    );
    assert_eq!(told["kept"][0]["reason"], "running");
    assert_eq!(told["kept"][1]["reason"], "recent");
    let number = told["pruned"][0]["number"].as_u64().unwrap().to_string();
    let _ = machine.headcount(&["undo", &number]).exits(0);
}

#[test]
fn of_rows_whose_names_tmux_stores_alike_each_is_put_back() {
    let roll = "tmux_sessions:\n- name: a.b\n  status: stopped\n  stopped_at_epoch: OLD\n\
        - name: a_b\n  status: stopped\n  stopped_at_epoch: OLD\n";
    let machine = machine_with(roll);
    let before = machine.roll_text();
    let _ = prune(&machine, &[]).exits(0);
    let list = machine.headcount(&["undo"]).exits(0).stdout;
    let numbers: Vec<&str> = list
        .lines()
        .map(|line| line.split_once(' ').unwrap().0)
        .collect();
    assert_eq!(numbers.len(), 2, "{list}");
    for number in numbers {
        let _ = machine.headcount(&["undo", number]).exits(0);
    }
    assert_eq!(machine.roll_text(), before);
}

#[test]
fn where_nothing_can_be_remembered_it_is_said_whether_rows_were_moved() {
    for (nth, is_known, went) in [(1, false, false), (1, true, false), (2, true, true)] {
        let machine = machine_with(ALONE);
        if is_known {
            let _ = machine.reconcile().at_once().run().exits(0);
        }
        let Some(full) = Elsewhere::with_a_call_that_fails("rename", "ENOSPC", nth) else {
            return;
        };

        let told = full.run(&machine.headcount_command(&["prune"])).exits(2);

        let rows = machine.read_roll().rows().len();
        assert_eq!(rows, usize::from(!went), "{told:?}");
        assert_eq!(archive_of(&machine).exists(), went);
        told.complains_of("No space left on device");
        let path = archive_of(&machine).display().to_string();
        if went {
            told.complains_of("1 row was moved from the roll to");
            told.complains_of(&path);
            assert!(told.stdout.contains(SHOP), "{told:?}");
        } else {
            told.complains_of("nothing was taken out of the roll");
        }
        // The next one makes that good.
        let _ = prune(&machine, &[]).exits(0);
        assert_eq!(machine.read_roll().rows(), [] as [Value; 0]);
        assert_eq!(Roll::read(&archive_of(&machine)).names(), [SHOP]);
    }
}
