//! The one truth about jobs: an SQLite file that is never guessed at and never wiped.
//!
//! Every change is one transaction that is on the disk when the call returns. A file that is damaged,
//! foreign or newer than this program stops the start and is left exactly as it was.

mod jobs;
mod pieces;
mod reader;
mod row;
mod schema;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::{QueueError, durable, failpoint, intake};

pub use reader::Reader;
pub use row::{Filter, InputRow, JobRow, OutputRow};

pub(crate) use jobs::NewRow;

/// The ledger, open for writing by the one daemon of its home.
pub(crate) struct Ledger {
    connection: Mutex<Connection>,
}

impl Ledger {
    /// Opens or makes the ledger and brings it to the version of this program.
    pub(crate) fn open(path: &Path) -> Result<Self, QueueError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        schema::check(&connection, path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        // The write-ahead log needs memory shared between processes, which network filesystems lack.
        let journal = if intake::shares_memory(folder) {
            "WAL"
        } else {
            "DELETE"
        };
        connection.query_row(&format!("PRAGMA journal_mode = {journal}"), [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        schema::migrate(&mut connection)?;
        durable::sync_dir(folder)?;
        Ok(Self {
            connection: Mutex::new(connection),
        })
    }

    /// Reads in one consistent view.
    pub(crate) fn read<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        work(&*connection.transaction()?)
    }

    /// Changes something. On an error, or a panic in `work`, nothing has changed.
    pub(crate) fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        let mut connection = self
            .connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        let refused = |e: std::io::Error| QueueError::Io {
            errand: "commit to the ledger of",
            path: "this home".into(),
            source: e,
        };
        failpoint::step("commit").map_err(refused)?;
        transaction.commit()?;
        // Only a kill has a meaning here: what is committed cannot fail any more.
        let _ = failpoint::step("committed");
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
