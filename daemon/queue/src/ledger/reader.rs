//! Looking at the queue from another process, whether or not a daemon runs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::{Filter, JobRow, Ledger, schema};
use crate::{JobId, QueueError, StateName};

/// The ledger, open for reading only.
///
/// Without a daemon it shows the last committed state: a job that was being worked on when the daemon
/// died still says so until the next start.
#[derive(Debug)]
pub struct Reader {
    connection: Mutex<Connection>,
}

impl Reader {
    /// Opens the ledger at `path`.
    ///
    /// # Errors
    /// [`QueueError::LedgerMissing`], or why the file is not a ledger that can be read.
    pub fn open(path: &Path) -> Result<Self, QueueError> {
        if !path.exists() {
            return Err(QueueError::LedgerMissing(path.to_owned()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        schema::check_version(&connection, path)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Jobs by `filter`, newest first.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn list(&self, filter: &Filter) -> Result<Vec<JobRow>, QueueError> {
        self.read(|db| Ledger::list(db, filter))
    }

    /// One job.
    ///
    /// # Errors
    /// [`QueueError::UnknownJob`], or what keeps the ledger from being read.
    pub fn get(&self, id: JobId) -> Result<JobRow, QueueError> {
        self.read(|db| Ledger::get(db, id))
    }

    /// How many jobs are in each state; states without jobs are left out.
    ///
    /// # Errors
    /// What keeps the ledger from being read.
    pub fn counts(&self) -> Result<BTreeMap<StateName, u64>, QueueError> {
        self.read(Ledger::counts)
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        let connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        // One view for all statements, whatever the daemon commits meanwhile.
        work(&*connection.unchecked_transaction()?)
    }
}
