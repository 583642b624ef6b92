//! headcount in other circumstances: after a reboot, on another machine, in a container, as another user.
//!
//! Most of it needs to be root. Where it cannot be had, the test is skipped, loudly and counted.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use super::{Machine, Pass, skip::skip};

/// The user who owns nothing, by number.
pub const NOBODY: u32 = 65534;

/// Circumstances in which a command can be run.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    wrapper: Vec<OsString>,
}

impl Elsewhere {
    /// The same machine, as far as the kernel's word for its boot goes, after it was started again.
    #[must_use]
    pub fn after_a_reboot(machine: &Machine) -> Option<Self> {
        let id = "b007b007-0000-4000-8000-000000000002\n";
        Self::with_file(machine, "/proc/sys/kernel/random/boot_id", id)
    }

    /// Another machine with the same files, as two hosts have that share a home.
    #[must_use]
    pub fn on_another_machine(machine: &Machine) -> Option<Self> {
        Self::with_file(
            machine,
            "/etc/machine-id",
            "00000000000040008000000000000002\n",
        )
    }

    /// A pid namespace of its own, in which no process of the machine can be seen.
    #[must_use]
    pub fn in_a_container() -> Option<Self> {
        let wrapper = ["unshare", "--pid", "--fork", "--mount-proc", "--"];
        works(&wrapper).then(|| Self::of(&wrapper))
    }

    /// A user who owns nothing but what [`give_away`] gave to it.
    #[must_use]
    pub fn as_nobody() -> Option<Self> {
        let wrapper = [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "--",
        ];
        works(&wrapper).then(|| Self::of(&wrapper))
    }

    /// A user whom permissions bind, as they bind everybody but root.
    #[must_use]
    pub fn bound_by_permissions() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return Some(Self::of(&["env"]));
        }
        let wrapper = ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--"];
        works(&wrapper).then(|| Self::of(&wrapper))
    }

    /// Where a folder cannot be written to by anybody.
    #[must_use]
    pub fn with_read_only(folder: &Path) -> Option<Self> {
        let script =
            r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@""#;
        Self::in_a_mount_namespace(script, &[folder])
    }

    /// Where a script that does as it likes to its own mounts ends in `exec "$@"`, after taking its own
    /// arguments from the front.
    #[must_use]
    pub fn in_a_mount_namespace(script: &str, args: &[&Path]) -> Option<Self> {
        let wrapper = ["unshare", "--mount", "--propagation", "private", "--"];
        works(&wrapper).then(|| {
            let mut it = Self::of(&wrapper);
            it.wrapper
                .extend(["/bin/sh", "-c", script, "sh"].map(OsString::from));
            it.wrapper.extend(args.iter().map(OsString::from));
            it
        })
    }

    /// Where the kernel lists no listeners but those below this folder, as they are now: the servers of other tests are
    /// below other `TMUX_TMPDIR`s, and may have any row's session.
    #[must_use]
    pub fn with_listeners_below(folder: &Path) -> Option<Self> {
        let script = r#"
            list="$(grep -e '^Num' -e " $1/" /proc/net/unix)" && mount -t tmpfs none "/proc/$$/net" &&
            printf '%s\n' "$list" >"/proc/$$/net/unix" && shift && exec "$@"
        "#;
        Self::in_a_mount_namespace(script, &[folder])
    }

    /// Where it is killed at the moment it removes its first file: of a change of the roll, that is when the new one
    /// is in place.
    #[must_use]
    pub fn killed_when_it_removes_a_file() -> Option<Self> {
        let wrapper = [
            "strace",
            "-o",
            "/dev/null",
            "-e",
            "trace=?unlink,?unlinkat",
            "-e",
            "inject=?unlink,?unlinkat:signal=KILL",
        ];
        let can_be_had = runs(&wrapper);
        if !can_be_had {
            skip("strace is not installed, or not allowed here");
        }
        can_be_had.then(|| Self::of(&wrapper))
    }

    /// Where from its nth call of that name on, all of them fail with that error.
    #[must_use]
    pub fn with_a_call_that_fails(call: &str, error: &str, nth: usize) -> Option<Self> {
        let trace = format!("trace={call}");
        let inject = format!("inject={call}:error={error}:when={nth}+");
        let wrapper = ["strace", "-o", "/dev/null", "-e", &trace, "-e", &inject];
        let can_be_had = runs(&wrapper);
        if !can_be_had {
            skip("strace is not installed, or not allowed here");
        }
        can_be_had.then(|| Self::of(&wrapper))
    }

    fn with_file(machine: &Machine, path: &str, content: &str) -> Option<Self> {
        let file = machine.new_folder("elsewhere").join("content");
        fs::write(&file, content).expect("a file can be written");
        let script = r#"mount --bind "$1" "$2" && shift 2 && exec "$@""#;
        Self::in_a_mount_namespace(script, &[&file, Path::new(path)])
    }

    fn of(wrapper: &[&str]) -> Self {
        Self {
            wrapper: wrapper.iter().map(OsString::from).collect(),
        }
    }

    /// The same command, in these circumstances.
    pub fn command(&self, command: &Command) -> Command {
        let mut wrapped = Command::new(&self.wrapper[0]);
        wrapped
            .args(&self.wrapper[1..])
            .arg(command.get_program())
            .args(command.get_args())
            .env_clear()
            .stdin(Stdio::null());
        for (key, value) in command.get_envs() {
            if let Some(value) = value {
                wrapped.env(key, value);
            }
        }
        if let Some(folder) = command.get_current_dir() {
            wrapped.current_dir(folder);
        }
        wrapped
    }

    /// Runs a command in these circumstances.
    #[track_caller]
    pub fn run(&self, command: &Command) -> Pass {
        Pass::of(self.command(command))
    }
}

