//! A system clock that can be set while a program runs: for that program alone, with `libfaketime`.
//!
//! As where a person or a time server sets the clock of a machine, the clock that counts from the boot goes on as
//! it did.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Machine, skip};

/// A clock. It goes right until it is set.
pub struct Clock {
    library: PathBuf,
    file: PathBuf,
}

impl Clock {
    pub(super) fn on(machine: &Machine) -> Option<Self> {
        let Some(library) = library() else {
            assert!(
                env::var_os("HEADCOUNT_REQUIRE_FAKETIME").is_none_or(|it| it == "0"),
                "libfaketime is not installed, and HEADCOUNT_REQUIRE_FAKETIME asks for it"
            );
            skip("libfaketime is not installed: run scripts/setup-tests");
            return None;
        };
        let clock = Self {
            library,
            file: machine.new_folder("clock").join("offset"),
        };
        clock.is_off_by(0);
        Some(clock)
    }

    /// Sets it to be so many seconds ahead of the right time; behind it, if that is negative.
    pub fn is_off_by(&self, seconds: i64) {
        let unfinished = self.file.with_extension("new");
        fs::write(&unfinished, format!("{seconds:+}\n")).expect("a file can be written");
        fs::rename(&unfinished, &self.file).expect("a file can be replaced");
    }

    /// What a program's environment has to say so that it goes by this clock.
    pub fn environment(&self) -> [(&'static str, PathBuf); 5] {
        let on = || PathBuf::from("1");
        [
            ("LD_PRELOAD", self.library.clone()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.clone()),
            ("FAKETIME_NO_CACHE", on()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", on()),
            ("NO_FAKE_STAT", on()),
        ]
    }
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten();
    let folders = folders.map(|entry| entry.path());
    let mut found = folders
        .chain([PathBuf::from("/usr/lib"), PathBuf::from("/usr/lib64")])
        .map(|folder| folder.join(Path::new("faketime/libfaketimeMT.so.1")))
        .filter(|library| library.is_file());
    found.next()
}
