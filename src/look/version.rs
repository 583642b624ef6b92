//! What a program says that it is.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// More than a program says of itself, in bytes.
const LONGEST: u64 = 4096;

/// The first line of what a program says to one argument.
///
/// # Errors
///
/// Why it says nothing.
pub async fn version(program: &Path, argument: &str, patience: Duration) -> Result<String, String> {
    let mut child = Command::new(program)
        .arg(argument)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("it cannot be started: {error}"))?;
    let mut said = String::new();
    let reads = async {
        match child.stdout.take() {
            Some(out) => out.take(LONGEST).read_to_string(&mut said).await,
            None => Ok(0),
        }
    };
    match tokio::time::timeout(patience, reads).await {
        Err(_) => Err(format!("it did not answer within {} s", patience.as_secs())),
        Ok(Err(error)) => Err(format!("its answer could not be read: {error}")),
        Ok(Ok(_)) => match said.lines().next().map(str::trim) {
            Some(line) if !line.is_empty() => Ok(line.to_owned()),
            _ => Err("it says nothing of itself".to_owned()),
        },
    }
}
