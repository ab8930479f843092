//! Free space: below the watermark no work is taken on, so that what is running can finish.

use std::path::Path;

use crate::QueueError;

/// Bytes that an unprivileged process may still write on the filesystem of `folder`.
///
/// # Errors
/// The system's refusal to look.
pub fn free_bytes(folder: &Path) -> Result<u64, QueueError> {
    let stat = rustix::fs::statvfs(folder)
        .map_err(|e| QueueError::io("measure the free space of", folder, e))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// Passes when at least `watermark` bytes are free for `folder`.
///
/// # Errors
/// [`QueueError::LowSpace`], which is transient.
pub fn check(folder: &Path, watermark: u64) -> Result<(), QueueError> {
    let free = free_bytes(folder)?;
    if free >= watermark {
        Ok(())
    } else {
        Err(QueueError::LowSpace {
            path: folder.to_owned(),
            free,
            needed: watermark,
        })
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
    fn the_watermark_decides() {
        let dir = tempfile::tempdir().unwrap();
        check(dir.path(), 0).unwrap();
        let error = check(dir.path(), u64::MAX).unwrap_err();
        assert_eq!(
            (error.code(), error.is_transient()),
            ("low-disk-space", true)
        );
    }
}
