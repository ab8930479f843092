//! A model's file: what tells two versions of it apart, and its bytes. Only a plain file of a
//! bounded size is opened, so that nobody waits for a pipe or fills the memory.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What changes when a file is written to or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    place: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            place: (metadata.dev(), metadata.ino()),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// The stamp of a file, none where there is no file.
///
/// # Errors
///
/// A sentence, where it is something else or cannot be looked at.
pub(crate) fn stamp(path: &Path) -> Result<Option<Stamp>, String> {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(Stamp::of(&metadata))),
        Ok(_) => Err(format!("{} is not a file", path.display())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// The bytes of a file.
///
/// # Errors
///
/// A sentence, where it cannot be read or has more bytes than `most`.
pub(crate) fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, String> {
    let mut content = Vec::new();
    File::open(path)
        .and_then(|file| {
            let end = most.saturating_add(1);
            file.take(end).read_to_end(&mut content)
        })
        .map_err(|error| unreadable(path, &error))?;
    if content.len() as u64 > most {
        let path = path.display();
        return Err(format!(
            "{path} is larger than the {most} bytes that a model may have"
        ));
    }
    Ok(content)
}

fn unreadable(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be read: {error}", path.display())
}
