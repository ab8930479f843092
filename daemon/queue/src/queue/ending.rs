//! The end of a job: the last commit, then its files where the user sees them.
//!
//! The commit comes first, because a job is over when the ledger says so; the files follow, and if they
//! cannot now, [`Queue::tidy`] or the next start moves them.

use std::sync::PoisonError;

use super::Delivery;
use std::path::Path;

use crate::job::{Event, Stage, State};
use crate::ledger::{JobRow, Ledger};
use crate::records::{ErrorFile, OutputEntry, ResultFile};
use crate::spool::Ending;
use crate::{JobId, Queue, QueueError, clock, deliver};

impl Queue {
    /// The delivered job is done: its manifest and result file go to `done/`.
    ///
    /// # Errors
    /// [`QueueError::Superseded`] if another attempt has begun, or what kept the ledger from the disk.
    pub fn complete(&self, delivery: Delivery) -> Result<JobRow, QueueError> {
        let id = delivery.id;
        match self.transition(id, Some(delivery.attempt), Event::Finish) {
            Ok(_) => {}
            // A tidy-up between the two calls has done it already.
            Err(QueueError::Superseded { .. }) if self.is_done(id, delivery.attempt)? => {}
            Err(error) => return Err(error),
        }
        self.file_or_leave(id);
        self.ledger.read(|db| Ledger::get(db, id))
    }

    /// Finishes what a full disk or the like kept from being finished: deliveries that were begun, and
    /// the files of jobs that have ended. Gives the jobs that are still not at rest, with the reason.
    /// Call it now and then; it costs one query when there is nothing to do.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn tidy(&self) -> Result<Vec<(JobId, QueueError)>, QueueError> {
        let mut left = Vec::new();
        for job in self.ledger.read(Ledger::unsettled)? {
            let result = match &job.life.state {
                State::Working {
                    stage: Stage::Delivering,
                } => self
                    .finish_delivery(job.id)
                    .and_then(|_| self.file_ended(job.id)),
                state if state.is_terminal() => self.file_ended(job.id),
                _ if job.unfile.is_some() => self.remove_earlier_end(job.id),
                _ => Ok(()),
            };
            left.extend(result.err().map(|error| (job.id, error)));
        }
        Ok(left)
    }

    /// Delivers a sealed job and marks it done; one whose staged outputs are lost has failed.
    pub(crate) fn finish_delivery(&self, id: JobId) -> Result<JobRow, QueueError> {
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let job = self.ledger.read(|db| Ledger::get(db, id))?;
        if job.life.state
            != (State::Working {
                stage: Stage::Delivering,
            })
        {
            return Ok(job);
        }
        let entry = self.spool.job(id);
        match deliver::place_all(&self.ledger, &entry, &self.home.outbox, id) {
            Ok(_) => self.transition(id, None, Event::Finish),
            Err(error @ QueueError::StagedOutputLost { .. }) => self.give_up_lost(id, &error),
            Err(error) => Err(error),
        }
    }

    /// A sealed job whose outputs are lost has failed. What was already delivered stays.
    pub(super) fn give_up_lost(&self, id: JobId, why: &QueueError) -> Result<JobRow, QueueError> {
        let fault = Box::new(ErrorFile::from_queue(why, "deliver"));
        self.transition(id, None, Event::Lose { fault })
    }

    /// Puts an ended job's files where the user sees them, and removes its entry.
    pub(crate) fn file_ended(&self, id: JobId) -> Result<(), QueueError> {
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let job = self.ledger.read(|db| Ledger::get(db, id))?;
        if job.filed.is_some() || !job.life.state.is_terminal() {
            return Ok(());
        }
        // Its earlier files first, or they would make this end look like a second job's.
        self.remove_earlier_end(id)?;
        let (ending, note) = self.note(&job)?;
        let entry = self.spool.job(id);
        let filed = self.spool.file_away(&entry, ending, &job.name, &note)?;
        self.ledger.write(|db| Ledger::set_filed(db, id, &filed))?;
        self.spool.remove(&entry)
    }

    /// As [`Queue::file_ended`]; what cannot be done now is left for later, for the job has ended.
    pub(super) fn file_or_leave(&self, id: JobId) {
        if let Err(error) = self.file_ended(id) {
            tracing::warn!(job = %id, %error, "the job has ended, its files could not be moved yet");
        }
    }

    /// Removes what the earlier end of a retried job left in `failed/` or `cancelled/`.
    pub(crate) fn remove_earlier_end(&self, id: JobId) -> Result<(), QueueError> {
        let job = self.ledger.read(|db| Ledger::get(db, id))?;
        if let Some(filed) = &job.unfile {
            self.spool.unfile(id, filed)?;
            self.ledger.write(|db| Ledger::clear_unfile(db, id))?;
        }
        Ok(())
    }

    fn is_done(&self, id: JobId, attempt: u32) -> Result<bool, QueueError> {
        let job = self.ledger.read(|db| Ledger::get(db, id))?;
        Ok(job.life.attempts == attempt && matches!(job.life.state, State::Done { .. }))
    }

    /// The text of the result or error file.
    fn note(&self, job: &JobRow) -> Result<(Ending, String), QueueError> {
        let error = |mut error: ErrorFile, at_ms| {
            error.job = Some(job.id);
            error.attempts = job.life.attempts;
            error.at = clock::rfc3339(at_ms);
            error.to_toml()
        };
        Ok(match &job.life.state {
            State::Failed { at_ms, fault } => {
                (Ending::Failed, error(fault.as_ref().clone(), *at_ms)?)
            }
            State::Cancelled { at_ms } => {
                let cancelled = ErrorFile {
                    retryable: true,
                    ..ErrorFile::new("cancelled", "queue", "the job was cancelled")
                };
                (Ending::Cancelled, error(cancelled, *at_ms)?)
            }
            _ => (Ending::Done, result_file(job, &self.home.outbox).to_toml()?),
        })
    }
}

fn result_file(job: &JobRow, outbox: &Path) -> ResultFile {
    let notes = job.result.clone().unwrap_or_default();
    let outputs = job.outputs.iter().map(|output| OutputEntry {
        name: output.final_name.clone().unwrap_or_default(),
        path: outbox
            .join(output.final_name.as_deref().unwrap_or_default())
            .display()
            .to_string(),
        sha256: output.sha256.clone(),
        bytes: output.bytes,
        seed: output.seed,
        width: output.width,
        height: output.height,
    });
    ResultFile {
        job: job.id,
        model: notes.model,
        seeds: notes.seeds,
        attempts: job.life.attempts,
        accepted: clock::rfc3339(job.accepted_ms),
        finished: clock::rfc3339(job.ended_ms().unwrap_or_default()),
        warnings: notes.warnings,
        timings: notes.timings,
        notes: notes.notes,
        lora: notes.lora,
        outputs: outputs.collect(),
    }
}
