//! Bounded looks into files that belong to somebody else: the first lines of a file, or all of a small one.
//!
//! Whatever lies at the path, a look ends at once and costs no more than [`HEAD`] bytes (or the limit it was
//! given): FIFOs, devices and folders are never opened, and a file that grows, shrinks or vanishes meanwhile
//! gives what was there.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::core::ids::Timestamp;

/// How much of a file's beginning is ever read, in bytes. Claude Code's own listing reads as much.
pub const HEAD: usize = 64 * 1024;

/// How much of it is read first, in bytes: enough for the first records of nearly every transcript.
const FIRST: usize = 8 * 1024;

/// How much a file below `/proc` may hold, in bytes. The largest are environments, which the kernel bounds.
const PROC: usize = 8 * 1024 * 1024;

/// What is read at once of a file below `/proc`, in bytes. The kernel fills what it is given up to a page, and
/// stops earlier only at the end or where the next entry, which is smaller than [`MARGIN`], would not fit: so a
/// read that leaves more room than that has met the end, and need not be followed by an empty one.
const PAGE: usize = 4096;

/// More than one entry has, in bytes: the longest are the lines of `/proc/net/unix`.
const MARGIN: usize = 512;

/// Why a file could not be looked into.
#[derive(Debug)]
pub enum Unreadable {
    /// There is nothing at this path.
    Missing,
    /// It is a folder, a FIFO, a socket or a device.
    NotAFile,
    /// It is larger than this many bytes, which is more than such a file has.
    TooLarge(usize),
    /// The system refused.
    Failed(io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
            // What `/proc` says of a process that ended while it was being read.
            _ if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => Self::Missing,
            _ => Self::Failed(error),
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("it is not there"),
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::TooLarge(most) => write!(f, "it is larger than {most} bytes"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Unreadable {}

/// What is known of a regular file without opening it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside {
    /// Its size in bytes.
    pub size: u64,
    /// When it last changed.
    pub modified: Timestamp,
    /// When it was made, where the file system keeps that.
    pub born: Option<Timestamp>,
    /// The user it belongs to.
    pub owner: u32,
}

/// Looks at a regular file from outside. Symbolic links are followed.
///
/// # Errors
/// If there is no regular file at the path, or it cannot be told.
pub fn outside(path: &Path) -> Result<Outside, Unreadable> {
    let found = regular(path)?;
    Ok(Outside {
        size: found.len(),
        modified: timestamp(found.modified()?),
        born: found.created().ok().map(timestamp),
        owner: found.uid(),
    })
}

/// Hands the complete lines of a file's first [`HEAD`] bytes, without their line feeds, to `each`, until it
/// breaks. A last line without a line feed counts as complete where the file ends with it.
///
/// # Errors
/// If there is no regular file at the path, or it cannot be read.
pub fn head_lines(
    path: &Path,
    each: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> Result<(), Unreadable> {
    Ok(lines_of(&mut open(path)?.0, each)?)
}

/// The whole of a file that is small by nature.
///
/// # Errors
/// If there is no regular file at the path, it cannot be read, or it has more than `most` bytes.
pub fn whole(path: &Path, most: usize) -> Result<Vec<u8>, Unreadable> {
    let (mut file, found) = open(path)?;
    let size = usize::try_from(found.len()).unwrap_or(usize::MAX);
    if size > most {
        return Err(Unreadable::TooLarge(most));
    }
    // One byte more than it has: a read that leaves room in the buffer has met the end.
    let mut bytes = vec![0; size + 1];
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..]) {
            Ok(n) => filled += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error.into()),
        }
        if filled < bytes.len() {
            break;
        }
        if filled <= most {
            bytes.resize((filled * 2).min(most + 1), 0);
        }
    }
    if filled > most {
        return Err(Unreadable::TooLarge(most));
    }
    bytes.truncate(filled);
    Ok(bytes)
}

