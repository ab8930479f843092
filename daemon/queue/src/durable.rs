//! The only code that syncs, renames, clones, or creates files that must not exist yet.
//!
//! Order matters more than speed here: a file is synced before its name is promised, a folder after a
//! name in it changed. A sync that fails abandons its file: the kernel may have dropped the dirty pages
//! and would report success the next time. Nothing here retries, and nothing replaces a user's file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{CWD, RenameFlags, ioctl_ficlone, renameat_with};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use crate::{QueueError, failpoint};

/// What became of a rename.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Moved {
    /// The file has its new name.
    Yes,
    /// The new name was taken; nothing changed.
    NameTaken,
    /// There was nothing under the old name.
    SourceGone,
}

/// A whole file's digest and length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Content {
    /// SHA-256, 64 hexadecimal digits.
    pub(crate) sha256: String,
    pub(crate) bytes: u64,
}

/// Makes one folder; its parent must exist. One that is there already is an error.
pub(crate) fn create_dir(path: &Path) -> Result<(), QueueError> {
    failpoint::step("mkdir")
        .and_then(|()| fs::create_dir(path))
        .map_err(|e| QueueError::io("make the folder", path, e))
}

/// Makes a folder and those above it, where they are missing.
pub(crate) fn create_dir_all(path: &Path) -> Result<(), QueueError> {
    fs::create_dir_all(path).map_err(|e| QueueError::io("make the folder", path, e))
}

/// Writes a file that does not exist yet and syncs it. Its folder is the caller's to sync. On any
/// failure no half-written file is left behind.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), QueueError> {
    let mut file = create_new(path)?;
    let written = failpoint::step("write")
        .and_then(|()| file.write_all(bytes))
        .map_err(|e| QueueError::io("write", path, e))
        .and_then(|()| sync_file(&file, path));
    written.inspect_err(|_| discard(path))
}

/// Copies all of `source` to the new file `target`, by sharing blocks where the filesystem can, and
/// syncs it. The digest is of what was written. The source's read position is moved.
pub(crate) fn copy_new(mut source: &File, target: &Path) -> Result<Content, QueueError> {
    let file = create_new(target)?;
    let copied = clone_or_copy(&mut source, &file)
        .map_err(|e| QueueError::io("copy to", target, e))
        .and_then(|content| sync_file(&file, target).map(|()| content));
    copied.inspect_err(|_| discard(target))
}

/// The digest of the file at `path`; `None` if there is none.
pub(crate) fn content_of(path: &Path) -> Result<Option<Content>, QueueError> {
    let result = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => Err(e),
        Ok(mut file) => digest(&mut file, &mut io::sink()),
    };
    result
        .map(Some)
        .map_err(|e| QueueError::io("read", path, e))
}

/// SHA-256 of `bytes`, 64 hexadecimal digits.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Renames a file or folder to a name that must be free, and says what happened. The folders are the
/// caller's to sync.
pub(crate) fn rename_noreplace(from: &Path, to: &Path) -> Result<Moved, QueueError> {
    failpoint::step("rename").map_err(|e| QueueError::io("rename", from, e))?;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some network and FUSE filesystems know no flags; link(2) refuses a taken name as well. A
        // folder cannot be linked, but a rename never replaces one that has anything in it.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if from.is_dir() => {
            if exists(to) {
                Ok(Moved::NameTaken)
            } else {
                rename(from, to)
            }
        }
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_then_unlink(from, to),
        result => outcome(result, from, to),
    }
}

/// Renames over whatever `to` is. Only for names inside the spool, where every name is ours.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<Moved, QueueError> {
    failpoint::step("rename").map_err(|e| QueueError::io("rename", from, e))?;
    outcome(rustix::fs::rename(from, to), from, to)
}

/// Forces a folder's entries to the disk.
pub(crate) fn sync_dir(path: &Path) -> Result<(), QueueError> {
    let synced = failpoint::step("sync-dir")
        .and_then(|()| File::open(path))
        .and_then(|dir| rustix::fs::fsync(&dir).map_err(io::Error::from));
    match synced {
        // A filesystem that cannot sync a folder says so with EINVAL; it gives no better promise.
        Err(e) if e.raw_os_error() == Some(Errno::INVAL.raw_os_error()) => Ok(()),
        Err(source) => Err(QueueError::SyncFailed {
            path: path.to_owned(),
            source,
        }),
        Ok(()) => Ok(()),
    }
}

/// Removes a file; none there is as good.
pub(crate) fn remove_file(path: &Path) -> Result<(), QueueError> {
    gone(
        failpoint::step("unlink").and_then(|()| fs::remove_file(path)),
        path,
    )
}

/// Removes a folder with all in it; none there is as good. Never follows a link.
pub(crate) fn remove_tree(path: &Path) -> Result<(), QueueError> {
    gone(
        failpoint::step("remove-tree").and_then(|()| fs::remove_dir_all(path)),
        path,
    )
}

