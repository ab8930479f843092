//! From a whole file in a watched folder, or a path handed over on the bus, to an accepted job.
//! What is accepted is in the ledger before anyone is told.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use atelier_manifest::{Job, MAX_MANIFEST_BYTES};
use atelier_queue::{
    Candidate, Claimed, ErrorFile, InputSource, JobRow, NewJob, Offer, QueueError,
};

use super::{Daemon, accept, view};
use crate::fault::{Fault, Stage};

/// After a failure that may pass, a manifest is looked at again this much later.
const LATER: Duration = Duration::from_secs(10);

/// Takes every file that the intake offers, until the intake ends.
pub(super) fn run(daemon: &Arc<Daemon>, offers: &Receiver<Offer>) {
    for offer in offers {
        if daemon.is_stopping() {
            return;
        }
        if let Err(error) = daemon.take(&offer) {
            tracing::warn!(manifest = %offer.name, code = error.code(), %error, "not taken now");
            offer.hold(LATER);
        }
    }
}

impl Daemon {
    fn take(&self, candidate: &Candidate) -> Result<(), QueueError> {
        let claimed = match self.queue.claim(candidate) {
            Ok(Some(claimed)) => claimed,
            // Somebody else was faster, or it is being written again.
            Ok(None) => return Ok(()),
            Err(error @ QueueError::ManifestUnusable { .. }) => {
                self.queue
                    .refuse(candidate, ErrorFile::from_queue(&error, "check"))?;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let folder = claimed.root().unwrap_or(&candidate.root).to_path_buf();
        let checked = claimed
            .read(MAX_MANIFEST_BYTES as u64)
            .map_err(|e| Fault::queue(Stage::Check, &e))
            .and_then(|bytes| {
                atelier_manifest::decode(bytes).map_err(|problems| Fault::from_problems(&problems))
            })
            .and_then(|text| self.load(&text, &folder));
        let mut job = match checked {
            Ok(job) => job,
            Err(fault) => return self.refuse(claimed, &fault),
        };
        match self.admit(&claimed, &mut job, false) {
            Ok(row) => {
                self.welcome(&row);
                Ok(())
            }
            Err(Admission::Queue(error)) if error.is_transient() => {
                self.queue.release(claimed)?;
                Err(error)
            }
            Err(error) => self.refuse(claimed, &error.into_fault()),
        }
    }

    /// Takes a job from a manifest that lies where its sender wants it to stay; gives its id.
    ///
    /// # Errors
    ///
    /// Every problem that the manifest has, or what kept the job from becoming durable.
    pub(crate) fn submit_path(&self, path: &Path, hold: bool) -> Result<String, Fault> {
        let (Some(folder), Some(name), true) =
            (path.parent(), path.file_name(), path.is_absolute())
        else {
            return Err(Fault::rejected(
                Stage::Check,
                "path-not-absolute",
                format!("{} is not the absolute path of a manifest", path.display()),
            ));
        };
        let text = accept::read(path)?;
        let mut job = self.load(&text, folder)?;
        let claimed = self
            .queue
            .adopt(&name.to_string_lossy(), text.as_bytes())
            .map_err(|e| Fault::queue(Stage::Claim, &e))?;
        match self.admit(&claimed, &mut job, hold) {
            Ok(row) => {
                self.welcome(&row);
                Ok(row.id.to_string())
            }
            Err(error) => {
                let fault = error.into_fault();
                self.queue
                    .release(claimed)
                    .map_err(|e| Fault::queue(Stage::Claim, &e))?;
                Err(fault)
            }
        }
    }

    fn load(&self, text: &str, folder: &Path) -> Result<Job, Fault> {
        accept::load(text, folder, &self.studio, &self.home, &self.config)
    }

    /// Makes a claim a job: seeds drawn, inputs copied, a row in the ledger.
    fn admit(&self, claimed: &Claimed, job: &mut Job, hold: bool) -> Result<JobRow, Admission> {
        accept::settle_seeds(job).map_err(Admission::Fault)?;
        let inputs = job
            .inputs()
            .iter()
            .map(|path| InputSource::open(path))
            .collect::<Result<Vec<_>, _>>()
            .map_err(Admission::Queue)?;
        let spec = job.to_json().map_err(|error| {
            Admission::Fault(Fault::fatal(Stage::Claim, error.code(), error.to_string()))
        })?;
        let new = NewJob {
            spec,
            priority: i32::from(job.priority),
            paused: hold,
        };
        self.queue
            .accept(claimed, &new, &inputs)
            .map_err(Admission::Queue)
    }

    fn refuse(&self, claimed: Claimed, fault: &Fault) -> Result<(), QueueError> {
        let name = self.queue.refuse_claimed(claimed, fault.to_error_file())?;
        tracing::warn!(manifest = %name, code = %fault.code, "refused: {}", fault.message);
        Ok(())
    }

    fn welcome(&self, row: &JobRow) {
        tracing::info!(job = %row.id, manifest = %row.name, "accepted");
        self.live
            .put(&row.id.to_string(), view::of(row, &self.home.outbox()));
        self.bell.ring();
    }
}

/// Why a checked job was not admitted.
enum Admission {
    Queue(QueueError),
    Fault(Fault),
}

impl Admission {
    fn into_fault(self) -> Fault {
        match self {
            Self::Queue(error) => Fault::queue(Stage::Claim, &error),
            Self::Fault(fault) => fault,
        }
    }
}
