//! What reaches the intake loop from other threads.
//!
//! Hints are bounded: when they pile up, all of them are traded for one full listing, which is what
//! the kernel does as well. Releases and orders are never dropped. No sender ever waits.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::watch::Hint;

/// More hints than this are not worth more than one listing.
const MOST_HINTS: usize = 4096;

/// Everything that came since the last look.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    pub(crate) hints: Vec<Hint>,
    /// Events were lost somewhere.
    pub(crate) lost: bool,
    /// Somebody asked for a listing.
    pub(crate) rescan: bool,
    /// Offers that ended, with how long to leave the file alone.
    pub(crate) released: Vec<(PathBuf, Option<Duration>)>,
    pub(crate) stop: bool,
}

impl Mail {
    fn is_empty(&self) -> bool {
        self.hints.is_empty()
            && !self.lost
            && !self.rescan
            && self.released.is_empty()
            && !self.stop
    }
}

/// The one box; clones of an `Arc` of it are held by all who write.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    arrived: Condvar,
}

impl Mailbox {
    pub(crate) fn hint(&self, hint: Hint) {
        self.put(|mail| {
            if mail.hints.len() >= MOST_HINTS {
                mail.hints.clear();
                mail.lost = true;
            }
            // After a loss the listing will see everything that the hints could say.
            if !mail.lost {
                mail.hints.push(hint);
            }
        });
    }

    pub(crate) fn events_lost(&self) {
        self.put(|mail| {
            mail.hints.clear();
            mail.lost = true;
        });
    }

    pub(crate) fn ask_rescan(&self) {
        self.put(|mail| mail.rescan = true);
    }

    pub(crate) fn release(&self, path: PathBuf, hold: Option<Duration>) {
        self.put(|mail| mail.released.push((path, hold)));
    }

    pub(crate) fn stop(&self) {
        self.put(|mail| mail.stop = true);
    }

    /// Takes what is there; waits for something until `deadline` if there is nothing.
    pub(crate) fn collect(&self, deadline: Instant) -> Mail {
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        while mail.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            mail = self
                .arrived
                .wait_timeout(mail, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        std::mem::take(&mut *mail)
    }

    fn put(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        self.arrived.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_hints_become_one_rescan() {
        let mailbox = Mailbox::default();
        for n in 0..=MOST_HINTS {
            mailbox.hint(Hint::Touched(PathBuf::from(format!("{n}.toml"))));
        }
        mailbox.release(PathBuf::from("kept.toml"), None);
        let mail = mailbox.collect(Instant::now());
        assert!(mail.lost && mail.hints.is_empty());
        assert_eq!(mail.released.len(), 1);
        assert!(mailbox.collect(Instant::now()).is_empty());
    }
}
