//! A file that grows under another name until it is whole.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::error::WriteError;

/// The growing file; it is removed unless it was given its name.
#[derive(Debug)]
pub(super) struct Partial {
    pub(super) file: File,
    path: PathBuf,
    keep: bool,
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.keep {
            // There is no one to tell, and the next attempt takes the file over.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Partial {
    /// Opens and locks it, empty.
    ///
    /// # Errors
    /// `output-busy`; `output-unwritable` or `disk-full`.
    pub(super) fn open(target: &Path) -> Result<Self, WriteError> {
        let mut name = target.file_name().unwrap_or_default().to_owned();
        name.push(".partial");
        let path = target.with_file_name(name);
        let failed = |source| WriteError::unwritable(target, source);
        let busy = || WriteError::Busy {
            path: target.to_owned(),
        };
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy()),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        // Between opening and locking, its owner may have finished: then this is no longer a partial
        // file, and must not be touched.
        let ours = file.metadata().map_err(failed)?;
        let same = fs::symlink_metadata(&path)
            .is_ok_and(|there| (there.dev(), there.ino()) == (ours.dev(), ours.ino()));
        if !same {
            return Err(busy());
        }
        let partial = Self {
            file,
            path,
            keep: false,
        };
        partial.file.set_len(0).map_err(failed)?;
        Ok(partial)
    }

    /// Flushes it to the disk and gives it its name.
    pub(super) fn name(&mut self, target: &Path, overwrite: bool) -> io::Result<()> {
        self.file.sync_all()?;
        if overwrite {
            fs::rename(&self.path, target)?;
        } else {
            // Unlike a rename, a link replaces nothing.
            match fs::hard_link(&self.path, target) {
                Ok(()) => fs::remove_file(&self.path)?,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(error),
                // Some file systems have no links; nothing was there when the writing began.
                Err(_) => fs::rename(&self.path, target)?,
            }
        }
        self.keep = true;
        let folder = match target.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        File::open(folder)?.sync_all()
    }
}
