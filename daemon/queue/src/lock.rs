//! One daemon per home: a lock that the kernel lets go when the process ends, however it ends.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use crate::QueueError;

/// Held for as long as a [`crate::Queue`] is open.
#[derive(Debug)]
pub(crate) struct HomeLock {
    file: File,
}

impl Drop for HomeLock {
    /// Lets go at once. Closing the file alone would not: a child process that is just being started
    /// holds a copy of it until it has become the other program.
    fn drop(&mut self) {
        if let Err(error) = flock(&self.file, FlockOperation::Unlock) {
            tracing::debug!(%error, "the lock could not be released");
        }
    }
}

impl HomeLock {
    /// Takes the lock file beside `ledger`; does not wait. The file stays when the lock is released:
    /// removing it would let two daemons lock two files of one name.
    pub(crate) fn acquire(ledger: &Path) -> Result<Self, QueueError> {
        let path = ledger.with_extension("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|e| QueueError::io("open", &path, e))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => {
                let mut text = String::new();
                let pid = file
                    .read_to_string(&mut text)
                    .ok()
                    .and_then(|_| text.trim().parse().ok());
                let home = path.parent().unwrap_or(&path).to_owned();
                return Err(QueueError::AlreadyRunning { home, pid });
            }
            Err(errno) => return Err(QueueError::io("lock", &path, errno)),
        }
        // The number is for the sentence that a second daemon prints; the lock works without it.
        let noted = file
            .set_len(0)
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        if let Err(error) = noted {
            tracing::debug!(path = %path.display(), %error, "the lock could not be labelled");
        }
        Ok(Self { file })
    }
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
    fn the_second_daemon_is_told_who_was_first() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = dir.path().join("ledger.sqlite");
        let first = HomeLock::acquire(&ledger).unwrap();
        let error = HomeLock::acquire(&ledger).unwrap_err();
        assert_eq!(error.code(), "already-running");
        assert!(
            error
                .to_string()
                .contains(&format!("process {}", std::process::id())),
            "{error}"
        );
        drop(first);
        HomeLock::acquire(&ledger).unwrap();
    }
}
