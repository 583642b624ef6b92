//! A process, as `/proc` shows it.

use std::fs;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use super::wait_until;

/// A process, told apart from a later one with the same pid by its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its pid.
    pub pid: u32,
    /// Clock ticks between boot and its start.
    pub start: u64,
}

impl Process {
    /// How long it has had a processor, in clock ticks, of which a second has a hundred.
    pub fn worked(self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap_or_default();
        let behind_name = stat.rsplit(')').next().unwrap_or_default();
        let spent = behind_name.split_whitespace().skip(11).take(2);
        spent.filter_map(|ticks| ticks.parse::<u64>().ok()).sum()
    }

    /// How much memory it has in use, in bytes.
    pub fn resident(self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.expect("the process runs") * 1024
    }

    /// How often it has waited for something, since it began.
    pub fn waits(self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|waits| waits.trim().parse().ok())
            .expect("the process runs")
    }

    /// The living process of that pid. Zombies are dead.
    pub fn find(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name may hold blanks and parentheses; what follows its last parenthesis is plain.
        let (_, rest) = stat.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let state = *fields.first()?;
        let start = fields.get(19)?.parse().ok()?;
        (state != "Z" && state != "X").then_some(Self { pid, start })
    }

    /// Whether it still runs.
    pub fn is_alive(self) -> bool {
        Self::find(self.pid) == Some(self)
    }

    /// Sends it a signal, if it still runs.
    pub fn signal(self, signal: Signal) {
        if self.is_alive()
            && let Some(pid) = i32::try_from(self.pid).ok().and_then(Pid::from_raw)
        {
            // It may have ended just now, which is as good.
            let _ = kill_process(pid, signal);
        }
    }

    /// Waits until it has ended.
    #[track_caller]
    pub fn wait_for_end(self) {
        wait_until(&format!("the end of process {}", self.pid), || {
            (!self.is_alive()).then_some(())
        });
    }

    /// The name the kernel has for it.
    pub fn comm(self) -> String {
        fs::read_to_string(format!("/proc/{}/comm", self.pid))
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    /// Its arguments.
    pub fn argv(self) -> Vec<String> {
        let bytes = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        String::from_utf8_lossy(&bytes)
            .split_terminator('\0')
            .map(str::to_owned)
            .collect()
    }

    /// The pid of its parent.
    pub fn parent(self) -> Option<u32> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).ok()?;
        stat.rsplit_once(')')?
            .1
            .split_whitespace()
            .nth(1)?
            .parse()
            .ok()
    }

    /// Every living process of the machine.
    pub fn all() -> Vec<Self> {
        fs::read_dir("/proc")
            .expect("/proc can be listed")
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(Self::find)
            .collect()
    }

    /// Whether `setting` (`NAME=value`) is in the environment it was started with.
    pub fn was_started_with(self, setting: &str) -> bool {
        fs::read(format!("/proc/{}/environ", self.pid))
            .unwrap_or_default()
            .split(|&byte| byte == 0)
            .any(|pair| pair == setting.as_bytes())
    }
}

/// The pid of a process that has ended.
pub fn dead_pid() -> u32 {
    let process = Command::new("true").spawn();
    let mut process = process.expect("a process can be started");
    process.wait().expect("it ends");
    process.id()
}
