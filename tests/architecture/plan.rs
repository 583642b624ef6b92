//! The plan of the house, as a table to edit.

/// A word that is only for some files. A file is meant by the beginning of its path.
pub struct Rule {
    pub words: &'static [&'static str],
    pub only_in: &'static [&'static str],
    pub because: &'static str,
}

/// Each word on the left is named only in the files on the right.
pub const RULES: &[Rule] = &[
    Rule {
        words: &[
            "SystemTime::now",
            "Instant::now",
            "Utc::now",
            "Local::now",
            "clock_gettime",
        ],
        only_in: &["src/clock.rs"],
        because: "there is one clock; everything else is told the time",
    },
    Rule {
        words: &[
            "env::var",
            "env::vars",
            "env::args",
            "env::current_dir",
            "env::current_exe",
            "env::home_dir",
            "env::temp_dir",
            "env::set_var",
            "env::remove_var",
        ],
        only_in: &["src/cli", "src/main.rs"],
        because: "the library knows no environment: the command line reads it and passes it on",
    },
    Rule {
        words: &["io::stdout", "io::stdin", "println!", "print!"],
        only_in: &["src/cli", "src/main.rs"],
        because: "the library knows no terminal",
    },
    Rule {
        words: &["process::Command", "tokio::process", "Command::new"],
        only_in: &["src/look/tmux.rs", "src/cli/demo"],
        because: "headcount starts one program, tmux, from one place; the demo has a server of its own",
    },
    Rule {
        words: &["process::exit", "process::abort"],
        only_in: &[],
        because: "only main ends the process, by returning",
    },
    Rule {
        words: &["fs2"],
        only_in: &["src/roll/lock.rs"],
        because: "it is abandoned: replacing it is a change of one file",
    },
    Rule {
        words: &["serde_yaml"],
        only_in: &["src/roll/parse.rs"],
        because: "it only reads, and replacing it is a change of one file",
    },
    Rule {
        words: &["yaml_edit"],
        only_in: &["src/roll/edit.rs"],
        because: "the text of the roll is changed in one file",
    },
    Rule {
        words: &["tempfile", "NamedTempFile"],
        only_in: &["src/roll/atomic.rs"],
        because: "the roll is replaced in one file",
    },
    Rule {
        words: &["rumqttc"],
        only_in: &["src/mqtt/client.rs"],
        because: "its traps are known to one file",
    },
    Rule {
        words: &["rusqlite"],
        only_in: &[
            "src/look/agent/agy",
            "src/look/agent/hermes",
            "src/roll/store.rs",
        ],
        because: "databases are other programs' and only read",
    },
    Rule {
        words: &["clap"],
        only_in: &["src/cli"],
        because: "the library knows no command line",
    },
    Rule {
        words: &["anyhow"],
        only_in: &["src/cli", "src/main.rs"],
        because: "the library's errors have types",
    },
    Rule {
        words: &[
            "kill_process",
            "kill_process_group",
            "pidfd_send_signal",
            "send_keys",
            "kill-session",
        ],
        only_in: &["src/cli/demo"],
        because: "headcount observes: it never signals, types into or kills; the demo does so on its own server",
    },
];

/// A layer, and what it may import of this crate.
pub struct Layer {
    pub path: &'static str,
    pub imports: &'static [&'static str],
}

pub const LAYERS: &[Layer] = &[
    Layer {
        path: "src/core",
        imports: &["core"],
    },
    Layer {
        path: "src/clock.rs",
        imports: &["core"],
    },
    Layer {
        path: "src/look",
        imports: &["core", "clock", "look"],
    },
    Layer {
        path: "src/roll",
        imports: &["core", "clock", "roll"],
    },
    Layer {
        path: "src/tell",
        imports: &["core", "tell"],
    },
    Layer {
        path: "src/state",
        imports: &["core", "clock", "tell", "state"],
    },
    Layer {
        path: "src/mqtt",
        imports: &["core", "clock", "mqtt"],
    },
    Layer {
        path: "src/kanban",
        imports: &["core", "clock", "tell", "kanban"],
    },
    Layer {
        path: "src/run",
        imports: &[
            "core", "clock", "look", "roll", "state", "tell", "mqtt", "kanban", "run",
        ],
    },
];

/// What the part that decides must not even name.
pub const NOT_IN_CORE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::process",
    "std::net",
    "std::thread",
    "std::io",
    "std::os",
    "std::path",
    "std::sync",
    "std::{",
    "SystemTime",
    "Instant",
    "Utc::now",
    "Local",
    "tokio",
    "serde",
    "serde_json",
    "serde_yaml",
    "yaml_edit",
    "fs2",
    "rumqttc",
    "rusqlite",
    "rustix",
    "notify",
    "tempfile",
    "tracing",
    "println!",
    "eprintln!",
    "print!",
    "eprint!",
    "dbg!",
    "unwrap()",
    "panic!",
    "unreachable!",
    "todo!",
];

/// What reads the world must not be able to change it.
pub const NOT_IN_LOOK: &[&str] = &[
    "fs::write",
    "fs::rename",
    "fs::remove_file",
    "fs::remove_dir",
    "fs::create_dir",
    "fs::copy",
    "fs::set_permissions",
    "fs::hard_link",
    "File::create",
    "OpenOptions",
    "OFlags::WRONLY",
    "OFlags::RDWR",
    "OFlags::CREATE",
    "flock",
    "set_len",
    "set_modified",
];

/// What breaks a rule above and is still to be mended: a file, and the word in it. What is mended has to leave
/// this list.
pub const OWED: &[(&str, &str)] = &[("src/look/agent/life.rs", "clock_gettime")];

/// Files that are too long and still to be divided.
pub const OWED_DIVISIONS: &[&str] = &["src/look/agent/claude/tests.rs"];
