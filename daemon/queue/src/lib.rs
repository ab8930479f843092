//! The durable queue: everything about a job that must outlive a crash, and nothing about pictures.
//!
//! A manifest is a file that a user drops in a watched folder. This crate decides when the file is
//! whole, takes it by one rename, writes it into a ledger, hands it out as work, places what the work
//! made in the outbox exactly once, and puts the manifest where the user can see how it ended. What a
//! manifest *means* is not known here: a checked job is an opaque text that the program stores and
//! gets back.
//!
//! The modules, in the order a job meets them:
//!
//! | module | what it does |
//! |---|---|
//! | [`home`] | the folders, and which sets of folders are refused |
//! | [`intake`] | hints and scans become candidates: files that are whole |
//! | [`spool`](Queue::claim) | a claim is a rename; inputs are copied beside the manifest |
//! | [`job`] | the states of a job and what may follow what (pure) |
//! | [`ledger`] | the one truth about jobs, in SQLite |
//! | [`schedule`], [`retry`] | which job is next; again, or given up (pure) |
//! | [`deliver`](Queue::deliver) | finished files into the outbox, once |
//! | [`recover`] | after a crash: what each job needs (pure), and doing it |
//! | [`Queue`] | the calls that a program makes, in order |
//!
//! The rules that every part keeps: the step that promises something is written down and synced before
//! the next step starts; a sync that failed abandons its file; only `durable` renames or syncs; a
//! name in a user's folder is never overwritten.

mod clock;
mod deliver;
mod durable;
mod error;
mod failpoint;
pub mod home;
mod id;
pub mod intake;
pub mod job;
pub mod ledger;
mod lock;
mod names;
mod queue;
pub mod records;
pub mod recover;
pub mod retry;
pub mod schedule;
pub mod space;
mod spool;

#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use deliver::Delivered;
pub use error::{Errand, QueueError};
pub use home::Home;
pub use id::JobId;
pub use intake::{Candidate, Intake, Offer};
pub use job::{Life, Stage, State, StateName};
pub use ledger::{Filter, InputRow, JobRow, OutputRow, Reader};
pub use queue::{Attempt, CancelOutcome, Delivery, FailOutcome, NewJob, Options, Output, Queue};
pub use records::{ErrorFile, LoraEntry, Problem, ResultFile, ResultNotes};
pub use recover::RecoveryReport;
pub use spool::{Claimed, InputSource};
