//! The `headcount` command.

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    ExitCode::from(headcount::cli::run(std::env::args_os()).await)
}
