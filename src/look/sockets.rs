//! The sockets of tmux servers: where they are, whether somebody answers, whether the kernel knows a listener.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::process::Processes;
use super::window::all_of_proc;
use crate::core::ids::Pid;
use crate::core::sighting::Sighting;

/// What became of knocking at a socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Knock {
    /// Somebody accepts connections.
    Answered,
    /// The file is there, and nobody accepts.
    Refused,
    /// There is no such file.
    Missing,
    /// Neither is known.
    Failed(String),
}

/// Knocks at a socket, and goes away again. Never blocks.
#[must_use]
pub fn knock(path: &Path) -> Knock {
    let address = match SocketAddrUnix::new(path) {
        Ok(address) => address,
        Err(_) => {
            return Knock::Failed(format!(
                "{} is too long a path for a socket",
                path.display()
            ));
        }
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = match socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None) {
        Ok(socket) => socket,
        Err(error) => return Knock::Failed(format!("no socket could be made: {error}")),
    };
    match connect(&socket, &address) {
        // A full queue of a busy server: it accepts, only not yet.
        Ok(()) | Err(Errno::AGAIN | Errno::INPROGRESS) => Knock::Answered,
        Err(Errno::CONNREFUSED) => Knock::Refused,
        Err(Errno::NOENT | Errno::NOTDIR) => Knock::Missing,
        Err(error) => Knock::Failed(format!("cannot connect to {}: {error}", path.display())),
    }
}

/// The folder in which tmux keeps a user's sockets. Like tmux itself, this falls back to `/tmp` where
/// `TMUX_TMPDIR` names no folder.
#[must_use]
pub fn folder(tmux_tmpdir: Option<&Path>, uid: u32) -> PathBuf {
    tmux_tmpdir
        .into_iter()
        .chain([Path::new("/tmp")])
        .find_map(|base| fs::canonicalize(base).ok())
        .unwrap_or_else(|| PathBuf::from("/tmp"))
        .join(format!("tmux-{uid}"))
}