/// Gives everything at and below some paths to the user of [`Elsewhere::as_nobody`].
#[track_caller]
pub fn give_away(paths: &[&Path]) {
    for path in paths {
        std::os::unix::fs::lchown(path, Some(NOBODY), Some(NOBODY))
            .expect("root can give files away");
        if path.is_dir() && !path.is_symlink() {
            let entries = fs::read_dir(path).expect("a folder can be listed");
            for entry in entries.flatten() {
                give_away(&[&entry.path()]);
            }
        }
    }
}

/// Whether a wrapper can be had here; a test that cannot have it is skipped.
fn works(wrapper: &[&str]) -> bool {
    static IS_ROOT: OnceLock<bool> = OnceLock::new();
    let is_root = *IS_ROOT.get_or_init(|| rustix::process::geteuid().is_root());
    let works = is_root && runs(wrapper);
    if !works {
        skip(&format!("`{}` needs to be root", wrapper.join(" ")));
    }
    works
}

fn runs(wrapper: &[&str]) -> bool {
    let mut command = Command::new(wrapper[0]);
    let output = command.args(&wrapper[1..]).arg("true").output();
    output.is_ok_and(|output| output.status.success())
}

#[test]
fn elsewhere_is_elsewhere() {
    let machine = Machine::new();
    let told = |elsewhere: Option<Elsewhere>, args: &[&str]| {
        let mut command = machine.command(args[0]);
        command.args(&args[1..]);
        elsewhere.map(|it| it.run(&command).exits(0).stdout)
    };
    let boot = ["cat", "/proc/sys/kernel/random/boot_id"];
    let namespace = ["readlink", "/proc/self/ns/pid"];
    let id = ["cat", "/etc/machine-id"];
    let user = ["id", "-u"];
    for (elsewhere, question) in [
        (Elsewhere::after_a_reboot(&machine), &boot[..]),
        (Elsewhere::in_a_container(), &namespace),
        (Elsewhere::on_another_machine(&machine), &id),
        (Elsewhere::as_nobody(), &user),
    ] {
        let here = Pass::of({
            let mut command = machine.command(question[0]);
            command.args(&question[1..]);
            command
        });
        let there = told(elsewhere, question);
        assert_ne!(there.as_deref(), Some(&*here.stdout), "{question:?}");
    }
}
