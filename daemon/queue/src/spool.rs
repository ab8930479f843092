//! The folders in `working/`: a job's manifest, inputs and outputs while the job is not finished.
//!
//! ```text
//! working/tmp-ID/              being claimed; no job yet
//! working/ID/                  a job
//!     origin.toml              where the manifest came from and what it was called
//!     manifest.toml
//!     inputs/1-woman.jpg …     copies, as they were when the job was accepted
//!     out/0.png …              staged outputs, signed and whole
//!     note.toml, filing.toml   while the manifest is on its way to done/, failed/ or cancelled/
//! ```
//!
//! A manifest is always in exactly one place: in a watched folder, in an entry here, or filed. Nothing
//! here knows the ledger; each step says what the next start would make of a crash after it.

mod claim;
mod entry;
mod filing;
mod plain;
mod snapshot;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::durable::{self, Moved};
use crate::{Home, JobId, QueueError, names};

pub use claim::Claimed;
pub(crate) use entry::{Entry, Origin};
pub(crate) use filing::{Ending, Filed};
pub(crate) use plain::read_plain;
pub use snapshot::InputSource;
pub(crate) use snapshot::snapshot;

const CLAIMING: &str = "tmp-";

/// The spool of one home.
#[derive(Debug)]
pub(crate) struct Spool {
    home: Home,
}

/// What lies in the spool, by job.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    pub(crate) claiming: BTreeMap<JobId, Entry>,
    pub(crate) jobs: BTreeMap<JobId, Entry>,
}

impl Spool {
    pub(crate) fn new(home: Home) -> Self {
        Self { home }
    }

    /// The entry of a job.
    pub(crate) fn job(&self, id: JobId) -> Entry {
        Entry::new(self.home.working.join(id.to_string()))
    }

    /// The entry of a claim that is not a job yet.
    pub(crate) fn claiming(&self, id: JobId) -> Entry {
        Entry::new(self.home.working.join(format!("{CLAIMING}{id}")))
    }

    /// A claim's entry, under whichever of its two names it has now.
    pub(crate) fn claimed(&self, id: JobId) -> Entry {
        let job = self.job(id);
        if job.exists() { job } else { self.claiming(id) }
    }

    /// Makes an empty entry for a claim, with its origin written down and synced. After a crash the
    /// next start removes it.
    fn begin(&self, id: JobId, origin: &Origin) -> Result<Entry, QueueError> {
        let entry = self.claiming(id);
        durable::remove_tree(entry.dir())?;
        durable::create_dir(entry.dir())?;
        entry.write_origin(origin)?;
        durable::sync_dir(entry.dir())?;
        durable::sync_dir(&self.home.working)?;
        Ok(entry)
    }

    /// A claim becomes a job's entry: all that is in it is synced, then it gets its lasting name.
    pub(crate) fn settle(&self, id: JobId) -> Result<Entry, QueueError> {
        let (from, to) = (self.claiming(id), self.job(id));
        durable::sync_dir(from.dir())?;
        match durable::rename_noreplace(from.dir(), to.dir())? {
            Moved::Yes => durable::sync_dir(&self.home.working).map(|()| to),
            // An earlier try of the same call came this far.
            Moved::SourceGone if to.exists() => Ok(to),
            Moved::SourceGone | Moved::NameTaken => Err(QueueError::RecordUnreadable {
                what: format!("spool entry {id}"),
                detail: "it is missing or doubled".into(),
            }),
        }
    }

    /// Puts a claimed manifest back where it came from, beside whatever has its name by now, and
    /// removes the entry. A manifest that was handed in (not moved in) is simply dropped: its sender
    /// was never told that it was accepted.
    pub(crate) fn put_back(&self, entry: &Entry) -> Result<(), QueueError> {
        // The origin is synced before a manifest is moved in, so a damaged one is another's doing;
        // the manifest is still worth saving.
        let origin = entry.origin().unwrap_or_else(|_| Origin {
            name: format!("{}.toml", entry.label()),
            root: None,
            handed_in: false,
        });
        if !origin.handed_in && durable::exists(&entry.manifest()) {
            let root = origin
                .root
                .as_deref()
                .map(Path::new)
                .filter(|root| root.is_dir())
                .unwrap_or(&self.home.inbox);
            let stem = names::manifest_stem(&origin.name);
            let mut target = root.join(&origin.name);
            let mut n = 1;
            while durable::rename_noreplace(&entry.manifest(), &target)? == Moved::NameTaken {
                n += 1;
                target = root.join(format!("{}.toml", names::numbered(&stem, n)));
            }
            durable::sync_dir(root)?;
        }
        self.remove(entry)
    }

    /// Removes an entry with all that is in it.
    pub(crate) fn remove(&self, entry: &Entry) -> Result<(), QueueError> {
        durable::remove_tree(entry.dir())?;
        durable::sync_dir(&self.home.working)
    }

    /// Everything in the spool. Names that are not the daemon's are left alone and told.
    pub(crate) fn entries(&self) -> Result<Entries, QueueError> {
        let read = |e| QueueError::io("list", &self.home.working, e);
        let mut entries = Entries::default();
        for found in fs::read_dir(&self.home.working).map_err(read)? {
            let path = found.map_err(read)?.path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let (map, id) = match name.strip_prefix(CLAIMING) {
                Some(id) => (&mut entries.claiming, id),
                None => (&mut entries.jobs, name.as_str()),
            };
            match id.parse() {
                Ok(id) => {
                    map.insert(id, Entry::new(path));
                }
                Err(_) => tracing::warn!(path = %path.display(), "not a job; left alone"),
            }
        }
        Ok(entries)
    }
}

#[cfg(test)]
mod tests;
