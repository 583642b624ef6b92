//! Bad input: each gets a clear error that names the file and what to do, the right exit code, and loses nothing.