/// The whole of a file below `/proc`, which has no size until it is read.
///
/// # Errors
/// If it is not there, may not be read, or goes on for more than [`PROC`] bytes.
pub fn all_of_proc(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let mut file = File::open(path)?;
    let mut page = [0; PAGE];
    let got = loop {
        match file.read(&mut page) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            got => break got?,
        }
    };
    let mut bytes = page[..got].to_vec();
    if got <= PAGE - MARGIN {
        return Ok(bytes);
    }
    file.take((PROC + 1 - got) as u64).read_to_end(&mut bytes)?;
    if bytes.len() > PROC {
        return Err(Unreadable::TooLarge(PROC));
    }
    Ok(bytes)
}

/// The same of anything that can be read.
pub(super) fn lines_of(
    from: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> ControlFlow<()>,
) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(FIRST);
    let mut done = 0;
    for goal in [FIRST, HEAD] {
        let wanted = goal - bytes.len();
        let got = from.by_ref().take(wanted as u64).read_to_end(&mut bytes)?;
        while let Some(length) = memchr::memchr(b'\n', &bytes[done..]) {
            let line = &bytes[done..done + length];
            done += length + 1;
            if each(line).is_break() {
                return Ok(());
            }
        }
        if got < wanted {
            if done < bytes.len() {
                let _last = each(&bytes[done..]);
            }
            return Ok(());
        }
    }
    Ok(())
}

/// Opens a regular file, and nothing else. It is looked at first, since opening a FIFO would wake the process
/// that waits at its other end, and looked at again, since it may have been replaced in between.
fn open(path: &Path) -> Result<(File, Metadata), Unreadable> {
    regular(path)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(io::Error::from)?;
    let file = File::from(opened);
    let found = file.metadata()?;
    if found.is_file() {
        Ok((file, found))
    } else {
        Err(Unreadable::NotAFile)
    }
}

fn regular(path: &Path) -> Result<Metadata, Unreadable> {
    let found = std::fs::metadata(path)?;
    if found.is_file() {
        Ok(found)
    } else {
        Err(Unreadable::NotAFile)
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    let millis = match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
        }
    };
    Timestamp::from_millis(millis)
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may fail")]
mod tests {
    use std::io::{Seek as _, SeekFrom, Write as _};
    use std::path::PathBuf;

    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    /// A reader that counts what was read through it.
    struct Counted<R> {
        inner: R,
        bytes: usize,
    }