/// The names of all sockets in a folder, sorted. A folder that is not there has none.
///
/// # Errors
///
/// If it cannot be listed.
pub fn sockets_in(folder: &Path) -> std::io::Result<Vec<OsString>> {
    use std::os::unix::fs::FileTypeExt as _;
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = BTreeSet::new();
    for entry in entries {
        let entry = entry?;
        match entry.file_type() {
            Ok(kind) if kind.is_socket() => drop(names.insert(entry.file_name())),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(names.into_iter().collect())
}

/// The paths that processes listen on, as the kernel knows them.
#[derive(Debug)]
pub struct Listeners {
    paths: Result<BTreeSet<Vec<u8>>, String>,
    /// Why a path that is not among them proves nothing, if so; asked for only where one is not.
    incomplete: OnceLock<Option<String>>,
}

impl Listeners {
    /// Reads the kernel's list.
    #[must_use]
    pub fn read() -> Self {
        Self {
            paths: Self::paths(),
            incomplete: OnceLock::new(),
        }
    }

    fn paths() -> Result<BTreeSet<Vec<u8>>, String> {
        let bytes = all_of_proc(Path::new("/proc/net/unix")).map_err(|error| {
            format!("the kernel's list of sockets (/proc/net/unix) cannot be read: {error}")
        })?;
        // The list is that of one network namespace. Where the first process is known to be in another, a
        // server may be too.
        let own = fs::read_link("/proc/self/ns/net");
        let first = fs::read_link("/proc/1/ns/net");
        if let (Ok(own), Ok(first)) = (own, first)
            && own != first
        {
            return Err(
                "headcount runs in another network namespace than the first process, so the \
                        kernel's list of sockets is not complete"
                    .to_owned(),
            );
        }
        parse(&bytes).ok_or_else(|| {
            "the kernel's list of sockets (/proc/net/unix) is not what it should be".to_owned()
        })
    }

    /// The paths right below a folder that somebody listens on.
    pub fn below<'l>(&'l self, folder: &'l Path) -> impl Iterator<Item = PathBuf> + 'l {
        let paths = self.paths.iter().flatten();
        let paths = paths.map(|path| PathBuf::from(OsStr::from_bytes(path)));
        paths.filter(move |path| path.parent() == Some(folder))
    }

    /// The sockets of these users' tmux folders below any `TMUX_TMPDIR` that somebody listens on, but for those that
    /// were asked and those of the folder that is looked through, sorted.
    #[must_use]
    pub fn elsewhere(
        &self,
        users: &BTreeSet<u32>,
        folder: &Path,
        asked: &[&Path],
    ) -> Sighting<Vec<String>> {
        let paths = match &self.paths {
            Ok(paths) => paths,
            Err(why) => return Sighting::unknown(why.clone()),
        };
        if let Some(why) = self.incomplete() {
            return Sighting::unknown(why.to_owned());
        }
        let folder = real(folder);
        let asked: BTreeSet<PathBuf> = asked.iter().map(|socket| real_socket(socket)).collect();
        let folders = users
            .iter()
            .map(|uid| OsString::from(format!("tmux-{uid}")));
        let folders: Vec<OsString> = folders.collect();
        let is_theirs = |folder: &OsStr| folders.iter().any(|theirs| theirs == folder);
        let found = paths
            .iter()
            .map(|path| Path::new(OsStr::from_bytes(path)))
            // What begins with `@` is a name that has no file.
            .filter(|path| path.is_absolute())
            .filter(|path| {
                path.parent()
                    .and_then(Path::file_name)
                    .is_some_and(is_theirs)
            })
            .map(real_socket)
            .filter(|path| path.parent() != Some(&*folder) && !asked.contains(path));
        let found: BTreeSet<String> = found
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        Sighting::Present(found.into_iter().collect())
    }

    /// Why a path that is not among the kernel's list proves nothing, if so.
    fn incomplete(&self) -> Option<&str> {
        self.incomplete
            .get_or_init(tmux_in_another_network)
            .as_deref()
    }

    /// Whether somebody listens on this path.
    #[must_use]
    pub fn of(&self, path: &Path) -> Sighting<()> {
        match &self.paths {
            Err(why) => Sighting::unknown(why.clone()),
            Ok(paths) => {
                let given = path.as_os_str().as_bytes();
                let real = real_socket(path);
                if paths.contains(given) || paths.contains(real.as_os_str().as_bytes()) {
                    return Sighting::Present(());
                }
                match self.incomplete() {
                    Some(why) => Sighting::unknown(why.to_owned()),
                    None => Sighting::absent("the kernel knows of no listener"),
                }
            }
        }
    }
}

/// A folder with its links followed, as far as it is there.
fn real(folder: &Path) -> PathBuf {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

/// A socket in its real folder. It need not be there itself.
fn real_socket(path: &Path) -> PathBuf {
    match (path.parent(), path.file_name()) {
        (Some(folder), Some(name)) => real(folder).join(name),
        _ => path.to_owned(),
    }
}

/// The kernel's list is that of one network namespace. Which one the first process is in, an ordinary user is not
/// told; but a tmux of his own that runs in another than headcount has its sockets in another list. One in a container
/// with pids of its own does not count: its sockets are other ones.
fn tmux_in_another_network() -> Option<String> {
    let own = fs::read_link("/proc/self/ns/net").ok()?;
    let processes = Processes::open();
    let is_tmux = |pid: &Pid| matches!(processes.stat(*pid), Sighting::Present(stat) if stat.comm.starts_with(b"tmux"));
    let mut tmux = processes.all().ok()?.into_iter().filter(is_tmux);
    let found = tmux.find(|pid| {
        let another = fs::read_link(format!("/proc/{pid}/ns/net")).is_ok_and(|net| net != own);
        another
            && matches!(processes.status(*pid), Sighting::Present(status) if status.pids.len() == 1)
    })?;
    Some(format!(
        "tmux runs in another network namespace (process {found}), so the kernel's list of sockets is not complete here"
    ))
}

/// The paths of listening sockets in `/proc/net/unix`. `None` if it has not the form it should have.
fn parse(bytes: &[u8]) -> Option<BTreeSet<Vec<u8>>> {
    /// `__SO_ACCEPTCON`: the socket listens.
    const LISTENS: u32 = 0x1_0000;
    let mut lines = bytes.split(|&byte| byte == b'\n');
    if !lines.next()?.starts_with(b"Num") {
        return None;
    }
    let mut paths = BTreeSet::new();
    for line in lines.filter(|line| !line.is_empty()) {
        // Num RefCount Protocol Flags Type St Inode Path; the path is the rest, blanks included.
        let mut rest = line;
        let mut flags = 0;
        for number in 0..7 {
            rest = rest.trim_ascii_start();
            let end = rest
                .iter()
                .position(u8::is_ascii_whitespace)
                .unwrap_or(rest.len());
            if number == 3 {
                let text = std::str::from_utf8(&rest[..end]).ok()?;
                flags = u32::from_str_radix(text, 16).ok()?;
            }
            rest = &rest[end..];
        }
        let path = rest.strip_prefix(b" ").unwrap_or(rest);
        if flags & LISTENS != 0 && !path.is_empty() {
            paths.insert(path.to_vec());
        }
    }
    Some(paths)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn only_listening_sockets_with_a_path_count() {
        let text = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 18133 /tmp/tmux-0/with blank\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 18134 /tmp/tmux-0/connected\n\
            0000000000000000: 00000003 00000000 00010000 0001 01 18135\n";
        let paths: Vec<_> = parse(text).unwrap().into_iter().collect();
        assert_eq!(paths, [b"/tmp/tmux-0/with blank".to_vec()]);
    }

    fn listeners(paths: &[&str]) -> Listeners {
        Listeners {
            paths: Ok(paths.iter().map(|path| path.as_bytes().to_vec()).collect()),
            incomplete: OnceLock::from(None),
        }
    }

    #[test]
    fn sockets_of_other_tmux_folders_of_the_user_are_elsewhere() {
        let base = tempfile::tempdir().unwrap();
        let base = fs::canonicalize(base.path()).unwrap();
        let own = folder(Some(&base), 1000);
        fs::create_dir(&own).unwrap();
        std::os::unix::fs::symlink(&base, base.join("link")).unwrap();
        let ours = own.join("default");
        let linked = base.join("link/tmux-1000/work");
        let all = listeners(&[
            "/srv/tmux-1000/default",
            "/srv/tmux-1000/work",
            "/srv/asked/tmux-1000/default",
            // Another user's, no tmux folder's, and names that have no file.
            "/srv/tmux-1001/default",
            "/run/odd.sock",
            "/srv/tmux-1000/deeper/socket",
            "@/srv/tmux-1000/abstract",
            ours.to_str().unwrap(),
            linked.to_str().unwrap(),
        ]);
        let asked = [ours.as_path(), Path::new("/srv/asked/tmux-1000/default")];
        assert_eq!(
            all.elsewhere(&BTreeSet::from([1000]), &own, &asked),
            Sighting::Present(vec![
                "/srv/tmux-1000/default".to_owned(),
                "/srv/tmux-1000/work".to_owned(),
            ])
        );
        assert_eq!(
            all.elsewhere(&BTreeSet::from([1001]), &own, &[]),
            Sighting::Present(vec!["/srv/tmux-1001/default".to_owned()])
        );
        let unread = Listeners {
            paths: Err("it cannot be read".to_owned()),
            incomplete: OnceLock::new(),
        };
        assert!(
            unread
                .elsewhere(&BTreeSet::from([1000]), &own, &asked)
                .is_unknown()
        );
        let in_part = Listeners {
            paths: Ok(BTreeSet::new()),
            incomplete: OnceLock::from(Some("tmux runs elsewhere".to_owned())),
        };
        assert!(
            in_part
                .elsewhere(&BTreeSet::from([1000]), &own, &asked)
                .is_unknown()
        );
    }

    #[test]
    fn an_empty_list_is_no_list() {
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"nonsense\n"), None);
    }

    #[test]
    fn a_listener_a_dead_socket_and_none_at_all_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        assert_eq!(knock(&path), Knock::Missing);
        let listener = UnixListener::bind(&path).unwrap();
        assert_eq!(knock(&path), Knock::Answered);
        assert!(Listeners::read().of(&path).is_present());
        drop(listener);
        assert_eq!(knock(&path), Knock::Refused);
        assert!(Listeners::read().of(&path).is_absent());
        assert_eq!(sockets_in(folder.path()).unwrap(), [OsString::from("s")]);
        assert!(matches!(
            knock(&folder.path().join("x".repeat(200))),
            Knock::Failed(_)
        ));
    }
}
