//! One attempt at a job, from its turn to the outbox.

use std::sync::PoisonError;

use crate::deliver::{self, Delivered};
use crate::job::{Event, Stage, State};
use crate::ledger::{JobRow, Ledger, OutputRow};
use crate::records::{ErrorFile, ResultNotes};
use crate::{JobId, Queue, QueueError, durable, names, schedule};

/// The right to write about a job, until another attempt begins or the job ends.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The job as it was when the attempt began.
    pub job: JobRow,
    /// Which attempt this is, from 1.
    pub number: u32,
}

impl Attempt {
    /// The job.
    #[must_use]
    pub fn id(&self) -> JobId {
        self.job.id
    }
}

/// A finished, signed file.
#[derive(Clone, Debug)]
pub struct Output<'a> {
    /// From 0; staging a number again replaces it.
    pub index: u32,
    /// The whole file.
    pub bytes: &'a [u8],
    /// The stem that the file should have in the outbox.
    pub stem: &'a str,
    /// The extension, without dot.
    pub extension: &'a str,
    /// The seed it was made with.
    pub seed: Option<i64>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
}

/// All outputs of an attempt are in the outbox; the job can be completed.
#[derive(Clone, Debug)]
#[must_use = "a delivered job is not done until it is completed"]
pub struct Delivery {
    pub(super) id: JobId,
    pub(super) attempt: u32,
    /// The files, by number.
    pub files: Vec<Delivered>,
}

/// What a failure led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FailOutcome {
    /// The job waits for another attempt.
    Again {
        /// Not before this time in milliseconds since 1970.
        not_before_ms: i64,
    },
    /// The job has failed.
    Failed,
    /// The job was cancelled meanwhile, and that is how it ended.
    Cancelled,
}

