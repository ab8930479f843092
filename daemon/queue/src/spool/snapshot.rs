//! Copies of a job's inputs, made when the job is accepted.
//!
//! What the user does with the pictures afterwards changes nothing: the job is made from what was
//! accepted, and provenance names exactly that.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::{Entry, plain};
use crate::intake::Signature;
use crate::ledger::InputRow;
use crate::{QueueError, durable, names};

/// An open file that becomes an input of a job.
#[derive(Debug)]
pub struct InputSource {
    file: File,
    /// For messages only.
    path: PathBuf,
    /// As the file will be called in the snapshot, after its number.
    name: String,
}

impl InputSource {
    /// Opens a plain file. The path must be resolved and checked already: a link as its last part is
    /// refused, since it can only have appeared after the check.
    ///
    /// # Errors
    /// [`QueueError::InputUnusable`] with the reason.
    pub fn open(path: &Path) -> Result<Self, QueueError> {
        let (file, _) = plain::open_plain(path).map_err(|reason| QueueError::InputUnusable {
            path: path.to_owned(),
            reason,
        })?;
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Self {
            file,
            path: path.to_owned(),
            name,
        })
    }

    /// Takes a file that somebody else opened, such as a descriptor from the bus.
    ///
    /// # Errors
    /// [`QueueError::InputUnusable`] if it is not a plain file.
    pub fn from_file(name: &str, file: File) -> Result<Self, QueueError> {
        let unusable = |reason: String| QueueError::InputUnusable {
            path: name.into(),
            reason,
        };
        let meta = file.metadata().map_err(|e| unusable(e.to_string()))?;
        if !meta.is_file() {
            return Err(unusable("it is not a plain file".into()));
        }
        Ok(Self {
            file,
            path: name.into(),
            name: name.to_owned(),
        })
    }

    /// A whole copy; a source that changed on the way is refused rather than taken in pieces.
    fn copy_to(&self, target: &Path) -> Result<durable::Content, QueueError> {
        let look = || {
            self.file
                .metadata()
                .map(|meta| Signature::from(&meta))
                .map_err(|e| QueueError::io("look at", &self.path, e))
        };
        let before = look()?;
        let content = durable::copy_new(&self.file, target)?;
        if look()? == before && content.bytes == before.bytes {
            Ok(content)
        } else {
            Err(QueueError::InputChanged(self.path.clone()))
        }
    }
}

/// Copies all inputs into the entry, numbered from 1, and syncs them. Starts from nothing, so a second
/// try after a failure is the same as the first.
pub(crate) fn snapshot(
    entry: &Entry,
    sources: &[InputSource],
) -> Result<Vec<InputRow>, QueueError> {
    let folder = entry.inputs();
    durable::remove_tree(&folder)?;
    if sources.is_empty() {
        return Ok(Vec::new());
    }
    durable::create_dir(&folder)?;
    let mut rows = Vec::with_capacity(sources.len());
    for (number, source) in (1..).zip(sources) {
        let file = format!("{number}-{}", names::safe_stem(&source.name));
        let content = source.copy_to(&folder.join(&file))?;
        rows.push(InputRow {
            number,
            name: source.name.clone(),
            file,
            sha256: content.sha256,
            bytes: i64::try_from(content.bytes).unwrap_or(i64::MAX),
        });
    }
    durable::sync_dir(&folder)?;
    Ok(rows)
}

/// Copies the kept inputs of an ended job back into an entry; each must still have its digest.
pub(super) fn restore(entry: &Entry, kept: &Path, rows: &[InputRow]) -> Result<(), String> {
    if rows.is_empty() {
        return Ok(());
    }
    let say = |e: QueueError| e.to_string();
    durable::create_dir(&entry.inputs()).map_err(say)?;
    for row in rows {
        let source = InputSource::open(&kept.join(&row.file)).map_err(say)?;
        let content = source
            .copy_to(&entry.inputs().join(&row.file))
            .map_err(say)?;
        if content.sha256 != row.sha256 {
            return Err(format!("the kept input {} was changed", row.file));
        }
    }
    durable::sync_dir(&entry.inputs()).map_err(say)
}