/// Whether something has this name; a dangling link counts.
pub(crate) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Whether two names are one file.
pub(crate) fn same_file(a: &Path, b: &Path) -> bool {
    match (fs::symlink_metadata(a), fs::symlink_metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

fn create_new(path: &Path) -> Result<File, QueueError> {
    failpoint::step("create")
        .and_then(|()| {
            OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path)
        })
        .map_err(|e| QueueError::io("create", path, e))
}

fn sync_file(file: &File, path: &Path) -> Result<(), QueueError> {
    failpoint::step("sync-file")
        .and_then(|()| rustix::fs::fsync(file).map_err(io::Error::from))
        .map_err(|source| QueueError::SyncFailed {
            path: path.to_owned(),
            source,
        })
}

/// Best effort: the error that led here is the one worth reporting.
fn discard(path: &Path) {
    if let Err(error) = fs::remove_file(path) {
        tracing::debug!(path = %path.display(), %error, "an abandoned file could not be removed");
    }
}

fn clone_or_copy(source: &mut &File, target: &File) -> io::Result<Content> {
    failpoint::step("copy")?;
    source.rewind()?;
    if ioctl_ficlone(target, *source).is_ok() {
        let mut target = target;
        target.rewind()?;
        return digest(&mut target, &mut io::sink());
    }
    digest(source, &mut &*target)
}

/// Passes everything from `from` to `to` and digests it on the way.
fn digest(from: &mut impl Read, to: &mut impl Write) -> io::Result<Content> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) => {
                return Ok(Content {
                    sha256: hex(&hasher.finalize()),
                    bytes,
                });
            }
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        let chunk = buffer.get(..n).unwrap_or_default();
        hasher.update(chunk);
        to.write_all(chunk)?;
        bytes += n as u64;
    }
}

fn outcome(result: rustix::io::Result<()>, from: &Path, to: &Path) -> Result<Moved, QueueError> {
    match result {
        Ok(()) => Ok(Moved::Yes),
        Err(Errno::EXIST) => Ok(Moved::NameTaken),
        // ENOENT may also mean that the target's folder is missing.
        Err(Errno::NOENT) if !exists(from) => Ok(Moved::SourceGone),
        Err(Errno::XDEV) => Err(QueueError::AcrossFilesystems {
            from: from.to_owned(),
            to: to.to_owned(),
        }),
        Err(errno) => Err(QueueError::io("move a file to", to, errno)),
    }
}

/// A crash in between leaves one file with two names; `same_file` lets the caller see that.
fn link_then_unlink(from: &Path, to: &Path) -> Result<Moved, QueueError> {
    match outcome(rustix::fs::link(from, to), from, to)? {
        Moved::Yes => remove_file(from).map(|()| Moved::Yes),
        other => Ok(other),
    }
}

fn gone(result: io::Result<()>, path: &Path) -> Result<(), QueueError> {
    match result {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(QueueError::io("remove", path, e)),
        _ => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::expect_used,
        reason = "a test fails by panicking"
    )]

    use tempfile::tempdir;

    use super::*;
    use crate::failpoint::{Fault, arm, disarm};

    #[test]
    fn a_taken_name_is_never_replaced() {
        let dir = tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        write_new(&a, b"a").unwrap();
        write_new(&b, b"b").unwrap();
        assert_eq!(rename_noreplace(&a, &b).unwrap(), Moved::NameTaken);
        assert_eq!(link_then_unlink(&a, &b).unwrap(), Moved::NameTaken);
        assert_eq!(fs::read(&b).unwrap(), b"b");
        fs::remove_file(&b).unwrap();
        assert_eq!(link_then_unlink(&a, &b).unwrap(), Moved::Yes);
        assert_eq!(rename_noreplace(&a, &b).unwrap(), Moved::SourceGone);
        let err = rename_noreplace(&b, &dir.path().join("no/b")).unwrap_err();
        assert_eq!(err.code(), "io-error");
    }

    #[test]
    fn a_copy_is_whole_and_digested() {
        let dir = tempdir().unwrap();
        let source = dir.path().join("source");
        let bytes: Vec<u8> = (0..200_000u32).map(|n| (n % 251) as u8).collect();
        fs::write(&source, &bytes).unwrap();
        let file = File::open(&source).unwrap();
        let target = dir.path().join("target");
        let content = copy_new(&file, &target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), bytes);
        assert_eq!(
            content,
            Content {
                sha256: sha256_hex(&bytes),
                bytes: 200_000
            }
        );
        assert_eq!(content_of(&target).unwrap(), Some(content));
        assert_eq!(content_of(&dir.path().join("none")).unwrap(), None);
        assert_eq!(copy_new(&file, &target).unwrap_err().code(), "io-error");
        assert_eq!(
            fs::read(&target).unwrap(),
            bytes,
            "a refused copy leaves the old file"
        );
    }

    #[test]
    fn a_failed_sync_abandons_the_file() {
        let dir = tempdir().unwrap();
        let path = dir.path().join("x");
        arm(Fault::Error(Errno::IO), 3);
        let error = write_new(&path, b"x").unwrap_err();
        assert_eq!(disarm(), ["create", "write", "sync-file"]);
        assert_eq!(error.code(), "sync-failed");
        assert!(error.is_transient());
        assert!(!exists(&path));
    }
}
