//! The keys folder: a lock, checked reads, and writes that appear whole or not at all.
//!
//! Everything goes through one open descriptor of the folder, so that a folder swapped for
//! another between two steps cannot redirect a key.

use std::{
    fs::{DirBuilder, File},
    io::{Read, Write},
    os::{fd::OwnedFd, unix::fs::DirBuilderExt},
    path::{Path, PathBuf},
};

use rustix::{
    fs::{
        AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, fchmod, flock, fstat, fsync,
        openat, renameat, statat, unlinkat,
    },
    io::Errno,
    process::geteuid,
};
use zeroize::Zeroizing;

use crate::ProvenanceError;

/// Read and written by the owner alone.
pub(super) const SECRET: u32 = 0o600;
/// Read by everyone.
pub(super) const PUBLIC: u32 = 0o644;

/// No file of an identity comes near this; a larger one is not ours.
const LARGEST: u64 = 64 * 1024;

/// How a folder is locked, against the other programs that use this module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Lock {
    /// To read; the folder must exist.
    Shared,
    /// To write; the folder is made where there is none, and closed to others.
    Exclusive,
}

/// An open, locked keys folder. The lock ends when this is dropped, or with the process.
pub(super) struct KeyFolder {
    fd: OwnedFd,
    path: PathBuf,
}

impl KeyFolder {
    /// Opens and locks `path`; waits for whoever holds the lock, which is a matter of
    /// milliseconds.
    pub(super) fn open(path: &Path, lock: Lock) -> Result<Self, ProvenanceError> {
        if lock == Lock::Exclusive {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(path)
                .map_err(|source| io(path, source))?;
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = match openat(CWD, path, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Err(ProvenanceError::IdentityMissing(path.into())),
            Err(errno) => return Err(io(path, errno)),
        };
        let folder = Self {
            fd,
            path: path.into(),
        };
        let stat = fstat(&folder.fd).map_err(|errno| io(path, errno))?;
        if stat.st_uid != geteuid().as_raw() {
            return Err(exposed(path, "it belongs to another user"));
        }
        if lock == Lock::Exclusive {
            // The daemon makes its folders with the user's umask; this one is closed here. What
            // others may have put into it before is refused by the owner check of each read.
            fchmod(&folder.fd, Mode::from_raw_mode(0o700)).map_err(|errno| io(path, errno))?;
        } else if stat.st_mode & 0o022 != 0 {
            return Err(exposed(path, "others may write to it"));
        }
        let operation = match lock {
            Lock::Shared => FlockOperation::LockShared,
            Lock::Exclusive => FlockOperation::LockExclusive,
        };
        rustix::io::retry_on_intr(|| flock(&folder.fd, operation))
            .map_err(|errno| io(path, errno))?;
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a file, or anything else, of this name.
    pub(super) fn contains(&self, name: &str) -> Result<bool, ProvenanceError> {
        match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(_) => Ok(true),
            Err(Errno::NOENT) => Ok(false),
            Err(errno) => Err(io(&self.path.join(name), errno)),
        }
    }

    /// The text of a key file; `None` where there is none. Wiped when dropped.
    pub(super) fn read_secret(
        &self,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, ProvenanceError> {
        self.read(name, 0o077, "others may read or write it")
    }

    /// The text of a certificate file; `None` where there is none.
    pub(super) fn read_public(&self, name: &str) -> Result<Option<String>, ProvenanceError> {
        Ok(self
            .read(name, 0o022, "others may write to it")?
            .map(|text| text.to_string()))
    }

    fn read(
        &self,
        name: &str,
        forbidden: u32,
        why: &str,
    ) -> Result<Option<Zeroizing<String>>, ProvenanceError> {
        let path = self.path.join(name);
        // NONBLOCK, so that a pipe of this name cannot hold the daemon up.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let fd = match openat(&self.fd, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::LOOP) => return Err(exposed(&path, "it is a symbolic link")),
            Err(errno) => return Err(io(&path, errno)),
        };
        let stat = fstat(&fd).map_err(|errno| io(&path, errno))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(exposed(&path, "it is not a plain file"));
        }
        if stat.st_uid != geteuid().as_raw() {
            return Err(exposed(&path, "it belongs to another user"));
        }
        if stat.st_mode & forbidden != 0 {
            return Err(exposed(&path, why));
        }
        // Room for the whole file from the start: a growing string would leave copies behind.
        let mut text = Zeroizing::new(String::with_capacity(LARGEST as usize));
        File::from(fd)
            .take(LARGEST)
            .read_to_string(&mut text)
            .map_err(|source| io(&path, source))?;
        Ok(Some(text))
    }

    /// Writes a file so that it appears under its name whole and on disk, or not at all.
    pub(super) fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), ProvenanceError> {
        let path = self.path.join(name);
        let unfinished = format!(".{name}.new");
        let write = || -> Result<(), std::io::Error> {
            // What an interrupted write left; the lock says that nobody is writing it now.
            match unlinkat(&self.fd, &unfinished, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(errno.into()),
            }
            let flags =
                OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = openat(&self.fd, &unfinished, flags, Mode::from_raw_mode(SECRET))?;
            // The umask may only take away what the mode asks for; say the mode exactly.
            fchmod(&fd, Mode::from_raw_mode(mode))?;
            let mut file = File::from(fd);
            file.write_all(bytes)?;
            file.sync_all()?;
            renameat(&self.fd, &unfinished, &self.fd, name)?;
            fsync(&self.fd)?;
            Ok(())
        };
        write().map_err(|source| io(&path, source))
    }

    /// Deletes every leaf key but `keep`: earlier ones, and those of interrupted rotations.
    pub(super) fn remove_leaf_keys_but(&self, keep: &str) -> Result<(), ProvenanceError> {
        let remove = || -> Result<(), Errno> {
            for entry in Dir::read_from(&self.fd)? {
                let entry = entry?;
                let Ok(name) = entry.file_name().to_str() else {
                    continue;
                };
                let finished = name.starts_with("leaf-") && name.ends_with(".key");
                let interrupted = name.starts_with(".leaf-") && name.ends_with(".key.new");
                if interrupted || (finished && name != keep) {
                    unlinkat(&self.fd, name, AtFlags::empty())?;
                }
            }
            Ok(())
        };
        remove().map_err(|errno| io(&self.path, errno))
    }

    /// The error for a file of the identity that is not as it should be.
    pub(super) fn broken(&self, name: &str, what: &str) -> ProvenanceError {
        ProvenanceError::IdentityBroken {
            path: self.path.clone(),
            what: format!("{name}: {what}"),
        }
    }
}

fn io(path: &Path, source: impl Into<std::io::Error>) -> ProvenanceError {
    ProvenanceError::Keys {
        path: path.into(),
        source: source.into(),
    }
}

fn exposed(path: &Path, what: &str) -> ProvenanceError {
    ProvenanceError::KeyExposed {
        path: path.into(),
        what: what.into(),
    }
}
