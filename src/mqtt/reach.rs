//! Whether anybody answers where the broker should be.

use std::time::Duration;

use tokio::net::TcpStream;

/// Knocks at a broker, and goes away again.
///
/// # Errors
///
/// Why nobody answers.
pub async fn reach(host: &str, port: u16, patience: Duration) -> Result<(), String> {
    match tokio::time::timeout(patience, TcpStream::connect((host, port))).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} s", patience.as_secs())),
    }
}
