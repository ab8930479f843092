//! The states of a job and which may follow which. Pure: the ledger stores what is decided here.
//!
//! A state carries what only it has, so that "failed without a reason" or "queued in a stage" cannot be
//! written. One rule orders the rest: [`Stage::Delivering`] is the point of no return. Before it, a
//! crash or a cancel throws the work away; from it on, the job can only be finished.

use std::fmt;
use std::str::FromStr;

use crate::records::ErrorFile;
use crate::retry::{RetryPolicy, Verdict};

/// Where a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waits for its turn.
    Queued {
        /// Not before this time in milliseconds since 1970: set after a failure that may pass.
        not_before_ms: Option<i64>,
        /// That failure.
        last_fault: Option<Box<ErrorFile>>,
    },
    /// An attempt is being made.
    Working {
        /// How far it has come.
        stage: Stage,
    },
    /// All outputs are in the outbox.
    Done {
        /// Milliseconds since 1970.
        at_ms: i64,
    },
    /// Given up.
    Failed {
        /// Milliseconds since 1970.
        at_ms: i64,
        /// Why.
        fault: Box<ErrorFile>,
    },
    /// Ended by the user.
    Cancelled {
        /// Milliseconds since 1970.
        at_ms: i64,
    },
}

/// How far an attempt has come. The first three may follow each other in any order, because a job of
/// several pictures goes round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// References are decoded and plugins run.
    Preparing,
    /// The model runs.
    Running,
    /// Outputs are encoded and signed.
    Signing,
    /// All outputs are staged, and are being placed in the outbox.
    Delivering,
}

/// The public name of a state: what the command line, D-Bus and scripts see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StateName {
    /// Waits for its turn.
    Queued,
    /// References are decoded and plugins run.
    Preparing,
    /// The model runs.
    Running,
    /// Outputs are encoded, signed or delivered.
    Signing,
    /// Delivered.
    Done,
    /// Given up.
    Failed,
    /// Ended by the user.
    Cancelled,
}

impl StateName {
    /// Every name, in the order of a job's life.
    pub const ALL: [Self; 7] = [
        Self::Queued,
        Self::Preparing,
        Self::Running,
        Self::Signing,
        Self::Done,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The name itself.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Preparing => "preparing",
            Self::Running => "running",
            Self::Signing => "signing",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for StateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for StateName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|name| name.as_str() == text)
            .ok_or(())
    }
}

impl State {
    /// A job that nothing has happened to.
    #[must_use]
    pub fn fresh() -> Self {
        Self::Queued {
            not_before_ms: None,
            last_fault: None,
        }
    }

    /// The public name.
    #[must_use]
    pub fn name(&self) -> StateName {
        match self {
            Self::Queued { .. } => StateName::Queued,
            Self::Working {
                stage: Stage::Preparing,
            } => StateName::Preparing,
            Self::Working {
                stage: Stage::Running,
            } => StateName::Running,
            Self::Working {
                stage: Stage::Signing | Stage::Delivering,
            } => StateName::Signing,
            Self::Done { .. } => StateName::Done,
            Self::Failed { .. } => StateName::Failed,
            Self::Cancelled { .. } => StateName::Cancelled,
        }
    }

    /// Whether the job has ended. Only an explicit retry leaves such a state, and never `Done`.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(
            self,
            Self::Done { .. } | Self::Failed { .. } | Self::Cancelled { .. }
        )
    }
}

/// The part of a job that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Where the job stands.
    pub state: State,
    /// Attempts begun so far. Never falls.
    pub attempts: u32,
    /// Attempts that ended with the death of the daemon.
    pub crashes: u32,
    /// Attempts that ended with a failure that may pass.
    pub failures: u32,
    /// The user cancelled while an attempt was being made.
    pub cancel_requested: bool,
}

impl Default for Life {
    fn default() -> Self {
        Self {
            state: State::fresh(),
            attempts: 0,
            crashes: 0,
            failures: 0,
            cancel_requested: false,
        }
    }
}

/// What happens to a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Its turn has come.
    Begin,
    /// The attempt enters this stage; never [`Stage::Delivering`].
    Enter(Stage),
    /// Every output is staged and recorded.
    Seal,
    /// Every output is in the outbox.
    Finish,
    /// The attempt failed. `again` asks for another one, if the policy still allows it.
    Fail {
        /// Why.
        fault: Box<ErrorFile>,
        /// Whether another attempt may cure it.
        again: bool,
    },
    /// The daemon died while the attempt was being made.
    Crash,
    /// The daemon stops in good order and gives the attempt up.
    Interrupt,
    /// The job's folder, or an output that was staged in it, is gone.
    Lose {
        /// The error to tell.
        fault: Box<ErrorFile>,
    },
    /// The user cancels.
    Cancel,
    /// The attempt was stopped because the user cancelled.
    Stopped,
    /// The user wants a job that failed or was cancelled to run again.
    Retry,
}

