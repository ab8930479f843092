//! The names inside one spool entry.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{QueueError, durable, records};

/// Where a claimed manifest came from: enough to put it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// Its file name.
    pub(crate) name: String,
    /// The watched folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) root: Option<String>,
    /// It was copied in by a submission, so there is nowhere to put it back to.
    pub(crate) handed_in: bool,
}

/// One folder in the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    dir: PathBuf,
}

impl Entry {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// The folder's own name, for a file that has lost its own.
    pub(crate) fn label(&self) -> String {
        self.dir
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    pub(crate) fn exists(&self) -> bool {
        durable::exists(&self.dir)
    }

    pub(crate) fn manifest(&self) -> PathBuf {
        self.dir.join("manifest.toml")
    }

    pub(crate) fn inputs(&self) -> PathBuf {
        self.dir.join("inputs")
    }

    pub(crate) fn out(&self) -> PathBuf {
        self.dir.join("out")
    }

    /// The result or error file before it is filed.
    pub(crate) fn note(&self) -> PathBuf {
        self.dir.join("note.toml")
    }

    /// Under which name the manifest is being filed.
    pub(crate) fn filing(&self) -> PathBuf {
        self.dir.join("filing.toml")
    }

    fn origin_path(&self) -> PathBuf {
        self.dir.join("origin.toml")
    }

    pub(crate) fn write_origin(&self, origin: &Origin) -> Result<(), QueueError> {
        let text = records::to_toml(origin, "origin")?;
        durable::write_new(&self.origin_path(), text.as_bytes())
    }

    pub(crate) fn origin(&self) -> Result<Origin, QueueError> {
        self.read_record(&self.origin_path(), "origin")
    }

    pub(crate) fn read_record<T: serde::de::DeserializeOwned>(
        &self,
        path: &Path,
        what: &str,
    ) -> Result<T, QueueError> {
        let text = std::fs::read_to_string(path).map_err(|e| QueueError::io("read", path, e))?;
        records::from_toml(&text, &format!("{what} in {}", self.dir.display()))
    }
}
