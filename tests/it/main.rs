//! headcount as its users run it: the built binary, real tmux servers, real files, real processes.
//!
//! `support` holds the machine these tests run on; its first page shows how a test is written.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test that cannot go on should fail, and say so"
)]
#![allow(
    unreachable_pub,
    reason = "`pub` marks what tests may use of a support module"
)]

mod ack;
mod all_rolls;
mod bad_input;
mod command_line;
mod commands;
mod config;
mod dispatch;
mod doctor;
mod examples;
mod exit_codes;
mod explain;
mod id_materialized;
mod log;
mod never_a_false_end;
mod notes;
mod notify;
mod open_roll;
mod ordinary_days;
mod prune;
mod push;
mod real_claude;
mod record;
mod reports;
mod resume;
mod review;
mod roll_format;
mod roll_interop;
mod rules;
mod secrets;
mod servers;
mod shim;
mod stale_id;
mod state_folder;
mod status;
mod support;
mod tmux_gone;
mod undo;
mod unregistered;
mod watch;
mod watch_screen;
mod worker;