impl Event {
    /// For the sentence "… so it cannot …".
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Begin => "begin",
            Self::Enter(_) => "change its stage",
            Self::Seal => "be delivered",
            Self::Finish => "be finished",
            Self::Fail { .. } => "fail",
            Self::Crash => "crash",
            Self::Interrupt => "be interrupted",
            Self::Lose { .. } => "be given up as lost",
            Self::Cancel => "be cancelled",
            Self::Stopped => "be stopped",
            Self::Retry => "be tried again",
        }
    }
}

/// The state does not allow the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Illegal;

impl Life {
    /// What the job is after `event` at the time `now_ms` (milliseconds since 1970). `jitter` is any
    /// number, used to spread back-offs.
    ///
    /// # Errors
    /// [`Illegal`] if the state does not allow the event; nothing has changed then.
    pub fn after(
        &self,
        event: Event,
        policy: &RetryPolicy,
        now_ms: i64,
        jitter: u64,
    ) -> Result<Self, Illegal> {
        let mut life = self.clone();
        match (&self.state, event) {
            (State::Queued { .. }, Event::Begin) => {
                life.attempts += 1;
                life.state = State::Working {
                    stage: Stage::Preparing,
                };
            }
            (State::Queued { .. }, Event::Cancel) => {
                life.state = State::Cancelled { at_ms: now_ms }
            }
            (State::Queued { .. }, Event::Lose { fault }) => {
                life.state = State::Failed {
                    at_ms: now_ms,
                    fault,
                };
            }
            (
                State::Working {
                    stage: Stage::Delivering,
                },
                event,
            ) => match event {
                Event::Finish => life.state = State::Done { at_ms: now_ms },
                // Placing is tried until it works; only what is lost cannot be placed.
                Event::Lose { fault } => {
                    life.state = State::Failed {
                        at_ms: now_ms,
                        fault,
                    }
                }
                // Placing is idempotent, so neither a crash nor a stop changes anything.
                Event::Crash | Event::Interrupt => {}
                _ => return Err(Illegal),
            },
            (State::Working { .. }, event) => life.work_ended(event, policy, now_ms, jitter)?,
            (State::Failed { .. } | State::Cancelled { .. }, Event::Retry) => {
                life.crashes = 0;
                life.failures = 0;
                life.cancel_requested = false;
                life.state = State::fresh();
            }
            _ => return Err(Illegal),
        }
        Ok(life)
    }

    /// Events before the point of no return.
    fn work_ended(
        &mut self,
        event: Event,
        policy: &RetryPolicy,
        now_ms: i64,
        jitter: u64,
    ) -> Result<(), Illegal> {
        let cancelled = State::Cancelled { at_ms: now_ms };
        self.state = match event {
            Event::Enter(stage) if stage < Stage::Delivering => State::Working { stage },
            Event::Seal if !self.cancel_requested => State::Working {
                stage: Stage::Delivering,
            },
            Event::Cancel => {
                self.cancel_requested = true;
                return Ok(());
            }
            Event::Stopped if self.cancel_requested => cancelled,
            Event::Fail { .. } | Event::Crash | Event::Interrupt | Event::Lose { .. }
                if self.cancel_requested =>
            {
                cancelled
            }
            Event::Lose { fault } => State::Failed {
                at_ms: now_ms,
                fault,
            },
            Event::Interrupt => State::fresh(),
            Event::Fail {
                fault,
                again: false,
            } => State::Failed {
                at_ms: now_ms,
                fault,
            },
            Event::Fail { fault, again: true } => {
                self.failures += 1;
                match policy.after_failure(self.failures, jitter) {
                    Verdict::Again { delay_ms } => State::Queued {
                        not_before_ms: Some(now_ms.saturating_add(delay_ms)),
                        last_fault: Some(fault),
                    },
                    Verdict::GiveUp => State::Failed {
                        at_ms: now_ms,
                        fault,
                    },
                }
            }
            Event::Crash => {
                self.crashes += 1;
                match policy.after_crash(self.crashes) {
                    Verdict::Again { .. } => State::fresh(),
                    Verdict::GiveUp => State::Failed {
                        at_ms: now_ms,
                        fault: Box::new(quarantined(self.crashes)),
                    },
                }
            }
            _ => return Err(Illegal),
        };
        Ok(())
    }
}

/// The error of a job that is not tried any more because the daemon died on it.
fn quarantined(crashes: u32) -> ErrorFile {
    ErrorFile {
        hint: Some(
            "look into the daemon's log for what it was doing when it died; `retry` runs the job again"
                .into(),
        ),
        retryable: true,
        ..ErrorFile::new(
            "crashed-repeatedly",
            "run",
            format!("the daemon died {crashes} times while it worked on this job"),
        )
    }
}

#[cfg(test)]
mod tests;