impl Queue {
    /// The job whose turn it is; `None` if nothing may start now. Nothing is changed by asking.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn next(&self) -> Result<Option<JobRow>, QueueError> {
        self.ledger.read(|db| {
            if Ledger::is_paused(db)? {
                return Ok(None);
            }
            let waiting = Ledger::waiting(db)?;
            let now = self.options.clock.now_ms();
            schedule::next(&waiting, now, self.options.retry.longest_ms())
                .map(|id| Ledger::get(db, id))
                .transpose()
        })
    }

    /// When to ask again though nothing is due: the end of the earliest pause between two attempts, in
    /// milliseconds since 1970.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn next_due_ms(&self) -> Result<Option<i64>, QueueError> {
        let waiting = self.ledger.read(Ledger::waiting)?;
        let now = self.options.clock.now_ms();
        Ok(schedule::next_due_ms(
            &waiting,
            now,
            self.options.retry.longest_ms(),
        ))
    }

    /// Begins an attempt. It is on the disk before this returns, so that whatever happens afterwards,
    /// were it the death of the machine, counts against the job.
    ///
    /// # Errors
    /// [`QueueError::LowSpace`] or [`QueueError::IllegalTransition`] (another thread was faster, or the
    /// job was cancelled); the job is as it was.
    pub fn begin_attempt(&self, id: JobId) -> Result<Attempt, QueueError> {
        self.check_space()?;
        let queued = self.ledger.read(|db| Ledger::get(db, id))?;
        let entry = self.spool.job(id);
        if matches!(queued.life.state, State::Queued { .. }) && entry.exists() {
            // Outputs of an earlier attempt; the ledger forgets them with the next commit.
            durable::remove_tree(&entry.out())?;
            durable::create_dir(&entry.out())?;
            durable::sync_dir(entry.dir())?;
        }
        let job = self.transition_with(id, None, Event::Begin, |db, _| {
            Ledger::clear_outputs(db, id)?;
            Ledger::set_started(db, id, self.options.clock.now_ms(), &self.instance)
        })?;
        Ok(Attempt {
            number: job.life.attempts,
            job,
        })
    }

    /// The attempt enters a stage before [`Stage::Delivering`].
    ///
    /// # Errors
    /// [`QueueError::Superseded`] if the attempt is over.
    pub fn set_stage(&self, attempt: &Attempt, stage: Stage) -> Result<(), QueueError> {
        self.transition(attempt.id(), Some(attempt.number), Event::Enter(stage))
            .map(drop)
    }

    /// Whether the user has cancelled the job of this attempt.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn is_cancel_requested(&self, attempt: &Attempt) -> Result<bool, QueueError> {
        Ok(self
            .ledger
            .read(|db| Ledger::get(db, attempt.id()))?
            .life
            .cancel_requested)
    }

    /// Writes a finished file into the spool and records it.
    ///
    /// # Errors
    /// [`QueueError::Superseded`] if the attempt is over, or what kept the file from the disk.
    pub fn stage_output(&self, attempt: &Attempt, output: &Output<'_>) -> Result<(), QueueError> {
        let id = attempt.id();
        self.ledger
            .read(|db| Ledger::get(db, id))
            .and_then(|job| self.is_current(&job, attempt.number))?;
        let extension = names::safe_extension(output.extension);
        let row = OutputRow {
            index: output.index,
            staged: format!("{}.{extension}", output.index),
            wanted: format!("{}.{extension}", names::safe_stem(output.stem)),
            sha256: durable::sha256_hex(output.bytes),
            bytes: i64::try_from(output.bytes.len()).unwrap_or(i64::MAX),
            seed: output.seed,
            width: output.width,
            height: output.height,
            final_name: None,
            delivered: false,
        };
        let out = self.spool.job(id).out();
        durable::remove_file(&out.join(&row.staged))?;
        durable::write_new(&out.join(&row.staged), output.bytes)?;
        durable::sync_dir(&out)?;
        self.ledger.write(|db| {
            let job = Ledger::get(db, id)?;
            self.is_current(&job, attempt.number)?;
            if job.life.state
                == (State::Working {
                    stage: Stage::Delivering,
                })
            {
                return Err(QueueError::Superseded {
                    id,
                    attempt: attempt.number,
                });
            }
            Ledger::put_output(db, id, &row)
        })
    }

    /// Says that every output is staged, and places them in the outbox. The first part is the point of
    /// no return: from then on the job will be delivered, by this call, a later one, or the next start.
    /// After an error that is not one of the below, call it again or leave it to [`Queue::tidy`]; a
    /// sealed job cannot [`Queue::fail`].
    ///
    /// # Errors
    /// [`QueueError::CancelRequested`]: nothing was delivered, report it with [`Queue::stopped`].
    /// [`QueueError::Superseded`]: the attempt is over. [`QueueError::StagedOutputLost`]: the spool was
    /// damaged, and the job has failed.
    pub fn deliver(&self, attempt: &Attempt, notes: &ResultNotes) -> Result<Delivery, QueueError> {
        let id = attempt.id();
        let job = self.ledger.read(|db| Ledger::get(db, id))?;
        self.is_current(&job, attempt.number)?;
        if job.life.state
            != (State::Working {
                stage: Stage::Delivering,
            })
        {
            self.transition_with(id, Some(attempt.number), Event::Seal, |db, _| {
                Ledger::set_result(db, id, notes)
            })?;
        }
        let placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let placed = deliver::place_all(&self.ledger, &self.spool.job(id), &self.home.outbox, id);
        drop(placing);
        match placed {
            Ok(files) => Ok(Delivery {
                id,
                attempt: attempt.number,
                files,
            }),
            Err(error) => {
                if matches!(error, QueueError::StagedOutputLost { .. }) {
                    self.give_up_lost(id, &error)?;
                    self.file_or_leave(id);
                }
                Err(error)
            }
        }
    }

    /// The attempt failed. With `again`, the job is tried another time after a pause, as long as the
    /// policy allows it.
    ///
    /// # Errors
    /// [`QueueError::Superseded`] if the attempt is over, [`QueueError::IllegalTransition`] if its
    /// outputs are being delivered.
    pub fn fail(
        &self,
        attempt: &Attempt,
        mut fault: ErrorFile,
        again: bool,
    ) -> Result<FailOutcome, QueueError> {
        fault.job = Some(attempt.id());
        let event = Event::Fail {
            fault: Box::new(fault),
            again,
        };
        let job = self.transition(attempt.id(), Some(attempt.number), event)?;
        Ok(match job.life.state {
            State::Queued { not_before_ms, .. } => FailOutcome::Again {
                not_before_ms: not_before_ms.unwrap_or_default(),
            },
            State::Cancelled { .. } => {
                self.file_or_leave(job.id);
                FailOutcome::Cancelled
            }
            _ => {
                self.file_or_leave(job.id);
                FailOutcome::Failed
            }
        })
    }

    /// The attempt was stopped because the user cancelled the job.
    ///
    /// # Errors
    /// [`QueueError::IllegalTransition`] if nobody cancelled it, [`QueueError::Superseded`] if the
    /// attempt is over.
    pub fn stopped(&self, attempt: &Attempt) -> Result<(), QueueError> {
        let job = self.transition(attempt.id(), Some(attempt.number), Event::Stopped)?;
        self.file_or_leave(job.id);
        Ok(())
    }

    /// The daemon stops in good order and gives the attempt up: the job is queued again and nothing is
    /// counted against it. A job that is being delivered stays as it is.
    ///
    /// # Errors
    /// [`QueueError::Superseded`] if the attempt is over.
    pub fn interrupt(&self, attempt: &Attempt) -> Result<(), QueueError> {
        let job = self.transition(attempt.id(), Some(attempt.number), Event::Interrupt)?;
        if job.life.state.is_terminal() {
            self.file_or_leave(job.id);
        }
        Ok(())
    }
}
