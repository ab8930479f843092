//! What a user may see of the queue and do to a job, at any time and from any thread.

use std::collections::BTreeMap;

use super::claims::check_priority;
use crate::job::{Event, State};
use crate::ledger::{Filter, Ledger};
use crate::spool::Origin;
use crate::{JobId, JobRow, Queue, QueueError, StateName};

/// What a cancel led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CancelOutcome {
    /// The job waited and is cancelled.
    Cancelled,
    /// An attempt is being made; it is to be stopped, and if the daemon dies first, the next start
    /// cancels the job. Nothing of it will be delivered.
    Requested,
    /// Its outputs are being delivered: too late.
    TooLate,
    /// It had ended before, like this.
    Ended(StateName),
}

impl Queue {
    /// How many jobs are in each state; states without jobs are left out.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn counts(&self) -> Result<BTreeMap<StateName, u64>, QueueError> {
        self.ledger.read(Ledger::counts)
    }

    /// Jobs by `filter`, newest first.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn list(&self, filter: &Filter) -> Result<Vec<JobRow>, QueueError> {
        self.ledger.read(|db| Ledger::list(db, filter))
    }

    /// One job.
    ///
    /// # Errors
    /// [`QueueError::UnknownJob`], or what keeps the ledger from being read.
    pub fn get(&self, id: JobId) -> Result<JobRow, QueueError> {
        self.ledger.read(|db| Ledger::get(db, id))
    }

    /// Cancels a job.
    ///
    /// # Errors
    /// [`QueueError::UnknownJob`], or what kept the ledger from the disk.
    pub fn cancel(&self, id: JobId) -> Result<CancelOutcome, QueueError> {
        let job = match self.transition(id, None, Event::Cancel) {
            Ok(job) => job,
            Err(QueueError::IllegalTransition { .. }) => {
                let job = self.get(id)?;
                return Ok(if job.life.state.is_terminal() {
                    CancelOutcome::Ended(job.state())
                } else {
                    CancelOutcome::TooLate
                });
            }
            Err(error) => return Err(error),
        };
        if job.life.state.is_terminal() {
            self.file_or_leave(id);
            Ok(CancelOutcome::Cancelled)
        } else {
            Ok(CancelOutcome::Requested)
        }
    }

    /// Runs a job again that failed or was cancelled, from what was kept of it.
    ///
    /// # Errors
    /// [`QueueError::NotRetryable`] if its manifest or inputs are not there any more as they were;
    /// [`QueueError::IllegalTransition`] in any other state.
    pub fn retry(&self, id: JobId) -> Result<JobRow, QueueError> {
        // A file that was never moved is moved now, so that there is one place to take it from.
        self.file_ended(id)?;
        let _placing = self
            .placing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let job = self.get(id)?;
        let refused = || QueueError::IllegalTransition {
            id,
            state: job.state().as_str(),
            event: Event::Retry.verb(),
        };
        let filed = match (&job.life.state, &job.filed) {
            (State::Failed { .. } | State::Cancelled { .. }, Some(filed)) => filed.clone(),
            _ => return Err(refused()),
        };
        let origin = Origin {
            name: job.manifest.clone(),
            root: job
                .root
                .as_ref()
                .and_then(|root| root.to_str())
                .map(str::to_owned),
            handed_in: job.root.is_none(),
        };
        self.spool.revive(id, &origin, &filed, &job.inputs)?;
        let job = self.transition_with(id, None, Event::Retry, |db, _| {
            Ledger::clear_outputs(db, id)?;
            Ledger::set_unfile(db, id, &filed)
        })?;
        if let Err(error) = self.remove_earlier_end(id) {
            tracing::warn!(job = %id, %error, "files of its earlier end could not be removed yet");
        }
        Ok(job)
    }

    /// Changes when a job's turn comes; −10 … 10, the higher the sooner.
    ///
    /// # Errors
    /// [`QueueError::PriorityOutOfRange`] or [`QueueError::UnknownJob`].
    pub fn set_priority(&self, id: JobId, priority: i32) -> Result<(), QueueError> {
        check_priority(priority)?;
        self.ledger
            .write(|db| Ledger::set_priority(db, id, priority))
    }

    /// Holds back one job, or all with `None`. What is being worked on goes on. Outlives the daemon.
    ///
    /// # Errors
    /// [`QueueError::UnknownJob`], or what kept the ledger from the disk.
    pub fn pause(&self, id: Option<JobId>) -> Result<(), QueueError> {
        self.set_paused(id, true)
    }

    /// Lets one job go, or with `None` the queue. A job that was held back by itself stays so.
    ///
    /// # Errors
    /// [`QueueError::UnknownJob`], or what kept the ledger from the disk.
    pub fn resume(&self, id: Option<JobId>) -> Result<(), QueueError> {
        self.set_paused(id, false)
    }

    /// Whether the whole queue is held back.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn is_paused(&self) -> Result<bool, QueueError> {
        self.ledger.read(Ledger::is_paused)
    }

    fn set_paused(&self, id: Option<JobId>, to: bool) -> Result<(), QueueError> {
        self.ledger.write(|db| match id {
            Some(id) => Ledger::set_job_paused(db, id, to),
            None => Ledger::set_paused(db, to),
        })
    }
}
