//! Whether a file or folder lies on a file system of this machine.

use std::path::Path;

use crate::core::sighting::Sighting;

/// File systems that other machines, or programs, may stand behind, with the names people know them by.
#[cfg(target_os = "linux")]
const ELSEWHERE: [(u64, &str); 14] = [
    (0x6969, "NFS"),
    (0x517b, "SMB"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x6573_5546, "FUSE (SSHFS and the like)"),
    (0x0102_1997, "9p"),
    (0x5346_414f, "AFS"),
    (0x6b41_4653, "AFS"),
    (0x00c3_6400, "Ceph"),
    (0x7375_7245, "Coda"),
    (0x0116_1970, "GFS2"),
    (0x7461_636f, "OCFS2"),
    (0x0bd0_0bd0, "Lustre"),
    (0x786f_4256, "a folder shared by VirtualBox"),
];

#[cfg(target_os = "linux")]
const HERE: [u64; 17] = [
    0xef53,      // ext2, ext3, ext4
    0x5846_5342, // XFS
    0x9123_683e, // Btrfs
    0x0102_1994, // tmpfs
    0x8584_58f6, // ramfs
    0x794c_7630, // overlay
    0x2fc1_2fc1, // ZFS
    0xf2f5_2010, // F2FS
    0xca45_1a4e, // bcachefs
    0x3153_464a, // JFS
    0x5265_4973, // ReiserFS
    0xf15f,      // eCryptfs
    0x4d44,      // FAT
    0x2011_bab0, // exFAT
    0x7366_746e, // NTFS
    0x482b,      // HFS+
    0x0000_3434, // NILFS2
];

/// `Present` on a file system known to be local, `Absent` on one known not to be. `what` it is that lies there, in words.
#[cfg(target_os = "linux")]
pub(super) fn locality(path: &Path, what: &str) -> Sighting<()> {
    match rustix::fs::statfs(path) {
        // The kernel's type is signed on some machines; the numbers above are its low 32 bits.
        Ok(stat) => of_type(stat.f_type as u64 & 0xffff_ffff, what),
        Err(error) => Sighting::unknown(format!("the file system cannot be asked: {error}")),
    }
}

/// The same by the type of the file system.
#[cfg(target_os = "linux")]
fn of_type(magic: u64, what: &str) -> Sighting<()> {
    if let Some((_, name)) = ELSEWHERE.iter().find(|(known, _)| *known == magic) {
        Sighting::absent(format!("{what} lies on {name}"))
    } else if HERE.contains(&magic) {
        Sighting::Present(())
    } else {
        Sighting::unknown(format!(
            "{what} lies on an unknown file system ({magic:#x})"
        ))
    }
}

/// `Present` on a file system that the system calls local.
#[cfg(target_vendor = "apple")]
pub(super) fn locality(path: &Path, what: &str) -> Sighting<()> {
    /// `MNT_LOCAL` in `sys/mount.h`.
    const LOCAL: u32 = 0x1000;
    match rustix::fs::statfs(path) {
        Ok(stat) if stat.f_flags & LOCAL != 0 => Sighting::Present(()),
        Ok(_) => Sighting::absent(format!("{what} lies on a file system of another machine")),
        Err(error) => Sighting::unknown(format!("the file system cannot be asked: {error}")),
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
pub(super) fn locality(_: &Path, _: &str) -> Sighting<()> {
    Sighting::unknown("this system does not say whether a file system is local")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_file_system_of_another_machine_is_told_by_its_name() {
        for (magic, name) in [
            (0x6969, "NFS"),
            (0x6573_5546, "SSHFS"),
            (0xff53_4d42, "CIFS"),
        ] {
            match of_type(magic, "the roll") {
                Sighting::Absent(proof) => {
                    let said = proof.to_string();
                    assert!(said.starts_with("the roll lies on "), "{said}");
                    assert!(said.contains(name), "{said}");
                }
                other => panic!("{magic:#x}: {other:?}"),
            }
        }
    }

    #[test]
    fn ordinary_file_systems_are_local_and_others_are_not_known_to_be() {
        for magic in [0xef53, 0x0102_1994, 0x794c_7630] {
            assert_eq!(of_type(magic, "it"), Sighting::Present(()));
        }
        assert!(of_type(0x1234, "it").is_unknown());
    }
}
