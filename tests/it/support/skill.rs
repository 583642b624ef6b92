//! The other writers of the roll: Python with `PyYAML` and `fcntl.flock`, in a process of its own.

use std::path::PathBuf;

use super::python;

/// A program that writes to the roll as the skills do: under the lock, read, change, `.bak`, temporary file,
/// rename.
#[derive(Clone, Debug)]
pub struct Skill {
    roll: PathBuf,
}

impl Skill {
    pub(super) const fn writing(roll: PathBuf) -> Self {
        Self { roll }
    }

    /// Changes the roll by a Python statement about its document, `d`. `row(NAME)` is the row of that name.
    #[track_caller]
    pub fn writes(&self, statement: &str) {
        let roll = self.roll.to_str().expect("a machine's paths are text");
        python::run(WRITER, &[roll, statement], b"");
    }
}

const WRITER: &str = r"
import fcntl, os, shutil, sys, tempfile, yaml
path, statement = sys.argv[1:]
with open(path + '.lock', 'a') as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(path) as roll:
        d = yaml.safe_load(roll) or {}
    def row(name):
        return next(row for row in d['tmux_sessions'] if row['name'] == name)
    exec(statement)
    shutil.copy2(path, path + '.bak')
    fd, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(fd, 'w') as roll:
        yaml.safe_dump(d, roll, sort_keys=False, allow_unicode=True)
    os.replace(temporary, path)
";

#[test]
fn a_skill_writes_as_the_skills_do() {
    let machine = super::Machine::new();
    machine.roll().row("shop").write();
    let before = machine.roll_text();

    machine.skill().writes("row('shop')['status'] = 'stopped'");

    assert_eq!(machine.row("shop")["status"], "stopped");
    let beside = |end: &str| machine.roll_path().with_extension(format!("yaml.{end}"));
    assert_eq!(std::fs::read_to_string(beside("bak")).unwrap(), before);
    assert!(beside("lock").exists());
}
