//! What must hold of any bytes that lie where Claude Code's files are.

use std::ops::ControlFlow;

use super::record::{Claim, Said, claim, read};
use super::transcript::Head;
use crate::core::ids::ProcessId;
use crate::look::window;

const PROCESS: ProcessId = ProcessId {
    pid: 7884,
    start: 139_564,
};

const HERE: Option<&str> = Some("pid:[4026531836]");

/// Reads the bytes as a transcript: what lies beyond its head is of no matter.
pub(crate) fn transcript(bytes: &[u8]) {
    let whole = head(bytes);
    let mut more = bytes.to_vec();
    if bytes.len() < window::HEAD {
        // A last line without an end may go on.
        let end = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        more.truncate(end);
        let first = head(&more);
        assert!(first.began.is_none() || first.began == whole.began);
        assert!(first.cwd.is_none() || first.cwd == whole.cwd);
        assert!(first.writer.is_none() || first.writer == whole.writer);
        return;
    }
    more.extend_from_slice(
        b"\n{\"timestamp\":\"2026-11-21T09:16:04Z\",\"cwd\":\"/x\",\"entrypoint\":\"cli\"}\n",
    );
    assert_eq!(head(&more), whole);
}

fn head(bytes: &[u8]) -> Head {
    let mut head = Head::default();
    let mut read = 0;
    let lines = window::lines_of(&mut &*bytes, |line| {
        read += line.len() + 1;
        head.take(line)
    });
    assert!(lines.is_ok() && read <= window::HEAD + 1);
    head
}

/// Reads the bytes as a live process's record: what it says and what it claims agree.
pub(crate) fn record(bytes: &[u8]) {
    let claimed = claim(bytes, Some(PROCESS.start), HERE);
    match read(bytes, PROCESS, HERE) {
        Said::Has(conversation) => assert_eq!(claimed, Claim::Of(conversation.id)),
        Said::Stale => assert_eq!(claimed, Claim::None),
        Said::Torn => assert_eq!(claimed, Claim::Unclear),
        Said::Unclear(why) => assert!(!why.is_empty()),
    }
    // Without a process nobody claims anything here, and elsewhere that cannot be told.
    if claim(bytes, None, HERE) != Claim::None {
        assert!(matches!(read(bytes, PROCESS, HERE), Said::Unclear(_)));
    }
    let nowhere = read(bytes, PROCESS, None);
    assert!(!matches!(nowhere, Said::Has(_)) || read(bytes, PROCESS, HERE) == nowhere);
    let _: ControlFlow<()> = Head::default().take(bytes);
}
