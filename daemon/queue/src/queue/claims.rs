//! From a file in a watched folder to an accepted job, or to a refusal that says why.

use crate::intake::{Candidate, Kind};
use crate::job::Life;
use crate::ledger::{JobRow, Ledger, NewRow};
use crate::records::ErrorFile;
use crate::spool::{self, Claimed, Ending, InputSource};
use crate::{JobId, Queue, QueueError, clock};

/// What the program knows about a job that it accepts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewJob {
    /// Anything, given back as it is. The program stores the checked job here.
    pub spec: String,
    /// −10 … 10, the higher the sooner.
    pub priority: i32,
    /// Whether the job waits until the user lets it go.
    pub paused: bool,
}

impl Queue {
    /// A candidate's bytes, at most `limit`, before it is claimed: to refuse it without taking it.
    /// What decides is [`Claimed::read`], for the file may still be replaced until it is claimed.
    ///
    /// # Errors
    /// [`QueueError::ManifestUnusable`] for what is no plain file or longer than `limit`.
    pub fn peek(&self, candidate: &Candidate, limit: u64) -> Result<Vec<u8>, QueueError> {
        spool::read_plain(&candidate.path, limit)
    }

    /// Takes a manifest: it moves from its folder into the spool. `None` if it is not there any more,
    /// or not as it was when it settled.
    ///
    /// # Errors
    /// [`QueueError::LowSpace`] before anything was touched; [`QueueError::ManifestUnusable`] for what
    /// is not a plain file (refuse it); otherwise the manifest is back in its folder.
    pub fn claim(&self, candidate: &Candidate) -> Result<Option<Claimed>, QueueError> {
        if let Kind::Special(what) = candidate.kind {
            let reason = format!("it is {what}");
            return Err(QueueError::ManifestUnusable {
                path: candidate.path.clone(),
                reason,
            });
        }
        self.check_space()?;
        self.spool.claim(candidate, self.ids.next())
    }

    /// Makes a claim of a manifest that was handed in: nothing is moved, and after a crash before it
    /// is accepted nothing is left of it.
    ///
    /// # Errors
    /// [`QueueError::LowSpace`], or what kept the manifest from being written.
    pub fn adopt(&self, file_name: &str, manifest: &[u8]) -> Result<Claimed, QueueError> {
        self.check_space()?;
        self.spool.adopt(file_name, manifest, self.ids.next())
    }

    /// Makes a claim a job: its inputs are copied (they are numbered from 1 in the given order), then
    /// it is recorded. Only when this has returned may anyone be told that the job was accepted.
    ///
    /// # Errors
    /// What is wrong with an input or the priority; the claim is still a claim then, to be refused,
    /// released, or accepted another time.
    pub fn accept(
        &self,
        claimed: &Claimed,
        job: &NewJob,
        inputs: &[InputSource],
    ) -> Result<JobRow, QueueError> {
        check_priority(job.priority)?;
        let id = claimed.id;
        let rows = spool::snapshot(&self.spool.claimed(id), inputs)?;
        self.spool.settle(id)?;
        let row = NewRow {
            id,
            name: &claimed.name,
            manifest: &claimed.origin.name,
            root: claimed.origin.root.as_deref(),
            spec: &job.spec,
            priority: job.priority,
            paused: job.paused,
            accepted_ms: self.options.clock.now_ms(),
        };
        self.ledger.write(|db| {
            Ledger::insert(db, &row)?;
            Ledger::insert_inputs(db, id, &rows)?;
            Ledger::get(db, id)
        })
    }

    /// Gives a claim back: the manifest returns to its folder, beside whatever has its name by now. One
    /// that was handed in is dropped; its sender is to be told.
    ///
    /// # Errors
    /// What kept it from being moved; the next start tries again.
    pub fn release(&self, claimed: Claimed) -> Result<(), QueueError> {
        self.spool.put_back(&self.spool.claimed(claimed.id))
    }

    /// Refuses a candidate: it goes to `failed/` with `error` beside it. Gives the name it has there,
    /// without suffix, or `None` if the candidate is gone or changed.
    ///
    /// # Errors
    /// What kept it from being moved.
    pub fn refuse(
        &self,
        candidate: &Candidate,
        error: ErrorFile,
    ) -> Result<Option<String>, QueueError> {
        match self.spool.claim(candidate, self.ids.next())? {
            Some(claimed) => self.refuse_claimed(claimed, error).map(Some),
            None => Ok(None),
        }
    }

    /// Refuses a claim: its manifest goes to `failed/` with `error` beside it. Gives the name it has
    /// there, without suffix.
    ///
    /// # Errors
    /// What kept it from being moved; the next start finishes it.
    pub fn refuse_claimed(
        &self,
        claimed: Claimed,
        mut error: ErrorFile,
    ) -> Result<String, QueueError> {
        error.job = None;
        error.attempts = Life::default().attempts;
        error.at = clock::rfc3339(self.options.clock.now_ms());
        let entry = self.spool.claimed(claimed.id);
        let note = error.to_toml()?;
        let filed = self
            .spool
            .file_away(&entry, Ending::Failed, &claimed.name, &note)?;
        self.spool.remove(&entry)?;
        Ok(filed.stem)
    }

    /// The files of a job that is not finished: `inputs/` holds [`crate::InputRow::file`]s.
    #[must_use]
    pub fn inputs_dir(&self, id: JobId) -> std::path::PathBuf {
        self.spool.job(id).inputs()
    }
}

pub(super) fn check_priority(priority: i32) -> Result<(), QueueError> {
    if (-10..=10).contains(&priority) {
        Ok(())
    } else {
        Err(QueueError::PriorityOutOfRange(priority))
    }
}
