//! A job's name for its whole life: a ULID, so ids sort by the time they were made.

use std::fmt;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use ulid::{Generator, Ulid};

use crate::QueueError;

/// The id of a job, also the name of its folder in the spool. 26 characters of Crockford base 32.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(Ulid);

impl JobId {
    /// An id from 128 bits, for tests and fixed examples.
    #[must_use]
    pub const fn from_bits(bits: u128) -> Self {
        Self(Ulid(bits))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JobId({self})")
    }
}

impl FromStr for JobId {
    type Err = QueueError;

    /// Reads the 26 characters; upper case only, so that one job has one spelling.
    fn from_str(text: &str) -> Result<Self, QueueError> {
        let id = Ulid::from_string(text).map_err(|_| QueueError::BadJobId(text.to_owned()))?;
        if id.to_string() == text {
            Ok(Self(id))
        } else {
            Err(QueueError::BadJobId(text.to_owned()))
        }
    }
}

impl TryFrom<String> for JobId {
    type Error = QueueError;

    fn try_from(text: String) -> Result<Self, QueueError> {
        text.parse()
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

/// Makes ids that rise within one process even when the clock does not.
pub(crate) struct IdSource(Mutex<Generator>);

impl IdSource {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Generator::new()))
    }

    pub(crate) fn next(&self) -> JobId {
        let mut generator = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The one error is 2^80 ids within a millisecond; a fresh random id is as good there.
        JobId(generator.generate().unwrap_or_else(|_| Ulid::new()))
    }
}
