//! The script that a Hermes worker calls: it finds the program and the roll, and leaves the rest to headcount.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const SHIM: &str = "skills/tmux-agent-orchestrate-monitor/scripts/reconcile.sh";

/// It is linked to and not written by the tests: what is being written while another test forks cannot be run.
const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/shim/headcount.sh");

/// A repository with the shim in it, in a folder whose name has everything that breaks careless scripts.
struct Repository {
    temp: TempDir,
}

impl Repository {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(temp.path())
            .unwrap()
            .join("my repo's $HOME *");
        let repository = Self { temp };
        assert_eq!(repository.root(), root);
        repository.install("skills");
        repository
    }

    fn root(&self) -> PathBuf {
        let temp = fs::canonicalize(self.temp.path()).unwrap();
        temp.join("my repo's $HOME *")
    }

    /// Puts the shim into a folder of skills.
    fn install(&self, skills: &str) -> PathBuf {
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIM);
        let below = SHIM.strip_prefix("skills/").unwrap();
        let shim = self.root().join(skills).join(below);
        fs::create_dir_all(shim.parent().unwrap()).unwrap();
        fs::copy(original, &shim).unwrap();
        shim
    }

    fn shim(&self) -> PathBuf {
        self.root().join(SHIM)
    }

    /// Makes a stand-in for headcount.
    fn program(&self, path: &str) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(STAND_IN, &path).unwrap();
        path
    }

    fn roll(&self, path: &str) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "tmux_sessions: []\n").unwrap();
        path
    }

    /// The shim, to be called from elsewhere with nothing in its environment but a `PATH` without headcount.
    fn call(&self) -> Command {
        self.call_as(&self.shim())
    }

    fn call_as(&self, shim: &Path) -> Command {
        let mut call = Command::new("/bin/sh");
        call.arg(shim);
        call.env_clear()
            .env("PATH", "/usr/bin:/bin")
            .current_dir("/");
        call
    }
}

fn lines(output: &Output) -> Vec<String> {
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn roll_given(call: &mut Command) -> PathBuf {
    let said = lines(&call.output().unwrap());
    PathBuf::from(said[1].strip_prefix("roll: ").unwrap())
}

fn refusal(call: &mut Command) -> String {
    let output = call.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.starts_with("ERROR: "), "{text}");
    text
}

#[test]
fn it_can_be_run_as_it_is() {
    let shim = Path::new(env!("CARGO_MANIFEST_DIR")).join(SHIM);
    let mode = fs::metadata(&shim).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0o111);
    assert!(
        fs::read_to_string(&shim)
            .unwrap()
            .starts_with("#!/bin/sh\n")
    );
}

#[test]
fn it_passes_every_flag_through_as_it_is() {
    let repository = Repository::new();
    repository.program("target/debug/headcount");
    let flags = [
        "--once",
        "--emit-diff",
        "--dry-run",
        "--subscribe",
        "--timeout",
        "60",
        "--idle-timeout",
        "0",
        "-h",
        "a b  'c' \"d\" $e *",
        "",
    ];
    let said = lines(&repository.call().args(flags).output().unwrap());
    assert_eq!(said[2], "reconcile");
    assert_eq!(said[3..], flags);
}

#[test]
fn a_worker_is_passed_through_as_one() {
    let repository = Repository::new();
    repository.program("target/debug/headcount");
    let flags = ["worker", "--turn", "20m"];
    let said = lines(&repository.call().args(flags).output().unwrap());
    assert_eq!(said[2..], flags);
}

#[test]
fn it_passes_the_exit_code_through() {
    let repository = Repository::new();
    repository.program("target/debug/headcount");
    for code in [0, 1, 2, 3, 143] {
        let status = repository
            .call()
            .env("CODE", code.to_string())
            .output()
            .unwrap()
            .status;
        assert_eq!(status.code(), Some(code));
    }
}

#[test]
fn the_program_that_is_named_comes_first_then_the_installed_one_then_the_one_built_here() {
    let repository = Repository::new();
    let who = |call: &mut Command| PathBuf::from(&lines(&call.output().unwrap())[0]);

    let debug = repository.program("target/debug/headcount");
    assert_eq!(who(&mut repository.call()), debug);
    let release = repository.program("target/release/headcount");
    assert_eq!(who(&mut repository.call()), release);
    let installed = repository.program("some bin/headcount");
    let path = format!("{}:/usr/bin:/bin", installed.parent().unwrap().display());
    assert_eq!(who(repository.call().env("PATH", &path)), installed);
    let named = repository.program("named program");
    let mut call = repository.call();
    assert_eq!(
        who(call.env("PATH", &path).env("HEADCOUNT_BIN", &named)),
        named
    );
}

