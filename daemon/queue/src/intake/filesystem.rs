//! Which filesystems report every writer: the choice between events and stillness, per folder.

use std::path::Path;

use super::Mode;

/// The mode for the folder at `path` and the reason for it, in words for the user.
pub(crate) fn mode_of(path: &Path) -> rustix::io::Result<(Mode, String)> {
    let stat = rustix::fs::statfs(path)?;
    // The field is signed on some machines and unsigned on others; the magic is 32 bits of it.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "the magic number is the low 32 bits whatever the field's type"
    )]
    Ok(mode_for_magic(stat.f_type as u32))
}

/// Whether SQLite's write-ahead log, which shares memory between processes, may lie there.
pub(crate) fn shares_memory(path: &Path) -> bool {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::unnecessary_cast,
        reason = "the magic number is the low 32 bits whatever the field's type"
    )]
    rustix::fs::statfs(path).is_ok_and(|stat| {
        let magic = stat.f_type as u32;
        magic == OVERLAY || mode_for_magic(magic).0 == Mode::Native
    })
}

const OVERLAY: u32 = 0x794c_7630;

/// Magic numbers of statfs(2) and of the kernel's `magic.h`.
fn mode_for_magic(magic: u32) -> (Mode, String) {
    let (mode, name) = match magic {
        0xef53 => (Mode::Native, "ext4"),
        0x5846_5342 => (Mode::Native, "xfs"),
        0x9123_683e => (Mode::Native, "btrfs"),
        0x0102_1994 => (Mode::Native, "tmpfs"),
        0xf2f5_2010 => (Mode::Native, "f2fs"),
        0x2fc1_2fc1 => (Mode::Native, "zfs"),
        0xca45_1a4e => (Mode::Native, "bcachefs"),
        0x5265_4973 => (Mode::Native, "reiserfs"),
        0x3153_464a => (Mode::Native, "jfs"),
        0x4d44 => (Mode::Native, "vfat"),
        0x2011_bab0 => (Mode::Native, "exfat"),
        0x7366_746e => (Mode::Native, "ntfs3"),
        0x8584_58f6 => (Mode::Native, "ramfs"),
        0x6969 => (Mode::Poll, "NFS, where other machines write unseen"),
        0x517b | 0xff53_4d42 | 0xfe53_4d42 => {
            (Mode::Poll, "SMB, where other machines write unseen")
        }
        0x0102_1997 => (Mode::Poll, "9p, where the host writes unseen"),
        0x6573_5546 => (Mode::Poll, "FUSE, where writes may come from elsewhere"),
        0x00c3_6400 => (Mode::Poll, "Ceph, where other machines write unseen"),
        0x5346_414f | 0x6b41_4653 => (Mode::Poll, "AFS, where other machines write unseen"),
        0x7375_7245 => (Mode::Poll, "Coda, where other machines write unseen"),
        0x786f_4256 => (
            Mode::Poll,
            "a VirtualBox share, where the host writes unseen",
        ),
        OVERLAY => (
            Mode::Poll,
            "overlayfs, whose lower folder may change unseen",
        ),
        other => return (Mode::Poll, format!("an unknown filesystem (0x{other:08x})")),
    };
    (mode, name.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use super::*;

    #[test]
    fn only_known_local_filesystems_are_native() {
        assert_eq!(mode_for_magic(0xef53).0, Mode::Native);
        assert_eq!(mode_for_magic(0xfe53_4d42).0, Mode::Poll);
        assert_eq!(mode_for_magic(OVERLAY).0, Mode::Poll);
        let (mode, reason) = mode_for_magic(0x1234);
        assert_eq!(mode, Mode::Poll);
        assert!(reason.contains("0x00001234"), "{reason}");
        assert_eq!(mode_of(Path::new("/proc")).unwrap().0, Mode::Poll);
        assert!(mode_of(Path::new("/nowhere at all")).is_err());
    }
}
