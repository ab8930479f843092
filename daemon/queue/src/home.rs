//! The daemon's folders, and which sets of folders cannot work.
//!
//! Every move of a job is one rename, so the spool and all the folders that jobs come from or go to
//! must share a filesystem; that is found out at the start, not when the first job is delivered. A
//! watched folder that overlaps the daemon's own would feed it its own results, so it is refused.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::{QueueError, durable};

/// Where the daemon keeps what it owns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// The watched folder that is always there; also where a manifest goes back whose own folder is gone.
    pub inbox: PathBuf,
    /// Jobs that are claimed and not finished.
    pub working: PathBuf,
    /// Manifests of finished jobs, with their result files.
    pub done: PathBuf,
    /// Manifests of failed and refused jobs, with their error files.
    pub failed: PathBuf,
    /// Manifests of cancelled jobs.
    pub cancelled: PathBuf,
    /// Finished pictures.
    pub outbox: PathBuf,
    /// The ledger's file; `ledger.lock` lies beside it.
    pub ledger: PathBuf,
}

impl Home {
    /// The usual layout under one folder. A relative one is taken from the present working folder: what
    /// the ledger remembers must mean the same at the next start.
    #[must_use]
    pub fn under(root: &Path) -> Self {
        let root = absolute(root);
        Self {
            inbox: root.join("inbox"),
            working: root.join("working"),
            done: root.join("done"),
            failed: root.join("failed"),
            cancelled: root.join("cancelled"),
            outbox: root.join("outbox"),
            ledger: root.join("ledger.sqlite"),
        }
    }

    /// The folders that belong to the daemon: nobody else drops work there.
    fn own(&self) -> [&Path; 5] {
        [
            &self.working,
            &self.done,
            &self.failed,
            &self.cancelled,
            &self.outbox,
        ]
    }

    /// Makes the missing folders and checks that jobs can move between them.
    ///
    /// # Errors
    /// [`QueueError::PathNotUtf8`], [`QueueError::AcrossFilesystems`],
    /// [`QueueError::FoldersOverlap`], or the system's refusal to make a folder.
    pub fn prepare(&self) -> Result<(), QueueError> {
        for folder in self.own().into_iter().chain([self.inbox.as_path()]) {
            utf8(folder)?;
            durable::create_dir_all(folder)?;
            self.on_one_filesystem(folder)?;
        }
        if let Some(parent) = self.ledger.parent() {
            durable::create_dir_all(parent)?;
        }
        self.check_roots(std::slice::from_ref(&self.inbox))
    }

    /// Checks the watched folders together: each on the spool's filesystem, none listed twice, none
    /// above, in or equal to one of the daemon's own. A root that does not exist yet is not an error.
    ///
    /// # Errors
    /// [`QueueError::PathNotUtf8`], [`QueueError::AcrossFilesystems`] or
    /// [`QueueError::FoldersOverlap`].
    pub fn check_roots(&self, roots: &[PathBuf]) -> Result<(), QueueError> {
        let mut seen: Vec<PathBuf> = Vec::new();
        for root in roots {
            utf8(root)?;
            let resolved = resolve(root);
            let overlap = |other: &Path| QueueError::FoldersOverlap {
                root: root.clone(),
                other: other.to_owned(),
            };
            for own in self.own() {
                let folder = resolve(own);
                if folder.starts_with(&resolved) || resolved.starts_with(&folder) {
                    return Err(overlap(own));
                }
            }
            if seen.contains(&resolved) {
                return Err(overlap(root));
            }
            if root.exists() {
                self.on_one_filesystem(root)?;
            }
            seen.push(resolved);
        }
        Ok(())
    }

    fn on_one_filesystem(&self, folder: &Path) -> Result<(), QueueError> {
        let device = |path: &Path| {
            fs::metadata(path)
                .map(|m| m.dev())
                .map_err(|e| QueueError::io("look at", path, e))
        };
        if device(&self.working)? == device(folder)? {
            Ok(())
        } else {
            Err(QueueError::AcrossFilesystems {
                from: self.working.clone(),
                to: folder.to_owned(),
            })
        }
    }
}

/// Links are resolved where the folder exists, so that two spellings of one folder compare equal.
fn resolve(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

/// The path from the root folder on. It fails for an empty path only, which no folder has.
pub(crate) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn utf8(path: &Path) -> Result<(), QueueError> {
    path.to_str()
        .map(|_| ())
        .ok_or_else(|| QueueError::PathNotUtf8(path.to_owned()))
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
    fn a_root_may_not_overlap_what_the_daemon_owns() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::under(dir.path());
        home.prepare().unwrap();
        let code = |roots: &[PathBuf]| home.check_roots(roots).map_err(|e| e.code());
        assert_eq!(code(&[home.inbox.clone(), dir.path().join("hot")]), Ok(()));
        assert_eq!(code(&[home.outbox.join("x")]), Err("folders-overlap"));
        assert_eq!(code(&[dir.path().to_owned()]), Err("folders-overlap"));
        assert_eq!(
            code(&[home.inbox.clone(), home.inbox.join(".")]),
            Err("folders-overlap")
        );
        std::os::unix::fs::symlink(&home.done, dir.path().join("link")).unwrap();
        assert_eq!(code(&[dir.path().join("link")]), Err("folders-overlap"));
    }

    #[test]
    fn another_filesystem_is_refused_at_the_start() {
        let dir = tempfile::tempdir().unwrap();
        let Ok(shm) = tempfile::tempdir_in("/dev/shm") else {
            return;
        };
        let device = |path: &Path| fs::metadata(path).unwrap().dev();
        if device(shm.path()) == device(dir.path()) {
            return;
        }
        let home = Home {
            outbox: shm.path().join("outbox"),
            ..Home::under(dir.path())
        };
        let error = home.prepare().unwrap_err();
        assert_eq!(error.code(), "across-filesystems");
        assert!(error.hint().unwrap().contains("one filesystem"));
    }
}