#[test]
fn a_program_that_is_named_and_cannot_be_run_is_not_replaced_by_another() {
    let repository = Repository::new();
    repository.program("target/debug/headcount");
    for named in ["/nonexistent/headcount", "/etc/passwd", "/tmp"] {
        let text = refusal(repository.call().env("HEADCOUNT_BIN", named));
        assert!(text.contains(named), "{text}");
    }
}

#[test]
fn without_a_program_it_says_what_to_do() {
    let repository = Repository::new();
    assert!(refusal(&mut repository.call()).contains("HEADCOUNT_BIN"));
    fs::write(repository.root().join("Cargo.toml"), "").unwrap();
    let text = refusal(&mut repository.call());
    assert!(
        text.contains("cargo build --release --manifest-path"),
        "{text}"
    );
}

#[test]
fn it_names_the_roll_of_its_own_repository_wherever_it_is_called_from() {
    let repository = Repository::new();
    let roll = repository.roll(".hermes/agent-sessions.yaml");
    repository.program("target/debug/headcount");
    let elsewhere = tempfile::tempdir().unwrap();
    assert_eq!(roll_given(repository.call().current_dir(&elsewhere)), roll);

    let hidden = repository.install(".agents/skills");
    assert_eq!(roll_given(&mut repository.call_as(&hidden)), roll);

    let relative = Path::new("../my repo's $HOME *").join(SHIM);
    let mut call = repository.call_as(&relative);
    assert_eq!(roll_given(call.current_dir(repository.root())), roll);
}

#[test]
fn it_is_found_through_links_to_it_and_to_its_folder() {
    let repository = Repository::new();
    let roll = repository.roll(".hermes/agent-sessions.yaml");
    repository.program("target/debug/headcount");
    let elsewhere = tempfile::tempdir().unwrap();

    let first = elsewhere.path().join("first link");
    symlink(repository.shim(), &first).unwrap();
    let second = elsewhere.path().join("second link");
    symlink("first link", &second).unwrap();
    assert_eq!(roll_given(&mut repository.call_as(&second)), roll);

    let skills = elsewhere.path().join("skills");
    symlink(repository.root().join("skills"), &skills).unwrap();
    let through = skills.join(SHIM.strip_prefix("skills/").unwrap());
    assert_eq!(roll_given(&mut repository.call_as(&through)), roll);
}

#[test]
fn a_roll_that_is_named_beats_the_repositorys() {
    let repository = Repository::new();
    let own = repository.roll(".hermes/agent-sessions.yaml");
    repository.program("target/debug/headcount");
    let mut call = repository.call();
    assert_eq!(
        roll_given(call.env("AGENT_SESSIONS_YAML", "/a b/c")),
        Path::new("/a b/c")
    );
    assert_eq!(roll_given(call.env("AGENT_SESSIONS_YAML", "")), own);
}

#[test]
fn a_roll_in_the_newer_folder_is_found_and_two_are_refused() {
    let repository = Repository::new();
    repository.program("target/debug/headcount");
    let newer = repository.roll(".mam/agent-sessions.yaml");
    assert_eq!(roll_given(&mut repository.call()), newer);
    repository.roll(".hermes/agent-sessions.yaml");
    assert!(refusal(&mut repository.call()).contains("AGENT_SESSIONS_YAML"));
}

#[test]
fn a_linked_worktree_has_the_roll_of_the_main_checkout() {
    let repository = Repository::new();
    repository.program("target/debug/headcount");
    let main = tempfile::tempdir().unwrap();
    let roll = main
        .path()
        .join("main checkout/.hermes/agent-sessions.yaml");
    fs::create_dir_all(roll.parent().unwrap()).unwrap();
    fs::write(&roll, "").unwrap();
    let git = main.path().join("main checkout/.git/worktrees/wt-1");
    fs::write(
        repository.root().join(".git"),
        format!("gitdir: {}\n", git.display()),
    )
    .unwrap();
    assert_eq!(roll_given(&mut repository.call()), roll);

    let own = repository.roll(".hermes/agent-sessions.yaml");
    assert_eq!(roll_given(&mut repository.call()), own);
}

#[test]
fn where_there_is_no_roll_the_place_it_should_be_is_named() {
    let repository = Repository::new();
    repository.program("target/debug/headcount");
    let should_be = repository.root().join(".hermes/agent-sessions.yaml");
    assert_eq!(roll_given(&mut repository.call()), should_be);
}
