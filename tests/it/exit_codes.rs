//! What the exit code says, with and without `--detailed-exitcode`.
