//! Where a test may cut a job's life short: every durable step announces itself here first.
//!
//! In a build that is not a test of this crate the announcement compiles to nothing, so no setting of
//! any kind can make a real daemon fail. Tests arm one fault for their own thread: at the k-th step the
//! process kills itself, or the step fails with an error that a disk could give.

#[cfg(not(test))]
use std::io;

/// Announces the durable step `_name`; only an armed test makes it fail.
#[cfg(not(test))]
#[inline(always)]
#[allow(
    clippy::unnecessary_wraps,
    reason = "the test build returns the error it injects"
)]
pub(crate) fn step(_name: &'static str) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub(crate) use armed::{Fault, arm, disarm, step};

#[cfg(test)]
mod armed {
    use std::cell::{Cell, RefCell};
    use std::io;

    use rustix::io::Errno;
    use rustix::process::{Signal, getpid, kill_process};

    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum Fault {
        /// SIGKILL to the own process: nothing is flushed, nothing unwinds.
        Kill,
        /// The step reports this error and does nothing.
        Error(Errno),
    }

    thread_local! {
        static ARMED: Cell<Option<(Fault, u64)>> = const { Cell::new(None) };
        static TRACE: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    }

    /// Makes the `k`-th step from now (counted from 1) on this thread fail; `u64::MAX` only counts.
    pub(crate) fn arm(fault: Fault, k: u64) {
        TRACE.with_borrow_mut(Vec::clear);
        ARMED.set(Some((fault, k)));
    }

    /// Ends the injection and gives the names of the steps that were seen.
    pub(crate) fn disarm() -> Vec<&'static str> {
        ARMED.set(None);
        TRACE.take()
    }

    pub(crate) fn step(name: &'static str) -> io::Result<()> {
        let Some((fault, left)) = ARMED.get() else {
            return Ok(());
        };
        TRACE.with_borrow_mut(|trace| trace.push(name));
        ARMED.set(Some((fault, left.saturating_sub(1))));
        if left != 1 {
            return Ok(());
        }
        match fault {
            Fault::Kill => {
                let _ = kill_process(getpid(), Signal::KILL);
                Ok(())
            }
            Fault::Error(errno) => Err(errno.into()),
        }
    }
}