    impl<R: Read> Read for Counted<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let n = self.inner.read(buffer)?;
            self.bytes += n;
            Ok(n)
        }
    }

    fn file(content: &[u8]) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        std::fs::write(&path, content).expect("a file");
        (folder, path)
    }

    fn lines(path: &Path) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        head_lines(path, |line| {
            lines.push(line.to_vec());
            ControlFlow::Continue(())
        })
        .expect("a file that can be read");
        lines
    }

    /// How many bytes are read of a file when everything is asked for.
    fn cost(path: &Path) -> usize {
        let mut counted = Counted {
            inner: File::open(path).expect("a file"),
            bytes: 0,
        };
        lines_of(&mut counted, |_| ControlFlow::Continue(())).expect("it can be read");
        counted.bytes
    }

    #[test]
    fn lines_are_handed_out_one_by_one_until_the_reader_has_enough() {
        let (_folder, path) = file(b"one\ntwo\nthree\n");
        let mut seen = Vec::new();
        head_lines(&path, |line| {
            seen.push(line.to_vec());
            if line == b"two" {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .expect("a file");
        assert_eq!(seen, [b"one", b"two"]);
    }

    #[test]
    fn a_last_line_without_its_line_feed_counts_where_the_file_ends() {
        let (_folder, path) = file(b"one\ntwo");
        assert_eq!(lines(&path), [b"one", b"two"]);
    }

    #[test]
    fn a_line_that_the_window_cuts_off_is_not_handed_out() {
        let long = vec![b'x'; HEAD];
        let (_folder, path) = file(&[b"one\n", &long[..], b"\nthree\n"].concat());
        assert_eq!(lines(&path), [b"one"]);
    }

    #[test]
    fn a_line_longer_than_the_first_read_is_handed_out_whole() {
        let long = vec![b'x'; FIRST * 3];
        let (_folder, path) = file(&[b"one\n", &long[..], b"\nthree\n"].concat());
        assert_eq!(lines(&path), [&b"one"[..], &long, b"three"]);
    }

    #[test]
    fn a_file_of_100_megabytes_costs_no_more_than_the_window() {
        let (_folder, path) = file(b"one\n");
        let file = File::options().write(true).open(&path).expect("a file");
        file.set_len(100 * 1024 * 1024).expect("a sparse file");
        assert_eq!(cost(&path), HEAD);
    }

    #[test]
    fn a_line_of_20_megabytes_costs_no_more_than_the_window() {
        let (_folder, path) = file(&vec![b'x'; 20 * 1024 * 1024]);
        assert_eq!(cost(&path), HEAD);
        assert_eq!(lines(&path), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn who_has_enough_after_the_first_lines_pays_for_the_first_read_only() {
        let mut counted = Counted {
            inner: io::repeat(b'\n'),
            bytes: 0,
        };
        lines_of(&mut counted, |_| ControlFlow::Break(())).expect("it can be read");
        assert_eq!(counted.bytes, FIRST);
    }

    #[test]
    fn nothing_but_a_regular_file_is_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            Mode::RUSR | Mode::WUSR,
            0,
        )
        .expect("a FIFO");
        for path in [fifo.as_path(), folder.path(), Path::new("/dev/zero")] {
            assert!(matches!(whole(path, 9), Err(Unreadable::NotAFile)));
            assert!(matches!(outside(path), Err(Unreadable::NotAFile)));
            let read = head_lines(path, |_| ControlFlow::Continue(()));
            assert!(matches!(read, Err(Unreadable::NotAFile)));
        }
    }

    #[test]
    fn a_link_to_a_file_is_followed_and_a_link_to_nowhere_is_missing() {
        let (folder, path) = file(b"one\n");
        let (link, dangling) = (folder.path().join("link"), folder.path().join("dangling"));
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        std::os::unix::fs::symlink("nowhere", &dangling).expect("a link");
        assert_eq!(whole(&link, 9).expect("a file"), b"one\n");
        assert!(matches!(whole(&dangling, 9), Err(Unreadable::Missing)));
        assert!(matches!(
            outside(&path.join("below")),
            Err(Unreadable::Missing)
        ));
    }

    #[test]
    fn a_small_file_is_read_whole_and_a_larger_one_is_refused() {
        let (_folder, path) = file(b"123456789");
        assert_eq!(whole(&path, 9).expect("a file"), b"123456789");
        assert!(matches!(whole(&path, 8), Err(Unreadable::TooLarge(8))));
        let (_folder, empty) = file(b"");
        assert_eq!(whole(&empty, 0).expect("a file"), b"");
    }

    #[test]
    fn a_file_is_dated_by_its_last_change_and_by_its_birth() {
        let (_folder, path) = file(b"x");
        let mut file = File::options().write(true).open(&path).expect("a file");
        file.seek(SeekFrom::End(0)).expect("its end");
        file.write_all(b"y").expect("a change");
        file.set_modified(SystemTime::UNIX_EPOCH).expect("a time");
        let seen = outside(&path).expect("a file");
        assert_eq!(seen.size, 2);
        assert_eq!(seen.modified, Timestamp::from_secs(0));
        assert!(seen.born.is_none_or(|born| born > Timestamp::from_secs(0)));
    }

    #[test]
    fn a_time_before_the_epoch_is_a_time() {
        let before = SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(5);
        assert_eq!(timestamp(before), Timestamp::from_secs(-5));
    }

    #[test]
    fn a_file_below_proc_has_no_size_and_is_read_all_the_same() {
        let stat = all_of_proc(Path::new("/proc/self/stat")).expect("a process");
        assert!(stat.starts_with(std::process::id().to_string().as_bytes()));
        let gone = all_of_proc(Path::new("/proc/4294967295/stat"));
        assert!(matches!(gone, Err(Unreadable::Missing)));
    }

    proptest! {
        #[test]
        fn short_content_comes_back_as_its_lines(content in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut seen = Vec::new();
            lines_of(&mut content.as_slice(), |line| {
                seen.push(line.to_vec());
                ControlFlow::Continue(())
            })?;
            let mut expected: Vec<Vec<u8>> = content.split(|&b| b == b'\n').map(<[u8]>::to_vec).collect();
            if expected.last().is_some_and(Vec::is_empty) {
                expected.pop();
            }
            prop_assert_eq!(seen, expected);
        }
    }
}
