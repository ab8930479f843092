//! The calls that a program makes, in the order a job needs them:
//! [`Queue::claim`], [`Queue::accept`], [`Queue::next`], [`Queue::begin_attempt`],
//! [`Queue::set_stage`], [`Queue::stage_output`], [`Queue::deliver`], [`Queue::complete`].
//!
//! A call returns when its effect is on the disk. Calls may come from any thread; the ledger's
//! transactions decide who was first. An [`Attempt`] is the right to write about a job: once another
//! attempt has begun, or the job has ended, the old one is refused.

mod claims;
mod control;
mod ending;
mod work;

use std::fmt;
use std::sync::Mutex;

use rusqlite::Transaction;

use crate::id::IdSource;
use crate::job::{Event, State};
use crate::ledger::{JobRow, Ledger};
use crate::lock::HomeLock;
use crate::recover::RecoveryReport;
use crate::retry::RetryPolicy;
use crate::spool::Spool;
use crate::{Clock, Home, JobId, QueueError, durable, space};

pub use claims::NewJob;
pub use control::CancelOutcome;
pub use work::{Attempt, Delivery, FailOutcome, Output};

/// How a queue behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// When to try again.
    pub retry: RetryPolicy,
    /// Bytes that must be free before a manifest is claimed or an attempt begun.
    pub keep_free: u64,
    /// The wall clock.
    pub clock: Clock,
}

impl Default for Options {
    /// [`RetryPolicy::default`], 512 MiB kept free, the system's clock.
    fn default() -> Self {
        Self {
            retry: RetryPolicy::default(),
            keep_free: 512 << 20,
            clock: Clock::system(),
        }
    }
}

/// All jobs of one home. At most one is open per home, in any process.
pub struct Queue {
    pub(crate) home: Home,
    pub(crate) options: Options,
    pub(crate) ledger: Ledger,
    pub(crate) spool: Spool,
    ids: IdSource,
    /// Marks the attempts that this process began.
    instance: String,
    /// Held while files are placed in users' folders, so that no two threads finish the same job.
    placing: Mutex<()>,
    _lock: HomeLock,
}

impl Queue {
    /// Opens the queue of `home`: makes missing folders, takes the lock, opens the ledger, and finishes
    /// or takes back whatever an earlier process left half done.
    ///
    /// # Errors
    /// A home that cannot work, a ledger that is damaged, foreign or newer, or
    /// [`QueueError::AlreadyRunning`]. Nothing is ever thrown away to make a start possible.
    pub fn open(home: Home, options: Options) -> Result<(Self, RecoveryReport), QueueError> {
        home.prepare()?;
        let lock = HomeLock::acquire(&home.ledger)?;
        let ledger = Ledger::open(&home.ledger)?;
        let ids = IdSource::new();
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let queue = Self {
            spool: Spool::new(home.clone()),
            instance: format!("{} {}", ids.next(), boot.trim()),
            home,
            options,
            ledger,
            ids,
            placing: Mutex::new(()),
            _lock: lock,
        };
        let report = queue.recover()?;
        Ok((queue, report))
    }

    /// The folders.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Whether there is room for more work.
    ///
    /// # Errors
    /// [`QueueError::LowSpace`].
    pub fn check_space(&self) -> Result<(), QueueError> {
        space::check(&self.home.working, self.options.keep_free)
    }

    /// Applies `event` to a job, for the attempt `guard` if one is given.
    pub(crate) fn transition(
        &self,
        id: JobId,
        guard: Option<u32>,
        event: Event,
    ) -> Result<JobRow, QueueError> {
        self.transition_with(id, guard, event, |_, _| Ok(()))
    }

    /// Like [`Queue::transition`], with more changes in the same transaction. `also` gets the job as
    /// it was before.
    fn transition_with(
        &self,
        id: JobId,
        guard: Option<u32>,
        event: Event,
        also: impl FnOnce(&Transaction<'_>, &JobRow) -> Result<(), QueueError>,
    ) -> Result<JobRow, QueueError> {
        self.ledger.write(|db| {
            let job = Ledger::get(db, id)?;
            if let Some(attempt) = guard {
                self.is_current(&job, attempt)?;
            }
            let verb = event.verb();
            let sealing = event == Event::Seal;
            let life = job
                .life
                .after(
                    event,
                    &self.options.retry,
                    self.options.clock.now_ms(),
                    self.jitter(&job),
                )
                .map_err(|_| {
                    if sealing && job.life.cancel_requested {
                        QueueError::CancelRequested(id)
                    } else {
                        let state = job.state().as_str();
                        QueueError::IllegalTransition {
                            id,
                            state,
                            event: verb,
                        }
                    }
                })?;
            also(db, &job)?;
            Ledger::set_life(db, id, &life)?;
            Ledger::get(db, id)
        })
    }

    fn is_current(&self, job: &JobRow, attempt: u32) -> Result<(), QueueError> {
        if job.life.attempts == attempt && matches!(job.life.state, State::Working { .. }) {
            Ok(())
        } else {
            Err(QueueError::Superseded {
                id: job.id,
                attempt,
            })
        }
    }

    /// Differs from job to job and from failure to failure, and needs no source of chance.
    fn jitter(&self, job: &JobRow) -> u64 {
        let digest = durable::sha256_hex(format!("{} {}", job.id, job.life.attempts).as_bytes());
        digest
            .get(..15)
            .and_then(|hex| u64::from_str_radix(hex, 16).ok())
            .unwrap_or(0)
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("home", &self.home)
            .finish_non_exhaustive()
    }
}
