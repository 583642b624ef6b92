#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| headcount::fuzz::pid_file(bytes));
