//! A private machine for every test: its own home, tmux folder, state folder and roll, with real tmux
//! servers and stand-in agents on it. Nothing outside of it is read, touched or seen, and dropping it
//! ends whatever was started on it.
//!
//! ```ignore
//! use crate::support::{Agent, Machine, conversation};
//!
//! #[test]
//! fn a_killed_session_is_marked_terminated() {
//!     let machine = Machine::new();
//!     let gone = machine.session("shop-creator-claude").running("claude").start();
//!     let alive = machine.session("docs-creator-claude").running(Agent::claude().under_a_shell()).start();
//!     machine.claude().pid_file(&alive).id(&conversation(1)).write();
//!     machine.claude().transcript(&alive.cwd, &conversation(1)).write();
//!     machine
//!         .roll()
//!         .row("shop-creator-claude").pane(&gone)
//!         .row("docs-creator-claude").pane(&alive).set("claude_session_id_own", conversation(1))
//!         .write();
//!
//!     gone.kill();
//!     let pass = machine.reconcile().at_once().run().exits(0);
//!
//!     let drift = pass.drift("A", "shop-creator-claude");
//!     assert_eq!(drift["reason"], "session_gone");
//!     assert!(drift.is_applied());
//!     assert_eq!(machine.row("shop-creator-claude")["status"], "terminated");
//!     pass.has_no_drift("docs-creator-claude");
//! }
//! ```
//!
//! | to have | write |
//! |---|---|
//! | a session | `machine.session(NAME)` `.server(LABEL)` `.socket(PATH)` `.cwd(PATH)` `.env(K, V)` `.beside(&session)` (grouped) `.remaining_on_exit()` `.running(AGENT)` `.start()` |
//! | an agent | `Agent::claude()`, `Agent::agy()`, `Agent::named("codex")`, each `.under_a_shell()` `.through_a_script()` `.run_by("node")` `.with_child(AGENT)` `.holding(LOCK)` `.ignoring_hangup()` |
//! | something to happen | `session.kill()` `.rename(NAME)` `.new_window(AGENT)` `.split(AGENT)` `.type_line(TEXT)`, `agent.exit()` `.kill()`, `server.kill()` `.crash()` |
//! | the real Claude Code | `ClaudeCode::on(&machine)`, then `.start(NAME)` and `.say(TEXT)` `.ask_to_run(COMMAND)` `.clear()` `.crash()` `.exit()` |
//! | agents' files | `machine.claude()`, `machine.agy()`; `.claude_at(PATH)` for another root |
//! | a roll | `machine.roll()…write()` or `machine.write_roll(TEXT)`; read back by real `PyYAML`: `machine.read_roll()`, `machine.row(NAME)` |
//! | a job's record | `machine.job(ID)` `.status("completed")` `.session(NAME)` `.token(TOKEN)` `.ago(AGE)` `.write()` |
//! | a broker | `machine.broker()` `.users(…)` `.tls()` `.client_certificates()` `.rights(ACL)` `.start()`, then `.publisher()` `.event(JOB, SEQ, WHAT)` `.signed(…)` `.raw(…)`, `.kill()` `.stop()` `.start_again()` `.has_saved(TEXT)` |
//! | a pass | `machine.reconcile()` + flags + `.run()`, then `.exits(0)`, `.drift(CLASS, NAME)`, `.note(KIND)`, `.held(REASON)`; `machine.headcount(&["init"])` for the other commands |
//! | a loop | `machine.watch()` + flags + `.start()`, then `.wait_for_drift(CLASS, NAME, …)`, `.wait_for_pass(WHY)`, `.passes()`, `.reports()`, `.signal(…)`, `.end()` |
//! | a screen | `Screen::watching(&machine)`, then `.press(&[KEY])` `.wait_for(TEXT)` `.resize(COLUMNS, ROWS)` `.looks()` `.ends(CODE)` |
//! | a kanban card | `Hermes::on(&machine)`, then `.card()` and `.worker()` + flags + `.start()`, `.comment(AUTHOR, TEXT)` `.wait_for(TEXT)` `.told()` `.status()` |
//! | a system clock that is set | `machine.clock()`, then `.watch().by(&clock)` or `.reconcile().by(&clock)`, and `clock.is_off_by(SECS)` |
//! | a worker of the board's own | `let model = Model::on(&machine, TURN)`, then `hermes.dispatch(&model)` |
//! | proof that nothing was written | `let before = machine.footprint(); …; assert_eq!(machine.footprint(), before)` |
//!
//! Nothing here waits for a fixed time: [`wait_until`] polls for what is waited for.

#![allow(
    dead_code,
    reason = "a vocabulary: not every word is in use at all times"
)]

mod agent;
mod agy;
mod broker;
mod cache;
mod chance;
mod claude;
mod claude_code;
mod clock;
mod document;
pub mod elsewhere;
mod footprint;
mod hermes;
mod jobs;
mod machine;
mod process;
pub mod python;
mod roll;
mod run;
mod screen;
mod self_check;
mod skill;
mod skip;
mod tmux;
mod wait;
mod watch;

pub use agent::{Agent, StandIn};
pub use agy::Agy;
pub use broker::{Broker, Publisher};
pub use chance::Chance;
pub use claude::{Claude, conversation};
pub use claude_code::ClaudeCode;
pub use clock::Clock;
pub use document::{FIRST_KEYS, keys, names};
pub use elsewhere::Elsewhere;
pub use footprint::Footprint;
pub use hermes::{Card, Hermes, Model};
pub use jobs::JobRecord;
pub use machine::{Machine, in_a_container};
pub use process::{Process, dead_pid};
pub use python::python;
pub use roll::{Roll, RollBuilder};
pub use run::{Pass, Reconcile, Running};
pub use screen::Screen;
pub use skill::Skill;
pub use skip::skip;
pub use tmux::{Server, Session, tmux_folder_in};
pub use wait::{wait_until, wait_until_or};
pub use watch::{Watch, Watching};
