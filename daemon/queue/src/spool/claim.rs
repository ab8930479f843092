//! Taking a manifest: one rename, which either happens or does not.

use std::path::{Path, PathBuf};

use super::{Entry, Origin, Spool, read_plain};
use crate::durable::{self, Moved};
use crate::intake::{Candidate, Signature};
use crate::{JobId, QueueError, names};

/// A manifest that is ours but not yet a job. It must be accepted, refused or released; if the daemon
/// dies first, the next start puts it back where it came from.
#[derive(Clone, Debug)]
#[must_use = "a claim that is neither accepted, refused nor released is stranded until the next start"]
pub struct Claimed {
    pub(crate) id: JobId,
    pub(crate) name: String,
    pub(crate) origin: Origin,
    pub(crate) manifest: PathBuf,
}

impl Claimed {
    /// The id that the job will have.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The job's name: the manifest's file name without `.toml`, made safe for other file names.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The watched folder that the manifest was in; `None` if it was handed in.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        self.origin.root.as_deref().map(Path::new)
    }

    /// The manifest's bytes, at most `limit` of them. What is read here is what was claimed: nobody
    /// can replace the file any more, so this is the text that decides, not one read before the claim.
    ///
    /// # Errors
    /// [`QueueError::ManifestUnusable`] for what is no plain file or longer than `limit`.
    pub fn read(&self, limit: u64) -> Result<Vec<u8>, QueueError> {
        read_plain(&self.manifest, limit)
    }

    fn new(id: JobId, origin: Origin, entry: &Entry) -> Self {
        let name = names::manifest_stem(&origin.name);
        Self {
            id,
            name,
            origin,
            manifest: entry.manifest(),
        }
    }
}

impl Spool {
    /// Claims a candidate: `None` if somebody else was faster, or if the file is not the one that had
    /// settled any more (it is then back in its folder and will settle again).
    pub(crate) fn claim(
        &self,
        candidate: &Candidate,
        id: JobId,
    ) -> Result<Option<Claimed>, QueueError> {
        let origin = Origin {
            name: candidate.name.clone(),
            root: Some(
                candidate
                    .root
                    .to_str()
                    .ok_or_else(|| QueueError::PathNotUtf8(candidate.root.clone()))?
                    .to_owned(),
            ),
            handed_in: false,
        };
        let entry = self.begin(id, &origin)?;
        let claimed = self.move_in(candidate, &entry);
        match claimed {
            Ok(true) => Ok(Some(Claimed::new(id, origin, &entry))),
            Ok(false) => self.put_back(&entry).map(|()| None),
            Err(error) => {
                self.undo(&entry);
                Err(error)
            }
        }
    }

    /// Makes a claim of a manifest that was handed in as bytes.
    pub(crate) fn adopt(
        &self,
        file_name: &str,
        manifest: &[u8],
        id: JobId,
    ) -> Result<Claimed, QueueError> {
        let origin = Origin {
            name: file_name.to_owned(),
            root: None,
            handed_in: true,
        };
        let entry = self.begin(id, &origin)?;
        match durable::write_new(&entry.manifest(), manifest) {
            Ok(()) => Ok(Claimed::new(id, origin, &entry)),
            Err(error) => {
                self.undo(&entry);
                Err(error)
            }
        }
    }

    /// Whether the entry now has the very file that had settled.
    fn move_in(&self, candidate: &Candidate, entry: &Entry) -> Result<bool, QueueError> {
        let manifest = entry.manifest();
        match durable::rename(&candidate.path, &manifest)? {
            Moved::Yes => {}
            // A network filesystem may have done the rename, lost its answer, and failed the repeat.
            Moved::SourceGone if durable::exists(&manifest) => {}
            Moved::SourceGone | Moved::NameTaken => return Ok(false),
        }
        durable::sync_dir(entry.dir())?;
        durable::sync_dir(&candidate.root)?;
        let meta = std::fs::symlink_metadata(&manifest)
            .map_err(|e| QueueError::io("look at", &manifest, e))?;
        Ok(Signature::from(&meta) == candidate.signature)
    }

    /// Best effort after a failure: what cannot be put back now is put back at the next start.
    fn undo(&self, entry: &Entry) {
        if let Err(error) = self.put_back(entry) {
            tracing::warn!(entry = %entry.dir().display(), %error, "a claim could not be undone");
        }
    }
}
