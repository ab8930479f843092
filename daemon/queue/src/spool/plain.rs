//! Opening what a user put somewhere: only plain files, never blocking, never through a link.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use crate::QueueError;

/// Opens a plain file for reading. A link, pipe, socket, device or folder gives a sentence instead.
/// Only the last part of the path must not be a link; what is above it is the caller's to resolve.
pub(crate) fn open_plain(path: &Path) -> Result<(File, Metadata), String> {
    // Without NONBLOCK, opening a pipe would wait for a writer for ever.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .map_err(|e| match rustix::io::Errno::from_io_error(&e) {
            Some(rustix::io::Errno::LOOP) => "it is a symbolic link".to_owned(),
            Some(rustix::io::Errno::NXIO) => "it is a socket or a device".to_owned(),
            _ if e.kind() == io::ErrorKind::NotFound => "it is missing".to_owned(),
            _ => e.to_string(),
        })?;
    let meta = file.metadata().map_err(|e| e.to_string())?;
    if meta.is_file() {
        Ok((file, meta))
    } else {
        Err("it is not a plain file".to_owned())
    }
}

/// Reads a manifest of at most `limit` bytes.
pub(crate) fn read_plain(path: &Path, limit: u64) -> Result<Vec<u8>, QueueError> {
    let unusable = |reason| QueueError::ManifestUnusable {
        path: path.to_owned(),
        reason,
    };
    let (file, _) = open_plain(path).map_err(unusable)?;
    let mut bytes = Vec::new();
    // The length is not trusted: the file may still grow.
    file.take(limit.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| QueueError::io("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(unusable(format!("it is longer than {limit} bytes")));
    }
    Ok(bytes)
}
